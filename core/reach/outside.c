/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The traffic between an endpoint and addresses that no endpoint has: of the Internet, or on premises. */
#include <stdlib.h>
#include "reach/policy.h"

/* The traffic that the lists in front of an endpoint let through from or to an address; `local` is the endpoint's, or that of a
 * frontend which packets keep. */
static uint32_t lists_at(struct wh_reach *r, size_t endpoint, const struct wh_addr *local, const struct wh_addr *peer,
                         enum wh_direction d)
{
	if (!r->context_of[endpoint])
		return WH_CELL_ALL;
	struct side *s = r->sides[r->side_of[d][endpoint]];
	uint32_t row = wh_side_place(r, s, local, true), column = wh_side_place(r, s, peer, false);
	return wh_side_cell_at(r, s, row, column);
}

static uint32_t lists_with(struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, enum wh_direction d)
{
	return lists_at(r, endpoint, &r->t->endpoints[endpoint].addr, peer, d);
}

bool wh_reach_serves(const struct wh_exposure *x, const struct wh_addr *client, bool *sure)
{
	bool named = x->everybody;
	for (size_t i = 0; i < x->n_sources && !named; i++)
		named = wh_prefix_has(&x->sources[i], client);
	*sure = named;
	return named || x->others;
}

/* What comes to an endpoint by a firewall's translation from a client on the Internet. */
static uint32_t by_translation(struct wh_reach *r, size_t endpoint, const struct wh_exposure *x, const struct wh_addr *client)
{
	bool sure;
	const char *why = NULL;
	if (!wh_reach_serves(x, client, &sure))
		return WH_CELL_NONE;
	enum wh_answer v = wh_reach_way_outside(r, endpoint,
	                                        &(struct wh_outer){&x->peer, WH_INBOUND, x->proto, x->ports.from}, NULL, &why,
	                                        r->scratch);
	uint32_t cell = v == WH_DENIED ? WH_CELL_NONE : lists_with(r, endpoint, &x->peer, WH_INBOUND);
	if (cell)
		cell = wh_cell_within(r->numbering, cell, x, 1, r->scratch);
	if (cell && (v == WH_UNDECIDED || !sure))
		cell = wh_cell_unsure(r->numbering, cell, sure ? why : WH_REACH_CLIENTS, r->scratch);
	return cell;
}

/* What comes by balancers that leave the client's address as it is. */
static uint32_t by_balancers(struct wh_reach *r, const struct wh_endpoint *e, bool guarded, const struct wh_addr *client,
                             uint32_t cell)
{
	struct wh_exposure *x[2]; /* those that may serve the client, those that do */
	size_t n[2] = {0};
	uint32_t out = WH_CELL_NONE;
	for (int sure = 0; sure < 2; sure++)
		x[sure] = wh_arena_array(r->scratch, e->n_exposures + 1, sizeof *x[sure]);
	for (size_t i = 0; i < e->n_exposures; i++) {
		bool sure;
		if (!e->exposures[i].translated && !e->exposures[i].floats && (guarded || !e->exposures[i].standard) &&
		    wh_reach_serves(&e->exposures[i], client, &sure))
			x[sure][n[sure]++] = e->exposures[i];
	}
	if (n[1])
		out = wh_cell_within(r->numbering, cell, x[1], n[1], r->scratch);
	if (n[0])
		out = wh_reach_union(r, out,
		                     wh_cell_unsure(r->numbering, wh_cell_within(r->numbering, cell, x[0], n[0], r->scratch),
		                                    WH_REACH_CLIENTS, r->scratch));
	return out;
}

/* What comes to an endpoint by a balancer with floating IP. */
static uint32_t by_floating(struct wh_reach *r, size_t endpoint, const struct wh_exposure *x, const struct wh_addr *client)
{
	bool sure;
	if (!wh_reach_serves(x, client, &sure) || wh_reach_floating_way(r, endpoint, x, client, NULL, r->scratch) == WH_DENIED)
		return WH_CELL_NONE;
	uint32_t cell = lists_at(r, endpoint, &x->front, client, WH_INBOUND);
	if (cell)
		cell = wh_cell_within(r->numbering, cell, x, 1, r->scratch);
	return cell && !sure ? wh_cell_unsure(r->numbering, cell, WH_REACH_CLIENTS, r->scratch) : cell;
}

/* What comes by the VPC's own Internet gateway. */
static uint32_t by_own_gateway(struct wh_reach *r, size_t endpoint, const struct wh_addr *client, uint32_t cell)
{
	const char *why = NULL;
	enum wh_answer v = wh_vpc_in(r, endpoint, client, &why, r->scratch);
	return v == WH_DENIED    ? WH_CELL_NONE
	       : v == WH_ALLOWED ? cell
	                         : wh_cell_unsure(r->numbering, cell, why, r->scratch);
}

