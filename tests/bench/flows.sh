#!/bin/bash
# Reading flow logs of clouds and of Zeek, one thread, CPU time, best of FLOWS_ROUNDS in turn: Azure's against jansson parsing the same file in memory, Zeek's
# and AWS's against mawk printing the same seven fields of it. Two rows each: the reader alone, with the text in memory, and ingest through to the ledger,
# a whole process.
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
least() { awk -v a="$1" -v b="$2" 'BEGIN { print a == "" || b + 0 < a + 0 ? b : a }'; }

# row READER WHAT TARGET PEER…: PEER prints its seconds
row() {
	local reader=$1 file="$dir/$1" what=$2 target=$3 ingest='' alone='' theirs=''
	shift 3
	for ((i = 0; i < rounds; i++)); do
		rm -f "$dir"/ledger.db*
		ingest=$(least "$ingest" "$(seconds "$BUILD/whittle" ingest --store "$dir/ledger.db" "$file")")
		alone=$(least "$alone" "$("$BUILD/bench/bench_read" "$reader" "$file" 2 | cut -d' ' -f2)")
		theirs=$(least "$theirs" "$("$@")")
	done
	awk -v w="$what" -v n="$(stat -c %s "$file")" -v i="$ingest" -v a="$alone" -v t="$theirs" -v want="$target" 'BEGIN {
		printf "# %s: %.0f MB, reader alone %.0f MB/s, ingest %.0f MB/s, peer %.0f MB/s\n", w, n / 1e6, n / a / 1e6, n / i / 1e6, n / t / 1e6
		printf "reading %s (times)\t%.1f\t>= %d\t%s\n", w, t / a, want, (t / a >= want ? "met" : "missed")
		printf "ingest of %s (times)\t%.1f\t>= %d\t%s\n", w, t / i, want, (t / i >= want ? "met" : "missed")
	}'
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
