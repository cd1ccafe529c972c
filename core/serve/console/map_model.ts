// SPDX-License-Identifier: GPL-2.0-or-later
// The network from /api/v1/map/brief, and the positions of its circles: VNets on the inner ring, subnets around them, machines
// outside.
export const kinds = ["VNet", "Subnet", "VM"],
	types = ["Virtual network", "Subnet", "Virtual machine"],
	rings = [150, 320, 520];
const words = ["Healthy", "Unknown", "Low", "Medium", "High", "Unscanned"],
	rank = [0, 2, 3, 4, 5, 1];
// The worst first.
export const severities = ["High", "Medium", "Low", "Unknown", "Unscanned", "Healthy"];

export interface Place {
	i: number;
	kind: number;
	head: number;
	name: string;
	state: number;
	rank: number;
	facing: boolean;
	advice: boolean;
	location: string;
	addresses: string;
	parents: number[];
	children: number[];
	reasons: number[];
	shown: boolean;
	angle: number;
	x: number;
	y: number;
}
export interface Hub {
	name: string;
	vnets: number[];
}
export interface Net {
	nodes: Place[];
	order: Place[]; // those that are shown, ring by ring, around each
	lines: number[]; // from, to, flows, …; -1 is the Internet
	peerings: [number, number, number][];
	gateways: [string, string, number, number][];
	hubs: Hub[];
	reasons: string[];
	heads: { id: string; sub: string; group: string }[];
}
export interface Filters {
	health: string;
	zone: string;
	advice: string;
	sub: string;
	focus: string;
}

const part = (id: string, key: string) => new RegExp(`/${key}/([^/]+)`, "i").exec(id)?.[1] ?? "";

// A hub's row is followed by one for each of its VNets.
function hubsOf(gateways: Net["gateways"]): Hub[] {
	const out: Hub[] = [];
	for (const [name, kind, vnet] of gateways) {
		if (kind !== "virtual hub") continue;
		if (vnet < 0) out.push({ name, vnets: [] });
		else out[out.length - 1]?.vnets.push(vnet);
	}
	return out;
}

export function read(doc: any): Net {
	const nodes: Place[] = [];
	[doc.vnets, doc.subnets, doc.machines].forEach((list, kind) => {
		for (const [head, name, state, flags, place, parents, reasons, addresses] of list)
			nodes.push({
				i: nodes.length,
				kind,
				head,
				name,
				state,
				rank: rank[state],
				facing: !!(flags & 1),
				advice: !!(flags & 2),
				location: doc.places[place],
				addresses,
				parents,
				children: [],
				reasons,
				shown: true,
				angle: 0,
				x: 0,
				y: 0,
			});
	});
	for (const n of nodes) for (const p of n.parents) nodes[p].children.push(n.i);
	const heads = doc.heads.map((id: string) => ({
		id,
		sub: part(id, "subscriptions"),
		group: part(id, "resourceGroups"),
	}));
	return {
		nodes,
		order: nodes,
		lines: doc.lines,
		peerings: doc.peerings,
		gateways: doc.gateways,
		hubs: hubsOf(doc.gateways),
		reasons: doc.reasons,
		heads,
	};
}

export const isHub = (n: Place | Hub): n is Hub => "vnets" in n;
export const typeOf = (n: Place | Hub) => (isHub(n) ? "Virtual hub" : types[n.kind]);
// How the address of the page names what is chosen.
export const keyOf = (net: Net, n: Place | Hub) => (isHub(n) ? `hub:${n.name}` : idOf(net, n));
export const findAny = (net: Net, key: string): Place | Hub | undefined =>
	net.hubs.find((x) => `hub:${x.name}` === key) ?? find(net, key);
export const severityOf = (n: Place) => words[n.state];
export const idOf = (net: Net, n: Place) => {
	const { id } = net.heads[n.head];
	return id.endsWith("/") ? id + n.name : id;
};
// By its id, or by a name that only one has.
export function find(net: Net, text: string): Place | undefined {
	const same = (a: string) => a.toLowerCase() === text.toLowerCase(),
		named = net.nodes.filter((n) => same(n.name));
	return net.nodes.find((n) => same(idOf(net, n))) ?? (named.length === 1 ? named[0] : undefined);
}

// A node, all below it, and all above it.
export function family(net: Net, n: Place): Set<number> {
	const all = new Set<number>([n.i]),
		walk = (i: number, key: "parents" | "children") => {
			for (const k of net.nodes[i][key])
				if (!all.has(k)) {
					all.add(k);
					walk(k, key);
				}
		};
	walk(n.i, "children");
	walk(n.i, "parents");
	return all;
}

const fits = (net: Net, n: Place, f: Filters) =>
	(f.health === "any" || (f.health ? severityOf(n) === f.health : n.rank >= 4)) &&
	(f.zone === "any" || (f.zone === "Internal" ? !n.facing : n.facing)) &&
	(!f.advice || n.advice === (f.advice === "yes")) &&
	(!f.sub || net.heads[n.head].sub === f.sub);

// The displayed nodes: matching machines, their parents, and, unless a focus is set, VNets that are
// peered or joined by a virtual hub. By default for health and
// zone, these are nodes that the Internet reaches with a recommendation of high or medium severity.
export function filter(net: Net, f: Filters) {
	const focus = f.focus ? find(net, f.focus) : undefined,
		only = focus ? family(net, focus) : null,
		whole = f.health === "any" && f.zone === "any" && !f.advice;
	for (const n of net.nodes) n.shown = false;
	const show = (i: number) => {
		if (net.nodes[i].shown) return;
		net.nodes[i].shown = true;
		net.nodes[i].parents.forEach(show);
	};
	for (const n of net.nodes)
		if (only ? only.has(n.i) : n.kind < 2 ? whole && (!f.sub || net.heads[n.head].sub === f.sub) : fits(net, n, f))
			show(n.i);
	if (!only)
		for (const joined of [...net.peerings.map(([a, b]) => [a, b]), ...net.hubs.map((x) => x.vnets)])
			for (const i of joined) if (!f.sub || net.heads[net.nodes[i].head].sub === f.sub) show(i);
}

// Each VNet gets a part of the circle by its machines, each subnet a part of that, each machine a place in that; each is the
// middle of its part.
export function lay(net: Net) {
	const weight = new Float64Array(net.nodes.length);
	for (let i = net.nodes.length - 1; i >= 0; i--) {
		const n = net.nodes[i];
		if (!n.shown) continue;
		weight[i] += 1;
		if (n.parents.length) weight[n.parents[0]] += weight[i];
	}
	const spread = (list: number[], from: number, to: number) => {
		const each = (to - from) / list.reduce((s, i) => s + weight[i], 0);
		for (const i of list) {
			const n = net.nodes[i],
				end = from + each * weight[i];
			n.angle = (from + end) / 2;
			n.x = rings[n.kind] * Math.cos(n.angle);
			n.y = rings[n.kind] * Math.sin(n.angle);
			spread(
				n.children.filter((c) => net.nodes[c].shown && net.nodes[c].parents[0] === i),
				from,
				end,
			);
			from = end;
		}
	};
	spread(
		net.nodes.filter((n) => n.shown && !n.parents.length).map((n) => n.i),
		-Math.PI / 2,
		1.5 * Math.PI,
	);
	net.order = net.nodes.filter((n) => n.shown).sort((a, b) => a.kind - b.kind || a.angle - b.angle);
}
