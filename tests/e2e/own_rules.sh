#!/bin/bash
# On a host without a network security group the rules in force are the machine's own, whatever program made them: recommend narrows
# those, leaves alone what they close, and reports which of them it can't resolve. With rules of several kinds, and live packets.
cd "$(dirname "$0")/../.." || exit 1
root=$PWD
. tests/support/netns.sh
netns_begin
BUILD=$(cd "$BUILD" && pwd)
cd "$dir" || exit 1
. "$root/tests/e2e/lib/example.sh"
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4]}\n' >estate.yaml
export WHITTLE_STORE=$dir/l.db
wh() { in_srv "$BUILD/whittle" "$@" 2>err; }
wh estate import estate.yaml >out && wh ingest eve.json >out; t $? "a month of traffic to a host without a group is learned" "$(cat out err)"
rules() { in_srv nft -f - <<<"flush ruleset; $1"; }
# the proposal for port 22: "PREFIXES but EXCEPTIONS", "nothing", and the resource's status
proposed() { wh recommend --json --ports 22 | jq -r '.resources[0] | .status + ": " + (if (.rules | length) > 0 then (.rules[0] | (.ipAddresses | join(" ")) + " but " + (.except | join(" "))) else "nothing" end)'; }
narrows() { wh recommend --json --ports 22 | jq -r '.resources[0].rules[0].narrows'; }
reason() { wh recommend --json --ports 22 | jq -r '.resources[0].reason'; }

rules ''
is "$(proposed)" "unhealthy: 140.20.30.8/29 but " "without rules every port is open, and is narrowed to its peers"
is "$(wh recommend --json --ports 22 | jq -r '.resources[0].presentPolicy.source')" hostRules "and the rules in force are reported as the machine's own"
base='ct state established,related accept; ct state invalid drop; iif lo accept;'
input() { echo "table inet filter { set few { type ipv4_addr; flags interval; elements = { 140.20.30.10-140.20.30.11 } }; set banned { type ipv4_addr; flags timeout; elements = { 140.20.30.10 timeout 1h } }; chain input { type filter hook input priority 0; policy $1; $base $2; }; }"; }
rules "$(input drop 'tcp dport 443 accept')"
is "$(proposed)" "healthy: nothing" "a port that they close already is left alone"
rules "$(input drop 'ip saddr @few tcp dport 22 accept')"
is "$(proposed) $(narrows)" "healthy: nothing null" "so is one that they open to its peers alone"
rules "$(input drop 'ip saddr { 140.20.30.0/27, 203.0.113.0/24 } tcp dport { 22, 80 } accept')"
is "$(proposed)" "unhealthy: 140.20.30.8/29 but " "a port that they open to more peers is narrowed"
has "$(narrows)" 'of filter input$' "by the rule's name"
wh prove >out; has "$(cat out)" '^vm1: proved: 1 rule' "and proved to lie within them" "$(cat out err)"
in_srv nft insert rule inet filter input ip saddr 140.20.30.8/30 drop
wh prove >out; is $? 1 "when they are changed, the proof fails"
has "$(cat out)" 'refuted: Inbound TCP port 22 from 140.20.30.8 .*denied by rule 1 of filter input' "with the rule that keeps the peer out"
is "$(proposed)" "unhealthy: 140.20.30.12/30 but " "and what is proposed next lies within them again"
rules "$(input accept 'ip saddr 140.20.30.9 drop; tcp dport 22 accept')"
is "$(proposed)" "unhealthy: 140.20.30.8/29 but 140.20.30.9" "a ban is carved out of the range that it is in"
rules "$(input drop 'ip saddr @banned drop; tcp dport 22 limit rate over 6/minute drop; tcp dport 22 accept')"
is "$(proposed)" "unhealthy: 140.20.30.8/29 but " "rules that only take away, at times, keep nobody from being proposed"
has "$(wh recommend --ports 22)" 'may be dropped: rule [0-9]+ of filter input' "and are named"
rules "$(input drop 'tcp dport 22 meta mark 7 accept')"
is "$(proposed)" "unhealthy: nothing" "if the peers of a rule can't be resolved, nothing is proposed"
has "$(reason)" 'rule 4 of filter input: it matches on what whittle cannot evaluate' "and the rule is named"
rules "$(input drop 'tcp dport 22 accept; udp dport 5353 accept')"
is "$(wh recommend --json --ports all | jq -r '[.resources[0].rules[] | "\(.destinationPort): \(.ipAddresses | length)"] | join(", ")')" "22: 1, 5353: 0" "a port that they open by its number and nobody used is closed"

# ---- as other programs write them ----
if command -v iptables-nft >/dev/null; then
	in_srv nft flush ruleset
	in_srv bash -e <<'I' >out 2>&1
