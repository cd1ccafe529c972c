# shellcheck shell=bash
# month_of_ssh: EVE records of 31 days in which five hosts of 140.20.30.8/29 use ssh of 10.0.0.4.
month_of_ssh() {
	awk 'BEGIN { for (day = 1; day <= 31; day++) for (h = 9; h <= 13; h++) {
		t = sprintf("2026-10-%02dT%02d", day, h)
		printf "{\"timestamp\":\"%s:10:00.0+0000\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"140.20.30.%d\",\"src_port\":%d,\"dest_ip\":\"10.0.0.4\",\"dest_port\":22,\"proto\":\"TCP\",\"app_proto\":\"ssh\",", t, day * 100 + h, h, 40000 + day
		printf "\"flow\":{\"pkts_toserver\":44,\"pkts_toclient\":43,\"bytes_toserver\":9196,\"bytes_toclient\":27009,\"start\":\"%s:00:00.0+0000\",\"end\":\"%s:05:00.0+0000\",\"age\":300,\"state\":\"closed\",\"reason\":\"timeout\",\"alerted\":false},", t, t
		print "\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"}}" } }'
}
# learned DIR: a ledger DIR/l.db that has learned 31 days of vm1 (10.0.0.4): five hosts of 140.20.30.8/29 use ssh, nobody uses telnet, and
# the present policy lets everyone in on 22 and 23, a /16 on 3389. The rules were recommended.
learned() {
	local d=$1 rule='"access":"Allow","destinationAddressPrefix":"*","direction":"Inbound","protocol":"Tcp","sourcePortRange":"*"'
	cat >"$d/web.json" <<-J
	{"id":"/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/web","name":"web","location":"westeurope","securityRules":[
	{"name":"ssh","priority":300,"destinationPortRange":"22","sourceAddressPrefix":"140.20.0.0/16",$rule},
	{"name":"telnet","priority":310,"destinationPortRange":"23","sourceAddressPrefix":"*",$rule},
	{"name":"rdp","priority":320,"destinationPortRange":"3389","sourceAddressPrefix":"185.7.0.0/16",$rule}]}
	J
	printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true, nsgs: [web.json]}\n' >"$d/estate.yaml"
	month_of_ssh >"$d/eve.json"
	"$BUILD/whittle" estate import --store "$d/l.db" "$d/estate.yaml" >"$d/learned.log" 2>&1 &&
	"$BUILD/whittle" ingest --store "$d/l.db" "$d/eve.json" >>"$d/learned.log" 2>&1 &&
	"$BUILD/whittle" recommend --store "$d/l.db" >>"$d/learned.log" 2>&1 || { sed 's/^/# /' "$d/learned.log"; return 1; }
}
