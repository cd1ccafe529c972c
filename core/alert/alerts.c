/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "alert/document.h"
#include "alert/finding.h"

#define SEEN_COLLECTION "alert-seen"
#define SEEN_KEY "unanswered"

/* NULL if there is no such document, or it is not one of ours. */
static int document(struct wh_state *s, const char *collection, const char *key, json_t **out, struct wh_error *err)
{
	char *text = NULL;
	*out = NULL;
	int rc = wh_state_get(s, collection, key, &text, err);
	if (!rc && text)
		*out = wh_alert_read(text);
	free(text);
	return rc;
}

static int64_t or(int64_t value, int64_t preset)
{
	return value ? value : preset;
}

int wh_alert_detect(const struct wh_alert_look *look, struct wh_arena *mem, struct wh_alert_found *out, struct wh_error *err)
{
	const struct wh_alert_config *c = look->config;
	const struct wh_alert_config config = {.window = or (c->window, 7 * 86400),
	                                       .sessions_a_day = or (c->sessions_a_day, 100),
	                                       .sources_a_day = or (c->sources_a_day, 20),
	                                       .targets_a_day = or (c->targets_a_day, 20),
	                                       .silence = or (c->silence, 86400),
	                                       .tunnel_bytes = c->tunnel_bytes ? c->tunnel_bytes : 8 << 10,
	                                       .failed_domains = or (c->failed_domains, 30),
	                                       .loss = or (c->loss, 10),
	                                       .scanned_ports = or (c->scanned_ports, 20),
	                                       .ports_a_day = or (c->ports_a_day, 100),
	                                       .flood = or (c->flood, 50000),
	                                       .upload = c->upload ? c->upload : UINT64_C(1) << 30,
	                                       .beacons = or (c->beacons, 96),
	                                       .dormant = or (c->dormant, 45 * 86400)};
	struct wh_alert_look own = *look, *l = &own;
	struct wh_findings all = {.mem = mem};
	struct wh_store_totals totals;
	json_t *before = NULL, *sensor = NULL;
	memset(out, 0, sizeof *out);
	own.config = &config;
	int rc = wh_store_totals(l->ledger->store, &totals, err);
	rc = rc ? rc : document(l->ledger->state, SEEN_COLLECTION, SEEN_KEY, &before, err);
	rc = rc ? rc : document(l->ledger->state, "sensor", "suricata", &sensor, err);
	rc = rc ? rc : wh_alert_detect_edges(l, &totals, &all, err);
	int64_t from_us = (totals.last_us ? totals.last_us : l->now_us) - config.window * INT64_C(1000000);
	rc = rc ? rc : wh_alert_detect_unanswered(l, from_us, before, &out->seen, &all, err);
	rc = rc ? rc : wh_alert_detect_dns(l, from_us, &all, err);
	rc = rc ? rc : wh_alert_detect_protocols(l, from_us, &all, err);
	rc = rc ? rc : wh_alert_detect_capture(l, from_us, &all, err);
	rc = rc ? rc : wh_alert_detect_watch(l, &all, err);
	if (!rc) {
		wh_alert_detect_sensor(l, &totals, sensor, &all);
		wh_findings_end(&all);
		out->findings = all.f;
		out->n = all.n;
		out->beyond = all.beyond;
	}
	json_decref(before);
	json_decref(sensor);
	return rc;
}

/* ---- kept alerts ---- */

static int collect(void *arg, const char *key, const char *json)
{
	json_t *a = wh_alert_read(json);
	const json_t *p = json_object_get(a, "properties"), *w = json_object_get(a, "whittle");
	if (!json_is_string(json_object_get(a, "name")) || !json_is_string(json_object_get(p, "startTimeUtc")) ||
	    !json_is_array(json_object_get(w, "sources")) || !json_is_array(json_object_get(w, "timeline"))) {
		json_decref(a);
		return 0; /* not an alert of this program */
	}
	return json_object_set_new(arg, key, a) ? -ENOMEM : 0;
}

