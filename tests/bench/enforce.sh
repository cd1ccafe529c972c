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
command -v nft >/dev/null || { echo "# nft is not installed: enforce is not measured against its peers"; exit 0; }
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
# Against a bare libmnl batch of the same elements, which makes one set and reads nothing back: in turn, in seconds of CPU. What is
# applied is read back: that is a row of its own. Three sizes show how it grows.
in_ns() { ip netns exec $ns "$@"; }
cpu() { sed 's/.* \([0-9.]*\) s of CPU.*/\1/'; }
middle() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
spread() { sort -n | awk 'NR == 1 { a = $1 } { b = $1 } END { print a "-" b }'; }
peer="$BUILD/bench/peer_mnl"
mkdir -p "$BUILD/bench"
if [ tests/bench/peer_mnl.c -nt "$peer" ] && ! "${CC:-gcc}" -O3 -o "$peer" tests/bench/peer_mnl.c -lmnl 2>"$dir/why"; then
	echo "# no libmnl peer: $(head -n 1 "$dir/why")"
	peer=
fi
mkdir -m 700 "$dir/state"
for n in 25000 50000 100000; do
	head -n $((n + 1)) "$dir/set" >"$dir/part"
	: >"$dir/ratios"; : >"$dir/back"; : >"$dir/ours"
	for _ in 1 2 3 4 5; do
		rm -f "$dir/state/"*
		a=$(in_ns "$BUILD/tools/nft_tool" apply "$dir/part" 0 "$dir/state" | sed 's/.* s and //' | cpu | sed 's/ .*//')
		c=$(in_ns "$BUILD/tools/nft_tool" compare "$dir/part" cpu | sed 's/ .*//')
		in_ns "$BUILD/tools/nft_tool" rollback
		awk -v a="$a" -v n=$n 'BEGIN { print a / n * 1e6 }' >>"$dir/ours"
		[ -n "$peer" ] || continue
		m=$(in_ns "$peer" "$dir/part") || { echo "# no libmnl peer: it failed"; peer=; continue; }
		in_ns nft delete table inet peer
		awk -v a="$a" -v c="$c" -v m="$m" 'BEGIN { print (a - c) / m }' >>"$dir/ratios"
		awk -v c="$c" -v m="$m" 'BEGIN { print c / m }' >>"$dir/back"
	done
	echo "# $n prefixes: $(middle <"$dir/ours") us of CPU a prefix, read back${peer:+; times of the libmnl batch $(spread <"$dir/ratios"), reading back $(spread <"$dir/back")}"
done
[ -z "$peer" ] || awk -v a="$(middle <"$dir/ratios")" -v b="$(middle <"$dir/back")" 'BEGIN {
	printf "enforce 100,000 prefixes, not read back: time / bare libmnl batch\t%.2f\t<= 1.20\t%s\n", a, a <= 1.2 ? "met" : "missed"
	printf "reading 100,000 prefixes back: time / bare libmnl batch\t%.2f\t<= 0.50\t%s\n", b, b <= 0.5 ? "met" : "missed" }'

# One address more, over what was confirmed: only the difference travels, and sets that nobody touched are not read again.
in_ns "$BUILD/tools/nft_tool" apply "$dir/set" 0 >"$dir/all"
(cat "$dir/set"; echo 203.0.113.77) >"$dir/more"
: >"$dir/times"
for _ in 1 2 3 4 5; do
	in_ns "$BUILD/tools/nft_tool" apply "$dir/set" 0 "$dir/state" >/dev/null
	in_ns "$BUILD/tools/nft_tool" apply "$dir/more" 60 "$dir/state" >"$dir/one"
	a=$(sed 's/.* s and \([0-9.]*\) s of CPU.*/\1/' "$dir/one"); c=$(in_ns "$BUILD/tools/nft_tool" confirm "$dir/state" | cpu)
	awk -v a="$a" -v c="$c" 'BEGIN { print 1000 * (a + c) }' >>"$dir/times"
	if [ -n "${BASE:-}" ]; then # the whole of both commands, which read the lists, too
		in_ns "$BUILD/tools/nft_tool" apply "$dir/set" 0 "$dir/state" >/dev/null
		for build in "$BUILD" "$(dirname "$BASE")"; do
			[ "$build" = "$BUILD" ] && state=$dir/state || state=
			in_ns /usr/bin/time -o "$dir/t" -f '%U %S' "$build/tools/nft_tool" apply "$dir/more" 60 $state >/dev/null
			in_ns /usr/bin/time -a -o "$dir/t" -f '%U %S' "$build/tools/nft_tool" confirm $state >/dev/null
			awk '{ s += $1 + $2 } END { printf "%s ", s }' "$dir/t" >>"$dir/both"
			in_ns "$BUILD/tools/nft_tool" apply "$dir/set" 0 "$dir/state" >/dev/null
		done
		echo >>"$dir/both"
	fi
done
echo "# all: $(cat "$dir/all")"
echo "# one address more: $(cat "$dir/one"); with the confirmation $(spread <"$dir/times") ms of CPU"
[ -z "${BASE:-}" ] || echo "# both commands whole, against that build: $(awk '{ print $1 / $2 }' "$dir/both" | sort -n | tr '\n' ' ')"
awk -v a="$(sed 's/.*messages, \([0-9]*\) bytes.*/\1/' "$dir/all")" -v b="$(sed 's/.*messages, \([0-9]*\) bytes.*/\1/' "$dir/one")" -v ms="$(sort -n "$dir/times" | head -n 1)" \
	-v spared="$(sed 's/ sets not read.*//' "$dir/one")" 'BEGIN{
	printf "enforce, one prefix more than 100,000: bytes to the kernel / all\t%.4f\t<= 0.0100\t%s\n", b/a, (b/a <= 0.01 ? "met" : "missed")
	printf "enforce, one prefix more than 100,000, confirmed (ms of CPU)\t%.1f\t< 10\t%s\n", ms, (ms < 10 ? "met" : "missed")
	printf "the same: sets not read, of 98 that it asks for\t%d\t>= 96\t%s\n", spared, (spared >= 96 ? "met" : "missed")}'
