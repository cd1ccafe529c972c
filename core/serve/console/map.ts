// SPDX-License-Identifier: GPL-2.0-or-later
// The network on a canvas: VNets on the inner ring, subnets around them, machines outside. Circles that would overlap stand
// together as one with a number, which has the worst state of its members; zooming in takes them apart. One loop over arrays
// draws it, without a library: 10,000 machines are drawn in 30 to 100 ms.
import { api, maybe } from "./api";
import { badge, Child, empty, field, fill, h, severity } from "./dom";
import type { Page } from "./main";

export interface Node_ {
	id: string;
	name: string;
	kind: number;
	sev: string;
	zone: string;
	advice: boolean;
	sub: string;
	group: string;
	parents: string[];
	reasons: string[];
	angle: number;
	ring: number;
	shown: boolean;
	x: number;
	y: number;
}
const kinds = ["VNet", "Subnet", "VM"],
	order = ["High", "Medium", "Low", "Unknown", "Unscanned", "Healthy"],
	rings = [120, 300, 520];
const part = (id: string, key: string) => new RegExp(`/${key}/([^/]+)`, "i").exec(id)?.[1] ?? "";

// What the circles say; each has its severity in words in the list and the pane, too.
const legend = () =>
	h(
		"p",
		{ class: "soft" },
		"The worst that its rules show: ",
		["high", "medium", "low"].map((k) => badge(k[0].toUpperCase() + k.slice(1), k)),
		" none: ",
		badge("Healthy", "good"),
		" not known: ",
		badge("Unknown"),
		" · a ring: the Internet reaches it",
	);

export function read(doc: any): Node_[] {
	const all: Node_[] = [];
	["vnets", "subnets", "virtualMachines"].forEach((name, kind) => {
		for (const r of doc.value.find((v: any) => v.name === name)?.properties.topologyResources ?? [])
			all.push({
				id: r.resourceId,
				name: r.resourceId.split("/").pop(),
				kind,
				sev: r.severity,
				zone: r.networkZones ?? "Internal",
				advice: !!r.recommendationsExist,
				sub: part(r.resourceId, "subscriptions"),
				group: part(r.resourceId, "resourceGroups"),
				parents: (r.parents ?? []).map((x: any) => x.resourceId),
				reasons: r.reasons ?? [],
				angle: 0,
				ring: rings[kind],
				shown: true,
				x: 0,
				y: 0,
			});
	});
	return all;
}

// Each VNet gets a part of the circle by its machines, each subnet a part of that, each machine a place in that.
export function place(nodes: Node_[]) {
	const byId = new Map(nodes.map((n) => [n.id.toLowerCase(), n])),
		below = new Map<Node_ | null, Node_[]>();
	for (const n of nodes) {
		const parent = byId.get((n.parents[0] ?? "").toLowerCase()) ?? null;
		below.set(parent, [...(below.get(parent) ?? [])]);
		below.get(parent)!.push(n);
	}
	const weight = (n: Node_): number => 1 + (below.get(n) ?? []).reduce((s, c) => s + weight(c), 0);
	const spread = (list: Node_[], from: number, to: number) => {
		const total = list.reduce((s, n) => s + weight(n), 0);
		for (const n of list) {
			const end = from + ((to - from) * weight(n)) / total;
			n.angle = (from + end) / 2;
			n.ring = rings[n.kind] * (n.kind === 2 ? Math.max(1, nodes.length / 900) : 1);
			n.x = n.ring * Math.cos(n.angle);
			n.y = n.ring * Math.sin(n.angle);
			spread(below.get(n) ?? [], from, end);
			from = end;
		}
	};
	spread(below.get(null) ?? [], -Math.PI / 2, 1.5 * Math.PI);
	return byId;
}

