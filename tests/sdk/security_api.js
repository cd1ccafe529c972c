// SPDX-License-Identifier: GPL-2.0-or-later
// Azure's own client of Microsoft.Security against `whittle serve`, over TLS with a bearer token. Prints one line "NAME VALUE" for each thing that it found.
// usage: node security_api.js URL SUBSCRIPTION GROUP RESOURCE host|azure   with $TOKEN, and NODE_EXTRA_CA_CERTS for the server's certificate
const { SecurityCenter } = require("@azure/arm-security");
const [endpoint, subscription, group, resource, kind] = process.argv.slice(2);
const credential = (token) => ({ getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600000 }) });
const client = (token, sub = subscription) => new SecurityCenter(credential(token), sub, { endpoint, credentialScopes: ["x"], retryOptions: { maxRetries: 0 } });
const c = client(process.env.TOKEN);
const say = (name, value) => console.log(name, typeof value === "string" ? value : JSON.stringify(value));
const all = async (pages) => { const out = []; for await (const x of pages) out.push(x); return out; };
const code = async (promise) => { try { await promise; return "no error"; } catch (e) { return `${e.statusCode} ${e.code}`; } };
const [namespace, type] = kind === "azure" ? ["Microsoft.Compute", "virtualMachines"] : ["Microsoft.HybridCompute", "machines"];
const location = "local";

async function locations() {
  say("locations", (await all(c.locations.list())).map((l) => l.name).join());
  say("location", (await c.locations.get(location)).name);
}

async function hardening() {
  const api = c.adaptiveNetworkHardenings, list = await all(api.listByExtendedResource(group, namespace, type, resource)), h = await api.get(group, namespace, type, resource, "default");
  say("hardenings", list.length);
  say("hardening", { name: h.name, calculated: h.rulesCalculationTime, rules: h.rules.map((r) => [r.direction, r.destinationPort, r.protocols, r.ipAddresses]) });
  const groups = h.effectiveNetworkSecurityGroups.flatMap((g) => g.networkSecurityGroups);
  say("groups", groups);
  say("missing", await code(api.get(group, namespace, type, "nobody", "default")));
  say("widened", await code(api.beginEnforceAndWait(group, namespace, type, resource, "default", { rules: h.rules.map((r) => ({ ...r, ipAddresses: ["0.0.0.0/0"] })), networkSecurityGroups: groups })));
  say("stranger-group", await code(api.beginEnforceAndWait(group, namespace, type, resource, "default", { rules: h.rules, networkSecurityGroups: ["/subscriptions/x/y"] })));
  say("one-enforced", await code(api.beginEnforceAndWait(group, namespace, type, resource, "default", { rules: h.rules.slice(0, 1), networkSecurityGroups: groups }, { updateIntervalInMs: 50 })));
  const seen = client(process.env.TOKEN), answers = [];
  seen.pipeline.addPolicy({ name: "seen", sendRequest: async (r, next) => { const x = await next(r); answers.push(x); return x; } });
  say("enforced", await code(seen.adaptiveNetworkHardenings.beginEnforceAndWait(group, namespace, type, resource, "default", { rules: h.rules, networkSecurityGroups: groups }, { updateIntervalInMs: 50 })));
  const accepted = answers.find((x) => x.status === 202);
  const at = accepted?.headers.get("location") ?? "";
  say("polled", [at.startsWith(`${endpoint}/subscriptions/`), answers.length > 1 && answers.slice(1).every((x) => x.request.url === at), answers[answers.length - 1].status]);
}

