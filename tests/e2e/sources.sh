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
killed() { # FORMAT: killed again and again, the ledger ends as that of one run
	local i
	"$BUILD/tools/gen_flows" "$1" 20000 400 >big.log || return
	fresh
	rm -f whole.db*
	"$w" ingest --memory 1MiB --store whole.db big.log || return
	for i in 1 2 3 4 5 6; do
		"$w" ingest --store l.db --memory 1MiB big.log &
		sleep "0.$((RANDOM % 5))$((RANDOM % 10))"
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
	done
	ingest --memory 1MiB big.log && same l.db whole.db
}
for f in vnet nsg zeek aws; do tell "$f: a run that is killed at random ends in the same ledger" killed $f; done

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
