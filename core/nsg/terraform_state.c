/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups out of Terraform's state: `terraform show -json` (values, with modules inside of modules) and terraform.tfstate
 * (resources with instances). A group's rules are in its security_rule; those declared as resources of their own are there too
 * after a refresh, and are added where they are not.
 */
#include <string.h>
#include <strings.h>
#include "nsg/shapes.h"

enum { MOST_MODULES = 16 };

struct found { const char *path; const json_t *values; };
struct state {
	struct wh_arena *mem;
	struct found *groups, *rules, *joins; /* joins: of groups to subnets and interfaces */
	size_t n_groups, n_rules, n_joins, room_groups, room_rules, room_joins;
};

static void add(struct state *s, struct found **list, size_t *n, size_t *room, const char *path, const json_t *values)
{
	*list = wh_arena_grown(s->mem, *list, *n, room, sizeof **list);
	(*list)[(*n)++] = (struct found){wh_arena_strdup(s->mem, path), values};
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

static void take(struct state *s, const json_t *resource, const char *path, const json_t *values)
{
	const char *type = text(resource, "type");
	if (!json_is_object(values) || strcmp(text(resource, "mode"), "managed") != 0)
		return;
	if (!strcmp(type, "azurerm_network_security_group"))
		add(s, &s->groups, &s->n_groups, &s->room_groups, path, values);
	else if (!strcmp(type, "azurerm_network_security_rule"))
		add(s, &s->rules, &s->n_rules, &s->room_rules, path, values);
	else if (!strcmp(type, "azurerm_subnet_network_security_group_association") ||
	         !strcmp(type, "azurerm_network_interface_security_group_association"))
		add(s, &s->joins, &s->n_joins, &s->room_joins, path, values);
}

static void take_module(struct state *s, const json_t *module, const char *path, int level)
{
	size_t i;
	json_t *r;
	json_array_foreach(json_object_get(module, "resources"), i, r)
		take(s, r, wh_arena_printf(s->mem, "%s/resources/%zu/values", path, i), json_object_get(r, "values"));
	json_array_foreach(json_object_get(module, "child_modules"), i, r)
		if (level < MOST_MODULES)
			take_module(s, r, wh_arena_printf(s->mem, "%s/child_modules/%zu", path, i), level + 1);
}

static void take_file(struct state *s, const json_t *doc)
{
	size_t i, k;
	json_t *r, *instance;
	json_array_foreach(json_object_get(doc, "resources"), i, r)
		json_array_foreach(json_object_get(r, "instances"), k, instance)
			take(s, r, wh_arena_printf(s->mem, "resources/%zu/instances/%zu/attributes", i, k),
	                     json_object_get(instance, "attributes"));
}

static void text_or_list(json_t *to, const json_t *from, const char *one, const char *from_one, const char *several,
                         const char *from_several)
{
	const json_t *list = json_object_get(from, from_several);
	if (*text(from, from_one))
		json_object_set(to, one, json_object_get(from, from_one));
	if (json_array_size(list))
		json_object_set(to, several, (json_t *)(uintptr_t)list);
}

static void hosts(json_t *to, const char *name, const json_t *ids)
{
	json_t *list = json_array(), *id;
	size_t i;
	json_array_foreach((json_t *)(uintptr_t)ids, i, id)
		json_array_append_new(list, json_pack("{s:O}", "id", id));
	if (json_array_size(list))
		json_object_set(to, name, list);
	json_decref(list);
}

static json_t *rule_of(const json_t *r)
{
	static const char *const plain[] = {"name", "id", "description", "protocol", "access", "priority", "direction"};
	json_t *o = json_object();
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		json_t *v = json_object_get(r, plain[i]);
		if (v && !json_is_null(v) && (!json_is_string(v) || *json_string_value(v)))
			json_object_set(o, plain[i], v);
	}
	text_or_list(o, r, "sourcePortRange", "source_port_range", "sourcePortRanges", "source_port_ranges");
	text_or_list(o, r, "destinationPortRange", "destination_port_range", "destinationPortRanges", "destination_port_ranges");
	text_or_list(o, r, "sourceAddressPrefix", "source_address_prefix", "sourceAddressPrefixes", "source_address_prefixes");
	text_or_list(o, r, "destinationAddressPrefix", "destination_address_prefix", "destinationAddressPrefixes",
	             "destination_address_prefixes");
	hosts(o, "sourceApplicationSecurityGroups", json_object_get(r, "source_application_security_group_ids"));
	hosts(o, "destinationApplicationSecurityGroups", json_object_get(r, "destination_application_security_group_ids"));
	return o;
}

