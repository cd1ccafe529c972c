/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cluster's rows are read in key order, a page of some megabytes at a time, whatever a table's size. 18.16 sorts a
 * statement's whole result before it returns the first row, so a page is a range of keys whose size is known beforehand:
 *
 *   plan   how many rows begin with each prefix: of 16 bytes, which is a local address; a prefix with too many rows is split into
 *          longer ones
 *   page   as many neighbouring groups as make ROWS rows
 *
 *   groups  | a:9000 | b:12000 | c:61000                       | d:300 | …
 *   pages   |--------1---------|--2--|--3--|--4--|  c was split       |
 *
 * The plan is an estimate: pages follow one another without a gap, so rows that came since are read, too. Addresses that are read
 * one by one in order, as in a recommendation of many resources, come from the same pages: then the plan reaches to the last key.
 * A walk that goes back, or comes seconds later, starts again.
 */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "ledger/clickhouse/fleet.h"

enum { ROWS = 40000, SPLIT = 60000, GROUPS = 65536 };
static const int64_t lasts_us = 5000000;
static const uint8_t lengths[] = {16, 20, 29, 33, 34, 35, 36}; /* of prefixes: address; port; parts of a peer */

static int compare(const struct fleet_bound *a, const struct fleet_bound *b)
{
	if (a->end || b->end)
		return a->end - b->end;
	return fleet_key_cmp(a->key, a->len, b->key, b->len);
}

static struct fleet_bound bound_of(const struct fleet_group *g)
{
	struct fleet_bound b = {.len = g->len};
	memcpy(b.key, g->prefix, g->len);
	return b;
}

void fleet_reading_free(struct fleet_reading *r)
{
	free(r->page.bytes);
	free(r->groups);
	*r = (struct fleet_reading){.n = 0};
}

/* ---- statements ---- */

static size_t put_bound(char *to, size_t room, const char *sign, const struct fleet_bound *b)
{
	size_t n = (size_t)snprintf(to, room, "key %s unhex('", sign);
	for (size_t i = 0; i < b->len; i++)
		n += (size_t)snprintf(to + n, room - n, "%02x", b->key[i]);
	return n + (size_t)snprintf(to + n, room - n, "')");
}

static int ask(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
               const char *columns, const char *rest, struct fleet_answer *out, struct wh_error *err)
{
	char sql[5 * FLEET_KEY_MAX + 400];
	size_t n = (size_t)snprintf(sql, sizeof sql, "SELECT %s FROM %s.%s WHERE ", columns, f->client.url.database,
	                            fleet_tables[kind]);
	n += put_bound(sql + n, sizeof sql - n, ">=", from);
	if (!to->end) {
		n += (size_t)snprintf(sql + n, sizeof sql - n, " AND ");
		n += put_bound(sql + n, sizeof sql - n, "<", to);
	}
	snprintf(sql + n, sizeof sql - n, " %s FORMAT RowBinary", rest);
	return fleet_query(&f->client, -1, sql, NULL, out, err);
}

/* ---- the plan ---- */

/* The groups of a range, GROUPS at most. free(*out). */
static int count(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
                 unsigned prefix, struct fleet_group **out, size_t *n, struct wh_error *err)
{
	char columns[64], rest[64];
	struct fleet_answer a = {0};
	struct fleet_group *g = NULL;
	const uint8_t *p;
	size_t len, room = 0;
	uint64_t rows;
	snprintf(columns, sizeof columns, "substring(key, 1, %u) AS p, count()", prefix);
	snprintf(rest, sizeof rest, "GROUP BY p ORDER BY p LIMIT %d", GROUPS);
	*n = 0;
	int more, rc = ask(f, kind, from, to, columns, rest, &a, err);
	struct wh_taking t = {.p = a.bytes, .n = a.n};
	while (!rc && (more = fleet_take_count(&t, &p, &len, &rows))) {
		bool good = more > 0 && len <= prefix && *n < GROUPS &&
		            (!*n || fleet_key_cmp(g[*n - 1].prefix, g[*n - 1].len, p, len) < 0);
		if (!good)
			rc = fleet_damaged(f, kind, err);
		else if (!wh_array_grow(&g, *n, &room, sizeof *g))
			rc = wh_fail(err, -ENOMEM, "out of memory");
		if (rc)
			break;
		g[*n] = (struct fleet_group){.len = (uint8_t)len, .rows = rows};
		memcpy(g[(*n)++].prefix, p, len);
	}
	free(a.bytes);
	*out = g;
	return rc;
}

