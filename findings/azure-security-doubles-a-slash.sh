#!/bin/sh
# Expected: a scope is given as Azure writes ids, "/subscriptions/…", and asked for at that path.
# Seen (@azure/arm-security 5.0.0): operations with a scope put "/" before it, so that an id as Azure writes it is asked for at "//subscriptions/…".
#   Only an id without its first slash gives the path of the reference. The scope is put in as it is, its slashes not encoded.
# Matters to whoever writes a service for this client: a router that compares paths exactly answers 404 to the ids that its own lists gave out.
. "${0%/*}/lib.sh"
npm_packages @azure/arm-security@5.0.0 @azure/core-rest-pipeline@1.22.1
cat >"$tmp/npm/run.js" <<'J'
const { SecurityCenter } = require("@azure/arm-security");
const { createHttpHeaders } = require("@azure/core-rest-pipeline");
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
let path = "";
const httpClient = { // stands for Azure: nothing leaves the machine
  async sendRequest(request) {
    path = request.url.replace(/^https:\/\/[^/]*/, "").replace(/\?.*/, "");
    return { request, status: 200, headers: createHttpHeaders({ "content-type": "application/json" }), bodyAsText: '{"value":[]}' };
  },
};
const client = new SecurityCenter(credential, "00000000-0000-0000-0000-000000000000", { httpClient });
(async () => {
  for (const scope of ["/subscriptions/s1", "subscriptions/s1"]) {
    await client.assessments.list(scope).next();
    console.log(scope, path);
  }
})().catch((e) => { console.log("error", e.message); });
J
node "$tmp/npm/run.js" >"$tmp/out"
holds "an id as Azure writes it is asked for below two slashes" \
	grep -x '/subscriptions/s1 //subscriptions/s1/providers/Microsoft.Security/assessments' "$tmp/out"
holds "one without its first slash at the path of the reference" \
	grep -x 'subscriptions/s1 /subscriptions/s1/providers/Microsoft.Security/assessments' "$tmp/out"
