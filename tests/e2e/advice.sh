#!/usr/bin/env bash
# The advice of recommend as days go by, and the output of explain, prove and the curve, on ledgers with known flows only.
set -u
BUILD=$(cd "${BUILD:-build}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
. "$here/../support/flows.sh"
cd "$dir" || exit 1
export WHITTLE_CONFIG=/dev/null
n=0
w() { "$BUILD/whittle" --store l.db "$@" 2>err; }
# says SENTENCE STATUS PATTERN COMMAND…
says() {
	local what=$1 want=$2 pat=$3 rc
	shift 3
	n=$((n + 1))
	"$@" >out; rc=$?
	if [ $rc -eq "$want" ] && grep -qE -e "$pat" out; then echo "ok $n - $what"; else
		echo "not ok $n - $what"
		{ echo "status $rc, wanted $want and /$pat/ in:"; cat out err; } | sed 's/^/# /'
	fi
}
# holds SENTENCE JQ-FILTER COMMAND… (of its JSON)
holds() {
	local what=$1 filter=$2
	shift 2
	n=$((n + 1))
	"$@" >out
	if [ -s out ] && jq -e "$filter" out >/dev/null; then echo "ok $n - $what"; else echo "not ok $n - $what"; { echo "not: $filter"; head -c 3000 out; cat err; } | sed 's/^/# /'; fi
}
learn() { flows "$1" >eve.json; w ingest eve.json >/dev/null || cat err; }
# begin STATEMENTS: a new ledger
begin() { rm -f l.db*; w estate import estate.yaml >/dev/null || cat err; learn "$1"; }
recommend() { w recommend --ports 22,443,8443 "$@"; }
rule() { echo "(.resources[0].rules[] | select(.destinationPort == $1) | .ipAddresses)"; }

cat >web.json <<'J'
{"name": "web", "securityRules": [{"name": "open", "priority": 300, "access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceAddressPrefix": "*",
  "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRanges": ["22", "443", "8443"]}]}
J
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4, "2001:db8::4"], internet-facing: true, nsgs: [web.json]}\n' >estate.yaml
office='for (h = 9; h <= 13; h++) flow(d, h, "140.20.30." h, 22, 1)'

# ---- before anything was learned ----
rm -f l.db*; w estate import estate.yaml >/dev/null
says "an empty ledger has no outage" 0 '^Nothing was learned yet' recommend
n=$((n + 1)); if grep -qE '1970|silent|said nothing' out err; then echo "not ok $n - nor of 1970"; sed 's/^/# /' out err; else echo "ok $n - nor of 1970"; fi
holds "as JSON neither" '.window.sensorSilent == []' recommend --json

# ---- after enforcement: .50 came for two weeks and stopped, so that the rule leaves it out; .7 came once, .60 stopped as .50 did ----
begin "for (d = 1; d <= 31; d++) { $office; if (d <= 14) { flow(d, 8, \"203.0.113.50\", 22, 1); flow(d, 8, \"192.0.2.60\", 22, 1) } if (d == 1) flow(d, 7, \"198.51.100.7\", 22, 1) }"
holds "a peer that stopped coming gets no line" "$(rule 22) == [\"140.20.30.8/29\"]" recommend --json
learn "for (d = 32; d <= 36; d++) { $office; for (k = 0; k < 3; k++) flow(d, 8, \"203.0.113.50\", 22, 0); for (k = 0; k < 3; k++) flow(d, 7, \"198.51.100.7\", 22, 0); for (k = 0; k < 3; k++) flow(d, 6, \"198.18.0.9\", 22, 0) }"
holds "a former peer with refused attempts is allowed again, but no peer that came once, was never answered, or stays away" \
	"$(rule 22) == [\"140.20.30.8/29\", \"203.0.113.50\"]" recommend --json --dry-run
says "recommend reports that the rule grew, with the peer that it may be blocking" 0 \
	'TCP-Inbound-22 +wider +203\.0\.113\.50 .*15 attempts from there were refused: the rule in force may be blocking them' recommend --dry-run
