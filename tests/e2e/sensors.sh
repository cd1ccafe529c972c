#!/usr/bin/env bash
# The same private address in two VLANs or tenants: refused with what to set, kept apart, or one network by --realm one. The same conversation
# reported by two sensors counts once.
set -u
BUILD=$(cd "${BUILD:-build}" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export WHITTLE_CONFIG=/dev/null
n=0
# record DAY SOURCE REALM-FIELDS: an answered flow to 10.0.0.4
record() {
	printf '{"timestamp":"2026-11-%02dT10:10:00.000000+0000","event_type":"flow",%s"src_ip":"%s","src_port":40000,"dest_ip":"10.0.0.4","dest_port":22,"proto":"TCP",' "$1" "$3" "$2"
	printf '"flow":{"pkts_toserver":44,"pkts_toclient":43,"bytes_toserver":9196,"bytes_toclient":27009,"start":"2026-11-%02dT10:00:00.000000+0000","end":"2026-11-%02dT10:05:00.000000+0000","state":"closed"},"tcp":{"tcp_flags_ts":"1b","tcp_flags_tc":"1b"}}\n' "$1" "$1"
}
# says SENTENCE STATUS PATTERN COMMAND…
says() {
	n=$((n + 1))
	"${@:4}" >out 2>&1; local rc=$?
	if [ $rc -eq "$2" ] && grep -qE -e "$3" out; then echo "ok $n - $1"; else
		echo "not ok $n - $1"
		{ echo "status $rc, wanted $2 and /$3/ in:"; cat out; } | sed 's/^/# /'
	fi
}
ingest() { local l=$1; shift; "$BUILD/whittle" ingest --store "$l" "$@"; }
peers() { "$BUILD/whittle" edges --store "$1"; }

{ record 1 192.0.2.1 '"vlan":[10],'; record 2 192.0.2.2 '"vlan":[20],'; } >vlans.json
{ record 1 192.0.2.1 '"tenant_id":1,'; record 2 192.0.2.1 '"tenant_id":2,'; } >tenants.json
record 1 192.0.2.1 '"vlan":[10],' >ten.json
record 2 192.0.2.2 '"vlan":[20],' >twenty.json
says "a private address in two VLANs is refused with its line and what to set" 2 \
	'vlans\.json:2: 10\.0\.0\.4 was seen in vlan10, and here in vlan20.*--realm vlan10.*--realm vlan20.*--realm one' ingest a.db vlans.json
says "so it is in two tenants" 2 'tenants\.json:2: 10\.0\.0\.4 was seen in tenant1, and here in tenant2' ingest b.db tenants.json
{ cat ten.json; record 2 192.0.2.1 '"vlan":[10],'; } >tens.json
says "one VLAN is as ever" 0 '2 flows' ingest c.db tens.json
says "and is remembered for the next log" 2 'twenty\.json:1: 10\.0\.0\.4 was seen in vlan10, and here in vlan20' ingest c.db twenty.json
says "each can be read into a ledger of its own, and the rest is named" 0 'records.*1 flows of other networks, such as vlan10, which the realm leaves out' ingest d.db --realm vlan20 vlans.json
says "with its own peers alone" 0 '192\.0\.2\.2' peers d.db
n=$((n + 1)); if grep -q '192\.0\.2\.1' out; then echo "not ok $n - and none of the other's"; sed 's/^/# /' out; else echo "ok $n - and none of the other's"; fi
says "if they are one network all records are read" 0 '2 flows' ingest e.db --realm one vlans.json
says "with both peers" 0 '192\.0\.2\.1' peers e.db
sed 's/10\.0\.0\.4/203.0.113.4/' vlans.json >public.json
says "a public address is one machine wherever it is met" 0 '2 flows' ingest f.db --discover 203.0.113.0/24 public.json

# flow SENSOR-FIELDS SOURCE PORT SECOND.FRACTION [REVERSED]
flow() {
	local ends="\"src_ip\":\"$2\",\"src_port\":$3,\"dest_ip\":\"10.0.0.4\",\"dest_port\":22"
	printf '{"timestamp":"2026-11-01T10:10:00.000000+0000","event_type":"flow",%s%s,"proto":"TCP","flow":{"pkts_toserver":44,"pkts_toclient":43,' "$1" "$ends"
	printf '"bytes_toserver":9196,"bytes_toclient":27009,"start":"2026-11-01T10:00:%s+0000","end":"2026-11-01T10:05:00.000000+0000","state":"closed"},' "$4"
	printf '"tcp":{"tcp_flags_ts":"1b","tcp_flags_tc":"1b"}}\n'
}
# flows LEDGER NUMBER SENTENCE: how many flows the ledger's edges have together
flows() {
	n=$((n + 1))
	local sum
	sum=$("$BUILD/whittle" edges --json --store "$1" | grep -o '"flows": *[0-9]*' | awk -F: '{ s += $2 } END { print s + 0 }')
	if [ "$sum" = "$2" ]; then echo "ok $n - $3"; else echo "not ok $n - $3"; echo "# $sum flows, wanted $2"; fi
}
# events SENSOR-FIELDS: a handshake of an old TLS to 10.0.0.4 and an alert on it, as two sensors write them some milliseconds apart
events() {
	local ends='"src_ip":"192.0.2.1","src_port":40001,"dest_ip":"10.0.0.4","dest_port":443,"proto":"TCP",'
	printf '{"timestamp":"2026-11-01T10:01:0%s+0000","event_type":"tls",%s%s"tls":{"subject":"CN=a","version":"TLSv1"}}\n' "$2" "$1" "$ends"
	printf '{"timestamp":"2026-11-01T10:01:0%s+0000","event_type":"alert",%s%s"alert":{"signature_id":7,"severity":2},"direction":"to_server","app_proto":"tls","flow":{"pkts_toserver":5,"pkts_toclient":5,"bytes_toserver":900,"bytes_toclient":900,"start":"2026-11-01T10:01:00.000000+0000"}}\n' "$2" "$1" "$ends"
}
events '"host":"fw-1",' 1.000000 >events1.json
events '"host":"fw-2",' 1.004000 >events2.json
once() { ingest "$1" "${@:2}" >/dev/null && "$BUILD/whittle" evidence --store "$1" --json | jq -r .count && "$BUILD/whittle" edges --store "$1" --json | jq -c .alerts; }
says "two reports of a protocol by one sensor are two" 0 '^2$' once events0.db <(events '"host":"fw-1",' 1.000000; events '"host":"fw-1",' 2.000000)
once events.db events1.json events2.json >out 2>&1
n=$((n + 1)); if [ "$(head -1 out)" = 1 ] && ! grep -q '2' out; then echo "ok $n - the reports of two sensors, and an alert of both, count once"; else echo "not ok $n - the reports of two sensors, and an alert of both, count once"; sed 's/^/# /' out; fi
once flows.db <(flow '"host":"fw-1",' 192.0.2.1 40001 01.000000) events2.json >out 2>&1
n=$((n + 1)); if [ "$(head -1 out)" = 1 ]; then echo "ok $n - a sensor that reports flows alone takes no evidence away"; else echo "not ok $n - a sensor that reports flows alone takes no evidence away"; sed 's/^/# /' out; fi
for i in 1 2 3 4 5; do flow '"host":"fw-1",' 192.0.2.1 4000$i 0$i.000000; done >a.json
for i in 1 2 3 4 5; do flow '"host":"fw-2",' 192.0.2.1 4000$i 0$i.900000; done >b.json
flow '"host":"fw-2",' 192.0.2.1 40006 06.000000 >>b.json
says "the new records of a second sensor's log are reported" 0 '6 flows, .*5 flows that another sensor had reported' bash -c "'$BUILD/whittle' ingest --store g.db a.json >/dev/null && '$BUILD/whittle' ingest --store g.db b.json"
flows g.db 6 "a conversation that two sensors reported counts once, and so does one of a single sensor"
cat a.json b.json >both.json
ingest h.db both.json >/dev/null; flows h.db 6 "so it does in one log of both"
for s in a b; do sed 's/"host":"[^"]*",//' $s.json >$s-unnamed.json; done
ingest i.db --sensor one a-unnamed.json >/dev/null; ingest i.db --sensor two b-unnamed.json >/dev/null
flows i.db 6 "so it does where --sensor names them"
ingest j.db a-unnamed.json b-unnamed.json >/dev/null; flows j.db 11 "without names every record counts"
sed 's/fw-2/fw-1/' b.json >same.json
ingest k.db a.json same.json >/dev/null; flows k.db 11 "one sensor's flows are as many as it reports"
sed 's/:00:0\([0-9]\)\.9/:00:1\1.9/' b.json >late.json
ingest l.db a.json late.json >/dev/null; flows l.db 11 "a start ten seconds later is another conversation"
ingest m.db --sensor-slack 15s a.json late.json >/dev/null; flows m.db 6 "or the same, with a larger --sensor-slack"
printf 'sensor-slack: 15s\n' >slack.yaml
ingest o.db --config slack.yaml a.json late.json >/dev/null; flows o.db 6 "as whittle.yaml may"
for p in 0 1; do flow "\"host\":\"fw-$p\"," 192.0.2.1 40001 01.000000 | sed 's/"tcp_flags_tc":"1b"/"tcp_flags_tc":"00"/; s/"pkts_toclient":43/"pkts_toclient":0/; s/"bytes_toclient":27009/"bytes_toclient":0/'; done >deaf.json
cat a.json >>deaf.json
ingest p.db deaf.json >/dev/null; flows p.db 5 "a sensor that heard one side alone takes nothing from one that heard both"
for d in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31; do flow '' 192.0.2.1 40001 01.000000 | sed 's/2026-11-01/2026-10-'$d'/g; s/"src_ip":"192.0.2.1","src_port":40001,"dest_ip":"10.0.0.4","dest_port":22/"src_ip":"10.0.0.4","src_port":22,"dest_ip":"192.0.2.1","dest_port":40001/
	s/"tcp_flags_tc":"1b"/"tcp_flags_tc":"00"/; s/"pkts_toclient":43/"pkts_toclient":0/; s/"bytes_toclient":27009/"bytes_toclient":0/; s/"closed"/"new"/'; done >answers.json
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4]}\n' >estate.yaml
"$BUILD/whittle" estate import --store s.db estate.yaml >/dev/null; ingest s.db answers.json >/dev/null
says "a sensor that hears only answers is reported as one-sided, not as without traffic" 0 'vm1 .*unscanned .*never heard both directions of 10\.0\.0\.4' \
	"$BUILD/whittle" status --store s.db
