#!/bin/bash
# Root works on a ledger that another user owns: it becomes that user first, so that nothing the owner plants there reaches further than the
# owner itself; and what root alone may read or write, and named, is read and written all the same.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
is() { if [ "$1" = "$2" ]; then t 0 "$3"; else t 1 "$3" "got '$1', wanted '$2'"; fi; } # is GOT WANTED SENTENCE
has() { if grep -qE -e "$2" <<<"$1"; then t 0 "$3"; else t 1 "$3" "no /$2/ in: $1"; fi; } # has TEXT PATTERN SENTENCE
until_true() { local tries=$(($1 * 10)); shift; while [ $tries -gt 0 ]; do "$@" >/dev/null 2>&1 && return 0; tries=$((tries - 1)); read -rt 0.1 <> <(:) || true; done; return 1; }
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then echo "ok 1 - $0 # skip needs root and setpriv"; exit 0; fi
. tests/support/learned.sh
dir=$(mktemp -d) || exit 1
follower=
trap '[ -z "$follower" ] || kill $follower 2>/dev/null; rm -rf "$dir"' EXIT
W=$BUILD/whittle
unset SUDO_USER WHITTLE_STORE
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
chmod 711 "$dir"
mkdir -m 700 "$dir/closed"; mv "$dir/eve.json" "$dir/estate.yaml" "$dir/web.json" "$dir/closed/"; chmod 600 "$dir"/closed/*
owned=$dir/owned
fresh() { rm -rf "$owned"; mkdir -m 755 "$owned"; cp "$dir/l.db" "$owned/l.db"; chown -R nobody "$owned"; }
as_nobody() { setpriv --reuid nobody --clear-groups "$@"; }
w() { timeout -k 1 8 "$W" --store "$owned/l.db" "$@" 2>&1; }

# ---- links and files that the owner plants ----
fresh; rm "$owned/l.db"; as_nobody ln -s "$dir/closed/planted" "$owned/l.db"
out=$(w ingest "$dir/closed/eve.json"); has "$? $out" '^1 .*symbolic link' "a link in the ledger's place is refused by name"
[ ! -e "$dir/closed/planted" ]; t $? "and nothing is made where it points"
echo precious >"$dir/closed/precious"
rm "$owned/l.db"; as_nobody ln -s "$dir/closed/precious" "$owned/l.db"
w intel update >/dev/null; w estate import "$dir/closed/estate.yaml" >/dev/null; w rules reset >/dev/null
is "$(cat "$dir/closed/precious")" precious "a file that it points to is not written"
for tail in -wal -journal -shm; do
	fresh; as_nobody ln -s "$dir/closed/planted" "$owned/l.db$tail"
	out=$(w ingest "$dir/closed/eve.json"); rc=$?
	[ $rc = 1 ] && [ ! -e "$dir/closed/planted" ]; t $? "a link in the place of the ledger's $tail reaches nothing" "$rc $out"
done
fresh; rm "$owned/l.db"; as_nobody mkfifo "$owned/l.db"
for c in status watch confirm rollback drift 'watch --repair'; do
	w $c >"$dir/out"; rc=$?
	[ $rc -lt 124 ]; t $? "a FIFO in its place does not hang $c" "$(cat "$dir/out")"
done
has "$(w status)" 'a FIFO' "and is named"
mkdir -m 755 "$dir/mallory"; chown nobody "$dir/mallory"; mkdir "$dir/mallory/l"; cp "$dir/l.db" "$dir/mallory/l/"
has "$("$W" --store "$dir/mallory/l/l.db" status 2>&1)" 'mallory: belongs to the user with uid 65534' "root opens no ledger below a directory that another user could swap"
mkdir -m 755 "$dir/target"; cp "$dir/l.db" "$dir/target/"; mkdir -m 755 "$dir/lane"; chown nobody "$dir/lane"; as_nobody ln -s "$dir/target" "$dir/lane/l"
has "$("$W" --store "$dir/lane/l/l.db" status 2>&1)" "lane/l: another user's symbolic link leads to a directory of root" "nor one that another user's link leads to"
mkdir -m 777 "$dir/open"
has "$("$W" --store "$dir/open/l.db" ingest "$dir/closed/eve.json" 2>&1)" 'users other than root may write' "the ledger is not made in a directory that other users may write"
is "$(ls -A "$dir/open")" "" "and nothing is left there"
cp "$dir/l.db" "$dir/open/"; chown nobody "$dir/open/l.db"
has "$("$W" --store "$dir/open/l.db" status 2>&1)" 'ledger holds' "a file there that has an owner is read as that owner"

rm "$dir/lane/l"; as_nobody ln -s "$dir/target" "$dir/lane/l"; before=$(ls "$dir/target")
out=$("$W" demo-data "$dir/lane/l" 2>&1); has "$? $out" "^2 .*lane/l: another user's symbolic link" "a demonstration is not written where another user's link leads"
out=$("$W" init --yes --as host --replace --directory "$dir/lane/l" --units "$dir/lane/l" 2>&1); has "$? $out" "^2 .*lane/l: another user's symbolic link" "nor are the first files of an installation"
is "$(ls "$dir/target")" "$before" "and nothing is there but what was"

# ---- a ledger of root's: directories that a person named are read, wherever they are ----
far=$(mktemp -d /run/whittle-owner-XXXXXX) || exit 1
trap '[ -z "$follower" ] || kill $follower 2>/dev/null; rm -rf "$dir" "$far"' EXIT
mkdir -p "$far/logs/h=1" "$dir/roots"; cp "$dir/closed/eve.json" "$far/logs/h=1/"
out=$("$W" --store "$dir/roots/l.db" ingest "$far/logs" 2>&1); has "$? $out" '^0 155 records' "a directory far from temporary ones is read"
out=$("$W" --store "$dir/roots/m.db" ingest "$far/l*" 2>&1); has "$? $out" '^0 155 records' "so is what a pattern finds"
out=$("$W" --store "$dir/roots/n.db" ingest "$far/logs/h=1/eve.json" 2>&1); has "$? $out" '^0 155 records' "and a file"

# ---- commands work as the owner ----
fresh; rm "$owned/l.db"
out=$(w estate import "$dir/closed/estate.yaml"); is $? 0 "an estate and its groups that root alone may read are imported" "$out"
out=$(w ingest "$dir/closed/eve.json"); has "$? $out" '^0 155 records' "so is a log"
mkdir -p "$dir/closed/logs/h=1" "$dir/closed/az"; cp "$dir/closed/eve.json" "$dir/closed/logs/h=1/"; cp "$dir/closed/web.json" "$dir/closed/az/"
mkfifo "$dir/closed/logs/fifo"; ln -s "$dir/closed/eve.json" "$dir/closed/logs/link.json"; chmod 700 "$dir/closed/logs" "$dir/closed/logs/h=1"
out=$(fresh; w ingest "$dir/closed/logs"); has "$? $out" '^0 (155 records|Nothing new)' "so are the logs of a directory that root alone may read, in its directories too"
out=$(fresh; w ingest "$dir/closed/l*/h=?"); has "$? $out" '^0 (155 records|Nothing new)' "and what a pattern finds there"
out=$(cd "$dir/closed" && fresh && timeout -k 1 8 "$(realpath "$OLDPWD/$W")" --store "$owned/l.db" ingest logs/ 2>&1); has "$? $out" '^0 (155 records|Nothing new)' "by a relative path"
out=$(w estate import "$dir/closed/az"); hasnt=$(grep -c 'Permission denied' <<<"$out"); is "$hasnt" 0 "an inventory's directory is read, too" "$out"
as_nobody ln -s "$dir/closed" "$owned/lane"
out=$(w ingest "$owned/lane/logs"); has "$? $out" '^[12] .*' "but not by a link of the owner's, though root named the path" "$out"
out=$(w ingest <(cat "$dir/closed/eve.json")); has "$? $out" '^0 (155 records|Nothing new)' "and a pipe of root's"
is "$(find "$owned" ! -user nobody | wc -l)" 0 "every file there is the owner's"
printf 'store: %s\nazure: {token-command: "cat %s/closed/token"}\nthreat-intel: [%s/closed/list, {name: own, command: "cat %s/closed/list"}]\n' "$owned/l.db" "$dir" "$dir" "$dir" >"$dir/closed/whittle.yaml"
echo 192.0.2.7 >"$dir/closed/list"
out=$("$W" --config "$dir/closed/whittle.yaml" intel update 2>&1); has "$? $out" '^0 list: 1 entry.*' "lists that root alone may read, or print, are read"
out=$("$W" --config "$dir/closed/whittle.yaml" recommend 2>&1); is $? 0 "with them rules are recommended" "$out"
out=$(w export --format nsg -o "$dir/closed/out.json"); is "$? $(stat -c %U "$dir/closed/out.json" 2>&1)" "0 root" "a file is written where root alone may write" "$out"
as_nobody ln -s "$dir/closed/precious" "$owned/out.json"; w export --format nsg -o "$owned/out.json" >/dev/null
is "$(cat "$dir/closed/precious")" precious "but through no link of the owner's"
mkdir -m 755 "$dir/kept"; as_nobody mkdir "$owned/way"; as_nobody rmdir "$owned/way"; as_nobody ln -s "$dir/kept" "$owned/way"
out=$(w export --format nsg -o "$owned/way/out.json"); rc=$?
[ $rc != 0 ] && [ -z "$(ls -A "$dir/kept")" ]; t $? "no file is written below a link of the owner's into a directory of root's" "$rc $out $(ls -l "$dir/kept")"
mkdir -m 755 "$owned/shut"; chown nobody "$owned/shut"; as_nobody ln -s "$dir/closed/pipe" "$owned/shut/out.json"; mkfifo "$dir/closed/pipe"; exec 7<>"$dir/closed/pipe"
as_nobody chmod 555 "$owned/shut"
out=$(w export --format nsg -o "$owned/shut/out.json"); rc=$?
read -rt 1 -u 7 line; [ -z "${line:-}" ]; t $? "a FIFO is not written to through a link of the owner's" "$rc $out: wrote ${line:-}"
exec 7<&-
w rules add vm1 --port 23 --from 192.0.2.0/24 --why test >"$dir/out"
has "$(w rules history)" ' root ' "the journal names the user that ran the command, not the owner" "$(cat "$dir/out")"
out=$(w prove --rules "$dir/closed/nothing.json"); has "$out" 'nothing.json.*No such file|nothing.json.*Permission denied' "a file that cannot be read is named"
has "$(WHITTLE_STORE=$owned/l.db w status)" 'ledger holds' "status works"

