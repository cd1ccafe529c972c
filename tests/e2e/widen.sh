#!/bin/bash
# A rule that blocks a peer that belongs, from end to end: the kernel drops its packets, Suricata sees them unanswered, the plugin records that
# in the ledger, and recommend proposes to allow the peer again. After an enforce it connects. A stranger with as many attempts stays out.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
command -v suricata >/dev/null || { echo "ok 1 - $0 # skip suricata is not installed"; exit 0; }
BUILD=$(cd "$BUILD" && pwd)
netns_begin
export WHITTLE_STORE=$dir/l.db WHITTLE_CONFIG=/dev/null
w() { in_srv env -u SSH_CONNECTION -u SUDO_USER "$BUILD/whittle" --config /dev/null "$@" 2>"$dir/err"; }
serve "$srv" 22 serve

# Forty days up to yesterday: partners of 140.20.30.8/30 come daily, 203.0.113.77 came on the first 20.
for back in $(seq 40); do
	day=$(date -u -d "-$back days" +%F)
	for peer in 140.20.30.9 140.20.30.10 $([ "$back" -gt 20 ] && echo 203.0.113.77); do
		echo '{"timestamp":"'"$day"'T09:10:00.0+0000","flow_id":'"$back"',"event_type":"flow","src_ip":"'$peer'","src_port":'$((40000 + back))',"dest_ip":"10.0.0.4","dest_port":22,"proto":"TCP","app_proto":"ssh",' \
			'"flow":{"pkts_toserver":44,"pkts_toclient":43,"bytes_toserver":9196,"bytes_toclient":27009,"start":"'"$day"'T09:00:00.0+0000","end":"'"$day"'T09:05:00.0+0000","age":300,"state":"closed","reason":"timeout","alerted":false},' \
			'"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"fin":true,"psh":true,"ack":true,"state":"closed"}}'
	done
done >"$dir/eve.json"
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true}\n' >"$dir/estate.yaml"
w estate import "$dir/estate.yaml" >/dev/null && w ingest "$dir/eve.json" >/dev/null
allowed() { w recommend --dry-run --json | jq -c '[.resources[0].rules[] | select(.destinationPort == 22) | .ipAddresses[]]'; }
is "$(allowed)" '["140.20.30.8/30"]' "a peer that came daily and stopped is not in the rule"
w recommend >/dev/null; w enforce >/dev/null; w confirm >/dev/null
is "$(from 140.20.30.9) / $(from 203.0.113.77)" "connects / no connection" "the kernel accepts the others, and drops the peer that comes back after all"

cat >"$dir/suricata.yaml" <<Y
%YAML 1.1
---
vars: {address-groups: {HOME_NET: "[10.0.0.0/8]", EXTERNAL_NET: any}}
default-log-dir: $dir
plugins: [$BUILD/whittle-suricata.so]
outputs:
  - eve-log: {enabled: yes, filetype: whittle, whittle: {store: $dir/l.db, flush-interval: 1s}, types: [alert, flow]}
af-packet: [{interface: s0, threads: 1, cluster-id: 78, cluster-type: cluster_flow, defrag: yes}]
flow-timeouts: {tcp: {new: 2, closed: 0}}
default-rule-path: $dir
rule-files: []
Y
ip netns exec "$srv" suricata -c "$dir/suricata.yaml" --af-packet -l "$dir" -k none >"$dir/suricata.log" 2>&1 &
sensor=$!; pids+=($sensor)
until_true 20 grep -q 'Engine started\|Threads created' "$dir/suricata.log"; t $? "the sensor listens" "$(tail -5 "$dir/suricata.log")"
before=$(dropped 'in TCP 22')
for _ in 1 2 3 4; do from 203.0.113.77 >/dev/null & one=$!; from 203.0.113.78 >/dev/null; wait $one; done
[ "$(dropped 'in TCP 22')" -ge $((before + 8)) ]; t $? "the kernel has dropped what both sent" "$(dropped 'in TCP 22')"
from 140.20.30.9 >/dev/null
kill "$sensor"; wait "$sensor" 2>/dev/null # its records are written
is "$(allowed)" '["140.20.30.8/30","203.0.113.77"]' "recommend allows the refused peer again, and no stranger with as many attempts"
has "$(w recommend)" 'TCP-Inbound-22 +wider +203\.0\.113\.77 .* [4-9] attempts from there were refused: the rule in force may be blocking them' \
	"and reports that the rule grew, with the peer of the refused attempts"
w enforce >/dev/null; w confirm >/dev/null
is "$(from 203.0.113.77) / $(from 203.0.113.78)" "connects / no connection" "after an enforce it connects, and the stranger does not"
echo "1..$n"
