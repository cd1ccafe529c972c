# shellcheck shell=bash
# For scripts that read logs into a ledger l.db, after tests/e2e/lib/start.sh.

# tell SENTENCE COMMAND… : ok when the command succeeds; else with what it printed
tell() {
	n=$((n + 1))
	if "${@:2}" >"$dir/told" 2>&1; then echo "ok $n - $1"; else
		echo "not ok $n - $1"
		head -n 30 "$dir/told" | cut -c1-300 | sed 's/^/# /'
	fi
}
# expect STATUS PATTERN COMMAND… : the exit status, and a pattern in what was printed on either stream, which stays in $dir/said
expect() {
	"${@:3}" >"$dir/said" 2>&1
	local status=$?
	[ "$status" -eq "$1" ] && grep -qE -e "$2" "$dir/said" && return 0
	echo "status $status, wanted $1 and /$2/ in:"
	cat "$dir/said"
	return 1
}

dump() { "$BUILD/tools/ledger_dump" "$@"; }
# same LEDGER LEDGER : they hold the same; the approximate parts are left out, as they depend on the order of what was added
same() { dump --sums "$1" >a.txt && dump --sums "$2" >b.txt && { cmp -s a.txt b.txt || { diff a.txt b.txt | head -n 6; false; }; }; }
fresh() { rm -f l.db l.db-wal l.db-shm; }
ingest() { "$w" ingest --store l.db "$@"; }
