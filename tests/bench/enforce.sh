#!/bin/bash
# 100,000 prefixes into the kernel: whittle over netlink against `nft -f` with the same ruleset, each in a namespace of its own, in turn.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
dir=$(mktemp -d); ns=whb-$$
trap 'ip netns del $ns 2>/dev/null; rm -rf "$dir"' EXIT
ip netns add $ns || exit 1
awk 'BEGIN{print "port in tcp 22"; for(i=0;i<100000;i++){a=167772160+i*16; printf "%d.%d.%d.%d/29\n",a/16777216,(a/65536)%256,(a/256)%256,a%256}}' >"$dir/set"
# for nft the set is in one piece, as a person would write it
{ printf 'table inet whittle {\n\tset a {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\telements = { '
  sed -n '2,$p' "$dir/set" | paste -sd,; printf '}\n\t}\n\tchain b {\n\t\ttype filter hook input priority 0; policy accept\n\t\ttcp dport 22 ip saddr @a accept\n\t\ttcp dport 22 drop\n\t}\n}\n'; } >"$dir/set.nft"
run() { ip netns exec $ns /usr/bin/time -a -o "$dir/$1" -f '%e %U %S %M' "${@:2}" >/dev/null; ip netns exec $ns "$BUILD/tools/nft_tool" rollback; }
for _ in 1 2 3 4 5 6 7; do
	run whittle "$BUILD/tools/nft_tool" apply "$dir/set" 60
	run nft nft -f "$dir/set.nft"
done
# seven pairs, and the median of their ratios, in seconds of CPU (one thread each): other work on the machine reaches both of a pair.
# A listener to the ruleset's events anywhere on the machine makes both more expensive: the kernel then writes each element once more.
paste "$dir/whittle" "$dir/nft" | awk '{print ($2+$3)/($6+$7), $4/$8, $1, $5, $4, $8, $2+$3, $6+$7}' | sort -n | sed -n 4p | awk '{
	printf "# whittle %.2f s of CPU, %.2f s in all, %.1f MB; nft %.2f s of CPU, %.2f s in all, %.1f MB\n", $7, $3, $5/1024, $8, $4, $6/1024
	printf "enforce 100,000 prefixes, each read back: time / nft -f\t%.2f\t<= 0.40\t%s\n", $1, $1<=0.40?"met":"missed"
	printf "enforce 100,000 prefixes, each read back: memory / nft -f\t%.2f\t<= 0.20\t%s\n", $2, $2<=0.20?"met":"missed"}'
# One address more, over what was confirmed: only the difference travels.
ip netns exec $ns "$BUILD/tools/nft_tool" apply "$dir/set" 0 >"$dir/all"
(cat "$dir/set"; echo 203.0.113.77) >"$dir/more"
ip netns exec $ns "$BUILD/tools/nft_tool" apply "$dir/more" 60 >"$dir/one"
echo "# all: $(cat "$dir/all")"
echo "# one address more: $(cat "$dir/one")"
awk -v a="$(sed 's/.*messages, \([0-9]*\) bytes.*/\1/' "$dir/all")" -v b="$(sed 's/.*messages, \([0-9]*\) bytes.*/\1/' "$dir/one")" 'BEGIN{
	printf "enforce, one prefix more than 100,000: bytes to the kernel / all\t%.4f\t<= 0.0100\t%s\n", b/a, b/a<=0.01?"met":"missed"}'
