#!/bin/bash
# Users that may run `whittle jit` by sudo don't become root by its options; files that others may write are refused as configuration; configured
# commands don't get the token.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
chmod 755 "$dir"
printf 'store: %s\njit:\n  - {resource: vm1, ports: [22], who: [ada]}\n' "$dir/l.db" >"$dir/w.yaml"
default=/etc/whittle/whittle.yaml
# as root, behind sudo as ada would be; with a /etc of its own, with FILE as its whittle.yaml
ada() { # ada FILE WORD…
	local file=$1; shift
	unshare -m bash -c 'mkdir -p "$0" && mount -t tmpfs none "$0" && { [ "$1" = - ] || cp "$1" "$0/whittle.yaml"; } && shift && exec "$@"' \
		"$(dirname "$default")" "$file" ip netns exec "$srv" env -u WHITTLE_STORE -u WHITTLE_STATE SUDO_UID=1000 SUDO_USER=ada "$BUILD/whittle" "$@" 2>&1
}
made_etc=; [ -d /etc/whittle ] || { mkdir /etc/whittle; made_etc=1; }
trap '[ -z "$made_etc" ] || rmdir /etc/whittle; netns_end' EXIT
unshare -m true 2>/dev/null || { echo "ok 1 - $0 # skip no mount namespaces here"; exit 0; }

printf 'jit:\n  - {resource: vm1, ports: [22, 3389], who: [ada], longest: 30d}\n' >"$dir/own.yaml"
out=$(ada "$dir/w.yaml" jit open vm1 3389 --from 203.0.113.77 --config "$dir/own.yaml"); rc=$?
is $rc 2 "a user behind sudo can't name another policy"
has "$out" 'refused \(--config\): ada .*jit-sudo-options: yes' "and the message names the option and the reason"
printf 'root:x:secret\n' >"$dir/shadow"
out=$(ada "$dir/w.yaml" jit list --config "$dir/shadow"); is "$(grep -c secret <<<"$out")" 0 "ada can't read another user's file by an error's text"
is "$(ada "$dir/w.yaml" jit list --store "$dir/x.db" | grep -c 'refused (--store)')" 1 "ada can't choose another ledger"
out=$(ada "$dir/w.yaml" jit nsg web -o "$dir/made"); has "$out" 'refused \(-o\)' "ada can't choose a file to be written"
[ ! -e "$dir/made" ]; t $? "the file is not made"
for o in "--token-command=touch $dir/ran" "--tok=touch $dir/ran" --endpoint=http://127.0.0.1:1 --ca-file=/etc/shadow; do
	out=$(ada "$dir/w.yaml" jit nsg --to azure "$o"); has "$out" 'refused \(--' "ada can't use ${o%%=*}"
done
[ ! -e "$dir/ran" ]; t $? "and nothing was run"
out=$(ada "$dir/w.yaml" jit list); is "$?" 0 "the openings are listed" "$out"
in_srv nft add table inet whittle_jit
out=$(ada "$dir/w.yaml" jit off); is $? 2 "ada can't open all ports by switching just-in-time access off"
has "$out" 'refused \(off\).*sudo env -u SUDO_UID whittle jit off' "the message names the way for root"
out=$(ada - jit off); is $? 2 "nor where no configuration can be read"
out=$(ada "$dir/w.yaml" jit policy set vm1 --ports 22 --who '*'); is $? 2 "nor make a policy" "$out"
in_srv nft list table inet whittle_jit >/dev/null; t $? "the table is there"
sed 's/^jit:/jit-sudo-options: yes\n&/' "$dir/w.yaml" >"$dir/free.yaml"
out=$(ada "$dir/free.yaml" jit nsg web -o "$dir/made"); is $? 0 "root's configuration may allow it"
out=$(ada "$dir/free.yaml" jit off); is $? 0 "as it may allow to switch it off" "$out"
out=$(ada "$dir/w.yaml" jit nsg web -o "$dir/made" --config "$dir/free.yaml"); is $? 2 "the user's own may not"
out=$(ada - status --store "$dir/l.db"); is $? 0 "other commands are as ever"
out=$(in_srv env SUDO_UID=0 "$BUILD/whittle" jit list --config "$dir/w.yaml" 2>&1); is $? 0 "root by way of sudo is root"

# ---- the owner of the configuration ----
cp "$dir/w.yaml" "$dir/theirs.yaml"; chown 1000 "$dir/theirs.yaml"
out=$(in_srv "$BUILD/whittle" status --config "$dir/theirs.yaml" 2>&1); is $? 2 "a configuration of another user's is none for root"
has "$out" "theirs.yaml: belongs to the user with uid 1000.*chown root" "and the remedy is named"
chown 0 "$dir/theirs.yaml"; chmod 666 "$dir/theirs.yaml"
has "$(in_srv "$BUILD/whittle" status --config "$dir/theirs.yaml" 2>&1)" 'users other than root may write it \(mode 666\)' "a configuration that everybody may write is refused"
mkdir "$dir/d"; cp "$dir/w.yaml" "$dir/d/w.yaml"; chown 1000 "$dir/d"
has "$(in_srv "$BUILD/whittle" status --config "$dir/d/w.yaml" 2>&1)" '/d: belongs to the user with uid 1000' "a configuration in another user's directory is refused"
ln -s d/w.yaml "$dir/link.yaml"
has "$(in_srv "$BUILD/whittle" status --config "$dir/link.yaml" 2>&1)" '/d: belongs to the user with uid 1000' "a configuration behind a link is refused"
out=$(in_srv "$BUILD/whittle" status --config <(cat "$dir/w.yaml") 2>&1); is $? 0 "a descriptor that the shell opened is accepted" "$out"

# ---- the token ----
printf 'threat-intel: [{name: x, command: "env >%s; echo 198.51.100.0/24"}]\n' "$dir/env" >"$dir/i.yaml"
WHITTLE_AZURE_TOKEN=very-secret MARK=kept "$BUILD/whittle" intel update --store "$dir/l.db" --config "$dir/i.yaml" --force >/dev/null 2>&1
is "$(grep -c '^MARK=kept' "$dir/env") $(grep -c very-secret "$dir/env")" "1 0" "a command gets the environment without the token"
chown 1000 "$dir/l.db"* ; mkdir "$dir/o"; mv "$dir"/l.db* "$dir/o/"; chown 1000 "$dir/o"; rm -f "$dir/env"
WHITTLE_AZURE_TOKEN=very-secret MARK=kept "$BUILD/whittle" intel update --store "$dir/o/l.db" --config "$dir/i.yaml" --force >/dev/null 2>&1
is "$(grep -c '^MARK=kept' "$dir/env") $(grep -c very-secret "$dir/env")" "1 0" "also where root became the ledger's owner"
echo "1..$n"
