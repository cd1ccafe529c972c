/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jitNetworkAccessPolicies: one, "default", for each resource group with machines that have a policy. The policies are
 * whittle.yaml's, which is root's alone: this API opens within them and does not change them.
 */
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "whittle/app_jit.h"
#include "whittle/app_learning.h"
#include "whittle/config.h"

#define TYPE "Microsoft.Security/locations/jitNetworkAccessPolicies"

/* ---- policies ---- */

static json_t *port_json(const struct wh_jit_policy *p, const struct wh_jit_port *port, struct wh_arena *mem)
{
	char text[WH_PREFIX_STRLEN];
	json_t *from = json_array();
	for (size_t i = 0; i < p->n_from; i++)
		json_array_append_new(from, json_string(wh_prefix_text(&p->from[i], text)));
	json_t *o = json_pack("{s:i, s:s, s:s}", "number", (int)port->port, "protocol",
	                      port->proto == WH_PROTO_UDP ? "UDP" : "TCP", "maxRequestAccessDuration",
	                      wh_arena_printf(mem, "PT%lldM", (long long)((p->longest_s ? p->longest_s : 3 * 3600) / 60)));
	if (p->n_from)
		json_object_set(o, "allowedSourceAddressPrefixes", from);
	else
		json_object_set_new(o, "allowedSourceAddressPrefix", json_string("*"));
	json_decref(from);
	return o;
}

/* The id of the machine that a policy is for; its group is where the policy appears. */
static const char *id_of(const struct wh_call *c, const struct wh_estate *e, const struct wh_jit_policy *p)
{
	const struct wh_resource *r = wh_estate_find(e, p->resource);
	return wh_call_id(r ? r->name : p->resource, r ? r->id : NULL, c->mem);
}

static const char *group_in(const char *id, struct wh_arena *mem)
{
	const char *g = strcasestr(id, "/resourceGroups/");
	return g ? wh_arena_printf(mem, "%.*s", (int)strcspn(g + 16, "/"), g + 16) : WH_LOCAL_GROUP;
}

static json_t *machines_of(const struct wh_call *c, const struct wh_estate *e, const char *group)
{
	const struct wh_jit_config *jit = &c->app->config->jit;
	json_t *list = json_array();
	for (size_t i = 0; i < jit->n_policies; i++) {
		const struct wh_jit_policy *p = &jit->policies[i];
		const char *id = id_of(c, e, p);
		json_t *ports = json_array();
		for (size_t k = 0; k < p->n_ports; k++)
			json_array_append_new(ports, port_json(p, &p->ports[k], c->mem));
		if (wh_id_within(id, c->values[0], group))
			json_array_append_new(list, json_pack("{s:s, s:O}", "id", id, "ports", ports));
		json_decref(ports);
	}
	return list;
}

static json_t *policy_json(const struct wh_call *c, const struct wh_estate *e, const char *group)
{
	const char *id = wh_arena_printf(
		c->mem,
		"/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Security/locations/" WH_LOCAL_LOCATION
		"/jitNetworkAccessPolicies/default",
		c->values[0], group);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:o, s:[], s:s}}", "id", id, "name", "default", "type", TYPE, "kind",
	                 "Basic", "location", WH_LOCAL_LOCATION, "properties", "virtualMachines", machines_of(c, e, group),
	                 "requests", "provisioningState", "Succeeded");
}

/* The value after "resourceGroups"; NULL: all groups. */
static const char *asked_group(const struct wh_call *c)
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

static json_t *policies(const struct wh_call *c, const struct wh_estate *e)
{
	const struct wh_jit_config *jit = &c->app->config->jit;
	json_t *list = json_array(), *groups = json_array();
	for (size_t i = 0; i < jit->n_policies; i++) {
		const char *id = id_of(c, e, &jit->policies[i]), *group = group_in(id, c->mem);
		if (!wh_id_within(id, c->values[0], asked_group(c)) || listed(groups, group))
			continue;
		json_array_append_new(groups, json_string(group));
		json_array_append_new(list, policy_json(c, e, group));
	}
	json_decref(groups);
	return list;
}

WH_ENDPOINT(jit_list)
{
	struct wh_estate *e;
	int rc = wh_app_estate(c->app, c->mem, &e, err);
	if (rc)
		return rc;
	rc = wh_call_list(c, policies(c, e));
	wh_estate_free(e);
	return rc;
}

static int one(struct wh_call *c, json_t **out, struct wh_error *err)
{
	struct wh_estate *e;
	int rc = wh_app_estate(c->app, c->mem, &e, err);
	if (rc)
		return rc;
	json_t *list = policies(c, e);
	*out = strcasecmp(c->values[3], "default") ? NULL : json_incref(json_array_get(list, 0));
	json_decref(list);
	wh_estate_free(e);
	return *out ? 0
	            : wh_fail(err, -ENOENT, "there is no policy '%.60s' here; policies are in whittle.yaml: jit", c->values[3]);
}

WH_ENDPOINT(jit_get)
{
	json_t *doc;
	int rc = one(c, &doc, err);
	return rc ? rc : wh_call_json(c, 200, doc);
}

/* What is there already may be asked for again. */
WH_ENDPOINT(jit_put)
{
	json_t *doc;
	int rc = one(c, &doc, err);
	if (!rc && json_equal(json_object_get(json_object_get(doc, "properties"), "virtualMachines"),
	                      json_object_get(json_object_get(c->body, "properties"), "virtualMachines")))
		return wh_call_json(c, 200, doc);
	if (!rc)
		json_decref(doc);
	return wh_call_refuse(
		c, 409, "PolicyIsConfigured",
		"policies are in whittle.yaml (jit), which root alone changes: what may be opened is not for this API to widen");
}

