// SPDX-License-Identifier: GPL-2.0-or-later
// A stand-in for `aws ec2`, as strict as AWS is about rules of security groups, and an evaluator of its own.
//   node fake_aws.js apply GROUPS.json CALLS.json [LIMIT]   applies the calls one by one, prints the groups; a call that AWS would refuse is an error
//   node fake_aws.js run GROUPS.json WORDS…                 one `aws` command line: changes the file
//   node fake_aws.js compare BEFORE.json AFTER.json INSTANCES.json NEEDS.json
//       random packets to each interface before and after: none may pass that did not; those of NEEDS must pass still; on other ports
//       than those of NEEDS nothing may change
'use strict'
const fs = require('fs')
const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'))
const fail = (text) => { process.stderr.write(text + '\n'); process.exit(1) }

// ---- addresses: as BigInt, IPv4 below 2^32 ----
const parse = (text) => {
	if (!text.includes(':')) return { v4: true, n: text.split('.').reduce((a, x) => a * 256n + BigInt(x), 0n) }
	const [left, right] = text.split('::')
	const words = (s) => (s ? s.split(':') : [])
	const l = words(left), r = right === undefined ? [] : words(right)
	return { v4: false, n: [...l, ...Array(right === undefined ? 0 : 8 - l.length - r.length).fill('0'), ...r].reduce((a, x) => a * 65536n + BigInt('0x' + x), 0n) }
}
const prefix = (text) => {
	const [address, length] = text.split('/')
	const a = parse(address), bits = a.v4 ? 32n : 128n
	if (length === undefined || BigInt(length) > bits) fail(`InvalidParameterValue: CIDR block ${text} is malformed`)
	if (a.n & ((1n << (bits - BigInt(length))) - 1n)) fail(`InvalidParameterValue: ${text} has host bits`)
	return { ...a, shift: bits - BigInt(length) }
}
const holds = (p, a) => p.v4 === a.v4 && p.n >> p.shift === a.n >> p.shift

// ---- one rule with one source, as AWS counts them ----
const key = (r) => `${r.proto} ${r.from} ${r.to} ${r.kind} ${r.source}`
const rulesOf = (permissions) => permissions.flatMap((p) => {
	const ports = p.IpProtocol === '-1' ? [-1, -1] : [p.FromPort ?? -1, p.ToPort ?? -1]
	const of = (list, kind, member) => (p[list] ?? []).map((s) => ({ proto: p.IpProtocol, from: ports[0], to: ports[1], kind, source: s[member], description: s.Description, extra: s }))
	return [...of('IpRanges', 'IpRanges', 'CidrIp'), ...of('Ipv6Ranges', 'Ipv6Ranges', 'CidrIpv6'), ...of('UserIdGroupPairs', 'UserIdGroupPairs', 'GroupId'), ...of('PrefixListIds', 'PrefixListIds', 'PrefixListId')]
})
const permissionsOf = (rules) => {
	const out = new Map()
	for (const r of rules) {
		const k = `${r.proto} ${r.from} ${r.to}`
		if (!out.has(k)) out.set(k, { IpProtocol: r.proto, ...(r.from < 0 ? {} : { FromPort: r.from, ToPort: r.to }), IpRanges: [], Ipv6Ranges: [], UserIdGroupPairs: [], PrefixListIds: [] })
		out.get(k)[r.kind].push(r.extra)
	}
	return [...out.values()]
}
const check = (r) => {
	if (!['tcp', 'udp', 'icmp', 'icmpv6', '-1'].includes(r.proto) && !/^\d+$/.test(r.proto)) fail(`InvalidParameterValue: protocol ${r.proto}`)
	if (['tcp', 'udp'].includes(r.proto) && !(r.from >= 0 && r.from <= r.to && r.to <= 65535)) fail(`InvalidParameterValue: ports ${r.from} ${r.to}`)
	if (r.kind === 'IpRanges' || r.kind === 'Ipv6Ranges') {
		if (prefix(r.source).v4 !== (r.kind === 'IpRanges')) fail(`InvalidParameterValue: ${r.source} in ${r.kind}`)
	}
	if (r.description !== undefined && !/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{0,255}$/.test(r.description)) fail(`InvalidParameterValue: description ${r.description}`)
}
const count = (rules, family) => rules.filter((r) => r.kind === family || r.kind === 'UserIdGroupPairs' || r.kind === 'PrefixListIds').length

const call = (doc, operation, input, limit) => {
	const m = /^(authorize|revoke)-security-group-(ingress|egress)$/.exec(operation)
	if (!m) fail(`InvalidAction: ${operation}`)
	for (const k of Object.keys(input)) if (!['GroupId', 'IpPermissions'].includes(k)) fail(`Unknown parameter in input: ${k}`)
	const group = doc.SecurityGroups.find((g) => g.GroupId === input.GroupId)
	if (!group) fail(`InvalidGroup.NotFound: ${input.GroupId}`)
	const member = m[2] === 'ingress' ? 'IpPermissions' : 'IpPermissionsEgress'
	let rules = rulesOf(group[member])
	const asked = rulesOf(input.IpPermissions)
	if (!asked.length) fail('MissingParameter: no permission')
	if (new Set(asked.map(key)).size !== asked.length) fail('InvalidParameterValue: the same permission must not appear multiple times')
	for (const r of asked) {
		check(r)
		const there = rules.some((x) => key(x) === key(r))
		if (m[1] === 'authorize' && there) fail(`InvalidPermission.Duplicate: ${key(r)}`)
		if (m[1] === 'revoke' && !there) fail(`InvalidPermission.NotFound: ${key(r)}`)
	}
	rules = m[1] === 'authorize' ? [...rules, ...asked] : rules.filter((x) => !asked.some((r) => key(r) === key(x)))
	for (const family of ['IpRanges', 'Ipv6Ranges']) if (m[1] === 'authorize' && count(rules, family) > limit) fail(`RulesPerSecurityGroupLimitExceeded: ${group.GroupId} ${family} ${count(rules, family)}`)
	group[member] = permissionsOf(rules)
}

