#!/bin/bash
# watch --learn with live packets: what the kernel tracks becomes edges as a sensor's flows do.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
netns_begin
store=$dir/k/l.db
mkdir "$dir/k"
export WHITTLE_STORE=$store
printf 'watch: {learn: conntrack, connections: 1h, learn-buffer: %s}\n' 1M >"$dir/plain.yaml"
printf 'watch: {learn: conntrack, connections: 1h, learn-buffer: %s}\n' 4K >"$dir/small.yaml"
watch() { # watch LOG CONFIG: in the background, until it listens
	: >"$dir/$1"
	ip netns exec "$srv" "$BUILD/whittle" watch --metrics 127.0.0.1:9465 --config "$dir/$2.yaml" >"$dir/$1" 2>&1 &
	watcher=$!; pids+=($watcher)
	until_true 8 grep -q Watching "$dir/$1"
}
again() { kill -HUP "$watcher"; } # the kernel forgets what has expired when it is asked for all, and then says so
edges() { "$BUILD/whittle" edges --json | jq -r '[.direction,.protocol,.port,.peer,.flows]|join(" ")'; }
edge() { again; pause 0.5; edges >"$dir/edges"; for e in "$@"; do grep -qE "$e" "$dir/edges" || return 1; done; } # edge PATTERN…
tells() { until_true 6 grep -qE -e "$2" "$dir/$1"; t $? "$3" "$(cat "$dir/$1")"; }
"$BUILD/tools/gen_eve" --records 10 --edges 2 >"$dir/some.json"
"$BUILD/whittle" ingest "$dir/some.json" >/dev/null 2>&1 # makes the ledger
in_srv sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_time_wait=1 net.netfilter.nf_conntrack_tcp_timeout_last_ack=1 net.netfilter.nf_conntrack_tcp_timeout_close=1 \
	net.netfilter.nf_conntrack_udp_timeout=1
serve "$srv" 22 serve; serve "$srv" 53 userve

# ---- settings that the kernel needs for it ----
watch log plain; t $? "watch listens" "$(cat "$dir/log")"
tells log 'untracked +the kernel tracks no connections of IPv4 and IPv6 here' "a kernel without connection tracking is reported"
in_srv sh -c "$(grep -oE "nft '.*'" "$dir/log" | head -n 1)"; t $? "with a command that works"
is "$(from 140.20.30.10)" connects "a client connects"
until_true 2 edge 'Inbound TCP 22 140.20.30.10'; t $? "and is an edge once its connection has ended" "$(edges)"
tells log 'uncounted +the kernel does not count the bytes' "that the kernel counts no bytes is reported"
in_srv sh -c "$(grep -oE 'sysctl -w .*' "$dir/log" | head -n 1)" >/dev/null; t $? "with a command that works"

# ---- connections ----
in_srv nft 'table ip nat { chain c { type nat hook prerouting priority dstnat; tcp dport 8080 redirect to :22; }; }'
hold 140.20.30.9; t $? "a client's connection stays open"
in_net "$BUILD/tools/talk" bulk 10.0.0.4@203.0.113.77 22 100000 >/dev/null
from 203.0.113.78 23 >/dev/null # nobody listens
from 203.0.113.78 8080 >/dev/null
from6 2001:db8:7::9 >/dev/null
udp_from 140.20.30.10 53 >/dev/null
udp_from 203.0.113.77 54 1 >/dev/null
until_true 2 edge 'TCP 8080 203.0.113.78' 'TCP 22 2001:db8:7::9' 'UDP 53 140.20.30.10' 'TCP 22 203.0.113.77'; all=$(cat "$dir/edges")
has "$all" 'Inbound TCP 22 140.20.30.9 ' "one that lasts is an edge while it lasts"
has "$all" 'Inbound TCP 22 2001:db8:7::9 1' "a client by IPv6 is one"
has "$all" 'Inbound UDP 53 140.20.30.10 1' "and one that is answered by datagram"
has "$all" 'Inbound TCP 8080 203.0.113.78 1' "a translated service counts by the port that the client addressed"
is "$(grep -cE 'TCP 22 203.0.113.78|(TCP|UDP) (23|54) ' <<<"$all")" 0 "a refused or unanswered connection is no edge"
attempts() { "$BUILD/whittle" evidence --kind attempts --json | jq -r '[.local,.port,.protocol,.value,.count,.distinct,.target]|join(" ")'; }
for port in 9001 9001 9002; do in_srv "$BUILD/tools/talk" try 203.0.113.77@10.0.0.4 "$port" >/dev/null; done # nobody listens
counted() { again; pause 0.5; attempts >"$dir/attempts"; grep -q ' 9002 ' "$dir/attempts"; }
until_true 3 counted
is "$(cat "$dir/attempts")" "10.0.0.4 0 TCP ports 3 2 203.0.113.77
10.0.0.4 9001 TCP targets 2 1 203.0.113.77
10.0.0.4 9002 TCP targets 1 1 203.0.113.77" "connections of ours that are refused are counted as attempts"
tells log 'service +10.0.0.4 port 8080/TCP is answered by 10.0.0.4 port 22' "and what answers is named"
bytes=$("$BUILD/whittle" edges --json | jq -r 'select(.peer=="203.0.113.77").bytesOut')
[ "${bytes:-0}" -ge 100000 ]; t $? "bytes are counted from then on" "$bytes"

