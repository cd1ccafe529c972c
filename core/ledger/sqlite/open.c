/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table open_edge: the edges of connections that the kernel had open (wh_store_seen_open), apart from those of the sensors'
 * records. Rows that nothing was seen of for as long as an edge's days reach back are forgotten, those of a clock that ran ahead
 * too; of more than MOST those that were seen last stay.
 */
#include "ledger/quota.h"
#include "ledger/sqlite/runs.h"

enum { MOST = WH_OPEN_MOST, MOST_READ = 4 * MOST, DAYS = 64 };

/* ---- in ---- */

static int put_edge(struct sqlite_store *s, enum statement which, const struct wh_edge_key *k, const struct wh_edge *e,
                    struct wh_error *err)
{
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	sqlite3_stmt *st = wh_sql_use(s, which, "written", err);
	if (!st)
		return -EIO;
	wh_edge_key_encode(k, key);
	sqlite3_bind_blob(st, 1, key, sizeof key, SQLITE_STATIC);
	if (e) {
		struct wh_edge presence = wh_edge_presence(e);
		sqlite3_bind_blob(st, 2, value, (int)wh_edge_encode(&presence, value), SQLITE_STATIC);
		sqlite3_bind_int(st, 3, e->day0);
	}
	return wh_sql_run(s->state, st, "written", err);
}

static int merge_edge(void *arg, const struct wh_edge_table *t, const struct edge_cell *c, bool *there, struct wh_error *err)
{
	struct sqlite_store *s = arg;
	struct wh_edge room;
	int rc = put_edge(s, there ? ST_OPEN_MORE : ST_OPEN, &c->key, edge_of_cell(t, c, &room), err);
	if (there)
		*there = sqlite3_changes(s->state->db) > 0;
	return rc;
}

static int drop_edge(void *arg, const struct wh_edge_key *k, struct wh_error *err)
{
	return put_edge(arg, ST_OPEN_DROP, k, NULL, err);
}

static int edges_of_port(void *arg, const struct wh_edge_key *port, wh_edge_cb each, void *each_arg, struct wh_error *err)
{
	uint8_t from[WH_EDGE_KEY_BYTES], to[WH_PORT_KEY];
	wh_sql_port_range(port, from, to);
	return wh_sql_scan(arg, ST_OPEN_SCAN, (struct wh_sql_keys){from, WH_PORT_KEY, to, WH_PORT_KEY}, each, each_arg, err);
}

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
	int64_t n = 0;
	int rc = wh_state_begin(s->state, err);
	if (rc)
		return rc;
	rc = run_with(s, ST_OPEN_FUTURE, today + 1, err);
	rc = rc ? rc : run_with(s, ST_OPEN_AGE, (int64_t)today - DAYS + 1, err);
	rc = rc ? rc
	        : wh_quota_put_edges(
			  &(struct wh_quota_store){.arg = s, .merge = merge_edge, .drop = drop_edge, .port = edges_of_port}, t,
			  err);
	rc = rc ? rc : count(s, ST_OPEN_COUNT, &n, err);
	if (!rc && n > MOST)
		rc = run_with(s, ST_OPEN_FORGET, n - MOST, err);
	rc = rc ? rc : wh_sql_count(s, "writes", 1, err);
	rc = wh_state_finish(s->state, rc, err);
	s->has_open = true;
	return rc;
}

/* An older ledger has no such table, and most have no row in it: then it is not read again. */
bool wh_sql_has_open(struct sqlite_store *s)
{
	struct wh_error ignored;
	sqlite3_stmt *st = wh_sql_use(s, ST_OPEN_ANY, "read", &ignored);
	bool any = st && sqlite3_step(st) == SQLITE_ROW;
	if (st)
		sqlite3_reset(st);
	return any;
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

struct only { struct run_set reported; uint64_t n; struct wh_error *err; };

static int count_only(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct only *o = arg;
	uint8_t key[WH_EDGE_KEY_BYTES];
	(void)e;
	wh_edge_key_encode(k, key);
	int rc = wh_run_set_seek(&o->reported, key, o->err);
	o->n += !rc && (!o->reported.live || memcmp(wh_run_set_key(&o->reported), key, sizeof key) != 0);
	return rc;
}

int wh_sql_count_open(struct sqlite_store *s, uint64_t *n, struct wh_error *err)
{
	struct only o = {.err = err};
	int rc = s->has_open ? wh_run_set_open(&o.reported, s, NULL, err) : 0;
	if (!rc && s->has_open) {
		rc = wh_sql_scan_open(s, (struct wh_sql_keys){0}, count_only, &o, err);
		wh_run_set_close(&o.reported);
	}
	*n = o.n;
	return rc;
}
