#!/bin/bash
# Flow logs of clouds, Zeek and nfdump: the same conversations give the same edges in every format, and each record counts once, however a log grows and
# at whatever point a run is killed.
set -u
. "$(dirname "$0")/lib/start.sh"
. "$here/../support/ingest.sh"
golden=$(cd "$here/../golden/flow" && pwd)
export TZ=UTC
edges() { dump l.db | grep '^edge' | diff "$golden/edges.txt" -; }

gives_the_edges() { fresh; ingest "$golden/$1" && edges && expect 0 'Nothing new|^0 records' ingest "$golden/$1"; }
for f in eve.json vnet.json nsg.json zeek.log zeek.json aws-v2.log aws-v3.log nfdump-1.6.csv nfdump-1.7.csv; do
	tell "$f gives the edges of the same conversations, once" gives_the_edges $f
done
packed() { fresh; gzip -c "$golden/vnet.json" >v.gz && ingest v.gz && expect 0 'Nothing new' ingest "$golden/vnet.json" && edges; }
tell "a packed document is known unpacked" packed
odd() { fresh; { printf '\357\273\277'; cat "$golden/nsg.json"; } >odd.json && ingest odd.json && { echo 'a line of another program'; cat "$golden/zeek.log"; } >odd.log && fresh && expect 0 '1 that could not be read' ingest odd.log && edges; }
tell "an odd beginning is looked past" odd

# ---- documents that grow before their closing brackets ----
grown() { # byte by byte positions of a blob: what is before its brackets, closed again
	fresh
	local whole=$golden/vnet.json size at
	size=$(stat -c %s "$whole")
	for at in 12 700 1200 1300 "$((size - 2))"; do
		{ head -c "$at" "$whole"; [ "$at" -lt $((size - 2)) ] || printf ']}'; } >g.json
		ingest g.json || return
	done
	edges
}
tell "a blob that grows before its brackets counts each record once" grown
empty() { fresh; printf '{\n  "records": []\n}\n' >e.json && expect 0 '^0 records' ingest e.json && ! grep -q 'not complete' said; }
tell "a blob without records is no error" empty
hours() { # begin and end of the flows lie in two blobs, below their folders
	fresh
	rm -rf blobs
	local at
	for h in 08 09; do mkdir -p "blobs/flowLogResourceID=/A/y=2026/m=11/d=03/h=$h/m=00/macAddress=00005E005301"; done
	at=$(grep -bo ',{"time":"2026-11-03T08:02' "$golden/vnet.json" | cut -d: -f1)
	{ head -c "$at" "$golden/vnet.json"; printf ']}'; } >"blobs/flowLogResourceID=/A/y=2026/m=11/d=03/h=08/m=00/macAddress=00005E005301/PT1H.json"
	{ printf '{"records":['; tail -c +$((at + 2)) "$golden/vnet.json"; } >"blobs/flowLogResourceID=/A/y=2026/m=11/d=03/h=09/m=00/macAddress=00005E005301/PT1H.json"
	echo "no log" >blobs/readme.txt
	if [ "${1-}" = apart ]; then
		ingest "blobs/flowLogResourceID=/A/y=2026/m=11/d=03/h=08" && ingest "blobs/flowLogResourceID=/A/y=2026/m=11/d=03/h=09"
	else
		expect 0 'no.*format that is known; 1 such file passed over|not a format' ingest blobs
	fi && edges
}
tell "a directory of blobs is read, and what is no log there passed over" hours
tell "a flow with its begin and end read by two runs is one flow" hours apart
both_ends() { # the other end's interface logs the same flow
	fresh
	sed 's/198\.51\.100\.24/10.20.2.9/g' "$golden/vnet.json" >one.json
	sed 's/198\.51\.100\.24/10.20.2.9/g; s/00005E005301/00005E005302/g' "$golden/vnet.json" >other.json
	ingest one.json && dump l.db | grep '^edge' >before.txt && expect 0 'another sensor had reported' ingest other.json && dump l.db | grep '^edge 10.20.1.4 Inbound' | diff <(grep '^edge 10.20.1.4 Inbound' before.txt) -
}
tell "a flow that both ends' interfaces log counts once" both_ends

