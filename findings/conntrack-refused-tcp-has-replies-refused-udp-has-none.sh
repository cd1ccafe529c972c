#!/bin/sh
# Expected: a connection whose reply direction counts packets was answered, and a port that refuses looks the same for TCP and UDP.
# Seen (Linux 6.18, conntrack 1.4.7): a refused TCP attempt ends in a DESTROY with one reply packet of 40 bytes (the reset) and no UPDATE
#   before it, though marked UNREPLIED; a refused UDP packet keeps 0 reply packets, because the ICMP error that came back is not counted.
# Matters to a program that learns "who serves whom" from counters: reply bytes above 0 are no service, and UDP that was refused looks like
#   UDP that was ignored and like one-way UDP that was read (syslog).
. "${0%/*}/lib.sh"
need bash
debian bookworm conntrack=1:1.4.7-1+b2 nftables=1.0.6-2+deb12u2
namespace a
conntrack() { inside a chroot "$tmp/bookworm" conntrack "$@"; }
inside a sysctl -qw net.netfilter.nf_conntrack_acct=1
inside a chroot "$tmp/bookworm" nft -f - <<'N'
table inet t {
	chain c {
		type filter hook output priority 0
		ct state new accept
	}
}
N
inside a timeout 20 chroot "$tmp/bookworm" conntrack -E >"$tmp/events" 2>&1 &
children=$!
wait_for() { for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do "$@" && return; sleep 0.2; done; }
sleep 1
# Nobody listens on port 9.
inside a bash -c 'echo x >/dev/udp/127.0.0.1/9'
inside a bash -c 'echo x >/dev/tcp/127.0.0.1/9' 2>/dev/null || :
wait_for grep -q DESTROY "$tmp/events"
conntrack -L -p udp >"$tmp/udp" 2>/dev/null
echo "kernel: $(uname -r)"
holds "the refused TCP attempt is NEW, then DESTROY, without an UPDATE" \
	eval 'grep "NEW. tcp" "$tmp/events" && grep "DESTROY. tcp" "$tmp/events" && ! grep "UPDATE. tcp" "$tmp/events"'
holds "its reply direction counts a packet of 40 bytes, and it is UNREPLIED" \
	grep -E 'DESTROY. tcp.*UNREPLIED.*packets=1 bytes=40' "$tmp/events"
holds "the refused UDP packet has an entry that stays" grep 'dport=9 ' "$tmp/udp"
holds "its reply direction counts nothing" grep -E 'UNREPLIED.*packets=0 bytes=0' "$tmp/udp"
