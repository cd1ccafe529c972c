// SPDX-License-Identifier: GPL-2.0-or-later
// Resources by state; one resource with its rules and alerts; a rule's explanation. Rules are changed under the guidelines, and
// applied until they are confirmed.
import { api, maybe, seg } from "./api";
import { ask, badge, Child, empty, field, h, severity, svg, table, tabs, time } from "./dom";
import type { Page } from "./main";

const states: Record<string, string> = { Unhealthy: "unhealthy", Healthy: "healthy", Unscanned: "unscanned" };

export async function hardening(p: Page): Promise<Node> {
	if (p.words[0] === "vm" && p.words[1]) return p.words[2] ? rule(p, p.words[1], p.words[2]) : machine(p, p.words[1]);
	const { resources } = await api("/api/v1/status"),
		tab = states[p.words[0]] ? p.words[0] : "Unhealthy",
		mine = resources.filter((r: any) => r.status === states[tab]);
	const next: Record<string, string> = {
		Unhealthy: "Every resource that could be judged is as narrow as its traffic.",
		Healthy: "Review the rules of an unhealthy resource, then enforce them.",
		Unscanned: "Every resource could be judged.",
	};
	return h(
		"div",
		null,
		h("h1", null, "Adaptive network hardening"),
		tabs(
			Object.keys(states).map((s) => s),
			tab,
			(t) => p.go(["hardening", t]),
		),
		h(
			"p",
			{ class: "soft" },
			Object.entries(states)
				.map(([t, s]) => `${resources.filter((r: any) => r.status === s).length} ${t.toLowerCase()}`)
				.join(" · "),
		),
		table(
			`${tab} resources`,
			[
				{ title: "Resource", cell: (r: any) => r.name, value: (r: any) => r.name },
				{ title: "Rules", cell: (r: any) => r.rules, value: (r: any) => r.rules },
				{ title: "Days with data", cell: (r: any) => r.daysWithData, value: (r: any) => r.daysWithData },
				{ title: "Reason", cell: (r: any) => r.reason ?? "–" },
			],
			mine,
			(r: any) => p.go(["hardening", "vm", r.name]),
			empty(`No resource is ${tab.toLowerCase()}.`, next[tab]),
		),
	);
}

const addresses = (r: any): Child =>
	r.ipAddresses.length ? r.ipAddresses.join(", ") + (r.except.length ? ` except ${r.except.join(", ")}` : "") : "None";

async function change(p: Page, vm: string, body: object) {
	try {
		await api(`/api/v1/hardenings/${seg(vm)}/rules`, "POST", body);
		p.again();
	} catch (e) {
		await ask("Not saved", [h("p", { role: "alert" }, (e as Error).message)], "Close");
	}
}

async function edit(p: Page, vm: string, r: any) {
	const f = await ask(
		`Edit ${r.name}`,
		[
			field(
				"Allowed source addresses, one a line",
				h("textarea", { name: "list", rows: 6 }, r.ipAddresses.join("\n")),
			),
			field("Why", h("input", { name: "why" })),
		],
		"Save",
	);
	if (f)
		await change(p, vm, {
			op: "edit",
			rule: r.name,
			ipAddresses: String(f.get("list"))
				.split(/[\s,]+/)
				.filter(Boolean),
			why: String(f.get("why")) || undefined,
		});
}

async function add(p: Page, vm: string) {
	const f = await ask(
		"Add an allow rule",
		[
			field("Protocol", h("select", { name: "protocol" }, h("option", null, "TCP"), h("option", null, "UDP"))),
			field("Port", h("input", { name: "port", type: "number", min: 1, max: 65535, required: true })),
			field("Allowed source addresses, one a line", h("textarea", { name: "list", rows: 4, required: true })),
			field("Why", h("input", { name: "why" })),
		],
		"Add",
	);
	if (f)
		await change(p, vm, {
			op: "add",
			direction: "Inbound",
			protocol: f.get("protocol"),
			destinationPort: Number(f.get("port")),
			ipAddresses: String(f.get("list"))
				.split(/[\s,]+/)
				.filter(Boolean),
			why: String(f.get("why")) || undefined,
		});
}

