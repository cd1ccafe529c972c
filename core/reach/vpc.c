/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way in AWS's VPCs whose route tables are known: nothing but these leads out of a VPC.
 *
 *   VPC 10.1.0.0/16; table of subnet web: local, 0.0.0.0/0 to igw-1, 10.2.0.0/16 to pcx-1
 *   web → 10.1.2.4    the VPC's own address: local
 *   web → 10.2.0.4    by the peering, if a route of that end's table leads back; a peering leads to no third network
 *   web ↔ Internet    by the gateway, which translates a public address both ways
 *
 * A connection needs a way for its packets and one for the answers. From the Internet the packets come by the Internet gateway,
 * whatever the subnet's table says, and meet the gateway's own table; the answers follow the subnet's.
 */
#include <string.h>
#include "reach/policy.h"

struct asked {
	const struct wh_reach *r;
	const char **why;
	struct wh_arena *mem;
};

bool wh_vpc_routed(const struct wh_reach *r, size_t subnet)
{
	size_t table = subnet == WH_NONE ? WH_NONE : r->t->subnets[subnet].route_table;
	return table != WH_NONE && r->t->route_tables[table].closed && r->t->subnets[subnet].vnet != WH_NONE;
}

static enum wh_answer not_known(const struct asked *q, const struct wh_route_table *t, const struct wh_route *x)
{
	because(q->mem, q->why, "what %s forwards (route %s of %s)", x->appliance ? x->appliance : "the target", x->name,
	        t->name);
	return WH_UNDECIDED;
}

static enum wh_answer leads_elsewhere(const struct asked *q, const struct wh_route_table *t, const struct wh_route *x,
                                      const struct wh_addr *to)
{
	char buf[WH_ADDR_STRLEN];
	if (x)
		because(q->mem, q->why, "route %s of %s does not lead to %s", x->name, t->name, wh_addr_text(to, buf));
	else
		because(q->mem, q->why, "%s has no route to %s", t->name, wh_addr_text(to, buf));
	return WH_DENIED;
}

/* ---- to an address of a VPC, or of another private network ---- */

/* `to` of the VNet `dest`; WH_NONE: of none in the estate. */
struct there {
	const struct wh_addr *to;
	size_t dest;
};

static enum wh_answer by_peering(const struct asked *q, size_t vnet, const struct wh_route_table *t, const struct wh_route *x,
                                 const struct there *d)
{
	const struct wh_vnet *v = &q->r->t->vnets[vnet];
	for (size_t i = 0; i < v->n_peerings; i++) {
		const struct wh_peering *p = &v->peerings[i];
		if (!x->appliance || strcmp(p->name, x->appliance) != 0)
			continue;
		if (p->connected && p->remote == WH_NONE && d->dest == WH_NONE) {
			because(q->mem, q->why, "the route tables of %s, at the other end of %s", p->remote_id, p->name);
			return WH_UNDECIDED;
		}
		return p->connected && p->remote == d->dest ? WH_ALLOWED : leads_elsewhere(q, t, x, d->to);
	}
	because(q->mem, q->why, "the peering %s (`aws ec2 describe-vpc-peering-connections`)", x->appliance ? x->appliance : "");
	return WH_UNDECIDED;
}

static enum wh_answer leads(const struct asked *q, size_t vnet, size_t table, const struct there *d, bool translated);

static enum wh_answer by_nat(const struct asked *q, size_t vnet, const struct wh_route_table *t, const struct wh_route *x,
                             const struct there *d, bool translated)
{
	if (translated)
		return leads_elsewhere(q, t, x, d->to);
	if (x->via != WH_NONE)
		return leads(q, vnet, x->via, d, true);
	because(q->mem, q->why, "where the NAT gateway %s stands (`aws ec2 describe-nat-gateways`)",
	        x->appliance ? x->appliance : "");
	return WH_UNDECIDED;
}

