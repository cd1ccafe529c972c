#!/bin/sh
# Expected: the id of a conntrack entry (CTA_ID, `conntrack -o id`) tells two entries apart that have the same addresses and ports.
# Seen (Linux 6.18, conntrack 1.4.7): it is a hash of the entry's tuple and of where it lies in memory; the next flow with the same
#   addresses and ports often gets the same memory, and so the same id.
# Matters to a program that joins NEW and DESTROY events by id: it takes two connections for one. Zone, original tuple and order of arrival
#   are the key. The script makes up to 40 flows in a row and looks for a repetition.
. "${0%/*}/lib.sh"
need python3
debian bookworm conntrack=1:1.4.7-1+b2 nftables=1.0.6-2+deb12u2
namespace a
conntrack() { inside a chroot "$tmp/bookworm" conntrack "$@"; }
inside a chroot "$tmp/bookworm" nft -f - <<'N'
table inet t {
	chain c {
		type filter hook output priority 0
		ct state new accept
	}
}
N
cat >"$tmp/send.py" <<'P'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 5555))
s.sendto(b"x", ("127.0.0.1", 9))
P
repeated=no
for _ in $(seq 40); do
	inside a python3 "$tmp/send.py"
	id=$(conntrack -L -p udp -o id 2>/dev/null | grep -o 'id=[0-9]*')
	if grep -qx "$id" "$tmp/ids" 2>/dev/null; then repeated=yes; break; fi
	echo "$id" >>"$tmp/ids"
	conntrack -D -p udp >/dev/null 2>&1
	sleep 0.05
done
echo "kernel: $(uname -r)"
holds "a later flow of the same addresses and ports had an id that an earlier one had" [ $repeated = yes ]