static int make_plan(struct fleet_store *f, enum fleet_kind kind, struct fleet_reading *r, const struct fleet_bound *from,
                     const struct fleet_bound *to, struct wh_error *err)
{
	struct fleet_group *g;
	size_t n;
	int rc = count(f, kind, from, to, lengths[0], &g, &n, err);
	free(r->groups);
	r->groups = g;
	r->n = r->room = n;
	r->planned = !rc;
	r->us = wh_monotonic_us();
	r->plan_from = *from;
	r->plan_to = *to;
	if (!rc && n == GROUPS) /* there may be more: the last one is left for the next plan */
		r->plan_to = bound_of(&g[r->n = n - 1]);
	return rc;
}

/* A group of too many rows becomes those of longer prefixes. */
static int split(struct fleet_store *f, enum fleet_kind kind, struct fleet_reading *r, size_t at, unsigned prefix,
                 const struct fleet_bound *from, struct wh_error *err)
{
	struct fleet_group *g;
	size_t n;
	const struct fleet_bound to = at + 1 < r->n ? bound_of(&r->groups[at + 1]) : r->plan_to;
	int rc = count(f, kind, from, &to, prefix, &g, &n, err);
	struct fleet_group *all = rc ? NULL : reallocarray(NULL, r->n + n + 1, sizeof *all);
	if (!rc && !all)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc) {
		memcpy(all, r->groups, at * sizeof *all);
		if (n)
			memcpy(all + at, g, n * sizeof *all);
		memcpy(all + at + n, r->groups + at + 1, (r->n - at - 1) * sizeof *all);
		free(r->groups);
		r->groups = all;
		r->n = r->room = r->n + n - 1;
		if (n == GROUPS) /* the rest of this group has no count: it ends the plan */
			r->plan_to = bound_of(&r->groups[r->n = at + n - 1]);
	}
	free(g);
	return rc;
}

static unsigned longer(unsigned length)
{
	for (size_t i = 0; i < sizeof lengths; i++)
		if (lengths[i] > length)
			return lengths[i];
	return 0;
}

