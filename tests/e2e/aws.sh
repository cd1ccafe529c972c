#!/bin/sh
# AWS's security groups: imported, asked, narrowed by a change set that a strict stand-in applies, and imported again.
set -u
. "$(dirname "$0")/lib/start.sh"
export WHITTLE_STORE=$dir/l.db WHITTLE_STATE=$dir/state
mkdir aws
cat >aws/vpc.json <<'J'
{"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}}]},
 {"VpcId": "vpc-2", "CidrBlock": "10.9.0.0/16"}]}
J
cat >aws/subnets.json <<'J'
{"Subnets": [{"SubnetId": "subnet-web", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "Tags": [{"Key": "Name", "Value": "web"}]},
 {"SubnetId": "subnet-db", "VpcId": "vpc-1", "CidrBlock": "10.0.2.0/24"}, {"SubnetId": "subnet-far", "VpcId": "vpc-2", "CidrBlock": "10.9.1.0/24"}]}
J
any='"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "anybody"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]'
cat >aws/groups.json <<J
{"SecurityGroups": [
 {"GroupId": "sg-web", "GroupName": "web", "VpcId": "vpc-1", "OwnerId": "1", "SecurityGroupArn": "arn:aws:ec2:eu-west-1:1:security-group/sg-web",
  "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, $any}, {"IpProtocol": "tcp", "FromPort": 20, "ToPort": 25, "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "198.51.100.0/24", "Description": "office"}]},
   {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
  "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]},
 {"GroupId": "sg-ops", "GroupName": "ops", "VpcId": "vpc-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]},
   {"IpProtocol": "udp", "FromPort": 161, "ToPort": 161, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}], "IpPermissionsEgress": []},
 {"GroupId": "sg-db", "GroupName": "db", "VpcId": "vpc-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "10.0.0.0/16"}],
    "UserIdGroupPairs": [{"UserId": "1", "GroupId": "sg-web"}], "PrefixListIds": [{"PrefixListId": "pl-0aa0bb0cc0dd0ee12"}]},
   {"IpProtocol": "tcp", "FromPort": 9001, "ToPort": 9001, "UserIdGroupPairs": [{"UserId": "2", "GroupId": "sg-far"}]},
   {"IpProtocol": "tcp", "FromPort": 9000, "ToPort": 9000, "PrefixListIds": [{"PrefixListId": "pl-0aa0bb0cc0dd0ee99"}]}], "IpPermissionsEgress": []},
 {"GroupId": "sg-lb", "GroupName": "lb", "VpcId": "vpc-1", "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, $any}],
  "IpPermissionsEgress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": "sg-web"}]}]}]}
J
interface() { # ENI INSTANCE ADDRESS SUBNET VPC PUBLIC GROUP…
	e=$1 m=$2 a=$3 s=$4 v=$5 p=$6
	shift 6
	printf '{"NetworkInterfaceId": "%s", "Status": "in-use", "InterfaceType": "interface", "MacAddress": "00:00:5e:00:53:01", "SubnetId": "%s", "VpcId": "%s", "PrivateIpAddress": "%s", ' "$e" "$s" "$v" "$a"
	printf '"PrivateIpAddresses": [{"Primary": true, "PrivateIpAddress": "%s"%s}], "Ipv6Addresses": [], ' "$a" "${p:+, \"Association\": {\"PublicIp\": \"$p\"\}}"
	[ "$m" ] && printf '"Attachment": {"InstanceId": "%s", "Status": "attached"}, ' "$m"
	printf '"Groups": [%s]}' "$(printf '%s\n' "$@" | sed 's/.*/{"GroupId": "&"}/' | paste -sd,)"
}
{
	printf '{"NetworkInterfaces": ['
	interface eni-w1 i-web1 10.0.1.4 subnet-web vpc-1 203.0.113.7 sg-web sg-ops; echo ,
	interface eni-w2 i-web2 10.0.1.5 subnet-web vpc-1 '' sg-web; echo ,
	interface eni-db i-db 10.0.2.4 subnet-db vpc-1 '' sg-db; echo ,
	interface eni-lb '' 10.0.1.100 subnet-web vpc-1 203.0.113.8 sg-lb; echo ,
	interface eni-far i-far 10.9.1.4 subnet-far vpc-2 '' sg-ghost
	echo ']}'
} >aws/interfaces.json
instance() { printf '{"InstanceId": "%s", "InstanceType": "t3.small", "State": {"Name": "%s"}, "Tags": [{"Key": "Name", "Value": "%s"}]}' "$@"; }
echo "{\"Reservations\": [{\"Instances\": [$(instance i-web1 running web-1), $(instance i-web2 stopped web-2)]}, {\"Instances\": [$(instance i-db running db-1), $(instance i-far running far-1), $(instance i-gone terminated gone)]}]}" >aws/instances.json
echo '{"Entries": [{"Cidr": "192.0.2.53/32"}]}' >aws/pl-0aa0bb0cc0dd0ee12.json

