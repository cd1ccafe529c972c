#!/bin/bash
# The units as they are written: limits of time, memory, processes and core files, their view of the machine, and the report of a failure.
# systemd need not run; where systemd-analyze is there, it judges them.
cd "$(dirname "$0")/../.." || exit 1
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
is() { [ "$1" = "$2" ]; t $? "$3" "got '$1', wanted '$2'"; }
skip() { n=$((n + 1)); echo "ok $n - $1 # skip $2"; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
value() { sed -n "s/^$2=//p" "$1" | tail -n 1; }

for unit in packaging/systemd/*.service; do
	name=${unit##*/}; lacks=
	for key in TimeoutStartSec MemoryMax TasksMax; do
		[[ $(value "$unit" $key) =~ ^[0-9]+[KMG]?$ ]] || lacks+=" $key"
	done
	[ "$(value "$unit" LimitCORE)" = 0 ] || lacks+=" LimitCORE=0"
	[ "$(value "$unit" DevicePolicy)" = closed ] || lacks+=" DevicePolicy=closed"
	for key in PrivateMounts PrivateDevices PrivateTmp NoNewPrivileges ProtectHome MemoryDenyWriteExecute RestrictNamespaces; do
		[ "$(value "$unit" $key)" = yes ] || lacks+=" $key=yes"
	done
	[ -z "$lacks" ]; t $? "$name is bounded in time, memory, processes and devices" "lacks:$lacks"
	if [[ $name == whittle-failed@* ]]; then continue; fi
	[ "$(value "$unit" OnFailure)" = whittle-failed@%N.service ] && [ -f packaging/systemd/whittle-failed@.service ]; t $? "$name: a failure is reported"
	[ "$(value "$unit" User)" = whittle ] && grep -q '^u whittle ' packaging/sysusers.d/whittle.conf; t $? "$name: it starts as a system user of its own"
	is "$(value "$unit" AmbientCapabilities)" "$(value "$unit" CapabilityBoundingSet)" "$name: with the capabilities of the unit, and no way to more"
	caps=$(value "$unit" CapabilityBoundingSet | tr ' ' '\n' | grep -vxE 'CAP_(NET_ADMIN|SETUID|SETGID)'); [ -z "$caps" ]; t $? "$name: no capability beyond the firewall and the change of user" "$caps"
done
# nft, the netlink socket and the change of user need these, so they cannot be taken away: CAP_NET_ADMIN, AF_NETLINK, the host's network.
for unit in whittle-enforce whittle-firewall@; do
	[ "$(value packaging/systemd/$unit.service CapabilityBoundingSet)" = CAP_NET_ADMIN ]; t $? "$unit may change the firewall, and nothing else"
done
[ "$(value packaging/systemd/whittle-watch.service CapabilityBoundingSet)" = "CAP_SETUID CAP_SETGID" ]; t $? "whittle-watch, which reads the ledger, may not change the firewall"
socket=packaging/systemd/whittle-firewall.socket
is "$(value $socket SocketUser) $(value $socket SocketMode)" "whittle 0600" "the socket between them is the services' user's alone"
is "$(value $socket ListenStream)" "$(sed -n 's/^ExecStart=.*--firewall //p' packaging/systemd/whittle-watch.service)" "and one and the same"
if ! systemd-analyze security --help 2>/dev/null | grep -q -- --offline; then skip "systemd-analyze judges them" "no systemd-analyze with --offline"; else
	for unit in packaging/systemd/*.service; do
		level=$(systemd-analyze security --offline=true --no-pager "$unit" 2>"$dir/err" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
		most=1.5; [[ $unit != *serve* ]] || most=1.9 # it speaks to the network
		awk -v l="$level" -v m=$most 'BEGIN { exit !(l != "" && l < m) }'; t $? "systemd-analyze rates the exposure of ${unit##*/} below $most" "$level $(cat "$dir/err")"
	done
fi
echo "1..$n"
