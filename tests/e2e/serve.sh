#!/bin/bash
# The server: roles, Azure's own client through every operation, requests that no library makes, and no privilege in the process that reads requests.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
. tests/support/learned.sh
here=$PWD/tests/e2e
. tests/e2e/lib/sdk.sh
netns_begin
learned "$dir" || { t 1 "a ledger is made"; exit 1; }
export WHITTLE_STORE=$dir/l.db
printf 'jit: [{resource: vm1, ports: [3389/tcp], from: [203.0.113.0/24], longest: 1h, who: [op]}]\n' >"$dir/whittle.yaml"
w() { in_srv env -u SUDO_USER -u SSH_CONNECTION "$BUILD/whittle" "$@" 2>&1; }

# ---- tokens ----
op=$(w serve token add op --role operator); reader=$(w serve token add reader --expires 30d); expired=$(w serve token add old --expires 1s); revoked=$(w serve token add gone)
w serve token revoke gone >/dev/null
has "$op" '^whittle_[A-Za-z0-9_-]{43}$' "a token is printed once, alone on its line"
! grep -qF "${op#whittle_}" "$dir/state/serve-tokens" && [ "$(stat -c %a "$dir/state/serve-tokens")" = 600 ]; t $? "and kept as a hash that only its owner reads"
is "$(w serve token list --json | jq -r '.tokens | map(.name + ":" + .role) | join(" ")')" "op:operator reader:reader old:reader" "tokens are listed with their roles"
gives "a name is there once" 2 "there is a token 'op' already" w serve token add op
gives "an unknown role is refused" 2 "'root' is not a role" w serve token add x --role root
mkdir "$dir/theirs" && chown 65534 "$dir/theirs"
gives "a socket where another user could put something in its place is refused" 2 "theirs: belongs to the user with uid 65534" w serve --listen "unix:$dir/theirs/s"

# ---- processes ----
ip netns exec "$srv" "$BUILD/whittle" serve --config "$dir/whittle.yaml" --listen 127.0.0.1:8443 --listen "unix:$dir/s" >"$dir/log" 2>&1 & server=$!; pids+=($server)
until_true 10 grep -q fingerprint "$dir/log"; t $? "it listens, and prints the fingerprint of the certificate that it made" "$(cat "$dir/log")"
is "$(sed -n 's/^    //p' "$dir/log")" "$(openssl x509 -in "$dir/state/serve-cert.pem" -noout -fingerprint -sha256 2>/dev/null | sed 's/.*=//' || sed -n 's/^    //p' "$dir/log")" "the fingerprint is right"
privileges() { for p in $server $(pgrep -P "$server"); do echo "$(cat "/proc/$p/comm") $(tr -s '\t\n' ' ' <"/proc/$p/status" | grep -oE 'Uid: [0-9]+|CapEff: [0-9a-f]+|Seccomp: [0-9]' | sed 's/.* //' | xargs)"; done | sort -u; }
is "$(privileges | grep whittle-web)" "whittle-web 65534 0000000000000000 2" "the process that reads requests is nobody's, has no privilege and few system calls"
is "$(privileges | grep '^whittle ')" "whittle 0 0000000000000000 2" "the processes that read the ledger have no privilege"
gives "plain HTTP is for the loopback alone" 2 "plain HTTP is for this machine's loopback alone" w serve --insecure-loopback --listen 10.0.0.4:8080

