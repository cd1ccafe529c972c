# shellcheck shell=bash
# For end-to-end tests with live packets: TAP, and three network namespaces that are gone afterwards.
#
#   $srv 10.0.0.4, 2001:db8::4 ── $rtr 10.0.0.1, 2001:db8::1 ── $net: can be anyone (140.20.30.8/29, 203.0.113.0/24, 2001:db8:7::/64 …)
#
# Between $rtr and $net packets may be 1,300 bytes long, and $net asks for longer ones: they need an ICMP message to find their way.
BUILD=${BUILD:-build}
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
is() { if [ "$1" = "$2" ]; then t 0 "$3"; else t 1 "$3" "got '$1', wanted '$2'"; fi; } # is GOT WANTED SENTENCE
# gives SENTENCE STATUS PATTERN COMMAND…: the command ends with that status, and a line that it prints has the pattern
gives() { local out rc; out=$("${@:4}"); rc=$?; if [ $rc = "$2" ] && grep -qE -e "$3" <<<"$out"; then t 0 "$1"; else t 1 "$1" "status $rc, wanted $2 and /$3/ in: $out"; fi; }
has() { if grep -qE -e "$2" <<<"$1"; then t 0 "$3"; else t 1 "$3" "no /$2/ in: $1"; fi; } # has TEXT PATTERN SENTENCE
pause() { read -rt "$1" <> <(:) || true; }
until_true() { local tries=$(($1 * 10)); shift; while [ $tries -gt 0 ]; do "$@" >/dev/null 2>&1 && return 0; tries=$((tries - 1)); pause 0.1; done; return 1; }

srv=wht-srv-$$ rtr=wht-rtr-$$ net=wht-net-$$
dir=$(mktemp -d) || exit 1
export WHITTLE_STATE=$dir/state # what survives a reboot
pids=()
netns_end() {
	for p in "${pids[@]:-}"; do [ -n "$p" ] && kill "$p" 2>/dev/null; done
	for ns in "$srv" "$rtr" "$net"; do ip netns del "$ns" 2>/dev/null; done
	rm -rf "$dir"
}
trap netns_end EXIT
trap 'exit 130' INT TERM

netns_begin() {
	if [ "$(id -u)" != 0 ] || ! ip netns add "$srv" 2>/dev/null; then echo "ok 1 - $0 # skip no network namespaces here"; exit 0; fi
	ip netns add "$rtr"; ip netns add "$net"
	for ns in "$srv" "$rtr" "$net"; do
		ip -n "$ns" link set lo up
		ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv4.conf.all.rp_filter=0
	done
	ip -n "$srv" link add s0 type veth peer name r0 netns "$rtr"
	ip -n "$net" link add n0 type veth peer name r1 netns "$rtr"
	ip -n "$srv" addr add 10.0.0.4/24 dev s0; ip -n "$srv" addr add 2001:db8::4/64 dev s0 nodad
	ip -n "$rtr" addr add 10.0.0.1/24 dev r0; ip -n "$rtr" addr add 2001:db8::1/64 dev r0 nodad
	ip -n "$rtr" addr add 10.0.1.1/24 dev r1; ip -n "$rtr" addr add 2001:db8:1::1/64 dev r1 nodad
	ip -n "$net" addr add 10.0.1.2/24 dev n0; ip -n "$net" addr add 2001:db8:1::2/64 dev n0 nodad
	for a in 140.20.30.9 140.20.30.10 203.0.113.77 203.0.113.78; do ip -n "$net" addr add $a/32 dev n0; done
	for a in 2001:db8:7::9 2001:db8:9::77; do ip -n "$net" addr add $a/128 dev n0 nodad; done
	ip -n "$srv" link set s0 up; ip -n "$rtr" link set r0 up; ip -n "$rtr" link set r1 mtu 1300 up; ip -n "$net" link set n0 mtu 1300 up
	ip netns exec "$rtr" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	for d in 140.20.30.0/24 203.0.113.0/24; do ip -n "$rtr" route add $d via 10.0.1.2; done
	for d in 2001:db8:7::/64 2001:db8:9::/64; do ip -n "$rtr" -6 route add $d via 2001:db8:1::2; done
	ip -n "$rtr" route add 255.255.255.255/32 dev r0
	ip -n "$srv" route add default via 10.0.0.1; ip -n "$srv" -6 route add default via 2001:db8::1
	ip -n "$net" route add default via 10.0.1.1 advmss 1460; ip -n "$net" -6 route add default via 2001:db8:1::1 advmss 1440
}
in_srv() { ip netns exec "$srv" "$@"; }
in_net() { ip netns exec "$net" "$@"; }
tool() { in_srv "$BUILD/tools/nft_tool" "$@"; }
# serve NAMESPACE PORT serve|userve: returns when it listens
serve() {
	local log=$dir/serve.$1.$3.$2
	ip netns exec "$1" "$BUILD/tools/talk" "$3" "$2" >"$log" 2>&1 &
	pids+=($!)
	until_true 5 grep -q listening "$log"
}
from() { in_net "$BUILD/tools/talk" try "10.0.0.4@$1" "${2:-22}"; }       # from ADDRESS [PORT]: connects | no connection
from6() { in_net "$BUILD/tools/talk" try "2001:db8::4@$1" "${2:-22}"; }
udp_from() { in_net "$BUILD/tools/talk" utry "10.0.0.4@$1" "$2" "${3:-5}"; } # udp_from ADDRESS PORT [BYTES]: answered | no answer
# hold ADDRESS: keeps a connection to port 22 open on file descriptor 7; said WORD: the word comes back
hold() {
	rm -f "$dir/in"; mkfifo "$dir/in"
	ip netns exec "$net" "$BUILD/tools/talk" hold "10.0.0.4@$1" 22 <"$dir/in" >"$dir/held" 2>&1 &
	pids+=($!)
	exec 7>"$dir/in"
	until_true 5 grep -q connected "$dir/held"
}
said() { echo "$1" >&7; until_true 3 grep -qx "$1" "$dir/held"; }
dropped() { in_srv nft list table inet whittle 2>/dev/null | sed -n 's/.*counter packets \([0-9]*\).*'"$1"'.*/\1/p' | awk '{s+=$1} END{print s+0}'; } # dropped "TCP 22"
