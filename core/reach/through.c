/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Through Azure Firewalls.
 *
 * A route leads to a firewall if its next hop is the firewall's private address, and the firewall stands in the sender's VNet, in
 * one that is joined to it, or in its virtual hub. The firewall's rules decide on the packet as the sender sent it: network
 * rules, then application rules, then the default, which denies (see whittle/topology.h). What they let through goes on by the
 * routes of the firewall's own subnet, or of its virtual hub.
 *
 *   web 10.1.0.4 (VNet a; 10.2.0.0/16 to 10.0.1.4) → fw 10.0.1.4 (VNet hub): g/spokes/https allows 443 → db 10.2.0.4 (VNet b)
 *   the answers: db's subnet must lead 10.1.0.0/16 to 10.0.1.4, too
 *
 * A firewall keeps state, so it has to see both directions. It drops answers to questions that it has not seen. What becomes of a
 * connection whose answers go around it is nowhere documented. A network rule keeps the sender's address if the destination is a
 * private one; else the receiver's groups see one of the firewall's addresses, and which one is not known. A peering lets packets
 * in that another machine forwards if it says so (allowForwardedTraffic); that it refuses them otherwise is not certain. What
 * threat intelligence and intrusion detection find is dropped, whatever the rules: the verdict is about all else, and the step
 * says so.
 *
 * Source: Microsoft's documentation of Azure Firewall ("rule processing logic", "SNAT private IP address ranges", "Integrate
 * Azure Firewall with Azure Standard Load Balancer": asymmetric routing; FAQ: between spokes both need the route) and of
 * peerings.
 */
#include <string.h>
#include "reach/policy.h"

static size_t vnet_of(const struct wh_topology *t, const struct wh_firewall *f)
{
	return f->subnet == WH_NONE ? WH_NONE : t->subnets[f->subnet].vnet;
}

void wh_firewall_index(struct wh_reach *r)
{
	const struct wh_topology *t = r->t;
	if (!t->n_firewalls)
		return;
	r->passing = wh_arena_array(r->mem, t->n_firewalls, sizeof *r->passing);
	r->hops = wh_arena_array(r->mem, t->n_route_tables + 1, sizeof *r->hops);
	for (size_t i = 0; i < t->n_route_tables; i++) {
		r->hops[i] = wh_arena_array(r->mem, t->route_tables[i].n + 1, sizeof **r->hops);
		for (size_t k = 0; k < t->route_tables[i].n; k++) {
			const struct wh_route *x = &t->route_tables[i].routes[k];
			if (x->hop != WH_HOP_APPLIANCE || !x->appliance ||
			    wh_addr_parse(x->appliance, strlen(x->appliance), &r->hops[i][k]))
				r->hops[i][k] = (struct wh_addr){{0}};
		}
	}
}

size_t wh_firewall_of(const struct wh_reach *r, size_t vnet, size_t table, const struct wh_route *x)
{
	const struct wh_topology *t = r->t;
	size_t found = WH_NONE;
	if (x->hop != WH_HOP_APPLIANCE || !t->n_firewalls)
		return WH_NONE;
	const struct wh_addr *hop = &r->hops[table][x - t->route_tables[table].routes];
	for (size_t i = 0; i < t->n_firewalls; i++) {
		const struct wh_firewall *f = &t->firewalls[i];
		size_t own = vnet_of(t, f);
		if (!f->has_addr || !wh_addr_eq(&f->addr, hop))
			continue;
		if (own == vnet) /* before those of other VNets with the same addresses */
			return i;
		if ((own != WH_NONE && r->linked[vnet * t->n_vnets + own]) || (f->hub && f->hub == t->vnets[vnet].hub))
			found = i;
	}
	return found;
}

/* ---- the way ---- */

static bool keeps_sender(const struct wh_firewall *f, const struct wh_addr *to)
{
	return wh_longest(f->kept, f->n_kept, to) >= 0;
}

/* Whether the peering of a VNet lets packets in that were forwarded in the other one. */
static bool lets_forwarded_in(const struct wh_topology *t, size_t vnet, size_t other)
{
	const struct wh_vnet *v = &t->vnets[vnet];
	for (size_t i = 0; i < v->n_peerings; i++)
		if (v->peerings[i].remote == other && v->peerings[i].forwarded)
			return true;
	return vnet == other;
}

static enum wh_answer from_hub(const struct wh_reach *r, const struct wh_firewall *f, size_t to, const struct wh_addr *to_addr,
                               const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	size_t vnet = to == WH_NONE ? WH_NONE : t->subnets[t->endpoints[to].subnet].vnet;
	char buf[WH_ADDR_STRLEN];
	if (vnet == WH_NONE ? wh_reach_is_internet(r, to_addr) : t->vnets[vnet].hub == f->hub)
		return WH_ALLOWED;
	because(mem, why, "where the virtual hub of the firewall %s leads %s", f->name, wh_addr_text(to_addr, buf));
	return WH_UNDECIDED;
}

