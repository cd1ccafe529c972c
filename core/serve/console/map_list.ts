// SPDX-License-Identifier: GPL-2.0-or-later
// What the map shows, as a table: for a keyboard, for a reader of the screen, and to be saved.
import { badge, Child, fill, h, rich, section, severity } from "./dom";
import { idOf, Net, Place, severityOf, types } from "./map_model";
import { table } from "./table";

export function list(net: Net, href: (n: Place) => string, choose: (n: Place, from: HTMLElement) => void): Child {
	const shown = net.nodes.filter((n) => n.shown).sort((a, b) => b.rank - a.rank || a.kind - b.kind),
		body = h("div", null),
		draw = () =>
			table(
				"Resources of the map",
				[
					{ title: "Resource", cell: (n: Place) => n.name },
					{ title: "Type", cell: (n: Place) => types[n.kind] },
					{ title: "Severity", cell: (n: Place) => severity(severityOf(n)), value: (n: Place) => n.rank },
					{ title: "Zone", cell: (n: Place) => (n.facing ? badge("Internet-facing", "medium") : "Internal") },
					{ title: "Addresses", cell: (n: Place) => n.addresses || "–", class: "mono" },
					{ title: "Resource group", cell: (n: Place) => net.heads[n.head].group || "–" },
					{
						title: "Recommendations",
						class: "long",
						cell: (n: Place) => (n.reasons.length ? rich(n.reasons.map((r) => net.reasons[r]).join("; ")) : "–"),
						value: (n: Place) => n.reasons.length,
					},
				],
				shown,
				{ href, choose },
				undefined,
				(n) => ({
					id: idOf(net, n),
					name: n.name,
					type: types[n.kind],
					severity: severityOf(n),
					internetFacing: n.facing,
					addresses: n.addresses || null,
					recommendations: n.reasons.map((r) => net.reasons[r]),
				}),
			);
	return section(
		"list",
		{ toggle: () => !body.firstChild && fill(body, draw()) }, // of 10,000 resources: once it is asked for
		`${shown.length.toLocaleString()} of ${net.nodes.length.toLocaleString()} resources are shown: as a list`,
		body,
	);
}
