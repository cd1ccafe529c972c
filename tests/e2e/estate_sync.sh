#!/bin/sh
# estate sync against a strict stand-in for Azure's Resource Graph on loopback, with its faults. Needs node and jq.
set -u
. "$(dirname "$0")/lib/start.sh"
server=
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }; server=; }
at_end() { stop; }
if ! command -v node >/dev/null; then echo "1..0 # skip node is not installed"; exit 0; fi
export WHITTLE_CONFIG=/dev/null WHITTLE_STATE=$dir/state WHITTLE_STORE=$dir/l.db
token=tok-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
s=00000000-0000-0000-0000-000000000001
# Nine machines in a subnet with a group, an instance of a scale set, and a machine of another subscription, as Resource Graph shows them.
jq -n --arg s $s '
	def net($k; $n): "/subscriptions/\($s)/resourceGroups/rg/providers/Microsoft.Network/\($k)/\($n)";
	def row($type; $id; $p): {id: $id, name: ($id | split("/") | last), type: ($type | ascii_downcase), subscriptionId: $s, resourceGroup: "rg", location: "westeurope", tags: null, properties: $p};
	def vm($n; $ip): "/subscriptions/\($s)/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/\($n)" as $id |
		row("Microsoft.Compute/virtualMachines"; $id; {networkProfile: {networkInterfaces: [{id: net("networkInterfaces"; "nic-\($n)")}]}}),
		row("Microsoft.Network/networkInterfaces"; net("networkInterfaces"; "nic-\($n)"); {virtualMachine: {id: $id}, ipConfigurations: [{name: "c", properties: {privateIPAddress: $ip, subnet: {id: (net("virtualNetworks"; "v") + "/subnets/s")}}}]});
	{resources: [row("Microsoft.Network/virtualNetworks"; net("virtualNetworks"; "v"); {addressSpace: {addressPrefixes: ["10.0.0.0/16"]}, subnets: [{name: "s", id: (net("virtualNetworks"; "v") + "/subnets/s"), properties: {addressPrefix: "10.0.1.0/24", networkSecurityGroup: {id: net("networkSecurityGroups"; "web")}}}]}),
		row("Microsoft.Network/networkSecurityGroups"; net("networkSecurityGroups"; "web"); {securityRules: [{name: "ssh", properties: {priority: 300, access: "Allow", direction: "Inbound", protocol: "Tcp", sourceAddressPrefix: "192.0.2.0/24", sourcePortRange: "*", destinationAddressPrefix: "*", destinationPortRange: "22"}}]}),
		(range(9) | vm("m\(.)"; "10.0.1.\(. + 4)")), (vm("far"; "10.0.1.99") | .subscriptionId = "00000000-0000-0000-0000-000000000002")],
	 computeresources: [], networkresources: []}' >rows.json
serve() { # PLAN
	stop
	: >requests
	GRAPH_ROWS=rows.json GRAPH_PAGE=${page:-7} ARM_TOKEN=$token node "$here/../tools/graph_server.js" "$1" >requests 2>&1 &
	server=$!
	for i in $(seq 100); do
		port=$(sed -n 's/^listening //p' requests)
		[ -z "$port" ] || return 0
		sleep 0.1
	done
	return 1
}
sync() { WHITTLE_AZURE_TOKEN=$token timeout 60 "$w" estate sync --endpoint "http://127.0.0.1:$port" "$@" >out 2>err; }
shown() { "$w" estate show --json 2>/dev/null | jq -r '[.resources[].name] | sort | join(" ")'; }
fails() { # PLAN REASON: the sync fails for that reason, and the ledger's estate stays
	serve "$1" || return 1
	before=$(shown)
	sync; [ $? -ne 0 ] && grep -q "$2" err && [ "$(shown)" = "$before" ] && ! grep -q "$token" err out
}