recommend >/dev/null
says "explain shows the refused attempts of a peer that comes again" 0 '203\.0\.113\.50 .*was refused 15 times since: comes again' w explain vm1 22
holds "and as JSON" '.peers[] | select(.address == "203.0.113.50") | .verdict == "belongs" and .refusedSince == 15' w explain vm1 22 --json
begin "for (d = 1; d <= 31; d++) { $office; if (d == 2) for (k = 0; k < 9; k++) flow(d, 7, \"203.0.113.50\", 22, 0); if (d <= 14) flow(d, 8, \"203.0.113.50\", 22, 1) }"
holds "attempts refused before a peer's last day are no return" "$(rule 22) == [\"140.20.30.8/29\"]" recommend --json

# ---- the narrowed group, imported again: rules are never widened, and peers that are locked out are reported ----
cp web.json original.json
begin "for (d = 1; d <= 31; d++) { $office; if (d <= 14) flow(d, 8, \"203.0.113.50\", 22, 1) }"
recommend >/dev/null
w export --format nsg -o narrowed.json >/dev/null && mv narrowed.json web.json && w estate import estate.yaml >/dev/null
learn "for (d = 32; d <= 36; d++) { $office; for (k = 0; k < 3; k++) flow(d, 8, \"203.0.113.50\", 22, 0); flow(d, 7, \"198.18.0.9\", 22, 0) }"
says "a former peer that whittle's own rules refuse is reported, with the way back" 0 "^1 peer would belong .* never widened; some of them are whittle's own: import the group" w explain vm1 22
says "explain shows how often that peer was refused" 0 '203\.0\.113\.50 .*was refused 15 times since' w explain vm1 22
mv original.json web.json
w estate import estate.yaml >/dev/null
holds "with the former group the peer is proposed again" "$(rule 22) == [\"140.20.30.8/29\", \"203.0.113.50\"]" recommend --json

# ---- lines that no peer uses any more ----
begin "for (d = 1; d <= 31; d++) { $office; flow(d, 7, \"192.0.2.200\", 22, 1); flow(d, 8, \"192.0.2.5\", 443, 1) }"
recommend >/dev/null
learn "for (d = 32; d <= 55; d++) { $office }"
says "the line of a peer that stopped is removed, and the peer's last day is reported" 0 'TCP-Inbound-22 +narrower +192\.0\.2\.200 +1 peer was seen in the removed prefixes, the last on 2026-10-31' recommend --dry-run
says "so does a port's last peer, and the port is closed" 0 '443/TCP +nobody: deny all' recommend --dry-run

recommend >/dev/null
says "a rule that is held back is gone for that, and nothing is lost with it" 0 \
	'TCP-Inbound-22 +gone +the port is not narrowed: a rule must be stable for 20 days, and the window of 55 days is too short' recommend --stable-days 20 --dry-run
holds "as JSON too" '[.changes.rules[] | select(.change == "gone")] | length > 0 and all((.why | length > 0) and .lost == [])' recommend --stable-days 20 --dry-run --json
says "one that nobody asked for, for that" 0 'TCP-Inbound-443 +kept +This run did not look at the port .--ports.\.' w recommend --ports 22 --dry-run
w recommend --ports 22 >/dev/null
says "and its saved rule stays" 0 '443/tcp +TCP-Inbound-443' w rules list
says "as does that of the port that was asked for" 0 '22/tcp +TCP-Inbound-22' w rules list
w recommend --min-days 64 >/dev/null
says "and a new deny-all comes with the days it rests on" 0 '443 +new +no peer that belongs came on 55 days on which the sensor saw the resource' recommend --dry-run

