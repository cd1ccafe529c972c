#!/bin/sh
# enforce --to azure and rollback --to azure, against a strict stand-in for Azure Resource Manager on loopback, with its faults. Needs
# node and jq. Touches nothing of this machine but a temporary directory.
set -u
. "$(dirname "$0")/lib/start.sh"
export WHITTLE_STATE=$dir/state
server=
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; }; server=; }
at_end() { stop; }
if ! command -v node >/dev/null; then echo "1..0 # skip node is not installed"; exit 0; fi
export WHITTLE_CONFIG=/dev/null
token=tok-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
. "$here/lib/example.sh"
home=/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups

# group NAME: as Azure shows it, with the example's rule
group() {
	jq -n --arg n "$1" --arg id "$home/$1" '{name: $n, id: $id, type: "Microsoft.Network/networkSecurityGroups", location: "westeurope", tags: {owner: "net"},
		properties: {provisioningState: "Succeeded", resourceGuid: "g", subnets: [{id: "s"}], defaultSecurityRules: [], securityRules: [
			{name: "allow-ssh", id: ($id + "/securityRules/allow-ssh"), etag: "W/\"x\"", properties: {provisioningState: "Succeeded", priority: 300, access: "Allow",
				direction: "Inbound", protocol: "Tcp", sourcePortRange: "*", sourcePortRanges: [], sourceAddressPrefix: "140.20.30.0/24", sourceAddressPrefixes: [],
				destinationPortRange: "22", destinationPortRanges: [], destinationAddressPrefix: "*", destinationAddressPrefixes: []}}]}}'
}
# serve PLAN: the stand-in, with the groups of state.json
serve() {
	stop
	: >requests
	ARM_STATE=state.json ARM_TOKEN=$token ARM_PS=${ps:-} node "$here/../tools/arm_server.js" "$1" >requests 2>&1 &
	server=$!
	for i in $(seq 100); do
		port=$(sed -n 's/^listening //p' requests)
		[ -z "$port" ] || return 0
		sleep 0.1
	done
	return 1
}
fresh() { group web >web.json; group db >db.json; jq -s . web.json db.json >state.json; cp "$ledger" l.db; rm -f l.db-wal l.db-shm; rm -rf "$WHITTLE_STATE"; serve "${1:-}"; }
azure() { verb=$1; shift; WHITTLE_AZURE_TOKEN=$token timeout 120 "$w" --store l.db "$verb" --to azure --endpoint "http://127.0.0.1:$port" "$@" >out 2>err; }
# forge JQ [ARG…]: the records of the state directory as the expression has them, with a right checksum
forge() {
	sed 1d "$WHITTLE_STATE/azure.steps" | jq -c "$@" >forged &&
		node -e 'const b = require("fs").readFileSync("forged").subarray(0, -1); let c = ~0; for (const x of b) { c ^= x; for (let k = 0; k < 8; k++) c = c & 1 ? c >>> 1 ^ 0xedb88320 : c >>> 1; }
			process.stdout.write(`whittle-azure 1 ${b.length} ${(~c >>> 0).toString(16).padStart(8, "0")}\n${b}`)' >"$WHITTLE_STATE/azure.steps"
}
# rules NAME: name, priority and access of each rule at the stand-in
rules() { jq -r --arg n "$1" '.[] | select(.name == $n) | .properties.securityRules[] | "\(.properties.priority) \(.properties.access) \(.name)"' state.json | sort -n; }
has_deny() { rules "$1" | grep -q ' Deny TCP-Inbound-DENY-'; }
as_before() { [ "$(rules "$1")" = "300 Allow allow-ssh" ]; }
writes() { grep -c '^PUT' requests; }

group web >web.json
ledger=$dir/one.db
"$w" --store one.db estate import estate.yaml >out 2>err && "$w" --store one.db ingest eve.json >out 2>err && "$w" --store one.db recommend >out 2>err
check "the example is learnt"

printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true, nsgs: [web.json, db.json]}\n' >two.yaml
group db >db.json
cp one.db two.db && "$w" --store two.db estate import two.yaml >out 2>err && "$w" --store two.db recommend >out 2>err
check "and once more with two groups before the same host"

# ---- the way through ----
fresh
azure enforce vm1 --dry-run && grep -q '^  + 299 Inbound deny TCP-Inbound-DENY-' out && grep -q '^  + 298 Inbound allow whittle-vm1-TCP-in-22-allow TCP from 140.20.30.8/29 to 10.0.0.4 port 22' out &&
	grep -q 'Nothing was written' out && [ "$(writes)" -eq 0 ] && as_before web
check "a dry run shows the rules to be added and writes nothing"
azure enforce vm1 && grep -q 'applied, read back and compared: 3 changes' out && has_deny web && [ "$(writes)" -eq 1 ]
check "the group gets the rules by one PUT"
"$w" --store l.db rules list vm1 >out 2>err && grep -q "last enforced 20.* by $(id -un)" out
check "rules list shows when it was enforced, and by which user"
jq -e '.[0] | .tags.owner == "net" and .location == "westeurope"' state.json >/dev/null && [ "$(rules web | tail -n 1)" = "300 Allow allow-ssh" ]
check "everything else in the group is as it was"
azure enforce vm1 && grep -q 'nothing to change' out && [ "$(writes)" -eq 1 ]
check "enforcing again changes nothing, though the import is older than what whittle wrote"
azure enforce vm1 --json && jq -e '.groups[0] | .state == "unchanged" and .name == "web"' out >/dev/null
check "--json prints the same for programs"
azure rollback && grep -q 'the former rules are back' out && as_before web && [ "$(writes)" -eq 2 ]
check "rollback --to azure puts the former rules back"
"$w" --store l.db rules list vm1 >out 2>err && grep -q "last enforced 20.*, and rolled back since" out
check "rules list shows that, too"
azure rollback; [ $? -eq 2 ] && grep -q 'no change at Azure to undo' err
check "a second rollback has nothing to put back and reports that"
azure enforce vm9; [ $? -eq 2 ] && grep -q "no resource 'vm9'" err
check "an unknown resource is refused"

# ---- somebody else ----
fresh
jq '.[0].properties.securityRules += [.[0].properties.securityRules[0] | .name = "allow-more" | .properties.priority = 310 | .properties.sourceAddressPrefix = "*"]' state.json >s && mv s state.json
serve ""
azure enforce vm1; [ $? -eq 2 ] && grep -q 'allow-more was added' err && grep -q -- '--force' err && [ "$(writes)" -eq 0 ]
check "a group that somebody changed since its import is refused, by the name of the rule"
azure enforce vm1 --force && has_deny web && [ "$(rules web | tail -n 1)" = "310 Allow allow-more" ]
check "with --force it is planned upon the group as it is, and the other's rule stays"
jq '.[0].properties.securityRules += [.[0].properties.securityRules[0] | .name = "later" | .properties.priority = 320]' state.json >s && mv s state.json
serve ""
azure rollback; [ $? -eq 2 ] && grep -q 'later was added' err && has_deny web && azure rollback --force && ! has_deny web
check "rollback refuses a group that somebody changed since, and does it with --force"
fresh
azure enforce vm1
jq '(.[0].properties.securityRules[] | select(.name | startswith("TCP-Inbound-DENY")) | .properties.priority) = 305' state.json >s && mv s state.json && serve "" &&
	azure enforce vm1; [ $? -eq 2 ] && grep -q 'DENY-[0-9]* has another priority' err && azure enforce vm1 --force && has_deny web && rules web | grep -q ' Allow whittle-vm1-TCP-in-22-allow'
check "if another person moved one of whittle's rules, --force loses neither the deny nor the allow"
fresh change
azure enforce vm1 && has_deny web && grep -q 'planning again' err && [ "$(writes)" -eq 2 ]
check "412: a group that somebody changed meanwhile is read and planned once more"
fresh change,change
azure enforce vm1; [ $? -eq 1 ] && grep -q 'another user or program changed' err && as_before web
check "412 twice is reported, and nothing is applied"
fresh changerule
azure enforce vm1; [ $? -eq 2 ] && grep -q 'theirs was added' err && ! has_deny web
check "a rule that somebody adds meanwhile is not planned upon without --force"

