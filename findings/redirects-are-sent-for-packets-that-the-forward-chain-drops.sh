#!/bin/sh
# Expected: a router whose forward chain drops everything is silent about what it drops; a packet that left the router in answer was let
#   through.
# Seen (Linux 6.18, nft 1.0.6): when a packet would go back out of the interface that it came in by, the kernel sends an ICMP redirect before the
#   forward hook is asked, so that the sender learns a way round a packet that is then dropped. The redirect quotes the packet and passes the
#   output hook. A limit by time decides which packets get one.
# Matters to whoever reads a packet's fate from what a later hook logs: a dropped packet turns up there, quoted, now and then.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2
need bash
namespace router
namespace host
inside router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.accept_dad=0 2>/dev/null || skip "forwarding cannot be switched on here"
inside host sysctl -qw net.ipv6.conf.default.accept_dad=0
inside router ip link add r0 type veth peer name h0 || skip "no veth devices here"
inside router sh -c 'sleep 300 & echo $!' >"$tmp/pid"
children=$(cat "$tmp/pid")
inside host sh -c 'sleep 300 & echo $!' >"$tmp/pid"
children="$children $(cat "$tmp/pid")"
inside router ip link set h0 netns "$(cat "$tmp/pid")"
for side in router.r0.1 host.h0.2; do
	ns=${side%%.*} n=${side##*.} dev=${side#*.} dev=${dev%.*}
	inside "$ns" ip addr add "192.0.2.$n/24" dev "$dev"
	inside "$ns" ip addr add "2001:db8::$n/64" dev "$dev" nodad
	inside "$ns" ip link set "$dev" up
done
# The host sends what is for .3, its own neighbour, to the router.
inside host ip route add 192.0.2.3/32 via 192.0.2.1
inside host ip -6 route add 2001:db8::3/128 via 2001:db8::1
inside router chroot "$tmp/bookworm" nft -f - <<'N'
table inet t {
	chain through {
		type filter hook forward priority 0; policy drop
		meta nfproto ipv4 udp dport 4000 counter drop comment "dropped 4"
		meta nfproto ipv6 udp dport 4000 counter drop comment "dropped 6"
	}
	chain out {
		type filter hook output priority 0
		icmp type redirect counter comment "redirect 4"
		icmpv6 type nd-redirect counter comment "redirect 6"
	}
}
N
sleep 2 # until both ends have a link-local address that is settled
for i in 1 2 3; do
	inside host bash -c "echo $i >/dev/udp/192.0.2.3/4000; echo $i >/dev/udp/2001:db8::3/4000" 2>/dev/null || :
	sleep 1
done
inside router chroot "$tmp/bookworm" nft list ruleset >"$tmp/list"
some() { grep -q "counter packets [1-9].*comment \"$1\"" "$tmp/list"; }
echo "kernel: $(uname -r)"
holds "the forward chain dropped the IPv4 packets" some "dropped 4"
holds "and redirects were sent for them" some "redirect 4"
holds "the forward chain dropped the IPv6 packets" some "dropped 6"
holds "and redirects were sent for them, too" some "redirect 6"