# ---- an outage ----
begin "for (d = 1; d <= 40; d++) if (d < 15 || d > 29) { $office; flow(d, 8, \"192.0.2.5\", 443, 1) }"
says "days without any flow are the sensor's" 0 'sensor was silent from 2026-10-15 to 2026-10-29: these days count neither for nor against' recommend --dry-run
says "so that too many of them are not taken for silence" 0 'the sensor was silent on 15 of 40 days' recommend --dry-run
begin "for (d = 1; d <= 40; d++) if (d < 28 || d > 38) { $office; flow(d, 8, \"192.0.2.5\", 443, 1) }"
holds "nobody is gone for an outage" "[$(rule 22), $(rule 443)] == [[\"140.20.30.8/29\"], [\"192.0.2.5\"]]" recommend --json
holds "JSON names the days" '.window.sensorSilent == [{first: "2026-10-28T00:00:00Z", last: "2026-11-07T00:00:00Z"}]' recommend --json

# ---- a resource that the sensor hears no longer ----
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], nsgs: [web.json]}\n  - {name: vm2, addresses: [10.0.0.5], nsgs: [web.json]}\n' >estate.yaml
of_vm1='[.resources[] | select(.name == "vm1") | .rules[] | select(.destinationPort == 22) | .ipAddresses]'
two='to = "10.0.0.4"; if (d <= 31) { flow(d, 9, "203.0.113.7", 22, 1); flow(d, 9, "198.51.7.9", 22, 1) } to = "10.0.0.5"; flow(d, 9, "203.0.113.99", 22, 1)'
begin "for (d = 1; d <= 45; d++) { $two }"
holds "its peers are not taken for gone while the sensor hears others alone" "$of_vm1 == [[\"198.51.7.9\", \"203.0.113.7\"]]" recommend --json
says "and it is reported, with the days" 0 'vm1: unhealthy: the sensor has seen none of its traffic since 2026-10-31, but that of others on 14 days' recommend --dry-run
begin "for (d = 1; d <= 45; d++) { $two; to = \"10.0.0.4\"; if (d > 31) flow(d, 3, \"192.0.2.66\", 22, 2) }"
holds "they are removed if refused scans show that the sensor still hears the resource" "$of_vm1 == [[]]" recommend --json
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4, "2001:db8::4"], internet-facing: true, nsgs: [web.json]}\n' >estate.yaml

# ---- stable for so many days; confidence ----
begin "for (d = 1; d <= 36; d++) { $office; if (d > 30) for (h = 1; h < 6; h++) flow(d, h, \"198.51.100.\" h, 443, 1); else flow(d, 2, \"203.0.113.7\", 443, 1) }"
says "a rule that was not stable for the requested days is held back, with the flows that it would have lost" 0 \
	'443/TCP is not narrowed: it has not been stable for 10 days: 30 of [0-9]+ flows since came from peers that it did not know' recommend --stable-days 10 --dry-run
says "one that was is offered" 0 '22/TCP +140\.20\.30\.8/29 ' recommend --stable-days 10 --dry-run
holds "a rule with stable peers has more confidence than one with changed peers" \
	'[.resources[0].rules[] | {key: (.destinationPort | tostring), value: .confidence}] | from_entries | .["22"] > 0.9 and .["443"] < 0.5' recommend --json

# ---- IPv6, and several ports ----
begin 'to = "2001:db8::4"; for (d = 1; d <= 31; d++) {
	for (h = 9; h <= 11; h++) flow(d, h, sprintf("2a01:4f8:0:%x::%x:%x", h * 4096, d, h * 77 + d), 22, 1)
	flow(d, 12, "2a02:6b8:1:2::53", 22, 1)
	if (d % 3 == 0) flow(d, 13, "2a05:1:1:1::7", 22, 1)
	for (h = 9; h <= 10; h++) { flow(d, h, "2a03:1:1:1::" h, 443, 1); flow(d, h, "2a03:1:1:1::" h, 8443, 1) } }'
holds "hosts that change their addresses make /64s, one that comes back on most days a /128, one that does on some days a /64" \
	"$(rule 22) == [\"2a01:4f8:0:9000::/64\", \"2a01:4f8:0:a000::/64\", \"2a01:4f8:0:b000::/64\", \"2a02:6b8:1:2::53\", \"2a05:1:1:1::/64\"]" recommend --json
