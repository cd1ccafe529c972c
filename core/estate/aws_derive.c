/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AWS's VPCs, subnets, instances and interfaces in az's form. A subnet or VPC that no document has is known by the interfaces
 * that name it: they say in which VPC they are.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "estate/aws.h"
#include "estate/name_set.h"

const struct wh_item *wh_aws_find(const struct wh_aws *a, const char *kind, const char *id)
{
	return id ? wh_inventory_find(a->inv, wh_arena_printf(a->mem, "/aws/ec2/%s/%s", kind, id)) : NULL;
}

const char *wh_aws_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s && *s ? s : NULL;
}

json_t *wh_aws_tags(const json_t *o)
{
	json_t *tags = json_object(), *t;
	size_t i;
	json_array_foreach(json_object_get(o, "Tags"), i, t) {
		const char *key = wh_aws_text(t, "Key");
		json_t *value = json_object_get(t, "Value");
		if (key && json_is_string(value))
			json_object_set(tags, key, value);
	}
	return tags;
}

const char *wh_aws_name(const json_t *o, const char *id)
{
	size_t i;
	json_t *t;
	json_array_foreach(json_object_get(o, "Tags"), i, t) {
		const char *key = wh_aws_text(t, "Key"), *value = wh_aws_text(t, "Value");
		if (key && value && !strcmp(key, "Name") && !wh_text_unprintable(value) && !strchr(value, '/'))
			return value;
	}
	return id;
}

void wh_aws_cidrs(const json_t *list, const char *member, json_t *out)
{
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *state = wh_aws_text(json_object_get(v, "CidrBlockState"), "State");
		state = state ? state : wh_aws_text(json_object_get(v, "Ipv6CidrBlockState"), "State");
		if (wh_aws_text(v, member) && (!state || !strncasecmp(state, "associat", 8)))
			json_array_append(out, json_object_get(v, member));
	}
}

/* ---- what there is ---- */

struct wh_aws_list wh_aws_of_kind(struct wh_aws *a, const char *kind)
{
	struct wh_aws_list l;
	l.n = wh_inventory_of_type(a->inv, wh_arena_printf(a->mem, WH_AWS_RAW "%s", kind), &l.items);
	return l;
}

/* ---- networks ---- */

/* The subnets of a VPC while they are collected. */
struct vpc { const char *id; const struct wh_item *from, *own; json_t *subnets, *peerings, *space; };
struct networks { struct wh_aws *a; struct vpc *list; size_t n, room; struct wh_name_set by_id, subnets; };

static struct vpc *vpc_of(struct networks *w, const char *id, const struct wh_item *from)
{
	const void *at = wh_name_set_find(&w->by_id, id);
	if (at)
		return &w->list[(size_t)(uintptr_t)at - 1];
	w->list = wh_arena_grown(w->a->mem, w->list, w->n, &w->room, sizeof *w->list);
	w->list[w->n] = (struct vpc){.id = id,
	                             .from = from,
	                             .own = wh_aws_find(w->a, "vpc", id),
	                             .subnets = json_array(),
	                             .peerings = json_array(),
	                             .space = json_array()};
	wh_name_set_add(&w->by_id, id, (const void *)(uintptr_t)(w->n + 1));
	return &w->list[w->n++];
}

