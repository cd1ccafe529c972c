/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alertsSuppressionRules. A scope is a list of conditions that all hold: an address or prefix of every source
 * ("entities.ip.address"), a resource ("entities.host.hostname", "entities.azureresource.resourceid"), a port ("whittle.port").
 * Anything else is refused, since leaving it out would suppress more.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "whittle/app_alerts.h"

enum { PLAIN = 0, SIMULATE = 1 };
static const char *const ip_field = "entities.ip.address", *const host_field = "entities.host.hostname",
			 *const id_field = "entities.azureresource.resourceid", *const port_field = "whittle.port";

/* ---- out ---- */

static void condition(json_t *all, const char *field, const char *value)
{
	if (value)
		json_array_append_new(all, json_pack("{s:s, s:[s]}", "field", field, "in", value));
}

/* The single kept reason consists of Azure's reason and comment. */
static json_t *rule_json(const struct wh_call *c, const json_t *r)
{
	const char *name = wh_call_member(r, "name"), *reason = wh_call_member(r, "reason"),
		   *colon = reason ? strstr(reason, ": ") : NULL;
	json_int_t port = json_integer_value(json_object_get(r, "port"));
	json_t *all = json_array(),
	       *p = json_pack("{s:s?, s:s, s:s?, s:s*, s:s*}", "alertType", wh_call_member(r, "alertType"), "reason",
	                      !reason ? ""
	                      : colon ? wh_arena_printf(c->mem, "%.*s", (int)(colon - reason), reason)
	                              : reason,
	                      "state", wh_call_member(r, "state"), "comment", colon ? colon + 2 : NULL, "expirationDateUtc",
	                      wh_call_member(r, "expirationDateUtc"));
	condition(all, ip_field, wh_call_member(r, "sources"));
	condition(all, host_field, wh_call_member(r, "resource"));
	condition(all, port_field, port ? wh_arena_printf(c->mem, "%d", (int)port) : NULL);
	if (json_array_size(all))
		json_object_set_new(p, "suppressionAlertsScope", json_pack("{s:O}", "allOf", all));
	json_decref(all);
	return json_pack("{s:s, s:s, s:s, s:o}", "id",
	                 wh_arena_printf(c->mem, "/subscriptions/%s/providers/Microsoft.Security/alertsSuppressionRules/%s",
	                                 c->values[0], name),
	                 "name", name, "type", "Microsoft.Security/alertsSuppressionRules", "properties", p);
}

/* ---- in ---- */

/* One value of a condition: {"field", "in":["x"]} or "contains":"x". */
static const char *value_of(const json_t *o)
{
	const json_t *in = json_object_get(o, "in");
	return json_array_size(in) == 1 ? json_string_value(json_array_get(in, 0)) : wh_call_member(o, "contains");
}

static int take_condition(struct wh_call *c, const json_t *o, struct wh_alert_rule *r, struct wh_prefix *source,
                          struct wh_error *err)
{
	const char *field = wh_call_member(o, "field"), *value = value_of(o);
	if (!field || !value)
		return wh_fail_input(err, -EINVAL, "a condition has a field, and \"in\" with one value");
	if (!strcasecmp(field, ip_field)) {
		if (wh_prefix_parse(value, strlen(value), source, NULL))
			return wh_fail_input(err, -EINVAL, "'%.60s' is neither an address nor a prefix", value);
		r->sources = source;
	} else if (!strcasecmp(field, host_field) || !strcasecmp(field, id_field)) {
		r->resource = wh_arena_strdup(c->mem, wh_last_part(value));
	} else if (!strcasecmp(field, port_field) && strspn(value, "0123456789") == strlen(value) &&
	           strtoul(value, NULL, 10) - 1 < 65535) {
		r->port = (uint16_t)strtoul(value, NULL, 10);
	} else {
		return wh_fail_input(err, -EINVAL, "the condition '%.60s' is not supported; there are %s, %s, %s and %s", field,
		                     ip_field, host_field, id_field, port_field);
	}
	return 0;
}

