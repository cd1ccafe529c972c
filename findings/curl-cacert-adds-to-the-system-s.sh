#!/bin/sh
# Expected: `curl --cacert FILE`, and a program that sets CURLOPT_CAINFO, trusts the authorities of that file and no others. The manual speaks of
#   the file "to use to verify the peer", and people give it to pin a private authority.
# Seen (curl 7.88.1 of Debian, with OpenSSL and with GnuTLS): the system's bundle is replaced, but Debian's library also has the system's
#   directory of certificates as its default CURLOPT_CAPATH, and that stays. A server whose certificate is of an authority of the system is
#   accepted although the file names another one. With --capath of an empty directory, or CURLOPT_CAPATH set to NULL, only the file counts.
# Matters to programs that send a secret to a service of a private authority: whoever gets a certificate of any public one reads it. A test
#   without certificates in the system's directory, as in a small container, does not show it.
. "${0%/*}/lib.sh"
debian bookworm curl=7.88.1-10+deb12u15 libcurl3-gnutls=7.88.1-10+deb12u15 openssl python3
need mknod
namespace a
root=$tmp/bookworm
[ -e "$root/dev/null" ] || mknod -m 666 "$root/dev/null" c 1 3
[ -e "$root/dev/urandom" ] || mknod -m 666 "$root/dev/urandom" c 1 9
run() { inside a chroot "$root" "$@"; }

mkdir -p "$root/w" "$root/etc/ssl/certs" "$root/empty"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
for c in system private; do
	run openssl req -x509 -newkey rsa:2048 -nodes -keyout "/w/$c.key" -out "/w/$c.pem" -subj "/CN=authority $c" -days 2 >"$tmp/log" 2>&1
done
echo 'subjectAltName=DNS:localhost' >"$root/w/ext"
run openssl req -newkey rsa:2048 -nodes -keyout /w/key -out /w/csr -subj /CN=service >"$tmp/log" 2>&1
run openssl x509 -req -in /w/csr -CA /w/system.pem -CAkey /w/system.key -CAcreateserial -out /w/crt -days 2 -extfile /w/ext >"$tmp/log" 2>&1
# The system's authorities: one.
rm -rf "$root"/etc/ssl/certs/*
cp "$root/w/system.pem" "$root/etc/ssl/certs/ca-certificates.crt"
cp "$root/w/system.pem" "$root/etc/ssl/certs/$(run openssl x509 -in /w/system.pem -noout -hash).0"

inside a chroot "$root" openssl s_server -accept 127.0.0.1:8443 -cert /w/crt -key /w/key -www -quiet >"$tmp/server.log" 2>&1 &
children="$children $!"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	if run curl -s -o /dev/null --insecure https://localhost:8443/; then break; fi
	sleep 0.5
done
get() { run curl -sS -o /dev/null "$@" https://localhost:8443/ 2>"$tmp/curl.log"; }

holds "without options the server is accepted: its authority is the system's" get
holds "with --cacert of another authority it is accepted all the same" get --cacert /w/private.pem
holds "with an empty --capath beside it, it is refused" eval '! get --cacert /w/private.pem --capath /empty && grep -qi certificate "$tmp/curl.log"'

cat >"$root/w/get.py" <<'P'
import ctypes, sys
lib = ctypes.CDLL("libcurl-gnutls.so.4")
lib.curl_easy_init.restype = ctypes.c_void_p
URL, CAINFO, CAPATH, TIMEOUT = 10002, 10065, 10097, 13
c = ctypes.c_void_p(lib.curl_easy_init())
def put(option, value):
    lib.curl_easy_setopt(c, ctypes.c_int(option), value)
put(URL, b"https://localhost:8443/")
put(TIMEOUT, ctypes.c_long(20))
put(CAINFO, sys.argv[1].encode())
if sys.argv[2:] == ["alone"]:
    put(CAPATH, None)
sys.exit(lib.curl_easy_perform(c) != 0)
P
gnutls() { run python3 /w/get.py "$@"; }
holds "libcurl-gnutls with CURLOPT_CAINFO of another authority accepts it too" gnutls /w/private.pem
holds "with CURLOPT_CAPATH set to NULL it refuses it" eval '! gnutls /w/private.pem alone'
holds "and accepts the right authority's file" gnutls /w/system.pem alone
