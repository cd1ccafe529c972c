/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edges and sketches that were last seen long ago are removed. Age is counted in days with data, never by a clock: a machine that
 * for a minute took the year for 2036 makes one day more, not ten years. All edges are looked through when a week of days has
 * come since the last time, which a counter remembers.
 *
 *   days with data   . . . . . . . | . . . . . . . .      an edge whose last day is left of the bar is removed
 *                                   \-- edge_days --/
 */
#include <stdlib.h>
#include "ledger/sqlite/runs.h"

enum { EACH = 7, AT_ONCE = 65536 };
#define LOOKED "aged day" /* the counter: the newest day when edges were last looked through */

struct old {
	int32_t before; /* the first day that counts */
	uint8_t (*keys)[WH_EDGE_KEY_BYTES];
	size_t n;
};

/* The day with data that has so many newer ones. */
static int day_behind(struct sqlite_store *s, unsigned newer, int64_t *day, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_OLD_DAY, "read", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, newer);
	return wh_sql_one_number(s, st, INT32_MIN, day, err);
}

static int collect(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct old *o = arg;
	bool dated = e->days || e->alert_last;
	int32_t last = e->days ? e->day0 : e->alert_last;
	if (last < e->alert_last)
		last = e->alert_last;
	if (dated && last < o->before)
		wh_edge_key_encode(k, o->keys[o->n++]);
	return o->n == AT_ONCE; /* ends it: the rest has its turn with the next commit */
}

static int collect_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct old *o = arg;
	if (sk->days && sk->day0 < o->before && o->n < AT_ONCE)
		wh_sketch_key_encode(&(struct wh_sketch_key){*local, port, proto}, o->keys[o->n++]);
	return 0;
}

static int drop_sketches(struct sqlite_store *s, struct old *o, struct wh_error *err)
{
	o->n = 0;
	int rc = wh_sqlite_sketches(&s->base, collect_sketch, o, err);
	for (size_t i = 0; i < o->n && !rc; i++) {
		sqlite3_stmt *st = wh_sql_use(s, ST_SKETCH_DROP, "written", err);
		if (!st)
			return -EIO;
		sqlite3_bind_blob(st, 1, o->keys[i], WH_SKETCH_KEY_BYTES, SQLITE_STATIC);
		rc = wh_sql_run(s->state, st, "written", err);
	}
	return rc;
}

int wh_sql_drop_old(struct sqlite_store *s, struct wh_error *err)
{
	int64_t newest, before, looked;
	struct old o = {0};
	int rc = day_behind(s, s->bounds.edge_days - 1, &before, err);
	if (rc || before == INT32_MIN)
		return rc;
	sqlite3_stmt *st = wh_sql_use(s, ST_COUNTER_OF, "read", err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, LOOKED, -1, SQLITE_STATIC);
	if ((rc = wh_sql_one_number(s, st, 0, &looked, err)) || (rc = day_behind(s, 0, &newest, err)))
		return rc;
	if (looked < 0 || before < -WH_EDGE_DAY_MAX || newest > WH_EDGE_DAY_MAX)
		return wh_sql_damaged(s->state, err);
	if (newest < EACH || looked > newest - EACH)
		return 0;
	o.before = (int32_t)before;
	if (!(o.keys = reallocarray(NULL, AT_ONCE, sizeof *o.keys)))
		return wh_fail(err, -ENOMEM, "out of memory");
	rc = wh_runs_scan(s, (struct wh_sql_keys){0}, collect, &o, err);
	rc = rc < 0 ? rc : wh_runs_drop(s, o.keys, o.n, err);
	rc = rc ? rc : wh_sql_count(s, "aged", o.n, err);
	s->aged += rc ? 0 : o.n;
	bool all = o.n < AT_ONCE;
	rc = rc || !all ? rc : drop_sketches(s, &o, err);
	if (!rc && all && o.n < AT_ONCE)
		rc = wh_sql_count(s, LOOKED, (uint64_t)(newest - looked), err);
	free(o.keys);
	return rc;
}
