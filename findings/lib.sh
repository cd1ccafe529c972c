# shellcheck shell=sh disable=SC2016
# Sourced by each script in this folder. $tmp is its own folder and disappears with it.
# Exit status of a script: 0 the software still behaves as described, 1 it does not, 77 it could not be run here.
set -eu
export LC_ALL=C TZ=UTC
tmp=$(mktemp -d)
namespaces=
children=
clean() {
	for c in $children; do kill "$c" 2>/dev/null || :; done
	for n in $namespaces; do umount "$tmp/ns.$n" 2>/dev/null || :; done
	rm -rf "$tmp"
}
trap clean EXIT
trap 'exit 130' INT TERM

skip() { echo "skipped: $*"; exit 77; }
changed() { echo "CHANGED: $*"; exit 1; }
need() { for c; do command -v "$c" >/dev/null || skip "this needs the command $c"; done; }

# holds SENTENCE COMMAND…: print the sentence if the command succeeds, else end the script with 1.
holds() {
	said=$1
	shift
	"$@" >/dev/null || changed "no longer true: $said"
	echo "seen: $said"
}

# debian SUITE PACKAGE=VERSION…: unpack these packages and all that they need under $tmp/SUITE. Nothing is installed.
# The mirror is the one that apt uses already; a folder named by FINDINGS_CACHE keeps what was fetched for the next run.
# `in_debian SUITE COMMAND…` runs a command of them.
debian() {
	need apt-get dpkg-deb chroot
	[ "$(id -u)" = 0 ] || skip "this needs root"
	suite=$1
	root=$tmp/$suite
	work=${FINDINGS_CACHE:-$tmp}/apt.$(echo "$*" | cksum | tr ' ' .)
	shift
	mkdir -p "$root" "$work/lists/partial" "$work/debs/partial"
	: >"$work/status"
	if [ ! -e "$work/done" ]; then
		# shellcheck disable=SC2016
		mirror=$(apt-get indextargets --format '$(REPO_URI) $(CREATED_BY) $(CODENAME)' |
			awk '$2 == "Packages" && $3 ~ /^(bookworm|trixie)$/ { print $1; exit }')
		[ -n "$mirror" ] || skip "no Debian mirror is configured here"
		for s in "${suite%-backports}" "$suite"; do echo "deb $mirror $s main"; done | sort -u >"$work/sources.list"
		if ! apt_in "$work" update || ! apt_in "$work" --download-only install "$@"; then
			skip "these pinned packages of $suite are not to be had: $*"
		fi
		: >"$work/done"
	fi
	for d in bin sbin lib lib64; do
		mkdir -p "$root/usr/$d"
		[ -e "$root/$d" ] || ln -s "usr/$d" "$root/$d"
	done
	mkdir -p "$root/tmp" "$root/dev" "$root/proc" "$root/run"
	for d in "$work"/debs/*.deb; do dpkg-deb --fsys-tarfile "$d" | tar -xf - -C "$root" --keep-directory-symlink; done
	echo "software: $* (Debian $suite)"
}
apt_in() {
	dir=$1
	shift
	apt-get -qq -o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$dir/lists" -o Dir::State::status="$dir/status" -o Dir::Cache::archives="$dir/debs" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
		-y --no-install-recommends -t "$suite" "$@" >"$dir/log" 2>&1
}
in_debian() {
	root=$tmp/$1
	shift
	chroot "$root" "$@"
}

# namespace NAME: make a network namespace with its loopback up. `inside NAME COMMAND…` runs a command in it.
namespace() {
	need unshare nsenter ip
	[ "$(id -u)" = 0 ] || skip "this needs root"
	: >"$tmp/ns.$1"
	unshare --net="$tmp/ns.$1" true 2>/dev/null || skip "network namespaces are not available here"
	namespaces="$namespaces $1"
	inside "$1" ip link set lo up
}
inside() {
	at=$tmp/ns.$1
	shift
	nsenter --net="$at" "$@"
}

# nft_in SUITE ARGUMENT…: nft of that suite, in the namespace of the same name.
nft_in() {
	of=$1
	shift
	inside "$of" chroot "$tmp/$of" nft "$@"
}

# track_rules SUITE: write /tmp/track.nft there, a table whose rule makes the kernel track connections.
track_rules() {
	cat >"$tmp/$1/tmp/track.nft" <<-'N'
		table inet t {
			chain c {
				type filter hook output priority 0
				ct state new accept
			}
		}
	N
}

# npm_packages NAME@VERSION…: install these for this run. NODE_PATH leads node to them.
npm_packages() {
	need npm node
	mkdir -p "$tmp/npm"
	(cd "$tmp/npm" && echo '{"private":true}' >package.json &&
		npm install --no-audit --no-fund --silent --ignore-scripts --save-exact "$@" >"$tmp/npm.log" 2>&1) ||
		skip "these pinned npm packages are not to be had: $*"
	export NODE_PATH="$tmp/npm/node_modules"
	echo "software: $* (npm), node $(node --version)"
}

# collect NAMESPACE SUITE FOLDER: start nfcapd there, which writes the flows that it hears on port 2055 below /tmp/FOLDER of the suite; `collected` ends it.
collect() {
	rm -rf "$tmp/$2/tmp/$3" && mkdir "$tmp/$2/tmp/$3"
	nsenter --net="$tmp/ns.$1" chroot "$tmp/$2" nfcapd -w "/tmp/$3" -b 127.0.0.1 -p 2055 >"$tmp/nfcapd.log" 2>&1 &
	collector=$!
	children="$children $collector"
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		if grep -q '^Startup' "$tmp/nfcapd.log"; then return; fi
		sleep 1
	done
	skip "nfcapd does not start: $(tail -n 1 "$tmp/nfcapd.log")"
}
collected() {
	sleep 1
	kill "$collector"
	wait "$collector" || :
}
