#!/usr/bin/env bash
# Threat lists from file to rule: six formats, what is taken out of them, their age, their guards, and that they only ever take away.
set -u
BUILD=$(cd "${BUILD:-build}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
shared=${WHITTLE_SHARED:-$here/../../../shared}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
. "$here/../support/learned.sh"
n=0
ok() { n=$((n + 1)); if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$dir/out"; fi; }
w() { "$BUILD/whittle" --store "$dir/l.db" --config "$dir/whittle.yaml" "$@" >"$dir/out" 2>&1; }
# gives SENTENCE STATUS PATTERN COMMAND…; lacks: the pattern must not be there
gives() { local what=$1 want=$2 pat=$3; shift 3; w "$@"; local rc=$?; [ $rc -eq "$want" ] && grep -qE -e "$pat" "$dir/out"; ok $? "$what"; }
lacks() { local what=$1 pat=$2; shift 2; w "$@" && ! grep -qE -e "$pat" "$dir/out"; ok $? "$what"; }

learned "$dir" || { echo "not ok 1 - a ledger to begin with"; exit 0; }

# One address per format, with everything around it that such files hold. 140.20.30.9 is one of the five peers that use ssh.
cat >"$dir/plain.txt" <<'L'
# a banner
198.51.7.0/24 ; SBL1
198.51.7.128/25
198.51.7.200-198.51.8.9
10.0.0.0/8
10.0.0.4
127.0.0.0/8
140.20.30.12
2a0e:97c0::/32
L
printf '"first_seen","dst_ip","port"\n"2026-01-01","45.1.0.1","22"\n# end\n' >"$dir/feodo.csv"
printf '{"cidr":"45.2.0.0/24","sblid":"SBL2"}\n{"type":"metadata","timestamp":1}\n' >"$dir/drop.json"
printf '45.3.0.1,1,100\n45.3.0.2,1,5\n' >"$dir/rep.list"
cat >"$dir/stix.json" <<'L'
{"type":"bundle","id":"bundle--1","objects":[{"type":"indicator","spec_version":"2.1","id":"indicator--1","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z",
"pattern":"[ipv4-addr:value = '45.4.0.1']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"}]}
L
printf '{"Event":{"info":"x","Attribute":[{"type":"ip-src","to_ids":true,"value":"45.5.0.1"},{"type":"ip-src","to_ids":false,"value":"45.5.0.2"}]}}\n' >"$dir/misp.json"
config() {
	cat >"$dir/whittle.yaml" <<-Y
	trusted: [140.20.30.12]
	threat-intel:
	  - {name: plain, file: $dir/plain.txt}
	  - {name: feodo, file: $dir/feodo.csv, column: dst_ip}
	  - {name: drop, file: $dir/drop.json}
	  - {name: rep, file: $dir/rep.list, format: iprep, min-score: 50}
	  - {name: stix, file: $dir/stix.json}
	  - {name: misp, command: 'cat $dir/misp.json', max-age: 1h}
	Y
}
config

gives "before any update there is no list, and the command that gets one is printed" 0 'No threat list yet' intel list
gives "all six formats are read" 0 '^misp: 1 entr' intel update
cp "$dir/out" "$dir/update"
grep -q '^plain: .* 4 networks after merging' "$dir/update"; ok $? "nested and overlapping networks of a list are merged"
grep -qE 'left out 10\.0\.0\.0/8 +private' "$dir/update"; ok $? "a private range is left out, and printed"
grep -qE 'left out 127\.0\.0\.0/8 ' "$dir/update"; ok $? "a reserved range is left out, and printed"
grep -qE 'left out 140\.20\.30\.12 +trusted' "$dir/update"; ok $? "a trusted peer is left out, and printed"
for pair in 198.51.8.3=plain 2a0e:97c0::1=plain 45.1.0.1=feodo 45.2.0.77=drop 45.3.0.1=rep 45.4.0.1=stix 45.5.0.1=misp; do
	gives "the list that ${pair%=*} came from is known" 0 "on ${pair#*=}, in " intel check "${pair%=*}"
done
for a in 10.9.9.9 140.20.30.12 45.3.0.2 45.5.0.2 10.0.0.4; do gives "$a is on no list" 0 'on no list' intel check "$a"; done
gives "an entry inside of a merged one is found by --json too" 0 '"list": "plain"' intel check 198.51.7.201 --json

# Only ever takes away.
allowed() { "$BUILD/whittle" --store "$dir/l.db" --config "$dir/whittle.yaml" recommend --dry-run --json 2>/dev/null >"$dir/rec.json"; }
allowed
tr -d ' \n' <"$dir/rec.json" >"$dir/before"
grep -q '140.20.30.8/29' "$dir/before"; ok $? "with lists of others the partner's /29 is what it was"
! grep -qE '198\.51|45\.[1-5]\.|97c0' "$dir/before"; ok $? "nothing that is on a list is in any rule"
printf '140.20.30.9,1,100\n140.20.30.15,1,90\n45.3.0.1,1,100\n' >"$dir/rep.list"
w intel update rep --force
gives "recommend reports that the peers left out now are on a list" 0 'TCP-Inbound-22 .*[0-9] peers? (was|were) seen in the removed prefixes, .*; 1 is on a threat list' recommend --dry-run
gives "explain names the list that keeps a peer out" 0 '140\.20\.30\.9 .*on rep' explain vm1 22
allowed
"$BUILD/whittle" --store "$dir/l.db" --config "$dir/whittle.yaml" recommend >/dev/null 2>&1
w export --format nft --resource vm1
grep -qE '140\.20\.30\.12' "$dir/out" && ! grep -qwE '140\.20\.30\.9|140\.20\.30\.15' "$dir/out"; ok $? "a listed peer is not allowed, whatever it did before; the trusted one is"
gives "and it is still proved to lie within the rules in force" 0 . prove

# Held for a person.
printf '140.20.30.9,1,100\n45.3.0.1,1,100\n' >"$dir/rep.list"
w intel update rep --force
printf '140.20.30.9,1,100\n140.20.30.11,1,100\n45.3.0.1,1,100\n' >"$dir/rep.list"
gives "a list with a new entry that holds a peer that belongs is held, and the peer is named with its port" 1 'would cut 140\.20\.30\.11 +22/TCP' intel update rep
grep -q 'would cut 140\.20\.30\.9 ' "$dir/out"; [ $? -eq 1 ]; ok $? "one that is kept out already is not named again"
gives "it is not in force" 0 '140\.20\.30\.11: on no list' intel check 140.20.30.11
gives "the entries that were in force still are" 0 '140\.20\.30\.9: on rep' intel check 140.20.30.9
gives "intel list says that it is held" 0 '^rep .*held until it is confirmed' intel list
gives "so does recommend" 0 "threat list 'rep' is held" recommend --dry-run
gives "a person puts it in force" 0 '^rep: in force, 3 networks' intel confirm rep
gives "a confirmed list is in force" 0 'on rep' intel check 140.20.30.11
gives "a second time there is nothing to confirm" 2 "no threat list 'rep' waits" intel confirm rep
gives "the same list is not held again" 0 '^rep: 3 entries' intel update rep
printf '45.3.0.1\n51.0.0.0/8\n' >"$dir/big.list"
printf 'threat-intel: [{name: big, file: %s/big.list}]\n' "$dir" >"$dir/big.yaml"
gives "a new list with a large block is held, though it holds nobody that belongs" 1 'would keep out all of 51\.0\.0\.0/8' intel update big --config "$dir/big.yaml"
echo 45.3.0.1 >"$dir/big.list"
gives "one without it takes its place" 0 '^big: 1 entry' intel update big --config "$dir/big.yaml"
gives "so that nothing waits any more" 2 "no threat list 'big' waits" intel confirm big
w intel forget big

# Guards.
seq 1 100 | sed 's/^/45.9.0./' >"$dir/plain.txt"
w intel update plain --force
seq 1 49 | sed 's/^/45.9.0./' >"$dir/plain.txt"
gives "a list that halved is refused" 1 'force' intel update plain
gives "and what was there of it stays in force" 0 'on plain' intel check 45.9.0.99
for i in 0 1 2; do seq 0 109 | sed "s/^/45.9.$i./"; done | awk -F. '{ print $1 "." $2 "." $3 "." 2 * $4 }' >"$dir/plain.txt"
gives "one that grew more than threefold too" 1 'force' intel update plain
gives "--dry-run --force prints the result, and stores nothing" 0 'not stored' intel update plain --dry-run --force
gives "so that the old one is still there" 0 'on plain' intel check 45.9.0.99
gives "--force takes it" 0 '^plain: 330 entries' intel update plain --force
printf '<html>404</html>\n' >"$dir/plain.txt"
gives "an error page is no list, and is named with its line" 2 'line 1' intel update plain
rm "$dir/plain.txt"
gives "a missing file is reported, and the others are still read" 2 '^stix: 1 entr' intel update
sed -i "s|cat $dir/misp.json|exit 7|" "$dir/whittle.yaml"
gives "a command that fails is reported with its status, not with its text" 1 'status 7' intel update misp

# The effects of one line.
seq 1 100 | sed 's/^/45.9.0./' >"$dir/plain.txt"
w intel update plain --force
echo 0.0.0.0/0 >>"$dir/plain.txt"
gives "a list with one line that holds the whole Internet is refused" 1 'would keep out [0-9]+ % of the whole Internet; --force' intel update plain
printf '0.0.0.0/1\n128.0.0.0/1\n::/0\n' >>"$dir/plain.txt"
gives "of both families, it would keep out all of it" 1 'would keep out 100 % of the whole Internet; --force' intel update plain
sed -i '102,$d' "$dir/plain.txt"
sed -i '$d' "$dir/plain.txt"; echo 61.0.0.0/8 >>"$dir/plain.txt"
gives "so is a list with networks that grew more than threefold, though its lines did not" 1 'networks grew more than threefold, from .* to 0.39 % of the Internet' intel update plain
gives "--force takes it" 0 '^plain: 101 entries' intel update plain --force
gives "and after that it is as before" 0 '^plain: 101 entries' intel update plain
printf '0.0.0.0/1\n' >"$dir/half.txt"
printf 'threat-intel: [{name: half, file: %s/half.txt}]\n' "$dir" >"$dir/half.yaml"
gives "a new list that holds half of it is refused as well" 1 'half.*would keep out' --config "$dir/half.yaml" intel update

# As files come.
{ printf '\357\273\277 45.7.0.1 \r\n'; seq 2 30 | sed 's/^/45.7.0./'; echo nonsense; } >"$dir/plain.txt"
gives "the mark of UTF-8 and Windows' line ends are no part of an address" 0 '^plain: 30 entries' intel update plain --force
gives "an unreadable entry is reported with its line" 0 '^    1 could not be read, the first in line 31$' intel update plain
printf '"n","dst_ip"\n"x"," 45.1.0.9 "\n' >"$dir/feodo.csv"
gives "blanks within a quoted field neither" 0 '^feodo: 1 entry, 1 network after' intel update feodo
gzip -c "$dir/feodo.csv" >"$dir/plain.txt"
gives "a compressed list is reported as such, with the command that reads it" 2 "compressed.*zcat" intel update plain
gives "a name that whittle.yaml does not have is refused, though others are asked for too" 2 "names no threat list 'nosuch'" intel update nosuch feodo
gives "an option that list does not take is refused" 2 'list takes no further words' intel list --nosuch
"$BUILD/whittle" --store "$dir/none.db" --config /dev/null intel update >"$dir/out" 2>&1
[ ! -e "$dir/none.db" ]; ok $? "an update of no list makes no ledger"

# Age.
gives "ages are shown" 0 'feodo .* min .*fresh' intel list
config
sed -i 's/max-age: 1h/max-age: 1s/' "$dir/whittle.yaml"
w intel update misp
until w intel list && grep -q 'misp .*stale' "$dir/out"; do sleep 0.2; done
ok 0 "a list older than its max-age is reported as stale"
gives "and is still in force" 0 'on misp' intel check 45.5.0.1
gives "recommend names the stale list" 0 'misp.*stale|stale.*misp' recommend --dry-run
gives "a list that whittle.yaml no longer names stays, and is reported" 0 'misp .*not in whittle.yaml any more' --config "$dir/half.yaml" intel list
gives "recommend prints how to remove a stale list" 0 "misp.*intel forget" --config "$dir/half.yaml" recommend --dry-run
gives "a list can be forgotten" 0 '^misp: forgotten' intel forget misp
gives "and none of its addresses" 0 'on no list' intel check 45.5.0.1

# Published lists, if the samples are next to the tree.
if [ ! -f "$shared/intel/firehol_2021_firehol_level1.netset" ]; then
	n=$((n + 1)); echo "ok $n - published lists # skip there are no samples beside this tree"
	exit 0
fi
cat >"$dir/whittle.yaml" <<Y
threat-intel:
  - {name: level1, file: $shared/intel/firehol_2021_firehol_level1.netset}
  - {name: drop4, file: $shared/intel/spamhaus_drop_v4.json}
  - {name: feodo3, file: $shared/intel/abusech_feodotracker_ipblocklist.csv, column: dst_ip}
  - {name: ipsum, file: $shared/intel/ipsum_head2000.txt}
  - {name: oasis, file: $shared/intel/stix21_indicator-for-c2-ip-address.json}
  - {name: xorist, file: $shared/intel/misp_event_57c4445b.json}
Y
gives "FireHOL, Spamhaus, abuse.ch, ipsum, OASIS and MISP are read as they were published" 0 '^level1: 2744 entries' intel update
grep -qE 'left out 10\.0\.0\.0/8 +private' "$dir/out" && grep -qE 'left out 192\.168\.0\.0/16 +private' "$dir/out"; ok $? "the private ranges that firehol_level1 holds are left out"
gives "10.0.0.4 is on no list" 0 'on no list' intel check 10.0.0.4
