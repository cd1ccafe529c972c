#!/bin/bash
# The ledger's owner sends signals to every process of its user while root's commands work: what needs no ledger is done all the
# same, the rest ends soon with a sentence, and nothing is opened.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v "${CC:-gcc}" >/dev/null || ! unshare -p -f --mount-proc true 2>/dev/null; then echo "ok 1 - $0 # skip needs PID namespaces and a C compiler"; exit 0; fi
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
"${CC:-gcc}" -O1 -o "$dir/flood" tests/support/flood.c 2>"$dir/err" || { echo "ok 1 - $0 # skip the tool does not build: $(head -n 1 "$dir/err")"; exit 0; }
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
chmod 711 "$dir"; mkdir -m 755 "$dir/owned"; cp "$BUILD/whittle" "$dir/whittle"
ledger=$dir/owned/l.db
printf 'store: %s\njit: [{resource: vm1, ports: [3389], from: [140.20.30.0/24], longest: 3h}]\n' "$ledger" >"$dir/whittle.yaml"
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION WHITTLE_STATE="$dir/state" timeout -k 1 20 "$dir/whittle" --config "$dir/whittle.yaml" "$@" 2>&1; }
# under SIGNAL COMMAND…: while the owner sends it to every process that it may reach
# shellcheck disable=SC2016
under() {
	local sig=$1; shift
	in_srv env -u SUDO_USER -u SSH_CONNECTION WHITTLE_STATE="$dir/state" timeout -k 1 25 unshare -p -f --mount-proc sh -c '
		"$1" "$2" "$3" | { read -r on; out=$4; shift 4; "$@" >"$out" 2>&1; echo "status $?" >>"$out"; kill -9 -1; }' \
		sh "$dir/flood" "$uid" "$sig" "$dir/out" "$dir/whittle" --config "$dir/whittle.yaml" "$@" >"$dir/killed" 2>&1
}
# gives SENTENCE STATUS PATTERN SECONDS SIGNAL COMMAND…
gives() {
	local out rc began=$SECONDS
	: >"$dir/out"; under "${@:5}"; out=$(cat "$dir/out"); rc=$(sed -n 's/^status //p' <<<"$out")
	if [ "$rc" = "$2" ] && grep -qE -e "$3" <<<"$(tr '\n' ' ' <<<"$out")" && [ $((SECONDS - began)) -le "$4" ]; then t 0 "$1"; else t 1 "$1" "status $rc after $((SECONDS - began)) s, wanted $2 and /$3/ in: $out"; fi
}
state() { tool state 2>/dev/null | tr '\n' ' '; }

owned() { rm -f "$ledger"*; cp "$dir/l.db" "$ledger"; chown -R "$uid:$uid" "$dir/owned"; }
apply() { w enforce --resource vm1 --confirm-within 1h --force >"$dir/log"; is $? 0 "rules are applied" "$(cat "$dir/log")"; }
takes_away() { in_srv nft delete table inet whittle; }
stopped="reads the ledger as uid 61000 was stopped by a signal for 2 s, and was ended; .whittle drift. says what is in force"
ended="reads the ledger as uid 61000 was ended by signal 9; .whittle drift. says what is in force"
late="not in the journal: .*(was stopped by a signal, and then ended|did not answer within [13] s)"
gone="not in the journal: .*was ended"

uid=61000; owned
gives "a killed enforce is reported" 1 "$ended" 10 9 enforce --resource vm1 --force
gives "so does a stopped one, which ends" 1 "$stopped" 10 19 enforce --resource vm1 --force
has "$(state)" '^present 0' "neither has changed anything"
again="reads the ledger as uid 61000 was (stopped by a signal for 2 s, and was ended|ended by signal 9); a program of that user can do this"
for sig in 9 19; do
	for c in status recommend 'journal list' 'estate list'; do
		# shellcheck disable=SC2086
		gives "signal $sig: $c ends and says why" 1 "$again" 10 $sig $c
	done
