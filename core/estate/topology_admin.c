/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Security admin rules of Azure Virtual Network Manager: by themselves (`az network manager … rule list`), as the effective ones
 * that a command prints, or as Resource Graph's rows, which are one VNet's. A rule is in force in the VNets that are members of
 * the network groups to which its collection applies.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/topology.h"

static const char rule_type[] = "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules";

/* The VNets among a group's static members; false: its members are not in the inventory. */
static bool members_of(struct wh_building *b, const char *group, size_t **list, size_t *n, size_t *room)
{
	size_t len = strlen(group);
	bool any = false;
	for (size_t i = 0; i < b->n_static_members; i++) {
		const struct wh_item *member = b->static_members[i];
		if (strncasecmp(member->id, group, len) || member->id[len] != '/')
			continue;
		size_t v = wh_topology_vnet(b->t, wh_field_text(member->body, "resourceId"));
		any = true;
		if (v == WH_NONE)
			continue;
		*list = wh_arena_grown(b->mem, *list, *n, room, sizeof **list);
		(*list)[(*n)++] = v;
	}
	return any;
}

struct side { struct wh_prefix *p; size_t n, room; const char **tags; size_t n_tags, room_tags; };

static void add_tag(struct wh_building *b, struct side *s, const char *tag)
{
	s->tags = wh_arena_grown(b->mem, s->tags, s->n_tags, &s->room_tags, sizeof *s->tags);
	s->tags[s->n_tags++] = wh_arena_strdup(b->mem, tag);
}

static void add_prefix(struct wh_building *b, struct side *s, const struct wh_prefix *p)
{
	s->p = wh_arena_grown(b->mem, s->p, s->n, &s->room, sizeof *s->p);
	s->p[s->n++] = *p;
}

static void add_any(struct wh_building *b, struct side *s)
{
	add_prefix(b, s, &wh_prefix_all_v4);
	add_prefix(b, s, &wh_prefix_all_v6);
}

static int add_text(struct wh_building *b, const struct wh_item *it, struct side *s, const char *text)
{
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, ",");
		struct wh_prefix p;
		const char *one = wh_arena_printf(b->mem, "%.*s", (int)len, at);
		at += len + (at[len] == ',');
		one += strspn(one, " ");
		if (!strcmp(one, "*")) {
			add_any(b, s);
		} else if (!wh_prefix_parse(one, strlen(one), &p, NULL)) {
			add_prefix(b, s, &p);
		} else if (strpbrk(one, "/ ") || !*one) {
			return wh_item_refuse(b->inv, it, NULL, b->err, "rule %s: '%.60s' is not a prefix", it->name, one);
		} else {
			add_tag(b, s, one);
		}
	}
	return 0;
}

static int read_side(struct wh_building *b, const struct wh_item *it, const json_t *list, struct side *s)
{
	size_t i;
	json_t *v;
	int rc = 0;
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *type = wh_field_text(v, "addressPrefixType"), *text = wh_field_text(v, "addressPrefix");
		size_t *vnets = NULL, n = 0, room = 0;
		if (!type || strcasecmp(type, "NetworkGroup")) {
			rc = rc ? rc : add_text(b, it, s, text ? text : "");
		} else if (!members_of(b, text ? text : "", &vnets, &n, &room)) {
			add_tag(b, s,
			        wh_arena_printf(b->mem, "the network group %s",
			                        text ? wh_last_part(text) : ""));
		} else {
			for (size_t k = 0; k < n; k++)
				for (size_t j = 0; j < b->t->vnets[vnets[k]].n_space; j++)
					add_prefix(b, s, &b->t->vnets[vnets[k]].space[j]);
		}
	}
	if (!rc && !s->n && !s->n_tags && !list)
		add_any(b, s);
	if (s->n)
		s->n = wh_prefix_merge(s->p, s->n);
	return rc;
}

