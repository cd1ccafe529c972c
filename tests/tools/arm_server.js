// SPDX-License-Identifier: GPL-2.0-or-later
// Plays Azure Resource Manager for network security groups, strictly: what the real one refuses, this one refuses too.
// usage: node arm_server.js PLAN   where PLAN is a comma-separated list of faults, each used up by the next fitting request, of any group
// or, as FAULT@NAME, of the group of that name:
//   put409 put429 put500 get500 get429   answer so once          put500applied  apply, then answer 500
//   cutput-before / cutput-after          cut the connection before / after applying
//   change                                somebody else changes the group's tags before the next PUT
//   changerule                            somebody else adds a rule before the next PUT
//   mangle                                keep something else than what was sent
//   asyncforever                          the operation goes on for ever, and is to be asked for at once
//   asyncfail                             the operation ends as Failed       foreign   send the poll to another host
//   expire                                refuse the token once           forbid / forbidput   403 once, to any request / to a PUT
//   echo                                  answer 403 once, with the request's Authorization in its words
//   folded / manylines / longheader       answer a GET once with a continuation line, 300 header lines, 100 KiB of header
//   odd / oddtag                          every group holds odd JSON from now on: in what only the service writes / in a tag
//   other                                 answer a GET once with the next group       etagline   once with an etag of two lines
//   redirect / redirectput                send a GET / a PUT to another host          later      answer a GET once with 429 and a year to wait
//   huge / deep / wide / bomb      answer a GET once with 33 MiB, 100,000 levels, 8 million lists, 64 MiB of gzip
//   asyncslow                             the operation goes on for ever, and each answer takes 2 s
//   ill / illput                          answer 503 to every request / every PUT from now on
// Groups are those of the file $ARM_STATE, a list, which is rewritten at each change; without it there is one, web.
// $ARM_PS names a file that gets, at each request, what everybody sees of the processes, and the environments of those whose name begins with whittle.
// Prints "listening PORT" and then a line for every request; on SIGTERM prints the groups as they stand and ends.
'use strict';
const http = require('http');
const fs = require('fs');
const plan = (process.argv[2] || '').split(',').filter(Boolean);
const token = process.env.ARM_TOKEN || 'secret';
const state = process.env.ARM_STATE;
const home = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups';
let changes = 0, polls = 0, expired = false, forever = false, slow = false;
const rule = (name, priority, extra) => ({
  name, id: `${home}/web/securityRules/${name}`, etag: 'W/"x"', type: 'Microsoft.Network/networkSecurityGroups/securityRules',
  properties: Object.assign({ provisioningState: 'Succeeded', protocol: 'Tcp', sourcePortRange: '*', destinationPortRange: '22',
    sourceAddressPrefix: '*', destinationAddressPrefix: '*', access: 'Allow', priority, direction: 'Inbound',
    sourcePortRanges: [], destinationPortRanges: [], sourceAddressPrefixes: [], destinationAddressPrefixes: [] }, extra),
});
const groups = state ? JSON.parse(fs.readFileSync(state)) : [{
  name: 'web', id: `${home}/web`, type: 'Microsoft.Network/networkSecurityGroups', location: 'westeurope', tags: { owner: 'net' },
  properties: { provisioningState: 'Succeeded', resourceGuid: 'g', securityRules: [rule('allow-ssh', 300, {})],
    defaultSecurityRules: [rule('DenyAllInBound', 65500, { access: 'Deny', protocol: '*', destinationPortRange: '*' })], subnets: [{ id: 's' }] },
}];
const find = (path) => groups.findIndex((g) => g.id.toLowerCase() === path.toLowerCase());
let at = 0; // the group of the request at hand
const save = () => { if (state) fs.writeFileSync(state, JSON.stringify(groups, null, 1)); };
const etag = () => `W/"${require('crypto').createHash('sha256').update(JSON.stringify(groups[at])).digest('hex').slice(0, 32)}"`; // of what the group holds
const take = (fault) => {
  const i = plan.findIndex((f) => f === fault || f === `${fault}@${groups[at].name}`);
  if (i < 0) return false;
  plan.splice(i, 1);
  return true;
};
const fail = (res, status, code, headers) => {
  res.writeHead(status, Object.assign({ 'Content-Type': 'application/json' }, headers));
  res.end(JSON.stringify({ error: { code, message: `played ${code}` } }));
};
const show = () => {
  let text = JSON.stringify(Object.assign({ etag: etag() }, groups[at]));
  if (plan.includes('odd')) text = text.replace('"resourceGuid":"g"', '"resourceGuid":"g\\u0000\\ud800","flowLogs":[1e999,18446744073709551616]');
  if (plan.includes('oddtag')) text = text.replace('"owner":"net"', '"owner":"n\\u0000t"');
  return text;
};