function actions(p: Page, vm: string, r: any): Child {
	if (p.me.role !== "operator") return null;
	const menu = h(
		"select",
		{
			"aria-label": `Actions for ${r.name}`,
			change: async (e: Event) => {
				const s = e.target as HTMLSelectElement,
					what = s.value;
				s.value = "";
				if (what === "edit") await edit(p, vm, r);
				else if (
					what === "delete" &&
					(await ask(
						`Delete ${r.name}?`,
						[h("p", null, "The rule is left out until the next calculation.")],
						"Delete",
					))
				)
					await change(p, vm, { op: "delete", rule: r.name });
			},
		},
		h("option", { value: "" }, "⋯"),
		r.ipAddresses.length ? h("option", { value: "edit" }, "Edit") : null,
		h("option", { value: "delete" }, "Delete"),
	);
	return menu;
}

async function enforce(p: Page, r: any) {
	const f = await ask(
		`Enforce the rules of ${r.name}`,
		[
			h(
				"p",
				null,
				"They are proved once more, and applied to the machine that this server runs on. The kernel takes them back unless you confirm in time.",
			),
			field(
				"Confirm within",
				h(
					"select",
					{ name: "within" },
					h("option", { value: 60 }, "1 minute"),
					h("option", { value: 120, selected: true }, "2 minutes"),
					h("option", { value: 600 }, "10 minutes"),
				),
			),
			h(
				"label",
				{ class: "row" },
				h("input", { type: "checkbox", name: "audit" }),
				"Audit: count what would be dropped, drop nothing",
			),
		],
		"Enforce",
	);
	if (!f) return;
	try {
		await api("/api/v1/enforce", "POST", {
			resource: r.name,
			reviewed: r.reviewed,
			confirmWithin: Number(f.get("within")),
			audit: f.get("audit") === "on",
		});
	} catch (e) {
		await ask("Not applied", [h("p", { role: "alert" }, (e as Error).message)], "Close");
	}
	p.again();
}

// What waits for a confirmation counts down, and has its two buttons.
function pending(p: Page, drift: any): Child {
	if (drift?.state !== "pending")
		return drift?.state === "confirmed" && p.me.role === "operator"
			? h(
					"div",
					{ class: "notice" },
					"Confirmed rules are in force on this machine. ",
					h("button", { type: "button", click: () => act("rollback") }, "Roll back one step"),
				)
			: null;
	const until = Date.now() + 1000 * (drift.expiresIn ?? 0),
		left = h("strong", { role: "timer" });
	const tick = () => {
		const s = Math.max(0, Math.round((until - Date.now()) / 1000));
		left.textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
		if (!left.isConnected) return;
		if (s) setTimeout(tick, 1000);
		else p.again();
	};
	async function act(what: string) {
		try {
			await api(`/api/v1/${what}`, "POST");
		} catch (e) {
			await ask("It failed", [h("p", { role: "alert" }, (e as Error).message)], "Close");
		}
		p.again();
	}
	setTimeout(tick, 0);
	return h(
		"div",
		{ class: "notice wait" },
		h("p", null, "New rules are in force. The kernel takes them back in ", left, ". Try a new connection, then"),
		p.me.role === "operator"
			? [
					h("button", { type: "button", class: "main", click: () => act("confirm") }, "Confirm"),
					" ",
					h("button", { type: "button", click: () => act("rollback") }, "Roll back now"),
				]
			: "ask an operator to confirm.",
	);
}

