/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of Azure Firewalls, as their documents have them, in the order in which a firewall evaluates them. */
#pragma once
#include "estate/topology.h"

enum wh_firewall_kind { WH_FIREWALL_NAT, WH_FIREWALL_NETWORK, WH_FIREWALL_APPLICATION };
/* One rule. `name` is "group/collection/rule", or "collection/rule" of a firewall's own collections. */
struct wh_firewall_rule {
	const json_t *body;
	const char *name;
	uint16_t priority; /* its collection's */
	bool allow;
};
/*
 * The rules of one kind, in b->mem, in order. *unsure is set if there may be others, to the reason, or left as it is.
 *
 * A firewall evaluates all DNAT rules, then all network rules, then all application rules; the first that matches decides.
 * Within a kind, the groups of the parent policy come first, whatever the priorities; then groups by priority, in a group the
 * collections by priority, in a collection the rules from the top. A collection allows or denies: neither comes first. Source:
 * Microsoft's documentation, "Azure Firewall rule processing logic".
 */
size_t wh_firewall_rules(struct wh_building *b, const struct wh_item *firewall, enum wh_firewall_kind kind,
                         struct wh_firewall_rule **out, const char **unsure);
/* "198.51.100.7", "198.51.100.0/24", "198.51.100.1-198.51.100.9" as ranges; none if the text is something else. */
struct wh_ranges wh_firewall_addresses(struct wh_building *b, const char *text);
/* Whether a text stands for every address: "*", "Any". */
bool wh_firewall_is_any(const char *text);