static void add_subnet(struct networks *w, const char *id, const char *vpc, const struct wh_item *from)
{
	const struct wh_item *own = wh_aws_find(w->a, "subnet", id);
	const char *in = own ? wh_aws_text(own->body, "VpcId") : NULL;
	if (!id || !(in = in ? in : vpc) || wh_name_set_add(&w->subnets, id, from))
		return;
	struct vpc *v = vpc_of(w, in, from);
	json_t *prefixes = json_array(), *o;
	if (own && wh_aws_text(own->body, "CidrBlock"))
		json_array_append(prefixes, json_object_get(own->body, "CidrBlock"));
	if (own)
		wh_aws_cidrs(json_object_get(own->body, "Ipv6CidrBlockAssociationSet"), "Ipv6CidrBlock", prefixes);
	if (!v->own)
		json_array_extend(v->space, prefixes);
	o = json_pack("{s:s, s:s, s:O}", "id", id, "name", own ? wh_aws_name(own->body, id) : id, "addressPrefixes", prefixes);
	const char *acl = wh_aws_acl(w->a, id, prefixes);
	if (acl)
		json_object_set_new(o, "networkSecurityGroup", json_pack("{s:s}", "id", acl));
	const char *table = wh_aws_table_of(w->a, id, in, from);
	if (table)
		json_object_set_new(o, "routeTable", json_pack("{s:s}", "id", table));
	json_object_set_new(o, "gatewaysBlocked", json_integer(wh_aws_block(w->a, id, in)));
	json_array_append_new(v->subnets, o);
	json_decref(prefixes);
}

/* A connection between two VPCs stands at both. */
static void add_peering(struct networks *w, const struct wh_item *it)
{
	static const char *const ends[2] = {"RequesterVpcInfo", "AccepterVpcInfo"};
	const char *id = wh_aws_text(it->body, "VpcPeeringConnectionId"),
		   *code = wh_aws_text(json_object_get(it->body, "Status"), "Code");
	for (int i = 0; i < 2; i++) {
		const json_t *own = json_object_get(it->body, ends[i]), *other = json_object_get(it->body, ends[1 - i]);
		const char *vpc = wh_aws_text(own, "VpcId"), *remote = wh_aws_text(other, "VpcId");
		if (!vpc || !remote || !id || !wh_name_set_find(&w->by_id, vpc))
			continue;
		json_t *space = json_array();
		if (wh_aws_text(other, "CidrBlock") && !json_object_get(other, "CidrBlockSet"))
			json_array_append(space, json_object_get(other, "CidrBlock"));
		wh_aws_cidrs(json_object_get(other, "CidrBlockSet"), "CidrBlock", space);
		wh_aws_cidrs(json_object_get(other, "Ipv6CidrBlockSet"), "Ipv6CidrBlock", space);
		json_array_append_new(vpc_of(w, vpc, it)->peerings,
		                      json_pack("{s:s, s:s, s:s, s:{s:s}, s:o}", "id", id, "name", id, "peeringState",
		                                code && !strcasecmp(code, "active") ? "Connected" : "Disconnected",
		                                "remoteVirtualNetwork", "id", remote, "remoteAddressSpace", space));
	}
}

static void derive_vpc(struct networks *w, struct vpc *v)
{
	const json_t *o = v->own ? v->own->body : NULL;
	if (v->own) {
		wh_aws_cidrs(json_object_get(o, "CidrBlockAssociationSet"), "CidrBlock", v->space);
		if (!json_array_size(v->space) && wh_aws_text(o, "CidrBlock"))
			json_array_append(v->space, json_object_get(o, "CidrBlock"));
		wh_aws_cidrs(json_object_get(o, "Ipv6CidrBlockAssociationSet"), "Ipv6CidrBlock", v->space);
	} else {
		wh_inventory_note(
			w->a->inv,
			"%s: the VPC %s is in no document (`aws ec2 describe-vpcs`): its addresses are taken to be those of its subnets",
			v->from->file, v->id);
	}
	json_t *body = json_pack("{s:s, s:{s:o}, s:o, s:o, s:o}", "id", v->id, "addressSpace", "addressPrefixes", v->space,
	                         "subnets", v->subnets, "virtualNetworkPeerings", v->peerings, "tags", wh_aws_tags(o));
	const char *edge = wh_aws_edge(w->a, v->id);
	if (edge)
		json_object_set_new(body, "edgeRouteTable", json_string(edge));
	wh_derive(&w->a->derived, v->own ? v->own : v->from, "microsoft.network/virtualnetworks", v->id, wh_aws_name(o, v->id),
	          body);
}

