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
check "one group without a finding is printed in the singular"
jq -n "[{id: \"$i.Network/networkSecurityGroups/lone\", name: \"lone\", type: \"Microsoft.Network/networkSecurityGroups\", securityRules: [
  $(rule ssh 300 Allow Tcp Internet 22), $(rule ping 310 Allow Icmp '*' '*'), $(rule own 320 Allow Tcp VirtualNetwork 443)]}]" >lone.json
"$w" anomalies --in lone.json >out 2>err && grep -q '^permissive *lone (not attached) *Inbound *ssh (300)' out && [ "$(grep -c lone out)" = 1 ]
check "a group without a network is judged by itself; pings open no port"
# Two rules take every corner of the last one, and the others cut the rest into more than 1,024 pieces.
{ rule low 100 Allow '*' '*' 0; echo; rule high 101 Allow '*' '*' 65535; echo; rule end 4000 Deny '*' '*' '*'; echo
  awk 'BEGIN { for (k = 1; k <= 400; k++) printf "{\"name\": \"r%d\", \"priority\": %d, \"direction\": \"Inbound\", \"access\": \"Allow\", \"protocol\": \"*\", \"sourcePortRange\": \"*\", \"sourceAddressPrefix\": \"192.0.%d.%d\", \"destinationAddressPrefix\": \"10.0.%d.%d\", \"destinationPortRange\": \"%d\"}\n", k, 200 + k, k / 100, k % 100 * 2, k / 100, k % 100 * 2, k * 3 }'
} | jq -s --arg id "$i.Network/networkSecurityGroups/cut" '[{id: $id, name: "cut", type: "Microsoft.Network/networkSecurityGroups", securityRules: .}]' >cut.json
"$w" anomalies --in cut.json >out 2>err && grep -q '^1 rule cannot be decided: it overlaps others in too many pieces\. Shorter lists of addresses and ports can be\.$' out && "$w" anomalies --json --in cut.json >out 2>err && jq -e '.skippedRules == 1' out >/dev/null
check "a rule that overlaps others in too many pieces is counted as undecided, and Azure's own behind it are not"
# Azure's own answer about an interface: the same rules, then other ones.
effective() { # RULE… of az's form
	jq -n --arg i "$i" --argjson r "[$1]" '{value: [{association: {subnet: {id: ($i + ".Network/virtualNetworks/v/subnets/s")}}, networkSecurityGroup: {id: ($i + ".Network/networkSecurityGroups/web")}, effectiveSecurityRules: ($r + [
	  {name: "defaultSecurityRules/AllowVnetInBound", priority: 65000, protocol: "All", access: "Allow", direction: "Inbound", sourceAddressPrefix: "VirtualNetwork", sourceAddressPrefixes: ["VirtualNetwork"],
	   expandedSourceAddressPrefix: ["10.0.0.0/16", "168.63.129.16/32"], destinationAddressPrefix: "VirtualNetwork", sourcePortRange: "0-65535", destinationPortRange: "0-65535"}])}]}'
}
seen() { jq -c '[.[] | .securityRules? // empty | .[] | select(.name != "blob") | .name |= "securityRules/" + . | .sourcePortRange = "0-65535" | .destinationAddressPrefix = "0.0.0.0/0" | .destinationPortRange |= (if test("-") then . else . + "-" + . end)]' estate.json | sed 's/^\[//; s/\]$//'; }
mkdir az && cp estate.json az/ && effective "$(seen)" >az/nic.json && "$w" estate import az >out 2>err && ! grep -q 'Azure' out && "$w" anomalies --json >out 2>err && jq -e '.effectiveDifferences == [] and .effectiveUnjudged == []' out >/dev/null
check "effective rules that equal the groups are no difference"
effective "$(seen | sed 's|10.0.0.0/8|10.0.0.0/9|; s|securityRules/rdp|securityRules/new|; s|"Internet"|"203.0.113.0/24"|')" >az/nic.json && "$w" estate import az >out 2>err && grep -q '^web at subnet s: Azure denies TCP from 10.128.0.0 to 10.0.1.4 port 22 by DenyAllInBound, and the imported group allows it by ten$' out && grep -q '^web at subnet s: Azure denies TCP from 0.0.0.0 to 10.0.1.4 port 3389 by DenyAllInBound, and the imported group allows it by rdp$' out
check "the import names each region that Azure decides otherwise, with a packet and both rules"
"$w" anomalies --fail-on any --json >out 2>err; [ $? -eq 3 ] && [ "$(jq -c '[.effectiveDifferences[] | [.nsg, .inventoryRule, .azure, .ports]] | sort' out)" = '[["web","rdp","Deny","[3389]"],["web","ten","Deny","[22]"]]' ] && "$w" anomalies --in az >out 2>err && grep -q "^Azure's effective rules decide differently" out
check "anomalies lists them, of the ledger and of documents"
"$w" reach Internet 10.0.1.4 --port 3389 >out 2>err && grep -q "^Azure's effective rules decide differently: web at subnet s: Azure denies TCP from 0.0.0.0 to 10.0.1.4 port 3389" out && "$w" reach 10.0.1.4 8.8.8.8 >out 2>err && ! grep -q "Azure's effective" out
check "reach names them at the end whose groups they are"
sed -i 's|networkSecurityGroups/web|networkSecurityGroups/other|' az/nic.json && "$w" estate import az >out 2>err && grep -q 'nic.json: the effective rules of other at subnet s are not compared: the group is not in the inventory' out
check "rules that can't be compared are named"
exit 0
