#!/bin/sh
# Expected: iptables-save either prints a rule as it is or says that it cannot, as it does for other rules that nft made.
# Seen (iptables-nft 1.8.9, nft 1.0.6): `tcp dport { 80, 443 } accept` in table ip filter is printed as `-A OUTPUT -p tcp -j ACCEPT`, by
#   iptables-save, -S and -L alike, with exit status 0; restoring that dump opens every TCP port.
# Matters to whoever reads or backs up a firewall with iptables: the same host shows "accept all TCP" where only two ports are open.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2 iptables=1.8.9-2
namespace a
run() { inside a chroot "$tmp/bookworm" "$@"; }

run iptables-nft -A OUTPUT -p tcp --dport 22 -j ACCEPT
run nft add rule ip filter OUTPUT tcp dport '{ 80, 443 }' accept
run nft list chain ip filter OUTPUT >"$tmp/nft"
holds "nft lists the two ports" grep 'tcp dport { 80, 443 } accept' "$tmp/nft"
holds "iptables-save ends with success" eval 'run iptables-nft-save >"$tmp/saved"'
holds "it prints the rule without its ports" grep -Fx -e '-A OUTPUT -p tcp -j ACCEPT' "$tmp/saved"
holds "iptables -S does too" eval 'run iptables-nft -S | grep -Fx -e "-A OUTPUT -p tcp -j ACCEPT"'
run nft flush ruleset
run iptables-nft-restore <"$tmp/saved"
run nft list chain ip filter OUTPUT >"$tmp/restored"
holds "after a restore, all of TCP is accepted" grep -E 'meta l4proto tcp counter .* accept|ip protocol tcp counter .* accept' "$tmp/restored"
