#!/bin/sh
# Expected: `add element` of an element that a set holds already does nothing (as `add table` and `add chain` do), or fails.
# Seen (Linux 6.18, nft 1.0.6): it succeeds and replaces the time-out: without one the element becomes permanent, with one a permanent
#   element becomes temporary. (The update came with Linux 6.12; on older kernels this script is skipped.)
# Matters to a program whose rules expire unless they are confirmed, and to one that adds "just to be sure": both change how long it holds.
. "${0%/*}/lib.sh"
need awk
uname -r | awk -F. '{ exit !($1 > 6 || ($1 == 6 && $2 >= 12)) }' || skip "kernel $(uname -r) is older than 6.12"
debian bookworm nftables=1.0.6-2+deb12u2
namespace a
nft() { inside a chroot "$tmp/bookworm" nft "$@"; }
# left ELEMENT: how the set lists it
left() { nft list set inet t s | grep -o "$1[^,}]*"; }

nft add table inet t
nft add set inet t s '{ type ipv4_addr; flags timeout; elements = { 192.0.2.1 timeout 1h, 192.0.2.2 }; }'
echo "kernel: $(uname -r)"
holds "an element added with a time-out of an hour has one" eval 'left 192.0.2.1 | grep "timeout 1h"'
holds "adding it again without a time-out is no error" nft add element inet t s '{ 192.0.2.1 }'
holds "now it is permanent" eval '! left 192.0.2.1 | grep -E "timeout|expires"'
holds "adding a permanent element again with a time-out is no error" nft add element inet t s '{ 192.0.2.2 timeout 2h }'
holds "now it expires" eval 'left 192.0.2.2 | grep "timeout 2h expires"'
holds "create element of the same refuses" eval '! nft create element inet t s "{ 192.0.2.2 timeout 3h }" 2>/dev/null'
