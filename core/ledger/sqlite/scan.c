/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the ledger: edges, sketches, days, totals. */
#include "ledger/sqlite/runs.h"

/* ---- edges ---- */

/*
 * A scan of the table of open connections is one step of a statement that finds nothing: its condition is a function of ours,
 * which takes each edge as it comes by. A row that is handed out by sqlite3_step() costs twice as much as one that is walked
 * over.
 */
struct scan {
	uint64_t *rows;
	uint8_t before[WH_EDGE_KEY_BYTES]; bool any; /* the last key that came: the next must be greater */
	const uint8_t *to; size_t to_len; /* the first key that is not wanted any more; NULL: none */
	wh_edge_cb each;
	void *arg;
	bool ended, damaged;
	int rc;
};

static void scan_row(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct scan *scan = ((struct sqlite_store *)sqlite3_user_data(c))->scan;
	const uint8_t *key = sqlite3_value_blob(v[0]);
	size_t len = (size_t)sqlite3_value_bytes(v[0]);
	struct wh_edge_key k;
	struct wh_edge e;

	(void)n;
	if (!scan) /* no statement of ours is running */
		goto stop;
	scan->ended = scan->to && key && len >= scan->to_len && memcmp(key, scan->to, scan->to_len) >= 0;
	if (scan->ended)
		goto stop;
	if (!key || sqlite3_value_type(v[0]) != SQLITE_BLOB || sqlite3_value_type(v[1]) != SQLITE_BLOB ||
	    len != WH_EDGE_KEY_BYTES || (scan->any && memcmp(scan->before, key, len) >= 0)) {
		scan->damaged = true;
		goto stop;
	}
	memcpy(scan->before, key, len);
	scan->any = true;
	++*scan->rows;
	scan->damaged = wh_edge_key_decode(key, len, &k) ||
	                wh_edge_decode(sqlite3_value_blob(v[1]), (size_t)sqlite3_value_bytes(v[1]), &e);
	if (scan->damaged || (scan->rc = scan->each(scan->arg, &k, &e)))
		goto stop;
	sqlite3_result_int(c, 0);
	return;
stop:
	sqlite3_result_error_code(c, SQLITE_ABORT);
}

void wh_sql_define_scan(struct sqlite_store *s)
{
	sqlite3_create_function(s->state->db, "wh_scan", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, s, scan_row, NULL, NULL);
}

int wh_sql_scan(struct sqlite_store *s, enum statement which, struct wh_sql_keys keys, wh_edge_cb each, void *arg,
                struct wh_error *err)
{
	struct scan mine = {.rows = &s->state->rows, .to = keys.to, .to_len = keys.to_len, .each = each, .arg = arg},
		    *outer = s->scan;
	sqlite3_stmt *st; /* of its own, so that a callback may scan too */

