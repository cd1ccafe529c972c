#!/bin/bash
# Before it applies, enforce looks at the connections that are open now: what could not come back is listed, and refused where it is large.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
export WHITTLE_STORE=$dir/l.db
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" 2>&1; }
# gives SENTENCE STATUS PATTERN COMMAND…
gives() { local out rc; out=$("${@:4}"); rc=$?; if [ $rc = "$2" ] && grep -qE -e "$3" <<<"$out"; then t 0 "$1"; else t 1 "$1" "status $rc, wanted $2 and /$3/ in: $out"; fi; }
serve "$srv" 22 serve
lists() { w enforce --resource vm1 --dry-run 2>&1 | grep -c "open now, and could not come back: $1 "; }

is "$(w enforce --resource vm1 --dry-run 2>&1 | grep -c 'open now')" 0 "where nothing is open, nothing is listed"
hold 140.20.30.9; t $? "a partner holds a connection"
is "$(lists 140.20.30.9)" 0 "which the rules let in: not listed"
hold 203.0.113.78; t $? "a stranger holds one, on a machine where nothing is tracked"
gives "it is listed with peer, port and bytes, its age unknown" 0 'open now, and could not come back: 203.0.113.78 on port 22/TCP, age unknown, [0-9]+ bytes' w enforce --resource vm1
is "$(from 203.0.113.77)" "no connection" "a small one is no reason to refuse"
said survives; t $? "the connection itself stays"
gives "as JSON too" 0 '"peer": "203.0.113.78"' w enforce --resource vm1 --json
w rollback --all >/dev/null

# ---- tracked, with age and bytes ----
in_srv sysctl -qw net.netfilter.nf_conntrack_timestamp=1 net.netfilter.nf_conntrack_acct=1 2>/dev/null
in_srv nft 'add table inet other; add chain inet other in { type filter hook prerouting priority 0; }; add rule inet other in ct state established accept'
if hold 203.0.113.77 && in_srv sysctl -q net.netfilter.nf_conntrack_timestamp 2>/dev/null | grep -q '= 1'; then
	gives "a tracked one with its age" 0 'could not come back: 203.0.113.77 on port 22/TCP, open for [0-9]+ s, [0-9]+ bytes' w enforce --resource vm1 --dry-run
else
	n=$((n + 1)); echo "ok $n - tracked with its age # skip the kernel keeps no time here"
fi

# ---- large ----
in_net bash -c 'exec 3<>/dev/tcp/10.0.0.4/22; cat <&3 >/dev/null & head -c 20000000 /dev/zero >&3; echo sent; read -r' <> <(:) >"$dir/sent" 2>&1 & pids+=($!)
until_true 20 grep -q sent "$dir/sent"
many() { [ "$(w enforce --resource vm1 --dry-run 2>&1 | grep -c '1[0-9] MiB\|2[0-9] MiB\|3[0-9] MiB')" -gt 0 ]; }
until_true 20 many
gives "one that has moved much is refused, by name" 2 'refused: a connection that is open now.*the first 10.0.1.2 on port 22/TCP.*--force' w enforce --resource vm1
is "$(in_srv nft list tables | grep -cw whittle)" 0 "and nothing is applied"
gives "--force applies all the same" 0 'Applied and read back' w enforce --resource vm1 --force
w rollback --all >/dev/null
echo "1..$n"
