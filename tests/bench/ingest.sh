#!/bin/bash
# Reading EVE flow records through to the ledger, one thread, against simdjson On-Demand reading seven fields of the same file in the
# same pieces, and jansson parsing alone with the text in memory; against an older build, in turn in the same rounds, where BASE names
# one. CPU time (user and system) of whole processes, start and commit included; the file is in the page cache. Each round gives a ratio
# of its own: the row is their median, as what else the machine does reaches both sides of a round. The readers with their text in memory
# are printed too, the better of two passes over it: the first may meet memory that a virtual machine has not mapped yet.
set -euo pipefail
BUILD=${BUILD:-build}
records=${INGEST_RECORDS:-1800000}
rounds=${INGEST_ROUNDS:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$BUILD/tools/gen_eve" --records "$records" --edges 20000 >"$dir/flows.json"
head -n 30000 "$dir/flows.json" >"$dir/few.json"
head -n $((records / 4)) "$dir/flows.json" >"$dir/quarter.json"
head -n $((records / 2)) "$dir/flows.json" >"$dir/half.json"
bytes=$(stat -c %s "$dir/flows.json")
peer="$BUILD/bench/peer_simdjson"
if [ tests/bench/peer_simdjson.cc -nt "$peer" ] && ! "${CXX:-g++}" -O3 -std=c++17 -o "$peer" tests/bench/peer_simdjson.cc -lsimdjson 2>"$dir/why"; then
	echo "# no simdjson peer: $(head -n 1 "$dir/why")"
	peer=
fi

# seconds COMMAND…: CPU seconds of the whole process
seconds() {
	local TIMEFORMAT='%U %S'
	{ time "$@" >/dev/null; } 2>&1 | awk 'END { print $1 + $2 }'
}
# ingest BUILD FILE: the same, into a new ledger
ingest() {
	rm -f "$dir"/ledger.db*
	seconds "$1" ingest --store "$dir/ledger.db" "$2"
}
least() { sort -n "$1" | sed -n 1p; }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
spread() { sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%.2f to %.2f", v[1], v[NR] }'; }
row() { awk -v what="$1" -v x="$2" -v target="$3" 'BEGIN {
	met = target ~ /^>=/ ? x >= substr(target, 4) : x <= substr(target, 4)
	printf "%s\t%.2f\t%s\t%s\n", what, x, target, (met ? "met" : "missed")
}'; }
# ratio A B FILE: A / B, of one round
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { print a / b }' >>"$dir/$3"; }

for ((i = 0; i < rounds; i++)); do
	ours=$(ingest "$BUILD/whittle" "$dir/flows.json")
	quarter=$(ingest "$BUILD/whittle" "$dir/quarter.json")
	echo "$ours" >>"$dir/ours"
	ingest "$BUILD/whittle" "$dir/half.json" >>"$dir/halves"
	echo "$quarter" >>"$dir/quarters"
	ratio "$ours" "$quarter" growth
	"$BUILD/bench/bench_read" eve "$dir/flows.json" 2 | cut -d' ' -f2 >>"$dir/reader"
	if [ -n "$peer" ]; then
		theirs=$(seconds "$peer" "$dir/flows.json" stream)
		echo "$theirs" >>"$dir/theirs"
		ratio "$theirs" "$ours" against_peer
		"$peer" "$dir/flows.json" 2 | cut -d' ' -f2 >>"$dir/memory"
	fi
	[ -z "${BASE:-}" ] || ratio "$(ingest "$BASE" "$dir/flows.json")" "$ours" against_base
done
jansson=$("$BUILD/bench/bench_read" jansson "$dir/few.json" 2 | cut -d' ' -f3) # MB/s
mb_s() { awk -v b="$bytes" -v s="$(least "$dir/$1")" 'BEGIN { printf "%.0f", b / s / 1e6 }'; }
echo "# $records flow records, $((bytes / 1000000)) MB, 20,000 edges, from the file: ingest $(mb_s ours) MB/s${peer:+, simdjson On-Demand $(mb_s theirs)}"
echo "# the text in memory: our reader alone $(mb_s reader) MB/s${peer:+, simdjson On-Demand $(mb_s memory)}, jansson $jansson"
echo "# CPU seconds of a quarter, a half and all: $(least "$dir/quarters"), $(least "$dir/halves"), $(least "$dir/ours")"
row "ingest, few edges, of four times as many records (times the CPU)" "$(median "$dir/growth")" "<= 4.2"
row "ingest through to the ledger, against jansson parsing alone (times)" "$(awk -v a="$(mb_s ours)" -v b="$jansson" 'BEGIN { print a / b }')" ">= 15"
if [ -n "$peer" ]; then
	echo "# times simdjson On-Demand, by rounds: $(spread "$dir/against_peer")"
	row "ingest, few edges, against simdjson On-Demand reading the file (times)" "$(median "$dir/against_peer")" ">= 1.0"
fi
if [ -z "${BASE:-}" ]; then
	echo "# few edges: BASE=path-to-older-build compares with it"
else
	echo "# times that build, by rounds: $(spread "$dir/against_base")"
	row "ingest, few edges, against that build (times)" "$(median "$dir/against_base")" ">= 1.0"
fi
rm -f "$dir/quarter.json" "$dir/half.json"

# peak_memory WHAT FILE
peak_memory() {
	local rss
	rm -f "$dir"/ledger.db*
	rss=$(/usr/bin/time -f %M "$BUILD/whittle" ingest --store "$dir/ledger.db" "$2" 2>&1 >/dev/null | tail -n 1)
	awk -v what="$1" -v r="$rss" -v b="$(stat -c %s "$2")" 'BEGIN {
		printf "peak memory of ingest of %.2f GB%s (MB)\t%.0f\t< 100\t%s\n", b / 1e9, what, r / 1000, (r < 100000 ? "met" : "missed")
	}'
}
cat "$dir/flows.json" "$dir/few.json" "$dir/flows.json" >"$dir/big.json"
peak_memory "" "$dir/big.json"
rm -f "$dir/big.json" "$dir/flows.json"
"$BUILD/tools/gen_eve" --records 2500000 --edges 9000000 --seed 9 >"$dir/many.json"
peak_memory ", two million sources" "$dir/many.json"
