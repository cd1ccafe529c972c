// SPDX-License-Identifier: GPL-2.0-or-later
// The reason of a rule, and its effect on past traffic.
import { api, maybe, seg } from "./api";
import { badge, Child, empty, h, rich, svg } from "./dom";
import type { Page } from "./main";
import { table } from "./table";

const parts = [
	["kept", "Let through"],
	["stopped", "Stopped, from others"],
	["lost", "Stopped, from peers that belong"],
];
const count = (n: number, what: string) => `${n.toLocaleString()} ${what}${n === 1 ? "" : "s"}`;

// Flows of each day, in three parts, with a legend, the first and last day and the highest number.
function chart(days: any[]): Child {
	if (!days?.length) return null;
	const total = (d: any) => d.kept + d.lost + d.stopped,
		most = Math.max(1, ...days.map(total)),
		w = 600 / days.length,
		bars = days.map((d, i) => {
			let y = 120;
			const title = svg("title", {}, `${d.day}: ${parts.map(([k, text]) => `${text.toLowerCase()} ${d[k]}`).join(", ")}`),
				rects = parts.map(([k]) => {
					const t = (112 * d[k]) / most;
					y -= t;
					return svg("rect", { class: k, x: i * w + 0.5, y, width: Math.max(0.5, w - 1), height: t });
				});
			return svg("g", {}, title, rects);
		});
	return h(
		"figure",
		{ class: "chart" },
		h(
			"figcaption",
			{ class: "soft" },
			`Flows a day, up to ${most.toLocaleString()}:`,
			parts.map(([k, text]) => h("span", { class: `key ${k}` }, text)),
		),
		svg(
			"svg",
			{
				class: "chart",
				viewBox: "0 0 600 120",
				preserveAspectRatio: "none",
				role: "img",
				"aria-label": `Flows of ${days.length} days: let through, and stopped`,
			},
			bars,
		),
		h("div", { class: "ends soft" }, h("span", null, days[0].day), h("span", null, `${days[days.length - 1].day} (UTC)`)),
	);
}

function replayed(doc: any, name: string): Child {
	const f = (doc.rules ?? []).find((r: any) => r.rule === name)?.flows ?? doc.flows;
	return h(
		"p",
		null,
		f.lost
			? `This rule would have let through ${f.kept.toLocaleString()} of ${count(f.kept + f.lost, "flow")} from peers that belong, and stopped ${f.lost.toLocaleString()}.`
			: `This rule would have let through all of the ${count(f.kept, "flow")} from peers that belong.`,
		` It would have stopped ${count(f.stopped, "flow")} from others.`,
	);
}

const verdict = (v: string) =>
	badge(v.charAt(0).toUpperCase() + v.slice(1).replace(/-/g, " "), v === "belongs" || v === "trusted" ? "good" : "high");

export async function rule(p: Page, vm: string, name: string): Promise<Node> {
	const [why, replay] = await Promise.all([
		api(`/api/v1/hardenings/${seg(vm)}/rules/${seg(name)}/explain`),
		maybe(`/api/v1/hardenings/${seg(vm)}/replay`),
	]);
	const peers = (why.peers ?? []) as any[];
	return h(
		"div",
		null,
		h("p", null, h("a", { href: `#/hardening/vm/${seg(vm)}` }, vm)),
		h("h1", null, `Why ${name}`),
		h(
			"div",
			{ class: "card" },
			h(
				"dl",
				null,
				h("dt", null, "Port"),
				h("dd", null, `${why.destinationPort}/${why.protocol}`),
				h("dt", null, "Narrows"),
				h("dd", null, why.narrows ?? "a port that nothing closed"),
				h("dt", null, "Seen"),
				h("dd", null, `${why.daysWithData} of ${why.days} days with data`),
				h("dt", null, "Unanswered tries"),
				h("dd", null, (why.unanswered ?? 0).toLocaleString()),
				why.note ? h("dt", null, "Note") : null,
				why.note ? h("dd", null, rich(why.note)) : null,
			),
		),
		h("h2", null, "Prefixes"),
		table(
			"Prefixes",
			[
				{ title: "Prefix", cell: (x: any) => x.prefix ?? "–", class: "mono" },
				{ title: "Peers", cell: (x: any) => x.peers ?? "–" },
				{ title: "Lines", cell: (x: any) => x.lines ?? "–" },
				{ title: "Unseen addresses", cell: (x: any) => x.unseen ?? "–" },
			],
			why.prefixes ?? [],
			undefined,
			h("div", { class: "card" }, empty("The port is closed.", "No peer that belongs was seen.")),
		),
		peers.length
			? [
					h("h2", null, "Peers"),
					table(
						"Peers",
						[
							{ title: "Peer", cell: (x: any) => x.address, class: "mono" },
							{ title: "Verdict", cell: (x: any) => verdict(x.verdict) },
							{ title: "Days", cell: (x: any) => x.days, value: (x: any) => x.days },
							{ title: "Flows", cell: (x: any) => x.flows.toLocaleString(), value: (x: any) => x.flows },
							{
								title: "Evidence",
								cell: (x: any) =>
									(x.features ?? []).map((k: any) => k.feature.replace(/-/g, " ")).join(", ") || "–",
							},
						],
						peers,
					),
				]
			: null,
		h("h2", null, "Replay of past traffic"),
		replay.why
			? h("p", { class: "soft" }, rich(replay.why))
			: h("div", { class: "card" }, replayed(replay.doc, name), h("h3", null, `All rules of ${vm}`), chart(replay.doc.days)),
	);
}
