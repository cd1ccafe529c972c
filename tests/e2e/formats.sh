#!/bin/sh
# Every format of Azure says the same, read by somebody else's reader: Azure's own client library for nsg and arm, HashiCorp's parser for
# Terraform, a grammar of Bicep, a strict stand-in for `az` that the script is run with, and the importer for all that is JSON.
set -u
. "$(dirname "$0")/lib/start.sh"
export WHITTLE_CONFIG=/dev/null
. "$here/lib/example.sh"
. "$here/lib/sdk.sh"
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
	jq -cS "[$1 | (.properties // .) + {name} | {name, priority, access, direction, description, protocol, destinationPortRange, destinationPortRanges: (.destinationPortRanges // []),
		destinations: ([.destinationAddressPrefix // empty] + (.destinationAddressPrefixes // []) | sort), sources: ([.sourceAddressPrefix // empty] + (.sourceAddressPrefixes // []) | sort)}] | sort_by(.name)" "$2"
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

sdk=$(sdk_modules); [ -n "$sdk" ] || sdk_modules
# ours FILE: the rules of a group of ours that stand in a file that `rules` wrote
ours() { jq -cS '[.[] | select(.name | startswith("whittle-") or test("-DENY-"))]' "$1"; }
# reads PREFIX: arm and nsg, Bicep and Terraform of one export say the same, each by a reader of somebody else's
reads() {
	name="$1: Azure's client library reads the template and sends the group, and nothing is lost"
	if [ -n "$sdk" ]; then skip "$name" "$sdk"; else
		node "$here/../sdk/sdk_reads.js" "$1.nsg" "$1.arm" >sdk.out 2>err &&
			rules '.read[]' sdk.out >read && rules '.sent[]' sdk.out >sent && cat read sent >out && cmp read "$1.want" >err && cmp sent "$1.want" >err
		check "$name"
	fi
	name="$1: a grammar of Bicep reads the same"
	if [ -n "$sdk" ]; then skip "$name" "$sdk"; else
		node "$here/../sdk/bicep_reads.js" "$1.bicep" >bicep.out 2>err && jq -S '[.[] | del(.symbol, .type)]' bicep.out >out &&
			jq -S '[.resources[] | del(.apiVersion, .type)] | walk(if . == "[resourceGroup().location]" then {expression: .[1:-1]} elif type == "string" and startswith("[[") then .[1:] else . end)' \
				"$1.arm" >as-arm &&
			cmp out as-arm >err && jq -e 'all(.[]; .type == "Microsoft.Network/networkSecurityGroups@2023-09-01")' bicep.out >err
		check "$name"
	fi
	name="$1: HashiCorp's parser reads the new rules in the Terraform, and variables are declared"
	if [ -n "$sdk" ]; then skip "$name" "$sdk"; else
		node "$here/../sdk/terraform_reads.js" "$1.terraform" >tf.out 2>err && rules '.rules[]' tf.out >out && ours "$1.want" >mine && [ "$(jq length mine)" -gt 0 ] && cmp out mine >err &&
			jq -e '(.used - .declared) == []' tf.out >err
		check "$name"
	fi
}
mv want web.want
reads web
if ! command -v node >/dev/null; then skip "the az script makes the group" "node is not installed"; else
	mkdir bin && printf '#!/bin/sh\nexec node "%s" "$@"\n' "$here/../tools/fake_az.js" >bin/az && chmod +x bin/az
	cp tight.json now.json
	PATH=$dir/bin:$PATH FAKE_AZ_GROUP=$dir/now.json sh web.az >out 2>err && rules '.securityRules[]' now.json >out && cmp out web.want >err
	check "the az script makes the group, and is refused nothing on the way"
	PATH=$dir/bin:$PATH FAKE_AZ_GROUP=$dir/now.json sh web.az >out 2>err && rules '.securityRules[]' now.json >out && cmp out web.want >err
	check "running it again changes nothing"
fi
if command -v shellcheck >/dev/null; then shellcheck web.az >out 2>err; check "shellcheck has nothing against the script"
else skip "shellcheck has nothing against the script" "shellcheck is not installed"; fi
"$w" --store l.db export --format nsg --nsg web >out 2>err && "$w" --store l.db export --format az --nsg web >out 2>err &&
	! "$w" --store l.db export --format nft --nsg web >out 2>err
check "--nsg goes with every format of Azure and not with nft"
[ "$(grep -c '^resource "azurerm_network_security_rule"' web.terraform)" -eq 3 ] && grep -q 'must move from priority' web.terraform
check "Terraform gets the three new rules, and comments on which of its own have to move"

# ---- texts that mean something in a format, several prefixes and ports, both families, outbound, and a host without a group ----
v6='s/"src_ip":"140.20.30.\([0-9]*\)"/"src_ip":"2001:db8:7::\1"/; s/"dest_ip":"10.0.0.4"/"dest_ip":"2001:db8::4"/'
{ cat eve.json; for p in 2222 2223; do sed "s/\"dest_port\":22,/\"dest_port\":$p,/" eve.json; done; sed "$v6" eve.json; sed 's/"dest_ip":"10.0.0.4"/"dest_ip":"10.0.0.5"/' eve.json
	sed 's/"src_ip":"\(140.20.30.[0-9]*\)"/"src_ip":"10.0.0.4"#\1/; s/"dest_ip":"10.0.0.4"/"dest_ip":"DEST"/; s/#\(140[0-9.]*\)\(.*\)DEST/\2\1/; s/"dest_port":22,/"dest_port":9300,/' eve.json; } >wide-eve.json
jq --arg id "$group_id" --arg bad "it's \${x} \$\${y} %{if} \"q\" back\\slash [concat()]$(printf '\tü')" '. + {id: $id, location: "westeurope", tags: {$bad, "a b": "[x]"}} | .securityRules = [
	(.securityRules[0] | .name = "adm\u0027in_${x}%{y}" | .description = $bad | del(.destinationPortRange, .sourceAddressPrefix) | .destinationPortRanges = ["22", "2222-2223"] | .sourceAddressPrefixes = ["140.20.30.0/24", "2001:db8:7::/48"]),
	(.securityRules[0] | .name = "out" | .direction = "Outbound" | .sourceAddressPrefix = "*" | .destinationPortRange = "9300")]' web.json >wide.json
cat >wide.yaml <<'Y'
resources:
  - {name: vm1, addresses: [10.0.0.4, "2001:db8::4"], internet-facing: true, nsgs: [wide.json]}
  - {name: new one, addresses: [10.0.0.5], internet-facing: true}
Y
"$w" --store wide.db estate import wide.yaml >out 2>err && "$w" --store wide.db ingest wide-eve.json >out 2>err && "$w" --store wide.db recommend --direction both --ports all >out 2>err &&
	"$w" --store wide.db rules edit vm1 2222 --also 140.20.30.128/28 >out 2>err
check "hosts of both families, with and without a group, are learnt"
for f in nsg arm bicep terraform az; do
	"$w" --store wide.db export --format $f -o "wide.$f" >out 2>err && [ -s "wide.$f" ]
	check "wide: export --format $f writes a file"
done
jq -s '[.[] | if type == "array" then .[] else . end]' wide.nsg >out && jq '.[0]' out >wide-group && rules '.[] | (.securityRules // .properties.securityRules)[]' out >wide.want &&
	[ "$(jq '[.[] | select(.sources | length > 1)] | length' wide.want)" -gt 1 ] && grep -q 2001:db8:7 wide.want && grep -q Outbound wide.want && grep -q '"destinationPortRange":null' wide.want
check "wide: there are rules with several prefixes, several ports, of IPv6 and outbound"
[ "$(jq '[.[] | .description // "" | length] | max' wide.want)" -le 140 ]
check "wide: no description is longer than Azure takes"
reads wide
if command -v shellcheck >/dev/null; then shellcheck wide.az >out 2>err; check "wide: shellcheck has nothing against the script"
else skip "wide: shellcheck has nothing against the script" "shellcheck is not installed"; fi
echo "1..$n"
