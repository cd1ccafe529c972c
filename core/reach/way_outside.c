/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way between an endpoint and an address of no endpoint: of the Internet, of a VNet, or on premises.
 *
 * If the endpoint's route to a private address leads through a firewall, or the route from there, both directions must: the other
 * end's routes are those of the subnet that the address lies in, or of the GatewaySubnet in front of what is on premises.
 */
#include <string.h>
#include <strings.h>
#include "reach/policy.h"

static enum wh_answer way_out(const struct wh_reach *r, size_t endpoint, const struct wh_addr *to, struct wh_path *path,
                              const char **why, struct wh_arena *mem)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	enum wh_answer v = wh_reach_way(r, endpoint, WH_NONE, to, path, why, mem);
	if (v != WH_ALLOWED)
		return v;
	if (path->n) {
		const struct wh_firewall *f = &r->t->firewalls[path->firewall[path->n - 1]];
		because(mem, why, "the public address by which the firewall %s asks the Internet", f->name);
		return f->internet ? WH_ALLOWED : WH_UNDECIDED;
	}
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

/* Between a VNet and an address that is not of the Internet, where nothing but the system's routes decides. */
static enum wh_answer by_system(const struct wh_reach *r, size_t endpoint, size_t own, size_t other, const struct wh_outer *x,
                                struct wh_path *path, const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	if ((other != WH_NONE && r->linked[own * t->n_vnets + other]) || of_peer(&t->vnets[own], x->peer))
		return WH_ALLOWED;
	if (other != WH_NONE && wh_hub_both(t, own, other)) {
		struct wh_hub_end here = {own, t->subnets[t->endpoints[endpoint].subnet].route_table, endpoint,
		                          t->endpoints[endpoint].addr},
				  there = {other, WH_NONE, WH_NONE, *x->peer};
		return x->d == WH_OUTBOUND ? wh_hub_way(r, &here, &there, path, why, mem)
		                           : wh_hub_way(r, &there, &here, path, why, mem);
	}
	if (t->vnets[own].aws && (other == WH_NONE || wh_may_be_linked(t, own, other))) {
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
	return on_premises(t, own, x->peer, why, mem);
}

/* ---- firewalls ---- */

static size_t subnet_with(const struct wh_topology *t, size_t vnet, const struct wh_addr *a)
{
	for (size_t i = 0; i < t->n_subnets; i++)
		if (t->subnets[i].vnet == vnet && wh_longest(t->subnets[i].prefixes, t->subnets[i].n, a) >= 0)
			return i;
	return WH_NONE;
}

/* The GatewaySubnet of a VNet, or of the one whose gateway it uses. */
static size_t gateway_of(const struct wh_topology *t, size_t vnet)
{
	const struct wh_vnet *v = &t->vnets[vnet];
	for (size_t i = 0; i < t->n_subnets; i++) {
		bool used = t->subnets[i].vnet == vnet;
		for (size_t k = 0; k < v->n_peerings && !used; k++)
			used = v->peerings[k].remote_gateways && v->peerings[k].remote == t->subnets[i].vnet;
		if (used && t->subnets[i].vnet != WH_NONE && !strcasecmp(t->subnets[i].name, "GatewaySubnet"))
			return i;
	}
	return WH_NONE;
}

/* Whether firewalls stand between an endpoint and a private address; then *v is the verdict, and *path the way in x->d. */
static bool by_firewalls(const struct wh_reach *r, size_t endpoint, size_t other, const struct wh_outer *x, struct wh_path *path,
                         enum wh_answer *v, const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	const struct wh_endpoint *e = &t->endpoints[endpoint];
	size_t own = t->subnets[e->subnet].vnet, home = other == WH_NONE ? gateway_of(t, own) : subnet_with(t, other, x->peer);
	struct wh_path there, back = {.n = 0};
	const char *why_there = NULL, *why_back = NULL;
	wh_reach_way(r, endpoint, WH_NONE, x->peer, &there, &why_there, mem);
	if (home != WH_NONE) {
		const struct wh_leg leg = {t->subnets[home].vnet, t->subnets[home].route_table, t->subnets[home].vnet, *x->peer};
		back.v = (uint16_t)wh_reach_leg(r, &leg, endpoint, &e->addr, &back, &why_back, mem);
	}
	if (!there.n && !back.n)
		return false;
	*path = x->d == WH_OUTBOUND ? there : back;
	*v = (enum wh_answer)path->v;
	if (*v != WH_ALLOWED && (home != WH_NONE || x->d == WH_OUTBOUND)) {
		because(mem, why, "%s", x->d == WH_OUTBOUND ? why_there : why_back);
	} else if (home == WH_NONE) {
		because(mem, why, "whether packets from there pass the firewall %s, too (the routes of their subnet)",
		        t->firewalls[there.firewall[0]].name);
		*v = WH_UNDECIDED;
	} else {
		*v = wh_firewall_answers(r, path, x->d == WH_OUTBOUND ? &back : &there, why, mem);
	}
	if (*v != WH_ALLOWED || !there.n)
		return true;
	const struct wh_firewall *f = &t->firewalls[there.firewall[there.n - 1]];
	if (f->subnet != WH_NONE && t->subnets[f->subnet].vnet != WH_NONE)
		*v = by_system(r, endpoint, t->subnets[f->subnet].vnet, other, x, path, why, mem);
	return true;
}

/* ---- all ---- */

enum wh_answer wh_reach_way_outside(const struct wh_reach *r, size_t endpoint, const struct wh_outer *x, struct wh_path *path,
                                    const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	size_t subnet = t->endpoints[endpoint].subnet, own = subnet == WH_NONE ? WH_NONE : t->subnets[subnet].vnet;
	struct wh_path none;
	enum wh_answer v;
	path = path ? path : &none;
	*path = (struct wh_path){.n = 0};
	if (own == WH_NONE) {
		because(mem, why, "the subnet and VNet of %s", t->hosts[t->endpoints[endpoint].host].name);
		return WH_UNDECIDED;
	}
	if (wh_prefix_has(&wh_azure_probes, x->peer))
		return WH_ALLOWED;
	size_t other = vnet_with(t, x->peer);
	if (wh_longest(t->vnets[own].space, t->vnets[own].n_space, x->peer) >= 0)
		other = own;
	bool vpc = wh_vpc_routed(r, subnet), internet = wh_reach_is_internet(r, x->peer);
	if (internet && x->d == WH_INBOUND)
		return wh_reach_exposed(r, endpoint, x->peer, x->proto, x->dport, why, mem);
	size_t nat = internet && vpc ? wh_nat_subnet(r, endpoint, x->peer) : WH_NONE;
	path->nat = nat == WH_NONE ? 0 : (uint32_t)(nat + 1);
	if (internet)
		return vpc ? wh_vpc_out(r, endpoint, x->peer, why, mem) : way_out(r, endpoint, x->peer, path, why, mem);
	if (vpc)
		return wh_vpc_private(r, endpoint, x->peer, other, x->d, why, mem);
	if (t->n_firewalls && by_firewalls(r, endpoint, other, x, path, &v, why, mem))
		return v;
	if (x->d == WH_OUTBOUND && wh_route_for(r, t->subnets[subnet].route_table, x->peer)) {
		v = wh_reach_way(r, endpoint, WH_NONE, x->peer, NULL, why, mem);
		if (v != WH_ALLOWED)
			return v;
	}
	return by_system(r, endpoint, own, other, x, path, why, mem);
}