/* From the Internet: at the endpoint's public address, by balancers, and by translations. `cell`: what its lists let through. */
static uint32_t from_internet(struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, uint32_t cell)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	const char *why = NULL;
	bool guarded = r->context_of[endpoint] && r->sides[r->side_of[WH_INBOUND][endpoint]]->guarded,
	     missing = e->public_ip == WH_MISSING && !guarded,
	     open = e->public_ip != WH_NONE && !missing && (guarded || !r->t->public_ips[e->public_ip].standard);
	bool vpc = wh_vpc_routed(r, e->subnet);
	if (!vpc && wh_reach_answers_lost(r, endpoint, peer))
		cell = WH_CELL_NONE;
	uint32_t all = cell;
	if (!open)
		cell = by_balancers(r, e, guarded, peer, cell);
	else if (vpc && cell)
		cell = wh_reach_union(r, by_own_gateway(r, endpoint, peer, cell), by_balancers(r, e, guarded, peer, cell));
	if (missing && all && wh_reach_exposed(r, endpoint, peer, WH_PROTO_ANY, 0, &why, r->scratch) == WH_UNDECIDED)
		cell = wh_reach_union(r, cell, wh_cell_unsure(r->numbering, all, why, r->scratch));
	for (size_t i = 0; i < e->n_exposures; i++)
		if (e->exposures[i].translated)
			cell = wh_reach_union(r, cell, by_translation(r, endpoint, &e->exposures[i], peer));
		else if (e->exposures[i].floats)
			cell = wh_reach_union(r, cell, by_floating(r, endpoint, &e->exposures[i], peer));
	return cell;
}

uint32_t wh_reach_outside(struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, enum wh_direction d)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	const char *why = NULL;
	wh_reach_place(r, endpoint);
	bool exposed = d == WH_INBOUND && e->subnet != WH_NONE && wh_reach_is_internet(r, peer);
	if (wh_addr_is_v4(&e->addr) != wh_addr_is_v4(peer) ||
	    (d == WH_OUTBOUND && r->t->hosts[e->host].kind == WH_HOST_PRIVATE_ENDPOINT))
		return WH_CELL_NONE;
	struct wh_path path = {.n = 0};
	const struct wh_outer x = {peer, d, WH_PROTO_TCP, 0};
	enum wh_answer v = exposed ? WH_ALLOWED : wh_reach_way_outside(r, endpoint, &x, &path, NULL, r->scratch);
	if (v == WH_DENIED)
		return WH_CELL_NONE;
	uint32_t cell = lists_with(r, endpoint, peer, d);
	if (exposed)
		cell = from_internet(r, endpoint, peer, cell);
	cell = wh_nat_cell(r, path.nat ? path.nat - 1 : WH_NONE, &e->addr, peer, cell);
	cell = wh_firewall_cell(r, &path, d == WH_OUTBOUND ? &e->addr : peer, d == WH_OUTBOUND ? peer : &e->addr, cell);
	if (v == WH_UNDECIDED && cell) {
		wh_reach_way_outside(r, endpoint, &x, NULL, &why, r->scratch);
		cell = wh_cell_unsure(r->numbering, cell, why, r->scratch);
	}
	return cell;
}

struct cuts { struct wh_addr *a; size_t n, room; struct wh_arena *mem; };

static void add_cuts(struct cuts *c, struct wh_ranges set)
{
	for (size_t i = 0; i < set.n; i++) {
		struct wh_addr after = set.r[i].to;
		c->a = wh_arena_grown(c->mem, c->a, c->n, &c->room, sizeof *c->a);
		c->a[c->n++] = set.r[i].from;
		wh_addr_next(&after);
		c->a = wh_arena_grown(c->mem, c->a, c->n, &c->room, sizeof *c->a);
		c->a[c->n++] = after;
	}
}

static struct wh_addr before(struct wh_addr a)
{
	wh_addr_previous(&a);
	return a;
}

static void add_stage_cuts(const struct address_classes *classes, struct cuts *c)
{
	for (size_t k = 0; k < classes->n_cuts; k++)
		add_cuts(c, (struct wh_ranges){&(struct wh_range){classes->cuts[k], classes->cuts[k]}, 1});
}

/* Where the ACLs of NAT gateways do, to which a table leads. */
static void add_nat_cuts(struct wh_reach *r, size_t table, struct cuts *c)
{
	const struct wh_route_table *t = table == WH_NONE ? NULL : &r->t->route_tables[table];
	for (size_t i = 0; t && i < t->n; i++) {
		size_t at = t->routes[i].hop == WH_HOP_NAT ? t->routes[i].nat_subnet : WH_NONE;
		if (at != WH_NONE && wh_known(r->t->subnets[at].nsg))
			add_stage_cuts(&wh_nat_side(r, at, WH_OUTBOUND)->stage.peer, c);
	}
}

