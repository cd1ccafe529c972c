/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AWS's resources out of Terraform's state, as `aws ec2 describe-…` prints them: what the provider has as resources of their own
 * (a rule, a route, an association, an elastic address) is put where AWS has it, so that one reader reads both.
 *
 *   aws_route_table.web {id: rtb-1, route: [{cidr_block: 0.0.0.0/0, gateway_id: igw-1}]}
 *   aws_route_table_association.web {subnet_id: subnet-1, route_table_id: rtb-1}
 *   → {"RouteTableId": "rtb-1", "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}],
 *      "Associations": [{"SubnetId": "subnet-1"}]}
 */
#include <string.h>
#include "estate/aws.h"
#include "estate/terraform_aws.h"

static bool is(const struct wh_tf_aws *s, const char *type)
{
	return !strcmp(s->type, type);
}

/* ---- AWS's objects by their ids ---- */

json_t *wh_tf_aws_object(struct wh_tf_aws *s, const char *member, const char *id)
{
	const char *key = wh_tf_aws_key(s, member, id ? id : "");
	json_t *o = json_object_get(s->objects, key);
	if (!o && id) {
		json_object_set_new(s->objects, key, json_pack("{s:s}", member, id));
		json_object_set_new(s->paths, key, json_string(s->path));
		o = json_object_get(s->objects, key);
	}
	return o;
}

static json_t *list_of(json_t *o, const char *member)
{
	json_t *list = json_object_get(o, member);
	if (o && !json_is_array(list)) {
		list = json_array();
		json_object_set_new(o, member, list);
	}
	return list;
}

/* Appends {member: text} to a list of o's; no text, or no o: nothing. */
static void append(json_t *o, const char *list, const char *member, const char *text)
{
	if (o && text && *text)
		json_array_append_new(list_of(o, list), json_pack("{s:s}", member, text));
}

/* Copies values under AWS's names: pairs of names, ended by NULL. */
static void copy(json_t *to, const json_t *from, const char *const *pairs)
{
	for (; *pairs; pairs += 2) {
		json_t *v = json_object_get(from, pairs[0]);
		if (v && !json_is_null(v) && !(json_is_string(v) && !json_string_length(v)))
			json_object_set(to, pairs[1], v);
	}
}
#define COPY(to, from, ...) copy(to, from, (const char *const[]){__VA_ARGS__, NULL})

/* Each text of a list as an object with one member. */
static void each(json_t *to, const json_t *list, const char *member)
{
	size_t i;
	json_t *v;
	json_array_foreach((json_t *)(uintptr_t)list, i, v)
		if (json_string_length(v))
			json_array_append_new(to, json_pack("{s:O}", member, v));
}

static void tags(json_t *to, const json_t *from)
{
	const char *key;
	json_t *v, *list = json_array();
	json_object_foreach(json_object_get(from, "tags"), key, v)
		if (json_is_string(v))
			json_array_append_new(list, json_pack("{s:s, s:O}", "Key", key, "Value", v));
	json_object_set_new(to, "Tags", list);
}

/* ---- rules ---- */

static void add_ports(json_t *to, const json_t *from, const char *proto)
{
	if (proto && strcmp(proto, "-1") && strcmp(proto, "all"))
		COPY(to, from, "from_port", "FromPort", "to_port", "ToPort");
	json_object_set_new(to, "IpProtocol", json_string(proto && strcmp(proto, "all") ? proto : "-1"));
}