recommend >/dev/null
says "explain counts addresses within a /64" 0 'wider: +2a02:6b8:1:2::52/127 costs 1\.00: 1 address not seen' w explain vm1 22
says "and names a /64 whose hosts change their addresses as one" 0 '^ +2a01:4f8:0:9000::/64 +31 days' w explain vm1 22
holds "two ports with the same prefixes are one rule of the group" \
	'[.securityRules[] | select(.access == "Allow" and .priority < 300 and .sourceAddressPrefix != "AzureLoadBalancer") | (.destinationPortRanges // [.destinationPortRange])] | sort == [["22"], ["443", "8443"]]' w export --format nsg

says "a recommendation for some resources is not stored, and a message says so" 0 '^Nothing was saved \(only some resources were named\)' recommend vm1
says "a recommendation with --dry-run is not stored" 0 '^Nothing was saved \(--dry-run\)' recommend --dry-run
says "the whole is, and leads on" 0 "Next: 'whittle enforce'" recommend

# ---- prove ----
begin "for (d = 1; d <= 31; d++) { $office }"
sed 's|"sourceAddressPrefix": "\*"|"sourceAddressPrefix": "140.20.0.0/16"|' web.json >narrow.json && mv narrow.json web.json
w estate import estate.yaml >/dev/null
recommend --json >rules.json
says "the recommendation is proved" 0 'vm1: proved: 3 rules' w prove
sed 's|140.20.30.8/29|140.16.0.0/12|' rules.json >wide.json
says "wider rules are refuted by the least address, and the rule that denies it" 1 \
	'vm1: refuted: Inbound TCP port 22 from 140\.16\.0\.0 would be allowed, and is not now \(denied by web: DenyAllInBound\)' w prove --rules wide.json
holds "as JSON too" '.holds == false and .resources[0].counterExample == {direction: "Inbound", protocol: "TCP", port: 22, peer: "140.16.0.0", deniedBy: "web: DenyAllInBound"}' \
	w prove --rules wide.json --json
sed 's|140.20.30.8/29|140.20.0.0/15|' rules.json >wide.json
says "the least address is not always the prefix's own" 1 'from 140\.21\.0\.0 would be' w prove --rules wide.json

# ---- explain ----
says "explain lists the peers of a prefix and its cost" 0 '140\.20\.30\.8/29 holds 5 of the peers, 3 addresses not seen yet: cost' w explain vm1 22
says "explain shows the cost of the next wider prefix" 0 'wider: +140\.20\.30\.0/28 costs' w explain vm1 22
says "and the next narrower" 0 'narrower: its halves cost .* in 2 lines' w explain vm1 22
holds "as JSON, and both are dearer" '.prefixes[0] | .peers == 5 and .unseen == 3 and .wider.prefix == "140.20.30.0/28" and .wider.cost > .cost and .narrower.cost > .cost and .narrower.lines == 2' \
	w explain vm1 22 --json
holds "each peer's features add up to its score" '.prior as $p | [.peers[] | (.score - $p - ([.features[] | .value * .weight] | add)) | fabs < 1e-4] | length == 5 and all' w explain vm1 22 --json

