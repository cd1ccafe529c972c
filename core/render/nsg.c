/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network security groups as JSON, in the shape in which each was imported: what whittle does not touch goes out as it came in. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"

static void set_addresses(json_t *o, const char *single, const char *plural, const struct wh_prefix *p, size_t n)
{
	char buf[WH_PREFIX_STRLEN];
	if (n == 1) {
		json_object_set_new(o, single, json_string(wh_prefix_text(p, buf)));
		return;
	}
	json_t *a = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_string(wh_prefix_text(&p[i], buf)));
	json_object_set_new(o, plural, a);
}

const char *wh_nsg_protocol(uint8_t proto)
{
	switch (proto) {
	case WH_PROTO_TCP: return "Tcp";
	case WH_PROTO_UDP: return "Udp";
	case WH_PROTO_ICMP: return "Icmp";
	case 50: return "Esp";
	case 51: return "Ah";
	default: return "*"; /* WH_PROTO_ANY: the plan has refused the others */
	}
}

size_t wh_nsg_ports(const struct wh_nsg_entry *e, struct wh_arena *mem, const char ***out)
{
	size_t n = 0;
	*out = wh_arena_array(mem, e->n_ports + 1, sizeof **out);
	if (e->any_port)
		(*out)[n++] = "*";
	for (size_t i = 0, j; i < e->n_ports && !e->any_port; i = j) {
		for (j = i + 1; j < e->n_ports && e->ports[j] == e->ports[j - 1] + 1; j++)
			;
		(*out)[n++] = j - i == 1 ? wh_arena_printf(mem, "%u", e->ports[i]) : wh_arena_printf(mem, "%u-%u", e->ports[i], e->ports[j - 1]);
	}
	return n;
}

size_t wh_nsg_port_ranges(const struct wh_port_range *p, size_t n, struct wh_arena *mem, const char ***out)
{
	*out = wh_arena_array(mem, n + 1, sizeof **out);
	for (size_t i = 0; i < n; i++)
		(*out)[i] = p[i].from == p[i].to ? wh_arena_printf(mem, "%u", p[i].from) : wh_arena_printf(mem, "%u-%u", p[i].from, p[i].to);
	if (!n)
		(*out)[n++] = "*";
	return n;
}

static void set_list(json_t *p, const char *single, const char *plural, const char **words, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(words[i]));
	json_object_set_new(p, n == 1 ? single : plural, n == 1 ? json_string(words[0]) : json_incref(list));
	json_decref(list);
}

static void set_ports(json_t *p, const struct wh_nsg_entry *e)
{
	struct wh_arena *mem = wh_arena_new();
	const char **ports;
	size_t n = wh_nsg_port_ranges(e->src, e->n_src, mem, &ports);
	set_list(p, "sourcePortRange", "sourcePortRanges", ports, n);
	n = wh_nsg_ports(e, mem, &ports);
	set_list(p, "destinationPortRange", "destinationPortRanges", ports, n);
	wh_arena_free(mem);
}

static json_t *rule_json(const struct wh_nsg_entry *e, bool arm)
{
	const char *peer[] = {"sourceAddressPrefix", "sourceAddressPrefixes"}, *local[] = {"destinationAddressPrefix", "destinationAddressPrefixes"};
	const char **from = e->direction == WH_INBOUND ? peer : local, **to = e->direction == WH_INBOUND ? local : peer;
	json_t *o = json_object(), *p = arm ? json_object() : o;
	json_object_set_new(o, "name", json_string(e->name));
	json_object_set_new(p, "description", json_string(e->description));
	json_object_set_new(p, "priority", json_integer(e->priority));
	json_object_set_new(p, "direction", json_string(wh_direction_text(e->direction)));
	json_object_set_new(p, "access", json_string(e->allow ? "Allow" : "Deny"));
	json_object_set_new(p, "protocol", json_string(wh_nsg_protocol(e->proto)));
	set_ports(p, e);
	if (e->everyone || e->tag)
		json_object_set_new(p, from[0], json_string(e->tag ? e->tag : "*"));
	else
		set_addresses(p, from[0], from[1], e->peers, e->n_peers);
	if (e->n_locals)
		set_addresses(p, to[0], to[1], e->locals, e->n_locals);
	else
		json_object_set_new(p, to[0], json_string("*"));
	if (arm)
		json_object_set_new(o, "properties", p);
	return o;
}

static json_t *new_group(const struct wh_nsg_plan *p)
{
	return json_pack("{s:s,s:s,s:s,s:{s:[]}}", "type", "Microsoft.Network/networkSecurityGroups", "apiVersion", "2023-09-01", "name", p->name, "properties",
	                 "securityRules");
}