static int take_rule(struct wh_call *c, const char *name, struct wh_alert_rule *r, struct wh_prefix *source, struct wh_error *err)
{
	const json_t *p = json_object_get(c->body, "properties"),
		     *all = json_object_get(json_object_get(p, "suppressionAlertsScope"), "allOf");
	const char *reason = wh_call_member(p, "reason"), *comment = wh_call_member(p, "comment"),
		   *expires = wh_call_member(p, "expirationDateUtc"), *state = wh_call_member(p, "state");
	size_t i;
	json_t *o;
	*r = (struct wh_alert_rule){.name = name,
	                            .type = wh_call_member(p, "alertType"),
	                            .reason = !reason || !*reason   ? ""
	                                      : comment && *comment ? wh_arena_printf(c->mem, "%s: %s", reason, comment)
	                                                            : reason};
	if (!r->type)
		return wh_fail_input(err, -EINVAL, "a rule has properties with alertType, reason and state");
	if (state && strcasecmp(state, "Enabled"))
		return wh_fail_input(err, -EINVAL, "a rule that is not Enabled cannot be stored; delete it instead");
	if (expires && (wh_time_parse(expires, strlen(expires), &r->expires_us) || r->expires_us <= wh_now_us()))
		return wh_fail_input(err, -EINVAL, "'%.40s' is not a time in the future", expires);
	json_array_foreach((json_t *)(uintptr_t)all, i, o) {
		int rc = take_condition(c, o, r, source, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- endpoints ---- */

static int find(struct wh_call *c, const char *name, json_t **out, struct wh_error *err)
{
	json_t *list, *r;
	size_t i;
	int rc = wh_app_alert_rules(c->app, &list, err);
	*out = NULL;
	json_array_foreach(list, i, r)
		if (!strcmp(wh_call_member(r, "name"), name))
			*out = rule_json(c, r);
	json_decref(list);
	return rc ? rc : *out ? 0 : wh_fail_input(err, -ENOENT, "there is no rule '%.60s'", name);
}

WH_ENDPOINT(suppressions_list)
{
	json_t *all, *list = json_array(), *r;
	size_t i;
	const char *type = wh_call_query(c, "AlertType");
	int rc = wh_app_alert_rules(c->app, &all, err);
	json_array_foreach(all, i, r)
		if (!*type || !strcmp(wh_call_member(r, "alertType"), type))
			json_array_append_new(list, rule_json(c, r));
	json_decref(all);
	if (!rc)
		return wh_call_list(c, list);
	json_decref(list);
	return rc;
}

WH_ENDPOINT(suppression_get)
{
	json_t *r;
	int rc = find(c, c->values[1], &r, err);
	return rc ? rc : wh_call_json(c, 200, r);
}

static int put(struct wh_call *c, const char *name, int simulate, size_t *would, size_t *of, struct wh_error *err)
{
	struct wh_alert_rule r;
	struct wh_prefix source;
	int rc = take_rule(c, name, &r, &source, err);
	return rc ? rc : wh_app_alert_suppress(c->app, &r, simulate == SIMULATE, would, of, err);
}

WH_ENDPOINT(suppression_put)
{
	size_t would, of;
	json_t *r;
	int rc = put(c, c->values[1], PLAIN, &would, &of, err);
	rc = rc ? rc : find(c, c->values[1], &r, err);
	return rc ? rc : wh_call_json(c, 200, r);
}

WH_ENDPOINT(suppression_delete)
{
	int rc = wh_app_alert_unsuppress(c->app, c->values[1], err);
	return rc && rc != -ENOENT ? rc : wh_call_empty(c, 204); /* a client that lost the answer retries */
}

WH_ENDPOINT(own_suppression_simulate)
{
	size_t would = 0, of = 0;
	int rc = put(c, "simulated", SIMULATE, &would, &of, err);
	return rc ? rc : wh_call_json(c, 200, json_pack("{s:I, s:I}", "wouldDismiss", (json_int_t)would, "of", (json_int_t)of));
}
