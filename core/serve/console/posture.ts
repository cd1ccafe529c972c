// SPDX-License-Identifier: GPL-2.0-or-later
// Recommendations, asset inventory, and compliance with a standard.
import { api, maybe, seg } from "./api";
import { ask, badge, Child, empty, field, h, severity, table, time } from "./dom";
import type { Page } from "./main";

const rank = ["Informational", "Low", "Medium", "High"];
const option = (value: string, now: string, label = value) => h("option", { value, selected: value === now }, label);
const status = (s: string) =>
	badge(s, s === "Healthy" || s === "Passed" ? "good" : s === "Unhealthy" || s === "Failed" ? "high" : "");
const short = (id: string) => id.split("/").pop()!;

export async function recommendations(p: Page): Promise<Node> {
	const got = await maybe("/api/v1/recommendations"),
		want = p.query.get("state") ?? "Failed",
		least = p.query.get("severity") ?? "";
	if (!got.doc)
		return h(
			"div",
			null,
			h("h1", null, "Recommendations"),
			h("div", { class: "card" }, empty("Nothing is assessed yet.", got.why!)),
		);
	if (p.words[0]) return verdicts(p, got.doc, p.words[0]);
	const list = (got.doc as any[]).filter(
			(a) => (want === "all" || a.state === want) && rank.indexOf(a.severity) >= rank.indexOf(least || rank[0]),
		),
		go = (more: Record<string, string>) => p.go(["recommendations"], { state: want, severity: least, ...more });
	return h(
		"div",
		null,
		h("h1", null, "Recommendations"),
		h(
			"div",
			{ class: "tools" },
			field(
				"State",
				h(
					"select",
					{ change: (e: any) => go({ state: e.target.value }) },
					option("Failed", want),
					option("Passed", want),
					option("Skipped", want),
					option("Unsupported", want, "Not assessed"),
					option("all", want, "All"),
				),
			),
			field(
				"Severity, at least",
				h(
					"select",
					{ change: (e: any) => go({ severity: e.target.value }) },
					rank.map((r, i) => option(i ? r : "", least, r)),
				),
			),
		),
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
				{ title: "Unhealthy", cell: (a: any) => a.unhealthy, value: (a: any) => a.unhealthy },
				{ title: "Healthy", cell: (a: any) => a.healthy, value: (a: any) => a.healthy },
				{ title: "No evidence", cell: (a: any) => a.noEvidence, value: (a: any) => a.noEvidence },
				{ title: "Controls", cell: (a: any) => (a.controls ?? []).join(", ") },
			],
			list,
			(a: any) => p.go(["recommendations", a.name]),
			h("div", { class: "card" }, empty("No recommendation is like that.", "Change the filters above.")),
		),
	);
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
					h("p", null, a.description),
					h("h2", null, "What to do"),
					h("p", null, a.remediation),
				)
			: null,
		table(
			"Resources",
			[
				{
					title: "Resource",
					cell: (v: any) => short(v.resourceId),
					value: (v: any) => short(v.resourceId),
				},
				{ title: "Status", cell: (v: any) => status(v.status), value: (v: any) => v.status },
				{ title: "Cause", cell: (v: any) => v.exempt ?? v.cause ?? "–" },
			],
			doc.assessments,
			undefined,
			h("div", { class: "card" }, empty("It is about none of the resources.", "Import more of the estate.")),
		),
	);
}