# ---- a service that ails ----
fresh put409,put429,get429
azure enforce vm1 && has_deny web && grep -q 'Azure says 409; trying again' err && grep -q 'Azure says 429; trying again in 1000 ms' err
check "409 and 429 are tried again after the time in Retry-After"
fresh get500,put500
azure enforce vm1 && has_deny web
check "5xx is tried again"
fresh ill
azure enforce vm1; [ $? -eq 1 ] && grep -q '503 ServiceUnavailable' err && as_before web
check "a lasting 5xx is reported, and nothing was written"
fresh illput
azure enforce vm1; [ $? -eq 1 ] && grep -q 'nothing was applied' err && as_before web && azure rollback; [ $? -eq 2 ]
check "a PUT that never succeeds is reported to have applied nothing, and leaves nothing to roll back"
fresh cutput-before
azure enforce vm1 && has_deny web && [ "$(writes)" -eq 2 ] && grep -q 'sending it again' err
check "a connection cut before the PUT took effect: the group is read, and the PUT sent again"
fresh cutput-after
azure enforce vm1 && has_deny web && [ "$(writes)" -eq 1 ]
check "a connection cut after the PUT took effect: the group is read, and nothing is sent twice"
fresh mangle
azure enforce vm1; [ $? -eq 1 ] && grep -q 'the former group was put back' err && as_before web
check "a group that reads back differently is rolled back"
fresh asyncfail
azure enforce vm1; [ $? -eq 1 ] && grep -q 'with the state Failed' err && grep -q 'the former group was put back' err && as_before web
check "an operation that Azure ends as Failed is rolled back"
fresh asyncforever
azure enforce vm1 --wait 1s; [ $? -eq 1 ] && grep -q 'did not finish within 1 second' err && grep -q 'the former group was put back' err && as_before web && [ "$(wc -l <requests)" -lt 40 ]
check "an operation that never ends, at a service that wants to be asked at once, is given up in time, and rolled back"
fresh foreign
azure enforce vm1; [ $? -eq 1 ] && grep -q 'another host' err && as_before web
check "a poll at another host is refused, and the former group put back"


# ---- a service whose answers are chosen by an enemy ----
fresh asyncslow
azure enforce vm1 --wait 1s; [ $? -eq 1 ] && grep -q 'did not finish within 1 second' err && grep -q 'the former group was put back' err && as_before web && [ "$(grep -c '^GET 1$' requests)" -le 5 ]
check "one that never ends, and whose every answer takes its time, is given up in time, too"
fresh; azure enforce vm1; serve other
azure rollback; [ $? -eq 1 ] && grep -q 'answered with another resource' err && [ "$(writes)" -eq 0 ] && serve "" && azure rollback && as_before web
check "a rollback that is shown another group changes nothing, and the former one can still be put back"
fresh other,other
azure enforce vm1; [ $? -eq 1 ] && grep -q 'answered with another resource' err && [ "$(writes)" -eq 0 ]
check "nor is a rule planned upon another group"
fresh etagline,etagline
azure enforce vm1; [ $? -eq 1 ] && grep -q 'not a text of one line' err && ! grep -q SMUGGLED requests && [ "$(writes)" -eq 0 ]
check "an etag of two lines adds no line to a request"
fresh redirect; azure enforce vm1; [ $? -eq 1 ] && grep -q 'answered 307' err && fresh redirectput && azure enforce vm1; [ $? -eq 1 ] && grep -q '307.*nothing was applied' err && as_before web
check "no redirection is followed"
fresh later
azure enforce vm1; [ $? -eq 1 ] && grep -q 'asks to retry after 3600 s, but a change waits for 300 s at most' err && [ "$(grep -c '^GET' requests)" -eq 1 ]
check "a service that wants to be asked in a year is not asked before"
for flood in deep wide bomb; do
	fresh $flood; azure enforce vm1; [ $? -eq 1 ] && grep -q 'is not JSON' err && [ "$(writes)" -eq 0 ]
	check "$flood: no answer is read without a bound"
