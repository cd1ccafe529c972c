/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edges, sketches, days and the place in the input go into the ledger: in one transaction, merged with what is there. */
#include "ledger/store_sqlite.h"

/* ---- merging inside SQLite ---- */

static void merge_with(sqlite3_context *c, int n, sqlite3_value **v, void (*merge)(struct wh_edge *into, const struct wh_edge *add))
{
	struct wh_edge a, b;
	uint8_t out[WH_EDGE_VALUE_MAX];
	(void)n;
	if (sqlite3_value_type(v[0]) != SQLITE_BLOB || wh_edge_decode(sqlite3_value_blob(v[0]), (size_t)sqlite3_value_bytes(v[0]), &a) ||
	    wh_edge_decode(sqlite3_value_blob(v[1]), (size_t)sqlite3_value_bytes(v[1]), &b)) {
		sqlite3_result_error_code(c, SQLITE_CORRUPT);
		return;
	}
	merge(&a, &b);
	sqlite3_result_blob(c, out, (int)wh_edge_encode(&a, out), SQLITE_TRANSIENT);
}

static void merge_edges(sqlite3_context *c, int n, sqlite3_value **v)
{
	merge_with(c, n, v, wh_edge_merge);
}

static void merge_open(sqlite3_context *c, int n, sqlite3_value **v)
{
	merge_with(c, n, v, wh_edge_merge_open);
}

static void merge_sketches(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct wh_sketch a, b;
	uint8_t out[WH_SKETCH_BYTES];
	(void)n;
	if (sqlite3_value_type(v[0]) != SQLITE_BLOB || wh_sketch_decode(sqlite3_value_blob(v[0]), (size_t)sqlite3_value_bytes(v[0]), &a) ||
	    wh_sketch_decode(sqlite3_value_blob(v[1]), (size_t)sqlite3_value_bytes(v[1]), &b)) {
		sqlite3_result_error_code(c, SQLITE_CORRUPT);
		return;
	}
	wh_sketch_merge(&a, &b);
	wh_sketch_encode(&a, out);
	sqlite3_result_blob(c, out, sizeof out, SQLITE_TRANSIENT);
}

void wh_sql_define_merge(struct wh_store *s)
{
	sqlite3_create_function(s->state->db, "wh_merge", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, merge_edges, NULL, NULL);
	sqlite3_create_function(s->state->db, "wh_merge_open", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, merge_open, NULL, NULL);
	sqlite3_create_function(s->state->db, "wh_merge_sketch", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, merge_sketches, NULL, NULL);
}

/* ---- committing ---- */

struct committing {
	struct wh_store *s;
	struct wh_error *err;
};

int wh_sql_put_sketch(struct wh_store *s, const struct wh_sketch_key *k, const struct wh_sketch *sk, struct wh_error *err)
{
	uint8_t key[19], value[WH_SKETCH_BYTES];
	sqlite3_stmt *st = wh_sql_use(s, ST_SKETCH, "written", err);
	if (!st)
		return -EIO;
	memcpy(key, k->local.b, 16);
	key[16] = k->proto;
	key[17] = (uint8_t)(k->port >> 8);
	key[18] = (uint8_t)k->port;
	wh_sketch_encode(sk, value);
	sqlite3_bind_blob(st, 1, key, sizeof key, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, value, sizeof value, SQLITE_STATIC);
	return wh_sql_run(s->state, st, "written", err);
}

static int put_sketch(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *sk)
{
	struct committing *c = arg;
	return wh_sql_put_sketch(c->s, k, sk, c->err);
}

static int put_day(void *arg, int32_t day, uint64_t flows)
{
	struct committing *c = arg;
	sqlite3_stmt *st = wh_sql_use(c->s, ST_DAY, "written", c->err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, day);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)flows);
	return wh_sql_run(c->s->state, st, "written", c->err);
}

