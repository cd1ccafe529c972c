#!/bin/bash
# whittle in two minutes: a month of traffic through the real Suricata, narrowed rules, and a firewall that takes itself back.
# Everything happens in a temporary directory and two network namespaces of its own, and is gone afterwards.
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
[ "$(id -u)" = 0 ] || { echo "The demo makes network namespaces: run it as root (sudo make demo)." >&2; exit 1; }
for tool in suricata ip; do command -v $tool >/dev/null || { echo "The demo needs $tool: run \`make deps\` first." >&2; exit 1; }; done

dir=$(mktemp -d "${TMPDIR:-/tmp}/whittle-demo.XXXXXX")
export WHITTLE_STATE="$dir/state" # what survives a reboot
srv=whd-srv-$$ net=whd-net-$$
pids=()
cleanup() {
	for p in "${pids[@]:-}"; do [ -n "$p" ] && kill "$p" 2>/dev/null || true; done
	ip netns del "$srv" 2>/dev/null || true
	ip netns del "$net" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then b=$'\e[1m' d=$'\e[2m' n=$'\e[0m'; else b= d= n=; fi
step=0
say() { step=$((step + 1)); printf '\n%s%d. %s%s\n' "$b" "$step" "$1" "$n"; shift; for l; do printf '   %s\n' "$l"; done; }
show() { printf '%s   $ %s%s\n' "$d" "$*" "$n"; }
indent() { sed 's/^/   /'; }
w() { show "whittle $*"; WHITTLE_STORE="$dir/ledger.db" "$BUILD/whittle" "$@" 2>&1 | indent; }
failed=0
claim() { # claim SENTENCE WANTED GOT
	if [ "$2" = "$3" ]; then printf '   %s: %s\n' "$1" "$3"; else printf '   %s: %s (it should be: %s)\n' "$1" "$3" "$2"; failed=1; fi
}

say "A month of traffic at one server" \
    "Five partner hosts of a /29 and three IPv6 offices use ssh, an office with changing addresses uses remote desktop," \
    "nobody uses telnet any more; meanwhile others guess ssh passwords and scan ports."
"$BUILD/tools/gen_capture" --first-day "$(date -u -d "31 days ago" +%F)" "$dir/month.pcap"
ls -lh "$dir/month.pcap" | awk '{print "   a capture of 31 days, " $5}'

say "The estate: one server, and the network security group that guards it now" "It lets everyone in on 22 and 23, and a /16 on 3389."
w estate import tests/demo/estate.yaml

say "Suricata watches, whittle learns" "The real Suricata reads the capture; the plugin folds each flow into the ledger as it ends."
cat >"$dir/suricata.yaml" <<EOF
%YAML 1.1
---
vars: {address-groups: {HOME_NET: "[10.0.0.0/8]", EXTERNAL_NET: any}}
default-log-dir: $dir
plugins: [$PWD/$BUILD/whittle-suricata.so]
outputs:
  - eve-log: {enabled: yes, filetype: whittle, whittle: {store: $dir/ledger.db}, types: [alert, flow]}
default-rule-path: $dir
rule-files: []
app-layer: {protocols: {ssh: {enabled: yes}, tls: {enabled: yes}, rdp: {enabled: yes}}}
EOF
suricata -c "$dir/suricata.yaml" -r "$dir/month.pcap" -l "$dir" -k none --runmode single >"$dir/suricata.log" 2>&1 ||
	{ indent <"$dir/suricata.log"; exit 1; }
grep -E 'whittle:|read 1 file' "$dir/suricata.log" | sed 's/^[A-Za-z]*: //' | indent
w status

say "What it recommends" "Only what was there before can be allowed; everything proposed has been proved to be a narrowing."
w recommend

say "Why these hosts on ssh?"
w explain vm1 22 | head -n 40 || true

say "The same for Azure: the group that was imported, with the narrowed rules in it"
w export --format nsg -o "$dir/web.narrowed.json"
diff <(jq -S '.securityRules[]|{name,priority,access,port:.destinationPortRange}' -c tests/demo/web.json) \
     <(jq -S '.securityRules[]|{name,priority,access,port:.destinationPortRange}' -c "$dir/web.narrowed.json") | grep '^>' | sed 's/^>/   +/' || true

say "A firewall of its own" "Two network namespaces: the server, and a network in which we can be anyone."
ip netns add "$srv"
ip netns add "$net"
ip -n "$srv" link add s0 type veth peer name n0 netns "$net"
ip -n "$srv" addr add 10.0.0.4/24 dev s0
ip -n "$srv" link set lo up
ip -n "$srv" link set s0 up
ip -n "$net" addr add 10.0.0.1/24 dev n0
for a in 140.20.30.9 140.20.30.10 203.0.113.77; do ip -n "$net" addr add $a/32 dev n0; done
ip -n "$net" link set lo up
ip -n "$net" link set n0 up
ip -n "$srv" route add default via 10.0.0.1
ip netns exec "$srv" "$BUILD/tools/talk" serve 22 >"$dir/serve.log" &
pids+=($!)
for _ in $(seq 50); do grep -q listening "$dir/serve.log" && break; read -rt 0.1 <> <(:) || true; done
from() { ip netns exec "$net" "$BUILD/tools/talk" try "10.0.0.4@$1" 22; }
claim "140.20.30.9, a partner" connects "$(from 140.20.30.9 || true)"
claim "203.0.113.77, a stranger" connects "$(from 203.0.113.77 || true)"
mkfifo "$dir/in"
ip netns exec "$net" "$BUILD/tools/talk" hold 10.0.0.4@203.0.113.77 22 <"$dir/in" >"$dir/out" &
pids+=($!)
exec 7>"$dir/in"
for _ in $(seq 50); do grep -q connected "$dir/out" && break; read -rt 0.1 <> <(:) || true; done
echo "   The stranger also holds a connection open."

say "Enforce, for five seconds" "One transaction over netlink; the kernel itself takes it back when nobody confirms." \
    "(Each port also keeps 168.63.129.16, from which Azure's load balancers ask whether the host lives.)"
show "whittle enforce --confirm-within 5s"
WHITTLE_STORE="$dir/ledger.db" ip netns exec "$srv" "$BUILD/whittle" enforce --confirm-within 5s 2>&1 | indent
claim "140.20.30.10, inside the /29" connects "$(from 140.20.30.10 || true)"
claim "203.0.113.77, outside" "no connection" "$(from 203.0.113.77 || true)"
echo "still here" >&7
for _ in $(seq 30); do grep -q "still here" "$dir/out" && break; read -rt 0.1 <> <(:) || true; done
claim "the connection that was open before" "still here" "$(tail -n 1 "$dir/out")"

say "Nobody confirms" "We wait until the time is up. No process of whittle is running."
for _ in $(seq 60); do
	[ "$(from 203.0.113.77 || true)" = connects ] && break
	read -rt 0.2 <> <(:) || true
done
claim "203.0.113.77 again" connects "$(from 203.0.113.77 || true)"
exec 7>&-

printf '\n'
if [ "$failed" = 0 ]; then
	printf '%sEverything happened as it should; the machine is as it was.%s With `whittle confirm` the rules would have stayed.\n' "$b" "$n"
else
	printf '%sNot everything happened as it should: see above.%s\n' "$b" "$n"
	exit 1
fi
cat <<'END'

The console, on a demonstration estate of its own:
   export WHITTLE_STORE=/tmp/whittle-demo/ledger.db WHITTLE_STATE=/tmp/whittle-demo/state
   build/whittle demo-data /tmp/whittle-demo && build/whittle estate import /tmp/whittle-demo/estate.json
   build/whittle ingest /tmp/whittle-demo/eve.json && build/whittle recommend && build/whittle alerts
   build/whittle serve token add me --role operator      # the token to sign in with
   build/whittle serve --config /tmp/whittle-demo/whittle.yaml   # then open https://127.0.0.1:8443/
END
