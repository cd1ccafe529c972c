#!/bin/bash
# Rules judge the learned addresses, and no others; ports that the machine publishes or redirects are judged by the port that the peer
# asked for. With live packets.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
netns_begin
con=wht-con-$$
trap 'ip netns del "$con" 2>/dev/null; netns_end' EXIT
ip netns add "$con"; ip -n "$con" link set lo up
ip netns exec "$con" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
# containers behind a bridge's address, a second address of the machine, and a VPN's
ip -n "$srv" link add docker0 type veth peer name e0 netns "$con"
ip -n "$srv" addr add 172.17.0.1/16 dev docker0; ip -n "$srv" addr add fd17::1/64 dev docker0 nodad; ip -n "$srv" link set docker0 up
ip -n "$con" addr add 172.17.0.2/16 dev e0; ip -n "$con" addr add fd17::2/64 dev e0 nodad; ip -n "$con" link set e0 up
ip -n "$con" route add default via 172.17.0.1; ip -n "$con" -6 route add default via fd17::1
ip -n "$srv" addr add 10.0.0.5/24 dev s0; ip -n "$srv" addr add 10.8.0.1/32 dev s0; ip -n "$rtr" route add 10.8.0.1/32 via 10.0.0.4
ip -n "$rtr" route add 172.17.0.0/16 via 10.0.0.4; ip -n "$rtr" -6 route add fd17::/64 via 2001:db8::4
in_srv sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for p in 22 80; do serve "$srv" $p serve; serve "$con" $p serve; done
serve "$con" 53 userve; serve "$srv" 161 userve; serve "$net" 22 serve; serve "$net" 443 serve
to() { in_net "$BUILD/tools/talk" try "$1@$2" "$3"; }                     # to ADDRESS FROM PORT
# side by side, since a refusal takes its time: each word's output, joined by " / "
side_by_side() { local i=0 f=$dir/side.$BASHPID; for c; do i=$((i + 1)); $c >"$f.$i" & done; wait; for c in $(seq $i); do [ "$c" = 1 ] || printf ' / '; printf %s "$(cat "$f.$c")"; done; echo; }
both() { (side_by_side "to $1 140.20.30.9 $2" "to $1 203.0.113.77 $2"); } # a partner, a stranger
both6() { (side_by_side "to $1 2001:db8:7::9 $2" "to $1 2001:db8:9::77 $2"); }
out() { in_srv "$BUILD/tools/talk" try "$@"; }
peers=$'140.20.30.8/29\n2001:db8:7::/64'

# ---- the addresses that are judged ----
printf 'port in tcp 22 10.0.0.4\n%s\nport in udp 161 10.0.0.4\n%s\nport out tcp 22 10.0.0.4\n140.20.30.8/29\n' "$peers" "$peers" >"$dir/one"
tool apply "$dir/one" 0 >"$dir/log" 2>&1; t $? "rules for one address are applied" "$(cat "$dir/log")"
is "$(both 10.0.0.4 22)" "connects / no connection" "at the address that was learned, the partner connects and the stranger does not"
is "$(both 10.0.0.5 22) / $(both 10.8.0.1 22)" "connects / connects / connects / connects" "at a second address and a VPN's, both do"
is "$(both6 2001:db8::4 22)" "connects / connects" "the other family is not closed"
is "$(ip netns exec "$con" "$BUILD/tools/talk" try 172.17.0.1 22)" connects "a container reaches the bridge's address"
is "$(udp_from 203.0.113.77 161) / $(in_net "$BUILD/tools/talk" utry 10.0.0.5@203.0.113.77 161 5)" "no answer / answered" "the same for datagrams"
is "$(out 203.0.113.77 22) / $(out 203.0.113.77@10.0.0.5 22)" "no connection / connects" "outbound, what the machine sends from the learned address is judged alone"
ip -n "$srv" addr add fe80::aa/64 dev s0 nodad
is "$(ip netns exec "$rtr" "$BUILD/tools/talk" try fe80::aa%r0 22 2>/dev/null || true)" connects "the link-local address is not judged"

