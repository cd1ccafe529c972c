/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way between VNets of virtual hubs: by the routes that the hub's table announces to the sender, and the receiver's table to
 * the answers.
 */
#include <string.h>
#include "reach/policy.h"

static size_t best_of(const struct wh_route_table *t, const struct wh_addr *a)
{
	size_t best = WH_NONE;
	for (size_t i = 0; i < t->n; i++)
		if (wh_prefix_is_v4(&t->routes[i].prefix) == wh_addr_is_v4(a) && wh_prefix_has(&t->routes[i].prefix, a) &&
		    (best == WH_NONE || t->routes[i].prefix.len > t->routes[best].prefix.len))
			best = i;
	return best;
}

void wh_hub_index(struct wh_reach *r)
{
	const struct wh_topology *t = r->t;
	if (!t->n_hub_tables || r->hub_at)
		return;
	size_t **at = wh_arena_array(r->mem, t->n_hub_tables, sizeof *at);
	for (size_t k = 0; k < t->n_hub_tables; k++) {
		at[k] = wh_arena_unset(r->mem, t->n_endpoints + 1, sizeof *at[k]);
		for (size_t i = 0; i < t->n_endpoints; i++)
			at[k][i] = best_of(&t->hub_tables[k], &t->endpoints[i].addr);
	}
	r->hub_at = at;
}

const struct wh_route_table *wh_hub_table(const struct wh_topology *t, size_t vnet, size_t table)
{
	return vnet == WH_NONE || !wh_known(t->vnets[vnet].hub_table) || (table != WH_NONE && t->route_tables[table].own_only)
	               ? NULL
	               : &t->hub_tables[t->vnets[vnet].hub_table];
}

const struct wh_route *wh_hub_route(const struct wh_reach *r, size_t vnet, size_t table, size_t endpoint,
                                    const struct wh_addr *a)
{
	const struct wh_route_table *h = wh_hub_table(r->t, vnet, table);
	if (!h)
		return NULL;
	size_t at = endpoint != WH_NONE && r->hub_at ? r->hub_at[r->t->vnets[vnet].hub_table][endpoint] : best_of(h, a);
	bool announced = at != WH_NONE && (wh_prefix_family_len(&h->routes[at].prefix) || r->t->vnets[vnet].hub_default);
	return announced ? &h->routes[at] : NULL;
}

bool wh_hub_both(const struct wh_topology *t, size_t a, size_t b)
{
	return a != WH_NONE && b != WH_NONE && t->vnets[a].hub_table != WH_NONE && t->vnets[b].hub_table != WH_NONE;
}

/* One direction's verdict. NULL in *why: the direction has no route, or one to the VNet. */
static enum wh_answer by_hub(const struct wh_reach *r, size_t vnet, size_t table, const struct wh_route *x, const char **why,
                             struct wh_arena *mem)
{
	const struct wh_route_table *h = wh_hub_table(r->t, vnet, table);
	if (r->t->vnets[vnet].hub_table == WH_MISSING) {
		*why = wh_arena_printf(mem, "the connection of VNet %s to its virtual hub (`az network vhub connection list`)",
		                       r->t->vnets[vnet].name);
		return WH_UNDECIDED;
	}
	if (x && x->hop == WH_HOP_APPLIANCE && x->firewall == WH_NONE) {
		*why = wh_arena_printf(mem, "what %s forwards (route %s of %s)", x->appliance, x->name, h->name);
		return WH_UNDECIDED;
	}
	if (!x && h && h->unsure) {
		*why = h->unsure;
		return WH_UNDECIDED;
	}
	return x ? WH_ALLOWED : WH_DENIED;
}

enum wh_answer wh_hub_way(const struct wh_reach *r, const struct wh_hub_end *from, const struct wh_hub_end *to,
                          struct wh_path *path, const char **reason, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	const char *why = NULL, *back_why = NULL;
	if (!wh_hub_both(t, from->vnet, to->vnet))
		return WH_DENIED;
	const struct wh_route *x = wh_hub_route(r, from->vnet, from->table, to->endpoint, &to->addr);
	enum wh_answer v = by_hub(r, from->vnet, from->table, x, &why, mem);
	const struct wh_vnet *home = &t->vnets[from->vnet];
	/* any of its addresses: senders of one VNet and table are alike */
	const struct wh_addr *back = home->n_space ? &home->space[0].addr : &from->addr;
	enum wh_answer answers = v == WH_DENIED ? WH_DENIED
	                                        : by_hub(r, to->vnet, to->table,
	                                                 wh_hub_route(r, to->vnet, to->table, WH_NONE, back), &back_why,
	                                                 mem);
	if (v == WH_DENIED || answers == WH_DENIED) {
		const struct wh_hub_end *lost = v == WH_DENIED ? from : to;
		const struct wh_route_table *own = wh_hub_table(t, lost->vnet, lost->table);
		why = !own ? wh_arena_printf(mem, "the route table %s keeps the virtual hub's routes out",
		                             t->route_tables[lost->table].name)
		           : wh_arena_printf(mem, "%s has no route to VNet %s", own->name,
		                             t->vnets[v == WH_DENIED ? to->vnet : from->vnet].name);
		v = WH_DENIED;
	} else if (answers == WH_UNDECIDED) {
		v = WH_UNDECIDED;
	} else if (v == WH_ALLOWED && x && x->firewall != WH_NONE) {
		v = wh_firewall_pass(r, &(struct wh_leg){from->vnet, from->table, from->vnet, from->addr}, x->firewall,
		                     to->endpoint, &to->addr, path, &why, mem);
	}
	why = why ? why : back_why;
	if (reason && why)
		*reason = why;
	return v;
}
