#!/bin/bash
# watch with live packets: it reports when a peer that belongs is hit, and when another program flushes or changes our table; it reverts or
# restores the rules, if that is configured.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
export WHITTLE_STORE=$dir/l.db
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" 2>&1; }
watch() { # watch LOG OPTION…: in the background, until it listens
	local log=$dir/$1; shift
	: >"$log"
	ip netns exec "$srv" "$BUILD/whittle" watch "$@" >"$log" 2>&1 &
	watcher=$!; pids+=($watcher)
	until_true 5 grep -q Watching "$log"
}
end_watch() { kill "$watcher"; wait "$watcher" 2>/dev/null; }
tells() { until_true 6 grep -qE -e "$2" "$dir/$1"; t $? "$3" "$(cat "$dir/$1")"; } # tells LOG PATTERN SENTENCE
serve "$srv" 22 serve

w enforce --resource vm1 >/dev/null; w confirm >/dev/null
watch plain --alerts "$dir/alerts" --metrics 127.0.0.1:9464; t $? "watch listens" "$(cat "$dir/plain")"
tells plain '[1-9][0-9]* peers are known to belong' "and knows the peers that belong from the ledger"
grep -q 'CapEff:.*0000000000000000' "/proc/$watcher/status"; t $? "without any privilege"
for helper in $(pgrep -P "$watcher"); do
	[ "$(cat "/proc/$helper/comm")" != whittle-nft ] || ! setpriv --bounding-set=-all,+net_admin --inh-caps=-all cat "/proc/$helper/environ" >"$dir/seen" 2>&1 || t 1 "another process of its user reads the memory of the one that changes the firewall" "$(tr '\0' ' ' <"$dir/seen" | head -c 200)"
	[ "$(cat "/proc/$helper/comm")" != whittle-nft ] || is "$(tr -s '\t\n' ' ' <"/proc/$helper/status" | grep -oE 'CapPrm.*CapBnd: [0-9a-f]+|NoNewPrivs: 1 Seccomp: [0-9]' | xargs)" "CapPrm: 0000000000001000 CapEff: 0000000000001000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2" "the process that changes the firewall has CAP_NET_ADMIN alone"
done

# ---- drops ----
is "$(from 140.20.30.9)" connects "a partner connects"
for _ in 1 2 3; do from 203.0.113.77 >/dev/null; done
[ ! -s "$dir/alerts" ]; t $? "a dropped stranger is no alert" "$(cat "$dir/alerts")"
w rules edit vm1 22 --not 140.20.30.10 >/dev/null
w enforce --resource vm1 >/dev/null; w confirm >/dev/null
for _ in 1 2 3; do from 140.20.30.10 >/dev/null; done
tells plain 'blocked +140.20.30.10, which was seen on 31 days on port 22/TCP, is being dropped' "a dropped partner is one, with the number of days on which it was seen"
is "$(jq -r 'select(.kind=="blocked")|[.peer,.port,.protocol,.direction,.daysSeen]|join(" ")' "$dir/alerts")" "140.20.30.10 22 TCP Inbound 31" "and a line of JSON in the file"
for _ in 1 2; do from 140.20.30.10 >/dev/null; done
is "$(grep -c blocked "$dir/plain")" 1 "it is not reported again at once"
is "$(from 140.20.30.10)" "no connection" "nothing was taken back, since nobody configured that"
is "$(in_srv "$BUILD/whittle" alerts --json 2>/dev/null | jq -r '.value[].properties | select(.alertType == "Whittle_RuleBlocksNormal") | .severity + " " + (.description | test("140.20.30.10") | tostring)')" "High true" "it is an alert of the ledger, too"
if command -v node >/dev/null; then
	is "$(in_srv node tests/tools/prometheus_check.js http://127.0.0.1:9464/metrics 'whittle_flows_total' 'whittle_not_taken_full_total' 'whittle_lost_hours' 'whittle_up')" "whittle_flows_total 155
whittle_not_taken_full_total 0
whittle_lost_hours 0
whittle_up 1" "metrics are what a scraper reads"
	is "$(in_srv node -e 'require("http").request({host: "127.0.0.1", port: 9464, path: "/etc/passwd", method: "GET"}, (r) => console.log(r.statusCode)).end()')" 404 "and nothing else is served"
fi
for helper in $(pgrep -P "$watcher"); do
	[ "$(cat "/proc/$helper/comm")" != whittle-metrics ] || is "$(tr -s '\t\n' ' ' <"/proc/$helper/status" | grep -oE 'CapPrm.*CapBnd: [0-9a-f]+|NoNewPrivs: 1 Seccomp: [0-9]' | xargs)" "CapPrm: 0000000000000000 CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2" "the process that serves them has no privilege"