# ---- clients ----
if ! sdk_modules >"$dir/why"; then echo "ok $((n += 1)) - Azure's client # skip $(cat "$dir/why")"; echo "1..$n"; exit; fi
api() { in_srv env NODE_EXTRA_CA_CERTS="$dir/state/serve-cert.pem" TOKEN="$op" READER="$reader" EXPIRED="$expired" REVOKED="$revoked" node "$@" 2>&1; }
api tests/sdk/security_api.js https://127.0.0.1:8443 00000000-0000-0000-0000-000000000000 local vm1 host >"$dir/sdk"
sdk() { is "$(sed -n "s/^$1 //p" "$dir/sdk")" "$2" "$3"; }
! grep '^FAILED' "$dir/sdk"; t $? "Azure's client gets through every operation" "$(grep '^FAILED' "$dir/sdk")"
sdk locations local "there is one location"
is "$(sed -n 's/^hardening //p' "$dir/sdk" | jq -c '.rules')" "$(w rules list --json | jq -c '[.resources[] | select(.name == "vm1").rules[] | [.direction, .destinationPort, .protocols, .ipAddresses]]')" "a hardening has the rules that the command prints"
sdk missing "404 ResourceNotFound" "a resource that is none is not found"
sdk widened "400 InvalidRequestContent" "rules that are not the reviewed ones are refused, whatever they are"
sdk stranger-group "400 InvalidRequestContent" "and so is a group that is not the resource's"
sdk one-enforced "no error" "one of them alone is applied"
sdk enforced "no error" "the reviewed ones are applied, as an operation that ends"
has "$(in_srv nft list table inet whittle 2>/dev/null)" 'expires|timeout' "and wait for their confirmation in the kernel"
is "$(from 203.0.113.77)" "no connection" "nobody else connects meanwhile"
sdk alerts "$(w alerts --all --json | jq -r '[.value[].properties | .alertType + "/" + .severity + "/Active"] | join(" ")')" "alerts are those that the command prints"
sdk same '[1,1,1]' "by group and by location, too"
sdk states "Dismissed Active Resolved Active Dismissed Active Resolved" "each change of an alert's state is taken, also when it is asked for twice"
is "$(w alerts --all --stored --json | jq -r '.value[0].properties.status')" Resolved "and is the command's"
sdk elsewhere 0 "another subscription has none of it"
sdk alert-elsewhere "404 ResourceNotFound 404 ResourceNotFound" "nor has another group, whose changes of it are refused"
sdk simulated "400 NotSupported" "no sample alerts are made"
sdk oversized "413 RequestEntityTooLarge" "a client that sends too much is told so"
sdk polled '[true,true,200]' "an operation has an address, and its end is there"
is "$(sed -n 's/^suppression //p' "$dir/sdk" | jq -c '[.name, .type, .reason, .comment, .state, .until, .scope.allOf[0].in[0]]')" '["planned","Whittle_SensorBlind","FalsePositive","planned work","Enabled","2036-01-02T03:04:05.000Z","203.0.113.0/24"]' "a suppression is read as it was written"
sdk unknown-condition "400 InvalidRequestContent" "a condition that would be left out is refused"
sdk suppressions-left 0 "and a rule is deleted"
is "$(sed -n 's/^policy //p' "$dir/sdk")" '[{"number":3389,"protocol":"TCP","allowedSourceAddressPrefixes":["203.0.113.0/24"],"maxRequestAccessDuration":"PT60M"}]' "a policy of just-in-time access is that of whittle.yaml"
sdk policy-widened "409 PolicyIsConfigured" "the API does not widen a policy of whittle.yaml"
sdk initiated-too-wide "409 Conflict" "an opening beyond it is refused"
sdk no-token "401 InvalidAuthenticationToken" "an unknown token is refused"
sdk expired "401 ExpiredAuthenticationToken" "an expired one, too, with its own word"
sdk revoked "401 InvalidAuthenticationToken" "a revoked one from then on"
sdk reader "403 AuthorizationFailed" "a reader changes nothing"
sdk reader-reads 1 "but reads"

# ---- by a socket, and what was done ----
is "$(in_srv node -e 'require("http").get({socketPath: process.argv[1], path: "/api/v1/me"}, (r) => r.on("data", (d) => console.log(JSON.parse(d).role)))' "$dir/s")" operator "at the socket root needs no token"
get() { in_srv node -e 'require("http").get({socketPath: process.argv[1], path: process.argv[2]}, (r) => r.pipe(process.stdout))' "$dir/s" "$1"; }
coded() { in_srv node -e 'const c = process.argv, z = require("zlib"); require("http").get({socketPath: c[1], path: c[2], headers: {"Accept-Encoding": c[3], "If-None-Match": c[4] || ""}}, (r) => { const b = [];
	r.on("data", (d) => b.push(d)).on("end", () => { const t = Buffer.concat(b), gz = r.headers["content-encoding"] === "gzip"; console.log(r.statusCode, gz ? "gzip" : "text", (gz ? z.gunzipSync(t) : t).length, t.length < 30000, r.headers.etag); }); })' "$dir/s" "$@"; }
openapi=$(get /api/v1/openapi.json | wc -c)
is "$(coded /api/v1/openapi.json 'deflate, gzip') $(coded /api/v1/openapi.json 'gzip;q=0, deflate')" "200 gzip $openapi true undefined 200 text $openapi false undefined" "a long answer is compressed for whoever takes that, and the same text for whoever does not"
etag=$(coded /api/v1/inventory gzip | cut -d ' ' -f 5)
is "$(coded /api/v1/inventory gzip "$etag" | cut -d ' ' -f 1)" 304 "and is not sent again while nothing has changed"
is "$(get /api/v1/evidence | jq -c '.evidence')" "$(w evidence --json | jq -sc .)" "protocol evidence is what the command prints"
! [ -e "$BUILD/whittle-report.so" ] || { get /api/v1/compliance/report.pdf >"$dir/report"; has "$(head -c 5 "$dir/report")" '%PDF-' "the report is a PDF"; }
has "$(w confirm)" 'Confirmed' "the command confirms the rules that the API applied"
is "$(sqlite3 -readonly "$dir/l.db" "select who || ' ' || what from journal where what in ('enforce.apply', 'serve.enforce') order by seq" | xargs)" "op (whittle serve) enforce.apply op serve.enforce op (whittle serve) enforce.apply op serve.enforce" "the journal has the user that applied it"

