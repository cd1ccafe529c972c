#!/bin/bash
# Review from end to end: each guideline refuses by its name, a saved change is not enforced, a deletion ends with the next calculation, and
# everything is stored with user, time and reason.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
. tests/support/learned.sh
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
ok() { n=$((n + 1)); echo "ok $n - $1"; }
bad() { n=$((n + 1)); echo "not ok $n - $1"; printf '%s\n' "$2" | sed 's/^/# /'; }
# check SENTENCE STATUS PATTERN COMMAND…
check() { out=$("${@:4}" 2>&1); rc=$?; if [ $rc = "$2" ] && grep -qE -e "$3" <<<"$out"; then ok "$1"; else bad "$1" "status $rc, wanted $2 and /$3/ in: $out"; fi; }
lacks() { out=$("${@:3}" 2>&1); if grep -qE -e "$2" <<<"$out"; then bad "$1" "/$2/ in: $out"; else ok "$1"; fi; }
export WHITTLE_STORE=$dir/l.db
r() { "$BUILD/whittle" rules "$@"; }
learned "$dir" || { bad "a ledger to review is made" "see above"; echo "1..$n"; exit 1; }

check "the list shows an allow rule, and says that it is saved but not enforced" 0 'not yet enforced' r list vm1
check "the partners' prefix is there" 0 '140\.20\.30\.8/29' r list vm1
check "the unused port has a deny-all, which is shown as System Generated" 0 '23/tcp .*deny all \(System Generated\)' r list vm1

check "allow-only: a deny can't be added" 2 'refused \(allow-only\)' r add vm1 --port 3389/tcp --from 185.7.1.1 --deny
check "allow-only: a rule that allows nobody can't be added" 2 'refused \(allow-only\)' r add vm1 --port 443/tcp
check "allow-only: an edit can't ask for a deny" 2 'refused \(allow-only\)' r edit vm1 22 --from 140.20.30.9 --deny
check "no-flip: the last address can't be taken out" 2 'refused \(no-flip\)' r edit vm1 22 --not 140.20.0.0/16
check "deny-all-fixed: a deny-all can't be modified" 2 'refused \(deny-all-fixed\)' r edit vm1 23 --also 140.20.30.9
check "narrow-only: the proof refuses a wider edit, with the packet that shows it" 2 'refused \(narrow-only\).* 203\.0\.113\.9 .*22/TCP' r edit vm1 22 --also 203.0.113.9
check "narrow-only: and an addition on a port that is closed now" 2 'refused \(narrow-only\)' r add vm1 --port 5900/tcp --from 140.20.30.9
check "an address that is none is bad input" 2 "'140.20.30.900' is not an address" r edit vm1 22 --also 140.20.30.900
check "words that are not UTF-8 are bad input" 2 '^whittle: rules: --why is not in UTF-8: .a\?b' r add vm1 --port 22 --from 140.20.30.9 --why $'a\x9bb'
check "an unknown rule is reported, with the command that lists the known ones" 2 "no recommended rule '8080'" r edit vm1 8080 --also 140.20.30.9
check "a refused change leaves no trace" 0 'Nothing was changed yet' r history

