// SPDX-License-Identifier: GPL-2.0-or-later
// The reason of a rule, and its effect on past traffic.
import { api, part, seg } from "./api";
import { badge, Child, empty, h, rich, section, svg } from "./dom";
import type { Page } from "./main";
import { table } from "./table";

const parts = [
	["kept", "Let through"],
	["stopped", "Stopped, from others"],
	["lost", "Stopped, from peers that belong"],
];
const count = (n: number, what: string) => `${n.toLocaleString()} ${what}${n === 1 ? "" : what.endsWith("s") ? "es" : "s"}`;

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

// The chart in numbers.
const daysOf = (vm: string, days: any[]): Child =>
	section(
		"days",
		{},
		"The days as a table",
		table(`Days of ${vm}`, [
			{ title: "Day (UTC)", cell: (d: any) => d.day },
			...parts.map(([key, title]) => ({ title, cell: (d: any) => d[key].toLocaleString(), value: (d: any) => d[key] })),
		], days),
	);

function replayed(doc: any, name: string): Child {
	const f = (doc.rules ?? []).find((r: any) => r.rule === name)?.flows ?? doc.flows;
	if (!f.lost && !f.kept && !f.stopped) return h("p", null, "No flow to this port was seen, so this rule would have stopped none.");
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

const signed = (v: number) => `${v < 0 ? "−" : "+"}${Math.abs(v).toFixed(1)}`;
// What the score is the sum of.
const evidence = (peer: any, prior: number) =>
	[["prior", prior], ...(peer.features ?? []).map((k: any) => [k.feature.replace(/-/g, " "), k.value * k.weight])]
		.map(([name, v]: any) => `${name} ${signed(v)}`)
		.join(", ");

const percent = (v: number) => `${Math.round(100 * v)} %`;
// What the rule is, in general.
function facts(why: any): Child {
	const b = why.expectedBreakage,
		rows: [string, Child | Child[]][] = [
			["Port", `${why.destinationPort}/${why.protocol}`],
			["Narrows", why.narrows ?? "a port that nothing closed"],
			["Seen", `${why.daysWithData} of ${why.days} days with data`],
			["Unanswered tries", (why.unanswered ?? 0).toLocaleString()],
		];
	if (why.prefixes?.length && why.confidence != null)
		rows.push([
			"Confidence",
			`${percent(why.confidence)}: stability ${percent(why.stability)} (peers that came in both halves of the window), prediction ${percent(why.prediction)} (newcomers that are only expected)`,
		]);
	if (b?.of)
		rows.push([
			"Expected breakage",
			`The rule of ${count(b.days, "day")} ago would since have stopped ${b.flows.toLocaleString()} of ${count(b.of, "flow")}, and with 95 % confidence stops at most ${Math.ceil(100 * b.upper95)} % of them.`,
		]);
	if (why.except?.length) rows.push(["Except", why.except.map((x: any) => x.prefix ?? x).join(", ")]);
	if (why.note) rows.push(["Note", rich(why.note)]);
	return h(
		"dl",
		null,
		rows.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]).flat(),
	);
}

export async function rule(p: Page, vm: string, name: string): Promise<Node> {
	const [why, replay] = await Promise.all([
		api(`/api/v1/hardenings/${seg(vm)}/rules/${seg(name)}/explain`),
		part(`/api/v1/hardenings/${seg(vm)}/replay`),
	]);
	const peers = (why.peers ?? []) as any[];
	return h(
		"div",
		null,
		h("p", null, h("a", { href: `#/hardening/vm/${seg(vm)}` }, vm)),
		h("h1", null, `Why ${name}`),
		h("div", { class: "card" }, facts(why)),
		h("h2", null, "Prefixes"),
		table(
			"Prefixes",
			[
				{ title: "Prefix", cell: (x: any) => x.prefix ?? "–", class: "mono" },
				{ title: "Peers", cell: (x: any) => x.peers ?? "–" },
				{ title: "Lines", cell: (x: any) => x.lines ?? "–" },
				{ title: "Unseen addresses", cell: (x: any) => x.unseen ?? "–" },
				{ title: "Next wider", cell: (x: any) => (x.wider ? `${x.wider.prefix}: ${count(x.wider.unseen, "unseen address")}` : "–") },
				{
					title: "Its halves",
					cell: (x: any) =>
						x.narrower ? `${count(x.narrower.lines, "line")}, ${count(x.narrower.unseen, "unseen address")}` : "–",
				},
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
							{ title: "Score", cell: (x: any) => signed(x.score), value: (x: any) => x.score },
							{ title: "Evidence", cell: (x: any) => evidence(x, why.prior), class: "long" },
						],
						peers,
					),
				]
			: null,
		h("h2", null, "Replay of past traffic"),
		replay.why
			? h("p", { class: "soft" }, rich(replay.why))
			: h("div", { class: "card" }, replayed(replay.doc, name), h("h3", null, `All rules of ${vm}`), chart(replay.doc.days), daysOf(vm, replay.doc.days ?? [])),
	);
}
