#!/bin/bash
# ingest is killed with SIGKILL at 50 random moments, each time resumed; every ledger that comes of it must be, row for row, that
# of a run that nobody disturbed. KILL_SEED=N repeats a run's moments (as far as a machine's timing can be repeated).
set -u
BUILD=${BUILD:-build}
KILLS=${KILLS:-50}
seed=${KILL_SEED:-$(($(date +%s) % 32768))}
RANDOM=$seed
w=$BUILD/whittle
dir=$(mktemp -d) || exit 1
child=
trap '[ -z "$child" ] || kill -9 "$child" 2>/dev/null; rm -rf "$dir"' EXIT
echo "# KILL_SEED=$seed"

# A table of 1 MiB is full after some 3,000 edges: a run commits dozens of times, so that most kills meet it between two commits or in one.
"$BUILD/tools/gen_eve" --records 90000 --edges 40000 --other 5 --seed "$seed" >"$dir/plain.json" || exit 1
# lines that can't be read count exactly once, too: the first flows from these lines on
awk '(NR >= 1000 && n == 0 || NR >= 77777 && n == 1 || NR >= 88001 && n == 2) && /"event_type":"flow"/ { n += sub(/"src_ip":"[^"]*"/, "\"src_ip\":\"nowhere\"") } { print }' \
	"$dir/plain.json" >"$dir/some-bad.json" && mv "$dir/some-bad.json" "$dir/plain.json" || exit 1
gzip -1 <"$dir/plain.json" >"$dir/packed.gz"
split -n l/5 -d --additional-suffix=.json "$dir/plain.json" "$dir/part"
# ingest LEDGER FILES, by a pattern
ingest() {
	# shellcheck disable=SC2086
	exec "$w" ingest --memory 1MiB --store "$1" $2 >"$dir/out" 2>&1
}

# pause MICROSECONDS, without a process of its own
exec {never}<> <(:)
pause() { read -r -t "$(printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000)))" -u "$never" || true; }

# killed NAME FILE N SENTENCE: N kills while FILE is read, over as many ledgers as that takes
killed() {
	local name=$1 file=$2 left=$3 began took runs=0 rounds=0 bad=0 moment most
	began=$(date +%s%N)
	(ingest "$dir/whole-$name.db" "$file") || { cat "$dir/out"; bad=1; }
	took=$((($(date +%s%N) - began) / 1000))
	"$BUILD/tools/ledger_dump" "$dir/whole-$name.db" >"$dir/whole-$name.txt" || bad=1
	[ "$(grep -c ^edge "$dir/whole-$name.txt")" -gt 20000 ] && grep -q 'malformed=3$' "$dir/whole-$name.txt" || bad=1
	most=$((took / 4))
	while [ "$left" -gt 0 ] && [ "$bad" -eq 0 ] && [ "$runs" -lt 2000 ]; do
		rounds=$((rounds + 1))
		rm -f "$dir"/l.db*
		while :; do
			runs=$((runs + 1))
			ingest "$dir/l.db" "$file" &
			child=$!
			if [ "$left" -gt 0 ]; then
				moment=$(((RANDOM * 32768 + RANDOM) % most))
				pause "$moment"
				kill -9 "$child" 2>/dev/null
			fi
			wait "$child" 2>/dev/null
			status=$?
			child=
			if [ "$status" -eq 137 ]; then
				left=$((left - 1))
				continue
			fi
			[ "$status" -eq 0 ] && break
			echo "# status $status: $(cat "$dir/out")"
			bad=1
			break
		done
		[ "$bad" -eq 0 ] || break
		"$BUILD/tools/ledger_dump" "$dir/l.db" >"$dir/l.txt" || bad=1
		cmp -s "$dir/whole-$name.txt" "$dir/l.txt" || { bad=1; diff "$dir/whole-$name.txt" "$dir/l.txt" | head -n 6 | cut -c1-300 | sed 's/^/# /'; }
	done
	[ "$left" -eq 0 ] || bad=1
	echo "# $name: an undisturbed run took $((took / 1000)) ms; $runs runs into $rounds ledgers"
	[ "$bad" -eq 0 ]
}

n=0
tell() { n=$((n + 1)); if "${@:2}"; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi; }
tell "killed at random moments of a plain file and resumed, the ledger is that of an undisturbed run" killed plain "$dir/plain.json" $((KILLS * 3 / 5))
tell "killed at random moments of a gzip file and resumed, the ledger is that of an undisturbed run" killed gzip "$dir/packed.gz" $((KILLS - KILLS * 3 / 5))
tell "packed or not, the ledger is the same" cmp "$dir/whole-plain.txt" "$dir/whole-gzip.txt"
ingest_again() { (ingest "$dir/l.db" "$dir/packed.gz") && "$BUILD/tools/ledger_dump" "$dir/l.db" | cmp - "$dir/whole-gzip.txt"; }
tell "once more adds nothing" ingest_again
tell "killed at random moments of five files that are read at once, the ledger is that of an undisturbed run" killed several "$dir/part*.json" $((KILLS / 5))
one_by_one() { (taskset -c 0 "$w" ingest --memory 1MiB --store "$dir/one.db" "$dir"/part*.json >"$dir/out") && "$BUILD/tools/ledger_dump" "$dir/one.db" | cmp - "$dir/whole-several.txt"; }
tell "files that are read at once leave the ledger that one processor leaves" one_by_one
echo "1..$n"
