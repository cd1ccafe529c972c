// SPDX-License-Identifier: GPL-2.0-or-later
import { api, part } from "./api";
import { Child, empty, h, rich, severity, time } from "./dom";
import type { Page } from "./main";
import { origin } from "./origin";
import { assessable } from "./posture";
import { table } from "./table";

const card = (title: string, href: string, ...rest: Child[]) =>
	h("section", { class: "card" }, h("h2", null, h("a", { href }, title)), ...rest);
const open = (a: any) => ["Active", "InProgress"].includes(a.properties.status);

const share = (lost: number, of: number) => (of ? `${((100 * lost) / of).toFixed(2)} %` : "–");

// The sensors of a cluster; of a ledger that is a file, the one that writes to it.
function coverage(status: any, { doc, why }: { doc?: any; why?: string }): Child {
	if (!doc) return h("div", { class: "card soft" }, rich(why!));
	const own = status.sensor,
		list = doc.sensors.length
			? doc.sensors
			: own?.lastFlow
				? [
						{
							name: "This ledger",
							lastSeen: own.lastFlow,
							flows: status.ledger.flows,
							records: own.records,
							recordsLost: own.lostRecords,
							packets: own.packets,
							packetsLost: own.lostPackets,
						},
					]
				: [];
	return table(
		"Sensors",
		[
			{ title: "Sensor", cell: (s: any) => [s.tenant, s.site, s.name].filter(Boolean).join(" / ") },
			{ title: "Last seen", cell: (s: any) => time(s.lastSeen), value: (s: any) => s.lastSeen },
			{ title: "Flows", cell: (s: any) => s.flows.toLocaleString(), value: (s: any) => s.flows },
			{ title: "Records lost", cell: (s: any) => s.recordsLost.toLocaleString(), value: (s: any) => s.recordsLost },
			{
				title: "Packets lost",
				cell: (s: any) => share(s.packetsLost, s.packets),
				value: (s: any) => (s.packets ? s.packetsLost / s.packets : -1),
			},
			{ title: "Version", cell: (s: any) => s.version || "–" },
		],
		list,
		undefined,
		h(
			"div",
			{ class: "card" },
			empty("No sensor has written to this ledger.", "Enable the Suricata plugin, or read logs: `whittle ingest FILE`."),
		),
	);
}

// The state of this machine's firewall in a word, and what it means.
function inForce({ doc, why }: { doc?: any; why?: string }): [string, string] {
	if (doc?.state === "pending") return ["Pending", "Rules wait for your confirmation."];
	if (doc?.state === "confirmed")
		return ["Confirmed", doc.same ? "The confirmed rules are in force." : "Another program changed the rules in force: `whittle drift` lists the changes."];
	if (doc?.state === "absent") return ["Removed", "The confirmed rules are not in the kernel: `whittle drift` lists what is missing."];
	if (/^nothing is enforced/.test(doc?.why)) return ["Not enforced", "No rules of whittle are in force on this machine."];
	return ["Unknown", doc?.why ?? why ?? "The kernel's rules could not be read."];
}

export async function overview(_: Page): Promise<Node> {
	const [status, alerts, drift, score, sensors] = await Promise.all([
		api("/api/v1/status"),
		part("/api/v1/alerts"),
		part("/api/v1/drift"),
		part("/api/v1/score"),
		part("/api/v1/sensors"),
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
	const [state, force] = inForce(drift);
	return h(
		"div",
		null,
		h("h1", null, "Overview"),
		origin(status.derived),
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
						? all
							? "Too little traffic was seen to judge a resource."
							: rich("No machine is known yet: run `whittle init`, or import an estate with `whittle estate import FILE`.")
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
				h(
					"div",
					null,
					alerts.why ? rich(alerts.why) : active.length === 1 ? "open alert" : active.length ? "open alerts" : "No alert is open.",
				),
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
						: rich(score.why ?? `Nothing is assessed yet: ${assessable}`),
				),
			),
			card(
				"Coverage",
				"#/hardening/Unscanned",
				h("div", { class: "big" }, all ? `${heard} of ${all}` : "–"),
				h("div", null, all ? "resources with observed traffic" : rich(`No resource is known yet: ${assessable}`)),
				h(
					"div",
					{ class: "soft" },
					`${status.ledger.flows.toLocaleString()} flows, ${status.ledger.edges.toLocaleString()} edges`,
				),
			),
			card(
				"This machine's firewall",
				"#/hardening",
				h("div", { class: "big word" }, state),
				h("div", null, rich(force)),
			),
		),
		h("h2", null, "Sensors"),
		coverage(status, sensors),
	);
}
