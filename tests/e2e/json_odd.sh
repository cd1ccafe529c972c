#!/bin/bash
# Strings and numbers that RFC 8259 allows and many readers refuse, in fields that nobody needs, cost no document and no entry.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
# gives SENTENCE STATUS PATTERN COMMAND…
gives() { local out rc; out=$("${@:4}" 2>&1); rc=$?; if [ $rc = "$2" ] && grep -qE -e "$3" <<<"$(tr '\n' ' ' <<<"$out")"; then t 0 "$1"; else t 1 "$1" "status $rc, wanted $2 and /$3/ in: $out"; fi; }
w() { "$BUILD/whittle" --store "$dir/l.db" "$@"; }
odd='"comment":"a\u0000b","half":"\ud800","other half":"x\udc00\ud83d","many":18446744073709551616,"more":-1e999'

rule='"access":"Allow","destinationAddressPrefix":"*","direction":"Inbound","protocol":"Tcp","sourcePortRange":"*","sourceAddressPrefix":"*"'
cat >"$dir/web.json" <<J
{"id":"/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/web","name":"web","location":"westeurope","tags":{$odd},
"securityRules":[{"name":"ssh","priority":300,"destinationPortRange":"22","description":"\u0000",$odd,$rule}]}
J
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true, nsgs: [web.json]}\n' >"$dir/estate.yaml"
gives "a group with odd descriptions and tags is imported" 0 '1 resource' w estate import "$dir/estate.yaml"
list() { printf 'store: %s/l.db\nthreat-intel: [{name: %s, file: %s}]\n' "$dir" "$(basename "$1")" "$1" >"$dir/w.yaml"; "$BUILD/whittle" --config "$dir/w.yaml" intel update; }
echo "[{\"ip\":\"192.0.2.1\",$odd},{\"ip\":\"192.0.2.2\",\"note\":\"\\udfff\"}]" >"$dir/a.json"
gives "no entry of a list that is an array is lost" 0 '2 entries' list "$dir/a.json"
printf '{"ip":"192.0.2.1",%s}\n{"ip":"192.0.2.3","note":"\\u0000"}\n{"ip":"192.0.2.4"}\n' "$odd" >"$dir/b.jsonl"
gives "no entry of a list with an object per line is lost" 0 '3 entries' list "$dir/b.jsonl"
echo "{\"type\":\"bundle\",\"id\":\"bundle--1\",$odd,\"objects\":[{\"type\":\"indicator\",\"pattern_type\":\"stix\",\"name\":\"\\u0000\",\"pattern\":\"[ipv4-addr:value = '192.0.2.9']\",\"valid_from\":\"2020-01-01T00:00:00Z\"}]}" >"$dir/c.json"
gives "no entry of STIX is lost" 0 '1 entry' list "$dir/c.json"
echo '[{"ip":"192.0.2.1\u0000"},{"ip":"192.0.2.2"}]' >"$dir/d.json"
gives "an address with a NUL behind it is no address" 2 'neither address.*1 such entry, 1 good' list "$dir/d.json"
cat >"$dir/tags.json" <<J
{"changeNumber":18446744073709551616,"cloud":"Public\u0000","values":[{"name":"Storage","id":"Storage","properties":{"changeNumber":1e999,"region":"\ud800","addressPrefixes":["20.38.98.0/24"]}}]}
J
printf 'service-tags: tags.json\nresources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true, nsgs: [web.json]}\n' >"$dir/estate.yaml"
gives "the published service tags are read" 0 '1 resource' w estate import "$dir/estate.yaml"
printf '{"a":1,\n"b":"\\u0000",\n"c" 2}' >"$dir/web.json"
gives "text that is no JSON is refused with its line" 2 'web.json:3: ' w estate import "$dir/estate.yaml"
