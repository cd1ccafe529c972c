// SPDX-License-Identifier: GPL-2.0-or-later
// The page of the network map: its filters, the picture, the tooltip, the pane of the selected node, and the list.
import { address } from "./address";
import { maybe, part } from "./api";
import { badge, Child, choice, Choices, empty, fill, h, pane, rich, severity } from "./dom";
import type { Page } from "./main";
import { canvas, Canvas, Line } from "./map_canvas";
import { list } from "./map_list";
import { Spot } from "./map_hubs";
import { Mark } from "./map_marks";
import { family, filter, findAny, Hub, idOf, isHub, keyOf, kinds, lay, Net, Place, read, severities, severityOf, typeOf, types } from "./map_model";
import { linesOf, observed, traffic, trafficTable } from "./map_traffic";

// The meaning of the circles and lines; the list, the pane and the table show the same in words.
const legend = (traffic: boolean, hubs: boolean) =>
	h(
		"p",
		{ class: "soft legend" },
		"Circles: ",
		["High", "Medium", "Low", "Healthy"].map((s) => severity(s)),
		badge("Unknown"),
		" · ring: the Internet reaches it · number: that many are drawn as one circle.",
		h("br", null),
		"Lines: ",
		(traffic
			? [
					["observed", "observed"],
					["allowed", "merely allowed"],
					["unused", "unwanted: unused"],
					["unwanted", "unwanted for another reason"],
				]
			: [
					["part", "belongs to"],
					["peering", "peered networks"],
					...(hubs ? [["hub", "virtual hub (a diamond) and its networks"]] : []),
				]
		).map(([kind, text]) => h("span", { class: `line ${kind}` }, text)),
	);

// Last document, as long as the server answers that nothing changed.
let known: { doc: any; net: Net } | null = null;

async function load(): Promise<{ net?: Net; why?: string }> {
	const got = await maybe("/api/v1/map/brief");
	if (!got.doc) return { why: got.why };
	if (known?.doc.at !== got.doc.at) known = { doc: got.doc, net: read(got.doc) };
	return { net: known!.net };
}

function topology(net: Net): Line[] {
	const out: Line[] = [];
	for (const n of net.nodes) for (const p of n.parents) if (n.shown) out.push({ from: p, to: n.i, kind: "part" });
	for (const [from, to] of net.peerings) out.push({ from, to, kind: "peering" });
	return out;
}

const about = (net: Net, n: Place) => {
	const { sub, group } = net.heads[n.head];
	return `${types[n.kind]} · resource group ${group || "–"} · subscription ${sub || "–"}`;
};

// The tooltip: the node under the pointer, with a link that the pointer can reach.
function tooltip(net: Net, pick: { focus(n: Place): void; zoom(m: Mark): void }) {
	const element = h("div", { class: "tip", hidden: true });
	let timer = 0,
		now: Mark | Spot | null = null;
	const link = (text: string, click: () => void) => h("button", { type: "button", class: "link", click }, text);
	const show = (m: Mark | Spot) => {
		element.hidden = false;
		element.style.left = `${m.x + m.r + 4}px`;
		element.style.top = `${m.y + m.r + 4}px`;
		if ("hub" in m) {
			const more = m.vnets.length > 4 ? ` and ${m.vnets.length - 4} more` : "";
			fill(
				element,
				h("strong", null, m.hub.name),
				h("div", null, `Virtual hub; it joins ${m.vnets.slice(0, 4).map((n) => n.name).join(", ")}${more}`),
			);
			return;
		}
		const n = m.list[0];
		if (m.list.length === 1)
			fill(
				element,
				h("strong", null, n.name),
				" ",
				severity(severityOf(n)),
				h("div", null, about(net, n)),
				link("Focus on this", () => pick.focus(n)),
			);
		else
			fill(
				element,
				h("strong", null, `${m.list.length} ${kinds[n.kind]}s`),
				h("div", null, "The most critical: "),
				h(
					"ul",
					null,
					m.list.slice(0, 4).map((k) => h("li", null, k.name, " ", severity(severityOf(k)))),
				),
				link("Zoom in", () => pick.zoom(m)),
			);
	};
	element.addEventListener("pointerenter", () => clearTimeout(timer));
	element.addEventListener("pointerleave", () => hover(null));
	function hover(m: Mark | Spot | null) {
		if (m === now && !element.hidden) return;
		clearTimeout(timer);
		now = m;
		if (m) show(m);
		else
			timer = setTimeout(() => {
				element.hidden = true;
			}, 400) as unknown as number;
	}
	return { element, hover };
}

const count = (list: string[]) => {
	const by = new Map<string, number>();
	for (const t of list) by.set(t, (by.get(t) ?? 0) + 1);
	return [...by].sort((a, b) => b[1] - a[1]);
};