"$w" estate import aws >out 2>err && grep -q '^4 resources with 4 addresses' out && "$w" estate show --json >out 2>>err &&
	[ "$(jq -r '.resources | map(.name + ":" + (.networkSecurityGroups | join(","))) | join(" ")' out)" = 'db-1:db far-1:sg-ghost web-1:ops+web web-2:web' ]
check "what aws ec2 describe-… prints is an estate; terminated instances are not"
"$w" estate import aws >err 2>&1 && grep -q 'interfaces.json: eni-far has the security group sg-ghost, which is in no document' err && grep -q 'no document has the route tables of AWS (.aws ec2 describe-route-tables.)' err
check "what is missing is said with its file"
mkdir alone; echo "{\"SecurityGroups\": [{\"GroupId\": \"sg-1\", \"GroupName\": \"alone\", \"IpPermissions\": [{\"IpProtocol\": \"tcp\", \"FromPort\": 22, \"ToPort\": 22, $any}]}]}" >alone/g.json
WHITTLE_STORE=$dir/alone.db "$w" estate import alone >out 2>err && WHITTLE_STORE=$dir/alone.db "$w" anomalies >>out 2>>err && grep -q 'permissive *alone (not attached)' out
check "a group that nothing has is judged by its rules, and named as not attached"
"$w" inventory --json 2>err | jq -r '[.. | objects | select(.id? == "i-web1") | .name] | unique | join(" ")' >out && [ "$(cat out)" = web-1 ] &&
	[ "$("$w" compliance --json 2>>err | jq -r '[.. | objects | select(.id? == "i-web1") | .name] | unique | join(" ")')" = web-1 ] &&
	"$w" assess --resource web-1 --all >out 2>>err && grep -q ' web-1 ' out && ! grep -q 'i-web1' out
check "a machine has the name of its tag in the inventory, in the report and in the list of assessments"
verdict() { "$w" reach "$@" --json 2>>err | jq -r '.verdict + (if .verdict == "unknown" then ": " + (.decidedBy | map(select(.verdict == "unknown"))[0].why) else "" end)'; }
: >err
{ verdict Internet web-1 --port 443; verdict 192.0.2.9 web-1 --port 22; verdict 192.0.2.9 web-2 --port 22; verdict 10.3.0.1 web-2 --port 22; verdict web-1 db-1 --port 5432; verdict 10.0.1.100 web-2 --port 443
  verdict web-2 db-1 --port 22; verdict db-1 web-1 --port 443; verdict web-1 db-1 --port 9000; verdict web-1 db-1 --port 9001; verdict web-1 far-1 --port 80; verdict web-2 8.8.8.8 --port 53; verdict web-2 web-1 --proto icmp; } >out
