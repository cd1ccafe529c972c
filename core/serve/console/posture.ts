// SPDX-License-Identifier: GPL-2.0-or-later
// Recommendations, and compliance with a standard.
import { api, maybe, part, seg } from "./api";
import { address } from "./address";
import { badge, Child, choice, Choices, empty, h, rich, search, section, severity, tell, time } from "./dom";
import { asset, short } from "./inventory";
import type { Page } from "./main";
import { save, table } from "./table";

const rank = ["Informational", "Low", "Medium", "High"];
export const assessable = "import an estate with `whittle estate import FILE`.";
const status = (s: string) =>
	badge(s === "Unsupported" ? "Not assessed" : s, s === "Healthy" || s === "Passed" ? "good" : s === "Unhealthy" || s === "Failed" ? "high" : "");
const order = ["Failed", "Passed", "Skipped", "Unsupported"]; // of a control's assessments

export async function recommendations(p: Page): Promise<Node> {
	const got = await maybe("/api/v1/recommendations"),
		want = p.query.get("state") ?? "Failed",
		least = p.query.get("severity") ?? "",
		text = p.query.get("text") ?? "",
		resource = p.query.get("resource") ?? "";
	if (!got.doc)
		return h(
			"div",
			null,
			h("h1", null, "Recommendations"),
			h("div", { class: "card" }, empty("Nothing is assessed yet.", got.why!)),
		);
	if (p.words[0]) return verdicts(p, got.doc, p.words[0]);
	const mine = resource ? await unhealthyOf(resource) : null,
		list = (got.doc as any[]).filter(
			(a) =>
				(want === "all" || a.state === want) &&
				(!mine || mine.has(a.name)) &&
				rank.indexOf(a.severity) >= rank.indexOf(least || rank[0]) &&
				`${a.displayName} ${(a.controls ?? []).join(" ")}`.toLowerCase().includes(text.toLowerCase()),
		),
		go = (more: Record<string, string>) =>
			p.go(["recommendations"], { state: want, severity: least, text, resource, ...more });
	list.sort((a, b) => rank.indexOf(b.severity) - rank.indexOf(a.severity) || b.counts.Unhealthy - a.counts.Unhealthy);
	return h(
		"div",
		null,
		h("h1", null, "Recommendations"),
		h(
			"div",
			{ class: "tools" },
			choice(
				"State",
				"state",
				want,
				[
					["Failed", "Failed"],
					["Passed", "Passed"],
					["Skipped", "Skipped"],
					["Unsupported", "Not assessed"],
					["all", "All"],
				],
				go,
			),
			choice("Severity, at least", "severity", least, rank.map((r, i): Choices[0] => [i ? r : "", r]), go),
			search("Title or control", "text", text, go),
		),
		resource
			? h(
					"p",
					{ class: "notice" },
					`Only those that ${short(resource)} does not meet are shown. `,
					h("button", { type: "button", click: () => go({ resource: "" }) }, "Show all"),
				)
			: null,
		table(
			"Recommendations",
			[
				{ title: "Recommendation", cell: (a: any) => a.displayName, value: (a: any) => a.displayName },
				{
					title: "Severity",
					cell: (a: any) => severity(a.severity),
					value: (a: any) => rank.indexOf(a.severity),
				},
				{ title: "State", cell: (a: any) => status(a.state), value: (a: any) => a.state },
				{ title: "Unhealthy", cell: (a: any) => a.counts.Unhealthy, value: (a: any) => a.counts.Unhealthy },
				{ title: "Healthy", cell: (a: any) => a.counts.Healthy, value: (a: any) => a.counts.Healthy },
				{ title: "No evidence", cell: (a: any) => a.counts.NoEvidence, value: (a: any) => a.counts.NoEvidence },
				{ title: "Controls", cell: (a: any) => (a.controls ?? []).join(", ") },
			],
			list,
			{ href: (a: any) => address(["recommendations", a.name]) },
			h("div", { class: "card" }, empty("No recommendation matches these filters.", "Choose other ones above.")),
		),
	);
}

// The assessments that a resource does not meet.
async function unhealthyOf(id: string): Promise<Set<string>> {
	const { resources } = await api("/api/v1/inventory"),
		same = (r: any) => r.id.toLowerCase() === id.toLowerCase();
	return new Set(resources.find(same)?.unhealthy ?? []);
}

async function verdicts(p: Page, all: any[], key: string): Promise<Node> {
	const a = all.find((x) => x.name === key),
		doc = await api(`/api/v1/assessments?assessment=${seg(key)}`);
	return h(
		"div",
		null,
		h("p", null, h("a", { href: "#/recommendations" }, "All recommendations")),
		h("h1", null, a?.displayName ?? key),
		a
			? h(
					"div",
					{ class: "card" },
					h("p", null, severity(a.severity), " ", status(a.state)),
					h("p", null, rich(a.description)),
					h("h2", null, "What to do"),
					h("p", null, rich(a.remediation)),
				)
			: null,
		table(
			"Resources",
			[
				{
					title: "Resource",
					cell: (v: any) => asset(v.resourceId, short(v.resourceId)),
					value: (v: any) => short(v.resourceId),
				},
				{ title: "Status", cell: (v: any) => status(v.status), value: (v: any) => v.status },
				{ title: "Cause", class: "long", cell: (v: any) => (v.exempt || v.cause ? rich(v.exempt ?? v.cause) : "–") },
			],
			[...doc.assessments].sort((x, y) => +(y.status === "Unhealthy") - +(x.status === "Unhealthy")),
			undefined,
			h("div", { class: "card" }, empty("None of the resources is of its kind.", "Import more of the estate: `whittle estate import FILE`.")),
		),
	);
}

