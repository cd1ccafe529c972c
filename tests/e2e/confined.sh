#!/bin/bash
# The gain of an attacker that takes over a parser by its input: the reader of the ledger, of logs and of documents, the one of whittle.yaml, the one that speaks to
# Azure. A preloaded library plays the attacker's code in each of these processes, for a ledger of root's own, and for one of another user's.
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
n=0
t() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; [ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/# /'; fi; }
is() { if [ "$1" = "$2" ]; then t 0 "$3"; else t 1 "$3" "got '$1', wanted '$2'"; fi; }
# shellcheck disable=SC2086
if [ "$(id -u)" != 0 ] || ! ${CC:-gcc} --version >/dev/null 2>&1; then echo "ok 1 - $0 # skip needs root and a C compiler"; exit 0; fi
. tests/support/learned.sh
dir=$(mktemp -d -p "${ATTACK_BASE:-/var/lib}" whittle-confined.XXXXXX) || exit 1
server= roots=
trap '[ -z "$server" ] || kill $server 2>/dev/null; [ -z "$roots" ] || kill $roots 2>/dev/null; rm -rf "$dir"' EXIT
unset SUDO_USER WHITTLE_STORE WHITTLE_STATE
# shellcheck disable=SC2086
${CC:-gcc} -shared -fPIC -O1 -o "$dir/attack.so" tests/support/attack.c -ldl 2>"$dir/err" || { echo "ok 1 - $0 # skip the library does not build: $(head -n 1 "$dir/err")"; exit 0; }
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
W=$(realpath "$BUILD/whittle")
cp "$W" "$dir/whittle" 2>/dev/null
chmod 711 "$dir"
mkdir -m 700 "$dir/closed"; mv "$dir/eve.json" "$dir/estate.yaml" "$dir/web.json" "$dir/closed/"
mkdir -m 755 "$dir/roots"; export ATTACK_DIR=$dir/roots ATTACK_SECRET=$dir/roots/secret ATTACK_LOG=$dir/log WHITTLE_STATE=$dir/state
printf 'min-days: 1\nwatch: {hits: 4}\n' >"$dir/closed/whittle.yaml"; chmod 600 "$dir/closed/whittle.yaml"
# a program of root's that listens, and that others of its uid could reach or end; Linux limits signals since 6.12
"$W" --store "$dir/closed/l.db" ingest --listen "unix:$dir/closed/socket" >"$dir/closed/listens" 2>&1 & roots=$!
for _ in $(seq 100); do [ ! -S "$dir/closed/socket" ] || break; read -rt 0.1 <> <(:) || true; done
export ATTACK_SOCKET=$dir/closed/socket ATTACK_PID=$roots
[ "$(printf '6.12\n%s\n' "$(uname -r)" | sort -V | head -n 1)" != 6.12 ] || export ATTACK_SIGNALS=1
plain() { rm -rf "$dir/roots"/*; echo secret >"$ATTACK_SECRET"; chmod 600 "$ATTACK_SECRET"; : >"$ATTACK_LOG"; chmod 600 "$ATTACK_LOG"; }
w() { timeout -k 1 60 env LD_PRELOAD="$dir/attack.so" "$W" --store "$store" "$@" >"$dir/out" 2>&1; }
# kept PARSER UID SENTENCE: the attacker ran there, as UID, and got nowhere
kept() {
	local ran; ran=$(grep -c "^attack $1 uid $2\$" "$ATTACK_LOG")
	[ "$ran" -gt 0 ] && ! grep -q "^through $1:" "$ATTACK_LOG" && [ "$(cat "$ATTACK_SECRET" 2>&1) $(stat -c %a "$ATTACK_SECRET" 2>&1) $(ls -A "$ATTACK_DIR")" = "secret 600 secret" ]
	t $? "$3" "$(cat "$ATTACK_LOG"; tail -n 3 "$dir/out")"
}

for owner in root nobody; do
	uid=$(id -u $owner)
	mkdir -m 755 "$dir/$owner"; cp "$dir/l.db" "$dir/$owner/"; chown -R $owner "$dir/$owner"; store=$dir/$owner/l.db
	for command in "ingest $dir/closed/eve.json" status recommend 'explain vm1 22' 'prove vm1' 'export --format nft' replay edges 'rules list' 'estate show' 'intel list' doctor 'jit list' 'enforce --dry-run'; do
		plain
		# shellcheck disable=SC2086
		w $command
		if grep -q '^attack sqlite' "$ATTACK_LOG"; then kept sqlite "$uid" "a ledger of $owner's: code in the reader of '${command%% *}' reads and writes nothing of root's, runs nothing and has no network"
		else t 1 "the reader of '$command' opens the ledger" "$(cat "$ATTACK_LOG" "$dir/out")"; fi
	done
	plain; w estate import "$dir/closed/estate.yaml"; ! grep -v 'read a file' "$ATTACK_LOG" | grep -q '^through'; t $? "a ledger of $owner's: code in the reader of an estate changes nothing of root's, and has no network" "$(cat "$ATTACK_LOG")"
	plain; w --config "$dir/closed/whittle.yaml" status; kept yaml 65534 "code in the reader of whittle.yaml runs as nobody"
	grep -q 'ledger holds' "$dir/out"; t $? "and the file is read" "$(cat "$dir/out")"
	plain; w --config "$dir/closed/whittle.yaml" doctor; kept yaml 65534 "also by doctor"
done

# ---- Azure: what speaks to it, and what reads its answers ----
if command -v node >/dev/null; then
	home=/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups
	printf '[{"name":"web","id":"%s/web","type":"Microsoft.Network/networkSecurityGroups","location":"westeurope","tags":{},"properties":{"subnets":[{"id":"s"}],"defaultSecurityRules":[],"securityRules":[{"name":"ssh","id":"%s/web/securityRules/ssh","properties":{"priority":300,"access":"Allow","direction":"Inbound","protocol":"Tcp","sourcePortRange":"*","sourceAddressPrefix":"*","destinationPortRange":"22","destinationAddressPrefix":"*"}}]}}]' \
		$home $home >"$dir/groups"
	sed 's/^\[//; s/\]$//' "$dir/groups" >"$dir/closed/web.json"
	ARM_STATE=$dir/groups ARM_TOKEN=secret-token node tests/tools/arm_server.js "" >"$dir/requests" 2>&1 & server=$!
	for _ in $(seq 100); do port=$(sed -n 's/^listening //p' "$dir/requests"); [ -z "$port" ] || break; read -rt 0.1 <> <(:) || true; done
	export WHITTLE_AZURE_TOKEN=secret-token
	for owner in root nobody; do
		store=$dir/$owner/l.db; uid=$(id -u $owner)
		"$W" --store "$store" estate import "$dir/closed/estate.yaml" >"$dir/out" 2>&1; "$W" --store "$store" recommend >"$dir/out" 2>&1
		plain; w enforce --to azure --dry-run --endpoint "http://127.0.0.1:$port"
		grep -q 'Nothing was written' "$dir/out"; t $? "a ledger of $owner's: a plan for Azure is made" "$(cat "$dir/out")"
		kept https 65534 "code in the process that speaks to Azure runs as nobody, and has no file of root's"
		kept json "$uid" "code in the reader of Azure's answers has no network to send the token over"
		kept sqlite "$uid" "code in the reader of the ledger has no network either"
	done
fi
[ -S "$ATTACK_SOCKET" ] && kill -0 $roots 2>/dev/null; t $? "the program of root's listened all the time, and still does" "$(cat "$dir/closed/listens")"
echo "1..$n"