iptables-nft -N ufw-before-input; iptables-nft -N ufw-not-local; iptables-nft -N ufw-user-input; iptables-nft -N ufw-user-limit; iptables-nft -N ufw-user-limit-accept
iptables-nft -P INPUT DROP; iptables-nft -A INPUT -j ufw-before-input
iptables-nft -A ufw-before-input -i lo -j ACCEPT
iptables-nft -A ufw-before-input -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables-nft -A ufw-before-input -m conntrack --ctstate INVALID -j DROP
iptables-nft -A ufw-before-input -p icmp --icmp-type echo-request -j ACCEPT
iptables-nft -A ufw-before-input -p udp --sport 67 --dport 68 -j ACCEPT
iptables-nft -A ufw-before-input -j ufw-not-local
iptables-nft -A ufw-before-input -j ufw-user-input
iptables-nft -A ufw-not-local -m addrtype --dst-type LOCAL -j RETURN
iptables-nft -A ufw-not-local -m addrtype --dst-type MULTICAST -j RETURN
iptables-nft -A ufw-not-local -m limit --limit 3/min --limit-burst 10 -j LOG --log-prefix "[UFW BLOCK] "
iptables-nft -A ufw-not-local -j DROP
iptables-nft -A ufw-user-input -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --set
iptables-nft -A ufw-user-input -p tcp --dport 22 -m conntrack --ctstate NEW -m recent --update --seconds 30 --hitcount 6 -j ufw-user-limit
iptables-nft -A ufw-user-input -p tcp --dport 22 -j ufw-user-limit-accept
iptables-nft -A ufw-user-input -p tcp -m multiport --dports 80,443 -s 203.0.113.0/24 -j ACCEPT
iptables-nft -A ufw-user-limit -j REJECT
iptables-nft -A ufw-user-limit-accept -j ACCEPT
I
	rc=$?
	is "$rc $(proposed) $(narrows)" "0 unhealthy: 140.20.30.8/29 but  rule 1 of filter ufw-user-limit-accept" "rules as ufw writes them are read" "$(cat out)"
	is "$(wh recommend --json --ports all | jq -r '[.resources[0].rules[].destinationPort] | join(" ")')" "22 80 443" "open ports are looked at, and dropped ones are not"
fi
rules 'table inet firewalld { chain pre { type filter hook prerouting priority -290; meta nfproto ipv6 fib saddr . mark . iif oif missing drop; };
	chain allow { tcp dport 22 ct state { new, untracked } accept; };
	chain public { jump allow; meta l4proto { icmp, ipv6-icmp } accept; };
	chain zones { iifname "s0" goto public; goto public; };
	chain input { type filter hook input priority 10; policy accept; ct state { established, related } accept; ct status dnat accept; iifname "lo" accept; ct state invalid drop; jump zones; reject with icmpx type admin-prohibited; }; }'
is "$(proposed) $(narrows)" "unhealthy: 140.20.30.8/29 but  rule 1 of firewalld allow" "rules as firewalld writes them are read"
is "$(wh recommend --json --ports all | jq -r '[.resources[0].rules[].destinationPort] | join(" ")')" "22" "and what they reject is closed"
rules "$(input drop 'tcp dport 80 accept'); table ip nat { chain pre { type nat hook prerouting priority -100; fib daddr type local jump docker; }; chain docker { iifname != \"docker0\" tcp dport 22 dnat to 172.17.0.2:22; }; }"
is "$(proposed)" "unhealthy: 140.20.30.8/29 but " "a port that Docker publishes is open, with any rules of input"

# ---- enforced together with them, with live packets ----
serve "$srv" 22 serve
rules "$(input drop 'ip saddr { 140.20.30.0/28, 203.0.113.0/24 } tcp dport 22 accept')"
before="$(from 140.20.30.9) $(from 203.0.113.77) $(from 10.0.1.2)"
wh recommend --ports 22 >out && wh enforce --confirm-within 60s >out; t $? "rules that narrow them are applied" "$(cat out err)"
is "$before / $(from 140.20.30.9) $(from 203.0.113.77) $(from 10.0.1.2)" "connects connects no connection / connects no connection no connection" "and let through only what both do"
in_srv nft insert rule inet filter input ip saddr 140.20.30.9 drop
is "$(from 140.20.30.9)" "no connection" "packets that the machine drops from now on stay dropped"
has "$(wh enforce --dry-run --json >out; cat err)" "has 140.20.30.9, which this machine's own rules drop" "and enforce reports that instead of refusing" "$(cat err)"
wh rollback --all >out
wh rules add vm1 --port 22/tcp --from 198.51.100.0/24 >out; is "$?" 2 "a person can't widen them either"

has "$(wh doctor)" "present policy .*vm1 is this machine: the rules of its own firewall" "doctor names the rules that are the present policy"

# ---- rules that can't be read ----
wh recommend --json --ports 22 --dry-run >/dev/null
in_srv setpriv --bounding-set -net_admin --inh-caps -net_admin "$BUILD/whittle" recommend --ports 22 --dry-run --json >out 2>err
has "$(cat err)" "vm1 is this machine, but its own rules can't be read" "without CAP_NET_ADMIN it reports that they are unknown" "$(cat err)"
is "$(jq -r '.resources[0].presentPolicy.source' out)" assumedOpen "and that every port was taken as open"
echo "1..$n"