done
fresh huge
azure enforce vm1 && grep -q 'no answer; trying again' err && has_deny web
check "huge: no answer is taken beyond 32 MiB"

# ---- forgeries by the ledger's owner ----
if command -v sqlite3 >/dev/null; then
	fresh
	jq -c '.[0] | {id, name, steps: [{group: .id, etag: "x", who: "x", when: "2026-10-01T00:00:00Z", applied: ., ours: ["allow-ssh"], former: (.properties.securityRules[0].properties.sourceAddressPrefix = "*")}]}' state.json >forged.json
	sqlite3 l.db "INSERT INTO document(collection, key, json, time) SELECT 'azure', lower(json_extract(CAST(readfile('forged.json') AS TEXT), '\$.id')), CAST(readfile('forged.json') AS TEXT), 0" 2>err
	azure rollback; [ $? -eq 2 ] && grep -q 'are not used' err && [ "$(writes)" -eq 0 ] && ! grep -q '"sourceAddressPrefix": *"\*"' state.json
	check "a former group that somebody wrote into the ledger is not put back"
	azure enforce vm1 && has_deny web && [ "$(rules web | tail -n 1)" = "300 Allow allow-ssh" ]
	check "a person's rule is not taken for whittle's because the ledger says so"
fi
[ "$(stat -c '%a' "$WHITTLE_STATE")" = 700 ] && [ -e "$WHITTLE_STATE/azure.steps" ]
check "the former groups are kept where nobody else may look"

# ---- forgeries in the state directory, and changes at Azure ----
step='.[].steps[-1]'
fresh
azure enforce vm1; cp "$WHITTLE_STATE/azure.steps" steps
jq '.[0].tags.owner = "sales"' state.json >s && mv s state.json && serve ""
azure rollback; [ $? -eq 2 ] && grep -q 'but the etag is not' err && has_deny web && [ "$(writes)" -eq 0 ]
check "rollback refuses a group of which anything else than its rules was changed since, by its etag"
azure rollback --force && as_before web && jq -e '.[0].tags.owner == "sales"' state.json >/dev/null
check "with --force the former rules come back, and the other change stays"
# refused WORDS: rollback writes nothing, neither with --force
refused() { azure rollback; [ $? -ne 0 ] && grep -q "$1" err && azure rollback --force; [ $? -ne 0 ] && grep -q "$1" err && [ "$(writes)" -eq 0 ] && has_deny web && ! has_deny db; }
narrowed() { fresh; azure enforce vm1; cp state.json narrowed.json; serve ""; }
narrowed; LC_ALL=C sed -i 's/140.20.30.0/140.20.31.0/' "$WHITTLE_STATE/azure.steps"; refused 'checksum is wrong' && azure enforce vm1; [ $? -ne 0 ] && grep -q 'checksum is wrong' err && [ "$(writes)" -eq 0 ]
check "a record with changed bytes is not believed, by rollback and by enforce"
narrowed; sed -i 1d "$WHITTLE_STATE/azure.steps"; refused 'checksum is wrong'
check "a record without its checksum is not believed"
narrowed; forge "$step.former.properties.securityRules[0].properties.sourceAddressPrefix = \"*\""; refused 'refused: .* would allow'
check "a step that opens what the group never let in is refused, also with --force"
narrowed; forge "$step.former.properties.securityRules += [$step.former.properties.securityRules[0] | .name = \"theirs\" | .properties.priority = 200 | .properties.destinationPortRange = \"3389\"]"
refused 'refused: .* would allow .* to port 3389'
check "so is one with a foreign rule"
jq '.[0].tags.owner = "sales"' narrowed.json >state.json; forge "$step.removed = [\"theirs\"]"; serve ""; refused 'would allow\|the etag is not'
check "and one that claims that whittle had removed that rule, if whittle did not write the group"
narrowed; forge "$step.former.properties.securityRules = [$step.applied.properties.securityRules[] | select(.properties.access == \"Allow\") | .properties.sourceAddressPrefix = \"*\" | del(.properties.sourceAddressPrefixes)]"
refused 'refused: .* would allow'
check "and one with open rules that bear whittle's mark"
for path in group former.id applied.id; do
	narrowed; forge --arg db "$home/db" "$step.$path = \$db"; refused "another group"
	check "a step of which $path is another group's is refused"
