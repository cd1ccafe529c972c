/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recommendation as JSON, with Azure's names, so that a rule can be pasted either way. */
#include <math.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "recommendation/document.h"

const char *wh_status_text(enum wh_status s)
{
	static const char *const text[] = {"unscanned", "healthy", "unhealthy"};
	return text[s];
}

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

#define SHARE 0.0001 /* the unit of shares */

void wh_recommendation_as_kept(struct wh_recommendation *rec)
{
	for (size_t i = 0; i < rec->n_resources; i++)
		for (size_t k = 0; k < rec->resources[i].n_rules; k++) {
			struct wh_recommended_rule *r = &rec->resources[i].rules[k];
			r->confidence = rounded(r->confidence, SHARE);
			r->stability = rounded(r->stability, SHARE);
			r->leans = rounded(r->leans, SHARE);
			r->unseen = twelve_digits(r->unseen);
			r->replayed.upper = twelve_digits(r->replayed.upper);
			r->expected.upper = twelve_digits(r->expected.upper);
		}
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
	                 r->system_generated, "confidence", rounded(r->confidence, SHARE), "stability",
	                 rounded(r->stability, SHARE), "prediction", rounded(r->leans, SHARE), "evidence", evidence, "replayed",
	                 rounded_breakage(r->replayed), "expectedBreakage", rounded_breakage(r->expected), "narrows", r->narrows,
	                 "note", r->note, "review", r->review);
}

/* For the resource that is this machine, without a group: the rules assumed to be in force; NULL for others. */
static json_t *present_json(const struct wh_resource *r)
{
	return r->host          ? json_pack("{s:s}", "source", "hostRules")
	       : r->host_unread ? json_pack("{s:s, s:s}", "source", "assumedOpen", "reason", r->host_unread)
	                        : NULL;
}

json_t *wh_recommendation_resource_json(const struct wh_resource_result *res, struct wh_written_rules *written)
{
	const char *id = res->resource->id ? res->resource->id : res->resource->name;
	bool seen = res->first_day <= res->last_day;
	json_t *rules = json_array();
	size_t before = written->n;
	for (size_t i = 0; i < res->n_rules; i++)
		if (!json_array_append_new(rules, rule_json(&res->rules[i])))
			written->rules[written->n++] = &res->rules[i];
	char first[WH_TIME_STRLEN], last[WH_TIME_STRLEN];
	wh_time_text(seen ? res->first_day * WH_US_PER_DAY : 0, first);
	wh_time_text(seen ? res->last_day * WH_US_PER_DAY : 0, last);
	json_t *doc = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:i, s:o}", "id", id, "name", res->resource->name, "status",
	                        wh_status_text(res->status), "reason", res->reason, "firstDay", seen ? first : NULL, "lastDay",
	                        seen ? last : NULL, "daysWithData", (int)res->days_with_data, "rules", rules);
	json_t *present = present_json(res->resource);
	if (doc && present)
		json_object_set_new(doc, "presentPolicy", present);
	if (!doc)
		written->n = before;
	return doc;
}

static void add_number(json_t *o, const char *key, double v)
{
	if (v > 0)
		json_object_set_new(o, key, v == floor(v) ? json_integer((json_int_t)v) : json_real(twelve_digits(v)));
}

/* Empty if no option was set. */
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

json_t *wh_recommendation_document(const struct wh_recommendation *r, const char *key, json_t *list)
{
	char at[WH_TIME_STRLEN], from[WH_TIME_STRLEN], to[WH_TIME_STRLEN];
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
	                 key, list);
}

char *wh_recommendation_json(const struct wh_recommendation *r, json_t *more)
{
	struct wh_written_rules written = {0};
	size_t rules = 1;
	char *text = NULL;

	for (size_t i = 0; i < r->n_resources; i++)
		rules += r->resources[i].n_rules;
	if (!(written.rules = calloc(rules, sizeof *written.rules))) {
		json_decref(more);
		return NULL;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < r->n_resources; i++)
		json_array_append_new(list, wh_recommendation_resource_json(&r->resources[i], &written));
	json_t *doc = wh_recommendation_document(r, "resources", list);
	if (doc && more)
		json_object_update(doc, more);
	json_decref(more);
	if (doc)
		text = wh_prefix_lists_dump(doc, written.rules, written.n, false);
	json_decref(doc);
	free(written.rules);
	return text;
}
