#!/bin/bash
# Other people's firewalls: the real ufw, then the real firewalld, then both. Their tables stay as they are byte for byte through
# everything that whittle does, they still judge, and what they do themselves leaves whittle's table alone.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/firewalld.sh
netns_begin
export WHITTLE_STORE=$dir/l.db
for p in 22 25 80; do serve "$srv" $p serve; done
printf 'port in tcp 22\n140.20.30.8/29\n2001:db8:7::/64\nport in tcp 25\n140.20.30.8/29\n2001:db8:7::/64\n' >"$dir/rules"
(sed -n 1,2p "$dir/rules"; echo 203.0.113.78; sed -n '3,$p' "$dir/rules") >"$dir/little" # one prefix more

others() { in_srv nft -s list ruleset 2>/dev/null | awk '/^table inet whittle/{skip=1} !skip{print} /^}/{skip=0}'; }
same() { others >"$dir/now"; [ -s "$dir/now" ] && cmp -s "$dir/before" "$dir/now"; t $? "$program's tables are byte for byte as before: $1" "$(diff "$dir/before" "$dir/now" | head -5)"; }

# The way of rules from the first apply to the end, next to another firewall that has 22 and 80 open and 25 closed. open_25 and
# reload are that firewall's own commands.
beside() {
	program=$1
	is "$(from 203.0.113.77 22) / $(from 203.0.113.77 25) / $(from6 2001:db8:9::77 25)" "connects / no connection / no connection" "$program lets 22 in and closes 25, in both families"
	others >"$dir/before"
	tool apply "$dir/rules" 60 >/dev/null; same "after an apply"
	is "$(from 140.20.30.9) / $(from6 2001:db8:7::9)" "connects / connects" "a peer that both allow connects"
	is "$(from 203.0.113.77) / $(from6 2001:db8:9::77)" "no connection / no connection" "a peer that whittle leaves out does not"
	is "$(from 203.0.113.77 80)" connects "a port that whittle has no rule for is $program's to judge"
	is "$(from 140.20.30.9 25) / $(from6 2001:db8:7::9 25)" "no connection / no connection" "a port that whittle allows and $program closes stays closed: whittle can only narrow"
	tool confirm; same "after a confirm"
	tool apply "$dir/little" 60 >/dev/null; same "after differences"
	is "$(from 203.0.113.78)" connects "the changed rules hold"
	tool confirm; same "and after their confirm"
	open_25 >"$dir/log" 2>&1; t $? "$program opens 25" "$(cat "$dir/log")"
	is "$(tool compare "$dir/little")" same "and whittle's table stays the same"
	others >"$dir/before"
	is "$(from 140.20.30.9 25) / $(from 203.0.113.77 25)" "connects / no connection" "both open it: then whittle's rule decides"
	tool apply "$dir/rules" 1 >/dev/null; back() { tool compare "$dir/little" | grep -qx same; }
	until_true 10 back; same "after an apply that nobody confirmed"
	reload >"$dir/log" 2>&1; t $? "$program is loaded anew" "$(cat "$dir/log")"
	is "$(tool compare "$dir/little")" same "and whittle's table is still what was confirmed"
	others >"$dir/before"
	tool rollback; same "after the rollback"
	tool apply "$dir/rules" 0 >/dev/null
	has "$(in_srv "$BUILD/whittle" uninstall --verify 2>&1)" 'Verified: the [1-9][0-9]* other tables? (is|are) as before' "uninstall verifies them"
	same "after it"
	in_srv nft list tables 2>/dev/null | grep -q whittle; [ $? = 1 ]; t $? "and nothing of whittle is left"
}

ufw_up() {
	command -v ufw >/dev/null || { echo "ufw is not installed"; return 1; }
	mkdir -p "$dir/ufw"; cp -a --parents /etc/ufw /etc/default/ufw /lib/ufw /usr/share/ufw "$dir/ufw" 2>/dev/null; mkdir -p "$dir/ufw/run" "$dir/ufw/var/lib/ufw"
	run_ufw allow 22/tcp && run_ufw allow 80/tcp && run_ufw --force enable && others | grep -q 'ufw6\?-user-input'
}
run_ufw() { in_srv ufw --rootdir="$dir/ufw" --datadir="$dir/ufw" "$@" 2>&1; }
lacks() { n=$((n + 1)); echo "ok $n - together with $1 # skip $1 is not here: $(tail -n 1 "$2")"; }

if ufw_up >"$dir/ufw.log" 2>&1; then
	open_25() { run_ufw allow 25/tcp; }
	reload() { run_ufw reload; }
	beside ufw
	run_ufw --force disable >/dev/null; in_srv nft flush ruleset 2>/dev/null
	with_ufw=1
else
	lacks ufw "$dir/ufw.log"
fi
if firewalld_up; then
	firewalld_cmd --permanent --add-service=http >"$dir/log" 2>&1 && firewalld_cmd --reload >>"$dir/log" 2>&1; t $? "firewalld takes a rule" "$(cat "$dir/log")"
	open_25() { firewalld_cmd --permanent --add-port=25/tcp && firewalld_cmd --add-port=25/tcp; }
	reload() { firewalld_cmd --reload; }
	beside firewalld
	if [ -n "${with_ufw:-}" ]; then
		run_ufw --force enable >/dev/null
		run_ufw delete allow 25/tcp >/dev/null; firewalld_cmd --remove-port=25/tcp >/dev/null
		open_25() { run_ufw allow 25/tcp && firewalld_cmd --add-port=25/tcp; }
		reload() { run_ufw reload; }
		beside "ufw and firewalld"
	fi
else
	lacks firewalld "$dir/firewalld.log"
fi
echo "1..$n"
