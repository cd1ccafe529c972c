#!/bin/sh
# Rules of groups that don't do what they seem to do, with the packet that shows it.
set -u
. "$(dirname "$0")/lib/start.sh"
export WHITTLE_STORE=$dir/l.db WHITTLE_STATE=$dir/state
i=/subscriptions/s/resourceGroups/g/providers/Microsoft
rule() { # NAME PRIORITY ACCESS PROTOCOL SOURCE PORT
	printf '{"name": "%s", "priority": %s, "direction": "Inbound", "access": "%s", "protocol": "%s", "sourceAddressPrefix": "%s", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "%s"}' "$@"
}
cat >estate.json <<J
[{"id": "$i.Network/virtualNetworks/v", "name": "v", "type": "Microsoft.Network/virtualNetworks", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
  "subnets": [{"id": "$i.Network/virtualNetworks/v/subnets/s", "name": "s", "addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": "$i.Network/networkSecurityGroups/web"}}]},
 {"id": "$i.Compute/virtualMachines/a", "name": "a", "type": "Microsoft.Compute/virtualMachines", "networkProfile": {"networkInterfaces": [{"id": "$i.Network/networkInterfaces/n"}]}},
 {"id": "$i.Network/networkInterfaces/n", "name": "n", "ipConfigurations": [{"name": "c", "privateIPAddress": "10.0.1.4", "subnet": {"id": "$i.Network/virtualNetworks/v/subnets/s"}}]},
 {"id": "$i.Network/networkSecurityGroups/web", "name": "web", "type": "Microsoft.Network/networkSecurityGroups", "securityRules": [
  $(rule ten 300 Allow Tcp 10.0.0.0/8 22), $(rule one 310 Deny Tcp 10.1.0.0/16 22), $(rule again 320 Allow Tcp 10.2.0.0/16 22),
  $(rule low 330 Allow Tcp 192.0.2.0/25 80), $(rule high 340 Allow Tcp 192.0.2.128/25 80), $(rule both 350 Deny Tcp 192.0.2.0/24 80), $(rule wide 360 Deny Tcp 192.0.2.0/24 8080-8090),
  $(rule most 370 Allow Tcp 192.0.0.0/8 8085), $(rule rdp 380 Allow Tcp Internet 3389), $(rule fine 390 Allow Tcp Internet 443), $(rule blob 400 Allow Tcp Storage '*')]}]
J
has() { [ -s out ] && jq -e --arg k "$1" --arg r "$2" --arg o "${3:-}" '.anomalies | any(.kind == $k and .rule == $r and ((.other // "") == $o))' out >/dev/null; }
"$w" anomalies --in estate.json --json >out 2>err && has shadowed one ten && [ "$(jq -r '.anomalies[] | select(.rule == "one" and .kind == "shadowed") | .packet | .from + " " + (.destinationPort | tostring)' out)" = '10.1.0.0 22' ]
check "a rule that never decides is shadowed, with a packet that shows it"
has redundant again ten
check "a rule whose packets an earlier one decides alike is redundant"
has shadowed both low
check "several rules together shadow one, too"
has correlated most wide && ! has correlated fine rdp
check "rules whose order matters are correlated"
has permissive rdp && ! has permissive fine && ! jq -e '.anomalies | any(.rule == "blob")' out >/dev/null
check "a management port that is open to the Internet is permissive; what is not known is left aside"
"$w" anomalies --in estate.json --fail-on any >out 2>err; [ $? -eq 3 ] && grep -q '^shadowed *web *Inbound *one (310) *ten (300)' out && ! grep -q '^correlated' out
check "findings end a pipeline with status 3"
jq '(.. | .securityRules? // empty) |= []' estate.json >none.json && "$w" anomalies --in none.json >out 2>err && grep -q '^No finding in 1 network security group\.$' out
check "no finding in one group is said in the singular"
exit 0