done
narrowed; forge --arg db "$home/db" '{($db | ascii_downcase): .[]}'; refused "another group"
check "and a record under another group's id"
narrowed; forge --arg db "$home/db" '{($db | ascii_downcase): (.[] | .id = $db | .name = "db" | .steps[-1] |= (.group = $db | .former.id = $db | .applied.id = $db | .former.properties.securityRules[0].properties.sourceAddressPrefix = "*"))}'
azure rollback --force; [ $? -ne 0 ] && grep -q 'db: refused: .* would allow' err && [ "$(writes)" -eq 0 ]
check "a step that is wholly another group's opens nothing there"
narrowed; jq '.[0].properties.securityRules += [.[0].properties.securityRules[] | select(.name == "allow-ssh") | .name = "block-one" | .properties.priority = 200 | .properties.access = "Deny" | .properties.sourceAddressPrefix = "140.20.30.9"]' state.json >s && mv s state.json
forge --slurpfile s state.json "$step.ours += [\"block-one\"] | $step.applied.properties.securityRules += [\$s[0][0].properties.securityRules[] | select(.name == \"block-one\")]"
serve ""; azure enforce vm1 --force; rules web | grep -q '^200 Deny block-one'
check "enforce takes no rule away that a forged step calls whittle's"
fresh
jq '.[0].properties.securityRules[0].properties.sourceAddressPrefix = "140.20.30.9/32"' state.json >s && mv s state.json && serve ""
azure enforce vm1 --force; [ $? -eq 2 ] && grep -q 'refused: the rules would allow' err && [ "$(writes)" -eq 0 ]
check "--force does not spare enforce the proof either"

# ---- the token ----
fresh
WHITTLE_AZURE_TOKEN=wrong "$w" --store l.db enforce --to azure --endpoint "http://127.0.0.1:$port" >out 2>err; [ $? -eq 1 ] && grep -q 'wrong or has expired' err && as_before web
check "401: a wrong or expired token is reported in a sentence"
fresh forbid
azure enforce vm1; [ $? -eq 1 ] && grep -q 'may not read .*networkSecurityGroups/read' err
check "403 on reading names the permission that is missing"
fresh forbidput
azure enforce vm1; [ $? -eq 1 ] && grep -q 'may not change .*networkSecurityGroups/write' err && as_before web
check "403 on writing names the permission that is missing"
"$w" --store l.db enforce --to azure --endpoint "http://127.0.0.1:$port" >out 2>err; [ $? -eq 2 ] && grep -q 'no Azure token' err
check "without a token it prints where one is looked for"
WHITTLE_AZURE_TOKEN=$token "$w" --store l.db enforce --to azure --endpoint http://management.example.org >out 2>err; [ $? -eq 2 ] && grep -q 'never sent unencrypted' err
check "a token is never sent in the clear to another machine"
ps=$dir/seen
echo "$token" >secret
: >all
fresh expire
"$w" --store l.db enforce --to azure --endpoint "http://127.0.0.1:$port" --token-command 'cat secret' >out 2>err && has_deny web
check "a token that expires on the way is asked for again from the token command"
cat out err requests >>all
printf 'azure:\n  endpoint: http://127.0.0.1:%s\n  token-command: cat secret\n  wait: 1m\n' "$port" >w.yaml
"$w" --store l.db --config w.yaml enforce --to azure >out 2>err && grep -q 'nothing to change' out
check "whittle.yaml names the endpoint and the token command"
cat out err requests >>all
azure rollback && cat out err requests >>all && grep -q "enforce --to azure" seen && grep -q '^environment: ' seen && ! grep -q "$token" seen && ! grep -q "$token" all
check "the token shows neither among the processes, nor in their environment, nor in what is printed"
! grep -q "$token" l.db l.db-wal 2>/dev/null
check "the ledger does not hold the token"
ps=

