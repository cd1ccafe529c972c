/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recommendation as JSON, with Azure's names, so that a rule can be pasted either way; and the same document in the ledger
 * (collection "recommendation", key "latest"), with the number of the calculation.
 */
#include <math.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "recommendation/prefix_lists.h"

#define COLLECTION "recommendation"
#define KEY "latest"
#define REASONS "reasons" /* {"serial": of the calculation, "resources": {name: [reasons]}} */

const char *wh_status_text(enum wh_status s)
{
	static const char *const text[] = {"unscanned", "healthy", "unhealthy"};
	return text[s];
}

/* ---- out ---- */

/* The rules that are in the document, in its order: their prefixes are written when the rest is text. */
struct written {
	const struct wh_recommended_rule **rules;
	size_t n;
};

/* To twelve digits, as in the text: a number is the same in the ledger, in what is printed, and in what was read back. */
static double twelve_digits(double v)
{
	char text[32];
	snprintf(text, sizeof text, "%.12g", v);
	return strtod(text, NULL);
}

static double rounded(double v, double unit)
{
	return twelve_digits(round(v / unit) * unit);
}

json_t *wh_breakage_json(const struct wh_breakage *b)
{
	if (!b->days)
		return json_null();
	return json_pack("{s:I, s:I, s:I, s:I, s:i, s:f}", "flows", (json_int_t)b->flows, "of", (json_int_t)b->of, "peers",
	                 (json_int_t)b->peers, "ofPeers", (json_int_t)b->of_peers, "days", (int)b->days, "upper95", b->upper);
}

static json_t *rounded_breakage(struct wh_breakage b)
{
	b.upper = twelve_digits(b.upper);
	return wh_breakage_json(&b);
}

static json_t *rule_json(const struct wh_recommended_rule *r)
{
	char proto[8];
	json_t *evidence = json_pack("{s:I, s:I, s:i, s:f, s:I, s:I}", "sources", (json_int_t)r->sources, "flows",
	                             (json_int_t)r->flows, "days", (int)r->days, "unseen", twelve_digits(r->unseen),
	                             "deniedPeers", (json_int_t)r->denied_peers, "deniedFlows", (json_int_t)r->denied_flows);
	return json_pack("{s:s, s:s, s:i, s:[s], s:o, s:o, s:b, s:f, s:f, s:f, s:o, s:o, s:o, s:s?, s:s?, s:s?}", "name", r->name,
	                 "direction", wh_direction_text(r->direction), "destinationPort", (int)r->port, "protocols",
	                 wh_proto_text(r->proto, proto), "ipAddresses", json_array(), "except", json_array(), "systemGenerated",
	                 r->system_generated, "confidence", rounded(r->confidence, 0.0001), "stability",
	                 rounded(r->stability, 0.0001), "prediction", rounded(r->leans, 0.0001), "evidence", evidence, "replayed",
	                 rounded_breakage(r->replayed), "expectedBreakage", rounded_breakage(r->expected), "narrows", r->narrows,
	                 "note", r->note, "review", r->review);
}

static json_t *resource_json(const struct wh_resource_result *res, struct written *written)
{
	const char *id = res->resource->id ? res->resource->id : res->resource->name;
	bool seen = res->first_day <= res->last_day;
	json_t *rules = json_array();
	size_t before = written->n;
	for (size_t i = 0; i < res->n_rules; i++)
		if (!json_array_append_new(rules, rule_json(&res->rules[i])))
			written->rules[written->n++] = &res->rules[i];
	char first[WH_TIME_STRLEN], last[WH_TIME_STRLEN];
	wh_time_text(res->first_day * WH_US_PER_DAY, first);
	wh_time_text(res->last_day * WH_US_PER_DAY, last);
	json_t *doc = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:i, s:o}", "id", id, "name", res->resource->name, "status",
	                        wh_status_text(res->status), "reason", res->reason, "firstDay", seen ? first : NULL, "lastDay",
	                        seen ? last : NULL, "daysWithData", (int)res->days_with_data, "rules", rules);
	if (!doc)
		written->n = before;
	return doc;
}

static void add_number(json_t *o, const char *key, double v)
{
	if (v > 0)
		json_object_set_new(o, key, v == floor(v) ? json_integer((json_int_t)v) : json_real(twelve_digits(v)));
}

