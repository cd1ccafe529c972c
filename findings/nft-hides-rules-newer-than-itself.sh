#!/bin/sh
# Expected: nft lists every rule of the kernel, shows what it does not know as unknown, or fails.
# Seen (nft 1.0.6 reads what nft 1.1.3 loaded, Linux 6.18): a rule with an expression that 1.0.6 does not know is left out, as if it did not
#   exist, in text and in JSON, without a warning and with exit status 0; loading the listing again removes the rule from the kernel.
# Matters where a container or a backup holds an older nft than the host: "nft list ruleset" is no proof of what the kernel does, and
#   list, flush, load loses a drop. The handles show it: one is missing.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2
debian trixie nftables=1.1.3-1
namespace a
old() { inside a chroot "$tmp/bookworm" nft "$@"; }
new() { inside a chroot "$tmp/trixie" nft "$@"; }

new -f - <<'N' || skip "kernel $(uname -r) does not know VXLAN matching"
table inet t {
	chain c {
		type filter hook input priority 0
		udp dport 4789 vxlan ip saddr 192.0.2.1 drop
		tcp dport 22 accept
	}
}
N
echo "kernel: $(uname -r)"
holds "nft 1.1.3 lists both rules" eval 'new list ruleset | grep vxlan && new list ruleset | grep "dport 22"'
holds "nft 1.0.6 lists without an error" eval 'old -a list ruleset >"$tmp/text" 2>"$tmp/err"'
holds "it has one rule only, the one with port 22" eval '[ "$(grep -c dport "$tmp/text")" = 1 ] && grep "dport 22" "$tmp/text"'
holds "it warns about nothing" eval '[ ! -s "$tmp/err" ]'
holds "its JSON has one rule only" eval '[ "$(old -j list ruleset | grep -o "\"rule\":" | wc -l)" = 1 ]'
old list ruleset >"$tmp/backup"
old flush ruleset
old -f - <"$tmp/backup"
holds "after list, flush and load the rule is gone from the kernel too" eval '! new list ruleset | grep vxlan'
