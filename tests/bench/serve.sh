#!/bin/sh
# The server under 50 clients, over TLS with a bearer token, by wrk: one adaptive network hardening, and the allowed connections of 1,000 machines; then
# what its processes hold when nobody asks any more, and the console's bundle. The estate: 50 subnets, each with a group that lets in a dozen ports
# from single subnets and three from partners, and denies the rest. Besides, for the size alone, one where groups of 200 rules let a quarter of all pairs through.
set -eu
BUILD=${BUILD:-build}
here=$(cd "$(dirname "$0")" && pwd)
command -v wrk >/dev/null || { echo "# wrk is not installed: the server is not measured"; exit 0; }
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
export WHITTLE_STATE="$dir/state" WHITTLE_CONFIG=/dev/null WHITTLE_RULES="${WHITTLE_RULES:-rules}"
row() { awk -v what="$1" -v x="$2" -v t="$3" -v f="$4" 'BEGIN { printf "%s\t" f "\t< %s\t%s\n", what, x, t, x < t ? "met" : "missed" }'; }
sub=/subscriptions/0a1b2c3d-1111-4222-8333-444455556666

# ---- two estates; of a hundred machines of the first a month was learned ----
mkdir "$dir/apart" "$dir/dense"
"$BUILD/tools/make_estate" "$dir/dense" 1000 50 30 200
"$BUILD/tools/make_estate" "$dir/apart" 1000 50 50 40
jq 'map(.securityRules |= ([.[] | select(.direction == "Inbound" and .access == "Allow" and (.sourceAddressPrefix | startswith("10."))
	and (.destinationPortRange | test("[*-]") | not))][:12] + [{name: "partners", priority: 3900, direction: "Inbound", access: "Allow", protocol: "Tcp",
	sourcePortRange: "*", destinationPortRanges: ["22", "443", "5432"], sourceAddressPrefix: "198.51.0.0/16", destinationAddressPrefix: "*"}, {name: "rest", priority: 4000, direction: "Inbound", access: "Deny", protocol: "*",
	sourcePortRange: "*", destinationPortRange: "*", sourceAddressPrefix: "*", destinationAddressPrefix: "*"}]))' "$dir/apart/nsgs.json" >"$dir/nsgs"
mv "$dir/nsgs" "$dir/apart/nsgs.json"
awk 'BEGIN { for (day = 1; day <= 31; day++) for (vm = 0; vm < 100; vm++) for (k = 0; k < 3; k++) {
	s = vm % 50; t = sprintf("2026-10-%02dT%02d", day, 9 + k); split("22 443 5432", port, " ")
	printf "{\"timestamp\":\"%s:10:00.0+0000\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"198.51.%d.%d\",\"src_port\":%d,", t, (day * 1000 + vm) * 3 + k, vm, 16 * k + (vm + day) % 9, 40000 + day
	printf "\"dest_ip\":\"10.%d.%d.%d\",\"dest_port\":%d,\"proto\":\"TCP\",\"app_proto\":\"ssh\",", s % 10, int(s / 10), 4 + int(vm / 50), port[k + 1]
	printf "\"flow\":{\"pkts_toserver\":44,\"pkts_toclient\":43,\"bytes_toserver\":9196,\"bytes_toclient\":27009,\"start\":\"%s:00:00.0+0000\",\"end\":\"%s:05:00.0+0000\",\"age\":300,\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false},", t, t
	print "\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}" } }' >"$dir/eve.json"
w() { "$BUILD/whittle" --store "$dir/$1.db" "$2" ${3:+"$3"} ${4:+"$4"} >>"$dir/log" 2>&1; }
for e in apart dense; do w $e estate import "$dir/$e"; done
w apart ingest "$dir/eve.json"
w apart recommend
TOKEN=$("$BUILD/whittle" serve token add bench --role reader)
export TOKEN CODING=gzip

