/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AWS's interfaces: those of their own documents, those in instances, and whether the former are all. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/aws.h"

void wh_aws_addresses(const struct wh_aws_interface *f, json_t *out)
{
	size_t before = json_array_size(out);
	wh_aws_cidrs(json_object_get(f->o, "PrivateIpAddresses"), "PrivateIpAddress", out);
	if (json_array_size(out) == before && wh_aws_text(f->o, "PrivateIpAddress"))
		json_array_append(out, json_object_get(f->o, "PrivateIpAddress"));
	wh_aws_cidrs(json_object_get(f->o, "Ipv6Addresses"), "Ipv6Address", out);
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void read_groups(struct wh_aws *a, struct wh_aws_interface *f)
{
	const json_t *list = json_object_get(f->o, "Groups");
	size_t i;
	json_t *g;
	f->group = wh_arena_array(a->mem, json_array_size(list) + 1, sizeof *f->group);
	json_array_foreach((json_t *)(uintptr_t)list, i, g)
		if (wh_aws_text(g, "GroupId"))
			f->group[f->n_groups++] = wh_aws_text(g, "GroupId");
	if (f->n_groups)
		qsort(f->group, f->n_groups, sizeof *f->group, by_text);
	for (i = 0; i < f->n_groups; i++)
		f->groups = f->groups ? wh_arena_printf(a->mem, "%s+%s", f->groups, f->group[i]) : f->group[i];
}

static void add_interface(struct wh_aws *a, struct wh_name_set *had, const struct wh_item *from, const json_t *o,
                          const char *instance)
{
	const char *id = wh_aws_text(o, "NetworkInterfaceId"), *status = wh_aws_text(o, "Status");
	if (!id || (!instance && status && !strcasecmp(status, "available")) || /* nothing has it */
	    wh_name_set_add(had, id, from))
		return;
	a->interfaces = wh_arena_grown(a->mem, a->interfaces, a->n_interfaces, &a->room_interfaces, sizeof *a->interfaces);
	struct wh_aws_interface *f = &a->interfaces[a->n_interfaces++];
	*f = (struct wh_aws_interface){.from = from, .o = o, .id = id, .instance = instance};
	f->subnet = wh_aws_text(o, "SubnetId");
	f->vpc = wh_aws_text(o, "VpcId");
	read_groups(a, f);
}

/* A terminated instance is listed for about an hour. */
bool wh_aws_gone(const json_t *instance)
{
	const char *state = wh_aws_text(json_object_get(instance, "State"), "Name");
	return state && (!strcasecmp(state, "terminated") || !strcasecmp(state, "shutting-down"));
}

/* Instances of which the answer with the interfaces has none: it was filtered, or is older than they are. So interfaces of
 * anything else in their VPCs may be absent, too. `had`: the interfaces, with the item that they are from. */
static void find_filtered(struct wh_aws *a, const struct wh_name_set *had)
{
	struct wh_name_set seen = {.mem = a->mem, .any_case = true};
	const char *first = NULL;
	size_t n = 0, k;
	json_t *o;
	a->filtered = (struct wh_name_set){.mem = a->mem, .any_case = true};
	for (size_t i = 0; i < a->n_interfaces; i++)
		if (a->interfaces[i].instance && !strcmp(a->interfaces[i].from->type, WH_AWS_RAW "interface"))
			wh_name_set_add(&seen, a->interfaces[i].instance, a);
	for (size_t i = 0; i < a->instances.n; i++) {
		const json_t *instance = a->instances.items[i]->body;
		const char *vpc = wh_aws_text(instance, "VpcId"), *id = wh_aws_text(instance, "InstanceId");
		bool lacks = !wh_name_set_find(&seen, id);
		json_array_foreach(json_object_get(instance, "NetworkInterfaces"), k, o) {
			const struct wh_item *from = wh_name_set_find(had, wh_aws_text(o, "NetworkInterfaceId"));
			lacks = lacks || (from && strcmp(from->type, WH_AWS_RAW "interface") != 0);
			vpc = vpc ? vpc : wh_aws_text(o, "VpcId");
		}
		if (!id || !lacks || wh_aws_gone(instance))
			continue;
		first = n++ ? first : id;
		if (vpc)
			wh_name_set_add(&a->filtered, vpc, a);
		a->all_filtered |= !vpc;
	}
	if (n)
		wh_inventory_note(
			a->inv,
			"%s: the interfaces (`aws ec2 describe-network-interfaces`, without filters) lack those of %zu of the instances, such as %s: other interfaces may be absent, too, and no security group of their VPCs is narrowed",
			a->instances.items[0]->file, n, first);
}

/* An instance of which a shortened answer (`--query`) has the address and groups alone, as if it had one interface. */
static void add_by_address(struct wh_aws *a, struct wh_name_set *had, const struct wh_item *from)
{
	const json_t *o = from->body, *groups = json_object_get(o, "SecurityGroups");
	const char *id = wh_aws_text(o, "InstanceId"), *address = wh_aws_text(o, "PrivateIpAddress");
	json_t *made = json_pack("{s:s+, s:s, s:O?, s:O?, s:O?, s:{s:O?}}", "NetworkInterfaceId", id, "/interface",
	                         "PrivateIpAddress", address, "SubnetId", json_object_get(o, "SubnetId"), "VpcId",
	                         json_object_get(o, "VpcId"), "Groups", groups, "Association", "PublicIp",
	                         json_object_get(o, "PublicIpAddress"));
	json_array_append_new(a->made, made);
	add_interface(a, had, from, made, id);
}

/* Elastic addresses, which a shortened or older answer may not have at the interface. */
static void find_elastic(struct wh_aws *a)
{
	static const char *const owners[] = {"NetworkInterfaceId", "InstanceId"};
	struct wh_aws_list l = wh_aws_of_kind(a, "address");
	a->elastic = (struct wh_name_set){.mem = a->mem, .any_case = true};
	for (size_t i = 0; i < l.n; i++) {
		const json_t *o = l.items[i]->body;
		const char *public = wh_aws_text(o, "PublicIp"), *private = wh_aws_text(o, "PrivateIpAddress");
		for (size_t k = 0; k < 2 && public && private; k++)
			if (wh_aws_text(o, owners[k]))
				wh_name_set_add(&a->elastic,
				                wh_arena_printf(a->mem, "%s %s", wh_aws_text(o, owners[k]), private), public);
	}
}

const char *wh_aws_elastic(const struct wh_aws *a, const struct wh_aws_interface *f, const char *private)
{
	const char *owners[] = {f->id, f->instance}, *public = NULL;
	for (size_t k = 0; k < 2 && !public; k++)
		if (owners[k])
			public = wh_name_set_find(&a->elastic, wh_arena_printf(a->mem, "%s %s", owners[k], private));
	return public;
}

void wh_aws_find_interfaces(struct wh_aws *a)
{
	struct wh_name_set had = {.mem = a->mem, .any_case = true}, known = {.mem = a->mem, .any_case = true};
	struct wh_aws_list own = wh_aws_of_kind(a, "interface");
	size_t k;
	json_t *o;
	find_elastic(a);
	for (size_t i = 0; i < own.n; i++) {
		const json_t *attachment = json_object_get(own.items[i]->body, "Attachment");
		add_interface(a, &had, own.items[i], own.items[i]->body, wh_aws_text(attachment, "InstanceId"));
	}
	for (size_t i = 0; i < a->instances.n; i++)
		json_array_foreach(json_object_get(a->instances.items[i]->body, "NetworkInterfaces"), k, o)
			if (!wh_aws_gone(a->instances.items[i]->body))
				add_interface(a, &had, a->instances.items[i], o,
				              wh_aws_text(a->instances.items[i]->body, "InstanceId"));
	a->made = json_array();
	for (size_t i = 0; i < a->n_interfaces; i++)
		wh_name_set_add(&known, a->interfaces[i].instance, a);
	for (size_t i = 0; i < a->instances.n; i++) {
		const json_t *body = a->instances.items[i]->body;
		if (!json_object_get(body, "NetworkInterfaces") && wh_aws_text(body, "PrivateIpAddress") && !wh_aws_gone(body) &&
		    !wh_name_set_find(&known, wh_aws_text(body, "InstanceId")))
			add_by_address(a, &had, a->instances.items[i]);
	}
	if (own.n)
		find_filtered(a, &had);
	if (!own.n && a->n_interfaces)
		wh_inventory_note(
			a->inv,
			"%s: no document has the interfaces of load balancers, databases and functions (`aws ec2 describe-network-interfaces`): they are taken not to exist, and no security group is narrowed, since one of them may have it",
			a->interfaces[0].from->file);
}
