// SPDX-License-Identifier: GPL-2.0-or-later
// Draws the network on a canvas, without a library. Overlapping circles are grouped into one with a number; the worst are grouped
// last, and zooming in separates all. Lines between the same two circles are one. While the picture moves, its lines are a bitmap
// that moves with it; once it rests they are drawn again, a part in each frame, the heaviest first: 30,000 lines take longer than
// a frame.
import { h } from "./dom";
import { Point, Spot, spots } from "./map_hubs";
import { drawMarks, Mark, radius } from "./map_marks";
import { Hub, Net, Place, rings } from "./map_model";

export interface Line {
	from: number;
	to: number;
	kind: "part" | "peering" | "observed" | "allowed" | "unused" | "unwanted";
}
export interface Hooks {
	choose(n: Place | Hub): void;
	hover(m: Mark | Spot | null): void;
	leave(): void; // zoomed out beyond the whole picture
	moved(at: string): void; // what at() takes, once the picture rests; "": the whole map
}
export interface Canvas {
	element: HTMLCanvasElement;
	lines(list: Line[]): void;
	chosen(n: Place | Hub | null): void;
	zoom(factor: number): void; // 0: the whole map
	zoomTo(m: Mark): void;
	at(place: string): void; // shows the part of the map that moved() gave
	frames: number[]; // milliseconds that drawing the last ones took
	resting(): boolean; // all is drawn
	hubs(): Spot[]; // of the last picture
}

const step = [30, 26, 24], // pixels that circles of a ring are apart
	most = 400; // times the whole picture

