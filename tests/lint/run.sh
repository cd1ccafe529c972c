#!/bin/sh
# Everything that judges the code without running it. usage: run.sh (from the top level)
cd "$(dirname "$0")/../.." || exit 1
bad=0 found=${BUILD:-build}/lint.txt
tests/lint/rooms.sh || bad=1
if command -v clang-format >/dev/null && command -v python3 >/dev/null; then
	tests/lint/reflow.py --check core include plugin tests || bad=1
else
	echo "lint: clang-format or python3 is not installed (packaging/install-deps.sh lint)"; bad=1
fi
for s in $(git ls-files '*.sh' packaging/install-deps.sh .ci/run 2>/dev/null); do
	case $(head -n 1 "$s") in *bash*) bash -n "$s" || bad=1 ;; *) sh -n "$s" || bad=1 ;; esac
done
if command -v shellcheck >/dev/null; then # what is sourced reads and sets its caller's variables
	git ls-files '*.sh' packaging/install-deps.sh .ci/run | xargs shellcheck --severity=warning \
		--exclude=SC1007,SC1090,SC1091,SC2034,SC2046,SC2148,SC2154,SC2206,SC2238 || bad=1
else
	echo "lint: shellcheck is not installed (packaging/install-deps.sh lint)"; bad=1
fi
if command -v cppcheck >/dev/null; then
	cppcheck --quiet --error-exitcode=1 --library=tests/lint/loops.cfg --std=c11 --enable=warning,portability --inline-suppr -Iinclude -Icore -I. \
		--suppress=missingIncludeSystem --suppress=nullPointerOutOfMemory --suppress=nullPointerArithmeticOutOfMemory \
		--suppressions-list=tests/lint/cppcheck.txt core plugin || bad=1
else
	echo "lint: cppcheck is not installed (packaging/install-deps.sh lint)"; bad=1
fi
if command -v tsc >/dev/null; then
	tsc --project core/serve/console || bad=1
else
	echo "lint: tsc is not installed (packaging/install-deps.sh lint)"; bad=1
fi
checks="-*,bugprone-*,clang-analyzer-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-narrowing-conversions"
checks="$checks,-bugprone-assignment-in-if-condition,-bugprone-implicit-widening-of-multiplication-result,-bugprone-macro-parentheses"
checks="$checks,-bugprone-branch-clone,-bugprone-suspicious-include,-bugprone-suspicious-string-compare,-bugprone-sizeof-expression"
checks="$checks,-bugprone-misplaced-widening-cast,-clang-analyzer-security.insecureAPI.*,-clang-analyzer-valist.Uninitialized"
checks="$checks,-clang-analyzer-optin.performance.Padding,-clang-analyzer-security.FloatLoopCounter"
checks="$checks,-bugprone-not-null-terminated-result" # fields of tar headers and JSON escapes have no end of their own
if command -v clang-tidy >/dev/null; then
	git ls-files 'core/*.c' 'plugin/*.c' | xargs -P"$(nproc)" -n5 sh -c \
		'clang-tidy --quiet --checks="$0" "$@" -- -std=gnu11 -D_GNU_SOURCE -Iinclude -Icore -I. '"$(pkg-config --cflags pangocairo)"' 2>/dev/null' "$checks" >"$found.all" || { echo "lint: clang-tidy did not end well on every file"; bad=1; }
	grep -E 'warning:|error:' "$found.all" | sort -u >"$found"
	if [ -s "$found" ]; then cat "$found"; bad=1; fi
else
	echo "lint: clang-tidy is not installed (packaging/install-deps.sh lint)"; bad=1
fi
[ $bad = 0 ] && echo "lint: nothing to mend"
exit $bad
