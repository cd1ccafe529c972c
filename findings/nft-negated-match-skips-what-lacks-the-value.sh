#!/bin/sh
# Expected: `ct mark != 5` matches every packet that does not carry connection mark 5, and `meta skuid != 1000` every packet that no
#   process of user 1000 sent; a packet without any connection or process differs from both.
# Seen (Linux 6.18, nft 1.0.6): where the value cannot be loaded (untracked packet, packet that the kernel made itself), the rule ends
#   without a match, whichever way the test is written. `ct state` is the exception: it has a value, "untracked", for such packets.
# Matters to whoever evaluates rules: the negation of a test is not its complement, and "!=" rules must not be read as "all others".
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2
namespace a
nft() { inside a chroot "$tmp/bookworm" nft "$@"; }

nft -f - <<'N'
table inet t {
	chain early {
		type filter hook output priority raw
		notrack
	}
	chain late {
		type filter hook output priority 0
		meta l4proto udp counter comment "udp"
		meta l4proto udp ct mark == 5 counter comment "mark is"
		meta l4proto udp ct mark != 5 counter comment "mark is not"
		meta l4proto udp ct direction != reply counter comment "direction is not"
		meta l4proto udp ct state != established counter comment "state is not"
		meta l4proto udp meta skuid != 12345 counter comment "owner of udp is not"
		meta l4proto icmp counter comment "icmp"
		meta l4proto icmp meta skuid == 12345 counter comment "owner of icmp is"
		meta l4proto icmp meta skuid != 12345 counter comment "owner of icmp is not"
	}
}
N
need bash
# Nobody listens on this port: the kernel answers with an ICMP error of its own.
inside a bash -c 'echo x >/dev/udp/127.0.0.1/9'
nft list ruleset >"$tmp/list"
counted() { grep -q "counter packets $1 .*comment \"$2\"" "$tmp/list"; }
echo "kernel: $(uname -r)"
holds "one untracked UDP packet passed" counted 1 "udp"
holds "it matches neither 'ct mark == 5' nor 'ct mark != 5'" eval 'counted 0 "mark is" && counted 0 "mark is not"'
holds "it does not match 'ct direction != reply'" counted 0 "direction is not"
holds "it does match 'ct state != established'" counted 1 "state is not"
holds "it does match 'meta skuid != 12345', because a process sent it" counted 1 "owner of udp is not"
holds "the kernel's own ICMP error matches neither 'meta skuid == 12345' nor 'meta skuid != 12345'" \
	eval 'counted 1 "icmp" && counted 0 "owner of icmp is" && counted 0 "owner of icmp is not"'
