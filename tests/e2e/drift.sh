#!/bin/bash
# Somebody else's hand in our table: drift says what was changed, and enforce --repair mends it.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
serve "$srv" 22 serve
export WHITTLE_STORE=$dir/ledger.db
W="$BUILD/whittle"
w() { in_srv env -u SSH_CONNECTION "$W" "$@" 2>&1; }
month_of_ssh >"$dir/eve.json"
printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true}\n' >"$dir/estate.yaml"
{ "$W" estate import "$dir/estate.yaml" && "$W" ingest "$dir/eve.json" && "$W" --config /dev/null recommend; } >"$dir/out" 2>&1
out=$(w drift); has "$out" 'nothing is enforced here' "before anything is enforced, drift reports that"
w enforce >/dev/null
has "$(w drift)" 'holds what was applied' "after an apply nothing has drifted"
has "$(w drift)" "waits for its confirmation .\`whittle confirm --store $dir/ledger.db\`.: [0-9]+ seconds are left" "and rules that wait for confirmation are reported as such, with the command"
is "$(w drift --json | jq -r '[.same, .state, .expiresIn > 0] | join(" ")')" "true pending true" "as JSON too"

nft_srv() { in_srv nft "$@"; }
handle() { nft_srv -a list chain inet whittle "$1" | sed -n "s/.*$2.*# handle //p" | head -1; }
rule() { nft_srv delete rule inet whittle "$1" handle "$(handle "$1" "$2")"; } # rule CHAIN PATTERN: deletes it
round() { # round SENTENCE PATTERN COMMAND…
	local sentence=$1 pattern=$2 out rc
	shift 2
	"$@" >"$dir/did" 2>&1 || sed 's/^/# /' "$dir/did"
	out=$(w drift); rc=$?
	has "$rc $out" "^3 .*($pattern)" "drift sees $sentence" "$out"
	out=$(w enforce --repair); rc=$?
	[ $rc = 0 ] && [ "$(w drift >/dev/null; echo $?)" = 0 ] && [ "$(from 203.0.113.77)" = "no connection" ] && [ "$(from 140.20.30.9)" = connects ]
	t $? "and --repair mends it" "$rc $out; $(w drift)"
}
chain=$(nft_srv list table inet whittle | sed -n 's/.*chain \(._input_tcp_22\).*/\1/p')
round "an address that was added, while nobody has confirmed" 'beyond the rules, the first 203.0.113.0' nft_srv add element inet whittle "${chain}_v4" '{ 203.0.113.0/24 }'
has "$(w confirm)" 'the rules stay' "rules repaired before their confirmation can still be confirmed"
chain=$(nft_srv list table inet whittle | sed -n 's/.*chain \(._input_tcp_22\).*/\1/p')
round "an address that was added" 'beyond the rules, the first 203.0.113.77' nft_srv add element inet whittle "${chain}_v4" '{ 203.0.113.77 }'
round "one that was taken out" 'is missing, the first 140.20.30.8' nft_srv delete element inet whittle "${chain}_v4" '{ 140.20.30.8/29 }'
round "a rule that was put before ours" 'rules of its chain were changed' nft_srv insert rule inet whittle "$chain" accept
chain=$(nft_srv list table inet whittle | sed -n 's/.*chain \(._input_tcp_22\).*/\1/p')
round "a chain that was emptied" 'rules of its chain were changed' nft_srv flush chain inet whittle "$chain"
round "a port that is not dispatched any more" 'not narrowed any more' nft_srv delete element inet whittle input_ports_v4 '{ 10.0.0.4 . tcp . 22 }'
round "that the rule for loopback is gone" 'its rule for loopback' rule input 'iif "lo"'
round "that the one for established connections is" 'its rule for established connections' rule input 'ct state'
round "that the one for what was confirmed is" 'its rule for what was confirmed' rule output 'vmap @output_ports'
round "a rule in the base chain that is not ours" 'has a rule that is not ours|where it belongs' nft_srv add rule inet whittle input tcp dport 80 drop
round "a table that was put to sleep" 'dormant' nft_srv 'add table inet whittle { flags dormant; }'
round "a policy of drop" 'drops what it does not name' nft_srv 'chain inet whittle output { policy drop; }'
round "a chain that is not ours" 'chain strange is not ours' nft_srv 'add chain inet whittle strange { type filter hook input priority 7; policy accept; }'
round "a set that is not ours" 'set odd is not ours' nft_srv 'add set inet whittle odd { type ipv4_addr; }'
round "that the whole table is gone" 'is not there' nft_srv flush ruleset

printf 'port in tcp 22\n140.20.30.8/29\nport in tcp 23\n' >"$dir/rules"; tool apply "$dir/rules" 60 >/dev/null
rule input 'ct state'
out=$(tool confirm 2>&1); rc=$?
is $rc 1 "a confirm of a table without its rule for established connections is refused"
has "$out" 'not confirmed.*established connections' "by its name"
tool rollback; w enforce >/dev/null; w confirm >/dev/null
nft_srv flush ruleset
has "$(w --json drift | tr -d '\n')" '"same": *false' "drift speaks JSON"
echo "1..$n"
