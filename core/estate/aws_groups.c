/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Security groups in az's form. A rule of AWS's only allows, and an interface lets through what any of its groups allows. A set
 * of groups that some interface has becomes one group, with the rules of all:
 *
 *   interface eni-1: web {tcp 443 from anywhere}, ops {tcp 22 from 192.0.2.0/28}
 *   group web+ops:   100 allow tcp 443 from 0.0.0.0/0;  101 allow tcp 22 from 192.0.2.0/28;  nothing else
 *
 * As only allows are in it, the order decides nothing. A rule whose source is another group becomes one whose peers are the
 * members of that group; one for a prefix list without known entries, one for some ICMP types alone, and the rules of a group
 * that no document has may match, with the reason.
 */
#include <string.h>
#include <strings.h>
#include "estate/aws.h"
#include "estate/name_set.h"
#include "nsg/published_tags.h"

static json_t *range(json_int_t from, json_int_t to, struct wh_arena *mem)
{
	if (from < 0 || (!from && to >= 65535))
		return json_string("*");
	return json_string(from == to ? wh_arena_printf(mem, "%d", (int)from)
	                              : wh_arena_printf(mem, "%d-%d", (int)from, (int)to));
}

void wh_aws_add_rule(struct wh_aws_rules *r, const struct wh_aws_rule *rule)
{
	const char *peer = rule->inbound ? "sourceAddressPrefixes" : "destinationAddressPrefixes",
		   *peers = rule->inbound ? "sourceApplicationSecurityGroups" : "destinationApplicationSecurityGroups",
		   *name = rule->name;
	for (unsigned i = 2; wh_name_set_add(r->names, name, r); i++)
		name = wh_arena_printf(r->mem, "%s (%u)", rule->name, i);
	json_t *o = json_pack("{s:s, s:i, s:s, s:s, s:s, s:o, s:o, s:s}", "name", name, "priority",
	                      (int)(100 + json_array_size(r->list)), "direction", rule->inbound ? "Inbound" : "Outbound",
	                      "access", rule->allow ? "Allow" : "Deny", "protocol", rule->proto, "destinationPortRange",
	                      range(rule->from, rule->to, r->mem), "sourcePortRange",
	                      range(rule->sport_from, rule->sport_to, r->mem),
	                      rule->inbound ? "destinationAddressPrefix" : "sourceAddressPrefix", "*");
	if (rule->group)
		json_object_set_new(o, peers, json_pack("[{s:s}]", "id", rule->group));
	else if (rule->tag)
		json_object_set_new(o, peer, json_pack("[s]", rule->tag));
	else
		json_object_set(o, peer, (json_t *)(uintptr_t)rule->prefixes);
	if (rule->may)
		json_object_set_new(o, "may", json_string(rule->may));
	json_array_append_new(r->list, o);
}

/* ---- one permission ---- */

struct writing {
	struct wh_aws *a;
	struct wh_aws_rules out;
	const char *group;   /* the name of the one whose rules are written */
	const struct wh_item *from;
	bool inbound;
};

static const char *ports_text(const json_t *p, struct wh_arena *mem)
{
	json_t *from = json_object_get(p, "FromPort"), *to = json_object_get(p, "ToPort");
	if (!json_is_integer(from) || json_integer_value(from) < 0)
		return "";
	if (json_integer_value(from) == json_integer_value(to))
		return wh_arena_printf(mem, " %d", (int)json_integer_value(from));
	return wh_arena_printf(mem, " %d-%d", (int)json_integer_value(from), (int)json_integer_value(to));
}

