/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups as ARM resources, from any input shape. Members that only Azure sets are left out: Azure would refuse them, or they
 * would tie the template to one moment. */
#include "nsg/edit.h"

#define API_VERSION "2023-09-01"

/* What a deployment may set of a rule: the names in ARM's `properties`, which `az` prints next to the name. */
static const char *const rule_fields[] = {
	"description",
	"priority",
	"direction",
	"access",
	"protocol",
	"sourcePortRange",
	"sourcePortRanges",
	"destinationPortRange",
	"destinationPortRanges",
	"sourceAddressPrefix",
	"sourceAddressPrefixes",
	"destinationAddressPrefix",
	"destinationAddressPrefixes",
	"sourceApplicationSecurityGroups",
	"destinationApplicationSecurityGroups",
	NULL,
};

/* `az` prints both forms of a field, the one not used as null or an empty list. */
static bool says_nothing(const json_t *v)
{
	return !v || json_is_null(v) || (json_is_array(v) && !json_array_size(v)) ||
	       (json_is_string(v) && !*json_string_value(v));
}

/* A group of application security groups is named by id alone. */
static json_t *field(const json_t *v)
{
	if (!json_is_array(v) || !json_is_object(json_array_get(v, 0)))
		return json_deep_copy(v);
	json_t *list = json_array();
	for (size_t i = 0; i < json_array_size(v); i++)
		json_array_append_new(list, json_pack("{s:O?}", "id", json_object_get(json_array_get(v, i), "id")));
	return list;
}

static json_t *arm_rule(json_t *rule)
{
	json_t *from = wh_nsg_fields(rule), *to = json_object();
	for (const char *const *k = rule_fields; *k; k++)
		if (!says_nothing(json_object_get(from, *k)))
			json_object_set_new(to, *k, field(json_object_get(from, *k)));
	return json_pack("{s:O?,s:o}", "name", json_object_get(rule, "name"), "properties", to);
}

json_t *wh_nsg_arm(const char *name, json_t *group)
{
	json_t *out = json_pack("{s:s,s:s,s:s}", "type", "Microsoft.Network/networkSecurityGroups", "apiVersion", API_VERSION,
	                        "name", name);
	json_t *location = json_object_get(group, "location"), *tags = json_object_get(group, "tags"), *rules = json_array(), *r;
	json_t *flush = json_object_get(wh_nsg_fields(group), "flushConnection");
	size_t i;
	json_object_set_new(out, "location", json_is_string(location) ? json_incref(location) : json_string(WH_NSG_HERE));
	if (json_is_object(tags) && json_object_size(tags))
		json_object_set(out, "tags", tags);
	json_array_foreach(wh_nsg_rules(group), i, r)
		json_array_append_new(rules, arm_rule(r));
	json_object_set_new(out, "properties", json_object());
	wh_nsg_set_rules(out, rules);
	if (json_is_boolean(flush))
		json_object_set(wh_nsg_fields(out), "flushConnection", flush);
	json_decref(group);
	return out;
}