function badRule(r, seen) { // what the real service answers 400 to
  const p = r.properties || {};
  if (!/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$/.test(r.name || '')) return 'name';
  if (!Number.isInteger(p.priority) || p.priority < 100 || p.priority > 4096) return 'priority';
  if (seen.has(p.direction + p.priority)) return 'SecurityRuleConflict';
  seen.add(p.direction + p.priority);
  if (!['Allow', 'Deny'].includes(p.access) || !['Inbound', 'Outbound'].includes(p.direction)) return 'access or direction';
  if (!['Tcp', 'Udp', 'Icmp', 'Esp', 'Ah', '*'].includes(p.protocol)) return 'protocol';
  if ((p.description || '').length > 140) return 'description';
  for (const side of ['source', 'destination'])
    for (const kind of ['AddressPrefix', 'PortRange']) {
      const one = p[side + kind], many = p[side + kind + (kind === 'AddressPrefix' ? 'es' : 's')] || [];
      if ((one !== undefined && many.length) || (one === undefined && !many.length)) return side + kind;
    }
  return null;
}

function put(req, res, body) {
  let nsg = groups[at];
  if (take('change')) { nsg.tags.owner = `someone else ${++changes}`; save(); }
  if (take('changerule')) { nsg.properties.securityRules.push(rule('theirs', 4000, { destinationPortRange: '8080' })); save(); }
  if (take('forbidput')) return fail(res, 403, 'AuthorizationFailed');
  if (plan.includes('illput')) return fail(res, 503, 'ServiceUnavailable', { 'Retry-After': '0' });
  if (take('redirectput')) return fail(res, 307, 'Moved', elsewhere);
  if (req.headers['x-smuggled']) console.log('SMUGGLED');
  if (take('put409')) return fail(res, 409, 'AnotherOperationInProgress');
  if (take('put429')) return fail(res, 429, 'TooManyRequests', { 'Retry-After': '1' });
  if (take('put500')) return fail(res, 500, 'InternalServerError');
  if (take('cutput-before')) return res.destroy();
  if (!req.headers['if-match']) return fail(res, 400, 'NoIfMatch');
  if (req.headers['if-match'] !== etag()) return fail(res, 412, 'PreconditionFailed');
  let sent;
  try { sent = JSON.parse(body); } catch (e) { return fail(res, 400, 'InvalidRequestContent'); }
  if (sent.etag || (sent.properties || {}).provisioningState || (sent.properties || {}).defaultSecurityRules) return fail(res, 400, 'ReadOnlyProperty');
  if (sent.location !== nsg.location) return fail(res, 400, 'InvalidResourceLocation');
  const seen = new Set();
  for (const r of sent.properties.securityRules) { const bad = badRule(r, seen); if (bad) return fail(res, 400, `InvalidRule:${r.name}:${bad}`); }
  nsg = Object.assign({}, nsg, { tags: sent.tags, properties: Object.assign({}, nsg.properties, { securityRules: sent.properties.securityRules }) });
  if (take('mangle')) nsg.properties.securityRules = nsg.properties.securityRules.map((r, i) => i ? r : Object.assign({}, r, { properties: Object.assign({}, r.properties, { destinationPortRange: '2222' }) }));
  groups[at] = nsg;
  save();
  if (take('cutput-after')) return res.destroy();
  if (take('put500applied')) return fail(res, 500, 'InternalServerError');
  const host = take('foreign') ? 'http://localhost:1' : `http://127.0.0.1:${server.address().port}`;
  polls = 0;
  forever = take('asyncforever');
  slow = take('asyncslow');
  res.writeHead(201, { ETag: etag(), 'Azure-AsyncOperation': `${host}/subscriptions/s/operations/1?api-version=2023-09-01`, 'Retry-After': '0', 'Content-Type': 'application/json' });
  res.end(show());
}

