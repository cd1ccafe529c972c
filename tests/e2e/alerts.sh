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
gives "who comes from outside the recommended ranges is an alert" 0 'Traffic detected from IP addresses recommended for blocking' w alerts --sort time
gives "it is listed once, however often one looks" 0 '^same' same
name=$(w alerts --stored --json | jq -r '.value[] | select(.properties.alertType == "Network_TrafficFromUnrecommendedIP").name')
gives "its document has the fields that Azure's clients read" 0 '^true$' sh -c '"$0" --store "$1" alerts show "$2" --json | jq ".properties | .status == \"Active\" and .severity == \"Medium\" and
	.intent == \"PreAttack\" and (.entities | length) == 2 and (.remediationSteps | length) == 3 and .extendedProperties[\"Destination Port\"] == \"22\""' "$BUILD/whittle" "$dir/l.db" "$name"
gives "shown, it says what to do" 0 'What to do:' w alerts show "$name"
gives "an end of its name is enough" 0 'Traffic detected' w alerts show "${name#*-}"
gives "a name that no alert has is refused" 2 'there is none' w alerts show nosuchname
gives "it is worked on" 0 InProgress w alerts start "$name" --reason 'asked the office'
gives "it is resolved" 0 Resolved w alerts resolve "$name" --reason 'a colleague abroad'
gives "then it is not open any more" 0 '^false$' sh -c '"$0" --store "$1" alerts --json | jq "any(.value[]; .name == \"$2\")"' "$BUILD/whittle" "$dir/l.db" "$name"
gives "its timeline keeps who said what" 0 'Resolved by .*: a colleague abroad' w alerts show "$name"
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
gives "which keeps nothing" 0 'No suppression' w alerts suppressions
gives "one of everything is refused" 2 'would suppress every alert' w alerts suppress quiet --reason noise
gives "one without a reason is refused" 2 'needs a reason' w alerts suppress office --type PortScanning
gives "one of a type that is none is refused" 2 'whittle alerts types' w alerts suppress office --type Portscan --reason noise
gives "a suppression is kept" 0 '^office' w alerts suppress office --type Network_TrafficFromUnrecommendedIP --source 198.51.100.0/24 --reason abroad --for 30d
gives "and listed with its end" 0 'office.*Enabled.*abroad' w alerts suppressions
gives "and deleted" 0 deleted w alerts unsuppress office
gives "twice is once too often" 2 'there is none' w alerts unsuppress office
gives "types are listed with their tactics" 0 'SSH_Incoming_BF_OneToOne +Medium +PreAttack' w alerts types
gives "a severity that is none is refused" 2 'Informational, Low, Medium or High' w alerts --severity urgent
gives "so is a status" 2 'Active, InProgress, Resolved or Dismissed' w alerts --status open
gives "so is a verb" 2 "no 'alerts close'" w alerts close x