/* Empty where nothing was asked for. */
static json_t *asked_json(const struct wh_asked *a)
{
	json_t *o = json_object();
	add_number(o, "permissiveness", a->permissiveness);
	add_number(o, "lines", a->max_lines);
	add_number(o, "maxPrefixes", a->max_prefixes);
	add_number(o, "minDays", a->min_days);
	add_number(o, "windowDays", a->window_days);
	add_number(o, "stableDays", a->stable_days);
	return o;
}

static json_t *document(const struct wh_recommendation *r, struct written *written)
{
	char at[WH_TIME_STRLEN], from[WH_TIME_STRLEN], to[WH_TIME_STRLEN];
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_resources; i++)
		json_array_append_new(list, resource_json(&r->resources[i], written));
	json_t *silent = json_array();
	for (size_t i = 0; i < r->n_silent; i++) {
		char first[WH_TIME_STRLEN], last[WH_TIME_STRLEN];
		wh_time_text(r->silent[i].first * WH_US_PER_DAY, first);
		wh_time_text(r->silent[i].last * WH_US_PER_DAY, last);
		json_array_append_new(silent, json_pack("{s:s, s:s}", "first", first, "last", last));
	}
	return json_pack("{s:i, s:s, s:{s:s, s:s, s:i, s:o}, s:o, s:o}", "version", 1, "calculatedAt",
	                 wh_time_text(r->calculated_us, at), "window", "from", wh_time_text(r->from_us, from), "to",
	                 wh_time_text(r->to_us, to), "days", (int)r->days, "sensorSilent", silent, "asked", asked_json(&r->asked),
	                 "resources", list);
}

static char *text_json(const struct wh_recommendation *r, json_t *changes, bool compact)
{
	struct written written = {0};
	size_t rules = 1;
	char *text = NULL;

	for (size_t i = 0; i < r->n_resources; i++)
		rules += r->resources[i].n_rules;
	if (!(written.rules = calloc(rules, sizeof *written.rules)))
		return NULL;
	json_t *doc = document(r, &written);
	if (doc && changes)
		json_object_set_new(doc, "changes", changes);
	else
		json_decref(changes);
	if (doc)
		text = wh_prefix_lists_dump(doc, written.rules, written.n, compact);
	json_decref(doc);
	free(written.rules);
	return text;
}

char *wh_recommendation_json(const struct wh_recommendation *r, json_t *changes)
{
	return text_json(r, changes, false);
}

static int last_serial(struct wh_state *s, int64_t *out, struct wh_error *err)
{
	char *text = NULL;
	int rc = wh_state_get(s, COLLECTION, "serial", &text, err);
	*out = !rc && text ? strtoll(text, NULL, 10) : 0;
	free(text);
	return rc;
}

/* Of the resources that have any. */
static char *reasons_json(const struct wh_recommendation *r, int64_t serial)
{
	json_t *by_name = json_object();
	for (size_t i = 0; i < r->n_resources; i++)
		if (r->resources[i].n_reasons)
			json_object_set_new(by_name, r->resources[i].resource->name,
			                    wh_reasons_json(r->resources[i].reasons, r->resources[i].n_reasons));
	json_t *doc = json_pack("{s:I, s:o}", "serial", (json_int_t)serial, "resources", by_name);
	char *text = doc ? json_dumps(doc, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	json_decref(doc);
	return text;
}

int wh_recommendation_save(struct wh_state *s, struct wh_recommendation *r, struct wh_error *err)
{
	/* without white space: nobody reads it, and it is a third of it */
	char *text = text_json(r, NULL, true), *reasons = NULL, number[32];
	int64_t serial;
	int rc = text ? last_serial(s, &serial, err) : wh_fail(err, -ENOMEM, "out of memory");

	if (rc)
		goto out;
	if (!(reasons = reasons_json(r, serial + 1))) {
		rc = wh_fail(err, -ENOMEM, "out of memory");
		goto out;
	}
	snprintf(number, sizeof number, "%lld", (long long)serial + 1);
	if ((rc = wh_state_begin(s, err)))
		goto out;
	rc = wh_state_put(s, COLLECTION, KEY, text, err);
	if (!rc)
		rc = wh_state_put(s, COLLECTION, "serial", number, err);
	if (!rc)
		rc = wh_state_put(s, COLLECTION, REASONS, reasons, err);
	if (rc)
		wh_state_end(s, false, NULL);
	else
		rc = wh_state_end(s, true, err);
	if (!rc)
		r->serial = serial + 1;
out:
	free(reasons);
	free(text);
	return rc;
}

/* ---- in ---- */

struct reading {
	struct wh_arena *mem;
	struct wh_prefix_lists lists;
	json_t *reasons; /* NULL where there are none */
	bool bad;
};

static const char *text_of(struct reading *rd, const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));
	return s ? wh_arena_strdup(rd->mem, s) : NULL;
}