// The same pane for every type: general information, its guards, and the recommendations at it or below it.
function info(net: Net, n: Place, focus: (n: Place) => void): Child {
	const { sub, group } = net.heads[n.head],
		near = family(net, n),
		below = n.kind < 2 ? [...near].map((i) => net.nodes[i]).filter((m) => m.kind === 2) : [n],
		todo = count(below.flatMap((m) => m.reasons.map((r) => net.reasons[r]))),
		guards = net.gateways.filter(([, , vnet]) => near.has(vnet)),
		sensor = h("li", null, "Sensor: asking…");
	if (n.kind === 2)
		part("/api/v1/status").then(
			({ doc, why }) => {
				const r = doc?.resources.find((x: any) => x.name === n.name);
				fill(
					sensor,
					"Sensor: ",
					r?.daysWithData
						? `${r.daysWithData} days with data${doc.derived && !doc.derived.current ? ` up to ${doc.derived.lastDay}` : ""}`
						: (r?.reason ?? why ?? "no traffic was seen"),
				);
			},
			() => {},
		);
	return h(
		"div",
		null,
		h("h2", null, n.name),
		h("p", null, severity(severityOf(n)), " ", n.facing ? "Internet-facing" : "Internal"),
		h("button", { type: "button", click: () => focus(n) }, "Focus on this"),
		h("h3", null, "General information"),
		h(
			"dl",
			null,
			[
				["Type", types[n.kind]],
				["Resource group", group],
				["Subscription", sub],
				["Location", n.location],
				["Addresses", n.addresses],
				["Machines", n.kind < 2 ? String(below.length) : ""],
				["Id", idOf(net, n)],
			].flatMap(([k, v]) => (v ? [h("dt", null, k), h("dd", null, v)] : [])),
		),
		h("h3", null, "Connected security solutions"),
		h(
			"ul",
			null,
			n.kind === 2 ? sensor : null,
			guards.map(([name, kind]) => h("li", null, `${kind} ${name}`)),
			n.kind < 2 && !guards.length ? h("li", null, "No firewall or gateway is known in its network.") : null,
		),
		h("h3", null, "Recommendations"),
		todo.length
			? h(
					"ul",
					null,
					todo
						.slice(0, 12)
						.map(([t, k]) =>
							h(
								"li",
								null,
								rich(n.kind < 2 ? `${k} ${k === 1 ? "machine" : "machines"}: ${t}` : t),
							),
						),
				)
			: h("p", { class: "soft" }, "There are none."),
		n.kind === 2
			? h(
					"p",
					null,
					h("a", { href: `#/hardening/vm/${encodeURIComponent(n.name)}` }, "Its rules"),
					" · ",
					h("a", { href: `#/recommendations?state=Failed` }, "All recommendations"),
				)
			: null,
	);
}

// Of a virtual hub, what is known of it: the networks that it joins, each a button that chooses it.
const hubInfo = (net: Net, hub: Hub, choose: (n: Place) => void): Child =>
	h(
		"div",
		null,
		h("h2", null, hub.name),
		h("h3", null, "General information"),
		h("dl", null, h("dt", null, "Type"), h("dd", null, typeOf(hub))),
		h("h3", null, "Networks that it joins"),
		hub.vnets.length
			? h(
					"ul",
					null,
					hub.vnets
						.map((i) => net.nodes[i])
						.map((n) => h("li", null, h("button", { type: "button", class: "link", click: () => choose(n) }, n.name), " ", severity(severityOf(n)))),
				)
			: h("p", { class: "soft" }, "No network is connected to it."),
	);

// For whoever has neither a wheel nor a keyboard.
const zooms = (picture: Canvas): Child =>
	h(
		"div",
		{ class: "zooms" },
		(
			[
				["+", "Zoom in", 1.5],
				["−", "Zoom out", 1 / 1.5],
				["Whole", "Whole map", 0],
			] as [string, string, number][]
		).map(([text, label, f]) =>
			h("button", { type: "button", "aria-label": label, title: label, click: () => picture.zoom(f) }, text),
		),
	);

