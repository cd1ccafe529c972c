# The newcomer's example: an estate, its group and a month's log, in the current directory. Sourced.
# Each host some times a day, at other minutes and of other sizes; somebody else of the /24 asks daily and is never answered.
awk 'function flow(src, port, day, hour, min, out, back, state, flags) {
	start = sprintf("2026-01-%02dT%02d:%02d:%02d.000000+0000", day, hour, min, day)
	end = sprintf("2026-01-%02dT%02d:%02d:%02d.000000+0000", day, hour, min + (back ? 5 : 0), day)
	printf "{\"timestamp\":\"%s\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"%s\",\"src_port\":%d,\"dest_ip\":\"10.0.0.4\",\"dest_port\":22,", end, NR + ++id, src, port
	printf "\"proto\":\"TCP\",%s\"flow\":{\"pkts_toserver\":%d,\"pkts_toclient\":%d,\"bytes_toserver\":%d,\"bytes_toclient\":%d,", back ? "\"app_proto\":\"ssh\"," : "", out / 100, back / 100, out, back
	printf "\"start\":\"%s\",\"end\":\"%s\",\"age\":%d,\"state\":\"%s\",\"reason\":\"timeout\",\"alerted\":false},", start, end, back ? 300 : 0, state
	printf "\"tcp\":{\"tcp_flags\":\"%s\",\"tcp_flags_ts\":\"%s\",\"tcp_flags_tc\":\"%s\",\"syn\":true,\"ack\":%s,\"state\":\"%s\"}}\n", flags, flags, back ? "1b" : "00", back ? "true" : "false", back ? "closed" : "syn_sent"
}
BEGIN {
	split("8 10 11 12 14", host, " ")
	for (day = 1; day <= 31; day++) {
		for (h = 1; h <= 5; h++)
			for (k = 0; k < 2; k++)
				flow("140.20.30." host[h], 40000 + day * 50 + h * 3 + k, day, 8 + h + 2 * k, (7 * h + day) % 50, 5200 + 97 * h + 31 * day, 9100 + 53 * h + 17 * day, "closed", "1b")
		flow("140.20.30.200", 50000 + day, day, 3, 7, 120, 0, "new", "02")
	}
}' >eve.json
cat >web.json <<'J'
{"name": "web", "securityRules": [
  {"name": "allow-ssh", "priority": 300, "access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceAddressPrefix": "140.20.30.10/24",
   "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22"}]}
J
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true, nsgs: [web.json]}\n' >estate.yaml
