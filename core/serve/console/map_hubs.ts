// SPDX-License-Identifier: GPL-2.0-or-later
// Where the virtual hubs of the map stand: each halfway between the middle of the map and the middle of its VNets, or at the next
// place where neither it nor its name covers anything, and where its lines do not lie on those of peerings or of other hubs.
import { Mark, named, nameOf } from "./map_marks";
import { Hub, Net, Place } from "./map_model";

export interface Spot {
	x: number;
	y: number;
	r: number;
	hub: Hub;
	vnets: Place[]; // those that are shown
	ends: Point[]; // circles of them
	aside: Point; // how far it is from the middle of its VNets
}
export interface Point {
	x: number;
	y: number;
}
type Box = [left: number, top: number, right: number, bottom: number];
type Line = [Point, Point];
const apart = 18, // pixels that a hub is away from lines
	stride = 14, // pixels between the rings of places that are tried
	turns = 16; // places on each of them

// With its name, of which a letter takes 6.5 pixels; `side` is -1 where that stands above it, 1 below it.
function box({ x, y, r }: Point & { r: number }, name: string, side: number): Box {
	const half = Math.max(r, 3.25 * name.length) + 3,
		text = name ? 17 : 3;
	return [x - half, y - r - (side < 0 ? text : 3), x + half, y + r + (side > 0 ? text : 3)];
}
const meet = (a: Box, b: Box) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
function away({ x, y }: Point, [a, b]: Line): number {
	const [dx, dy] = [b.x - a.x, b.y - a.y],
		t = Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / (dx * dx + dy * dy || 1)));
	return Math.hypot(x - a.x - t * dx, y - a.y - t * dy);
}
const linesOf = (s: Spot): Line[] => s.ends.map((e) => [s, e]);

// The first free place around the one that it has.
function settle(s: Spot, taken: Box[], lines: Line[], others: Spot[]) {
	const { x, y } = s,
		free = () =>
			!taken.some((b) => meet(b, box(s, nameOf(s.hub), -1))) &&
			!lines.some((l) => away(s, l) < apart) &&
			!others.some((o) => linesOf(s).some((l) => away(o, l) < apart));
	for (let i = 0; i <= 12 * turns; i++) {
		const far = stride * Math.ceil(i / turns),
			angle = (2 * Math.PI * i) / turns;
		s.x = x + far * Math.cos(angle);
		s.y = y + far * Math.sin(angle);
		if (free()) return (s.aside = { x: s.x - x, y: s.y - y });
	}
	[s.x, s.y] = [x, y];
}

// While the picture moves, each stays where it was `before`: to look for places for 20 hubs takes 60 ms.
export function spots(net: Net, marks: Mark[], at: { x: number; y: number; scale: number }, before: Spot[]): Spot[] {
	const of = new Map<number, Mark>(),
		out: Spot[] = [];
	if (!net.hubs.length) return out;
	for (const m of marks) if (m.list[0].kind === 0) for (const n of m.list) of.set(n.i, m);
	const place = (n: Place): Point => of.get(n.i) ?? { x: at.x + n.x * at.scale, y: at.y + n.y * at.scale },
		taken = marks.map((m) => box(m, named(m, marks.length) ? nameOf(m.list[0]) : "", 1));
	for (const hub of net.hubs) {
		const vnets = hub.vnets.map((i) => net.nodes[i]).filter((n) => n.shown);
		if (!vnets.length) continue;
		const middle = (key: "x" | "y") => at[key] + (at.scale * vnets.reduce((s, n) => s + n[key], 0)) / vnets.length / 2,
			s: Spot = { x: middle("x"), y: middle("y"), r: 10, hub, vnets, ends: vnets.map(place), aside: { x: 0, y: 0 } },
			old = before.find((o) => o.hub === hub),
			mine = new Set(hub.vnets),
			peerings = () =>
				net.peerings
					.filter(([a, b]) => (mine.has(a) || mine.has(b)) && net.nodes[a].shown && net.nodes[b].shown)
					.map(([a, b]): Line => [place(net.nodes[a]), place(net.nodes[b])]);
		if (old) {
			s.aside = old.aside;
			s.x += s.aside.x;
			s.y += s.aside.y;
		} else {
			settle(s, taken, [...peerings(), ...out.flatMap(linesOf)], out);
			taken.push(box(s, nameOf(hub), -1));
		}
		out.push(s);
	}
	return out;
}
