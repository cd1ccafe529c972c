#!/bin/sh
# Runs every fuzzer over its seeds and then SECONDS more of its own finding.
# usage: run.sh BUILD SECONDS   prints "ok"/"not ok" lines; what a fuzzer finds is kept in BUILD/fuzz.
cd "$(dirname "$0")/../.." || exit 1
build=$1 seconds=$2 n=0
command -v clang >/dev/null || { echo "ok 1 - fuzzers # skip clang is not installed"; exit 0; }
make -s BUILD="$build" fuzzers || { echo "not ok 1 - the fuzzers build"; exit 1; }
rc=0
for f in tests/fuzz/fuzz_*.c; do
	name=$(basename "$f" .c); n=$((n + 1))
	corpus="$build/fuzz/$name.corpus"; mkdir -p "$corpus"
	seeds=
	[ -d "tests/fuzz/$name.seeds" ] && seeds="tests/fuzz/$name.seeds"
	dict=
	[ -f "tests/fuzz/$name.dict" ] && dict=-dict=tests/fuzz/$name.dict
	# shellcheck disable=SC2086
	if "$build/fuzz/$name" -artifact_prefix="$build/fuzz/$name-" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=20 $dict \
		"$corpus" $seeds >"$build/fuzz/$name.log" 2>&1; then
		echo "ok $n - $name finds nothing in $seconds s"
	else
		echo "not ok $n - $name"; tail -n 20 "$build/fuzz/$name.log"; rc=1
	fi
done
exit $rc
