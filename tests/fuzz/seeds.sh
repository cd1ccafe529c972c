#!/bin/sh
# For `make test`: every fuzzer's seeds, whole and cut off, under ASan and UBSan. `make fuzz` lets clang's fuzzers find more.
cd "$(dirname "$0")/../.." || exit 1
n=0 rc=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
for f in tests/fuzz/fuzz_*.c; do
	name=$(basename "$f" .c); n=$((n + 1))
	if "${BUILD:-build}/seeds/$name" "tests/fuzz/$name.seeds"/* >"$log" 2>&1; then
		echo "ok $n - $name finds nothing in its seeds"
	else
		echo "not ok $n - $name"; tail -n 20 "$log"; rc=1
	fi
done
exit $rc
