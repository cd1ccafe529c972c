/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of the Internet: none of the estate's, none on premises, and none that the Internet does not route. */
#include <string.h>
#include "reach/policy.h"

/* From IANA's special-purpose registries (RFC 6890): the ranges that the Internet does not route. Those for documentation stay:
 * in examples they mean the Internet. */
static const char *const never[] = {
	"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",   "::/8",        "fc00::/7",       "fe80::/10",     "ff00::/8",
};
enum { NEVER = sizeof never / sizeof *never };

void wh_reach_never(struct wh_reach *r)
{
	struct wh_prefix *p = wh_arena_array(r->mem, NEVER + 1, sizeof *p);
	for (size_t i = 0; i < NEVER; i++)
		wh_prefix_parse(never[i], strlen(never[i]), &p[i], NULL);
	p[NEVER] = wh_azure_probes;
	r->never = wh_ranges_from_prefixes(p, NEVER + 1, r->mem);
}

static bool in_one(const struct wh_prefix *p, size_t n, const struct wh_addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (wh_prefix_has(&p[i], a))
			return true;
	return false;
}

bool wh_reach_is_internet(const struct wh_reach *r, const struct wh_addr *a)
{
	if (wh_ranges_has(r->never, a) || in_one(r->t->on_premises, r->t->n_on_premises, a))
		return false;
	for (size_t i = 0; i < r->t->n_vnets; i++)
		if (in_one(r->t->vnets[i].space, r->t->vnets[i].n_space, a))
			return false;
	return true;
}

struct wh_ranges wh_reach_outside_ranges(struct wh_reach *r)
{
	if (r->outside.n)
		return r->outside;
	struct wh_ranges own = wh_ranges_from_prefixes(r->t->on_premises, r->t->n_on_premises, r->mem);
	own = wh_ranges_union(own, r->never, r->mem);
	for (size_t i = 0; i < r->t->n_vnets; i++)
		own = wh_ranges_union(own, wh_ranges_from_prefixes(r->t->vnets[i].space, r->t->vnets[i].n_space, r->mem), r->mem);
	return r->outside = wh_ranges_minus(*r->any, own, r->mem);
}
