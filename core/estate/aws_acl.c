/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network ACL as a group before its subnet. Its rules are numbered, the first that matches decides, and it keeps no state: the
 * answers to a connection must pass it by themselves, the other way round. Problem: one ordered list that allows a connection
 * exactly where both do. Let f be the rules in the connection's direction and g those in the other one, in order. A connection
 * meets the first f that matches it and its answers the first g; the list of all pairs (f, g), ordered by f, then by g, has as
 * its first match just that pair:
 *
 *   in 100 allow tcp 443, * deny;  out 100 allow tcp 1024-65535, * deny
 *   inbound: allow tcp from ports 1024-65535 to 443;  deny to 443;  deny
 *
 * The ports of an answer's rule are those that the client sends from. Packets within the subnet pass no ACL.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/aws.h"
#include "estate/name_set.h"

struct entry {
	json_int_t number;
	struct wh_prefix prefix;
	uint8_t proto;
	bool allow;
	json_int_t from, to;         /* -1: any */
	const char *may;
};
struct entries { struct entry *e; size_t n; };

static int by_number(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

static void read_entry(struct entry *e, const json_t *o, struct wh_arena *mem)
{
	const char *proto = wh_aws_text(o, "Protocol"), *action = wh_aws_text(o, "RuleAction");
	const json_t *ports = json_object_get(o, "PortRange"), *icmp = json_object_get(o, "IcmpTypeCode");
	json_int_t type = json_is_integer(json_object_get(icmp, "Type")) ? json_integer_value(json_object_get(icmp, "Type")) : -1;
	e->number = json_integer_value(json_object_get(o, "RuleNumber"));
	e->allow = action && !strcasecmp(action, "allow");
	e->from = e->to = -1;
	if (proto && strcmp(proto, "-1") && (wh_proto_parse(proto, &e->proto) || !e->proto))
		e->may = "which protocol it is: only 0 matches";
	if ((e->proto == WH_PROTO_TCP || e->proto == WH_PROTO_UDP) && json_is_integer(json_object_get(ports, "From"))) {
		e->from = json_integer_value(json_object_get(ports, "From"));
		e->to = json_integer_value(json_object_get(ports, "To"));
	}
	if (e->from < 0 || e->from > 65535 || e->to > 65535 || e->to < e->from)
		e->from = e->to = -1;
	if ((e->proto == WH_PROTO_ICMP || e->proto == 58) && type >= 0)
		e->may = wh_arena_printf(mem, "which type of ICMP it is: only type %d matches", (int)type);
}

/* The rules of one direction and family in order, and the last one, which denies. */
static struct entries entries_of(const struct wh_item *acl, bool egress, bool v4, struct wh_arena *mem)
{
	const json_t *list = json_object_get(acl->body, "Entries");
	struct entries out = {wh_arena_array(mem, json_array_size(list) + 1, sizeof *out.e), 0};
	size_t i;
	json_t *o;
	json_array_foreach((json_t *)(uintptr_t)list, i, o) {
		const char *cidr = wh_aws_text(o, v4 ? "CidrBlock" : "Ipv6CidrBlock");
		struct entry *e = &out.e[out.n];
		if (json_is_true(json_object_get(o, "Egress")) != egress || !cidr ||
		    wh_prefix_parse(cidr, strlen(cidr), &e->prefix, NULL) || wh_prefix_is_v4(&e->prefix) != v4)
			continue;
		read_entry(e, o, mem);
		out.n++;
	}
	if (out.n)
		qsort(out.e, out.n, sizeof *out.e, by_number);
	out.e[out.n++] = (struct entry){
		.number = 32767, .prefix = v4 ? wh_prefix_all_v4 : wh_prefix_all_v6, .from = -1, .to = -1};
	return out;
}

static bool lets_all_through(struct entries l)
{
	const struct entry *e = l.e;
	return e->allow && !e->proto && !wh_prefix_family_len(&e->prefix);
}

/* What both match. False: nothing. */
static bool pair(const struct entry *f, const struct entry *g, struct wh_prefix *prefix, uint8_t *proto)
{
	const struct entry *narrow = f->prefix.len >= g->prefix.len ? f : g, *wide = narrow == f ? g : f;
	*prefix = narrow->prefix;
	*proto = f->proto ? f->proto : g->proto;
	return wh_prefix_has(&wide->prefix, &narrow->prefix.addr) && (!f->proto || !g->proto || f->proto == g->proto);
}

static void add_pair(struct wh_aws_rules *out, const char *acl, const struct entry *f, const struct entry *g, bool inbound)
{
	char buf[WH_PREFIX_STRLEN], word[8];
	struct wh_prefix prefix;
	uint8_t proto;
	if (!pair(f, g, &prefix, &proto))
		return;
	json_t *prefixes = json_pack("[s]", wh_prefix_text(&prefix, buf));
	struct wh_aws_rule r = {
		.name = wh_arena_printf(out->mem, f->allow && !g->allow ? "%s %d, whose answers %d stops" : "%s %d", acl,
	                                (int)f->number, (int)g->number),
		.proto = proto ? wh_arena_strdup(out->mem, wh_proto_text(proto, word)) : "*",
		.inbound = inbound,
		.allow = f->allow && g->allow,
		.from = f->from,
		.to = f->to,
		.sport_from = g->from,
		.sport_to = g->to,
		.prefixes = prefixes,
		.may = f->may ? f->may : g->may};
	wh_aws_add_rule(out, &r);
	json_decref(prefixes);
}

static void add_direction(struct wh_aws_rules *out, const struct wh_item *acl, bool inbound)
{
	for (int v4 = 1; v4 >= 0; v4--) {
		struct entries f = entries_of(acl, !inbound, v4, out->mem), g = entries_of(acl, inbound, v4, out->mem);
		for (size_t i = 0; i < f.n; i++)
			for (size_t k = 0; k < g.n && json_array_size(out->list) <= WH_AWS_MOST_RULES; k++)
				add_pair(out, acl->name, &f.e[i], &g.e[k], inbound);
	}
}

static void index_acls(struct wh_aws *a)
{
	size_t k;
	json_t *o;
	a->acl_of.mem = a->mem;
	for (size_t i = 0; i < a->acls.n; i++)
		json_array_foreach(json_object_get(a->acls.items[i]->body, "Associations"), k, o)
			wh_name_set_add(&a->acl_of, wh_aws_text(o, "SubnetId"), a->acls.items[i]);
}

static bool is_open(const struct wh_item *acl, const json_t *prefixes, struct wh_arena *mem)
{
	bool open = true;
	for (int i = 0; i < 4; i++) {
		/* a subnet without IPv6 needs no rules for it, and AWS makes none */
		bool v4 = i & 1, six = false;
		size_t k;
		json_t *p;
		json_array_foreach((json_t *)(uintptr_t)prefixes, k, p)
			six |= strchr(json_string_value(p), ':') != NULL;
		open &= (!v4 && !six) || lets_all_through(entries_of(acl, i & 2, v4, mem));
	}
	return open;
}

const char *wh_aws_acl(struct wh_aws *a, const char *subnet, const json_t *prefixes)
{
	if (!a->acl_of.mem)
		index_acls(a);
	const struct wh_item *acl = wh_name_set_find(&a->acl_of, subnet);
	if (!acl || is_open(acl, prefixes, a->mem))
		return NULL;
	struct wh_name_set names = {.mem = a->mem, .any_case = true};
	struct wh_aws_rules out = {json_array(), &names, a->mem};
	const char *id = wh_arena_printf(a->mem, "%s@%s", acl->name, subnet);
	for (int d = 0; d < 2; d++) {
		struct wh_aws_rule within = {.name = d ? "to the subnet itself" : "within the subnet",
		                             .proto = "*",
		                             .inbound = !d,
		                             .allow = true,
		                             .from = -1,
		                             .sport_from = -1,
		                             .prefixes = prefixes};
		if (json_array_size(prefixes))
			wh_aws_add_rule(&out, &within);
		add_direction(&out, acl, !d);
	}
	if (json_array_size(out.list) <= WH_AWS_MOST_RULES)
		wh_derive(&a->derived, acl, "microsoft.network/networksecuritygroups", id, acl->name,
		          json_pack("{s:s, s:s, s:{s:s}, s:O, s:[{s:s}]}", "id", id, "name", acl->name, "aws", "acl", acl->name,
		                    "securityRules", out.list, "subnets", "id", subnet));
	else
		wh_inventory_note(a->inv, "%s: the network ACL %s has too many rules: it is not judged", acl->file, acl->name);
	json_decref(out.list);
	return id;
}
