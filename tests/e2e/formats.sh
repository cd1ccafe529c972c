#!/bin/sh
# Every format of Azure says the same, read by somebody else's reader: Azure's own client library for nsg and arm, a strict stand-in for
# `az` that the script is run with, and the importer for all that is JSON.
set -u
BUILD=${BUILD:-build}
w=$(cd "$BUILD" && pwd)/whittle
here=$(cd "$(dirname "$0")" && pwd)
cache=${WHITTLE_TEST_CACHE:-/var/cache/whittle-test}
n=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
check() { if [ $? -eq 0 ]; then n=$((n + 1)); echo "ok $n - $1"; else n=$((n + 1)); echo "not ok $n - $1"; cat out err 2>/dev/null | tail -n 20 | sed 's/^/# /'; fi; }
skip() { n=$((n + 1)); echo "ok $n - $1 # skip $2"; }
export WHITTLE_CONFIG=/dev/null
. "$here/lib/example.sh"
group_id=/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/web
# No room before the rule, so that it and the next have to move.
jq --arg id "$group_id" '. + {id: $id, location: "westeurope"} | .securityRules[0].priority = 100 | .securityRules += [
	(.securityRules[0] | .name = "next" | .priority = 101 | .destinationPortRange = "80"),
	(.securityRules[0] | .name = "after" | .priority = 102 | .access = "Deny" | .sourceAddressPrefix = "45.0.0.0/8")]' web.json >tight.json
sed -i 's/web.json/tight.json/' estate.yaml
"$w" --store l.db estate import estate.yaml >out 2>err && "$w" --store l.db ingest eve.json >out 2>err && "$w" --store l.db recommend >out 2>err
check "the example is learnt"
for f in nsg arm bicep terraform az; do
	"$w" --store l.db export --format $f -o "web.$f" >out 2>err && [ -s "web.$f" ]
	check "export --format $f writes a file"
done
# rules FILTER FILE: name, priority, access, sources, port of each, sorted
rules() {
	jq -cS "[$1 | (.properties // .) + {name} | {name, priority, access, direction, description, destinationPortRange, destinationAddressPrefix,
		sources: ([.sourceAddressPrefix // empty] + (.sourceAddressPrefixes // []) | sort)}] | sort_by(.name)" "$2"
}
rules '.securityRules[]' web.nsg >want
rules '.resources[0].properties.securityRules[]' web.arm >out && cmp out want >err
check "the template holds the rules of the group"
jq -e '[.. | objects | has("etag", "id", "provisioningState")] | any | not' web.arm >out
check "the template holds nothing that only Azure sets"
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true, nsgs: [web.arm]}\n' >again.yaml
"$w" --store again.db estate import again.yaml >out 2>err && "$w" --store again.db ingest eve.json >out 2>err &&
	"$w" --store again.db recommend --json >out 2>err && jq -e '[.resources[].rules | length] | add == 0' out >/dev/null
check "the template is read back, and there is nothing left to narrow"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
	skip "Azure's client library reads the template and sends the group" "node or npm is not installed"
	skip "the az script makes the group" "node is not installed"
else
	mkdir -p "$cache/azure-sdk"
	[ -d "$cache/azure-sdk/node_modules/@azure/arm-network" ] ||
		npm install --prefix "$cache/azure-sdk" --no-audit --no-fund --silent @azure/arm-network@36 @azure/core-rest-pipeline@1 >"$cache/azure-sdk.log" 2>&1
	if [ ! -d "$cache/azure-sdk/node_modules/@azure/arm-network" ]; then
		skip "Azure's client library reads the template and sends the group" "@azure/arm-network could not be had"
	else
		NODE_PATH=$cache/azure-sdk/node_modules node "$here/../tools/sdk_reads.js" web.nsg web.arm >sdk 2>err &&
			rules '.read[]' sdk >read && rules '.sent[]' sdk >sent && cat read sent >out && cmp read want >err && cmp sent want >err
		check "Azure's client library reads the template and sends the group, and nothing is lost"
	fi
	mkdir bin && printf '#!/bin/sh\nexec node "%s" "$@"\n' "$here/../tools/fake_az.js" >bin/az && chmod +x bin/az
	cp tight.json now.json
	PATH=$dir/bin:$PATH FAKE_AZ_GROUP=$dir/now.json sh web.az >out 2>err && rules '.securityRules[]' now.json >out && cmp out want >err
	check "the az script makes the group, and is refused nothing on the way"
	PATH=$dir/bin:$PATH FAKE_AZ_GROUP=$dir/now.json sh web.az >out 2>err && rules '.securityRules[]' now.json >out && cmp out want >err
	check "running it again changes nothing"
fi
if command -v shellcheck >/dev/null; then shellcheck web.az >out 2>err; check "shellcheck has nothing against the script"
else skip "shellcheck has nothing against the script" "shellcheck is not installed"; fi
"$w" --store l.db export --format nsg --nsg web >out 2>err && "$w" --store l.db export --format az --nsg web >out 2>err &&
	! "$w" --store l.db export --format nft --nsg web >out 2>err
check "--nsg goes with every format of Azure and not with nft"
[ "$(grep -c '^resource "azurerm_network_security_rule"' web.terraform)" -eq 2 ] && grep -q 'must move from priority' web.terraform
check "Terraform gets the new rules, and is told which of its own have to move"
echo "1..$n"
