// SPDX-License-Identifier: GPL-2.0-or-later
import { api, part, seg } from "./api";
import { address } from "./address";
import { ask, badge, Child, choice, Choices, empty, field, h, pane, rich, search, section, severity, tabs, tell, time } from "./dom";
import type { Page } from "./main";
import { table } from "./table";

const words = (status: string) => (status === "InProgress" ? "In progress" : status);
const rank = ["Informational", "Low", "Medium", "High"];

async function set(p: Page, a: any, verb: string) {
	try {
		await api(`/api/v1/alerts/${seg(a.name)}/${verb}`, "POST", {});
		p.again();
	} catch (e) {
		await tell("Not changed", (e as Error).message);
	}
}

const rulePath = (rest = "") =>
	`/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.Security/alertsSuppressionRules${rest}?api-version=2019-01-01-preview`;

async function forget(p: Page, rule: any) {
	const done = await ask(
		`Delete ${rule.name}?`,
		[h("p", null, "New alerts are raised again. What it dismissed stays dismissed.")],
		"Delete",
		() => api(rulePath(`/${seg(rule.name)}`), "DELETE"),
	);
	if (done) p.again();
}

// The conditions of a rule in words: "field: values".
const scope = (rule: any): string =>
	(rule.properties.suppressionAlertsScope?.allOf ?? [])
		.map((x: any) => `${x.field.replace(/^entities\./, "").replace(".", " ")}: ${(x.in ?? [x.contains]).join(", ")}`)
		.join("; ") || "every resource";

function suppressions(p: Page, { doc, why }: { doc?: any; why?: string }): Child {
	const rules = (doc?.value ?? []) as any[];
	return section(
		"suppressions",
		{ class: "card" },
		`Suppression rules (${doc ? rules.length : "not known"})`,
		table(
			"Suppression rules",
			[
				{ title: "Rule", cell: (r: any) => r.name },
				{ title: "Alert type", cell: (r: any) => r.properties.alertType },
				{ title: "For", cell: scope },
				{ title: "State", cell: (r: any) => badge(r.properties.state, r.properties.state === "Enabled" ? "low" : "") },
				{
					title: "Until",
					cell: (r: any) => time(r.properties.expirationDateUtc),
					value: (r: any) => r.properties.expirationDateUtc ?? "",
				},
				{ title: "Why", cell: (r: any) => r.properties.comment || "–" },
				...(p.me.role === "operator"
					? [
							{
								title: "Actions",
								control: true,
								cell: (r: any) =>
									h("button", { type: "button", "aria-label": `Delete ${r.name}`, click: () => forget(p, r) }, "Delete…"),
							},
						]
					: []),
			],
			rules,
			undefined,
			why ? empty("They are not known.", why) : empty("No alert is suppressed.", "An alert's page has “Suppress similar alerts”, under “Take action”."),
		),
	);
}

async function suppress(p: Page, a: any) {
	const q = a.properties,
		body = (f: FormData) => ({
			properties: {
				alertType: q.alertType,
				reason: "FalsePositive",
				comment: String(f.get("why")),
				state: "Enabled",
				expirationDateUtc: f.get("until") ? new Date(String(f.get("until"))).toISOString() : undefined,
				suppressionAlertsScope:
					f.get("all") === "on" || !a.whittle?.resource
						? undefined
						: { allOf: [{ field: "entities.host.hostname", in: [a.whittle.resource] }] },
			},
		});
	let found: any;
	const f = await ask(
		"Suppress similar alerts",
		[
			h("p", null, `New alerts “${q.alertDisplayName}” will be dismissed at once.`),
			field(
				"Name of the rule (letters, digits, - and _)",
				h("input", { name: "name", required: true, maxlength: 50, pattern: "[A-Za-z0-9][A-Za-z0-9_\\-]{1,49}" }),
			),
			field("Why", h("input", { name: "why", required: true })),
			field("Until (empty: without an end)", h("input", { name: "until", type: "datetime-local" })),
			h(
				"label",
				{ class: "row" },
				h("input", { type: "checkbox", name: "all" }),
				"For every resource, not only this one",
			),
		],
		"Simulate",
		async (f) => (found = await api("/api/v1/suppressions/simulate", "POST", body(f))),
	);
	if (!f) return;
	const done = await ask(
		"Suppress similar alerts",
		[h("p", null, `It would have dismissed ${found.wouldDismiss} of the ${found.of} alerts so far.`)],
		"Suppress",
		() => api(rulePath(`/${seg(String(f.get("name")))}`), "PUT", body(f)),
	);
	if (done) p.again();
}