# ---- losses ----
kill "$watcher"; wait "$watcher"; is $? 0 "a signal ends it"
watch small small
kill -STOP "$watcher"
for p in 1001 1002 1003 1004 1005 1006 1007 1008; do udp_from 203.0.113.77 $p 1 >/dev/null & done
is "$(from 203.0.113.78)" connects "while the watcher does not read, others connect"
wait $(jobs -p | grep -vxF -e "$(printf '%s\n' "${pids[@]}")") 2>/dev/null
exec 8<>"$dir/in2" 2>/dev/null || { mkfifo "$dir/in2"; exec 8<>"$dir/in2"; }
in_net "$BUILD/tools/talk" hold 10.0.0.4@140.20.30.10 22 <"$dir/in2" >"$dir/held2" 2>&1 & pids+=($!)
until_true 5 grep -q connected "$dir/held2"
kill -CONT "$watcher"
tells small 'lost +[1-9][0-9]* messages of the kernel about connections were lost' "messages that the kernel had no room for are counted and reported"
if command -v node >/dev/null; then
	counters() {
		again; pause 0.5
		in_srv node tests/tools/prometheus_check.js http://127.0.0.1:9465/metrics whittle_learn_messages_total whittle_learn_lost_messages_total \
			whittle_learn_open_connections 'whittle_watch_noticed_total{kind="lost"}' >"$dir/counters" && [ "$(awk '$2 > 0' "$dir/counters" | wc -l)" = 4 ]
	}
	until_true 4 counters; t $? "and counted for a scraper, next to heard and open connections" "$(cat "$dir/counters")"
fi
exec 8>&-
until_true 2 edge 'Inbound TCP 22 140.20.30.10 2'; t $? "a connection of which the messages were lost is found by asking for all" "$(edges)"
is "$(sqlite3 -readonly "$store" "SELECT count(*) FROM document WHERE collection='lost-hours'" 2>/dev/null || echo 1)" 1 "the hour is noted"
kill "$watcher"; wait "$watcher"

# ---- a loss is what the kernel says it is: 20,000 connections come at once and make 60,000 messages; the scrapes' own are filtered ----
watch flood small
page() { in_srv bash -c 'exec 3<>/dev/tcp/127.0.0.1/9465 && printf "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" >&3 && cat <&3'; }
heard() { again; pause 0.5; page >"$dir/page"; tr -d '\r' <"$dir/page" | awk '/^whittle_learn_(lost_)?messages_total / { n += $2 } END { print n }'; }
all_heard() { [ "$(heard)" = $((before + 60000)) ]; }
before=$(heard)
is "$(in_srv "$BUILD/tools/gen_tracked" 2000000 0.01 | cut -d ' ' -f 1)" 20000 "20,000 connections come at once"
until_true 3 all_heard; t $? "messages read and messages lost are all that there were" "$before $(cat "$dir/page")"
lost=$(tr -d '\r' <"$dir/page" | awk '/^whittle_learn_lost_messages_total / { print $2 }')
[ "$lost" -gt 0 ]; t $? "of which some were lost" "$lost"
kill "$watcher"; wait "$watcher"
has "$(cat "$dir/flood")" "lost .*\($lost in all\)" "and the last word of the log has that number"

# ---- keep-days ----
old() { # old DAYS: a flow of so many days ago
	local at; at=$(date -u -d "$1 days ago" +%Y-%m-%dT10:00)
	printf '{"timestamp":"%s:09.0+0000","event_type":"flow","src_ip":"198.51.100.%s","src_port":40001,"dest_ip":"10.0.0.4","dest_port":22,"proto":"TCP","flow":{"pkts_toserver":9,"pkts_toclient":9,"bytes_toserver":900,"bytes_toclient":900,"start":"%s:01.0+0000","end":"%s:09.0+0000","state":"closed"},"tcp":{"tcp_flags_ts":"1b","tcp_flags_tc":"1b"}}\n' "$at" "$1" "$at" "$at"
}
{ old 200; old 1; } >"$dir/old.json"
"$BUILD/whittle" ingest "$dir/old.json" >/dev/null
has "$(edges)" '198.51.100.200 1' "an edge of long ago is in the ledger"
{ cat "$dir/plain.yaml"; echo 'keep-days: 64'; } >"$dir/keep.yaml"
has "$("$BUILD/whittle" doctor --config "$dir/keep.yaml")" '^warn +keep-days +data of 13[0-9] days are older' "doctor reports that nobody has removed it"
watch keep keep
gone() { ! edges | grep -q 198.51.100.200; }
until_true 5 gone; t $? "watch removes what is older than keep-days" "$(cat "$dir/keep")"
has "$(edges)" '198.51.100.1 1' "and nothing else"
"$BUILD/whittle" doctor --config "$dir/keep.yaml" | grep -q '^warn.*keep-days'; is $? 1 "and doctor no longer"
"$BUILD/whittle" doctor --config "$dir/keep.yaml" >"$dir/doctor"; has "$(cat "$dir/doctor")" "^ok +last flow +$(date -u +%Y-%m-%d)$" "which knows that the last flow is of today"
grep -q 'in the future' "$dir/doctor"; is $? 1 "and takes no flow of today for one of the future"
kill "$watcher"; wait "$watcher"
is "$(cat "$dir/log" "$dir/small" "$dir/flood" "$dir/keep" | grep -cE 'unnoted|could not be removed')" 0 "the ledger took everything"
echo "1..$n"
