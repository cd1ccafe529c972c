# shellcheck shell=bash
# gives SENTENCE STATUS PATTERN COMMAND…: the command ends with that status, and a line of what it prints into $dir/out has the pattern.
n=0
gives() {
	local what=$1 want=$2 pat=$3
	shift 3
	n=$((n + 1))
	"$@" >"$dir/out" 2>&1
	local rc=$?
	if [ $rc -eq "$want" ] && grep -qE -e "$pat" "$dir/out"; then echo "ok $n - $what"; else echo "not ok $n - $what"; sed "s/^/# $rc: /" "$dir/out"; fi
}