# ---- the original, kept for a time ----
fresh
azure enforce vm1 --keep-original 2020-01-01; [ $? -eq 2 ] && grep -q '2020-01-01 is over' err
check "--keep-original refuses a day that is over"
azure enforce vm1 --keep-original 2099-01-31 && has_deny web && grep -q 'keeps allow-ssh until 2099-01-31' state.json && grep -q 'allow-ssh is kept below, disabled, until 2099-01-31' out
check "--keep-original writes the day into the deny, and reports that"
"$w" --store l.db status >out 2>err && grep -q 'web: the original rule allow-ssh is kept below the narrowed ones, disabled, until 2099-01-31' out &&
	"$w" --store l.db rules list >out 2>err && grep -q 'allow-ssh is kept' out && "$w" --store l.db status --json >out 2>err && jq -e '.keptOriginals[0] | .rule == "allow-ssh" and .over == false' out >/dev/null
check "status and rules list show which rule is kept until when"
azure enforce vm1 --keep-original 2098-06-30 && grep -q 'keeps allow-ssh until 2098-06-30' state.json && azure enforce vm1 && grep -q 'nothing to change' out
check "another day takes its place, and stays without the option"
LC_ALL=C sed -i 's/until 2098-06-30/until 2026-01-31/' state.json && forge 'walk(if type == "string" then sub("until 2098-06-30"; "until 2026-01-31") else . end)' && serve "" && azure enforce vm1 && grep -q '^  - 300 Inbound allow allow-ssh' out && ! rules web | grep -q allow-ssh && has_deny web
check "after the day the original is removed"
azure enforce vm1 && grep -q 'nothing to change' out && azure rollback && rules web | grep -q allow-ssh
check "the remaining rules are right, and a rollback brings the original back"

# ---- rules of just-in-time access ----
jit='.[0].properties.securityRules += [.[0].properties.securityRules[0] | .name = $n | .properties.priority = $p | .properties.sourceAddressPrefix = "198.51.100.7"]'
fresh
jq --arg n SecurityCenter-JITRule_1_A --argjson p 250 "$jit" state.json >s && mv s state.json && serve ""
azure enforce vm1 && has_deny web && rules web | grep -q '^250 Allow SecurityCenter-JITRule_1_A' && grep -q 'SecurityCenter-JITRule_1_A belongs to just-in-time access, and is left alone' out
check "an opening made since the import is no foreign change, is left alone, and is reported"
jq --arg n whittle-jit-17-vm1-TCP-22 --argjson p 251 "$jit" state.json >s && mv s state.json && serve ""
azure rollback && ! has_deny web && rules web | grep -q '^250 Allow SecurityCenter' && rules web | grep -q '^251 Allow whittle-jit-17'
check "a rollback leaves the openings of now as they are"

printf 'jit:\n  - {resource: vm1, ports: [22], longest: 3h}\n' >j.yaml
jit() { WHITTLE_AZURE_TOKEN=$token timeout 120 "$w" --store l.db --config j.yaml jit "$@" >out 2>err; }
to_azure() { jit nsg --to azure --endpoint "http://127.0.0.1:$port" "$@"; }
fresh
to_azure web && rules web | grep -q '^100 Deny whittle-jit-deny-vm1-TCP-22' && [ "$(rules web | wc -l)" -eq 2 ] && grep -q 'applied, read back and compared' out
check "jit nsg --to azure closes the policy's ports in the group at Azure"
to_azure && grep -q 'is as it should be' out && [ "$(writes)" -eq 1 ]
check "again it changes nothing"
jit open vm1 22 --from 140.20.30.9 --for 3s --to nsg --why 'a look' && to_azure --until-closed && [ "$(writes)" -eq 3 ] && ! rules web | grep -q ' Allow whittle-jit' && rules web | grep -q 'Deny whittle-jit-deny' &&
	grep -c 'applied, read back' out | grep -q 2
