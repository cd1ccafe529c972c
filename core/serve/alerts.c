/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Microsoft.Security/alerts, and the same of our own API with all that an alert has. */
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "whittle/app_alerts.h"

/* A list is as new as the last look at the ledger. One look a minute is enough; if it fails (another process writes), the earlier
 * results stay. */
static void look(const struct wh_call *c)
{
	static int64_t next_us;
	struct wh_alert_counts ignored;
	struct wh_error err;
	if (wh_monotonic_us() < next_us)
		return;
	next_us = wh_monotonic_us() + 60000000;
	wh_app_alerts_update(c->app, wh_now_us(), &ignored, &err);
}

/* ---- Azure's shape ---- */

static const char *resource_id(const json_t *alert, struct wh_arena *mem)
{
	const json_t *first = json_array_get(json_object_get(json_object_get(alert, "properties"), "resourceIdentifiers"), 0);
	const char *id = wh_call_member(first, "azureResourceId"), *name = wh_call_member(first, "name");
	return wh_call_id(name ? name : "sensor", id, mem);
}

static json_t *azure(const struct wh_call *c, const json_t *alert)
{
	static const char *const later[] = {"version", "techniques", "subTechniques", "supportingEvidence"};
	bool old = strcmp(wh_call_query(c, "api-version"), "2022-01-01") != 0;
	const char *id = resource_id(alert, c->mem), *group = strcasestr(id, "/resourceGroups/"),
		   *name = wh_call_member(alert, "name");
	json_t *p = json_copy(json_object_get(alert, "properties"));
	for (size_t i = 0; old && i < sizeof later / sizeof *later; i++)
		json_object_del(p, later[i]);
	if (old && !strcmp(wh_alert_property(alert, "status"), "InProgress")) /* a value of the later API version */
		json_object_set_new(p, "status", json_string("Active"));
	json_object_set_new(p, "resourceIdentifiers", json_pack("[{s:s, s:s}]", "type", "AzureResource", "azureResourceId", id));
	const char *uri = wh_arena_printf(
		c->mem,
		"/subscriptions/%s/resourceGroups/%.*s/providers/Microsoft.Security/locations/" WH_LOCAL_LOCATION "/alerts/%s",
		c->values[0], group ? (int)strcspn(group + 16, "/") : 5, group ? group + 16 : WH_LOCAL_GROUP, name);
	json_object_set_new(p, "alertUri", json_string(wh_arena_printf(c->mem, "%s/#/alerts/%s", c->request->base, name)));
	return json_pack("{s:s, s:s, s:s, s:o}", "id", uri, "name", name, "type", "Microsoft.Security/Locations/alerts",
	                 "properties", p);
}

static bool is_of(const struct wh_call *c, const json_t *alert)
{
	const char *group = NULL;
	for (size_t i = 2; i + 1 < c->target.n && i < 4; i++)
		if (!strcasecmp(c->target.segments[i], "resourceGroups"))
			group = c->target.segments[i + 1];
	return wh_id_within(resource_id(alert, c->mem), c->values[0], group);
}

WH_ENDPOINT(alerts_list)
{
	json_t *all, *list = json_array(), *a;
	size_t i;
	look(c);
	int rc = wh_app_alerts(c->app, &(struct wh_app_alerts){.all = true, .order = 1}, &all, err);
	json_array_foreach(all, i, a)
		if (is_of(c, a))
			json_array_append_new(list, azure(c, a));
	json_decref(all);
	if (!rc)
		return wh_call_list(c, list);
	json_decref(list);
	return rc;
}

/* The segment after "alerts". */
static const char *name_of(const struct wh_call *c)
{
	for (size_t i = c->target.n; i-- > 1;)
		if (!strcasecmp(c->target.segments[i - 1], "alerts"))
			return c->target.segments[i];
	return "";
}

/* The whole name: an API takes no abbreviations. */
static int find(struct wh_call *c, const char *name, json_t **out, struct wh_error *err)
{
	int rc = wh_app_alert(c->app, name, out, err);
	if (!rc && strcmp(wh_call_member(*out, "name"), name)) {
		json_decref(*out);
		rc = wh_fail_input(err, -ENOENT, "there is no alert '%.60s'", name);
	}
	return rc == -EEXIST ? wh_fail_input(err, -ENOENT, "there is no alert '%.60s'", name) : rc;
}

WH_ENDPOINT(alert_get)
{
	json_t *a;
	int rc = find(c, name_of(c), &a, err);
	if (rc)
		return rc;
	rc = is_of(c, a) ? wh_call_json(c, 200, azure(c, a))
	                 : wh_call_refuse(c, 404, "ResourceNotFound", "there is no such alert in this subscription or group");
	json_decref(a);
	return rc;
}

/* ---- states ---- */

static int change(struct wh_call *c, const char *name, const char *verb, const char *reason,
                  bool (*mine)(const struct wh_call *, const json_t *), struct wh_error *err)
{
	/* by the values of enum wh_alert_status */
	static const char *const verbs[] = {"activate", "inProgress", "resolve", "dismiss"};
	size_t to = 0;
	json_t *a;
	while (to < 4 && strcasecmp(verbs[to], verb))
		to++;
	if (to == 4)
		return wh_call_refuse(c, 404, "InvalidResourceType", "an alert is activated, inProgress, resolved or dismissed");
	int rc = find(c, name, &a, err);
	if (rc)
		return rc;
	if (mine && !mine(c, a))
		rc = wh_fail_input(err, -ENOENT, "there is no such alert in this subscription or group");
	else if (strcmp(wh_alert_property(a, "status"),
	                wh_alert_status_words[to])) /* a client that lost the answer retries */
		rc = wh_app_alert_set(c->app, name, (enum wh_alert_status)to, reason, err);
	json_decref(a);
	return rc ? rc : wh_call_empty(c, 204);
}

WH_ENDPOINT(alert_change)
{
	return change(c, name_of(c), c->target.segments[c->target.n - 1], NULL, is_of, err);
}

/* Azure makes samples of alerts; nobody would tell them from real ones here. */
WH_ENDPOINT(alert_simulate)
{
	(void)err;
	return wh_call_refuse(c, 400, "NotSupported",
	                      "no sample alerts are made here: `whittle demo-data` has a ledger with alerts");
}

/* ---- our own ---- */

WH_ENDPOINT(own_alerts)
{
	json_t *list;
	look(c);
	int rc = wh_app_alerts(c->app, &(struct wh_app_alerts){.all = true}, &list, err);
	/* whole: a page of the console sorts and filters it */
	return rc ? rc : wh_call_json(c, 200, json_pack("{s:o}", "value", list));
}

WH_ENDPOINT(own_alert)
{
	json_t *a;
	int rc = find(c, c->values[0], &a, err);
	return rc ? rc : wh_call_json(c, 200, a);
}

WH_ENDPOINT(own_alert_change)
{
	return change(c, c->values[0], c->values[1], wh_call_member(c->body, "reason"), NULL, err);
}