/* A permission of a group, from a block of rules, or from a resource that is one rule. */
static void add_permission(json_t *group, const json_t *v, bool inbound)
{
	const char *own = wh_aws_text(group, "GroupId"), *proto = wh_tf_aws_either(v, "protocol", "ip_protocol"),
		   *one = wh_tf_aws_either(v, "source_security_group_id", "referenced_security_group_id");
	json_t *p = json_object(), *g;
	size_t i;
	add_ports(p, v, proto);
	each(list_of(p, "IpRanges"), json_object_get(v, "cidr_blocks"), "CidrIp");
	each(list_of(p, "Ipv6Ranges"), json_object_get(v, "ipv6_cidr_blocks"), "CidrIpv6");
	each(list_of(p, "PrefixListIds"), json_object_get(v, "prefix_list_ids"), "PrefixListId");
	list_of(p, "UserIdGroupPairs");
	json_array_foreach(json_object_get(v, "security_groups"), i, g)
		append(p, "UserIdGroupPairs", "GroupId", wh_last_part(json_string_value(g)));
	append(p, "UserIdGroupPairs", "GroupId", wh_last_part(one));
	if (json_is_true(json_object_get(v, "self")))
		append(p, "UserIdGroupPairs", "GroupId", own);
	append(p, "IpRanges", "CidrIp", wh_aws_text(v, "cidr_ipv4"));
	append(p, "Ipv6Ranges", "CidrIpv6", wh_aws_text(v, "cidr_ipv6"));
	append(p, "PrefixListIds", "PrefixListId", wh_aws_text(v, "prefix_list_id"));
	json_array_append_new(list_of(group, inbound ? "IpPermissions" : "IpPermissionsEgress"), p);
}

static void take_group(struct wh_tf_aws *s, const json_t *v)
{
	json_t *o = wh_tf_aws_object(s, "GroupId", wh_aws_text(v, "id")), *rule;
	size_t i;
	COPY(o, v, "name", "GroupName", "vpc_id", "VpcId");
	tags(o, v);
	for (int out = 0; out < 2; out++) {
		list_of(o, out ? "IpPermissionsEgress" : "IpPermissions");
		json_array_foreach(json_object_get(v, out ? "egress" : "ingress"), i, rule)
			add_permission(o, rule, !out);
	}
}

static bool take_rules(struct wh_tf_aws *s, const json_t *v)
{
	if (is(s, "aws_security_group") || is(s, "aws_default_security_group")) {
		take_group(s, v);
		return true;
	}
	bool in = is(s, "aws_vpc_security_group_ingress_rule"), out = is(s, "aws_vpc_security_group_egress_rule"),
	     either = is(s, "aws_security_group_rule");
	if (!in && !out && !either)
		return false;
	json_t *group = wh_tf_aws_object(s, "GroupId", wh_aws_text(v, "security_group_id"));
	if (group)
		add_permission(group, v, in || (either && wh_aws_text(v, "type") && !strcmp(wh_aws_text(v, "type"), "ingress")));
	return true;
}

static void add_entry(json_t *acl, const json_t *v, bool egress)
{
	json_t *e = json_pack("{s:b}", "Egress", egress), *from = json_object_get(v, "from_port"),
	       *to = json_object_get(v, "to_port"), *type = json_object_get(v, "icmp_type");
	COPY(e, v, "rule_no", "RuleNumber", "rule_number", "RuleNumber", "protocol", "Protocol", "action", "RuleAction",
	     "rule_action", "RuleAction", "cidr_block", "CidrBlock", "ipv6_cidr_block", "Ipv6CidrBlock");
	if (wh_aws_text(e, "Protocol") && !strcmp(wh_aws_text(e, "Protocol"), "all"))
		json_object_set_new(e, "Protocol", json_string("-1"));
	if (json_is_integer(from) && json_is_integer(to))
		json_object_set_new(e, "PortRange", json_pack("{s:O, s:O}", "From", from, "To", to));
	if (json_is_integer(type))
		json_object_set_new(e, "IcmpTypeCode", json_pack("{s:O}", "Type", type));
	json_array_append_new(list_of(acl, "Entries"), e);
}

static bool take_acls(struct wh_tf_aws *s, const json_t *v)
{
	bool whole = is(s, "aws_network_acl") || is(s, "aws_default_network_acl"), rule = is(s, "aws_network_acl_rule");
	json_t *o, *e;
	size_t i;
	if (!whole && !rule && !is(s, "aws_network_acl_association"))
		return false;
	o = wh_tf_aws_object(s, "NetworkAclId", wh_aws_text(v, whole ? "id" : "network_acl_id"));
	list_of(o, "Entries");
	if (rule && o)
		add_entry(o, v, json_is_true(json_object_get(v, "egress")));
	for (int out = 0; out < 2 && whole; out++)
		json_array_foreach(json_object_get(v, out ? "egress" : "ingress"), i, e)
			add_entry(o, e, out);
	each(list_of(o, "Associations"), json_object_get(v, "subnet_ids"), "SubnetId");
	if (!whole && !rule)
		append(o, "Associations", "SubnetId", wh_aws_text(v, "subnet_id"));
	return true;
}

