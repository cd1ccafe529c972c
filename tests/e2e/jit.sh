#!/bin/bash
# Just-in-time access with live packets: closed, opened for one source, closed by the kernel when the time is up; and what the policy refuses.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
me=$(env -u SUDO_USER id -un)
cat >"$dir/w.yaml" <<Y
store: l.db
jit:
  - {resource: vm1, ports: [22, 161/udp], from: [203.0.113.0/24, "2001:db8:9::/64"], who: [$me], longest: 3h}
Y
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" --config "$dir/w.yaml" 2>&1; }
for p in 22 25; do serve "$srv" $p serve; done
serve "$srv" 161 userve

is "$(from 203.0.113.77)" connects "before, everybody connects"
hold 203.0.113.78; t $? "and one holds a connection open"

# ---- closed ----
gives "the ports of the policy are closed" 0 '2 ports are closed' w jit on --confirm-within 7s
is "$(from 203.0.113.77)" "no connection" "then nobody connects"
is "$(udp_from 203.0.113.77 161)" "no answer" "and no datagram is answered"
is "$(from 203.0.113.77 25)" connects "a port without a policy is as it was"
said survives; t $? "the connection that was there survives"
again() { [ "$(from 203.0.113.77)" = connects ]; }
until_true 10 again; t $? "nobody confirms: the kernel opens them again"
gives "a late confirm reports that" 1 'nothing to confirm' w jit confirm
w jit on >/dev/null
gives "closed and confirmed in time" 0 Confirmed w jit confirm
gives "on again while it is on does no harm" 0 'are closed' w jit on --confirm-within 1s
pause 1.3
is "$(from 203.0.113.77)" "no connection" "confirmed ports stay closed"
is "$(in_srv "$BUILD/tools/talk" try 127.0.0.1 22)" connects "loopback is not touched"
sed 's/22, 161/22, 25, 161/' "$dir/w.yaml" >"$dir/more.yaml"
wm() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" --config "$dir/more.yaml" 2>&1; }
wm jit on --confirm-within 1s >/dev/null; pause 1.3
gives "a confirm that comes too late for one more port names it, and what is closed" 1 'Too late: the time of 25/tcp is over.*Only the ports confirmed earlier are closed: (22/tcp, 161/udp|161/udp, 22/tcp)' wm jit confirm

# ---- requests that the policy refuses, with the reason ----
gives "a port that the policy lacks" 2 'refused \(port\)' w jit open vm1 25 --from 203.0.113.77 --for 1h
gives "a source outside of it" 2 'refused \(source\)' w jit open vm1 22 --from 140.20.30.9 --for 1h
gives "a range that is wider than it" 2 'refused \(source\)' w jit open vm1 22 --from 203.0.0.0/16 --for 1h
gives "a reason that is not UTF-8" 2 '--why is not in UTF-8' w jit open vm1 22 --from 203.0.113.77 --why $'caf\xe9'
gives "a longer time" 2 'refused \(time\).*3h' w jit open vm1 22 --from 203.0.113.77 --for 4h
sed "s/$me/nobody-else/" "$dir/w.yaml" >"$dir/other.yaml"
gives "another user" 2 'refused \(user\)' in_srv env -u SUDO_USER sh -c "'$BUILD/whittle' jit open vm1 22 --from 203.0.113.77 --config '$dir/other.yaml' 2>&1"
echo "store: $dir/l.db" >"$dir/none.yaml"
gives "a resource without a policy" 2 'refused \(resource\)' in_srv sh -c "'$BUILD/whittle' jit open vm1 22 --from 203.0.113.77 --config '$dir/none.yaml' 2>&1"
gives "host bits in a source" 2 'host bits' w jit open vm1 22 --from 203.0.113.77/24
is "$(from 203.0.113.77)" "no connection" "a refused request opened nothing"
gives "and nothing is open" 0 'Nothing is open' w jit list

