/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a packet gets from one network to another, before any rule is evaluated: by the system's routes (one VNet, or peered
 * ones), by the longest matching route of the sender's table, and from the Internet to a host.
 */
#include <string.h>
#include "reach/policy.h"

static bool peers(const struct wh_vnet *v, size_t other)
{
	for (size_t i = 0; i < v->n_peerings; i++)
		if (v->peerings[i].remote == other && v->peerings[i].connected)
			return true;
	return false;
}

void wh_reach_links(struct wh_reach *r)
{
	size_t n = r->t->n_vnets;
	r->linked = wh_arena_array(r->mem, n * n + 1, sizeof *r->linked);
	for (size_t a = 0; a < n; a++) {
		r->linked[a * n + a] = true;
		for (size_t i = 0; i < r->t->vnets[a].n_peerings; i++) {
			size_t b = r->t->vnets[a].peerings[i].remote;
			if (b != WH_NONE && r->t->vnets[a].peerings[i].connected && peers(&r->t->vnets[b], a))
				r->linked[a * n + b] = true;
		}
	}
}

/* The longest prefix of a VNet that contains the address, in bits of its family; -1: none. */
int wh_longest(const struct wh_prefix *p, size_t n, const struct wh_addr *a)
{
	int best = -1;
	for (size_t i = 0; i < n; i++)
		if (wh_prefix_has(&p[i], a) && (int)wh_prefix_family_len(&p[i]) > best)
			best = (int)wh_prefix_family_len(&p[i]);
	return best;
}

const struct wh_route *wh_route_for(const struct wh_reach *r, size_t table, const struct wh_addr *a)
{
	const struct wh_route *best = NULL;
	for (size_t i = 0; table != WH_NONE && i < r->t->route_tables[table].n; i++) {
		const struct wh_route *x = &r->t->route_tables[table].routes[i];
		if (wh_prefix_is_v4(&x->prefix) == wh_addr_is_v4(a) && wh_prefix_has(&x->prefix, a) &&
		    (!best || x->prefix.len > best->prefix.len))
			best = x;
	}
	return best;
}

/* The route's decision on the packet; ALLOWED: it follows the system's routes. */
static enum wh_answer by_route(const struct wh_reach *r, const struct wh_route *x, size_t table, const struct wh_addr *to,
                               const char **why, struct wh_arena *mem)
{
	char buf[WH_ADDR_STRLEN];
	const char *name = r->t->route_tables[table].name;
	if (x->hop == WH_HOP_NONE) {
		because(mem, why, "route %s of %s leads to None", x->name, name);
		return WH_DENIED;
	}
	if (x->hop == WH_HOP_APPLIANCE && x->appliance && !strcmp(x->appliance, wh_addr_text(to, buf)))
		return WH_ALLOWED;
	if (x->hop == WH_HOP_APPLIANCE) {
		because(mem, why, "what the appliance %s forwards (route %s)", x->appliance ? x->appliance : "without an address",
		        x->name);
		return WH_UNDECIDED;
	}
	if (x->hop == WH_HOP_GATEWAY) {
		because(mem, why, "what the gateway forwards (route %s of %s)", x->name, name);
		return WH_UNDECIDED;
	}
	return WH_ALLOWED;
}

/* Networks of AWS may be connected to others by what the inventory does not have. */
bool wh_may_be_linked(const struct wh_topology *t, size_t a, size_t b)
{
	const struct wh_vnet *x = &t->vnets[a], *y = &t->vnets[b];
	return (x->aws || x->gateway) && (y->aws || y->gateway) && (x->aws || y->aws);
}

static enum wh_answer no_way(const struct wh_topology *t, size_t va, size_t vb, const char **why, struct wh_arena *mem)
{
	because(mem, why, "there is no way from VNet %s to VNet %s: no peering that is connected at both ends, and no route",
	        t->vnets[va].name, t->vnets[vb].name);
	return WH_DENIED;
}

/* The route of the subnet's own table; NULL if the virtual hub has a longer one. */
static const struct wh_route *before_hub(const struct wh_reach *r, const struct wh_route *x, size_t vnet, size_t table,
                                         size_t endpoint, const struct wh_addr *to)
{
	const struct wh_route *y = wh_hub_route(r, vnet, table, endpoint, to);
	return y && x && y->prefix.len > x->prefix.len ? NULL : x;
}

