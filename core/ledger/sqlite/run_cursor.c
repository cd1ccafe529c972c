/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk through one run. A block is copied as it comes, so that its row may change meanwhile. Every byte is the file's owner's:
 * a block is decoded with all checks, keys ascend within it and from one to the next.
 */
#include "ledger/sqlite/runs.h"

enum { NEAR = 2 }; /* so many blocks are examined before the run is searched */

/* ---- statements, of which each walk has its own ---- */

static int take_statement(struct run_cursor *c, struct wh_error *err)
{
	struct sqlite_store *s = c->s;
	size_t *n = c->run.rows ? &s->walks.n_rows : &s->walks.n_blocks;
	sqlite3_stmt **kept = c->run.rows ? s->walks.rows : s->walks.blocks;
	if (*n) {
		c->st = kept[--*n];
		return 0;
	}
	if (sqlite3_prepare_v3(s->state->db, wh_sql[c->run.rows ? ST_ROW_WALK : ST_BLOCK_WALK], -1, SQLITE_PREPARE_PERSISTENT,
	                       &c->st, NULL) != SQLITE_OK)
		return wh_sql_fail(s->state, "read", err);
	return 0;
}

static void give_statement(struct run_cursor *c)
{
	struct sqlite_store *s = c->s;
	size_t *n = c->run.rows ? &s->walks.n_rows : &s->walks.n_blocks;
	if (!c->st)
		return;
	sqlite3_reset(c->st);
	sqlite3_clear_bindings(c->st);
	if (*n < WH_WALKS_KEPT)
		(c->run.rows ? s->walks.rows : s->walks.blocks)[(*n)++] = c->st;
	else
		sqlite3_finalize(c->st);
	c->st = NULL;
}

int wh_run_open(struct run_cursor *c, struct sqlite_store *s, struct run run, struct wh_error *err)
{
	c->s = s;
	c->st = NULL;
	c->run = run;
	c->on = c->any = c->copies = false;
	return take_statement(c, err);
}

void wh_run_close(struct run_cursor *c)
{
	give_statement(c);
}

/* ---- the next one ---- */

/* The block's next edge. */
static inline int read_edge(struct run_cursor *c)
{
	return c->copies ? wh_block_step(&c->r, &c->edge) : wh_block_next(&c->r, &c->edge);
}

/* A row of an older ledger. */
static int load_row(struct run_cursor *c, struct wh_error *err)
{
	const uint8_t *key, *value;
	size_t key_len, len;
	struct wh_edge_key k;
	if (!wh_sql_blob(c->st, 0, &key, &key_len) || key_len != KEY_BYTES || !wh_sql_blob(c->st, 1, &value, &len) ||
	    (c->any && memcmp(c->r.key, key, KEY_BYTES) >= 0) || wh_edge_key_decode(key, key_len, &k) ||
	    wh_edge_decode(value, len, &c->edge))
		return wh_sql_damaged(c->s->state, err);
	memcpy(c->r.key, key, KEY_BYTES);
	c->r.left = 0;
	c->r.single = false;
	return 0;
}

static int load_block(struct run_cursor *c, struct wh_error *err)
{
	const uint8_t *bytes;
	uint8_t before[KEY_BYTES];
	memcpy(before, c->r.key, KEY_BYTES);
	c->id = sqlite3_column_int64(c->st, 0);
	if (!wh_sql_blob(c->st, 1, &bytes, &c->len) || c->len > WH_BLOCK_BYTES)
		return wh_sql_damaged_block(c->s, c->id, err);
	memcpy(c->bytes, bytes, c->len);
	if (wh_block_open(&c->r, c->bytes, c->len) || read_edge(c) ||
	    (c->any && memcmp(before, c->r.key, KEY_BYTES) >= 0))
		return wh_sql_damaged_block(c->s, c->id, err);
	return 0;
}

/* The next row of the statement, and its first edge. */
static int load(struct run_cursor *c, struct wh_error *err)
{
	int step = sqlite3_step(c->st), rc = 0;
	c->on = false;
	if (step == SQLITE_DONE)
		return 0;
	if (step != SQLITE_ROW)
		return wh_sql_fail(c->s->state, "read", err);
	rc = c->run.rows ? load_row(c, err) : load_block(c, err);
	c->on = !rc;
	c->any = true;
	c->s->state->rows++;
	return rc;
}

