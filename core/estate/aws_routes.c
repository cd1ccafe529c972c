/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AWS's route tables in az's form. A table's routes are ordered as AWS prefers them among equal prefixes: static routes, then
 * those of prefix lists, then those that a gateway announces. What a route's target is, follows from its id:
 *
 *   local                         the VPC
 *   igw-, attached and available  the Internet, both ways
 *   nat-                          the Internet, outward, as the table of the NAT gateway's own subnet leads
 *   eigw-                         the Internet, outward, IPv6
 *   pcx-                          the VPC at the peering's other end
 *   vgw-                          a gateway to other networks
 *   eni-, vpce-, tgw-, …          something that forwards as it likes
 *
 * A target that is gone ("blackhole") takes the packets that its route matches, and drops them.
 */
#include <string.h>
#include <strings.h>
#include "estate/aws.h"

static const char type[] = "microsoft.network/routetables";

/* ---- targets ---- */

struct target {
	const char *hop, *id, *via, *subnet; /* of a NAT gateway: its table and its subnet */
};

static bool is(const char *s, const char *what)
{
	return s && !strcasecmp(s, what);
}

/* Whether a gateway that has its own document is attached to the VPC. */
static bool is_attached(const struct wh_item *gateway, const char *vpc)
{
	size_t i;
	json_t *o;
	json_array_foreach(json_object_get(gateway->body, "Attachments"), i, o) {
		const char *state = wh_aws_text(o, "State"), *at = wh_aws_text(o, "VpcId");
		if (at && vpc && !strcmp(at, vpc) && (!state || is(state, "available") || !strncasecmp(state, "attach", 6)))
			return true;
	}
	return false;
}

static const char *const none = "None";

/* A NAT gateway, and the table by which it sends on what it translated. */
static struct target by_nat(struct wh_aws *a, const char *id)
{
	const struct wh_item *nat = wh_aws_find(a, "nat-gateway", id);
	const json_t *o = nat ? nat->body : NULL;
	const char *state = o ? wh_aws_text(o, "State") : NULL, *subnet = o ? wh_aws_text(o, "SubnetId") : NULL,
		   *own = o ? wh_aws_text(o, "RouteTableId") : NULL; /* a regional one has no subnet */
	if (state && strcasecmp(state, "available") && strcasecmp(state, "pending"))
		return (struct target){none, id, NULL, NULL};
	if (o && is(wh_aws_text(o, "ConnectivityType"), "private"))
		return (struct target){"VirtualAppliance", id, NULL, NULL};
	own = own ? own : subnet ? wh_aws_table_of(a, subnet, wh_aws_text(o, "VpcId"), nat) : NULL;
	return (struct target){"Nat", id, own, subnet};
}

/* An interface that forwards is known by its address. */
static const char *address_of(const struct wh_aws *a, const char *interface)
{
	const struct wh_aws_interface *f = wh_name_set_find(&a->tables_by.interface, interface);
	const char *address = f ? wh_aws_text(f->o, "PrivateIpAddress") : NULL;
	return address ? address : interface;
}

static struct target by_gateway(struct wh_aws *a, const char *id, const char *vpc)
{
	const struct wh_item *gateway = wh_aws_find(a, "internet-gateway", id);
	if (!strcmp(id, "local"))
		return (struct target){"VnetLocal", id, NULL, NULL};
	if (!strncmp(id, "igw-", 4))
		return (struct target){gateway && !is_attached(gateway, vpc) ? none : "Internet", id, NULL, NULL};
	return (struct target){!strncmp(id, "vgw-", 4) ? "VirtualNetworkGateway" : "VirtualAppliance", id, NULL, NULL};
}

