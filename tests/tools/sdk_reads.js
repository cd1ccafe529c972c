// SPDX-License-Identifier: GPL-2.0-or-later
// What Azure's own client library makes of our groups. usage: node sdk_reads.js EXPORT.nsg.json EXPORT.arm.json
// The template's group is read as an answer of Azure Resource Manager would be; the group as `az` prints it is sent as a request would be.
// Nothing leaves the machine: the library talks to a transport of ours. Prints one line of JSON: what it read and what it would send.
const fs = require("fs");
const { NetworkManagementClient } = require("@azure/arm-network");
const { createHttpHeaders } = require("@azure/core-rest-pipeline");

const [nsgFile, armFile] = process.argv.slice(2);
const group = JSON.parse(fs.readFileSync(nsgFile));
const resource = JSON.parse(fs.readFileSync(armFile)).resources[0];
let sent = null;
const transport = {
  async sendRequest(request) {
    if (request.method === "PUT") sent = JSON.parse(request.body);
    const answer = request.method === "PUT" ? { ...sent, properties: { ...sent.properties, provisioningState: "Succeeded" } } : resource;
    return { request, status: 200, headers: createHttpHeaders({ "content-type": "application/json" }), bodyAsText: JSON.stringify(answer) };
  },
};
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
const client = new NetworkManagementClient(credential, "00000000-0000-0000-0000-000000000000", { httpClient: transport });
(async () => {
  const read = await client.networkSecurityGroups.get("rg", "web");
  const groups = client.networkSecurityGroups;
  const begun = groups.beginCreateOrUpdateAndWait ? await groups.beginCreateOrUpdateAndWait("rg", "web", group) : await groups.createOrUpdate("rg", "web", group);
  void begun;
  console.log(JSON.stringify({ read: read.securityRules || read.properties.securityRules, sent: sent.properties.securityRules, location: read.location }));
})().catch((e) => { console.error(e.message); process.exit(1); });