// ---- what an interface lets through ----
const interfacesOf = (doc) => doc.NetworkInterfaces
const passes = (doc, members, groups, p) => groups.some((id) => {
	const g = doc.SecurityGroups.find((x) => x.GroupId === id)
	return g && rulesOf(g[p.inbound ? 'IpPermissions' : 'IpPermissionsEgress']).some((r) => {
		if (r.proto !== '-1' && r.proto !== p.proto) return false
		if (r.proto !== '-1' && r.from >= 0 && !(r.from <= p.port && p.port <= r.to)) return false
		if (r.kind === 'UserIdGroupPairs') return (members[r.source] ?? []).some((a) => a.v4 === p.peer.v4 && a.n === p.peer.n)
		return r.kind !== 'PrefixListIds' && holds(prefix(r.source), p.peer)
	})
})
let seed = 12345
const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return Math.floor((seed / 4294967296) * n) }
const bits = (n) => { let x = 0n; for (let i = 0n; i < n; i += 8n) x = (x << 8n) | BigInt(random(256)); return x & ((1n << n) - 1n) }

const compare = (before, after, interfaces, needs) => {
	const members = {}
	for (const f of interfacesOf(interfaces)) for (const g of f.Groups) (members[g.GroupId] ??= []).push(parse(f.PrivateIpAddress))
	const sources = before.SecurityGroups.concat(after.SecurityGroups).flatMap((g) => rulesOf(g.IpPermissions.concat(g.IpPermissionsEgress))).filter((r) => r.kind === 'IpRanges' || r.kind === 'Ipv6Ranges').map((r) => prefix(r.source))
	const ports = [...new Set(before.SecurityGroups.concat(after.SecurityGroups).flatMap((g) => rulesOf(g.IpPermissions.concat(g.IpPermissionsEgress))).flatMap((r) => (r.from < 0 ? [] : [r.from - 1, r.from, r.to, r.to + 1])))].filter((x) => x >= 0 && x < 65536)
	const narrowed = new Set(needs.ports.map((x) => `${x.proto} ${x.port}`))
	let asked = 0, closed = 0
	for (const f of interfacesOf(interfaces)) {
		const groups = f.Groups.map((g) => g.GroupId)
		for (let i = 0; i < 1500; i++) {
			const s = sources[random(sources.length)]
			const peer = { v4: s.v4, n: ((s.n >> s.shift) << s.shift) | bits(s.shift) }
			if (random(4) === 0) peer.n ^= 1n << BigInt(random(s.v4 ? 32 : 128))
			const p = { inbound: random(4) > 0, proto: ['tcp', 'udp', 'icmp'][random(3)], port: random(3) ? ports[random(ports.length)] : random(65536), peer }
			const was = passes(before, members, groups, p), is = passes(after, members, groups, p)
			asked++
			if (is && !was) fail(`widened: ${f.NetworkInterfaceId} ${JSON.stringify({ ...p, peer: String(peer.n) })}`)
			if (was && !is) {
				closed++
				if (!p.inbound || !narrowed.has(`${p.proto} ${p.port}`)) fail(`touched: ${f.NetworkInterfaceId} ${JSON.stringify({ ...p, peer: String(peer.n) })}`)
			}
		}
	}
	for (const x of needs.peers) {
		const f = interfacesOf(interfaces).find((y) => y.PrivateIpAddress === x.local)
		const p = { inbound: true, proto: x.proto, port: x.port, peer: parse(x.peer) }
		const groups = f.Groups.map((g) => g.GroupId)
		if (passes(before, members, groups, p) && !passes(after, members, groups, p)) fail(`cut: ${x.peer} to ${x.local} ${x.proto} ${x.port}`)
	}
	console.log(`${asked} packets, ${closed} no longer pass, ${needs.peers.length} peers kept`)
}

const [what, file, ...rest] = process.argv.slice(2)
if (what === 'apply') {
	const doc = read(file)
	for (const c of read(rest[0]).calls) call(doc, c.operation, c.input, Number(rest[1] ?? 60))
	console.log(JSON.stringify(doc, null, 1))
} else if (what === 'run') {
	const doc = read(file), option = (name) => rest[rest.indexOf(name) + 1]
	if (rest[0] !== 'ec2') fail(`not a command: ${rest.join(' ')}`)
	call(doc, rest[1], { GroupId: option('--group-id'), IpPermissions: JSON.parse(option('--ip-permissions')) }, 60)
	fs.writeFileSync(file, JSON.stringify(doc, null, 1))
} else if (what === 'compare') {
	compare(read(file), read(rest[0]), read(rest[1]), read(rest[2]))
} else fail('usage: apply | run | compare')