done

# ---- metrics, while the clock is set back ----
if "${CC:-gcc}" -shared -fPIC -O1 -o "$dir/clock.so" tests/support/clock.c 2>"$dir/err"; then
	cp "$dir/l.db" "$dir/set_back.db"
	ip netns exec "$net" env LD_PRELOAD="$dir/clock.so" "$BUILD/whittle" --store "$dir/set_back.db" watch --metrics 127.0.0.1:9465 >"$dir/set_back" 2>&1 & back=$!; pids+=($back)
	flows() { in_net bash -c 'exec 3<>/dev/tcp/127.0.0.1/9465 && printf "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" >&3 && cat <&3' 2>/dev/null | tr -d '\r' | sed -n 's/^whittle_flows_total //p'; }
	shows() { [ "$(flows)" = "$1" ]; }
	until_true 10 shows 155; t $? "metrics are served while the clock is set back" "$(cat "$dir/set_back")"
	sed -n '1s/"src_port":[0-9]*/"src_port":50001/; 1s/"flow_id":[0-9]*/"flow_id":9999/; 1p' "$dir/eve.json" >"$dir/one.json"
	w --store "$dir/set_back.db" ingest "$dir/one.json" >/dev/null
	until_true 10 shows 156; t $? "and follow the ledger" "$(flows; cat "$dir/set_back")"
	kill $back; wait $back 2>/dev/null
else echo "ok $((n += 1)) - metrics # skip the library does not build: $(head -n 1 "$dir/err")"; fi

# ---- our own doing is no alert ----
w enforce --resource vm1 --confirm-within 20s >/dev/null; w rules undo >/dev/null; w enforce --resource vm1 >/dev/null; w confirm >/dev/null
in_srv nft add table inet another; in_srv nft delete table inet another
pause 1.2
is "$(grep -cE 'flushed|changed' "$dir/plain")" 0 "neither our own applies nor changes of other tables are alerts"

# ---- somebody else ----
in_srv nft add element inet whittle "$(in_srv nft list table inet whittle | sed -n 's/.*set \([abc]_input_tcp_22_v4\) .*/\1/p' | head -n 1)" '{ 203.0.113.77 }'
tells plain 'changed +nft \(process [0-9]+\) changed whittle.s table' "an element that somebody adds to our sets is noticed, with the program"
chain=$(in_srv nft list table inet whittle | sed -n 's/.*chain \([abc]_input_tcp_22\).*/\1/p' | head -n 1)
in_srv nft insert rule inet whittle "$chain" accept
tells plain 'changed +nft .* changed whittle.s table further: .*the rules of its chain were changed' "a rule that is put before ours afterwards is noticed too"
in_srv nft add element inet whittle "${chain}_v4" '{ 203.0.113.78 }'
further() { [ "$(grep -c 'changed whittle.s table further' "$dir/plain")" -ge "$1" ]; }
tells plain 'changed whittle.s table further: [^;]*; [^ ]' "several differences stand apart in one line"
until_true 6 further 2; t $? "and one more element, as a further change" "$(cat "$dir/plain")"
in_srv nft 'add chain inet whittle strange { type filter hook input priority 7; policy accept; }'
until_true 6 further 3; t $? "and a chain of another's"
w restore >/dev/null
in_srv nft flush ruleset
tells plain 'flushed +nft \(process [0-9]+\) deleted whittle.s table' "and a flush of the whole ruleset too"
tells plain 'whittle restore. puts back' "with what puts it back"
is "$(from 203.0.113.77)" connects "nothing was put back, since nobody configured that"
jq -e 'select(.kind=="flushed" and .by=="nft" and .pid>0)' "$dir/alerts" >/dev/null; t $? "its JSON names the program and the process"
w restore >/dev/null
chain=$(in_srv nft list table inet whittle | sed -n 's/.*chain \([abc]_input_tcp_22\).*/\1/p' | head -n 1)
told=$(grep -c 'changed whittle.s table' "$dir/plain")
more() { [ "$(grep -c 'changed whittle.s table' "$dir/plain")" -gt "$told" ]; }
(while :; do in_srv nft add counter inet whittle c; in_srv nft delete counter inet whittle c; pause 0.1; done) >/dev/null 2>&1 & busy=$!; pids+=($busy)
in_srv nft insert rule inet whittle "$chain" accept
until_true 6 more; t $? "changes without a pause do not put the look off"
kill $busy; wait $busy 2>/dev/null
w restore >/dev/null
w rules edit vm1 22 --not 140.20.30.10 >/dev/null; w enforce --resource vm1 --confirm-within 2s >/dev/null
told=$(grep -c 'changed whittle.s table' "$dir/plain")
in_srv nft insert rule inet whittle input accept
until_true 10 more; t $? "changes during the wait for confirmation are noticed when its time is up" "$(cat "$dir/plain")"
w rules undo >/dev/null
in_srv nft flush ruleset
end_watch; [ $? = 0 ]; t $? "a signal ends it, which is no failure"

