#!/bin/sh
# The plugin in Suricata 8: the tests of suricata7.sh in a Debian 13 root made with debootstrap. The root is kept between runs.
set -u
BUILD=${BUILD:-build}
lib=$(cd "$(dirname "$0")" && pwd)/lib/suricata.sh
cache=${WHITTLE_TEST_CACHE:-/var/cache/whittle-test}
root=$cache/trixie
major="Suricata 8"
# the packages that the plugin's objects are compiled and linked with
wants="gcc make pkg-config libc6-dev libnftnl-dev libmnl-dev libjansson-dev libyaml-dev libsqlite3-dev zlib1g-dev libzstd-dev libcap-ng-dev nettle-dev libcurl4-gnutls-dev libmicrohttpd-dev libgnutls28-dev"
skip_all() { echo "ok 1 - the plugin in Suricata 8 # skip $1"; exit 0; }

[ "$(id -u)" = 0 ] || skip_all "root is wanted to make a Debian 13 root"
command -v debootstrap >/dev/null || skip_all "debootstrap is not installed"
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null |
	sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' | head -n 1)

# Made in a directory of its own and renamed when it is whole, so that what was interrupted is not taken for it.
make_root() {
	new=$(mktemp -d "$cache/trixie-new.XXXXXX") || return 1
	debootstrap --variant=minbase --include=ca-certificates trixie "$new" "$mirror" &&
		printf 'deb %s trixie main\ndeb %s trixie-backports main\n' "$mirror" "$mirror" >"$new/etc/apt/sources.list" &&
		{ cp /etc/resolv.conf /etc/hosts "$new/etc/" || true; } &&
		chroot "$new" apt-get -q update &&
		DEBIAN_FRONTEND=noninteractive chroot "$new" apt-get -q -y --no-install-recommends install -t trixie-backports suricata &&
		DEBIAN_FRONTEND=noninteractive chroot "$new" apt-get -q -y --no-install-recommends install $wants &&
		rm -rf "$root" && chmod 755 "$new" && mv "$new" "$root" && return 0
	rm -rf --one-file-system "$new"
	return 1
}
mkdir -p "$cache" || exit 1
if ! chroot "$root" sh -c 'command -v suricata && command -v gcc' >/dev/null 2>&1; then
	[ -n "$mirror" ] || skip_all "no Debian source is configured"
	echo "# making a Debian 13 root with Suricata 8 in $root: some minutes, once"
	make_root >"$cache/trixie.log" 2>&1 || { tail -n 5 "$cache/trixie.log" | sed 's/^/# /'; skip_all "no Debian 13 root could be made"; }
fi
# One that an earlier version made may lack some of them.
chroot "$root" dpkg -s $wants >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -q -y --no-install-recommends install $wants >"$cache/trixie.log" 2>&1 ||
	{ tail -n 5 "$cache/trixie.log" | sed 's/^/# /'; skip_all "the Debian 13 root lacks packages"; }

make -s BUILD="$BUILD" "$BUILD/whittle" "$BUILD/tools/flowpcap" "$BUILD/tools/saypcap" "$BUILD/tools/ledger_dump" "$BUILD/tools/ledger_lock" "$BUILD/tools/talk" || exit 1
# The plugin is built there, against that Debian's libraries, and kept under the sum of its sources.
sum=$(find Makefile core include plugin rules -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c 1-32)
kept=$root/opt/whittle-$sum.so
if [ ! -f "$kept" ]; then
	source=$(mktemp -d "$root/opt/whittle.XXXXXX") || exit 1
	trap 'rm -rf "$source"' EXIT
	cp -a Makefile core include plugin rules "$source/" || exit 1
	# Variables that the caller set for make, such as a compiler, are not there.
	if ! env -u CC -u CFLAGS -u MAKEFLAGS -u MAKEOVERRIDES chroot "$root" \
		make -s -C "${source#"$root"}" -j2 BUILD=build build/whittle-suricata.so >"$source/log" 2>&1; then
		tail -n 20 "$source/log" | sed 's/^/# /'
		echo "not ok 1 - the plugin builds on Debian 13"
		exit 1
	fi
	mv "$source/build/whittle-suricata.so" "$kept" && rm -rf "$source"
	find "$root/opt" -name 'whittle-*.so' -mtime +7 -delete
fi
dir=$(mktemp -d "$root/tmp/whittle.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
in=${dir#"$root"}
plugin=${kept#"$root"}
suricata="chroot $root suricata"
. "$lib"
all_tests