export async function map(p: Page): Promise<Node> {
	const got = await maybe("/api/v1/map");
	if (!got.doc)
		return h(
			"div",
			null,
			h("h1", null, "Network map"),
			h("div", { class: "card" }, empty("There is no map yet.", got.why!)),
		);
	const nodes = read(got.doc),
		byId = place(nodes),
		flows: any[] = got.doc.traffic ?? [],
		q = p.query,
		view = q.get("view") ?? "topology";
	const health = q.get("health") ?? "",
		zone = q.get("zone") ?? "",
		advice = q.get("advice") ?? "",
		sub = q.get("sub") ?? "",
		subs = [...new Set(nodes.map((n) => n.sub))];
	for (const n of nodes)
		n.shown =
			n.kind < 2 ||
			((!health || n.sev === health) &&
				(!zone || n.zone === zone) &&
				(!advice || n.advice === (advice === "yes")) &&
				(!sub || n.sub === sub));
	const go = (more: Record<string, string>) =>
		p.go(["map"], { view: view === "topology" ? "" : view, health, zone, advice, sub, ...more });
	const option = (value: string, now: string, label = value) => h("option", { value, selected: value === now }, label);
	const canvas = h("canvas", {
			tabindex: 0,
			role: "img",
			"aria-label": `Map of ${nodes.length} resources; the list below has the same`,
		}) as HTMLCanvasElement,
		pane = h(
			"aside",
			{ "aria-label": "Chosen resource", "aria-live": "polite" },
			h("div", { class: "card soft" }, "Choose a circle, or a name in the list."),
		);
	const tip = h("p", { class: "soft", "aria-live": "off" }, "Scroll to zoom, drag to move.");
	const choose = (n: Node_) => {
		chosen = n;
		fill(pane, info(n, flows, byId));
		later();
	};
	let chosen: Node_ | null = null,
		scale = 0,
		ox = 0,
		oy = 0,
		asked = false;
	const later = () => {
		if (!asked) {
			asked = true;
			requestAnimationFrame(() => {
				asked = false;
				paint();
			});
		}
	};

	function paint() {
		const c = canvas.getContext("2d")!,
			w = canvas.clientWidth,
			hh = canvas.clientHeight,
			dpr = devicePixelRatio || 1,
			style = getComputedStyle(document.documentElement),
			color = (v: string) => style.getPropertyValue(v).trim();
		if (canvas.width !== w * dpr) {
			canvas.width = w * dpr;
			canvas.height = hh * dpr;
		}
		const far = Math.max(...nodes.map((n) => n.ring), 300);
		if (!scale) scale = (Math.min(w, hh) / 2 - 30) / far;
		const colors: Record<string, string> = {
				High: color("--high"),
				Medium: color("--medium"),
				Low: color("--low"),
				Healthy: color("--good"),
			},
			grey = color("--unknown"),
			X = (n: Node_) => w / 2 + ox + n.x * scale,
			Y = (n: Node_) => hh / 2 + oy + n.y * scale;
		c.setTransform(dpr, 0, 0, dpr, 0, 0);
		c.clearRect(0, 0, w, hh);
		c.strokeStyle = color("--line");
		c.beginPath();
		if (view === "topology")
			for (const n of nodes) {
				if (!n.shown) continue;
				for (const id of n.parents) {
					const m = byId.get(id.toLowerCase());
					if (m) {
						c.moveTo(X(m), Y(m));
						c.lineTo(X(n), Y(n));
					}
				}
			}
		else
			for (const f of flows) {
				const a = byId.get((f.from ?? "").toLowerCase()),
					b = byId.get((f.to ?? "").toLowerCase());
				if (a && b && (!chosen || a === chosen || b === chosen)) {
					c.moveTo(X(a), Y(a));
					c.lineTo(X(b), Y(b));
				}
			}
		c.stroke();
		// Circles in cells of their own size: what shares a cell stands together.
		const cells = new Map<string, Node_[]>();
		for (const n of nodes) {
			if (!n.shown) continue;
			const x = X(n),
				y = Y(n);
			if (x < -20 || y < -20 || x > w + 20 || y > hh + 20) continue;
			const key = `${n.kind}:${Math.round(x / 13)}:${Math.round(y / 13)}`,
				list = cells.get(key);
			if (list) list.push(n);
			else cells.set(key, [n]);
		}
		marks = [];
		for (const list of cells.values()) {
			list.sort((a, b) => order.indexOf(a.sev) - order.indexOf(b.sev));
			const n = list[0],
				x = X(n),
				y = Y(n),
				r = [11, 8, 6][n.kind] + (list.length > 1 ? 3 : 0);
			marks.push({ x, y, r, list });
			c.beginPath();
			c.arc(x, y, r, 0, 7);
			c.fillStyle = colors[n.sev] ?? grey;
			c.fill();
			if (n.zone === "InternetFacing") {
				c.lineWidth = 2;
				c.strokeStyle = color("--link");
				c.stroke();
				c.lineWidth = 1;
			}
			if (list.includes(chosen!)) {
				c.lineWidth = 3;
				c.strokeStyle = color("--text");
				c.beginPath();
				c.arc(x, y, r + 3, 0, 7);
				c.stroke();
				c.lineWidth = 1;
			}
			c.fillStyle = list.length > 1 ? color("--card") : color("--text");
			c.textAlign = "center";
			c.font = "11px system-ui, sans-serif";
			if (list.length > 1) c.fillText(String(list.length), x, y + 4);
			else if (n.kind < 2 || cells.size < 120) {
				c.fillText(n.name.slice(0, 24), x, y + r + 12);
			}
		}
	}
	let marks: { x: number; y: number; r: number; list: Node_[] }[] = [],
		from: { x: number; y: number; moved: boolean } | null = null;
	const at = (e: MouseEvent) => marks.find((m) => Math.hypot(m.x - e.offsetX, m.y - e.offsetY) <= m.r + 3);
	const zoom = (f: number, x: number, y: number) => {
		const dx = x - canvas.clientWidth / 2 - ox,
			dy = y - canvas.clientHeight / 2 - oy;
		scale *= f;
		ox -= dx * (f - 1);
		oy -= dy * (f - 1);
		later();
	};
	canvas.addEventListener(
		"wheel",
		(e) => {
			e.preventDefault();
			zoom(e.deltaY < 0 ? 1.2 : 1 / 1.2, e.offsetX, e.offsetY);
		},
		{ passive: false },
	);
	canvas.addEventListener("pointerdown", (e) => {
		from = { x: e.clientX, y: e.clientY, moved: false };
		canvas.setPointerCapture(e.pointerId);
	});
	canvas.addEventListener("pointermove", (e) => {
		if (from) {
			if (Math.hypot(e.clientX - from.x, e.clientY - from.y) > 3 || from.moved) {
				ox += e.clientX - from.x;
				oy += e.clientY - from.y;
				from = { x: e.clientX, y: e.clientY, moved: true };
				later();
			}
			return;
		}
		const m = at(e),
			n = m?.list[0];
		tip.textContent = n
			? m!.list.length > 1
				? `${m!.list.length} resources, the worst ${n.sev}: ${n.name}`
				: `${kinds[n.kind]} ${n.name} · resource group ${n.group || "–"} · subscription ${n.sub || "–"}`
			: "Scroll to zoom, drag to move.";
	});
	canvas.addEventListener("pointerup", (e) => {
		const m = from && !from.moved ? at(e) : null;
		from = null;
		if (m) m.list.length > 1 && scale < 40 ? zoom(2.5, m.x, m.y) : choose(m.list[0]);
	});
	canvas.addEventListener("keydown", (e) => {
		const step: Record<string, () => void> = {
			"+": () => zoom(1.2, canvas.clientWidth / 2, canvas.clientHeight / 2),
			"-": () => zoom(1 / 1.2, canvas.clientWidth / 2, canvas.clientHeight / 2),
			ArrowLeft: () => {
				ox += 40;
				later();
			},
			ArrowRight: () => {
				ox -= 40;
				later();
			},
			ArrowUp: () => {
				oy += 40;
				later();
			},
			ArrowDown: () => {
				oy -= 40;
				later();
			},
		};
		if (step[e.key]) {
			e.preventDefault();
			step[e.key]();
		}
	});
	new ResizeObserver(later).observe(canvas);
	const shown = nodes.filter((n) => n.shown).sort((a, b) => order.indexOf(a.sev) - order.indexOf(b.sev));
	return h(
		"div",
		null,
		h("h1", null, "Network map"),
		h(
			"div",
			{ class: "tools" },
			field(
				"View",
				h(
					"select",
					{ change: (e: any) => go({ view: e.target.value === "topology" ? "" : e.target.value }) },
					option("topology", view, "Topology"),
					option("traffic", view, "Observed traffic"),
				),
			),
			field(
				"Security health",
				h(
					"select",
					{ change: (e: any) => go({ health: e.target.value }) },
					option("", health, "Any"),
					order.map((o) => option(o, health)),
				),
			),
			field(
				"Recommendation",
				h(
					"select",
					{ change: (e: any) => go({ advice: e.target.value }) },
					option("", advice, "Any"),
					option("yes", advice, "Active"),
					option("no", advice, "None"),
				),
			),
			field(
				"Network zone",
				h(
					"select",
					{ change: (e: any) => go({ zone: e.target.value }) },
					option("", zone, "Any"),
					option("InternetFacing", zone, "Internet-facing"),
					option("Internal", zone),
				),
			),
			field(
				"Subscription",
				h(
					"select",
					{ change: (e: any) => go({ sub: e.target.value }) },
					option("", sub, "Any"),
					subs.map((s) => option(s, sub)),
				),
			),
			h("button", { type: "button", click: () => p.go(["map"]) }, "Reset"),
		),
		h("div", { class: "split" }, h("div", null, canvas, tip, legend()), pane),
		h(
			"details",
			null,
			h("summary", null, `${shown.length} resources as a list`),
			h(
				"ul",
				null,
				shown.slice(0, 500).map((n) =>
					h(
						"li",
						null,
						h(
							"a",
							{
								href: "#",
								click: (e: Event) => {
									e.preventDefault();
									choose(n);
								},
							},
							`${kinds[n.kind]} ${n.name}`,
						),
						" ",
						severity(n.sev),
					),
				),
			),
		),
	);
}

