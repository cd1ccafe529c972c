/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual hubs: which routes their connections get.
 *
 * A connection is associated with one table of its hub, whose routes it gets. Its own VNet's prefixes are put into each table
 * that it names by id, and into each table with one of its labels, in every hub of the virtual WAN. Without a routing
 * configuration both are the default table. A table's own routes lead to a firewall or to another connection, and win over others
 * of the same length. A routing intent for private traffic leads everything to the hub's firewall. A Basic WAN joins no VNets.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/topology.h"

#define HUB "microsoft.network/virtualhubs"
#define DEFAULT_TABLE "/hubRouteTables/defaultRouteTable"

struct connection {
	const struct wh_item *it, *hub;          /* hub: NULL if it is in no document */
	const char *hub_id, *associated;
	bool unconfigured;                 /* it has no propagation of its own: the default table */
	const json_t *ids, *labels;
	size_t vnet;
};
struct hubs { struct wh_building *b; struct connection *list; size_t n; };

/* A block that Terraform has as a list of one. */
static const json_t *block(const json_t *o, const char *name)
{
	const json_t *v = wh_field(o, name);
	return json_is_array(v) ? json_array_get(v, 0) : v;
}

static const char *parent_id(const char *id, struct wh_arena *mem)
{
	const char *end = strrchr(id, '/');
	while (end && end > id && *--end != '/')
		;
	return end ? wh_arena_printf(mem, "%.*s", (int)(end - id), id) : "";
}

static bool is_default(const char *table)
{
	return !strcasecmp(wh_last_part(table), "defaultRouteTable");
}

static const char *text_of(const json_t *v)
{
	const char *s = json_is_object(v) ? wh_field_text(v, "id") : json_string_value(v);
	return s ? s : "";
}

static bool has_text(const json_t *list, const char *wanted)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcasecmp(text_of(json_array_get(list, i)), wanted))
			return true;
	return false;
}

/* ---- hubs ---- */

static bool in_hub(const struct wh_item *it, const char *hub)
{
	const json_t *inner = block(it->body, "virtualHub");
	const char *id = json_is_object(inner) ? wh_field_ref(inner, "virtualHub") : NULL;
	id = id ? id : wh_field_ref(it->body, "virtualHub");
	return id && !strcasecmp(id, hub);
}

static const struct wh_item *one_in_hub(const struct hubs *h, const char *type, const char *hub)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(h->b->inv, type, &list);
	for (size_t i = 0; i < n; i++)
		if (in_hub(list[i], hub))
			return list[i];
	return NULL;
}

static bool has_gateway(const struct hubs *h, const struct wh_item *hub, const char *id)
{
	static const char *const members[] = {"vpnGateway", "expressRouteGateway", "p2SVpnGateway"},
				*const types[] = {"microsoft.network/vpngateways", "microsoft.network/expressroutegateways",
	                                          "microsoft.network/p2svpngateways"};
	for (size_t i = 0; i < 3; i++)
		if ((hub && wh_field_ref(hub->body, members[i])) || one_in_hub(h, types[i], id))
			return true;
	return false;
}

static const char *wan_of(const struct wh_item *hub)
{
	const char *wan = hub ? wh_field_ref(hub->body, "virtualWan") : NULL;
	return wan ? wan : "";
}

static bool is_basic(const struct hubs *h, const struct wh_item *hub)
{
	const struct wh_item *wan = hub ? wh_inventory_find(h->b->inv, wan_of(hub)) : NULL;
	const json_t *sku = hub ? wh_field(hub->body, "sku") : NULL;
	const char *of = json_is_object(sku) ? wh_field_text(sku, "name") : json_string_value(sku);
	/* az's name, beside the resource's type */
	const char *kind = wan ? wh_field_text(wan->body, "typePropertiesType") : NULL;
	kind = kind || !wan ? kind : wh_field_text(wan->body, "type");
	return (of && !strcasecmp(of, "Basic")) || (kind && !strcasecmp(kind, "Basic"));
}

