#!/bin/sh
# The network of an estate as az lists it: its import, the resources that can reach each other and by which rules, and the lists of connections.
set -u
. "$(dirname "$0")/lib/start.sh"
export WHITTLE_STORE=$dir/l.db WHITTLE_STATE=$dir/state
i=/subscriptions/s/resourceGroups/g/providers/Microsoft
mkdir az az/sub
cat >az/vnets.json <<J
[{"id": "$i.Network/virtualNetworks/hub", "name": "hub", "type": "Microsoft.Network/virtualNetworks", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
  "subnets": [{"id": "$i.Network/virtualNetworks/hub/subnets/web", "name": "web", "addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": "$i.Network/networkSecurityGroups/WEB"}},
   {"id": "$i.Network/virtualNetworks/hub/subnets/db", "name": "db", "addressPrefix": "10.0.2.0/24", "networkSecurityGroup": {"id": "$i.Network/networkSecurityGroups/db"}}],
  "virtualNetworkPeerings": [{"name": "p", "peeringState": "Connected", "allowVirtualNetworkAccess": true, "remoteVirtualNetwork": {"id": "$i.Network/virtualNetworks/spoke"}}]},
 {"id": "$i.Network/virtualNetworks/spoke", "name": "spoke", "type": "Microsoft.Network/virtualNetworks", "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
  "subnets": [{"id": "$i.Network/virtualNetworks/spoke/subnets/app", "name": "app", "addressPrefix": "10.1.1.0/24"}],
  "virtualNetworkPeerings": [{"name": "p", "peeringState": "Connected", "allowVirtualNetworkAccess": true, "remoteVirtualNetwork": {"id": "$i.Network/virtualNetworks/hub"}}]}]
J
rule() { # NAME PRIORITY ACCESS SOURCE PORT
	printf '{"name": "%s", "priority": %s, "direction": "Inbound", "access": "%s", "protocol": "Tcp", "sourceAddressPrefix": "%s", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "%s"}' "$@"
}
cat >az/sub/groups.json <<J
{"data": [{"id": "$i.Network/networkSecurityGroups/web", "type": "microsoft.network/networksecuritygroups", "name": "web", "properties": {"securityRules": [
 $(rule ssh-from-office 300 Allow 198.51.100.0/24 22), $(rule https 310 Allow Internet 443)]}},
 {"id": "$i.Network/networkSecurityGroups/db", "type": "microsoft.network/networksecuritygroups", "name": "db", "properties": {"securityRules": [
 $(rule web-to-db 300 Allow 10.0.1.0/24 5432), $(rule storage 310 Allow Storage 9000), $(rule nobody-else 400 Deny '*' '*')]}}], "count": 2}
J
nic() { # NAME VM ADDRESS VNET SUBNET MORE
	printf '{"id": "%s", "name": "%s", "virtualMachine": {"id": "%s"}, "ipConfigurations": [{"name": "c", "privateIPAddress": "%s", "subnet": {"id": "%s"}%s}]}' \
		"$i.Network/networkInterfaces/$1" "$1" "$i.Compute/virtualMachines/$2" "$3" "$i.Network/virtualNetworks/$4/subnets/$5" "${6:-}"
}
cat >az/nics.json <<J
[$(nic n-web1 web-1 10.0.1.4 hub web ", \"publicIPAddress\": {\"id\": \"$i.Network/publicIPAddresses/p\"}"), $(nic n-web2 web-2 10.0.1.5 hub web), $(nic n-db db-1 10.0.2.4 hub db), $(nic n-app app-1 10.1.1.4 spoke app)]
J
vm() { printf '{"id": "%s", "name": "%s", "type": "Microsoft.Compute/virtualMachines", "networkProfile": {"networkInterfaces": [{"id": "%s"}]}}' "$i.Compute/virtualMachines/$1" "$1" "$i.Network/networkInterfaces/$2"; }
echo "[$(vm web-1 n-web1), $(vm web-2 n-web2), $(vm db-1 n-db), $(vm app-1 n-app)]" >az/vms.json
echo "[{\"id\": \"$i.Network/publicIPAddresses/p\", \"name\": \"p\", \"ipAddress\": \"203.0.113.7\", \"sku\": {\"name\": \"Standard\"}}]" >az/pips.json
echo "[{\"id\": \"$i.Storage/storageAccounts/plant\", \"type\": \"Microsoft.Storage/storageAccounts\", \"name\": \"plant\"}]" >az/stores.json

