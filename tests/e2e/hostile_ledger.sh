#!/bin/bash
# The ledger's owner may write anything into it, and hold its locks. What was applied is confirmed, taken back and restored all the same, and
# every command that reads the ledger ends soon, with one line that names the reason.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v sqlite3 >/dev/null; then echo "ok 1 - $0 # skip needs sqlite3"; exit 0; fi
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
mkdir "$dir/owned"
ledger=$dir/owned/l.db
printf 'store: %s\njit: [{resource: vm1, ports: [22], from: [140.20.30.0/24], longest: 3h}]\n' "$ledger" >"$dir/whittle.yaml"
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION timeout -k 1 15 "$BUILD/whittle" --config "$dir/whittle.yaml" "$@" 2>&1; }
# gives SENTENCE STATUS PATTERN SECONDS COMMAND…: the command ends with this status and text within so many seconds
gives() {
	local out rc began=$SECONDS
	out=$("${@:5}"); rc=$?
	if [ $rc = "$2" ] && grep -qE -e "$3" <<<"$(tr '\n' ' ' <<<"$out")" && [ $((SECONDS - began)) -le "$4" ]; then t 0 "$1"; else t 1 "$1" "status $rc after $((SECONDS - began)) s, wanted $2 and /$3/ in: $out"; fi
}
fresh() { rm -f "$ledger"*; cp "$dir/l.db" "$ledger"; }
spoil() { sqlite3 -cmd '.bail on' -cmd '.dbconfig defensive off' "$ledger" "$1" >"$dir/spoil.log" || t 1 "the ledger is spoilt" "$(cat "$dir/spoil.log")"; }
endless='WITH RECURSIVE x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x)'
learned_rules() { w rollback --all >/dev/null; fresh; w enforce --resource vm1 --confirm-within 1h --force >"$dir/enforce.log" || t 1 "rules are applied" "$(cat "$dir/enforce.log")"; }

# ---- attacks by the ledger's SQL ----
# hostile NAME SQL PATTERN: with this ledger the ways back work, and the others are refused
hostile() {
	learned_rules; spoil "$2"
	gives "$1: confirm keeps what was applied" 0 "Confirmed.*not in the journal: .*$3" 6 w confirm
	gives "$1: enforce is refused" 1 "$3" 6 w enforce --resource vm1 --force
	gives "$1: so is what reads" 1 "$3" 6 w status
	gives "$1: so is an edit" 1 "$3" 6 w rules edit vm1 22 --not 140.20.30.10
	in_srv nft flush ruleset
	gives "$1: a boot restores what was confirmed" 0 "Restored the confirmed rules.*$3" 6 w restore
	gives "$1: rollback takes it away" 0 "whittle's table is gone.*$3" 6 w rollback --all
}
hostile "a trigger that never ends" "CREATE TRIGGER hang AFTER INSERT ON journal BEGIN INSERT INTO counter $endless SELECT n, n FROM x; END" "trigger 'hang'"
hostile "a view that never ends" "DROP TABLE document; CREATE VIEW document(collection, key, json, time) AS $endless SELECT 'estate', n, '{}', 0 FROM x" "view 'document'"
hostile "a view of 2 GB" "DROP TABLE document; CREATE VIEW document(collection, key, json, time) AS SELECT 'estate', n, hex(zeroblob(100000000)), 0 FROM ($endless SELECT n FROM x LIMIT 10)" "view 'document'"

fresh; spoil "CREATE TRIGGER undo AFTER INSERT ON document WHEN new.collection LIKE 'review%' OR new.collection LIKE 'rec%' BEGIN DELETE FROM document WHERE collection = new.collection; END"
gives "a trigger does not undo an edit behind one's back" 1 "trigger 'undo'" 6 w rules edit vm1 22 --not 140.20.30.10
fresh; spoil "CREATE TABLE more(x)"
gives "a table that is none of ours is named, with what can be done" 1 "table 'more' is not as whittle makes it.*restore-backup FILE" 6 w status
fresh; spoil "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'journal') WHERE name = 'document'"
gives "two tables in the same pages are an error when the ledger is written" 1 'damaged|not a ledger' 6 w rules add vm1 --port 23 --from 192.0.2.0/24 --why test

