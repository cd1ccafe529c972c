/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AWS's resources among documents: what an object is follows from its members, whatever envelope or query it came out of. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "estate/aws.h"

/* ---- what is what ---- */

/* An object is of a kind when it has the id and one of the other members. An elastic address also has the id of an interface, and
 * a subnet that of its VPC: they stand first. */
static const struct kind { const char *name, *id, *any[4]; } kinds[] = {
	{"address", "AllocationId", {"Domain", "PublicIp"}},
	{"security-group-rule", "SecurityGroupRuleId", {"GroupId"}},
	{"security-group", "GroupId", {"IpPermissions", "IpPermissionsEgress"}},
	{"instance", "InstanceId", {"ImageId", "InstanceType", "NetworkInterfaces", "SecurityGroups"}},
	{"route-table", "RouteTableId", {"Routes", "Associations"}},
	{"nat-gateway", "NatGatewayId", {"NatGatewayAddresses", "ConnectivityType", "SubnetId"}},
	{"internet-gateway", "InternetGatewayId", {"Attachments", "OwnerId"}},
	{"egress-gateway", "EgressOnlyInternetGatewayId", {"Attachments"}},
	{"interface", "NetworkInterfaceId", {"MacAddress", "PrivateIpAddress", "InterfaceType"}},
	{"network-acl", "NetworkAclId", {"Entries"}},
	{"subnet", "SubnetId", {"CidrBlock", "Ipv6CidrBlockAssociationSet"}},
	{"peering", "VpcPeeringConnectionId", {"AccepterVpcInfo", "RequesterVpcInfo"}},
	{"vpc", "VpcId", {"CidrBlock", "CidrBlockAssociationSet"}},
	{"target-group", "TargetGroupArn", {"TargetGroupName"}},
	{"listener", "ListenerArn", {"LoadBalancerArn", "DefaultActions"}},
	{"load-balancer", "LoadBalancerArn", {"LoadBalancerName"}},
	{"classic-balancer", "LoadBalancerName", {"ListenerDescriptions"}},
	{"blocked-access", "AwsRegion", {"InternetGatewayBlockMode"}},
	{"unblocked-access", "ExclusionId", {"InternetGatewayExclusionMode"}},
	{"prefix-list", "PrefixListId", {"PrefixListName", "PrefixListArn", "Cidrs"}},
};

static const char *const answers[] = {
	"Reservations", "Instances",   "SecurityGroups", "SecurityGroupRules",    "Subnets",          "Vpcs",
	"NetworkAcls",  "PrefixLists", "Entries",        "VpcPeeringConnections", "NetworkInterfaces",
	"LoadBalancers", "TargetGroups", "TargetHealthDescriptions", "Listeners", "RouteTables", "InternetGateways",
	"EgressOnlyInternetGateways", "NatGateways", "LoadBalancerDescriptions", "Addresses", "VpcBlockPublicAccessExclusions"};

static const struct kind *kind_of(const json_t *o)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		bool any = false;
		for (size_t k = 0; k < sizeof kinds->any / sizeof *kinds->any && kinds[i].any[k]; k++)
			any |= json_object_get(o, kinds[i].any[k]) != NULL;
		if (any && json_string_length(json_object_get(o, kinds[i].id)))
			return &kinds[i];
	}
	return NULL;
}

bool wh_aws_answer(const json_t *doc)
{
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		if (json_is_array(json_object_get(doc, answers[i])))
			return true;
	return false;
}

/* ---- values ---- */

