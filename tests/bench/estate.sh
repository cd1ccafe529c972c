#!/bin/sh
# An estate of 10,000 machines in 500 subnets with 300 groups of 200 rules: import, all connections by class, one question, every assessment and the report; and how the cost grows. All in
# seconds of CPU of one thread: the least of three runs.
set -eu
BUILD=${BUILD:-build}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export WHITTLE_STATE="$dir/state"

# cpu FILE COMMAND…: seconds of CPU and MiB; what it prints goes to FILE
cpu() {
	to=$1; shift
	for _ in 1 2 3; do
		/usr/bin/time -o "$dir/time" -f '%U %S %M' "$@" >"$to"
		awk '{ printf "%.3f %.0f\n", $1 + $2, $3 / 1024 }' "$dir/time"
	done | sort -n | head -n 1
}
row() { awk -v what="$1" -v x="$2" -v t="$3" 'BEGIN { printf "%s\t%.3f\t< %s\t%s\n", what, x, t, x < t ? "met" : "missed" }'; }

for vms in 1000 3000 10000; do
	mkdir "$dir/$vms"
	export WHITTLE_STORE="$dir/$vms.db"
	"$BUILD/tools/make_estate" "$dir/$vms" $vms $((vms / 20)) $((vms * 3 / 100)) 200
	import=$(cpu "$dir/out" "$BUILD/whittle" estate import "$dir/$vms")
	all=$(cpu "$dir/out" "$BUILD/whittle" connections --compact --json)
	start=$(cpu "$dir/none" "$BUILD/whittle" edges)
	one=$(cpu "$dir/one" "$BUILD/whittle" reach vm-500 vm-77 --port 443)
	jq '.[7] | .securityRules |= map(if .name == "rule-33" then .access = (if .access == "Deny" then "Allow" else "Deny" end) else . end)' "$dir/$vms/nsgs.json" >"$dir/group.json"
	what_if=$(cpu "$dir/one" "$BUILD/whittle" diff "$dir/group.json")
	map=$(cpu "$dir/one" "$BUILD/whittle" map --html "$dir/map.html")
	assess=$(cpu "$dir/assessed" "$BUILD/whittle" assess --all --json)
	states=$(cpu "$dir/one" "$BUILD/whittle" compliance --json)
	pdf=$(cpu "$dir/one" "$BUILD/whittle" compliance --pdf "$dir/report.pdf")
	echo "# $vms machines: $(jq '.classes | length' "$dir/out") classes; import $import, connections $all, reach $one, what one group would change $what_if (of which any command $start), map $map, $(jq '.assessments | length' "$dir/assessed") verdicts $assess, report $pdf (s, MiB)"
done
row "estate import of 10,000 machines (s)" "${import% *}" 5
row "connections --compact of 10,000 machines (s)" "${all% *}" 5
row "connections --compact of 10,000 machines (MiB)" "${all#* }" 1024
row "reach between two of 10,000 machines, beyond the start of a command (s)" "$(awk -v a="${one% *}" -v b="${start% *}" 'BEGIN { print a - b }')" 0.010
row "diff of one group of 10,000 machines (s)" "${what_if% *}" 0.200
row "assess of 10,000 machines by every assessment (s)" "${assess% *}" 3
row "assess of 10,000 machines by every assessment (MiB)" "${assess#* }" 1024
row "the report of 10,000 machines as PDF, beyond its document (s)" "$(awk -v a="${pdf% *}" -v b="${states% *}" 'BEGIN { print a - b }')" 2
