# shellcheck shell=sh
# The beginning of a script that runs the command in a directory of its own and judges its output. Sourced from tests/e2e, by sh or bash.
# Afterwards $BUILD is the build, $w the command, $here the directory of the script, and $dir a directory that others may enter: the current
# one, which is removed at the end. Before that, processes with their ids in $children are ended, and a function at_end runs, if there is one.
BUILD=$(cd "${BUILD:-build}" && pwd)
w=$BUILD/whittle
here=$(cd "$(dirname "$0")" && pwd)
n=0
children=
dir=$(mktemp -d) || exit 1
chmod 755 "$dir"
at_end() { :; }
trap 'at_end; for c in $children; do kill -9 "$c" 2>/dev/null; done; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
check() { # SENTENCE: by the status of what ran before; files out, err and requests say why it failed
	if [ $? -eq 0 ]; then n=$((n + 1)); echo "ok $n - $1"; else n=$((n + 1)); echo "not ok $n - $1"; cat out err requests 2>/dev/null | tail -n 30 | sed 's/^/# /'; fi
}
skip() { n=$((n + 1)); echo "ok $n - $1 # skip $2"; } # SENTENCE REASON