static const char *icmp_text(const json_t *p, uint8_t proto, struct wh_arena *mem)
{
	json_t *type = json_object_get(p, "FromPort"), *code = json_object_get(p, "ToPort");
	if ((proto != WH_PROTO_ICMP && proto != 58) || !json_is_integer(type) || json_integer_value(type) < 0)
		return NULL;
	if (!json_is_integer(code) || json_integer_value(code) < 0)
		return wh_arena_printf(mem, "which type of ICMP it is: only type %d matches", (int)json_integer_value(type));
	return wh_arena_printf(mem, "which type of ICMP it is: only type %d with code %d matches", (int)json_integer_value(type),
	                       (int)json_integer_value(code));
}

json_t *wh_aws_entries(struct wh_aws *a, const char *id)
{
	const struct wh_item *list = wh_aws_find(a, "prefix-list", id);
	json_t *out = json_array(), *v;
	size_t i;
	wh_aws_cidrs(list ? json_object_get(list->body, "Entries") : NULL, "Cidr", out);
	json_array_foreach(list ? json_object_get(list->body, "Cidrs") : NULL, i, v) {
		struct wh_prefix p;
		if (json_is_string(v) && !wh_prefix_parse(json_string_value(v), json_string_length(v), &p, NULL))
			json_array_append(out, v);
	}
	if (json_array_size(out))
		return out;
	json_decref(out);
	return NULL;
}

const char *wh_aws_service(struct wh_aws *a, const char *id)
{
	const struct wh_item *list = wh_aws_find(a, "prefix-list", id);
	const char *name = list ? wh_aws_text(list->body, "PrefixListName") : NULL;
	return name && wh_tag_is_aws(name) ? name : NULL;
}

/* Whether every interface of the VPC is known: an answer with its interfaces was read, and neither one page nor a part of it. */
static bool is_complete(const struct wh_aws *a, const char *vpc)
{
	return !a->all_filtered && !wh_name_set_find(&a->filtered, vpc) && wh_name_set_find(&a->listed, vpc) &&
	       !wh_name_set_find(&a->paged, vpc);
}

/* Which VPCs have interfaces of an answer with interfaces. */
static void find_listed(struct wh_aws *a)
{
	a->listed = a->paged = (struct wh_name_set){.mem = a->mem};
	for (size_t i = 0; i < a->n_interfaces; i++) {
		const struct wh_aws_interface *f = &a->interfaces[i];
		if (strcmp(f->from->type, WH_AWS_RAW "interface") != 0)
			continue;
		wh_name_set_add(&a->listed, f->vpc, f);
		if (json_object_get(f->o, WH_AWS_PAGE))
			wh_name_set_add(&a->paged, f->vpc, f);
	}
}

static void find_members(struct wh_aws *a)
{
	a->member_of = (struct wh_name_set){.mem = a->mem};
	for (size_t i = 0; i < a->n_interfaces; i++)
		for (size_t k = 0; k < a->interfaces[i].n_groups; k++) {
			const char *id = a->interfaces[i].group[k];
			size_t at = (size_t)(uintptr_t)wh_name_set_find(&a->member_of, id);
			if (!at) {
				a->members = wh_arena_grown(a->mem, a->members, a->n_members, &a->room_members,
				                            sizeof *a->members);
				a->members[a->n_members++].addresses = json_array();
				wh_name_set_add(&a->member_of, id, (const void *)(uintptr_t)(at = a->n_members));
			}
			wh_aws_addresses(&a->interfaces[i], a->members[at - 1].addresses);
		}
}

/* The addresses of a group's members, so that their rights are known without the network: a new reference. NULL: not all of them
 * are known, or they are too many for each rule. */
static json_t *members_of(const struct wh_aws *a, const struct wh_item *group)
{
	enum { MOST = 256 };
	const char *id = group ? wh_aws_text(group->body, "GroupId") : NULL;
	size_t at = id && is_complete(a, wh_aws_text(group->body, "VpcId"))
	                    ? (size_t)(uintptr_t)wh_name_set_find(&a->member_of, id)
	                    : 0;
	return at && json_array_size(a->members[at - 1].addresses) <= MOST ? json_incref(a->members[at - 1].addresses) : NULL;
}