# ---- a log that is followed through its rotation ----
: >"$dir/follow.log"
cp "$dir/closed/eve.json" "$dir/closed/follow.json"
"$W" --store "$owned/f.db" ingest --follow "$dir/closed/follow.json" >"$dir/follow.log" 2>&1 & follower=$!
edges() { "$W" --store "$owned/f.db" edges --json 2>/dev/null | grep -c .; }
five() { [ "$(edges)" -ge 5 ]; }; seven() { [ "$(edges)" -ge 6 ]; }
until_true 15 five; t $? "a log of root's is followed" "$(cat "$dir/follow.log")"
status=$(tr -s '\t\n' ' ' <"/proc/$follower/status")
has "$status" "Uid: 65534 65534 65534 65534 Gid: [1-9][0-9]* .*CapInh: 0+ CapPrm: 0+ CapEff: 0+ CapBnd: 0+ CapAmb: 0+ NoNewPrivs: 1" "as the owner, without any privilege or a way back"
has "$(awk '/core file/ { print $5, $6 }' "/proc/$follower/limits")" '^0 0$' "without core dumps"
"$W" --store "$dir/roots/f.db" ingest --follow "$dir/closed/eve.json" >"$dir/follow.roots" 2>&1 & roots=$!
until_true 15 sh -c "\"$W\" --store \"$dir/roots/f.db\" edges --json | grep -q ."; t $? "one of a ledger of root's works, too" "$(cat "$dir/follow.roots")"
! setpriv --bounding-set=-all --inh-caps=-all cat "/proc/$roots/environ" >/dev/null 2>&1; t $? "and no process of its user without privileges reads its memory"
kill $roots; wait $roots
mv "$dir/closed/follow.json" "$dir/closed/follow.json.1"
sed 's/140.20.30.9/140.20.30.8/' "$dir/closed/eve.json" >"$dir/closed/follow.json"; chmod 600 "$dir/closed/follow.json"
until_true 15 seven; t $? "and through its rotation" "$(cat "$dir/follow.log")"
ln -sf /etc/shadow "$owned/linked.json"; chown -h nobody "$owned/linked.json"
has "$(w ingest "$owned/linked.json")" 'linked.json: .*(Permission denied|symbolic links)' "but a link of the owner's opens nothing that the owner may not read"
kill $follower; wait $follower; is $? 0 "a signal ends it"; follower=
until_true 5 sh -c "! pgrep -f '[i]ngest --follow $dir/closed/follow.json'"; t $? "and nothing of it stays"
echo "1..$n"
