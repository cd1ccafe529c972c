// SPDX-License-Identifier: GPL-2.0-or-later
// Whatever a client may do to `whittle serve` that no library does. usage: node serve_client.js PORT  with $TOKEN, and NODE_EXTRA_CA_CERTS
// Prints one line "NAME VALUE" for each. It checks at the end that the server still answers.
const tls = require("tls"), https = require("https");
const port = +process.argv[2], host = "127.0.0.1", token = process.env.TOKEN;
const say = (name, value) => console.log(name, value);
// The status line that raw bytes are answered with; "closed" where nothing comes.
const raw = (bytes, more = "") => new Promise((done) => {
  const s = tls.connect({ port, host }, () => s.write(bytes));
  let text = "";
  s.on("data", (d) => { text += d; if (text.includes("\r\n")) { done(text.split("\r\n")[0].split(" ")[1] + more); s.destroy(); } });
  s.on("error", () => done("closed")); s.on("close", () => done("closed"));
});
const ask = (method, path, headers = {}, body) => new Promise((done, fail) => {
  const r = https.request({ host, port, method, path, headers: { Authorization: `Bearer ${token}`, ...headers }, ...(headers.Host && { checkServerIdentity: () => undefined }) }, (a) => {
    let text = "";
    a.on("data", (d) => (text += d)); a.on("end", () => { let doc = null; try { doc = JSON.parse(text); } catch { /* not JSON */ } done({ status: a.statusCode, headers: a.headers, text, doc }); });
  });
  r.on("error", (e) => fail(e)); r.end(body);
});
const verdict = (a) => `${a.status} ${a.doc?.error?.code ?? "-"}`;