# ---- ledgers that are not refused ----
fresh; spoil "ANALYZE; VACUUM; REINDEX"
gives "a ledger that was analysed and vacuumed is read" 0 'vm1|edges' 6 w status
fresh; spoil "DROP TABLE content"
gives "a ledger from before there were contents is read" 0 'vm1|edges' 6 w status
gives "a ledger from before there were contents is written" 0 'records|Nothing new' 10 w ingest "$dir/eve.json"

fresh; printf 'resources:\n  - {name: "v; id", addresses: [10.0.0.9]}\n' >"$dir/odd.yaml"; w estate import "$dir/odd.yaml" >"$dir/odd.log"
gives "a name is one word in the command that a message shows to be copied" 2 "run .whittle recommend 'v; id'. first" 6 w rules edit 'v; id' 22 --not 140.20.30.10

# ---- locks ----
learned_rules
mkfifo "$dir/hold"; "$BUILD/tools/ledger_hold" "$ledger" <"$dir/hold" >"$dir/held" 2>&1 & pids+=($!)
exec 6<>"$dir/hold"; until_true 5 grep -q held "$dir/held"
gives "a writer's lock does not keep confirm waiting" 0 'Confirmed.*not in the journal.*lock' 5 w confirm
gives "a writer's lock does not keep rollback waiting" 0 'gone.*not in the journal.*lock' 5 w rollback --all
gives "a writer's lock does not keep jit off waiting" 0 'is off.*not in the journal.*lock' 5 w jit off
exec 6>&-
learned_rules
exec 6> >(sqlite3 "$ledger" >"$dir/held" 2>&1); echo "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; SELECT 'held';" >&6
until_true 5 grep -q held "$dir/held"
gives "a lock of the whole file does not keep confirm waiting" 0 'Confirmed.*not in the journal' 5 w confirm
exec 6>&-
if command -v python3 >/dev/null; then
	learned_rules
	w ingest /dev/null >/dev/null; sqlite3 "$ledger" "PRAGMA journal_mode = WAL" >/dev/null
	exec 6> >(python3 -c "
import fcntl, sqlite3, sys
db = sqlite3.connect('$ledger'); db.execute('SELECT * FROM counter').fetchall()
shm = open('$ledger-shm', 'r+b'); fcntl.lockf(shm, fcntl.LOCK_EX, 8, 120); print('held', flush=True); sys.stdin.read()" >"$dir/held2" 2>&1)
	until_true 10 grep -q held "$dir/held2"
	gives "locks in the middle of SQLite's own protocol do not keep confirm waiting" 0 'Confirmed.*not in the journal' 6 w confirm
	exec 6>&-
fi

# ---- just-in-time access ----
w rollback --all >/dev/null; fresh
w jit on --confirm-within 1h --force >"$dir/jit.log"
spoil "CREATE TRIGGER hang AFTER INSERT ON journal BEGIN INSERT INTO counter $endless SELECT n, n FROM x; END"
gives "a hostile ledger does not keep jit confirm from its work" 1 "closed ports stay closed.*trigger 'hang'" 6 w jit confirm
tool jit 2>/dev/null | grep -q expires && t 1 "the ports stay closed" "$(tool jit)"
gives "a hostile ledger does not keep jit off from its work" 0 "Just-in-time access is off: its table is gone.*trigger 'hang'" 6 w jit off

# ---- files that are cut ----
fresh; mkfifo "$dir/log"
in_srv timeout 20 "$BUILD/whittle" --config "$dir/whittle.yaml" ingest "$dir/log" >"$dir/cut.log" 2>&1 & reader=$!
exec 7<>"$dir/log"; exec 6>"$dir/log"; until_true 5 test -s "$ledger-shm"; exec 7>&-
sed 's/140.20.30.9/140.20.30.99/' "$dir/eve.json" >&6 # more than a pipe holds: when it is written, the ledger is open
: >"$ledger-shm"; exec 6>&-
wait $reader; rc=$?
is "$rc $(wc -l <"$dir/cut.log")" "1 1" "a -shm that is cut meanwhile is an error, in one line"
fresh; size=$(stat -c %s "$ledger"); truncate -s $((size / 2 / 4096 * 4096)) "$ledger"
for c in status recommend edges "rules list" "enforce --dry-run --resource vm1 --force"; do
	# shellcheck disable=SC2086
	out=$(w $c); rc=$?
	[ $rc -lt 124 ]; t $? "half a ledger does not end $c by a signal" "$rc $out"
done
w rollback --all >/dev/null
echo "1..$n"