static int stored(struct wh_state *s, const char *collection, wh_doc_cb each, json_t **out, struct wh_error *err)
{
	*out = json_object();
	int rc = *out ? wh_state_each(s, collection, each, *out, err) : -ENOMEM;
	if (rc == -ENOMEM)
		rc = wh_fail(err, rc, "out of memory");
	if (rc) {
		json_decref(*out);
		*out = NULL;
	}
	return rc;
}

static int collect_rule(void *arg, const char *key, const char *json)
{
	json_t *r = wh_alert_read(json);
	return !json_is_object(r) ? (json_decref(r), 0) : json_object_set_new(arg, key, r) ? -ENOMEM : 0;
}

/* The name of the rule that dismisses the alert; NULL. */
static const char *suppressed_by(const json_t *rules, const json_t *alert, int64_t now_us)
{
	const char *name;
	json_t *rule;
	json_object_foreach((json_t *)rules, name, rule)
		if (wh_alert_rule_matches(rule, alert, now_us))
			return name;
	return NULL;
}

/* Merges one finding into the kept alerts. */
static int merge(const struct wh_alert_look *l, json_t *alerts, const json_t *rules, const struct wh_finding *f,
                 struct wh_arena *mem, struct wh_alert_counts *n, struct wh_error *err)
{
	const char *key = wh_alert_key(f, mem), *by;
	const struct wh_alert_type *t = wh_alert_type_of(l->types, f->type);
	json_t *a = json_object_get(alerts, key);
	if (a) {
		if (wh_alert_status_of(a) == WH_ALERT_DISMISSED || !wh_alert_follow(a, f, t))
			return 0;
		n->followed++;
		if (wh_alert_status_of(a) == WH_ALERT_RESOLVED && wh_alert_came_back(a)) {
			wh_alert_change(a, WH_ALERT_ACTIVE, l->now_us, "whittle", "it came back");
			n->reopened++;
		}
		return wh_alert_store(l->ledger->state, key, a, err);
	}
	if (json_object_size(alerts) >= WH_MAX_ALERTS) {
		n->beyond++;
		return 0;
	}
	a = wh_alert_new(f, t, key, l->now_us);
	if (!a || json_object_set_new(alerts, key, a))
		return wh_fail(err, -ENOMEM, "out of memory");
	n->made++;
	if ((by = suppressed_by(rules, a, l->now_us))) {
		wh_alert_change(a, WH_ALERT_DISMISSED, l->now_us, "whittle",
		                wh_arena_printf(mem, "suppressed by the rule %s", by));
		n->suppressed++;
	}
	return wh_alert_store(l->ledger->state, key, a, err);
}

int wh_alerts_update(const struct wh_alert_look *l, struct wh_alert_counts *n, struct wh_error *err)
{
	struct wh_state *s = l->ledger->state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_alert_found found = {0};
	json_t *alerts = NULL, *rules = NULL;
	memset(n, 0, sizeof *n);
	int rc = wh_alert_detect(l, mem, &found, err);
	if (!rc)
		rc = wh_state_begin(s, err);
	if (!rc) {
		rc = stored(s, WH_ALERTS, collect, &alerts, err);
		rc = rc ? rc : stored(s, WH_ALERT_RULES, collect_rule, &rules, err);
		for (size_t i = 0; i < found.n && !rc; i++)
			rc = merge(l, alerts, rules, &found.findings[i], mem, n, err);
		n->beyond += found.beyond;
		char *seen = rc ? NULL : json_dumps(found.seen, JSON_COMPACT);
		if (seen)
			rc = wh_state_put(s, SEEN_COLLECTION, SEEN_KEY, seen, err);
		free(seen);
		rc = wh_state_finish(s, rc, err);
	}
	json_decref(alerts);
	json_decref(rules);
	json_decref(found.seen);
	wh_arena_free(mem);
	return rc;
}