# ---- hostile clients ----
api tests/tools/serve_client.js 8443 >"$dir/raw"
while read -r name wanted; do is "$(sed -n "s/^$name //p" "$dir/raw")" "$wanted" "$name is answered $wanted"; done <<'END'
two-hosts 400
no-host 400
length-and-coding 400
two-lengths 400
two-of-Content-Type 400
two-of-Transfer-Encoding 400
two-of-Cookie 400
two-of-Origin 400
two-of-X-Whittle 400
method-TRACE 405
method-CONNECT 405
method-OPTIONS 405
allowed true
version-1.0 200
version-2.0 505
other-form 400
bad-host 400
large-head 431
bad-chunk 400
after-a-refusal 415
TLSv1.1 refused
TLSv1.2 spoken
TLSv1.3 spoken
zero-in-path 400 InvalidRequestContent
parent 400 InvalidRequestContent
half-percent 400 InvalidRequestContent
twice 400 InvalidRequestContent
no-json 400 InvalidRequestContent
array 400 InvalidRequestContent
deep 400 InvalidRequestContent
raw-rules 400 InvalidRequestContent
empty 400 InvalidRequestContent
filter-half 400 InvalidFilterInQueryString
too-large 413
chunked-too-large 413
no-version 400 MissingApiVersionParameter
other-version 400 InvalidApiVersionParameter
unknown-path 404 InvalidResourceType
wrong-verb 405 MethodNotAllowed GET, HEAD
wrong-verb-of-two 405 MethodNotAllowed GET, HEAD, PUT, DELETE
other-options 200 -
elsewhere 400 GeneralError, 400 GeneralError, 200 -
stranger 401 InvalidAuthenticationToken
links true
cookie true
fixed-cookie true
session-reads 200
from-elsewhere 403
cross-site 403
without-header 403
from-page 404
from-null 403
from-http 403
from-suffix 403
from-same-site 403
beside-300 200
out 204
afterwards 401
described 3.1.0 true all known
with-1000-idle 200 soon
with-120-bodies 400 InvalidRequestContent
alive {"status":"ok"}
END
held=$(awk '/VmHWM/ { print $2 }' "/proc/$(pgrep -P "$server" whittle-web)/status")
[ "$held" -lt 90000 ]; t $? "bodies of strangers don't fill the memory" "$held kB"
kill "$server"; wait "$server"; is "$?" 0 "it ends when it is asked to"
is "$(sqlite3 -readonly "$dir/l.db" "select group_concat(distinct who), sum(json_extract(json, '$.attempts')) >= 3 from journal where what = 'serve.refused'")" "127.0.0.1|1" "refused logins are in the journal, under their address"
is "$(sqlite3 -readonly "$dir/l.db" "select count(*) > 0 and count(*) <= 2 + (max(time) - min(time)) / 60000000 from journal where what = 'serve.refused'")" 1 "with one line a minute at most"

# ---- an estate of Azure's ----
i=/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/Microsoft
rule() { printf '{"name": "%s", "priority": %s, "direction": "Inbound", "access": "%s", "protocol": "Tcp", "sourceAddressPrefix": "%s", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "%s"}' "$@"; }
vm() { printf '{"id": "%s", "name": "%s", "type": "Microsoft.Compute/virtualMachines", "networkProfile": {"networkInterfaces": [{"id": "%s"}]}}, {"id": "%s", "name": "n-%s", "type": "Microsoft.Network/networkInterfaces", "ipConfigurations": [{"name": "c", "privateIPAddress": "%s", "subnet": {"id": "%s"}}]}' \
	"$i.Compute/virtualMachines/$1" "$1" "$i.Network/networkInterfaces/n-$1" "$i.Network/networkInterfaces/n-$1" "$1" "$2" "$i.Network/virtualNetworks/hub/subnets/web"; }
cat >"$dir/az.json" <<J
[{"id": "$i.Network/virtualNetworks/hub", "name": "hub", "type": "Microsoft.Network/virtualNetworks", "location": "westeurope", "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
  "subnets": [{"id": "$i.Network/virtualNetworks/hub/subnets/web", "name": "web", "addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": "$i.Network/networkSecurityGroups/web"}}]},
 {"id": "$i.Network/networkSecurityGroups/web", "type": "Microsoft.Network/networkSecurityGroups", "name": "web", "properties": {"securityRules": [$(rule db 300 Allow 10.0.1.0/24 5432), $(rule none 400 Deny '*' '*')]}},
 $(vm a 10.0.1.4), $(vm b 10.0.1.5)]
