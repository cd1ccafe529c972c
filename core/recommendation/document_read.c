/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recommendation, read back from the ledger. */
#include <stdlib.h>
#include <string.h>
#include "recommendation/document.h"

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
		rc = wh_recommendation_serial(s, &r->serial, err);
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
