/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was collected of AWS's resources in a state of Terraform's: joined, and taken into the inventory. */
#include <string.h>
#include "estate/aws.h"
#include "estate/inventory_plan.h"
#include "estate/terraform_aws.h"

const char *wh_tf_aws_either(const json_t *v, const char *a, const char *b)
{
	const char *s = wh_aws_text(v, a);
	return s ? s : wh_aws_text(v, b);
}

const char *wh_tf_aws_key(const struct wh_tf_aws *s, const char *member, const char *id)
{
	return wh_arena_printf(s->inv->mem, "%s %s", member, id);
}

static json_t *find(const struct wh_tf_aws *s, const char *member, const char *id)
{
	return id ? json_object_get(s->objects, wh_tf_aws_key(s, member, id)) : NULL;
}

/* An interface that has a resource of its own, or an instance's first one. */
static json_t *interface_of(const struct wh_tf_aws *s, const char *id)
{
	json_t *own = find(s, "NetworkInterfaceId", id);
	return own ? own : id ? json_object_get(s->first, id) : NULL;
}

json_t *wh_tf_aws_association(const char *public)
{
	return strcmp(public, WH_PLAN_PUBLIC) ? json_pack("{s:s}", "PublicIp", public) : json_pack("{s:b}", WH_AWS_PLANNED, 1);
}

/* A public address, at the private one that it is for. */
static void join_address(json_t *interface, const json_t *v)
{
	const char *public = wh_aws_text(v, "public_ip"), *private = wh_tf_aws_either(v, "private_ip", "private_ip_address");
	json_t *list = json_object_get(interface, "PrivateIpAddresses"), *a;
	size_t i;
	json_array_foreach(list, i, a) {
		const char *own = wh_aws_text(a, "PrivateIpAddress");
		if (public && (private ? own && !strcmp(own, private) : !i))
			json_object_set_new(a, "Association", wh_tf_aws_association(public));
	}
}

static void join_all(struct wh_tf_aws *s)
{
	size_t i;
	json_t *j;
	json_array_foreach(s->joins, i, j) {
		const char *type = wh_aws_text(j, "type");
		const json_t *v = json_object_get(j, "values");
		if (json_object_get(j, "balancer")) {
			wh_tf_aws_join_listener(s, j);
			continue;
		}
		const char *instance = wh_tf_aws_either(v, "instance", "instance_id"),
			   *id = wh_tf_aws_either(v, "network_interface", "network_interface_id"),
			   *group = wh_aws_text(v, "security_group_id");
		id = id ? id : instance ? json_string_value(json_object_get(s->first, instance)) : NULL;
		json_t *interface = interface_of(s, id);
		if (!strcmp(type, "aws_network_interface_attachment") && instance)
			json_object_set_new(interface, "Attachment", json_pack("{s:s}", "InstanceId", instance));
		else if (group)
			json_array_append_new(json_object_get(interface, "Groups"), json_pack("{s:s}", "GroupId", group));
		else
			join_address(interface, v);
	}
}

static void mark_main(const struct wh_tf_aws *s)
{
	const char *vpc;
	json_t *original, *chosen;
	json_object_foreach(s->originals, vpc, original)
		if (!json_object_get(s->mains, vpc))
			json_object_set(s->mains, vpc, original);
	json_object_foreach(s->mains, vpc, chosen) {
		json_t *table = find(s, "RouteTableId", json_string_value(chosen)), *list;
		if (!table)
			continue;
		if (!json_object_get(table, "VpcId"))
			json_object_set_new(table, WH_AWS_PART, json_true());
		json_object_set_new(table, "VpcId", json_string(vpc));
		list = json_object_get(table, "Associations");
		if (!list)
			json_object_set_new(table, "Associations", list = json_array());
		json_array_append_new(list, json_pack("{s:b}", "Main", 1));
	}
}

/* A state has no local routes. */
static void add_local(const struct wh_tf_aws *s, json_t *table)
{
	static const char *const sets[] = {"CidrBlockAssociationSet", "Ipv6CidrBlockAssociationSet"},
				 *const members[] = {"CidrBlock", "Ipv6CidrBlock"},
				 *const destinations[] = {"DestinationCidrBlock", "DestinationIpv6CidrBlock"};
	const json_t *vpc = find(s, "VpcId", wh_aws_text(table, "VpcId"));
	json_t *routes = json_object_get(table, "Routes"), *v, *r;
	size_t i, k;
	if (!routes)
		json_object_set_new(table, "Routes", routes = json_array());
	for (int six = 0; six < 2; six++)
		json_array_foreach(json_object_get(vpc, sets[six]), i, v) {
			const char *range = wh_aws_text(v, members[six]);
			bool there = !range;
			json_array_foreach(routes, k, r)
				there |= range && wh_aws_text(r, destinations[six]) &&
				         !strcmp(wh_aws_text(r, destinations[six]), range);
			if (!there)
				json_array_append_new(routes,
				                      json_pack("{s:s, s:s}", destinations[six], range, "GatewayId", "local"));
		}
}

/* Members that follow from other resources. */
static void complete(const struct wh_tf_aws *s, json_t *o)
{
	const json_t *subnet = find(s, "SubnetId", wh_aws_text(o, "SubnetId"));
	const char *vpc = subnet ? wh_aws_text(subnet, "VpcId") : NULL;
	size_t i;
	json_t *f;
	if (wh_aws_text(o, "RouteTableId")) {
		if (!wh_aws_text(o, "VpcId"))
			json_object_set_new(o, WH_AWS_PART, json_true());
		add_local(s, o);
	}
	if (vpc && !json_object_get(o, "VpcId"))
		json_object_set_new(o, "VpcId", json_string(vpc));
	json_array_foreach(json_object_get(o, "NetworkInterfaces"), i, f)
		if (vpc)
			json_object_set_new(f, "VpcId", json_string(vpc));
}

int wh_tf_aws_finish(struct wh_tf_aws *s, struct wh_error *err)
{
	const char *key;
	json_t *o;
	int rc = 0;
	if (s->n_nameless)
		wh_inventory_note(s->inv, "%s: %zu of AWS's resources have no ids yet, as in a plan: left aside",
		                  s->inv->documents[s->document].file, s->n_nameless);
	if (!s->objects)
		return 0;
	join_all(s);
	mark_main(s);
	json_object_foreach(s->objects, key, o) {
		const char *path = json_string_value(json_object_get(s->paths, key));
		complete(s, o);
		if (rc >= 0)
			rc = wh_aws_take(s->inv, s->document, path ? path : "", o, err);
	}
	json_t *all[] = {s->objects, s->paths, s->mains, s->originals, s->first, s->joins};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		json_decref(all[i]);
	return rc < 0 ? rc : 0;
}
