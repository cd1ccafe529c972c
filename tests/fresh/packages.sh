#!/bin/sh
# The Debian packages in minimal Debian 12 and 13 roots, made with debootstrap and thrown away: built, judged by lintian, installed, upgraded from a version
# before with a ledger and confirmed rules, and purged. usage: [DEBS=DIRECTORY] packages.sh [bookworm|trixie]…   DEBS: packages that are built already
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/fresh/root.sh"

# The commands in the root, line by line. Its own network namespace is the machine with the firewall to narrow.
in_root='
set -eu
export DEBIAN_FRONTEND=noninteractive
say() { echo "STEP $1"; }
case $1 in
tools)
	apt-get -q update && apt-get -q install -y --no-install-recommends make jq lintian nftables iproute2 systemd libjansson4 libyaml-0-2 libsqlite3-0 libnftnl11 libmnl0 libcap-ng0 ;;
build)
	cd /opt/whittle && packaging/install-deps.sh deb && packaging/deb.sh build ;;
lintian)
	cd /opt/whittle/build/deb && lintian --allow-root --fail-on error,warning ./*.changes ;;
reproducible)
	cd /opt/whittle && packaging/dist.sh /tmp/a.tar.gz && mkdir /tmp/x && tar -x -C /tmp/x -f /tmp/a.tar.gz && (umask 077; /tmp/x/*/packaging/dist.sh /tmp/b.tar.gz) && cmp /tmp/a.tar.gz /tmp/b.tar.gz ;;
old) # the same, as if it were a version before
	cd /opt/whittle/build/deb && for p in whittle whittle-suricata; do
		dpkg-deb -R ${p}_[0-9]*.deb /tmp/$p && sed -i "s/^Version: .*/Version: 0.0.9-1/; s/(= [^)]*)/(= 0.0.9-1)/" /tmp/$p/DEBIAN/control && dpkg-deb -b /tmp/$p /tmp/$p-old.deb >/dev/null
	done ;;
install)
	apt-get -q install -y --no-install-recommends /tmp/whittle-old.deb /tmp/whittle-suricata-old.deb && whittle --version && id whittle &&
		[ "$(stat -c "%U %a" /var/lib/whittle)" = "root 750" ] && ls /usr/share/whittle/rules/ports.yaml /etc/suricata/whittle.yaml /usr/lib/whittle/whittle-suricata.so &&
		zcat /usr/share/doc/whittle/whittle.cdx.json.gz | jq -e ".bomFormat == \"CycloneDX\" and (.components | length > 8)" &&
		for u in whittle-enforce.service whittle-watch.service whittle-firewall@.service whittle-firewall.socket; do find /lib/systemd/system /usr/lib/systemd/system -name $u | grep -q . || exit 1; done &&
		! whittle doctor | grep "^fail *\(plugin\|ports.yaml\)" ;;
rules) # a month of traffic, rules that are confirmed
	ip link set lo up; ip link add d0 type veth peer name d1; ip addr add 10.0.0.4/24 dev d0; ip link set d0 up; ip link set d1 up
	nft -f - <<-N
	table inet mine { chain input { type filter hook input priority 0; policy accept; tcp dport 25 drop; }; }
	N
	nft list ruleset >/var/tmp/before
	/opt/gen >/tmp/eve.json
	whittle estate import /tmp/estate.yaml && whittle ingest /tmp/eve.json && whittle recommend && whittle enforce --force && whittle confirm && whittle drift ;;
upgrade)
	whittle edges --json >/var/tmp/edges.before
	cd /opt/whittle/build/deb && apt-get -q install -y --no-install-recommends ./whittle_*.deb ./whittle-suricata_*.deb && dpkg-query -W -f "\${Version}\n" whittle | grep -v "^0.0.9" &&
		whittle edges --json | cmp - /var/tmp/edges.before && whittle drift && nft list table inet whittle >/dev/null &&
		nft delete table inet whittle && whittle restore && whittle drift ;;
remove)
	apt-get -q purge -y whittle whittle-suricata && nft list ruleset | cmp - /var/tmp/before && [ ! -e /var/lib/whittle ] && [ ! -e /var/lib/whittle-state ] && [ ! -e /etc/suricata/whittle.yaml ] && ! command -v whittle ;;
esac'

one() { # SUITE
	begin_root "$1" || return
	printf '%s\n' "$in_root" >"$root/opt/step.sh"
	cat >"$root/opt/gen" <<-'G'
	#!/bin/sh
	printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true}\n' >/tmp/estate.yaml
	today=$(($(date +%s) / 86400))
	for d in $(seq 1 31); do for h in 1 2 3 4 5; do
		at=$(date -u -d @$(((today - 32 + d) * 86400 + h * 3600)) +%Y-%m-%dT%H:%M:%S.000000+0000)
		printf '{"timestamp":"%s","flow_id":%d,"event_type":"flow","src_ip":"140.20.30.%d","src_port":%d,"dest_ip":"10.0.0.4","dest_port":22,"proto":"TCP","app_proto":"ssh","flow":{"pkts_toserver":40,"pkts_toclient":40,"bytes_toserver":9000,"bytes_toclient":9000,"start":"%s","end":"%s","age":300,"state":"closed","reason":"timeout","alerted":false},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"fin":true,"psh":true,"ack":true,"state":"closed"}}\n' "$at" $((d * 10 + h)) $((8 + h)) $((20000 + d * 100 + h)) "$at" "$at"
	done; done
	G
	chmod +x "$root/opt/gen"
	# one mount, PID and network namespace for all steps after the build, so that the firewall lasts from one to the next
	[ -z "${DEBS:-}" ] || { mkdir -p "$root/opt/whittle/build" && cp -r "$DEBS" "$root/opt/whittle/build/deb"; }
	for step in tools ${DEBS:-build} lintian reproducible; do
		[ "$step" != "${DEBS:-}" ] || continue
		inside "$root" "sh /opt/step.sh $step" >"$cache/packages-$1-$step.log" 2>&1; status=$?
		say $status "$1: $step"; [ $status = 0 ] || tail -n 25 "$cache/packages-$1-$step.log" | sed 's/^/# /'
	done
	unshare --net sh -c '. "$1/tests/fresh/root.sh"; inside "$2" "for s in old install rules upgrade remove; do if sh /opt/step.sh \$s >/opt/\$s.log 2>&1; then echo \"ok \$s\"; else echo \"bad \$s\"; fi; done"' sh "$top" "$root" >"$cache/packages-$1.steps" 2>&1
	while read -r word step; do
		case $word in
		ok) say 0 "$1: $step" ;;
		bad) say 1 "$1: $step"; tail -n 25 "$root/opt/$step.log" | sed 's/^/# /' ;;
		esac
	done <"$cache/packages-$1.steps"
	[ "$(grep -c '^\(ok\|bad\) ' "$cache/packages-$1.steps")" = 5 ]; say $? "$1: all steps were taken"
	rm -rf --one-file-system "$root"
}

[ $# -gt 0 ] || set -- bookworm trixie
for suite; do one "$suite"; done
echo "1..$n"
