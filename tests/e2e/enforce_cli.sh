#!/bin/bash
# The commands around the firewall: refusals, two operators, few privileges, small sockets, strangers in our table.
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
grep -q '140.20.30.8/29' "$dir/out"; t $? "a /29 is recommended for ssh" "$(tail -5 "$dir/out")"

# ---- the operator's own session ----
out=$(in_srv env SSH_CONNECTION="203.0.113.77 50000 10.0.0.4 22" "$W" enforce 2>&1); rc=$?
is $rc 2 "an operator connected from outside the rules is refused"
has "$out" 'connected from 203.0.113.77.*--force' "with the address, and the word that would do it"
is "$(in_srv nft list ruleset | wc -l)" 0 "and nothing was applied"
out=$(in_srv env SSH_CONNECTION="140.20.30.9 50000 10.0.0.4 22" "$W" enforce 2>&1); rc=$?
is $rc 0 "an operator connected from inside is not"
w rollback --all >/dev/null
out=$(in_srv env SSH_CONNECTION="203.0.113.77 50000 10.0.0.4 22" "$W" enforce --force 2>&1); rc=$?
is $rc 0 "--force applies all the same"
has "$out" 'will not be able to connect again' "and warns"
w rollback --all >/dev/null

# ---- the usual way ----
has "$(w enforce --confirm-within 30s)" 'whittle confirm' "enforce prints the command to run next"
is "$(from 140.20.30.9) / $(from 203.0.113.77)" "connects / no connection" "the rules hold"
has "$(w confirm)" 'the rules stay' "confirm says that they stay"
has "$(w enforce)" 'nothing has changed' "enforcing the same again changes nothing, and reports that"
has "$(w rollback)" "table is gone" "rollback says that the table is gone"
out=$(w confirm); has "$out" 'nothing to confirm' "confirm without rules reports that"
has "$(w enforce --audit)" 'nothing is dropped' "an audit says that it drops nothing"
is "$(from 203.0.113.77)" connects "and it drops nothing"
gives "audit counts what would have been dropped" 0 '^22/TCP +[1-9]' w audit
gives "as JSON too" 0 '"wouldBeDropped": [1-9]' w audit --json
w audit --for 4s >"$dir/heard" & listens=$!
heard() { from 203.0.113.77 >/dev/null; grep -q '203.0.113.77 would be dropped on port 22/TCP' "$dir/heard"; }
until_true 4 heard; t $? "and names the peer, without another program" "$(cat "$dir/heard")"
wait $listens
has "$(cat "$dir/heard")" '^203.0.113.77 +22/TCP +[0-9]' "once each at the end"
w rollback --all >/dev/null
gives "without an audit it names the command that begins one" 1 'nothing is enforced here: .whittle enforce --audit.' w audit

# ---- refused peers get an answer ----
# 203.0.113.77 is refused; so that a datagram's port is narrowed too, a rule for 5353/udp is added
refusal() { in_net "$BUILD/tools/talk" refusal "$1" "10.0.0.4@$2" "$3"; }
w rules add vm1 --port 5353/udp --from 140.20.30.9 >/dev/null
serve "$srv" 5353 userve
printf 'reject: [203.0.113.64/28]\n' >"$dir/reject.yaml"; chmod 644 "$dir/reject.yaml"
gives "rules list shows the peers that get an answer" 0 'Refused connections of 203.0.113.64/28 are answered' w --config "$dir/reject.yaml" rules list
gives "enforce prints that too" 0 'Refused connections of 203.0.113.64/28 are answered' w --config "$dir/reject.yaml" enforce
is "$(refusal tcp 203.0.113.77 22) $(refusal udp 203.0.113.77 5353)" "refused refused" "a refused peer of these prefixes gets a reset, and for a datagram that the port is unreachable"
is "$(refusal tcp 10.0.1.2 22) $(refusal udp 10.0.1.2 5353)" "silence silence" "any other peer gets nothing"
is "$(from 140.20.30.9) $(udp_from 140.20.30.9 5353)" "connects answered" "allowed peers are served"
gives "status names the ports that answer" 0 '22/TCP +pending, [0-9]+ s left, reject +10.0.0.4 +1 +[1-9]' w status
w confirm >/dev/null
gives "there is no drift" 0 'holds what was applied' w --config "$dir/reject.yaml" drift
in_srv nft flush chain inet whittle "$(in_srv nft list table inet whittle | grep -om1 '[a-z]_input_tcp_22')"
gives "doctor finds it too, with the command" 1 'rules in force +another program changed them: ' w doctor
gives "a rule that is gone is found" 3 'rules of its chain were changed' w drift
gives "a rule that is gone is put back by --repair" 0 'Put back and read back' w enforce --repair
is "$(refusal tcp 203.0.113.77 22)" "refused" "with its answer"
in_srv nft delete table inet whittle
gives "after a reboot the same is put back" 0 '' w restore
is "$(refusal tcp 203.0.113.77 22)" "refused" "with its answers"
gives "enforce --reject all answers everybody" 0 'Refused connections are answered .reject., not dropped' w enforce --reject all
is "$(refusal tcp 10.0.1.2 22) $(refusal udp 10.0.1.2 5353) $(from 140.20.30.9)" "refused refused connects" "and lets nobody else in"
w rollback >/dev/null
is "$(refusal tcp 203.0.113.77 22) $(refusal tcp 10.0.1.2 22)" "refused silence" "a step back restores the peers that got an answer before"
gives "a slip is refused before anything is read" 2 "takes all, no, or prefixes" w enforce --reject 10.0.0.1/8
gives "exports for network security groups say that they only drop" 0 'security groups can only drop: .reject.' w --config "$dir/reject.yaml" export --format nsg
w rollback --all >/dev/null; w rules undo >/dev/null

