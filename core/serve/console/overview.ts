// SPDX-License-Identifier: GPL-2.0-or-later
import { api, maybe } from "./api";
import { Child, h, severity } from "./dom";
import type { Page } from "./main";

const card = (title: string, href: string, ...rest: Child[]) =>
	h("section", { class: "card" }, h("h2", null, h("a", { href }, title)), ...rest);
const open = (a: any) => ["Active", "InProgress"].includes(a.properties.status);

export async function overview(_: Page): Promise<Node> {
	const [status, alerts, drift, score] = await Promise.all([
		api("/api/v1/status"),
		maybe("/api/v1/alerts"),
		maybe("/api/v1/drift"),
		maybe("/api/v1/score"),
	]);
	const { healthy, unhealthy, unscanned } = status,
		judged = healthy + unhealthy,
		all = judged + unscanned,
		active = (alerts.doc?.value ?? []).filter(open);
	const share = judged ? Math.round((100 * healthy) / judged) : null,
		heard = status.resources.filter((r: any) => r.daysWithData > 0).length;
	const piece = (n: number, kind: string) => {
		const i = h("i", { class: kind });
		i.style.flexGrow = String(n);
		return n ? i : null;
	};
	const force =
		drift.doc?.state === "pending"
			? "Rules wait for your confirmation."
			: drift.doc?.state === "confirmed"
				? drift.doc.same
					? "The confirmed rules are in force."
					: "The rules in force are not as they were applied."
				: (drift.doc?.why ?? drift.why ?? "No rules of whittle's are in force here.");
	const state =
		drift.doc && drift.doc.state !== "unknown"
			? drift.doc.state
			: /^nothing is enforced/.test(drift.doc?.why)
				? "Not enforced"
				: "Unknown";
	return h(
		"div",
		null,
		h("h1", null, "Overview"),
		h(
			"div",
			{ class: "cards" },
			card(
				"Adaptive network hardening",
				"#/hardening",
				h("div", { class: "big" }, share === null ? "–" : `${share} %`),
				h(
					"div",
					null,
					share === null
						? "No resource could be judged yet."
						: `${healthy} of ${judged} judged resources are defended`,
				),
				h(
					"div",
					{
						class: "bar",
						role: "img",
						"aria-label": `${healthy} healthy, ${unhealthy} unhealthy, ${unscanned} unscanned`,
					},
					piece(healthy, "good"),
					piece(unhealthy, "high"),
					piece(unscanned, "unknown"),
				),
				h(
					"div",
					{ class: "soft" },
					`${unhealthy} unhealthy · ${healthy} healthy · ${unscanned} unscanned`,
				),
			),
			card(
				"Security alerts",
				"#/alerts",
				h("div", { class: "big" }, alerts.doc ? active.length : "–"),
				h("div", null, alerts.why ?? (active.length ? "open alerts" : "No alert is open.")),
				h(
					"div",
					null,
					["High", "Medium", "Low", "Informational"].map((s) => {
						const n = active.filter((a: any) => a.properties.severity === s).length;
						return n ? h("span", null, severity(`${s}`), ` ${n} `) : null;
					}),
				),
			),
			card(
				"Coverage",
				"#/hardening/Unscanned",
				h("div", { class: "big" }, all ? `${heard} of ${all}` : "–"),
				h("div", null, "resources with observed traffic"),
				h(
					"div",
					{ class: "soft" },
					`${status.ledger.flows.toLocaleString()} flows, ${status.ledger.edges.toLocaleString()} edges`,
				),
			),
			card(
				"This machine's firewall",
				"#/hardening",
				h("div", { class: "big" }, state),
				h("div", null, force),
			),
			card(
				"Secure score",
				"#/compliance",
				h(
					"div",
					{ class: "big" },
					score.doc?.percent != null ? `${Math.round(score.doc.percent)} %` : "–",
				),
				h(
					"div",
					{ class: "soft" },
					score.doc?.percent != null
						? `${(score.doc.current ?? 0).toFixed(1)} of ${score.doc.max} points`
						: (score.why ?? "Nothing is judged yet."),
				),
			),
		),
	);
}