# two resources that are one host, each with its own peers
printf 'port in tcp 22 10.0.0.4 2001:db8::4\n%s\nport in tcp 22 10.0.0.5\n203.0.113.0/24\n' "$peers" >"$dir/two"
tool apply "$dir/two" 60 >"$dir/log" 2>&1; t $? "two resources with the same port are applied" "$(cat "$dir/log")"
judged() { (side_by_side "both 10.0.0.4 22" "both 10.0.0.5 22" "both6 2001:db8::4 22"); }
is "$(judged)" "connects / no connection / no connection / connects / connects / no connection" "each judges its own addresses"
has "$(tool state)" 'confirmed 0 ports 2' "and each counts as one"
tool confirm; t $? "they are confirmed"
is "$(judged)" "connects / no connection / no connection / connects / connects / no connection" "and judge as before"
is "$(tool compare "$dir/two")" same "and compare as the same"
printf 'port in tcp 22 10.0.0.4 2001:db8::4\n%s\n192.0.2.1\nport in tcp 22 10.0.0.5\n203.0.113.0/24\n192.0.2.2\n' "$peers" >"$dir/two2"
has "$(tool apply "$dir/two2" 60)" '(^|[^0-9])([4-9]|1[0-3]) messages' "one prefix more of each are a few messages"
is "$(judged)" "connects / no connection / no connection / connects / connects / no connection" "while they wait for a confirmation"
tool confirm; is "$(tool compare "$dir/two2")" same "and when they have it"
# an address leaves, another comes, and the rule for any address takes the place of all; each waits, expires, is confirmed
printf 'port in tcp 22 10.0.0.5 10.8.0.1\n%s\n' "$peers" >"$dir/moved"
printf 'port in tcp 22\n%s\n' "$peers" >"$dir/any"
for now in moved any one two moved any two2; do
	tool apply "$dir/$now" 60 >"$dir/log" 2>&1 && [ "$(tool compare "$dir/$now")" = same ] && pending=$(judged) && tool confirm && [ "$(tool compare "$dir/$now")" = same ] && [ "$(judged)" = "$pending" ]
	t $? "from one to another, $now: it judges alike before and after its confirmation" "$(cat "$dir/log"; tool compare "$dir/$now"; judged)"
done
tool apply "$dir/any" 1 >/dev/null; back() { tool compare "$dir/two2" | grep -qx same; }
until_true 10 back; t $? "rules for any address that nobody confirmed leave what was confirmed"
is "$(judged)" "connects / no connection / no connection / connects / connects / no connection" "with its verdicts"
tool rollback
tool apply "$dir/two" 0 >/dev/null; tool apply "$dir/moved" 0 >/dev/null; tool apply "$dir/any" 0 >/dev/null; tool apply "$dir/one" 0 >/dev/null
is "$(tool compare "$dir/one") $(in_srv nft list table inet whittle | grep -c '	chain ._')" "same 3" "at once, one over the other, nothing is left of those before"
in_srv nft delete element inet whittle input_ports_v4 '{ 10.0.0.4 . udp . 161 }'
has "$(tool compare "$dir/one")" 'input_udp_161 at 10.0.0.4 is not narrowed any more' "an element that somebody took out is named with its address"
in_srv nft add element inet whittle input_pending '{ tcp . 22 timeout 1h : accept }'
has "$(tool compare "$dir/one")" 'input_tcp_22 at 10.0.0.4 is not narrowed any more' "and one that goes before it"
tool rollback

# ---- published and redirected ports ----
in_srv nft -f - <<'N'
table inet nat {
	chain pre { type nat hook prerouting priority dstnat;
		ip daddr 10.0.0.4 tcp dport 8081 dnat ip to 172.17.0.2:80
		ip daddr 10.0.0.4 udp dport 5353 dnat ip to 172.17.0.2:53
		ip6 daddr 2001:db8::4 tcp dport 8081 dnat ip6 to [fd17::2]:80
		ip daddr 10.0.0.5 tcp dport 8081 dnat ip to 172.17.0.2:80
		tcp dport 2222 redirect to :22
	}
	chain post { type nat hook postrouting priority srcnat; ip saddr 172.17.0.0/16 oifname "s0" masquerade; ip6 saddr fd17::/64 oifname "s0" masquerade; }
}
N
udp_to() { in_net "$BUILD/tools/talk" utry "$1@$2" "$3" 5; }
is "$(both 10.0.0.4 8081) / $(both6 2001:db8::4 8081) / $(both 10.0.0.4 2222)" "connects / connects / connects / connects / connects / connects" "before, everybody reaches what is published and redirected"
printf 'port in tcp 8081 10.0.0.4 2001:db8::4\n%s\nport in udp 5353 10.0.0.4\n%s\nport in tcp 2222 10.0.0.4\n%s\nport in tcp 22 10.0.0.4\n203.0.113.0/24\n' "$peers" "$peers" "$peers" >"$dir/published"
tool apply "$dir/published" 60 >"$dir/log" 2>&1; t $? "rules for published ports are applied" "$(cat "$dir/log")"
for state in pending confirmed; do
	is "$(both 10.0.0.4 8081)" "connects / no connection" "$state: a port published by DNAT lets the partner through and not the stranger"
	is "$(both6 2001:db8::4 8081)" "connects / no connection" "$state: over IPv6 too"
	is "$(udp_to 10.0.0.4 140.20.30.9 5353) / $(udp_to 10.0.0.4 203.0.113.77 5353)" "answered / no answer" "$state: datagrams too"
	is "$(both 10.0.0.5 8081)" "connects / connects" "$state: the same port at an address that was not learned stays as it was"
	is "$(both 10.0.0.4 2222)" "connects / no connection" "$state: a redirected port is judged by the port that the peer asked for"
	is "$(both 10.0.0.4 22)" "no connection / connects" "$state: the port behind it by its own rule"
	[ $state = confirmed ] || tool confirm
