#!/bin/bash
# `reach --host` and `estate facts` agree, on random rulesets of several programs' kinds, with what the kernel does with real connections; and `assess` judges a host by them: also
# rulesets whose verdicts were worked out by hand (lib/host_cases.txt).
cd "$(dirname "$0")/../.." || exit 1
w=$PWD/${BUILD:-build}/whittle
a=whh-a-$$ b=whh-b-$$
if [ "$(id -u)" != 0 ] || ! command -v nft >/dev/null || ! command -v jq >/dev/null || ! ip netns add $a 2>/dev/null; then echo "ok 1 - the kernel decides as we read its rules # skip no nft, jq or namespaces here"; echo "ok 2 - a host is judged by its ruleset # skip the same"; echo "ok 3 - rulesets are judged as by hand # skip the same"; echo 1..3; exit 0; fi
ip netns add $b
dir=$(mktemp -d)
trap 'ip netns del $a; ip netns del $b; rm -rf "$dir"' EXIT
export WHITTLE_STORE=$dir/l.db WHITTLE_STATE=$dir/state
# The peers 10.7.0.1 and 10.7.0.9, each on its way to an address of its own.
ip link add ve0 netns $a type veth peer name eth0 netns $b
for x in 1 9; do ip -n $a addr add 10.7.0.$x/24 dev ve0; done
for x in 2 3; do ip -n $b addr add 10.7.0.$x/24 dev eth0; done
for n in $a $b; do ip -n $n link set lo up; done
ip -n $a link set ve0 up; ip -n $b link set eth0 up
ip -n $a route add 10.7.0.2/32 dev ve0 src 10.7.0.1; ip -n $a route add 10.7.0.3/32 dev ve0 src 10.7.0.9
RANDOM=${WH_SEED:-$(date +%j)}
pick() { eval "echo \${$((RANDOM % $# + 1))}"; }
ports="22 25 80 443 8000 8004"
matches() {
	pick 'tcp dport 22' 'tcp dport != 22' 'tcp dport 8000-8003' 'tcp dport { 80, 443 }' 'tcp dport != { 25, 80 }' 'ip saddr 10.7.0.1' 'ip saddr != 10.7.0.0/29' 'ip saddr @friends' 'ip saddr . tcp dport @pairs' \
		'iifname "eth0"' 'iifname "lo"' 'iifname "e*" tcp dport 443' 'iif "lo"' 'meta l4proto udp' 'ct state new' 'ct state established' 'ip daddr 10.7.0.3' 'tcp flags syn' 'meta nfproto ipv6' 'tcp sport 1024-65535' \
		'ip saddr 10.7.0.8/30 tcp dport >= 443' 'meta mark 7'
}
rules() { # HOW MANY, then what may be jumped to
	for ((k = 0; k < $1; k++)); do
		case $((RANDOM % 8)) in
		0) [ "${2:-}" = other ] && echo "    tcp dport vmap @ways" ;;
		1) echo "    $(matches) ip saddr $(pick 10.7.0.1 10.7.0.9) counter $(pick accept drop)" ;;
		2) [ -n "${2:-}" ] && echo "    $(matches) $(pick jump goto) $2" ;;
		3) echo "    $(matches) counter" ;;
		*) echo "    $(matches) $(pick accept accept drop return reject)" ;;
		esac
	done
}
table() { # NAME PRIORITY FLAGS
	echo "table inet $1 { $3"
	echo "  set friends { type ipv4_addr; flags interval; elements = { 10.7.0.8-10.7.0.11, 192.0.2.0/24 } }"
	echo "  set pairs { type ipv4_addr . inet_service; elements = { 10.7.0.1 . 443, 10.7.0.9 . 22 } }"
	echo "  chain inner {"; rules 2; echo "  }"
	echo "  chain other {"; rules 3 inner; echo "  }"
	echo "  map ways { type inet_service : verdict; elements = { 25 : drop, 443 : jump other, 8004 : accept } }"
	echo "  chain in { type filter hook $(pick input input prerouting) priority $2; policy $(pick accept accept drop);"; rules 5 other; echo "  }"
	echo "}"
}
# A chain behind all others that records the packets that reach it, and its records.
recorder() { echo "table inet last { set $2 { type ipv4_addr . inet_service; flags dynamic; size 64; }; chain c { type filter hook $1 priority 10000; tcp flags syn add @$2 { ip saddr . tcp dport }; }; }"; }
elements() { ip netns exec "$1" nft -j list set inet last "$2" | jq -r '.nftables[].set?.elem[]? | .elem?.val?.concat // .concat | join(" ")' 2>/dev/null; }
judged=0 unknown=0 denied=0 wrong=0
# Three rulesets, and more until both verdicts are among what was judged: some random ones let nothing through.
enough() { [ $good -ge "${WH_ROUNDS:-3}" ] && [ $judged -ge 24 ] && [ $denied -gt 2 ] && [ $denied -lt $((judged - 2)) ] && [ $((unknown * 2)) -lt $judged ]; }
for ((round = 0, good = 0; round < 20; round++)); do
	enough && break
	{
		echo "flush ruleset"
		table first -10 "$(pick '' '' 'flags dormant;')"
		table second 0 ''
		recorder input seen
	} >"$dir/rules"
	ip netns exec $b nft -f "$dir/rules" 2>"$dir/err" || continue # loops of chains, and contradictions, are refused
	good=$((good + 1))
	ip netns exec $a nft -f - <<<"flush ruleset; $(recorder output sent)"
	for p in $ports; do for d in 2 3; do echo "exec 3<>/dev/tcp/10.7.0.$d/$p"; done; done >"$dir/connect"
	ip netns exec $a bash -c 'while read -r one; do bash -c "$one" 2>/dev/null & done <"$1"; for ((i = 0; i < 100 && $(nft -j list set inet last sent | grep -o concat | wc -l) < 12; i++)); do sleep 0.1; done; sleep 0.05; kill $(jobs -p)' - "$dir/connect" 2>/dev/null
	elements $a sent >"$dir/sent"
	elements $b seen >"$dir/seen"
	# Facts are of peers that choose their port: what they keep out comes from no port below 1024 either.
	ip netns exec $a python3 -c 'import socket, sys
