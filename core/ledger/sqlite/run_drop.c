/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edges are removed from every run that has them: each block with any of them is rewritten without. It has the same base, and is
 * never longer than before. */
#include "ledger/sqlite/runs.h"

static int put_block(struct run_cursor *c, const struct wh_block_writer *w, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(c->s, w->n ? ST_BLOCK_SET : ST_BLOCK_DROP, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, c->id);
	if (w->n)
		sqlite3_bind_blob(st, 2, w->bytes, (int)w->len, SQLITE_STATIC);
	return wh_sql_run(c->s->state, st, "written", err);
}

/* The cursor's block without the keys, of which the first `from` lie before it. */
static int rewrite(struct run_cursor *c, uint8_t (*keys)[KEY_BYTES], size_t n, size_t from, struct wh_error *err)
{
	struct wh_block_reader r;
	struct wh_block_writer w;
	struct wh_edge e;
	bool good = !wh_block_open(&r, c->bytes, c->len);
	const unsigned had = r.left;
	wh_block_clear(&w);
	wh_block_base(&w, r.base_us);
	while (good && r.left) {
		if (!(good = !wh_block_next(&r, &e)))
			break;
		while (from < n && memcmp(keys[from], r.key, KEY_BYTES) < 0)
			from++;
		if (from == n || memcmp(keys[from], r.key, KEY_BYTES) != 0)
			good = wh_block_add(&w, r.key, &e);
	}
	c->s->tally.edges -= had - w.n;
	return good ? put_block(c, &w, err) : wh_sql_damaged_block(c->s, c->id, err);
}

static int drop_of(struct run_cursor *c, uint8_t (*keys)[KEY_BYTES], size_t n, struct wh_error *err)
{
	int64_t done = -1; /* the block that was written last */
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		rc = wh_run_seek(c, keys[i], err);
		if (rc || !c->on || memcmp(c->r.key, keys[i], KEY_BYTES) != 0 || c->id == done)
			continue;
		done = c->id;
		rc = rewrite(c, keys, n, i, err);
	}
	return rc;
}

int wh_runs_drop(struct sqlite_store *s, uint8_t (*keys)[KEY_BYTES], size_t n, struct wh_error *err)
{
	struct runs runs;
	struct run_cursor c;
	int rc = n ? wh_runs_list(s, &runs, err) : 0;
	for (size_t i = 0; n && i < runs.n && !rc; i++) {
		rc = wh_run_open(&c, s, runs.v[i], err);
		rc = rc ? rc : drop_of(&c, keys, n, err);
		wh_run_close(&c);
	}
	return rc ? rc : wh_tally_dropped(s, keys, n, err);
}