cat >want <<'E'
allowed
allowed
denied
unknown: whether vpc-1 is connected to other networks (`aws ec2 describe-route-tables`)
allowed
allowed
denied
denied
unknown: the addresses of the prefix list pl-0aa0bb0cc0dd0ee99 (`aws ec2 get-managed-prefix-list-entries`, as pl-0aa0bb0cc0dd0ee99.json)
unknown: the members of the security group sg-far
unknown: whether vpc-1 and vpc-2 are connected (`aws ec2 describe-route-tables`)
unknown: whether subnet web has a way out, such as a NAT gateway (`aws ec2 describe-route-tables`)
unknown: which type of ICMP it is: only type 8 matches
E
diff want out >err
check "groups of an interface are a union, groups as sources their members, and what no document has is unknown with its name"
sed 's/"FromPort": 443, "ToPort": 443, "IpRanges": \[{"CidrIp": "0.0.0.0\/0"/"FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.300\/0"/' aws/groups.json >bad.json
"$w" estate import bad.json aws >out 2>err; [ $? = 2 ] && grep -q "bad.json:3: CidrIp '0.0.0.300/0' is not a prefix" err && "$w" estate show | grep -q web-1
check "a wrong prefix is refused with file and line, and the estate stays"

# What was seen on thirty days, as VPC flow logs.
day=86400 t0=$(($(date +%s) / 86400 * 86400 - 31 * 86400))
{
	echo "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
	for d in $(seq 0 29); do
		at=$((t0 + d * day + 3600))
		flow() { echo "2 1 eni $1 $2 $((40000 + d)) $3 $4 12 4000 $at $((at + 60)) ACCEPT OK"; echo "2 1 eni $2 $1 $3 $((40000 + d)) $4 12 4000 $at $((at + 60)) ACCEPT OK"; }
		for p in 4 5 6 7; do flow 192.0.2.$p 10.0.1.4 22 6; flow 198.51.100.$p 10.0.1.5 22 6; flow 10.0.7.$p 10.0.1.4 22 6; flow 10.0.1.4 10.0.2.4 5432 6; done
		for p in $(seq 1 12); do flow 203.0.113.$((p * 16)) 10.0.1.4 443 6; flow 10.2.0.$p 10.0.1.4 161 17; done
	done
} >flows.log
"$w" ingest --format aws flows.log >out 2>err && "$w" recommend >out 2>>err
check "flows are learned and rules recommended"
: >out; "$w" export --format aws -o calls.json 2>notes
[ "$(jq -r '.calls | map(.operation) | unique | join(" ")' calls.json)" = 'authorize-security-group-ingress revoke-security-group-ingress' ] && cp notes err &&
	node "$here/../tools/fake_aws.js" apply aws/groups.json calls.json >after.json 2>>err
check "a change set is exported, and a strict stand-in applies it"

"$w" recommend --json >rules.json 2>err
jq -n --slurpfile r rules.json '{ports: [$r[0].resources[].rules[] | {proto: ((.protocols // [.protocol])[0] | ascii_downcase), port: (.destinationPort // .port)}] | unique,
	peers: ([4,5,6,7] | map({local: "10.0.1.4", peer: "192.0.2.\(.)", proto: "tcp", port: 22}, {local: "10.0.1.5", peer: "198.51.100.\(.)", proto: "tcp", port: 22}, {local: "10.0.1.4", peer: "10.0.7.\(.)", proto: "tcp", port: 22})
	+ [range(1; 13) | {local: "10.0.1.4", peer: "203.0.113.\(. * 16)", proto: "tcp", port: 443}, {local: "10.0.1.4", peer: "10.2.0.\(.)", proto: "udp", port: 161}] + [{local: "10.0.2.4", peer: "10.0.1.4", proto: "tcp", port: 5432}])}' >needs.json 2>>err
