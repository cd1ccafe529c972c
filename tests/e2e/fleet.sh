#!/bin/bash
# Twenty sensors and one recommendation: a ClickHouse cluster of two shards on loopback, each sensor a process with a ledger of its own; one
# shard is killed and brought back in the middle. What the cluster holds then is what one SQLite file holds that reads all logs, byte for byte.
# Skipped where there is no clickhouse-server.
set -u
export WHITTLE_CONFIG=/dev/null
. "$(dirname "$0")/lib/start.sh"
fleet=$here/../../packaging/fleet/fleet.sh
at_end() { "$fleet" stop "$dir/fleet" >/dev/null 2>&1; }
if ! command -v clickhouse-server >/dev/null; then skip "twenty sensors fill one ledger" "clickhouse-server is not installed"; echo "1..$n"; exit 0; fi
# below the ports that connections get by themselves; another program may still have one of the eight
for try in 0 1 2 3; do url=$("$fleet" start "$dir/fleet" $((20000 + ($$ + try * 97) % 1500 * 8)) 2>err) && break; "$fleet" stop "$dir/fleet" >/dev/null 2>&1; done
[ -n "$url" ] || { n=1; echo "not ok 1 - the cluster starts"; sed 's/^/# /' err; exit 1; }
sensors=20
sensor() { echo "$url&sensor=s$1&tenant=t$(($1 % 2))&site=berlin&local=$dir/s$1.db"; }
controller="$url&local=$dir/controller.db"

