#!/bin/sh
# Expected: what was added to a set with "add element" can be removed with "delete element" of the same value.
# Seen (nft 1.0.6): after auto-merge has joined two neighbours, the deletion of either is refused: "element does not exist". Only the joined interval
#   can be deleted. nft 1.1.3 cuts the interval as asked.
# Matters to programs that keep a set in step with a list that changes, one element at a time, on Debian 12: whether an address can be removed
#   depends on what else is in the set. They have to replace the set, or keep its intervals themselves.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2
debian trixie nftables=1.1.3-1
for suite in bookworm trixie; do
	namespace $suite
	n() { nft_in $suite "$@"; }
	n 'add table inet t'
	n 'add set inet t s { type ipv4_addr; flags interval; auto-merge; }'
	n 'add element inet t s { 10.0.0.0/9 }'
	n 'add element inet t s { 10.128.0.0/9 }'
	holds "$suite: the two are one interval" eval "n list set inet t s | grep '= { 10.0.0.0/8 }'"
	if [ $suite = trixie ]; then
		holds "$suite: the second can be deleted again" eval "n 'delete element inet t s { 10.128.0.0/9 }' && n list set inet t s | grep '= { 10.0.0.0/9 }'"
	else
		holds "$suite: the second can't be deleted" eval "! n 'delete element inet t s { 10.128.0.0/9 }' 2>'$tmp/said' && grep 'element does not exist' '$tmp/said'"
		holds "$suite: nothing has changed" eval "n list set inet t s | grep '= { 10.0.0.0/8 }'"
		holds "$suite: both together can" eval "n 'delete element inet t s { 10.0.0.0/8 }' && ! n list set inet t s | grep elements"
	fi
done
