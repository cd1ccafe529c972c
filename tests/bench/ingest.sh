#!/bin/bash
# Reading EVE flow records through to the ledger, one thread, against simdjson On-Demand reading seven fields and jansson parsing
# alone. All in CPU time (user and system), best of INGEST_ROUNDS rounds in turn, so that a busy machine disturbs little. ingest reads its
# file (from the page cache), each time in a new process, start and commit included; the simdjson that it is held against reads the same
# file in the same pieces. The result of each with its text in memory is printed too, the better of two passes over it: the first may meet
# memory that a virtual machine has not mapped yet, and then takes several times as long. jansson has its text in memory.
set -euo pipefail
BUILD=${BUILD:-build}
records=${INGEST_RECORDS:-1800000}
rounds=${INGEST_ROUNDS:-5}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$BUILD/tools/gen_eve" --records "$records" --edges 20000 >"$dir/flows.json"
head -n 30000 "$dir/flows.json" >"$dir/few.json"
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
least() { awk -v a="$1" -v b="$2" 'BEGIN { print a == "" || b + 0 < a + 0 ? b : a }'; }

ingest='' reader='' simdjson='' memory=''
for ((i = 0; i < rounds; i++)); do
	rm -f "$dir"/ledger.db*
	ingest=$(least "$ingest" "$(seconds "$BUILD/whittle" ingest --store "$dir/ledger.db" "$dir/flows.json")")
	reader=$(least "$reader" "$("$BUILD/bench/bench_read" eve "$dir/flows.json" 2 | cut -d' ' -f2)")
	[ -n "$peer" ] || continue
	simdjson=$(least "$simdjson" "$(seconds "$peer" "$dir/flows.json" stream)")
	memory=$(least "$memory" "$("$peer" "$dir/flows.json" 2 | cut -d' ' -f2)")
done
jansson=$("$BUILD/bench/bench_read" jansson "$dir/few.json" 2 | cut -d' ' -f3) # MB/s
awk -v n="$records" -v b="$bytes" -v i="$ingest" -v r="$reader" -v s="$simdjson" -v m="$memory" -v j="$jansson" 'BEGIN {
	printf "# %d flow records, %.0f MB, 20,000 edges, from the file: ingest %.0f MB/s", n, b / 1e6, b / i / 1e6
	if (s != "")
		printf ", simdjson On-Demand %.0f", b / s / 1e6
	printf "\n# the text in memory: our reader alone %.0f MB/s", b / r / 1e6
	if (m != "")
		printf ", simdjson On-Demand %.0f", b / m / 1e6
	printf ", jansson %.0f\n", j
	x = b / i / 1e6 / j
	printf "ingest through to the ledger, against jansson parsing alone (times)\t%.1f\t>= 15\t%s\n", x, (x >= 15 ? "met" : "missed")
	if (s == "")
		exit
	x = s / i * 1.4
	printf "ingest, where simdjson On-Demand does 1.4 GB/s (GB/s)\t%.2f\t>= 1.0\t%s\n", x, (x >= 1 ? "met" : "missed")
}'

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
