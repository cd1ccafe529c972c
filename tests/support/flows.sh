# shellcheck shell=bash
# flows 'AWK STATEMENTS' prints Suricata's flow records that they ask for, by
#   flow(DAY, HOUR, SOURCE, PORT, ANSWERED)    (0: no answer, 1: answered, 2: a reset) day 1 is 2026-10-01, days go on into November; to the address `to` (10.0.0.4)
flows() {
	awk 'function flow(day, hour, src, port, ok,   t, shape, tcp) {
		t = sprintf("2026-%02d-%02dT%02d", day > 31 ? 11 : 10, day > 31 ? day - 31 : day, hour)
		shape = ok ? "\"pkts_toserver\":44,\"pkts_toclient\":43,\"bytes_toserver\":9196,\"bytes_toclient\":27009" : "\"pkts_toserver\":3,\"pkts_toclient\":0,\"bytes_toserver\":180,\"bytes_toclient\":0"
		if (ok == 2) shape = "\"pkts_toserver\":1,\"pkts_toclient\":1,\"bytes_toserver\":60,\"bytes_toclient\":54"
		tcp = ok ? "\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\",\"syn\":true,\"fin\":true,\"psh\":true,\"ack\":true,\"state\":\"closed\"" : "\"tcp_flags\":\"02\",\"tcp_flags_ts\":\"02\",\"tcp_flags_tc\":\"00\",\"syn\":true,\"state\":\"syn_sent\""
		if (ok == 2) tcp = "\"tcp_flags\":\"16\",\"tcp_flags_ts\":\"02\",\"tcp_flags_tc\":\"14\",\"syn\":true,\"rst\":true,\"ack\":true,\"state\":\"closed\""
		printf "{\"timestamp\":\"%s:10:00.0+0000\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"%s\",\"src_port\":%d,\"dest_ip\":\"%s\",\"dest_port\":%d,\"proto\":\"TCP\",", t, ++id, src, 40000 + id % 20000, to, port
		printf "\"flow\":{%s,\"start\":\"%s:00:00.0+0000\",\"end\":\"%s:05:00.0+0000\",\"age\":300,\"state\":\"%s\",\"reason\":\"timeout\",\"alerted\":false},\"tcp\":{%s}}\n", shape, t, t, ok ? "closed" : "new", tcp
	}
	BEGIN { to = "10.0.0.4"; '"$1"' }'
}