"$w" estate import az >out 2>err && grep -q '^4 resources with 4 addresses; 2 network security groups with 5 rules' out && "$w" estate show --json >out 2>err &&
	[ "$(jq -r '.resources | map(.name + ":" + (.networkSecurityGroups | join("+"))) | join(" ")' out)" = 'app-1: db-1:db web-1:web web-2:web' ]
check "a directory of what az prints is an estate, for recommendations too"
"$w" reach Internet web-1 --port 443 --json >out 2>err && [ "$(jq -r .verdict out)" = allowed ] && [ "$(jq -r '.decidedBy[-1] | .nsg + "/" + .rule + "/" + (.priority | tostring)' out)" = web/https/310 ]
check "the Internet reaches what a rule opens, and the rule is named"
"$w" reach Internet web-1 --port 22 --json >out 2>err && [ "$(jq -r .verdict out)" = partly ]
check "some of the Internet's addresses are partly"
"$w" reach Internet web-2 --json >out 2>err && [ "$(jq -r .verdict out)" = denied ] && grep -q 'no public address' out
check "without a public address the Internet gets nowhere"
"$w" reach web-1 db-1 --json >out 2>err && [ "$(jq -r '.verdict + " " + .tcpPorts' out)" = 'allowed [5432]' ] && [ "$(jq -r '.missing[0]' out)" = 'the addresses of the service tag Storage (a ServiceTags file)' ] &&
	[ "$(jq -r .tcpUnknown out)" = '[9000]' ]
check "ports that a tag without addresses may open are undecided, with the missing input named"
"$w" reach web-1 db-1 --port 5432 >out 2>err && grep -q 'interface\|subnet web .*Outbound *allowed *web: AllowVnetOutBound (65000 Allow)' out && grep -q 'subnet db .*Inbound *allowed *db: web-to-db (300 Allow)' out
check "the deciding rules of both sides are listed in order"
"$w" reach app-1 web-2 --port 8080 --json >out 2>err && [ "$(jq -r .verdict out)" = allowed ] && [ "$(jq -r '.decidedBy[-1].rule' out)" = AllowVnetInBound ]
check "a connected peering carries packets, and its addresses are of the virtual network"
"$w" reach --who-can-reach db-1 --json >out 2>err && [ "$(jq -r '.peers | map(.name + .tcpPorts) | sort | join(" ")' out)" = 'app-1[] web-1[5432] web-2[5432]' ]
check "the peers that can reach a resource are listed with the ports"
"$w" reach --where-can web-2 go >out 2>err && grep -q '^db-1 ' out && grep -q '^Internet' out
check "and where it can go"
"$w" connections --compact --json >out 2>err && [ "$(jq '.classes | length' out)" = 4 ] && "$w" connections --json >out 2>err && [ "$(jq -r .name out)" = Internal ] &&
	[ "$(jq -r '.connectableResources[] | select(.id | endswith("/db-1")) | .inboundConnectedResources | map(.tcpPorts) | join(",")' out)" = '[],[5432],[5432]' ]
check "connections are listed by class and pair by pair"
"$w" connections --external --json >out 2>err && [ "$(jq -r '.connectableResources[] | select(.id | endswith("/web-1")) | .inboundConnectedResources | map(.tcpPorts) | sort | join(" ")' out)" = '[22,443] [443]' ]
check "external connections name the ports and the owners of the addresses"
"$w" reach web-1 nowhere >out 2>err; [ $? -eq 2 ] && grep -q "'nowhere' is neither a resource of the estate" err
check "an end that is not there is named"
cp l.db before.db && sed 's/10.0.1.5/10.0.1.500/' az/nics.json >bad.json && ! "$w" estate import az/vnets.json bad.json >out 2>err && grep -q '^whittle: bad.json:1: n-web2: .10.0.1.500. is not an address' err &&
	"$w" estate show --json >out 2>err && [ "$(jq '.resources | length' out)" = 4 ]