enum value { PREFIX, ADDRESS, PROTOCOL, PORT, NUMBER, VERDICT };
static const struct { const char *member; enum value value; } values[] = {
	{"CidrIp", PREFIX},          {"CidrIpv4", PREFIX},    {"CidrIpv6", PREFIX},          {"CidrBlock", PREFIX},
	{"Ipv6CidrBlock", PREFIX},   {"Cidr", PREFIX},        {"PrivateIpAddress", ADDRESS}, {"Ipv6Address", ADDRESS},
	{"PublicIpAddress", ADDRESS}, {"PublicIp", ADDRESS},  {"IpProtocol", PROTOCOL},      {"Protocol", PROTOCOL},
	{"DestinationCidrBlock", PREFIX}, {"DestinationIpv6CidrBlock", PREFIX},
	{"FromPort", PORT},          {"ToPort", PORT},        {"RuleNumber", NUMBER},        {"RuleAction", VERDICT},
};

static const char *complaint(enum value v, const json_t *j)
{
	const char *s = json_string_value(j);
	json_int_t n = json_integer_value(j);
	struct wh_prefix p;
	struct wh_addr a;
	uint8_t proto;
	switch (v) {
	case PREFIX: return s && !wh_prefix_parse(s, strlen(s), &p, NULL) ? NULL : "is not a prefix";
	case ADDRESS: return s && !wh_addr_parse(s, strlen(s), &a) ? NULL : "is not an address";
	case PROTOCOL: return s && (!strcmp(s, "-1") || !wh_proto_parse(s, &proto)) ? NULL : "is not a protocol";
	case PORT: return json_is_integer(j) && n >= -1 && n <= 65535 ? NULL : "is not a port";
	case NUMBER: return json_is_integer(j) && n >= 1 && n <= 32767 ? NULL : "is not the number of a rule";
	default: return s && (!strcasecmp(s, "allow") || !strcasecmp(s, "deny")) ? NULL : "is neither allow nor deny";
	}
}

struct checking {
	const struct wh_inventory *inv;
	size_t document;
	const char *path;
	bool balancer; /* its protocols are others: HTTP, TLS, TCP_UDP */
	struct wh_error *err;
};
/* Where a value stands in the object, from the inside out: made a path only where something is wrong. */
struct place { const struct place *up; const char *key; size_t index; };

static const char *path_of(const struct checking *c, const struct place *at)
{
	if (!at)
		return c->path;
	const char *up = path_of(c, at->up), *sep = *up ? "/" : "";
	return at->key ? wh_arena_printf(c->inv->mem, "%s%s%s", up, sep, at->key)
	               : wh_arena_printf(c->inv->mem, "%s%s%zu", up, sep, at->index);
}

static int check_member(const struct checking *c, const struct place *at, const json_t *v)
{
	size_t i = 0;
	while (i < sizeof values / sizeof *values && strcmp(values[i].member, at->key))
		i++;
	if (i == sizeof values / sizeof *values || json_is_null(v) || (json_is_string(v) && !json_string_length(v)) ||
	    (c->balancer && values[i].value == PROTOCOL))
		return 0;
	const char *why = complaint(values[i].value, v);
	const struct wh_document *d = &c->inv->documents[c->document];
	if (!why)
		return 0;
	return wh_json_refuse(c->err, d->file, d->text, d->len, path_of(c, at), "%s '%s' %s", at->key,
	                      json_is_integer(v)  ? wh_arena_printf(c->inv->mem, "%" JSON_INTEGER_FORMAT, json_integer_value(v))
	                      : json_is_string(v) ? wh_arena_printf(c->inv->mem, "%.60s", json_string_value(v))
	                                          : "(another kind of value)",
	                      why);
}

/* Values that a rule or an address is read from, however deep they stand. */
static int check(const struct checking *c, const json_t *v, const struct place *up, unsigned depth)
{
	struct place at = {.up = up};
	json_t *e;
	int rc = 0;
	if (depth > 16)
		return 0;
	if (json_is_object(v))
		json_object_foreach((json_t *)(uintptr_t)v, at.key, e) {
			bool inside = json_is_object(e) || json_is_array(e);
			rc = rc ? rc : inside ? check(c, e, &at, depth + 1) : check_member(c, &at, e);
		}
	else
		json_array_foreach((json_t *)(uintptr_t)v, at.index, e)
			rc = rc ? rc : check(c, e, &at, depth + 1);
	return rc;
}