static void derive_networks(struct wh_aws *a)
{
	struct networks w = {.a = a, .by_id = {.mem = a->mem, .any_case = true}, .subnets = {.mem = a->mem, .any_case = true}};
	size_t unlisted = 0, at = 0;
	for (size_t i = 0; i < a->vpcs.n; i++)
		vpc_of(&w, wh_aws_text(a->vpcs.items[i]->body, "VpcId"), a->vpcs.items[i]);
	for (size_t i = 0; i < a->subnets.n; i++)
		add_subnet(&w, wh_aws_text(a->subnets.items[i]->body, "SubnetId"), NULL, a->subnets.items[i]);
	for (size_t i = 0; i < a->n_interfaces; i++) {
		const struct wh_aws_interface *f = &a->interfaces[i];
		at = f->subnet && !unlisted && !wh_aws_find(a, "subnet", f->subnet) ? i : at;
		unlisted += f->subnet && !wh_aws_find(a, "subnet", f->subnet);
		add_subnet(&w, f->subnet, f->vpc, f->from);
	}
	if (unlisted)
		wh_inventory_note(
			a->inv,
			"%s: interfaces are in subnets that no document has, such as %s (`aws ec2 describe-subnets`): their ranges are not known",
			a->interfaces[at].from->file, a->interfaces[at].subnet);
	for (size_t i = 0; i < a->peerings.n; i++)
		add_peering(&w, a->peerings.items[i]);
	for (size_t i = 0; i < w.n; i++)
		derive_vpc(&w, &w.list[i]);
	if (w.n && !a->tables.n)
		wh_inventory_note(
			a->inv,
			"%s: no document has the route tables of AWS (`aws ec2 describe-route-tables`): a public address and an IPv6 one are taken to be reached from the Internet, an active peering to be routed; whether other networks are connected is unknown",
			w.list[0].from->file);
}

/* ---- hosts ---- */

static void derive_instances(struct wh_aws *a)
{
	for (size_t i = 0; i < a->instances.n; i++) {
		const struct wh_item *it = a->instances.items[i];
		const char *id = wh_aws_text(it->body, "InstanceId"),
			   *zone = wh_aws_text(json_object_get(it->body, "Placement"), "AvailabilityZone");
		if (!wh_aws_gone(it->body))
			wh_derive(&a->derived, it, "microsoft.compute/virtualmachines", id, wh_aws_name(it->body, id),
			          json_pack("{s:s, s:s, s:o}", "id", id, "location", zone ? zone : "", "tags",
			                    wh_aws_tags(it->body)));
	}
}

/* A NAT gateway's own interface takes no connections from the Internet, though it has a public address and no group. */
static bool is_nat(const json_t *interface)
{
	const char *type = wh_aws_text(interface, "InterfaceType");
	return type && (!strcasecmp(type, "nat_gateway") || !strcasecmp(type, "natGateway"));
}

static const char planned[] = "planned";

static void add_address(struct wh_aws *a, const struct wh_aws_interface *f, json_t *configurations, const char *address,
                        const char *public)
{
	json_t *groups = json_array(), *o;
	const char *id = wh_arena_printf(a->mem, "%s/%s", f->id, address);
	for (size_t i = 0; i < f->n_groups; i++)
		json_array_append_new(groups, json_pack("{s:s}", "id", f->group[i]));
	o = json_pack("{s:s, s:s, s:s, s:o}", "id", id, "name", address, "privateIPAddress", address, "applicationSecurityGroups",
	              groups);
	if (f->subnet)
		json_object_set_new(o, "subnet", json_pack("{s:s}", "id", f->subnet));
	public = public ? public : is_nat(f->o) ? NULL : wh_aws_elastic(a, f, address);
	if (public && !wh_aws_blocked(a, f->subnet, f->vpc)) {
		const char *ip = wh_arena_printf(a->mem, "%s/public/%s", f->id, public);
		json_object_set_new(o, "publicIPAddress", json_pack("{s:s}", "id", ip));
		wh_derive(
			&a->derived, f->from, "microsoft.network/publicipaddresses", ip, public,
			json_pack("{s:s*, s:{s:s}}", "ipAddress", strcmp(public, planned) ? public : NULL, "sku", "name", "AWS"));
	}
	json_array_append_new(configurations, o);
}

