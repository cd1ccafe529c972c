#!/bin/bash
# Every document that a command prints with --json is an object that begins with the same member: "version": 1. Each command of `whittle --help` is
# tried here, or named with the reason why it prints no document.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build} n=0
w=$PWD/$BUILD/whittle
case $BUILD in /*) w=$BUILD/whittle ;; esac
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
export WHITTLE_STORE=$dir/l.db WHITTLE_STATE=$dir/state WHITTLE_CONFIG=/dev/null
{ "$w" demo-data "$dir" && "$w" estate import "$dir/estate.json" && "$w" ingest "$dir/eve.json" && "$w" recommend && "$w" alerts &&
	"$w" rules add web-1 --port 443/tcp --from 198.51.100.0/24 --why test && "$w" serve token add reader --role reader; } >"$dir/made" 2>&1
t $? "the demonstration is made" "$(cat "$dir/made")"

tried=
while read -r command; do
	tried+=" ${command%% *}"
	# shellcheck disable=SC2086 # words
	"$w" $command --json >"$dir/out" 2>"$dir/err"
	jq -e -s 'length == 1 and (.[0] | type == "object" and (keys_unsorted[0] == "version") and .version == 1)' "$dir/out" >/dev/null 2>&1
	t $? "$command --json begins with its version" "$(head -c 300 "$dir/out"; cat "$dir/err")"
done <<C
ingest $dir/eve.json
status
status --sensors
estate show
estate import $dir/estate.json
intel list
recommend --dry-run
explain web-1 22
rules list
rules history
replay
prove
alerts
alerts list
alerts types
map
connections
reach web-1 db-1
anomalies
diff --proposed
assess
assess list
assess exemptions
assess answers
inventory
compliance
compliance --score
compliance --history
jit list
jit log
config
journal
journal verify
doctor
serve token list
C

# Lines of JSON, one for each row: as many as there are, without one document around them.
for command in edges evidence; do
	tried+=" $command"
	"$w" $command --json | jq -e -s 'all(type == "object")' >/dev/null; t $? "$command --json prints one object a line"
done
# These change this machine's firewall or wait for it; or they print a file's format, a file, or text alone.
without="enforce confirm rollback drift audit watch firewall restore uninstall export init selftest demo-data backup restore-backup forget export-evidence"
left=$("$w" --help | sed -n 's/^  \([a-z][a-z-]*\)  *[a-z].*/\1/p' | grep -vxF -e "$(printf '%s\n' $tried $without)" | grep -vx whittle)
[ -z "$left" ]; t $? "each command is tried, or named with its reason" "$left"
echo "1..$n"
