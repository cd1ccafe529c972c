#!/bin/bash
# Runs every bench and prints one table: what, measured, target, met or missed. Ratios are between peers of the same run.
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
[ -z "${BASE:-}" ] || { [ -f "$BASE" ] && [ -x "$BASE" ]; } || { echo "bench: BASE=$BASE is not the program of an older build (…/build/whittle)" >&2; exit 2; }
mkdir -p "$BUILD/bench"
table="$BUILD/bench/table.txt"
{
	echo "# $(date -u +%Y-%m-%dT%H:%MZ), $(nproc) x $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), Linux $(uname -r)"
	for b in tests/bench/*.sh; do
		[ "$b" = tests/bench/run.sh ] && continue
		echo "# $(basename "$b" .sh)"
		"$b" || echo -e "$(basename "$b") failed\t-\t-\tmissed"
	done
} | tee "$table.raw" | grep '^#' 
awk -F'\t' 'NF>=4 {printf "%-74s %16s %16s  %s\n",$1,$2,$3,$4}' "$table.raw" | { printf '%-74s %16s %16s  %s\n' what measured target result; cat; } | tee "$table"
missed=$(grep -c 'missed$' "$table")
echo "$(grep -c 'met$' "$table") met, $missed missed; written to $table"