/* Where private traffic goes: "the firewall fw", and the firewall if it is in some document. NULL: there is no such place. */
struct intent { const char *text; size_t firewall; };

static struct intent to_firewall(const struct hubs *h, const char *id)
{
	return (struct intent){wh_arena_printf(h->b->mem, "the firewall %s", wh_last_part(id)), wh_build_firewall(h->b, id)};
}

/* What the hub's routing intent leads private traffic to. */
static struct intent intent(const struct hubs *h, const char *hub)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(h->b->inv, HUB "/routingintent", &list), i;
	json_t *p;
	for (size_t k = 0; k < n; k++) {
		const char *in = wh_field_ref(list[k]->body, "virtualHub");
		if (strcasecmp(in ? in : parent_id(list[k]->id, h->b->mem), hub) != 0)
			continue;
		json_array_foreach(wh_field(list[k]->body, "routingPolicies"), i, p)
			if (has_text(wh_field(p, "destinations"), "PrivateTraffic"))
				return to_firewall(h, text_of(wh_field(p, "nextHop")));
	}
	return (struct intent){NULL, WH_NONE};
}

/* ---- tables ---- */

struct table {
	struct wh_route_table *to;
	const struct wh_item *it;        /* NULL: in no document */
	const char *id, *hub_id;
	struct intent intent;
	const struct wh_item *hub;
	size_t room;
};

static void add_route(struct hubs *h, struct table *t, const struct wh_route *r)
{
	t->to->routes = wh_arena_grown(h->b->mem, t->to->routes, t->to->n, &t->room, sizeof *t->to->routes);
	t->to->routes[t->to->n++] = *r;
}

static const struct connection *connection_named(const struct hubs *h, const char *id)
{
	for (size_t i = 0; i < h->n; i++)
		if (!strcasecmp(h->list[i].it->id, id))
			return &h->list[i];
	return NULL;
}

static bool within_space(const struct wh_topology *t, size_t vnet, const struct wh_prefix *p)
{
	for (size_t i = 0; vnet != WH_NONE && i < t->vnets[vnet].n_space; i++)
		if (t->vnets[vnet].space[i].len <= p->len && wh_prefix_has(&t->vnets[vnet].space[i], &p->addr))
			return true;
	return false;
}

/* A table's own route: to a firewall, to the VNet of a connection, or to what stands in that VNet. */
static void add_own_route(struct hubs *h, struct table *t, const json_t *o)
{
	const char *hop = text_of(wh_field(o, "nextHop")), *name = wh_field_text(o, "name");
	const struct connection *c = connection_named(h, hop);
	const char *what = strcasestr(hop, "/azureFirewalls/") ? "the firewall" : c ? "the appliance behind the connection"
	                                                                            : "the appliance";
	size_t i;
	json_t *v;
	if (name && !strcasecmp(name, "_policy_PrivateTraffic"))
		t->intent = to_firewall(h, hop);
	json_array_foreach(wh_field(o, "destinations"), i, v) {
		struct wh_route r = {.name = wh_arena_strdup(h->b->mem, name ? name : text_of(v)),
		                     .hop = WH_HOP_APPLIANCE,
		                     .via = WH_NONE,
		                     .nat_subnet = WH_NONE,
		                     .firewall = wh_build_firewall(h->b, hop)};
		const char *s = text_of(v);
		const struct connection *to = connection_named(h, s);
		r.appliance = wh_arena_printf(h->b->mem, "%s %s", what, wh_last_part(hop));
		for (size_t k = 0; to && to->vnet != WH_NONE && k < h->b->t->vnets[to->vnet].n_space; k++) {
			r.prefix = h->b->t->vnets[to->vnet].space[k];
			add_route(h, t, &r);
		}
		if (wh_prefix_parse(s, strlen(s), &r.prefix, NULL))
			continue;
		if (c && within_space(h->b->t, c->vnet, &r.prefix))
			r.hop = WH_HOP_SPOKE, r.appliance = NULL, r.firewall = WH_NONE;
		add_route(h, t, &r);
	}
}

