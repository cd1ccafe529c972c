#!/bin/sh
# The example that a newcomer is told: an allow rule for "140.20.30.10/24" on port 22, of which five of the eight hosts of 140.20.30.8/29
# log in daily for 31 days. The narrowed rule allows 140.20.30.8/29 and denies the rest, in the group and in the kernel's language.
set -u
BUILD=${BUILD:-build}
w=$(cd "$BUILD" && pwd)/whittle
n=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
check() { # SENTENCE: by the status of what ran before
	if [ $? -eq 0 ]; then n=$((n + 1)); echo "ok $n - $1"; else n=$((n + 1)); echo "not ok $n - $1"; sed 's/^/# /' out err; fi
}

# Each host some times a day, at other minutes and of other sizes; somebody else of the /24 asks daily and is never answered.
awk 'function flow(src, port, day, hour, min, out, back, state, flags) {
	start = sprintf("2026-01-%02dT%02d:%02d:%02d.000000+0000", day, hour, min, day)
	end = sprintf("2026-01-%02dT%02d:%02d:%02d.000000+0000", day, hour, min + (back ? 5 : 0), day)
	printf "{\"timestamp\":\"%s\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"%s\",\"src_port\":%d,\"dest_ip\":\"10.0.0.4\",\"dest_port\":22,", end, NR + ++id, src, port
	printf "\"proto\":\"TCP\",%s\"flow\":{\"pkts_toserver\":%d,\"pkts_toclient\":%d,\"bytes_toserver\":%d,\"bytes_toclient\":%d,", back ? "\"app_proto\":\"ssh\"," : "", out / 100, back / 100, out, back
	printf "\"start\":\"%s\",\"end\":\"%s\",\"age\":%d,\"state\":\"%s\",\"reason\":\"timeout\",\"alerted\":false},", start, end, back ? 300 : 0, state
	printf "\"tcp\":{\"tcp_flags\":\"%s\",\"tcp_flags_ts\":\"%s\",\"tcp_flags_tc\":\"%s\",\"syn\":true,\"ack\":%s,\"state\":\"%s\"}}\n", flags, flags, back ? "1b" : "00", back ? "true" : "false", back ? "closed" : "syn_sent"
}
BEGIN {
	split("8 10 11 12 14", host, " ")
	for (day = 1; day <= 31; day++) {
		for (h = 1; h <= 5; h++)
			for (k = 0; k < 2; k++)
				flow("140.20.30." host[h], 40000 + day * 50 + h * 3 + k, day, 8 + h + 2 * k, (7 * h + day) % 50, 5200 + 97 * h + 31 * day, 9100 + 53 * h + 17 * day, "closed", "1b")
		flow("140.20.30.200", 50000 + day, day, 3, 7, 120, 0, "new", "02")
	}
}' >eve.json
cat >web.json <<'J'
{"name": "web", "securityRules": [
  {"name": "allow-ssh", "priority": 300, "access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceAddressPrefix": "140.20.30.10/24",
   "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}]}
J
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true, nsgs: [web.json]}\n' >estate.yaml
export WHITTLE_CONFIG=/dev/null

"$w" --store l.db estate import estate.yaml >out 2>err && grep -q 'allow-ssh: 140.20.30.10/24 read as 140.20.30.0/24 (host bits were set)' out
check "host bits in a rule are read generously, with a note"
"$w" --store l.db ingest eve.json >out 2>err && grep -q '^341 records.* 341 flows' err out
check "31 days of 11 flows are read"
"$w" --store l.db recommend >out 2>err && grep -Eq '^vm1 +22/TCP +140\.20\.30\.8/29 ' out
check "five of eight hosts, daily for 31 days, make the rule 140.20.30.8/29"
"$w" --store l.db prove >out 2>err
check "the rule is proved to lie within the one in force"
"$w" --store l.db export --format nsg -o new.json >out 2>err &&
	jq -e '[.securityRules[] | {p: .priority, a: .access, s: .sourceAddressPrefix, d: .destinationPortRange}] | sort_by(.p) == [
		{p: 298, a: "Allow", s: "140.20.30.8/29", d: "22"}, {p: 299, a: "Deny", s: "*", d: "22"},
		{p: 300, a: "Allow", s: "140.20.30.10/24", d: "22"}]' new.json >>out 2>&1
check "the group gets the allow and the deny before the rule that they narrow, which stays as it was"
"$w" --store l.db export --format nft >out 2>err && grep -q 'elements = { 140.20.30.8/29 }' out
check "the kernel's rules hold the same prefix"
"$w" --store l.db explain vm1 22 >out 2>err && grep -q '140.20.30.8/29 holds 5 of the peers, 3 addresses not seen yet' out &&
	! grep -q '140\.20\.30\.200' out
check "explain names the five, and the three not seen; who was never answered is none of them"
echo "1..$n"
