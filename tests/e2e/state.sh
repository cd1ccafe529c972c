#!/bin/bash
# Files that survive a reboot are root's. Files that the ledger's owner forges next to the ledger, where earlier versions kept them, allow nobody;
# files that such a version really kept are taken over if the kernel holds the same.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
command -v python3 >/dev/null || { echo "ok 1 - $0 # skip no python3 to forge files with"; exit 0; }
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
chmod 711 "$dir"
serve "$srv" 22 serve
owned=$dir/owned
mkdir -m 755 "$owned"; cp "$dir/l.db" "$owned/"; chown -R nobody "$owned"
export WHITTLE_STORE=$owned/l.db
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" 2>&1; }
gone() { in_srv nft delete table inet whittle 2>/dev/null; in_srv nft delete table inet whittle_jit 2>/dev/null; }

# forge FILE NETWORK…: a port each for 22, 23 and 3389, as an earlier version wrote it, with its checksum, by the ledger's owner
forge() {
	python3 - "$owned/$1" "${@:2}" <<-'P'
	import json, sys, zlib
	doc = {"closed": []} if sys.argv[1].endswith("closed") else {"audit": False, "nflogGroup": 5, "confirmed": 1790000000000000, "ports": [
	    {"direction": "Inbound", "protocol": 6, "port": p, "addresses": ["10.0.0.4"], "v4": n.split(), "v6": []} for p, n in zip((22, 23, 3389), sys.argv[2:])]}
	body = json.dumps(doc, separators=(",", ":")).encode()
	open(sys.argv[1], "wb").write(b"whittle-enforced 1 %d %08x\n" % (len(body), zlib.crc32(body)) + body)
	P
	chown nobody "$owned/$1"
}
forge_all() { for f in enforced.rules enforced.rules.1 enforced.pending jit.closed; do forge $f 0.0.0.0/0; done; }
# nobody_in SENTENCE: the stranger stays out, the partner gets in
nobody_in() { is "$(from 203.0.113.77) / $(from 140.20.30.9)" "no connection / connects" "$1"; }

w enforce --resource vm1 >/dev/null; out=$(w confirm); is $? 0 "rules are confirmed" "$out"
nobody_in "a stranger is outside, a partner inside"
is "$(stat -c '%U %a' "$WHITTLE_STATE" "$WHITTLE_STATE/enforced.rules" 2>&1 | xargs)" "root 700 root 600" "the confirmed rules are root's, and closed to others"
forge_all
gone; w restore >/dev/null; nobody_in "a forged file does not decide what a reboot brings back"
gone; w enforce --repair >/dev/null; nobody_in "a forged file does not decide what enforce --repair puts back"
ip netns exec "$srv" "$BUILD/whittle" watch --repair >"$dir/watch" 2>&1 & watcher=$!; pids+=($watcher)
until_true 6 grep -q 'peers are known' "$dir/watch"
gone; until_true 8 grep -q repaired "$dir/watch"; t $? "watch --repair puts something back" "$(cat "$dir/watch")"
nobody_in "but not what was forged"
kill $watcher; wait $watcher
w rollback >/dev/null; is "$(in_srv nft list tables | grep -cw whittle)" 0 "a rollback uses only root's earlier rules: there were none"
w uninstall >/dev/null; rm -f "$owned"/enforced.* "$owned"/jit.*

# ---- after an upgrade ----
forge_all
gone; out=$(w restore); has "$? $out" "^[12] .*$owned: an earlier version stored the confirmed rules here.*whittle enforce. and .whittle confirm" "a boot with such files alone restores nothing, fails, and prints the commands to run"
is "$(in_srv nft list tables | grep -cw whittle)" 0 "nothing of them is put back"
rm -f "$owned"/enforced.* "$owned"/jit.*
w enforce --resource vm1 >/dev/null; w confirm >/dev/null
rm -rf "$WHITTLE_STATE"; forge enforced.rules 203.0.113.0/24
out=$(w confirm); has "$? $out" '^1 .*a reboot will not bring these rules back' "a file that is not what the kernel holds is not taken over"
rm -rf "$WHITTLE_STATE"; probe=168.63.129.16; gone; w enforce --resource vm1 --confirm-within 1h >/dev/null; forge enforced.rules "140.20.30.8/29 $probe" $probe $probe
out=$(w restore); has "$? $out" '^[12] ' "rules that wait for their confirmation are not made confirmed ones by a file"
[ ! -e "$WHITTLE_STATE/enforced.rules" ]; t $? "and nothing of it is stored" "$out"
w confirm >/dev/null; rm -rf "$WHITTLE_STATE"; forge enforced.rules "140.20.30.8/29 $probe" $probe $probe
out=$(w restore); has "$? $out" "^0 .*$owned are in force; they are stored in $WHITTLE_STATE from now on.*" "one that is exactly that is taken over" 
is "$(ls "$owned")" l.db "and goes"
gone; w restore >/dev/null; nobody_in "the next boot brings it back"