# ---- repair ----
w restore >/dev/null
watch repairing --repair
in_srv nft flush ruleset
tells repairing 'repaired +the confirmed rules were put back' "with --repair a flush is mended"
is "$(from 203.0.113.77)" "no connection" "and the rules hold again"
is "$(from 140.20.30.9)" connects "for everybody as before"
in_srv nft delete table inet whittle
again() { [ "$(grep -c 'repaired' "$dir/repairing")" -ge 2 ]; }
until_true 6 again; t $? "and a second time" "$(cat "$dir/repairing")"
w rollback --all >/dev/null
pause 1.2
is "$(in_srv nft list tables | grep -cw whittle)" 0 "but not what the operator takes back himself"
end_watch

# ---- more drops than used to be normal ----
awk 'BEGIN { for (i = 0; i < 60000; i++) printf "{\"timestamp\":\"2026-10-15T00:00:00.0+0000\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"198.51.%d.%d\",\"src_port\":%d,\"dest_ip\":\"10.0.0.4\",\"dest_port\":162,\"proto\":\"UDP\",\"flow\":{\"pkts_toserver\":1,\"pkts_toclient\":0,\"bytes_toserver\":60,\"bytes_toclient\":0,\"start\":\"2026-10-15T00:00:00.0+0000\",\"end\":\"2026-10-15T00:00:00.0+0000\",\"age\":0,\"state\":\"new\",\"reason\":\"timeout\",\"alerted\":false}}\n", i, i / 256 % 256, i % 256, 1024 + i }' >"$dir/noise.json"
"$BUILD/whittle" ingest "$dir/noise.json" >/dev/null 2>&1 # 42 a minute on one day
printf 'port in udp 161\n140.20.30.8/29\nport in udp 162\n140.20.30.8/29\n' >"$dir/udp"
tool apply "$dir/udp" 0 >/dev/null
watch surging
flood() { # flood PORT COMMAND…: 500 datagrams a second from a stranger until the command succeeds
	ip netns exec "$net" "$BUILD/tools/stream" send 10.0.0.4@203.0.113.77 "$1" 500 >/dev/null & local sender=$!
	until_true 20 "${@:2}"; local rc=$?
	kill -TERM $sender; wait $sender 2>/dev/null
	return $rc
}
enough() { [ "$(dropped 'in UDP 162')" -ge 250 ]; }
flood 162 enough; t $? "250 datagrams are dropped on a port where 42 a minute used to go unanswered"
flood 161 grep -q '^.* surge .*port 161/UDP within a minute, where 0.0 connections a minute used to go unanswered' "$dir/surging"
t $? "hundreds on a port where none did are a surge" "$(cat "$dir/surging")"
is "$(grep -c 'surge.*port 162' "$dir/surging")" 0 "the former are none"
end_watch; tool rollback

# ---- ports that just-in-time access keeps closed ----
printf 'watch: {repair: yes}\njit: [{resource: vm1, ports: [25], who: [%s]}]\n' "$(env -u SUDO_USER id -un)" >"$dir/jit.yaml"
w jit on --config "$dir/jit.yaml" >/dev/null; w jit confirm --config "$dir/jit.yaml" >/dev/null
watch closed --config "$dir/jit.yaml"
in_srv nft flush ruleset
tells closed 'flushed +nft .* changed what just-in-time access keeps closed: the table inet whittle_jit is not there: 25/tcp is open' "a flush that opens a port of just-in-time access is noticed"
tells closed 'repaired .*1 kept closed' "and mended"
in_srv nft insert rule inet whittle_jit ask accept
tells closed 'nft .* changed what just-in-time access keeps closed: the rules of the chain ask' "a rule that opens such a port too"
holds() { [ "$(in_srv nft list chain inet whittle_jit ask | grep -cx '[[:space:]]*accept')" = 0 ]; }
until_true 6 holds; t $? "and is taken out" "$(cat "$dir/closed")"
w jit off --config "$dir/jit.yaml" >/dev/null
pause 1.2
is "$(in_srv nft list tables | wc -l)" 0 "but not off"
end_watch

