// SPDX-License-Identifier: GPL-2.0-or-later
// The origin of figures that are not derived now: saved ones are of their day.
import { h, rich } from "./dom";

export function origin(derived: any): HTMLElement | null {
	if (!derived || derived.current) return null;
	return h(
		"p",
		{ class: "soft" },
		rich(
			derived.at
				? `As derived from traffic up to ${derived.lastDay}; ${derived.stale}. \`whittle recommend\` derives anew.`
				: `Nothing is known of the resources: ${derived.stale}. Run \`whittle recommend\`.`,
		),
	);
}
