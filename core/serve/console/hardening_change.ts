// SPDX-License-Identifier: GPL-2.0-or-later
// Rules are changed under the guidelines of a review, and applied until they are confirmed.
import { api, seg } from "./api";
import { ask, Child, field, h, menu, rich, tell, time } from "./dom";
import type { Page } from "./main";

const change = (vm: string, body: object) => api(`/api/v1/hardenings/${seg(vm)}/rules`, "POST", body);
const words = (f: FormData, name: string) => String(f.get(name)).split(/[\s,]+/).filter(Boolean);

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
		(f) => change(vm, { op: "edit", rule: r.name, ipAddresses: words(f, "list"), why: String(f.get("why")) || undefined }),
	);
	if (f) p.again();
}

export async function add(p: Page, vm: string) {
	const f = await ask(
		"Add an allow rule",
		[
			field("Protocol", h("select", { name: "protocol" }, h("option", null, "TCP"), h("option", null, "UDP"))),
			field("Port", h("input", { name: "port", type: "number", min: 1, max: 65535, required: true })),
			field("Allowed source addresses, one a line", h("textarea", { name: "list", rows: 4, required: true })),
			field("Why", h("input", { name: "why" })),
		],
		"Add",
		(f) =>
			change(vm, {
				op: "add",
				direction: "Inbound",
				protocol: f.get("protocol"),
				destinationPort: Number(f.get("port")),
				ipAddresses: words(f, "list"),
				why: String(f.get("why")) || undefined,
			}),
	);
	if (f) p.again();
}

export function actions(p: Page, vm: string, r: any): Child {
	const remove = async () => {
		const sure = await ask(
			`Delete ${r.name}?`,
			[h("p", null, "The rule is left out until the next calculation. Without it, the port is as open as the original rules leave it.")],
			"Delete",
			() => change(vm, { op: "delete", rule: r.name }),
		);
		if (sure) p.again();
	};
	const items: [string, () => void][] = r.ipAddresses.length ? [["Edit…", () => edit(p, vm, r)]] : [];
	return menu(`Actions for ${r.name}`, [...items, ["Delete…", remove]]);
}

// In the API's form of a rule: its ports, with their protocols.
const portsOf = (k: any) =>
	k.protocols
		.map((x: string) => `${k.direction === "Outbound" ? "out:" : ""}${k.destinationPort}/${x.toLowerCase()}`)
		.join(",");

export async function enforce(p: Page, r: any, chosen: Set<string>) {
	const some = r.rules.filter((k: any) => chosen.has(k.name)),
		all = !some.length || some.length === r.rules.length;
	let tried = false;
	await ask(
		all ? `Enforce the rules of ${r.name}` : `Enforce ${some.length} of ${r.rules.length} rules of ${r.name}`,
		[
			all
				? null
				: h(
						"p",
						null,
						`${some.map((k: any) => k.name).join(", ")}. Rules that are in force already stay in force.`,
					),
			h(
				"p",
				null,
				"They are proved once more, and applied to the machine that this server runs on. The kernel removes them unless you confirm in time.",
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
		(f) => {
			tried = true;
			return api("/api/v1/enforce", "POST", {
				resource: r.name,
				reviewed: r.reviewed,
				only: all ? undefined : some.map(portsOf).join(","),
				confirmWithin: Number(f.get("within")),
				audit: f.get("audit") === "on",
			});
		},
	);
	if (tried) p.again(); // whatever became of it: rules of somebody else may be in force by now
}

const audited = (drift: any): Child =>
	!drift.auditedPorts
		? null
		: drift.auditedPorts === drift.ports
			? "They are in audit mode: what they would drop is counted and logged, and nothing is dropped. "
			: `${drift.auditedPorts} of ${drift.ports} ports are in audit mode: what their rules would drop is counted and logged, and let through. `;

type Act = (what: string) => void;

// The page is drawn anew at the end: the kernel has taken the rules back by then.
function countdown(p: Page, drift: any, act: Act): Child {
	const until = Date.now() + 1000 * (drift.expiresIn ?? 0),
		left = h("strong", { role: "timer" });
	const tick = () => {
		const s = Math.max(0, Math.round((until - Date.now()) / 1000));
		left.textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
		if (s) setTimeout(() => left.isConnected && tick(), 1000);
		else if (left.isConnected) p.again();
	};
	tick();
	return h(
		"div",
		{ class: "notice wait" },
		h("p", null, "New rules are in force. ", audited(drift), "The kernel removes them in ", left, "."),
		p.me.role === "operator"
			? [
					h("p", null, "Try a new connection, then confirm them."),
					h("button", { type: "button", class: "main", click: () => act("confirm") }, "Confirm"),
					" ",
					h("button", { type: "button", click: () => act("rollback") }, "Roll back now"),
				]
			: h("p", null, "An operator can confirm them or roll them back."),
	);
}

// Rules that nobody confirmed in time; what is in force since.
const lapsed = (unconfirmed: any, now: Child): Child =>
	h(
		"div",
		{ class: "notice bad", role: "status" },
		h(
			"p",
			null,
			h("strong", null, "Not confirmed in time. "),
			`${unconfirmed.who} applied rules at `,
			time(unconfirmed.time),
			"; the kernel removed them at ",
			time(unconfirmed.until),
			".",
		),
		h("p", null, now),
	);

// Rules that wait for a confirmation have a countdown and two buttons; confirmed ones have one button, to go back.
export function pending(p: Page, { doc: drift, why }: { doc?: any; why?: string }, unconfirmed: any): Child | Child[] {
	const act = async (what: string) => {
		try {
			const done = await api(`/api/v1/${what}`, "POST");
			// The first step forgets rules whose time was up; what was asked for is a step back from those in force.
			if (what === "rollback" && done.how === "expired" && drift?.state === "confirmed") await api("/api/v1/rollback", "POST");
		} catch (e) {
			await tell("It failed", (e as Error).message);
		}
		p.again();
	};
	if (why) return h("div", { class: "notice bad", role: "alert" }, h("p", null, "Whether rules are in force is not known. ", rich(why)));
	if (drift?.state === "pending") return countdown(p, drift, act);
	if (drift?.state === "confirmed")
		return [
			unconfirmed ? lapsed(unconfirmed, "The rules that were confirmed before are in force again.") : null,
			h(
				"div",
				{ class: "notice" },
				h("p", null, "Confirmed rules are in force on this machine. ", audited(drift)),
				drift.same ? null : h("p", null, rich("Another program has changed them since: `whittle drift` lists the changes.")),
				p.me.role === "operator"
					? h("button", { type: "button", click: () => act("rollback") }, "Roll back one step")
					: h("p", { class: "soft" }, "An operator can roll them back."),
			),
		];
	return unconfirmed && /^nothing is enforced/.test(drift?.why)
		? lapsed(unconfirmed, "No rules of whittle are in force on this machine: its ports are as open as before. “Enforce…” applies them again.")
		: null;
}
