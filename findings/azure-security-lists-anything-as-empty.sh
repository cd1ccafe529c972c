#!/bin/sh
# Expected: listing with an Azure client library fails if a proxy or a service in trouble answers something else than a list.
# Seen (@azure/arm-security 5.0.0): every answer of status 200 without `value` is an empty list: `{}`, `null` as value, HTML, no body at all,
#   even an error document. @azure/arm-network 39.0.0, of the same family, throws a TypeError for the same answers.
# Matters where "no alerts", "no rules" or "no groups" is a finding: silence must be told from a failure by the program, from the raw answer.
. "${0%/*}/lib.sh"
npm_packages @azure/arm-security@5.0.0 @azure/arm-network@39.0.0 @azure/core-rest-pipeline@1.22.1
cat >"$tmp/npm/run.js" <<'J'
const { SecurityCenter } = require("@azure/arm-security");
const { NetworkManagementClient } = require("@azure/arm-network");
const { createHttpHeaders } = require("@azure/core-rest-pipeline");
let answer;
const httpClient = { // stands for Azure: nothing leaves the machine
  sendRequest: async (request) => ({ request, status: 200, headers: createHttpHeaders({ "content-type": answer.type || "application/json" }), bodyAsText: answer.body }),
};
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
const subscription = "00000000-0000-0000-0000-000000000000";
const lists = {
  security: () => new SecurityCenter(credential, subscription, { httpClient }).alerts.list(),
  network: () => new NetworkManagementClient(credential, subscription, { httpClient }).networkSecurityGroups.list("rg"),
};
const answers = {
  list: { body: '{"value":[{"name":"a"}]}' }, object: { body: "{}" }, null: { body: '{"value":null}' }, nothing: { body: "" },
  html: { type: "text/html", body: "<html>maintenance</html>" }, error: { body: '{"error":{"code":"InternalError","message":"later"}}' },
};
(async () => {
  for (const library in lists) for (const kind in answers) {
    answer = answers[kind];
    let n = 0;
    try {
      for await (const each of lists[library]()) n += each ? 1 : 0;
      console.log(library, kind, n);
    } catch (e) { console.log(library, kind, e.name); }
  }
})();
J
node "$tmp/npm/run.js" >"$tmp/out"
holds "a list of one is read as one by both" eval '[ "$(grep -c " list 1" "$tmp/out")" = 2 ]'
for kind in object null nothing html error; do
	holds "arm-security reads an answer of kind '$kind' as an empty list" grep -x "security $kind 0" "$tmp/out"
done
for kind in object null nothing html error; do
	holds "arm-network throws a TypeError for '$kind'" grep -x "network $kind TypeError" "$tmp/out"
done
