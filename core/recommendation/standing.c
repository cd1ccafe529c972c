/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last recommendation in short: of each resource its state, its reasons and the ports that have rules, without prefixes, and
 * what all of it was derived from. One document for all resources, which is read in milliseconds where the rules take seconds:
 *
 *   {"serial", "derivedAt", "lastDay", "traffic", "rules", "host", "settings", "program" (not from earlier versions),
 *    "resources": {NAME: [status, first day, last day, days with data, [[direction, protocol, port], …], reasons or null]}}
 */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "recommendation/document.h"

enum { MEMBERS = 6, PORT_MEMBERS = 3, LAST_DAY = WH_STANDING_LAST_DAY };

#define ROWS ",\"resources\":{" /* they come last */

/* ---- writing ---- */

static json_t *row_of(const struct wh_resource_result *r)
{
	const bool seen = r->first_day <= r->last_day; /* else its days are 1 and 0 */
	json_t *ports = json_array();
	for (size_t i = 0; i < r->n_rules; i++)
		json_array_append_new(
			ports, json_pack("[i,i,i]", (int)r->rules[i].direction, (int)r->rules[i].proto, (int)r->rules[i].port));
	return json_pack("[i,i,i,i,o,o]", (int)r->status, seen ? (int)r->first_day : 1, seen ? (int)r->last_day : 0,
	                 (int)r->days_with_data, ports, r->n_reasons ? wh_reasons_json(r->reasons, r->n_reasons) : json_null());
}

int wh_standing_save(struct wh_state *s, const struct wh_recommendation *r, const struct wh_derived *from, struct wh_error *err)
{
	json_t *resources = json_object();
	for (size_t i = 0; i < r->n_resources; i++)
		json_object_set_new(resources, r->resources[i].resource->name, row_of(&r->resources[i]));
	json_t *doc = json_pack("{s:I, s:I, s:i, s:s, s:s, s:s, s:s, s:s, s:o}", "serial", (json_int_t)r->serial, "derivedAt",
	                        (json_int_t)from->at_us, "lastDay", (int)from->last_day, "traffic", from->traffic, "rules",
	                        from->rules, "host", from->host, "settings", from->settings, "program", from->program,
	                        "resources", resources);
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_put(s, COLLECTION, STANDING, text, err) : wh_fail(err, -ENOMEM, "out of memory");
	json_decref(doc);
	free(text);
	return rc;
}

/* ---- reading ---- */

static int number_at(const json_t *list, size_t i, int least, int most, bool *bad)
{
	json_int_t v = json_integer_value(json_array_get(list, i));
	*bad = *bad || !json_is_integer(json_array_get(list, i)) || v < least || v > most;
	return *bad ? least : (int)v;
}

static void read_ports(const json_t *list, struct wh_resource_result *r, struct wh_arena *mem, bool *bad)
{
	r->rules = wh_arena_array(mem, json_array_size(list) + 1, sizeof *r->rules);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *port = json_array_get(list, i);
		struct wh_recommended_rule *rule = &r->rules[r->n_rules++];
		*bad = *bad || json_array_size(port) != PORT_MEMBERS;
		rule->direction = (enum wh_direction)number_at(port, 0, WH_INBOUND, WH_OUTBOUND, bad);
		rule->proto = (uint8_t)number_at(port, 1, 0, UINT8_MAX, bad);
		rule->port = (uint16_t)number_at(port, 2, 0, UINT16_MAX, bad);
	}
}

static void never_seen(struct wh_resource_result *r)
{
	r->first_day = INT32_MAX;
	r->last_day = INT32_MIN;
}

static void read_row(const json_t *row, struct wh_resource_result *r, struct wh_arena *mem, bool *bad)
{
	const json_t *reasons = json_array_get(row, MEMBERS - 1);
	r->status = (enum wh_status)number_at(row, 0, WH_UNSCANNED, WH_UNHEALTHY, bad);
	r->first_day = number_at(row, 1, 0, LAST_DAY, bad);
	r->last_day = number_at(row, 2, 0, LAST_DAY, bad);
	if (r->first_day > r->last_day)
		never_seen(r);
	r->days_with_data = (unsigned)number_at(row, 3, 0, INT32_MAX, bad);
	read_ports(json_array_get(row, 4), r, mem, bad);
	if (json_array_size(row) != MEMBERS || (!json_is_null(reasons) && wh_reasons_read(reasons, r, mem)))
		*bad = true;
}

