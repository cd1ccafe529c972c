#!/bin/sh
# Everything that judges the code without running it. usage: run.sh (from the top level)
cd "$(dirname "$0")/../.." || exit 1
bad=0
tests/lint/rooms.sh || bad=1
for s in $(git ls-files '*.sh' packaging/install-deps.sh .ci/run 2>/dev/null); do
	case $(head -n 1 "$s") in *bash*) bash -n "$s" || bad=1 ;; *) sh -n "$s" || bad=1 ;; esac
done
if command -v cppcheck >/dev/null; then
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,portability --inline-suppr -Iinclude -Icore -I. \
		--suppress=missingIncludeSystem --suppress=nullPointerOutOfMemory --suppress=nullPointerArithmeticOutOfMemory core plugin || bad=1
else
	echo "lint: cppcheck is not installed (packaging/install-deps.sh lint)"; bad=1
fi
if command -v clang-tidy >/dev/null; then
	# shellcheck disable=SC2046
	clang-tidy --quiet --warnings-as-errors='*' \
		--checks='-*,bugprone-*,clang-analyzer-*,-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier,-bugprone-narrowing-conversions,-bugprone-assignment-in-if-condition,-bugprone-implicit-widening-of-multiplication-result,-bugprone-macro-parentheses,-bugprone-branch-clone,-bugprone-suspicious-include,-clang-analyzer-security.insecureAPI.*,-clang-analyzer-valist.Uninitialized,-clang-analyzer-optin.performance.Padding' \
		$(git ls-files 'core/*.c' 'plugin/*.c') -- -std=gnu11 -D_GNU_SOURCE -Iinclude -Icore -I. 2>/dev/null | grep -E 'warning:|error:' | sort -u >build/lint.txt
	if [ -s build/lint.txt ]; then cat build/lint.txt; bad=1; fi
else
	echo "lint: clang-tidy is not installed (packaging/install-deps.sh lint)"; bad=1
fi
[ $bad = 0 ] && echo "lint: nothing to mend"
exit $bad
