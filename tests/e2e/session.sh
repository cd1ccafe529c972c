#!/bin/bash
# An operator connected by SSH is not cut off by mistake: the session is found even if sudo, env -i or a terminal multiplexer hide it. With
# a real SSH server, and real sudo.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
for p in dropbear dbclient dropbearkey sudo; do command -v $p >/dev/null || { echo "ok 1 - the operator's own session # skip $p is not installed"; exit 0; }; done
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
mkdir "$dir/ssh"
dropbearkey -t ed25519 -f "$dir/host" >/dev/null 2>&1
dropbearkey -t ed25519 -f "$dir/key" 2>/dev/null | grep '^ssh-' >"$dir/ssh/authorized_keys"; chmod 700 "$dir/ssh"
# root's home is a fresh one in the server's own mount namespace
ip netns exec "$srv" sh -c "mount -t tmpfs -o mode=700 none /root && cp -r $dir/ssh /root/.ssh && exec dropbear -F -E -r $dir/host -p 22" >"$dir/dropbear" 2>&1 &
pids+=($!)
up() { [ "$(in_net "$BUILD/tools/talk" try 10.0.0.4@203.0.113.77 22)" = connects ] || grep -q 'Not backgrounding' "$dir/dropbear"; }
until_true 10 up; t $? "an SSH server is up" "$(cat "$dir/dropbear")"
ssh_from() { in_net env HOME="$dir" dbclient -y -y -b "$1" -i "$dir/key" root@10.0.0.4 "cd $PWD && $2" 2>"$dir/err"; local rc=$?; grep -a '^whittle' "$dir/err"; return $rc; }
W="$(realpath "$BUILD")/whittle enforce --resource vm1 --store $dir/l.db"
refused() { has "$1 $2" '^2 .*connected from 203.0.113.77.*port 22 again.*--force' "$3"; is "$(in_srv nft list ruleset | wc -l)" 0 "and nothing was applied"; }

out=$(ssh_from 203.0.113.77 "$W"); refused $? "$out" "an operator connected from outside the rules is refused"
out=$(ssh_from 203.0.113.77 "sudo -n $W"); refused $? "$out" "behind sudo too"
out=$(ssh_from 203.0.113.77 "sudo -n env | grep -c SSH_CONNECTION"); is "${out%%$'\n'*}" 0 "sudo had removed the variable"
out=$(ssh_from 203.0.113.77 "exec env -i $W"); refused $? "$out" "with an empty environment, and a shell that is gone, by the server's socket"
ip netns exec "$net" env HOME="$dir" dbclient -y -y -b 203.0.113.77 -i "$dir/key" root@10.0.0.4 'echo in; exec sleep 100' >"$dir/session" 2>/dev/null & pids+=($!)
until_true 10 grep -q in "$dir/session"
out=$(in_srv env -u SUDO_UID -u SSH_CONNECTION $W 2>&1); refused $? "$out" "from a process without a parent session, as in a multiplexer of yesterday, while the operator is connected"
out=$(ssh_from 140.20.30.9 "sudo -n $W"); refused $? "$out" "by one session from inside the rules, because the operator has another one outside"
out=$(in_srv $W --audit 2>&1); is $? 0 "an audit cuts nobody off" "$out"; in_srv nft flush ruleset
kill "${pids[-1]}"; wait "${pids[-1]}" 2>/dev/null
alone() { ! in_srv ss -Hnt state established '( sport = :22 )' 2>/dev/null | grep -q .; }
until_true 10 alone
out=$(ssh_from 140.20.30.9 "sudo -n $W"); is $? 0 "from inside the rules it is applied" "$out"; in_srv nft flush ruleset
out=$(ssh_from 203.0.113.77 "sudo -n $W --force --json"); rc=$?
is "$rc $(grep -v '^whittle' <<<"$out" | jq -r '[.applied, .confirmWithin, .confirmCommand] | join(" ")')" "0 true 60 sudo whittle confirm --store $dir/l.db" "--force applies all the same, and prints the command that confirms"
has "$out" 'will not be able to connect again' "and warns"
echo "1..$n"
