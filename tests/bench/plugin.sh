#!/bin/bash
# What whittle costs Suricata: processor time (user and system, all threads) of one run over one capture of 200,000 conversations,
# with EVE to a file, to a plugin that does nothing, and to whittle, the ledger's last commit included. Of the conversations 70 of a
# hundred are short (flowpcap --short), as on a host that the Internet reaches. Runs follow one another on one processor with one
# packet thread, each ratio is of neighbours in a round, and the median of the rounds counts: another's load then tells in both.
# What a plugin that does nothing takes is the floor: Suricata builds each record's text before it asks where that goes.
# RUNS=15 tests/bench/plugin.sh for a closer look; THREADED=yes for threaded EVE; SHORT=0 for whole conversations alone.
set -eu
BUILD=${BUILD:-build}
RUNS=${RUNS:-7}
FLOWS=${FLOWS:-200000}
THREADED=${THREADED:-no}
SHORT=${SHORT:-70}
build=$(cd "$BUILD" && pwd)
dir=$build/bench/plugin
command -v suricata >/dev/null || { echo "# suricata is not installed: packaging/install-deps.sh bench" >&2; exit 1; }
make -s BUILD="$BUILD" "$BUILD/tools/flowpcap" "$BUILD/bench/null-plugin.so" "$BUILD/whittle-suricata.so" "$BUILD/whittle"
mkdir -p "$dir"
capture=$dir/flows-$FLOWS-$SHORT.pcap
[ -s "$capture" ] || { "$build/tools/flowpcap" --flows "$FLOWS" --hours 1 --clients 6000 --servers 6 --short "$SHORT" "$capture.new" && mv "$capture.new" "$capture"; }

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
	{ time taskset -c 0 suricata --runmode single -c "$dir/$1.yaml" -l "$dir" -r "$capture" >"$dir/$1.log" 2>&1; } 2>&1 | awk '{printf "%.3f\n", $1 + $2}' >>"$dir/$1.times"
}
median() { sort -n "$dir/$1.times" | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

rm -f "$dir"/*.times
run whittle && rm -f "$dir/whittle.times" # the first reading of the capture
for _ in $(seq "$RUNS"); do
	for what in file null whittle; do run $what; done
done
spread() { sort -n "$dir/$1.times" | sed -n '1{s/$/ to /;h}; ${H;x;s/\n//;p}'; }
# ratio A B: the median over the rounds of A's time by B's
ratio() { paste "$dir/$1.times" "$dir/$2.times" | awk '{print $1 / $2}' | sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
echo "# $(suricata -V | sed 's/^This is //'), $FLOWS conversations, $SHORT of a hundred short, threaded EVE: $THREADED; $RUNS rounds; processor seconds, medians"
echo "# EVE to a file $(median file), to a plugin that does nothing $(median null), to whittle $(median whittle) ($("$build/whittle" edges --json --store "$dir/ledger.db" | wc -l) edges in the ledger)"
echo "# from least to most: EVE to a file $(spread file), to a plugin that does nothing $(spread null), to whittle $(spread whittle)"
echo "# the floor: a plugin that does nothing ÷ EVE to a file $(ratio null file | cut -c1-4)"
row() { awk -v what="$1" -v r="$2" -v t="$3" 'BEGIN {printf "%s\t%.2f\t≤ %.2f\t%s\n", what, r, t, r <= t ? "met" : "missed"}'; }
row "Suricata with whittle ÷ EVE to a file, processor time" "$(ratio whittle file)" 0.85
row "Suricata with whittle ÷ a plugin that does nothing, processor time" "$(ratio whittle null)" 1.15
rm -f "$dir"/eve*.json
