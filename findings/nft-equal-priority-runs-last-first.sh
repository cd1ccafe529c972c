#!/bin/sh
# Expected: base chains with the same hook and the same priority run in the order in which they were added, which is the order that `nft
#   list ruleset` prints.
# Seen (Linux 6.18, nft 1.0.6): the chain that was registered last runs first.
# Matters to a program that reads a ruleset and infers which chain decides or which mark wins, and to one that adds its chain "behind" others:
#   with an equal priority it stands before all of them, and reloading another table reverses the order again.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2
namespace a
nft() { inside a chroot "$tmp/bookworm" nft "$@"; }

nft -f - <<'N'
table inet first {
	chain c {
		type filter hook output priority 0
		meta mark set 1
	}
}
table inet second {
	chain c {
		type filter hook output priority 0
		meta mark set 2
	}
}
table inet after {
	chain c {
		type filter hook output priority 10
		meta l4proto udp meta mark 1 counter comment "first had the last word"
		meta l4proto udp meta mark 2 counter comment "second had the last word"
	}
}
N
need bash
inside a bash -c 'echo x >/dev/udp/127.0.0.1/9'
nft list ruleset >"$tmp/list"
echo "kernel: $(uname -r)"
holds "the listing has table first before table second" \
	awk '/^table inet first/ { f = NR } /^table inet second/ { s = NR } END { exit !(f && f < s) }' "$tmp/list"
holds "the packet leaves with the mark of table first, so its chain ran after the chain of table second" \
	grep 'mark 0x00000001 counter packets 1 .*first had' "$tmp/list"
