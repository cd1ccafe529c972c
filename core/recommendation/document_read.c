/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recommendation, read back from the ledger. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "recommendation/document.h"

struct reading {
	struct wh_arena *mem;
	const struct wh_estate *estate;
	struct wh_prefix_lists lists;
	json_t *reasons; /* of an earlier version's document; NULL where there are none */
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

/* For this calculation; from one that an earlier version kept, only its sentences are known. */
static json_t *load_reasons(struct wh_state *s, int64_t serial)
{
	char *text = NULL;
	json_t *doc = NULL;
	if (!wh_state_get(s, COLLECTION, REASONS, &text, NULL) && text)
		doc = wh_json_own(text);
	if (doc && json_integer_value(json_object_get(doc, "serial")) != serial) {
		json_decref(doc);
		doc = NULL;
	}
	free(text);
	return doc;
}

static void read_reasons(struct reading *rd, const json_t *list, const char *text, struct wh_resource_result *res)
{
	if (text && (!list || wh_reasons_read(list, res, rd->mem)))
		wh_reason_add(res, &(struct wh_reason){.code = WH_REASON_TEXT, .text = text}, rd->mem);
	res->reason = wh_reasons_text(res->reasons, res->n_reasons, rd->mem);
}

/* A resource that the estate no longer has is left out: there is nothing left to protect. */
static void read_resource(struct reading *rd, const json_t *v, struct wh_recommendation *out)
{
	const char *name = json_string_value(json_object_get(v, "name"));
	const struct wh_resource *resource = name ? wh_estate_find(rd->estate, name) : NULL;
	const json_t *rules = json_object_get(v, "rules"), *reasons = json_object_get(v, "reasons");
	struct wh_resource_result *res = &out->resources[out->n_resources];

	if (!resource) {
		rd->bad = rd->bad || !name;
		return;
	}
	out->n_resources++;
	res->resource = resource;
	res->status = status_of(json_string_value(json_object_get(v, "status")));
	read_reasons(rd, reasons ? reasons : json_object_get(json_object_get(rd->reasons, "resources"), name),
	             text_of(rd, v, "reason"), res);
	res->days_with_data = (unsigned)count_of(v, "daysWithData");
	bool seen = json_is_string(json_object_get(v, "firstDay"));
	res->first_day = seen ? wh_day(time_of(rd, v, "firstDay")) : INT32_MAX;
	res->last_day = seen ? wh_day(time_of(rd, v, "lastDay")) : INT32_MIN;
	res->rules = wh_arena_array(rd->mem, json_array_size(rules) + 1, sizeof *res->rules);
	for (size_t i = 0; i < json_array_size(rules) && !rd->bad; i++)
		read_rule(rd, json_array_get(rules, i), &res->rules[res->n_rules++]);
}

static void read_head(struct reading *rd, const json_t *doc, struct wh_recommendation *r)
{
	const json_t *window = json_object_get(doc, "window");
	r->calculated_us = time_of(rd, doc, "calculatedAt");
	r->from_us = time_of(rd, window, "from");
	r->to_us = time_of(rd, window, "to");
	r->days = (unsigned)count_of(window, "days");
	r->asked = asked_of(doc);
}

/* An earlier version's document, which has all resources in one. */
static void read_whole(struct reading *rd, struct wh_state *s, char *text, struct wh_recommendation *r)
{
	wh_prefix_lists_cut(text, rd->mem, &rd->lists);
	json_t *doc = wh_json_own(text);
	const json_t *list = json_object_get(doc, "resources");
	rd->reasons = load_reasons(s, r->serial);
	r->resources = wh_arena_array(rd->mem, json_array_size(list) + 1, sizeof *r->resources);
	for (size_t i = 0; i < json_array_size(list) && !rd->bad; i++)
		read_resource(rd, json_array_get(list, i), r);
	rd->bad = rd->bad || !doc;
	json_decref(rd->reasons);
	json_decref(doc);
}

/* Returns 1 where it is of another calculation: one that is being saved now. */
static int read_one(struct reading *rd, struct wh_state *s, const char *name, struct wh_recommendation *r, struct wh_error *err)
{
	char *text;
	int rc = wh_state_get(s, RESOURCES, name, &text, err);
	if (rc || !text)
		return rc ? rc : 1;
	wh_prefix_lists_cut(text, rd->mem, &rd->lists);
	json_t *doc = wh_json_own(text);
	if (!doc)
		rd->bad = true;
	else if (json_integer_value(json_object_get(doc, "serial")) != r->serial)
		rc = 1;
	else
		read_resource(rd, doc, r);
	json_decref(doc);
	free(text);
	return rc;
}

static bool is_asked(const struct wh_resource *r, const struct wh_resource *const *only, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (only[i] == r)
			return true;
	return !only;
}

struct question { struct wh_state *s; const struct wh_resource *const *only; size_t n; /* only NULL: all */ };

static int read_parts(struct reading *rd, const struct question *q, const json_t *names, struct wh_recommendation *r,
                      struct wh_error *err)
{
	int rc = 0;
	r->resources = wh_arena_array(rd->mem, json_array_size(names) + 1, sizeof *r->resources);
	for (size_t i = 0; i < json_array_size(names) && !rd->bad && !rc; i++) {
		const char *name = json_string_value(json_array_get(names, i));
		const struct wh_resource *resource = name ? wh_estate_find(rd->estate, name) : NULL;
		rd->bad = !name;
		if (resource && is_asked(resource, q->only, q->n))
			rc = read_one(rd, q->s, name, r, err);
	}
	return rc;
}

static void keep_asked(const struct question *q, struct wh_recommendation *r)
{
	size_t kept = 0;
	for (size_t i = 0; i < r->n_resources; i++)
		if (is_asked(r->resources[i].resource, q->only, q->n))
			r->resources[kept++] = r->resources[i];
	r->n_resources = kept;
}

/* 0, an error, or 1: another process saved a calculation meanwhile. */
static int load(struct reading *rd, const struct question *q, struct wh_recommendation *r, struct wh_error *err)
{
	char *text = NULL;
	int rc = wh_recommendation_serial(q->s, &r->serial, err);
	rc = rc ? rc : wh_state_get(q->s, COLLECTION, KEY, &text, err);
	if (!rc && !text)
		rc = wh_fail_input(err, -ENOENT, "there is no recommendation yet: run `whittle recommend` first");
	if (rc)
		return rc;
	json_t *doc = wh_json_own(text), *names = json_object_get(doc, "names");
	if (doc)
		read_head(rd, doc, r);
	if (names) {
		rc = read_parts(rd, q, names, r, err);
	} else {
		read_whole(rd, q->s, text, r);
		keep_asked(q, r);
	}
	rd->bad = rd->bad || !doc;
	json_decref(doc);
	free(text);
	return rc;
}

int wh_recommendation_load_of(struct wh_state *s, const struct wh_estate *e, const struct wh_resource *const *only, size_t n,
                              struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err)
{
	enum { TRIES = 4 };
	const struct question q = {s, only, n};
	struct wh_recommendation *r = wh_arena_alloc(mem, sizeof *r);
	struct reading rd = {.mem = mem, .estate = e};
	int rc = 1;
	*out = NULL;
	for (int i = 0; i < TRIES && rc == 1 && !rd.bad; i++) {
		*r = (struct wh_recommendation){0};
		rc = load(&rd, &q, r, err);
	}
	if (rc == 1 || (!rc && rd.bad))
		return wh_fail(err, -EBADMSG, "the recommendation in the ledger can't be read: run `whittle recommend` again");
	if (!rc)
		*out = r;
	return rc;
}

int wh_recommendation_load(struct wh_state *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_recommendation **out,
                           struct wh_error *err)
{
	return wh_recommendation_load_of(s, e, NULL, 0, mem, out, err);
}
