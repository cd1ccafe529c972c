#!/bin/sh
# Expected: after net.netfilter.nf_conntrack_acct is switched on, the kernel counts the packets and bytes of every connection from then on.
# Seen (Linux 6.18, conntrack 1.4.7): connections that were open at that time have no counters as long as they last, whatever they carry; the same holds for
#   nf_conntrack_timestamp and their start. Both are given to an entry when it is made.
# Matters to programs that switch it on and judge connections by their bytes: those that last for months, which matter most, look as if nothing were
#   known of them, and a missing counter is easily taken for zero.
. "${0%/*}/lib.sh"
need python3
debian bookworm conntrack=1:1.4.7-1+b2 nftables=1.0.6-2+deb12u2
namespace a
track_rules bookworm
cat >"$tmp/talk.py" <<'P'
import socket, subprocess, sys
root = sys.argv[1]
def run(*command):
    return subprocess.run(["chroot", root, *command], check=True, capture_output=True, text=True).stdout
def switch(on):
    for name in "acct", "timestamp":
        with open("/proc/sys/net/netfilter/nf_conntrack_" + name, "w") as f:
            f.write(on)
def talk(client, server):
    for _ in range(10):
        client.sendall(b"x" * 1000)
        server.recv(1000, socket.MSG_WAITALL)
run("nft", "-f", "/tmp/track.nft")
switch("0")
listener = socket.create_server(("127.0.0.1", 2222))
old = socket.create_connection(("127.0.0.1", 2222), source_address=("127.0.0.1", 40001)), listener.accept()[0]
switch("1")
new = socket.create_connection(("127.0.0.1", 2222), source_address=("127.0.0.1", 40002)), listener.accept()[0]
talk(*old)
talk(*new)
print(run("conntrack", "-L", "-p", "tcp", "-o", "ktimestamp"), end="")
P
inside a python3 "$tmp/talk.py" "$tmp/bookworm" >"$tmp/list" || skip "connection tracking can't be set up here"
echo "software: Linux $(uname -r | cut -d. -f1,2)"
holds "the connection made before is tracked" grep 'sport=40001 ' "$tmp/list"
holds "it has no counters, after 10,000 bytes" eval '! grep "sport=40001 " "$tmp/list" | grep bytes='
holds "nor a start" eval '! grep "sport=40001 " "$tmp/list" | grep delta-time'
holds "the one made after has its bytes" eval 'grep "sport=40002 " "$tmp/list" | grep -E "bytes=1[0-9]{4} "'
holds "and its start" eval 'grep "sport=40002 " "$tmp/list" | grep delta-time'
