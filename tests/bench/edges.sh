#!/bin/bash
# Flows of public peers into nearly as many edges: CPU seconds (user and system) of whole processes, the ledger's bytes and the peak
# memory, for three sizes; and against an older build, in turn in the same rounds, where BASE names one. And the same flows in four
# files, on two processors and on one.
set -euo pipefail
BUILD=${BUILD:-build}
records=${EDGES_RECORDS:-600000}
rounds=${EDGES_ROUNDS:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# ingest COMMAND… FILES: "seconds bytes kilobytes elapsed"
ingest() {
	rm -f "$dir"/ledger.db*
	/usr/bin/time -f '%U %S %M %e' -o "$dir/time" "${@:1:$#-1}" ingest --store "$dir/ledger.db" "${!#}"* >/dev/null
	awk -v bytes="$(stat -c %s "$dir/ledger.db")" 'END { print $1 + $2, bytes, $3, $4 }' "$dir/time"
}
least() { sort -n "$1" | sed -n 1p; }
spread() { sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%.2f, %.2f to %.2f", v[int((NR + 1) / 2)], v[1], v[NR] }'; }
row() { awk -v what="$1" -v x="$2" -v target="$3" -v digits="$4" 'BEGIN {
	met = target ~ /^>=/ ? x >= substr(target, 4) : x <= substr(target, 4)
	printf "%s\t%.*f\t%s\t%s\n", what, digits, x, target, (met ? "met" : "missed")
}'; }

first=
for n in $((records / 4)) $((records / 2)) "$records"; do
	"$BUILD/tools/gen_eve" --records "$n" --edges 4000000000 --seed 9 --ipv6 0 --tcp >"$dir/many.json"
	for f in ours base ratios; do : >"$dir/$f"; done
	for ((i = 0; i < rounds; i++)); do
		ingest "$BUILD/whittle" "$dir/many" >>"$dir/ours"
		[ -n "${BASE:-}" ] || continue
		ingest "$BASE" "$dir/many" >>"$dir/base"
		echo "$(tail -n 1 "$dir/base") $(tail -n 1 "$dir/ours")" | awk '{ print $1 / $5 }' >>"$dir/ratios"
	done
	read -r s b k _ <<<"$(least "$dir/ours")"
	first=${first:-$s}
	echo "# $n flows of public peers: $s s of CPU ($(spread "$dir/ours")), $b bytes of ledger, $((k / 1024)) MiB"
done
row "ingest of four times as many edges (times the CPU)" "$(awk -v a="$first" -v b="$s" 'BEGIN { print b / a }')" "<= 4.4" 2

if [ -z "${BASE:-}" ]; then
	echo "# many edges: BASE=path-to-older-build compares with it"
else
	read -r s0 b0 k0 _ <<<"$(least "$dir/base")"
	echo "# that build: $s0 s, $b0 bytes of ledger, $((k0 / 1024)) MiB; times of it by rounds: $(spread "$dir/ratios")"
	row "ingest of many edges, against that build (times, median)" "$(spread "$dir/ratios" | cut -d, -f1)" ">= 4" 2
	row "the ledger's size, against that build's" "$(awk -v a="$b0" -v b="$b" 'BEGIN { print b / a }')" "<= 0.35" 2
	row "peak memory, against that build's" "$(awk -v a="$k0" -v b="$k" 'BEGIN { print b / a }')" "<= 1" 2
fi

# ---- several files ----
several() { # several NAME ARGUMENTS-OF-GEN_EVE…
	local name=$1 one two cpu
	shift
	rm -f "$dir"/many*
	for i in 1 2 3 4; do "$BUILD/tools/gen_eve" --records $((records / 2)) --seed "$i" "$@" >"$dir/many$i.json"; done
	for f in one two; do : >"$dir/$f"; done
	for ((i = 0; i < rounds; i++)); do
		ingest taskset -c 0 "$BUILD/whittle" "$dir/many" | awk '{ print $4, $1 }' >>"$dir/one"
		ingest taskset -c 0,1 "$BUILD/whittle" "$dir/many" | awk '{ print $4, $1 }' >>"$dir/two"
	done
	read -r one cpu <<<"$(least "$dir/one")"
	read -r two _ <<<"$(least "$dir/two")"
	echo "# four files of $name: $one s on one processor, $two s on two; CPU $(sort -k2n "$dir/one" | awk 'NR == 1 { print $2 }') and $(sort -k2n "$dir/two" | awk 'NR == 1 { print $2 }') s"
	row "ingest of four files of $name, two processors (times one)" "$(awk -v a="$one" -v b="$two" 'BEGIN { print a / b }')" ">= 1.8" 2
}
if [ "$(nproc)" -lt 2 ]; then
	echo "# several files: there is one processor"
else
	several "few edges" --edges 20000
	several "many edges" --edges 4000000000 --ipv6 0 --tcp
fi
