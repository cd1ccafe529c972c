// SPDX-License-Identifier: GPL-2.0-or-later
// What Azure's own client library makes of our groups. usage: node sdk_reads.js EXPORT.nsg.json EXPORT.arm.json
// The template's group is read as an answer of Azure Resource Manager would be; the group as `az` prints it is sent as a request would be.
// Nothing leaves the machine: the library talks to a transport of ours. Prints one line of JSON: what it read and what it would send.
const fs = require("fs");
const { NetworkManagementClient } = require("@azure/arm-network");
const { createHttpHeaders } = require("@azure/core-rest-pipeline");

const [nsgFile, armFile] = process.argv.slice(2);
const groups = [JSON.parse(fs.readFileSync(nsgFile))].flat();
const resources = JSON.parse(fs.readFileSync(armFile)).resources;
let resource = null, sent = null;
const transport = {
  async sendRequest(request) {
    if (request.method === "PUT") sent = JSON.parse(request.body);
    const answer = request.method === "PUT" ? { ...sent, properties: { ...sent.properties, provisioningState: "Succeeded" } } : resource;
    return { request, status: 200, headers: createHttpHeaders({ "content-type": "application/json" }), bodyAsText: JSON.stringify(answer) };
  },
};
const credential = { getToken: async () => ({ token: "none", expiresOnTimestamp: Date.now() + 3600000 }) };
const client = new NetworkManagementClient(credential, "00000000-0000-0000-0000-000000000000", { httpClient: transport });
const api = client.networkSecurityGroups;
(async () => {
  const out = { read: [], sent: [] };
  for (resource of resources) {
    const read = await api.get("rg", resource.name);
    out.read.push(...(read.securityRules || read.properties.securityRules));
  }
  for (const group of groups) {
    // What `az` prints is the library's own model; what ARM has is that of its REST interface.
    const model = group.properties ? { location: "westeurope", ...group, ...group.properties } : group;
    if (group.properties) model.securityRules = group.properties.securityRules.map((r) => ({ ...r, ...r.properties }));
    await (api.beginCreateOrUpdateAndWait ? api.beginCreateOrUpdateAndWait("rg", group.name, model) : api.createOrUpdate("rg", group.name, model));
    out.sent.push(...sent.properties.securityRules);
  }
  console.log(JSON.stringify(out));
})().catch((e) => { console.error(e.message); process.exit(1); });
