#!/bin/sh
# Expected: a set with auto-merge takes overlapping intervals and joins them, since nft accepts the flag and its own listing shows it.
# Seen (nft 1.0.6, and 1.1.3, which does not list the flag any more): for a set of concatenated fields it is accepted and does nothing: an element that
#   lies within another, or around it, is refused with "File exists", and neighbours stay apart.
# Matters to programs that move a list of addresses into a set of address and port, and trust the flag as before: one overlap refuses the whole
#   transaction. They have to join intervals themselves.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2
debian trixie nftables=1.1.3-1
for suite in bookworm trixie; do
	namespace $suite
	n() { nft_in $suite "$@"; }
	n 'add table inet t'
	n 'add set inet t plain { type ipv4_addr; flags interval; auto-merge; elements = { 10.0.0.0/8 } }'
	holds "$suite: a set of addresses takes an element within another" n 'add element inet t plain { 10.1.0.0/16 }'
	holds "$suite: and joins a neighbour" eval "n 'add element inet t plain { 11.0.0.0/8 }' && n list set inet t plain | grep '= { 10.0.0.0/7 }'"
	holds "$suite: the flag is accepted for a concatenation" n 'add set inet t pair { type ipv4_addr . inet_service; flags interval; auto-merge; elements = { 10.0.0.0/8 . 22 } }'
	holds "$suite: an element within another is refused" eval "! n 'add element inet t pair { 10.1.0.0/16 . 22 }' 2>'$tmp/said' && grep 'File exists' '$tmp/said'"
	holds "$suite: and one around it" eval "! n 'add element inet t pair { 10.0.0.0/7 . 22 }' 2>'$tmp/said' && grep 'File exists' '$tmp/said'"
	holds "$suite: a neighbour is not joined" eval "n 'add element inet t pair { 11.0.0.0/8 . 22 }' && n list set inet t pair | grep '11.0.0.0/8 . 22'"
done
