#!/bin/bash
# `export --format nft` prints the ruleset that `enforce` puts into the kernel: nft accepts the golden files, and the same ruleset,
# once loaded by nft and once applied over netlink, is listed alike.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi; }
command -v nft >/dev/null && ip netns add whs-a-$$ 2>/dev/null || { echo "ok 1 - the text and the kernel agree # skip no nft or no namespaces here"; exit 0; }
dir=$(mktemp -d); a=whs-a-$$; b=whs-b-$$
trap 'ip netns del $a; ip netns del $b; rm -rf "$dir"' EXIT
ip netns add $b
# The blocks of a listing in one order: the kernel lists them as they were made. Stateless, and without how long an element still has.
list() { ip netns exec "$1" nft -s list table inet whittle | sed 's/ expires [0-9a-z]*//' |
	awk 'BEGIN{RS=""} {gsub(/^table inet whittle \{\n|\n\}$/,""); gsub(/\n/,"\001"); print}' | sort | tr '\001' '\n'; }

for f in tests/golden/nft/*.nft; do
	ip netns exec $b nft -c -f "$f" >"$dir/out" 2>&1; rc=$?
	t $rc "nft takes $f"
	[ $rc = 0 ] || sed 's/^/# /' "$dir/out"
done

cat >"$dir/set" <<'S'
port in tcp 22
0.0.0.0/31
140.20.30.8/29
192.0.2.0/25
192.0.2.128/26
255.255.255.240/28
2001:db8::/64
ffff::/16
port in tcp 23
port in udp 161
::/0
port out tcp 3306
10.0.0.0/8
S
{ cat "$dir/set"; printf 'reject %s\n' 10.0.0.0/8 100.64.0.0/10 192.0.2.1 fd00::/9 2001:db8::/32; } >"$dir/some"
{ cat "$dir/set"; echo "reject all"; } >"$dir/all"
cp "$dir/set" "$dir/audit"; echo audit >>"$dir/audit"
# more than one tile holds, in both families
awk 'BEGIN{print "port in tcp 22"; for(i=0;i<5000;i++) printf "10.%d.%d.%d/30\n", i/4096, i/16%256, i%16*16; for(i=0;i<3000;i++) printf "2001:db8:%x::/64\n", i*3+1}' >"$dir/many"
for case in "set 0" "set 60" "audit 0" "some 0" "all 60" "many 60"; do
	set -- $case
	ip netns exec $a "$BUILD/tools/nft_tool" rollback
	ip netns exec $a "$BUILD/tools/nft_tool" apply "$dir/$1" "$2" >"$dir/out" 2>&1 || sed 's/^/# /' "$dir/out"
	"$BUILD/tools/nft_tool" text "$dir/$1" "$2" >"$dir/text.nft"
	ip netns exec $b nft -f "$dir/text.nft"
	list $a >"$dir/applied"; list $b >"$dir/loaded"
	[ -s "$dir/applied" ] && diff "$dir/loaded" "$dir/applied" >"$dir/diff"; rc=$?
	t $rc "the kernel lists the same after apply as after nft -f of the text ($1, $2 s)"
	[ $rc = 0 ] || sed 's/^/# /' "$dir/diff"
done

# What was read back of a set is not read again while nobody else changes the ruleset; and is, as soon as somebody does.
st=$dir/st; c=whs-c-$$; ip netns add $c; trap 'ip netns del $a; ip netns del $b; ip netns del $c; rm -rf "$dir"' EXIT
tool() { ip netns exec "$1" "$BUILD/tools/nft_tool" "${@:2}" >"$dir/out" 2>&1 || sed 's/^/# /' "$dir/out"; }
same() { tool "$1" compare "$2"; grep -qx same "$dir/out"; t $? "$3"; }
spared() { sed -n 's/ sets not read.*//p' "$dir/out"; }
mkdir -m 700 "$st"; sed '2a 10.200.0.0/24' "$dir/many" >"$dir/more"; sed 's,^10.0.2.0/30$,10.0.2.4/30,' "$dir/many" >"$dir/other"
tool $a rollback; tool $a apply "$dir/many" 0 "$st"
tool $a apply "$dir/more" 60 "$st"; few=$(spared)
tool $a confirm "$st"; same $a "$dir/more" "one prefix more is in force once it is confirmed, by what was known of the sets and what was read"
tool $a apply "$dir/more" 0 "$st"; all=$(spared)
ok=1; [ "${few:-0}" -ge 6 ] && [ "${all:-0}" -gt "$few" ] && ok=0; t $ok "sets that nobody touched are not read again: $few, then $all"
name=$(ip netns exec $a nft list sets inet | sed -n 's/.*set \(._input_tcp_22_v4\) {/\1/p' | head -n 1)
ip netns exec $a nft delete element inet whittle "$name" '{ 10.0.0.16/30 }'; rc=$?
tool $a apply "$dir/more" 0 "$st"; [ $rc = 0 ] && same $a "$dir/more" "an element that somebody else took away is put back, whatever was known"
# the same names, as many transactions, in another network namespace: what was known there
tool $a rollback; rm -f "$st"/*; ip netns del $a; ip netns add $a
tool $a apply "$dir/many" 0 "$st"; cp -r "$st" "$dir/copy"; tool $c apply "$dir/other" 0 "$st"; tool $c apply "$dir/many" 0 "$dir/copy"
same $c "$dir/many" "what is known of one network namespace says nothing of another"
echo "1..$n"
