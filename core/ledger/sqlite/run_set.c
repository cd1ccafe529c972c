/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk through all runs in one order. The run with the next edge is first in `order`; after it advances, it moves back to its
 * next key's place. The largest run hardly ever moves.
 */
#include <stdlib.h>
#include "ledger/sqlite/runs.h"

/* ---- the ledger stays as it is ---- */

/* A statement that has a row and is not reset keeps this connection's view of the file; this one has a row always. */
static int hold(struct run_set *m, bool *rows, struct wh_error *err)
{
	struct sqlite_store *s = m->s;
	if (!s->holds) {
		sqlite3_stmt *st = wh_sql_use(s, ST_ROWS_ANY, "read", err);
		if (!st)
			return -EIO;
		if (sqlite3_step(st) != SQLITE_ROW) {
			int rc = wh_sql_fail(s->state, "read", err);
			sqlite3_reset(st);
			return rc;
		}
	}
	*rows = sqlite3_column_int(s->st[ST_ROWS_ANY], 0) != 0;
	s->holds++;
	m->held = true;
	return 0;
}

static void let_go(struct run_set *m)
{
	if (m->held && !--m->s->holds)
		sqlite3_reset(m->s->st[ST_ROWS_ANY]);
	m->held = false;
}

int wh_run_set_open(struct run_set *m, struct sqlite_store *s, const struct runs *runs, struct wh_error *err)
{
	struct runs all;
	bool rows = false;
	*m = (struct run_set){.s = s};
	wh_sql_patience(s->state);
	int rc = hold(m, &rows, err);
	if (rc)
		return rc;
	if (!runs)
		rc = wh_runs_list(s, &all, err);
	else
		all = *runs;
	rows = rows && !runs;
	m->cursors = rc ? NULL : calloc(all.n + rows + 1, sizeof *m->cursors);
	if (!rc && !m->cursors)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < all.n && !rc; i++, m->n++) {
		rc = wh_run_open(&m->cursors[i], s, all.v[i], err);
		m->cursors[i].copies = runs;
	}
	if (!rc && rows && !(rc = wh_run_open(&m->cursors[m->n], s, (struct run){.rows = true}, err)))
		m->n++;
	if (rc)
		wh_run_set_close(m);
	return rc;
}

void wh_run_set_close(struct run_set *m)
{
	for (size_t i = 0; i < m->n; i++)
		wh_run_close(&m->cursors[i]);
	free(m->cursors);
	m->cursors = NULL;
	m->n = m->live = 0;
	let_go(m);
}

/* ---- the walk ---- */

/* Moves the cursor at `at` to its place among the later ones. */
static inline void move_back(struct run_set *m, size_t at)
{
	struct run_cursor *c = m->order[at];
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a live cursor stands on a row */
	for (; at + 1 < m->live && memcmp(m->order[at + 1]->r.key, c->r.key, KEY_BYTES) < 0; at++)
		m->order[at] = m->order[at + 1];
	m->order[at] = c;
}

int wh_run_set_seek(struct run_set *m, const uint8_t key[static KEY_BYTES], struct wh_error *err)
{
	m->live = 0;
	for (size_t i = 0; i < m->n; i++) {
		struct run_cursor *c = &m->cursors[i];
		int rc = wh_run_seek(c, key, err);
		if (rc)
			return rc;
		if (!c->on)
			continue;
		memmove(m->order + 1, m->order, m->live++ * sizeof *m->order);
		m->order[0] = c;
		move_back(m, 0);
	}
	return 0;
}

/* Advances the first one. */
static inline __attribute__((always_inline)) int advance(struct run_set *m, struct wh_error *err)
{
	int rc = wh_run_next(m->order[0], err);
	m->read++;
	if (rc)
		return rc;
	if (m->order[0]->on) {
		move_back(m, 0);
		return 0;
	}
	memmove(m->order, m->order + 1, --m->live * sizeof *m->order);
	return 0;
}

int wh_run_set_next(struct run_set *m, uint8_t key[static KEY_BYTES], struct wh_edge *e, struct wh_error *err)
{
	struct wh_edge room;
	memcpy(key, m->order[0]->r.key, KEY_BYTES);
	*e = *wh_run_edge(m->order[0], &room);
	int rc = advance(m, err);
	while (!rc && m->live && !memcmp(m->order[0]->r.key, key, KEY_BYTES)) {
		wh_edge_merge(e, wh_run_edge(m->order[0], &room));
		rc = advance(m, err);
	}
	return rc;
}

int wh_run_set_skip(struct run_set *m, struct wh_error *err)
{
	return advance(m, err);
}

const struct wh_edge_one *wh_run_set_single(const struct run_set *m)
{
	const struct run_cursor *c = m->order[0];
	bool alone = m->live < 2 || memcmp(m->order[1]->r.key, c->r.key, KEY_BYTES) != 0;
	return alone && c->r.single ? &c->r.one : NULL;
}

int wh_runs_scan(struct sqlite_store *s, struct wh_sql_keys keys, wh_edge_cb each, void *arg, struct wh_error *err)
{
	struct run_set m;
	uint8_t key[KEY_BYTES] = {0};
	struct wh_edge_key k;
	struct wh_edge e;
	int rc = wh_run_set_open(&m, s, NULL, err);
	if (rc)
		return rc;
	if (keys.from)
		memcpy(key, keys.from, keys.from_len);
	rc = wh_run_set_seek(&m, key, err);
	while (!rc && m.live && (!keys.to || memcmp(wh_run_set_key(&m), keys.to, keys.to_len) < 0)) {
		rc = wh_run_set_next(&m, key, &e, err);
		if (!rc && wh_edge_key_decode(key, sizeof key, &k))
			rc = wh_sql_damaged(s->state, err);
		s->state->rows++;
		rc = rc ? rc : each(arg, &k, &e);
	}
	wh_run_set_close(&m);
	return rc;
}

int wh_runs_count(struct sqlite_store *s, uint64_t *n, struct wh_error *err)
{
	static const uint8_t first[KEY_BYTES];
	struct run_set m;
	uint8_t key[KEY_BYTES];
	struct wh_edge e;
	int rc = wh_run_set_open(&m, s, NULL, err);
	*n = 0;
	rc = rc ? rc : wh_run_set_seek(&m, first, err);
	while (!rc && m.live) {
		rc = wh_run_set_next(&m, key, &e, err);
		++*n;
		s->state->rows++;
	}
	wh_run_set_close(&m);
	return rc;
}
