#!/bin/bash
# Reading flow logs of clouds and of Zeek, one thread, CPU time: Azure's against jansson parsing the same file in memory, Zeek's and AWS's
# against mawk printing the same seven fields of it, and an older build, in turn in the same rounds, where BASE names one. Two rows each:
# the reader alone, with the text in memory, and ingest through to the ledger, a whole process. Each round gives a ratio of its own, of
# which the row is the median. How it grows: files of a quarter, of a half and of all flows.
set -euo pipefail
BUILD=${BUILD:-build}
flows=${FLOWS:-1000000}
rounds=${FLOWS_ROUNDS:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

seconds() {
	local TIMEFORMAT='%U %S'
	{ time "$@" >/dev/null; } 2>&1 | awk 'END { print $1 + $2 }'
}
# ingest BUILD FILE: CPU seconds of it into a new ledger
ingest() {
	rm -f "$dir"/ledger.db*
	seconds "$1" ingest --store "$dir/ledger.db" "$2"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { print a / b }' >>"$dir/ratios.$3"; }
median() { sort -n "$dir/ratios.$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
spread() { sort -n "$dir/ratios.$1" | awk '{ v[NR] = $1 } END { printf "%.2f to %.2f", v[1], v[NR] }'; }
say() { awk -v w="$1" -v x="$2" -v want="$3" 'BEGIN { printf "%s (times)\t%.2f\t>= %s\t%s\n", w, x, want, (x >= want ? "met" : "missed") }'; }

# row READER WHAT TARGET PEER…: PEER prints its seconds
row() {
	local reader=$1 file="$dir/$1" what=$2 target=$3 base=${BASE:-} ours theirs i sizes=
	shift 3
	rm -f "$dir"/ratios.* "$dir"/ledger.db*
	if [ -n "$base" ] && ! "$base" ingest --store "$dir/ledger.db" "$file" >/dev/null 2>&1; then
		echo "# that build does not read this: $what"
		base=
	fi
	for ((i = 0; i < rounds; i++)); do
		ours=$(ingest "$BUILD/whittle" "$file")
		theirs=$("$@")
		ratio "$theirs" "$ours" ingest
		ratio "$theirs" "$("$BUILD/bench/bench_read" "$reader" "$file" 2 | cut -d' ' -f2)" alone
		[ -z "$base" ] || ratio "$(ingest "$base" "$file")" "$ours" base
	done
	for i in 4 2 1; do
		"$BUILD/tools/gen_flows" "$reader" $((flows / i)) >"$file"
		sizes+="$(ingest "$BUILD/whittle" "$file") "
	done
	echo "# $what: $(($(stat -c %s "$file") / 1000000)) MB, by rounds: reader alone $(spread alone) times, ingest $(spread ingest)"
	echo "# CPU seconds of a quarter, a half and all: $sizes"
	say "reading $what" "$(median alone)" "$target"
	say "ingest of $what" "$(median ingest)" "$target"
	[ -z "$base" ] || say "ingest of ${what%,*}, against that build, by rounds $(spread base)" "$(median base)" 1
}
jansson() { "$BUILD/bench/bench_read" jansson "$1" 1 | cut -d' ' -f2; }
printed() { seconds mawk "$@"; }

for f in vnet nsg zeek aws; do "$BUILD/tools/gen_flows" $f "$flows" >"$dir/$f"; done
row vnet "VNet flow logs, against jansson parsing alone" 10 jansson "$dir/vnet"
row nsg "NSG flow logs, against jansson parsing alone" 10 jansson "$dir/nsg"
if command -v mawk >/dev/null; then
	row zeek "Zeek's conn.log, against mawk printing seven fields" 3 printed -F '\t' '!/^#/ { print $1, $3, $4, $5, $6, $7, $12 }' "$dir/zeek"
	row aws "AWS flow logs, against mawk printing seven fields" 3 printed '{ print $4, $5, $6, $7, $8, $11, $13 }' "$dir/aws"
else
	echo "# no mawk"
fi