static void add_own_routes(struct hubs *h, struct table *t)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(h->b->inv, HUB "/hubroutetables/routes", &list), i;
	json_t *o;
	t->intent = intent(h, t->hub_id);
	if (t->it)
		json_array_foreach(wh_field(t->it->body, "routes"), i, o)
			add_own_route(h, t, o);
	for (size_t k = 0; k < n; k++) {
		const char *of = wh_field_ref(list[k]->body, "routeTable");
		if (of && !strcasecmp(of, t->id))
			add_own_route(h, t, list[k]->body);
	}
	const struct wh_item *firewall = one_in_hub(h, "microsoft.network/azurefirewalls", t->hub_id);
	if (!t->it && !t->intent.text && firewall)
		t->intent.text = wh_arena_printf(h->b->mem,
		                                 "the firewall %s (if a route leads there: `az network vhub route-table list`)",
		                                 firewall->name);
}

/* ---- propagation ---- */

static bool carries_label(const struct table *t, const char *label)
{
	return (is_default(t->id) && !strcasecmp(label, "default")) ||
	       (t->it && has_text(wh_field(t->it->body, "labels"), label));
}

/* By its labels. Of a table in no document only the default one's label is known. */
static enum { NO, YES, PERHAPS } by_label(const struct table *t, const struct connection *c)
{
	bool perhaps = false;
	for (size_t i = 0; i < json_array_size(c->labels); i++) {
		const char *label = text_of(json_array_get(c->labels, i));
		if (carries_label(t, label))
			return YES;
		perhaps |= !t->it && strcasecmp(label, "none") && strcasecmp(label, "default");
	}
	if (c->unconfigured && is_default(t->id) && !strcasecmp(c->hub_id, t->hub_id))
		return YES;
	return perhaps ? PERHAPS : NO;
}

static void propagate(struct hubs *h, struct table *t, const struct connection *c)
{
	struct wh_arena *mem = h->b->mem;
	bool same = !strcasecmp(c->hub_id, t->hub_id), known = *wan_of(c->hub) && *wan_of(t->hub);
	int how = has_text(c->ids, t->id) ? YES : (int)by_label(t, c);
	if (c->vnet == WH_NONE || how == NO || (!same && known && strcasecmp(wan_of(c->hub), wan_of(t->hub)) != 0))
		return;
	if (!same && !known) {
		t->to->unsure = wh_arena_printf(mem, "whether the virtual hubs %s and %s are in one WAN (`az network vhub list`)",
		                                wh_last_part(c->hub_id), wh_last_part(t->hub_id));
		return;
	}
	if (how == PERHAPS) {
		t->to->unsure = wh_arena_printf(mem, "the labels of the route table %s (`az network vhub route-table list`)",
		                                t->to->name);
		return;
	}
	const struct intent none = {NULL, WH_NONE}, through = t->intent.text ? t->intent : same ? none : intent(h, c->hub_id);
	const struct wh_vnet *v = &h->b->t->vnets[c->vnet];
	for (size_t i = 0; i < v->n_space; i++)
		add_route(h, t,
		          &(struct wh_route){.name = c->it->name,
		                             .prefix = v->space[i],
		                             .hop = through.text ? WH_HOP_APPLIANCE : WH_HOP_SPOKE,
		                             .via = WH_NONE, .nat_subnet = WH_NONE,
		                             .firewall = through.firewall,
		                             .appliance = through.text});
}

static void build_table(struct hubs *h, struct wh_route_table *to, const struct connection *first)
{
	struct table t = {
		.to = to, .id = first->associated, .hub_id = first->hub_id, .hub = first->hub, .intent.firewall = WH_NONE};
	t.it = wh_inventory_find(h->b->inv, t.id);
	*to = (struct wh_route_table){.id = t.id,
	                              .name = wh_arena_printf(h->b->mem, "%s of the virtual hub %s", wh_last_part(t.id),
	                                                      wh_last_part(t.hub_id))};
	add_own_routes(h, &t);
	for (size_t i = 0; i < h->n && !is_basic(h, t.hub); i++)
		propagate(h, &t, &h->list[i]);
}

