/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VNets, subnets, peerings, route tables, groups and public addresses. Subnets and peerings are inside their VNets or
 * separate. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/aws.h"
#include "estate/topology.h"

static const char vnet_type[] = "microsoft.network/virtualnetworks";

size_t wh_build_group(struct wh_building *b, const struct wh_item *owner, const char *id)
{
	size_t at = wh_topology_nsg(b->t, id);
	if (!id || at != WH_NONE)
		return at;
	wh_build_missing(b, owner, "the network security group", id, "what it allows is unknown");
	for (size_t i = 0; i < b->t->n_missing; i++)
		if (!strcasecmp(b->t->missing[i], id))
			return WH_MISSING - i;
	b->t->missing = wh_arena_grown(b->mem, b->t->missing, b->t->n_missing, &b->room_missing, sizeof *b->t->missing);
	b->t->missing[b->t->n_missing] = wh_arena_strdup(b->mem, id);
	return WH_MISSING - b->t->n_missing++;
}

static size_t table_named(struct wh_building *b, const struct wh_item *owner, const json_t *o)
{
	const char *id = wh_field_ref(o, "routeTable");
	size_t at = wh_topology_route_table(b->t, id);
	if (id && at == WH_NONE)
		wh_build_missing(b, owner, "the route table", id, "its subnets are taken to have the system's routes");
	return at;
}

static int add_subnet(struct wh_building *b, size_t vnet, const struct wh_item *it, const json_t *o, const char *path,
                      const char *id)
{
	struct wh_topology *t = b->t;
	const char *name = wh_field_text(o, "name");
	if (!id || wh_build_place(&b->subnets, id) != WH_NONE)
		return 0; /* both separate and in its VNet: the first has the same data */
	t->subnets = wh_arena_grown(b->mem, t->subnets, t->n_subnets, &b->room_subnets, sizeof *t->subnets);
	struct wh_subnet *s = &t->subnets[t->n_subnets];
	*s = (struct wh_subnet){.id = wh_arena_strdup(b->mem, id),
	                        .name = wh_arena_strdup(b->mem, wh_last_part(name ? name : id)),
	                        .vnet = vnet,
	                        .nsg = wh_build_group(b, it, wh_build_ref(&b->group_of, o, "networkSecurityGroup", id)),
	                        .route_table = table_named(b, it, o)};
	s->way_out = wh_field_bool(o, "defaultOutboundAccess", true) || wh_field(o, "natGateway");
	const char *policies = wh_field_text(o, "privateEndpointNetworkPolicies");
	s->guards_private_endpoints = policies &&
	                              (!strcasecmp(policies, "Enabled") || !strcasecmp(policies, "NetworkSecurityGroupEnabled"));
	json_int_t blocked = json_integer_value(wh_field(o, "gatewaysBlocked"));
	s->blocked = blocked == WH_BLOCKED_IN || blocked == WH_BLOCKED_BOTH ? (enum wh_blocked)blocked : WH_BLOCKED_NOT;
	const json_t *list = wh_field(o, "addressPrefixes");
	if (vnet != WH_NONE && !strcasecmp(s->name, "GatewaySubnet"))
		t->vnets[vnet].gateway = true;
	wh_build_put(&b->subnets, s->id, t->n_subnets++);
	return wh_build_prefixes(b, it, list ? list : wh_field(o, "addressPrefix"),
	                         wh_arena_printf(b->mem, "%s%saddressPrefix%s", path, *path ? "/" : "", list ? "es" : ""),
	                         &s->prefixes, &s->n);
}

static const json_t *space_of(const json_t *o, const char *name)
{
	const json_t *space = wh_field(o, name), *list = wh_field(space, "addressPrefixes");
	return list ? list : json_is_array(space) ? space : NULL;
}

