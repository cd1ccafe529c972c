#!/bin/sh
# Installs what whittle needs, by package name, on Debian 12 and 13. usage: install-deps.sh build|demo|test|bench|lint|fuzz|deb
#        install-deps.sh deb ARCHITECTURE   what building packages for another one needs, such as arm64
set -eu
mode=${1:-build}
build="gcc make pkg-config libc6-dev libnftnl-dev libmnl-dev libjansson-dev libyaml-dev libsqlite3-dev zlib1g-dev libzstd-dev libcap-ng-dev nettle-dev libcurl4-gnutls-dev libmicrohttpd-dev libgnutls28-dev libpango1.0-dev fonts-dejavu-core esbuild"
demo="$build suricata nftables iproute2 ca-certificates jq"
test="$demo sqlite3 procps zstd logrotate libcmocka-dev jq nodejs npm shellcheck debootstrap ufw dropbear-bin sudo dbus-daemon python3-firewall python3-nftables poppler-utils zsh fish"
deb="$build build-essential debhelper dpkg-dev"
bench="$test g++ libsimdjson-dev time wrk curl procps"
fuzz="$build clang libclang-rt-dev"
lint="$build clang-format clang-tidy cppcheck python3 shellcheck node-typescript"
case $mode in
build) want=$build ;; demo) want=$demo ;; test) want=$test ;; bench) want=$bench ;; lint) want=$lint ;; deb) want=$deb ;; fuzz) want=$fuzz ;;
*) echo "install-deps.sh: unknown mode '$mode' (build, demo, test, bench, lint, fuzz, deb)" >&2; exit 2 ;;
esac

if [ "${2:-$(dpkg --print-architecture)}" != "$(dpkg --print-architecture)" ]; then
	[ "$mode" = deb ] || { echo "install-deps.sh: only 'deb' takes an architecture" >&2; exit 2; }
	foreign=$2
	want="crossbuild-essential-$foreign qemu-user $(echo "$want" | sed "s/\(lib[^ ]*-dev\)/\1:$foreign/g")"
fi

case $mode in
test|bench) # a cluster for the fleet's tests, where Debian has one
	if [ "$(. /etc/os-release; echo "${VERSION_ID:-}")" = 12 ]; then want="$want clickhouse-server clickhouse-client"
	else echo "install-deps.sh: this Debian has no clickhouse-server: the fleet's tests are skipped" >&2; fi ;;
esac

missing=
for p in $want; do
	# Something that another package provides counts too (npm comes with some builds of nodejs).
	case $p in
	npm) command -v npm >/dev/null 2>&1 && continue ;;
	esac
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || { echo "install-deps.sh: run as root: these packages are missing:$missing" >&2; exit 1; }

export DEBIAN_FRONTEND=noninteractive
. /etc/os-release
apt="apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends"

# Debian 12 has Suricata in its backports: the source is the one that is configured, with another suite.
backports() {
	suite="$VERSION_CODENAME-backports"
	grep -rqs "$suite" /etc/apt/sources.list /etc/apt/sources.list.d && return 0
	out=/etc/apt/sources.list.d/whittle-backports
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -f "$f" ] || continue
		uris=$(awk -v s="$VERSION_CODENAME" 'BEGIN{RS="";FS="\n"} {u="";k="";ok=0; for(i=1;i<=NF;i++){if($i~/^URIs:/)u=$i; if($i~/^Signed-By:/)k=$i; if($i~/^Suites:/){n=split($i,a," "); for(j=2;j<=n;j++) if(a[j]==s) ok=1}} if(ok){print u; if(k!="")print k; exit}}' "$f")
		[ -n "$uris" ] || continue
		printf 'Types: deb\n%s\nSuites: %s\nComponents: main\n' "$uris" "$suite" >"$out.sources"
		return 0
	done
	line=$(grep -hE "^deb .* $VERSION_CODENAME main" /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1)
	[ -n "$line" ] || { echo "install-deps.sh: no Debian source for $VERSION_CODENAME is configured" >&2; return 1; }
	echo "$line" | sed "s/ $VERSION_CODENAME main.*/ $suite main/" >"$out.list"
}

case " $missing " in
*" suricata "*) if [ "${VERSION_ID:-}" = 12 ]; then backports; apt="$apt -t bookworm-backports"; suri=1; fi ;;
esac
[ -z "${foreign:-}" ] || dpkg --add-architecture "$foreign"
apt-get -q update
if [ "${suri:-0}" = 1 ]; then
	$apt install suricata
	apt="apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends"
	missing=$(echo "$missing " | sed 's/ suricata / /')
fi
[ -z "$(echo "$missing" | tr -d ' ')" ] || $apt install $missing
