/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of the short form, read from their text as standing.c writes it. With values of jansson's, 1,000 rows took 16 of the
 * status' 45 million instructions. Whatever is not written like that is left to jansson: another order of resources, white space,
 * a name with an escape, a number out of range.
 */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "recommendation/document.h"

struct rows {
	const char *p;
	struct wh_arena *mem;
	/* the ports of the row before, and their text: most resources have the same, and share them */
	const char *ports; size_t len;
	struct wh_recommended_rule *rules; size_t n_rules;
};

static bool take(struct rows *at, const char *text)
{
	size_t n = strlen(text);
	bool is = !strncmp(at->p, text, n);
	at->p += is ? n : 0;
	return is;
}

/* Of at most nine digits, without a sign. */
static bool take_number(struct rows *at, int most, int *out)
{
	int v = 0, n = 0;
	for (; n < 9 && *at->p >= '0' && *at->p <= '9'; n++)
		v = v * 10 + *at->p++ - '0';
	*out = v;
	return n && v <= most;
}

/* A list of numbers, "[1,2,3": each at most as large as its limit. */
static bool take_numbers(struct rows *at, const int *most, size_t n, int *out)
{
	for (size_t i = 0; i < n; i++)
		if (!take(at, i ? "," : "[") || !take_number(at, most[i], &out[i]))
			return false;
	return true;
}

static bool take_new_ports(struct rows *at, struct wh_resource_result *r)
{
	static const int most[] = {WH_OUTBOUND, UINT8_MAX, UINT16_MAX};
	size_t n = 0;
	int port[3];

	if (!take(at, "["))
		return false;
	for (const char *p = at->p; *p == '['; p += *p == ',') {
		p += strcspn(p, "]");
		p += *p == ']';
		n++;
	}
	r->rules = wh_arena_array(at->mem, n ? n : 1, sizeof *r->rules);
	for (; r->n_rules < n; r->n_rules++) {
		if ((r->n_rules && !take(at, ",")) || !take_numbers(at, most, 3, port) || !take(at, "]"))
			return false;
		struct wh_recommended_rule *rule = &r->rules[r->n_rules];
		rule->direction = (enum wh_direction)port[0];
		rule->proto = (uint8_t)port[1];
		rule->port = (uint16_t)port[2];
	}
	return take(at, "]");
}

static bool take_ports(struct rows *at, struct wh_resource_result *r)
{
	const char *from = at->p;
	if (at->len && !strncmp(from, at->ports, at->len)) { /* a whole list, which none begins that goes on */
		r->rules = at->rules;
		r->n_rules = at->n_rules;
		at->p += at->len;
		return true;
	}
	if (!take_new_ports(at, r))
		return false;
	at->ports = from;
	at->len = (size_t)(at->p - from);
	at->rules = r->rules;
	at->n_rules = r->n_rules;
	return true;
}

/* One past the end of the list that begins at p; NULL if it has none. */
static const char *end_of_list(const char *p)
{
	unsigned deep = 0;
	bool in_text = false;
	for (; *p; p++) {
		if (in_text && *p == '\\' && p[1])
			p++;
		else if (*p == '"')
			in_text = !in_text;
		else if (!in_text && *p == '[')
			deep++;
		else if (!in_text && *p == ']' && !--deep)
			return p + 1;
	}
	return NULL;
}

static bool take_reasons(struct rows *at, struct wh_resource_result *r)
{
	if (take(at, "null"))
		return true;
	const char *end = *at->p == '[' ? end_of_list(at->p) : NULL;
	char *text = end ? strndup(at->p, (size_t)(end - at->p)) : NULL;
	json_t *list = text ? wh_json_own(text) : NULL;
	bool good = list && !wh_reasons_read(list, r, at->mem);
	json_decref(list);
	free(text);
	at->p = good ? end : at->p;
	return good;
}

static bool take_name(struct rows *at, const char *name)
{
	size_t n = strlen(name);
	if (wh_json_odd(name, name + n) != name + n || !take(at, "\"") || strncmp(at->p, name, n) != 0)
		return false;
	at->p += n;
	return take(at, "\":");
}

bool wh_standing_rows(const char *text, struct wh_recommendation *rec, struct wh_arena *mem)
{
	static const int most[] = {WH_UNHEALTHY, WH_STANDING_LAST_DAY, WH_STANDING_LAST_DAY, WH_STANDING_LAST_DAY};
	struct rows at = {.p = text, .mem = mem};
	int n[4];
	for (size_t i = 0; i < rec->n_resources; i++) {
		struct wh_resource_result row = {.resource = rec->resources[i].resource};
		if ((i && !take(&at, ",")) || !take_name(&at, row.resource->name) || !take_numbers(&at, most, 4, n) ||
		    !take(&at, ",") || !take_ports(&at, &row) || !take(&at, ",") || !take_reasons(&at, &row) || !take(&at, "]"))
			return false;
		row.status = (enum wh_status)n[0];
		row.first_day = n[1] <= n[2] ? n[1] : INT32_MAX;
		row.last_day = n[1] <= n[2] ? n[2] : INT32_MIN;
		row.days_with_data = (unsigned)n[3];
		rec->resources[i] = row;
	}
	return !strcmp(at.p, "}}");
}