done
in_srv nft list chain inet whittle "$(in_srv nft list table inet whittle | sed -n 's/.*chain \(._input_tcp_8081\).*/\1/p')" | grep -q 'counter packets [1-9]'; t $? "and what was dropped is counted"
is "$(to 172.17.0.2 203.0.113.77 80) / $(to fd17::2 2001:db8:9::77 80)" "connects / connects" "forwarded packets are not judged"
is "$(ip netns exec "$con" "$BUILD/tools/talk" try 203.0.113.77 443) / $(ip netns exec "$con" "$BUILD/tools/talk" try 2001:db8:9::77 443)" "connects / connects" "requests of containers behind a masquerade are not judged"
printf 'port out tcp 443 10.0.0.4\n140.20.30.8/29\n' >"$dir/out443"; tool apply "$dir/out443" 0 >/dev/null
is "$(out 203.0.113.77 443) / $(ip netns exec "$con" "$BUILD/tools/talk" try 203.0.113.77 443)" "no connection / connects" "not even by an outbound rule that holds for the machine itself"
printf 'port in tcp 80 10.0.0.4\n%s\nport in tcp 22\n%s\n' "$peers" "$peers" >"$dir/behind"; tool apply "$dir/behind" 0 >/dev/null
is "$(both 10.0.0.4 8081) / $(both 10.0.0.4 80)" "connects / connects / connects / no connection" "a rule for the target of a published port does not judge the published one"
is "$(both 10.0.0.5 2222) / $(both 10.0.0.5 22)" "connects / no connection / connects / no connection" "a rule for any address judges what is delivered here, also by a redirect"
is "$(to 172.17.0.2 203.0.113.77 22)" connects "and nothing that is routed on"
in_srv nft -f - <<'N'
table inet nat { chain pre { tcp dport 9999 redirect to :80; }; }
N
printf 'port in tcp 9999 10.0.0.4\n%s\n' "$peers" >"$dir/late"; tool apply "$dir/late" 0 >/dev/null
is "$(both 10.0.0.4 9999)" "connects / no connection" "a redirect that comes later is judged as well"
in_srv nft delete table inet nat; tool rollback

# ---- covered addresses in the output of commands ----
export WHITTLE_STORE=$dir/ledger.db WHITTLE_CONFIG=/dev/null
W="$BUILD/whittle"
w() { in_srv env -u SSH_CONNECTION "$W" "$@" 2>&1; }
flows() { awk -v dst="$1" -v src="$2" -v first="$3" 'BEGIN{for(d=1;d<=31;d++)for(h=0;h<5;h++)
	printf "{\"timestamp\":\"2026-10-%02dT1%d:00:00.000000+0000\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"%s%d\",\"src_port\":%d,\"dest_ip\":\"%s\",\"dest_port\":22,\"proto\":\"TCP\",\"app_proto\":\"ssh\",\"flow\":{\"pkts_toserver\":40,\"pkts_toclient\":40,\"bytes_toserver\":9000,\"bytes_toclient\":9000,\"start\":\"2026-10-%02dT1%d:00:00.000000+0000\",\"end\":\"2026-10-%02dT1%d:05:00.000000+0000\",\"age\":300,\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false},\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}\n", d,h,d*10+h,src,h+first,20000+d*100+h,dst,d,h,d,h}'; }
{ flows 10.0.0.4 140.20.30. 9; flows 10.0.0.5 203.0.113. 76; } >"$dir/eve.json"
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4, "2001:db8::4"], internet-facing: true}\n  - {name: vm1-b, addresses: [10.0.0.5], internet-facing: true}\n  - {name: vm1-c, addresses: [10.8.0.1]}\n  - {name: far, addresses: [10.0.0.99], internet-facing: true}\n' >"$dir/estate.yaml"
{ w estate import "$dir/estate.yaml" && w ingest "$dir/eve.json" && w recommend; } >"$dir/log" 2>&1 || sed 's/^/# /' "$dir/log"
out=$(w enforce --dry-run --json); is "$(jq -r '.addresses[] | select(.interface == "s0" or .interface == "docker0") | select(.coverage != "linkLocal") | "\(.address) \(.coverage) \(.rules)"' <<<"$out" | sort | tr '\n' ',')" \
	"10.0.0.4 covered 1,10.0.0.5 covered 1,10.8.0.1 noRule 0,172.17.0.1 unclaimed 0,2001:db8::4 nothingLearned 0,fd17::1 unclaimed 0," "a dry run reports as JSON whether each address is covered" "$out"