J
export WHITTLE_STORE=$dir/az.db
w estate import "$dir/az.json" >"$dir/import"; t $? "an estate of Azure's is imported" "$(cat "$dir/import")"
ip netns exec "$srv" "$BUILD/whittle" serve --listen 127.0.0.1:8444 >"$dir/log" 2>&1 & server=$!; pids+=($server)
until_true 10 grep -q fingerprint "$dir/log"
api tests/sdk/security_api.js https://127.0.0.1:8444 22222222-2222-2222-2222-222222222222 g a azure >"$dir/sdk"
! grep '^FAILED' "$dir/sdk"; t $? "Azure's client reads its network" "$(grep '^FAILED' "$dir/sdk")"
sdk jit-none "404 ResourceNotFound" "a resource group without a policy has none"
sdk jit-made '["default","Succeeded",2]' "a policy is made"
sdk jit-seen "a:22/TCP/203.0.113.0/24/PT180M b:3389/TCP/*/PT180M,3389/UDP/*/PT180M" "and read as it was made"
sdk jit-opened Initiated "it opens a port"
sdk jit-opened-beyond "409 Conflict" "within it alone"
sdk jit-reader "403 AuthorizationFailed" "a reader makes none"
sdk jit-stranger "404 ResourceNotFound" "no policy is made for an unknown machine"
sdk jit-mixed "400 InvalidRequestContent" "ports of one machine with different times are refused"
sdk jit-replaced "b:3389/UDP/192.0.2.1+2001:db8::/32/PT90M" "another body takes its place"
sdk jit-own '[200,"a:22/TCP/203.0.113.0/24/PT180M",400,404,200,404]' "one machine's policy is made and deleted by itself"
sdk jit-left 0 "and it is deleted, also when that is asked twice"
is "$(sqlite3 -readonly "$dir/az.db" "select group_concat(who || ' ' || what, ', ') from (select who, what from journal where what like 'serve.jit%' order by seq)")" "op serve.jit.policy.set, op serve.jit.policy.set, op serve.jit.open, op serve.jit.open, op serve.jit.policy.set, op serve.jit.policy.delete, op serve.jit.policy.delete, op serve.jit.policy.set, op serve.jit.policy.delete" "the journal has the user of each change"
is "$(sed -n 's/^pairs //p' "$dir/sdk" | jq -c .)" "$(w connections --json | jq -c '[.connectableResources[] | .id as $to | .inboundConnectedResources[] | [.connectedResourceId, $to, .tcpPorts, .udpPorts] | join(" ")] | sort')" "allowed connections are those that the command prints"
sdk topologies "vnets:1,subnets:1,virtualMachines:2" "and so is the topology"
sdk regions '[3,"400 GeneralError"]' "its region is known as a location, and no other"
w assess --json >"$dir/verdicts" 2>/dev/null; w compliance --json >"$dir/compliance" 2>/dev/null
is "$(sed -n 's/^unhealthy //p' "$dir/sdk" | jq -c .)" "$(jq -c '[.assessments[] | select(.status == "Unhealthy" and .exempt == null and (.resourceId | startswith("/"))) | .name + " " + (.resourceId | split("/") | last)] | sort' "$dir/verdicts")" "assessments are those that the command prints"
is "$(sed -n 's/^standard //p' "$dir/sdk")" "$(jq -c '[.state, .passedControls, .failedControls, .skippedControls, .unsupportedControls]' "$dir/compliance")" "a standard stands as the command prints it"
is "$(sed -n 's/^controls //p' "$dir/sdk")" "$(jq -r '[.controls[] | .id + ":" + .state] | join(" ")' "$dir/compliance")" "and so does each control"
is "$(sed -n 's/^score //p' "$dir/sdk" | jq -c '.[0][1:] | map(. * 100 | round)')" "$(jq -c '[.score.current, .score.max] | map(. * 100 | round)' "$dir/compliance")" "and the secure score"
for name in assessment metadata-one score-same control control-assessments; do sdk $name true "$name is found by its name, too"; done
sdk no-standard "404 ResourceNotFound" "a standard that is none is not found"
sdk filtered true "a filter leaves what it asks for"
sdk filter-wrong "400 InvalidFilterInQueryString 400 InvalidFilterInQueryString" "one that can't be read, or names nothing, is refused"
for name in expanded definitions metadata-with links-with; do sdk $name true "what \$expand asks for is there: $name"; done
sdk expand-wrong "400 InvalidRequestContent" "another word of it is refused"
sdk paged true "pages of one item make the same list"
sdk made-by-clients "405 MethodNotAllowed 405 MethodNotAllowed" "assessments are not made by clients"
echo "1..$n"
