#!/bin/sh
# Expected: what `nft list ruleset` prints loads as the same rules.
# Seen (nft 1.0.6): in an ip6 table, `ip6 nexthdr tcp tcp dport 22` (the fixed header's next header) is listed as `tcp dport 22`, which loads
#   as a test of the transport protocol behind all extension headers: another rule, which also matches other packets.
# Matters to every backup and comparison made of listings: both list alike before and after, only the netlink form shows the difference.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2
namespace a
nft() { inside a chroot "$tmp/bookworm" nft "$@"; }

nft -f - <<'N'
table ip6 t {
	chain c {
		type filter hook input priority 0
		ip6 nexthdr tcp tcp dport 22 drop
	}
}
N
nft list ruleset >"$tmp/before"
nft --debug=netlink list ruleset >"$tmp/before.netlink"
nft flush ruleset
nft -f - <"$tmp/before"
nft list ruleset >"$tmp/after"
nft --debug=netlink list ruleset >"$tmp/after.netlink"
holds "the rule is listed without nexthdr" eval '! grep nexthdr "$tmp/before"'
holds "the listing is the same before and after it was loaded again" cmp "$tmp/before" "$tmp/after"
holds "before, the kernel's rule loads a byte of the IPv6 header" grep 'payload load 1b @ network header + 6' "$tmp/before.netlink"
holds "after, it loads the transport protocol instead" \
	eval 'grep "meta load l4proto" "$tmp/after.netlink" && ! grep "network header" "$tmp/after.netlink"'