static void add_sources(struct writing *w, struct wh_aws_rule *r, const char *name, const json_t *p)
{
	json_t *v, *prefixes = json_array();
	size_t i;
	wh_aws_cidrs(json_object_get(p, "IpRanges"), "CidrIp", prefixes);
	wh_aws_cidrs(json_object_get(p, "Ipv6Ranges"), "CidrIpv6", prefixes);
	r->name = name;
	r->prefixes = prefixes;
	if (json_array_size(prefixes))
		wh_aws_add_rule(&w->out, r);
	json_array_foreach(json_object_get(p, "PrefixListIds"), i, v) {
		const char *id = wh_aws_text(v, "PrefixListId");
		json_t *entries = id ? wh_aws_entries(w->a, id) : NULL;
		r->name = wh_arena_printf(w->a->mem, "%s %s %s", name, r->inbound ? "from" : "to", id ? id : "");
		r->prefixes = entries;
		const char *service = id ? wh_aws_service(w->a, id) : NULL;
		r->tag = entries ? NULL : service ? service : id;
		if (id)
			wh_aws_add_rule(&w->out, r);
		json_decref(entries);
	}
	r->tag = NULL;
	json_array_foreach(json_object_get(p, "UserIdGroupPairs"), i, v) {
		const char *id = wh_aws_text(v, "GroupId"), *status = wh_aws_text(v, "PeeringStatus");
		const struct wh_item *peer = wh_aws_find(w->a, "security-group", id);
		const char *called = peer ? wh_aws_text(peer->body, "GroupName") : NULL;
		if (!id || (status && strcasecmp(status, "active"))) /* AWS keeps such a rule, and it lets nothing through */
			continue;
		json_t *members = members_of(w->a, peer);
		r->group = members ? NULL : id;
		r->prefixes = members;
		r->name = wh_arena_printf(w->a->mem, "%s %s %s", name, r->inbound ? "from" : "to", called ? called : id);
		wh_aws_add_rule(&w->out, r);
		r->group = NULL;
		json_decref(members);
	}
	json_decref(prefixes);
}

static void add_permission(struct writing *w, const json_t *p)
{
	const char *text = wh_aws_text(p, "IpProtocol");
	uint8_t proto = WH_PROTO_ANY;
	if (!text)
		return;
	bool any = !strcmp(text, "-1");
	if (!any)
		wh_proto_parse(text, &proto);
	bool ports = !any && (proto == WH_PROTO_TCP || proto == WH_PROTO_UDP);
	json_t *from = json_object_get(p, "FromPort"), *to = json_object_get(p, "ToPort");
	struct wh_aws_rule r = {.proto = any ? "*" : text,
	                        .inbound = w->inbound,
	                        .allow = true,
	                        .from = ports && json_is_integer(from) ? json_integer_value(from) : -1,
	                        .to = json_integer_value(to),
	                        .sport_from = -1,
	                        .may = icmp_text(p, proto, w->a->mem)};
	if (!any && !proto)
		r.proto = "*", r.may = "which protocol it is: only 0 matches";
	if (r.from >= 0 && r.to < r.from) /* none has such: what it would mean is not known */
		r.from = -1, r.may = "the rule's range of ports is upside down";
	add_sources(w, &r,
	            wh_arena_printf(w->a->mem, "%s %s%s", w->group, any ? "all" : text, ports ? ports_text(p, w->a->mem) : ""),
	            p);
}

/* ---- one group ---- */

/* `describe-security-group-rules` has one object a rule; as a permission with one source. */
static json_t *permission_of(const json_t *o)
{
	static const struct { const char *member, *list, *as;
	} sources[] = {{"CidrIpv4", "IpRanges", "CidrIp"},
	               {"CidrIpv6", "Ipv6Ranges", "CidrIpv6"},
	               {"PrefixListId", "PrefixListIds", "PrefixListId"}};
	json_t *p = json_copy((json_t *)(uintptr_t)o), *group = json_object_get(o, "ReferencedGroupInfo");
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (wh_aws_text(o, sources[i].member))
			json_object_set_new(p, sources[i].list,
			                    json_pack("[{s:O}]", sources[i].as, json_object_get(o, sources[i].member)));
	if (json_is_object(group))
		json_object_set_new(p, "UserIdGroupPairs", json_pack("[O]", group));
	return p;
}