# ---- few privileges ----
"${CC:-gcc}" -shared -fPIC -o "$dir/kill_at.so" tests/support/kill_at.c -ldl
for c in "enforce --confirm-within 30s" confirm "rollback --all"; do
	rm -f "$dir/caps"
	in_srv env SHOW_CAPS="$dir/caps" LD_PRELOAD="$dir/kill_at.so" "$W" $c >/dev/null 2>&1
	is "$(sort -u "$dir/caps" 2>/dev/null | tr -s '\t\n' ' ')" "CapBnd: 0000000000000000 CapEff: 0000000000001000 CapPrm: 0000000000001000 NoNewPrivs: 1 " \
		"whittle ${c%% *} keeps CAP_NET_ADMIN alone when it speaks to the kernel"
done
as_nobody() { in_srv setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "-all$1" --ambient-caps "-all$1" --bounding-set "-all$1" "${@:2}"; }
printf 'port in tcp 22\n140.20.30.8/29\n' >"$dir/rules"; chmod 755 "$dir"; chmod 644 "$dir/rules"
cp "$BUILD/tools/nft_tool" "$dir/nft_tool"; chmod 755 "$dir/nft_tool"
as_nobody ,+net_admin "$dir/nft_tool" apply "$dir/rules" 0 >/dev/null 2>&1; t $? "nobody with CAP_NET_ADMIN and nothing else can enforce"
is "$(from 203.0.113.77)" "no connection" "and it holds"
w rollback --all >/dev/null
# the program itself, as a user with this one capability and a ledger of its own
mkdir "$dir/owned"; cp "$WHITTLE_STORE" "$dir/owned/l.db"; chown -R 65534 "$dir/owned"; cp "$W" "$dir/whittle"; chmod 755 "$dir/whittle"
owned() { as_nobody ,+net_admin env -u SSH_CONNECTION WHITTLE_STORE="$dir/owned/l.db" WHITTLE_STATE="$dir/owned/state" "$dir/whittle" "$@" 2>&1; }
out=$(owned enforce && owned confirm && owned drift && owned enforce --repair); rc=$?
has "$rc $(tr '\n' ' ' <<<"$out")" '^0 Applied and read back.*the rules stay.*holds what was applied.*nothing to repair' "enforce, confirm, drift and --repair need no more"
is "$(from 203.0.113.77)" "no connection" "and hold"
has "$(owned rollback)" 'table is gone' "rollback does not work without the privilege"
out=$(as_nobody "" env WHITTLE_STORE="$dir/owned/l.db" WHITTLE_STATE="$dir/owned/state" "$dir/whittle" enforce 2>&1); rc=$?
has "$rc $out" '^1 .*needs CAP_NET_ADMIN.*run as root' "without it the program prints what it needs"
out=$(as_nobody "" "$dir/nft_tool" apply "$dir/rules" 60 2>&1); rc=$?
is $rc 1 "nobody without it cannot"
has "$out" 'CAP_NET_ADMIN' "and the missing privilege is named"
w rollback --all >/dev/null

