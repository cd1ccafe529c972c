#!/bin/sh
# Expected: adding to a set that has reached its size fails with an error that speaks of the set, or of space.
# Seen (Linux 6.18 with nft 1.0.6 and 1.1.3): "Too many open files in system" (ENFILE), for every kind of set with a size.
# Matters to whoever reads it in a log: the limits of open files have nothing to do with it; and to programs that try again later on ENFILE,
#   as for a passing shortage: a set does not empty itself.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2
debian trixie nftables=1.1.3-1
echo "software: Linux $(uname -r | cut -d. -f1,2)"
for suite in bookworm trixie; do
	namespace $suite
	n() { nft_in $suite "$@"; }
	n 'add table inet t'
	for kind in '' 'flags interval;' 'flags timeout;'; do
		n "add set inet t s { type ipv4_addr; size 2; $kind }"
		holds "$suite: ${kind:-no flags;} two elements fit" n 'add element inet t s { 10.0.0.1, 10.0.0.3 }'
		holds "$suite: ${kind:-no flags;} the third is too many open files" eval "! n 'add element inet t s { 10.0.0.5 }' 2>'$tmp/said' && grep 'Too many open files in system' '$tmp/said'"
		n 'delete set inet t s'
	done
done