static int read_ports(struct wh_building *b, const struct wh_item *it, const json_t *list, struct wh_port_range **out, size_t *n)
{
	size_t i;
	json_t *v;
	*out = wh_arena_array(b->mem, json_array_size(list) + 1, sizeof **out);
	*n = 0;
	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *s = json_string_value(v);
		unsigned from = 0, to = 65535;
		int end = 0;
		if (s && strcmp(s, "*") && (sscanf(s, "%5u-%5u%n", &from, &to, &end) != 2 || s[end])) {
			end = 0;
			if (sscanf(s, "%5u%n", &from, &end) != 1 || s[end])
				from = 65536;
			to = from;
		}
		if (!s || from > to || to > 65535)
			return wh_item_refuse(b->inv, it, NULL, b->err, "rule %s: '%.40s' is not a port or a range", it->name,
			                      s ? s : "");
		(*out)[(*n)++] = (struct wh_port_range){(uint16_t)from, (uint16_t)to};
	}
	if (!*n)
		(*out)[(*n)++] = (struct wh_port_range){0, 65535};
	return 0;
}

static int read_rule(struct wh_building *b, const struct wh_item *it, const json_t *o, const char *id, struct wh_admin_rule *r)
{
	const char *access = wh_field_text(o, "access"), *direction = wh_field_text(o, "direction"),
		   *proto = wh_field_text(o, "protocol");
	struct side src = {0}, dst = {0};
	*r = (struct wh_admin_rule){.id = wh_arena_strdup(b->mem, id),
	                            .name = wh_arena_strdup(b->mem, wh_last_part(id)),
	                            .priority = (int)json_integer_value(wh_field(o, "priority"))};
	if (!access || (strcasecmp(access, "Allow") && strcasecmp(access, "AlwaysAllow") && strcasecmp(access, "Deny")))
		return wh_item_refuse(b->inv, it, "access", b->err,
		                      "rule %s: access must be Allow, AlwaysAllow or Deny, not '%.40s'", r->name,
		                      access ? access : "");
	if (!direction || (strcasecmp(direction, "Inbound") && strcasecmp(direction, "Outbound")))
		return wh_item_refuse(b->inv, it, "direction", b->err,
		                      "rule %s: direction must be Inbound or Outbound, not '%.40s'", r->name,
		                      direction ? direction : "");
	r->access = !strcasecmp(access, "Deny")    ? WH_ADMIN_DENY
	            : !strcasecmp(access, "Allow") ? WH_ADMIN_ALLOW
	                                           : WH_ADMIN_ALWAYS_ALLOW;
	r->rule = (struct wh_rule){.name = r->name,
	                           .id = r->id,
	                           .priority = (uint16_t)r->priority,
	                           .direction = strcasecmp(direction, "Inbound") ? WH_OUTBOUND : WH_INBOUND,
	                           .allow = r->access != WH_ADMIN_DENY};
	if (proto && strcasecmp(proto, "Any") && wh_proto_parse(proto, &r->rule.proto))
		return wh_item_refuse(b->inv, it, "protocol", b->err, "rule %s: unknown protocol '%.40s'", r->name, proto);
	int rc = read_ports(b, it, wh_field(o, "destinationPortRanges"), &r->rule.dst_ports, &r->rule.n_dst_ports);
	rc = rc ? rc : read_ports(b, it, wh_field(o, "sourcePortRanges"), &r->rule.src_ports, &r->rule.n_src_ports);
	rc = rc ? rc : read_side(b, it, wh_field(o, "sources"), &src);
	rc = rc ? rc : read_side(b, it, wh_field(o, "destinations"), &dst);
	bool in = r->rule.direction == WH_INBOUND;
	struct side *peer = in ? &src : &dst, *local = in ? &dst : &src;
	r->rule.peers = peer->p, r->rule.n_peers = peer->n, r->rule.peer_tags = peer->tags, r->rule.n_peer_tags = peer->n_tags;
	r->rule.locals = local->p, r->rule.n_locals = local->n, r->rule.local_tags = local->tags,
	r->rule.n_local_tags = local->n_tags;
	return rc;
}

static struct wh_admin_rule *next(struct wh_building *b)
{
	b->t->admin = wh_arena_grown(b->mem, b->t->admin, b->t->n_admin, &b->room_admin, sizeof *b->t->admin);
	return &b->t->admin[b->t->n_admin++];
}