/* Whether a VNet's table leads to an address. translated: it is a NAT gateway that asks. */
static enum wh_answer leads(const struct asked *q, size_t vnet, size_t table, const struct there *d, bool translated)
{
	const struct wh_topology *topology = q->r->t;
	const struct wh_vnet *v = &topology->vnets[vnet];
	const struct wh_route_table *t = &topology->route_tables[table];
	const struct wh_route *x = wh_route_for(q->r, table, d->to);
	char buf[WH_ADDR_STRLEN];
	int local = wh_longest(v->space, v->n_space, d->to);
	if (local >= 0 && (!x || (int)wh_prefix_family_len(&x->prefix) < local || x->hop == WH_HOP_VNET)) {
		if (d->dest != vnet)
			because(q->mem, q->why, "%s is also an address of %s itself", wh_addr_text(d->to, buf), v->name);
		return d->dest == vnet ? WH_ALLOWED : WH_DENIED;
	}
	if (t->unsure) {
		because(q->mem, q->why, "%s", t->unsure);
		return WH_UNDECIDED;
	}
	if (!x)
		return leads_elsewhere(q, t, NULL, d->to);
	switch (x->hop) {
	case WH_HOP_VNET:
		return d->dest == vnet ? WH_ALLOWED : leads_elsewhere(q, t, x, d->to);
	case WH_HOP_PEERING:
		return by_peering(q, vnet, t, x, d);
	case WH_HOP_NAT:
		return by_nat(q, vnet, t, x, d, translated);
	case WH_HOP_GATEWAY:
		return not_known(q, t, x);
	case WH_HOP_APPLIANCE:
		return x->appliance && !strcmp(x->appliance, wh_addr_text(d->to, buf)) ? WH_ALLOWED : not_known(q, t, x);
	default:
		return leads_elsewhere(q, t, x, d->to);
	}
}

static enum wh_answer both(enum wh_answer a, enum wh_answer b)
{
	return a == WH_DENIED || b == WH_DENIED ? WH_DENIED : a == WH_UNDECIDED || b == WH_UNDECIDED ? WH_UNDECIDED : WH_ALLOWED;
}

enum wh_answer wh_vpc_step(const struct wh_reach *r, size_t vnet, size_t table, const struct wh_addr *to, size_t dest,
                           uint64_t *hop)
{
	const struct wh_route *x = wh_route_for(r, table, to);
	*hop = x ? (uint64_t)x->hop + 1 : 0;
	return leads(&(struct asked){r, NULL, r->mem}, vnet, table, &(struct there){to, dest}, false);
}

/* Two global addresses of IPv6 may talk by way of the Internet. */
static bool by_internet(const struct wh_reach *r, size_t from, const struct wh_addr *to, size_t to_subnet,
                        const struct wh_addr *from_addr)
{
	const struct wh_route *x = wh_route_for(r, r->t->subnets[from].route_table, to),
			      *y = wh_route_for(r, r->t->subnets[to_subnet].route_table, from_addr);
	return !wh_addr_is_v4(to) && x && y && (x->hop == WH_HOP_INTERNET || x->hop == WH_HOP_EGRESS) &&
	       y->hop == WH_HOP_INTERNET && r->t->subnets[from].blocked == WH_BLOCKED_NOT &&
	       r->t->subnets[to_subnet].blocked == WH_BLOCKED_NOT && !wh_addr_is_private(to) && !wh_addr_is_private(from_addr);
}

/* One end's part: by its table, or where it is none of AWS's, by whether it has a gateway. */
static enum wh_answer end(const struct asked *q, size_t subnet, const struct there *d)
{
	size_t vnet = q->r->t->subnets[subnet].vnet;
	if (wh_vpc_routed(q->r, subnet))
		return leads(q, vnet, q->r->t->subnets[subnet].route_table, d, false);
	const struct wh_vnet *v = &q->r->t->vnets[vnet];
	if (v->gateway)
		because(q->mem, q->why, "what the gateway of VNet %s forwards", v->name);
	else
		because(q->mem, q->why, "VNet %s has no gateway", v->name);
	return v->gateway ? WH_UNDECIDED : WH_DENIED;
}

