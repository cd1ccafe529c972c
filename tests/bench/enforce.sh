#!/bin/bash
# 100,000 prefixes into the kernel: whittle over netlink against `nft -f` with the same ruleset, each in a namespace of its own, in turn.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
dir=$(mktemp -d); ns=whb-$$
trap 'ip netns del $ns 2>/dev/null; rm -rf "$dir"' EXIT
ip netns add $ns || exit 1
awk 'BEGIN{print "port in tcp 22"; for(i=0;i<100000;i++){a=167772160+i*16; printf "%d.%d.%d.%d/29\n",a/16777216,(a/65536)%256,(a/256)%256,a%256}}' >"$dir/set"
"$BUILD/tools/nft_tool" text "$dir/set" 0 >"$dir/set.nft"
run() { ip netns exec $ns /usr/bin/time -a -o "$dir/$1" -f '%e %U %S %M' "${@:2}" >/dev/null; ip netns exec $ns "$BUILD/tools/nft_tool" rollback; }
for _ in 1 2 3 4 5; do
	run whittle "$BUILD/tools/nft_tool" apply "$dir/set" 60
	run nft nft -f "$dir/set.nft"
done
med() { awk -v c="$2" '{print $c}' "$dir/$1" | sort -n | sed -n 3p; }
awk -v a="$(med whittle 1)" -v b="$(med nft 1)" -v m="$(med whittle 4)" -v n="$(med nft 4)" 'BEGIN{
	printf "# whittle %.2f s, %.1f MB; nft %.2f s, %.1f MB\n", a, m/1024, b, n/1024
	printf "enforce 100,000 prefixes, read back included: time / nft -f\t%.2f\t<= 0.40\t%s\n", a/b, a/b<=0.40?"met":"missed"
	printf "enforce 100,000 prefixes: memory / nft -f\t%.2f\t<= 0.20\t%s\n", m/n, m/n<=0.20?"met":"missed"}'
