/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run is written block by block, behind all others. Merged runs and old rows are removed while their edges are rewritten: so
 * the file, which may be at its limit, has room for them.
 */
#include "ledger/sqlite/runs.h"

enum { BLOCKS_AT_ONCE = 256, ROWS_AT_ONCE = 1 << 16 };

int wh_run_writer_begin(struct run_writer *w, struct sqlite_store *s, struct wh_error *err)
{
	int64_t last;
	sqlite3_stmt *st = wh_sql_use(s, ST_BLOCK_LAST, "read", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, INT64_MAX);
	int rc = wh_sql_one_number(s, st, -1, &last, err);
	if (!rc && last >> RUN_SHIFT >= INT32_MAX - 1)
		rc = wh_sql_damaged_block(s, last, err);
	w->s = s;
	memset(w->local, 0xff, sizeof w->local);
	w->id = ((last >> RUN_SHIFT) + 1) << RUN_SHIFT;
	wh_block_clear(&w->w);
	return rc;
}

int wh_run_flush(struct run_writer *w, struct wh_error *err)
{
	if (!w->w.n)
		return 0;
	sqlite3_stmt *st = wh_sql_use(w->s, ST_BLOCK_PUT, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, w->id++);
	sqlite3_bind_blob(st, 2, w->w.bytes, (int)w->w.len, SQLITE_STATIC);
	wh_block_clear(&w->w);
	return wh_sql_run(w->s->state, st, "written", err);
}

static int too_large(const struct run_writer *w, struct wh_error *err)
{
	return wh_fail(err, -EFBIG, "%s: an edge is larger than a block", w->s->state->path);
}

static inline int added(struct run_writer *w, const uint8_t *key)
{
	w->s->tally.edges++;
	if (memcmp(w->local, key, sizeof w->local) != 0) {
		memcpy(w->local, key, sizeof w->local);
		wh_tally_local(w->s, key);
	}
	return 0;
}

int wh_run_append(struct run_writer *w, const uint8_t key[static KEY_BYTES], const struct wh_edge *e, struct wh_error *err)
{
	if (wh_block_add(&w->w, key, e))
		return added(w, key);
	int rc = wh_run_flush(w, err);
	if (rc)
		return rc;
	return wh_block_add(&w->w, key, e) ? added(w, key) : too_large(w, err);
}

int wh_run_append_one(struct run_writer *w, const uint8_t key[static KEY_BYTES], const struct wh_edge_one *one,
                      struct wh_error *err)
{
	if (wh_block_add_one(&w->w, key, one))
		return added(w, key);
	int rc = wh_run_flush(w, err);
	if (rc)
		return rc;
	return wh_block_add_one(&w->w, key, one) ? added(w, key) : too_large(w, err);
}

/* ---- merging ---- */

/* Removes the parts of the runs that were read; all: the rest, too. */
static int remove_read(struct run_set *m, bool all, struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < m->n && !rc; i++) {
		const struct run_cursor *c = &m->cursors[i];
		sqlite3_stmt *st = wh_sql_use(m->s, ST_BLOCKS_DROP, "written", err);
		if (!st)
			return -EIO;
		sqlite3_bind_int64(st, 1, wh_run_begin(c->run.number));
		sqlite3_bind_int64(st, 2, all || !c->on ? wh_run_begin(c->run.number + 1) : c->id);
		rc = wh_sql_run(m->s->state, st, "written", err);
	}
	return rc;
}

/* The set's next edge goes into the run. */
static int move_next(struct run_set *m, struct run_writer *w, struct wh_error *err)
{
	const struct wh_edge_one *one = wh_run_set_single(m);
	uint8_t key[KEY_BYTES];
	struct wh_edge e;
	int rc = one ? wh_run_append_one(w, wh_run_set_key(m), one, err) : wh_run_set_next(m, key, &e, err);
	return rc ? rc : one ? wh_run_set_skip(m, err) : wh_run_append(w, key, &e, err);
}

int wh_runs_merge(struct sqlite_store *s, struct wh_error *err)
{
	static const uint8_t first[KEY_BYTES];
	struct runs runs;
	struct run_set m;
	struct run_writer w;
	int rc = wh_runs_list(s, &runs, err);
	if (rc || (runs.n = wh_runs_choose(&runs, s->full.is)) < 2)
		return rc;
	if ((rc = wh_run_writer_begin(&w, s, err)) || (rc = wh_run_set_open(&m, s, &runs, err)))
		return rc;
	int64_t removed = w.id;
	rc = wh_run_set_seek(&m, first, err);
	while (!rc && m.live) {
		rc = move_next(&m, &w, err);
		s->state->rows++;
		if (!rc && w.id - removed >= BLOCKS_AT_ONCE) {
			removed = w.id;
			rc = remove_read(&m, false, err);
		}
	}
	rc = rc ? rc : wh_run_flush(&w, err);
	rc = rc ? rc : remove_read(&m, true, err);
	s->tally.edges -= m.read;
	wh_run_set_close(&m);
	return rc;
}

/* ---- rows of older ledgers ---- */

static int drop_rows(struct sqlite_store *s, const uint8_t *up_to, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_ROWS_DROP, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_blob(st, 1, up_to, KEY_BYTES, SQLITE_STATIC);
	return wh_sql_run(s->state, st, "written", err);
}

int wh_runs_take_rows(struct sqlite_store *s, struct wh_error *err)
{
	static const uint8_t first[KEY_BYTES];
	uint8_t key[KEY_BYTES];
	struct run_cursor c;
	struct run_writer w;
	size_t n = 0;
	int rc = wh_run_open(&c, s, (struct run){.rows = true}, err);
	rc = rc ? rc : wh_run_seek(&c, first, err);
	if (rc || !c.on)
		goto out;
	rc = wh_run_writer_begin(&w, s, err);
	while (!rc && c.on) {
		memcpy(key, c.r.key, sizeof key);
		rc = wh_run_append(&w, key, &c.edge, err);
		rc = rc ? rc : wh_run_next(&c, err);
		if (!rc && (!c.on || ++n % ROWS_AT_ONCE == 0))
			rc = drop_rows(s, key, err);
	}
	rc = rc ? rc : wh_run_flush(&w, err);
out:
	wh_run_close(&c);
	return rc;
}
