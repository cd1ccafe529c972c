#!/bin/sh
# Expected: `nft list ruleset` of a firewall that iptables-nft made can be kept as its backup; loading it restores what iptables sees; a
#   tool that cannot save a table fails.
# Seen (nft 1.0.6, iptables-nft 1.8.9): the listing shows matches of iptables as native expressions and loads without an error; from then on
#   iptables-save prints one comment instead of the table ("incompatible"), with exit status 0: an empty backup that looks like success.
# Matters to a program that saves and restores another program's tables: ufw, fail2ban and Docker work on them with iptables.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2 iptables=1.8.9-2
namespace a
run() { inside a chroot "$tmp/bookworm" "$@"; }

run iptables-nft -A OUTPUT -p tcp --dport 22 -j ACCEPT
run iptables-nft -A OUTPUT -p udp -m conntrack --ctstate NEW -m multiport --dports 53,123 -j REJECT || skip "no xtables in kernel $(uname -r)"
run iptables-nft-save >"$tmp/saved"
holds "iptables-save prints both rules" eval '[ "$(grep -c "^-A OUTPUT" "$tmp/saved")" = 2 ]'
run nft list ruleset >"$tmp/listed" 2>/dev/null
run nft flush ruleset
holds "nft takes its own listing back" eval 'run nft -f - <"$tmp/listed"'
holds "and lists two rules again" eval '[ "$(run nft list ruleset 2>/dev/null | grep -c dport)" = 2 ]'
holds "iptables-save still ends with success" eval 'run iptables-nft-save >"$tmp/again"'
holds "but prints no rule" eval '! grep "^-A" "$tmp/again"'
holds "only a comment names the table as incompatible" grep '^# Table .filter. is incompatible' "$tmp/again"
