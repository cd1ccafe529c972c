#!/bin/sh
# Expected: `resultTruncated` of a query's answer is a boolean, and listing with an Azure client library follows the pages, as that of resources does.
# Seen (@azure/arm-resourcegraph 4.2.1): the service sends the words "true" and "false", and the library hands them on, so that
#   `if (answer.resultTruncated)` holds for a whole answer too; and resources() asks once: the first 1,000 rows at most, with a skipToken in the answer.
# Matters to programs that take an inventory: a loop "while truncated" does not end or is never begun, and without it the list is short in silence.
. "${0%/*}/lib.sh"
npm_packages @azure/arm-resourcegraph@4.2.1 @azure/core-rest-pipeline@1.22.1
cat >"$tmp/npm/run.js" <<'J'
const { ResourceGraphClient } = require("@azure/arm-resourcegraph");
const { createHttpHeaders } = require("@azure/core-rest-pipeline");
let asked = 0;
const answer = (first) => ({ totalRecords: 3, count: first ? 2 : 1, resultTruncated: "false", ...(first ? { $skipToken: "page-2" } : {}),
  data: first ? [{ name: "a" }, { name: "b" }] : [{ name: "c" }], facets: [] });
const httpClient = { // stands for Azure: nothing leaves the machine
  sendRequest: async (request) => {
    asked++;
    const more = JSON.parse(request.body).options?.$skipToken;
    return { request, status: 200, headers: createHttpHeaders({ "content-type": "application/json" }), bodyAsText: JSON.stringify(answer(!more)) };
  },
};
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
(async () => {
  const r = await new ResourceGraphClient(credential, { httpClient }).resources({ query: "resources" });
  console.log("truncated", typeof r.resultTruncated, r.resultTruncated, r.resultTruncated ? "holds" : "does not hold");
  console.log("requests", asked, "rows", r.data.length, "of", r.totalRecords, "token", r.skipToken);
})();
J
node "$tmp/npm/run.js" >"$tmp/out"
holds "\"false\" is a word, and holds as a condition" grep -x 'truncated string false holds' "$tmp/out"
holds "one request is made, and two rows of three come, with the token for the next" grep -x 'requests 1 rows 2 of 3 token page-2' "$tmp/out"