json_t *wh_aws_group(struct wh_aws *a, const char *id, const struct wh_item **from)
{
	const struct wh_item *own = wh_aws_find(a, "security-group", id);
	json_t *o = NULL;
	if (own) {
		*from = own;
		return json_incref(own->body);
	}
	for (size_t i = 0; i < a->rules.n; i++) {
		const json_t *rule = a->rules.items[i]->body;
		const char *of = wh_aws_text(rule, "GroupId");
		if (!of || strcmp(of, id))
			continue;
		if (!o)
			o = json_pack("{s:s, s:s, s:[], s:[]}", "GroupId", id, "GroupName", id, "IpPermissions",
			              "IpPermissionsEgress");
		*from = a->rules.items[i];
		json_array_append_new(json_object_get(o, json_is_true(json_object_get(rule, "IsEgress")) ? "IpPermissionsEgress"
		                                                                                         : "IpPermissions"),
		                      permission_of(rule));
	}
	return o;
}

static void add_unknown(struct writing *w, const char *id)
{
	json_t *any = json_pack("[s, s]", "0.0.0.0/0", "::/0");
	struct wh_aws_rule r = {
		.name = wh_arena_printf(w->a->mem, "%s, which no document has", id),
		.proto = "*",
		.inbound = w->inbound,
		.allow = true,
		.from = -1,
		.sport_from = -1,
		.prefixes = any,
		.may = wh_arena_printf(w->a->mem, "the rules of the security group %s (`aws ec2 describe-security-groups`)", id)};
	wh_aws_add_rule(&w->out, &r);
	json_decref(any);
}

static void add_group(struct writing *w, const json_t *o, const char *id)
{
	size_t i;
	json_t *p;
	for (int d = 0; d < 2; d++) {
		w->inbound = !d;
		json_array_foreach(json_object_get(o, d ? "IpPermissionsEgress" : "IpPermissions"), i, p)
			add_permission(w, p);
		if (!o)
			add_unknown(w, id);
	}
}

/* ---- the sets ---- */

static json_t *interface_json(const struct wh_aws_interface *f)
{
	json_t *addresses = json_array(), *o;
	wh_aws_addresses(f, addresses);
	o = json_pack("{s:s, s:o}", "id", f->id, "addresses", addresses);
	if (f->instance)
		json_object_set_new(o, "instance", json_string(f->instance));
	return o;
}

/* The set of groups of an interface, with all interfaces that have it; without `o`, a group that none has. */
static void derive_set(struct wh_aws *a, const struct wh_aws_interface *of)
{
	struct wh_name_set names = {.mem = a->mem, .any_case = true};
	struct writing w = {.a = a, .out = {json_array(), &names, a->mem}, .from = of->from};
	json_t *own = json_array(), *interfaces = json_array();
	const char *name = NULL;
	for (size_t i = 0; i < of->n_groups; i++) {
		json_t *o = wh_aws_group(a, of->group[i], &w.from);
		w.group = o && wh_aws_text(o, "GroupName") ? wh_aws_text(o, "GroupName") : of->group[i];
		w.group = wh_text_unprintable(w.group) || *w.group == '[' ? of->group[i] : w.group;
		name = name ? wh_arena_printf(a->mem, "%s+%s", name, w.group) : w.group;
		add_group(&w, o, of->group[i]);
		if (o)
			json_array_append_new(own, o);
	}
	for (const struct wh_aws_interface *f = of->o ? of : NULL; f; f = f->same)
		json_array_append_new(interfaces, interface_json(f));
	bool fits = json_array_size(w.out.list) <= WH_AWS_MOST_RULES;
	if (fits)
		wh_derive(&a->derived, w.from, "microsoft.network/networksecuritygroups", of->groups, name,
		          json_pack("{s:s, s:s, s:{s:O, s:O, s:b}, s:O, s:O}", "id", of->groups, "name", name, "aws", "groups",
		                    own, "interfaces", interfaces, "complete", is_complete(a, of->vpc), "securityRules",
		                    w.out.list, "networkInterfaces", interfaces));
	else
		wh_inventory_note(a->inv, "%s: the groups %s of %s have more than %d rules: they are not read", of->from->file,
		                  name, of->id, WH_AWS_MOST_RULES);
	json_decref(own);
	json_decref(interfaces);
	json_decref(w.out.list);
}