check "a wrong address is refused with its file and line, and the ledger keeps its estate"
"$w" reach web-1 db-1 --port 5432 --in az --json >out 2>err && [ "$(jq -r .verdict out)" = allowed ]
check "documents can be asked without a ledger"
[ "$("$w" connections --external --json | jq '[.connectableResources[] | .inboundConnectedResources, .outboundConnectedResources | length - (unique | length)] | add')" = 0 ] &&
	sed 's/"name": "c", "privateIPAddress": "10.1.1.4", "subnet": {"id": "\([^"]*\)"}}/&, {"name": "d", "privateIPAddress": "10.1.1.5", "subnet": {"id": "\1"}}/' az/nics.json >two.json &&
	"$w" connections --external --in az/vnets.json --in az/sub --in two.json --in az/vms.json >out 2>err && [ "$(grep -c '^app-1 ' out)" = 1 ] && ! grep -qF '[]' out
check "a machine with two addresses that reach the same has one row, and nothing is no list of ports"
"$w" map --json >out 2>err && [ "$(jq -r '[.value[] | .name + ":" + (.properties.topologyResources | map(.name + "=" + .severity + "/" + .networkZones + "/" + (.topologyScore | tostring)) | join(","))] | join(" ")' out)" = \
	'vnets:hub=Healthy/InternetFacing/0,spoke=Low/Internal/1 subnets:web=Healthy/InternetFacing/0,db=Healthy/Internal/0,app=Low/Internal/1 virtualMachines:app-1=Low/Internal/1,db-1=Healthy/Internal/0,web-1=Healthy/InternetFacing/0,web-2=Healthy/Internal/0' ] &&
	[ "$(jq -r '.value[1].properties.topologyResources[0] | (.parents[0].resourceId | split("/")[-1]) + " " + ([.children[].resourceId | split("/")[-1]] | sort | join(","))' out)" = 'hub web-1,web-2' ] && [ "$(jq -r '.peerings | length' out)" = 2 ]
check "map has the fields of Azure's topologies, with peerings"
sed 's#"sourceAddressPrefix": "198.51.100.0/24"#"sourceAddressPrefix": "*"#' az/sub/groups.json >open.json && "$w" map --in az/vnets.json --in open.json --in az/nics.json --in az/vms.json --in az/pips.json --svg map.svg --html map.html >out 2>err &&
	grep -q '^<svg [^>]*>\|<svg xmlns' map.svg && grep -q 'the Internet reaches TCP port 22 (SSH)' map.svg && grep -q '>web-1<' map.svg && grep -q 'prefers-color-scheme:dark' map.svg && grep -q 'Content-Security-Policy' map.html &&
	[ "$(grep -o 'https\?://[^"]*' map.html map.svg | cut -d: -f2- | sort -u)" = http://www.w3.org/2000/svg ] && [ "$("$w" map --in az/vnets.json --in open.json --in az/nics.json --in az/vms.json --in az/pips.json --json | jq -r '.value[0].properties.topologyResources[] | select(.name == "hub") | .severity')" = High ]
check "the picture and the page stand by themselves, and show the port that is open"
printf '{"timestamp":"2026-11-2%d.0","event_type":"flow","src_ip":"%s","src_port":4%d,"dest_ip":"%s","dest_port":%d,"proto":"TCP","flow":{"pkts_toserver":6,"pkts_toclient":5,"bytes_toserver":600,"bytes_toclient":5000,"start":"2026-11-2%d.0","end":"2026-11-2%d.0","state":"closed","reason":"timeout"},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"fin":true,"psh":true,"ack":true,"state":"closed"}}\n' \
	1 10.0.1.4 4001 10.0.2.4 5432 1 1 2 203.0.113.50 4002 10.0.1.4 443 2 2 | sed 's/2026-11-2\([12]\)\.0/2026-11-2\1T10:00:00.000000+0000/g' >eve.json
"$w" ingest eve.json >/dev/null 2>err; "$w" map --traffic --json >out 2>>err && [ "$(jq -r '[.traffic[] | (.from | split("/")[-1]) + ">" + (.to | split("/")[-1]) + ":" + (.flows | tostring)] | sort | join(" ")' out)" = 'Internet>web-1:1 web-1>db-1:1' ] &&
	"$w" map --traffic --svg map.svg >out 2>err && grep -q 'web-1 → db-1: 1 flow observed' map.svg
