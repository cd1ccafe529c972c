#!/bin/bash
# A confirmation in time, one that comes too late, and the way back: to the rules confirmed before, or to none.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
export WHITTLE_STORE=$dir/l.db
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" 2>&1; }
# gives SENTENCE STATUS PATTERN COMMAND…
gives() { local out rc; out=$("${@:4}"); rc=$?; if [ $rc = "$2" ] && grep -qE -e "$3" <<<"$(tr '\n' ' ' <<<"$out")"; then t 0 "$1"; else t 1 "$1" "status $rc, wanted $2 and /$3/ in: $out"; fi; }
serve "$srv" 22 serve
pending() { tool state | grep -q 'expires 1'; }
lapsed() { ! pending; }
wide() { w rules undo >/dev/null; }                              # the /29 whole
narrow() { w rules edit vm1 22 --not 140.20.30.10 >/dev/null; }  # without 140.20.30.10
reach() { echo "$(from 140.20.30.9), $(from 140.20.30.10), $(from 203.0.113.77)"; }
all='connects, connects, connects' first='connects, connects, no connection' second='connects, no connection, no connection'

# ---- nothing confirmed earlier ----
gives "a confirm without an apply reports that" 1 'nothing to confirm' w confirm
w enforce --resource vm1 --confirm-within 1s >/dev/null
until_true 10 lapsed
gives "a late confirm says that it is too late, when the rules expired, and that none are in force" 1 'Too late: the new rules expired at [0-9]{2}:[0-9]{2} UTC. No rules were confirmed earlier: nothing is narrowed here' w confirm
gives "drift says the same" 1 'nothing is enforced here: the rules that were applied last were not confirmed in time' w drift
has "$(w rules list vm1)" 'the rules that [^ ]+ applied at 20.* were not confirmed in time: the kernel removed them' "and so does the list of rules"
is "$(reach)" "$all" "and so it is"
gives "a rollback then has nothing left to keep" 0 'table is gone' w rollback
out=$(w rules list vm1); ! grep -q 'not confirmed in time' <<<"$out"; t $? "nor has the list of rules" "$out"
gives "and no pending rules to confirm later" 1 'nothing to confirm' w confirm

# ---- in time ----
w enforce --resource vm1 >/dev/null
gives "status shows the pending rules, the time left, and the command" 3 'pending: run `whittle confirm` within [0-9]+ s.* vm1 +unhealthy +pending' w status --fail-on pending
gives "in time the rules stay" 0 'Confirmed: the rules stay' w confirm
stored=$(md5sum <"$WHITTLE_STATE/enforced.rules")
gives "a second confirm says that nothing was waiting" 0 'Nothing was waiting.*confirmed before' w confirm
is "$(md5sum <"$WHITTLE_STATE/enforced.rules")" "$stored" "and leaves what is stored as it was, with the time of the first"
[ -s "$WHITTLE_STATE/enforced.known" ]; t $? "what was read back of the sets is kept for the next apply"
is "$(reach)" "$first" "the first rules hold"
gives "status counts what a confirmed port let through and dropped" 0 '22/TCP +confirmed +10.0.0.4 +2 +[1-9].* vm1 +defended +confirmed .*1 defended by rules confirmed here, 0 healthy, 0 unhealthy.*100 % of the scanned are defended.*Nothing watches the rules' w status
gives "as JSON too" 0 '"enforced": "confirmed", +"rulesInForce": 3, +"defended": true.*"letThrough": 2' w status --json
gives "and the status ends with 3 only for what was asked for" 0 '' w status --fail-on undefended,pending,changed
gives "an address of this machine that no resource has is named" 3 'Not learned: 2001:db8::4 .s0.' w status --fail-on addresses

# ---- too late, over earlier rules ----
narrow
gives "before an apply, enforce names the peer that would be cut off, and its last day" 0 '140.20.30.10 will be cut off from port 22/TCP: 31 flows, last seen on 2026-10-31.*# Nothing was applied.*# 22/TCP .* by hand +1 of 5 peers that belong' w enforce --resource vm1 --dry-run
gives "with the rules as nft reads them, for a file or a pipe" 0 'own language: table inet whittle' w enforce --resource vm1 --dry-run
shown=$(in_srv env -u SUDO_USER -u SSH_CONNECTION script -qec "$BUILD/whittle enforce --resource vm1 --dry-run" /dev/null | tr -d '\r')
grep -q '^# 22/TCP ' <<<"$shown" && ! grep -q '^table inet' <<<"$shown" && tail -n 2 <<<"$shown" | grep -q 'whittle enforce --dry-run | less'; t $? "on a terminal the summary alone, which would scroll away" "$shown"
w enforce --resource vm1 --confirm-within 1s >/dev/null
until_true 10 lapsed
gives "a late confirm over earlier rules says that those are in force" 1 'Too late: the new rules expired at .*UTC. The rules confirmed earlier are in force' w confirm
gives "as JSON too" 1 '"confirmed": false, +"tooLate": true, +"earlierRulesInForce": true.*"expired": "20' w confirm --json
is "$(reach)" "$first" "the earlier rules are in force"
gives "a rollback after the time was up takes nothing of them" 0 'had expired already, and the rules confirmed before them are in force' w rollback
is "$(reach)" "$first" "they still hold"
w enforce --resource vm1 --confirm-within 1s >/dev/null; until_true 10 lapsed
wide; w enforce --resource vm1 >/dev/null
gives "after enforcing again what holds, a confirm is not too late" 0 'Nothing was waiting' w confirm

