#!/bin/sh
# Expected: "ip -json link show up" prints the interfaces that are up, those that the text without -json has.
# Seen (iproute2 6.1.0 and 6.15.0): for each interface that is down the list has an empty object; so it is with "ip -json address show up". A filter
#   of the address's family beside it (-4, -6) leaves none.
# Matters to programs that count the elements, ask whether the list is empty, or read a member of each: select those that have "ifname".
. "${0%/*}/lib.sh"
namespace host
debian bookworm iproute2=6.1.0-3
debian trixie iproute2=6.15.0-1
inside host ip link add one type veth peer other || skip "pairs of virtual interfaces are not available here"
at() { inside host chroot "$tmp/$1" ip "$2" "$3" show up | tr -d ' \n'; }
for suite in bookworm trixie; do
	holds "$suite: of three interfaces one is up, says the text" eval '[ "$(at '$suite' -oneline link | grep -o LOWER_UP | wc -l)" = 1 ]'
	for what in link address; do
		holds "$suite: the JSON of $what ends in two objects without members" eval "at $suite -json $what | grep '},{},{}]\$'"
	done
	holds "$suite: with a family asked for there is none" eval "! inside host chroot '$tmp/$suite' ip -json -4 address show up | grep '{}'"
done