check "an edit within the present policy is saved, and says that it is not enforced" 0 'saved, not yet enforced' r edit vm1 22 --also 140.20.40.7 --why 'the new backup host'
check "the list shows it, with its reason" 0 '140\.20\.40\.7' r list vm1
check "the export contains it" 0 '140\.20\.40\.7' "$BUILD/whittle" export --format nft
check "history has user and reason" 0 "$(id -un).*edit.*the new backup host" env -u SUDO_USER "$BUILD/whittle" rules history
check "history has the time" 0 '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' r history
check "history has JSON with the same" 0 '"why": "the new backup host"' r history --json
check "a curve of one point is reported as such" 0 'The curve has one point' "$BUILD/whittle" recommend --curve --ports 23
check "recommend shows what enforce applies instead of the proposal" 0 'Edited by hand.*' "$BUILD/whittle" recommend --dry-run
check "with the rule as it is" 0 'vm1 TCP-Inbound-22 .22/TCP.: 140\.20\.30\.8/29, 140\.20\.40\.7, edited by' "$BUILD/whittle" recommend --dry-run
edited() { "$BUILD/whittle" "$@" --json | jq -r '.edits[] | .resource, .rule, .review, .prefixes[]' | tr '\n' ' '; }
check "the edited rule is in the JSON of recommend" 0 '^vm1 TCP-Inbound-22 edited 140.20.30.8/29 140.20.40.7 $' edited recommend --dry-run
check "explain has it for programs too" 0 '^vm1 TCP-Inbound-22 edited 140.20.30.8/29 140.20.40.7 $' edited explain vm1 22
check "rules without arguments lists them" 0 '140\.20\.40\.7' "$BUILD/whittle" rules
check "so does explain, below its first line" 0 'vm1 TCP-Inbound-22 .22/TCP.: 140\.20\.30\.8/29, 140\.20\.40\.7, edited by' "$BUILD/whittle" explain vm1 22
check "a narrowing edit is saved too" 0 'edited' r edit vm1 22 --not 140.20.30.13
check "a deletion reports what it opens again" 0 'Port 23/TCP opens again to all that web: telnet lets in' r delete vm1 23
check "an undo takes the deletion back" 0 . r undo
check "an addition for everybody is reported as such" 0 'deny-all.*lets in every IPv4 address' r add vm1 --port 23/tcp --from 0.0.0.0/0
check "an undo takes the addition back" 0 . r undo
check "undo takes the last step back" 0 'took back the edit' r undo
check "and leaves the one before" 0 '140\.20\.40\.7' r list vm1
check "undo again" 0 'took back the edit' r undo
lacks "brings the calculated rule back" '140\.20\.40\.7' r list vm1
check "addresses may be given one option at a time" 0 'edited' r edit vm1 22 --also 140.20.40.7 --also 140.20.41.0/24 --why $'new\e[2Jhost'
check "an edit with several addresses keeps all of them" 0 '140\.20\.40\.7' r list vm1
check "the other addition is not lost either" 0 '140\.20\.41\.0/24' r list vm1
check "adding and taking out at once is refused, since their order would decide" 2 "only one of --from, --also and --not" r edit vm1 22 --also 140.20.40.8 --not 140.20.30.9
lacks "and changes nothing" '140\.20\.40\.8' r list vm1
r undo >/dev/null
check "an unknown option is answered with the right one" 2 "did you mean '--also'" r edit vm1 22 --alsoo 140.20.40.7
check "the history of a resource that there is not is refused" 2 "no resource 'vm9'" r history vm9
check "the history is found by an address too" 0 'edit' r history 10.0.0.4
check "a reason can't move the terminal's cursor" 0 'new.\[2Jhost' r history
check "undo with nothing left reports that" 2 'nothing to undo' r undo

check "a deny-all can be deleted, until the next calculation, and a message says so" 0 'until the next calculation' r delete vm1 23 --why 'the terminal stays a week'
lacks "then it is not there" '23/tcp' r list vm1
"$BUILD/whittle" recommend >/dev/null 2>&1
check "the next calculation proposes it again" 0 '23/tcp .*deny all' r list vm1
check "an allow rule takes the place of a deny-all by addition" 0 'takes the place of the deny-all' r add vm1 --port 23/tcp --from 140.20.30.9 --why 'one terminal'
lacks "the deny-all is gone then" 'deny all' sh -c "'$BUILD/whittle' rules list vm1 | grep '23/tcp'"
"$BUILD/whittle" recommend >/dev/null 2>&1
check "an addition survives the next calculation" 0 'one terminal' r list vm1
check "reset removes all changes, and prints how to restore them" 0 'undo. brings them back' r reset vm1
check "as it was calculated" 0 '23/tcp .*deny all' r list vm1
check "undo brings a reset back" 0 'took back the reset' r undo
check "with what was added" 0 'one terminal' r list vm1
# ---- a recommendation from before anything was learned is not compared ----
early() { "$BUILD/whittle" "$@" --store "$dir/early.db"; }
{ early estate import "$dir/estate.yaml"; early recommend; early ingest "$dir/eve.json"; } >/dev/null 2>&1
lacks "the first rules are no changes of an empty calculation" 'Changes since|1970' early recommend

echo "1..$n"
