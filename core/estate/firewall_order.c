/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The collections of rules of a firewall and of its policies, and their order: see firewalls.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "estate/firewalls.h"

enum { MOST_PARENTS = 8 };

/* level: of its policy: the policy that all others are based on has the highest. hint: the kind of its rules, -1: each says it */
struct collection {
	const json_t *body;
	const char *group;
	json_int_t group_priority, priority;
	int level, hint;
	size_t place;
};
struct collecting {
	struct wh_building *b;
	struct collection *list;
	size_t n, room;
	const char *unsure;
};

static json_int_t number_of(const json_t *o, const char *member)
{
	const json_t *v = wh_field(o, member);
	return json_is_string(v) ? strtoll(json_string_value(v), NULL, 10) : json_integer_value(v);
}

static void add(struct collecting *c, const json_t *body, const struct collection *like)
{
	c->list = wh_arena_grown(c->b->mem, c->list, c->n, &c->room, sizeof *c->list);
	c->list[c->n] = *like;
	c->list[c->n].body = body;
	c->list[c->n].priority = number_of(body, "priority");
	c->list[c->n].place = c->n;
	c->n++;
}

/* Azure has one list of collections of any kind; Terraform has one for each kind. */
static void add_group(struct collecting *c, const struct wh_item *group, int level)
{
	static const struct {
		const char *member;
		int hint;
	} lists[] = {{"ruleCollections", -1},
	             {"networkRuleCollection", WH_FIREWALL_NETWORK},
	             {"applicationRuleCollection", WH_FIREWALL_APPLICATION}};
	size_t i;
	json_t *o;
	for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
		const struct collection like = {.group = group->name,
		                                .group_priority = number_of(group->body, "priority"),
		                                .level = level,
		                                .hint = lists[k].hint};
		json_array_foreach(wh_field(group->body, lists[k].member), i, o)
			add(c, o, &like);
	}
}

static void not_known(struct collecting *c, const char *policy)
{
	c->unsure = wh_arena_printf(
		c->b->mem, "the rules of the firewall policy %s (`az network firewall policy rule-collection-group list`)",
		wh_last_part(policy));
}

/* Groups are below their policy's id. */
static void add_policy(struct collecting *c, const char *policy, int level)
{
	const struct wh_item **list, *it = wh_inventory_find(c->b->inv, policy);
	size_t n = wh_inventory_of_type(c->b->inv, "microsoft.network/firewallpolicies/rulecollectiongroups", &list),
	       len = strlen(policy), found = 0, i;
	json_t *v;
	for (size_t k = 0; k < n; k++)
		if (!strncasecmp(list[k]->id, policy, len) && list[k]->id[len] == '/') {
			add_group(c, list[k], level);
			found++;
		}
	if (!it && !found)
		not_known(c, policy);
	json_array_foreach(it ? wh_field(it->body, "ruleCollectionGroups") : NULL, i, v) {
		const char *id = json_is_string(v) ? json_string_value(v) : wh_field_text(v, "id");
		if (id && !wh_inventory_find(c->b->inv, id))
			not_known(c, policy);
	}
}

static void add_own(struct collecting *c, const struct wh_item *firewall)
{
	static const struct {
		const char *member, *type;
	} lists[] = {
		[WH_FIREWALL_NAT] = {"natRuleCollections", "microsoft.network/azurefirewalls/natrulecollections"},
		[WH_FIREWALL_NETWORK] = {"networkRuleCollections", "microsoft.network/azurefirewalls/networkrulecollections"},
		[WH_FIREWALL_APPLICATION] = {"applicationRuleCollections",
	                                     "microsoft.network/azurefirewalls/applicationrulecollections"}};
	const struct wh_item **lone;
	size_t i, len = strlen(firewall->id);
	json_t *o;
	for (int kind = 0; kind <= WH_FIREWALL_APPLICATION; kind++) {
		const struct collection like = {.hint = kind};
		json_array_foreach(wh_field(firewall->body, lists[kind].member), i, o)
			add(c, o, &like);
		size_t n = wh_inventory_of_type(c->b->inv, lists[kind].type, &lone); /* Terraform's */
		for (size_t k = 0; k < n; k++)
			if (!strncasecmp(lone[k]->id, firewall->id, len) && lone[k]->id[len] == '/')
				add(c, lone[k]->body, &like);
	}
}

