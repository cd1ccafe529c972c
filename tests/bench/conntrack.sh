#!/bin/bash
# watch --learn: how many connections a second it takes without a loss, with real packets through a network namespace, its own CPU time, and what it uses when nothing
# happens. Beyond its means the loss must be reported: flows in the ledger and messages lost account for all connections.
set -euo pipefail
BUILD=$(cd "${BUILD:-build}" && pwd)
rates=${CONNTRACK_RATES:-50000}
seconds=${CONNTRACK_SECONDS:-10}
if [ "$(id -u)" != 0 ] || [ ! -c /dev/net/tun ]; then echo "# conntrack: needs root and /dev/net/tun"; exit 0; fi
dir=$(mktemp -d) ns=wht-bench-$$ watcher=
trap 'kill $watcher 2>/dev/null || true; ip netns del "$ns" 2>/dev/null; rm -rf "$dir"' EXIT
in_ns() { ip netns exec "$ns" "$@"; }
ip netns add "$ns"
ip -n "$ns" link set lo up
for d in gen0 gen1; do ip -n "$ns" tuntap add "$d" mode tun; ip -n "$ns" link set "$d" up txqueuelen 10000; done
ip -n "$ns" addr add 10.8.255.254/16 dev gen0
ip -n "$ns" addr add 10.9.0.254/24 dev gen1
in_ns sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.gen0.rp_filter=0 net.ipv4.conf.gen1.rp_filter=0 net.netfilter.nf_conntrack_acct=1 \
	net.netfilter.nf_conntrack_timestamp=1 net.netfilter.nf_conntrack_checksum=0 net.netfilter.nf_conntrack_tcp_timeout_close=1
in_ns nft 'table inet track { chain c { type filter hook forward priority 0; ct state new; }; }'
printf 'watch: {learn: conntrack, connections: 1h}\n' >"$dir/w.yaml"
mkdir "$dir/k" "$dir/state"
export WHITTLE_STORE=$dir/k/l.db WHITTLE_STATE=$dir/state
"$BUILD/tools/gen_eve" --records 10 --edges 2 >"$dir/some.json"
"$BUILD/whittle" ingest "$dir/some.json" >/dev/null
ip netns exec "$ns" "$BUILD/whittle" watch --config "$dir/w.yaml" >"$dir/log" 2>&1 &
watcher=$!
until grep -q Watching "$dir/log" || ! kill -0 $watcher; do sleep 0.1; done
ticks() { awk '{ print $14 + $15 }' "/proc/$watcher/stat"; }
flows() { "$BUILD/whittle" edges 10.9.0.1 --json 2>/dev/null | jq -s '[.[] | select(.port == 80 and .direction == "Inbound") | .flows] | add // 0'; }
lost() { { grep -oE '\([0-9]+ in all\)' "$dir/log" || echo 0; } | tail -n 1 | tr -dc 0-9; }
sleep 2
before=$(ticks); sleep 10; idle=$(($(ticks) - before))
awk -v t=$idle 'BEGIN { printf "watch --learn when nothing happens (%% of a core)\t%.1f\t< 1\t%s\n", t / 10, t < 10 ? "met" : "missed" }'
had=0 lost_before=0
for rate in $rates; do
	before=$(ticks)
	read -r made got < <(in_ns "$BUILD/tools/gen_conns" "$rate" "$seconds")
	used=$(($(ticks) - before)) # the CPU time to read and aggregate while they come
	for _ in $(seq 20); do kill -HUP $watcher; sleep 1; now=$(flows); [ "$((now - had))" -lt "$made" ] || break; done
	gone=$(lost); gone=${gone:-0}
	awk -v made="$made" -v rate="$got" -v flows=$((now - had)) -v lost=$((gone - lost_before)) -v cpu="$used" -v want="$rate" \
		-v rss="$(awk '/VmHWM/ { print $2 }' "/proc/$watcher/status")" 'BEGIN {
		printf "# %d connections, %d a second: %d in the ledger, %d messages lost, %.2f s of CPU in %.1f s, peak memory %.0f MB\n", made, rate, flows, lost, cpu / 100, made / rate, rss / 1000
		printf "watch --learn at %d connections a second (lost flows)\t%d\t= 0\t%s\n", want, made - flows, rate < want * 0.9 ? "missed: so many were not made" : made == flows ? "met" : lost ? "missed, and reported" : "missed"
	}'
	had=$now lost_before=$gone
done
