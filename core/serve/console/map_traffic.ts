// SPDX-License-Identifier: GPL-2.0-or-later
// The peers of a chosen machine, or of the machines of a chosen subnet: allowed by the rules, observed, and not wanted, with the
// peers' weaknesses.
import { api, maybe, seg } from "./api";
import { badge, Child, empty, h, rich, time } from "./dom";
import { table } from "./table";
import type { Line } from "./map_canvas";
import { family, idOf, Net, Place } from "./map_model";

export interface Row {
	direction: "In" | "Out";
	peer: number; // -1: the Internet
	name: string;
	tcp: string;
	udp: string;
	icmp: boolean;
	undecided: boolean;
	observed: string; // ports, or a number of flows; "": nothing
	last?: string;
	unwanted: string[];
	weak: string[]; // of the peer, or of the chosen one where the peer is the Internet
}

type Range = [number, number];
const parse = (text: string): Range[] =>
	(text.match(/\d+(-\d+)?/g) ?? []).map((r) => {
		const [a, b] = r.split("-").map(Number);
		return [a, b ?? a] as Range;
	});
const text = (list: Range[]) => `[${list.map(([a, b]) => (a === b ? a : `${a}-${b}`)).join(",")}]`;
function union(a: string, b: string): string {
	const all = [...parse(a), ...parse(b)].sort((x, y) => x[0] - y[0]),
		out: Range[] = [];
	for (const [from, to] of all) {
		const last = out[out.length - 1];
		if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
		else out.push([from, to]);
	}
	return text(out);
}
const has = (ranges: string, n: number) => parse(ranges).some(([a, b]) => a <= n && n <= b);
const none = (ports: string | undefined) => !ports || ports === "[]";

const weakness = (net: Net, n: Place) => n.reasons.map((r) => net.reasons[r]);
const byId = (net: Net) => new Map(net.nodes.map((n) => [idOf(net, n).toLowerCase(), n.i]));

// "kind: ports" of each unwanted connection between these two.
interface Unwanted {
	doc: any;
	classOf: Map<number, number>;
}
const reasons: Record<string, string> = {
	unused: "unused in the window",
	label: "between different labels",
	insecure: "insecure protocol from the Internet",
	alert: "exposed, with an open alert",
};
function judge(u: Unwanted | null, net: Net, from: number, to: number): string[] {
	const out = new Set<string>();
	for (const w of u?.doc.unwanted ?? []) {
		const there = w.id
			? from < 0 && to >= 0 && w.id.toLowerCase() === idOf(net, net.nodes[to]).toLowerCase()
			: from >= 0 && to >= 0 && u!.classOf.get(to) === w.to && has(w.from, u!.classOf.get(from) ?? -1);
		if (there) out.add(`${reasons[w.kind] ?? w.kind}: ${ports(w.tcpPorts, w.udpPorts, false)}`);
	}
	return [...out];
}

export const ports = (tcp: string, udp: string, icmp: boolean) =>
	[none(tcp) ? "" : `TCP ${tcp.slice(1, -1)}`, none(udp) ? "" : `UDP ${udp.slice(1, -1)}`, icmp ? "ICMP" : ""]
		.filter(Boolean)
		.join(" · ")
		.replace(/ 0-65535/g, " all") || "none";

async function unwanted(at: Map<string, number>): Promise<Unwanted | null> {
	const { doc } = await maybe("/api/v1/unwanted"),
		classOf = new Map<number, number>();
	for (const c of doc?.classes ?? [])
		for (const r of c.resources) {
			const i = at.get(r.id.toLowerCase());
			if (i !== undefined) classOf.set(i, c.class);
		}
	return doc ? { doc, classOf } : null;
}

async function ofMachine(net: Net, n: Place): Promise<Row[]> {
	const at = byId(net),
		id = seg(idOf(net, n)),
		[out, into, u] = await Promise.all([
			api(`/api/v1/reach?from=${id}&overlay=yes`),
			api(`/api/v1/reach?to=${id}&overlay=yes`),
			unwanted(at),
		]);
	const rows = (doc: any, direction: "In" | "Out"): Row[] =>
		doc.peers.map((x: any) => {
			const peer = at.get(x.id.toLowerCase()) ?? -1,
				o = x.observed ?? {};
			return {
				direction,
				peer,
				name: x.name,
				tcp: x.tcpPorts,
				udp: x.udpPorts,
				icmp: !!x.icmp,
				undecided: x.verdict === "unknown",
				observed: o.flows
					? `${ports(o.tcpPorts, o.udpPorts, false)} (${o.flows.toLocaleString()} flows)`
					: "",
				last: o.lastSeen,
				unwanted: direction === "In" ? judge(u, net, peer, n.i) : judge(u, net, n.i, peer),
				weak: weakness(net, peer < 0 ? n : net.nodes[peer]),
			};
		});
	return [...rows(out, "Out"), ...rows(into, "In")];
}

