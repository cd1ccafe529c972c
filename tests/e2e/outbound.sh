#!/bin/sh
# Outbound rules of a host, narrowed to what it did reach: from its own connections in the log, through the recommendation and the proof,
# to the group's outbound rules and the kernel's.
set -u
. "$(dirname "$0")/lib/start.sh"

# 31 days of a host that asks two resolvers, fetches from four machines of one network, and once came upon a stranger; a peer logs in daily.
awk 'function flow(src, dst, port, proto, app, day, hour, min) {
	start = sprintf("2026-01-%02dT%02d:%02d:%02d.000000+0000", day, hour, min, day)
	end = sprintf("2026-01-%02dT%02d:%02d:%02d.000000+0000", day, hour, min + 1, day)
	printf "{\"timestamp\":\"%s\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"%s\",\"src_port\":%d,\"dest_ip\":\"%s\",\"dest_port\":%d,", end, ++id, src, 33000 + id, dst, port
	printf "\"proto\":\"%s\",\"app_proto\":\"%s\",\"flow\":{\"pkts_toserver\":9,\"pkts_toclient\":8,\"bytes_toserver\":2100,\"bytes_toclient\":9100,", proto, app
	printf "\"start\":\"%s\",\"end\":\"%s\",\"age\":60,\"state\":\"%s\",\"reason\":\"timeout\",\"alerted\":false}", start, end, proto == "TCP" ? "closed" : "established"
	if (proto == "TCP")
		printf ",\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"ack\":true,\"state\":\"closed\"}"
	print "}"
}
BEGIN {
	for (day = 1; day <= 31; day++) {
		for (h = 8; h <= 11; h++)
			flow("10.0.0.4", "203.0.113." h, 443, "TCP", "tls", day, h, (day * 7 + h) % 50)
		for (h = 53; h <= 54; h++)
			flow("10.0.0.4", "198.51.100." h, 53, "UDP", "dns", day, 6, (day * 3 + h) % 50)
		flow("140.20.30.9", "10.0.0.4", 22, "TCP", "ssh", day, 9, day)
	}
	flow("10.0.0.4", "192.0.2.77", 443, "TCP", "tls", 3, 12, 1)
}' >eve.json
cat >web.json <<'J'
{"name": "web", "securityRules": [
  {"name": "allow-ssh", "priority": 300, "access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceAddressPrefix": "140.20.30.0/24",
   "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"},
  {"name": "allow-web", "priority": 400, "access": "Allow", "direction": "Outbound", "protocol": "Tcp", "sourceAddressPrefix": "*",
   "sourcePortRange": "*", "destinationAddressPrefix": "Internet", "destinationPortRanges": ["443", "8443"]},
  {"name": "allow-names", "priority": 410, "access": "Allow", "direction": "Outbound", "protocol": "Udp", "sourceAddressPrefix": "*",
   "sourcePortRange": "*", "destinationAddressPrefix": "198.51.100.0/24", "destinationPortRange": "53"}]}
J
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], nsgs: [web.json]}\n' >estate.yaml

"$w" --store l.db estate import estate.yaml >out 2>err && "$w" --store l.db ingest eve.json >out 2>err && grep -q '^218 records' out err
check "31 days of a host that is asked and asks itself are read"
"$w" --store l.db recommend --json >out 2>err && jq -e '[.resources[].rules[] | .direction] | all(. == "Inbound")' out >/dev/null
check "unasked, only what comes in is narrowed"
"$w" --store l.db recommend --direction outbound --json --dry-run >out 2>err && jq -e '[.resources[].rules[] | .direction] | length > 0 and all(. == "Outbound")' out >/dev/null
check "--direction outbound leaves out what comes in"
"$w" --store l.db recommend --direction both >out 2>err && grep -Eq '^vm1 +22/TCP +140\.20\.30\.9 ' out && grep -Eq ' 443/TCP out +203\.0\.113\.8/30 ' out
check "with --direction both the four machines of one network make the outbound rule 203.0.113.8/30"
! grep -q '192\.0\.2\.77' out
check "a stranger that was come upon once is not in it"
grep -Eq ' 53/UDP out +198\.51\.100\.53, 198\.51\.100\.54 | 53/UDP out +198\.51\.100\.5[2-4]' out
check "the resolvers keep their answers"
grep -Eq ' 8443/TCP out +nobody: deny all' out
check "a port that was open and that the host never used is closed"
"$w" --store l.db recommend --dry-run >out 2>err && grep -Eq 'TCP-Outbound-443 +kept .*did not look at rules of this direction' out
check "if only inbound rules are asked for again, the outbound ones are kept, with that reason"
"$w" --store l.db prove >out 2>err
check "all of it is proved to lie within the rules in force"
"$w" --store l.db explain vm1 TCP-Outbound-443 >out 2>err && grep -q '203\.0\.113\.8/30' out && grep -q '192\.0\.2\.77' out
check "explain takes an outbound rule by its name, and lists the peers that were left out"
"$w" --store l.db explain vm1 TCP-Sideways-443 >out 2>err
[ $? -eq 2 ] && grep -q 'TCP-Sideways-443' err
check "a rule's name with another direction is refused"
"$w" --store l.db replay >out 2>err && grep -q '443/TCP out' out
check "the days are replayed against it"
"$w" --store l.db export --format nsg -o new.json >out 2>err &&
	jq -e '[.securityRules[] | select(.direction == "Outbound" and .priority < 400 and .access == "Allow") | {d: .destinationAddressPrefix, p: .destinationPortRange}] |
		index({d: "203.0.113.8/30", p: "443"}) != null' new.json >>out 2>&1
check "the group allows the prefix as destination before the rule that it narrows"
jq -e '[.securityRules[] | select(.direction == "Outbound" and .access == "Deny") | .destinationPortRange] | sort == ["443", "53", "8443"]' new.json >out 2>err
check "and denies the rest of these ports alone"
"$w" --store l.db export --format nft >out 2>err && grep -q '203\.0\.113\.8/30' out && grep -Eq 'hook output' out
check "the kernel's rules hold it on the way out"
printf 'direction: both\n' >w.yaml
"$w" --config w.yaml --store l.db recommend --dry-run --json >out 2>err && jq -e '[.resources[].rules[] | .direction] | unique == ["Inbound", "Outbound"]' out >/dev/null
check "whittle.yaml asks for both directions as well"
printf 'direction: sideways\n' >w.yaml
"$w" --config w.yaml --store l.db recommend >out 2>err
[ $? -eq 2 ] && grep -q "w.yaml:1: 'direction' must be inbound, outbound or both" err
check "another direction there is refused with file and line"
echo "1..$n"