WH_ENDPOINT(jit_delete)
{
	(void)err;
	return wh_call_refuse(c, 409, "PolicyIsConfigured", "policies are in whittle.yaml (jit), which root alone changes");
}

/* ---- openings ---- */

/* One port of one machine, by `whittle jit open`; what it asks for is judged there by the policy. */
static int open_port(struct wh_call *c, const char *id, json_t *port, const char *why, struct wh_error *err)
{
	struct wh_gate_request r = wh_call_gate(c, WH_GATE_JIT_OPEN);
	const char *from = wh_call_member(port, "allowedSourceAddressPrefix"), *end = wh_call_member(port, "endTimeUtc"),
		   *local = strrchr(id, '/');
	const char *proto = wh_call_member(port, "protocol");
	int64_t until, now = wh_now_us();
	json_t *doc;
	if (!end || wh_time_parse(end, strlen(end), &until) || until <= now || until - now > WH_US_PER_DAY)
		return wh_fail_input(err, -EINVAL, "endTimeUtc is a time within the next 24 hours");
	if (!from || !strcmp(from, "*"))
		from = "0.0.0.0/0";
	r.proto = proto && !strcasecmp(proto, "UDP") ? WH_PROTO_UDP : WH_PROTO_TCP;
	r.port = (uint32_t)json_integer_value(json_object_get(port, "number"));
	r.seconds = (uint32_t)((until - now) / 1000000) + 1;
	bool ours = local && wh_id_within(id, WH_LOCAL_SUBSCRIPTION, WH_LOCAL_GROUP);
	snprintf(r.resource, sizeof r.resource, "%s", ours ? local + 1 : id);
	snprintf(r.from, sizeof r.from, "%.63s", from);
	snprintf(r.why, sizeof r.why, "%.250s", why ? why : "");
	int rc = wh_call_command(c, &r, &doc, err);
	wh_call_journal(
		c, "serve.jit.open",
		json_pack("{s:s, s:i, s:s, s:b}", "resource", r.resource, "port", (int)r.port, "from", r.from, "done", !rc));
	json_decref(doc);
	if (!rc) {
		json_object_set_new(port, "status", json_string("Initiated"));
		json_object_set_new(port, "statusReason", json_string("UserRequested"));
	}
	return rc;
}

WH_ENDPOINT(jit_initiate)
{
	const char *why = wh_call_member(c->body, "justification");
	json_t *machines = json_object_get(c->body, "virtualMachines"), *m, *port;
	char now[WH_TIME_STRLEN];
	size_t i, k;
	int rc = 0;
	if (strcasecmp(c->target.segments[c->target.n - 1], "initiate") || !json_array_size(machines) ||
	    json_array_size(machines) > 20)
		return wh_call_refuse(c, 400, "InvalidRequestContent",
		                      "initiate takes 1 to 20 virtualMachines, each with an id and ports");
	json_array_foreach(machines, i, m) {
		const char *id = wh_call_member(m, "id");
		if (!id || !json_array_size(json_object_get(m, "ports")))
			rc = rc ? rc : wh_fail_input(err, -EINVAL, "a virtual machine has an id and ports");
		json_array_foreach(json_object_get(m, "ports"), k, port)
			rc = rc ? rc : open_port(c, id, port, why, err);
	}
	return rc ? rc
	          : wh_call_json(c, 202,
	                         json_pack("{s:O, s:s, s:s, s:s*}", "virtualMachines", machines, "startTimeUtc",
	                                   wh_time_text(wh_now_us(), now), "requestor", c->app->who, "justification", why));
}

/* ---- our own ---- */

WH_ENDPOINT(own_jit)
{
	const struct wh_gate_request r = wh_call_gate(c, WH_GATE_JIT_LIST);
	struct wh_estate *e = NULL;
	struct wh_error why = {0};
	json_t *doc = NULL, *log = NULL, *list = json_array();
	int rc = wh_app_estate(c->app, c->mem, &e, err);
	for (size_t i = 0; !rc && i < c->app->config->jit.n_policies; i++) {
		const struct wh_jit_policy *p = &c->app->config->jit.policies[i];
		json_t *ports = json_array();
		for (size_t k = 0; k < p->n_ports; k++)
			json_array_append_new(ports, port_json(p, &p->ports[k], c->mem));
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o}", "resource", p->resource, "id", id_of(c, e, p), "ports", ports));
	}
	wh_estate_free(e);
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

WH_ENDPOINT(own_jit_open)
{
	const char *resource = wh_call_member(c->body, "resource");
	if (!resource)
		return wh_call_refuse(
			c, 400, "InvalidRequestContent",
			"the body has resource, number, protocol, allowedSourceAddressPrefix, endTimeUtc and, if wanted, why");
	int rc = open_port(c, resource, c->body, wh_call_member(c->body, "why"), err);
	return rc ? rc : wh_call_json(c, 200, json_incref(c->body));
}

WH_ENDPOINT(own_jit_close)
{
	struct wh_gate_request r = wh_call_gate(c, WH_GATE_JIT_CLOSE);
	json_t *doc;
	snprintf(r.resource, sizeof r.resource, "%.60s", c->values[0]);
	int rc = wh_call_command(c, &r, &doc, err);
	wh_call_journal(c, "serve.jit.close", json_pack("{s:s, s:b}", "id", r.resource, "done", !rc));
	json_decref(doc);
	return rc ? rc : wh_call_empty(c, 204);
}