const elsewhere = { Location: 'http://127.0.0.1:1/subscriptions' };
const around = (text) => `{"id":"${groups[at].id}","name":"web","etag":"x","properties":{"securityRules":[]},"tags":${text}}`;
const hostile = {
  other: () => { at = (at + 1) % groups.length; return show(); },
  etagline: () => show().replace(/"etag":"[^}]*?",/, '"etag":"a\\r\\nX-Smuggled: yes",'),
  huge: () => around(`"${'x'.repeat(33 << 20)}"`),
  deep: () => around('['.repeat(100000) + ']'.repeat(100000)),
  wide: () => around(`[${'[],'.repeat(8000000)}[]]`),
  bomb: () => require('zlib').gzipSync(Buffer.alloc(64 << 20)),
};

function look() {
  let text = require('child_process').execFileSync('ps', ['axww', '-o', 'args']).toString();
  for (const pid of fs.readdirSync('/proc').filter((d) => /^[0-9]+$/.test(d)))
    try { if (fs.readFileSync(`/proc/${pid}/comm`).toString().startsWith('whittle')) text += `environment: ${fs.readFileSync(`/proc/${pid}/environ`)}\n`; } catch (e) { /* gone */ }
  fs.appendFileSync(process.env.ARM_PS, text);
}

const server = http.createServer((req, res) => {
  let body = '';
  req.on('data', (d) => { body += d; });
  req.on('end', () => {
    const url = new URL(req.url, 'http://x');
    if (process.env.ARM_PS) look();
    console.log(`${req.method} ${url.pathname.split('/').pop()}`);
    if (req.headers.authorization !== `Bearer ${token}`) return fail(res, 401, 'InvalidAuthenticationToken');
    if (url.pathname !== '/' && find(url.pathname) >= 0) at = find(url.pathname);
    if (plan.includes('ill')) return fail(res, 503, 'ServiceUnavailable', { 'Retry-After': '0' });
    if (take('echo')) return fail(res, 403, `no right with ${req.headers.authorization}`);
    if (take('forbid')) return fail(res, 403, 'AuthorizationFailed');
    if (!expired && take('expire')) { expired = true; return fail(res, 401, 'ExpiredAuthenticationToken'); }
    if (!url.searchParams.get('api-version')) return fail(res, 400, 'MissingApiVersionParameter');
    if (url.pathname.endsWith('/operations/1')) {
      if (slow) return setTimeout(() => { res.writeHead(200, { 'Retry-After': '0' }); res.end('{"status":"InProgress"}'); }, 2000);
      const status = forever || polls++ < 1 ? 'InProgress' : take('asyncfail') ? 'Failed' : 'Succeeded';
      res.writeHead(200, { 'Content-Type': 'application/json', 'Retry-After': '0' });
      return res.end(JSON.stringify({ status, error: status === 'Failed' ? { code: 'Broken', message: 'played' } : undefined }));
    }
    if (find(url.pathname) < 0) return fail(res, 404, 'ResourceNotFound');
    if (req.method === 'PUT') return put(req, res, body);
    if (req.method !== 'GET') return fail(res, 405, 'MethodNotAllowed');
    if (take('get429')) return fail(res, 429, 'TooManyRequests', { 'Retry-After': '0' });
    if (take('get500')) return fail(res, 503, 'ServiceUnavailable');
    if (take('redirect')) return fail(res, 307, 'Moved', elsewhere);
    if (take('later')) return fail(res, 429, 'TooManyRequests', { 'Retry-After': '31536000' });
    for (const fault of Object.keys(hostile))
      if (take(fault)) {
        const body = hostile[fault]();
        res.writeHead(200, Object.assign({ 'Content-Type': 'application/json' }, fault === 'bomb' ? { 'Content-Encoding': 'gzip' } : {}));
        return res.end(body);
      }
    const odd = { folded: 'X-Note: one\r\n two\r\n', manylines: Array.from({ length: 300 }, (_, i) => `X-${i}: y\r\n`).join(''),
      longheader: Array.from({ length: 20 }, (_, i) => `X-${i}: ${'y'.repeat(5120)}\r\n`).join('') };
    for (const fault of Object.keys(odd))
      if (take(fault)) return res.socket.end(`HTTP/1.1 200 OK\r\nETag: ${etag()}\r\n${odd[fault]}Connection: close\r\n\r\n${show()}`);
    res.writeHead(200, { ETag: etag(), 'Content-Type': 'application/json' });
    res.end(show());
  });
});
server.on('connection', () => console.log('connection'));
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
process.on('SIGTERM', () => { for (const g of groups) console.log(`group ${JSON.stringify(g)}`); process.exit(0); });
