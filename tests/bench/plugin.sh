#!/bin/bash
# The cost of whittle for Suricata: processor time (user and system, all threads) of one run over one capture of 200,000 conversations,
# with EVE to a file, to a plugin that does nothing, and to whittle, the ledger's last commit included.
#
# Suricata runs as `suricata -r capture` does with its package's own suricata.yaml: its run mode for captures (autofp: a thread that
# reads, one a processor that works), its settings, its buffering (each record is written to eve.json at once). Only the outputs are
# replaced: one eve-log section, the same types in all three (flow and alert; no rules are installed, so all are flows), and what
# differs is where its records go. eve.json and the ledger are in build/, on that file system, made anew for each run. Of the
# conversations 70 of a hundred are short (flowpcap --short), as on a host that the Internet reaches.
#
# Runs follow one another in rounds, each ratio is of neighbours in a round, and the median of the rounds counts: another program's load then
# affects both. The lines with # repeat it in the run mode `single`, on one processor. The time of a plugin that does nothing is the
# floor: Suricata builds each record's text before it asks where that goes. A second capture, of as many conversations with clients that hardly
# any of them shares, makes more than 115,000 edges: there the plugin is held against EVE to a file.
# RUNS=15 tests/bench/plugin.sh for a closer look; THREADED=yes for threaded EVE; SHORT=0 for whole conversations alone.
set -eu
BUILD=${BUILD:-build}
RUNS=${RUNS:-7}
FLOWS=${FLOWS:-200000}
THREADED=${THREADED:-no}
SHORT=${SHORT:-70}
STOCK=${STOCK:-/etc/suricata/suricata.yaml}
build=$(cd "$BUILD" && pwd)
dir=$build/bench/plugin
command -v suricata >/dev/null || { echo "# suricata is not installed: packaging/install-deps.sh bench" >&2; exit 1; }
[ -r "$STOCK" ] || { echo "# $STOCK, the package's own, is not there" >&2; exit 1; }
make -s BUILD="$BUILD" "$BUILD/tools/flowpcap" "$BUILD/bench/null-plugin.so" "$BUILD/whittle-suricata.so" "$BUILD/whittle"
mkdir -p "$dir"
# make_capture NAME CLIENTS SHORT
make_capture() {
	[ -s "$dir/$1" ] || { "$build/tools/flowpcap" --flows "$FLOWS" --hours 1 --clients "$2" --servers 6 --short "$3" "$dir/$1.new" && mv "$dir/$1.new" "$dir/$1"; }
}
capture=$dir/flows-$FLOWS-$SHORT.pcap
many=$dir/edges-$FLOWS.pcap
make_capture "${capture##*/}" 6000 "$SHORT"
make_capture "${many##*/}" 400000 38

config() { # NAME, plugin or nothing, lines of the section
	{
		printf '%%YAML 1.1\n---\ninclude: %s\nunix-command: {enabled: no}\n' "$STOCK"
		[ -z "$2" ] || printf 'plugins: ["%s"]\n' "$2"
		printf 'outputs:\n  - eve-log:\n      enabled: yes\n      threaded: %s\n' "$THREADED"
		printf '%s\n      types: [flow, alert]\n' "$3"
	} >"$dir/$1.yaml"
}
config file '' '      filetype: regular
      filename: eve.json'
config null "$build/bench/null-plugin.so" '      filetype: null-plugin'
config whittle "$build/whittle-suricata.so" "      filetype: whittle
      whittle: {store: $dir/ledger.db}"

TIMEFORMAT='%U %S'
run() { # MODE NAME; mode many: as default, of the second capture
	local how=() from=$capture
	[ "$1" != single ] || how=(taskset -c 0)
	[ "$1" != many ] || from=$many
	how+=(suricata -c "$dir/$2.yaml" -l "$dir" -r "$from")
	[ "$1" != single ] || how+=(--runmode single)
	rm -f "$dir"/eve*.json "$dir"/ledger.db* "$dir"/suricata.log
	{ time "${how[@]}" >"$dir/$2.log" 2>&1; } 2>&1 | awk '{printf "%.3f\n", $1 + $2}' >>"$dir/$1-$2.times"
}
middle='{v[NR] = $1} END {printf "%.3f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
median() { sort -n "$dir/$1-$2.times" | awk "$middle"; }
spread() { sort -n "$dir/$1-$2.times" | sed -n '1{s/$/ to /;h}; ${H;x;s/\n//;p}'; }
# ratio MODE A B: the median over the rounds of A's time by B's
ratio() { paste "$dir/$1-$2.times" "$dir/$1-$3.times" | awk '{print $1 / $2}' | sort -n | awk "$middle"; }
row() { awk -v what="$1" -v r="$2" -v t="$3" 'BEGIN {printf "%s\t%.2f\t≤ %.2f\t%s\n", what, r, t, r <= t ? "met" : "missed"}'; }

rm -f "$dir"/*.times
run default whittle && rm -f "$dir"/*.times # the first reading of the capture
for _ in $(seq "$RUNS"); do
	for mode in default single; do
		for what in file null whittle; do run $mode $what; done
	done
	edges=$("$build/whittle" edges --json --store "$dir/ledger.db" | wc -l)
	for what in file whittle; do run many $what; done
	many_edges=$("$build/whittle" edges --json --store "$dir/ledger.db" | wc -l)
done
echo "# $(suricata -V | sed 's/^This is //'), $FLOWS conversations, $SHORT of a hundred short, threaded EVE: $THREADED; $edges edges; on $(stat -f -c %T "$dir"); $RUNS rounds; processor seconds"
for mode in default single; do
	[ $mode = default ] && echo "# as \`suricata -r\` runs:" || echo "# run mode single, on one processor:"
	for what in file null whittle; do echo "#   EVE to $what: median $(median $mode $what), from $(spread $mode $what)"; done
	echo "#   the floor, null ÷ file, $(ratio $mode null file)"
done
echo "#   whittle ÷ file $(ratio single whittle file), whittle ÷ null $(ratio single whittle null)"
echo "# $many_edges edges:"
for what in file whittle; do echo "#   EVE to $what: median $(median many $what), from $(spread many $what)"; done
row "Suricata with whittle ÷ EVE to a file, processor time" "$(ratio default whittle file)" 0.80
row "Suricata with whittle ÷ a plugin that does nothing, processor time" "$(ratio default whittle null)" 1.05
row "Suricata with whittle ÷ EVE to a file, $((many_edges / 1000)),000 edges, processor time" "$(ratio many whittle file)" 0.85
rm -f "$dir"/eve*.json
