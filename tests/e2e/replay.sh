#!/usr/bin/env bash
# Replay against a log: its counts, the peers that belong there, and that nothing of it is learned or left behind.
set -u
BUILD=$(cd "${BUILD:-build}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
. "$here/../support/learned.sh"
. "$here/../support/gives.sh"
w() { TMPDIR="$dir/tmp" "$BUILD/whittle" --store "$dir/l.db" "$@"; }

mkdir "$dir/tmp"
learned "$dir" || { echo "not ok 1 - a ledger to begin with"; exit 0; }
# the ledger's own verdicts; other tests work on this machine's firewall meanwhile
known() { w status --json | jq -S 'del(.firewall, .attention)'; }
known >"$dir/before"
gives "the log that was learned from loses nothing, and every flow of it counts" 0 'Breakage: 0 of 155 flows' w replay --log "$dir/eve.json"
head -10 "$dir/eve.json" | sed 's/140.20.30.9"/140.20.77.9"/' >"$dir/two.json"
gives "in a log of two days the ledger's peers belong as they do in the ledger" 0 '22/TCP +8 +' w replay --log "$dir/two.json"
gives "and days are counted apart" 0 '2026-10-02 +4 ' w replay --log "$dir/two.json"
gzip -k "$dir/two.json"
sed -n 11,15p "$dir/eve.json" >"$dir/third.json"
gives "several logs, compressed or not, are one" 0 '22/TCP +13 +' w replay --log "$dir/two.json.gz" --log "$dir/third.json"
w recommend --dry-run --json 2>/dev/null | sed 's|140.20.30.8/29|140.20.30.8/31|' >"$dir/rules.json"
gives "rules from a file against a log: the lost are named" 0 '22/TCP +31 +124 .*140\.20\.30\.10' w replay --rules "$dir/rules.json" --log "$dir/eve.json"
gives "a log that is not there is named" 2 'none.json: No such file' w replay --log "$dir/none.json"
printf 'no json\n' >"$dir/bad.json"
gives "so is one that is none" 2 'bad.json' w replay --log "$dir/bad.json"
gives "a holdout is of the ledger" 2 'exclude each other' w replay --log "$dir/two.json" --holdout 7
mkfifo "$dir/log"
TMPDIR="$dir/tmp" env --default-signal=INT "$BUILD/whittle" --store "$dir/l.db" replay --log "$dir/log" >"$dir/out" 2>&1 &
pid=$!
exec 9>"$dir/log" # when the log has been opened
kill -INT $pid; wait $pid; rc=$?
exec 9>&-
gives "an interruption while it reads leaves nothing behind" 0 '^130 0$' sh -c "echo $rc \$(ls '$dir/tmp' | wc -l)"
sed 's/"TCP"/"All"/' "$dir/rules.json" >"$dir/all.json"
gives "rules of a file for All protocols are of TCP and of UDP" 0 '22/TCP +31 +124 ' w replay --rules "$dir/all.json" --log "$dir/eve.json"
gives "and so they are proved" 1 'refuted: Inbound UDP port 22 from 140.20.30.8 .*denied by web: DenyAllInBound' w prove --rules "$dir/all.json"
gives "nothing was learned of it all" 0 '' sh -c "'$BUILD/whittle' --store '$dir/l.db' status --json | jq -S 'del(.firewall, .attention)' | cmp - '$dir/before' && echo same"
gives "and nothing is left behind" 0 '^0$' sh -c "ls '$dir/tmp' | wc -l"