export async function inventory(p: Page): Promise<Node> {
	const got = await maybe("/api/v1/inventory"),
		q = p.query,
		type = q.get("type") ?? "",
		zone = q.get("zone") ?? "",
		text = q.get("text") ?? "";
	if (!got.doc)
		return h(
			"div",
			null,
			h("h1", null, "Asset inventory"),
			h("div", { class: "card" }, empty("There is no inventory yet.", got.why!)),
		);
	const all = got.doc.resources as any[],
		types = [...new Set(all.map((r) => short(r.type)))].sort(),
		go = (more: Record<string, string>) => p.go(["inventory"], { type, zone, text, ...more });
	const rows = all.filter(
		(r) =>
			(!type || short(r.type) === type) &&
			(!zone || r.zone === zone) &&
			r.name.toLowerCase().includes(text.toLowerCase()),
	);
	return h(
		"div",
		null,
		h("h1", null, "Asset inventory"),
		h(
			"div",
			{ class: "tools" },
			field(
				"Type",
				h(
					"select",
					{ change: (e: any) => go({ type: e.target.value }) },
					option("", type, "Any"),
					types.map((t) => option(t, type)),
				),
			),
			field(
				"Zone",
				h(
					"select",
					{ change: (e: any) => go({ zone: e.target.value }) },
					option("", zone, "Any"),
					option("internet-facing", zone),
					option("internal", zone),
				),
			),
			field(
				"Name",
				h("input", { type: "search", value: text, change: (e: any) => go({ text: e.target.value }) }),
			),
		),
		table(
			"Inventory",
			[
				{ title: "Resource", cell: (r: any) => r.name, value: (r: any) => r.name },
				{ title: "Type", cell: (r: any) => short(r.type), value: (r: any) => short(r.type) },
				{ title: "Zone", cell: (r: any) => r.zone ?? "–", value: (r: any) => r.zone ?? "" },
				{ title: "Addresses", cell: (r: any) => (r.addresses ?? []).join(", ") || "–", class: "mono" },
				{
					title: "Recommendations",
					cell: (r: any) => counts(r.recommendations),
					value: (r: any) =>
						(r.recommendations?.high ?? 0) * 1000 + (r.recommendations?.medium ?? 0),
				},
				{ title: "Alerts", cell: (r: any) => r.alerts ?? 0, value: (r: any) => r.alerts ?? 0 },
			],
			rows,
			undefined,
			h("div", { class: "card" }, empty("No resource is like that.", "Change the filters above.")),
		),
	);
}

const counts = (c: any): Child[] => {
	const l = [
		["High", c?.high],
		["Medium", c?.medium],
		["Low", c?.low],
	].filter(([, n]) => n);
	return l.length ? l.flatMap(([s, n]) => [h("span", { title: `${s}` }, severity(s as string), ` ${n} `)]) : ["–"];
};

// Drawn by the server; a failure is shown at the button.
async function download(button: HTMLButtonElement, path: string, name: string) {
	button.disabled = true;
	try {
		const answer = await fetch(path, { headers: { "X-Whittle": "1" }, credentials: "same-origin" });
		if (!answer.ok) throw new Error((await answer.json()).error?.message ?? `the server answered ${answer.status}`);
		const url = URL.createObjectURL(await answer.blob());
		h("a", { href: url, download: name }).click();
		setTimeout(() => URL.revokeObjectURL(url), 1000);
	} catch (e) {
		await ask("No report", [h("p", { role: "alert" }, (e as Error).message)], "Close");
	}
	button.disabled = false;
}

export async function compliance(p: Page): Promise<Node> {
	const standard = p.query.get("standard") ?? "",
		[got, standards] = await Promise.all([
			maybe(`/api/v1/compliance${standard ? `?standard=${seg(standard)}` : ""}`),
			maybe("/api/v1/standards"),
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
			field(
				"Standard",
				h(
					"select",
					{ change: (e: any) => p.go(["compliance"], { standard: e.target.value }) },
					(standards.doc?.value ?? []).map((s: any) =>
						option(
							s.id,
							d.standard.id,
							`${s.name} ${s.version ?? ""}${s.preview ? " (preview)" : ""}`,
						),
					),
				),
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
			{ class: "card" },
			h("div", { class: "big" }, `${d.passedControls} of ${judged}`),
			h("div", null, `judged controls pass · ${d.unsupportedControls} of ${n} not assessed`),
			h("p", { class: "soft" }, "As of ", time(d.at), "."),
		),
		d.controls.map((k: any) =>
			h(
				"details",
				{ class: "card" },
				h(
					"summary",
					null,
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
					k.question && k.state === "Unsupported" ? " · needs a person's answer" : "",
				),
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
					k.assessments ?? [],
					undefined,
					h("p", { class: "soft" }, k.question ?? "Nothing is assessed for it."),
				),
			),
		),
	);
}
