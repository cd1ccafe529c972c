#!/bin/bash
# The services, as systemd would run them: as their user, with the privileges, system calls and address families that the units leave them; on a
# ledger of root's, and on one that belongs to Suricata's user and is closed to everybody else.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/under_unit.sh
[ "$(id -u)" != 0 ] || service_user
. tests/support/netns.sh
. tests/support/learned.sh
trap 'netns_end; rm -rf "${SERVICE_USER:-}"' EXIT
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
chmod 711 "$dir"
mkdir -m 700 "$dir/state"; chown whittle: "$dir/state" # as StateDirectory= has it
serve "$srv" 22 serve
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" 2>&1; }
skip() { n=$((n + 1)); echo "ok $n - $1 # skip $2"; }
restored() { out=$(in_srv "${as_unit[@]}" "$BUILD/whittle" restore 2>&1); has "$? $out" "^0 $1" "$2"; }
privileges() { # PID: its name, user and capabilities
	sed -n 's/^Name:\t//p; s/^CapPrm:\t//p' "/proc/$1/status" | sed "1a $(id -nu "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$1/status")")" | paste -sd ' '
}
others() { find "$WHITTLE_STORE"* "$(dirname "$WHITTLE_STORE")"/* ! -user "$1" | wc -l; }

for owner in root nobody; do
	mkdir -m 700 "$dir/$owner"; cp "$dir/l.db" "$dir/$owner/"; chmod 600 "$dir/$owner/l.db"; chown -R $owner "$dir/$owner"
	export WHITTLE_STORE=$dir/$owner/l.db WHITTLE_STATE=$dir/state/$owner
	has "$(w enforce --resource vm1)" 'Applied and read back' "a ledger of $owner's: the rules are applied"
	has "$(w drift)" 'holds what was applied' "drift reports that the kernel holds the applied rules"
	out=$(w confirm); is $? 0 "and they are confirmed for good" "$out"
	is "$(stat -c '%U %a' "$WHITTLE_STATE" "$WHITTLE_STATE/enforced.rules" 2>&1 | xargs)" "whittle 700 whittle 600" "root, too, leaves the file of what was confirmed to the services' user, closed to others"
	is "$(others $owner)" 0 "every file next to the ledger belongs to $owner"
	in_srv nft flush ruleset
	out=$(w enforce --repair); has "$out" 'Put back and read back' "repair puts them back"

	for unit in whittle-enforce whittle-watch; do
		if ! under_unit_ready packaging/systemd/$unit.service; then skip "the service $unit" "$(tail -n 1 "$dir/under.log")"; continue; fi
		if [ $unit = whittle-watch ]; then # and what systemd starts for it, when it connects
			under_unit_ready packaging/systemd/whittle-firewall@.service; under_unit packaging/systemd/whittle-firewall@.service
			mkdir -m 755 "$dir/run.$owner"; chown whittle: "$dir/run.$owner"; socket=$dir/run.$owner/socket
			ip netns exec "$srv" setpriv --reuid whittle --regid whittle --clear-groups --inh-caps +net_admin --ambient-caps +net_admin --bounding-set -all,+net_admin \
				systemd-socket-activate -E WHITTLE_STORE -E WHITTLE_STATE -E WHITTLE_CONFIG -l "$socket" --accept --inetd "${as_unit[@]:$((${#as_unit[@]} - 1))}" "$BUILD/whittle" firewall >"$dir/activate" 2>&1 & pids+=($!)
			until_true 5 test -S "$socket"; chmod 600 "$socket"
		fi
		under_unit packaging/systemd/$unit.service
		in_srv nft flush ruleset
		if [ $unit = whittle-enforce ]; then
			restored 'Restored the confirmed rules' "$unit puts back after a reboot what was confirmed"
			is "$(from 203.0.113.77) / $(from 140.20.30.9)" "no connection / connects" "the restored rules hold"
		else
			ip netns exec "$srv" "${as_unit[@]}" "$BUILD/whittle" watch --repair --firewall "$socket" >"$dir/watch" 2>&1 &
			watcher=$!; pids+=($watcher)
			until_true 6 grep -q '[1-9][0-9]* peers are known to belong' "$dir/watch"; t $? "$unit reads the ledger and listens" "$(cat "$dir/watch")"
			has "$(tr -s '\t\n' ' ' <"/proc/$watcher/status")" 'CapInh: 0+ CapPrm: 0+ CapEff: 0+ CapBnd: [0-9a-f]+ CapAmb: 0+ NoNewPrivs: 1 Seccomp: 2' "without any privilege"
			uid=$(id -u $owner); has "$(tr -s '\t\n' ' ' <"/proc/$watcher/status")" "Uid: $uid $uid $uid $uid " "as $owner, for good"
			until_true 6 grep -q 'repaired' "$dir/watch"; t $? "and puts back what a flush took" "$(cat "$dir/watch")"
			for p in $(cat /proc/$watcher/task/$watcher/children); do
				privileges "$p"
			done | sort >"$dir/helpers"
			is "$(paste -sd ' ' "$dir/helpers")" 'whittle-opener whittle 0000000000000000' "its helper is the user whittle, without any privilege"
			firewall=$(pgrep -u whittle -f '^[^ ]*/whittle firewall$' | paste -sd ' '); has "$(privileges "${firewall%% *}")" 'whittle whittle 0000000000001000' "what changes the firewall is another service's process, with CAP_NET_ADMIN alone" "$(cat "$dir/activate")"
			is "$(stat -c %U "/proc/${firewall%% *}/environ")" root "and no other process of that user reads its memory"
			is "$(setpriv --reuid nobody --regid nogroup --clear-groups "${as_unit[@]: -1}" "$BUILD/whittle" watch --for 1s --firewall "$socket" 2>&1 | grep -c 'Permission denied')" 1 "nobody else may connect to it"
			kill $watcher; wait $watcher; is $? 0 "a signal ends it, which is no failure"
			until_true 5 eval '! kill -0 $firewall 2>/dev/null'; t $? "and the firewall's process with it"
		fi
	done
	w uninstall >/dev/null
	is "$(cd "$WHITTLE_STATE" && echo enforced.*)" 'enforced.*' "uninstall takes the files away"
done
echo "1..$n"
