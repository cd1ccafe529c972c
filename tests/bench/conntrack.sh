#!/bin/bash
# watch --learn: how many connections a second it takes without a loss, with its one core's CPU time, and what it uses when nothing happens. Beyond its means the
# loss must be reported: messages that it read and messages that it says were lost are all that the kernel made, three a connection. The entries are put into
# the kernel's table by netlink, since packets through a namespace cost ten times more than the watcher; one row is of real packets.
set -euo pipefail
BUILD=$(cd "${BUILD:-build}" && pwd)
rates=${CONNTRACK_RATES:-50000 150000}
seconds=${CONNTRACK_SECONDS:-5}
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
mkdir "$dir/k" "$dir/state"
export WHITTLE_STORE=$dir/k/l.db WHITTLE_STATE=$dir/state
"$BUILD/tools/gen_eve" --records 10 --edges 2 >"$dir/some.json"
"$BUILD/whittle" ingest "$dir/some.json" >/dev/null
watch() { # watch BUFFER: on the first CPU; the thread that reads goes before the one that commits, and both before other programs
	printf 'watch: {learn: conntrack, connections: 1h, learn-buffer: %s}\n' "$1" >"$dir/w.yaml"
	ip netns exec "$ns" taskset -c 0 "$BUILD/whittle" watch --metrics 127.0.0.1:9465 --config "$dir/w.yaml" >"$dir/log" 2>&1 &
	watcher=$!
	until grep -q Watching "$dir/log" || ! kill -0 $watcher; do sleep 0.1; done
	for thread in /proc/$watcher/task/*; do chrt -f -p $((${thread##*/} == watcher ? 10 : 11)) "${thread##*/}" 2>/dev/null || true; done
}
ended() { kill $watcher; wait $watcher || true; watcher=; }
ticks() { awk '{ print $14 + $15 }' "/proc/$watcher/stat"; }
value() { # value METRIC
	in_ns bash -c 'exec 3<>/dev/tcp/127.0.0.1/9465 && printf "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" >&3 && cat <&3' |
		tr -d '\r' | awk -v m="whittle_learn_$1_total" '$1 == m { print $2 }'
}
all_of() { # all_of MADE MESSAGES LOST: until that many more were heard of, for at most 20 s
	for _ in $(seq 40); do
		messages=$(value messages) lost=$(value lost_messages) flows=$(value flows)
		[ $((messages + lost - $2 - $3)) -lt $(($1 * 3)) ] || break
		sleep 0.5
	done
}
run() { # run RATE TOOL: sets made, got, used, messages, lost, flows
	local m l f
	m=$(value messages) l=$(value lost_messages) f=$(value flows) used=$(ticks)
	read -r made got < <(in_ns chrt -f 10 taskset -c 1 "$BUILD/tools/$2" "$1" "$seconds")
	all_of "$made" "$m" "$l"
	used=$(($(ticks) - used)) messages=$((messages - m)) lost=$((lost - l)) flows=$((flows - f))
	awk -v made="$made" -v rate="$got" -v m="$messages" -v l="$lost" -v f="$flows" -v cpu="$used" -v rss="$(awk '/VmHWM/ { print $2 }' "/proc/$watcher/status")" 'BEGIN {
		printf "# %d connections, %d a second: %d messages read, %d lost, %d flows; %.2f s of CPU in %.1f s, peak memory %.0f MB\n", made, rate, m, l, f, cpu / 100, made / rate, rss / 1000 }'
}
row() { printf '%s\t%s\t%s\t%s\n' "$@"; }

watch 64M
sleep 2
before=$(ticks); sleep 10; idle=$(($(ticks) - before))
row "watch --learn when nothing happens (% of a core)" "$(awk -v t=$idle 'BEGIN { printf "%.1f", t / 10 }')" "< 1" "$([ $idle -lt 10 ] && echo met || echo missed)"
run 5000 gen_conns
row "watch --learn with real packets (connections not learned)" $((made - flows)) "= 0" "$([ "$made" = "$flows" ] && echo met || echo missed)"
for rate in $rates; do
	run "$rate" gen_tracked
	row "watch --learn at $rate connections a second (messages lost)" "$lost" "= 0" \
		"$([ "$got" -lt $((rate * 9 / 10)) ] && echo "missed: so many were not made" || { [ "$lost" = 0 ] && echo met || echo missed; })"
	row "watch --learn at $got connections a second (% of a core)" "$(awk -v u="$used" -v m="$made" -v g="$got" 'BEGIN { printf "%.0f", u * g / m }')" "< 100" "$([ $((used * got / made)) -lt 100 ] && echo met || echo missed)"
done
ended
watch 64K # 51 messages
run 200000 gen_tracked
ended
said=$({ grep -oE '\([0-9]+ in all\)' "$dir/log" || echo 0; } | tail -n 1 | tr -dc 0-9)
row "watch --learn with too little room, $lost of $((made * 3)) messages lost (unaccounted)" $((made * 3 - messages - lost)) "= 0" \
	"$([ $((messages + lost)) = $((made * 3)) ] && [ "$said" = "$lost" ] && echo met || echo missed)"
