/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The output of `Get-AzNetworkSecurityGroup | ConvertTo-Json`: keys that begin with a capital, one list for what Azure keeps as a
 * text or a list, and, where ConvertTo-Json's depth ended, a list written as a text with spaces between its entries.
 */
#include <string.h>
#include <strings.h>
#include "base/json.h"
#include "nsg/shapes.h"

static void copy(json_t *to, const char *name, const json_t *from)
{
	const json_t *v = wh_json_member(from, name);
	if (v && !json_is_null(v))
		json_object_set(to, name, (json_t *)(uintptr_t)v);
}

static json_t *entries(const json_t *v)
{
	json_t *list = json_array(), *e;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)v, i, e)
		json_array_append(list, e);
	for (const char *s = json_is_string(v) ? json_string_value(v) : ""; *s;) {
		size_t n = strcspn(s, " ");
		if (n)
			json_array_append_new(list, json_stringn(s, n));
		s += n + strspn(s + n, " ");
	}
	return list;
}

/* Azure has one entry as a text, several as a list of another name; PowerShell has both in one. */
static void one_or_several(json_t *to, const json_t *from, const char *one, const char *several)
{
	json_t *list = entries(wh_json_member(from, one)), *more = entries(wh_json_member(from, several));
	json_array_extend(list, more);
	json_decref(more);
	if (json_array_size(list) == 1)
		json_object_set(to, one, json_array_get(list, 0));
	else
		json_object_set(to, several, list);
	json_decref(list);
}

/* Groups of hosts: only their existence matters here. */
static void hosts(json_t *to, const json_t *from, const char *name)
{
	json_t *list = entries(wh_json_member(from, name)), *out = json_array(), *e;
	size_t i;
	json_array_foreach(list, i, e) {
		const json_t *id = json_is_object(e) ? wh_json_member(e, "id") : e;
		json_array_append_new(out, json_is_string(id) ? json_pack("{s:O}", "id", id) : json_object());
	}
	if (json_array_size(out))
		json_object_set(to, name, out);
	json_decref(out);
	json_decref(list);
}

static json_t *rule_of(const json_t *r)
{
	static const char *const plain[] = {"name",   "id",       "etag",      "description",      "protocol",
	                                    "access", "priority", "direction", "provisioningState"};
	json_t *o = json_object();
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		copy(o, plain[i], r);
	one_or_several(o, r, "sourcePortRange", "sourcePortRanges");
	one_or_several(o, r, "destinationPortRange", "destinationPortRanges");
	one_or_several(o, r, "sourceAddressPrefix", "sourceAddressPrefixes");
	one_or_several(o, r, "destinationAddressPrefix", "destinationAddressPrefixes");
	hosts(o, r, "sourceApplicationSecurityGroups");
	hosts(o, r, "destinationApplicationSecurityGroups");
	return o;
}

static void rules(json_t *to, const json_t *from, const char *name)
{
	json_t *list = json_array(), *r;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)wh_json_member(from, name), i, r)
		json_array_append_new(list, json_is_object(r) ? rule_of(r) : json_incref(r));
	json_object_set_new(to, name, list);
}

static void holders(json_t *to, const json_t *from, const char *name)
{
	json_t *list = json_array(), *e;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)wh_json_member(from, name), i, e) {
		const json_t *id = wh_json_member(e, "id");
		json_array_append_new(list, json_is_string(id) ? json_pack("{s:O}", "id", id) : json_object());
	}
	if (json_array_size(list))
		json_object_set(to, name, list);
	json_decref(list);
}

json_t *wh_nsg_from_powershell(const json_t *group)
{
	static const char *const plain[] = {"name",           "id", "etag", "location", "resourceGuid", "provisioningState",
	                                    "flushConnection"};
	json_t *o = json_object();
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		copy(o, plain[i], group);
	json_object_set_new(o, "type", json_string("Microsoft.Network/networkSecurityGroups"));
	if (json_is_string(wh_json_member(group, "resourceGroupName")))
		json_object_set(o, "resourceGroup", (json_t *)(uintptr_t)wh_json_member(group, "resourceGroupName"));
	if (json_is_object(wh_json_member(group, "tag")))
		json_object_set(o, "tags", (json_t *)(uintptr_t)wh_json_member(group, "tag"));
	rules(o, group, "securityRules");
	rules(o, group, "defaultSecurityRules");
	holders(o, group, "networkInterfaces");
	holders(o, group, "subnets");
	return o;
}
