#!/bin/bash
# The owner of the ledger's directory swaps what is in it, and the directory itself, while root works on the ledger: nothing of root's is ever
# written, made or read, and nothing hangs.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null || ! command -v "${CC:-gcc}" >/dev/null; then echo "ok 1 - $0 # skip needs root, setpriv and a C compiler"; exit 0; fi
. tests/support/learned.sh
dir=$(mktemp -d) || exit 1
swapper=
trap '[ -z "$swapper" ] || kill -9 $swapper 2>/dev/null; rm -rf "$dir"' EXIT
unset SUDO_USER WHITTLE_STORE
export WHITTLE_STATE=$dir/state
"${CC:-gcc}" -O1 -o "$dir/swap" tests/support/swap.c || { t 1 "the swapper is built"; exit 1; }
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
chmod 711 "$dir"; mkdir -m 700 "$dir/closed"; mv "$dir/eve.json" "$dir/closed/"; chmod 755 "$dir/swap"
mkdir -m 755 "$dir/roots" "$dir/owned" "$dir/owned/l"; cp "$dir/l.db" "$dir/owned/good.db"; cp "$dir/l.db" "$dir/owned/l/l.db"; chown -R nobody "$dir/owned"
cp "$dir/l.db" "$dir/roots/l.db"; echo 'precious 4711' >"$dir/roots/secret"; chmod 600 "$dir/roots/secret" "$dir/roots/l.db" # root's own ledger, which must not be read for that user
touch -d 2001-01-01 "$dir/roots/secret" "$dir/roots/l.db"
shown() { (cd "$dir/roots" && ls -lA --time-style=full-iso && sha256sum ./*); }
before=$(shown)
setpriv --reuid nobody --clear-groups ln -s "$dir/roots" "$dir/owned/link"
out=$("$BUILD/whittle" --store "$dir/owned/link/l.db" status 2>&1); grep -q "link: another user's symbolic link leads to a directory of root;" <<<"$out"; t $? "a ledger of root's behind a link of the owner's is not opened, and the link is named" "$out"
setpriv --reuid nobody --clear-groups "$dir/swap" "$dir/owned" "$dir/roots/secret" "$dir/roots" & swapper=$!
W=$(realpath "$BUILD/whittle") worked=0 hung=0 died=0
run() { timeout -s KILL 20 "$W" --store "$dir/owned/l/l.db" "$@" >>"$dir/out" 2>&1; local rc=$?; [ $rc = 0 ] && worked=$((worked + 1)); [ $rc = 137 ] && hung=$((hung + 1)); [ $rc -gt 128 ] && [ $rc != 137 ] && died=$((died + 1)); }
: >"$dir/out"
for _ in $(seq "${RACE_ROUNDS:-40}"); do
	run ingest "$dir/closed/eve.json"
	run status
	run enforce --dry-run
	run intel update
	timeout -s KILL 20 timeout 0.3 "$W" --store "$dir/owned/l/l.db" watch >>"$dir/out" 2>&1; rc=$?
	[ $rc = 137 ] && hung=$((hung + 1))
done
kill -9 $swapper; wait $swapper 2>/dev/null; swapper=
[ "$worked" -gt 0 ]; t $? "some of the commands found a ledger ($worked worked)" "$(tail -n 5 "$dir/out")"
[ $hung = 0 ]; t $? "none hung" "$hung"
[ $died = 0 ]; t $? "none was ended by a signal" "$died"
[ "$(shown)" = "$before" ]; t $? "nothing of root's was written, and nothing was made in its directory" "$(diff <(echo "$before") <(shown))"
! grep -q 4711 "$dir/out"; t $? "nothing of root's was printed"
[ "$(find "$dir/owned" ! -user nobody ! -path "*/l.db*" | wc -l)" = 0 ] && [ "$(find "$dir/owned" -type f ! -user nobody ! -samefile "$dir/roots/secret" | wc -l)" = 0 ]; t $? "every file there is the owner's" "$(find "$dir/owned" -ls)"
sort "$dir/out" | sed "s#$dir##; s/[0-9][0-9]*/N/g" | uniq -c | sort -rn | head -n 12 | sed 's/^/# /'
echo "1..$n"