/* Where the route leads, which is at least as long as the system's. ALLOWED with *follows: on by the system's routes. */
static enum wh_answer by_own_route(const struct wh_reach *r, const struct wh_leg *from, const struct wh_route *x, size_t to,
                                   const struct wh_addr *to_addr, struct wh_path *path, const char **why, struct wh_arena *mem)
{
	size_t firewall = wh_firewall_of(r, from->vnet, from->table, x);
	char buf[WH_ADDR_STRLEN];
	if (firewall != WH_NONE && strcmp(x->appliance, wh_addr_text(to_addr, buf)) != 0)
		return wh_firewall_pass(r, from, firewall, to, to_addr, path, why, mem);
	enum wh_answer v = by_route(r, x, from->table, to_addr, why, mem);
	if (v == WH_ALLOWED && x->hop == WH_HOP_INTERNET && to != WH_NONE) {
		because(mem, why, "route %s of %s leads to the Internet", x->name, r->t->route_tables[from->table].name);
		return WH_DENIED;
	}
	return v;
}

/* To an address of no endpoint, by the hub's route. */
static enum wh_answer by_hub_route(const struct wh_reach *r, const struct wh_leg *from, const struct wh_addr *to_addr,
                                   struct wh_path *path, const char **why, struct wh_arena *mem)
{
	const struct wh_route *hub = wh_hub_route(r, from->vnet, from->table, WH_NONE, to_addr);
	if (!hub || hub->hop != WH_HOP_APPLIANCE)
		return WH_ALLOWED;
	if (hub->firewall != WH_NONE)
		return wh_firewall_pass(r, from, hub->firewall, WH_NONE, to_addr, path, why, mem);
	because(mem, why, "what %s forwards (route %s of %s)", hub->appliance, hub->name,
	        wh_hub_table(r->t, from->vnet, from->table)->name);
	return WH_UNDECIDED;
}

/* Between two VNets, where no route of the sender's own decides. */
static enum wh_answer by_system(const struct wh_reach *r, const struct wh_leg *from, const struct wh_route *own, size_t to,
                                const struct wh_addr *to_addr, struct wh_path *path, const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	const struct wh_subnet *s = &t->subnets[t->endpoints[to].subnet];
	if (r->linked[from->vnet * t->n_vnets + s->vnet])
		return WH_ALLOWED;
	if (wh_hub_both(t, from->vnet, s->vnet))
		return own ? no_way(t, from->vnet, s->vnet, why, mem)
		           : wh_hub_way(r, &(struct wh_hub_end){from->vnet, from->table, WH_NONE, from->addr},
		                        &(struct wh_hub_end){s->vnet, s->route_table, to, *to_addr}, path, why, mem);
	if (wh_may_be_linked(t, from->vnet, s->vnet)) {
		because(mem, why, "whether %s and %s are connected (`aws ec2 describe-route-tables`)", t->vnets[from->vnet].name,
		        t->vnets[s->vnet].name);
		return WH_UNDECIDED;
	}
	return no_way(t, from->vnet, s->vnet, why, mem);
}

enum wh_answer wh_reach_leg(const struct wh_reach *r, const struct wh_leg *from, size_t to, const struct wh_addr *to_addr,
                            struct wh_path *path, const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	size_t vb = to == WH_NONE ? WH_NONE : t->subnets[t->endpoints[to].subnet].vnet;
	bool linked = vb != WH_NONE && r->linked[from->vnet * t->n_vnets + vb];
	const struct wh_route *x = wh_route_for(r, from->table, to_addr);
	int system = linked ? wh_longest(t->vnets[vb].space, t->vnets[vb].n_space, to_addr) : -1;
	x = linked ? x : before_hub(r, x, from->vnet, from->table, to, to_addr);
	if (x && (int)wh_prefix_family_len(&x->prefix) >= system) {
		enum wh_answer v = by_own_route(r, from, x, to, to_addr, path, why, mem);
		if (v != WH_ALLOWED || path->n)
			return v;
	}
	if (to == WH_NONE)
		return x ? WH_ALLOWED : by_hub_route(r, from, to_addr, path, why, mem);
	return by_system(r, from, x, to, to_addr, path, why, mem);
}