serve '' && sync && grep -q '^10 resources with 10 addresses; 1 network security group with 1 rule$' out && [ "$(grep -c '^POST' requests)" = 6 ] && [ "$(shown)" = 'far m0 m1 m2 m3 m4 m5 m6 m7 m8' ]
check "the estate is asked for, page by page, and imported as files are"
"$w" reach m1 m3 --port 22 --json >out 2>err; jq -e '.verdict == "allowed" and ([.. | .nsg? // empty] | any(. == "web"))' out >/dev/null
check "and its network is asked about"
page=1000 serve '' && sync --subscription $s && [ "$(grep -c '^POST' requests)" = 3 ] && [ "$(shown)" = 'm0 m1 m2 m3 m4 m5 m6 m7 m8' ]
check "--subscription asks for that one alone"
serve '429,cut,500,quota,used' && sync && grep -q 'trying again in 1000 ms' err && [ "$(shown | wc -w)" = 10 ]
check "a throttled, cut or failed request is sent again after the time that the service names, also in its quota's words"
fails forbid '403 ExpiredAuthenticationToken'
check "a refused token is an error with the service's words, which holds no token"
fails truncate 'gave 7 of 22 rows, and no next page' && fails short 'gave 21 of 22 rows' && fails fewer 'more than the 1 rows'
check "an answer that lacks rows, or has more than it counts, changes nothing"
fails again 'the same page again' && fails html 'not a page of resources'
check "a service that repeats a page for ever, or gives none, leaves no estate"
cp rows.json whole.json; jq '(.resources[] | select(.name == "nic-m3") | .properties.ipConfigurations[0].properties.privateIPAddress) = "10.0.1.x"' whole.json >rows.json
fails '' '^whittle: resource graph, resources, page [0-9]*:[0-9]*: '
check "a value that can't be read is refused with its page and line"
jq '.resources = []' whole.json >rows.json; fails '' 'lists no resource'
check "nothing at all is no estate"
sync extra; [ $? -eq 2 ] && WHITTLE_AZURE_TOKEN= "$w" estate sync --endpoint "http://127.0.0.1:$port" >out 2>err; [ $? -eq 2 ] && grep -q 'no Azure token' err
check "words and a missing token are refused"

# TLS. Two authorities; the "system's" certificates are a directory of ours, mounted over theirs for one command.
authority() { openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -subj "/CN=whittle test $1" -days 2 >/dev/null 2>&1; }
certificate() { # FILE AUTHORITY NAME
	printf 'subjectAltName=%s\n' "$3" >ext
	openssl req -newkey rsa:2048 -nodes -keyout key -out csr -subj /CN=service >/dev/null 2>&1 &&
		openssl x509 -req -in csr -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -out crt -days 2 -extfile ext >/dev/null 2>&1 && cat crt key >"$1"
}
tls_sync() { # MOUNTED-AUTHORITY|- ARGS…
	known=$1; shift
	rm -rf certs; mkdir certs
	[ "$known" = - ] || { cp "$known.pem" certs/ca-certificates.crt; cp "$known.pem" certs/; openssl rehash certs >/dev/null 2>&1; }
	WHITTLE_AZURE_TOKEN=$token unshare -m sh -c 'mount --bind "$1" /etc/ssl/certs && shift && exec timeout 60 "$@"' sh "$dir/certs" "$w" estate sync --endpoint "https://localhost:$port" "$@" >out 2>err
}
untrusted() { ! tls_sync "$@" && grep -qi 'certificate' err && ! grep -q POST requests && ! grep -q "$token" err out; }
if ! command -v openssl >/dev/null || ! unshare -m true 2>/dev/null; then skip "TLS" "openssl or mount namespaces are missing"; exit 0; fi
cp whole.json rows.json
authority one; authority two; certificate named one DNS:localhost; certificate elsewhere one DNS:other.example
GRAPH_CERT=named; export GRAPH_CERT
serve '' && tls_sync - --ca-file one.pem && grep -q '^10 resources' out
check "over TLS, --ca-file names the authority that is trusted"
serve '' && tls_sync one && grep -q '^10 resources' out
check "without it the system's are"
serve '' && untrusted - && untrusted two && untrusted - --ca-file two.pem
check "a certificate of nobody known is refused, before the token is sent"
serve '' && untrusted one --ca-file two.pem
check "with --ca-file the system's authorities are not trusted"
GRAPH_CERT=elsewhere; serve '' && untrusted - --ca-file one.pem
check "a certificate for another name is refused"
exit 0