says "explain takes a rule as recommend prints it, and reports that no rule opens the port" 0 'Nothing is proposed: no outbound rule opens this port' w explain vm1 '443/TCP out'
says "a word that is no rule is refused" 2 "22/icmp' is not a rule such as" sh -c "'$BUILD/whittle' --store l.db explain vm1 22/icmp 2>&1"
says "a port that no rule in force opens is not explained as a deny-all of ours" 0 '^Nothing is proposed: no rule in force opens this port' w explain vm1 8080
cat >left.json <<'J'
{"name": "left", "securityRules": [
  {"name": "group", "priority": 300, "access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceApplicationSecurityGroups": [{"id": "/x/asg"}],
   "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "3306"},
  {"name": "open", "priority": 310, "access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*",
   "destinationAddressPrefix": "*", "destinationPortRanges": ["22", "9999"]}]}
J
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], nsgs: [left.json]}\n' >left.yaml
w estate import left.yaml >/dev/null
says "explain gives the reason why recommend leaves a port alone" 0 '^Nothing is proposed: port 3306/TCP is left alone: rule group names an application security group' w explain vm1 3306
holds "as JSON too" '.notOffered | test("left alone")' w explain vm1 3306 --json
says "so it does that recommend does not look at a port" 0 "^Nothing is proposed. Port 9999/tcp is not in the list of checked ports .ports.yaml.\. .whittle recommend --ports 9999/tcp. checks it" w explain vm1 9999
w recommend --ports 22,9999 >/dev/null
says "unless it was asked to" 0 '^Allowed: nobody \(System Generated\)' w explain vm1 9999
w estate import estate.yaml >/dev/null
begin "for (d = 1; d <= 5; d++) { $office }"
says "explain reports too few days as the reason" 0 '^Nothing is proposed: not enough data: 5 of 30 days' w explain vm1 22
w recommend --min-days 5 >/dev/null
says "and is when recommend was content with them" 0 '^Allowed: 1 prefix' w explain vm1 22

# one alert is no verdict: on a peer that belonged, on the one peer there is, and on what the host sent itself
alert() { echo '{"timestamp":"2026-10-'"$1"'T09:00:01.0+0000","flow_id":77,"event_type":"alert","src_ip":"'"$2"'","src_port":40077,"dest_ip":"10.0.0.4","dest_port":22,"proto":"TCP","alert":{"action":"allowed","signature_id":2034647,"severity":1},"flow":{"pkts_toserver":4,"pkts_toclient":4,"bytes_toserver":400,"bytes_toclient":400,"start":"2026-10-'"$1"'T09:00:00.0+0000"}}'; }
begin 'for (d = 1; d <= 31; d++) for (h = 6; h < 16; h++) flow(d, h, "140.20.8.8", 22, 1)'
alert 20 140.20.8.8 >alert.json; w ingest alert.json >/dev/null
says "a peer that belonged and raises an alert is held, and named with the remedy" 0 \
	"140\.20\.8\.8 would be kept out by an alert \(severity 1, signature 2034647, last on 2026-10-20\), and belonged before: it stays allowed until you decide" w recommend --ports 22 --dry-run
holds "as JSON too" '.peers[] | select(.address == "140.20.8.8") | .verdict == "held"' w explain vm1 22 --json
begin 'for (d = 1; d <= 31; d++) flow(d, 9, "140.20.8.8", 22, 1)'
for d in 01 02 03 04 05 06 07 08 09; do alert $d 140.20.8.8; done >alert.json; w ingest alert.json >/dev/null
says "a port is not closed over alerts of the one peer that it has" 0 "22/TCP is not closed: 140\.20\.8\.8 is kept out by an alert .*alone, 31 answered flows of it: is it an address that others share" w recommend --ports 22 --dry-run

