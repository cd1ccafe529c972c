// SPDX-License-Identifier: GPL-2.0-or-later
// The reason of a rule, and its effect on past traffic.
import { api, maybe, seg } from "./api";
import { Child, empty, h, svg, table, time } from "./dom";
import type { Page } from "./main";

// Flows a day: kept, and those that the rules would have stopped.
function chart(days: any[]): Child {
	if (!days?.length) return null;
	const most = Math.max(1, ...days.map((d) => d.kept + d.lost + d.stopped)),
		w = 600 / days.length;
	return svg(
		"svg",
		{
			class: "chart",
			viewBox: "0 0 600 120",
			preserveAspectRatio: "none",
			role: "img",
			"aria-label": `Flows of ${days.length} days: kept, and stopped`,
		},
		...days.flatMap((d, i) => {
			let y = 120;
			return [
				["kept", d.kept],
				["stopped", d.stopped],
				["lost", d.lost],
			].map(([k, n]) => {
				const t = (112 * (n as number)) / most;
				y -= t;
				return svg("rect", {
					class: k as string,
					x: i * w + 0.5,
					y,
					width: Math.max(0.5, w - 1),
					height: t,
				});
			});
		}),
	);
}

export async function rule(p: Page, vm: string, name: string): Promise<Node> {
	const [why, replay] = await Promise.all([
		api(`/api/v1/hardenings/${seg(vm)}/rules/${seg(name)}/explain`),
		maybe(`/api/v1/hardenings/${seg(vm)}/replay`),
	]);
	const peers = (why.peers ?? why.prefixes?.flatMap((x: any) => x.peers ?? []) ?? []) as any[],
		f = replay.doc?.flows;
	return h(
		"div",
		null,
		h("p", null, h("a", { href: `#/hardening/vm/${seg(vm)}` }, vm)),
		h("h1", null, `${name}: why`),
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
				h("dd", null, why.unanswered ?? 0),
				why.note ? h("dt", null, "Note") : null,
				why.note ? h("dd", null, why.note) : null,
			),
		),
		h("h2", null, "Prefixes"),
		table(
			"Prefixes",
			[
				{ title: "Prefix", cell: (x: any) => x.prefix ?? x.address ?? "–", class: "mono" },
				{ title: "Peers", cell: (x: any) => x.members?.length ?? x.peers?.length ?? x.sources ?? "–" },
				{ title: "Lines", cell: (x: any) => x.lines ?? "–" },
				{ title: "Unseen addresses", cell: (x: any) => x.unseen ?? "–" },
			],
			why.prefixes ?? [],
			undefined,
			empty("None: the port is closed.", "Nothing was seen that belongs."),
		),
		peers.length
			? [
					h("h2", null, "Peers"),
					table(
						"Peers",
						[
							{ title: "Peer", cell: (x: any) => x.peer ?? x.address, class: "mono" },
							{ title: "Days", cell: (x: any) => x.days ?? "–" },
							{ title: "Flows", cell: (x: any) => x.flows ?? "–" },
							{ title: "Last seen", cell: (x: any) => time(x.last ?? x.lastSeen) },
						],
						peers,
					),
				]
			: null,
		h("h2", null, "Replay of past traffic"),
		replay.why
			? h("p", { class: "soft" }, replay.why)
			: h(
					"div",
					{ class: "card" },
					h(
						"p",
						null,
						`Of ${(f.kept + f.lost).toLocaleString()} flows of peers that belong, ${f.lost ? `${f.lost} would have been stopped` : "none would have been stopped"}; ${f.stopped} others would have been.`,
					),
					chart(replay.doc.days),
				),
	);
}