static struct wh_prefix *prefixes_of(struct reading *rd, const json_t *list, size_t *n)
{
	size_t i;
	json_t *v;
	if (json_is_integer(list)) { /* was cut out */
		json_int_t at = json_integer_value(list);
		rd->bad = rd->bad || at < 0 || (size_t)at >= rd->lists.n;
		*n = rd->bad ? 0 : rd->lists.list[at].n;
		return rd->bad ? NULL : rd->lists.list[at].p;
	}
	struct wh_prefix *p = wh_arena_array(rd->mem, json_array_size(list) + 1, sizeof *p);
	*n = 0;
	json_array_foreach((json_t *)list, i, v) {
		const char *s = json_string_value(v);
		rd->bad = rd->bad || !s || wh_prefix_parse(s, strlen(s), &p[(*n)++], NULL);
	}
	return p;
}

static uint64_t count_of(const json_t *obj, const char *key)
{
	json_int_t v = json_integer_value(json_object_get(obj, key));
	return v > 0 ? (uint64_t)v : 0;
}

static struct wh_breakage breakage_of(const json_t *rule, const char *key)
{
	const json_t *b = json_object_get(rule, key);
	struct wh_breakage out = {count_of(b, "flows"),          count_of(b, "of"),
	                          count_of(b, "peers"),          count_of(b, "ofPeers"),
	                          (unsigned)count_of(b, "days"), json_number_value(json_object_get(b, "upper95"))};
	return out;
}

static void read_rule(struct reading *rd, const json_t *v, struct wh_recommended_rule *r)
{
	const json_t *evidence = json_object_get(v, "evidence");
	const char *direction = json_string_value(json_object_get(v, "direction"));
	const char *proto = json_string_value(json_array_get(json_object_get(v, "protocols"), 0));
	json_int_t port = json_integer_value(json_object_get(v, "destinationPort"));

	r->name = text_of(rd, v, "name");
	rd->bad = rd->bad || !r->name || !direction || !proto || wh_proto_parse(proto, &r->proto) || port < 0 || port > 65535;
	if (rd->bad)
		return;
	r->direction = strcmp(direction, wh_direction_text(WH_OUTBOUND)) ? WH_INBOUND : WH_OUTBOUND;
	r->port = (uint16_t)port;
	r->prefixes = prefixes_of(rd, json_object_get(v, "ipAddresses"), &r->n_prefixes);
	r->except = prefixes_of(rd, json_object_get(v, "except"), &r->n_except);
	r->system_generated = json_is_true(json_object_get(v, "systemGenerated"));
	r->confidence = json_number_value(json_object_get(v, "confidence"));
	r->stability = json_number_value(json_object_get(v, "stability"));
	r->leans = json_number_value(json_object_get(v, "prediction"));
	r->replayed = breakage_of(v, "replayed");
	r->expected = breakage_of(v, "expectedBreakage");
	r->sources = count_of(evidence, "sources");
	r->flows = count_of(evidence, "flows");
	r->days = (unsigned)count_of(evidence, "days");
	r->unseen = json_number_value(json_object_get(evidence, "unseen"));
	r->denied_peers = count_of(evidence, "deniedPeers");
	r->denied_flows = count_of(evidence, "deniedFlows");
	r->narrows = text_of(rd, v, "narrows");
	r->note = text_of(rd, v, "note");
	r->review = text_of(rd, v, "review");
}

static int64_t time_of(struct reading *rd, const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));
	int64_t us = 0;
	if (!s || wh_time_parse(s, strlen(s), &us))
		rd->bad = true;
	return us;
}

static struct wh_asked asked_of(const json_t *doc)
{
	const json_t *o = json_object_get(doc, "asked");
	return (struct wh_asked){json_number_value(json_object_get(o, "permissiveness")),
	                         (unsigned)count_of(o, "lines"),
	                         (unsigned)count_of(o, "maxPrefixes"),
	                         (unsigned)count_of(o, "minDays"),
	                         (unsigned)count_of(o, "windowDays"),
	                         (unsigned)count_of(o, "stableDays")};
}

