/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AWS's resources of a plan of Terraform's: what AWS would choose for them when it makes them.
 *
 *   aws_instance.web {subnet_id: aws_subnet.a, associate_public_ip_address: true}
 *   → private_ip: the first free one of the subnet, an interface of its own, and a public address that is not known yet
 *
 * An instance without a subnet is in the default VPC, which gives it a public address; one without groups has its VPC's default
 * group, which lets in only its own members.
 */
#include <string.h>
#include "estate/aws.h"
#include "estate/inventory_plan.h"

#define DEFAULT_VPC "the default VPC"
#define DEFAULT_GATEWAY "igw-of the default VPC"
#define DEFAULT_TABLE "the route table of the default VPC"
#define DEFAULT_SUBNET "a subnet of the default VPC"

const char *wh_plan_aws_id(const char *type, const char *address, struct wh_arena *mem)
{
	const char *begin = !strcmp(type, "aws_internet_gateway") ? "igw-" : !strcmp(type, "aws_vpn_gateway") ? "vgw-" : "";
	char *id = wh_arena_printf(mem, "%s%s", begin, address);
	for (char *c = id; *c; c++)
		*c = *c == '/' ? '_' : *c; /* an id is one part of a path */
	return id;
}

bool wh_plan_aws_refers(const char *member, const char *id)
{
	static const char *const types[][2] = {{"security_groups", "aws_security_group."},
	                                       {"security_groups", "aws_default_security_group."},
	                                       {"prefix_list_ids", "aws_ec2_managed_prefix_list."},
	                                       {"gateway_id", "aws_internet_gateway."},
	                                       {"gateway_id", "aws_vpn_gateway."},
	                                       {"nat_gateway_id", "aws_nat_gateway."},
	                                       {"egress_only_gateway_id", "aws_egress_only_internet_gateway."},
	                                       {"transit_gateway_id", "aws_ec2_transit_gateway."},
	                                       {"vpc_peering_connection_id", "aws_vpc_peering_connection."},
	                                       {"network_interface_id", "aws_network_interface."}};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i][0], member) && id && strstr(id, types[i][1]))
			return true;
	return false;
}

/* ---- what AWS adds ---- */

struct adding { json_t *by_address, *resources; struct wh_arena *mem; };

static bool is(const json_t *resource, const char *type)
{
	const char *own = wh_aws_text(resource, "type");
	return own && !strcmp(own, type);
}

static json_t *values_of(const struct adding *a, const char *type, const char *id)
{
	const char *key;
	json_t *r;
	json_object_foreach(a->by_address, key, r) {
		json_t *v = json_object_get(r, "values");
		if (id && wh_aws_text(v, "id") && !strcmp(wh_aws_text(v, "id"), id) && is(r, type))
			return v;
	}
	return NULL;
}

static void add(struct adding *a, const char *type, const char *address, json_t *values)
{
	json_t *r = json_pack("{s:s, s:s, s:s, s:s, s:o}", "address", address, "mode", "managed", "type", type, "name", address,
	                      "values", values);
	if (!json_object_get(a->by_address, address)) {
		json_array_append(a->resources, r);
		json_object_set(a->by_address, address, r);
	}
	json_decref(r);
}

static const char *default_subnet(struct adding *a)
{
	add(a, "aws_default_vpc", DEFAULT_VPC,
	    json_pack("{s:s, s:s}", "id", DEFAULT_VPC, "cidr_block", "172.31.0.0/16"));
	add(a, "aws_default_subnet", DEFAULT_SUBNET,
	    json_pack("{s:s, s:s, s:s, s:b}", "id", DEFAULT_SUBNET, "vpc_id", DEFAULT_VPC, "cidr_block", "172.31.0.0/20",
	              "map_public_ip_on_launch", 1));
	add(a, "aws_internet_gateway", DEFAULT_GATEWAY, json_pack("{s:s, s:s}", "id", DEFAULT_GATEWAY, "vpc_id", DEFAULT_VPC));
	add(a, "aws_default_route_table", DEFAULT_TABLE,
	    json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "id", DEFAULT_TABLE, "vpc_id", DEFAULT_VPC, "route", "cidr_block",
	              "0.0.0.0/0", "gateway_id", DEFAULT_GATEWAY));
	return DEFAULT_SUBNET;
}

/* The group that an instance has which names none: one of the plan, or one with the rules that AWS gives it. */
static const char *default_group(struct adding *a, const char *vpc)
{
	const char *key, *id = wh_arena_printf(a->mem, "default group of %s", vpc);
	json_t *r;
	json_object_foreach(a->by_address, key, r) {
		const json_t *v = json_object_get(r, "values");
		const char *in = wh_aws_text(v, "vpc_id");
		if (is(r, "aws_default_security_group") && wh_aws_text(v, "id") &&
		    (in ? !strcmp(in, vpc) : !strcmp(vpc, DEFAULT_VPC)))
			return wh_aws_text(v, "id");
	}
	add(a, "aws_security_group", id,
	    json_pack("{s:s, s:s, s:s, s:[{s:s, s:b}], s:[{s:s, s:[s]}]}", "id", id, "name", "default", "vpc_id", vpc, "ingress",
	              "protocol", "-1", "self", 1, "egress", "protocol", "-1", "cidr_blocks", "0.0.0.0/0"));
	return id;
}

/* Its interface, which the plan has as a resource of its own, or AWS makes. */
static void add_interface(struct adding *a, json_t *v)
{
	const char *own = wh_aws_text(json_array_get(json_object_get(v, "network_interface"), 0), "network_interface_id"),
		   *id = wh_aws_text(v, "id");
	json_t *interface = values_of(a, "aws_network_interface", own);
	if (interface)
		json_object_set_new(interface, "attachment", json_pack("[{s:s}]", "instance", id));
	if (own || wh_aws_text(v, "primary_network_interface_id"))
		return;
	json_object_set_new(v, "primary_network_interface_id", json_string(wh_arena_printf(a->mem, "eni-of-%s", id)));
	if (!wh_aws_text(v, "subnet_id"))
		json_object_set_new(v, "subnet_id", json_string(default_subnet(a)));
	const json_t *subnet = values_of(a, "aws_subnet", wh_aws_text(v, "subnet_id")), *asks;
	subnet = subnet ? subnet : values_of(a, "aws_default_subnet", wh_aws_text(v, "subnet_id"));
	if (!json_array_size(json_object_get(v, "vpc_security_group_ids")) && wh_aws_text(subnet, "vpc_id"))
		json_object_set_new(v, "vpc_security_group_ids",
		                    json_pack("[s]", default_group(a, wh_aws_text(subnet, "vpc_id"))));
	asks = json_object_get(v, "associate_public_ip_address");
	if (!wh_aws_text(v, "public_ip") &&
	    (json_is_true(asks) || (!json_is_boolean(asks) && json_is_true(json_object_get(subnet, "map_public_ip_on_launch")))))
		json_object_set_new(v, "public_ip", json_string(WH_PLAN_PUBLIC));
}

void wh_plan_aws_add(json_t *by_address, json_t *resources, struct wh_arena *mem)
{
	struct adding a = {by_address, resources, mem};
	json_t *before = json_copy(by_address), *r;
	const char *key;
	json_object_foreach(before, key, r) {
		json_t *v = json_object_get(r, "values");
		if (is(r, "aws_instance"))
			add_interface(&a, v);
		if (is(r, "aws_eip") && !wh_aws_text(v, "public_ip"))
			json_object_set_new(v, "public_ip", json_string(WH_PLAN_PUBLIC));
	}
	json_decref(before);
}