// "kind: ports" of the unwanted connections between machines of a subnet and those of each other one, by direction and peer.
function unwantedBetween(u: Unwanted | null, net: Net, n: Place): Map<string, string[]> {
	const found = new Map<string, Map<string, any>>(), // by direction and peer, then by kind
		subnets = new Map<number, Set<number>>(); // of each class
	for (const [i, c] of u?.classOf ?? []) {
		if (!subnets.has(c)) subnets.set(c, new Set());
		for (const p of net.nodes[i].parents) subnets.get(c)!.add(p);
	}
	const note = (key: string, w: any) => {
		if (!found.has(key)) found.set(key, new Map());
		const all = found.get(key)!.get(w.kind) ?? { tcp: "[]", udp: "[]" };
		found.get(key)!.set(w.kind, { tcp: union(all.tcp, w.tcpPorts ?? "[]"), udp: union(all.udp, w.udpPorts ?? "[]") });
	};
	for (const w of u?.doc.unwanted ?? [])
		if (!w.id)
			for (const [a, b] of parse(w.from))
				for (let from = a; from <= b; from++) {
					if (subnets.get(from)?.has(n.i)) for (const peer of subnets.get(w.to) ?? []) note(`Out${peer}`, w);
					if (subnets.get(w.to)?.has(n.i)) for (const peer of subnets.get(from) ?? []) note(`In${peer}`, w);
				}
	const text = ([kind, all]: [string, any]) => `${reasons[kind] ?? kind}, between some machines: ${ports(all.tcp, all.udp, false)}`;
	return new Map([...found].map(([key, kinds]) => [key, [...kinds].map(text)]));
}

// What is recommended for the machines of a subnet, the most frequent first, each with their number.
function weaknessBelow(net: Net, subnet: Place): string[] {
	const by = new Map<number, number>();
	for (const i of subnet.children) for (const r of net.nodes[i].reasons) by.set(r, (by.get(r) ?? 0) + 1);
	return [...by]
		.sort((a, b) => b[1] - a[1])
		.slice(0, 4)
		.map(([r, k]) => `${k} ${k === 1 ? "machine" : "machines"}: ${net.reasons[r]}`);
}

// The classes of its machines, and of the peers'; the traffic of two subnets is the sum over both.
async function ofSubnet(net: Net, n: Place): Promise<Row[]> {
	const at = byId(net),
		[doc, u] = await Promise.all([api("/api/v1/connections"), unwanted(at)]),
		between = unwantedBetween(u, net, n),
		subnets: Set<number>[] = [], // of each class
		rows = new Map<string, Row>();
	for (const c of doc.classes) {
		const all = new Set<number>();
		for (const r of c.resources) {
			const i = at.get(r.id.toLowerCase());
			if (i !== undefined) net.nodes[i].parents.forEach((p) => all.add(p));
		}
		subnets[c.class] = all;
	}
	const add = (direction: "In" | "Out", peer: number, p: any) => {
		const key = `${direction}${peer}`,
			r = rows.get(key);
		if (r) {
			r.tcp = union(r.tcp, p.tcpPorts);
			r.udp = union(r.udp, p.udpPorts);
			r.icmp ||= !!p.icmp;
		} else
			rows.set(key, {
				direction,
				peer,
				name: net.nodes[peer].name,
				tcp: p.tcpPorts,
				udp: p.udpPorts,
				icmp: !!p.icmp,
				undecided: false,
				observed: "",
				unwanted: [],
				weak: weaknessBelow(net, net.nodes[peer]),
			});
	};
	for (const c of doc.connections)
		for (const [a, b] of parse(c.from))
			for (let from = a; from <= b; from++) {
				if (subnets[from]?.has(n.i))
					for (const peer of subnets[c.to] ?? []) add("Out", peer, doc.ports[c.ports]);
				if (subnets[c.to]?.has(n.i))
					for (const peer of subnets[from] ?? []) add("In", peer, doc.ports[c.ports]);
			}
	for (const r of rows.values()) {
		let flows = 0;
		for (let i = 0; i < net.lines.length; i += 3) {
			const [a, b] = r.direction === "Out" ? [n.i, r.peer] : [r.peer, n.i],
				from = net.nodes[net.lines[i]],
				to = net.nodes[net.lines[i + 1]];
			if (from?.parents.includes(a) && to?.parents.includes(b)) flows += net.lines[i + 2];
		}
		r.observed = flows ? `${flows.toLocaleString()} flows` : "";
		r.unwanted = between.get(`${r.direction}${r.peer}`) ?? [];
	}
	return [...rows.values()];
}

