#!/bin/bash
# Reading flow logs of clouds and of Zeek through to the ledger, one thread, whole processes (CPU time, best of FLOWS_ROUNDS in turn): Azure's against jansson
# parsing the same file in memory, Zeek's and AWS's against mawk printing the same seven fields of it.
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

# row WHAT FILE TARGET PEER…: PEER prints its seconds
row() {
	local what=$1 file=$2 target=$3 ours='' theirs=''
	shift 3
	for ((i = 0; i < rounds; i++)); do
		rm -f "$dir"/ledger.db*
		ours=$(least "$ours" "$(seconds "$BUILD/whittle" ingest --store "$dir/ledger.db" "$file")")
		theirs=$(least "$theirs" "$("$@")")
	done
	awk -v w="$what" -v n="$(stat -c %s "$file")" -v o="$ours" -v t="$theirs" -v want="$target" 'BEGIN {
		printf "# %s: %.0f MB, ingest %.0f MB/s, peer %.0f MB/s\n", w, n / 1e6, n / o / 1e6, n / t / 1e6
		x = t / o
		printf "%s (times)\t%.1f\t>= %d\t%s\n", w, x, want, (x >= want ? "met" : "missed")
	}'
}
jansson() { "$BUILD/bench/bench_read" jansson "$1" 1 | cut -d' ' -f2; }
printed() { seconds mawk "$@"; }

for f in vnet nsg zeek aws; do "$BUILD/tools/gen_flows" $f "$flows" >"$dir/$f"; done
row "ingest of VNet flow logs, against jansson parsing alone" "$dir/vnet" 10 jansson "$dir/vnet"
row "ingest of NSG flow logs, against jansson parsing alone" "$dir/nsg" 10 jansson "$dir/nsg"
if command -v mawk >/dev/null; then
	row "ingest of Zeek's conn.log, against mawk printing seven fields" "$dir/zeek" 3 printed -F '\t' '!/^#/ { print $1, $3, $4, $5, $6, $7, $12 }' "$dir/zeek"
	row "ingest of AWS flow logs, against mawk printing seven fields" "$dir/aws" 3 printed '{ print $4, $5, $6, $7, $8, $11, $13 }' "$dir/aws"
else
	echo "# no mawk"
fi