static int add_peering(struct wh_building *b, struct wh_vnet *v, const struct wh_item *it, const json_t *o, const char *path)
{
	const char *state = wh_field_text(o, "peeringState"), *name = wh_field_text(o, "name");
	struct wh_peering *p = &v->peerings[v->n_peerings++];
	*p = (struct wh_peering){.name = wh_arena_strdup(b->mem, name ? name : ""),
	                         .remote = WH_NONE,
	                         .connected = !state || !strcasecmp(state, "Connected")};
	const char *id = wh_field_ref(o, "remoteVirtualNetwork");
	p->remote_id = wh_arena_strdup(b->mem, id ? id : "");
	p->access = wh_field_bool(o, "allowVirtualNetworkAccess", true);
	p->forwarded = wh_field_bool(o, "allowForwardedTraffic", false);
	p->gateway_transit = wh_field_bool(o, "allowGatewayTransit", false);
	p->remote_gateways = wh_field_bool(o, "useRemoteGateways", false);
	v->gateway |= p->remote_gateways;
	const json_t *space = space_of(o, "remoteVirtualNetworkAddressSpace");
	return wh_build_prefixes(b, it, space ? space : space_of(o, "remoteAddressSpace"), path, &p->space, &p->n);
}

/* The VNet of a child's id, "/…/virtualNetworks/NAME/subnets/…", or "" */
static const char *parent_of(const char *id, struct wh_arena *mem)
{
	const char *end = strrchr(id, '/');
	while (end && end > id && *--end != '/')
		;
	return end ? wh_arena_printf(mem, "%.*s", (int)(end - id), id) : "";
}

static int add_vnet(struct wh_building *b, const struct wh_item *it, struct wh_vnet *v, size_t lone_peerings)
{
	const json_t *space = space_of(it->body, "addressSpace"), *peerings = wh_field(it->body, "virtualNetworkPeerings");
	const char *location = wh_field_text(it->body, "location");
	*v = (struct wh_vnet){.id = it->id, .name = it->name, .location = location ? location : "",
	                      .aws = it->derived, .hub_table = WH_NONE,
	                      .edge = wh_topology_route_table(b->t, wh_field_text(it->body, "edgeRouteTable"))};
	wh_build_tags(b, it->body, &v->tags, &v->n_tags);
	v->peerings = wh_arena_array(b->mem, json_array_size(peerings) + lone_peerings + 1, sizeof *v->peerings);
	return wh_build_prefixes(b, it, space ? space : wh_field(it->body, "addressPrefixes"), "addressSpace/addressPrefixes",
	                         &v->space, &v->n_space);
}

static int add_children(struct wh_building *b, const struct wh_item *it, size_t vnet)
{
	size_t i;
	json_t *o;
	int rc = 0;
	json_array_foreach(wh_field(it->body, "subnets"), i, o) {
		const char *id = wh_field_text(o, "id"), *name = wh_field_text(o, "name");
		id = id ? id : name ? wh_arena_printf(b->mem, "%s/subnets/%s", it->id, name) : NULL;
		rc = rc ? rc : add_subnet(b, vnet, it, o, wh_arena_printf(b->mem, "subnets/%zu", i), id);
	}
	json_array_foreach(wh_field(it->body, "virtualNetworkPeerings"), i, o)
		rc = rc ? rc
		        : add_peering(b, &b->t->vnets[vnet], it, o,
		                      wh_arena_printf(
					      b->mem,
					      "virtualNetworkPeerings/%zu/remoteVirtualNetworkAddressSpace/addressPrefixes", i));
	return rc;
}

static bool has_peering(const struct wh_vnet *v, const char *name)
{
	for (size_t i = 0; i < v->n_peerings; i++)
		if (!strcasecmp(v->peerings[i].name, name))
			return true;
	return false;
}

/* A connection of a virtual hub is a peering with the hub's network, which is in no document. A VNet's own documents may have it
 * as a peering, too. */
