/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Route tables: Azure's, and AWS's as aws_routes.c derives them. */
#include <string.h>
#include <strings.h>
#include "estate/aws.h"
#include "estate/topology.h"

static enum wh_next_hop hop_of(const char *s, bool aws)
{
	return !s                                        ? WH_HOP_NONE
	       : !strcasecmp(s, "VnetLocal")             ? WH_HOP_VNET
	       : !strcasecmp(s, "Internet")              ? WH_HOP_INTERNET
	       : !strcasecmp(s, "VirtualNetworkGateway") ? WH_HOP_GATEWAY
	       : !strcasecmp(s, "VirtualAppliance")      ? WH_HOP_APPLIANCE
	       : !aws                                    ? WH_HOP_NONE
	       : !strcmp(s, "Nat")                       ? WH_HOP_NAT
	       : !strcmp(s, "Egress")                    ? WH_HOP_EGRESS
	       : !strcmp(s, "Peering")                   ? WH_HOP_PEERING
	                                                 : WH_HOP_NONE;
}

static int add_route(struct wh_building *b, const struct wh_item *it, struct wh_route_table *r, size_t k, const json_t *o)
{
	const char *prefix = wh_field_text(o, "addressPrefix"), *name = wh_field_text(o, "name"),
		   *hop = wh_field_text(o, "nextHopIpAddress");
	struct wh_route *to = &r->routes[r->n];
	if (prefix && !wh_prefix_parse(prefix, strlen(prefix), &to->prefix, NULL)) {
		to->name = wh_arena_strdup(b->mem, name ? name : prefix);
		to->hop = hop_of(wh_field_text(o, "nextHopType"), it->derived);
		to->appliance = hop ? wh_arena_strdup(b->mem, hop) : NULL;
		to->via = to->nat_subnet = to->firewall = WH_NONE;
		r->n++;
	} else if (prefix && strchr(prefix, '.') && strspn(prefix, "0123456789./") == strlen(prefix)) {
		return wh_item_refuse(b->inv, it, wh_arena_printf(b->mem, "routes/%zu/addressPrefix", k), b->err,
		                      "%s: '%.60s' is not a prefix", it->name, prefix);
	} else {
		wh_inventory_note(b->inv,
		                  "%s: route %s of %s is for the service tag %s: taken not to concern the estate's own addresses",
		                  it->file, name ? name : "", it->name, prefix ? prefix : "");
	}
	return 0;
}

/* The table of a NAT gateway's own subnet, once all tables are known. AWS's routes are all read, so their places are those of the
 * document. */
static void join_nat(struct wh_building *b, const struct wh_item *it, struct wh_route_table *r)
{
	size_t k;
	json_t *o;
	json_array_foreach(wh_field(it->body, "routes"), k, o)
		if (k < r->n && r->routes[k].hop == WH_HOP_NAT)
			r->routes[k].via = wh_topology_route_table(b->t, wh_field_text(o, "via"));
}

int wh_build_tables(struct wh_building *b)
{
	const struct wh_item **list;
	size_t n = wh_build_items(b, "microsoft.network/routetables", &list), k;
	json_t *o;
	int rc = 0;
	b->t->route_tables = wh_arena_array(b->mem, n + 1, sizeof *b->t->route_tables);
	for (size_t i = 0; i < n && !rc; i++) {
		const json_t *routes = wh_field(list[i]->body, "routes");
		const char *unsure = list[i]->derived ? wh_field_text(list[i]->body, "unsure") : NULL;
		struct wh_route_table *r = &b->t->route_tables[b->t->n_route_tables++];
		*r = (struct wh_route_table){.id = list[i]->id,
		                             .name = list[i]->name,
		                             .routes = wh_arena_array(b->mem, json_array_size(routes) + 1, sizeof *r->routes),
		                             .own_only = wh_field_bool(list[i]->body, "disableBgpRoutePropagation", false) ||
		                                         !wh_field_bool(list[i]->body, "bgpRoutePropagationEnabled", true),
		                             .closed = list[i]->derived,
		                             .unsure = unsure ? wh_arena_strdup(b->mem, unsure) : NULL};
		json_array_foreach((json_t *)(uintptr_t)routes, k, o)
			rc = rc ? rc : add_route(b, list[i], r, k, o);
	}
	for (size_t i = 0; i < n && !rc; i++)
		if (list[i]->derived)
			join_nat(b, list[i], &b->t->route_tables[i]);
	return rc;
}

void wh_build_nats(struct wh_building *b)
{
	for (size_t i = 0; i < b->t->n_route_tables; i++) {
		struct wh_route_table *r = &b->t->route_tables[i];
		const struct wh_item *it = r->closed ? wh_inventory_find(b->inv, r->id) : NULL;
		size_t k;
		json_t *o;
		json_array_foreach(it ? wh_field(it->body, "routes") : NULL, k, o)
			if (k < r->n && r->routes[k].hop == WH_HOP_NAT)
				r->routes[k].nat_subnet = wh_build_place(&b->subnets, wh_field_text(o, "viaSubnet"));
	}
}

/* Whether answers of an endpoint may leave its VPC for the Internet. */
static bool may_answer(const struct wh_topology *t, const struct wh_endpoint *e)
{
	size_t at = e->subnet == WH_NONE ? WH_NONE : t->subnets[e->subnet].route_table;
	const struct wh_route_table *r = at == WH_NONE ? NULL : &t->route_tables[at];
	for (size_t i = 0; r && r->closed && i < r->n; i++)
		if (wh_prefix_is_v4(&r->routes[i].prefix) == wh_addr_is_v4(&e->addr) &&
		    (r->routes[i].hop == WH_HOP_INTERNET ||
		     (r->routes[i].hop == WH_HOP_APPLIANCE && !wh_addr_is_private(&r->routes[i].prefix.addr))))
			return true;
	return !r || !r->closed || r->unsure;
}

void wh_build_unrouted(struct wh_building *b)
{
	for (size_t i = 0; i < b->t->n_endpoints; i++)
		b->t->endpoints[i].unrouted = b->t->endpoints[i].public_ip != WH_NONE && !may_answer(b->t, &b->t->endpoints[i]);
}
