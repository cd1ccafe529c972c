#!/bin/bash
# Out of the firewall without a trace, and back into it after a reboot: only what was confirmed. A reboot is played by deleting our tables.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
me=$(env -u SUDO_USER id -un)
printf 'store: l.db\njit:\n  - {resource: vm1, ports: [25], who: [%s]}\n' "$me" >"$dir/w.yaml"
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" --config "$dir/w.yaml" 2>&1; }
ours() { in_srv nft list table inet whittle 2>&1; }
reboot() { in_srv nft delete table inet whittle 2>/dev/null; in_srv nft delete table inet whittle_jit 2>/dev/null; true; }
serve "$srv" 22 serve; serve "$srv" 25 serve

# ---- other people's tables ----
in_srv nft -f - <<'N'
table inet filter {
	set allowed { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 198.51.100.7 } }
	set seen { type ipv4_addr; size 128; flags dynamic,timeout; timeout 1h; }
	map ports { type inet_service : verdict; elements = { 8080 : drop, 8443 : accept } }
	counter web { }
	chain input { type filter hook input priority 0; policy accept; tcp dport 8081 counter name web drop; ip saddr @allowed counter accept; }
	chain forward { type filter hook forward priority 0; policy drop; }
}
table ip nat {
	chain post { type nat hook postrouting priority 100; ip saddr 172.16.0.0/12 masquerade; }
}
table ip6 six {
	chain c { tcp dport { 1, 2 } limit rate 10/second accept; }
}
table arp a {
	chain in { type filter hook input priority 0; }
}
N
in_srv nft list ruleset >"$dir/before"

gives "the rules are applied" 0 'Applied and read back' w enforce --resource vm1
gives "the rules are confirmed" 0 'Confirmed' w confirm
w jit on >/dev/null; gives "just-in-time access is on" 0 'Confirmed' w jit confirm
w jit open vm1 25 --from 140.20.30.9 --for 1h >/dev/null
! cmp -s "$dir/before" <(in_srv nft list ruleset); t $? "the ruleset is another now"
is "$(from 203.0.113.77)" "no connection" "and holds"
gives "uninstall verifies that other tables hold what they held" 0 'Verified: the 4 other tables are as before' w uninstall --verify
in_srv nft list ruleset >"$dir/after"
cmp "$dir/before" "$dir/after" >/dev/null; t $? "the ruleset is as before, byte for byte" "$(diff "$dir/before" "$dir/after")"
is "$(from 203.0.113.77)" connects "everybody connects again"
is "$(cd "$WHITTLE_STATE" && ls enforced.* jit.* 2>/dev/null | wc -l)" 0 "nothing is left from which it would come back"
gives "a restore after it restores nothing" 0 'No rules were confirmed, so none are restored' w restore
gives "uninstalling twice does no harm" 0 'were not there' w uninstall --verify
gives "its JSON has the same content" 0 '"verified": true' w uninstall --verify --json
[ -s "$dir/l.db" ]; t $? "the ledger stays"
touch "$dir/busy"
(while [ -e "$dir/busy" ]; do in_srv nft 'add element inet filter allowed { 192.0.3.9 }; '; in_srv nft 'delete element inet filter allowed { 192.0.3.9 }'; done) >/dev/null 2>&1 &
pids+=($!)
noticed() { w uninstall --verify | grep -q 'the elements of sets of other tables have changed'; }
until_true 20 noticed; t $? "an element that somebody else changes meanwhile is noticed"
rm -f "$dir/busy"; wait "${pids[-1]}"; unset 'pids[-1]'

