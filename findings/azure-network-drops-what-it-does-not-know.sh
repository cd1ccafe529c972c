#!/bin/sh
# Expected: get, change one field, createOrUpdate with @azure/arm-network leaves the rest of a network security group as it was.
# Seen (@azure/arm-network 39.0.0): its model is closed. Properties that this version does not know, of the group and of each rule, are
#   dropped when the answer is read, so the PUT, which replaces the group, goes out without them; no error, no warning. (The etag is not
#   sent either unless it is asked for.)
# Matters to every program that edits a shared resource by read, modify and write: an old library in a script erases what a newer portal
#   or service has set. The API's own JSON has to be kept and changed instead.
. "${0%/*}/lib.sh"
npm_packages @azure/arm-network@39.0.0 @azure/core-rest-pipeline@1.22.1
cat >"$tmp/npm/run.js" <<'J'
const { NetworkManagementClient } = require("@azure/arm-network");
const { createHttpHeaders } = require("@azure/core-rest-pipeline");
const rule = { priority: 100, direction: "Inbound", access: "Allow", protocol: "Tcp", sourcePortRange: "*", destinationPortRange: "22",
  sourceAddressPrefix: "*", destinationAddressPrefix: "*", newerThanTheLibrary: "of the rule" };
const group = { id: "/group", name: "group", location: "westeurope", etag: "W/\"1\"",
  properties: { newerThanTheLibrary: "of the group", flushConnection: true, securityRules: [{ id: "/rule", name: "ssh", properties: rule }] } };
let sent;
const httpClient = { // stands for Azure: nothing leaves the machine
  async sendRequest(request) {
    if (request.method === "PUT") sent = request;
    return { request, status: 200, headers: createHttpHeaders({ "content-type": "application/json" }), bodyAsText: JSON.stringify(group) };
  },
};
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
const groups = new NetworkManagementClient(credential, "00000000-0000-0000-0000-000000000000", { httpClient }).networkSecurityGroups;
(async () => {
  const read = await groups.get("rg", "group");
  console.log("read", JSON.stringify(read));
  read.tags = { changed: "yes" };
  await groups.createOrUpdate("rg", "group", read);
  console.log("sent", sent.body);
  console.log("headers", JSON.stringify(sent.headers.toJSON()));
})();
J
node "$tmp/npm/run.js" >"$tmp/out"
grep '^read' "$tmp/out" >"$tmp/read"
grep '^sent' "$tmp/out" >"$tmp/sent"
holds "what it knows is sent back: the rule and flushConnection" eval 'grep -q "\"destinationPortRange\":\"22\"" "$tmp/sent" && grep -q "\"flushConnection\":true" "$tmp/sent"'
holds "what it does not know is gone already in what it read" eval '! grep newerThanTheLibrary "$tmp/read"'
holds "and is not sent, neither for the group nor for the rule" eval '! grep newerThanTheLibrary "$tmp/sent"'
holds "no If-Match protects the change" eval '! grep "^headers" "$tmp/out" | grep -i if-match'
