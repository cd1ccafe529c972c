/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jitNetworkAccessPolicies: one, "default", for each resource group with machines that have a policy. Those of
 * whittle.yaml are root's alone; others are made and deleted here. This process may not read their file: it runs `whittle
 * jit policy`.
 */
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "serve/jit.h"
#include "whittle/app_jit.h"
#include "whittle/app_learning.h"

#define TYPE "Microsoft.Security/locations/jitNetworkAccessPolicies"

/* ---- policies ---- */

int wh_jit_policies_read(struct wh_call *c, struct wh_jit_policies *out, struct wh_error *err)
{
	const struct wh_gate_request r = wh_call_gate(c, WH_GATE_JIT_POLICIES);
	json_t *doc, *o;
	size_t i;
	int rc = wh_call_command(c, &r, &doc, err);
	const json_t *list = json_object_get(doc, "policies");
	out->list = wh_arena_array(c->mem, json_array_size(list) + 1, sizeof *out->list);
	json_array_foreach((json_t *)(uintptr_t)list, i, o) {
		const char *resource = wh_call_member(o, "resource"), *ports = wh_call_member(o, "ports"),
			   *from = wh_call_member(o, "from"), *made = wh_call_member(o, "madeBy");
		const struct wh_jit_policy_text t = {.resource = resource ? resource : "",
		                                     .ports = ports ? ports : "",
		                                     .from = from,
		                                     .longest_s = json_integer_value(json_object_get(o, "longestSeconds"))};
		rc = rc ? rc : wh_jit_policy_read(&t, c->mem, &out->list[out->n], err);
		out->list[out->n++].kept = made && !strcmp(made, "command");
	}
	json_decref(doc);
	return rc;
}

int wh_jit_policies_open(struct wh_call *c, struct wh_jit_policies *out, struct wh_error *err)
{
	*out = (struct wh_jit_policies){.c = c};
	int rc = wh_app_estate(c->app, c->mem, &out->estate, err);
	return rc ? rc : wh_jit_policies_read(c, out, err);
}

void wh_jit_policies_close(struct wh_jit_policies *p)
{
	wh_estate_free(p->estate);
}

static json_t *port_json(const struct wh_jit_policy *p, const struct wh_jit_port *port, struct wh_arena *mem)
{
	char text[WH_PREFIX_STRLEN];
	json_t *from = json_array();
	for (size_t i = 0; i < p->n_from; i++)
		json_array_append_new(from, json_string(wh_prefix_text(&p->from[i], text)));
	json_t *o = json_pack("{s:i, s:s, s:s}", "number", (int)port->port, "protocol",
	                      port->proto == WH_PROTO_UDP ? "UDP" : "TCP", "maxRequestAccessDuration",
	                      wh_arena_printf(mem, "PT%lldM", (long long)(p->longest_s / 60)));
	if (p->n_from)
		json_object_set(o, "allowedSourceAddressPrefixes", from);
	else
		json_object_set_new(o, "allowedSourceAddressPrefix", json_string("*"));
	json_decref(from);
	return o;
}

json_t *wh_jit_ports_json(const struct wh_jit_policy *p, struct wh_arena *mem)
{
	json_t *ports = json_array();
	for (size_t k = 0; k < p->n_ports; k++)
		json_array_append_new(ports, port_json(p, &p->ports[k], mem));
	return ports;
}

const char *wh_jit_id(const struct wh_jit_policies *all, const struct wh_jit_policy *p)
{
	const struct wh_resource *r = wh_estate_find(all->estate, p->resource);
	return wh_call_id(r ? r->name : p->resource, r ? r->id : NULL, all->c->mem);
}

static const char *group_in(const char *id, struct wh_arena *mem)
{
	const char *g = strcasestr(id, "/resourceGroups/");
	return g ? wh_arena_printf(mem, "%.*s", (int)strcspn(g + 16, "/"), g + 16) : WH_LOCAL_GROUP;
}

static json_t *policy_json(const struct wh_jit_policies *all, const char *group)
{
	const struct wh_call *c = all->c;
	const char *path = wh_arena_printf(
		c->mem,
		"/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Security/locations/" WH_LOCAL_LOCATION
		"/jitNetworkAccessPolicies/default",
		c->values[0], group);
	json_t *list = json_array();
	for (size_t i = 0; i < all->n; i++) {
		const char *id = wh_jit_id(all, &all->list[i]);
		if (wh_id_within(id, c->values[0], group))
			json_array_append_new(
				list, json_pack("{s:s, s:o}", "id", id, "ports", wh_jit_ports_json(&all->list[i], c->mem)));
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:o, s:[], s:s}}", "id", path, "name", "default", "type", TYPE, "kind",
	                 "Basic", "location", WH_LOCAL_LOCATION, "properties", "virtualMachines", list, "requests",
	                 "provisioningState", "Succeeded");
}

const char *wh_jit_group(const struct wh_call *c)
{
	return c->target.n > 3 && !strcasecmp(c->target.segments[2], "resourceGroups") ? c->target.segments[3] : NULL;
}

static bool listed(const json_t *list, const char *group)
{
	size_t i;
	json_t *o;
	json_array_foreach((json_t *)(uintptr_t)list, i, o)
		if (!strcasecmp(json_string_value(o), group))
			return true;
	return false;
}

static json_t *groups_json(const struct wh_jit_policies *all)
{
	const struct wh_call *c = all->c;
	json_t *list = json_array(), *groups = json_array();
	for (size_t i = 0; i < all->n; i++) {
		const char *id = wh_jit_id(all, &all->list[i]), *group = group_in(id, c->mem);
		if (!wh_id_within(id, c->values[0], wh_jit_group(c)) || listed(groups, group))
			continue;
		json_array_append_new(groups, json_string(group));
		json_array_append_new(list, policy_json(all, group));
	}
	json_decref(groups);
	return list;
}

WH_ENDPOINT(jit_list)
{
	struct wh_jit_policies all;
	int rc = wh_jit_policies_open(c, &all, err);
	rc = rc ? rc : wh_call_list(c, groups_json(&all));
	wh_jit_policies_close(&all);
	return rc;
}

int wh_jit_policies_one(struct wh_call *c, const struct wh_jit_policies *all, json_t **out, struct wh_error *err)
{
	json_t *list = groups_json(all);
	*out = strcasecmp(c->values[3], "default") ? NULL : json_incref(json_array_get(list, 0));
	json_decref(list);
	return *out ? 0
	            : wh_fail(err, -ENOENT, "there is no policy '%.60s' here; a group of machines has one, default",
	                      c->values[3]);
}

WH_ENDPOINT(jit_get)
{
	struct wh_jit_policies all;
	json_t *doc;
	int rc = wh_jit_policies_open(c, &all, err);
	rc = rc ? rc : wh_jit_policies_one(c, &all, &doc, err);
	wh_jit_policies_close(&all);
	return rc ? rc : wh_call_json(c, 200, doc);
}

/* ---- our own ---- */

WH_ENDPOINT(own_jit)
{
	const struct wh_gate_request r = wh_call_gate(c, WH_GATE_JIT_LIST);
	struct wh_jit_policies all;
	struct wh_error why = {0};
	json_t *doc = NULL, *log = NULL, *list = json_array();
	int rc = wh_jit_policies_open(c, &all, err);
	for (size_t i = 0; !rc && i < all.n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:b}", "resource", all.list[i].resource, "id",
		                                      wh_jit_id(&all, &all.list[i]), "ports",
		                                      wh_jit_ports_json(&all.list[i], c->mem), "configured", !all.list[i].kept));
	wh_jit_policies_close(&all);
	rc = rc ? rc : wh_app_jit_log(c->app, &log, err);
	if (!rc && wh_call_command(c, &r, &doc, &why) && !doc)
		doc = json_pack("{s:[], s:s}", "openings", "notAsConfirmed", why.text);
	if (rc) {
		json_decref(list);
		return rc;
	}
	json_object_set_new(doc, "policies", list);
	json_object_set_new(doc, "log", json_incref(json_object_get(log, "events")));
	json_decref(log);
	return wh_call_json(c, 200, doc);
}