static struct target target_of(struct wh_aws *a, const json_t *o, const char *vpc)
{
	static const char *const others[] = {"TransitGatewayId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn",
	                                     "InstanceId",       "VpcEndpointId",  "OdbNetworkArn"};
	const char *gateway = wh_aws_text(o, "GatewayId"), *nat = wh_aws_text(o, "NatGatewayId"),
		   *egress = wh_aws_text(o, "EgressOnlyInternetGatewayId"), *peering = wh_aws_text(o, "VpcPeeringConnectionId"),
		   *interface = wh_aws_text(o, "NetworkInterfaceId"), *other = NULL;
	for (size_t i = 0; i < sizeof others / sizeof *others && !other; i++)
		other = wh_aws_text(o, others[i]);
	const char *id = gateway ? gateway : nat ? nat : egress ? egress : peering ? peering : interface ? interface : other;
	if (!id || is(wh_aws_text(o, "State"), "blackhole"))
		return (struct target){none, id ? id : "nothing", NULL, NULL};
	const struct wh_item *own = egress ? wh_aws_find(a, "egress-gateway", egress) : NULL;
	return gateway     ? by_gateway(a, gateway, vpc)
	       : nat       ? by_nat(a, nat)
	       : egress    ? (struct target){own && !is_attached(own, vpc) ? none : "Egress", id, NULL, NULL}
	       : peering   ? (struct target){"Peering", id, NULL, NULL}
	       : interface ? (struct target){"VirtualAppliance", address_of(a, interface), NULL, NULL}
	                   : (struct target){"VirtualAppliance", id, NULL, NULL};
}

/* ---- tables ---- */

struct tables {
	struct wh_aws *a;
	const struct wh_item *it;
	const char *vpc, *unsure;
	json_t *routes, *local;
};

static void put(struct tables *t, const char *prefix, const struct target *to)
{
	const char *name = !strcmp(to->hop, none) ? wh_arena_printf(t->a->mem, "%s to %s, which is not there,", prefix, to->id)
	                                          : wh_arena_printf(t->a->mem, "%s to %s", prefix, to->id);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "name", name, "addressPrefix", prefix, "nextHopType", to->hop,
	                      "nextHopIpAddress", to->id);
	if (to->via)
		json_object_set_new(o, "via", json_string(to->via));
	if (to->subnet)
		json_object_set_new(o, "viaSubnet", json_string(to->subnet));
	json_array_append_new(t->routes, o);
	if (!strcmp(to->hop, "VnetLocal"))
		json_array_append_new(t->local, json_string(prefix));
}

/* The local route is preferred to what a gateway announces, even if that is longer. */
static bool is_local(const struct tables *t, const char *prefix)
{
	struct wh_prefix p, l;
	size_t i;
	json_t *v;
	if (wh_prefix_parse(prefix, strlen(prefix), &p, NULL))
		return false;
	json_array_foreach(t->local, i, v)
		if (!wh_prefix_parse(json_string_value(v), json_string_length(v), &l, NULL) && l.len <= p.len &&
		    wh_prefix_has(&l, &p.addr))
			return true;
	return false;
}

/* Gateway endpoints have lists of the addresses of one service, which matter to nobody else. */
static void put_list(struct tables *t, const char *list, const struct target *to)
{
	json_t *entries = wh_aws_entries(t->a, list), *v;
	size_t i;
	json_array_foreach(entries, i, v)
		put(t, json_string_value(v), to);
	if (!entries && strncmp(to->id, "vpce-", 5))
		t->unsure = wh_arena_printf(
			t->a->mem, "the addresses of the prefix list %s (`aws ec2 get-managed-prefix-list-entries`, as %s.json)",
			list, list);
	json_decref(entries);
}

enum rank { STATIC, LIST, ANNOUNCED };

static void put_routes(struct tables *t, enum rank rank)
{
	size_t i;
	json_t *o;
	json_array_foreach(json_object_get(t->it->body, "Routes"), i, o) {
		const char *four = wh_aws_text(o, "DestinationCidrBlock"), *six = wh_aws_text(o, "DestinationIpv6CidrBlock"),
			   *list = wh_aws_text(o, "DestinationPrefixListId");
		bool announced = is(wh_aws_text(o, "Origin"), "EnableVgwRoutePropagation");
		if (rank != (announced ? ANNOUNCED : list ? LIST : STATIC))
			continue;
		struct target to = target_of(t->a, o, t->vpc);
		for (int k = 0; k < 2; k++)
			if ((k ? six : four) && !(announced && is_local(t, k ? six : four)))
				put(t, k ? six : four, &to);
		if (list)
			put_list(t, list, &to);
	}
}

