#!/bin/bash
# Flows of public peers into nearly as many edges: CPU seconds (user and system, the least of EDGES_ROUNDS rounds), the ledger's bytes and
# the peak memory, for three sizes; and against an older build, in turn, where BASE names one.
set -euo pipefail
BUILD=${BUILD:-build}
records=${EDGES_RECORDS:-600000}
rounds=${EDGES_ROUNDS:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# ingest WHITTLE FILE: "seconds bytes kilobytes"
ingest() {
	rm -f "$dir"/ledger.db*
	/usr/bin/time -f '%U %S %M' "$1" ingest --store "$dir/ledger.db" "$2" 2>"$dir/time" >/dev/null
	awk -v bytes="$(stat -c %s "$dir/ledger.db")" 'END { print $1 + $2, bytes, $3 }' "$dir/time"
}
least() { sort -n "$1" | head -n 1; }
row() { awk -v what="$1" -v x="$2" -v target="$3" -v digits="$4" 'BEGIN {
	met = target ~ /^>=/ ? x >= substr(target, 4) : x <= substr(target, 4)
	printf "%s\t%.*f\t%s\t%s\n", what, digits, x, target, (met ? "met" : "missed")
}'; }

for n in $((records / 4)) $((records / 2)) "$records"; do
	"$BUILD/tools/gen_eve" --records "$n" --edges 4000000000 --seed 9 >"$dir/many.json"
	: >"$dir/ours" >"$dir/base" >"$dir/ratios"
	for ((i = 0; i < rounds; i++)); do
		ingest "$BUILD/whittle" "$dir/many.json" >>"$dir/ours"
		[ -n "${BASE:-}" ] || continue
		ingest "$BASE" "$dir/many.json" >>"$dir/base"
		echo "$(tail -n 1 "$dir/base") $(tail -n 1 "$dir/ours")" | awk '{ print $1 / $4 }' >>"$dir/ratios"
	done
	read -r s b k <<<"$(least "$dir/ours")"
	echo "# $n flows of public peers: $s s, $b bytes of ledger, $((k / 1024)) MiB"
done
[ -n "${BASE:-}" ] || { echo "# many edges: BASE=path-to-older-build compares with it"; exit 0; }
read -r s0 b0 k0 <<<"$(least "$dir/base")"
echo "# that build: $s0 s, $b0 bytes of ledger, $((k0 / 1024)) MiB; times of it by rounds: $(sort -n "$dir/ratios" | tr '\n' ' ')"
row "ingest of many edges, against that build (times)" "$(awk -v a="$s0" -v b="$s" 'BEGIN { print a / b }')" ">= 4" 2
row "the ledger's size, against that build's" "$(awk -v a="$b0" -v b="$b" 'BEGIN { print b / a }')" "<= 0.35" 2
row "peak memory, against that build's" "$(awk -v a="$k0" -v b="$k" 'BEGIN { print b / a }')" "<= 1" 2
