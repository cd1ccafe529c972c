#!/bin/sh
# Expected: the nextLink of a page is opaque; the client asks for exactly that address ("%24filter" and "$filter" are one name by RFC 3986).
# Seen (@azure/arm-security 5.0.0): if the link spells its query "%24filter=…", the client adds its own "&$filter=…" to it. Spelled "$filter=…", it is
#   sent as it is.
# Matters to a server that refuses a parameter given twice, or builds its links with a library that encodes "$", as most do: the second page fails.
. "${0%/*}/lib.sh"
npm_packages @azure/arm-security@5.0.0 @azure/core-rest-pipeline@1.22.1
cat >"$tmp/npm/run.js" <<'J'
const { SecurityCenter } = require("@azure/arm-security");
const { createHttpHeaders } = require("@azure/core-rest-pipeline");
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
async function list(name, parameter) {
  const urls = [];
  const httpClient = { // stands for Azure: nothing leaves the machine
    async sendRequest(request) {
      urls.push(request.url);
      const nextLink = urls.length === 1 ? `https://management.azure.com/page?page=2&${parameter}=state` : undefined;
      return { request, status: 200, headers: createHttpHeaders({ "content-type": "application/json" }), bodyAsText: JSON.stringify({ value: [], nextLink }) };
    },
  };
  const client = new SecurityCenter(credential, "00000000-0000-0000-0000-000000000000", { httpClient });
  for await (const _ of client.regulatoryComplianceStandards.list({ filter: "state" }));
  console.log(name, (decodeURIComponent(urls[1]).match(/\$filter=/g) || []).length);
}
(async () => {
  await list("plain", "$filter");
  await list("encoded", "%24filter");
})().catch((e) => { console.log("error", e.message); });
J
node "$tmp/npm/run.js" >"$tmp/out"
holds "a link with \$filter is asked for with one filter" grep -x 'plain 1' "$tmp/out"
holds "a link with %24filter is asked for with two" grep -x 'encoded 2' "$tmp/out"