# ---- opened ----
gives "one source is allowed, until a time that is printed" 0 'Opening [0-9]+: 203.0.113.77 may connect to 22/tcp of vm1 until 20' w jit open vm1 22 --from 203.0.113.77 --for 3h --why 'the disk is full'
is "$(from 203.0.113.77)" connects "it connects"
is "$(from 203.0.113.78)" "no connection" "its neighbour does not"
is "$(udp_from 203.0.113.77 161)" "no answer" "and not to another port"
gives "the list shows user and reason" 0 "22/tcp +203.0.113.77 .*$me +the disk is full" w jit list
gives "the list as JSON has the reason" 0 '"why": "the disk is full"' w jit list --json
id=$(w jit list --json | jq -r '.openings[0].id')
is "$(in_srv nft list set inet whittle_jit open4 | grep -c '203.0.113.77 . tcp . 22 timeout 3h')" 1 "the kernel itself holds the time"
gives "IPv6 is opened too" 0 'Opening' w jit open vm1 22 --from 2001:db8:9::77 --for 1h
is "$(from6 2001:db8:9::77)" connects "and connects"
is "$(from6 2001:db8:7::9)" "no connection" "another does not"
gives "UDP is opened too" 0 'Opening' w jit open vm1 161/udp --from 203.0.113.77 --for 1h
is "$(udp_from 203.0.113.77 161)" answered "and answered"

# ---- requested, approved and refused ----
gives "a request beyond the policy is refused" 2 'refused \(source\)' w jit request vm1 22 --from 140.20.30.9
gives "a request opens nothing" 0 'Request [0-9]+: 203.0.113.78 to 22/tcp of vm1.*whittle jit approve' w jit request vm1 22 --from 203.0.113.78 --for 30m --why 'a backup'
is "$(from 203.0.113.78)" "no connection" "so it does not connect"
gives "the list shows the requests that wait" 0 "22/tcp +203.0.113.78 +30 .*$me +a backup" w jit list
asked=$(w jit list --json | jq -r '.requests[0].id')
gives "a user that the policy does not name approves nothing" 2 'refused \(user\)' in_srv env -u SUDO_USER sh -c "'$BUILD/whittle' jit approve $asked --config '$dir/other.yaml' 2>&1"
gives "one that it names opens it" 0 'Opening [0-9]+: 203.0.113.78 may connect to 22/tcp of vm1' w jit approve "$asked"
is "$(from 203.0.113.78)" connects "it connects"
w jit close "$(w jit list --json | jq -r '.openings[] | select(.from == "203.0.113.78").id')" >/dev/null
w jit request vm1 22 --from 203.0.113.78 >/dev/null
gives "a refused one is gone" 0 'is refused' w jit refuse "$(w jit list --json | jq -r '.requests[0].id')" --why 'no ticket'
gives "and the log has both" 0 'refuse .*no ticket' w jit log
gives "an approval of what does not wait is an error" 2 'no request 999 is waiting' w jit approve 999

# ---- closed early, and by itself ----
gives "closed early" 0 'closed' w jit close "$id" --why 'done'
is "$(from 203.0.113.77)" "no connection" "then it connects no more"
gives "closing it twice is reported" 2 'no opening' w jit close "$id"
gives "opened for two seconds" 0 'Opening' w jit open vm1 22 --from 203.0.113.77 --for 2s
is "$(from 203.0.113.77)" connects "it connects"
ended() { [ "$(from 203.0.113.77)" = "no connection" ]; }
until_true 10 ended; t $? "the kernel closes it when the time is up; no process of ours runs"
[ -z "$(w jit list --json | jq -r '.openings[]|select(.port==22 and .from=="203.0.113.77")')" ]; t $? "and the list no longer has it"
gives "the same can be opened again" 0 'Opening' w jit open vm1 22 --from 203.0.113.77 --for 1h
gives "opening it once more prolongs it" 0 'Opening' w jit open vm1 22 --from 203.0.113.77 --for 2h
is "$(w jit list --json | jq '[.openings[]|select(.port==22 and .from=="203.0.113.77")]|length')" 1 "and it stands in the list once"
gives "a whole range is opened" 0 'Opening' w jit open vm1 22 --from 203.0.113.64/28 --for 1h
is "$(from 203.0.113.78)" connects "for each of it"
gives "an opening inside an existing one is reported" 2 'already open' w jit open vm1 22 --from 203.0.113.78 --for 1h
SSH=("SSH_CONNECTION=140.20.30.9 4000 10.0.0.4 22")