static void add_hub_connection(struct wh_building *b, const struct wh_item *it)
{
	const struct wh_item *hub = wh_inventory_find(b->inv, parent_of(it->id, b->mem));
	const char *remote = wh_field_ref(it->body, "remoteVirtualNetwork"),
		   *text = hub ? wh_field_text(hub->body, "addressPrefix") : NULL;
	size_t at = remote ? wh_topology_vnet(b->t, remote) : WH_NONE;
	struct wh_prefix p;
	if (at == WH_NONE || !text || wh_prefix_parse(text, strlen(text), &p, NULL))
		return;
	struct wh_vnet *v = &b->t->vnets[at];
	for (size_t i = 0; i < v->n_peerings; i++)
		for (size_t k = 0; k < v->peerings[i].n; k++)
			if (wh_prefix_has(&v->peerings[i].space[k], &p.addr))
				return;
	struct wh_prefix *space = wh_arena_array(b->mem, 1, sizeof *space);
	*space = p;
	v->peerings[v->n_peerings++] = (struct wh_peering){.name = it->name,
	                                                   .remote_id = "",
	                                                   .remote = WH_NONE,
	                                                   .space = space,
	                                                   .n = 1,
	                                                   .connected = true,
	                                                   .access = true};
}

static int add_lone(struct wh_building *b)
{
	const struct wh_item **list;
	int rc = 0;
	size_t n = wh_inventory_of_type(b->inv, "microsoft.network/virtualnetworks/subnets", &list);
	for (size_t i = 0; i < n && !rc; i++)
		rc = add_subnet(b, wh_topology_vnet(b->t, parent_of(list[i]->id, b->mem)), list[i], list[i]->body, "",
		                list[i]->id);
	n = wh_inventory_of_type(b->inv, "microsoft.network/virtualnetworks/virtualnetworkpeerings", &list);
	for (size_t i = 0; i < n && !rc; i++) {
		const char *parent = parent_of(list[i]->id, b->mem);
		size_t v = wh_topology_vnet(b->t, parent);
		if (v == WH_NONE)
			wh_build_missing(b, list[i], "the VNet", parent, "the peering is left aside");
		else if (!has_peering(&b->t->vnets[v], list[i]->name))
			rc = add_peering(b, &b->t->vnets[v], list[i], list[i]->body, "remoteAddressSpace/addressPrefixes");
	}
	n = wh_inventory_of_type(b->inv, "microsoft.network/virtualhubs/hubvirtualnetworkconnections", &list);
	for (size_t i = 0; i < n && !rc; i++)
		add_hub_connection(b, list[i]);
	return rc;
}

static void join_peerings(struct wh_building *b)
{
	for (size_t i = 0; i < b->t->n_vnets; i++)
		for (size_t k = 0; k < b->t->vnets[i].n_peerings; k++) {
			struct wh_peering *p = &b->t->vnets[i].peerings[k];
			p->remote = wh_topology_vnet(b->t, p->remote_id);
			if (p->remote == WH_NONE && *p->remote_id)
				wh_build_missing(b, wh_inventory_find(b->inv, b->t->vnets[i].id), "the remote VNet", p->remote_id,
				                 "its addresses are taken to be those that the peering states");
		}
}

static int add_vnets(struct wh_building *b)
{
	const struct wh_item **list, **lone;
	size_t n = wh_build_items(b, vnet_type, &list),
	       n_peerings = wh_inventory_of_type(b->inv, "microsoft.network/virtualnetworks/virtualnetworkpeerings", &lone) +
	                    wh_inventory_of_type(b->inv, "microsoft.network/virtualhubs/hubvirtualnetworkconnections", &lone);
	int rc = 0;
	b->t->vnets = wh_arena_array(b->mem, n + 1, sizeof *b->t->vnets);
	for (size_t i = 0; i < n && !rc; i++)
		rc = add_vnet(b, list[i], &b->t->vnets[b->t->n_vnets++], n_peerings);
	for (size_t i = 0; i < n && !rc; i++)
		rc = add_children(b, list[i], i);
	rc = rc ? rc : add_lone(b);
	if (rc)
		return rc;
	join_peerings(b);
	wh_build_nats(b);
	wh_build_firewalls(b);
	wh_build_hubs(b);
	return 0;
}

