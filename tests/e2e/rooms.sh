#!/bin/sh
# The rule of the rooms can fail: a copy of the tree passes, and the same copy with one include from the right does not.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
n=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tests" && cp -R "$top/core" "$top/include" "$top/plugin" "$dir/" && cp -R "$top/tests/lint" "$dir/tests/" || exit 1
t() { # SENTENCE: by the status of what ran before
	if [ $? -eq 0 ]; then n=$((n + 1)); echo "ok $n - $1"; else n=$((n + 1)); echo "not ok $n - $1"; sed 's/^/# /' "$dir/out"; fi
}
refused() { # FILE INCLUDE WHAT-IT-SAYS: with that include in that file the rule is broken, and that is said
	cp "$dir/$1" "$dir/kept"
	printf '#include %s\n' "$2" >>"$dir/$1"
	! "$dir/tests/lint/rooms.sh" >"$dir/out" && grep -qx "$1 includes $3" "$dir/out"
	status=$?
	mv "$dir/kept" "$dir/$1"
	return $status
}

"$dir/tests/lint/rooms.sh" >"$dir/out"
t "in the tree every include looks left"
refused core/flow/input.c '"whittle/harden.h"' "whittle/harden.h: harden is to the right of flow"
t "a room that includes a public header from its right is refused"
refused core/policy/ranges.c '"estate/import.h"' "estate/import.h: estate is to the right of policy"
t "a private header from its right too"
refused core/harden/select.c '<whittle/jit.h>' "whittle/jit.h: enforce is to the right of harden"
t "angle brackets do not hide it"
refused include/whittle/ledger.h '"whittle/render.h"' "whittle/render.h: render is to the right of ledger"
t "a public header of a room is held to the same"
refused plugin/sink.c '"cli/cli.h"' "cli/cli.h: cli is to the right of plugin"
t "the plugin uses every room but the command line's"
mkdir "$dir/core/attic" && echo >"$dir/core/attic/x.c"
! "$dir/tests/lint/rooms.sh" >"$dir/out" && grep -q "the room 'attic' is not in the picture" "$dir/out"
t "a room that the picture does not show is refused"
echo "1..$n"