check "map --traffic draws what was observed"
sed "s#\"virtualMachine\": {\"id\": \"[^\"]*db-1\"}#\"privateEndpoint\": {\"id\": \"$i.Network/privateEndpoints/pe\"}#" az/nics.json >pe.json && "$w" estate import --store pe.db az/vnets.json az/sub pe.json az/pips.json >out 2>err && "$w" ingest --store pe.db eve.json >out 2>>err &&
	"$w" map --store pe.db --traffic --json >out 2>>err && [ "$(jq -r '[.traffic[] | (.from | split("/")[-1]) + ">" + (.to | split("/")[-1])] | sort | join(" ")' out)" = 'Internet>web-1 web-1>pe' ]
check "map --traffic draws what a private endpoint got, of which no flow is recorded at its own end"
jq '[.data[] | select(.name == "web") | (.properties.securityRules[] | select(.name == "https") | .destinationPortRange) = "8443"]' az/sub/groups.json >web-after.json && "$w" diff web-after.json --json >out 2>err &&
	[ "$(jq -r '[.opened[], .closed[] | (.from | map(split("/")[-1]) | join(",")) + ">" + (.to | map(split("/")[-1]) | join(",")) + .tcpPorts] | join(" ")' out)" = 'Internet>web-1[8443] Internet>web-1[443]' ] && [ "$(jq '.undecided | length' out)" = 0 ]
check "diff of a group as it would be lists what it opens and closes, as connections"
"$w" diff az/sub/groups.json web-after.json --fail-on opened >out 2>err; [ $? -eq 3 ] && grep -q '^opened *Internet.* web-1 *\[8443\]' out && "$w" diff az az >out 2>err && [ "$(cat out)" = 'No connection is opened or closed.' ] &&
	! "$w" diff >out 2>err && ! "$w" diff --proposed x >out 2>err
check "diff compares two sets of groups, or whole directories, and can fail a pipeline"
mkdir dense && "$BUILD/tools/make_estate" dense 200 10 6 40 && "$w" estate import --store dense.db dense >out 2>err && jq '.[3] | .securityRules[].access = "Allow"' dense/nsgs.json >allowed.json &&
	"$w" diff --store dense.db allowed.json --json >first 2>>err && [ "$(jq '.opened | length' first)" -gt 5 ] && for again in 1 2 3; do "$w" diff --store dense.db allowed.json --json >next 2>>err && cmp -s first next || break; done && cmp -s first next
check "diff lists its entries in one order in each run"
for d in 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20; do sed "s/2026-11-21T10/2026-11-${d}T10/g; s/\"src_port\":4/\"src_port\":5/" eve.json; done >more.json
"$w" ingest more.json >/dev/null 2>err && "$w" recommend --ports all --min-days 5 >out 2>>err && "$w" diff --proposed >out 2>err && grep -q '^closed *web-2 *db-1 *\[5432\]' out && grep -q '^closed *Internet.* web-1 *\[443\]' out &&
	! grep -q '^closed *web-1.* db-1\|^opened' out
check "diff --proposed lists the connections that the recommendation closes, and none that was used"
many() { # COUNT: machines of one subnet, each of which may connect to the others at a port of its own
	echo "[{\"id\": \"$i.Network/virtualNetworks/many\", \"name\": \"many\", \"type\": \"Microsoft.Network/virtualNetworks\", \"addressSpace\": {\"addressPrefixes\": [\"10.0.0.0/16\"]},"
	echo "  \"subnets\": [{\"id\": \"$i.Network/virtualNetworks/many/subnets/s\", \"name\": \"s\", \"addressPrefix\": \"10.0.1.0/24\", \"networkSecurityGroup\": {\"id\": \"$i.Network/networkSecurityGroups/each\"}}]},"
	for k in $(seq "$1"); do echo "$(nic "n$k" "vm$k" "10.0.1.$((k + 3))" many s), $(vm "vm$k" "n$k"),"; done
	echo "{\"id\": \"$i.Network/networkSecurityGroups/each\", \"name\": \"each\", \"type\": \"Microsoft.Network/networkSecurityGroups\", \"securityRules\": ["
	for k in $(seq "$1"); do echo "$(rule "from-$k" $((300 + k)) Allow "10.0.1.$((k + 3))" $((1000 + k))),"; done
	echo "$(rule nobody-else 4000 Deny '*' '*')]}]"
}
many 40 >many.json && "$w" connections --in many.json --json >out 2>err && jq -c '[.connectableResources[] | .id as $to | .inboundConnectedResources[] | [.connectedResourceId, $to, .tcpPorts]] | sort | .[]' out >pairs &&
	"$w" connections --in many.json --compact --json >out 2>err && [ "$(wc -l <pairs)" -eq 1560 ] &&
	jq -c '.ports as $ports | (.classes | map(.resources[0].id)) as $id | [.connections[] | . as $c | .from | split(",")[] | split("-") | map(tonumber) | range(.[0]; .[-1] + 1) |
		[$id[.], $id[$c.to], $ports[$c.ports].tcpPorts]] | sort | .[]' out | cmp -s pairs -