function buttons(p: Page, a: any): Child {
	if (p.me.role !== "operator") return h("p", { class: "soft" }, "Your token may read. An operator can change alerts.");
	const s = a.properties.status,
		b = (text: string, verb: string, main = false) =>
			h("button", { type: "button", class: main ? "main" : null, click: () => set(p, a, verb) }, text);
	return h(
		"div",
		{ class: "tools" },
		s === "Active" ? b("In progress", "inProgress") : null,
		["Active", "InProgress"].includes(s)
			? [b("Resolve", "resolve", true), b("Dismiss", "dismiss")]
			: b("Activate", "activate"),
	);
}

// The API's name of a tactic in words.
const tactics: Record<string, string> = { PreAttack: "Before an attack", Unknown: "Not known" };
const tactic = (name: string) => tactics[name] ?? name.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
// What the alert is about: a machine's name leads to its rules.
const about = (a: any): Child =>
	a.whittle?.resource
		? h("a", { href: address(["hardening", "vm", a.whittle.resource]) }, a.properties.compromisedEntity)
		: a.properties.compromisedEntity;

// "resourceType" in words; names that are words already stay.
const named = (key: string) =>
	/^[a-z]+([A-Z][a-z]+)*$/.test(key) ? key[0].toUpperCase() + key.slice(1).replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`) : key;

const detail = (a: any, more: [string, unknown][] = []) =>
	h(
		"dl",
		null,
		h("dt", null, "Severity"),
		h("dd", null, severity(a.properties.severity)),
		h("dt", null, "Status"),
		h("dd", null, badge(words(a.properties.status))),
		h("dt", null, "Resource"),
		h("dd", null, about(a)),
		h("dt", null, "Tactic"),
		h("dd", null, tactic(a.properties.intent)),
		h("dt", null, "First"),
		h("dd", null, time(a.properties.startTimeUtc)),
		h("dt", null, "Last"),
		h("dd", null, time(a.properties.endTimeUtc)),
		more.flatMap(([k, v]) => [h("dt", null, named(k)), h("dd", null, String(v))]),
	);

async function one(p: Page, name: string): Promise<Node> {
	const a = await api(`/api/v1/alerts/${seg(name)}`),
		q = a.properties,
		tab = p.query.get("tab") ?? "Alert details",
		x = Object.entries(q.extendedProperties ?? {});
	const details = () =>
		h(
			"div",
			null,
			h(
				"div",
				{ class: "card" },
				h("p", null, rich(q.description)),
				detail(a, x),
			),
			table(
				"Sources",
				[
					{ title: "Address", cell: (s: any) => s.address, class: "mono" },
					{ title: "Answered", cell: (s: any) => s.answered ?? 0 },
					{ title: "Unanswered", cell: (s: any) => s.unanswered ?? 0 },
					{ title: "List", cell: (s: any) => s.list ?? "–" },
				],
				a.whittle?.sources ?? [],
				undefined,
				empty("No source is known.", "The alert is about the resource as a whole."),
			),
		);
	const action = () =>
		h(
			"div",
			null,
			h(
				"section",
				{ class: "card" },
				h("h2", null, "Mitigate the threat"),
				h(
					"ol",
					null,
					(q.remediationSteps ?? []).map((s: string) => h("li", null, rich(s))),
				),
			),
			h(
				"section",
				{ class: "card" },
				h("h2", null, "Prevent future attacks"),
				a.whittle?.resource
					? h(
							"p",
							null,
							h(
								"a",
								{ href: `#/hardening/vm/${seg(a.whittle.resource)}` },
								`The recommended rules of ${a.whittle.resource}`,
							),
						)
					: h("p", null, "No recommendation is linked to this alert."),
			),
			h(
				"section",
				{ class: "card" },
				h("h2", null, "Trigger automated response"),
				h(
					"p",
					null,
					rich("Name a program (`respond-command`) or a signed webhook (`webhook`) under `alerts` in whittle.yaml. `whittle alerts respond` then passes each new alert on."),
				),
			),
			h(
				"section",
				{ class: "card" },
				h("h2", null, "Suppress similar alerts"),
				p.me.role === "operator"
					? h("button", { type: "button", click: () => suppress(p, a) }, "Suppress…")
					: h("p", { class: "soft" }, "Your token may read. An operator can suppress alerts."),
			),
		);
	return h(
		"div",
		null,
		h("p", null, h("a", { href: "#/alerts" }, "All alerts")),
		h("h1", null, q.alertDisplayName),
		buttons(p, a),
		tabs(
			["Alert details", "Take action"],
			tab === "Take action" ? tab : "Alert details",
			(t) => p.go(["alerts", name], { tab: t }),
			tab === "Take action" ? action() : details(),
		),
	);
}