check "an opening is a rule there, and with --until-closed it goes at its time"
jit open vm1 22 --from 140.20.30.9 --for 1h --to nsg --why 'a look' && to_azure && rules web | grep -q ' Allow whittle-jit-[0-9]*-vm1-TCP-22' && grep -q 'a look' state.json && grep -q 'runs again after its time' err
check "without it the rule stays until the command runs again, and a message says so"
jit close "$(jit list --json && jq -r '.openings[0].id' out)" && to_azure && ! rules web | grep -q ' Allow whittle-jit' && "$w" --store l.db --config j.yaml jit list >out 2>err && grep -q 'Nothing is open' out
check "an opening that is closed early is removed by the next run"
jit open vm1 22 --from 203.0.113.9 --for 1h --to nsg && to_azure; [ $? -eq 2 ] && grep -q 'refused (narrow-only)' err && ! rules web | grep -q 203.0.113 && jit close "$(jit list --json && jq -r '.openings[0].id' out)"
check "an opening that the group does not allow is refused, and nothing is written"
jq '.[0].properties.securityRules |= map(select(.name | startswith("whittle-jit") | not))' state.json >s && mv s state.json && serve change && to_azure --json && jq -e '.groups[0].state == "applied"' out >/dev/null
check "412: what somebody changed meanwhile is built upon once more"
jit nsg web --until-closed; [ $? -eq 2 ] && grep -q 'go with --to azure' err
check "--until-closed without --to azure is refused"

# ---- two groups ----
ledger=$dir/two.db
fresh
azure enforce vm1 && has_deny web && has_deny db && azure rollback && as_before web && as_before db
check "every group that protects the host is changed, and put back"
azure enforce --nsg db && has_deny db && as_before web
check "--nsg changes one group alone"
fresh
jq '(.[] | select(.name == "db") | .properties) |= (del(.subnets) | .networkInterfaces = [{id: "n"}])' state.json >s && mv s state.json
jq '.[1]' state.json >db.json && cp two.db l.db && "$w" --store l.db estate import two.yaml >out 2>err && serve "" &&
	azure enforce vm1 --nsg-scope nic && has_deny db && as_before web
check "--nsg-scope nic changes the group at the network interface alone"
azure rollback && printf 'nsg-scope: subnet\n' >w.yaml && azure enforce vm1 --config w.yaml && has_deny web && as_before db
check "nsg-scope: subnet in whittle.yaml changes the subnet's alone"
azure rollback && azure enforce vm1 --nsg-scope host; [ $? -eq 2 ] && grep -q "'host' is not a scope" err
check "a scope that there is not is refused"
"$w" --store l.db export --format az --nsg-scope nic >out 2>err && grep -q -- '--nsg-name .db.' out && ! grep -q -- '--nsg-name .web.' out
check "export takes --nsg-scope too"
group db >db.json
fresh mangle@web
azure enforce vm1; [ $? -eq 1 ] && grep -q 'db, which was changed before, was put back' err && as_before web && as_before db
check "when the second group fails the first is put back, and this is reported"
fresh forbidput@web
azure enforce vm1; [ $? -eq 1 ] && grep -q 'was put back' err && as_before web && as_before db && azure rollback; [ $? -eq 2 ]
check "afterwards nothing is left to roll back"
jq 'del(.id)' web.json >noid.json && printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], nsgs: [noid.json]}\n' >noid.yaml &&
	cp one.db l.db && "$w" --store l.db estate import noid.yaml >out 2>err && { azure enforce; [ $? -eq 2 ]; } && grep -q 'has no ARM id' err
check "a group without an id is refused with what to do"
echo "1..$n"
