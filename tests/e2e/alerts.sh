#!/usr/bin/env bash
# Alerts by the command: what is raised, shown, answered, suppressed; and what a wrong word gets for an answer.
set -u
BUILD=$(cd "${BUILD:-build}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
. "$here/../support/learned.sh"
. "$here/../support/gives.sh"
w() { "$BUILD/whittle" --store "$dir/l.db" "$@"; }
names() { w alerts --json | jq -c '[.value[] | [.name, .properties.entities]]'; }
same() { [ "$(names)" = "$(names)" ] && [ "$(names | jq length)" -eq 2 ] && echo same; }

learned "$dir" || { echo "not ok 1 - a ledger to begin with"; exit 0; }
gives "a sensor that was silent for weeks is an alert" 0 'The sensor has reported no flow' w alerts
w recommend >/dev/null 2>&1
head -1 "$dir/eve.json" | sed 's/140.20.30.9"/198.51.100.7"/; s/2026-10-01/2026-11-02/g' >"$dir/stranger.json"
gives "a stranger is read" 0 '' w ingest "$dir/stranger.json"
gives "a peer from outside the recommended ranges is an alert" 0 'Traffic detected from IP addresses recommended for blocking' w alerts --sort time
gives "it is listed once, however often one looks" 0 '^same' same
name=$(w alerts --stored --json | jq -r '.value[] | select(.properties.alertType == "Network_TrafficFromUnrecommendedIP").name')
gives "its document has the fields that Azure's clients read" 0 '^true$' sh -c '"$0" --store "$1" alerts show "$2" --json | jq ".properties | .status == \"Active\" and .severity == \"Medium\" and
	.intent == \"PreAttack\" and (.entities | length) == 2 and (.remediationSteps | length) == 3 and .extendedProperties[\"Destination Port\"] == \"22\""' "$BUILD/whittle" "$dir/l.db" "$name"
gives "alerts show prints the remedy" 0 'What to do:' w alerts show "$name"
gives "an end of its name is enough" 0 'Traffic detected' w alerts show "${name#*-}"
gives "a name that no alert has is refused" 2 'there is none' w alerts show nosuchname
gives "alerts start marks an alert as being worked on" 0 InProgress w alerts start "$name" --reason 'asked the office'
gives "alerts resolve marks it as resolved" 0 Resolved w alerts resolve "$name" --reason 'a colleague abroad'
gives "then it is not open any more" 0 '^false$' sh -c '"$0" --store "$1" alerts --json | jq "any(.value[]; .name == \"$2\")"' "$BUILD/whittle" "$dir/l.db" "$name"
gives "its timeline has each user and decision" 0 'Resolved by .*: a colleague abroad' w alerts show "$name"
sed 's/2026-11-02/2026-11-03/g' "$dir/stranger.json" >"$dir/again.json"
w ingest "$dir/again.json" >/dev/null
gives "when it comes back it opens again" 0 'Active by whittle: it came back' sh -c '"$0" --store "$1" alerts >/dev/null; "$0" --store "$1" alerts show "$2"' "$BUILD/whittle" "$dir/l.db" "$name"
gives "--fail-on ends a pipeline" 3 'recommended for blocking' w alerts --fail-on medium
gives "but not for less" 0 '' w alerts --fail-on high
gives "lines for a collector of EVE are JSON" 0 '"event_type":"alert"' w alerts --format eve
gives "lines for syslog have its header" 0 '^<108>1 2026-11-03T09:05:00Z vm1 whittle - Network_Traffic' w alerts --format syslog --severity medium --resource vm1
gives "a format that is none is refused" 2 'eve or syslog' w alerts --format cef
gives "a filter by tactic leaves the others out" 0 'No open alert' w alerts --tactic Exfiltration
gives "a suppression is simulated first" 0 'of [0-9]+ kept alerts it would have dismissed 1' w alerts suppress office --type Network_TrafficFromUnrecommendedIP --source 198.51.100.0/24 --reason abroad --simulate
gives "a simulated suppression is not stored" 0 'No suppression' w alerts suppressions
gives "a name that is not UTF-8 is refused" 2 "the rule's name is not in UTF-8" w alerts suppress $'caf\xe9' --type PortScanning --reason x
gives "one of everything is refused" 2 'would suppress every alert' w alerts suppress quiet --reason noise
gives "one without a reason is refused" 2 'needs a reason' w alerts suppress office --type PortScanning
gives "one of a type that is none is refused" 2 'whittle alerts types' w alerts suppress office --type Portscan --reason noise
gives "a suppression is kept" 0 '^office' w alerts suppress office --type Network_TrafficFromUnrecommendedIP --source 198.51.100.0/24 --reason abroad --for 30d
gives "and listed with its end" 0 'office.*Enabled.*abroad' w alerts suppressions
gives "a suppression rule is deleted" 0 deleted w alerts unsuppress office
gives "a rule that was deleted cannot be deleted again" 2 'there is no suppression rule' w alerts unsuppress office
gives "types are listed with their tactics" 0 'SSH_Incoming_BF_OneToOne +Medium +PreAttack' w alerts types
gives "an unknown severity is refused" 2 'Informational, Low, Medium or High' w alerts --severity urgent
gives "an unknown status is refused" 2 'Active, InProgress, Resolved or Dismissed' w alerts --status open
gives "an unknown subcommand is refused" 2 "no subcommand 'close'" w alerts close x

# ---- responses: a program that reads the alert, and a webhook ----
cat >"$dir/on-alert" <<-X
	#!/bin/sh
	{ id -un; echo "\$*"; env | grep -vE '^(PATH|PWD|SHLVL|_)='; cat; echo; } >>"$dir/answered/log"
X
chmod 755 "$dir" "$dir/on-alert"; mkdir -m 777 "$dir/answered"
printf 'alerts: {respond-command: [%s, --page, a b], respond-from: Medium}\n' "$dir/on-alert" >"$dir/c.yaml"; chmod 644 "$dir/c.yaml"
gives "a response that is not configured is refused with what to write" 2 'respond-command' w alerts respond
gives "alerts are handed to a program" 0 '"delivered":[1-9]' w alerts respond --config "$dir/c.yaml" --json
gives "once" 0 '^{"queued":0,"delivered":0,"waiting":0,"failed":0}$' w alerts respond --config "$dir/c.yaml" --json
me=$([ "$(id -u)" = 0 ] && echo nobody || id -un)
gives "it is nobody's, with its arguments as they stand, and reads the alert" 0 '^ok$' sh -c '[ "$(head -1 "$0")" = "$1" ] && [ "$(sed -n 2p "$0")" = "--page a b" ] && sed -n 3p "$0" | jq -e ".event == \"alert\" and .alert.properties.status == \"Active\"" >/dev/null && echo ok' "$dir/answered/log" "$me"
printf 'alerts: {respond-command: [sh, -c, id]}\n' >"$dir/c.yaml"
gives "a program without a path is refused" 2 'absolute path' w alerts respond --config "$dir/c.yaml"
if command -v node >/dev/null; then
	secret=0123456789abcdef0123456789abcdef
	printf '%s\n' "$secret" >"$dir/secret"; chmod 644 "$dir/secret"
	node "$here/../tools/hook_server.js" "$secret" "$dir/hook" 0 "$dir/port" & server=$!
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do [ -s "$dir/port" ] && break; sleep 0.1; done
	cp "$dir/l.db" "$dir/hook.db"; hw() { "$BUILD/whittle" --store "$dir/hook.db" --config "$dir/c.yaml" "$@"; }
	printf 'alerts: {webhook: "http://127.0.0.1:%s/hook?x=1", secret-file: %s, respond-from: Low}\n' "$(cat "$dir/port")" "$dir/secret" >"$dir/c.yaml"
	gives "a secret that others may read is refused" 2 'chmod 600' hw alerts respond
	chmod 600 "$dir/secret"
	sed 's/2026-11-02/2026-11-05/g; s/198.51.100.7/198.51.100.8/' "$dir/stranger.json" >"$dir/later.json"
	hw ingest "$dir/later.json" >/dev/null; hw alerts --json | jq -r '.value[].name' | xargs -r "$BUILD/whittle" --store "$dir/hook.db" alerts resolve >/dev/null
	sed 's/2026-11-05/2026-11-06/g' "$dir/later.json" >"$dir/later2.json"; hw ingest "$dir/later2.json" >/dev/null
	gives "a webhook gets what becomes active" 0 '"delivered":[1-9][0-9]*,"waiting":0' hw alerts respond --json
	gives "signed, by POST, at its path" 0 '^POST /hook\?x=1 204$' cat "$dir/hook.log"
	gives "as JSON with the time" 0 '^true$' sh -c 'head -1 "$0" | jq ".version == 1 and (.sentAt | length) == 20 and (.alert.name | length) > 20"' "$dir/hook"
	printf 'another-secret-of-some-length\n' >"$dir/secret"
	sed 's/2026-11-05/2026-11-07/g; s/198.51.100.8/198.51.100.9/' "$dir/later.json" >"$dir/l3.json"; hw ingest "$dir/l3.json" >/dev/null
	hw alerts --json | jq -r '.value[].name' | xargs -r "$BUILD/whittle" --store "$dir/hook.db" alerts resolve >/dev/null
	sed 's/2026-11-07/2026-11-08/g' "$dir/l3.json" >"$dir/l4.json"; hw ingest "$dir/l4.json" >/dev/null
	gives "an alert that is not taken waits, and the reason is printed" 0 'answered with HTTP status 401; it is tried again' hw alerts respond
	sed -i 's|127.0.0.1:[0-9]*|192.0.2.1|' "$dir/c.yaml"
	gives "in clear only to this machine" 2 'https URL' hw alerts respond
	kill $server; wait $server 2>/dev/null || : # it ends by that signal
else
	n=$((n + 1)); echo "ok $n - a webhook gets what becomes active # skip node is not installed"
fi
