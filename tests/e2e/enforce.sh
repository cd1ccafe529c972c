#!/bin/bash
# The local firewall, with live packets: what is let in and what isn't, what must never be harmed, and every way back.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
netns_begin
for p in 22 25; do serve "$srv" $p serve; done
for p in 161 500; do serve "$srv" $p userve; done
serve "$net" 67 userve; serve "$net" 22 serve; serve "$rtr" 67 userve

cat >"$dir/rules" <<'R'
port in tcp 22
140.20.30.8/29
2001:db8:7::/64
port in udp 161
140.20.30.8/29
2001:db8:7::/64
port out tcp 22
140.20.30.8/29
R
is "$(from 203.0.113.77)" connects "before, a stranger connects"
hold 203.0.113.77; t $? "and holds a connection open"

# ---- allowed and dropped packets ----
tool apply "$dir/rules" 60 >/dev/null; t $? "the rules are applied and read back"
is "$(from 140.20.30.9)" connects "an allowed host connects"
is "$(from6 2001:db8:7::9)" connects "an allowed host connects over IPv6"
is "$(from 203.0.113.77)" "no connection" "one outside does not"
is "$(from6 2001:db8:9::77)" "no connection" "one outside does not over IPv6"
[ "$(dropped 'in TCP 22')" -ge 2 ]; t $? "dropped packets are counted"
is "$(from 203.0.113.77 25)" connects "a port without a rule is as it was"
is "$(udp_from 140.20.30.9 161)" answered "an allowed host's datagram is answered"
is "$(udp_from 203.0.113.77 161)" "no answer" "one from outside is not"
is "$(in_srv "$BUILD/tools/talk" try 140.20.30.9 22)" connects "an allowed outbound connection is made"
is "$(in_srv "$BUILD/tools/talk" try 203.0.113.77 22)" "no connection" "another outbound one is not"

# ---- traffic that must never be harmed ----
said survives; t $? "the connection that was open before survives"
is "$(in_srv "$BUILD/tools/talk" try 127.0.0.1 22)" connects "loopback is not touched"
is "$(in_srv "$BUILD/tools/talk" try ::1 22)" connects "loopback is not touched over IPv6"
ip -n "$srv" neigh flush all; ip -n "$rtr" neigh flush all; ip -n "$srv" -6 neigh flush all; ip -n "$rtr" -6 neigh flush all
is "$(from6 2001:db8:7::9)" connects "neighbour discovery works: an IPv6 host connects with empty neighbour tables"
is "$(from 140.20.30.9)" connects "and so does ARP"
is "$(udp_from 140.20.30.9 161 4000)" answered "an allowed datagram in fragments arrives, and its answer too"
is "$(udp_from 203.0.113.77 161 4000)" "no answer" "one from outside does not"
is "$(udp_from 203.0.113.77 500 4000)" answered "fragments to a port without a rule arrive"
# an answer's fragments are too large for the path at first, and the server has to hear that
udp6_from() { in_net "$BUILD/tools/talk" utry "2001:db8::4@$1" "$2" 4000 | grep -x answered || in_net "$BUILD/tools/talk" utry "2001:db8::4@$1" "$2" 4000; }
is "$(udp6_from 2001:db8:7::9 161) / $(udp6_from 2001:db8:9::77 161) / $(udp6_from 2001:db8:9::77 500)" "answered / no answer / answered" "and the same over IPv6"
is "$(in_net "$BUILD/tools/talk" bulk 10.0.0.4@140.20.30.9 22 300000)" "all back" "a path with a smaller MTU is found: 300 kB go through"
has "$(ip -n "$srv" route get 140.20.30.9)" 'mtu 1300' "because the ICMP message came in"
is "$(in_net "$BUILD/tools/talk" bulk 2001:db8::4@2001:db8:7::9 22 300000)" "all back" "and over IPv6"
is "$(in_srv "$BUILD/tools/talk" utry 255.255.255.255@0.0.0.0 67 300 68)" answered "a DHCP server's broadcast answer arrives"

# ---- the ways back ----
has "$(tool state)" 'confirmed 0' "nobody has confirmed yet"
tool confirm; t $? "confirm keeps the rules"
has "$(tool state)" 'confirmed 1 ports 3 expires 0' "and the state shows that"
tool confirm; t $? "confirming twice does no harm"
is "$(from 203.0.113.77)" "no connection" "after it the stranger is still outside"
is "$(from 140.20.30.10)" connects "and the partner inside"

sed 's/140.20.30.8.29/203.0.113.0\/24/' "$dir/rules" >"$dir/other"
tool apply "$dir/other" 3 >/dev/null; t $? "other rules are applied over confirmed ones, for three seconds"
is "$(from 203.0.113.77)" connects "they hold at once"
is "$(from 140.20.30.9)" "no connection" "for both"
stays_out() { [ "$(from 203.0.113.77)" = "no connection" ]; }
until_true 10 stays_out; t $? "nobody confirms: the confirmed ones hold again, by the kernel alone"
is "$(from 140.20.30.9)" connects "for both"
out=$(tool confirm 2>&1); [ $? != 0 ] || [ -z "$out" ]; t $? "confirming late does not bring them back"
is "$(from 203.0.113.77)" "no connection" "and changes nothing"

tool apply "$dir/other" 30 >/dev/null
tool rollback; t $? "rollback takes everything away"
is "$(from 203.0.113.77)" connects "everyone connects again"
is "$(in_srv nft list ruleset | wc -l)" 0 "and the kernel holds nothing of ours"
tool rollback; t $? "rollback without a table is no failure"
out=$(tool confirm 2>&1); has "$out" 'nothing to confirm' "confirming without rules is reported"

# ---- audit ----
(cat "$dir/rules"; echo audit) >"$dir/audit"
tool apply "$dir/audit" 60 >/dev/null; t $? "an audit is applied"
is "$(from 203.0.113.77)" connects "it drops nothing"
[ "$(dropped 'audit in TCP 22')" -ge 1 ]; t $? "but counts what would have been dropped"
tool rollback
said "to the end"; t $? "the connection has survived all of it"
echo "1..$n"