node "$here/../tools/fake_aws.js" compare aws/groups.json after.json aws/interfaces.json needs.json >out 2>>err && grep -q '37 peers kept' out && ! grep -q ' 0 no longer pass' out
check "random packets: nothing passes that did not before, no learned peer is cut, and no other port is touched"
sources() { jq -c '[.SecurityGroups[].IpPermissions[] | .UserIdGroupPairs // [] | .[].GroupId] | sort' "$1"; }
[ "$(sources after.json)" = "$(sources aws/groups.json)" ] && [ "$(jq -c '[.SecurityGroups[2].IpPermissions[].IpRanges[].CidrIp]' after.json)" = '["10.0.1.4/32"]' ]
check "groups as sources are kept, next to ranges that are narrowed"
mkdir bin && cp aws/groups.json scripted.json && "$w" export --format aws-sh -o narrow.sh 2>err && printf '#!/bin/sh\nexec node %s run %s "$@"\n' "$here/../tools/fake_aws.js" "$dir/scripted.json" >bin/aws && chmod +x bin/aws &&
	PATH=$dir/bin:$PATH sh narrow.sh >out 2>>err && grep -v sg-web narrow.sh >again.sh && PATH=$dir/bin:$PATH sh again.sh >>out 2>>err && [ ! -s out ]
check "the script makes the same calls, and may be run again"
same() { jq -S '[.SecurityGroups[] | {GroupId, p: [(.IpPermissions, .IpPermissionsEgress) | map({IpProtocol, FromPort, ToPort, r: [(.IpRanges, .Ipv6Ranges, .UserIdGroupPairs) // [] | map(tostring) | sort]}) | sort]}]' "$1"; }
same after.json >a && same scripted.json >b && diff a b >out
check "with the same result"
jq -r '.SecurityGroups[].IpPermissions[].IpRanges // [] | .[].Description // empty' after.json >out && grep -qx 'whittle: TCP 22, narrowed from 198.51.100.0/24' out && grep -qx 'whittle: TCP 22, narrowed from 10.0.0.0/8' out
check "a narrowed rule's description names the range that it comes from"
cp aws/groups.json before.json && cp after.json aws/groups.json && "$w" estate import aws >out 2>err && "$w" recommend >out 2>>err && "$w" export --format aws -o again.json 2>>err && [ "$(jq -c .calls again.json)" = '[]' ]
check "what was applied and imported again needs no further change"
cp before.json aws/groups.json && cp aws/interfaces.json own.json && sed -i 's/{"GroupId": "sg-lb"}/&, {"GroupId": "sg-web"}/' aws/interfaces.json && "$w" estate import aws >out 2>err && "$w" recommend >out 2>>err &&
	"$w" export --format aws -o shared.json 2>>err && [ "$(jq -r '[.calls[].groupName] | unique | join(" ")' shared.json)" = 'db ops' ] &&
	[ "$(jq -r '[.leftAlone[] | select(.groupName == "web") | .reason] | unique | join(" ")' shared.json)" = 'eni-lb has the group, too, and belongs to no instance: what it needs is unknown' ]
check "a group that something else has is left alone, with the reason"
rm aws/interfaces.json && jq '{Reservations: [.Reservations[].Instances |= map(. as $i | .NetworkInterfaces = ([$n[0].NetworkInterfaces[] | select(.Attachment.InstanceId == $i.InstanceId)])) | .Reservations[]]}' --slurpfile n own.json aws/instances.json >i.json && mv i.json aws/instances.json &&
	"$w" estate import aws >out 2>err && "$w" recommend >out 2>>err && "$w" export --format aws -o alone.json 2>>err && [ "$(jq -c .calls alone.json)" = '[]' ] && grep -q 'another one may have the group' alone.json
check "without a list of all interfaces no group is narrowed"
jq '. + {NextToken: "eyJ2IjogMX0="}' own.json >aws/interfaces.json && "$w" estate import aws >out 2>err && "$w" recommend >out 2>>err && "$w" export --format aws -o page.json 2>>err &&
	[ "$(jq -c .calls page.json)" = '[]' ] && grep -q 'another one may have the group' page.json
