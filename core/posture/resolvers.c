/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which resolvers of names are to be expected. */
#include "posture/checks.h"

struct wh_ranges wh_run_resolvers(struct wh_run *run)
{
	struct wh_ranges set = wh_run_prefixes(run, "trusted");
	size_t from, to = wh_assets_of_type(run->in->assets, "Microsoft.Network/virtualNetworks", &from), i;
	json_t *v;
	for (size_t a = from; a < to; a++)
		json_array_foreach(
			wh_field(wh_field(run->in->assets->list[run->in->assets->by_type[a]].body, "dhcpOptions"), "dnsServers"),
			i, v)
			wh_run_add_prefix(run, &set, json_string_value(v));
	return set;
}

bool wh_run_is_strange(const struct wh_run *run, struct wh_ranges trusted, const struct wh_addr *resolver)
{
	return !wh_ranges_has(trusted, resolver) && !wh_addr_is_private(resolver) &&
	       !wh_estate_by_addr(run->in->estate, resolver);
}
