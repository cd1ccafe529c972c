// SPDX-License-Identifier: GPL-2.0-or-later
import { api, seg } from "./api";
import { ask, empty, field, h, table, time } from "./dom";
import type { Page } from "./main";

async function request(p: Page, policy: any, port: any) {
	const most = Number(/PT(\d+)M/.exec(port.maxRequestAccessDuration)?.[1] ?? 180);
	const f = await ask(
		`Open ${port.number}/${port.protocol} of ${policy.resource}`,
		[
			field(
				"For this address or prefix",
				h("input", { name: "from", required: true, placeholder: "203.0.113.7" }),
			),
			field(
				`Minutes, up to ${most}`,
				h("input", {
					name: "minutes",
					type: "number",
					min: 1,
					max: most,
					value: Math.min(60, most),
					required: true,
				}),
			),
			field("Why", h("input", { name: "why", required: true })),
		],
		"Open",
	);
	if (!f) return;
	try {
		await api("/api/v1/jit", "POST", {
			resource: policy.id,
			number: port.number,
			protocol: port.protocol,
			allowedSourceAddressPrefix: f.get("from"),
			endTimeUtc: new Date(Date.now() + 60000 * Number(f.get("minutes")) - 2000).toISOString(),
			why: f.get("why"),
		});
	} catch (e) {
		await ask("Not opened", [h("p", { role: "alert" }, (e as Error).message)], "Close");
	}
	p.again();
}

export async function jit(p: Page): Promise<Node> {
	const doc = await api("/api/v1/jit"),
		operator = p.me.role === "operator",
		ports = doc.policies.flatMap((policy: any) => policy.ports.map((port: any) => ({ policy, port })));
	return h(
		"div",
		null,
		h("h1", null, "Just-in-time access"),
		doc.notAsConfirmed ? h("div", { class: "notice" }, doc.notAsConfirmed) : null,
		h("h2", null, "Ports that can be opened"),
		table(
			"Ports",
			[
				{ title: "Resource", cell: (x: any) => x.policy.resource, value: (x: any) => x.policy.resource },
				{
					title: "Port",
					cell: (x: any) => `${x.port.number}/${x.port.protocol}`,
					value: (x: any) => x.port.number,
				},
				{
					title: "For sources in",
					cell: (x: any) => x.port.allowedSourceAddressPrefixes?.join(", ") ?? "any",
					class: "mono",
				},
				{
					title: "Actions",
					cell: (x: any) =>
						operator
							? h(
									"button",
									{
										type: "button",
										click: () => request(p, x.policy, x.port),
									},
									"Request access…",
								)
							: "–",
				},
			],
			ports,
			undefined,
			h("div", { class: "card" }, empty("No port has a policy.", "Policies are in whittle.yaml: jit.")),
		),
		h("h2", null, "Open now"),
		table(
			"Open now",
			[
				{ title: "Resource", cell: (x: any) => x.resource },
				{ title: "Port", cell: (x: any) => `${x.port}/${x.protocol}` },
				{ title: "From", cell: (x: any) => x.from, class: "mono" },
				{ title: "Until", cell: (x: any) => time(x.until), value: (x: any) => x.until },
				{ title: "Who", cell: (x: any) => x.who },
				{ title: "Why", cell: (x: any) => x.why ?? "–" },
				{
					title: "Actions",
					cell: (x: any) =>
						operator && x.id
							? h(
									"button",
									{
										type: "button",
										click: () =>
											api(
												`/api/v1/jit/${seg(x.id)}`,
												"DELETE",
											).then(p.again, (e) =>
												ask(
													"Not closed",
													[
														h(
															"p",
															{
																role: "alert",
															},
															e.message,
														),
													],
													"Close",
												),
											),
									},
									"Close",
								)
							: "–",
				},
			],
			doc.openings,
			undefined,
			h(
				"div",
				{ class: "card" },
				empty("Nothing is open.", "A request opens a port for one source and a time."),
			),
		),
		h("h2", null, "Log"),
		table(
			"Log",
			[
				{ title: "Time", cell: (x: any) => time(x.time), value: (x: any) => x.time },
				{ title: "Who", cell: (x: any) => x.who },
				{ title: "What", cell: (x: any) => x.what },
				{ title: "Resource", cell: (x: any) => x.resource ?? "–" },
				{ title: "Port", cell: (x: any) => x.port ?? "–" },
				{ title: "From", cell: (x: any) => x.from ?? "–" },
				{ title: "Why", cell: (x: any) => x.why ?? "–" },
			],
			[...doc.log].reverse(),
			undefined,
			h(
				"div",
				{ class: "card" },
				empty("Nothing was opened yet.", "Every opening is kept here with who and why."),
			),
		),
	);
}