/* The collection of a rule determines its groups, if the rule has none. */
static const json_t *groups_of(struct wh_building *b, const struct wh_item *it)
{
	const json_t *own = wh_field(it->body, "ruleCollectionAppliesToGroups");
	const char *end = strstr(it->key, "/rules/");
	const struct wh_item *collection = end ? wh_inventory_find(b->inv,
	                                                           wh_arena_printf(b->mem, "%.*s", (int)(end - it->key), it->key))
	                                       : NULL;
	return own ? own : collection ? wh_field(collection->body, "appliesToGroups") : NULL;
}

static void in_force(struct wh_building *b, const struct wh_item *it, struct wh_admin_rule *r)
{
	const json_t *groups = groups_of(b, it);
	size_t i, room = 0;
	json_t *g;
	json_array_foreach((json_t *)(uintptr_t)groups, i, g) {
		const char *id = wh_field_text(g, "networkGroupId");
		if (id && !members_of(b, id, &r->vnets, &r->n_vnets, &room) && b->t->n_vnets > 1)
			r->unsure = wh_arena_printf(b->mem, "the members of the network group %s (its static members)",
			                            wh_last_part(id));
	}
	if (r->n_vnets || r->unsure)
		return;
	r->vnets = wh_arena_array(b->mem, b->t->n_vnets + 1, sizeof *r->vnets);
	for (i = 0; i < b->t->n_vnets; i++)
		r->vnets[r->n_vnets++] = i;
	if (!wh_name_set_find(&b->missing, rule_type))
		wh_inventory_note(
			b->inv,
			"%s: no document says for which VNets the security admin rules are in force: they are taken to be in force for all of them",
			it->file);
	wh_name_set_add(&b->missing, rule_type, it);
}

/* Resource Graph's row of one VNet. */
static int read_effective(struct wh_building *b, const struct wh_item *it)
{
	const char *end = strcasestr(it->id, "/providers/Microsoft.Network/effectiveSecurityAdminRules");
	size_t vnet = end ? wh_topology_vnet(b->t, wh_arena_printf(b->mem, "%.*s", (int)(end - it->id), it->id)) : WH_NONE, i, k,
	       j;
	json_t *config, *collection, *rule;
	int rc = 0;
	if (vnet == WH_NONE)
		return 0;
	json_array_foreach(wh_field(it->body, "effectiveSecurityAdminConfigurations"), i, config)
		json_array_foreach(wh_field(config, "ruleCollections"), k, collection)
			json_array_foreach(wh_field(collection, "rules"), j, rule) {
				const char *id = wh_field_text(rule, "id");
				struct wh_admin_rule *r = rc ? NULL : next(b);
				if (!r || (rc = read_rule(b, it, rule, id ? id : "", r)))
					continue;
				r->vnets = wh_arena_alloc(b->mem, sizeof *r->vnets);
				*r->vnets = vnet;
				r->n_vnets = 1;
			}
	return rc;
}

static int by_priority(const void *a, const void *b)
{
	const struct wh_admin_rule *x = a, *y = b;
	return x->priority != y->priority ? (x->priority > y->priority) - (x->priority < y->priority) : strcasecmp(x->id, y->id);
}

int wh_build_admin(struct wh_building *b)
{
	const struct wh_item **list;
	b->n_static_members = wh_inventory_of_type(b->inv, "microsoft.network/networkmanagers/networkgroups/staticmembers",
	                                           &b->static_members);
	size_t n = wh_inventory_of_type(b->inv, rule_type, &list);
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		struct wh_admin_rule *r = next(b);
		if (!(rc = read_rule(b, list[i], list[i]->body, list[i]->id, r)))
			in_force(b, list[i], r);
	}
	n = wh_inventory_of_type(b->inv, "microsoft.network/effectivesecurityadminrules", &list);
	for (size_t i = 0; i < n && !rc; i++)
		rc = read_effective(b, list[i]);
	if (!rc && b->t->n_admin)
		qsort(b->t->admin, b->t->n_admin, sizeof *b->t->admin, by_priority);
	return rc;
}
