/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network security groups as JSON, in the shape in which each was imported: what whittle does not touch goes out as it came in. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"

static void set_addresses(json_t *o, const char *single, const char *plural, const struct wh_prefix *p, size_t n)
{
	char buf[WH_PREFIX_STRLEN];
	if (n <= 1) {
		json_object_set_new(o, single, json_string(n ? wh_prefix_text(p, buf) : "*"));
		return;
	}
	json_t *a = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_string(wh_prefix_text(&p[i], buf)));
	json_object_set_new(o, plural, a);
}

static const char *azure_proto(uint8_t proto, char buf[static 8])
{
	switch (proto) {
	case WH_PROTO_TCP: return "Tcp";
	case WH_PROTO_UDP: return "Udp";
	case WH_PROTO_ICMP: return "Icmp";
	default: return wh_proto_text(proto, buf);
	}
}

static json_t *rule_json(const struct wh_nsg_entry *e, bool arm)
{
	char proto[8], port[8];
	bool in = e->direction == WH_INBOUND;
	json_t *o = json_object(), *p = arm ? json_object() : o;
	json_object_set_new(o, "name", json_string(e->name));
	snprintf(port, sizeof port, "%u", e->port);
	json_object_set_new(p, "description", json_string(e->description));
	json_object_set_new(p, "priority", json_integer(e->priority));
	json_object_set_new(p, "direction", json_string(wh_direction_text(e->direction)));
	json_object_set_new(p, "access", json_string(e->allow ? "Allow" : "Deny"));
	json_object_set_new(p, "protocol", json_string(azure_proto(e->proto, proto)));
	json_object_set_new(p, "sourcePortRange", json_string("*"));
	json_object_set_new(p, "destinationPortRange", json_string(port));
	set_addresses(p, "sourceAddressPrefix", "sourceAddressPrefixes", in ? e->peers : e->locals, in ? e->n_peers : e->n_locals);
	set_addresses(p, "destinationAddressPrefix", "destinationAddressPrefixes", in ? e->locals : e->peers, in ? e->n_locals : e->n_peers);
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
			if (!e->existing || e->existing->index != (int)i)
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

static int render(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, char **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nsg_plan *plans;
	size_t n;
	int rc = wh_nsg_plans(r, e, opt, mem, &plans, &n, err);
	if (!rc && !n)
		rc = wh_fail(err, -ENODATA, "there is nothing to export: no rule is recommended%s", opt && opt->n_resources ? " for what was asked" : "");
	if (!rc) {
		json_t *doc = n == 1 ? wh_nsg_plan_json(&plans[0]) : json_array();
		for (size_t i = 0; n > 1 && i < n; i++)
			json_array_append_new(doc, wh_nsg_plan_json(&plans[i]));
		char *text = json_dumps(doc, JSON_INDENT(2));
		json_decref(doc);
		if (!text || asprintf(out, "%s\n", text) < 0)
			rc = wh_fail(err, -ENOMEM, "out of memory");
		free(text);
	}
	wh_arena_free(mem);
	return rc;
}

const struct wh_renderer wh_render_nsg = {"nsg", "network security groups as JSON, merged into what was imported", render};
