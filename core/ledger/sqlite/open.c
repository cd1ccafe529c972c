/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table open_edge: the edges of connections that the kernel had open (wh_store_seen_open), apart from those of the sensors'
 * records. Rows that nothing was seen of for as long as an edge's days reach back are forgotten, those of a clock that ran ahead
 * too; of more than MOST those that were seen last stay.
 */
#include "ledger/sqlite/sqlite_store.h"

enum { MOST = WH_OPEN_MOST, MOST_READ = 4 * MOST, DAYS = 64 };

/* ---- in ---- */

static int run_with(struct sqlite_store *s, enum statement which, int64_t first, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, which, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, first);
	return wh_sql_run(s->state, st, "written", err);
}

static int count(struct sqlite_store *s, enum statement which, int64_t *n, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, which, "read", err);
	return st ? wh_sql_one_number(s, st, 0, n, err) : -EIO;
}

int wh_sqlite_put_open(struct wh_store *store, const struct wh_edge_table *t, int32_t today, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	struct wh_error ignored;
	int64_t n = 0;
	int rc = wh_state_begin(s->state, err);
	if (rc)
		return rc;
	rc = run_with(s, ST_OPEN_FUTURE, today + 1, err);
	rc = rc ? rc : run_with(s, ST_OPEN_AGE, (int64_t)today - DAYS + 1, err);
	rc = rc ? rc : wh_sql_put_open_edges(s, t, err);
	rc = rc ? rc : count(s, ST_OPEN_COUNT, &n, err);
	if (!rc && n > MOST)
		rc = run_with(s, ST_OPEN_FORGET, n - MOST, err);
	int end = wh_state_end(s->state, !rc, rc ? &ignored : err);
	s->has_open = true;
	return rc ? rc : end;
}

/* A ledger of before has no such table, and most have no row in it: then it is not looked at again. */
bool wh_sql_has_open(struct sqlite_store *s)
{
	struct wh_error ignored;
	sqlite3_stmt *st = wh_sql_use(s, ST_OPEN_ANY, "read", &ignored);
	bool any = st && sqlite3_step(st) == SQLITE_ROW;
	if (st)
		sqlite3_reset(st);
	return any;
}

int wh_sql_count_open(struct sqlite_store *s, uint64_t *n, struct wh_error *err)
{
	int64_t only = 0;
	int rc = s->has_open ? count(s, ST_OPEN_ONLY, &only, err) : 0;
	*n = (uint64_t)only;
	return rc;
}

struct bounded { struct sqlite_store *s; size_t n; wh_edge_cb each; void *arg; struct wh_error *err; };

static int one(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct bounded *b = arg;
	return ++b->n > MOST_READ ? wh_sql_damaged(b->s->state, b->err) : b->each(b->arg, k, e);
}

int wh_sql_scan_open(struct sqlite_store *s, struct wh_sql_keys keys, wh_edge_cb each, void *arg, struct wh_error *err)
{
	struct bounded b = {s, 0, each, arg, err};
	return s->has_open ? wh_sql_scan(s, ST_OPEN_SCAN, keys, one, &b, err) : 0;
}