# ---- reboot ----
w enforce --resource vm1 >/dev/null
is "$(stat -c %a "$WHITTLE_STATE/enforced.pending")" 600 "applied rules are stored for their confirmation, readable by nobody else"
reboot
gives "unconfirmed, a reboot brings nothing back" 0 'No rules were confirmed, so none are restored' w restore
is "$(from 203.0.113.77)" connects "and everybody connects"
w enforce --resource vm1 >/dev/null; w confirm >/dev/null; w jit on >/dev/null; w jit confirm >/dev/null
ours >"$dir/confirmed"
sum=$(in_srv nft list table inet whittle_jit | md5sum)
w jit open vm1 25 --from 140.20.30.9 --for 1h >/dev/null
reboot
is "$(from 203.0.113.77)" connects "after a reboot nothing holds"
gives "restore puts back what was confirmed" 0 'Restored the confirmed rules: [0-9]+ ports? narrowed' w restore
ours >"$dir/restored"
norm() { sed -E 's/packets [0-9]+ bytes [0-9]+/packets N/; s/\b[abc]_(in|out)put/X_\1put/g' "$1"; }
is "$(norm "$dir/restored")" "$(norm "$dir/confirmed")" "the table is the same again"
is "$(in_srv nft list table inet whittle_jit | md5sum)" "$sum" "and the closed ports too, with nothing open"
is "$(from 203.0.113.77)" "no connection" "a stranger is outside"
is "$(from 140.20.30.9)" connects "a partner inside"
is "$(from 140.20.30.9 25)" "no connection" "openings have ended with the reboot"
gives "restoring over what is there changes nothing" 0 'Restored' w restore
is "$(from 140.20.30.9)" connects "and the partner still connects"

# other rules applied, but not confirmed, then a reboot: the confirmed ones come back
w rules edit vm1 22 --not 140.20.30.9 >/dev/null
w enforce --resource vm1 >/dev/null
is "$(from 140.20.30.9)" "no connection" "other rules are applied, not confirmed"
reboot; w restore >/dev/null
is "$(from 140.20.30.9)" connects "a reboot brings back those that were confirmed before"
w rules undo >/dev/null

# ---- damaged files ----
cp "$WHITTLE_STATE/enforced.rules" "$dir/good"
for at in 3 17 25 60 -1; do
	reboot; cp "$dir/good" "$WHITTLE_STATE/enforced.rules"
	printf '\377' | dd of="$WHITTLE_STATE/enforced.rules" bs=1 seek=$((at < 0 ? $(stat -c %s "$dir/good") - 1 : at)) conv=notrunc 2>/dev/null
	gives "a damaged file (at byte $at) is refused" 1 'damaged' w restore
	[ -z "$(in_srv nft list tables | grep -w whittle)" ]; t $? "and nothing of it is put back"
done
head -c 100 "$dir/good" >"$WHITTLE_STATE/enforced.rules"
gives "a cut one too" 1 'damaged' w restore
cp "$dir/good" "$WHITTLE_STATE/enforced.rules"; w restore >/dev/null
gives "rollback forgets what was confirmed" 0 'is gone' w rollback
reboot
gives "so that no reboot brings it back" 0 'closed again' w restore
is "$(from 203.0.113.77)" connects "everybody connects"
is "$(from 203.0.113.77 25)" "no connection" "but to what just-in-time access keeps closed"
w jit off >/dev/null
gives "after off nothing is restored" 0 'No rules were confirmed, so none are restored' w restore

# ---- the unit ----
if command -v systemd-analyze >/dev/null; then
	cp packaging/systemd/*.socket "$dir/" # which a service needs
	for u in packaging/systemd/*.service; do
		f=$dir/$(basename "$u")
		sed 's#/usr/local/bin/whittle#/bin/true#' "$u" >"$f"
		out=$(cd "$dir" && systemd-analyze verify --man=no "$f" 2>&1 | grep -F "$(basename "$u")")
		is "$out" "" "systemd finds nothing wrong with $(basename "$u")"
		score=$(systemd-analyze security --offline=yes "$f" 2>/dev/null | sed -n 's/.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p')
		awk -v s="${score:-99}" 'BEGIN { exit !(s <= 2.0) }'; t $? "and its exposure is ${score:-unknown}, at most 2.0"
	done
else
	n=$((n + 1)); echo "ok $n - the units are verified # skip systemd-analyze is not here"
fi
echo "1..$n"
