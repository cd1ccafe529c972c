#!/bin/bash
# A hundred replacements of the rules, of every kind, under a steady stream of packets that must be dropped and one that must pass.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
netns_begin
rules() { echo "port in udp 161"; echo 140.20.30.8/29; for i in $(seq "$1" "$2"); do echo "198.18.$((i / 64)).$((i % 64 * 4))/31"; done; echo "port in tcp 22"; echo 140.20.30.8/29; }
rules 1 40 >"$dir/a"                # each differs
rules 2 41 >"$dir/little"           # in two prefixes from a
rules 2000 4000 >"$dir/much"        # in everything but the partner
(rules 1 40; echo "port in tcp 23") >"$dir/port"
(rules 1 40; echo "port out tcp 25"; echo 10.0.0.0/8) >"$dir/out"

tool apply "$dir/a" 0 >/dev/null; t $? "rules are there before the streams begin"
ip netns exec "$srv" "$BUILD/tools/stream" receive 161 >"$dir/received" & receiver=$!
until_true 5 grep -q listening "$dir/received"
ip netns exec "$net" "$BUILD/tools/stream" send 10.0.0.4@203.0.113.77 161 20000 >"$dir/sent.out" & bad=$!
ip netns exec "$net" "$BUILD/tools/stream" send 10.0.0.4@140.20.30.9 161 20000 >"$dir/sent.in" & good=$!
pids+=($receiver $bad $good)
failed=0
for i in $(seq 20); do
	tool apply "$dir/little" 60 >/dev/null && tool confirm || failed=$((failed + 1))            # differences, confirmed
	tool apply "$dir/much" 60 >/dev/null && tool confirm || failed=$((failed + 1))              # other sets, confirmed
	tool apply "$dir/port" 60 >/dev/null && tool apply "$dir/out" 60 >/dev/null || failed=$((failed + 1)) # one pending over another
	tool apply "$dir/little" 0 >/dev/null || failed=$((failed + 1))                              # at once, over a pending one
	tool apply "$dir/a" 0 >/dev/null || failed=$((failed + 1))                                   # differences, at once
done
tool apply "$dir/little" 1 >/dev/null && until_true 5 sh -c "ip netns exec $srv $BUILD/tools/nft_tool state | grep -q 'expires 0'" || failed=$((failed + 1)) # and one that expires
is $failed 0 "a hundred replacements are made, and one expires"
kill -TERM $bad $good; wait $bad $good 2>/dev/null
pause 0.5
kill -TERM $receiver; wait $receiver 2>/dev/null
sent_in=$(cat "$dir/sent.in") sent_out=$(cat "$dir/sent.out")
echo "# sent: $sent_out that must be dropped, $sent_in that must pass"
got_in=$(awk '$1=="140.20.30.9"{print $2}' "$dir/received") got_out=$(awk '$1=="203.0.113.77"{print $2}' "$dir/received")
[ "${sent_out:-0}" -gt 2000 ] && [ "${sent_in:-0}" -gt 2000 ]; t $? "the streams were steady"
is "${got_out:-0}" 0 "no packet that must be dropped leaked"
is "${got_in:-0}" "$sent_in" "no packet that must pass was lost"
tool apply "$dir/a" 0 >/dev/null
is "$(in_srv nft list table inet whittle | grep -c "^	chain ._")" 2 "and nothing is left of the rules that were replaced"
echo "1..$n"
