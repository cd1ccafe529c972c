// SPDX-License-Identifier: GPL-2.0-or-later
import { api, part, seg } from "./api";
import { ask, empty, field, h, tell, time } from "./dom";
import type { Page } from "./main";
import { table } from "./table";

// An operator opens the port, a reader requests it.
async function request(p: Page, policy: any, port: any) {
	const most = minutesOf(port),
		opens = p.me.role === "operator",
		what = `${port.number}/${port.protocol} of ${policy.resource}`;
	const f = await ask(
		opens ? `Open ${what}` : `Request access to ${what}`,
		[
			opens ? null : h("p", { class: "soft" }, "The request waits up to 24 hours. The time begins when an operator approves it."),
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
		opens ? "Open" : "Request",
		(f) =>
			api(`/api/v1/jit${opens ? "" : "/requests"}`, "POST", {
				resource: policy.id,
				number: port.number,
				protocol: port.protocol,
				allowedSourceAddressPrefix: f.get("from"),
				endTimeUtc: new Date(Date.now() + 60000 * Number(f.get("minutes")) - 2000).toISOString(),
				why: f.get("why"),
			}),
	);
	if (f) p.again();
}

const minutesOf = (port: any) => Number(/PT(\d+)M/.exec(port?.maxRequestAccessDuration)?.[1] ?? 180);

// Asks for one resource's policy and keeps it; `resources` are those to choose from, or the one whose policy is edited.
async function edit(p: Page, resources: string[], ports: any[]) {
	const f = await ask(
		ports.length ? `Policy of ${resources[0]}` : "Add a policy",
		[
			field(
				"Resource",
				h(
					"select",
					{ name: "resource" },
					resources.map((r) => h("option", { value: r }, r)),
				),
			),
			field(
				"Ports, such as 22/tcp, 3389/tcp",
				h("input", {
					name: "ports",
					required: true,
					value: ports.map((x) => `${x.number}/${x.protocol.toLowerCase()}`).join(", "),
				}),
			),
			field(
				"Open them for sources in (empty: any)",
				h("input", {
					name: "from",
					placeholder: "203.0.113.0/24",
					value: ports[0]?.allowedSourceAddressPrefixes?.join(", ") ?? "",
				}),
			),
			field(
				"For at most (minutes)",
				h("input", { name: "minutes", type: "number", min: 1, max: 43200, value: minutesOf(ports[0]), required: true }),
			),
		],
		"Save",
		save,
	);
	if (f) p.again();
}

function save(f: FormData): Promise<unknown> {
	const words = (name: string) => String(f.get(name)).split(/[\s,]+/).filter(Boolean),
		from = words("from"),
		sources = from.length ? { allowedSourceAddressPrefixes: from } : { allowedSourceAddressPrefix: "*" };
	return api(`/api/v1/jit/policies/${seg(String(f.get("resource")))}`, "PUT", {
		ports: words("ports").map((w) => ({
			number: Number(w.split("/")[0]),
			protocol: (w.split("/")[1] ?? "tcp").toUpperCase(),
			maxRequestAccessDuration: `PT${f.get("minutes")}M`,
			...sources,
		})),
	});
}

async function change(p: Page, failed: string, path: string, method: string, body?: any) {
	try {
		await api(path, method, body);
	} catch (e) {
		await tell(failed, (e as Error).message);
	}
	p.again();
}

async function remove(p: Page, policy: any) {
	const f = await ask(
		`Delete the policy of ${policy.resource}?`,
		[h("p", null, "Its ports can't be requested any more. What is open now stays open until it ends.")],
		"Delete",
		() => api(`/api/v1/jit/policies/${seg(policy.resource)}`, "DELETE"),
	);
	if (f) p.again();
}

async function refuse(p: Page, x: any) {
	const f = await ask(
		`Refuse the request of ${x.who}?`,
		[h("p", null, `${x.port}/${x.protocol} of ${x.resource} stays closed to ${x.from}.`), field("Why", h("input", { name: "why" }))],
		"Refuse",
		(f) => api(`/api/v1/jit/requests/${seg(x.id)}/refuse`, "POST", { why: f.get("why") || undefined }),
	);
	if (f) p.again();
}

const requests = (p: Page, waiting: any[]) =>
	table(
		"Requests",
		[
			{ title: "Resource", cell: (x: any) => x.resource },
			{ title: "Port", cell: (x: any) => `${x.port}/${x.protocol}` },
			{ title: "From", cell: (x: any) => x.from, class: "mono" },
			{ title: "Minutes", cell: (x: any) => Math.ceil(x.seconds / 60), value: (x: any) => x.seconds },
			{ title: "Requested", cell: (x: any) => time(x.requested), value: (x: any) => x.requested },
			{ title: "Who", cell: (x: any) => x.who },
			{ title: "Why", cell: (x: any) => x.why ?? "–" },
			{
				title: "Actions",
				control: true,
				cell: (x: any) =>
					p.me.role === "operator"
						? h(
								"span",
								{ class: "row" },
								button("Approve", () => change(p, "Not approved", `/api/v1/jit/requests/${seg(x.id)}/approve`, "POST")),
								button("Refuse…", () => refuse(p, x)),
							)
						: "waits for an operator",
			},
		],
		waiting,
		undefined,
		h("div", { class: "card" }, empty("No request waits.", "What a reader requests waits here until an operator approves or refuses it.")),
	);

const words: Record<string, string> = {
	open: "opened",
	close: "closed",
	request: "requested",
	refuse: "refused",
	"policy.set": "policy saved",
	"policy.delete": "policy deleted",
};

const button = (text: string, click: () => void) => h("button", { type: "button", click }, text);

export async function jit(p: Page): Promise<Node> {
	const [doc, status] = await Promise.all([api("/api/v1/jit"), part("/api/v1/status")]),
		without = (status.doc?.resources ?? [])
			.map((r: any) => r.name)
			.filter((name: string) => !doc.policies.some((x: any) => x.resource === name)),
		operator = p.me.role === "operator",
		ports = doc.policies.flatMap((policy: any) => policy.ports.map((port: any) => ({ policy, port })));
	return h(
		"div",
		null,
		h("h1", null, "Just-in-time access"),
		doc.notAsConfirmed ? h("div", { class: "notice" }, doc.notAsConfirmed) : null,
		h("h2", null, "Ports that can be opened"),
		operator && without.length
			? h("div", { class: "tools" }, button("Add policy…", () => edit(p, without, [])))
			: null,
		table(
			"Ports",
			[
				{ title: "Resource", cell: (x: any) => x.policy.resource, value: (x: any) => x.policy.resource },
				{
					title: "Port",
					cell: (x: any) => `${x.port.number}/${x.port.protocol}`,
				},
				{
					title: "For sources in",
					cell: (x: any) => x.port.allowedSourceAddressPrefixes?.join(", ") ?? "any",
					class: "mono",
				},
				{
					title: "At most",
					cell: (x: any) => `${minutesOf(x.port)} minutes`,
					value: (x: any) => minutesOf(x.port),
				},
				{
					title: "Actions",
					control: true,
					cell: (x: any) =>
						h(
							"span",
							{ class: "row" },
							button(operator ? "Open…" : "Request access…", () => request(p, x.policy, x.port)),
							!operator
								? null
								: x.policy.configured
									? h("span", { class: "soft" }, "policy of whittle.yaml")
									: [
											button("Edit policy…", () => edit(p, [x.policy.resource], x.policy.ports)),
											button("Delete policy…", () => remove(p, x.policy)),
										],
						),
				},
			],
			ports,
			undefined,
			h("div", { class: "card" }, empty(
					"No port has a policy.",
					operator ? "Add one here, or in whittle.yaml (jit)." : "An operator adds one here, or in whittle.yaml (jit).",
				)),
		),
		h("h2", null, "Waiting for approval"),
		requests(p, doc.requests ?? []),
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
					control: true,
					cell: (x: any) =>
						operator && x.id
							? button("Close", () => change(p, "Not closed", `/api/v1/jit/${seg(x.id)}`, "DELETE"))
							: "–",
				},
			],
			doc.openings,
			undefined,
			h(
				"div",
				{ class: "card" },
				empty("Nothing is open.", "A port is opened for one source and a limited time; then it closes by itself."),
			),
		),
		h("h2", null, "Log"),
		table(
			"Log",
			[
				{ title: "Time", cell: (x: any) => time(x.time), value: (x: any) => x.time },
				{ title: "Who", cell: (x: any) => x.who },
				{ title: "What", cell: (x: any) => words[x.what] ?? x.what },
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
				empty("Nothing was opened yet.", "Every opening is listed here, with user and reason."),
			),
		),
	);
}