	if (sqlite3_prepare_v2(s->state->db, wh_sql[which], -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s->state, "read", err);
	sqlite3_bind_blob(st, 1, keys.from ? keys.from : "", (int)keys.from_len, SQLITE_STATIC);
	wh_sql_patience(s->state);
	s->scan = &mine;
	int step = sqlite3_step(st), rc = mine.rc;
	s->scan = outer;
	if (mine.damaged)
		rc = wh_sql_damaged(s->state, err);
	else if (step != SQLITE_DONE && !mine.ended && !rc)
		rc = wh_sql_fail(s->state, "read", err);
	sqlite3_finalize(st);
	return rc;
}

int wh_sqlite_edges(struct wh_store *store, enum wh_edges_seen by, const struct wh_addr *from, const struct wh_addr *to,
                    wh_edge_cb each, void *arg, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	const struct wh_sql_keys keys = {from, from ? 16 : 0, to, to ? 16 : 0};
	return by == WH_EDGES_REPORTED ? wh_runs_scan(s, keys, each, arg, err) : wh_sql_scan_open(s, keys, each, arg, err);
}

/* ---- the rest ---- */

int wh_sqlite_sketches(struct wh_store *store, wh_sketch_cb each, void *arg, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	sqlite3_stmt *st;
	struct wh_sketch sk;
	uint8_t before[WH_SKETCH_KEY_BYTES];
	bool any = false;
	int step, rc = 0;
	wh_sql_patience(s->state);
	if (sqlite3_prepare_v2(s->state->db, wh_sql[ST_SKETCHES], -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s->state, "read", err);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const uint8_t *k, *value;
		size_t k_len, len;
		if (!wh_sql_blob(st, 0, &k, &k_len) || k_len != WH_SKETCH_KEY_BYTES || (any && memcmp(before, k, k_len) >= 0) ||
		    !wh_sql_blob(st, 1, &value, &len) || wh_sketch_decode(value, len, &sk)) {
			rc = wh_sql_damaged(s->state, err);
			break;
		}
		memcpy(before, k, k_len);
		any = true;
		s->state->rows++;
		const struct wh_sketch_key key = wh_sketch_key_decode(k);
		rc = each(arg, &key.local, key.proto, key.port, &sk);
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s->state, "read", err);
	sqlite3_finalize(st);
	return rc;
}

int wh_sqlite_locals_walked(struct sqlite_store *s, wh_local_cb each, void *arg, struct wh_error *err)
{
	struct run_set m;
	uint8_t at[KEY_BYTES] = {0};
	int rc = wh_run_set_open(&m, s, NULL, err);
	rc = rc ? rc : wh_run_set_seek(&m, at, err);
	while (!rc && m.live) {
		struct wh_edge_key k;
		memcpy(at, wh_run_set_key(&m), sizeof at);
		if (wh_edge_key_decode(at, sizeof at, &k)) {
			rc = wh_sql_damaged(s->state, err);
			break;
		}
		s->state->rows++;
		if (k.direction == WH_INBOUND) /* which comes first: else there is none */
			rc = each(arg, &k.local);
		memset(at + 16, 0xff, sizeof at - 16); /* past every edge of this address */
		rc = rc ? rc : wh_run_set_seek(&m, at, err);
	}
	wh_run_set_close(&m);
	return rc;
}

int wh_sqlite_locals(struct wh_store *store, wh_local_cb each, void *arg, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	struct edge_tally t;
	int rc = wh_tally_read(s, &t, err);
	bool kept = t.known && !t.too_many;
	for (size_t i = 0; kept && i < t.n && !rc; i++)
		rc = each(arg, &t.locals[i]);
	wh_tally_free(&t);
	return rc || kept ? rc : wh_sqlite_locals_walked(s, each, arg, err);
}

int wh_sqlite_days(struct wh_store *store, wh_day_cb each, void *arg, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	sqlite3_stmt *st = wh_sql_use(s, ST_DAYS, "read", err);
	int64_t day, before = INT64_MIN, flows;
	int step = SQLITE_DONE, rc = 0;
	if (!st)
		return -EIO;
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		if (!wh_sql_number(st, 0, &day) || !wh_sql_number(st, 1, &flows) || day <= before || day < -WH_EDGE_DAY_MAX ||
		    day > WH_EDGE_DAY_MAX || flows < 0)
			rc = wh_sql_damaged(s->state, err);
		else
			rc = each(arg, (int32_t)day, (uint64_t)flows);
		before = day;
		s->state->rows++;
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s->state, "read", err);
	sqlite3_reset(st);
	return rc;
}

/* Distinct edges: many in several runs are not compared, so that an edge that is in two of them counts twice. */
static int count_edges(struct sqlite_store *s, struct wh_store_totals *out, struct wh_error *err)
{
	enum { COMPARED = 1 << 15 };
	struct edge_tally t;
	struct runs runs;
	int rc = wh_tally_read(s, &t, err);
	rc = rc ? rc : wh_runs_list(s, &runs, err);
	bool counted = !rc && t.known && (runs.n < 2 || t.edges > COMPARED);
	out->edges = t.edges;
	out->edges_at_most = counted && runs.n > 1;
	wh_tally_free(&t);
	return rc || counted ? rc : wh_runs_count(s, &out->edges, err);
}

int wh_sqlite_totals(struct wh_store *store, struct wh_store_totals *out, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	memset(out, 0, sizeof *out);
	sqlite3_stmt *st = wh_sql_use(s, ST_COUNTERS, "read", err);
	char before[64] = ""; /* longer names than any of ours are none of ours */
	int step;
	if (!st)
		return -EIO;
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *name;
		int64_t v;
		if (!wh_sql_text(st, 0, &name) || !wh_sql_number(st, 1, &v) || v < 0 || strlen(name) >= sizeof before ||
		    (*before && strcmp(before, name) >= 0)) {
			sqlite3_reset(st);
			return wh_sql_damaged(s->state, err);
		}
		strcpy(before, name);
		s->state->rows++;
		for (size_t i = 0; i < WH_STORE_COUNTERS; i++)
			if (!strcmp(name, wh_store_counter_names[i]))
				*wh_store_counter(out, i) = (uint64_t)v;
	}
	sqlite3_reset(st);
	if (step != SQLITE_DONE)
		return wh_sql_fail(s->state, "read", err);
	uint64_t open = 0;
	int rc = count_edges(s, out, err);
	rc = rc ? rc : wh_sql_count_open(s, &open, err);
	out->edges += open;
	return rc ? rc : wh_sqlite_days(store, wh_store_widen, out, err);
}
