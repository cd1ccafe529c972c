#!/bin/sh
# Expected: whoever listens to conntrack events gets the end of every connection that is tracked in its namespace; what listens in other
#   network namespaces plays no part.
# Seen (Linux 6.18, nf_conntrack_events at its default 2): a connection that began while nobody listened never sends an event, not even
#   DESTROY, however long somebody listens later; and one that began while a process listened in *another* namespace does.
# Matters to a program that starts after the traffic: events are not a superset of what ends, so it must also read the table; and its tests
#   pass or fail with what else runs on the machine (another container's listener, on a laptop often one, in CI none).
. "${0%/*}/lib.sh"
need bash timeout
debian bookworm conntrack=1:1.4.7-1+b2 nftables=1.0.6-2+deb12u2
namespace a
namespace b
conntrack() { inside a chroot "$tmp/bookworm" conntrack "$@"; }
[ "$(inside a cat /proc/sys/net/netfilter/nf_conntrack_events 2>/dev/null)" = 2 ] || skip "nf_conntrack_events is not 2 here"
inside a chroot "$tmp/bookworm" nft -f - <<'N'
table inet t {
	chain c {
		type filter hook output priority 0
		ct state new accept
	}
}
N
send() { inside a bash -c "echo x >/dev/udp/127.0.0.1/$1"; }
listen() { inside "$1" timeout 20 chroot "$tmp/bookworm" conntrack -E >"$tmp/events.$1" 2>/dev/null & children="$children $!"; last=$!; sleep 1; }

send 11 # Nobody should be listening; where the machine has a listener of its own, the first expectation cannot be seen.
listen b
send 12
kill "$last" && wait "$last" 2>/dev/null || :
listen a
conntrack -D -p udp --dport 11 >/dev/null 2>&1
conntrack -D -p udp --dport 12 >/dev/null 2>&1
sleep 1
kill "$last" && wait "$last" 2>/dev/null || :
echo "kernel: $(uname -r)"
grep -q 'dport=11 ' "$tmp/events.a" && skip "another process of this machine listens to conntrack events"
holds "the end of a flow that began without a listener is not reported to one that listens now" eval '! grep "dport=11 " "$tmp/events.a"'
holds "the end of a flow that began with a listener in another namespace is" grep 'DESTROY.*dport=12 ' "$tmp/events.a"
