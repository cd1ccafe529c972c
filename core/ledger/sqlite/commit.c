/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edges, sketches, days and the place in the input go into the ledger: in one transaction, merged with the present data. */
#include "ledger/sqlite/runs.h"

/* ---- merging inside SQLite ---- */

static void merge_open(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct wh_edge a, b;
	uint8_t out[WH_EDGE_VALUE_MAX];
	(void)n;
	if (sqlite3_value_type(v[0]) != SQLITE_BLOB ||
	    wh_edge_decode(sqlite3_value_blob(v[0]), (size_t)sqlite3_value_bytes(v[0]), &a) ||
	    wh_edge_decode(sqlite3_value_blob(v[1]), (size_t)sqlite3_value_bytes(v[1]), &b)) {
		sqlite3_result_error_code(c, SQLITE_CORRUPT);
		return;
	}
	wh_edge_merge_open(&a, &b);
	sqlite3_result_blob(c, out, (int)wh_edge_encode(&a, out), SQLITE_TRANSIENT);
}

static void merge_sketches(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct wh_sketch a, b;
	uint8_t out[WH_SKETCH_BYTES];
	(void)n;
	if (sqlite3_value_type(v[0]) != SQLITE_BLOB ||
	    wh_sketch_decode(sqlite3_value_blob(v[0]), (size_t)sqlite3_value_bytes(v[0]), &a) ||
	    wh_sketch_decode(sqlite3_value_blob(v[1]), (size_t)sqlite3_value_bytes(v[1]), &b)) {
		sqlite3_result_error_code(c, SQLITE_CORRUPT);
		return;
	}
	wh_sketch_merge(&a, &b);
	wh_sketch_encode(&a, out);
	sqlite3_result_blob(c, out, sizeof out, SQLITE_TRANSIENT);
}

void wh_sql_define_merge(struct sqlite_store *s)
{
	sqlite3_create_function(s->state->db, "wh_merge_open", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
	                        merge_open, NULL, NULL);
	sqlite3_create_function(s->state->db, "wh_merge_sketch", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
	                        merge_sketches, NULL, NULL);
}

/* ---- committing ---- */

struct committing {
	struct sqlite_store *s;
	struct wh_error *err;
};

int wh_sql_put_sketch(struct sqlite_store *s, const struct wh_sketch_key *k, const struct wh_sketch *sk, struct wh_error *err)
{
	uint8_t key[WH_SKETCH_KEY_BYTES], value[WH_SKETCH_BYTES];
	sqlite3_stmt *st = wh_sql_use(s, s->full.is ? ST_SKETCH_MORE : ST_SKETCH, "written", err);
	if (!st)
		return -EIO;
	wh_sketch_key_encode(k, key);
	wh_sketch_encode(sk, value);
	sqlite3_bind_blob(st, 1, key, sizeof key, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, value, sizeof value, SQLITE_STATIC);
	int rc = wh_sql_run(s->state, st, "written", err);
	if (rc || !s->full.is || sqlite3_changes(s->state->db) > 0)
		return rc;
	s->full.sketches++; /* if it has only unanswered flows, nothing depends on it */
	return sk->unproven || sk->one_sided || sk->undirected ? wh_sql_full_lost(s, &k->local, sk->day0, err) : 0;
}

static int put_sketch(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *sk)
{
	struct committing *c = arg;
	return wh_sql_put_sketch(c->s, k, sk, c->err);
}

/* ---- their related data ---- */

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

int wh_sql_count(struct sqlite_store *s, const char *name, uint64_t add, struct wh_error *err)
{
	sqlite3_stmt *st = add ? wh_sql_use(s, ST_COUNTER, "written", err) : NULL;
	if (!st)
		return add ? -EIO : 0;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)add);
	return wh_sql_run(s->state, st, "written", err);
}

enum { PLACES_UNCOUNTED = 256 };

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
	if (rc || c->s->places_put++ % PLACES_UNCOUNTED) /* it looks at all of them */
		return rc;
	if (!(st = wh_sql_use(c->s, ST_SOURCE_BOUND, "written", c->err)))
		rc = -EIO;
	return rc ? rc : wh_sql_run(c->s->state, st, "written", c->err);
}

static int forget_place(struct committing *c, const char *identity)
{
	sqlite3_stmt *st = wh_sql_use(c->s, ST_SOURCE_FORGET, "written", c->err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, identity, -1, SQLITE_STATIC);
	return wh_sql_run(c->s->state, st, "written", c->err);
}

/* Whether no other process has written contents since the caller's look. First of all, so that nothing was done in vain. */
static int same_generation(struct committing *c, const struct wh_store_seen *seen)
{
	uint8_t key[WH_LINE_KEY_BYTES];
	int64_t generation = 0;
	int rc = wh_sqlite_content_key(&c->s->base, key, &generation, c->err);
	return rc || generation == seen->generation ? rc : -EAGAIN;
}