int wh_sql_count(struct wh_store *s, const char *name, uint64_t add, struct wh_error *err)
{
	sqlite3_stmt *st = add ? wh_sql_use(s, ST_COUNTER, "written", err) : NULL;
	if (!st)
		return add ? -EIO : 0;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)add);
	return wh_sql_run(s->state, st, "written", err);
}

static int put_place(struct committing *c, const struct wh_store_progress *p)
{
	sqlite3_stmt *st = wh_sql_use(c->s, ST_SOURCE, "written", c->err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, p->identity, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, p->path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, (sqlite3_int64)p->offset);
	sqlite3_bind_int64(st, 4, (sqlite3_int64)p->line);
	sqlite3_bind_int64(st, 5, wh_now_us());
	int rc = wh_sql_run(c->s->state, st, "written", c->err);
	if (!rc && !(st = wh_sql_use(c->s, ST_SOURCE_BOUND, "written", c->err)))
		rc = -EIO;
	return rc ? rc : wh_sql_run(c->s->state, st, "written", c->err);
}

static int put_progress(struct committing *c, const struct wh_store_progress *p)
{
	int rc = p->also ? p->also(p->arg, c->err) : 0;
	if (!rc && p->identity)
		rc = put_place(c, p);
	if (!rc && p->outdated) {
		sqlite3_stmt *st = wh_sql_use(c->s, ST_SOURCE_FORGET, "written", c->err);
		if (!st)
			return -EIO;
		sqlite3_bind_text(st, 1, p->outdated, -1, SQLITE_STATIC);
		rc = wh_sql_run(c->s->state, st, "written", c->err);
	}
	return rc;
}

int wh_store_commit(struct wh_store *s, const struct wh_edge_table *t, const struct wh_store_progress *progress,
                    const struct wh_read_stats *d, struct wh_error *err)
{
	return wh_store_commit_tables(s, &t, 1, progress, d, err);
}

int wh_store_commit_tables(struct wh_store *s, const struct wh_edge_table *const tables[], size_t n, const struct wh_store_progress *progress,
                           const struct wh_read_stats *d, struct wh_error *err)
{
	struct committing c = {s, err};
	struct wh_error ignored;
	int rc = wh_state_begin(s->state, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n && !rc; i++) {
		rc = wh_sql_put_edges(s, &wh_edges_of_sensors, tables[i], err);
		if (!rc)
			rc = wh_edge_table_sketches(tables[i], put_sketch, &c);
		if (!rc)
			rc = wh_edge_table_days(tables[i], put_day, &c);
	}
	if (!rc && d) {
		const struct { const char *name; uint64_t n; } counters[] = {{"records", d->records}, {"flows", d->flows}, {"alerts", d->alerts},
		                                                             {"other", d->other}, {"malformed", d->malformed}};
		for (size_t i = 0; i < 5 && !rc; i++)
			rc = wh_sql_count(s, counters[i].name, counters[i].n, err);
	}
	if (!rc)
		rc = wh_sql_drop_old(s, err);
	if (!rc && progress)
		rc = put_progress(&c, progress);
	int end = wh_state_end(s->state, !rc, rc ? &ignored : err);
	return rc ? rc : end;
}

int wh_store_progress_of(struct wh_store *s, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err)
{
	*offset = *line = 0;
	sqlite3_stmt *st = wh_sql_use(s, ST_PROGRESS, "read", err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, identity, -1, SQLITE_STATIC);
	int step = sqlite3_step(st);
	int64_t at = 0, of = 0;
	int rc = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : wh_sql_fail(s->state, "read", err);
	if (step == SQLITE_ROW && (!wh_sql_number(st, 0, &at) || !wh_sql_number(st, 1, &of) || at < 0 || of < 0))
		rc = wh_sql_damaged(s->state, err);
	*offset = rc ? 0 : (uint64_t)at;
	*line = rc ? 0 : (uint64_t)of;
	sqlite3_reset(st);
	return rc;
}
