#!/bin/sh
# Resources assessed by definitions in Azure Policy's language, as a person and as a pipeline asks for it.
set -u
. "$(dirname "$0")/lib/start.sh"
mkdir policies inventory
cat >policies/acl.json <<'J'
{"name": "own-1", "properties": {"displayName": "Stores should deny by default", "parameters": {"wanted": {"type": "String", "defaultValue": "Deny"}},
 "policyRule": {"if": {"allOf": [{"field": "type", "equals": "Microsoft.Storage/storageAccounts"},
  {"field": "Microsoft.Storage/storageAccounts/networkAcls.defaultAction", "notEquals": "[parameters('wanted')]"}]}, "then": {"effect": "audit"}}}}
J
cat >inventory/graph.json <<'J'
{"data": [{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/open", "type": "microsoft.storage/storageaccounts", "name": "open",
  "properties": {"networkAcls": {"defaultAction": "Allow"}}}]}
J
cat >inventory/az.json <<'J'
[{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/shut", "name": "shut", "networkRuleSet": {}, "networkAcls": {"defaultAction": "Deny"}}]
J
"$w" assess --policy policies inventory >out 2>err
grep -q 'Unhealthy.*Stores should deny by default.*/open' out && ! grep -q '/shut' out && grep -q '^1 unhealthy, 1 healthy, 0 not judged: 1 definitions, 2 resources' out
check "the unhealthy are listed, from Resource Graph's and from az's shape alike"
"$w" assess --policy policies --json inventory >out 2>err
[ "$(jq -r '.assessments | map(.status) | sort | join(",")' out)" = Healthy,Unhealthy ] && [ "$(jq -r '.counts.Unhealthy' out)" = 1 ]
check "--json has every verdict"
"$w" assess --policy policies --fail-on unhealthy inventory >out 2>err
[ $? = 3 ]
check "--fail-on unhealthy ends with status 3"
echo '{"wanted": {"value": "Allow"}}' >parameters.json
"$w" assess --policy policies --parameters parameters.json --json inventory >out 2>err
[ "$(jq -r '.assessments[] | select(.resourceId | endswith("/shut")).status' out)" = Unhealthy ]
check "assigned parameters count before the defaults"
sed 's/notEquals/notEqual/' policies/acl.json >policies/bad.json
"$w" assess --policy policies inventory >out 2>err
[ $? = 2 ] && grep -q "policies/bad.json: policyRule.if.allOf\[1\]: 'notEqual' is no condition" err && [ ! -s out ]
check "an unknown operator is refused with file and place, and nothing is assessed by half"
rm policies/bad.json
echo '{"value": [{"sku": 1}]}' >inventory/none.json
"$w" assess --policy policies inventory >out 2>err
[ $? = 2 ] && grep -q 'inventory/none.json: there is no resource in it' err
check "a file without a resource is refused by its name"
# Whose the ledger is, and whether there is one, does not matter: the directories may be such that only the caller may read them.
if [ "$(id -u)" = 0 ]; then
	rm inventory/none.json
	mkdir his && chown 65534 his
	WHITTLE_STORE=$dir/his/l.db "$w" assess --policy policies inventory >out 2>err && WHITTLE_STORE=$dir/none/l.db "$w" assess --policy policies inventory >out 2>err
	check "beside a ledger of another user's, or none, the same is read"
fi
echo "1..$n"