/* ---- entries of a prefix list, which don't say whose they are ---- */

/* "pl-0aa0bb0cc0dd0ee12" out of a name or path, in mem; NULL: it has none. */
static const char *list_id(const char *s, struct wh_arena *mem)
{
	const char *found = NULL;
	for (const char *at = s; (at = strstr(at, "pl-")); at++) {
		size_t n = 3;
		while (isxdigit((unsigned char)at[n]))
			n++;
		if (n >= 3 + 8 && (at == s || !isalnum((unsigned char)at[-1])))
			found = wh_arena_printf(mem, "%.*s", (int)n, at);
	}
	return found;
}

static int take_entries(struct wh_inventory *inv, size_t document, const char *path, const json_t *o)
{
	const char *file = inv->documents[document].file, *id = wh_json_member(o, "PrefixListId")
	                                                                ? json_string_value(wh_json_member(o, "PrefixListId"))
	                                                                : list_id(path, inv->mem);
	id = id ? id : list_id(file, inv->mem);
	if (!id)
		wh_inventory_note(
			inv,
			"%s: these are entries of a prefix list, and nothing says of which: name the file after it (pl-….json)",
			file);
	else
		wh_inventory_take(inv, document, path,
		                  json_pack("{s:s, s:O}", "PrefixListId", id, "Entries", json_object_get(o, "Entries")),
		                  WH_AWS_RAW "prefix-list", wh_arena_printf(inv->mem, "/aws/ec2/prefix-list/%s", id));
	return 1;
}

/* The targets of one group, or its attributes, which don't say whose they are: the file is named after it. */
static int take_nameless(struct wh_inventory *inv, size_t document, const char *path, const json_t *list, const char *kind,
                         const char *member)
{
	const char *file = inv->documents[document].file;
	wh_inventory_take(inv, document, path, json_pack("{s:s, s:O}", "File", file, member, (json_t *)(uintptr_t)list),
	                  wh_arena_printf(inv->mem, WH_AWS_RAW "%s", kind),
	                  wh_arena_printf(inv->mem, "/aws/ec2/%s/%s", kind, file));
	return 1;
}

int wh_aws_take(struct wh_inventory *inv, size_t document, const char *path, const json_t *o, struct wh_error *err)
{
	const struct kind *k = kind_of(o);
	const json_t *entries = k ? NULL : json_object_get(o, "Entries");
	bool list = entries && json_object_get(json_array_get(entries, 0), "Cidr");
	const json_t *targets = k ? NULL : json_object_get(o, "TargetHealthDescriptions"),
		     *attributes = k ? NULL : json_object_get(o, "Attributes");
	if (json_is_array(targets))
		return take_nameless(inv, document, path, targets, "target-health", "TargetHealthDescriptions");
	if (wh_aws_text(json_array_get(attributes, 0), "Key") && wh_aws_text(json_array_get(attributes, 0), "Value"))
		return take_nameless(inv, document, path, attributes, "target-attributes", "Attributes");
	if (!k && !list)
		return 0;
	static const char *const balancers[] = {"target-group", "listener", "load-balancer", "classic-balancer"};
	bool balancer = false;
	for (size_t i = 0; i < sizeof balancers / sizeof *balancers; i++)
		balancer |= k && !strcmp(k->name, balancers[i]);
	int rc = check(&(struct checking){inv, document, path, balancer, err}, o, NULL, 0);
	if (rc)
		return rc;
	if (list)
		return take_entries(inv, document, path, o);
	wh_inventory_take(inv, document, path, json_incref((json_t *)(uintptr_t)o),
	                  wh_arena_printf(inv->mem, WH_AWS_RAW "%s", k->name),
	                  wh_arena_printf(inv->mem, "/aws/ec2/%s/%s", k->name, json_string_value(json_object_get(o, k->id))));
	return 1;
}
