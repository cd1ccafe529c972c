#!/bin/bash
# The ledger and the state directory as one file, and back: made while others write, looked into with ordinary tools, put back whole; and what
# somebody made of such a file puts nothing back.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
is() { if [ "$1" = "$2" ]; then t 0 "$3"; else t 1 "$3" "got '$1', wanted '$2'"; fi; } # is GOT WANTED SENTENCE
has() { if grep -qE -e "$2" <<<"$1"; then t 0 "$3"; else t 1 "$3" "no /$2/ in: $1"; fi; } # has TEXT PATTERN SENTENCE
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then echo "ok 1 - $0 # skip needs root and setpriv"; exit 0; fi
. tests/support/learned.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
W=$BUILD/whittle
unset SUDO_USER WHITTLE_STORE
export WHITTLE_STATE=$dir/state
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
chmod 711 "$dir"
owned=$dir/owned; mkdir -m 755 "$owned"; cp "$dir/l.db" "$owned/l.db"; chown -R nobody "$owned"; chmod 640 "$owned/l.db"
mkdir -m 700 "$dir/closed" "$dir/state"
w() { timeout -k 1 20 "$W" --store "$owned/l.db" "$@" 2>&1; }
line() { w "$@" | tr "\n" " "; return "${PIPESTATUS[0]}"; }
edges() { w edges --json | sha256sum; }
w intel update >/dev/null
w rules reset >/dev/null
printf '1\tvm1\t22\t-\t-\t3600\n' >"$dir/state/jit-policies"; chmod 600 "$dir/state/jit-policies"
then=$(edges)

# ---- out ----
b=$dir/closed/b.tar
out=$(w backup "$b"); is $? 0 "root backs up a ledger of another user's into a closed directory" "$out"
is "$(stat -c '%U %a' "$b")" "root 600" "the backup is root's, and closed"
is "$(find "$owned" -name '*copy*')" "" "no copy is left next to the ledger"
mkdir "$dir/look"; tar xf "$b" -C "$dir/look" && out=$(cd "$dir/look" && sha256sum -c MANIFEST 2>&1); is $? 0 "tar and sha256sum read it" "$out"
is "$(cmp "$dir/state/jit-policies" "$dir/look/state/jit-policies" 2>&1)" "" "the backup has the files of the state directory"
if command -v sqlite3 >/dev/null; then is "$(sqlite3 "$dir/look/ledger.db" 'PRAGMA integrity_check')" ok "and the ledger is a whole database"; fi
ln -s "$dir/closed/elsewhere" "$dir/closed/link.tar"; w backup "$dir/closed/link.tar" >/dev/null
[ ! -e "$dir/closed/elsewhere" ] && [ -f "$dir/closed/link.tar" ] && [ ! -L "$dir/closed/link.tar" ]; t $? "a link of that name is replaced, not followed"
w backup "$dir/closed" >/dev/null; is "$(find "$dir/closed" -name 'whittle-2*Z.tar' | wc -l)" 1 "in a directory it is named after the time"
out=$(w backup "$dir/none/b.tar"); has "$? $out" '^1 .*none/b.tar: cannot be written' "a place that is not there is named"

# ---- back ----
out=$(line restore-backup "$b" --dry-run); has "$? $out" '^0 .* in its journal\. It can be restored\. ' "directly after a backup nothing is newer: the backups' own entries in the journal are none"
has "$out" ' 1 entry in its journal| ([2-9]|[0-9]{2,}) entries in its journal' "the summary counts as people do"
w estate import "$dir/estate.yaml" >/dev/null
out=$(w restore-backup "$b"); has "$? $out" '^1 .*present journal.*--force' "newer content is not overwritten"
out=$(w restore-backup "$b" --dry-run --json); is "$(jq -c '[.done, (.newer | length > 0)]' <<<"$out")" '[false,true]' "--dry-run lists what would be lost, and writes nothing" 
echo changed >"$dir/state/jit-policies"
ino=$(stat -c '%i %U %a' "$owned/l.db")
out=$(line restore-backup "$b" --force); has "$? $out" '^0 .*put back.*jit-policies.*in the kernel were not changed' "with --force it is put back, and a message says that the kernel is as it was" 
is "$(edges)" "$then" "the edges are those of the backup"
is "$(stat -c '%i %U %a' "$owned/l.db")" "$ino" "the ledger's file keeps its owner and mode"
is "$(cat "$dir/state/jit-policies")" "$(cat "$dir/look/state/jit-policies")" "the state is that of the backup"
out=$(line journal verify); has "$? $out" '^0 .*holds the last one' "the journal fits, and its head holds"
has "$(w journal list --last 1)" 'ledger.restore' "the journal has the restore"
dd if=/dev/zero of="$owned/l.db" bs=4096 count=3 conv=notrunc status=none
out=$(w restore-backup "$b"); has "$? $out" '^1 .*damaged' "a damaged ledger is not thrown away unasked"
out=$(w restore-backup "$b" --force); is $? 0 "with --force it is put aside" "$out"
is "$(edges) $(find "$owned" -name 'l.db.damaged' | wc -l)" "$then 1" "and the backup is in its place"
rm -rf "$owned" "$dir/state"; mkdir -m 755 "$owned"; chown nobody "$owned"
w restore-backup "$b" >/dev/null; is "$(edges) $(stat -c %U "$owned/l.db") $(stat -c %a "$dir/state")" "$then nobody 700" "an empty machine gets everything back, with the ledger's owner"

