#!/bin/sh
# Expected: beginEnforceAndWait() returns when the operation has succeeded; "202 Accepted" is only the beginning of it.
# Seen (@azure/arm-security 5.0.0): a 202 without a Location header resolves at once, after one request, like a success.
# Matters to a program that tells people "enforced": a gateway that strips the header turns "accepted, may still fail" into "done". Read the
#   resource back instead of trusting the poller.
. "${0%/*}/lib.sh"
npm_packages @azure/arm-security@5.0.0 @azure/core-rest-pipeline@1.22.1
cat >"$tmp/npm/run.js" <<'J'
const { SecurityCenter } = require("@azure/arm-security");
const { createHttpHeaders } = require("@azure/core-rest-pipeline");
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
async function enforce(name, headers) {
  let requests = 0, polls = 0;
  const httpClient = { // stands for Azure: nothing leaves the machine
    async sendRequest(request) {
      requests++;
      const post = request.method === "POST";
      const done = !post && ++polls === 3;
      return { request, status: done ? 200 : 202, headers: createHttpHeaders(post || !done ? headers : {}), bodyAsText: "" };
    },
  };
  const client = new SecurityCenter(credential, "00000000-0000-0000-0000-000000000000", { httpClient });
  await client.adaptiveNetworkHardenings.beginEnforceAndWait("rg", "Microsoft.Compute", "virtualMachines", "vm", "default",
    { rules: [], networkSecurityGroups: [] }, { updateIntervalInMs: 10 });
  console.log(name, requests);
}
(async () => {
  await enforce("with", { location: "https://management.azure.com/operation?api-version=2020-01-01" });
  await enforce("without", {});
})().catch((e) => { console.log("error", e.message); });
J
node "$tmp/npm/run.js" >"$tmp/out"
holds "with Location it polls until the operation says 200: four requests" grep -x 'with 4' "$tmp/out"
holds "without Location it reports success after the one request that got 202" grep -x 'without 1' "$tmp/out"
