# shellcheck shell=sh
# Minimal Debian roots for tests, made with debootstrap and thrown away. Sourced; $top is the source tree.
cache=${WHITTLE_TEST_CACHE:-/var/cache/whittle-test}
n=0

[ "$(id -u)" = 0 ] || { echo "fresh.sh: run as root" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "fresh.sh: debootstrap is missing" >&2; exit 2; }
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null |
	sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' | head -n 1)
[ -n "$mirror" ] || { echo "fresh.sh: no Debian source is configured" >&2; exit 2; }
mkdir -p "$cache" || exit 1

say() { # STATUS SENTENCE
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

# Runs a command line in the root, in namespaces of its own, so that what it mounts and starts ends with it.
inside() { # ROOT COMMAND-LINE
	unshare --mount --pid --fork --kill-child sh -eu -c '
		mount --bind "$1" "$1"; cd "$1"
		mount -t proc proc "$1/proc"; mount --rbind /sys "$1/sys"; mount --rbind /dev "$1/dev"; mount -t tmpfs tmpfs "$1/tmp"
		exec chroot "$1" /usr/bin/env -i HOME=/nonexistent PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
			${http_proxy:+http_proxy="$http_proxy"} ${registry:+npm_config_registry="$registry"} sh -c "$2"' sh "$1" "$2"
}

# begin_root SUITE: a root in $root, with the last commit in /opt/whittle; $log has what was printed.
begin_root() {
	root=$(mktemp -d "$cache/fresh-$1.XXXXXX") || exit 1
	chmod 755 "$root" # tests become other users, which must reach their files
	log=$cache/fresh-$1.log
	debootstrap --variant=minbase --include=ca-certificates "$1" "$root" "$mirror" >"$log" 2>&1
	say $? "a minimal $1 is made"
	printf 'deb %s %s main\n' "$mirror" "$1" >"$root/etc/apt/sources.list"
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/throwaway" # it need not survive a power cut
	cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null
	cp /etc/hosts "$root/etc/hosts" 2>/dev/null
	cp -a /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null
	mkdir -p "$root/opt/whittle" && git -C "$top" archive HEAD | tar -C "$root/opt/whittle" -xf -
}