/* ---- connections ---- */

static struct connection connection_of(struct hubs *h, const struct wh_item *it)
{
	struct wh_arena *mem = h->b->mem;
	const char *hub = wh_field_ref(it->body, "virtualHub"), *remote = wh_field_ref(it->body, "remoteVirtualNetwork");
	struct connection c = {.it = it, .hub_id = hub ? hub : parent_id(it->id, mem), .vnet = WH_NONE};
	const json_t *routing = block(it->body, "routingConfiguration"), *to = block(routing, "propagatedRouteTables");
	const char *associated = wh_field_ref(routing, "associatedRouteTable");
	c.hub = wh_inventory_find(h->b->inv, c.hub_id);
	c.associated = associated ? wh_arena_strdup(mem, associated) : wh_arena_printf(mem, "%s" DEFAULT_TABLE, c.hub_id);
	c.unconfigured = !to;
	c.ids = wh_field(to, "ids");
	c.labels = wh_field(to, "labels");
	if (remote)
		c.vnet = wh_topology_vnet(h->b->t, remote);
	if (remote && c.vnet == WH_NONE)
		wh_build_missing(h->b, it, "the VNet", remote, "what it is connected with is left aside");
	return c;
}

static size_t table_of(struct hubs *h, const struct connection *c)
{
	struct wh_topology *t = h->b->t;
	for (size_t i = 0; i < t->n_hub_tables; i++)
		if (!strcasecmp(t->hub_tables[i].id, c->associated))
			return i;
	build_table(h, &t->hub_tables[t->n_hub_tables], c);
	return t->n_hub_tables++;
}

/* A VNet whose peering leads to a hub's own network is connected to it, though the connection is in no document. */
static void find_unconnected(struct wh_topology *t)
{
	for (size_t i = 0; i < t->n_vnets; i++)
		for (size_t k = 0; k < t->vnets[i].n_peerings; k++)
			if (t->vnets[i].hub_table == WH_NONE &&
			    !strncasecmp(wh_last_part(t->vnets[i].peerings[k].remote_id), "HV_", 3) &&
			    strcasestr(t->vnets[i].peerings[k].remote_id, "/resourceGroups/RG_"))
				t->vnets[i].hub_table = WH_MISSING;
}

uint32_t wh_build_hub(struct wh_building *b, const char *id)
{
	size_t at = wh_build_place(&b->hubs, id);
	if (at == WH_NONE) {
		at = ++b->n_hubs;
		wh_build_put(&b->hubs, wh_arena_strdup(b->mem, id), at);
	}
	return (uint32_t)at;
}

void wh_build_hubs(struct wh_building *b)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(b->inv, HUB "/hubvirtualnetworkconnections", &list);
	struct hubs h = {.b = b, .list = wh_arena_array(b->mem, n + 1, sizeof *h.list)};
	for (size_t i = 0; i < n; i++)
		h.list[h.n++] = connection_of(&h, list[i]);
	b->t->hub_tables = wh_arena_array(b->mem, n + 1, sizeof *b->t->hub_tables);
	for (size_t i = 0; i < n; i++) {
		if (h.list[i].vnet == WH_NONE)
			continue;
		struct wh_vnet *v = &b->t->vnets[h.list[i].vnet];
		v->hub = wh_build_hub(b, h.list[i].hub_id);
		v->hub_table = table_of(&h, &h.list[i]);
		v->hub_default = wh_field_bool(list[i]->body, "enableInternetSecurity", false);
		v->gateway |= has_gateway(&h, h.list[i].hub, h.list[i].hub_id);
	}
	find_unconnected(b->t);
}
