#!/bin/sh
# The source archive: what git has in its last commit (or, without git, this tree but for what was built), in an order, with times, owners and modes that do not depend on
# who makes it, where and when. The same tree gives the same bytes. usage: dist.sh ARCHIVE.tar.gz
set -eu
out=$1
top=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^#define WH_VERSION "\(.*\)"/\1/p' "$top/include/whittle/base.h")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/whittle-$version
mkdir "$root"
if git -C "$top" rev-parse --verify -q HEAD >/dev/null 2>&1 && [ "$(git -C "$top" rev-parse --show-toplevel)" = "$top" ]; then
	git -C "$top" archive -o "$work/tree.tar" HEAD
	time=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct)}
else
	tar -c -C "$top" --exclude ./build --exclude ./debian --exclude ./.git --exclude node_modules -f "$work/tree.tar" .
	time=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$top/CHANGELOG.md")}
fi
tar -x -C "$root" -f "$work/tree.tar"
mkdir -p "$(dirname "$out")"
# Each step by itself, so that a tar that could not take a file ends this. ustar has no room for the longest names.
tar -c -C "$work" --sort=name --format=gnu --mtime="@$time" --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX -f "$work/whittle.tar" "whittle-$version"
gzip -n -9 <"$work/whittle.tar" >"$out"
sha256sum "$out"