static enum wh_answer way_of(const struct wh_reach *r, size_t from, size_t to, const struct wh_addr *to_addr,
                             struct wh_path *path, const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	const struct wh_endpoint *a = &t->endpoints[from], *b = to == WH_NONE ? NULL : &t->endpoints[to];
	if (a->subnet == WH_NONE || (b && b->subnet == WH_NONE)) {
		because(mem, why, "the subnet of %s", t->hosts[a->subnet == WH_NONE ? a->host : b->host].name);
		return WH_UNDECIDED;
	}
	size_t va = t->subnets[a->subnet].vnet, vb = b ? t->subnets[b->subnet].vnet : WH_NONE;
	if (va == WH_NONE || (b && vb == WH_NONE)) {
		because(mem, why, "the VNet of the subnet %s", t->subnets[va == WH_NONE ? a->subnet : b->subnet].name);
		return WH_UNDECIDED;
	}
	if (b && (wh_vpc_routed(r, a->subnet) || wh_vpc_routed(r, b->subnet)))
		return wh_vpc_way(r, from, to, why, mem);
	return wh_reach_leg(r, &(struct wh_leg){va, t->subnets[a->subnet].route_table, va, a->addr}, to, to_addr, path, why, mem);
}

enum wh_answer wh_reach_way(const struct wh_reach *r, size_t from, size_t to, const struct wh_addr *to_addr, struct wh_path *path,
                            const char **why, struct wh_arena *mem)
{
	struct wh_path none;
	path = path ? path : &none;
	*path = (struct wh_path){.n = 0};
	path->v = (uint16_t)way_of(r, from, to, to_addr, path, why, mem);
	return (enum wh_answer)path->v;
}

const struct wh_path *wh_reach_back(const struct wh_reach *r, size_t from, const struct wh_path *path)
{
	static const struct wh_path directly = {.v = WH_ALLOWED};
	return r->t->hosts[r->t->endpoints[from].host].kind == WH_HOST_PRIVATE_ENDPOINT ? &directly : path;
}

enum wh_answer wh_reach_ways(const struct wh_reach *r, size_t from, size_t to, struct wh_path *path, const char **why,
                             struct wh_arena *mem)
{
	struct wh_path none, back;
	path = path ? path : &none;
	enum wh_answer v = wh_reach_way(r, from, to, &r->t->endpoints[to].addr, path, why, mem);
	if (v != WH_ALLOWED || !r->t->n_firewalls)
		return v;
	wh_reach_way(r, to, from, &r->t->endpoints[from].addr, &back, NULL, mem);
	return wh_firewall_answers(r, path, wh_reach_back(r, to, &back), why, mem);
}

/* The virtual hub's route by which an endpoint's answers go through a firewall. NULL: none. */
static const struct wh_route *firewall_of_hub(const struct wh_reach *r, size_t subnet, size_t table, const struct wh_addr *peer)
{
	size_t vnet = subnet == WH_NONE ? WH_NONE : r->t->subnets[subnet].vnet;
	const struct wh_route *x = vnet == WH_NONE ? NULL : wh_hub_route(r, vnet, table, WH_NONE, peer);
	return x && x->hop == WH_HOP_APPLIANCE ? x : NULL;
}

static const char *owner_of(const struct wh_topology *t, size_t subnet, const struct wh_route *x)
{
	size_t table = t->subnets[subnet].route_table;
	const struct wh_route_table *own = table == WH_NONE ? NULL : &t->route_tables[table];
	return own && x >= own->routes && x < own->routes + own->n ? own->name
	                                                           : wh_hub_table(t, t->subnets[subnet].vnet, table)->name;
}

const struct wh_route *wh_reach_answers_lost(const struct wh_reach *r, size_t endpoint, const struct wh_addr *peer)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	size_t table = e->subnet == WH_NONE ? WH_NONE : r->t->subnets[e->subnet].route_table;
	const struct wh_route *x = wh_route_for(r, table, peer);
	char own[WH_ADDR_STRLEN];
	const struct wh_route *hub = firewall_of_hub(r, e->subnet, table, peer);
	if (hub && (!x || hub->prefix.len > x->prefix.len))
		return hub;
	bool lost = x &&
	            (x->hop == WH_HOP_NONE || x->hop == WH_HOP_GATEWAY ||
	             (x->hop == WH_HOP_APPLIANCE && (!x->appliance || strcmp(x->appliance, wh_addr_text(&e->addr, own)) != 0)));
	return lost ? x : NULL;
}