static void derive_table(struct wh_aws *a, const struct wh_item *it)
{
	const char *id = wh_aws_text(it->body, "RouteTableId");
	struct tables t = {a, it, wh_aws_text(it->body, "VpcId"), NULL, json_array(), json_array()};
	for (int rank = STATIC; rank <= ANNOUNCED; rank++)
		put_routes(&t, (enum rank)rank);
	if (json_object_get(it->body, WH_AWS_PART))
		t.unsure = wh_arena_printf(a->mem, "all routes of the route table %s (`aws ec2 describe-route-tables`)", id);
	json_t *o = json_pack("{s:s, s:O}", "id", id, "routes", t.routes);
	if (t.unsure)
		json_object_set_new(o, "unsure", json_string(t.unsure));
	wh_derive(&a->derived, it, type, id, wh_aws_name(it->body, id), o);
	json_decref(t.routes);
	json_decref(t.local);
}

/* ---- whose they are ---- */

static bool holds(const json_t *association)
{
	const char *state = wh_aws_text(json_object_get(association, "AssociationState"), "State");
	return !state || !strncasecmp(state, "associat", 8);
}

static void index_table(struct wh_aws *a, const json_t *table)
{
	const char *id = wh_aws_text(table, "RouteTableId"), *vpc = wh_aws_text(table, "VpcId");
	size_t i;
	json_t *o;
	a->tables_by.page |= json_object_get(table, WH_AWS_PAGE) != NULL;
	json_array_foreach(json_object_get(table, "Associations"), i, o) {
		const char *subnet = wh_aws_text(o, "SubnetId"), *gateway = wh_aws_text(o, "GatewayId");
		if (json_is_true(json_object_get(o, "Main")))
			wh_name_set_add(&a->tables_by.main, vpc, id);
		if (subnet && holds(o))
			wh_name_set_add(&a->tables_by.subnet, subnet, id);
		if (gateway && !strncmp(gateway, "igw-", 4) && holds(o))
			wh_name_set_add(&a->tables_by.edge, vpc, id);
	}
}

void wh_aws_routes(struct wh_aws *a)
{
	struct wh_name_set *sets[] = {&a->tables_by.interface, &a->tables_by.main, &a->tables_by.subnet, &a->tables_by.edge,
	                              &a->tables_by.chosen};
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		sets[i]->mem = a->mem;
	for (size_t i = 0; i < a->n_interfaces; i++)
		wh_name_set_add(&a->tables_by.interface, a->interfaces[i].id, &a->interfaces[i]);
	for (size_t i = 0; i < a->tables.n; i++)
		index_table(a, a->tables.items[i]->body);
	for (size_t i = 0; i < a->tables.n; i++)
		derive_table(a, a->tables.items[i]);
}

const char *wh_aws_edge(const struct wh_aws *a, const char *vpc)
{
	return wh_name_set_find(&a->tables_by.edge, vpc);
}

/* A subnet's own table; else its VPC's main one, unless its own may be in no document. */
static const char *find_table(const struct wh_aws *a, const char *subnet, const char *vpc)
{
	const char *own = wh_name_set_find(&a->tables_by.subnet, subnet);
	return own || a->tables_by.page ? own : wh_name_set_find(&a->tables_by.main, vpc);
}

const char *wh_aws_table_of(struct wh_aws *a, const char *subnet, const char *vpc, const struct wh_item *from)
{
	if (!a->tables.n)
		return NULL;
	const char *known = wh_name_set_find(&a->tables_by.chosen, subnet);
	if (known)
		return known;
	known = find_table(a, subnet, vpc);
	if (!known) {
		known = wh_arena_printf(a->mem, "table-of/%s", subnet);
		const char *why = wh_arena_printf(a->mem, "the route table of the subnet %s (`aws ec2 describe-route-tables`)",
		                                  subnet);
		wh_derive(&a->derived, from, type, known, subnet,
		          json_pack("{s:s, s:s, s:[]}", "id", known, "unsure", why, "routes"));
	}
	wh_name_set_add(&a->tables_by.chosen, wh_arena_strdup(a->mem, subnet), known);
	return known;
}

bool wh_aws_may_face(struct wh_aws *a, const char *subnet, const char *vpc, const struct wh_item *from)
{
	const struct wh_item *table = wh_aws_find(a, "route-table", wh_aws_table_of(a, subnet, vpc, from));
	size_t k;
	json_t *o;
	json_array_foreach(table ? json_object_get(table->body, "Routes") : NULL, k, o) {
		const char *hop = target_of(a, o, vpc).hop;
		if (!strcmp(hop, "Internet") || !strcmp(hop, "VirtualAppliance") || wh_aws_text(o, "DestinationPrefixListId"))
			return true;
	}
	return !table;
}