/* A key's group: the last one whose prefix is not after it. */
static size_t group_of(const struct fleet_reading *r, const struct fleet_bound *key)
{
	size_t lo = 0, hi = r->n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (fleet_key_cmp(r->groups[mid].prefix, r->groups[mid].len, key->key, key->len) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : 0;
}

/* ---- the page ---- */

static int fetch(struct fleet_store *f, enum fleet_kind kind, struct fleet_reading *r, const struct fleet_bound *from,
                 struct wh_error *err)
{
	size_t at = group_of(r, from), asked = 0;
	uint64_t rows = 0;
	int rc = 0;
	while (!rc && at < r->n && r->groups[at].rows > SPLIT && (asked = longer(asked ? (unsigned)asked : r->groups[at].len))) {
		rc = split(f, kind, r, at, (unsigned)asked, from, err);
		at = rc ? at : group_of(r, from);
	}
	if (rc)
		return rc;
	do
		rows += at < r->n ? r->groups[at].rows : 0;
	while (++at < r->n && rows + r->groups[at].rows <= ROWS);
	free(r->page.bytes);
	r->page = (struct fleet_answer){NULL, 0};
	r->page_from = *from;
	r->page_to = at < r->n ? bound_of(&r->groups[at]) : r->plan_to;
	return rows ? ask(f, kind, from, &r->page_to, "key, sensor, version, value", "ORDER BY key, sensor, version", &r->page,
	                  err)
	            : 0;
}

struct walk {
	struct fleet_row before; bool any;
	fleet_row_cb each;
	void *arg;
};

/* Rows of the page from `from` up to `to`, each checked: in the page's range, and in order. */
static int walk_page(struct fleet_store *f, enum fleet_kind kind, struct fleet_reading *r, const struct fleet_bound *from,
                     const struct fleet_bound *to, struct walk *w, struct wh_error *err)
{
	struct wh_taking t = {.p = r->page.bytes, .n = r->page.n};
	struct fleet_row row;
	int more, rc = 0;
	w->any = false;
	while (!rc && (more = fleet_take_row(&t, &row))) {
		int c = more < 0 || !w->any ? 1 : fleet_key_cmp(w->before.key, w->before.key_len, row.key, row.key_len);
		if (more < 0 ||
		    (w->any && (c > 0 || (!c && (row.sensor < w->before.sensor ||
		                                 (row.sensor == w->before.sensor && row.version < w->before.version))))) ||
		    fleet_key_cmp(row.key, row.key_len, r->page_from.key, r->page_from.len) < 0 ||
		    (!r->page_to.end && fleet_key_cmp(row.key, row.key_len, r->page_to.key, r->page_to.len) >= 0))
			return fleet_damaged(f, kind, err);
		w->before = row;
		w->any = true;
		if (fleet_key_cmp(row.key, row.key_len, from->key, from->len) < 0)
			continue;
		if (!to->end && fleet_key_cmp(row.key, row.key_len, to->key, to->len) >= 0)
			break;
		rc = w->each(w->arg, &row);
	}
	return rc;
}

static bool within(const struct fleet_bound *key, const struct fleet_bound *from, const struct fleet_bound *to)
{
	return compare(from, key) <= 0 && compare(key, to) < 0;
}

static int walk(struct fleet_store *f, enum fleet_kind kind, struct fleet_reading *r, const struct fleet_bound *from,
                const struct fleet_bound *to, struct walk *w, struct wh_error *err)
{
	static const struct fleet_bound end = {.end = true};
	bool goes_on = r->walked && compare(&r->last, from) <= 0 && wh_monotonic_us() - r->us < lasts_us;
	struct fleet_bound at = *from;
	int rc = 0;
	if (!goes_on)
		fleet_reading_free(r);
	while (!rc && compare(&at, to) < 0) {
		if (!within(&at, &r->page_from, &r->page_to)) {
			if (!r->planned || !within(&at, &r->plan_from, &r->plan_to))
				rc = make_plan(f, kind, r, &at, goes_on ? &end : to, err);
			rc = rc ? rc : fetch(f, kind, r, &at, err);
		}
		rc = rc ? rc : walk_page(f, kind, r, &at, to, w, err);
		at = r->page_to;
	}
	r->last = *to;
	r->walked = !rc;
	return rc;
}

int fleet_rows(struct fleet_store *f, enum fleet_kind kind, const struct fleet_bound *from, const struct fleet_bound *to,
               fleet_row_cb each, void *arg, struct wh_error *err)
{
	struct fleet_reading mine = {.n = 0}, *kept = kind == FLEET_EDGE || kind == FLEET_OPEN ? &f->reading[kind] : NULL;
	struct walk w = {.each = each, .arg = arg};
	if (kept) { /* a callback may read from the same store */
		mine = *kept;
		*kept = (struct fleet_reading){.n = 0};
	}
	int rc = walk(f, kind, &mine, from, to, &w, err);
	if (kept && !rc) {
		fleet_reading_free(kept);
		*kept = mine;
	} else {
		fleet_reading_free(&mine);
	}
	return rc;
}
