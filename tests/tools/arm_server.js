// SPDX-License-Identifier: GPL-2.0-or-later
// Plays Azure Resource Manager for one network security group, strictly: what the real one refuses, this one refuses too.
// usage: node arm_server.js PLAN   where PLAN is a comma-separated list of faults, each used up by the next fitting request:
//   put409 put429 put500 get500 get429   answer so once          put500applied  apply, then answer 500
//   cutput-before / cutput-after          cut the connection before / after applying
//   change                                somebody else changes the group before the next PUT
//   mangle                                keep something else than what was sent
//   asyncfail                             the operation ends as Failed       foreign   send the poll to another host
//   expire                                refuse the token once
// Prints "listening PORT" and then a line for every request; on SIGTERM prints the group as it stands and ends.
'use strict';
const http = require('http');
const plan = (process.argv[2] || '').split(',').filter(Boolean);
const token = process.env.ARM_TOKEN || 'secret';
const id = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/web';
let version = 1, polls = 0, expired = false;
const rule = (name, priority, extra) => ({
  name, id: `${id}/securityRules/${name}`, etag: 'W/"x"', type: 'Microsoft.Network/networkSecurityGroups/securityRules',
  properties: Object.assign({ provisioningState: 'Succeeded', protocol: 'Tcp', sourcePortRange: '*', destinationPortRange: '22',
    sourceAddressPrefix: '*', destinationAddressPrefix: '*', access: 'Allow', priority, direction: 'Inbound',
    sourcePortRanges: [], destinationPortRanges: [], sourceAddressPrefixes: [], destinationAddressPrefixes: [] }, extra),
});
let nsg = {
  name: 'web', id, type: 'Microsoft.Network/networkSecurityGroups', location: 'westeurope', tags: { owner: 'net' },
  properties: { provisioningState: 'Succeeded', resourceGuid: 'g', securityRules: [rule('allow-ssh', 300, {})],
    defaultSecurityRules: [rule('DenyAllInBound', 65500, { access: 'Deny', protocol: '*', destinationPortRange: '*' })], subnets: [{ id: 's' }] },
};
const etag = () => `W/"${version}"`;
const take = (fault) => { const i = plan.indexOf(fault); if (i < 0) return false; plan.splice(i, 1); return true; };
const fail = (res, status, code, headers) => {
  res.writeHead(status, Object.assign({ 'Content-Type': 'application/json' }, headers));
  res.end(JSON.stringify({ error: { code, message: `played ${code}` } }));
};
const show = () => JSON.stringify(Object.assign({ etag: etag() }, nsg));

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
  if (take('change')) { version++; nsg.tags.owner = 'someone else'; }
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
  version++;
  nsg = Object.assign({}, nsg, { tags: sent.tags, properties: Object.assign({}, nsg.properties, { securityRules: sent.properties.securityRules }) });
  if (take('mangle')) nsg.properties.securityRules = nsg.properties.securityRules.map((r, i) => i ? r : Object.assign({}, r, { properties: Object.assign({}, r.properties, { destinationPortRange: '2222' }) }));
  if (take('cutput-after')) return res.destroy();
  if (take('put500applied')) return fail(res, 500, 'InternalServerError');
  const host = take('foreign') ? 'http://localhost:1' : `http://127.0.0.1:${server.address().port}`;
  polls = 0;
  res.writeHead(201, { ETag: etag(), 'Azure-AsyncOperation': `${host}/subscriptions/s/operations/1?api-version=2023-09-01`, 'Retry-After': '0', 'Content-Type': 'application/json' });
  res.end(show());
}

const server = http.createServer((req, res) => {
  let body = '';
  req.on('data', (d) => { body += d; });
  req.on('end', () => {
    const url = new URL(req.url, 'http://x');
    console.log(`${req.method} ${url.pathname.split('/').pop()}`);
    if (req.headers.authorization !== `Bearer ${token}`) return fail(res, 401, 'InvalidAuthenticationToken');
    if (!expired && take('expire')) { expired = true; return fail(res, 401, 'ExpiredAuthenticationToken'); }
    if (!url.searchParams.get('api-version')) return fail(res, 400, 'MissingApiVersionParameter');
    if (url.pathname.endsWith('/operations/1')) {
      const status = polls++ < 1 ? 'InProgress' : take('asyncfail') ? 'Failed' : 'Succeeded';
      res.writeHead(200, { 'Content-Type': 'application/json', 'Retry-After': '0' });
      return res.end(JSON.stringify({ status, error: status === 'Failed' ? { code: 'Broken', message: 'played' } : undefined }));
    }
    if (url.pathname !== id) return fail(res, 404, 'ResourceNotFound');
    if (req.method === 'PUT') return put(req, res, body);
    if (req.method !== 'GET') return fail(res, 405, 'MethodNotAllowed');
    if (take('get429')) return fail(res, 429, 'TooManyRequests', { 'Retry-After': '0' });
    if (take('get500')) return fail(res, 503, 'ServiceUnavailable');
    res.writeHead(200, { ETag: etag(), 'Content-Type': 'application/json' });
    res.end(show());
  });
});
server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
process.on('SIGTERM', () => { console.log(`group ${JSON.stringify(nsg)}`); process.exit(0); });
