/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a packet gets from one network to another, before any rule is evaluated: by the system's routes (one VNet, or peered
 * ones), by the longest matching route of the sender's table, and between the Internet and a host.
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
static bool may_be_linked(const struct wh_topology *t, size_t a, size_t b)
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

enum wh_answer wh_reach_way(const struct wh_reach *r, size_t from, size_t to, const struct wh_addr *to_addr, const char **why,
                            struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	const struct wh_endpoint *a = &t->endpoints[from], *b = to == WH_NONE ? NULL : &t->endpoints[to];
	if (a->subnet == WH_NONE || (b && b->subnet == WH_NONE)) {
		because(mem, why, "the subnet of %s", t->hosts[a->subnet == WH_NONE ? a->host : b->host].name);
		return WH_UNDECIDED;
	}
	size_t va = t->subnets[a->subnet].vnet, vb = b ? t->subnets[b->subnet].vnet : WH_NONE,
	       table = t->subnets[a->subnet].route_table;
	if (va == WH_NONE || (b && vb == WH_NONE)) {
		because(mem, why, "the VNet of the subnet %s", t->subnets[va == WH_NONE ? a->subnet : b->subnet].name);
		return WH_UNDECIDED;
	}
	bool linked = b && r->linked[va * t->n_vnets + vb];
	if (b && (wh_vpc_routed(r, a->subnet) || wh_vpc_routed(r, b->subnet)))
		return wh_vpc_way(r, from, to, why, mem);
	const struct wh_route *x = wh_route_for(r, table, to_addr);
	int system = linked ? wh_longest(t->vnets[vb].space, t->vnets[vb].n_space, to_addr) : -1;
	x = linked ? x : before_hub(r, x, va, table, to, to_addr);
	if (x && (int)wh_prefix_family_len(&x->prefix) >= system) {
		enum wh_answer v = by_route(r, x, table, to_addr, why, mem);
		if (v != WH_ALLOWED)
			return v;
		if (x->hop == WH_HOP_INTERNET && b) {
			because(mem, why, "route %s of %s leads to the Internet", x->name, t->route_tables[table].name);
			return WH_DENIED;
		}
	}
	const struct wh_route *hub = b || x ? NULL : wh_hub_route(r, va, table, WH_NONE, to_addr);
	if (hub && hub->hop == WH_HOP_APPLIANCE) {
		because(mem, why, "what %s forwards (route %s of %s)", hub->appliance, hub->name,
		        wh_hub_table(t, va, table)->name);
		return WH_UNDECIDED;
	}
	if (b && !linked && wh_hub_both(t, va, vb))
		return x ? no_way(t, va, vb, why, mem)
		         : wh_hub_way(r, &(struct wh_hub_end){va, table, from, a->addr},
		                      &(struct wh_hub_end){vb, t->subnets[b->subnet].route_table, to, *to_addr}, why, mem);
	if (b && !linked && may_be_linked(t, va, vb)) {
		because(mem, why, "whether %s and %s are connected (`aws ec2 describe-route-tables`)",
		        t->vnets[va].name, t->vnets[vb].name);
		return WH_UNDECIDED;
	}
	return b && !linked ? no_way(t, va, vb, why, mem) : WH_ALLOWED;
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

enum wh_answer wh_reach_way_out(const struct wh_reach *r, size_t endpoint, const struct wh_addr *to, const char **why,
                                struct wh_arena *mem)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	enum wh_answer v = wh_reach_way(r, endpoint, WH_NONE, to, why, mem);
	if (v != WH_ALLOWED)
		return v;
	size_t vnet = r->t->subnets[e->subnet].vnet;
	bool aws = vnet != WH_NONE && r->t->vnets[vnet].aws;
	if (e->public_ip != WH_NONE || e->in_pool || (r->t->subnets[e->subnet].way_out && !aws))
		return WH_ALLOWED;
	if (aws) {
		because(mem, why, "whether subnet %s has a way out, such as a NAT gateway (`aws ec2 describe-route-tables`)",
		        r->t->subnets[e->subnet].name);
		return WH_UNDECIDED;
	}
	because(mem, why, "subnet %s has no default way out, and there is no public address, NAT gateway or load balancer",
	        r->t->subnets[e->subnet].name);
	return WH_DENIED;
}