static bool has_rule(const json_t *rules, const char *name)
{
	size_t i;
	json_t *r;
	json_array_foreach((json_t *)(uintptr_t)rules, i, r)
		if (!strcasecmp(text(r, "name"), name))
			return true;
	return false;
}

static bool belongs(const json_t *rule, const json_t *group)
{
	return !strcasecmp(text(rule, "network_security_group_name"), text(group, "name")) &&
	       !strcasecmp(text(rule, "resource_group_name"), text(group, "resource_group_name"));
}

static json_t *group_of(const struct state *s, const struct found *g, const char ***paths)
{
	const json_t *inline_rules = json_object_get(g->values, "security_rule");
	json_t *o = json_object(), *rules = json_array(), *r, *subnets = json_array(), *nics = json_array();
	size_t i;
	*paths = wh_arena_array(s->mem, json_array_size(inline_rules) + s->n_rules + 1, sizeof **paths);
	json_array_foreach((json_t *)(uintptr_t)inline_rules, i, r) {
		(*paths)[json_array_size(rules)] = wh_arena_printf(s->mem, "%s/security_rule/%zu", g->path, i);
		json_array_append_new(rules, rule_of(r));
	}
	for (i = 0; i < s->n_rules; i++) {
		if (!belongs(s->rules[i].values, g->values) || has_rule(rules, text(s->rules[i].values, "name")))
			continue;
		(*paths)[json_array_size(rules)] = s->rules[i].path;
		json_array_append_new(rules, rule_of(s->rules[i].values));
	}
	static const char *const plain[] = {"name", "id", "location", "tags"};
	for (i = 0; i < sizeof plain / sizeof *plain; i++) {
		json_t *v = json_object_get(g->values, plain[i]);
		if (v && !json_is_null(v))
			json_object_set(o, plain[i], v);
	}
	for (i = 0; i < s->n_joins; i++) {
		const json_t *j = s->joins[i].values;
		if (*text(j, "network_security_group_id") &&
		    !strcasecmp(text(j, "network_security_group_id"), text(g->values, "id")))
			json_array_append_new(
				*text(j, "subnet_id") ? subnets : nics,
				json_pack("{s:s}", "id",
			                  *text(j, "subnet_id") ? text(j, "subnet_id") : text(j, "network_interface_id")));
	}
	json_object_set_new(o, "type", json_string("Microsoft.Network/networkSecurityGroups"));
	json_object_set(o, "resourceGroup", json_object_get(g->values, "resource_group_name"));
	wh_nsg_set_rules(o, rules);
	json_object_set_new(o, "subnets", subnets);
	json_object_set_new(o, "networkInterfaces", nics);
	return o;
}

int wh_nsg_from_terraform(struct wh_nsg_finding *f, const json_t *doc)
{
	struct state s = {.mem = f->mem};
	const json_t *root = json_object_get(json_object_get(doc, "values"), "root_module");
	bool file = *text(doc, "terraform_version") && json_is_integer(json_object_get(doc, "version"));
	if (json_object_get(doc, "planned_values"))
		return wh_nsg_refuse(
			f, "planned_values",
			"this is a plan of Terraform's, not what is there: give the state, as `terraform show -json` without a file prints it");
	if (!file && (!*text(doc, "terraform_version") || !*text(doc, "format_version")))
		return 1;
	if (file)
		take_file(&s, doc);
	else
		take_module(&s, root, "values/root_module", 0);
	for (size_t i = 0; i < s.n_rules; i++) {
		bool known = false;
		for (size_t k = 0; k < s.n_groups && !known; k++)
			known = belongs(s.rules[i].values, s.groups[k].values);
		if (!known && s.n_groups) /* of a group that is managed elsewhere */
			continue;
		if (!known)
			return wh_nsg_refuse(
				f, s.rules[i].path,
				"the group '%.80s' of rule '%.80s' is not in this state: give the group, as `az network nsg show` prints it",
				text(s.rules[i].values, "network_security_group_name"), text(s.rules[i].values, "name"));
	}
	for (size_t i = 0; i < s.n_groups; i++) {
		const char **paths;
		json_t *group = group_of(&s, &s.groups[i], &paths);
		wh_nsg_found(f, group, s.groups[i].path, paths);
		f->out[f->n - 1].terraform = true;
	}
	return 0;
}