# ---- a table that somebody took away, or changed ----
gives "the ports are confirmed closed, as drift finds" 1 'nothing is enforced here' w drift
in_srv nft insert rule inet whittle_jit ask accept
gives "a rule before ours is noticed by drift" 3 'the rules of the chain ask of inet whittle_jit were changed' w drift
gives "and by jit list" 0 'Not closed as it should be: the rules of the chain ask' w jit list
gives "--repair mends it" 0 'Put back.*' w enforce --repair
is "$(w jit list --json | jq '.openings|length')" "$(w jit list --json | jq '[.openings[]|select(.id)]|length')" "and what was open is still known"
gives "drift agrees" 1 'nothing is enforced here' w drift
in_srv nft delete table inet whittle_jit
gives "a missing table is noticed by drift" 3 'the table inet whittle_jit is not there: 22/tcp, 161/udp are open' w drift
gives "by the list, with what closes the ports again" 0 'whittle_jit is not there: 22/tcp, 161/udp are open; .whittle restore' w jit list
gives "as JSON too" 0 '"notAsConfirmed": "the table inet whittle_jit' w jit list --json
gives "status reports a missing table too" 0 'Not as confirmed: the table inet whittle_jit is not there' w status
gives "as JSON too" 0 '"notAsConfirmed"' w status --json
gives "--repair closes them again" 0 'Put back' w enforce --repair
is "$(from 203.0.113.77)" "no connection" "the port stays closed"
w jit open vm1 22 --from 203.0.113.77 --for 1h >/dev/null
gives "off takes all of it away" 0 'is off' w jit off
gives "a second off is reported" 0 'was not there' w jit off
gives "and the list that the policy's ports are not closed" 0 'whittle_jit is not there, so 22/tcp, 161/udp are not closed' w jit list
w jit on >/dev/null; w jit confirm >/dev/null
gives "off reports what it opens" 0 'This opens 22/tcp, 161/udp' w jit off
is "$(from 140.20.30.9)" connects "everybody connects again"
is "$(in_srv nft list tables | wc -l)" 0 "and the kernel holds nothing of ours"
out=$(in_srv env -u SUDO_USER "${SSH[@]}" "$BUILD/whittle" jit on --config "$dir/w.yaml" 2>&1); rc=$?
[ $rc = 2 ] && grep -q 'you are connected from 140.20.30.9' <<<"$out"; t $? "a request that would lock out its user is refused" "$out"
said "to the end"; t $? "the held connection has survived all of it"

# ---- together with narrowed rules ----
w jit on >/dev/null; w jit confirm >/dev/null
gives "a port that is closed here is left out by enforce" 0 'port 22/tcp is left to just-in-time' w enforce --resource vm1
w jit open vm1 22 --from 203.0.113.77 --for 1h >/dev/null
is "$(from 203.0.113.77)" connects "so that the allowed source can connect"
is "$(from 140.20.30.9)" "no connection" "and others can not, narrowed rules or none"
w rollback --all >/dev/null; w jit off >/dev/null

# ---- a network security group ----
sed -i 's/203.0.113.0.24/140.20.0.0\/16/' "$dir/w.yaml"
n_rules() { "$BUILD/whittle" jit nsg web --config "$dir/w.yaml" 2>/dev/null | jq -c "[.securityRules[]|select(.name|startswith(\"whittle-jit-\"))|[.access,.sourceAddressPrefix,.destinationPortRange]]"; }
is "$(n_rules)" '[["Deny","*","22"],["Deny","*","161"]]' "in a group the ports are denied"
gives "an opening in a group is kept" 0 'takes effect' w jit open vm1 22 --from 140.20.30.9 --for 2s --to nsg --why 'a look'
is "$(n_rules | jq -c '.[0]')" '["Allow","140.20.30.9","22"]' "the group that is written allows it, before the deny"
gives "its end stands in the description" 0 'Until 20.*a look' sh -c "'$BUILD/whittle' jit nsg web --config '$dir/w.yaml' 2>/dev/null"
is "$("$BUILD/whittle" jit nsg web --config "$dir/w.yaml" 2>/dev/null | jq -c '[.securityRules[]|select(.name|startswith("whittle-jit-")|not)]' | md5sum)" \
   "$(jq -c '.securityRules' "$dir/web.json" | md5sum)" "all other rules are as they were"
gone() { [ "$(n_rules)" = '[["Deny","*","22"],["Deny","*","161"]]' ]; }
until_true 10 gone; t $? "when its time is up, the group that is written is without it"
sed -i 's/140.20.0.0.16/203.0.113.0\/24/' "$dir/w.yaml"
w jit open vm1 22 --from 203.0.113.5 --for 1h --to nsg >/dev/null
gives "an opening that the group would not allow is refused: it never widens" 2 'refused \(narrow-only\)' sh -c "'$BUILD/whittle' jit nsg web --config '$dir/w.yaml' 2>&1"
gives "the log shows user, port, end and reason of an opening" 0 'open .*vm1 .*22/tcp .*140\.20\.30\.9 .*a look' w jit log
gives "and that the ports were closed" 0 ' on *$' w jit log
is "$(w jit log --json | jq '[.events[]|select(.what=="close")]|length > 0')" true "and what was closed early, for programs too"
echo "1..$n"
