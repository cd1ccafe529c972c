/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Table open_edge: the edges of connections that the kernel had open (wh_store_seen_open), beside those of the sensors' records. A key may be in
 * both: who reads edges gets it once, merged. Rows that nothing was seen of for as long as an edge's days reach back are forgotten, those of a
 * clock that ran ahead too; of more than MOST those that were seen last stay.
 */
#include "ledger/store_sqlite.h"

enum { MOST = 1 << 16, MOST_READ = 1 << 18, DAYS = 64 };

/* ---- in ---- */

static int run_with(struct wh_store *s, enum statement which, int64_t first, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, which, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, first);
	return wh_sql_run(s->state, st, "written", err);
}

static int count(struct wh_store *s, enum statement which, int64_t *n, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, which, "read", err);
	if (!st)
		return -EIO;
	int rc = sqlite3_step(st) == SQLITE_ROW ? 0 : wh_sql_fail(s->state, "read", err);
	*n = rc ? 0 : sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc;
}

int wh_store_put_open(struct wh_store *s, const struct wh_edge_table *t, int32_t today, struct wh_error *err)
{
	struct wh_error ignored;
	int64_t n = 0;
	int rc = wh_state_begin(s->state, err);
	if (rc)
		return rc;
	rc = run_with(s, ST_OPEN_FUTURE, today + 1, err);
	rc = rc ? rc : run_with(s, ST_OPEN_AGE, (int64_t)today - DAYS + 1, err);
	rc = rc ? rc : wh_sql_put_edges(s, &wh_edges_of_kernel, t, err);
	rc = rc ? rc : count(s, ST_OPEN_COUNT, &n, err);
	if (!rc && n > MOST)
		rc = run_with(s, ST_OPEN_FORGET, n - MOST, err);
	int end = wh_state_end(s->state, !rc, rc ? &ignored : err);
	s->has_open = true;
	return rc ? rc : end;
}

/* A ledger of before has no such table, and most have no row in it: then it is not looked at again. */
bool wh_sql_has_open(struct wh_store *s)
{
	struct wh_error ignored;
	sqlite3_stmt *st = wh_sql_use(s, ST_OPEN_ANY, "read", &ignored);
	bool any = st && sqlite3_step(st) == SQLITE_ROW;
	if (st)
		sqlite3_reset(st);
	return any;
}

int wh_sql_count_open(struct wh_store *s, uint64_t *n, struct wh_error *err)
{
	int64_t only = 0;
	int rc = s->has_open ? count(s, ST_OPEN_ONLY, &only, err) : 0;
	*n = (uint64_t)only;
	return rc;
}

/* ---- out ---- */

struct open_edge { struct wh_edge_key key; struct wh_edge edge; uint8_t order[WH_EDGE_KEY_BYTES]; };
struct both {
	struct open_edge *open; size_t n, room, at; /* in order; those from `at` on were not handed out */
	int32_t last; /* no day that is later counts */
	wh_edge_cb each;
	void *arg;
};

static int keep(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct both *b = arg;
	if (e->day0 > b->last || !e->days)
		return 0;
	if (b->n == b->room) {
		size_t room = b->room ? 2 * b->room : 256;
		struct open_edge *more = room > MOST_READ ? NULL : reallocarray(b->open, room, sizeof *more);
		if (!more)
			return room > MOST_READ ? -EFBIG : -ENOMEM;
		b->open = more;
		b->room = room;
	}
	struct open_edge *o = &b->open[b->n++];
	*o = (struct open_edge){.key = *k, .edge = wh_edge_presence(e)};
	o->edge.marks = WH_EDGE_OPEN;
	wh_edge_key_encode(k, o->order);
	return 0;
}

/* What comes before the key, and what has the key, to which the latter is added. */
static int merge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct both *b = arg;
	uint8_t order[WH_EDGE_KEY_BYTES];
	struct wh_edge sum;
	int rc = 0, c = 1;
	wh_edge_key_encode(k, order);
	while (b->at < b->n && !rc && (c = memcmp(b->open[b->at].order, order, sizeof order)) < 0) {
		const struct open_edge *o = &b->open[b->at++];
		rc = b->each(b->arg, &o->key, &o->edge);
	}
	if (rc || b->at == b->n || c)
		return rc ? rc : b->each(b->arg, k, e);
	sum = *e;
	wh_edge_merge_open(&sum, &b->open[b->at++].edge);
	sum.marks |= WH_EDGE_OPEN;
	return b->each(b->arg, k, &sum);
}

int wh_sql_scan_both(struct wh_store *s, const void *from, size_t from_len, const void *to, size_t to_len, wh_edge_cb each, void *arg, struct wh_error *err)
{
	struct both b = {.last = wh_day(wh_now_us()) + 1, .each = each, .arg = arg};
	int rc = s->has_open ? wh_sql_scan(s, ST_OPEN_SCAN, from, from_len, to, to_len, keep, &b, err) : 0;
	if (rc == -ENOMEM)
		wh_fail(err, rc, "out of memory");
	else if (rc == -EFBIG)
		rc = wh_sql_damaged(s->state, err);
	if (!rc && !b.n) {
		rc = wh_sql_scan(s, ST_SCAN, from, from_len, to, to_len, each, arg, err);
	} else if (!rc) {
		rc = wh_sql_scan(s, ST_SCAN, from, from_len, to, to_len, merge, &b, err);
		for (; !rc && b.at < b.n; b.at++)
			rc = each(arg, &b.open[b.at].key, &b.open[b.at].edge);
	}
	free(b.open);
	return rc;
}