/* Whether its own address, or a balancer, leads from a peer on the Internet to a port; *closed: it does, but Standard ones are
 * closed. */
static enum wh_answer leads_there(const struct wh_reach *r, const struct wh_endpoint *e, bool guarded, bool own,
                                  const struct wh_addr *peer, uint8_t proto, uint16_t dport, bool *closed)
{
	enum wh_answer answer = WH_DENIED;
	bool sure;
	*closed = false;
	if (own && e->public_ip != WH_NONE) {
		if (guarded || (e->public_ip != WH_MISSING && !r->t->public_ips[e->public_ip].standard))
			return WH_ALLOWED;
		*closed = true;
	}
	for (size_t i = 0; i < e->n_exposures && answer != WH_ALLOWED; i++) {
		const struct wh_exposure *x = &e->exposures[i];
		if (x->translated || x->floats || (x->proto && x->proto != proto) || dport < x->ports.from ||
		    dport > x->ports.to || !wh_reach_serves(x, peer, &sure))
			continue;
		*closed |= !guarded && x->standard;
		if (guarded || !x->standard)
			answer = sure ? WH_ALLOWED : WH_UNDECIDED;
	}
	return answer;
}

/* The route that takes an endpoint's answers to the Internet another way: a sentence. */
static void lose(const struct wh_topology *t, size_t subnet, const struct wh_route *lost, const char **why, struct wh_arena *mem)
{
	because(mem, why, "route %s of %s takes its answers another way: nobody on the Internet gets them", lost->name,
	        owner_of(t, subnet, lost));
}

enum wh_answer wh_reach_floating_way(const struct wh_reach *r, size_t endpoint, const struct wh_exposure *x,
                                     const struct wh_addr *peer, const char **why, struct wh_arena *mem)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	bool guarded = r->context_of[endpoint] && r->sides[r->side_of[WH_INBOUND][endpoint]]->guarded;
	const struct wh_route *lost = wh_vpc_routed(r, e->subnet) ? NULL : wh_reach_answers_lost(r, endpoint, peer);
	if (lost)
		lose(r->t, e->subnet, lost, why, mem);
	else if (x->standard && !guarded)
		because(mem, why, "a Standard public address without a network security group is closed");
	else
		return WH_ALLOWED;
	return WH_DENIED;
}

enum wh_answer wh_reach_exposed(const struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, uint8_t proto,
                                uint16_t dport, const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	const struct wh_endpoint *e = &t->endpoints[endpoint];
	bool guarded = r->context_of[endpoint] && r->sides[r->side_of[WH_INBOUND][endpoint]]->guarded, closed;
	if (e->subnet == WH_NONE) {
		because(mem, why, "the subnet of %s", t->hosts[e->host].name);
		return WH_UNDECIDED;
	}
	bool vpc = wh_vpc_routed(r, e->subnet);
	enum wh_answer way = vpc && e->public_ip != WH_NONE ? wh_vpc_in(r, endpoint, peer, why, mem) : WH_DENIED;
	if (way == WH_ALLOWED)
		return way;
	enum wh_answer leads = leads_there(r, e, guarded, !vpc, peer, proto, dport, &closed);
	const struct wh_route *lost = !vpc && (leads != WH_DENIED || closed) ? wh_reach_answers_lost(r, endpoint, peer) : NULL;
	if (lost) {
		lose(t, e->subnet, lost, why, mem);
		return WH_DENIED;
	}
	if (leads == WH_ALLOWED)
		return WH_ALLOWED;
	if (leads == WH_UNDECIDED) {
		because(mem, why, "%s", WH_REACH_CLIENTS);
		return WH_UNDECIDED;
	}
	if (vpc && e->public_ip != WH_NONE)
		return way;
	if (e->public_ip == WH_MISSING) {
		because(mem, why, "the public address of its interface (`az network public-ip list`)");
		return WH_UNDECIDED;
	}
	because(mem, why, "%s",
	        closed ? "a Standard public address without a network security group is closed"
	               : "no public address and no load balancer leads to it from the Internet at this port");
	return WH_DENIED;
}