# ---- back ----
narrow
w enforce --resource vm1 --confirm-within 1h >/dev/null
is "$(reach)" "$second" "new rules wait for their confirmation"
handle=$(in_srv nft -ea insert rule inet whittle input accept | sed -n 's/.*# handle //p')
gives "they are not confirmed where another program lets everybody in before them" 1 'not confirmed, because another program changed whittle.s table' w confirm
in_srv nft delete rule inet whittle input handle "$handle"
gives "a rollback drops what waits" 0 'unconfirmed rules are removed. The rules confirmed before are in force' w rollback
is "$(reach)" "$first" "and the confirmed rules hold"
w enforce --resource vm1 >/dev/null; w confirm >/dev/null
is "$(reach)" "$second" "confirmed, the second rules hold"
gives "a rollback returns to the rules confirmed before" 0 'Back to the rules that were confirmed before, at 20.*1 port narrowed|Back to the rules that were confirmed before, at 20' w rollback
is "$(reach)" "$first" "those rules hold"
gives "drift agrees" 0 'holds what was applied' w drift
in_srv nft flush ruleset; w restore >/dev/null
is "$(reach)" "$first" "a reboot brings back those"
gives "a further rollback, with none before, takes the table away" 0 'No rules were confirmed before: whittle.s table is gone' w rollback
is "$(reach)" "$all" "everybody connects"
w restore >/dev/null
is "$(in_srv nft list tables | grep -cw whittle)" 0 "and a reboot brings nothing back"
wide; w enforce --resource vm1 >/dev/null; w confirm >/dev/null
narrow; w enforce --resource vm1 >/dev/null; w confirm >/dev/null
in_srv nft flush ruleset
w enforce --resource vm1 --confirm-within 1h >/dev/null
gives "pending rules over flushed ones give way to the confirmed ones" 0 'Back to the rules that were confirmed before' w rollback
is "$(reach)" "$second" "the confirmed rules hold again"
printf x | dd of="$WHITTLE_STATE/enforced.rules.1" bs=1 seek=70 conv=notrunc 2>/dev/null
gives "a damaged file of earlier rules is refused, with the way out" 1 'damaged.*whittle rollback --all' w rollback
is "$(reach)" "$second" "and nothing was changed"
gives "--all takes everything away" 0 'table is gone; nothing else' w rollback --all
is "$(reach)" "$all" "everybody connects"
is "$(cd "$WHITTLE_STATE" && echo enforced.*)" 'enforced.*' "and nothing of it is kept"

# ---- after a reboot ----
w enforce --resource vm1 >/dev/null
out=$(w confirm --json); is "$(jq -r '.confirmed, .survivesReboot' <<<"$out" | xargs)" "true false" "without the unit the rules do not survive a reboot, and confirm says so" "$out"
has "$(jq -r .survivesRebootNot <<<"$out")" 'not enabled|another ledger' "with the reason"
w rollback --all >/dev/null

# ---- a state directory that cannot be written ----
# shellcheck disable=SC2016
ro() { in_srv sh -c 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec env -u SUDO_USER -u SSH_CONNECTION "$@"' "$WHITTLE_STATE" "$BUILD/whittle" "$@" 2>&1; }
w enforce --resource vm1 >/dev/null
gives "rules that could not be stored are confirmed, with what is missing" 1 'a reboot will not bring these rules back until .whittle enforce. has stored them: .*Read-only.*Confirmed: the rules stay' ro confirm
gives "enforcing them again stores them" 0 'nothing is to be confirmed' w enforce --resource vm1
[ -s "$WHITTLE_STATE/enforced.rules" ] && [ ! -e "$WHITTLE_STATE/enforced.pending" ]; t $? "as the confirmed ones" "$(ls "$WHITTLE_STATE")"
in_srv nft flush ruleset
gives "restore puts them back without writing" 0 'Restored the confirmed rules: 3 ports' ro restore
gives "a file that cannot be removed is named" 1 'enforced.rules: cannot be removed: Read-only' ro rollback --all
w rollback --all >/dev/null
w enforce --resource vm1 >/dev/null
in_srv nft add element inet whittle "$(in_srv nft list table inet whittle | sed -n 's/.*set \([abc]_input_tcp_22_v4\) .*/\1/p' | head -n 1)" '{ 203.0.113.77 }'
gives "a peer that another program let in before the confirm does not survive a reboot, and confirm says why" 1 'the kernel holds other rules than were applied last' w confirm
[ ! -e "$WHITTLE_STATE/enforced.rules" ]; t $? "nothing is stored"
w rollback --all >/dev/null
gives "one that is not there is not" 0 'not there' ro rollback --all
echo "1..$n"