static enum wh_status status_of(const char *s)
{
	return s && !strcmp(s, "healthy") ? WH_HEALTHY : s && !strcmp(s, "unhealthy") ? WH_UNHEALTHY : WH_UNSCANNED;
}

/* Of this calculation; where an earlier version kept it, its sentences are all that there is. */
static json_t *load_reasons(struct wh_state *s, int64_t serial)
{
	char *text = NULL;
	json_t *doc = NULL;
	if (!wh_state_get(s, COLLECTION, REASONS, &text, NULL) && text)
		doc = json_loads(text, 0, NULL);
	if (doc && json_integer_value(json_object_get(doc, "serial")) != serial) {
		json_decref(doc);
		doc = NULL;
	}
	free(text);
	return doc;
}

static void read_reasons(struct reading *rd, const char *name, const char *text, struct wh_resource_result *res)
{
	const json_t *list = json_object_get(json_object_get(rd->reasons, "resources"), name);
	if (text && (!list || wh_reasons_read(list, res, rd->mem)))
		wh_reason_add(res, &(struct wh_reason){.code = WH_REASON_TEXT, .text = text}, rd->mem);
	res->reason = wh_reasons_text(res->reasons, res->n_reasons, rd->mem);
}

/* A resource that the estate no longer has is left out: there is nothing left to protect. */
static void read_resource(struct reading *rd, const struct wh_estate *e, const json_t *v, struct wh_recommendation *out)
{
	const char *name = json_string_value(json_object_get(v, "name"));
	const struct wh_resource *resource = name ? wh_estate_find(e, name) : NULL;
	const json_t *rules = json_object_get(v, "rules");
	struct wh_resource_result *res = &out->resources[out->n_resources];

	if (!resource) {
		rd->bad = rd->bad || !name;
		return;
	}
	out->n_resources++;
	res->resource = resource;
	res->status = status_of(json_string_value(json_object_get(v, "status")));
	read_reasons(rd, name, text_of(rd, v, "reason"), res);
	res->days_with_data = (unsigned)count_of(v, "daysWithData");
	bool seen = json_is_string(json_object_get(v, "firstDay"));
	res->first_day = seen ? wh_day(time_of(rd, v, "firstDay")) : INT32_MAX;
	res->last_day = seen ? wh_day(time_of(rd, v, "lastDay")) : INT32_MIN;
	res->rules = wh_arena_array(rd->mem, json_array_size(rules) + 1, sizeof *res->rules);
	for (size_t i = 0; i < json_array_size(rules) && !rd->bad; i++)
		read_rule(rd, json_array_get(rules, i), &res->rules[res->n_rules++]);
}

int wh_recommendation_load(struct wh_state *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_recommendation **out,
                           struct wh_error *err)
{
	struct wh_recommendation *r = wh_arena_alloc(mem, sizeof *r);
	struct reading rd = {.mem = mem};
	char *text = NULL;
	json_t *doc = NULL;
	int rc = wh_state_get(s, COLLECTION, KEY, &text, err);

	*out = NULL;
	if (!rc)
		rc = last_serial(s, &r->serial, err);
	if (rc)
		goto out;
	if (!text) {
		rc = wh_fail_input(err, -ENOENT, "there is no recommendation yet: run 'whittle recommend' first");
		goto out;
	}
	rd.reasons = load_reasons(s, r->serial);
	wh_prefix_lists_cut(text, mem, &rd.lists);
	doc = json_loads(text, 0, NULL);
	const json_t *list = json_object_get(doc, "resources"), *window = json_object_get(doc, "window");
	r->calculated_us = time_of(&rd, doc, "calculatedAt");
	r->from_us = time_of(&rd, window, "from");
	r->to_us = time_of(&rd, window, "to");
	r->days = (unsigned)count_of(window, "days");
	r->asked = asked_of(doc);
	r->resources = wh_arena_array(mem, json_array_size(list) + 1, sizeof *r->resources);
	for (size_t i = 0; i < json_array_size(list) && !rd.bad; i++)
		read_resource(&rd, e, json_array_get(list, i), r);
	if (!doc || rd.bad)
		rc = wh_fail(err, -EBADMSG, "the recommendation in the ledger can't be read: run 'whittle recommend' again");
	else
		*out = r;
out:
	json_decref(rd.reasons);
	json_decref(doc);
	free(text);
	return rc;
}