enum wh_answer wh_vpc_way(const struct wh_reach *r, size_t from, size_t to, const char **why, struct wh_arena *mem)
{
	const struct wh_endpoint *a = &r->t->endpoints[from], *b = &r->t->endpoints[to];
	size_t va = r->t->subnets[a->subnet].vnet, vb = r->t->subnets[b->subnet].vnet;
	const char *reason = NULL, *back = NULL;
	struct asked q = {r, why ? &reason : NULL, mem}, p = {r, why ? &back : NULL, mem};
	enum wh_answer v = end(&q, a->subnet, &(struct there){&b->addr, vb}), w = WH_ALLOWED;
	if (va != vb) {
		w = end(&p, b->subnet, &(struct there){&a->addr, va});
		if (wh_vpc_routed(r, a->subnet) && wh_vpc_routed(r, b->subnet) &&
		    by_internet(r, a->subnet, &b->addr, b->subnet, &a->addr))
			v = w = WH_ALLOWED;
	}
	enum wh_answer all = both(v, w);
	if (why && all != WH_ALLOWED)
		*why = v == all ? reason : wh_arena_printf(mem, "%s%s", all == WH_DENIED ? "answers: " : "", back);
	return all;
}

/* An address of a VNet that no endpoint has: the table of its subnet. */
static enum wh_answer back_from(const struct asked *q, size_t dest, const struct wh_addr *peer, size_t own,
                                const struct wh_addr *to)
{
	const struct wh_topology *t = q->r->t;
	for (size_t i = 0; i < t->n_subnets; i++)
		if (t->subnets[i].vnet == dest && wh_longest(t->subnets[i].prefixes, t->subnets[i].n, peer) >= 0)
			return end(q, i, &(struct there){to, own});
	because(q->mem, q->why, "the subnet of that address in %s", t->vnets[dest].name);
	return WH_UNDECIDED;
}

enum wh_answer wh_vpc_private(const struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, size_t dest,
                              enum wh_direction d, const char **why, struct wh_arena *mem)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	const struct wh_subnet *s = &r->t->subnets[e->subnet];
	struct asked q = {r, why, mem};
	/* a NAT gateway leads outward only */
	enum wh_answer v = leads(&q, s->vnet, s->route_table, &(struct there){peer, dest}, d == WH_INBOUND);
	return v == WH_ALLOWED && dest != WH_NONE && dest != s->vnet ? back_from(&q, dest, peer, s->vnet, &e->addr) : v;
}

/* ---- the Internet ---- */

static const struct wh_route *outward(const struct asked *q, size_t table, const struct wh_addr *peer, enum wh_answer *v)
{
	const struct wh_route_table *t = &q->r->t->route_tables[table];
	const struct wh_route *x = wh_route_for(q->r, table, peer);
	*v = WH_DENIED;
	if (t->unsure) {
		because(q->mem, q->why, "%s", t->unsure);
		*v = WH_UNDECIDED;
		return NULL;
	}
	if (!x)
		leads_elsewhere(q, t, NULL, peer);
	else if (x->hop == WH_HOP_APPLIANCE)
		*v = not_known(q, t, x);
	return *v == WH_UNDECIDED ? NULL : x;
}

/* Whether VPC Block Public Access stands in the way of a route to the Internet: then *v is the verdict. */
static bool is_blocked(const struct asked *q, const struct wh_subnet *s, const struct wh_route *x, enum wh_answer *v)
{
	bool nat = x->hop == WH_HOP_NAT;
	const struct wh_subnet *at = nat && x->nat_subnet != WH_NONE ? &q->r->t->subnets[x->nat_subnet] : s;
	*v = WH_DENIED;
	if ((x->hop == WH_HOP_INTERNET && s->blocked != WH_BLOCKED_NOT) ||
	    ((nat || x->hop == WH_HOP_EGRESS) && at->blocked == WH_BLOCKED_BOTH)) {
		because(q->mem, q->why, "VPC Block Public Access of subnet %s stops it at %s", at->name,
		        x->appliance ? x->appliance : "the gateway");
		return true;
	}
	if (!nat || s->blocked != WH_BLOCKED_BOTH)
		return false;
	because(q->mem, q->why, "whether the exclusion of subnet %s from VPC Block Public Access is enough for others", at->name);
	*v = WH_UNDECIDED;
	return true;
}