check "by class the connections are the same, however many sets of ports lead to one"
sed 's#virtualMachines/vm1"#virtualMachineScaleSets/ss/virtualMachines/1"#' many.json >set.json && "$w" connections --in set.json >out 2>err && grep -q '^ss/virtualMachines/1 ' out
check "an instance of a scale set is listed with the name of its set"
[ "$(for c in map connections anomalies 'reach a b'; do "$w" $c $(for k in $(seq 65); do echo --in "az$k"; done) 2>&1 | grep -c -- '--in can be given 64 times at most: name a directory'; done | tr -d '\n')" = 1111 ]
check "more files than are taken are refused, by every command about the network"

# ---- observed, recommended and unwanted connections ----
jq '(.[] | select(.name == "web-1" or .name == "db-1") | .tags) = {"environment": "prod"} | (.[] | select(.name == "web-2" or .name == "app-1") | .tags) = {"environment": "test"}' az/vms.json >vms.json && mv vms.json az/vms.json
# app-1 in the spoke reaches the hub's subnet db through a firewall, which answers db-1's, too
cp -r az fw
jq '(.[] | select(.name == "hub") | .subnets) += [{"id": "'$i'.Network/virtualNetworks/hub/subnets/AzureFirewallSubnet", "name": "AzureFirewallSubnet", "addressPrefix": "10.0.9.0/26"}]
 | (.[].subnets[] | select(.name == "app" or .name == "db")) |= . + {"routeTable": {"id": "'$i'.Network/routeTables/through"}}' az/vnets.json >fw/vnets.json