out=$(w enforce); has "$out" 'Judged: 10\.0\.0\.4 \(s0\), 10\.0\.0\.5 \(s0\); not covered: .*172\.17\.0\.1 \(docker0\)' "enforce lists what is covered and what is not"
has "$out" 'What comes by [^.]*docker0[^.]* to a judged address is judged, too\.' "and that containers which use the machine's own address meet its rules"
has "$out" '10\.8\.0\.1 \(no rule for vm1-c\)' "an address whose resource has no rule"
has "$out" '2001:db8::4 \(nothing learned\)' "and the other family, of which nothing was learned"
is "$(side_by_side "to 10.0.0.4 140.20.30.9 22" "to 10.0.0.4 203.0.113.77 22" "to 10.0.0.5 203.0.113.77 22" "to 10.0.0.5 140.20.30.9 22" "to 10.8.0.1 203.0.113.77 22" "to 2001:db8::4 2001:db8:9::77 22")" \
	"connects / no connection / connects / no connection / connects / connects" "two resources that are this machine are both enforced, each for its address"
has "$(w confirm)" 'the rules stay' "and confirmed"
is "$(w drift >/dev/null; echo $?)" 0 "and kept with their addresses"
w rollback >/dev/null; out=$(w restore); w enforce >/dev/null; w confirm >/dev/null; in_srv nft delete table inet whittle
w restore >"$dir/log" 2>&1; is "$(w drift >/dev/null; echo $?) $(in_srv nft list map inet whittle input_ports_v4 | grep -c '10.0.0.[45] . tcp . 22')" "0 2" "restore puts them back, each for its address" "$(cat "$dir/log")"
has "$(w doctor | tr -s ' ')" '172\.17\.0\.1 docker0 no: no resource has it' "doctor shows the same as a table"
is "$(w doctor --json | jq -r '[.addresses[] | select(.coverage == "covered") | .address] | join(",")')" "10.0.0.4,10.0.0.5" "and as JSON"
# a port that is translated to a narrowed one and has no rule itself
in_srv nft -f - <<'N'
table inet nat {
	map door { type inet_service : inet_service; elements = { 2200 : 22, 2201 : 23 }; }
	chain jumped { ip daddr 10.0.0.5 tcp dport 2223 dnat ip to 10.0.0.5:22; tcp dport 8022 redirect to :80; }
	chain pre { type nat hook prerouting priority dstnat;
		tcp dport 2222 redirect to :22
		meta l4proto tcp redirect to :tcp dport map @door
		ip daddr 10.0.0.0/24 jump jumped
		ip daddr 10.0.0.4 tcp dport 3000-3009 redirect to :20-29
		iif "lo" tcp dport 4000 redirect to :22
		udp dport 2222 redirect to :22
	}
}
N
in_srv sh -c 'iptables-nft -t nat -N DOCKER && iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER && iptables-nft -t nat -A DOCKER ! -i docker0 -d 10.0.0.4 -p tcp --dport 13022 -j DNAT --to-destination 172.17.0.2:22 && iptables-nft -t nat -A DOCKER -p tcp -m multiport --dports 5022,5023 -j REDIRECT --to-ports 22' 2>"$dir/log"; t $? "iptables publishes ports, too" "$(cat "$dir/log")"
out=$(in_srv env -u SSH_CONNECTION "$W" enforce --dry-run --json 2>/dev/null)
is "$(jq -r '.unjudgedPorts[] | "\(.address) \(.port)-\(.lastPort)>\(.leadsTo)"' <<<"$out" | sort | tr '\n' ' ')" \
	"10.0.0.4 13022-13022>22 10.0.0.4 2200-2200>22 10.0.0.4 2222-2222>22 10.0.0.4 3000-3009>22 10.0.0.4 5022-5023>22 10.0.0.5 2200-2200>22 10.0.0.5 2222-2222>22 10.0.0.5 2223-2223>22 10.0.0.5 5022-5023>22 " \
	"a dry run names each port that leads to a narrowed one and is not judged" "$out"
