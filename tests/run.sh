#!/bin/sh
# Runs test programs and closes with one line, "N passed, N failed, N skipped", counted from what each reported.
# usage: run.sh KIND PROGRAM…   where each program prints cmocka's or our own "ok|not ok|skip NAME" lines (TAP).
set -u
kind=$1; shift
passed=0; failed=0; skipped=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
for t; do
	start=$(date +%s)
	CMOCKA_MESSAGE_OUTPUT=TAP ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 "$t" >"$log" 2>&1
	rc=$?
	# cmocka writes a skipped test as "not ok N # SKIP name"
	p=$(grep '^ok ' "$log" | grep -ciEv '# skip'); f=$(grep '^not ok ' "$log" | grep -ciEv '# skip'); s=$(grep -ciE '^(not )?ok .*# skip' "$log")
	if [ "$rc" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
	if [ "$rc" -eq 0 ] && [ $((p + f + s)) -eq 0 ]; then f=1; echo "  $t: no test ran"; fi
	if [ "$f" -gt 0 ]; then echo "  FAILED $t (status $rc)"; sed 's/^/    /' "$log" | tail -60; else
		echo "  ok     $t: $p passed$([ "$s" -gt 0 ] && echo ", $s skipped") ($(($(date +%s) - start)) s)"; grep -iE '^(not )?ok .*# skip' "$log" | sed 's/^/           /'; fi
	passed=$((passed + p)); failed=$((failed + f)); skipped=$((skipped + s))
done
if [ -n "${WH_TALLY:-}" ]; then echo "$passed $failed $skipped" >>"$WH_TALLY"; fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
