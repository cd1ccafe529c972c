#!/bin/sh
# Debian packages, built with debhelper from the source archive. usage: deb.sh BUILD [dpkg-buildpackage's options…]   the result is in BUILD/deb
set -eu
build=$1; shift
top=$(cd "$(dirname "$0")/.." && pwd)
version=$(sed -n 's/^#define WH_VERSION "\(.*\)"/\1/p' "$top/include/whittle/base.h")
mkdir -p "$build"
out=$(cd "$build" && pwd)/deb
rm -rf "$out"
mkdir -p "$out"
"$top/packaging/dist.sh" "$out/whittle_$version.orig.tar.gz" >/dev/null
tar -x -C "$out" -f "$out/whittle_$version.orig.tar.gz"
cp -r "$out/whittle-$version/packaging/debian" "$out/whittle-$version/debian"
cd "$out/whittle-$version"
echo "deb: building the packages takes a few minutes; the log is $out/build.log" >&2
dpkg-buildpackage -us -uc "$@" >"$out/build.log" 2>&1 || { tail -n 30 "$out/build.log" >&2; echo "deb: failed; the whole log is $out/build.log" >&2; exit 1; }
cd "$out"
rm -rf "whittle-$version"
ls ./*.deb