static void not_derived(struct wh_resource_result *r, struct wh_arena *mem)
{
	const struct wh_reason why = {.code = WH_REASON_TEXT,
	                              .text = "nothing was derived from its traffic yet: whittle recommend"};
	*r = (struct wh_resource_result){.resource = r->resource};
	never_seen(r);
	wh_reason_add(r, &why, mem);
}

static const char *text_of(const json_t *doc, const char *key, struct wh_arena *mem, bool *bad)
{
	const char *s = json_string_value(json_object_get(doc, key));
	*bad = *bad || !s;
	return s ? wh_arena_strdup(mem, s) : "";
}

/* All but the rows. */
static bool read_head(const json_t *doc, struct wh_arena *mem, struct wh_derived *from)
{
	const json_t *resources = json_object_get(doc, "resources"), *at = json_object_get(doc, "derivedAt"),
		     *day = json_object_get(doc, "lastDay");
	const json_int_t us = json_integer_value(at), last = json_integer_value(day);
	bool bad = !json_is_object(resources) || us <= 0 || us > (LAST_DAY + 1) * WH_US_PER_DAY || !json_is_integer(day) ||
	           last < 0 || last > LAST_DAY;
	*from = (struct wh_derived){us,
	                            bad ? 0 : (int32_t)last,
	                            text_of(doc, "traffic", mem, &bad),
	                            text_of(doc, "rules", mem, &bad),
	                            text_of(doc, "host", mem, &bad),
	                            text_of(doc, "settings", mem, &bad),
	                            json_object_get(doc, "program") ? text_of(doc, "program", mem, &bad) : ""};
	return !bad;
}

static bool read_rows(const json_t *resources, struct wh_arena *mem, struct wh_recommendation *r)
{
	bool bad = false;
	for (size_t i = 0; i < r->n_resources && !bad; i++) {
		const json_t *row = json_object_get(resources, r->resources[i].resource->name);
		r->resources[i] = (struct wh_resource_result){.resource = r->resources[i].resource};
		if (row)
			read_row(row, &r->resources[i], mem, &bad);
		else
			not_derived(&r->resources[i], mem);
	}
	return !bad;
}

/* Where its rows can be read from their text, the rest is a document without them. */
static bool read_all(const char *text, struct wh_arena *mem, struct wh_recommendation *r, struct wh_derived *from)
{
	const char *at = strstr(text, ROWS);
	bool rows = at && wh_standing_rows(at + strlen(ROWS), r, mem);
	const char *head = rows ? wh_arena_printf(mem, "%.*s" ROWS "}}", (int)(at - text), text) : text;
	json_t *doc = wh_json_own(head);
	/* else it is of another calculation: an earlier version has saved one since */
	bool good = doc && json_integer_value(json_object_get(doc, "serial")) == r->serial && read_head(doc, mem, from) &&
	            (rows || read_rows(json_object_get(doc, "resources"), mem, r));
	json_decref(doc);
	return good;
}

int wh_standing_load(struct wh_state *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_recommendation **out,
                     struct wh_derived *from, struct wh_error *err)
{
	struct wh_recommendation *r = *out = wh_arena_alloc(mem, sizeof *r);
	char *text = NULL;
	int rc = wh_recommendation_serial(s, &r->serial, err);
	rc = rc ? rc : wh_state_get(s, COLLECTION, STANDING, &text, err);
	r->resources = wh_arena_array(mem, e->n_resources + 1, sizeof *r->resources);
	for (size_t i = 0; i < e->n_resources; i++)
		r->resources[r->n_resources++].resource = &e->resources[i];
	bool good = text && read_all(text, mem, r, from);
	free(text);
	for (size_t i = 0; i < r->n_resources && !good; i++)
		not_derived(&r->resources[i], mem);
	if (!good)
		*from = (struct wh_derived){0};
	return rc;
}