# ---- of others ----
# refused SENTENCE PATTERN: the file x.tar is
refused() { out=$(w restore-backup "$dir/closed/x.tar" --force); has "$? $out" "^[12] .*$2" "$1"; }
fresh() { rm -f "$dir/closed/x.tar"; cp "$b" "$dir/closed/x.tar"; chmod 600 "$dir/closed/x.tar"; }
fresh; chown nobody "$dir/closed/x.tar"; refused "a backup that another user can write is refused" 'another user can write it'
fresh; printf X | dd of="$dir/closed/x.tar" bs=1 seek=9000 conv=notrunc status=none; refused "one with changed bytes" 'the digest of ledger.db is not the manifest.s'
fresh; cat "$b" >>"$dir/closed/x.tar"; refused "one with other files after its own" 'holds more than its manifest lists'
fresh; truncate -s 20000 "$dir/closed/x.tar"; refused "one that is cut" 'truncated or damaged'
fresh; (cd "$dir/look" && ln -sf /etc/passwd state/enforced.rules && tar cf "$dir/closed/x.tar" --owner root MANIFEST ledger.db state); chmod 600 "$dir/closed/x.tar"; refused "one with a link" 'truncated or damaged|not a backup'
if command -v sqlite3 >/dev/null; then
	# remade: of a ledger that sqlite3 changed, with a manifest that fits
	remade() {
		fresh
		python3 - "$b" "$dir/look/ledger.db" "$dir/closed/x.tar" <<-'P'
		import hashlib, io, sys, tarfile
		src, db, out = sys.argv[1:]
		old = tarfile.open(src); data = {m.name: old.extractfile(m).read() for m in old}
		new = open(db, "rb").read(); lines = data["MANIFEST"].decode().splitlines()
		lines = [hashlib.sha256(new).hexdigest() + "  ledger.db" if l.endswith("  ledger.db") else l for l in lines]
		data["ledger.db"] = new; data["MANIFEST"] = ("\n".join(lines) + "\n").encode()
		t = tarfile.open(out, "w", format=tarfile.USTAR_FORMAT)
		for m in old.getmembers():
		    i = tarfile.TarInfo(m.name); i.size = len(data[m.name]); i.mode = 0o600; t.addfile(i, io.BytesIO(data[m.name]))
		t.close()
		P
		chmod 600 "$dir/closed/x.tar"
	}
	sqlite3 "$dir/look/ledger.db" "CREATE TRIGGER x AFTER INSERT ON journal BEGIN DELETE FROM journal; END"
	remade; refused "one with a trigger in its ledger" "trigger 'x'|another program changed"
	sqlite3 "$dir/look/ledger.db" "DROP TRIGGER x; UPDATE journal SET who = 'eve' WHERE seq = 1"
	remade; out=$(w restore-backup "$dir/closed/x.tar"); has "$? $out" "^[12] .*journal" "one with a rewritten journal"
fi
is "$(edges)" "$then" "none of them changed anything"

# ---- shared ----
x=$dir/closed/shared.db
out=$(w export-evidence "$x"); is "$? $(stat -c '%U %a' "$x")" "0 root 600" "evidence is exported under pseudonyms, into a closed file" "$out"
shape() { jq -c '[.resources[].rules[] | [.destinationPort, .protocols, (.ipAddresses | map(split("/")[1]) | sort), .evidence.sources, .evidence.flows, .confidence, (.narrows != null)]]'; }
a=$(w recommend --json | shape) b=$("$W" --store "$x" recommend --json 2>"$dir/err" | shape)
is "$b" "$a" "another whittle derives rules of the same shape from it" "$(cat "$dir/err")"
has "$a" '"29"' "which are the five hosts of one /29"
is "$("$W" --store "$x" edges --json | grep -cF '"140.20.30.') $(grep -acE 'vm1|web\.json|telnet' "$x")" "0 0" "no address and no name of before is in it"
is "$("$W" --store "$x" edges --json | jq -rs '[.[] | .edges? // . | if type == "array" then .[] else . end | .local] | unique | .[] | split(".")[0]')" 10 "a private address stays private"
w export-evidence "$dir/closed/again.db" >/dev/null
[ "$("$W" --store "$x" edges --json)" != "$("$W" --store "$dir/closed/again.db" edges --json)" ]; t $? "two exports have nothing in common"

# ---- forgotten ----
peer=$(w edges --json | jq -rs '[.[] | .edges? // . | if type == "array" then .[] else . end | .peer] | unique | .[0]')
out=$(w forget "$peer" </dev/null); has "$? $out" '^2 .*nothing was removed.*--yes' "nothing is forgotten unasked"
out=$(w forget "$peer" --dry-run); has "$? $out" '^0 It would remove: [1-9]' "--dry-run says what would go"
is "$(edges)" "$then" "and changes nothing"
out=$(w forget "$peer" --yes); has "$? $out" '^0 Removed: [1-9]' "a peer is forgotten"
is "$(w edges --json | grep -cF "\"$peer\"") $(w doctor --json | jq -r '.checks[] | select(.check == "ledger").state')" "0 ok" "no edge is its, and the ledger is whole"
is "$(stat -c '%U' "$owned/l.db")" nobody "the ledger is still its owner's"
has "$(w journal verify | head -1) $(w journal list --last 1 | grep -cF "$peer")" 'fits.* 0$' "the journal fits, and does not name it for this"
echo "1..$n"
