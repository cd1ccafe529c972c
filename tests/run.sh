#!/bin/sh
# Runs test programs, one more side by side than there are processors (most of them wait most of the time), and closes with one line,
# "N passed, N failed, N skipped", counted from what each reported. What a program has to say is printed whole when it has ended.
# usage: run.sh KIND PROGRAM… [-- PROGRAM…]   where each program prints cmocka's or our own "ok|not ok|skip NAME" lines (TAP). Those after
#        -- are run one by one when the others have ended. WH_JOBS=N: so many side by side.
set -u

# one DIR PROGRAM: runs it, adds its counts to DIR/tally
one() {
	t=$2
	log=$(mktemp "$1/XXXXXX") || exit 1
	start=$(date +%s)
	CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}" UBSAN_OPTIONS=print_stacktrace=1 "$t" >"$log" 2>&1
	rc=$?
	# cmocka writes a skipped test as "not ok N # SKIP name"
	p=$(grep '^ok ' "$log" | grep -ciEv '# skip'); f=$(grep '^not ok ' "$log" | grep -ciEv '# skip'); s=$(grep -ciE '^(not )?ok .*# skip' "$log")
	if [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	{
		if [ "$rc" -eq 0 ] && [ $((p + f + s)) -eq 0 ]; then f=1; echo "  $t: no test ran"; fi
		if [ "$f" -gt 0 ]; then 
			echo "  FAILED $t (status $rc)"
			[ "$(wc -l <"$log")" -le 60 ] || sed -n 's/^not ok/    failed: not ok/p' "$log" # of which the end may not show
			sed 's/^/    /' "$log" | tail -60
		else
			echo "  ok     $t: $p passed$([ "$s" -gt 0 ] && echo ", $s skipped") ($(($(date +%s) - start)) s)"; grep -iE '^(not )?ok .*# skip' "$log" | sed 's/^/           /'; fi
	} >"$log.block"
	echo "$p $f $s" >>"$1/tally"
	flock "$1" cat "$log.block"
}
if [ "$1" = --one ]; then one "$2" "$3"; exit; fi

shift
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
export WHITTLE_STATE="$dir/state" # of tests that name none: nothing is left on this machine
: >"$dir/tally"; : >"$dir/beside"; : >"$dir/alone"
list=$dir/beside
for t; do if [ "$t" = -- ]; then list=$dir/alone; else echo "$t" >>"$list"; fi; done
xargs -r -d '\n' -n 1 -P "${WH_JOBS:-$(($(nproc) + 1))}" "$0" --one "$dir" <"$dir/beside"
xargs -r -d '\n' -n 1 "$0" --one "$dir" <"$dir/alone"
lost=$(($(cat "$dir/beside" "$dir/alone" | wc -l) - $(wc -l <"$dir/tally")))
[ "$lost" -eq 0 ] || echo "  FAILED $lost programs were not run to their end"
read -r passed failed skipped <<-END
	$(awk -v lost="$lost" '{ p += $1; f += $2; s += $3 } END { print p + 0, f + lost, s + 0 }' "$dir/tally")
END
if [ -n "${WH_TALLY:-}" ]; then echo "$passed $failed $skipped" >>"$WH_TALLY"; fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