/* Rules that a template declares as separate resources belong to their groups. */
static void join_rules(struct wh_building *b)
{
	const struct wh_item **list;
	size_t n = wh_inventory_of_type(b->inv, "microsoft.network/networksecuritygroups/securityrules", &list), k;
	for (size_t i = 0; i < n; i++) {
		const char *parent = parent_of(list[i]->id, b->mem);
		const struct wh_item *group = wh_inventory_find(b->inv, parent);
		json_t *rules = group ? wh_nsg_rules(group->body) : NULL, *o;
		bool there = false;
		json_array_foreach(rules, k, o) {
			const char *name = json_string_value(json_object_get(o, "name"));
			there |= name && !strcasecmp(name, list[i]->name);
		}
		if (!group)
			wh_build_missing(b, list[i], "the network security group", parent, "the rule is left aside");
		if (!group || there)
			continue;
		if (!rules)
			wh_nsg_set_rules(group->body, rules = json_array());
		json_t *rule = json_copy(list[i]->body);
		json_object_set_new(rule, "name", json_string(list[i]->name));
		json_array_append_new(rules, rule);
	}
}

static int add_groups(struct wh_building *b)
{
	const struct wh_item **list;
	size_t n;
	int rc = 0;
	join_rules(b);
	n = wh_build_items(b, "microsoft.network/networksecuritygroups", &list);
	b->t->nsgs = wh_arena_array(b->mem, n + 1, sizeof *b->t->nsgs);
	for (size_t i = 0; i < n && !rc; i++) {
		const struct wh_document *d = &b->inv->documents[list[i]->document];
		struct wh_nsg *g = &b->t->nsgs[b->t->n_nsgs];
		json_object_set_new(list[i]->body, "name", json_string(list[i]->name));
		rc = wh_nsg_read_at(list[i]->file, d->text, d->len, list[i]->path, list[i]->body, b->mem, g, b->err);
		g->id = list[i]->id;
		b->t->n_nsgs += !rc;
		for (size_t k = 0; !rc && k < g->n_rules; k++)
			if (g->rules[k].note)
				wh_inventory_note(b->inv, "%s: %s: rule %s: %s", list[i]->file, g->name, g->rules[k].name,
				                  g->rules[k].note);
	}
	return rc;
}

static int add_public_ips(struct wh_building *b)
{
	const struct wh_item **list;
	size_t n = wh_build_items(b, "microsoft.network/publicipaddresses", &list);
	b->t->public_ips = wh_arena_array(b->mem, n + 1, sizeof *b->t->public_ips);
	for (size_t i = 0; i < n; i++) {
		const char *s = wh_field_text(list[i]->body, "ipAddress"),
			   *sku = wh_field_text(wh_field(list[i]->body, "sku"), "name");
		struct wh_public_ip *p = &b->t->public_ips[b->t->n_public_ips++];
		*p = (struct wh_public_ip){.id = list[i]->id,
		                           .name = list[i]->name,
		                           .standard = sku && strncasecmp(sku, "Standard", 8) == 0,
		                           .endpoint = WH_NONE};
		if (s && strcasecmp(s, "Not Assigned") && wh_addr_parse(s, strlen(s), &p->addr))
			return wh_item_refuse(b->inv, list[i], "ipAddress", b->err, "%s: '%.60s' is not an address",
			                      list[i]->name, s);
		p->known = s && strcasecmp(s, "Not Assigned");
	}
	return 0;
}

int wh_build_networks(struct wh_building *b)
{
	int rc = add_groups(b);
	rc = rc ? rc : wh_build_tables(b);
	rc = rc ? rc : add_vnets(b);
	return rc ? rc : add_public_ips(b);
}