// Drawn by the server; a failure is shown at the button.
async function download(button: HTMLButtonElement, path: string, name: string) {
	button.disabled = true;
	try {
		const answer = await fetch(path, { headers: { "X-Whittle": "1" }, credentials: "same-origin" });
		if (!answer.ok) throw new Error((await answer.json()).error?.message ?? `the server answered ${answer.status}`);
		save(name, await answer.blob());
	} catch (e) {
		await tell("No report", (e as Error).message);
	}
	button.disabled = false;
}

function scoreCard({ doc, why }: { doc?: any; why?: string }): Child {
	const controls = (doc?.subscriptions ?? []).flatMap((s: any) => s.controls ?? []);
	return h(
		"section",
		{ class: "card wide" },
		h("h2", null, "Secure score"),
		doc?.percent == null
			? h("p", { class: "soft" }, rich(why ?? `Nothing is assessed yet: ${assessable}`))
			: [
					h("div", { class: "big" }, `${Math.round(doc.percent)} %`),
					h("p", null, `${doc.current.toFixed(1)} of ${doc.max} points`),
					table(
						"Score controls",
						[
							{ title: "Control", cell: (k: any) => k.name },
							{ title: "Points", cell: (k: any) => `${k.current.toFixed(1)} of ${k.max}`, value: (k: any) => k.current },
							{
								title: "Could gain",
								cell: (k: any) => k.potentialIncrease.toFixed(1),
								value: (k: any) => k.potentialIncrease,
							},
							{ title: "Unhealthy", cell: (k: any) => k.unhealthy, value: (k: any) => k.unhealthy },
							{ title: "Healthy", cell: (k: any) => k.healthy, value: (k: any) => k.healthy },
						],
						controls,
					),
				],
	);
}

export async function compliance(p: Page): Promise<Node> {
	const standard = p.query.get("standard") ?? "",
		[got, standards, score] = await Promise.all([
			maybe(`/api/v1/compliance${standard ? `?standard=${seg(standard)}` : ""}`),
			part("/api/v1/standards"),
			part("/api/v1/score"),
		]);
	if (!got.doc)
		return h(
			"div",
			null,
			h("h1", null, "Regulatory compliance"),
			h("div", { class: "card" }, empty("Nothing is assessed yet.", got.why!)),
		);
	const d = got.doc,
		n = d.controls.length,
		judged = d.passedControls + d.failedControls;
	return h(
		"div",
		null,
		h("h1", null, "Regulatory compliance"),
		h(
			"div",
			{ class: "tools" },
			choice(
				"Standard",
				"standard",
				d.standard.id,
				(standards.doc?.value ?? []).map((s: any) => [
					s.id,
					`${s.name}${s.name.includes(s.version ?? "") ? "" : `, version ${s.version}`}${s.preview ? " (preview)" : ""}`,
				]),
				(more) => p.go(["compliance"], more),
			),
			h(
				"button",
				{
					type: "button",
					click: (e: Event) =>
						download(
							e.target as HTMLButtonElement,
							`/api/v1/compliance/report.pdf${standard ? `?standard=${seg(standard)}` : ""}`,
							`${d.standard.id}.pdf`,
						),
				},
				"Download report",
			),
		),
		h(
			"div",
			{ class: "cards" },
			h(
				"section",
				{ class: "card" },
				h("h2", null, "Controls that pass"),
				h("div", { class: "big" }, `${d.passedControls} of ${judged}`),
				h("div", null, `${d.unsupportedControls} more of ${n} are not assessed`),
				d.at ? h("p", { class: "soft" }, "As of ", time(d.at), ".") : null,
			),
			scoreCard(score),
		),
		d.controls.map((k: any) =>
			section(
				`${d.standard.id} ${k.id}`,
				{ class: k.state === "Unsupported" ? "card greyed" : "card" },
				[
					h("strong", null, k.id),
					` ${k.name} `,
					k.state === "Unsupported"
						? badge("Not assessed")
						: k.state === "Passed" && k.unsupportedAssessments
							? badge("Passed")
							: status(k.state),
					h(
						"span",
						{ class: "soft" },
						` ${k.passedAssessments} passed, ${k.failedAssessments} failed, ${k.unsupportedAssessments} not assessed`,
					),
					k.question && k.state === "Unsupported" ? " · a person has to answer" : "",
				],
				table(
					`Assessments of ${k.id}`,
					[
						{
							title: "Assessment",
							cell: (a: any) =>
								h(
									"a",
									{ href: `#/recommendations/${seg(a.name)}` },
									a.displayName,
								),
							value: (a: any) => a.displayName,
						},
						{ title: "State", cell: (a: any) => status(a.state), value: (a: any) => a.state },
						{ title: "Failed", cell: (a: any) => a.failedResources },
						{ title: "Passed", cell: (a: any) => a.passedResources },
						{ title: "Not judged", cell: (a: any) => a.unsupportedResources },
					],
					[...(k.assessments ?? [])].sort((x, y) => order.indexOf(x.state) - order.indexOf(y.state)),
					undefined,
					h("p", { class: "soft" }, k.question ?? "No assessment belongs to this control."),
				),
			),
		),
	);
}
