#!/bin/bash
# The status of a ledger that is too large to be derived again for it: what the last recommendation found, with what has changed
# since; a small one is derived now.
set -u
cd "$(dirname "$0")/../.." || exit 1
w=$PWD/${BUILD:-build}/whittle
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export WHITTLE_RULES=$PWD/rules WHITTLE_STATE=$dir/state WHITTLE_STORE=$dir/l.db
cd "$dir" || exit 1
n=0
t() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' out err 2>/dev/null | head -n 20; fi
}
says() { "$w" status ${3:+--config "$3"} >out 2>err && grep -qE -e "$2" out; t $? "$1"; }
silent() { "$w" status >out 2>err && ! grep -qE -e "$2" out; t $? "$1"; }

# flows PEERS DAY…: of so many peers to two hosts, on these days of October
flows() {
	local peers=$1
	shift
	awk -v peers="$peers" -v days="$*" 'BEGIN {
		n = split(days, d, " ")
		for (i = 1; i <= n; i++) for (p = 0; p < peers; p++) {
			day = sprintf("2026-10-%02d", d[i])
			printf "{\"timestamp\":\"%sT10:00:05.000000+0000\",\"event_type\":\"flow\",\"src_ip\":\"45.%d.%d.%d\",\"src_port\":40000,\"dest_ip\":\"10.0.0.%d\",\"dest_port\":22,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":30,\"pkts_toclient\":30,\"bytes_toserver\":20000,\"bytes_toclient\":30000,\"start\":\"%sT10:00:00.000000+0000\",\"end\":\"%sT10:00:05.000000+0000\",\"state\":\"closed\"},\"tcp\":{\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\"}}\n", day, p / 65536, p / 256 % 256, p % 256, 1 + p % 2, day, day
		}
	}'
}
echo 1..17
flows 2 1 2 >small.json
"$w" ingest --store small.db small.json >out 2>err
WHITTLE_STORE=small.db says "a small ledger is derived now" '^10\.0\.0\.1 +unscanned .*ready on'
WHITTLE_STORE=small.db silent "and says of no other time" '^As derived'
flows 24000 1 >large.json
flows 20 $(seq 2 31) >>large.json
"$w" ingest large.json >out 2>err
says "without a recommendation nothing is known of a large one's resources" '^Nothing is known of the resources'
says "so each is unscanned, with that reason" '^10\.0\.0\.2 +unscanned .*nothing was derived from its traffic yet'
"$w" status --fail-on stale >out 2>err
[ $? = 3 ]; t $? "which --fail-on stale reports"
"$w" recommend --dry-run --json >derived.json 2>err
"$w" recommend >out 2>err
says "after a recommendation it is current" '^As derived at .*; nothing has changed since'
"$w" status --json >status.json 2>err
cp status.json out
same='[.resources[] | [.name, .status, .daysWithData, ([.rules[]?] | length)]]'
[ "$(jq -c "$same" derived.json)" = "$(jq -c '[.resources[] | [.name, .status, .daysWithData, .rules]]' status.json)" ] && jq -e '.derived | .current and .lastDay == "2026-10-31" and .stale == null' status.json >/dev/null
t $? "it is what the recommendation found"
"$w" status --fail-on stale >out 2>err; t $? "and nothing is stale"
flows 21 31 >more.json
"$w" ingest more.json >out 2>err
says "traffic that was read since is reported" '^As derived at .* from traffic up to 2026-10-31; traffic has been read since'
"$w" status --fail-on stale >out 2>err; t $? "traffic of the same day makes it not stale"
"$w" status --json >out 2>err && jq -e '.derived | (.current | not) and .stale == "traffic has been read since"' out >/dev/null; t $? "as JSON too"
"$w" recommend --min-days 20 >out 2>err
says "so is a recommendation with other options" 'other options, settings or threat lists'
"$w" recommend >out 2>err
echo 'min-days: 12' >other.yaml
says "other settings" 'other options, settings or threat lists' other.yaml
"$w" recommend >out 2>err
printf 'resources:\n- name: vm1\n  addresses: [10.0.0.1]\n' >estate.yaml
"$w" estate import estate.yaml >out 2>err
says "another estate" 'the estate has changed since'
says "whose new resource is not judged by the name of another" '^vm1 +unscanned .*nothing was derived'
"$w" recommend >out 2>err
says "until it is derived" '^vm1 +(un)?healthy'
says "the number of edges is known" '^The ledger holds (at most )?24,[0-9]{3} edges'