# ---- asked ----
start() {
	"$BUILD/whittle" --store "$dir/$1.db" serve --listen 127.0.0.1:$port >"$dir/banner" 2>&1 & server=$!
	until grep -q fingerprint "$dir/banner"; do kill -0 $server; sleep 0.1; done
}
stop() { kill $server; wait $server || :; server=; }
ask() { curl -sk --compressed -o "$1" -H "Authorization: Bearer $TOKEN" "https://127.0.0.1:$port$2"; }
# clients PATHS SECONDS: "p95 in ms, requests a second, failures"
clients() { PATHS=$1 wrk -t1 -c50 "-d${2}s" --timeout 20s -s "$here/serve.lua" "https://127.0.0.1:$port" | tail -n 1; }
pss() { for p in $server $(pgrep -P "$server"); do awk '/^Pss:/ { print $2 }' "/proc/$p/smaps_rollup"; done | awk '{ s += $1 } END { printf "%.1f", s / 1024 }'; }
port=$((20000 + $$ % 20000))
for i in $(seq 0 99); do echo "$sub/resourceGroups/rg-plant/providers/Microsoft.Compute/virtualMachines/vm-$i/providers/Microsoft.Security/adaptiveNetworkHardenings/default?api-version=2020-01-01"; done >"$dir/hardenings"
echo "$sub/providers/Microsoft.Security/allowedConnections?api-version=2020-01-01" >"$dir/connections"

start apart
ask "$dir/one" "$(head -n 1 "$dir/hardenings")"
first=$(clients "$dir/hardenings" 2)
set -- $(clients "$dir/hardenings" 5)
[ "$3" = 0 ] || { row "requests for a hardening that failed" "$3" 1 %d; cat "$dir/one"; }
row "one adaptive network hardening, 50 clients, 95 % (ms)" "$1" 20 %.1f
# the same while a sensor commits once a second
tick() {
	i=0
	while sleep 1; do
		i=$((i + 1))
		sed -n 1p "$dir/eve.json" | sed "s/\"src_port\":[0-9]*/\"src_port\":$((50000 + i))/; s/\"flow_id\":[0-9]*/\"flow_id\":$((9000000 + i))/" >"$dir/tick.json"
		w apart ingest "$dir/tick.json"
	done
}
tick & ticking=$!
set -- "$1" "$2" $(clients "$dir/hardenings" 8)
kill $ticking; wait $ticking 2>/dev/null || :
[ "$5" = 0 ] || row "requests that failed while a sensor wrote" "$5" 1 %d
row "the same while a sensor writes once a second (ms)" "$3" 20 %.1f
ask "$dir/all" "$(cat "$dir/connections")"
set -- "$1" "$2" $(clients "$dir/connections" 2 >"$dir/warm"; clients "$dir/connections" 5)
echo "# hardening: $(jq '.properties.rules | length' "$dir/one") rules; while none is kept yet, 95 % within ${first%% *} ms; then $2 a second. Connections: $(jq '[.value[].properties.connectableResources[].inboundConnectedResources | length] | add' "$dir/all") pairs, $(wc -c <"$dir/all") bytes as text; $4 a second, $5 failed"
row "allowedConnections of 1,000 machines, 50 clients, 95 % (ms)" "$3" 200 %.1f
stop
start dense
from=$(date +%s%N)
ask "$dir/all" "$(cat "$dir/connections")"
echo "# allowedConnections of a dense estate: $(jq '[.value[].properties.connectableResources[].inboundConnectedResources | length] | add' "$dir/all") pairs, $(wc -c <"$dir/all") bytes as text, computed and sent in $((($(date +%s%N) - from) / 1000000)) ms; 50 clients, 95 %, requests a second, failed: $(clients "$dir/connections" 5)"
sleep 6 # until workers give back what they keep
row "memory of the idle server after that, all its processes (PSS, MiB)" "$(pss)" 50 %.1f
ask "$dir/js" /console.js
ask "$dir/css" /console.css
row "the console's bundle, compressed (KB)" "$(cat "$dir/js" "$dir/css" | gzip -9 | wc -c | awk '{ print $1 / 1000 }')" 400 %.0f
stop