# peers that were left out, and the reasons: 203.0.113.7 is outside the /16 of the rules in force
begin "for (d = 1; d <= 31; d++) { $office; flow(d, 9, \"140.20.9.9\", 22, 1); flow(d, 9, \"140.20.8.8\", 22, 1); flow(d, 9, \"140.20.7.7\", 22, 1); flow(d, 9, \"203.0.113.7\", 22, 1)
	if (d <= 14) flow(d, 8, \"140.20.6.6\", 22, 1); if (d == 3) flow(d, 8, \"140.20.5.5\", 22, 1) }"
for d in 02 03 04 05; do alert $d 140.20.8.8; done >alert.json
w ingest alert.json >/dev/null
echo 140.20.9.0/28 >bad.txt
printf 'trusted: [140.20.7.7]\nthreat-intel: [{name: bad, file: bad.txt}]\n' >whittle.yaml
w --config whittle.yaml intel update --force >/dev/null
left=$(w --config whittle.yaml explain vm1 22 --json | jq -c '[.peers[] | select(.address | startswith("140.20.30.") | not) | [.address, .verdict, .lists, .gone, .oneOff]]')
says "as JSON each peer that was left out comes with its rule" 0 '^same$' sh -c "[ '$left' = '[[\"140.20.5.5\",\"does-not-belong\",null,false,true],[\"140.20.6.6\",\"does-not-belong\",null,true,false],[\"140.20.7.7\",\"trusted\",null,false,false],[\"140.20.8.8\",\"alert\",null,false,false],[\"140.20.9.9\",\"threat-intelligence\",\"bad\",false,false],[\"203.0.113.7\",\"outside-policy\",null,false,false]]' ] && echo same || echo '$left'"
says "and in words under it" 0 '^  1 is on a threat list: never allowed' w --config whittle.yaml explain vm1 22
says "one that an alert alone keeps out is named, with the remedy" 0 "140\.20\.8\.8 is kept out by an alert \(severity 1, signature 2034647, last on 2026-10-05\), and would belong without it\. To keep it, add it to 'trusted'" \
	w --config whittle.yaml recommend --ports 22
says "explain names the alert that keeps a peer out, with the remedy" 0 "140\.20\.8\.8 .*kept out by an alert .* alone: to keep it, add it to 'trusted'" w --config whittle.yaml explain vm1 22
says "replay counts what it would lose" 0 '140\.20\.8\.8' w --config whittle.yaml replay
w intel forget bad >/dev/null

printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4, "2001:db8::4"], nsgs: [web.json]}\n' >two.yaml
w estate import two.yaml >/dev/null
learn 'for (d = 1; d <= 31; d++) { flow(d, 9, "140.20.3.1", 22, 1); flow(d, 9, "140.20.200.1", 443, 1) }'
recommend --lines 1 >/dev/null
says "a port without room for its rule is reported for that, not to be recommended again" 0 '^Nothing is proposed: the port is left alone: the budget has no room' \
	sh -c "'$BUILD/whittle' --store l.db explain vm1 22; '$BUILD/whittle' --store l.db explain vm1 443"
w estate import estate.yaml >/dev/null
cat >whittle.yaml <<'Y'
trusted: [140.20.40.0/28, 192.0.2.0/24]
Y
sed 's|140.20.0.0/16|0.0.0.0/0|' web.json >any.json && mv any.json web.json
begin "for (d = 1; d <= 31; d++) { $office; flow(d, 9, \"140.20.40.17\", 22, 1) }"
says "explain marks a prefix that holds trusted configuration" 0 '140\.20\.40\.0/27 holds 1 of the peers, trusted 140\.20\.40\.0/28, 15 addresses not seen' w --config whittle.yaml explain vm1 22
says "a prefix that is only trusted configuration is reported as kept whole" 0 '192\.0\.2\.0/24 is trusted configuration: kept whole' w --config whittle.yaml explain vm1 22
holds "as JSON" '[.prefixes[] | select(.trusted != []) | [.prefix, .trusted]] == [["140.20.40.0/27", ["140.20.40.0/28"]], ["192.0.2.0/24", ["192.0.2.0/24"]]]' \
	w --config whittle.yaml explain vm1 22 --json

# ---- a message about many ports is printed once; a port that has to wait is not healthy ----
begin "for (d = 1; d <= 31; d++) for (p = 22; p < 30; p++) { flow(d, 9, \"140.20.30.8\", p, 1); if (d > 26) flow(d, 9, \"140.90.9.9\", p, 1) }"
sed 's|"22", "443", "8443"|"22-29"|' web.json >many.json && mv many.json web.json && w estate import estate.yaml >/dev/null
says "ports that a budget has no room for are reported together" 0 \
	'^vm1: unhealthy: ports [0-9]+/TCP, [0-9]+/TCP, [0-9]+/TCP and 2 more are left alone: the budget has no room for a rule$' w recommend --ports 22-29 --lines 3 --dry-run