async function malformed() {
  const head = (extra, line = "GET /healthz HTTP/1.1") => `${line}\r\nHost: x\r\n${extra}\r\n`;
  say("two-hosts", await raw(head("Host: y\r\n")));
  say("no-host", await raw("GET /healthz HTTP/1.1\r\n\r\n"));
  say("length-and-coding", await raw(head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "POST /api/v1/confirm HTTP/1.1") + "0\r\n\r\n"));
  say("two-lengths", await raw(head("Content-Length: 5\r\nContent-Length: 6\r\n", "POST /api/v1/confirm HTTP/1.1") + "12345"));
  say("too-long-a-length", await raw(head("Content-Length: 99999999999999999999\r\nContent-Type: application/json\r\n", "POST /api/v1/enforce HTTP/1.1")));
  for (const twice of ["Content-Type: application/json", "Transfer-Encoding: chunked", "Cookie: a=b", "Origin: https://x", "X-Whittle: 1"]) say(`two-of-${twice.split(":")[0]}`, await raw(head(`${twice}\r\n`.repeat(2), "POST /api/v1/confirm HTTP/1.1") + "0\r\n\r\n"));
  for (const line of ["TRACE / HTTP/1.1", "CONNECT x:443 HTTP/1.1", "OPTIONS * HTTP/1.1"]) say(`method-${line.split(" ")[0]}`, await raw(head("", line)));
  const options = await ask("OPTIONS", "/api/v1/me", { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" });
  say("allowed", options.headers.allow === "GET, HEAD, PUT, POST, DELETE" && !Object.keys(options.headers).some((k) => k.startsWith("access-control")));
  for (const version of ["1.0", "2.0"]) say(`version-${version}`, await raw(`GET /healthz HTTP/${version}\r\nHost: x\r\n\r\n`));
  say("other-form", await raw(head("", "GET https://x/healthz HTTP/1.1")));
  say("bad-host", await raw("GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n"));
  say("large-head", await raw(head(`X-A: ${"a".repeat(40000)}\r\n`)));
  say("bad-chunk", await raw(head("Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n", "POST /api/v1/enforce HTTP/1.1") + "zz\r\n{}\r\n0\r\n\r\n"));
  say("after-a-refusal", await raw(head("Content-Length: 60\r\nContent-Type: text/plain\r\n", "POST /api/v1/enforce HTTP/1.1") + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
  say("not-http", await raw("\x16\x03\x01 nonsense\r\n\r\n"));
  say("zero-in-path", verdict(await ask("GET", "/api/v1/alerts/a%00b")));
  say("dots", verdict(await ask("GET", "/api/v1/hardenings/..%2f..%2fetc/rules")));
  say("parent", verdict(await ask("GET", "/api/v1/alerts/%2e%2e")));
  say("half-percent", verdict(await ask("GET", "/api/v1/alerts/%4")));
  say("long-path", (await ask("GET", "/" + "a/".repeat(6000)).catch(() => ({ status: "closed" }))).status);
  say("twice", verdict(await ask("GET", "/subscriptions/x/providers/Microsoft.Security/alerts?api-version=2021-11-01&api-version=2021-11-01")));
}

async function bodies() {
  const json = { "Content-Type": "application/json" };
  say("no-json", verdict(await ask("POST", "/api/v1/enforce", json, "{nonsense")));
  say("array", verdict(await ask("POST", "/api/v1/enforce", json, "[1]")));
  say("deep", verdict(await ask("POST", "/api/v1/enforce", json, '{"a":' + "[".repeat(100000) + "]".repeat(100000) + "}")));
  say("filter-half", verdict(await ask("GET", `/subscriptions/x/providers/Microsoft.Security/alertsSuppressionRules?api-version=2019-01-01-preview&$filter=${encodeURIComponent("name eq 'x")}`)));
  say("other-type", verdict(await ask("POST", "/api/v1/enforce", { "Content-Type": "text/plain" }, "{}")));
  say("too-large", await ask("POST", "/api/v1/enforce", { ...json, "Content-Length": 2 << 20 }, "x".repeat(2 << 20)).then((a) => a.status, () => "closed"));
  say("chunked-too-large", await ask("POST", "/api/v1/enforce", { ...json, "Transfer-Encoding": "chunked" }, "x".repeat(2 << 20)).then((a) => a.status, () => "closed"));
  say("raw-rules", verdict(await ask("POST", "/api/v1/enforce", json, '{"rules":[{"destinationPort":22,"ipAddresses":[]}]}')));
  say("empty", verdict(await ask("POST", "/api/v1/enforce", json, "")));
}

async function versions() {
  say("no-version", verdict(await ask("GET", "/subscriptions/x/providers/Microsoft.Security/alerts")));
  say("other-version", verdict(await ask("GET", "/subscriptions/x/providers/Microsoft.Security/alerts?api-version=1999-01-01")));
  say("unknown-path", verdict(await ask("GET", "/subscriptions/x/providers/Microsoft.Security/unicorns?api-version=2020-01-01")));
  const verb = async (method, path) => { const a = await ask(method, path, { "Content-Type": "application/json" }, "{}"); return `${verdict(a)} ${a.headers.allow}`; };
  say("wrong-verb", await verb("PUT", "/api/v1/status"));
  say("wrong-verb-of-two", await verb("POST", "/subscriptions/x/providers/Microsoft.Security/alertsSuppressionRules/a"));
  say("other-options", verdict(await ask("GET", "/subscriptions/x/providers/Microsoft.Security/alerts?api-version=2021-11-01&$orderby=name%20desc&$select=name")));
  const at = async (location, rest) => verdict(await ask("GET", `/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Security/locations/${location}/${rest}`));
  say("elsewhere", `${await at("westeurop", "alerts?api-version=2021-11-01")}, ${await at("westeurop", "topologies?api-version=2020-01-01")}, ${await at("LOCAL", "alerts?api-version=2021-11-01")}`);
  say("stranger", verdict(await ask("GET", "/unicorns", { Authorization: "Basic eDp5" })));
}

// Links have the host that the request names: an answer that was kept for one must not reach another client, who follows them with its token.
async function hosts() {
  const path = "/providers/Microsoft.Security/assessmentMetadata?api-version=2021-06-01&$top=1", links = async (headers) => (await ask("GET", path, headers)).doc.nextLink.split("/providers")[0];
  for (let i = 0; i < 8; i++) await links({ Host: "evil.example" });
  const seen = new Set();
  for (let i = 0; i < 8; i++) seen.add(await links({}));
  say("links", [...seen].join() === `https://${host}:${port}`);
}

// The session of a browser: only from a page of this server, and over when it logs out.
async function sessions() {
  const begun = await ask("POST", "/api/v1/session"), cookie = (begun.headers["set-cookie"] || [""])[0], value = cookie.split(";")[0];
  say("cookie", /^__Host-whittle=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/.test(cookie));
  const by = (method, path, headers, body) => new Promise((done) => https.request({ host, port, method, path, headers: { Cookie: value, ...headers } }, (a) => { a.resume(); a.on("end", () => done(a.statusCode)); }).end(body));
  const page = { Origin: `https://${host}:${port}`, "Sec-Fetch-Site": "same-origin", "X-Whittle": "1" };
  const given = await ask("POST", "/api/v1/session", { Cookie: `__Host-whittle=${"A".repeat(43)}` });
  say("fixed-cookie", given.status === 200 && !given.headers["set-cookie"][0].includes("AAAA"));
  say("session-reads", await by("GET", "/api/v1/me", {}));
  say("from-elsewhere", await by("POST", "/api/v1/hardenings/vm1/undo", { ...page, Origin: "https://evil.example" }));
  say("cross-site", await by("POST", "/api/v1/hardenings/vm1/undo", { ...page, "Sec-Fetch-Site": "cross-site" }));
  say("without-header", await by("POST", "/api/v1/hardenings/vm1/undo", { ...page, "X-Whittle": "0" }));
  say("from-page", await by("POST", "/api/v1/hardenings/nobody/undo", page));
  for (const [name, changed] of [["null", { Origin: "null" }], ["http", { Origin: `http://${host}:${port}` }], ["suffix", { Origin: `https://${host}:${port}.example` }], ["same-site", { "Sec-Fetch-Site": "same-site" }]]) say(`from-${name}`, await by("POST", "/api/v1/hardenings/nobody/undo", { ...page, ...changed }));
  const reader = process.env.READER;
  for (let i = 0; i < 300; i++) await ask("POST", "/api/v1/session", { Authorization: `Bearer ${reader}` });
  say("beside-300", await by("GET", "/api/v1/me", {}));
  say("out", await by("DELETE", "/api/v1/session", page));
  say("afterwards", await by("GET", "/api/v1/me", {}));
}

// What the description has, the server knows; and nothing else than it is reached.
async function description() {
  const doc = (await ask("GET", "/api/v1/openapi.json")).doc, wrong = [];
  let n = 0;
  for (const [path, methods] of Object.entries(doc.paths))
    for (const [method, op] of Object.entries(methods)) {
      n++;
      const version = op["x-api-versions"] ? `?api-version=${op["x-api-versions"].split(" ")[0]}` : "";
      if (method === "post" && /confirm|rollback|session/.test(path)) continue;
      const a = await ask(method.toUpperCase(), path.replace("{ascLocation}/", "local/").replace(/\{[^}]*\}/g, "none") + version, op.requestBody ? { "Content-Type": "application/json" } : {}, op.requestBody ? "{}" : undefined);
      if (["InvalidResourceType", "MethodNotAllowed", "InvalidApiVersionParameter"].includes(a.doc?.error?.code) && !/alert|action/.test(a.doc.error.message) || a.status === 502) wrong.push(`${method} ${path}: ${verdict(a)}`);
    }
  say("described", `${doc.openapi} ${n > 50} ${wrong.join("; ") || "all known"}`);
}

// A thousand that only sit there, and one that sends a byte now and then.
async function idlers() {
  const many = await Promise.all(Array.from({ length: 1000 }, () => new Promise((done) => { const s = require("net").connect(port, host, () => done(s)); s.on("error", () => done(s)); })));
  const slow = tls.connect({ port, host }, () => slow.write("GET /healthz HTT")); slow.on("error", () => {});
  const begin = Date.now();
  for (let i = 0; i < 20; i++) await ask("GET", "/healthz");
  say("with-1000-idle", (await ask("GET", "/healthz")).status + (Date.now() - begin < 4000 ? " soon" : ` after ${Date.now() - begin} ms`));
  for (const s of many) s.destroy();
  slow.destroy();
}

// Strangers that send nearly all of a large body, 120 MiB together.
async function greedy() {
  const head = "POST /api/v1/enforce HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1048576\r\n\r\n", most = "x".repeat(1048575);
  const all = await Promise.all(Array.from({ length: 120 }, () => new Promise((done) => {
    const s = tls.connect({ port, host }, () => { s.write(head); s.write(most, () => done(s)); });
    s.on("error", () => done(s)); s.on("close", () => done(s));
  })));
  say("with-120-bodies", verdict(await ask("POST", "/api/v1/enforce", { "Content-Type": "application/json" }, `{"a":"${"x".repeat(100000)}"}`)));
  for (const s of all) s.destroy();
}

async function protocols() {
  for (const version of ["TLSv1.1", "TLSv1.2", "TLSv1.3"]) say(version, await new Promise((done) => { const s = tls.connect({ port, host, minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" }, () => { done("spoken"); s.destroy(); }); s.on("error", () => done("refused")); }));
}

(async () => {
  for (const step of [protocols, malformed, bodies, versions, hosts, sessions, description, idlers, greedy]) await step().catch((e) => say(`FAILED ${step.name}`, e.message));
  say("alive", (await ask("GET", "/healthz")).text);
  process.exit(0);
})();