static int by_name(const void *x, const void *y)
{
	const json_t *const *a = x, *const *b = y;
	return strcmp(json_string_value(json_object_get(*a, "name")), json_string_value(json_object_get(*b, "name")));
}

int wh_alerts_list(struct wh_state *s, json_t **out, struct wh_error *err)
{
	json_t *all, *a;
	const char *key;
	size_t n = 0;
	*out = NULL;
	int rc = stored(s, WH_ALERTS, collect, &all, err);
	if (rc)
		return rc;
	json_t **sorted = calloc(json_object_size(all) + 1, sizeof *sorted);
	*out = sorted ? json_array() : NULL;
	if (*out) {
		json_object_foreach(all, key, a)
			sorted[n++] = a;
		qsort(sorted, n, sizeof *sorted, by_name);
		for (size_t i = 0; i < n; i++)
			json_array_append(*out, sorted[i]);
	}
	free(sorted);
	json_decref(all);
	return *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}

/* The key of the alert of that name, or of the only one whose name begins or ends with it. */
static int find_key(json_t *all, const char *name, const char **out, struct wh_error *err)
{
	const char *key;
	json_t *a;
	size_t n = strlen(name), hits = 0;
	json_object_foreach(all, key, a) {
		const char *is = json_string_value(json_object_get(a, "name"));
		size_t len = strlen(is);
		if (!strcmp(is, name)) {
			*out = key;
			return 0;
		}
		if (n >= 4 && n < len && (!memcmp(is, name, n) || !memcmp(is + len - n, name, n))) {
			*out = key;
			hits++;
		}
	}
	if (hits > 1)
		return wh_fail_input(err, -EEXIST, "alert '%.80s': %zu alerts begin or end with that; give more of it", name,
		                     hits);
	return hits ? 0
	            : wh_fail_input(err, -ENOENT, "alert '%.80s': there is none; `whittle alerts list` shows their names", name);
}

int wh_alert_find(struct wh_state *s, const char *name, json_t **out, struct wh_error *err)
{
	json_t *all;
	const char *key;
	*out = NULL;
	int rc = stored(s, WH_ALERTS, collect, &all, err);
	if (rc)
		return rc;
	rc = find_key(all, name, &key, err);
	if (!rc)
		*out = json_incref(json_object_get(all, key));
	json_decref(all);
	return rc;
}

int wh_alert_set(struct wh_state *s, const char *name, enum wh_alert_status status, const char *who, const char *reason,
                 struct wh_error *err)
{
	json_t *all = NULL;
	const char *key;
	int rc = wh_state_begin(s, err);
	if (rc)
		return rc;
	rc = stored(s, WH_ALERTS, collect, &all, err);
	rc = rc ? rc : find_key(all, name, &key, err);
	if (!rc) {
		json_t *a = json_object_get(all, key);
		enum wh_alert_status is = wh_alert_status_of(a);
		if (is == status)
			rc = wh_fail_input(err, -EALREADY, "alert '%.80s' is %s", name, wh_alert_status_words[is]);
		else if (is >= WH_ALERT_RESOLVED && status == WH_ALERT_IN_PROGRESS)
			rc = wh_fail_input(err, -EINVAL, "alert '%.80s' is %s: `whittle alerts activate` it first", name,
			                   wh_alert_status_words[is]);
		if (!rc) {
			wh_alert_change(a, status, wh_now_us(), who, reason);
			rc = wh_alert_store(s, key, a, err);
			char *line = json_dumps(json_object_get(a, "name"), JSON_ENCODE_ANY), doc[512];
			snprintf(doc, sizeof doc, "{\"alert\":%s,\"status\":\"%s\"}", line ? line : "null",
			         wh_alert_status_words[status]);
			free(line);
			rc = rc ? rc : wh_state_log(s, who, "alert", doc, err);
		}
	}
	rc = wh_state_finish(s, rc, err);
	json_decref(all);
	return rc;
}
