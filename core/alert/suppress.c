/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "alert/document.h"

static bool good_name(const char *name)
{
	size_t n = strlen(name);
	if (n < 2 || n > 50 || !isalnum((unsigned char)*name))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '_')
			return false;
	return true;
}

static json_t *rule_json(const struct wh_alert_rule *r)
{
	char prefix[WH_PREFIX_STRLEN], expires[WH_TIME_STRLEN];
	return json_pack("{s:s, s:s, s:s, s:s*, s:s*, s:i, s:s*}", "name", r->name, "alertType", r->type, "reason", r->reason,
	                 "resource", r->resource, "sources", r->sources ? wh_prefix_text(r->sources, prefix) : NULL, "port",
	                 r->port, "expirationDateUtc", r->expires_us ? wh_time_text(r->expires_us, expires) : NULL);
}

static bool expired(const json_t *rule, int64_t now_us)
{
	const char *at = json_string_value(json_object_get(rule, "expirationDateUtc"));
	int64_t us;
	return at && (wh_time_parse(at, strlen(at), &us) || us <= now_us);
}

static bool sources_within(const json_t *alert, const char *prefix)
{
	const json_t *sources = json_object_get(json_object_get(alert, "whittle"), "sources");
	struct wh_prefix p;
	struct wh_addr a;
	size_t i;
	json_t *s;
	if (wh_prefix_parse(prefix, strlen(prefix), &p, NULL) || !json_array_size(sources) ||
	    json_integer_value(json_object_get(json_object_get(alert, "whittle"), "moreSources")))
		return false;
	json_array_foreach((json_t *)sources, i, s) {
		const char *text = json_string_value(json_object_get(s, "address"));
		if (!text || wh_addr_parse(text, strlen(text), &a) || !wh_prefix_has(&p, &a))
			return false;
	}
	return true;
}

bool wh_alert_rule_matches(const json_t *rule, const json_t *alert, int64_t now_us)
{
	const json_t *p = json_object_get(alert, "properties"), *w = json_object_get(alert, "whittle");
	const char *type = json_string_value(json_object_get(rule, "alertType")),
		   *is = json_string_value(json_object_get(p, "alertType"));
	const char *resource = json_string_value(json_object_get(rule, "resource")),
		   *on = json_string_value(json_object_get(w, "resource"));
	const char *sources = json_string_value(json_object_get(rule, "sources"));
	json_int_t port = json_integer_value(json_object_get(rule, "port"));
	return type && is && (!strcmp(type, "*") || !strcmp(type, is)) && (!resource || (on && !strcmp(resource, on))) &&
	       (!port || port == json_integer_value(json_object_get(w, "port"))) &&
	       (!sources || sources_within(alert, sources)) && !expired(rule, now_us);
}

static int check(const struct wh_alert_rule *r, const struct wh_alert_types *types, struct wh_error *err)
{
	if (!good_name(r->name))
		return wh_fail_input(
			err, -EINVAL,
			"rule '%.60s': a name has 2 to 50 letters, digits, - and _, and begins with a letter or digit", r->name);
	if (!r->reason || !*r->reason)
		return wh_fail_input(err, -EINVAL, "rule '%s': it needs a reason (--reason)", r->name);
	if (strcmp(r->type, "*") && !wh_alert_type_of(types, r->type))
		return wh_fail_input(err, -EINVAL,
		                     "rule '%s': there is no type of alert '%.60s'; `whittle alerts types` lists them", r->name,
		                     r->type);
	if (!strcmp(r->type, "*") && !r->resource && !r->sources && !r->port)
		return wh_fail_input(err, -EINVAL,
		                     "rule '%s': it would suppress every alert; name a type, a resource, sources or a port",
		                     r->name);
	return 0;
}

int wh_alert_rule_put(struct wh_state *s, const struct wh_alert_rule *r, const struct wh_alert_types *types, const char *who,
                      struct wh_error *err)
{
	int rc = check(r, types, err);
	if (rc)
		return rc;
	json_t *doc = rule_json(r);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	rc = text ? wh_state_begin(s, err) : wh_fail(err, -ENOMEM, "out of memory");
	if (!rc) {
		rc = wh_state_put(s, WH_ALERT_RULES, r->name, text, err);
		rc = rc ? rc : wh_state_log(s, who, "alert-rule", text, err);
		rc = wh_state_finish(s, rc, err);
	}
	free(text);
	json_decref(doc);
	return rc;
}

int wh_alert_rule_delete(struct wh_state *s, const char *name, const char *who, struct wh_error *err)
{
	char *was = NULL, line[160];
	if (!good_name(name))
		return wh_fail_input(err, -ENOENT, "there is no suppression rule '%.60s'", name);
	int rc = wh_state_begin(s, err);
	if (rc)
		return rc;
	rc = wh_state_get(s, WH_ALERT_RULES, name, &was, err);
	if (!rc && !was)
		rc = wh_fail_input(err, -ENOENT, "there is no suppression rule '%s'", name);
	snprintf(line, sizeof line, "{\"name\":\"%s\",\"deleted\":true}", name);
	rc = rc ? rc : wh_state_delete(s, WH_ALERT_RULES, name, err);
	rc = rc ? rc : wh_state_log(s, who, "alert-rule", line, err);
	rc = wh_state_finish(s, rc, err);
	free(was);
	return rc;
}

struct listing { json_t *list; int64_t now_us; };

static int list_one(void *arg, const char *key, const char *json)
{
	struct listing *l = arg;
	json_t *r = wh_alert_read(json);
	(void)key;
	if (!json_is_object(r)) {
		json_decref(r);
		return 0;
	}
	json_object_set_new(r, "state", json_string(expired(r, l->now_us) ? "Expired" : "Enabled"));
	return json_array_append_new(l->list, r) ? -ENOMEM : 0;
}

int wh_alert_rules_list(struct wh_state *s, int64_t now_us, json_t **out, struct wh_error *err)
{
	struct listing l = {json_array(), now_us};
	int rc = l.list ? wh_state_each(s, WH_ALERT_RULES, list_one, &l, err) : wh_fail(err, -ENOMEM, "out of memory");
	if (rc) {
		json_decref(l.list);
		l.list = NULL;
	}
	*out = l.list;
	return rc;
}

int wh_alert_rule_simulate(struct wh_state *s, const struct wh_alert_rule *r, const struct wh_alert_types *types, size_t *would,
                           size_t *of, struct wh_error *err)
{
	json_t *all, *a;
	size_t i;
	int rc = check(r, types, err);
	rc = rc ? rc : wh_alerts_list(s, &all, err);
	if (rc)
		return rc;
	json_t *rule = rule_json(r);
	*would = 0;
	*of = json_array_size(all);
	json_array_foreach(all, i, a)
		*would += wh_alert_rule_matches(rule, a, 0);
	json_decref(rule);
	json_decref(all);
	return 0;
}