# ---- revert ----
ip -n "$net" addr add 140.20.30.11/32 dev n0
w rules edit vm1 22 --not 140.20.30.10 >/dev/null; w rules edit vm1 22 --not 140.20.30.11 >/dev/null
w enforce --resource vm1 >/dev/null; w confirm >/dev/null
watch reverting --revert
for _ in 1 2 3; do from 140.20.30.10 >/dev/null; done
tells reverting 'blocked +140.20.30.10' "with --revert one partner that is hit is reported"
pause 1
is "$(grep -c reverted "$dir/reverting"), $(from 140.20.30.10)" "0, no connection" "but takes nothing back: a single address may be a guesser's"
for _ in 1 2 3; do from 140.20.30.11 >/dev/null; done
tells reverting 'reverted +the rules were rolled back, because they dropped 2 peers that belong, the last 140.20.30.11' "two are taken for a mistake soon after the confirmation"
is "$(from 140.20.30.10)" connects "and connect again"
w restore >/dev/null
is "$(from 140.20.30.10)" connects "also after a reboot"
end_watch; w rollback --all >/dev/null
# peers that came on several days, were answered, and are on a threat list
w enforce --resource vm1 >/dev/null; w confirm >/dev/null
printf '140.20.30.10\n140.20.30.11\n' >"$dir/hostile.txt"
echo "threat-intel: [$dir/hostile.txt]" >"$dir/intel.yaml"
w intel update --force --config "$dir/intel.yaml" >"$dir/intel.log"; t $? "two partners come onto a threat list" "$(cat "$dir/intel.log")"
watch listed --revert
for _ in 1 2 3; do from 140.20.30.10 >/dev/null; from 140.20.30.11 >/dev/null; done
tells listed 'blocked +140.20.30.11' "peers on a threat list that are hit are reported"
pause 1
is "$(grep -c reverted "$dir/listed")" 0 "and take nothing back"
end_watch
printf 'watch: {revert: yes, after-confirm: 1s}\n' >"$dir/late.yaml"
w enforce --resource vm1 >/dev/null; w confirm >/dev/null; pause 1.2
watch late --config "$dir/late.yaml"
from 140.20.30.10 >/dev/null; from 140.20.30.10 >/dev/null
tells late 'blocked' "later than after-confirm a partner that is hit is reported"
is "$(from 140.20.30.10)" "no connection" "but the rules stay"
in_srv "$BUILD/whittle" watch --for 1s >"$dir/second" 2>&1; has "$(cat "$dir/second")" 'another program listens there' "a second watch reports the first one"
end_watch
w rollback --all >/dev/null

# ---- connections that are open ----
edge() { [ "$(w edges 10.0.0.4 --json | jq -r "select(.peer == \"$1\" and .direction == \"Inbound\") | [.port, .flows, .days, .bytesIn] | join(\" \")")" = "$2" ]; }
w edges --json | grep -q '"203.0.113.78"'; [ $? = 1 ]; t $? "the ledger has no edge of a stranger"
hold 203.0.113.78; t $? "a stranger holds a connection from before the watch" "$(cat "$dir/held")"
printf 'watch: {connections: 1s}\n' >"$dir/often.yaml"
watch noting --config "$dir/often.yaml"
until_true 5 edge 203.0.113.78 "22 1 1 0"; t $? "its connection is an edge soon" "$(w edges --json | grep 203.0.113.78)"
ip netns exec "$net" "$BUILD/tools/talk" hold 10.0.0.4@203.0.113.77 22 < <(pause 30) >/dev/null 2>&1 & pids+=($!)
until_true 5 edge 203.0.113.77 "22 1 1 0"; t $? "one that begins later is noticed at the next look" "$(w edges --json | grep 203.0.113.77)"
pause 2.5
edge 203.0.113.78 "22 1 1 0"; t $? "looked at several times it is one flow" "$(w edges --json | grep 203.0.113.78)"
grep -q 'CapEff:.*0000000000000000' "/proc/$watcher/status"; t $? "the process that writes the ledger has no privilege"
"$BUILD/tools/ledger_lock" "$dir/l.db" "$dir/unlock" >"$dir/lock.log" 2>&1 & pids+=($!)
until_true 5 grep -q locked "$dir/lock.log"
tells noting 'unnoted +the open connections could not be recorded as evidence: .*lock' "a ledger that does not take them is reported"
touch "$dir/unlock"
pause 3.5
is "$(grep -c unnoted "$dir/noting")" 1 "once"
end_watch
echo "1..$n"