static int put_contents(struct committing *c, const struct wh_store_seen *seen, const char *path, int64_t *ids)
{
	int rc = 0;
	for (size_t i = 0; i < seen->n_contents && !rc; i++)
		rc = wh_sql_content_put(c->s, seen->contents[i], path, &ids[i], c->err);
	rc = rc ? rc : wh_sql_content_generation(c->s, seen->generation + 1, c->err);
	return rc ? rc : wh_sql_content_bound(c->s, c->err);
}

static int put_seen(struct committing *c, const struct wh_store_seen *seen, const char *path, int64_t *ids)
{
	int rc = 0;
	for (size_t i = 0; i < seen->n_realms && !rc; i++)
		rc = c->s->full.is ? wh_sql_full_lost(c->s, &seen->realms[i].addr, wh_day(wh_now_us()), c->err)
		                   : wh_sql_realm_put(c->s, &seen->realms[i].addr, &seen->realms[i].realm, c->err);
	for (size_t i = 0; i < seen->n_conversations && !rc; i++)
		rc = wh_sql_conversations_put(c->s, seen->conversations[i].day, seen->conversations[i].rows,
		                              seen->conversations[i].n, c->err);
	if (!rc && seen->n_conversations)
		rc = wh_sql_conversations_bound(c->s, c->err);
	if (!rc && seen->n_pages)
		rc = wh_sql_open_flows_put(c->s, seen, c->err);
	rc = rc || !seen->n_facts ? rc : wh_sql_facts_put(c->s, seen, c->err);
	return rc || !seen->n_contents ? rc : put_contents(c, seen, path, ids);
}

static int put_progress(struct committing *c, const struct wh_store_progress *p, int64_t *ids)
{
	int rc = p->seen ? put_seen(c, p->seen, p->path, ids) : 0;
	rc = rc || !p->identity ? rc : put_place(c, p);
	return rc || !p->outdated ? rc : forget_place(c, p->outdated);
}

static int put_tables(struct committing *c, const struct wh_store_batch *b)
{
	int rc = 0;
	for (size_t i = 0; i < b->n_tables && !rc; i++) {
		rc = wh_run_put(c->s, b->tables[i], c->err);
		rc = rc ? rc : wh_edge_table_sketches(b->tables[i], put_sketch, c);
		rc = rc ? rc : wh_edge_table_days(b->tables[i], put_day, c);
	}
	return rc ? rc : wh_runs_merge(c->s, c->err);
}

static int put_counters(struct committing *c, const struct wh_read_stats *d)
{
	const struct {
		const char *name;
		uint64_t n;
	} counters[] = {{"records", d->records},
	                {"flows", d->flows},
	                {"alerts", d->alerts},
	                {"other", d->other},
	                {"malformed", d->malformed}};
	int rc = 0;
	for (size_t i = 0; i < sizeof counters / sizeof *counters && !rc; i++)
		rc = wh_sql_count(c->s, counters[i].name, counters[i].n, c->err);
	return rc;
}

int wh_sqlite_commit(struct wh_store *store, const struct wh_store_batch *b, struct wh_error *err)
{
	struct committing c = {wh_sqlite_of(store), err};
	const struct wh_store_seen *seen = b->progress ? b->progress->seen : NULL;
	int64_t *ids = NULL;
	struct wh_error ignored;
	if (seen && seen->n_contents && !(ids = calloc(seen->n_contents, sizeof *ids)))
		return wh_fail(err, -ENOMEM, "out of memory");
	int rc = wh_state_begin(c.s->state, err);
	if (rc)
		goto out;
	const uint64_t before = c.s->full.edges;
	rc = wh_tally_begin(c.s, err);
	rc = rc || !ids ? rc : same_generation(&c, seen);
	rc = rc ? rc : wh_runs_take_rows(c.s, err);
	rc = rc ? rc : wh_sql_full_look(c.s, err);
	rc = rc ? rc : put_tables(&c, b);
	rc = rc || !b->counts ? rc : put_counters(&c, b->counts);
	rc = rc ? rc : wh_sql_drop_old(c.s, err);
	rc = rc || !b->progress ? rc : put_progress(&c, b->progress, ids);
	rc = rc ? rc : wh_sql_full_flush(c.s, err);
	rc = rc ? rc : wh_sql_count(c.s, "full", c.s->full.edges - before, err);
	rc = rc ? rc : wh_sql_count(c.s, "writes", 1, err);
	int told = wh_tally_end(c.s, !rc, rc ? &ignored : err);
	rc = rc ? rc : told;
	rc = wh_state_finish(c.s->state, rc, err);
	for (size_t i = 0; ids && !rc && i < seen->n_contents; i++)
		seen->contents[i]->id = ids[i];
out:
	free(ids);
	return rc;
}

int wh_sqlite_progress(struct wh_store *store, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
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
