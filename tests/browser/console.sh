#!/bin/bash
# The console in Chromium, on the demonstration estate: each page at two widths, in light and in dark, judged by axe-core. Not a part of `make test`:
# it takes minutes, and a browser. usage: BUILD=build tests/browser/console.sh [DIRECTORY for screenshots]
shots=${1:-}
cd "$(dirname "$0")/../.." || exit 1
here=$PWD/tests/e2e BUILD=${BUILD:-build} n=0
. tests/e2e/lib/sdk.sh
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
command -v chromium >/dev/null || { echo "ok 1 - the console # skip chromium is not installed"; exit; }
dir=$(mktemp -d) || exit 1
trap '[ -z "${server:-}" ] || kill "$server"; rm -rf "$dir"' EXIT
sdk_modules >"$dir/why" || { echo "ok 1 - the console # skip $(cat "$dir/why")"; exit; }
export WHITTLE_STORE=$dir/l.db WHITTLE_STATE=$dir/state
w=$BUILD/whittle
{ "$w" demo-data "$dir" && "$w" estate import "$dir/estate.json" && "$w" ingest "$dir/eve.json" && "$w" recommend && "$w" alerts; } >"$dir/made" 2>&1; t $? "the demonstration is made" "$(cat "$dir/made")"
TOKEN=$("$w" serve token add walker --role operator) READER=$("$w" serve token add looker --role reader); export TOKEN READER
up() { # options of serve
	"$w" serve "$@" --listen 127.0.0.1:8447 >"$dir/log" 2>&1 & server=$!
	for _ in $(seq 100); do grep -q fingerprint "$dir/log" && break; read -rt 0.1 <> <(:); done
}
up --config "$dir/whittle.yaml"
node tests/browser/console_walk.js https://127.0.0.1:8447/ $shots >"$dir/walk"
while read -r name said; do
	case $name in
	errors) [ "$said" = none ]; t $? "no page raises an error" "$said" ;;
	FAILED) t 1 "the walk ends" "$said" ;;
	*) [ "$said" = good ]; t $? "$name: axe-core finds nothing, and it fits the window" "$said" ;;
	esac
done <"$dir/walk"
for part in person map states; do node tests/browser/console_$part.js https://127.0.0.1:8447/; done >"$dir/person"
while read -r verdict claim; do [ "$verdict" = ok ]; t $? "${claim%%:*}" "$claim"; done <"$dir/person"
kill "$server"; wait "$server" 2>/dev/null

# Nothing learned yet: a server without a ledger, then with an empty one.
export WHITTLE_STORE=$dir/none.db WHITTLE_STATE=$dir/none
TOKEN=$("$w" serve token add walker --role operator); export TOKEN
up --config /dev/null
node tests/browser/console_blank.js https://127.0.0.1:8447/ "whittle ingest" >"$dir/blank"; t $? "without a ledger each page says how to make one" "$(cat "$dir/blank")"
kill "$server"; wait "$server" 2>/dev/null
: | "$w" ingest --format eve - >"$dir/made" 2>&1; t $? "an empty ledger is made" "$(cat "$dir/made")"
up --config /dev/null
node tests/browser/console_blank.js https://127.0.0.1:8447/ >"$dir/blank"; t $? "an empty ledger: each page says what to do next" "$(cat "$dir/blank")"
echo "1..$n"