function info(n: Node_, flows: any[], byId: Map<string, Node_>): Child {
	const id = n.id.toLowerCase(),
		of = (key: "from" | "to", other: "from" | "to") =>
			flows
				.filter((f) => (f[key] ?? "").toLowerCase() === id)
				.slice(0, 30)
				.map((f) =>
					h(
						"li",
						null,
						`${byId.get((f[other] ?? "").toLowerCase())?.name ?? f[other] ?? "Internet"}: ${(f.flows ?? 0).toLocaleString()} flows`,
					),
				);
	const sent = of("from", "to"),
		got = of("to", "from");
	return h(
		"div",
		{ class: "card" },
		h("h2", null, n.name),
		h("p", null, severity(n.sev), " ", n.zone === "InternetFacing" ? "Internet-facing" : "internal"),
		h("h3", null, "General information"),
		h(
			"dl",
			null,
			h("dt", null, "Type"),
			h("dd", null, kinds[n.kind]),
			h("dt", null, "Resource group"),
			h("dd", null, n.group || "–"),
			h("dt", null, "Subscription"),
			h("dd", null, n.sub || "–"),
			h("dt", null, "Id"),
			h("dd", null, n.id),
		),
		h("h3", null, "Recommendations and reasons"),
		n.reasons.length
			? h(
					"ul",
					null,
					n.reasons.map((r) => h("li", null, r)),
				)
			: h("p", { class: "soft" }, "Nothing is known against it."),
		n.kind === 2 ? h("p", null, h("a", { href: `#/hardening/vm/${encodeURIComponent(n.name)}` }, "Its rules")) : null,
		h("h3", null, "Observed traffic"),
		sent.length || got.length
			? [h("p", null, "From it to"), h("ul", null, sent), h("p", null, "To it from"), h("ul", null, got)]
			: h("p", { class: "soft" }, "None was observed."),
	);
}