check "nor by one page of it"
jq --arg i "$(jq -r '[.Reservations[].Instances[] | select(.State.Name // "running" | test("termin") | not)][0].InstanceId' aws/instances.json)" '.NetworkInterfaces |= map(select(.Attachment.InstanceId != $i))' own.json >aws/interfaces.json &&
	"$w" estate import aws >err 2>&1 && grep -q 'lack those of 1 of the instances, such as i-web1' err && "$w" recommend >out 2>>err && "$w" export --format aws -o part.json 2>>err && [ "$(jq -c .calls part.json)" = '[]' ]
check "nor by a filtered answer, which lacks interfaces of an instance; the instance is named"
cp own.json aws/interfaces.json && "$w" estate import aws >out 2>err && "$w" recommend >out 2>>err && "$w" export --format aws --aws-rules 5 -o small.json 2>>err && grep -q 'it needs . more rules of IPv4, and the group has 4 of the 5' small.json &&
	node "$here/../tools/fake_aws.js" apply aws/groups.json small.json 5 >out 2>>err
check "the quota holds also while old and new rules are there"
echo "{\"NetworkAcls\": [{\"NetworkAclId\": \"acl-1\", \"VpcId\": \"vpc-1\", \"Associations\": [{\"SubnetId\": \"subnet-db\"}], \"Entries\": [
 {\"RuleNumber\": 100, \"Egress\": false, \"Protocol\": \"6\", \"PortRange\": {\"From\": 5432, \"To\": 9001}, \"CidrBlock\": \"10.0.0.0/16\", \"RuleAction\": \"allow\"},
 {\"RuleNumber\": 90, \"Egress\": true, \"Protocol\": \"6\", \"PortRange\": {\"From\": 1024, \"To\": 65535}, \"CidrBlock\": \"10.0.1.4/32\", \"RuleAction\": \"allow\"},
 {\"RuleNumber\": 32767, \"Egress\": false, \"Protocol\": \"-1\", \"CidrBlock\": \"0.0.0.0/0\", \"RuleAction\": \"deny\"}, {\"RuleNumber\": 32767, \"Egress\": true, \"Protocol\": \"-1\", \"CidrBlock\": \"0.0.0.0/0\", \"RuleAction\": \"deny\"}]}]}" >aws/acl.json
"$w" estate import aws >out 2>err; { verdict web-1 db-1 --port 5432; verdict web-2 db-1 --port 5432; verdict web-1 db-1 --port 5431; } >out && [ "$(paste -sd' ' out)" = 'allowed denied denied' ] && "$w" reach web-2 db-1 --port 5432 | grep -q 'acl-1 100 32767, whose answers 32767 stops\|acl-1 100, whose answers 32767 stops'
check "a network ACL is judged, with the answers that it stops"
# Route tables: the web subnet has an Internet gateway and a peering that vpc-2 answers, the database's a NAT gateway of the web subnet.
rm aws/acl.json
route() { printf '{"%s": "%s", "%s": "%s", "Origin": "%s", "State": "%s"}' "${5:-DestinationCidrBlock}" "$1" "$2" "$3" "$([ "$3" = local ] && echo CreateRouteTable || echo CreateRoute)" "${4:-active}"; }
table() { # ID VPC ASSOCIATION ROUTE…
	printf '{"RouteTableId": "%s", "VpcId": "%s", "OwnerId": "1", "PropagatingVgws": [], "Associations": [%s], "Routes": [' "$1" "$2" "$3"
	shift 3
	printf '%s\n' "$@" | paste -sd, | tr '\n' ' '
	echo ']}'
}
{
	echo '{"RouteTables": ['
	table rtb-main vpc-1 '{"Main": true, "RouteTableId": "rtb-main"}' "$(route 10.0.0.0/16 GatewayId local)"; echo ,
	table rtb-web vpc-1 '{"Main": false, "SubnetId": "subnet-web"}' "$(route 10.0.0.0/16 GatewayId local)" "$(route 0.0.0.0/0 GatewayId igw-1)" "$(route 10.9.1.0/24 VpcPeeringConnectionId pcx-1)" "$(route 10.3.0.0/16 TransitGatewayId tgw-1)" "$(route 192.0.2.0/24 GatewayId vgw-1 blackhole)"; echo ,
	table rtb-db vpc-1 '{"Main": false, "SubnetId": "subnet-db"}' "$(route 10.0.0.0/16 GatewayId local)" "$(route 0.0.0.0/0 NatGatewayId nat-1)"; echo ,
	table rtb-far vpc-2 '{"Main": true}' "$(route 10.9.0.0/16 GatewayId local)" "$(route 10.0.1.0/24 VpcPeeringConnectionId pcx-1)"
	echo ']}'
} >aws/routes.json
echo '{"InternetGateways": [{"InternetGatewayId": "igw-1", "OwnerId": "1", "Attachments": [{"State": "available", "VpcId": "vpc-1"}]}]}' >aws/igw.json
echo '{"NatGateways": [{"NatGatewayId": "nat-1", "VpcId": "vpc-1", "SubnetId": "subnet-web", "State": "available", "ConnectivityType": "public"}]}' >aws/nat.json
echo '{"VpcPeeringConnections": [{"VpcPeeringConnectionId": "pcx-1", "Status": {"Code": "active"}, "RequesterVpcInfo": {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}, "AccepterVpcInfo": {"VpcId": "vpc-2", "CidrBlock": "10.9.0.0/16"}}]}' >aws/pcx.json
jq '.SecurityGroups += [{GroupId: "sg-ghost", GroupName: "ghost", VpcId: "vpc-2", IpPermissions: [{IpProtocol: "-1", IpRanges: [{CidrIp: "0.0.0.0/0"}]}], IpPermissionsEgress: [{IpProtocol: "-1", IpRanges: [{CidrIp: "0.0.0.0/0"}]}]}] | (.SecurityGroups[] | select(.GroupName == "db")).IpPermissionsEgress = [{IpProtocol: "-1", IpRanges: [{CidrIp: "0.0.0.0/0"}]}]' aws/groups.json >g.json && mv g.json aws/groups.json
"$w" estate import aws >err 2>&1; ! grep -q 'no document has the route tables' err && { verdict Internet web-1 --port 443; verdict 192.0.2.9 web-1 --port 22; verdict web-1 far-1 --port 80; verdict db-1 far-1 --port 80; verdict db-1 8.8.8.8 --port 443; verdict far-1 8.8.8.8 --port 443; verdict 10.3.0.1 web-2 --port 22; verdict web-2 8.8.8.8 --port 53; } >out 2>>err
cat >want <<'E'
partly
denied
allowed
denied
allowed
denied
unknown: what tgw-1 forwards (route 10.3.0.0/16 to tgw-1 of rtb-web)
denied
E
diff want out >>err
check "route tables decide: Internet and NAT gateways, a peering with a route at both ends, a blackhole, and a transit gateway is unknown"
jq '(.RouteTables[] | select(.RouteTableId == "rtb-web").Routes[] | select(.GatewayId == "igw-1")) |= {DestinationCidrBlock, NatGatewayId: "nat-1", State: "active"}' aws/routes.json >r.json && mv r.json aws/routes.json && "$w" estate import aws >out 2>err &&
	[ "$(verdict Internet web-1 --port 443)" = denied ] && "$w" reach Internet web-1 --port 443 | grep -q 'rtb-web leads its answers to no Internet gateway: route 0.0.0.0/0 to nat-1' && "$w" inventory --json >out 2>>err &&
	[ "$(jq -r '[.. | objects | select(.id? == "i-web1") | .zone] | join(" ")' out)" = internal ]
check "a public address in a subnet without a route to an Internet gateway faces nobody"
echo "1..$n"
