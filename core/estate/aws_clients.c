/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single questions to security groups, for balancers that have some: whom they let in at a port, and to whom they let out. */
#include <string.h>
#include "estate/aws.h"

/* Whether a permission is about a port of a protocol. */
static bool covers(const json_t *permission, struct wh_aws_port at)
{
	const char *text = wh_aws_text(permission, "IpProtocol");
	json_t *from = json_object_get(permission, "FromPort"), *to = json_object_get(permission, "ToPort");
	uint8_t proto = WH_PROTO_ANY;
	if (!text)
		return false;
	if (!strcmp(text, "-1"))
		return true;
	return !wh_proto_parse(text, &proto) && proto == at.proto &&
	       (!json_is_integer(from) || json_integer_value(from) < 0 ||
	        (at.port >= json_integer_value(from) && at.port <= json_integer_value(to)));
}

json_t *wh_aws_clients(struct wh_aws *a, const json_t *groups, struct wh_aws_port at, bool *may)
{
	json_t *out = json_array(), *id, *p, *v;
	size_t i, k, j;
	*may = false;
	json_array_foreach((json_t *)(uintptr_t)groups, i, id) {
		const struct wh_item *from;
		json_t *o = json_is_string(id) ? wh_aws_group(a, json_string_value(id), &from) : NULL;
		*may |= !o;
		json_array_foreach(json_object_get(o, "IpPermissions"), k, p) {
			if (!covers(p, at))
				continue;
			wh_aws_cidrs(json_object_get(p, "IpRanges"), "CidrIp", out);
			wh_aws_cidrs(json_object_get(p, "Ipv6Ranges"), "CidrIpv6", out);
			json_array_foreach(json_object_get(p, "PrefixListIds"), j, v) {
				json_t *entries = wh_aws_text(v, "PrefixListId")
				                          ? wh_aws_entries(a, wh_aws_text(v, "PrefixListId"))
				                          : NULL;
				*may |= !entries && !(wh_aws_text(v, "PrefixListId") &&
				                      wh_aws_service(a, wh_aws_text(v, "PrefixListId")));
				if (entries)
					json_array_extend(out, entries);
				json_decref(entries);
			}
		}
		json_decref(o);
	}
	return out;
}

/* Whether the permission names the address, or a group or list, which may hold it. */
static bool names(const json_t *permission, const char *address)
{
	json_t *list = json_array(), *v;
	size_t i;
	struct wh_addr a;
	struct wh_prefix p;
	bool found = json_array_size(json_object_get(permission, "UserIdGroupPairs")) ||
	             json_array_size(json_object_get(permission, "PrefixListIds")) || wh_addr_parse(address, strlen(address), &a);
	wh_aws_cidrs(json_object_get(permission, "IpRanges"), "CidrIp", list);
	wh_aws_cidrs(json_object_get(permission, "Ipv6Ranges"), "CidrIpv6", list);
	json_array_foreach(list, i, v)
		found = found ||
		        (!wh_prefix_parse(json_string_value(v), json_string_length(v), &p, NULL) && wh_prefix_has(&p, &a));
	json_decref(list);
	return found;
}

bool wh_aws_lets_out(struct wh_aws *a, const json_t *groups, struct wh_aws_port to, const char *address)
{
	json_t *id, *p;
	size_t i, k;
	bool out = false;
	json_array_foreach((json_t *)(uintptr_t)groups, i, id) {
		const struct wh_item *from;
		json_t *o = json_is_string(id) ? wh_aws_group(a, json_string_value(id), &from) : NULL;
		out |= !o;
		json_array_foreach(json_object_get(o, "IpPermissionsEgress"), k, p)
			out = out || (covers(p, to) && names(p, address));
		json_decref(o);
	}
	return out;
}

static bool is_listed(const json_t *groups, const char *group)
{
	size_t i;
	json_t *id;
	json_array_foreach((json_t *)(uintptr_t)groups, i, id)
		if (group && json_is_string(id) && !strcmp(json_string_value(id), group))
			return true;
	return false;
}

bool wh_aws_admits(struct wh_aws *a, const struct wh_aws_interface *f, const json_t *groups, struct wh_aws_port at)
{
	json_t *p, *v;
	size_t k, j;
	bool found = false;
	for (size_t i = 0; i < f->n_groups; i++) {
		const struct wh_item *from;
		json_t *o = wh_aws_group(a, f->group[i], &from);
		json_array_foreach(json_object_get(o, "IpPermissions"), k, p)
			json_array_foreach(json_object_get(p, "UserIdGroupPairs"), j, v)
				found = found || (covers(p, at) && is_listed(groups, wh_aws_text(v, "GroupId")));
		json_decref(o);
	}
	return found;
}