# ---- killed at random ----
# as FORMAT: flows that gen_flows wrote for AWS (version 2), in another tool's words
as() {
	awk -v format="$1" '
	function stamp(s) { return strftime("%Y-%m-%d %H:%M:%S", s, 1) }
	function eve(s) { return strftime("%Y-%m-%dT%H:%M:%S.000000+0000", s, 1) }
	NR == 1 {
		if (format == "aws-v11") print "flow-direction start ecs-task-id tcp-flags end pkt-dstaddr dstport bytes pkt-srcaddr srcport dstaddr srcaddr protocol packets interface-id reject-reason encryption-status log-status action version"
		if (format == "nfdump-1.6") print "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt"
		if (format == "nfdump-1.7") print "firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,flags,packets,bytes"
		next
	}
	{ asks = $6 > 9999; bits = $13 == "REJECT" ? 2 : asks ? 3 : 19; way = asks ? "ingress" : "egress" }
	format == "aws-v11" { print way, $11, "-", bits, $12, $5, $7, $10, $4, $6, $5, $4, $8, $9, $3, "-", "0", $14, $13, 11 }
	format ~ /nfdump/ { f = $13 == "REJECT" ? "......S." : "...AP.SF" }
	format == "nfdump-1.6" { print stamp($11) "," stamp($12) "," $12 - $11 "," $4 "," $5 "," $6 "," $7 ",TCP," f ",0,0," $9 "," $10 ",0,0" }
	format == "nfdump-1.7" { print $11 ".000," $12 ".000," $8 "," $4 "," $6 "," $5 "," $7 "," f "," $9 "," $10 }
	format !~ /zeek|eve/ { next }
	$13 == "REJECT" { src = $4; dst = $5; sport = $6; dport = $7; out = $10; outp = $9; back = backp = 0; state = "S0" }
	$13 == "ACCEPT" && asks { src = $4; dst = $5; sport = $6; dport = $7; out = $10; outp = $9; next }
	$13 == "ACCEPT" { back = $10; backp = $9; state = "SF" }
	format ~ /zeek/ { history = state == "SF" ? "ShADadFf" : "S"; data = state == "SF" ? int(out / 2) : 0 }
	format == "zeek-json" { printf "{\"ts\":%d.0,\"uid\":\"C%d\",\"id.orig_h\":\"%s\",\"id.orig_p\":%d,\"id.resp_h\":\"%s\",\"id.resp_p\":%d,\"proto\":\"tcp\",\"duration\":%d.0,\"orig_bytes\":%d,\"resp_bytes\":%d,\"conn_state\":\"%s\",\"history\":\"%s\",\"orig_pkts\":%d,\"orig_ip_bytes\":%d,\"resp_pkts\":%d,\"resp_ip_bytes\":%d}\n",
		$11, NR, src, sport, dst, dport, $12 - $11, data, int(back / 2), state, history, outp, out, backp, back }
	format == "eve" { printf "{\"timestamp\":\"%s\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"%s\",\"src_port\":%d,\"dest_ip\":\"%s\",\"dest_port\":%d,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":%d,\"pkts_toclient\":%d,\"bytes_toserver\":%d,\"bytes_toclient\":%d,\"start\":\"%s\",\"end\":\"%s\",\"state\":\"%s\",\"alerted\":false},\"tcp\":{\"tcp_flags_ts\":\"%s\",\"tcp_flags_tc\":\"%s\"}}\n",
		eve($12), NR, src, sport, dst, dport, outp, backp, out, back, eve($11), eve($12), state == "SF" ? "closed" : "new", state == "SF" ? "1b" : "02", state == "SF" ? "1b" : "00" }
	' flows.aws
}
# without those whose ports come again by chance: without a verdict, a refused one and the next are one
"$BUILD/tools/gen_flows" aws 20000 400 | awk '$6 > 9999 || NR == 1 { keep = !seen[$4, $5, $6, $7]++ } keep' >flows.aws || exit 1
killed() { # FORMAT FILE: killed again and again, the ledger ends as that of one run
	local began took pid
	fresh
	rm -f whole.db*
	began=$(date +%s%N)
	"$w" ingest --memory 1MiB --store whole.db "$2" >said || { cat said; return 1; }
	took=$((($(date +%s%N) - began) / 1000))
	for _ in 1 2 3 4 5 6; do
		"$w" ingest --store l.db --memory 1MiB "$2" &
		pid=$! # the next line changes it: a process substitution counts as a background process
		read -rt "$(printf '0.%06d' $((RANDOM * 32 % (took < 900000 ? took : 900000))))" <> <(:)
		kill -9 $pid 2>/dev/null
		wait $pid 2>/dev/null
	done
	ingest --memory 1MiB "$2" && same l.db whole.db
}
at_once() { # FILE: several runs read it at the same time, each begun a moment later; of the ledger of killed()
	local pids=()
	fresh
	for _ in 1 2 3 4 5 6; do
		"$w" ingest --store l.db --memory 1MiB "$1" &
		pids+=($!)
		read -rt "$(printf '0.%06d' $((RANDOM * 3)))" <> <(:)
	done
	wait "${pids[@]}"
	ingest --memory 1MiB "$1" && same l.db whole.db
}
for f in vnet nsg zeek; do
	"$BUILD/tools/gen_flows" $f 20000 400 >big.log
	tell "$f: a run that is killed at random ends in the same ledger" killed $f big.log
	tell "$f: runs at the same time count each record once" at_once big.log
done
tell "aws-v2: a run that is killed at random ends in the same ledger" killed aws-v2 flows.aws
dump whole.db | grep '^edge' >aws-v2.edges
[ "$(wc -l <aws-v2.edges)" -gt 3000 ] || exit 1
same_edges() { diff aws-v2.edges "$1.edges" | head -n 4 | cut -c 1-500; cmp -s aws-v2.edges "$1.edges"; }
for f in aws-v11 nfdump-1.6 nfdump-1.7 zeek-json eve; do
	as $f >"$f.log"
	tell "$f: a run that is killed at random ends in the same ledger" killed $f "$f.log"
	dump whole.db | grep '^edge' >"$f.edges"
	tell "$f: twenty thousand conversations give the edges that they give in AWS's words" same_edges $f
done

# ---- options ----
since() {
	fresh
	ingest --since 2026-11-03T08:00:05Z "$golden/zeek.log" && [ "$(dump l.db | grep -c '^edge')" = 2 ] && ingest "$golden/zeek.log" && edges
}
tell "--since leaves earlier flows out, and they can be read later" since
denied() {
	local f
	for f in aws-v2.log nsg.json; do
		fresh
		ingest --since 2026-11-04 "$golden/$f" && ! dump l.db | grep -v '^totals' && ingest "$golden/$f" && edges && dump l.db | grep -q '^refused' || return
	done
}
tell "--since leaves earlier refused attempts out, and they can be read later" denied
format() { fresh; tail -n +2 "$golden/aws-v3.log" >n.log; expect 2 'fields|known' ingest n.log; fresh; ingest --aws-format "$(head -n 1 "$golden/aws-v3.log")" n.log && edges; }
tell "--aws-format names the fields where no header does" format
echo "1..$n"
