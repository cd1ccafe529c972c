// SPDX-License-Identifier: GPL-2.0-or-later
// Plays Azure's Resource Graph, strictly: what the real one refuses, this one refuses too.
// usage: node graph_server.js PLAN   where PLAN is a comma-separated list of faults, each used up by the next request
//   429      answer so, with Retry-After   quota   the same with the quota's headers alone   500   answer so
//   used     answer, with the quota used up   cut   cut the connection   short   leave out the last row   fewer   count one row alone
//   truncate leave out $skipToken where there is a next page   again   give the same $skipToken for ever   html   answer with no JSON
//   expire   refuse the token once   forbid   refuse it for good
// Rows are those of the file $GRAPH_ROWS, by table: {"resources": [], …}; a page holds $GRAPH_PAGE of them. Prints "listening PORT", then a line for every request.
'use strict';
const http = require('http');
const fs = require('fs');
const plan = (process.argv[2] || '').split(',').filter(Boolean);
const rows = JSON.parse(fs.readFileSync(process.env.GRAPH_ROWS));
const size = Number(process.env.GRAPH_PAGE || 1000);
const token = process.env.ARM_TOKEN;
const take = (fault) => plan[0] === fault && plan.shift();
const handed = new Map(); // tokens, each for one table and place
const fail = (res, status, code, headers) => {
  res.writeHead(status, Object.assign({ 'Content-Type': 'application/json' }, headers));
  res.end(JSON.stringify({ error: { code, message: `played ${code}`, details: [] } }));
};
function answer(req, res, text) {
  const url = new URL(req.url, 'http://x');
  if (take('cut')) return req.socket.destroy();
  if (take('429')) return fail(res, 429, 'RateLimiting', { 'Retry-After': '1' });
  if (take('quota')) return fail(res, 429, 'RateLimiting', { 'x-ms-user-quota-remaining': '0', 'x-ms-user-quota-resets-after': '00:00:01' });
  if (take('500')) return fail(res, 500, 'InternalServerError');
  if (take('expire') || plan[0] === 'forbid' || req.headers.authorization !== `Bearer ${token}`) return fail(res, plan[0] === 'forbid' ? 403 : 401, 'ExpiredAuthenticationToken');
  if (url.pathname !== '/providers/Microsoft.ResourceGraph/resources') return fail(res, 404, 'ResourceNotFound');
  if (req.method !== 'POST') return fail(res, 405, 'MethodNotAllowed');
  if (url.search !== '?api-version=2022-10-01') return fail(res, 400, 'InvalidApiVersionParameter');
  if (!/^application\/json/.test(req.headers['content-type'] || '')) return fail(res, 415, 'UnsupportedMediaType');
  if (take('html')) { res.writeHead(200, { 'Content-Type': 'text/html' }); return res.end('<html>'); }
  let body;
  try { body = JSON.parse(text); } catch (e) { return fail(res, 400, 'BadRequest'); }
  const o = body.options || {}, keys = (x, of) => Object.keys(x).every((k) => of.includes(k));
  if (!keys(body, ['query', 'options', 'subscriptions']) || !keys(o, ['resultFormat', '$top', '$skipToken'])) return fail(res, 400, 'BadRequest');
  if (o.resultFormat !== 'objectArray' || !(o.$top >= 1 && o.$top <= 1000)) return fail(res, 400, 'InvalidOptions');
  if (body.subscriptions && (!body.subscriptions.length || body.subscriptions.some((s) => !/^[0-9a-f-]{36}$/.test(s)))) return fail(res, 400, 'InvalidSubscription');
  const m = /^([A-Za-z]+) \| order by id asc$/.exec(body.query || '');
  if (!m || !(m[1].toLowerCase() in rows)) return fail(res, 400, 'InvalidQuery');
  const table = m[1].toLowerCase();
  let at = 0;
  if ('$skipToken' in o) {
    const h = handed.get(o.$skipToken);
    if (!h || h.table !== table) return fail(res, 400, 'InvalidSkipToken');
    at = h.at;
  }
  const all = rows[table].filter((r) => !body.subscriptions || body.subscriptions.includes(r.subscriptionId)).sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = all.slice(at, at + size), next = at + size;
  const out = { totalRecords: all.length, count: page.length, data: page, facets: [], resultTruncated: 'false' };
  if (take('fewer')) out.totalRecords = 1;
  if (take('short')) { page.pop(); out.count--; }
  if (next < all.length) {
    out.$skipToken = plan[0] === 'again' ? 'same' : `t${table}${next}`;
    handed.set(out.$skipToken, { table, at: next });
    if (take('truncate')) { delete out.$skipToken; out.resultTruncated = 'true'; }
  }
  const left = take('used') ? { 'x-ms-user-quota-remaining': '0', 'x-ms-user-quota-resets-after': '00:00:01' } : { 'x-ms-user-quota-remaining': '14', 'x-ms-user-quota-resets-after': '00:00:05' };
  res.writeHead(200, Object.assign({ 'Content-Type': 'application/json' }, left));
  res.end(JSON.stringify(out));
}
// With TLS where $GRAPH_CERT names a file with a certificate and its key.
const pem = process.env.GRAPH_CERT && fs.readFileSync(process.env.GRAPH_CERT);
const create = (on) => (pem ? require('https').createServer({ cert: pem, key: pem }, on) : http.createServer(on));
const server = create((req, res) => {
  let text = '';
  req.on('data', (d) => { text += d; });
  req.on('end', () => { console.log(`${req.method} ${req.url} ${text.slice(0, 200)}`); answer(req, res, text); });
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
process.on('SIGTERM', () => process.exit(0));