async function alerts() {
  const api = c.alerts, list = await all(api.list()), a = list[0];
  say("alerts", list.map((x) => `${x.alertType}/${x.severity}/${x.status}`).join(" "));
  say("same", (await Promise.all([all(api.listByResourceGroup(group)), all(api.listSubscriptionLevelByRegion(location)), all(api.listResourceGroupLevelByRegion(location, group))])).map((l) => l.length));
  say("alert", (await api.getSubscriptionLevel(location, a.name)).startTimeUtc.toISOString());
  say("alert-in-group", (await api.getResourceGroupLevel(location, a.name, group)).name === a.name);
  const states = [];
  for (const [level, verb] of [["Subscription", "Dismiss"], ["Subscription", "Activate"], ["Subscription", "Resolve"], ["ResourceGroup", "Activate"], ["ResourceGroup", "Dismiss"], ["ResourceGroup", "Activate"], ["ResourceGroup", "Resolve"]]) {
    const f = api[`update${level}LevelStateTo${verb}`].bind(api);
    await (level === "Subscription" ? f(location, a.name) : f(location, a.name, group)); // twice: a client whose answer was lost asks again
    await (level === "Subscription" ? f(location, a.name) : f(location, a.name, group));
    states.push((await api.getSubscriptionLevel(location, a.name)).status);
  }
  say("states", states.join(" "));
  const twice = [await code(api.getResourceGroupLevel(location, a.name, "elsewhere")), await code(api.updateResourceGroupLevelStateToDismiss(location, a.name, "elsewhere"))];
  say("alert-elsewhere", twice.join(" "));
  say("simulated", await code(api.simulate(location, { properties: { kind: "Bundles", bundles: ["VirtualMachines"] } })));
  say("no-alert", await code(api.getSubscriptionLevel(location, "nobody")));
  say("elsewhere", (await all(client(process.env.TOKEN, "11111111-1111-1111-1111-111111111111").alerts.list())).length);
}

async function suppression() {
  const api = c.alertsSuppressionRules, rule = { alertType: "Whittle_SensorBlind", reason: "FalsePositive", comment: "planned work", state: "Enabled", expirationDateUtc: new Date("2036-01-02T03:04:05Z"),
    suppressionAlertsScope: { allOf: [{ field: "entities.ip.address", in: ["203.0.113.0/24"] }] } };
  const made = await api.update("planned", rule), got = await api.get("planned");
  say("suppression", { name: made.name, type: got.alertType, reason: got.reason, comment: got.comment, state: got.state, until: got.expirationDateUtc, scope: got.suppressionAlertsScope });
  say("suppressions", [(await all(api.list())).length, (await all(api.list({ alertType: "Other" }))).length]);
  say("unknown-condition", await code(api.update("wide", { ...rule, suppressionAlertsScope: { allOf: [{ field: "entities.file.name", in: ["x"] }] } })));
  say("oversized", await code(api.update("large", { ...rule, comment: "x".repeat(2 << 20) })));
  await api.delete("planned");
  await api.delete("planned");
  say("suppressions-left", (await all(api.list())).length);
  say("no-suppression", await code(api.get("planned")));
}

async function jit() {
  const api = c.jitNetworkAccessPolicies, lists = await Promise.all([all(api.list()), all(api.listByRegion(location)), all(api.listByResourceGroup(group)), all(api.listByResourceGroupAndRegion(group, location))]);
  const p = await api.get(group, location, "default"), vm = p.virtualMachines[0];
  say("policies", lists.map((l) => l.length));
  say("policy", vm.ports);
  say("policy-again", (await api.createOrUpdate(group, location, "default", p)).name);
  say("policy-widened", await code(api.createOrUpdate(group, location, "default", { ...p, virtualMachines: [{ ...vm, ports: [{ ...vm.ports[0], allowedSourceAddressPrefixes: ["0.0.0.0/0"] }] }] })));
  say("policy-deleted", await code(api.delete(group, location, "default")));
  const ask = (from) => api.initiate(group, location, "default", { virtualMachines: [{ id: vm.id, ports: [{ number: vm.ports[0].number, allowedSourceAddressPrefix: from, endTimeUtc: new Date(Date.now() + 600000) }] }], justification: "the disk is full" });
  say("initiated", await ask("203.0.113.7").then((r) => ({ by: r.requestor, status: r.virtualMachines[0].ports[0].status, why: r.justification })));
  say("initiated-too-wide", await code(ask("198.51.100.7")));
}