json_t *wh_nsg_plan_json(const struct wh_nsg_plan *p)
{
	json_t *group = p->nsg ? json_deep_copy(p->nsg->source) : new_group(p);
	bool arm = !p->nsg || p->nsg->arm_resource;
	json_t *props = arm ? json_object_get(group, "properties") : group, *old = json_object_get(props, "securityRules"), *rules = json_array();
	/* the imported rules in their own order, renumbered where the plan says so; rules of ours from an earlier time are replaced */
	size_t i;
	json_t *r;
	json_array_foreach(old, i, r) {
		for (size_t k = 0; k < p->n; k++) {
			const struct wh_nsg_entry *e = &p->entries[k];
			if (!e->existing || e->leaving || e->existing->index != (int)i)
				continue;
			if (e->renumbered)
				json_object_set_new(json_is_object(json_object_get(r, "properties")) ? json_object_get(r, "properties") : r, "priority", json_integer(e->priority));
			json_array_append(rules, r);
		}
	}
	for (size_t k = 0; k < p->n; k++)
		if (!p->entries[k].existing)
			json_array_append_new(rules, rule_json(&p->entries[k], arm));
	json_object_set_new(props, "securityRules", rules);
	return group;
}

int wh_nsg_plan_verify(const struct wh_nsg_plan *p, const struct wh_tag_context *tags, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_nsg *after = NULL;
	size_t n = 0;
	json_t *doc = wh_nsg_plan_json(p);
	char *text = json_dumps(doc, JSON_COMPACT), proto[8];
	int rc = text ? wh_nsg_parse(p->name, text, strlen(text), mem, &after, &n, err) : wh_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < p->n_regions && !rc; i++) {
		const struct wh_nsg_region *g = &p->regions[i];
		struct wh_arena *scratch = wh_arena_new();
		const struct wh_nsg seen = wh_nsg_from_port(after, g->source, scratch), *list[] = {&seen};
		struct wh_ranges now;
		wh_policy_allowed(list, 1, tags, &g->local, g->direction, g->proto, g->port, scratch, &now, NULL, NULL);
		now = wh_ranges_intersect(now, wh_ranges_from_prefixes(wh_addr_is_v4(&g->local) ? &wh_prefix_all_v4 : &wh_prefix_all_v6, 1, scratch), scratch);
		if (wh_ranges_minus(now, g->peers, scratch).n || wh_ranges_minus(g->peers, now, scratch).n)
			rc = wh_fail(err, -EPROTO, "%s: the merged rules would not decide %s %u as proposed: nothing is written", p->name, wh_proto_text(g->proto, proto), g->port);
		wh_arena_free(scratch);
	}
	if (after)
		wh_nsgs_free(after, n);
	free(text);
	json_decref(doc);
	return rc;
}

/* One group as an object, several as a list; where none changes, those that were asked for, as they came. */
static int write_groups(const struct wh_nsg_plan *plans, size_t n, const struct wh_estate *e, const struct wh_render_options *opt, char **out,
                        struct wh_error *err)
{
	json_t *list = json_array(), *doc;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, wh_nsg_plan_json(&plans[i]));
	for (size_t i = 0; !n && i < e->n_nsgs; i++)
		if (!opt || wh_nsg_asked(&e->nsgs[i], e, opt))
			json_array_append(list, e->nsgs[i].source);
	doc = json_array_size(list) == 1 ? json_incref(json_array_get(list, 0)) : json_incref(list);
	json_decref(list);
	char *text = json_dumps(doc, JSON_INDENT(2));
	int rc = text && asprintf(out, "%s\n", text) >= 0 ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(doc);
	return rc;
}

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	const struct wh_tag_context tags = wh_estate_tags(e);
	struct wh_nsg_plan *plans;
	size_t n = 0;
	*out = NULL;
	int rc = wh_nsg_plans(r, e, opt, mem, &plans, &n, err);
	for (size_t i = 0; i < n && !rc; i++)
		rc = wh_nsg_plan_verify(&plans[i], &tags, mem, err);
	if (!rc)
		rc = write_groups(plans, n, e, opt, out, err);
	if (!rc && opt && opt->notes)
		*opt->notes = wh_nsg_notes(plans, n, wh_nsg_scope_notes(r, opt, mem));
	wh_arena_free(mem);
	return rc;
}

const struct wh_renderer wh_render_nsg = {"nsg", "network security groups as JSON, merged into what was imported", render};
