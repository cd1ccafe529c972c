#!/bin/bash
# SIGKILL at each exchange with the kernel of an apply, a confirm and a rollback: the firewall ends as before or as applied, never between.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
netns_begin
"${CC:-gcc}" -shared -fPIC -o "$dir/kill_at.so" tests/support/kill_at.c -ldl || { echo "ok 1 - killed at each step # skip no C compiler"; exit 0; }
many() { for i in $(seq "$1" "$2"); do echo "198.18.$((i / 64)).$((i % 64 * 4))/31"; done; }
(echo "port in tcp 22"; echo 140.20.30.8/29; many 1 30; echo "port in tcp 23") >"$dir/before"
(echo "port in tcp 22"; echo 140.20.30.8/29; many 2 31; echo "port in udp 161"; echo 10.0.0.0/8) >"$dir/little"
: >"$dir/nothing"
(echo "port in tcp 22"; echo 203.0.113.0/24; many 1000 2000; echo "port in udp 161"; echo 10.0.0.0/8) >"$dir/much"
killed() { in_srv env KILL_AT="$1" KILL_AFTER="$2" LD_PRELOAD="$dir/kill_at.so" "$BUILD/tools/nft_tool" "${@:3}" >/dev/null 2>&1; } # 137: killed
# which A B: two lines, "same" for a ruleset that is held
which() { tool compare "$1" and compare "$2" 2>/dev/null; }

# every_step WHAT THEN TOOL'S WORDS…: `before` or THEN (`nothing`: no ruleset at all) must hold after a kill at each step
every_step() {
	local what=$1 then=$2 step=0 between=0 as_before=0 as_after=0 status after now
	shift 2
	while :; do
		step=$((step + 1))
		for after in 0 1; do
			tool rollback and apply "$dir/before" 0 >/dev/null
			killed $step $after "$@" 2>/dev/null; status=$?
			now=$(which "$dir/before" "$dir/$then")
			case $now in
			same$'\n'*) as_before=$((as_before + 1)) ;;
			*$'\n'same) as_after=$((as_after + 1)) ;;
			*) if [ "$then" = nothing ] && [ -z "$(in_srv nft list ruleset)" ]; then as_after=$((as_after + 1))
				else between=$((between + 1)); [ $between -gt 1 ] || sed "s/^/# step $step, $after: /" <<<"$now"; fi ;;
			esac
			[ $status = 137 ] || break 2
		done
	done
	[ $between = 0 ] && [ $as_after -gt 0 ] && [ $step -gt 1 ]
	t $? "$what, killed at each of its $((step - 1)) steps: $as_before times as before, $as_after as after, never between"
}
every_step "an apply that differs little" little apply "$dir/little" 60
every_step "an apply that differs much" much apply "$dir/much" 60
every_step "an apply that lasts at once" little apply "$dir/little" 0
every_step "one that lasts and differs much" much apply "$dir/much" 0
every_step "a rollback" nothing rollback

# A confirm: the rules hold all the time, and are either still to be confirmed or confirmed.
for case in little much; do
	step=0 pending=0 lasting=0 wrong=0
	while :; do
		step=$((step + 1)); status=137
		for after in 0 1; do
			tool rollback and apply "$dir/before" 0 and apply "$dir/$case" 60 >/dev/null
			killed $step $after confirm 2>/dev/null; status=$?
			case $(tool compare "$dir/$case" and state 2>/dev/null) in
			same$'\n'*"confirmed 1"*) lasting=$((lasting + 1)) ;;
			same$'\n'*"confirmed 0"*"expires 1") pending=$((pending + 1)) ;;
			*) wrong=$((wrong + 1)) ;;
			esac
			[ $status = 137 ] || break 2
		done
	done
	[ $wrong = 0 ] && [ $pending -gt 0 ] && [ $lasting -gt 0 ]
	t $? "a confirm of what differs $case, killed at each of its $((step - 1)) steps: $pending times still pending, $lasting times confirmed"
done

# The next apply removes what a killed one left.
tool rollback; tool apply "$dir/before" 0 >/dev/null
left=0
for step in $(seq 1 40); do
	killed "$step" 1 apply "$dir/much" 60
	tool apply "$dir/before" 0 >/dev/null || left=99
done
is "$((left + $(in_srv nft list table inet whittle | grep -c '^	chain ._')))" 2 "forty killed applies leave nothing behind once one has been finished"

# Nobody is left to take it back: the kernel does.
serve "$srv" 22 serve
tool rollback
in_srv sh -c "KILL_AT=1000 LD_PRELOAD=$dir/kill_at.so $BUILD/tools/nft_tool apply $dir/before 3 >/dev/null; kill -9 \$\$" 2>/dev/null
is "$(from 203.0.113.77)" "no connection" "an apply whose shell was killed holds"
back() { [ "$(from 203.0.113.77)" = connects ]; }
until_true 10 back; t $? "and vanishes by the kernel alone"
echo "1..$n"