# Logs: of each sensor three parts, of its own machine 10.I.0.4 and of one that all see, 10.99.0.1; a scanner that nobody answers, and TLS records.
awk -v sensors=$sensors 'function flow(file, src, dst, port, day, answered) {
	id++; at = sprintf("2026-10-%02dT%02d:%02d:%02d.%06d+0000", day, id % 24, id % 60, id % 59, id % 1000000)
	printf "{\"timestamp\":\"%s\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"%s\",\"src_port\":%d,\"dest_ip\":\"%s\",\"dest_port\":%d,\"proto\":\"TCP\",", at, id, src, 1024 + id % 60000, dst, port > file
	printf "\"flow\":{\"pkts_toserver\":%d,\"pkts_toclient\":%d,\"bytes_toserver\":%d,\"bytes_toclient\":%d,\"start\":\"%s\",\"end\":\"%s\",\"age\":0,\"state\":\"%s\",\"alerted\":false},", answered ? 40 : 1, answered ? 40 : 0, 4000 + id % 977, answered ? 9000 : 0, at, at, answered ? "closed" : "new" > file
	printf "\"tcp\":{\"tcp_flags_ts\":\"%s\",\"tcp_flags_tc\":\"%s\"}}\n", answered ? "1b" : "02", answered ? "1b" : "00" > file
}
BEGIN {
	for (s = 1; s <= sensors; s++) for (part = 1; part <= 3; part++) {
		file = "log" s "." part
		for (day = 10 * part - 9; day <= 10 * part; day++) {
			for (p = 1; p <= 6; p++) flow(file, "203.0.113." p * 3, "10." s ".0.4", 22, day, 1)
			for (p = 1; p <= 4; p++) flow(file, "198.51.100." (s % 5 * 4 + p), "10.99.0.1", 443, day, 1)
			flow(file, "192.0.2." s, "10." s ".0.4", 22, day, 0)
		}
		printf "{\"timestamp\":\"2026-10-%02dT10:00:00.000000+0000\",\"event_type\":\"ssh\",\"src_ip\":\"203.0.113.3\",\"src_port\":4000,\"dest_ip\":\"10.%d.0.4\",\"dest_port\":22,\"proto\":\"TCP\",\"ssh\":{\"server\":{\"proto_version\":\"2.0\"}}}\n", 10 * part, s > file
	}
}'
cat >allow.json <<'J'
{"name": "web", "securityRules": [{"name": "allow-ssh", "priority": 300, "access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceAddressPrefix": "203.0.113.0/24",
  "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}, {"name": "allow-web", "priority": 310, "access": "Allow", "direction": "Inbound", "protocol": "Tcp",
  "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "443"}]}
J
{ echo "resources:"; for s in $(seq $sensors); do echo "  - {name: vm$s, addresses: [10.$s.0.4], internet-facing: true, nsgs: [allow.json]}"; done
echo "  - {name: all, addresses: [10.99.0.1], internet-facing: true, nsgs: [allow.json]}"; } >estate.yaml

# everybody PART [N]: twenty processes (or N) at once; their statuses in rc.*, what they print in out.*
everybody() {
	local s pids=()
	for s in $(seq "${2:-$sensors}"); do ("$w" ingest --store "$(sensor "$s")" "log$s.$1" >"out.$s" 2>&1; echo $? >"rc.$s") & pids+=($!); done
	wait "${pids[@]}"
}
all_done() { [ "$(cat rc.* | sort -u)" = 0 ] || { cat out.* >out; return 1; }; }

everybody 1
all_done; check "twenty sensors send their logs at once"
"$w" edges --json --store "$controller" >one.json 2>err && [ -s one.json ]; check "and the controller reads them, without a ledger of its own"
"$fleet" down "$dir/fleet" 2 -KILL
"$w" edges --json --store "$controller" >out 2>err; [ $? -eq 1 ] && [ ! -s out ] && grep -q 'whittle: .*http://127.0.0.1:' err
check "while a shard is away nothing is read, rather than a half"
everybody 2
all_done; check "sensors go on while a shard is away"
grep -q 'not in the cluster yet.*sends them' out.1; check "each reports that its records wait on its disk, and the command that sends them"
"$fleet" up "$dir/fleet" 2
everybody 3
all_done; check "when the shard is back the sensors send what waited"
grep -q 'not in the cluster yet' out.*; [ $? -ne 0 ]; check "and do not report it again"

cat log*.[123] >whole.json
"$w" ingest --store whole.db whole.json >out 2>&1 && "$w" edges --json --store whole.db >want.json 2>err && "$w" edges --json --store "$controller" >got.json 2>err &&
	[ "$(grep -c . want.json)" -gt 0 ] && cmp want.json got.json >out
check "then the cluster holds what one SQLite file holds that read all logs, byte for byte"
k=0
for store in whole.db "$controller"; do
	k=$((k + 1)); "$w" estate import --store "$store" estate.yaml >out 2>&1 && "$w" recommend --json --store "$store" >rec$k.json 2>err
done; jq -S 'del(.calculatedAt)' rec1.json >a.json && jq -S 'del(.calculatedAt)' rec2.json >b.json && [ "$(jq '[.resources[].rules[]] | length' a.json)" -ge $sensors ] && cmp a.json b.json >out
check "and the recommendation is the same"
"$w" evidence --json --store whole.db >ev1.json 2>err; "$w" evidence --json --store "$controller" >ev2.json 2>err; [ -s ev1.json ] && cmp ev1.json ev2.json >out
check "so is the protocol evidence"
everybody 3 5; "$w" edges --json --store "$controller" >again.json 2>err; all_done && cmp got.json again.json >out
check "a log that is read again adds nothing"

"$w" status --sensors --json --store "$controller" >out 2>err && [ "$(jq '[.sensors[] | select(.flows > 0 and .version != "" and .site == "berlin")] | length' out)" -eq $sensors ] &&
	[ "$(jq '[.sensors[].tenant] | unique | length' out)" -eq 2 ] && "$w" status --sensors --store "$controller" >out 2>err && [ "$(wc -l <out)" -eq $((sensors + 1)) ]
check "the table of sensors names each with its labels, what it saw, and its version"
"$w" ingest --store "clickhouse://u:secret@127.0.0.1/d" log1.1 >out 2>&1; [ $? -eq 2 ] && grep -q 'password-file=FILE' out && ! grep -q secret out; check "a password in the URL is refused, and not repeated"
for wrong in "${url/cluster=fleet/cluster=flete}" "${url/cluster=fleet/gzip=0}"; do "$w" edges --store "$wrong&local=$dir/wrong.db"; echo "exit $?"; done >out 2>&1
[ "$(grep -c '^exit 2$' out)" -eq 2 ] && [ "$(grep -c "tables of database 'whittle' are of the cluster 'fleet'.*write cluster=fleet" out)" -eq 2 ]
check "a URL with another cluster, or none, is refused, with the cluster that the tables are of"
none=${url/whittle\?cluster=fleet/none?cluster=flete}; "$w" edges --store "$none&local=$dir/wrong.db" >out 2>&1; [ $? -eq 2 ] && grep -q "knows no cluster 'flete'; it knows .*fleet" out
check "so is a cluster that does not exist, with those that do"
two=${url/whittle\?/two?}
for s in 1 2; do "$w" ingest --store "$two&local=$dir/unnamed$s.db" "log$s.1"; done >out 2>&1
"$w" status --sensors --json --store "$two&local=$dir/unnamed1.db" >out 2>err &&
	[ "$(jq -r '.sensors[] | .name == "'"$(hostname | tr -c 'A-Za-z0-9._:+\n' -)"'-" + .id[:4]' out | sort | uniq -c | tr -s ' ')" = " 2 true" ]
check "sensors without a name are told apart by their ledgers"
same=${url/whittle\?/same?}; { head -n 60 log1.1; tail -n 1 log1.1; } >half.1
{ "$w" ingest --store once.db log1.1 && "$w" ingest --store "$same&sensor=a&local=$dir/same1.db" log1.1 && "$w" ingest --store "$same&sensor=b&local=$dir/same2.db" half.1; } >out 2>&1 &&
	"$w" edges --json --store once.db >want.json 2>>out && "$w" edges --json --store "$same&overlap=1&local=$dir/controller.db" >got.json 2>>out && [ "$(grep -c . want.json)" -gt 0 ] &&
	cmp want.json got.json >>out && "$w" edges --json --store "$same&local=$dir/controller.db" >sum.json 2>>out && ! cmp -s want.json sum.json
check "of two sensors that see the same conversations each edge counts once if the URL says so, and twice if not"
for o in 1 0; do "$w" evidence --json --store "$same&overlap=$o&local=$dir/controller.db"; done >ev2.json 2>out; "$w" evidence --json --store once.db >ev1.json 2>>out
[ "$(jq -c .count ev1.json ev2.json | tr '\n' ' ')" = '1 1 2 ' ]; check "so does its protocol evidence"

# More rows than are compared, and so many that a server compresses them: a database of its own.
seq 45000 | awk '{ at = "2026-10-05T10:00:00.000000+0000"
	printf "{\"timestamp\":\"%s\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"203.%d.%d.%d\",\"src_port\":4000,\"dest_ip\":\"10.1.0.4\",\"dest_port\":443,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":9,\"pkts_toclient\":9,\"bytes_toserver\":900,\"bytes_toclient\":900,\"start\":\"%s\",\"end\":\"%s\",\"age\":0,\"state\":\"closed\",\"alerted\":false},\"tcp\":{\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\"}}\n", at, $1, $1 / 65536 + 1, $1 / 256 % 256, $1 % 256, at, at }' >many.json
many=${url/whittle\?/many?}
"$w" ingest --store "$many&sensor=m&local=$dir/many.db" many.json >out 2>&1 && "$w" status --store "$many&local=$dir/other.db" >out 2>err && grep -q 'holds at most 45,\{0,1\}000 edges' out
check "of many edges the rows are counted, which status says"
"$w" edges --json --store many.db >want.json 2>out && "$w" edges --json --store "$many&local=$dir/other.db" >got.json 2>>out && [ "$(grep -c . want.json)" -eq 45000 ] && cmp want.json got.json >>out
check "and each of them is read, byte for byte"

# The plugin: a database of its own.
if command -v suricata >/dev/null && [ -x "$BUILD/tools/flowpcap" ]; then
	"$BUILD/tools/flowpcap" --flows 300 --clients 40 --days 3 p.pcap && : >any.rules
	cat >c.yaml <<-Y
	%YAML 1.1
	---
	plugins: ["$BUILD/whittle-suricata.so"]
	stats: {enabled: no}
	outputs:
	  - eve-log: {enabled: yes, filetype: whittle, types: [flow], whittle: {config: /dev/null, store: "${url/whittle\?/plugin?}&sensor=ids&local=$dir/ids.db"}}
	Y
	suricata -c c.yaml -l "$dir" -S any.rules -k none -r p.pcap >out 2>&1 && "$w" edges --json --store ids.db >want.json 2>>out &&
		"$w" edges --json --store "${url/whittle\?/plugin?}&local=$dir/other.db" >got.json 2>>out && [ "$(grep -c . want.json)" -gt 20 ] && cmp want.json got.json >>out
	check "Suricata's plugin with that URL is a sensor"
else skip "Suricata's plugin with that URL is a sensor" "suricata or build/tools/flowpcap is missing"; fi

# Killed at each exchange with the processes that speak to the cluster, before and after: the insert was made or not, its answer read or not.
if "${CC:-gcc}" -shared -fPIC -o kill_at.so "$here/../support/kill_at.c" -ldl 2>/dev/null; then
	sed 's/2026-10-/2026-11-/g; s/"flow_id":/"flow_id":7/' log1.1 >more.1; split -n l/10 -d more.1 piece.
	i=0
	for piece in piece.*; do
		i=$((i + 1))
		KILL_AT=$((i + 1)) KILL_AFTER=$((i % 2)) LD_PRELOAD=$dir/kill_at.so "$w" ingest --store "$(sensor 1)" "$piece" >out 2>&1
		"$w" ingest --store whole.db "$piece" >/dev/null 2>&1
		"$w" ingest --store "$(sensor 1)" "$piece" >out 2>&1 || break
	done
	"$w" edges --json --store whole.db >want.json; "$w" edges --json --store "$controller" >got.json 2>err; cmp want.json got.json >out
	check "a sensor that is killed between insert and acknowledgement counts nothing twice, and loses nothing"
else skip "a sensor that is killed between insert and acknowledgement counts nothing twice" "no C compiler"; fi
if [ -x "$BUILD/unit/ledger/test_store_contract" ]; then
	for t in contract facts inputs; do
		(WHITTLE_TEST_FLEET=${url/whittle\?/%s?} CMOCKA_MESSAGE_OUTPUT=TAP "$BUILD/unit/ledger/test_store_$t" >"$t" 2>&1; echo $? >"$t.rc") &
	done; wait
	cat contract facts inputs >out; [ "$(cat contract.rc facts.rc inputs.rc | sort -u)" = 0 ] && [ "$(grep -c '^ok .*(fleet)' out)" -ge 16 ] && ! grep -qi '# skip.*fleet' out
	check "the tests of every store pass on the cluster"
else skip "the tests of every store pass on the cluster" "the unit tests are not built"; fi
echo "1..$n"