static size_t vnet_with(const struct wh_topology *t, const struct wh_addr *a)
{
	for (size_t i = 0; i < t->n_vnets; i++)
		if (wh_longest(t->vnets[i].space, t->vnets[i].n_space, a) >= 0)
			return i;
	return WH_NONE;
}

/* Peers that are not in the inventory, by the ranges of the peering. */
static bool of_peer(const struct wh_vnet *v, const struct wh_addr *a)
{
	for (size_t i = 0; i < v->n_peerings; i++)
		if (v->peerings[i].connected && v->peerings[i].remote == WH_NONE &&
		    wh_longest(v->peerings[i].space, v->peerings[i].n, a) >= 0)
			return true;
	return false;
}

static enum wh_answer on_premises(const struct wh_topology *t, size_t own, const struct wh_addr *peer, const char **why,
                                  struct wh_arena *mem)
{
	if (!t->vnets[own].gateway) {
		because(mem, why, "VNet %s has no gateway, and no VNet of the estate has the address", t->vnets[own].name);
		return WH_DENIED;
	}
	if (wh_longest(t->on_premises, t->n_on_premises, peer) >= 0)
		return WH_ALLOWED;
	because(mem, why, "the ranges on premises behind the gateway of VNet %s (local network gateways)", t->vnets[own].name);
	return WH_UNDECIDED;
}

enum wh_answer wh_reach_way_outside(const struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, enum wh_direction d,
                                    uint8_t proto, uint16_t dport, const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	size_t subnet = t->endpoints[endpoint].subnet, own = subnet == WH_NONE ? WH_NONE : t->subnets[subnet].vnet;
	if (own == WH_NONE) {
		because(mem, why, "the subnet and VNet of %s", t->hosts[t->endpoints[endpoint].host].name);
		return WH_UNDECIDED;
	}
	if (wh_prefix_has(&wh_azure_probes, peer))
		return WH_ALLOWED;
	size_t other = vnet_with(t, peer);
	if (wh_longest(t->vnets[own].space, t->vnets[own].n_space, peer) >= 0)
		other = own;
	bool vpc = wh_vpc_routed(r, subnet);
	if (wh_reach_is_internet(r, peer) && vpc && d == WH_OUTBOUND)
		return wh_vpc_out(r, endpoint, peer, why, mem);
	if (wh_reach_is_internet(r, peer))
		return d == WH_OUTBOUND ? wh_reach_way_out(r, endpoint, peer, why, mem)
		                        : wh_reach_exposed(r, endpoint, peer, proto, dport, why, mem);
	if (vpc)
		return wh_vpc_private(r, endpoint, peer, other, d, why, mem);
	if (d == WH_OUTBOUND && wh_route_for(r, t->subnets[subnet].route_table, peer)) {
		enum wh_answer v = wh_reach_way(r, endpoint, WH_NONE, peer, why, mem);
		if (v != WH_ALLOWED)
			return v;
	}
	if ((other != WH_NONE && r->linked[own * t->n_vnets + other]) || of_peer(&t->vnets[own], peer))
		return WH_ALLOWED;
	if (other != WH_NONE && wh_hub_both(t, own, other)) {
		struct wh_hub_end here = {own, t->subnets[subnet].route_table, endpoint, t->endpoints[endpoint].addr},
				  there = {other, WH_NONE, WH_NONE, *peer};
		return d == WH_OUTBOUND ? wh_hub_way(r, &here, &there, why, mem) : wh_hub_way(r, &there, &here, why, mem);
	}
	if (t->vnets[own].aws && (other == WH_NONE || may_be_linked(t, own, other))) {
		because(mem, why, "whether %s is connected to other networks (`aws ec2 describe-route-tables`)",
		        t->vnets[own].name);
		return WH_UNDECIDED;
	}
	if (other != WH_NONE) {
		because(mem, why,
		        "there is no way between VNet %s and VNet %s: no peering that is connected at both ends, and no route",
		        t->vnets[own].name, t->vnets[other].name);
		return WH_DENIED;
	}
	return on_premises(t, own, peer, why, mem);
}
