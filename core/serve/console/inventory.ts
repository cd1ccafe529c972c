// SPDX-License-Identifier: GPL-2.0-or-later
// The asset inventory, with its filters.
import { maybe } from "./api";
import { address } from "./address";
import { Child, choice, Choices, empty, h, search, severity } from "./dom";
import type { Page } from "./main";
import { table } from "./table";

const kinds: Record<string, string> = {
	virtualmachines: "Virtual machine",
	virtualnetworks: "Virtual network",
	subnets: "Subnet",
	networkinterfaces: "Network interface",
	networksecuritygroups: "Network security group",
	publicipaddresses: "Public address",
	storageaccounts: "Storage account",
	routetables: "Route table",
	azurefirewalls: "Firewall",
	virtualnetworkgateways: "Gateway",
	applicationgateways: "Application gateway",
	loadbalancers: "Load balancer",
};
const kind = (type: string) => kinds[type.toLowerCase()] ?? type;
export const short = (id: string) => id.split("/").pop()!;

// A resource's name, as a link to the page that shows it: a machine's rules, or its place on the map.
export function asset(id: string, name: string, shown = name): Child {
	if (/\/virtualmachines\/[^/]+$/i.test(id)) return h("a", { href: address(["hardening", "vm", name]) }, shown);
	if (/\/virtualnetworks\/[^/]+(\/subnets\/[^/]+)?$/i.test(id))
		return h("a", { href: address(["map"], { health: "any", zone: "any", chosen: id }) }, shown);
	return shown;
}

export async function inventory(p: Page): Promise<Node> {
	const got = await maybe("/api/v1/inventory"),
		q = p.query,
		type = q.get("type") ?? "",
		zone = q.get("zone") ?? "",
		advice = q.get("advice") ?? "",
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
		zones: Record<string, string> = { "internet-facing": "Internet-facing", internal: "Internal" },
		go = (more: Record<string, string>) => p.go(["inventory"], { type, zone, advice, text, ...more });
	const rows = all.filter(
		(r) =>
			(!type || short(r.type) === type) &&
			(!zone || r.zone === zone) &&
			(!findings[advice] || findings[advice](r)) &&
			[r.name, ...(r.addresses ?? [])].some((x) => x.toLowerCase().includes(text.toLowerCase())),
	);
	return h(
		"div",
		null,
		h("h1", null, "Asset inventory"),
		h(
			"div",
			{ class: "tools" },
			choice("Type", "type", type, [["", "Any"], ...types.map((t): Choices[0] => [t, kind(t)])], go),
			choice("Zone", "zone", zone, [["", "Any"], ...Object.entries(zones)], go),
			choice(
				"Findings",
				"advice",
				advice,
				[
					["", "Any"],
					["some", "With recommendations"],
					["none", "Without recommendations"],
					["alerts", "With open alerts"],
				],
				go,
			),
			search("Name or address", "text", text, go),
		),
		table(
			"Inventory",
			[
				{
					title: "Resource",
					cell: (r: any) => asset(r.id, r.name, r.name.replace("/subnets/", " / ")),
					value: (r: any) => r.name,
				},
				{ title: "Type", cell: (r: any) => kind(short(r.type)) },
				{ title: "Zone", cell: (r: any) => zones[r.zone] ?? "–" },
				{ title: "Addresses", cell: (r: any) => (r.addresses ?? []).join(", ") || "–", class: "mono" },
				{
					title: "Recommendations",
					cell: (r: any) => (advised(r) ? h("a", { class: "counts", href: address(["recommendations"], { resource: r.id }) }, counts(r.recommendations)) : "–"),
					value: (r: any) =>
						(r.recommendations?.high ?? 0) * 1000 + (r.recommendations?.medium ?? 0),
				},
				{ title: "Alerts", cell: (r: any) => (r.alerts ? h("a", { href: address(["alerts"], { text: r.name }) }, r.alerts) : 0), value: (r: any) => r.alerts ?? 0 },
			],
			rows,
			undefined,
			h("div", { class: "card" }, all.length
					? empty("No resource matches these filters.", "Choose other ones above.")
					: empty("No resource is known yet.", "Import an estate: `whittle estate import FILE`.")),
		),
	);
}

const advised = (r: any) => Object.values(r.recommendations ?? {}).some((n) => (n as number) > 0);
const findings: Record<string, (r: any) => boolean> = { some: advised, none: (r) => !advised(r), alerts: (r) => r.alerts > 0 };
const counts = (c: any): Child[] => {
	const l = [
		["High", c?.high],
		["Medium", c?.medium],
		["Low", c?.low],
	].filter(([, n]) => n);
	return l.map(([s, n]) => h("span", null, severity(s as string), " ", h("u", null, n as number), " "));
};
