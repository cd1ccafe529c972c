#!/bin/sh
# Expected: a netlink listener that is too slow reads the events that were queued first, then ENOBUFS where some are missing; so after
#   ENOBUFS, "dump again and apply what follows" is right.
# Seen (Linux 6.18, rtnetlink; netfilter events share that code): ENOBUFS comes first, at once, and the older events are still queued behind
#   it; what was lost is younger than all of them.
# Matters to every program that mirrors kernel state (routes, connections, rules): a dump made on ENOBUFS is newer than the events read next,
#   and these put old values back. Empty the queue first, then dump.
. "${0%/*}/lib.sh"
need python3 ip
namespace a
cat >"$tmp/listen.py" <<'P'
import errno, socket, struct, subprocess
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
s.bind((0, 1))  # RTMGRP_LINK
s.setblocking(False)
changes = "".join("link set dev lo mtu %d\n" % mtu for mtu in range(10001, 10201))
subprocess.run(["ip", "-batch", "-"], input=changes, text=True, check=True)

def mtu_of(message):
    at = 32  # behind nlmsghdr and ifinfomsg
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if kind == 4:  # IFLA_MTU
            return struct.unpack_from("=I", message, at + 4)[0]
        at += (length + 3) & ~3

while True:
    try:
        print("mtu", mtu_of(s.recv(65536)))
    except OSError as e:
        if e.errno == errno.EAGAIN:
            break
        print("error", errno.errorcode[e.errno])
P
inside a python3 "$tmp/listen.py" >"$tmp/out"
echo "kernel: $(uname -r)"
holds "200 changes were made, fewer events arrived" eval 'n=$(grep -c "^mtu" "$tmp/out") && [ "$n" -gt 0 ] && [ "$n" -lt 200 ]'
holds "the first thing read is ENOBUFS" eval 'head -n 1 "$tmp/out" | grep -x "error ENOBUFS"'
holds "it is reported once" eval '[ "$(grep -c ENOBUFS "$tmp/out")" = 1 ]'
holds "the first change of all is read after it" eval 'sed -n 2p "$tmp/out" | grep -x "mtu 10001"'
holds "the last change is among those that were lost" eval '! grep -x "mtu 10200" "$tmp/out"'