has "$(w enforce)" 'port 2222/TCP of 10\.0\.0\.4 leads to port 22, which is narrowed, and is not judged: .*`whittle rules add vm1 --port 2222/TCP --from 140' "so does enforce, with the command that mends it"
has "$(w doctor | tr -s ' ')" 'published ports port 13022/TCP of 10\.0\.0\.4 leads to port 22 of 172\.17\.0\.2' "and doctor"
is "$(to 10.0.0.4 203.0.113.77 2222)" connects "a peer that the narrowed port refuses gets in by the published one"
mend=$(w doctor --json | jq -r '[.checks[] | select(.found | test("port 2222/TCP of 10.0.0.4")) | .remedy][0]')
in_srv bash -c "PATH=$BUILD:\$PATH; $mend" >"$dir/log" 2>&1; t $? "the command works as it is printed" "$(cat "$dir/log")"
is "$(both 10.0.0.4 2222)" "connects / no connection" "and the port is narrowed to the same peers"
is "$(w doctor --json | jq '[.unjudgedPorts[] | select(.port == 2222) | .address] | join(" ")')" '"10.0.0.5"' "then it is named no more"
w rules undo vm1 >/dev/null; in_srv sh -c 'nft delete table inet nat; iptables-nft -t nat -F; nft delete table ip nat' 2>/dev/null
has "$(w doctor | tr -s ' ')" 'ok published ports none leads to a narrowed port' "without such ports doctor reports that there are none"
is "$(in_srv env SSH_CONNECTION="203.0.113.77 50000 10.8.0.1 22" "$W" enforce >"$dir/log" 2>&1; echo $?)" 0 "a session at an address that is not judged is not cut" "$(cat "$dir/log")"
is "$(in_srv env SSH_CONNECTION="203.0.113.77 50000 10.0.0.4 22" "$W" enforce >"$dir/log" 2>&1; echo $?)" 2 "one at an address that is, is"
out=$(w enforce --resource far); rc=$?
has "$rc $out" '^2 .*the rules of far would judge no packet.*--force-all-addresses|^1 .*nothing to enforce' "rules for a machine that this is not are refused"
out=$(w enforce --force-all-addresses); rc=$?
has "$rc $out" '^2 .*all addresses: name one with --resource' "all addresses can't be judged by two rules"
out=$(w enforce --resource vm1 --force-all-addresses); rc=$?
has "$rc $(tr '\n' ' ' <<<"$out")" '^0 .*every address is covered' "by one they can"
is "$(both6 2001:db8::4 22) / $(to 10.8.0.1 203.0.113.77 22)" "no connection / no connection / no connection" "and are"
w rollback >/dev/null

# ---- other ways through a machine ----
if ip -n "$srv" link add vrf0 type vrf table 10 2>/dev/null; then
	ip -n "$srv" link set vrf0 up; ip -n "$srv" link set s0 master vrf0
	ip -n "$srv" route add default via 10.0.0.1 vrf vrf0 2>/dev/null; ip -n "$srv" -6 route add default via 2001:db8::1 vrf vrf0 2>/dev/null
	in_srv sysctl -qw net.ipv4.tcp_l3mdev_accept=1
	is "$(both 10.0.0.4 22)" "connects / connects" "behind a VRF device, before"
	tool apply "$dir/one" 0 >/dev/null
	is "$(both 10.0.0.4 22) / $(both 10.0.0.5 22)" "connects / no connection / connects / connects" "and with the rules"
	tool rollback; ip -n "$srv" link set s0 nomaster; ip -n "$srv" link del vrf0
	ip -n "$srv" route replace default via 10.0.0.1; ip -n "$srv" -6 route replace default via 2001:db8::1
else
	n=$((n + 1)); echo "ok $n - behind a VRF device # skip this kernel has none"
fi
ip -n "$srv" rule add from 10.0.0.5 table 77 && ip -n "$srv" route add default via 10.0.0.1 table 77
tool apply "$dir/two" 0 >/dev/null
is "$(both 10.0.0.4 22) / $(both 10.0.0.5 22)" "connects / no connection / no connection / connects" "policy routing by source changes nothing"
tool rollback
echo "1..$n"
