#!/bin/bash
# Before it applies, enforce looks at the connections that are open now: what could not be opened again is listed, and refused where it is large.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
export WHITTLE_STORE=$dir/l.db
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" 2>&1; }
serve "$srv" 22 serve
lists() { w enforce --resource vm1 --dry-run 2>&1 | grep -c "this open connection could not be opened again: $1 "; }

is "$(w enforce --resource vm1 --dry-run 2>&1 | grep -c 'open connection')" 0 "without open connections nothing is listed"
hold 140.20.30.9; t $? "a partner holds a connection"
is "$(lists 140.20.30.9)" 0 "a connection that the rules allow is not listed"
is "$(w edges --json | jq -r 'select(.peer == "140.20.30.9").days')" 31 "a dry run notes nothing in the ledger"
hold 203.0.113.78; t $? "a stranger holds one, on a machine where nothing is tracked"
gives "it is listed with peer, port and bytes, its age unknown" 0 'this open connection could not be opened again: 203.0.113.78 on port 22/TCP, age unknown, [0-9]+ bytes' w enforce --resource vm1
is "$(from 203.0.113.77)" "no connection" "a small one is no reason to refuse"
said survives; t $? "the connection itself stays"
gives "as JSON too" 0 '"peer": "203.0.113.78"' w enforce --resource vm1 --json
w rollback --all >/dev/null

# ---- as evidence ----
edge() { w edges 10.0.0.4 --json | jq -r "select(.peer == \"$1\" and .port == ${2:-22} and .direction == \"${3:-Inbound}\") | [.flows, .days, .bytesIn] | join(\" \")"; }
today=$(w edges 10.0.0.4 --json | jq -r 'select(.peer == "203.0.113.78").lastDay')
is "$(edge 203.0.113.78)" "1 1 0" "a connection that no sensor reported is an edge once enforce has seen it"
is "$today" "$(($(date +%s) / 86400))" "of today"
w enforce --resource vm1 >/dev/null; w rollback --all >/dev/null
is "$(edge 203.0.113.78)" "1 1 0" "seen again it is the same flow"
is "$(edge 140.20.30.9 | cut -d' ' -f1,2)" "31 32" "a partner's open connection is one day more of a peer that the ledger knows"
port=$(in_srv ss -Htn state established 'sport = :22' dst 203.0.113.78 | awk '{ sub(/.*:/, "", $4); print $4 }')
at=$(date -u +%Y-%m-%dT%H:%M:%S)
printf '{"timestamp":"%s.0+0000","flow_id":1,"event_type":"flow","src_ip":"203.0.113.78","src_port":%s,"dest_ip":"10.0.0.4","dest_port":22,"proto":"TCP","app_proto":"ssh","flow":{"pkts_toserver":44,"pkts_toclient":43,"bytes_toserver":9196,"bytes_toclient":27009,"start":"%s.0+0000","end":"%s.0+0000","state":"closed"},"tcp":{"tcp_flags_ts":"1b","tcp_flags_tc":"1b"}}\n' \
	"$at" "$port" "$at" "$at" >"$dir/ended.json"
w ingest "$dir/ended.json" >/dev/null
is "$(edge 203.0.113.78)" "1 1 9196" "and the same flow when the sensor reports it"

# ---- tracked, with age and bytes ----
in_srv sysctl -qw net.netfilter.nf_conntrack_timestamp=1 net.netfilter.nf_conntrack_acct=1 2>/dev/null
in_srv nft 'add table inet other; add chain inet other in { type filter hook prerouting priority 0; }; add rule inet other in ct state established accept'
if hold 203.0.113.77 && in_srv sysctl -q net.netfilter.nf_conntrack_timestamp 2>/dev/null | grep -q '= 1'; then
	gives "a tracked one with its age" 0 'could not be opened again: 203.0.113.77 on port 22/TCP, open for [0-9]+ s, [0-9]+ bytes' w enforce --resource vm1 --dry-run
else
	n=$((n + 1)); echo "ok $n - tracked with its age # skip the kernel keeps no time here"
fi

# ---- translated: by what the client sent ----
in_srv nft 'add table ip nat; add chain ip nat pre { type nat hook prerouting priority dstnat; }; add rule ip nat pre tcp dport 2222 redirect to :22'
ip netns exec "$net" bash -c 'exec 3<>/dev/tcp/10.0.0.4/2222; echo here; read -r' <> <(:) >"$dir/redirected" 2>&1 & pids+=($!)
until_true 5 grep -q here "$dir/redirected"
w enforce --resource vm1 >/dev/null; w rollback --all >/dev/null
is "$(edge 10.0.1.2 2222), $(edge 10.0.1.2 22)" "1 1 0, " "a connection to a redirected port is an edge of the port that the client sent to"

# ---- large ----
in_net bash -c 'exec 3<>/dev/tcp/10.0.0.4/22; cat <&3 >/dev/null & head -c 20000000 /dev/zero >&3; echo sent; read -r' <> <(:) >"$dir/sent" 2>&1 & pids+=($!)
until_true 20 grep -q sent "$dir/sent"
many() { [ "$(w enforce --resource vm1 --dry-run 2>&1 | grep -c '1[0-9] MiB\|2[0-9] MiB\|3[0-9] MiB')" -gt 0 ]; }
until_true 20 many
gives "one that has moved much is refused, by name" 2 'refused: an open connection .* could not be opened again.*the first is 10.0.1.2 on port 22/TCP.*--force' w enforce --resource vm1
is "$(in_srv nft list tables | grep -cw whittle)" 0 "and nothing is applied"
gives "--force applies all the same" 0 'Applied and read back' w enforce --resource vm1 --force
w rollback --all >/dev/null

# ---- datagrams: assured, which takes a packet more than two seconds after the first ----
serve "$srv" 1194 userve
ip netns exec "$net" "$BUILD/tools/stream" send 10.0.0.4@203.0.113.77 1194 5 >/dev/null & pids+=($!)
assured() { in_srv cat /proc/net/nf_conntrack 2>/dev/null | grep -q 'dport=1194.*ASSURED'; }
if until_true 10 assured; then
	w enforce --resource vm1 --force >/dev/null; w rollback --all >/dev/null
	is "$(edge 203.0.113.77 1194)" "1 1 0" "datagrams that are answered for seconds are an edge, too"
else
	n=$((n + 1)); echo "ok $n - datagrams # skip no table of tracked connections can be read here"
fi
echo "1..$n"
