#!/bin/bash
# What whittle costs Suricata: processor time (user and system, all threads) of one run over one capture of 200,000 conversations,
# with EVE to a file, to a plugin that does nothing, and to whittle, the ledger's last commit included. Runs are interleaved,
# medians count, and the spread of each is told: on a busy machine it can be wider than what the ratios are to show.
# RUNS=9 tests/bench/plugin.sh for a closer look; THREADED=yes for threaded EVE.
set -eu
BUILD=${BUILD:-build}
RUNS=${RUNS:-5}
FLOWS=${FLOWS:-200000}
THREADED=${THREADED:-no}
build=$(cd "$BUILD" && pwd)
dir=$build/bench/plugin
command -v suricata >/dev/null || { echo "# suricata is not installed: packaging/install-deps.sh bench" >&2; exit 1; }
make -s BUILD="$BUILD" "$BUILD/tools/flowpcap" "$BUILD/bench/null-plugin.so" "$BUILD/whittle-suricata.so" "$BUILD/whittle"
mkdir -p "$dir"
capture=$dir/flows-$FLOWS.pcap
[ -s "$capture" ] || { "$build/tools/flowpcap" --flows "$FLOWS" --hours 1 --clients 6000 --servers 6 "$capture.new" && mv "$capture.new" "$capture"; }

config() { # NAME, plugin or nothing, lines of the section
	{
		printf '%%YAML 1.1\n---\n'
		[ -z "$2" ] || printf 'plugins: ["%s"]\n' "$2"
		printf 'stats: {enabled: no}\nlogging: {default-log-level: warning}\noutputs:\n  - eve-log:\n      enabled: yes\n      threaded: %s\n' "$THREADED"
		printf '%s\n      types: [flow, alert]\n' "$3"
	} >"$dir/$1.yaml"
}
config file '' '      filetype: regular
      filename: eve.json'
config null "$build/bench/null-plugin.so" '      filetype: null-plugin'
config whittle "$build/whittle-suricata.so" "      filetype: whittle
      whittle: {store: $dir/ledger.db}"

TIMEFORMAT='%U %S'
run() {
	rm -f "$dir"/eve*.json "$dir"/ledger.db*
	{ time suricata -c "$dir/$1.yaml" -l "$dir" -r "$capture" >"$dir/$1.log" 2>&1; } 2>&1 | awk '{printf "%.3f\n", $1 + $2}' >>"$dir/$1.times"
}
median() { sort -n "$dir/$1.times" | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

rm -f "$dir"/*.times
run whittle && rm -f "$dir/whittle.times" # the first reading of the capture
for _ in $(seq "$RUNS"); do
	for what in file null whittle; do run $what; done
done
spread() { sort -n "$dir/$1.times" | sed -n '1{s/$/ to /;h}; ${H;x;s/\n//;p}'; }
file=$(median file) null=$(median null) whittle=$(median whittle)
echo "# $(suricata -V | sed 's/^This is //'), $FLOWS conversations, threaded EVE: $THREADED; $RUNS runs each, interleaved; processor seconds, medians"
echo "# EVE to a file $file, to a plugin that does nothing $null, to whittle $whittle ($("$build/whittle" edges --json --store "$dir/ledger.db" | wc -l) edges in the ledger)"
echo "# from least to most: EVE to a file $(spread file), to a plugin that does nothing $(spread null), to whittle $(spread whittle)"
row() { awk -v what="$1" -v a="$2" -v b="$3" -v t="$4" 'BEGIN {printf "%s\t%.2f\t≤ %.2f\t%s\n", what, a / b, t, a / b <= t ? "met" : "missed"}'; }
row "Suricata with whittle ÷ EVE to a file, processor time" "$whittle" "$file" 0.85
row "Suricata with whittle ÷ a plugin that does nothing, processor time" "$whittle" "$null" 1.15
rm -f "$dir"/eve*.json
