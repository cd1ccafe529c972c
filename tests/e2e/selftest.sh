#!/bin/bash
# selftest against the real Suricata, live on a veth: its flows arrive by the plugin and in a log; a sensor that is absent, or
# looks elsewhere, is reported as deaf with the reason.
set -u
BUILD=${BUILD:-build}
BUILD=$(cd "$BUILD" && pwd)
w=$BUILD/whittle
n=0
skip() { echo "ok 1 - selftest # skip $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "needs root"
command -v suricata >/dev/null || skip "suricata is not installed"
dir=$(mktemp -d) srv=whst-s-$$ net=whst-n-$$ pid=
cleanup() {
	[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
	ip netns del "$srv" 2>/dev/null
	ip netns del "$net" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
ip netns add "$srv" 2>/dev/null || skip "network namespaces can't be made here"
ip netns add "$net"
ip -n "$srv" link add s0 type veth peer name n0 netns "$net" || skip "veth can't be made here"
for ns in "$srv" "$net"; do ip -n "$ns" link set lo up; done
ip -n "$srv" addr add 10.0.0.4/24 dev s0
ip -n "$srv" addr add 2001:db8::4/64 dev s0 nodad
ip -n "$net" addr add 10.0.0.9/24 dev n0
ip -n "$net" addr add 2001:db8::9/64 dev n0 nodad
ip -n "$srv" link set s0 up
ip -n "$net" link set n0 up

# check SENTENCE STATUS PATTERN COMMAND…
check() {
	n=$((n + 1))
	"${@:4}" >"$dir/out" 2>&1
	local status=$?
	if [ "$status" -eq "$2" ] && grep -qE -e "$3" "$dir/out"; then echo "ok $n - $1"; else
		echo "not ok $n - $1"
		{ echo "status $status, wanted $2 and /$3/ in:"; cat "$dir/out"; tail -n 5 "$dir/suricata.log" 2>/dev/null; } | sed 's/^/# /'
	fi
}
from() { ip netns exec "$net" "$w" selftest --store "$dir/ledger.db" "$@"; }

printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4, "2001:db8::4"]}\n' >"$dir/estate.yaml"
"$w" --store "$dir/ledger.db" estate import "$dir/estate.yaml" >/dev/null
: >"$dir/eve.json"
check "without a sensor it is deaf, and says that nothing at all came" 3 'deaf: 0 of 3 flows.*nothing at all' from 10.0.0.4 --timeout 2s
check "an empty log is deaf as well" 3 'deaf: .*nothing at all was written' from 10.0.0.4 --eve "$dir/eve.json" --timeout 2s
check "an address that is no resource is refused before anything is sent" 2 'not an address of a resource' from 192.0.2.1
check "a missing log is reported" 2 'none.json: cannot be read' from 10.0.0.4 --eve "$dir/none.json"

cat >"$dir/suricata.yaml" <<END
%YAML 1.1
---
vars: {address-groups: {HOME_NET: "[10.0.0.0/8]", EXTERNAL_NET: any}}
default-log-dir: $dir
plugins: [$BUILD/whittle-suricata.so]
outputs:
  - eve-log: {enabled: yes, filetype: whittle, whittle: {store: $dir/ledger.db, flush-interval: 1s}, types: [alert, flow]}
  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [alert, flow]}
af-packet: [{interface: s0, threads: 1, cluster-id: 77, cluster-type: cluster_flow, defrag: yes}]
flow-timeouts: {tcp: {new: 2, closed: 0}, udp: {new: 2}}
default-rule-path: $dir
rule-files: []
END
ip netns exec "$srv" suricata -c "$dir/suricata.yaml" --af-packet -l "$dir" -k none >"$dir/suricata.log" 2>&1 &
pid=$!
for _ in $(seq 300); do
	grep -q 'Engine started\|Threads created' "$dir/suricata.log" && break
	kill -0 "$pid" 2>/dev/null || break
	read -rt 0.1 <> <(:) || true
done
check "flows that were refused arrive in the ledger by the plugin" 0 'arrived in [0-9.]+ s: 3 flows from 10.0.0.9 to 10.0.0.4' from 10.0.0.4
check "they arrive in the log too" 0 'arrived in' from 10.0.0.4 --eve "$dir/eve.json"
check "so do those over IPv6" 0 'arrived in [0-9.]+ s: 3 flows from 2001:db8::9' from '[2001:db8::4]:20999'
check "datagrams arrive too" 0 'arrived in.*/UDP' from --udp 10.0.0.4
check "as JSON the flows and the time are named" 0 '"hears": true' from 10.0.0.4 --json
check "flows refused by a reset or an ICMP error made no edge" 0 '^0$' sh -c "'$w' --store '$dir/ledger.db' edges | grep -c 10.0.0.9 || true"
check "refused flows made no edge" 0 '^0$' sh -c "'$w' --store '$dir/ledger.db' edges | grep -c 10.0.0.9 || true"
kill "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
pid=
check "a sensor that has stopped is deaf again" 3 'deaf: 0 of 3' from 10.0.0.4 --timeout 2s
flow='{"timestamp":"2026-10-01T00:00:00.000000+0000","event_type":"flow","src_ip":"10.0.0.9","src_port":1,"dest_ip":"10.0.0.77","dest_port":2,"proto":"TCP","flow":{"pkts_toserver":1,"pkts_toclient":0,"bytes_toserver":60,"bytes_toclient":0,"start":"2026-10-01T00:00:00.000000+0000","end":"2026-10-01T00:00:00.000000+0000","age":0,"state":"new","reason":"timeout","alerted":false}}'
(read -rt 1 <> <(:); echo "$flow" >>"$dir/eve.json") &
check "a sensor that hears only others is distinguished from one that hears nothing" 3 'other records came, so the sensor runs' \
	from 10.0.0.4 --eve "$dir/eve.json" --timeout 3s
echo "1..$n"