static int in_order(const void *a, const void *b)
{
	const struct collection *x = a, *y = b;
	if (x->level != y->level)
		return y->level - x->level;
	if (x->group_priority != y->group_priority)
		return x->group_priority < y->group_priority ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

static int kind_of(const json_t *rule, int hint)
{
	const char *type = wh_field_text(rule, "ruleType");
	if (type)
		return !strcasecmp(type, "NatRule")           ? WH_FIREWALL_NAT
		       : !strcasecmp(type, "ApplicationRule") ? WH_FIREWALL_APPLICATION
		                                              : WH_FIREWALL_NETWORK;
	if (wh_field(rule, "translatedAddress") || wh_field(rule, "translatedFqdn"))
		return WH_FIREWALL_NAT;
	return hint >= 0 ? hint : WH_FIREWALL_NETWORK;
}

/* Azure has {"type":"Allow"}, Terraform the text alone. */
static bool allows(const json_t *collection)
{
	const json_t *action = wh_field(collection, "action");
	const char *text = json_is_object(action) ? wh_field_text(action, "type") : json_string_value(action);
	return text && !strcasecmp(text, "Allow");
}

static const char *name_of(struct wh_building *b, const struct collection *c, const json_t *rule)
{
	const char *collection = wh_field_text(c->body, "name"), *name = wh_field_text(rule, "name");
	return wh_arena_printf(b->mem, "%s%s%s/%s", c->group ? c->group : "", c->group ? "/" : "", collection ? collection : "",
	                       name ? name : "");
}

size_t wh_firewall_rules(struct wh_building *b, const struct wh_item *firewall, enum wh_firewall_kind kind,
                         struct wh_firewall_rule **out, const char **unsure)
{
	struct collecting c = {.b = b};
	const char *policy = wh_field_ref(firewall->body, "firewallPolicy");
	size_t n = 0, room = 0, i;
	json_t *rule;
	add_own(&c, firewall);
	for (int level = 0; policy && level < MOST_PARENTS; level++) {
		const struct wh_item *it = wh_inventory_find(b->inv, policy);
		add_policy(&c, policy, level);
		policy = it ? wh_field_ref(it->body, "basePolicy") : NULL;
	}
	if (c.n)
		qsort(c.list, c.n, sizeof *c.list, in_order);
	*out = NULL;
	for (size_t k = 0; k < c.n; k++)
		json_array_foreach(wh_field(c.list[k].body, "rules"), i, rule) {
			json_int_t priority = c.list[k].priority;
			if (kind_of(rule, c.list[k].hint) != (int)kind)
				continue;
			*out = wh_arena_grown(b->mem, *out, n, &room, sizeof **out);
			(*out)[n++] = (struct wh_firewall_rule){rule, name_of(b, &c.list[k], rule),
			                                        (uint16_t)(priority < 0 || priority > 65535 ? 0 : priority),
			                                        allows(c.list[k].body)};
		}
	if (c.unsure)
		*unsure = c.unsure;
	return n;
}

struct wh_ranges wh_firewall_addresses(struct wh_building *b, const char *text)
{
	const char *dash = strchr(text, '-');
	struct wh_prefix p;
	struct wh_range r;
	if (dash && wh_addr_parse(text, (size_t)(dash - text), &r.from) == 0 &&
	    wh_addr_parse(dash + 1, strlen(dash + 1), &r.to) == 0 && wh_addr_cmp(&r.from, &r.to) <= 0)
		return wh_ranges_union((struct wh_ranges){&r, 1}, (struct wh_ranges){0}, b->mem);
	if (!wh_prefix_parse(text, strlen(text), &p, NULL))
		return wh_ranges_from_prefixes(&p, 1, b->mem);
	return (struct wh_ranges){0};
}

bool wh_firewall_is_any(const char *text)
{
	return !strcmp(text, "*") || !strcasecmp(text, "Any");
}