async function machine(p: Page, name: string): Promise<Node> {
	const [doc, list, drift] = await Promise.all([
			api(`/api/v1/hardenings/${seg(name)}`),
			maybe("/api/v1/alerts"),
			maybe("/api/v1/drift"),
		]),
		r = doc.resources[0];
	if (!r) return empty(`Nothing was calculated for ${name} yet.`, "Run whittle recommend.");
	const tab = p.query.get("tab") ?? "Rules",
		alerts = (list.doc?.value ?? []).filter((a: any) => a.whittle?.resource === r.name),
		operator = p.me.role === "operator";
	const rules = () =>
		h(
			"div",
			null,
			h(
				"div",
				{ class: "tools" },
				operator
					? [
							h(
								"button",
								{
									type: "button",
									class: "main",
									disabled: !r.rules.length,
									click: () => enforce(p, r),
								},
								"Enforce…",
							),
							h("button", { type: "button", click: () => add(p, r.name) }, "Add rule…"),
							h(
								"button",
								{
									type: "button",
									click: () =>
										api(
											`/api/v1/hardenings/${seg(r.name)}/undo`,
											"POST",
										).then(p.again, (e) =>
											ask(
												"Nothing to undo",
												[
													h(
														"p",
														{ role: "alert" },
														e.message,
													),
												],
												"Close",
											),
										),
								},
								"Undo",
							),
						]
					: h("p", { class: "soft" }, "You may read; an operator enforces."),
			),
			table(
				`Rules of ${r.name}`,
				[
					{ title: "Rule", cell: (k: any) => k.name, value: (k: any) => k.name },
					{
						title: "Port",
						cell: (k: any) => `${k.destinationPort}/${k.protocols.join("+")}`,
						value: (k: any) => k.destinationPort,
					},
					{ title: "Allowed sources", cell: addresses, class: "mono" },
					{
						title: "Sure",
						cell: (k: any) =>
							k.ipAddresses.length ? `${Math.round(100 * k.confidence)} %` : "–",
						value: (k: any) => k.confidence,
					},
					{
						title: "Kind",
						cell: (k: any) =>
							k.review
								? badge(k.review, "low")
								: k.systemGenerated
									? badge("System Generated")
									: badge("Recommended", "good"),
					},
					{ title: "Actions", cell: (k: any) => actions(p, r.name, k) ?? "–" },
				],
				r.rules,
				(k: any) => p.go(["hardening", "vm", r.name, k.name]),
				empty("There is no rule to recommend.", r.reason ?? "Its rules are as narrow as its traffic."),
			),
			doc.history?.length
				? h(
						"details",
						null,
						h("summary", null, `History (${doc.history.length})`),
						table(
							"History",
							[
								{
									title: "Time",
									cell: (x: any) => time(x.time),
									value: (x: any) => x.time,
								},
								{ title: "Who", cell: (x: any) => x.who },
								{ title: "What", cell: (x: any) => x.what },
								{ title: "Rule", cell: (x: any) => x.rule ?? "–" },
								{ title: "Why", cell: (x: any) => x.why ?? "–" },
							],
							doc.history,
						),
					)
				: null,
		);
	return h(
		"div",
		null,
		h("p", null, h("a", { href: "#/hardening" }, "All resources")),
		h("h1", null, r.name),
		pending(p, drift.doc),
		h(
			"p",
			{ class: "soft" },
			badge(r.status, r.status === "healthy" ? "good" : r.status === "unhealthy" ? "high" : ""),
			` ${r.daysWithData} days with data`,
			r.lastEnforced
				? [
						" · last enforced ",
						time(r.lastEnforced.time),
						` by ${r.lastEnforced.who}${r.lastEnforced.changedSince ? ", changed since" : ""}`,
					]
				: " · never enforced",
		),
		tabs(["Rules", `Alerts (${alerts.length})`], tab === "Rules" ? "Rules" : `Alerts (${alerts.length})`, (t) =>
			p.go(["hardening", "vm", r.name], { tab: t.split(" ")[0] }),
		),
		tab === "Rules"
			? rules()
			: table(
					`Alerts of ${r.name}`,
					[
						{
							title: "Alert",
							cell: (a: any) => a.properties.alertDisplayName,
							value: (a: any) => a.properties.alertDisplayName,
						},
						{ title: "Severity", cell: (a: any) => severity(a.properties.severity) },
						{
							title: "Last",
							cell: (a: any) => time(a.properties.endTimeUtc),
							value: (a: any) => a.properties.endTimeUtc,
						},
						{ title: "Status", cell: (a: any) => a.properties.status },
					],
					alerts,
					(a: any) => p.go(["alerts", a.name]),
					empty("There is no alert of this resource.", "Alerts are raised as the ledger grows."),
				),
	);
}

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

async function rule(p: Page, vm: string, name: string): Promise<Node> {
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