// A policy from nothing to nothing, as scripts of Azure's do it.
async function policies() {
  const api = c.jitNetworkAccessPolicies, id = (vm) => `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Compute/virtualMachines/${vm}`;
  const port = (number, more) => ({ number, protocol: "*", allowedSourceAddressPrefix: "*", maxRequestAccessDuration: "PT3H", ...more });
  const seen = async () => (await all(api.list())).flatMap((p) => p.virtualMachines.map((v) => `${v.id.split("/").pop()}:${v.ports.map((x) => `${x.number}/${x.protocol}/${(x.allowedSourceAddressPrefixes || [x.allowedSourceAddressPrefix]).join("+")}/${x.maxRequestAccessDuration}`).join(",")}`)).join(" ");
  const put = (machines) => api.createOrUpdate(group, location, "default", { kind: "Basic", virtualMachines: machines });
  say("jit-none", await code(api.get(group, location, "default")));
  const made = await put([{ id: id("a"), ports: [port(22, { protocol: "TCP", allowedSourceAddressPrefix: "203.0.113.0/24" })] }, { id: id("b"), ports: [port(3389)] }]);
  say("jit-made", [made.name, made.provisioningState, made.virtualMachines.length]);
  say("jit-seen", await seen());
  const open = (from) => api.initiate(group, location, "default", { virtualMachines: [{ id: id("a"), ports: [{ number: 22, allowedSourceAddressPrefix: from, endTimeUtc: new Date(Date.now() + 600000) }] }], justification: "update" });
  say("jit-opened", (await open("203.0.113.7")).virtualMachines[0].ports[0].status);
  say("jit-opened-beyond", await code(open("198.51.100.7")));
  say("jit-reader", await code(client(process.env.READER).jitNetworkAccessPolicies.createOrUpdate(group, location, "default", made)));
  say("jit-stranger", await code(put([{ id: id("nobody"), ports: [port(22)] }])));
  say("jit-mixed", await code(put([{ id: id("a"), ports: [port(22), port(23, { maxRequestAccessDuration: "PT1H" })] }])));
  await put([{ id: id("b"), ports: [port(3389, { protocol: "UDP", allowedSourceAddressPrefix: undefined, allowedSourceAddressPrefixes: ["192.0.2.1", "2001:db8::/32"], maxRequestAccessDuration: "PT1H30M" })] }]);
  say("jit-replaced", await seen());
  await api.delete(group, location, "default");
  await api.delete(group, location, "default");
  // the console's way: one machine's policy
  const own = async (method, vm, body) => { const r = await fetch(`${endpoint}/api/v1/jit/policies/${vm}`, { method, headers: { Authorization: `Bearer ${process.env.TOKEN}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body) }); return r.status; };
  say("jit-own", [await own("PUT", "a", { ports: [port(22, { protocol: "TCP", allowedSourceAddressPrefix: "203.0.113.0/24" })] }), await seen(), await own("PUT", "a", { ports: [] }), await own("PUT", "nobody", { ports: [port(22)] }), await own("DELETE", "a"), await own("DELETE", "a")]);
  say("jit-left", (await all(api.list())).length);
}

async function network() {
  const conns = await all(c.allowedConnections.list()), region = await all(c.allowedConnections.listByHomeRegion(location)), internal = await c.allowedConnections.get(group, location, "Internal");
  say("connections", conns.map((x) => `${x.name}:${x.connectableResources.length}`).join());
  say("connections-same", JSON.stringify(region[0].connectableResources) === JSON.stringify(internal.connectableResources));
  say("pairs", internal.connectableResources.flatMap((r) => r.inboundConnectedResources.map((p) => [p.connectedResourceId, r.id, p.tcpPorts, p.udpPorts].join(" "))).sort());
  const tops = await all(c.topology.list()), vms = await c.topology.get(group, location, "virtualMachines");
  say("topologies", tops.map((x) => `${x.name}:${x.topologyResources.length}`).join());
  say("topologies-by-region", (await all(c.topology.listByHomeRegion(location))).length);
  say("regions", [(await all(c.topology.listByHomeRegion("westeurope"))).length, await code(all(c.topology.listByHomeRegion("westus")))]);
  say("machines", vms.topologyResources.map((r) => [r.resourceId.split("/").pop(), r.severity, r.networkZones, r.parents.length].join(" ")).sort());
}

async function posture() {
	const scope = `/subscriptions/${subscription}`, list = await all(c.assessments.list(scope)), one = list.find((a) => a.status.code === "Unhealthy"), meta = await all(c.assessmentsMetadata.list()), inSub = await all(c.assessmentsMetadata.listBySubscription());
	say("unhealthy", list.filter((a) => a.status.code === "Unhealthy").map((a) => `${a.name} ${a.resourceDetails.id.split("/").pop()}`).sort());
	say("assessment", (await c.assessments.get(one.resourceDetails.id, one.name)).displayName === one.displayName);
	say("metadata", [meta.length, inSub.length]);
	say("metadata-one", (await c.assessmentsMetadata.get(one.name)).displayName === one.displayName && (await c.assessmentsMetadata.getInSubscription(one.name)).severity === meta.find((m) => m.name === one.name).severity);
	say("no-assessment", await code(c.assessments.get(one.resourceDetails.id, "nobody")));
	const scores = await all(c.secureScores.list()), controls = await all(c.secureScoreControls.list());
	say("score", scores.map((s) => [s.name, s.current, s.max]));
	say("score-same", (await c.secureScores.get("ascScore")).current === scores[0].current && (await all(c.secureScoreControls.listBySecureScore("ascScore"))).length === controls.length);
	const standards = await all(c.regulatoryComplianceStandards.list()), standard = await c.regulatoryComplianceStandards.get("mcsb-v1"), ks = await all(c.regulatoryComplianceControls.list("mcsb-v1"));
	say("standards", standards.map((s) => s.name).sort().join());
	say("standard", [standard.state, standard.passedControls, standard.failedControls, standard.skippedControls, standard.unsupportedControls]);
	say("controls", ks.map((k) => `${k.name}:${k.state}`).join(" "));
	say("control", (await c.regulatoryComplianceControls.get("mcsb-v1", "NS-1")).description === ks[0].description);
	const asked = await all(c.regulatoryComplianceAssessments.list("mcsb-v1", "NS-1"));
	say("control-assessments", (await c.regulatoryComplianceAssessments.get("mcsb-v1", "NS-1", asked[0].name)).name === asked[0].name);
	const failed = await all(c.regulatoryComplianceControls.list("mcsb-v1", { filter: "properties/state eq 'failed' and name ne 'NS-1'" }));
	say("filtered", failed.map((k) => k.name).join() === ks.filter((k) => k.state === "Failed" && k.name !== "NS-1").map((k) => k.name).join());
	say("filter-wrong", `${await code(all(c.regulatoryComplianceControls.list("mcsb-v1", { filter: "state eq" })))} ${await code(all(c.regulatoryComplianceStandards.list({ filter: "status eq 'x'" })))}`);
	const withDefinition = await all(c.secureScoreControls.list({ expand: "definition" })), definitions = await all(c.secureScoreControlDefinitions.list());
	say("expanded", withDefinition.length > 0 && withDefinition.every((k) => k.definition.displayName === k.displayName && k.definition.maxScore === k.max) && controls.every((k) => !k.definition));
	say("definitions", definitions.map((k) => k.name).sort().join() === controls.map((k) => k.name).sort().join() && (await all(c.secureScoreControlDefinitions.listBySubscription())).length === definitions.length);
	say("metadata-with", (await c.assessments.get(one.resourceDetails.id, one.name, { expand: "metadata" })).metadata.severity === meta.find((m) => m.name === one.name).severity);
	say("links-with", (await c.assessments.get(one.resourceDetails.id, one.name, { expand: "links" })).links.azurePortalUri === `${endpoint}/#/recommendations/${one.name}`);
	say("expand-wrong", await code(c.assessments.get(one.resourceDetails.id, one.name, { expand: "all" })));
	const paging = client(process.env.TOKEN);
	paging.pipeline.addPolicy({ name: "few", sendRequest: (r, next) => { if (!/skipToken/.test(r.url)) r.url += "&$top=1"; return next(r); } });
	say("paged", (await all(paging.regulatoryComplianceControls.list("mcsb-v1", { filter: "state ne 'Passed'" }))).map((k) => k.name).join() === ks.filter((k) => k.state !== "Passed").map((k) => k.name).join());
	say("made-by-clients", `${await code(c.assessments.createOrUpdate(one.resourceDetails.id, "8bb8be0a-6010-4789-812f-e4d661c4ed0e", { resourceDetails: { source: "Azure" }, status: { code: "Healthy" } }))} ${await code(c.assessmentsMetadata.deleteInSubscription(one.name))}`);
	say("no-standard", await code(c.regulatoryComplianceStandards.get("nobody")));
}

async function refusals() {
  say("no-token", await code(client("nobody").alerts.list().next()));
  say("expired", await code(client(process.env.EXPIRED).alerts.list().next()));
  say("revoked", await code(client(process.env.REVOKED).alerts.list().next()));
  say("reader", await code(client(process.env.READER).alertsSuppressionRules.delete("x")));
  say("reader-reads", (await all(client(process.env.READER).locations.list())).length);
}

(async () => {
  for (const step of kind === "azure" ? [locations, policies, network, posture] : [locations, hardening, alerts, suppression, jit, refusals])
    await step().catch((e) => say(`FAILED ${step.name}`, `${e.statusCode} ${e.code} ${e.message}`));
})();