export function canvas(net: Net, hooks: Hooks): Canvas {
	const element = h("canvas", {
		tabindex: 0,
		role: "img",
		"aria-label":
			"Map of the network: arrows move it, plus and minus zoom, 0 shows the whole; the list below has the same",
	}) as HTMLCanvasElement;
	let scale = 0,
		whole = 0,
		ox = 0,
		oy = 0,
		asked = false,
		start: number[] = [], // zoom, and the middle of the map, from the middle of the picture
		place = "",
		lines: Line[] = [],
		chosen: Place | Hub | null = null,
		marks: Mark[] = [],
		hubs: Spot[] = [],
		quiet = 0,
		left: { look: [string, number, number[]]; alpha: number; list: Float64Array[] }[] = [],
		from: { x: number; y: number; moved: boolean } | null = null;
	const bitmap = document.createElement("canvas"),
		drawn = { scale: 0, ox: 0, oy: 0, lines },
		frames: number[] = [],
		style = getComputedStyle(document.documentElement),
		color = (v: string) => style.getPropertyValue(v).trim(),
		width = () => element.clientWidth,
		height = () => element.clientHeight,
		X = (n: Place) => width() / 2 + ox + n.x * scale,
		Y = (n: Place) => height() / 2 + oy + n.y * scale;
	const later = () => {
		if (asked) return;
		asked = true;
		requestAnimationFrame(() => {
			asked = false;
			const t = performance.now();
			paint();
			frames.push(performance.now() - t);
			if (frames.length > 200) frames.shift();
		});
	};

	// Lines between the present circles, each once, in their original order; those outside of the picture are left out.
	function bundle(): Map<Line["kind"], Float64Array[]> {
		const of = new Int32Array(net.nodes.length).fill(-1),
			all = cluster(true),
			out = new Map<Line["kind"], Float64Array[]>(),
			seen = new Map<Line["kind"], Set<number>>();
		all.forEach((m, i) => m.list.forEach((n) => (of[n.i] = i)));
		for (const l of lines) {
			const a = of[l.from],
				b = of[l.to];
			if (a < 0 || b < 0 || a === b) continue;
			let keys = seen.get(l.kind);
			if (!keys) {
				seen.set(l.kind, (keys = new Set()));
				out.set(l.kind, []);
			}
			const key = a < b ? a * all.length + b : b * all.length + a;
			if (keys.has(key)) continue;
			keys.add(key);
			if (meets(all[a], all[b])) out.get(l.kind)!.push(Float64Array.of(all[a].x, all[a].y, all[b].x, all[b].y));
		}
		return out;
	}
	// Not if both ends lie beyond the same side of the picture.
	function meets({ x, y }: Point, { x: u, y: v }: Point): boolean {
		const w = width(),
			hh = height();
		return !((x < 0 && u < 0) || (y < 0 && v < 0) || (x > w && u > w) || (y > hh && v > hh));
	}

	function beginLines(dpr: number) {
		const look: Record<Line["kind"], [string, number, number[]]> = {
				part: [color("--edge"), 1, []],
				peering: [color("--link"), 2, [6, 4]],
				allowed: [color("--unknown"), 1, [2, 4]],
				unused: [color("--high"), 1, [2, 4]],
				observed: [color("--link"), 1, []],
				unwanted: [color("--high"), 2, []],
			},
			bundles = bundle();
		bitmap.width = element.width;
		bitmap.height = element.height;
		left = [];
		for (const kind of ["part", "peering", "allowed", "unused", "observed", "unwanted"] as const) {
			const list = bundles.get(kind) ?? [];
			for (let i = 0; i < list.length; i += 500)
				left.push({
					look: look[kind],
					alpha: Math.min(1, Math.max(0.05, 600 / list.length)),
					list: list.slice(i, i + 500),
				});
		}
		const spokes = hubs.flatMap((s) => s.ends.filter((e) => meets(s, e)).map((e) => Float64Array.of(s.x, s.y, e.x, e.y)));
		left.push({ look: [color("--link"), 2, [2, 3]], alpha: 1, list: spokes });
		Object.assign(drawn, { scale, ox, oy, lines });
		someLines(dpr);
	}

	// As many as fit into a frame; the rest in the next frames.
	function someLines(dpr: number) {
		const c = bitmap.getContext("2d")!,
			until = performance.now() + 8;
		c.setTransform(dpr, 0, 0, dpr, 0, 0);
		for (let n = 0; left.length && n < 4 && performance.now() < until; n++) {
			const { look, alpha, list } = left.shift()!;
			[c.strokeStyle, c.lineWidth] = look;
			c.setLineDash(look[2]);
			c.globalAlpha = alpha;
			c.beginPath();
			for (const [x, y, u, v] of list) {
				c.moveTo(x, y);
				c.lineTo(u, v);
			}
			c.stroke();
		}
		if (left.length) later();
	}

	// Around each ring: nodes within one step of the first are grouped. Of those with different states the worst are
	// separate, one step further out.
	function cluster(all: boolean): Mark[] {
		const out: Mark[] = [],
			w = width() + 20,
			hh = height() + 20;
		let list: Place[] = [];
		const end = () => {
			if (!list.length) return;
			const first = list[0],
				angle =
					list.length > 1
						? first.angle + step[first.kind] / 2 / (rings[first.kind] * scale)
						: first.angle;
			list.sort((a, b) => b.rank - a.rank);
			const worst = list[0].rank,
				bad =
					worst >= 4 && worst !== list[list.length - 1].rank
						? list.findIndex((n) => n.rank !== worst)
						: 0;
			out.push(mark(list.slice(bad), angle, 0));
			if (bad) out.push(mark(list.slice(0, bad), angle, 21));
			list = [];
		};
		for (const n of net.order) {
			const x = X(n),
				y = Y(n);
			if (!all && (x < -20 || y < -20 || x > w || y > hh)) continue;
			if (
				list.length &&
				(list[0].kind !== n.kind || (n.angle - list[0].angle) * rings[n.kind] * scale >= step[n.kind])
			)
				end();
			list.push(n);
		}
		end();
		return out;
	}

	function mark(list: Place[], angle: number, outside: number): Mark {
		const { kind } = list[0],
			far = rings[kind] * scale + outside;
		return {
			x: width() / 2 + ox + far * Math.cos(angle),
			y: height() / 2 + oy + far * Math.sin(angle),
			r: radius[kind] + (list.length > 1 ? (list.length > 99 ? 5 : 3) : 0),
			list,
		};
	}

	function paint() {
		const c = element.getContext("2d")!,
			dpr = devicePixelRatio || 1,
			w = width(),
			hh = height();
		if (!w || !hh) return;
		if (element.width !== Math.round(w * dpr) || element.height !== Math.round(hh * dpr)) {
			element.width = Math.round(w * dpr);
			element.height = Math.round(hh * dpr);
			drawn.scale = 0;
		}
		const before = whole;
		whole = (Math.min(w, hh) / 2 - 50) / 520;
		if (scale && before) scale *= whole / before;
		else {
			scale = whole * (start[0] ?? 1);
			[ox, oy] = [(start[1] ?? 0) * scale, (start[2] ?? 0) * scale];
		}
		const moves =
			drawn.scale && drawn.lines === lines && (drawn.scale !== scale || drawn.ox !== ox || drawn.oy !== oy);
		marks = cluster(false);
		hubs = spots(net, marks, { x: w / 2 + ox, y: hh / 2 + oy, scale }, moves ? hubs : []);
		if (moves) left = [];
		else if (drawn.scale !== scale || drawn.lines !== lines) beginLines(dpr);
		else if (left.length) someLines(dpr);
		const k = scale / drawn.scale;
		c.setTransform(1, 0, 0, 1, 0, 0);
		c.clearRect(0, 0, element.width, element.height);
		c.setTransform(
			k,
			0,
			0,
			k,
			(w / 2 + ox - k * (w / 2 + drawn.ox)) * dpr,
			(hh / 2 + oy - k * (hh / 2 + drawn.oy)) * dpr,
		);
		c.drawImage(bitmap, 0, 0);
		c.setTransform(dpr, 0, 0, dpr, 0, 0);
		drawMarks(c, marks, hubs, chosen, color);
		clearTimeout(quiet);
		if (moves)
			quiet = setTimeout(() => {
				drawn.scale = 0;
				later();
				where();
			}, 150) as unknown as number;
	}

	function where() {
		if (!element.isConnected) return; // the page was left
		const now =
			scale === whole && !ox && !oy ? "" : [scale / whole, ox / scale, oy / scale].map((v) => +v.toFixed(3)).join("~");
		if (now !== place) hooks.moved((place = now));
	}

	const at = (e: MouseEvent): Mark | Spot | null => {
		const under = (m: Mark | Spot) => Math.hypot(m.x - e.offsetX, m.y - e.offsetY) <= m.r + 3;
		for (let i = marks.length - 1; i >= 0; i--) if (under(marks[i])) return marks[i];
		return hubs.find(under) ?? null;
	};
	const reset = () => {
		scale = ox = oy = 0;
		start = [];
		later();
	};
	const zoom = (f: number, x: number, y: number) => {
		if (scale * f < whole * 0.75) return hooks.leave();
		if (scale * f > whole * most) return;
		const dx = x - width() / 2 - ox,
			dy = y - height() / 2 - oy;
		scale *= f;
		ox -= dx * (f - 1);
		oy -= dy * (f - 1);
		later();
	};
	element.addEventListener(
		"wheel",
		(e) => {
			e.preventDefault();
			zoom(e.deltaY < 0 ? 1.2 : 1 / 1.2, e.offsetX, e.offsetY);
		},
		{ passive: false },
	);
	element.addEventListener("pointerdown", (e) => {
		from = { x: e.clientX, y: e.clientY, moved: false };
		element.setPointerCapture(e.pointerId);
	});
	element.addEventListener("pointermove", (e) => {
		if (!from) return hooks.hover(at(e));
		if (!from.moved && Math.hypot(e.clientX - from.x, e.clientY - from.y) <= 3) return;
		ox += e.clientX - from.x;
		oy += e.clientY - from.y;
		from = { x: e.clientX, y: e.clientY, moved: true };
		later();
	});
	element.addEventListener("pointerup", (e) => {
		const m = from && !from.moved ? at(e) : null;
		from = null;
		if (!m) return;
		if ("hub" in m) hooks.choose(m.hub);
		else m.list.length > 1 ? zoom(2.5, m.x, m.y) : hooks.choose(m.list[0]);
	});
	element.addEventListener("keydown", (e) => {
		const move = (x: number, y: number) => () => {
			ox += x;
			oy += y;
			later();
		};
		const step: Record<string, () => void> = {
			"+": () => zoom(1.2, width() / 2, height() / 2),
			"-": () => zoom(1 / 1.2, width() / 2, height() / 2),
			"0": reset,
			ArrowLeft: move(40, 0),
			ArrowRight: move(-40, 0),
			ArrowUp: move(0, 40),
			ArrowDown: move(0, -40),
		};
		if (step[e.key]) {
			e.preventDefault();
			step[e.key]();
		}
	});
	new ResizeObserver(later).observe(element);
	return {
		element,
		frames,
		resting: () => !asked && !left.length && drawn.scale === scale && drawn.ox === ox && drawn.oy === oy,
		hubs: () => hubs,
		lines(list) {
			lines = list;
			later();
		},
		chosen(n) {
			chosen = n;
			later();
		},
		zoom: (f) => (f ? zoom(f, width() / 2, height() / 2) : reset()),
		at(text) {
			const all = text.split("~").map(Number);
			if (all.length === 3 && all.every(Number.isFinite) && all[0] >= 0.75 && all[0] <= most) [place, start] = [text, all];
		},
		zoomTo: (m) => zoom(2.5, m.x, m.y),
	};
}
