#!/bin/bash
# The console on a host whose firewall it changes: Enforce in audit mode, the countdown, Confirm and rollback, and just-in-time access that a reader
# requests and an operator approves, in network namespaces. Not a part of `make test`: it needs a browser. usage: BUILD=build tests/browser/console_host.sh
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
here=$PWD/tests/e2e
. tests/e2e/lib/sdk.sh
command -v chromium >/dev/null || { echo "ok 1 - the console on a host # skip chromium is not installed"; exit; }
sdk_modules >"$dir/why" || { echo "ok 1 - the console on a host # skip $(cat "$dir/why")"; exit; }
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
export WHITTLE_STORE=$dir/l.db
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" 2>&1; }
TOKEN=$(w serve token add walker --role operator) READER=$(w serve token add looker --role reader); export TOKEN READER
w jit policy set vm1 --ports 23 --who '*' >/dev/null && w jit on >/dev/null && w jit confirm >/dev/null && w jit policy delete vm1 >/dev/null # its table is there
ip netns exec "$srv" env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" serve --config /dev/null --listen 127.0.0.1:8448 >"$dir/log" 2>&1 & pids+=($!)
until_true 10 grep -q fingerprint "$dir/log"; t $? "the server listens" "$(cat "$dir/log")"
in_srv node tests/browser/console_host.js https://127.0.0.1:8448/ >"$dir/walk" 2>"$dir/why"
while read -r verdict claim; do [ "$verdict" = ok ]; t $? "${claim%%:*}" "$claim"; done <"$dir/walk"
grep -q . "$dir/walk"; t $? "the walk ends" "$(cat "$dir/why")"
has "$(w journal --json | jq -r '.entries[]? | .who + " " + .what' 2>/dev/null || w journal)" 'looker.*jit.request' "the journal has the reader as the one who asked"
echo "1..$n"
