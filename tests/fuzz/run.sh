#!/bin/sh
# Builds every fuzzer with clang and runs it over its seeds and then SECONDS more of its own finding.
# usage: run.sh BUILD SECONDS   prints "ok"/"not ok" lines; what a fuzzer finds is kept in BUILD/fuzz.
cd "$(dirname "$0")/../.." || exit 1
build=$1 seconds=$2 n=0
command -v clang >/dev/null || { echo "ok 1 - fuzzers # skip clang is not installed"; exit 0; }
mkdir -p "$build/fuzz"
pkgs="libnftnl libmnl jansson yaml-0.1 sqlite3 zlib libzstd libcap-ng libcurl"
flags="-std=gnu11 -D_GNU_SOURCE -Iinclude -Icore -I. -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined $(pkg-config --cflags $pkgs)"
lib="$build/fuzz/libwhittle-fuzz.a"
objs=
for c in core/*/*.c; do
	case $c in core/cli/*) continue ;; esac
	o="$build/fuzz/$(echo "$c" | tr / _ | sed 's/\.c$/.o/')"
	if [ ! -f "$o" ] || [ -n "$(find core include -newer "$o" -name '*.[ch]' -print -quit)" ]; then
		# shellcheck disable=SC2086
		clang $flags -c -o "$o" "$c" || { echo "not ok 1 - $c compiles for fuzzing"; exit 1; }
	fi
	objs="$objs $o"
done
rm -f "$lib"
# shellcheck disable=SC2086
ar rcs "$lib" $objs
rc=0
for f in tests/fuzz/fuzz_*.c; do
	name=$(basename "$f" .c); n=$((n + 1))
	# shellcheck disable=SC2086,SC2046
	clang $flags -fsanitize=fuzzer -o "$build/fuzz/$name" "$f" "$lib" $(pkg-config --libs $pkgs) -lpthread -lm -ldl || { echo "not ok $n - $name builds"; rc=1; continue; }
	corpus="$build/fuzz/$name.corpus"; mkdir -p "$corpus"
	seeds=
	[ -d "tests/fuzz/$name.seeds" ] && seeds="tests/fuzz/$name.seeds"
	# shellcheck disable=SC2086
	if "$build/fuzz/$name" -artifact_prefix="$build/fuzz/$name-" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=20 \
		"$corpus" $seeds >"$build/fuzz/$name.log" 2>&1; then
		echo "ok $n - $name finds nothing in $seconds s"
	else
		echo "not ok $n - $name"; tail -n 20 "$build/fuzz/$name.log"; rc=1
	fi
done
exit $rc