/* Links the interfaces of each set of groups; the first ones come in order. */
static const struct wh_aws_interface **link_sets(struct wh_aws *a, size_t *n)
{
	struct wh_name_set sets = {.mem = a->mem};
	const struct wh_aws_interface **firsts = wh_arena_array(a->mem, a->n_interfaces + 1, sizeof *firsts);
	struct wh_aws_interface **lasts = wh_arena_array(a->mem, a->n_interfaces + 1, sizeof *lasts);
	for (size_t i = *n = 0; i < a->n_interfaces; i++) {
		struct wh_aws_interface *f = &a->interfaces[i];
		size_t at = (size_t)(uintptr_t)wh_name_set_find(&sets, f->groups);
		if (at) {
			lasts[at - 1]->same = f;
			lasts[at - 1] = f;
		} else if (f->groups) {
			lasts[*n] = f;
			firsts[(*n)++] = f;
			wh_name_set_add(&sets, f->groups, (const void *)(uintptr_t)*n);
		}
	}
	return firsts;
}

void wh_aws_groups(struct wh_aws *a)
{
	struct wh_name_set unknown = {.mem = a->mem, .any_case = true};
	size_t n_sets;
	const struct wh_aws_interface **sets = link_sets(a, &n_sets);
	find_members(a);
	find_listed(a);
	for (size_t i = 0; i < n_sets; i++)
		derive_set(a, sets[i]);
	for (size_t i = 0; i < a->n_interfaces; i++) {
		const struct wh_aws_interface *f = &a->interfaces[i];
		const struct wh_item *from;
		for (size_t k = 0; k < f->n_groups; k++) {
			if (wh_name_set_add(&unknown, f->group[k], f))
				continue;
			json_t *o = wh_aws_group(a, f->group[k], &from);
			if (!o)
				wh_inventory_note(
					a->inv,
					"%s: %s has the security group %s, which is in no document (`aws ec2 describe-security-groups`): what it allows is unknown",
					f->from->file, f->id, f->group[k]);
			json_decref(o);
		}
	}
	for (size_t i = 0; i < a->groups.n; i++) { /* one that nothing has guards nothing; it can be asked about */
		const struct wh_item *it = a->groups.items[i];
		const char *id = wh_aws_text(it->body, "GroupId");
		const struct wh_aws_interface none = {
			.from = it, .id = id, .vpc = wh_aws_text(it->body, "VpcId"), .groups = id, .group = &id, .n_groups = 1};
		if (!wh_name_set_find(&unknown, id))
			derive_set(a, &none);
	}
	for (size_t i = 0; i < a->groups.n; i++) /* those that nothing has are groups without members */
		wh_derive(&a->derived, a->groups.items[i], "microsoft.network/applicationsecuritygroups",
		          wh_aws_text(a->groups.items[i]->body, "GroupId"), wh_aws_text(a->groups.items[i]->body, "GroupId"),
		          json_object());
	for (size_t i = 0; i < a->n_members; i++)
		json_decref(a->members[i].addresses);
}