held = []
for i, p in enumerate(map(int, sys.argv[1:])):
    for d, source in ("10.7.0.2", "10.7.0.1"), ("10.7.0.3", "10.7.0.9"):
        c = socket.socket(); c.setblocking(False); c.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        c.bind((source, 700 + i)); c.connect_ex((d, p)); held.append(c)' $ports
	elements $b seen >"$dir/seen_any"
	ip netns exec $b "$w" estate facts >"$dir/facts.json" 2>"$dir/err" || { wrong=$((wrong + 1)); sed 's/^/# /' "$dir/err"; }
	jq -r '.ruleset.inbound[] | select(.protocol == "TCP") | .certain as $c | .address as $a | .port as $p | .lastPort as $l | .peers[] | [$c, $a, $p, $l, .] | @tsv' "$dir/facts.json" >"$dir/rows"
	for p in $ports; do for d in 2 3; do
		from=10.7.0.1; [ $d = 3 ] && from=10.7.0.9
		grep -qx "$from $p" "$dir/sent" || continue
		says=$(ip netns exec $b "$w" reach --host $from --local 10.7.0.$d --port $p --json 2>"$dir/err" | jq -r .verdict)
		does=denied; grep -qx "$from $p" "$dir/seen" && does=allowed
		judged=$((judged + 1)); [ "$does" = denied ] && denied=$((denied + 1))
		row=$(python3 -c 'import sys, ipaddress as i
from_, d, p = i.ip_address(sys.argv[2]), "10.7.0." + sys.argv[3], int(sys.argv[4])
says = "denied"
for line in open(sys.argv[1]):
	c, a, first, last, net = line.split()
	n = i.ip_network(net)
	if a == d and int(first) <= p <= int(last) and n.version == 4 and from_ in n: says = "allowed" if c == "true" else "unknown"
print(says)' "$dir/rows" $from $d $p)
		any=denied; grep -qx "$from $p" "$dir/seen_any" && any=allowed
		[ "$row" = "$any" ] || [ "$row" = unknown ] || { wrong=$((wrong + 1)); echo "# $from to 10.7.0.$d port $p: the kernel: $any, the facts: $row"; sed 's/^/# /' "$dir/rules"; }
		case $says in
		"$does") ;;
		unknown) unknown=$((unknown + 1)) ;;
		*) wrong=$((wrong + 1)); echo "# $from to 10.7.0.$d port $p: the kernel: $does, we: $says $(cat "$dir/err")"; sed 's/^/# /' "$dir/rules" ;;
		esac
	done; done