/* ---- networks ---- */

static bool take_networks(struct wh_tf_aws *s, const json_t *v)
{
	const char *id = wh_aws_text(v, "id");
	json_t *o;
	if (is(s, "aws_vpc") || is(s, "aws_default_vpc")) {
		o = wh_tf_aws_object(s, "VpcId", id);
		COPY(o, v, "cidr_block", "CidrBlock");
		if (id && wh_aws_text(v, "main_route_table_id"))
			json_object_set_new(s->originals, id, json_string(wh_aws_text(v, "main_route_table_id")));
		append(o, "CidrBlockAssociationSet", "CidrBlock", wh_aws_text(v, "cidr_block"));
		append(o, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock", wh_aws_text(v, "ipv6_cidr_block"));
		tags(o, v);
	} else if (is(s, "aws_vpc_ipv4_cidr_block_association")) {
		o = wh_tf_aws_object(s, "VpcId", wh_aws_text(v, "vpc_id"));
		append(o, "CidrBlockAssociationSet", "CidrBlock", wh_aws_text(v, "cidr_block"));
	} else if (is(s, "aws_subnet") || is(s, "aws_default_subnet")) {
		o = wh_tf_aws_object(s, "SubnetId", id);
		COPY(o, v, "vpc_id", "VpcId", "cidr_block", "CidrBlock");
		append(o, "Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock", wh_aws_text(v, "ipv6_cidr_block"));
		tags(o, v);
	} else if (is(s, "aws_vpc_peering_connection")) {
		o = wh_tf_aws_object(s, "VpcPeeringConnectionId", id);
		const char *status = wh_aws_text(v, "accept_status");
		json_object_set_new(o, "Status", json_pack("{s:s}", "Code", status ? status : "active"));
		json_object_set_new(o, "RequesterVpcInfo", json_pack("{s:s*}", "VpcId", wh_aws_text(v, "vpc_id")));
		json_object_set_new(o, "AccepterVpcInfo", json_pack("{s:s*}", "VpcId", wh_aws_text(v, "peer_vpc_id")));
	} else if (is(s, "aws_ec2_managed_prefix_list")) {
		size_t i;
		json_t *e;
		o = wh_tf_aws_object(s, "PrefixListId", id);
		COPY(o, v, "name", "PrefixListName");
		json_array_foreach(json_object_get(v, "entry"), i, e)
			append(o, "Entries", "Cidr", wh_aws_text(e, "cidr"));
	} else {
		return false;
	}
	return true;
}

/* ---- routes and gateways ---- */

static void add_route(json_t *table, const json_t *v)
{
	json_t *r = json_pack("{s:s, s:s}", "Origin", "CreateRoute", "State", "active");
	COPY(r, v, "cidr_block", "DestinationCidrBlock", "destination_cidr_block", "DestinationCidrBlock", "ipv6_cidr_block",
	     "DestinationIpv6CidrBlock", "destination_ipv6_cidr_block", "DestinationIpv6CidrBlock", "destination_prefix_list_id",
	     "DestinationPrefixListId", "gateway_id", "GatewayId", "nat_gateway_id", "NatGatewayId", "egress_only_gateway_id",
	     "EgressOnlyInternetGatewayId", "transit_gateway_id", "TransitGatewayId", "vpc_peering_connection_id",
	     "VpcPeeringConnectionId", "network_interface_id", "NetworkInterfaceId", "vpc_endpoint_id", "GatewayId",
	     "local_gateway_id", "LocalGatewayId", "carrier_gateway_id", "CarrierGatewayId", "core_network_arn", "CoreNetworkArn",
	     "instance_id", "InstanceId", "state", "State", "origin", "Origin");
	json_array_append_new(list_of(table, "Routes"), r);
}

static void associate(struct wh_tf_aws *s, const char *table, const char *member, json_t *value)
{
	json_t *o = wh_tf_aws_object(s, "RouteTableId", table);
	if (o)
		json_array_append_new(list_of(o, "Associations"), json_pack("{s:o}", member, value));
	else
		json_decref(value);
}

/* A gateway announces routes to the table, and no state has those. */
static void propagate(json_t *table, const char *gateway)
{
	if (!table || !gateway)
		return;
	append(table, "PropagatingVgws", "GatewayId", gateway);
	json_object_set_new(table, WH_AWS_PART, json_true());
}

static void take_table(struct wh_tf_aws *s, const json_t *v)
{
	json_t *o = wh_tf_aws_object(s, "RouteTableId", wh_aws_text(v, "id")), *r;
	size_t i;
	COPY(o, v, "vpc_id", "VpcId");
	if (is(s, "aws_default_route_table") && wh_aws_text(v, "vpc_id") && wh_aws_text(v, "id"))
		json_object_set_new(s->originals, wh_aws_text(v, "vpc_id"), json_string(wh_aws_text(v, "id")));
	list_of(o, "Routes");
	json_array_foreach(json_object_get(v, "route"), i, r)
		add_route(o, r);
	json_array_foreach(json_object_get(v, "propagating_vgws"), i, r)
		propagate(o, json_string_value(r));
	tags(o, v);
}

static bool take_routes(struct wh_tf_aws *s, const json_t *v)
{
	const char *table = wh_aws_text(v, "route_table_id"), *subnet = wh_aws_text(v, "subnet_id"),
		   *gateway = wh_aws_text(v, "gateway_id"), *vpc = wh_aws_text(v, "vpc_id");
	json_t *o;
	if (is(s, "aws_route_table") || is(s, "aws_default_route_table")) {
		take_table(s, v);
	} else if (is(s, "aws_route")) {
		o = wh_tf_aws_object(s, "RouteTableId", table);
		if (o)
			add_route(o, v);
	} else if (is(s, "aws_vpn_gateway_route_propagation")) {
		propagate(wh_tf_aws_object(s, "RouteTableId", table), wh_aws_text(v, "vpn_gateway_id"));
	} else if (is(s, "aws_route_table_association")) {
		if (subnet || gateway)
			associate(s, table, subnet ? "SubnetId" : "GatewayId", json_string(subnet ? subnet : gateway));
	} else if (is(s, "aws_main_route_table_association")) {
		json_object_set_new(s->mains, vpc ? vpc : "", json_string(table ? table : ""));
	} else if (is(s, "aws_nat_gateway")) {
		o = wh_tf_aws_object(s, "NatGatewayId", wh_aws_text(v, "id"));
		COPY(o, v, "subnet_id", "SubnetId", "connectivity_type", "ConnectivityType", "vpc_id", "VpcId");
		list_of(o, "NatGatewayAddresses");
	} else if (is(s, "aws_internet_gateway") || is(s, "aws_internet_gateway_attachment")) {
		const char *own = wh_aws_text(v, "internet_gateway_id");
		o = wh_tf_aws_object(s, "InternetGatewayId", own ? own : wh_aws_text(v, "id"));
		if (vpc)
			json_array_append_new(list_of(o, "Attachments"),
			                      json_pack("{s:s, s:s}", "State", "available", "VpcId", vpc));
		list_of(o, "Attachments");
	} else if (is(s, "aws_egress_only_internet_gateway")) {
		o = wh_tf_aws_object(s, "EgressOnlyInternetGatewayId", wh_aws_text(v, "id"));
		if (vpc)
			json_array_append_new(list_of(o, "Attachments"),
			                      json_pack("{s:s, s:s}", "State", "attached", "VpcId", vpc));
	} else {
		return false;
	}
	return true;
}

/* ---- machines ---- */

static void put_addresses(json_t *o, const json_t *v, const json_t *more)
{
	const char *first = wh_aws_text(v, "private_ip");
	json_t *list = list_of(o, "PrivateIpAddresses"), *a;
	size_t i;
	if (first) {
		json_object_set_new(o, "PrivateIpAddress", json_string(first));
		json_array_append_new(list, json_pack("{s:s, s:b}", "PrivateIpAddress", first, "Primary", 1));
	}
	json_array_foreach((json_t *)(uintptr_t)more, i, a)
		if (json_string_length(a) && (!first || strcmp(json_string_value(a), first) != 0))
			json_array_append_new(list, json_pack("{s:O}", "PrivateIpAddress", a));
	each(list_of(o, "Ipv6Addresses"), json_object_get(v, "ipv6_addresses"), "Ipv6Address");
}

static void take_interface(struct wh_tf_aws *s, const json_t *v)
{
	json_t *o = wh_tf_aws_object(s, "NetworkInterfaceId", wh_aws_text(v, "id")),
	       *at = json_array_get(json_object_get(v, "attachment"), 0);
	COPY(o, v, "subnet_id", "SubnetId", "source_dest_check", "SourceDestCheck", "description", "Description",
	     "interface_type", "InterfaceType", "mac_address", "MacAddress");
	put_addresses(o, v, json_object_get(v, "private_ips"));
	each(list_of(o, "Groups"), json_object_get(v, "security_groups"), "GroupId");
	if (wh_aws_text(at, "instance"))
		json_object_set_new(o, "Attachment", json_pack("{s:s}", "InstanceId", wh_aws_text(at, "instance")));
}

/* The instance's own first interface, which no resource may be for. */
static void take_instance(struct wh_tf_aws *s, const json_t *v)
{
	const char *id = wh_aws_text(v, "id"), *interface = wh_aws_text(v, "primary_network_interface_id"),
		   *public = wh_aws_text(v, "public_ip");
	json_t *o = wh_tf_aws_object(s, "InstanceId", id), *f;
	COPY(o, v, "ami", "ImageId", "instance_type", "InstanceType", "subnet_id", "SubnetId");
	if (wh_aws_text(v, "instance_state"))
		json_object_set_new(o, "State", json_pack("{s:s}", "Name", wh_aws_text(v, "instance_state")));
	tags(o, v);
	if (!id || !interface)
		return;
	f = json_pack("{s:s, s:s}", "NetworkInterfaceId", interface, "InterfaceType", "interface");
	COPY(f, v, "subnet_id", "SubnetId", "source_dest_check", "SourceDestCheck");
	put_addresses(f, v, json_object_get(v, "secondary_private_ips"));
	each(list_of(f, "Groups"), json_object_get(v, "vpc_security_group_ids"), "GroupId");
	if (public)
		json_object_set_new(json_array_get(json_object_get(f, "PrivateIpAddresses"), 0), "Association",
		                    wh_tf_aws_association(public));
	json_array_append_new(list_of(o, "NetworkInterfaces"), f);
	json_object_set_new(s->first, id, json_string(interface));
	json_object_set(s->first, interface, f);
}

static bool take_machines(struct wh_tf_aws *s, const json_t *v)
{
	if (is(s, "aws_network_interface"))
		take_interface(s, v);
	else if (is(s, "aws_instance"))
		take_instance(s, v);
	else if (is(s, "aws_eip") || is(s, "aws_eip_association") || is(s, "aws_network_interface_sg_attachment") ||
	         is(s, "aws_network_interface_attachment"))
		json_array_append_new(s->joins, json_pack("{s:s, s:O}", "type", s->type, "values", v));
	else
		return false;
	return true;
}

bool wh_tf_aws_take(struct wh_tf_aws *s, const char *type, const char *path, const json_t *v)
{
	if (strncmp(type, "aws_", 4))
		return false;
	if (!s->objects) {
		s->objects = json_object();
		s->paths = json_object();
		s->originals = json_object();
		s->mains = json_object();
		s->first = json_object();
		s->joins = json_array();
	}
	s->type = type;
	s->path = path;
	s->n_nameless += !wh_aws_text(v, "id");
	return take_rules(s, v) || take_acls(s, v) || take_networks(s, v) || take_routes(s, v) || take_machines(s, v) ||
	       wh_tf_aws_take_balancer(s, v);
}