int wh_run_next(struct run_cursor *c, struct wh_error *err)
{
	c->sought = false;
	if (!c->r.left)
		return load(c, err);
	if (!read_edge(c))
		return 0;
	c->on = false;
	return wh_sql_damaged_block(c->s, c->id, err);
}

/* ---- any one ---- */

static inline bool behind(const struct run_cursor *c, const uint8_t *key)
{
	return memcmp(c->r.key, key, KEY_BYTES) >= 0;
}

/* The first block from *id on, and whether its first key is greater than `key`, or there is none. */
static int compare_block(struct run_cursor *c, int64_t *id, const uint8_t *key, bool *greater, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(c->s, ST_BLOCK_AT, "read", err);
	const uint8_t *bytes, *first;
	size_t len;
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, *id);
	sqlite3_bind_int64(st, 2, wh_run_begin(c->run.number + 1));
	int step = sqlite3_step(st), rc = 0;
	*greater = true;
	*id = step == SQLITE_ROW ? sqlite3_column_int64(st, 0) : INT64_MAX;
	if (step != SQLITE_ROW && step != SQLITE_DONE)
		rc = wh_sql_fail(c->s->state, "read", err);
	else if (step == SQLITE_ROW) {
		first = wh_sql_blob(st, 1, &bytes, &len) ? wh_block_first(bytes, len) : NULL;
		rc = first ? 0 : wh_sql_damaged_block(c->s, *id, err);
		*greater = first && memcmp(first, key, KEY_BYTES) > 0;
	}
	sqlite3_reset(st);
	return rc;
}

/* The id of the last block that begins with the key or before it; the first one's where all begin behind it. Ids have gaps. */
static int search(struct run_cursor *c, const uint8_t *key, int64_t *found, struct wh_error *err)
{
	int64_t low = c->run.first, high = low + c->run.blocks;
	int rc = 0;
	*found = low;
	while (low < high && !rc) {
		int64_t middle = low + (high - low) / 2, id = middle;
		bool greater = false;
		rc = compare_block(c, &id, key, &greater, err);
		if (greater) {
			high = middle;
		} else {
			*found = id;
			low = id + 1;
		}
	}
	return rc;
}

static int restart(struct run_cursor *c, const uint8_t *key, struct wh_error *err)
{
	int64_t id = 0;
	int rc = c->run.rows ? 0 : search(c, key, &id, err);
	if (rc)
		return rc;
	sqlite3_reset(c->st);
	wh_sql_patience(c->s->state);
	c->any = false;
	if (c->run.rows) {
		sqlite3_bind_blob(c->st, 1, key, KEY_BYTES, SQLITE_TRANSIENT);
	} else {
		sqlite3_bind_int64(c->st, 1, id);
		sqlite3_bind_int64(c->st, 2, wh_run_begin(c->run.number + 1));
	}
	return load(c, err);
}

/* Whether it is there already. */
static bool is_there(const struct run_cursor *c, const uint8_t *key, int order)
{
	if (!c->on)
		return order < 0; /* its end lies before the key */
	return !order || (order > 0 && c->sought && memcmp(c->from, key, KEY_BYTES) <= 0);
}

int wh_run_seek(struct run_cursor *c, const uint8_t key[static KEY_BYTES], struct wh_error *err)
{
	unsigned blocks = 0;
	int rc = 0, order = c->any ? memcmp(c->r.key, key, KEY_BYTES) : 1;
	if (c->any && is_there(c, key, order))
		return 0;
	bool ahead = c->on && order < 0, near = ahead;
	while (near && ahead && !rc) {
		near = c->r.left || blocks++ < NEAR;
		rc = near ? wh_run_next(c, err) : 0;
		ahead = c->on && !behind(c, key);
	}
	if (!rc && !near)
		rc = restart(c, key, err);
	while (!rc && c->on && !behind(c, key))
		rc = wh_run_next(c, err);
	memcpy(c->from, key, KEY_BYTES);
	c->sought = true;
	return rc;
}