done
if [ $wrong = 0 ] && enough; then
	echo "ok 1 - the kernel decides as we read its rules ($judged connections, $denied denied, $unknown unknown)"
else
	echo "not ok 1 - the kernel decides as we read its rules ($judged connections, $denied denied, $unknown unknown, $wrong wrong)"
fi
# ---- a host is judged by its own ruleset ----
ip -n $b link add docker0 type veth peer name outer; for i in docker0 outer; do ip -n $b link set $i up; done
ip -n $b addr add 172.17.0.1/16 dev docker0; ip -n $b addr add 2001:db8::7/64 dev eth0 nodad; ip -n $b route add default via 10.7.0.1; ip -n $b -6 route add default via 2001:db8::1
sysctl() { ip netns exec $b sysctl -qw "$@"; }
apply() { ip netns exec $b nft -f - && ip netns exec $b "$w" assess --json >"$dir/out" 2>"$dir/err"; }
status() { jq -r --arg k "$1" '.assessments[] | select(.name == $k).status' "$dir/out"; }
closed='table inet filter {
 chain input { type filter hook input priority 0; policy drop; iifname "lo" accept; ct state established,related accept; ip saddr 10.7.0.0/24 tcp dport 22 accept; iifname "docker0" accept
 }
 chain output { type filter hook output priority 0; policy drop; tcp dport { 53, 443 } accept
 }
 chain forward { type filter hook forward priority 0; policy drop; ct state established accept; ip saddr 10.7.0.0/24 oifname "docker0" accept
 }
}
table ip nat {
 chain pre { type nat hook prerouting priority -100; tcp dport 8080 dnat to 172.17.0.2:80
 }
}'
sysctl net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=1; "$w" ingest /dev/null >/dev/null 2>&1
bad=; { echo 'flush ruleset'; echo "$closed"; } | apply || bad=" $(cat "$dir/err")"
for k in ports-restricted management-ports jit intranet-ports default-drop ipv6-twins published-ports forwarding egress forged-senders floods; do [ "$(status host-$k)" = Healthy ] || bad="$bad $k:$(status host-$k)"; done
{ echo 'flush ruleset'; echo "$closed" | sed 's/ip saddr 10.7.0.0\/24 tcp dport 22/meta nfproto ipv6 tcp dport 22/; s/hook output priority 0; policy drop/hook output priority 0; policy accept/; s/ip saddr 10.7.0.0\/24 oifname "docker0" accept/oifname "docker0" ip daddr 172.17.0.2 tcp dport 80 accept/'; } | apply
for k in ports-restricted management-ports jit ipv6-twins published-ports egress; do [ "$(status host-$k)" = Unhealthy ] || bad="$bad open-$k:$(status host-$k)"; done
for k in default-drop forwarding; do [ "$(status host-$k)" = Healthy ] || bad="$bad still-$k:$(status host-$k)"; done
grep -q 'by IPv6 the Internet reaches TCP 22 (SSH), which IPv4' "$dir/out" && grep -q 'the Internet reaches port 8080/TCP, which leads to 172.17.0.2 port 80' "$dir/out" || bad="$bad words"
{ echo 'flush ruleset'; echo "$closed" | sed 's/tcp dport 8080 dnat/ip saddr 10.0.0.0\/8 tcp dport 8080 dnat/; s/ip saddr 10.7.0.0\/24 oifname "docker0" accept/oifname "docker0" accept/'; } | apply
[ "$(status host-published-ports)" = Healthy ] || bad="$bad published-to-some:$(status host-published-ports)"
{ echo 'flush ruleset'; } | apply
ip netns exec $b "$w" inventory --json | jq -e '.resources | length == 1 and .[0].type == "host" and .[0].recommendations.high > 0' >/dev/null || bad="$bad inventory"
for k in default-drop forwarding intranet-ports; do [ "$(status host-$k)" = Unhealthy ] || bad="$bad empty-$k:$(status host-$k)"; done
# Another machine, of which nothing was read; and by what it printed itself.
printf 'resources:\n  - {name: far, addresses: [10.7.0.2]}\n  - {name: near, addresses: [10.9.9.9]}\n' >"$dir/estate.yaml"
"$w" estate import "$dir/estate.yaml" >/dev/null && "$w" assess host-management-ports --json >"$dir/out" && [ "$(jq -r '[.assessments[].status] | unique | join(",")' "$dir/out")" = NoEvidence ] || bad="$bad unread"
ip netns exec $b "$w" estate facts >"$dir/far.json" && "$w" estate import "$dir/far.json" | grep -q '^Facts of 1 host: ' && "$w" assess host-management-ports --json >"$dir/out" && [ "$(jq -r '[.assessments[] | .resourceId + " " + .status] | join(",")' "$dir/out")" = 'far Unhealthy,near NoEvidence' ] || bad="$bad imported:$(jq -c '[.assessments[] | .resourceId + " " + .status]' "$dir/out")"
if [ -z "$bad" ]; then echo "ok 2 - a host is judged by its ruleset: closed, open, none, not read, and read from what it printed"; else echo "not ok 2 - a host is judged by its ruleset:$bad"; fi
# ---- rulesets that were judged by hand ----
ip -n $b link add wg0 type veth peer name far; for i in wg0 far; do ip -n $b link set $i up; done; ip -n $b addr add 10.99.0.1/24 dev wg0
ip -n $b addr del 10.7.0.3/24 dev eth0
mkdir "$dir/hosts"; bad=; n=0; export WHITTLE_STORE=$dir/hosts.db
facts() { # of the ruleset so far, as a host of the case's name
	[ -n "$name" ] || return
	ip netns exec $b nft -f "$dir/rules" 2>"$dir/err" && ip netns exec $b "$w" estate facts --name "$name" >"$dir/hosts/$name.json" 2>"$dir/err" || bad="$bad $name:$(head -1 "$dir/err")"
}
name=; while IFS= read -r line; do
	case $line in
	'#'*) ;;
	'== '*) facts; IFS='|' read -r name want why <<<"${line#== }"; n=$((n + 1)); for e in ${want//,/ }; do echo "$name host-$e"; done >>"$dir/wanted"; echo 'flush ruleset' >"$dir/rules" ;;
	*) echo "$line" >>"$dir/rules" ;;
	esac
done <tests/e2e/lib/host_cases.txt; facts
"$w" estate import "$dir"/hosts/*.json >/dev/null 2>"$dir/err" && "$w" assess --json >"$dir/out" 2>"$dir/err" || bad="$bad $(cat "$dir/err")"
jq -r '.assessments[] | .resourceId + " " + .name + "=" + .status[:1]' "$dir/out" | sort >"$dir/all"
wrong=$(sort "$dir/wanted" | comm -23 - "$dir/all" | tr '\n' ';')
if [ -z "$bad$wrong" ] && [ $n -gt 55 ]; then echo "ok 3 - $n rulesets are judged as by hand: ufw, firewalld, Docker, sets, maps, limits, devices"; else echo "not ok 3 - rulesets are judged as by hand ($n):$bad not: $wrong"; fi
echo 1..3
