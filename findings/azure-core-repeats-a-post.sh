#!/bin/sh
# Expected: a POST is sent once. It is not idempotent, and HTTP lets clients repeat only what they know to be.
# Seen (@azure/core-rest-pipeline 1.22.1 below @azure/arm-security 5.0.0): after 500, 503, or a connection that broke before the answer the same
#   POST is sent again, with the same x-ms-client-request-id.
# Matters to whoever writes a service for these clients, or behind them: "enforce" or "request access" may be carried out twice unless
#   the service knows a request by that id.
. "${0%/*}/lib.sh"
npm_packages @azure/arm-security@5.0.0 @azure/core-rest-pipeline@1.22.1
cat >"$tmp/npm/run.js" <<'J'
const { SecurityCenter } = require("@azure/arm-security");
const { createHttpHeaders, RestError } = require("@azure/core-rest-pipeline");
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
async function enforce(name, fail) {
  const seen = [];
  const httpClient = { // stands for Azure: nothing leaves the machine
    async sendRequest(request) {
      seen.push(request.method + " " + request.headers.get("x-ms-client-request-id"));
      if (fail === "lost" && seen.length === 1)
        throw new RestError("socket hang up", { code: "ECONNRESET", request });
      const status = seen.length === 1 && fail !== "lost" ? fail : fail === 400 ? 400 : 202;
      return { request, status, headers: createHttpHeaders({ "retry-after-ms": "1" }), bodyAsText: status < 300 ? "" : "{}" };
    },
  };
  const client = new SecurityCenter(credential, "00000000-0000-0000-0000-000000000000",
    { httpClient, retryOptions: { retryDelayInMs: 1, maxRetryDelayInMs: 1 } });
  try {
    await client.adaptiveNetworkHardenings.beginEnforceAndWait("rg", "Microsoft.Compute", "virtualMachines", "vm", "default",
      { rules: [], networkSecurityGroups: [] }, { updateIntervalInMs: 10 });
  } catch (e) { /* what counts is what was sent */ }
  console.log(name, "requests", seen.length, "posts", seen.filter((s) => s.startsWith("POST")).length, "ids", new Set(seen).size);
}
(async () => {
  for (const fail of [400, 500, 503, "lost"])
    await enforce(fail, fail);
})().catch((e) => { console.log("error", e.message); });
J
node "$tmp/npm/run.js" >"$tmp/out"
holds "a POST that got 400 is not repeated" grep -x '400 requests 1 posts 1 ids 1' "$tmp/out"
holds "after 500 it is sent again, with the same id" grep -x '500 requests 2 posts 2 ids 1' "$tmp/out"
holds "after 503 too" grep -x '503 requests 2 posts 2 ids 1' "$tmp/out"
holds "after a connection that was reset before the answer too" grep -x 'lost requests 2 posts 2 ids 1' "$tmp/out"
