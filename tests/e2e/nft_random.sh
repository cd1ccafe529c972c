#!/bin/bash
# The kernel that holds the rules and wh_nft_passes() judge alike: random rules, applied in every way, against random packets of both
# families and directions, to one or the other of its addresses, to ports that it redirects or publishes, and through it to others; whole
# and in fragments, with every set of flags.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
ns=whr-$$
if [ "$(id -u)" != 0 ] || [ ! -c /dev/net/tun ] || ! ip netns add $ns 2>/dev/null; then echo "ok 1 - the kernel judges as we do # skip no namespaces or no tun device here"; exit 0; fi
trap 'ip netns del $ns' EXIT
in_ns() { ip netns exec $ns "$@"; }
in_ns sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
ip -n $ns link set lo up
ip -n $ns tuntap add t0 mode tun || { echo "ok 1 - the kernel judges as we do # skip no tun device here"; exit 0; }
for a in 10.0.0.4/32 10.0.0.5/32; do ip -n $ns addr add $a dev t0; done; for a in 2001:db8::4/128 2001:db8::5/128; do ip -n $ns addr add $a dev t0 nodad; done
ip -n $ns link set t0 up; in_ns sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n $ns route add default dev t0; ip -n $ns -6 route add default dev t0
in_ns nft 'table inet behind {
	chain in { type filter hook input priority 10; log group 6 drop; }
	chain through { type filter hook forward priority 10; log group 6 drop; }
	chain out { type filter hook output priority 10; log group 6 drop; }
	chain translate { type nat hook prerouting priority dstnat;
		meta l4proto { tcp, udp } th dport 2222 redirect to :22
		meta nfproto ipv4 meta l4proto { tcp, udp } th dport 4430 fib daddr type local dnat ip to 10.9.0.9:443
		meta nfproto ipv6 meta l4proto { tcp, udp } th dport 4430 fib daddr type local dnat ip6 to [2001:db8:9::9]:443
	}
}'
seed=${WH_SEED:-$(date +%j)}
out=$(in_ns "$BUILD/tools/nft_random" "$seed" "${WH_ROUNDS:-12}" 2>&1); rc=$?
[ $rc = 0 ] && grep -qE '^[0-9]+ packets judged, [1-9][0-9]{2,} dropped, 0 judged' <<<"$out" && echo "ok 1 - the kernel judges as wh_nft_passes() does (seed $seed: $out)" ||
	{ echo "not ok 1 - the kernel judges as wh_nft_passes() does (seed $seed)"; printf '%s\n' "$out" | sed 's/^\([^#]\)/# \1/'; }
echo 1..1