printf 'stable-days: 10\nports: 22-29\n' >stable.yaml
says "and so are those that have to wait, which are no healthy ones" 0 \
	'^vm1 +unhealthy .*ports 22/TCP, 23/TCP, 24/TCP and 5 more are not narrowed: it has not been stable for 10 days: 5 of 15 flows' w --config stable.yaml status

# ---- every printed key is in the man page ----
keys() { jq -r '[paths | map(select(type == "string")) | last | select(. != null)] | unique | .[]'; }
{ w recommend --ports 22-29 --json; w recommend --ports 22-29 --lines 3 --dry-run --json; w explain vm1 22 --json; w replay --json; w replay --holdout 5 --json; w recommend --curve --json
	w prove --json; sed 's|140.20.30.8|139.0.0.0/8|' rules.json >else.json; w prove --rules else.json --json; } 2>/dev/null | keys | sort -u >printed
man=$here/../../packaging/man/whittle.1
says "the man page describes every key of these documents" 0 '^0 of [4-9][0-9] or more' \
	sh -c "while read -r k; do sed '1,/^.Sh JSON/d' '$man' | grep -qw \"\$k\" || echo \$k; done <printed >untold; cat untold; echo \$(wc -l <untold) of \$(wc -l <printed) or more"

# ---- the curve, and a place on it ----
begin 'srand(4); for (k = 0; k < 200; k++) { ip = "140.20." int(rand() * rand() * 60) "." int(rand() * 255); for (d = 1 + int(rand() * 3); d <= 31; d += 1 + int(rand() * 2)) flow(d, 9, ip, 22, 1) }'
w recommend --curve k.svg >out
n=$((n + 1))
if [ "$(awk '$1 + 0 > 0 && $2 + 0 > 0 { if ($1 == "1") one = $2; if (last && $2 + 0 > last) bad = 1; last = $2 + 0; n++ } END { print (n > 5 && one && !bad) }' out)" = 1 ] && tail -n 1 k.svg | grep -q "^</svg>"; then
	echo "ok $n - the curve has fewer and fewer lines, and is drawn"; else echo "not ok $n - the curve has fewer and fewer lines, and is drawn"; sed 's/^/# /' out err; fi
for lines in 1 12 23 40 64; do
	holds "--lines $lines gives a rule of just as many" "[$(rule 22), (.resources[0].rules[0].except // [])] | flatten | length == $lines" w recommend --lines $lines --dry-run --json
done
few=$(w recommend --permissiveness 8 --dry-run --json | jq '.resources[0].rules[0].ipAddresses | length')
many=$(w recommend --permissiveness 0.125 --dry-run --json | jq '.resources[0].rules[0].ipAddresses | length')
w recommend --lines 7 >/dev/null
holds "explain describes the stored rule within the requested number of lines" '.limitedLines and (.prefixes | length <= 7) and ([.prefixes[].peers] | add) == (.peers | length)' w explain vm1 22 --json
says "and what there would be without that limit" 0 '^Allowed: [1-7] prefix.* without it, [0-9]+ lines have the lowest cost' w explain vm1 22
wide=$(w recommend --permissiveness 8 --json | jq -c '.resources[0].rules[0].ipAddresses')
holds "explain uses the requested permissiveness, too" "[.prefixes[].prefix] == $wide and (.limitedLines | not) and (.keptDiffers | not)" w explain vm1 22 --json
w recommend >/dev/null
learn 'for (d = 30; d <= 33; d++) for (k = 0; k < 9; k++) flow(d, 9, "140.20.77." 10 * k, 22, 1)'
says "and that a newer ledger asks for another rule than the kept one" 0 "^The last 'whittle recommend', of what was learned up to 2026-10-31, kept another rule" w explain vm1 22
says "a permissiveness above 1 gives fewer lines than one below" 0 '^yes' sh -c "[ $few -lt $many ] && echo yes"
echo "1..$n"