export async function map(p: Page): Promise<Node> {
	const { net, why } = await load();
	if (!net)
		return h(
			"div",
			null,
			h("h1", null, "Network map"),
			h("div", { class: "card" }, empty("There is no map yet.", why!)),
		);
	const names = ["view", "health", "zone", "advice", "sub", "focus", "chosen", "at"],
		q = Object.fromEntries(names.map((n) => [n, p.query.get(n) ?? ""])) as Record<string, string>,
		go = (more: Record<string, string>) => p.go(["map"], { ...q, at: "", ...more }),
		narrow = (more: Record<string, string>) => go({ focus: "", ...more }); // a focus shows what the filters would not
	filter(net, q as any);
	lay(net);
	const subs = [...new Set(net.heads.map((x) => x.sub))].filter(Boolean),
		side = pane("Chosen resource", net.hubs.length ? "Choose a circle, a diamond, or a name in the list." : "Choose a circle, or a name in the list.", () => {
			p.note(["map"], { ...q, chosen: (q.chosen = "") });
			picture.chosen(null);
			fill(below);
			picture.lines(q.view === "traffic" ? observed(net) : topology(net));
		}),
		below = h("div", null),
		focus = (n: Place) => go({ focus: idOf(net, n), chosen: idOf(net, n) }),
		tip = tooltip(net, { focus, zoom: (m) => picture.zoomTo(m) });
	const picture: Canvas = canvas(net, {
		choose: (n) => choose(n, true),
		hover: (m) => tip.hover(m),
		leave: () => q.focus && go({ focus: "" }),
		moved: (at) => p.note(["map"], { ...q, at: (q.at = at) }),
	});
	picture.at(q.at);
	async function choose(n: Place | Hub, remember: boolean, from?: HTMLElement): Promise<void> {
		if (remember) p.note(["map"], { ...q, chosen: (q.chosen = keyOf(net!, n)) });
		picture.chosen(n);
		if (isHub(n)) {
			fill(below);
			if (q.view === "traffic") picture.lines(observed(net!));
			return side.show(hubInfo(net!, n, there), from);
		}
		side.show(info(net!, n, focus), from);
		if (q.view !== "traffic") return;
		picture.lines(observed(net!, n));
		if (n.kind === 0) return fill(below);
		fill(below, h("p", { class: "soft", role: "status" }, "Loading what the rules allow…"));
		try {
			const rows = await traffic(net!, n);
			picture.lines(linesOf(n, rows));
			fill(
				below,
				trafficTable(n, rows, (i) => there(net!.nodes[i])),
			);
		} catch (e) {
			fill(below, h("div", { class: "notice bad", role: "alert" }, rich((e as Error).message)));
		}
	}
	// From a button that the next choice takes away: the focus moves to what was chosen.
	const there = (n: Place) => {
		choose(n, true);
		side.focus();
	};
	picture.lines(q.view === "traffic" ? observed(net) : topology(net));
	const first = q.chosen && findAny(net, q.chosen);
	if (first) choose(first, false);
	(window as any).whittleMap = picture; // for measurements
	const machines = net.nodes.some((n) => n.shown && n.kind === 2);
	return h(
		"div",
		null,
		h("h1", null, "Network map"),
		h(
			"div",
			{ class: "tools" },
			choice(
				"View",
				"view",
				q.view,
				[
					["", "Topology"],
					["traffic", "Traffic"],
				],
				go,
			),
			choice(
				"Security health",
				"health",
				q.health,
				[["", "High and medium"], ["any", "Any"], ...severities.map((s) => [s, s] as [string, string])],
				narrow,
			),
			choice(
				"Recommendation",
				"advice",
				q.advice,
				[
					["", "Any"],
					["yes", "Active"],
					["no", "None"],
				],
				narrow,
			),
			choice(
				"Network zone",
				"zone",
				q.zone,
				[
					["", "Internet-facing"],
					["any", "Any"],
					["Internal", "Internal"],
				],
				narrow,
			),
			choice("Subscription", "sub", q.sub, [["", "Any"], ...subs.map((s): Choices[0] => [s, s])], narrow),
			h("button", { type: "button", click: () => p.go(["map"]) }, "Reset"),
			h("button", { type: "button", click: () => go({ health: "any", zone: "any", advice: "" }) }, "Show all"),
		),
		q.focus
			? h(
					"p",
					{ class: "notice" },
					`Only ${q.focus.split("/").pop()}, what it is a part of, and what belongs to it are shown. `,
					h("button", { type: "button", click: () => go({ focus: "" }) }, "Leave the focus"),
				)
			: null,
		machines || q.focus
			? null
			: h("p", { class: "notice" }, "No machine matches these filters. Choose other ones, or show all."),
		h(
			"div",
			{ class: "split map" },
			h(
				"div",
				null,
				h("div", { class: "picture" }, picture.element, tip.element, zooms(picture)),
				h(
					"p",
					{ class: "soft" },
					"Zoom with the wheel, the buttons, or + and −. Move by dragging, or with the arrow keys. 0 shows the whole map. Zooming out further leaves a focus.",
				),
				legend(q.view === "traffic", net.hubs.length > 0),
			),
			side.element,
		),
		below,
		list(net, (n) => address(["map"], { ...q, at: "", chosen: keyOf(net, n) }), (n, from) => choose(n, true, from)),
	);
}