const summary = (a: any): Child[] => [
	h("h2", null, a.properties.alertDisplayName),
	h("p", null, rich(a.properties.description)),
	detail(a),
	h("p", null, h("a", { href: address(["alerts", a.name]) }, "View full details")),
];

export async function alerts(p: Page): Promise<Node> {
	if (p.words[0]) return one(p, p.words[0]);
	const [got, rules] = await Promise.all([api("/api/v1/alerts"), part(rulePath())]),
		list = got.value as any[],
		want = p.query.get("status") ?? "open",
		least = p.query.get("severity") ?? "",
		text = p.query.get("text") ?? "";
	const worst = (a: any) => rank.indexOf(a.properties.severity);
	list.sort((a, b) => worst(b) - worst(a) || String(b.properties.endTimeUtc).localeCompare(String(a.properties.endTimeUtc)));
	const rows = list.filter(
		(a) =>
			(want === "all" ||
				(want === "open"
					? ["Active", "InProgress"].includes(a.properties.status)
					: a.properties.status === want)) &&
			rank.indexOf(a.properties.severity) >= rank.indexOf(least || rank[0]) &&
			`${a.properties.alertDisplayName} ${a.properties.compromisedEntity}`
				.toLowerCase()
				.includes(text.toLowerCase()),
	);
	const go = (more: Record<string, string>) => p.go(["alerts"], { ...state, ...more });
	const state = { status: want === "open" ? "" : want, severity: least, text },
		side = pane("Chosen alert", "Choose an alert to see what it is about.", () => p.note(["alerts"], state)),
		show = (a: any, link?: HTMLElement) => side.show(summary(a), link),
		first = list.find((a) => a.name === p.query.get("chosen"));
	if (first) show(first);
	return h(
		"div",
		null,
		h("h1", null, "Security alerts"),
		h(
			"div",
			{ class: "tools" },
			choice(
				"Status",
				"status",
				want,
				[
					["open", "Open"],
					["Active", "Active"],
					["InProgress", "In progress"],
					["Resolved", "Resolved"],
					["Dismissed", "Dismissed"],
					["all", "All"],
				],
				go,
			),
			choice("Severity, at least", "severity", least, rank.map((r, i): Choices[0] => [i ? r : "", r]), go),
			search("Title or resource", "text", text, go),
		),
		h(
			"div",
			{ class: "split" },
			table(
				"Alerts",
				[
					{
						title: "Alert",
						cell: (a: any) => a.properties.alertDisplayName,
						value: (a: any) => a.properties.alertDisplayName,
					},
					{
						title: "Severity",
						cell: (a: any) => severity(a.properties.severity),
						value: (a: any) => rank.indexOf(a.properties.severity),
					},
					{
						title: "Resource",
						cell: about,
						value: (a: any) => a.properties.compromisedEntity,
					},
					{
						title: "Last",
						cell: (a: any) => time(a.properties.endTimeUtc),
						value: (a: any) => a.properties.endTimeUtc,
					},
					{
						title: "Status",
						cell: (a: any) => badge(words(a.properties.status)),
						value: (a: any) => a.properties.status,
					},
				],
				rows,
				{
					href: (a: any) => address(["alerts", a.name]),
					choose: (a: any, link) => {
						p.note(["alerts"], { ...state, chosen: a.name });
						show(a, link);
					},
				},
				h("div", { class: "card" }, list.length
						? empty("No alert matches these filters.", "Choose other ones above.")
						: empty("No alert was raised.", "Run `whittle alerts`, or enable whittle-watch.service, which looks for them.")),
			),
			side.element,
		),
		suppressions(p, rules),
	);
}