cat >fw/firewall.json <<J
[{"id": "$i.Network/routeTables/through", "name": "through", "type": "Microsoft.Network/routeTables", "routes": [
  {"name": "to-db", "addressPrefix": "10.0.2.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.9.4"},
  {"name": "to-app", "addressPrefix": "10.1.0.0/16", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.9.4"}]},
 {"id": "$i.Network/azureFirewalls/fw", "name": "fw", "type": "Microsoft.Network/azureFirewalls", "firewallPolicy": {"id": "$i.Network/firewallPolicies/p"},
  "ipConfigurations": [{"name": "c", "privateIPAddress": "10.0.9.4", "subnet": {"id": "$i.Network/virtualNetworks/hub/subnets/AzureFirewallSubnet"}}]},
 {"id": "$i.Network/firewallPolicies/p", "name": "p", "type": "Microsoft.Network/firewallPolicies"},
 {"id": "$i.Network/firewallPolicies/p/ruleCollectionGroups/spokes", "name": "spokes", "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups", "priority": 200,
  "ruleCollections": [{"name": "databases", "priority": 300, "action": {"type": "Allow"}, "rules": [{"name": "postgres", "ruleType": "NetworkRule",
   "ipProtocols": ["TCP"], "sourceAddresses": ["10.1.0.0/16"], "destinationAddresses": ["10.0.2.4"], "destinationPorts": ["5432"]}]}]}]
J
$w reach app-1 db-1 --port 5432 --in fw >out 2>err && grep -q '^firewall fw  *Outbound  *allowed  *spokes/databases/postgres (300 Allow)$' out && grep -q '^app-1 to db-1: denied' out &&
	$w reach app-1 db-1 --port 22 --in fw --json >out 2>err && [ "$(jq -r '.decidedBy[] | select(.where == "firewall fw") | .verdict + ": " + .why' out)" = 'denied: no rule of the firewall allows it: its default denies' ]
check "a firewall's rule is named in its place between the two ends"
$w connections --in fw --json >out 2>err && jq -e '.connectableResources[] | select(.id | test("app-1")) | .outboundConnectedResources | any(.connectedResourceId | test("db-1")) | not' out >/dev/null &&
	$w estate import fw >out 2>err && $w reach app-1 db-1 --port 5432 --json >out 2>err && [ "$(jq -r '.decidedBy[] | select(.where == "firewall fw") | .rule' out)" = spokes/databases/postgres ]
check "and decides about connections, and out of the ledger"

flows() { # FROM TO PORT: a connection on each of the last 15 days
	for d in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		day=$(date -u -d "-$d days" +%Y-%m-%dT10:00)
		printf '{"timestamp":"%s:05.000000+0000","flow_id":%s,"event_type":"flow","src_ip":"%s","src_port":%s,"dest_ip":"%s","dest_port":%s,"proto":"TCP","flow":{"pkts_toserver":10,"pkts_toclient":9,"bytes_toserver":2000,"bytes_toclient":3000,"start":"%s:00.000000+0000","end":"%s:05.000000+0000","state":"closed","reason":"timeout"},"tcp":{"tcp_flags":"1b","tcp_flags_ts":"1b","tcp_flags_tc":"1b","syn":true,"fin":true,"ack":true,"psh":true,"state":"closed"}}\n' \
			"$day" $((d * 65536 + $3)) "$1" $((40000 + d)) "$2" "$3" "$day" "$day"
	done
}
{ flows 10.0.1.4 10.0.2.4 5432; flows 198.51.100.7 10.0.1.4 22; flows 203.0.113.200 10.0.1.4 443; flows 10.1.1.4 10.0.1.5 443
  printf '{"timestamp":"%s:00.000000+0000","flow_id":7,"event_type":"tls","src_ip":"203.0.113.200","src_port":50000,"dest_ip":"10.0.1.4","dest_port":443,"proto":"TCP","tls":{"version":"TLSv1","subject":"CN=x"}}\n' "$(date -u -d '-1 day' +%Y-%m-%dT10:00)"; } >eve.json
echo 'labels: [environment=prod|test]' >whittle.yaml
w="$w --config $dir/whittle.yaml"
rm -f l.db*; $w estate import az >out 2>err && $w ingest eve.json >out 2>err && $w recommend --min-days 10 >out 2>err
check "the estate and its traffic are there"
$w reach web-1 db-1 --overlay --json >out 2>err && [ "$(jq -r '.observed.tcpPorts + " " + (.observed.flows | tostring)' out)" = '[5432] 15' ] && jq -e '.recommended.tcpPorts | test("5432")' out >/dev/null &&
	$w reach web-1 db-1 --overlay >out 2>err && grep -q '^Observed: TCP \[5432\].*15 flows' out && grep -q '^Recommended: TCP' out
check "one edge shows what is allowed, what was observed and what is recommended"
$w connections --overlay --json >out 2>err && jq -e '.connectableResources[] | select(.id | test("db-1")) | .inboundConnectedResources[] | select(.connectedResourceId | test("web-2")) | .observed.flows == 0' out >/dev/null &&
	$w connections --overlay >out 2>err && grep -q 'Observed' out
check "connections have the same"
$w connections --unwanted --json >out 2>err && jq -e '.unwanted | any(.kind == "label" and .fromValue == "test" and .toValue == "prod" and .used == false)' out >/dev/null &&
	jq -e '.unwanted | any(.kind == "insecure" and (.id | test("web-1")) and .tcpPorts == "[443]" and (.why | test("TLS below 1.2")))' out >/dev/null &&
	jq -e '.unwanted | any(.kind == "unused")' out >/dev/null && jq -e '.unheard | length == 0 or all(test("app-1") | not)' out >/dev/null
check "unwanted connections are found: unused, between labels, exposed with an insecure protocol"
$w connections --unwanted >out 2>err && grep -q 'environment test to prod' out && grep -q 'TLS below 1.2' out && grep -q '^The window is from' out
check "and is listed for people"
$w anomalies --json >out 2>err && jq -e '.anomalies | any(.kind == "unused" and .rule == "storage" and .nsg == "db")' out >/dev/null && ! jq -e '.anomalies | any(.kind == "unused" and .rule == "web-to-db")' out >/dev/null
check "a rule that no connection needed is unused"
$w map --traffic --json >out 2>err && jq -e '.traffic[] | select((.from | test("web-1")) and (.to | test("db-1"))) | .observed.tcpPorts == "[5432]" and (.allowed.tcpPorts | test("5432")) and .recommended != null' out >/dev/null
check "the map's edges have the same"
exit 0
