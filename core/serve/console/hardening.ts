// SPDX-License-Identifier: GPL-2.0-or-later
// Resources by state, and one resource with its rules and alerts.
import { api, part, seg } from "./api";
import { address } from "./address";
import { badge, Child, empty, failed, h, rich, section, severity, tabs, time } from "./dom";
import { actions, add, enforce, pending } from "./hardening_change";
import { rule } from "./hardening_rule";
import type { Page } from "./main";
import { origin } from "./origin";
import { table } from "./table";

const rank = ["Informational", "Low", "Medium", "High"];
const states: Record<string, string> = { Unhealthy: "unhealthy", Healthy: "healthy", Unscanned: "unscanned" };

export async function hardening(p: Page): Promise<Node> {
	if (p.words[0] === "vm" && p.words[1]) return p.words[2] ? rule(p, p.words[1], p.words[2]) : machine(p, p.words[1]);
	const { resources, derived } = await api("/api/v1/status"),
		tab = states[p.words[0]] ? p.words[0] : "Unhealthy",
		mine = resources.filter((r: any) => r.status === states[tab]);
	const next: Record<string, string> = {
		Unhealthy: "The rules of every resource that could be judged are as narrow as its traffic.",
		Healthy: "Review the rules of an unhealthy resource, then enforce them.",
		Unscanned: "Every resource could be judged.",
	};
	return h(
		"div",
		null,
		h("h1", null, "Adaptive network hardening"),
		origin(derived),
		tabs(
			Object.keys(states).map((s) => `${s} (${resources.filter((r: any) => r.status === states[s]).length})`),
			`${tab} (${mine.length})`,
			(t) => p.go(["hardening", t.split(" ")[0]]),
			table(
				`${tab} resources`,
				[
					{ title: "Resource", cell: (r: any) => r.name },
					{ title: "Rules", cell: (r: any) => r.rules, value: (r: any) => r.rules },
					{ title: "Days with data", cell: (r: any) => r.daysWithData, value: (r: any) => r.daysWithData },
					{ title: "Reason", cell: (r: any) => rich(reason(r)), class: "long" },
				],
				mine,
				{ href: (r: any) => address(["hardening", "vm", r.name]) },
				h("div", { class: "card" }, resources.length ? empty(`No resource is ${tab.toLowerCase()}.`, next[tab]) : nothing()),
			),
		),
	);
}

const nothing = () =>
	empty("No machine is known yet.", "Run `whittle init` on this machine, or import an estate: `whittle estate import FILE`.");

function reason(r: any): string {
	if (r.reason) return r.reason;
	if (r.status === "healthy") return "Its rules are as narrow as its traffic.";
	return r.rules === 1 ? "1 rule can be narrower." : `${r.rules} rules can be narrower.`;
}

const addresses = (r: any): Child =>
	r.ipAddresses.length ? r.ipAddresses.join(", ") + (r.except.length ? ` except ${r.except.join(", ")}` : "") : "None";

async function machine(p: Page, name: string): Promise<Node> {
	const [doc, list, drift] = await Promise.all([
			api(`/api/v1/hardenings/${seg(name)}`),
			part("/api/v1/alerts"),
			part("/api/v1/drift"),
		]),
		r = doc.resources[0];
	if (!r)
		return h(
			"div",
			null,
			h("p", null, h("a", { href: "#/hardening" }, "All resources")),
			h("h1", null, name),
			h("div", { class: "card" }, empty(`Nothing was calculated for ${name} yet.`, "Run `whittle recommend`.")),
		);
	const tab = p.query.get("tab") ?? "Rules",
		alerts = (list.doc?.value ?? []).filter((a: any) => a.whittle?.resource === r.name),
		operator = p.me.role === "operator",
		chosen = new Set((p.query.get("pick") ?? "").split(",").filter(Boolean));
	const undo = () => api(`/api/v1/hardenings/${seg(r.name)}/undo`, "POST").then(p.again, failed("Nothing to undo"));
	const pick = (k: any) =>
		h("input", {
			type: "checkbox",
			"aria-label": `Select ${k.name}`,
			checked: chosen.has(k.name),
			change: (e: any) => {
				if (e.target.checked) chosen.add(k.name);
				else chosen.delete(k.name);
				p.note(["hardening", "vm", r.name], { pick: [...chosen].join() });
			},
		});
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
									click: () => enforce(p, r, chosen),
								},
								"Enforce…",
							),
							h("button", { type: "button", click: () => add(p, r.name) }, "Add rule…"),
							h("button", { type: "button", disabled: !doc.history?.length, click: undo }, "Undo last change"),
						]
					: h("p", { class: "soft" }, "Your token may read. An operator can change and enforce rules."),
			),
			operator && r.rules.length > 1
				? h("p", { class: "soft" }, "Enforce applies the rules that you select; if you select none, all of them.")
				: null,
			table(
				`Rules of ${r.name}`,
				[
					...(operator ? [{ title: "Select", control: true, cell: pick }] : []),
					{ title: "Rule", cell: (k: any) => k.name },
					{
						title: "Port",
						cell: (k: any) => `${k.destinationPort}/${k.protocols.join("+")}`,
					},
					{ title: "Allowed sources", cell: addresses, class: "mono long" },
					{
						title: "Confidence",
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
					...(operator ? [{ title: "Actions", control: true, cell: (k: any) => actions(p, r.name, k) }] : []),
				],
				r.rules,
				{ href: (k: any) => address(["hardening", "vm", r.name, k.name]) },
				h("div", { class: "card" }, empty("There is no rule to recommend.", r.reason ?? "Its rules are as narrow as its traffic.")),
			),
			doc.history?.length
				? section(
						"History",
						{},
						`History (${doc.history.length})`,
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
		pending(p, drift, r.unconfirmed),
		h(
			"p",
			{ class: "soft" },
			badge(r.status[0].toUpperCase() + r.status.slice(1), r.status === "healthy" ? "good" : r.status === "unhealthy" ? "high" : ""),
			` ${r.daysWithData} days with data`,
			r.lastEnforced
				? [
						" · last enforced ",
						time(r.lastEnforced.time),
						` by ${r.lastEnforced.who}${r.lastEnforced.takenBack ? ", rolled back since" : r.lastEnforced.changedSince ? ", changed since" : ""}`,
					]
				: " · never enforced",
		),
		tabs(
			["Rules", `Alerts (${alerts.length})`],
			tab === "Rules" ? "Rules" : `Alerts (${alerts.length})`,
			(t) => p.go(["hardening", "vm", r.name], { tab: t.split(" ")[0] }),
			tab === "Rules" ? rules() : alertsOf(r.name, alerts, list.why),
		),
	);
}

const alertsOf = (name: string, alerts: any[], why?: string) =>
	table(
		`Alerts of ${name}`,
		[
			{ title: "Alert", cell: (a: any) => a.properties.alertDisplayName },
			{ title: "Severity", cell: (a: any) => severity(a.properties.severity), value: (a: any) => rank.indexOf(a.properties.severity) },
			{ title: "Last", cell: (a: any) => time(a.properties.endTimeUtc), value: (a: any) => a.properties.endTimeUtc },
			{ title: "Status", cell: (a: any) => a.properties.status },
		],
		alerts,
		{ href: (a: any) => address(["alerts", a.name]) },
		h("div", { class: "card" }, why
				? empty("Its alerts are not known.", why)
				: empty("This resource has no alert.", "`whittle alerts` and whittle-watch.service look for new ones.")),
	);