sed 's/"host":"fw-1"/"vlan":[10]/' a.json >v10.json; sed 's/"host":"fw-2"/"vlan":[20]/' b.json >v20.json
ingest q.db --realm one v10.json v20.json >/dev/null; flows q.db 6 "a conversation routed between VLANs counts once with --realm one"
sed 's/"vlan":\[10\]/"in_iface":"e0"/' v10.json >native.json
ingest t.db --realm one native.json v20.json >/dev/null; flows t.db 6 "also where the one of them has no tag"
says "a realm that is none is refused" 2 "'10' is not a realm" ingest r.db --realm 10 a.json
says "a value of --discover that is none is refused, also where it swallowed the name of the file" 2 "'a.json' is not a list of ranges" ingest r.db --discover a.json
says "so is a slack of hours" 2 '10m' ingest r.db --sensor-slack 2h a.json
# ---- what a sensor hears of other machines, and of connections that are older than it ----
sed 's/10\.0\.0\.4/198.51.100.7/' ten.json | sed 's/"vlan":\[10\],//' >rented.json
says "flows of public addresses alone teach nothing, which is printed with the remedy" 0 '^No flow is of a protected address' ingest u.db rented.json
says "with --discover they do" 0 '1 edges added' ingest v.db --discover 198.51.100.7 rented.json
# mid SRC SPORT DST DPORT FLAGS STATE: a connection of a day, of which no SYN was seen; the server sends more packets
mid() {
	printf '{"timestamp":"2026-11-02T10:10:00.000000+0000","event_type":"flow","src_ip":"%s","src_port":%s,"dest_ip":"%s","dest_port":%s,"proto":"TCP",' "$1" "$2" "$3" "$4"
	printf '"flow":{"pkts_toserver":%s,"pkts_toclient":%s,"bytes_toserver":%s,"bytes_toclient":%s,"start":"2026-11-01T10:00:00.000000+0000","end":"2026-11-02T10:05:00.000000+0000","state":"%s"},"tcp":{"tcp_flags":"%s","tcp_flags_ts":"%s","tcp_flags_tc":"%s"}}\n' "${@:7:4}" "$6" "$5" "$5" "$5"
}
mid 192.0.2.1 50111 10.0.0.4 5432 00 new 4000 6000 800000 1200000 >mid.json
mid 10.0.0.4 5432 192.0.2.2 50111 00 new 6000 4000 1200000 800000 >>mid.json
mid 192.0.2.3 50111 10.0.0.4 5432 18 established 4000 4000 800000 800000 >>mid.json
mid 192.0.2.4 50111 10.0.0.4 5432 00 new 4000 4000 800000 1200000 >>mid.json
ingest w.db mid.json >/dev/null
for i in 1 2 3; do says "a connection that is older than the sensor is an edge on each of its days, whichever end was heard first ($i)" 0 "Inbound +5432/TCP +192\.0\.2\.$i +2 +1 " peers w.db; done
n=$((n + 1)); if peers w.db | grep -q '192\.0\.2\.4'; then echo "not ok $n - bytes that may be ICMP errors are none"; else echo "ok $n - bytes that may be ICMP errors are none"; fi

echo "1..$n"