/* Where firewalls that packets may pass treat addresses differently. */
static void add_firewall_cuts(struct wh_reach *r, enum wh_direction d, struct cuts *c)
{
	const struct wh_topology *t = r->t;
	for (size_t f = 0; f < t->n_firewalls; f++) {
		const struct stage *s = &wh_firewall_side(r, f)->stage;
		const struct address_classes *classes = d == WH_OUTBOUND ? &s->peer : &s->local;
		size_t table = t->firewalls[f].subnet == WH_NONE ? WH_NONE : t->subnets[t->firewalls[f].subnet].route_table;
		add_stage_cuts(classes, c);
		for (size_t k = 0; table != WH_NONE && k < t->route_tables[table].n; k++)
			add_cuts(c, wh_ranges_from_prefixes(&t->route_tables[table].routes[k].prefix, 1, c->mem));
		add_cuts(c, wh_ranges_from_prefixes(t->firewalls[f].kept, t->firewalls[f].n_kept, c->mem));
	}
}

/* Where the treatment of outside addresses by an endpoint may change, sorted. */
static struct cuts cuts_of(struct wh_reach *r, size_t endpoint, enum wh_direction d, struct wh_arena *mem)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	struct cuts c = {.mem = mem};
	for (size_t i = 0; r->context_of[endpoint] && i < r->sides[r->side_of[d][endpoint]]->n; i++) {
		const struct stage *s = wh_stage(r, r->sides[r->side_of[d][endpoint]]->stage[i]);
		for (size_t k = 0; k < s->peer.n_cuts; k++)
			add_cuts(&c, (struct wh_ranges){&(struct wh_range){s->peer.cuts[k], s->peer.cuts[k]}, 1});
	}
	size_t table = e->subnet == WH_NONE ? WH_NONE : r->t->subnets[e->subnet].route_table;
	for (size_t i = 0; table != WH_NONE && i < r->t->route_tables[table].n; i++)
		add_cuts(&c, wh_ranges_from_prefixes(&r->t->route_tables[table].routes[i].prefix, 1, mem));
	for (size_t i = 0; table != WH_NONE && i < r->t->route_tables[table].n; i++) {
		size_t via = r->t->route_tables[table].routes[i].via;
		for (size_t k = 0; via != WH_NONE && k < r->t->route_tables[via].n; k++)
			add_cuts(&c, wh_ranges_from_prefixes(&r->t->route_tables[via].routes[k].prefix, 1, mem));
	}
	const struct wh_route_table *hub =
		e->subnet == WH_NONE ? NULL : wh_hub_table(r->t, r->t->subnets[e->subnet].vnet, table);
	for (size_t i = 0; hub && i < hub->n; i++)
		add_cuts(&c, wh_ranges_from_prefixes(&hub->routes[i].prefix, 1, mem));
	for (size_t i = 0; i < r->t->n_vnets; i++)
		add_cuts(&c, wh_ranges_from_prefixes(r->t->vnets[i].space, r->t->vnets[i].n_space, mem));
	for (size_t i = 0; i < e->n_exposures; i++)
		add_cuts(&c, wh_ranges_from_prefixes(e->exposures[i].sources, e->exposures[i].n_sources, mem));
	add_cuts(&c, wh_ranges_from_prefixes(r->t->on_premises, r->t->n_on_premises, mem));
	add_cuts(&c, wh_reach_outside_ranges(r));
	add_firewall_cuts(r, d, &c);
	if (d == WH_OUTBOUND)
		add_nat_cuts(r, table, &c);
	if (c.n)
		qsort(c.a, c.n, sizeof *c.a, wh_addr_order);
	return c;
}

size_t wh_reach_cut(struct wh_reach *r, size_t endpoint, enum wh_direction d, struct wh_ranges base,
                    struct wh_reach_outside **out)
{
	struct wh_arena *mem = wh_arena_new();
	wh_reach_place(r, endpoint);
	struct wh_ranges family = wh_ranges_family(wh_addr_is_v4(&r->t->endpoints[endpoint].addr), mem);
	struct cuts c = cuts_of(r, endpoint, d, mem);
	size_t n = 0, room = 0;
	family = wh_ranges_intersect(base, family, mem);
	*out = NULL;
	for (size_t i = 0, k = 0; i < family.n; i++)
		for (struct wh_addr at = family.r[i].from;;) {
			while (k < c.n && wh_addr_cmp(&c.a[k], &at) <= 0)
				k++;
			bool last = k == c.n || wh_addr_cmp(&c.a[k], &family.r[i].to) > 0;
			struct wh_range piece = {at, last ? family.r[i].to : before(c.a[k])};
			uint32_t v = wh_reach_outside(r, endpoint, &at, d);
			size_t j = 0;
			while (j < n && (*out)[j].verdict != v)
				j++;
			if (j == n) {
				*out = wh_arena_grown(r->mem, *out, n, &room, sizeof **out);
				(*out)[n++] = (struct wh_reach_outside){{0}, v};
			}
			(*out)[j].peers = wh_ranges_union((*out)[j].peers, (struct wh_ranges){&piece, 1}, r->mem);
			if (last)
				break;
			at = c.a[k];
		}
	wh_arena_free(mem);
	return n;
}