/* The public address of an association; `planned`: AWS has not chosen it yet. */
static const char *public_of(const struct wh_aws_interface *f, const json_t *holder)
{
	const json_t *association = is_nat(f->o) ? NULL : json_object_get(holder, "Association");
	const char *public = wh_aws_text(association, "PublicIp");
	return public ? public : json_is_true(json_object_get(association, WH_AWS_PLANNED)) ? planned : NULL;
}

static void add_addresses(struct wh_aws *a, const struct wh_aws_interface *f, json_t *out)
{
	const char *address = wh_aws_text(f->o, "PrivateIpAddress");
	size_t i;
	json_t *v;
	json_array_foreach(json_object_get(f->o, "PrivateIpAddresses"), i, v)
		if (wh_aws_text(v, "PrivateIpAddress"))
			add_address(a, f, out, wh_aws_text(v, "PrivateIpAddress"), public_of(f, v));
	if (!i && address)
		add_address(a, f, out, address, public_of(f, f->o));
	json_array_foreach(json_object_get(f->o, "Ipv6Addresses"), i, v) {
		const char *six = wh_aws_text(v, "Ipv6Address");
		struct wh_addr addr;
		if (six && !wh_addr_parse(six, strlen(six), &addr))
			add_address(a, f, out, six, wh_addr_is_private(&addr) ? NULL : six);
	}
}

static void derive_interfaces(struct wh_aws *a)
{
	for (size_t i = 0; i < a->n_interfaces; i++) {
		const struct wh_aws_interface *f = &a->interfaces[i];
		const json_t *check = json_object_get(f->o, "SourceDestCheck");
		const char *description = wh_aws_text(f->o, "Description"), *owner = f->instance;
		json_t *configurations = json_array(), *o;
		if (!owner) { /* what is behind it is not listed: it stands for it */
			owner = wh_arena_printf(a->mem, "interface/%s", f->id);
			wh_derive(
				&a->derived, f->from, "interface", owner, f->id,
				json_pack("{s:s, s:{s:s}}", "id", owner, "tags", "description", description ? description : ""));
		}
		add_addresses(a, f, configurations);
		o = json_pack("{s:s, s:{s:s}, s:b, s:o}", "id", f->id, "virtualMachine", "id", owner, "enableIPForwarding",
		              check && json_is_false(check), "ipConfigurations", configurations);
		if (f->groups)
			json_object_set_new(o, "networkSecurityGroup", json_pack("{s:s}", "id", f->groups));
		wh_derive(&a->derived, f->from, "microsoft.network/networkinterfaces", f->id, f->id, o);
	}
}

void wh_aws_derive(struct wh_inventory *inv)
{
	bool any = false;
	for (size_t i = 0; i < inv->n && !any; i++)
		any = !strncmp(inv->items[i].type, WH_AWS_RAW, sizeof WH_AWS_RAW - 1);
	if (!any)
		return;
	struct wh_aws a = {.inv = inv, .mem = inv->mem, .derived = {.inv = inv, .prefix = WH_DERIVED_AWS}};
	a.groups = wh_aws_of_kind(&a, "security-group");
	a.rules = wh_aws_of_kind(&a, "security-group-rule");
	a.subnets = wh_aws_of_kind(&a, "subnet");
	a.vpcs = wh_aws_of_kind(&a, "vpc");
	a.acls = wh_aws_of_kind(&a, "network-acl");
	a.lists = wh_aws_of_kind(&a, "prefix-list");
	a.peerings = wh_aws_of_kind(&a, "peering");
	a.instances = wh_aws_of_kind(&a, "instance");
	a.tables = wh_aws_of_kind(&a, "route-table");
	wh_aws_find_interfaces(&a);
	wh_aws_routes(&a);
	derive_networks(&a);
	derive_instances(&a);
	derive_interfaces(&a);
	wh_aws_groups(&a);
	wh_aws_balancers(&a);
	json_decref(a.made);
	wh_derived_join(&a.derived);
}