# ---- after an upgrade from the first version that kept confirmed rules (tests/golden/upgrade) ----
gone; rm -rf "$WHITTLE_STATE" "$dir/before"; mkdir -m 755 "$dir/before"; unset WHITTLE_STORE
cp tests/golden/upgrade/* "$dir/before/"; gunzip "$dir/before/ledger.db.gz"; echo 192.0.9.99 >"$dir/before/bad.txt"; echo 192.0.9.97,1,90 >"$dir/before/scored.txt"
old() { w "$@" --config "$dir/before/whittle.yaml"; }
in_srv nft -f "$dir/before/table.nft"
is "$(from 203.0.113.77) / $(from 140.20.30.9)" "no connection / connects" "the old table judges"
has "$(old status)" 'ledger is of an older whittle.*`whittle recommend` brings it up to date' "its ledger is named as old, with the command that brings it up to date"
has "$(old doctor)" '^warn +rules in force.*`whittle restore`' "doctor names what takes its rules over"
cp "$dir/before/table.nft" "$dir/wider.nft"; sed -i 's#140.20.30.8/29#140.20.30.8/29, 203.0.113.0/24#' "$dir/wider.nft"; gone; in_srv nft -f "$dir/wider.nft"
out=$(old restore); has "$? $out" '^[12] .*They are used only if the kernel holds the same' "where the old table lets in another network, its file is not believed"
gone; in_srv nft -f "$dir/before/table.nft"
in_srv nft insert rule inet whittle a_input_tcp_22 ip saddr 203.0.113.78 accept
out=$(old restore); has "$? $out" '^[12] .*They are used only if the kernel holds the same' "nor where a rule was put before it"
gone; in_srv nft -f "$dir/before/table.nft"
out=$(old restore); has "$? $out" '^0 .*are in force; they are stored in .* from now on' "where it decides as its file says, its rules are taken over"
has "$(old drift)" 'holds what was applied' "and the table is this version's"
gone; old restore >/dev/null; is "$(from 203.0.113.77) / $(from 140.20.30.9)" "no connection / connects" "the next boot brings them back"
mkdir "$dir/before/rules"; cp rules/*.yaml "$dir/before/rules/"; sed -i '/^gone:/,/^$/d' "$dir/before/rules/evidence.yaml"
has "$(old recommend)" "evidence.yaml: 'gone' is missing: copy it from the installed" "a directory of rules of its own that lacks something names it, and where it is"
cp rules/evidence.yaml "$dir/before/rules/"
out=$(old recommend); is $? 0 "every key of its whittle.yaml is read, and its ledger is brought up to date" "$out"
old edges --json >"$dir/edges"; cmp "$dir/edges" "$dir/before/edges.json" >/dev/null; t $? "with the same edges" "$(diff "$dir/edges" "$dir/before/edges.json" | head -n 4)"
has "$(old rules history)" '140.20.99.7 +the new backup host' "its reviewed rule is there, with the reason"
has "$(old journal)" '^ +2 .*enforce.apply' "its journal can be read"
out=$(old journal verify); has "$? $out" '^0 The journal ' "and is verified"
export WHITTLE_STORE=$owned/l.db

# ---- the state directory's place ----
mkdir -m 755 "$dir/open"; chown nobody "$dir/open"
out=$(WHITTLE_STATE=$dir/open/state w enforce --resource vm1); has "$? $out" "^[12] .*$dir/open: belongs to the user with uid" "a state directory below another user's is refused"
chown root "$dir/open"; chmod 777 "$dir/open"
out=$(WHITTLE_STATE=$dir/open/state w enforce --resource vm1); has "$? $out" "^[12] .*users other than root may write" "and one below a directory that others may write"
is "$(ls -A "$dir/open")" "" "nothing is made there"
out=$(WHITTLE_STATE=$dir/open w rollback --all); has "$out" 'table is gone' "but everything can always be taken away"
printf 'state: %s\n' "$dir/configured" >"$dir/whittle.yaml"
out=$(env -u WHITTLE_STATE ip netns exec "$srv" "$BUILD/whittle" --config "$dir/whittle.yaml" enforce --resource vm1 2>&1); is "$? $(stat -c '%U %a' "$dir/configured")" "0 root 700" "whittle.yaml names another" "$out"
echo "1..$n"