/* On by the routes of the firewall's own subnet. */
static enum wh_answer from_subnet(const struct wh_reach *r, const struct wh_leg *from, const struct wh_firewall *f, size_t to,
                                  const struct wh_addr *to_addr, struct wh_path *path, const char **why, struct wh_arena *mem)
{
	const struct wh_topology *t = r->t;
	size_t own = vnet_of(t, f), vnet = to == WH_NONE ? WH_NONE : t->subnets[t->endpoints[to].subnet].vnet, passed = path->n;
	if (own == WH_NONE) {
		because(mem, why, "the subnet of the firewall %s", f->name);
		return WH_UNDECIDED;
	}
	const struct wh_leg on = {own, t->subnets[f->subnet].route_table, from->origin, f->addr};
	enum wh_answer v = wh_reach_leg(r, &on, to, to_addr, path, why, mem);
	/* forwarded by the firewall before this one, and by this one */
	bool in = from->origin == from->vnet || lets_forwarded_in(t, own, from->vnet),
	     on_to = path->n > passed || vnet == WH_NONE || from->origin == own || lets_forwarded_in(t, vnet, own);
	if (v != WH_ALLOWED || (in && on_to))
		return v;
	because(mem, why,
	        "whether VNet %s takes what a firewall in VNet %s forwards (allowForwardedTraffic of its peering is off)",
	        t->vnets[in ? vnet : own].name, t->vnets[in ? own : from->vnet].name);
	return WH_UNDECIDED;
}

enum wh_answer wh_firewall_pass(const struct wh_reach *r, const struct wh_leg *from, size_t firewall, size_t to,
                                const struct wh_addr *to_addr, struct wh_path *path, const char **why, struct wh_arena *mem)
{
	const struct wh_firewall *f = &r->t->firewalls[firewall];
	for (size_t i = 0; i < path->n; i++)
		if (path->firewall[i] == firewall || path->n == WH_MOST_PASSED) {
			because(mem, why, "where packets end that routes lead back to the firewall %s", f->name);
			return WH_UNDECIDED;
		}
	path->firewall[path->n++] = (uint16_t)firewall;
	enum wh_answer v = f->hub ? from_hub(r, f, to, to_addr, why, mem) : from_subnet(r, from, f, to, to_addr, path, why, mem);
	if (v == WH_ALLOWED && !keeps_sender(f, to_addr) && !wh_reach_is_internet(r, to_addr)) {
		because(mem, why, "which of its addresses the firewall %s gives to the packets (SNAT)", f->name);
		return WH_UNDECIDED;
	}
	return v;
}

/* ---- the answers ---- */

static bool is_reverse(const struct wh_path *a, const struct wh_path *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; i < a->n && same; i++)
		same = a->firewall[i] == b->firewall[b->n - 1 - i];
	return same;
}

enum wh_answer wh_firewall_answers(const struct wh_reach *r, const struct wh_path *path, const struct wh_path *back,
                                   const char **why, struct wh_arena *mem)
{
	const struct wh_firewall *f = r->t->firewalls;
	if (is_reverse(path, back) && (!path->n || back->v == WH_ALLOWED))
		return WH_ALLOWED;
	if (!path->n) {
		because(mem, why, "the answers go to the firewall %s, which has not seen the question and drops them",
		        f[back->firewall[0]].name);
		return WH_DENIED;
	}
	because(mem, why, "whether answers arrive that do not come back through the firewall %s",
	        f[path->firewall[path->n - 1]].name);
	return WH_UNDECIDED;
}

/* ---- the rules ---- */

struct passing *wh_firewall_side(struct wh_reach *r, size_t firewall)
{
	struct passing *p = &r->passing[firewall];
	if (p->side.own)
		return p;
	p->stage = (struct stage){.nsg = WH_NONE, .direction = WH_OUTBOUND, .firewall = &r->t->firewalls[firewall]};
	wh_stage_prepare(r, &p->stage);
	p->side = (struct side){.n = 1, .own = &p->stage, .columns.mem = r->mem, .rows.mem = r->mem};
	return p;
}

uint32_t wh_firewall_cell(struct wh_reach *r, const struct wh_path *path, const struct wh_addr *from, const struct wh_addr *to,
                          uint32_t cell)
{
	for (size_t i = 0; i < path->n && cell; i++) {
		struct side *s = &wh_firewall_side(r, path->firewall[i])->side;
		uint32_t row = wh_side_place(r, s, from, true), column = wh_side_place(r, s, to, false);
		cell = wh_cell_both(r->numbering, cell, wh_side_cell_at(r, s, row, column), r->scratch);
	}
	return cell;
}
