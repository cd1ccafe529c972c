#!/bin/sh
# The rule of the rooms can fail: a copy of the tree passes, and the same copy with one include against the table does not.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
n=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tests" && cp -R "$top/core" "$top/include" "$top/plugin" "$dir/" && cp -R "$top/tests/lint" "$dir/tests/" && cp "$top/ARCHITECTURE.md" "$dir/" || exit 1
t() { # SENTENCE: by the status of what ran before
	if [ $? -eq 0 ]; then n=$((n + 1)); echo "ok $n - $1"; else n=$((n + 1)); echo "not ok $n - $1"; sed 's/^/# /' "$dir/out"; fi
}
refused() { # FILE INCLUDE WHAT-IT-SAYS: with that include in that file the rule is broken, and that is said
	cp "$dir/$1" "$dir/kept"
	printf '#include %s\n' "$2" >>"$dir/$1"
	! "$dir/tests/lint/rooms.sh" >"$dir/out" && grep -qx "${4:-$1 includes }$3" "$dir/out"
	status=$?
	mv "$dir/kept" "$dir/$1"
	return $status
}

"$dir/tests/lint/rooms.sh" >"$dir/out"
t "in the tree every include is in the table"
refused core/flow/input.c '"whittle/harden.h"' "whittle/harden.h: flow may not include harden"
t "a room that includes a public header against the table is refused"
refused core/policy/ranges.c '"estate/import.h"' "estate/import.h: policy may not include estate"
t "a private header too"
refused core/harden/derive.c '<whittle/jit.h>' "whittle/jit.h: harden may not include jit"
t "angle brackets do not hide it"
refused include/whittle/ledger.h '"whittle/render.h"' "whittle/render.h: ledger may not include render"
t "a public header of a room is held to the same"
refused include/whittle/harden.h '"whittle/intel.h"' "gets whittle/intel.h through whittle/harden.h: guard may not have intel" '.* '
t "a room that is reached through another room's header counts as included"
refused plugin/sink.c '"cli/cli.h"' "cli/cli.h: plugin may not include cli"
t "the plugin does not use the command line"
refused core/cli/status.c '"ledger/edge_table.h"' "ledger/edge_table.h: that header is private to ledger"
t "a private header stays in its room, whatever the table allows"
sed -i 's/^    app · plugin$/    app/' "$dir/ARCHITECTURE.md"
! "$dir/tests/lint/rooms.sh" >"$dir/out" && grep -q "its picture is not" "$dir/out"
t "a picture that does not show the table is refused"
cp "$top/ARCHITECTURE.md" "$dir/"
mkdir "$dir/core/attic" && echo >"$dir/core/attic/x.c"
! "$dir/tests/lint/rooms.sh" >"$dir/out" && grep -q "the room 'attic' is not in tests/lint/rooms" "$dir/out"
t "a room that the table does not name is refused"
rm -r "$dir/core/attic"
sed -i 's/^base:.*/base: harden/' "$dir/tests/lint/rooms"
! "$dir/tests/lint/rooms.sh" >"$dir/out" && grep -q "a circle goes through" "$dir/out"
t "a circle in the table is refused"
echo "1..$n"