# ---- a namespace of a user's own, where the kernel takes no big transaction ----
(echo "port in tcp 22"; awk 'BEGIN{for(i=0;i<30000;i++) printf "10.%d.%d.%d/29\n", i/4096, i/16%256, i%16*16}') >"$dir/large"
chmod 644 "$dir/large"
rootless() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all --ambient-caps -all --bounding-set -all unshare -Urn "$@"; }
if rootless true 2>/dev/null; then
	out=$(rootless sh -c "$dir/nft_tool apply $dir/large 60 && $dir/nft_tool confirm && $dir/nft_tool compare $dir/large" 2>&1); rc=$?
	has "$rc $out" '^0 .*verified 1' "a user without any privilege puts 30,000 prefixes into a namespace of its own, where the socket limits a transaction" "$out"
	has "$out" 'same$' "and they are there"
	out=$(rootless sh -c "$dir/nft_tool apply $dir/rules 0 && $dir/nft_tool apply $dir/large 60 && $dir/nft_tool state" 2>&1)
	has "$out" 'confirmed 0 ports 1 expires 1' "over confirmed rules too, with the switch that takes them back" "$out"
	"$BUILD/tools/nft_tool" text "$dir/large" 0 >"$dir/large.nft"; chmod 644 "$dir/large.nft"
	echo "# nft -f of the same there: $(rootless nft -f "$dir/large.nft" 2>&1 | tail -1)"
else
	n=$((n + 1)); echo "ok $n - a rootless namespace # skip there is none here"
fi

# ---- two operators ----
sed 's/140.20.30.8.29/203.0.113.0\/24/' "$dir/rules" >"$dir/other"
tool apply "$dir/rules" 0 >/dev/null
won=0 lost=0 odd=0
for i in $(seq 15); do
	in_srv "$BUILD/tools/nft_tool" apply "$dir/large" 60 >"$dir/one" 2>&1 & one=$!
	in_srv "$BUILD/tools/nft_tool" apply "$dir/other" 60 >"$dir/two" 2>&1 & two=$!
	for x in one two; do
		if wait "${!x}"; then won=$((won + 1))
		elif grep -qE 'another program changed the firewall meanwhile; nothing was applied|other rules than were sent' "$dir/$x"; then lost=$((lost + 1))
		else odd=$((odd + 1)); sed 's/^/# /' "$dir/$x"; fi
	done
	same=$(tool compare "$dir/large" | grep -cx same) same2=$(tool compare "$dir/other" | grep -cx same)
	[ $((same + same2)) = 1 ] || odd=$((odd + 1))
done
echo "# of thirty: $won applied, $lost got the error that another one was faster"
[ $odd = 0 ] && [ $won -ge 15 ]; t $? "with two operators at once each either applied or got an error, and one whole ruleset holds"
w rollback --all >/dev/null

# A slow one: stopped between its reading and its writing.
cat >"$dir/slow.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>
static int n;
ssize_t sendto(int fd, const void *b, size_t l, int f, const struct sockaddr *a, socklen_t al)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) =
		(ssize_t (*)(int, const void *, size_t, int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "sendto");
	if (++n == atoi(getenv("MEANWHILE_AT")) && system(getenv("MEANWHILE")))
		exit(99);
	return real(fd, b, l, f, a, al);
}
C
"${CC:-gcc}" -shared -fPIC -o "$dir/slow.so" "$dir/slow.c" -ldl
tool apply "$dir/rules" 0 >/dev/null
told=0 steps=0
for at in $(seq 2 40); do
	tool rollback; tool apply "$dir/rules" 0 >/dev/null
	out=$(in_srv env MEANWHILE_AT="$at" MEANWHILE="LD_PRELOAD= $BUILD/tools/nft_tool apply $dir/other 0 >/dev/null" LD_PRELOAD="$dir/slow.so" "$BUILD/tools/nft_tool" apply "$dir/large" 60 2>&1) && break
	steps=$((steps + 1))
	if grep -qE 'another program changed|other rules than were sent' <<<"$out" && tool compare "$dir/other" | grep -qx same; then told=$((told + 1)); else echo "# step $at: $out"; fi
	grep -q 'other rules than were sent' <<<"$out" && break # from here on the slow one had applied, and reads the other's rules back
done
[ $steps -gt 5 ] && [ $told = $steps ]; t $? "the slower operator, at any of $steps steps, gets an error, and the faster one's rules hold"
w rollback --all >/dev/null

# ---- deleting what is not there aborts a transaction of nft; ours does not delete blindly ----
tool apply "$dir/rules" 1 >/dev/null
gone() { tool state | grep -q 'ports 0'; }
until_true 5 gone
tool apply "$dir/other" 0 >/dev/null; t $? "an apply over elements that have just expired goes through"
w rollback --all >/dev/null
echo "1..$n"
