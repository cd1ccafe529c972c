/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists the runs, by the ids of their blocks alone (see runs.h), and chooses those to merge. */
#include <stdlib.h>
#include "ledger/sqlite/runs.h"

enum { ALIKE = 4 }; /* so many runs of similar size, up to so many times as large, are merged */

int wh_sql_damaged_block(struct sqlite_store *s, int64_t id, struct wh_error *err)
{
	return wh_sql_damaged_row(s->state, "edge_block", id, err);
}

/* The id that a statement finds; `none` where there is none. */
static int find(struct sqlite_store *s, enum statement which, int64_t bound, int64_t none, int64_t *id, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, which, "read", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, bound);
	return wh_sql_one_number(s, st, none, id, err);
}

/* An older ledger, not written since, has no such table. */
bool wh_runs_any(struct sqlite_store *s)
{
	sqlite3_stmt *st = NULL;
	if (!s->has_blocks) {
		s->has_blocks = sqlite3_prepare_v2(s->state->db, wh_sql[ST_BLOCK_FIRST], -1, &st, NULL) == SQLITE_OK;
		sqlite3_finalize(st);
	}
	return s->has_blocks;
}

int wh_runs_list(struct sqlite_store *s, struct runs *out, struct wh_error *err)
{
	int64_t at = INT64_MIN + 1, first = 0, last = 0;
	out->n = 0;
	if (!wh_runs_any(s))
		return 0;
	for (;;) {
		int rc = find(s, ST_BLOCK_FIRST, at, INT64_MIN, &first, err);
		if (rc || first == INT64_MIN)
			return rc;
		int64_t number = first >> RUN_SHIFT;
		if (number < 0 || number == INT32_MAX || out->n == RUNS_MOST)
			return wh_sql_damaged_block(s, first, err);
		at = wh_run_begin((uint32_t)number + 1);
		if ((rc = find(s, ST_BLOCK_LAST, at, first, &last, err)))
			return rc;
		out->v[out->n++] = (struct run){(uint32_t)number, (uint32_t)(last - first) + 1, first, false};
	}
}

/* ---- which to merge ---- */

static int by_size(const void *x, const void *y)
{
	const struct run *a = x, *b = y;
	return (a->blocks > b->blocks) - (a->blocks < b->blocks);
}

static unsigned class_of(uint64_t blocks)
{
	unsigned c = 0;
	for (; blocks >= ALIKE; blocks /= ALIKE)
		c++;
	return c;
}

size_t wh_runs_choose(struct runs *r, bool tight)
{
	size_t take = 0, end;
	uint64_t taken = 0, all = 0;
	qsort(r->v, r->n, sizeof *r->v, by_size);
	for (size_t i = 0; i < r->n; i = end) {
		unsigned class = class_of(r->v[i].blocks);
		for (end = i; end < r->n && class_of(r->v[end].blocks) == class; end++)
			all += r->v[end].blocks;
		if (take && class_of(taken) < class)
			break; /* the merged smaller ones are smaller, too */
		if (end - i + (take && class_of(taken) == class) >= ALIKE || (take && class_of(taken) > class)) {
			take = end;
			taken = all;
		}
	}
	if (!tight || r->n < 2)
		return take;
	uint64_t largest = r->v[r->n - 1].blocks, rest = 0;
	for (size_t i = 0; i + 1 < r->n; i++)
		rest += r->v[i].blocks;
	return rest > largest / 8 ? r->n : take;
}
