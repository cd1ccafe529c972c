#!/bin/sh
# What fires on captures of public test suites (../shared/pcaps, where it is there): a row an alert. Suricata reads each with our own signatures, `ingest` its log; every
# private address is a resource. Nothing is judged: the captures have no truth to hold it against.
set -u
BUILD=$(cd "${BUILD:-build}" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
pcaps=${WHITTLE_SHARED:-$root/../shared}/pcaps
if ! ls "$pcaps"/*.pcap >/dev/null 2>&1; then echo "# captures: there are none in $pcaps"; exit 0; fi
for tool in suricata jq; do command -v $tool >/dev/null || { echo "# captures: $tool is not installed"; exit 0; }; done
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cat >"$dir/c.yaml" <<'Y'
%YAML 1.1
---
stats: {enabled: no}
outputs:
  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [flow, alert, dns, {tls: {extended: yes}}, ssh, smb, krb5]}
Y
w() { "$BUILD/whittle" --store "$dir/l.db" --config /dev/null "$@"; }
estate() { # the capture's private addresses
	jq -rs '{resources: [[.[] | select(.event_type == "flow") | .src_ip, .dest_ip | select(test("^(10|192[.]168|172[.](1[6-9]|2[0-9]|3[01]))[.]|^f[cd]"))] |
		unique[] | {name: ., addresses: [.]}]}' "$dir/eve.json"
}
printf '%-28s %-38s %-14s %s\n' 'Alerts on captures' type severity resource
for pcap in "$pcaps"/*.pcap; do
	rm -f "$dir"/l.db* "$dir/eve.json"
	name=$(basename "$pcap" .pcap)
	suricata -c "$dir/c.yaml" -l "$dir" -S "$root/rules/suricata/whittle.rules" -k none -r "$pcap" >"$dir/log" 2>&1 || { printf '%-28s Suricata could not read it\n' "$name"; continue; }
	estate >"$dir/estate.yaml"
	w estate import "$dir/estate.yaml" >"$dir/log" 2>&1 && w ingest "$dir/eve.json" >"$dir/log" 2>&1 || { printf '%-28s %s\n' "$name" "$(tail -n 1 "$dir/log")"; continue; }
	w alerts --json 2>/dev/null | jq -r --arg name "$name" '[.value[].properties | select(.alertType != "Whittle_SensorBlind")] |
		if . == [] then [$name, "-", "-", "-"] else .[] | [$name, .alertType, .severity, .compromisedEntity] end | @tsv' |
		while IFS="$(printf '\t')" read -r name type severity resource; do printf '%-28s %-38s %-14s %s\n' "$name" "$type" "$severity" "$resource"; done
done
