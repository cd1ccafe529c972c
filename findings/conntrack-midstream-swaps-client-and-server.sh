#!/bin/sh
# Expected: in a conntrack entry the original source is the client that opened the connection.
# Seen (Linux 6.18, conntrack 1.4.7): a TCP connection that is older than connection tracking is picked up (nf_conntrack_tcp_loose is 1 by
#   default) with whoever speaks first as the original source; if that is the server, the entry has the roles reversed, becomes ASSURED
#   and looks like any other. Only its first event differs: NEW in state ESTABLISHED instead of SYN_SENT.
# Matters to a program that starts beside running services and learns roles from conntrack: a dump has no sign of the swap.
. "${0%/*}/lib.sh"
need python3
debian bookworm conntrack=1:1.4.7-1+b2 nftables=1.0.6-2+deb12u2
namespace a
track_rules bookworm
cat >"$tmp/talk.py" <<'P'
import socket, subprocess, sys, time
root = sys.argv[1]
def run(*command):
    return subprocess.run(["chroot", root, *command], check=True, capture_output=True, text=True).stdout
listener = socket.create_server(("127.0.0.1", 2222))
client = socket.create_connection(("127.0.0.1", 2222))
server, _ = listener.accept()
events = subprocess.Popen(["chroot", root, "conntrack", "-E"], stdout=open(root + "/tmp/events", "w"), stderr=subprocess.DEVNULL)
time.sleep(1)
run("nft", "-f", "/tmp/track.nft")
server.sendall(b"ping")
client.recv(4)
time.sleep(0.3)
client.sendall(b"pong")
server.recv(4)
time.sleep(0.5)
events.terminate()
events.wait()
print(run("conntrack", "-L", "-p", "tcp"), end="")
P
inside a python3 "$tmp/talk.py" "$tmp/bookworm" >"$tmp/list"
echo "kernel: $(uname -r)"
holds "the server on port 2222 is the original source" grep -E 'ESTABLISHED src=127.0.0.1 dst=127.0.0.1 sport=2222 ' "$tmp/list"
holds "the entry is ASSURED like any other" grep ASSURED "$tmp/list"
holds "only its NEW event is in state ESTABLISHED" grep 'NEW. tcp.* ESTABLISHED ' "$tmp/bookworm/tmp/events"