enum wh_answer wh_vpc_out(const struct wh_reach *r, size_t endpoint, const struct wh_addr *to, const char **why,
                          struct wh_arena *mem)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	const struct wh_subnet *s = &r->t->subnets[e->subnet];
	const struct wh_route_table *t = &r->t->route_tables[s->route_table];
	struct asked q = {r, why, mem};
	enum wh_answer v;
	const struct wh_route *x = outward(&q, s->route_table, to, &v);
	if (!x)
		return v;
	if (x->hop == WH_HOP_GATEWAY)
		return not_known(&q, t, x);
	if (is_blocked(&q, s, x, &v))
		return v;
	if (x->hop == WH_HOP_INTERNET && e->public_ip == WH_NONE) {
		because(mem, why, "it has no public address, and %s (route %s of %s) serves no other",
		        x->appliance ? x->appliance : "the gateway", x->name, t->name);
		return WH_DENIED;
	}
	if (x->hop == WH_HOP_INTERNET || (x->hop == WH_HOP_EGRESS && !wh_addr_is_v4(to)))
		return WH_ALLOWED;
	if (x->hop != WH_HOP_NAT)
		return leads_elsewhere(&q, t, x, to);
	if (x->via == WH_NONE)
		return by_nat(&q, s->vnet, t, x, &(struct there){to, WH_NONE}, false);
	const struct wh_route *y = outward(&q, x->via, to, &v);
	if (!y || y->hop == WH_HOP_INTERNET)
		return y ? WH_ALLOWED : v;
	return y->hop == WH_HOP_GATEWAY ? not_known(&q, &r->t->route_tables[x->via], y)
	                                : leads_elsewhere(&q, &r->t->route_tables[x->via], y, to);
}

/* What comes in by the Internet gateway meets the gateway's own table. */
static enum wh_answer edge(const struct asked *q, const struct wh_endpoint *e)
{
	size_t table = q->r->t->vnets[q->r->t->subnets[e->subnet].vnet].edge;
	const struct wh_route *x = table == WH_NONE ? NULL : wh_route_for(q->r, table, &e->addr);
	char own[WH_ADDR_STRLEN];
	if (!x || x->hop == WH_HOP_VNET)
		return WH_ALLOWED;
	if (x->hop == WH_HOP_APPLIANCE && x->appliance && !strcmp(x->appliance, wh_addr_text(&e->addr, own)))
		return WH_ALLOWED;
	return x->hop == WH_HOP_APPLIANCE ? not_known(q, &q->r->t->route_tables[table], x)
	                                  : leads_elsewhere(q, &q->r->t->route_tables[table], x, &e->addr);
}

enum wh_answer wh_vpc_edge(const struct wh_reach *r, const struct wh_endpoint *e)
{
	return edge(&(struct asked){r, NULL, r->mem}, e);
}

enum wh_answer wh_vpc_in(const struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, const char **why,
                         struct wh_arena *mem)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	size_t table = r->t->subnets[e->subnet].route_table;
	const char *reason = NULL;
	struct asked q = {r, why ? &reason : NULL, mem};
	enum wh_answer v, before = edge(&q, e);
	if (before != WH_DENIED) {
		struct asked p = {r, before == WH_ALLOWED ? q.why : NULL, mem};
		const struct wh_route *x = outward(&p, table, peer, &v);
		if (x && x->hop == WH_HOP_INTERNET)
			v = WH_ALLOWED;
		else if (x)
			v = WH_DENIED;
		if (v == WH_DENIED)
			because(mem, q.why, "%s leads its answers to no Internet gateway%s%s", r->t->route_tables[table].name,
			        x ? ": route " : "", x ? x->name : "");
		before = both(before, v);
	}
	if (why && before != WH_ALLOWED)
		*why = reason;
	return before;
}
