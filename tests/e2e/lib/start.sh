# How a script begins that runs the command in a directory of its own and judges what it printed. Sourced from tests/e2e.
# Afterwards $w is the command, $dir the directory (also the current one; it is removed at the end) and $here that of the script.
BUILD=${BUILD:-build}
w=$(cd "$BUILD" && pwd)/whittle
here=$(cd "$(dirname "$0")" && pwd)
n=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
check() { # SENTENCE: by the status of what ran before; files out and err say why it failed
	if [ $? -eq 0 ]; then n=$((n + 1)); echo "ok $n - $1"; else n=$((n + 1)); echo "not ok $n - $1"; sed 's/^/# /' out err; fi
}
