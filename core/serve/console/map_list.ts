// SPDX-License-Identifier: GPL-2.0-or-later
// What the map shows, as a table: for a keyboard, for a reader of the screen, and to be saved.
import { badge, Child, fill, h, rich, section, severity } from "./dom";
import { Hub, idOf, isHub, Net, Place, severityOf, typeOf } from "./map_model";
import { table } from "./table";

type Entry = Place | Hub;

// A hub has neither a severity nor recommendations of its own.
const ofPlace = <T extends string | number | Child>(f: (n: Place) => T) => (e: Entry): T | "–" => (isHub(e) ? "–" : f(e));

export function list(net: Net, href: (n: Entry) => string, choose: (n: Entry, from: HTMLElement) => void): Child {
	const shown: Entry[] = [
			...net.nodes.filter((n) => n.shown).sort((a, b) => b.rank - a.rank || a.kind - b.kind),
			...net.hubs.filter((x) => x.vnets.some((i) => net.nodes[i].shown)),
		],
		body = h("div", null),
		draw = () =>
			table(
				"Resources of the map",
				[
					{ title: "Resource", cell: (n: Entry) => n.name },
					{ title: "Type", cell: typeOf },
					{ title: "Severity", cell: ofPlace((n) => severity(severityOf(n))), value: (n) => (isHub(n) ? -1 : n.rank) },
					{ title: "Zone", cell: ofPlace((n): Child => (n.facing ? badge("Internet-facing", "medium") : "Internal")) },
					{ title: "Addresses", cell: ofPlace((n) => n.addresses || "–"), class: "mono" },
					{ title: "Resource group", cell: ofPlace((n) => net.heads[n.head].group || "–") },
					{
						title: "Recommendations",
						class: "long",
						cell: (n) => (isHub(n) || !n.reasons.length ? "–" : rich(n.reasons.map((r) => net.reasons[r]).join("; "))),
						value: (n) => (isHub(n) ? 0 : n.reasons.length),
					},
				],
				shown,
				{ href, choose },
				undefined,
				(n) =>
					isHub(n)
						? { name: n.name, type: typeOf(n), networks: n.vnets.map((i) => idOf(net, net.nodes[i])) }
						: {
								id: idOf(net, n),
								name: n.name,
								type: typeOf(n),
								severity: severityOf(n),
								internetFacing: n.facing,
								addresses: n.addresses || null,
								recommendations: n.reasons.map((r) => net.reasons[r]),
							},
			);
	return section(
		"list",
		{ toggle: () => !body.firstChild && fill(body, draw()) }, // of 10,000 resources: once it is asked for
		`${shown.length.toLocaleString()} of ${(net.nodes.length + net.hubs.length).toLocaleString()} resources are shown: as a list`,
		body,
	);
}