export const traffic = (net: Net, n: Place): Promise<Row[]> =>
	n.kind === 2 ? ofMachine(net, n) : n.kind === 1 ? ofSubnet(net, n) : Promise.resolve([]);

// One line for each peer, of the most telling of its two directions: unwanted for more than being unused, observed, unused.
export function linesOf(n: Place, rows: Row[]): Line[] {
	const telling: Line["kind"][] = ["unwanted", "observed", "unused", "allowed"],
		best = new Map<number, number>();
	for (const r of rows) {
		if (r.peer < 0 || r.peer === n.i) continue;
		const unused = r.unwanted.filter((u) => u.startsWith(reasons.unused)).length,
			kind = r.unwanted.length > unused ? "unwanted" : r.observed ? "observed" : unused ? "unused" : "allowed";
		best.set(r.peer, Math.min(best.get(r.peer) ?? 9, telling.indexOf(kind)));
	}
	return [...best].map(([to, k]) => ({ from: n.i, to, kind: telling[k] }));
}

// Everything that was observed, for a picture in which nothing is chosen.
export function observed(net: Net, only?: Place): Line[] {
	const out: Line[] = [],
		mine = only ? family(net, only) : null;
	for (let i = 0; i < net.lines.length; i += 3) {
		const [from, to] = [net.lines[i], net.lines[i + 1]];
		if (from >= 0 && to >= 0 && (!mine || mine.has(from) || mine.has(to))) out.push({ from, to, kind: "observed" });
	}
	return out;
}

export function trafficTable(n: Place, rows: Row[], focus: (i: number) => void): Child {
	const seen = rows.filter((r) => r.observed).length,
		bad = rows.filter((r) => r.unwanted.length).length;
	return h(
		"section",
		{ class: "card" },
		h("h2", null, `All traffic that the rules allow for ${n.name}`),
		h(
			"p",
			{ class: "soft" },
			`${rows.length} ${rows.length === 1 ? "connection is" : "connections are"} allowed. ${seen} of them ${seen === 1 ? "was" : "were"} observed. ${bad} ${bad === 1 ? "seems" : "seem"} unwanted.`,
		),
		table(
			`Traffic of ${n.name}`,
			[
				{
					title: n.kind === 1 ? "Subnet" : "Peer",
					cell: (r: Row) =>
						r.peer < 0
							? r.name
							: h(
									"button",
									{
										type: "button",
										class: "link",
										click: () => focus(r.peer),
									},
									r.name,
								),
					value: (r: Row) => r.name,
				},
				{
					title: "Direction",
					cell: (r: Row) => (r.direction === "In" ? "in, from it" : "out, to it"),
					value: (r: Row) => r.direction,
				},
				{
					title: "Allowed",
					cell: (r: Row) => (r.undecided ? "not known" : ports(r.tcp, r.udp, r.icmp)),
					class: "mono",
				},
				{
					title: "Observed",
					cell: (r: Row) =>
						r.observed
							? [r.observed, r.last ? " · " : "", r.last ? time(r.last) : ""]
							: "merely allowed",
					value: (r: Row) => (r.observed ? 1 : 0),
				},
				{
					title: "Unwanted",
					cell: (r: Row) =>
						r.unwanted.length
							? [badge("Unwanted", r.unwanted.every((u) => u.startsWith(reasons.unused)) ? "medium" : "high"), ` ${r.unwanted.join("; ")}`]
							: "–",
					value: (r: Row) => r.unwanted.length,
				},
				{
					title: "Weaknesses",
					class: "long",
					cell: (r: Row) => (r.weak.length ? rich(r.weak.join("; ")) : "–"),
					value: (r: Row) => r.weak.length,
				},
			],
			rows.sort((a, b) => b.unwanted.length - a.unwanted.length || +!!b.observed - +!!a.observed),
			undefined,
			empty("The rules allow no traffic.", "Choose another resource."),
			({ peer: _, ...row }) => row, // its place in this page's list says nothing elsewhere
		),
	);
}