done
printf '%s\n' '{}' >"$dir/eve.json"
gives "so does ingest of a file" 1 "$again" 10 19 ingest "$dir/eve.json"
for sig in 9 19; do
	apply
	gives "signal $sig: confirm keeps what was applied" 0 "Confirmed: the rules stay" 10 $sig confirm
	has "$(cat "$dir/out")" "$([ $sig = 9 ] && echo "$gone" || echo "$late")" "and prints why the journal lacks it"
	gives "signal $sig: rollback takes it away" 0 "whittle's table is gone" 10 $sig rollback --all
done
apply; w confirm >/dev/null
gives "drift compares" 0 'The kernel holds what was applied' 10 9 drift
takes_away; gives "enforce --repair puts back what was confirmed" 0 "Put back and read back" 10 19 enforce --repair
takes_away; gives "restore puts back what was confirmed" 0 "Restored the confirmed rules.*" 10 19 restore
gives "uninstall takes everything away" 0 'The narrowed rules are gone' 10 19 uninstall
w jit on --confirm-within 1h --force >"$dir/log"; is $? 0 "ports are closed" "$(cat "$dir/log")"
gives "jit confirm keeps them closed" 1 "closed ports stay closed" 10 19 jit confirm
gives "jit off takes that away" 0 'Just-in-time access is off' 10 9 jit off

uid=65534; owned; apply # whittle.yaml is read as nobody, too
gives "nobody's ledger: confirm keeps what was applied" 0 'Confirmed: the rules stay' 10 9 confirm
gives "nobody's ledger: rollback takes it away, though everything of nobody's stands still" 0 "whittle's table is gone" 12 19 rollback --all
uid=61000; owned
gives "a backup whose reader is stopped ends" 1 'l.db: the process that opens it was stopped by a signal, and then ended' 12 19 backup "$dir"
is "$(ps -eo uid=,comm= | grep -c "^ *61000 *whittle")" 0 "no process is left"

# ---- the journal, in the owner's file ----
if command -v sqlite3 >/dev/null; then
	# proves SENTENCE STATUS PATTERN
	proves() { out=$(w journal verify); rc=$?; if [ $rc = "$2" ] && grep -qE -e "$3" <<<"$(tr '\n' ' ' <<<"$out")"; then t 0 "$1"; else t 1 "$1" "status $rc: $out"; fi; }
	spoil() { cp "$dir/good.db" "$ledger"; rm -f "$ledger-wal" "$ledger-shm"; chown 61000:61000 "$ledger"; setpriv --reuid 61000 --regid 61000 --clear-groups sqlite3 "$ledger" "$1" >"$dir/log" 2>&1 || t 1 "the ledger is spoilt" "$(cat "$dir/log")"; }
	rm -f "$dir/state/journal.head"; uid=61000; owned; apply; w confirm >/dev/null
	proves "the journal fits, and its head is root's" 0 'The journal fits: entries [0-9]+ to [0-9]+ are chained.*state/journal.head holds the last one'
	is "$(stat -c %u "$dir/state/journal.head")" 0 "and nobody else can write that"
	has "$(w journal list --what enforce.confirm)" 'root +enforce.confirm' "the journal names the user that confirmed"
	setpriv --reuid 61000 --regid 61000 --clear-groups sqlite3 "$ledger" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null; cp "$ledger" "$dir/good.db"
	spoil "UPDATE journal SET who = 'eve' WHERE what = 'enforce.confirm'"
	proves "an entry that the owner changed is named" 3 'does not fit at entry [0-9]+: the entry was changed, or an entry before'
	spoil "DELETE FROM chain WHERE seq = (SELECT max(seq) FROM journal); DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)"
	proves "so is one that it cut off at the end" 3 'does not fit at entry [0-9]+: the head has this entry'
	has "$(w rules add vm1 --port 23 --from 192.0.2.0/24 --why test)" 'the journal was changed since.*whittle journal verify' "the next command of root's reports that"
	proves "and keeps the head as it was" 3 'does not fit at entry'
fi
echo "1..$n"
