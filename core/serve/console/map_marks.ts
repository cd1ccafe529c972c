// SPDX-License-Identifier: GPL-2.0-or-later
// The circles of the map, and its virtual hubs: each is a diamond halfway between the middle of the map and the middle of its
// VNets, with a line to each of them.
import { Hub, Net, Place, severityOf } from "./map_model";

export interface Mark {
	x: number;
	y: number;
	r: number;
	list: Place[]; // the worst first
}
export interface Spot {
	x: number;
	y: number;
	r: number;
	hub: Hub;
	vnets: Place[]; // those that are shown
	ends: { x: number; y: number }[]; // circles of them
}
export const radius = [13, 9, 6];

export function spots(net: Net, marks: Mark[], at: { x: number; y: number; scale: number }): Spot[] {
	const of = new Map<number, Mark>(),
		out: Spot[] = [];
	for (const m of marks) if (m.list[0].kind === 0) for (const n of m.list) of.set(n.i, m);
	for (const hub of net.hubs) {
		const vnets = hub.vnets.map((i) => net.nodes[i]).filter((n) => n.shown);
		if (!vnets.length) continue;
		const x = vnets.reduce((s, n) => s + n.x, 0) / vnets.length / 2,
			y = vnets.reduce((s, n) => s + n.y, 0) / vnets.length / 2,
			s: Spot = { x: at.x + x * at.scale, y: at.y + y * at.scale, r: 10, hub, vnets, ends: [] };
		const meets = (o: Mark | Spot) => Math.hypot(o.x - s.x, o.y - s.y) < o.r + s.r + 14;
		for (let i = 0; i < 40 && (out.some(meets) || marks.some(meets)); i++) s.y += 12; // its name is above it
		s.ends = vnets.map((n) => of.get(n.i) ?? { x: at.x + n.x * at.scale, y: at.y + n.y * at.scale });
		out.push(s);
	}
	return out;
}

function hubLines(c: CanvasRenderingContext2D, hubs: Spot[], color: string) {
	c.strokeStyle = color;
	c.lineWidth = 2;
	c.setLineDash([2, 3]);
	c.beginPath();
	for (const s of hubs)
		for (const e of s.ends) {
			c.moveTo(s.x, s.y);
			c.lineTo(e.x, e.y);
		}
	c.stroke();
	c.setLineDash([]);
}

function diamond(c: CanvasRenderingContext2D, { x, y, r }: Spot, edge: string, inside: string) {
	c.beginPath();
	c.moveTo(x, y - r);
	c.lineTo(x + r, y);
	c.lineTo(x, y + r);
	c.lineTo(x - r, y);
	c.closePath();
	c.fillStyle = inside;
	c.fill();
	c.lineWidth = 2;
	c.strokeStyle = edge;
	c.stroke();
}

export function drawMarks(
	c: CanvasRenderingContext2D,
	marks: Mark[],
	hubs: Spot[],
	chosen: Place | null,
	color: (name: string) => string,
) {
	const fills: Record<string, string> = {
			High: color("--high"),
			Medium: color("--medium"),
			Low: color("--low"),
			Healthy: color("--good"),
		},
		grey = color("--unknown"),
		text = color("--text"),
		card = color("--card"),
		link = color("--link");
	c.textAlign = "center";
	hubLines(c, hubs, link);
	for (const m of marks) {
		const n = m.list[0];
		c.beginPath();
		c.arc(m.x, m.y, m.r, 0, 7);
		c.fillStyle = fills[severityOf(n)] ?? grey;
		c.fill();
		if (m.list.some((k) => k.facing)) {
			c.lineWidth = 2;
			c.strokeStyle = link;
			c.stroke();
		}
		if (chosen && m.list.includes(chosen)) {
			c.lineWidth = 3;
			c.strokeStyle = text;
			c.beginPath();
			c.arc(m.x, m.y, m.r + 4, 0, 7);
			c.stroke();
		}
		c.font = "600 10px system-ui, sans-serif";
		c.fillStyle = card;
		if (m.list.length > 1)
			c.fillText(
				m.list.length > 999 ? `${Math.round(m.list.length / 1000)}k` : String(m.list.length),
				m.x,
				m.y + 3.5,
			);
		else if (n.rank >= 3) c.fillText("!", m.x, m.y + 3.5);
	}
	for (const s of hubs) diamond(c, s, link, card);
	c.font = "11px system-ui, sans-serif";
	c.fillStyle = text;
	c.strokeStyle = card;
	c.lineWidth = 3;
	for (const m of marks)
		if (m.list.length === 1 && (m.list[0].kind === 0 || marks.length < 140)) {
			const name = m.list[0].name.slice(0, 22);
			c.strokeText(name, m.x, m.y + m.r + 12);
			c.fillText(name, m.x, m.y + m.r + 12);
		}
	for (const s of hubs) {
		const name = s.hub.name.slice(0, 22);
		c.strokeText(name, s.x, s.y - s.r - 4);
		c.fillText(name, s.x, s.y - s.r - 4);
	}
}
