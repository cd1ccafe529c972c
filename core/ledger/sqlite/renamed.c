/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other addresses are another order of keys: edges are gathered, sorted, and written as one run each time that there are so
 * many. */
#include <stdlib.h>
#include "ledger/rename.h"
#include "ledger/sqlite/runs.h"

enum { AT_ONCE = 65536, FACTS_AT_ONCE = 4096 };

struct row { uint8_t key[KEY_BYTES]; struct wh_edge edge; };
struct renaming {
	struct sqlite_store *to;
	const struct wh_rename *r;
	struct row *rows;
	struct wh_fact_entry *facts;
	size_t n, n_facts;
	struct wh_error *err;
};

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, KEY_BYTES);
}

static int write_rows(struct renaming *m)
{
	struct run_writer w;
	qsort(m->rows, m->n, sizeof *m->rows, by_key);
	int rc = m->n ? wh_run_writer_begin(&w, m->to, m->err) : 0;
	for (size_t i = 0; i < m->n && !rc; i++)
		rc = wh_run_append(&w, m->rows[i].key, &m->rows[i].edge, m->err);
	rc = rc || !m->n ? rc : wh_run_flush(&w, m->err);
	m->n = 0;
	return rc ? rc : wh_runs_merge(m->to, m->err);
}

static int take_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct renaming *m = arg;
	struct wh_edge_key as = *k;
	m->r->address(m->r->arg, &as.local);
	m->r->address(m->r->arg, &as.peer);
	wh_edge_key_encode(&as, m->rows[m->n].key);
	m->rows[m->n++].edge = *e;
	return m->n == AT_ONCE ? write_rows(m) : 0;
}

static int take_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct renaming *m = arg;
	struct wh_sketch as = *sk;
	struct wh_sketch_key key = {*local, port, proto};
	m->r->address(m->r->arg, &key.local);
	for (size_t i = 0; i < WH_SKETCH_TOP; i++)
		if (as.top[i].count)
			m->r->address(m->r->arg, &as.top[i].addr);
	return wh_sql_put_sketch(m->to, &key, &as, m->err);
}

static int compare_facts(const void *a, const void *b)
{
	uint8_t x[WH_FACT_KEY_MAX], y[WH_FACT_KEY_MAX];
	size_t n = wh_fact_key_encode(&((const struct wh_fact_entry *)a)->key, x),
	       k = wh_fact_key_encode(&((const struct wh_fact_entry *)b)->key, y);
	int c = memcmp(x, y, n < k ? n : k);
	return c ? c : (n > k) - (n < k);
}

static int write_facts(struct renaming *m)
{
	qsort(m->facts, m->n_facts, sizeof *m->facts, compare_facts);
	const struct wh_store_seen seen = {.facts = m->facts, .n_facts = m->n_facts};
	int rc = m->n_facts ? wh_sql_facts_put(m->to, &seen, m->err) : 0;
	m->n_facts = 0;
	return rc;
}

static int take_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *row)
{
	static const struct wh_addr none;
	struct renaming *m = arg;
	struct wh_fact_entry *e = &m->facts[m->n_facts++];
	*e = (struct wh_fact_entry){*k, *row};
	if (!wh_addr_eq(&k->local, &none))
		m->r->address(m->r->arg, &e->key.local);
	if (!wh_addr_eq(&k->peer, &none))
		m->r->address(m->r->arg, &e->key.peer);
	struct wh_addr target;
	if (k->kind == WH_FACT_ATTEMPTS && wh_fact_target(row, &target)) {
		m->r->address(m->r->arg, &target);
		wh_fact_set_target(&e->row, &target);
	}
	if (strcmp(k->value, WH_FACT_MORE) != 0)
		m->r->value(m->r->arg, (enum wh_fact_kind)k->kind, e->key.value);
	return m->n_facts == FACTS_AT_ONCE ? write_facts(m) : 0;
}

static int take_day(void *arg, int32_t day, uint64_t flows)
{
	struct renaming *m = arg;
	sqlite3_stmt *st = wh_sql_use(m->to, ST_DAY, "written", m->err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, day);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)flows);
	return wh_sql_run(m->to->state, st, "written", m->err);
}

static int take_counters(struct renaming *m, struct wh_store *from)
{
	struct wh_store_totals t;
	int rc = wh_store_totals(from, &t, m->err);
	for (size_t i = 0; i < WH_STORE_COUNTERS && !rc; i++)
		rc = wh_sql_count(m->to, wh_store_counter_names[i], *wh_store_counter(&t, i), m->err);
	return rc;
}

int wh_store_renamed(struct wh_store *from, struct wh_store *to, const struct wh_rename *r, struct wh_error *err)
{
	struct renaming m = {.to = wh_sqlite_of(to), .r = r, .err = err};
	struct wh_error ignored;
	m.rows = reallocarray(NULL, AT_ONCE, sizeof *m.rows);
	m.facts = reallocarray(NULL, FACTS_AT_ONCE, sizeof *m.facts);
	int rc = m.rows && m.facts ? wh_state_begin(m.to->state, err) : wh_fail(err, -ENOMEM, "out of memory");
	if (!rc) {
		rc = wh_tally_begin(m.to, err);
		rc = rc ? rc : from->ops->edges(from, WH_EDGES_REPORTED, NULL, NULL, take_edge, &m, err);
		rc = rc ? rc : write_rows(&m);
		rc = rc ? rc : wh_store_sketches(from, take_sketch, &m, err);
		rc = rc ? rc : wh_store_facts(from, WH_FACT_KINDS, take_fact, &m, err);
		rc = rc ? rc : write_facts(&m);
		rc = rc ? rc : wh_store_days(from, take_day, &m, err);
		rc = rc ? rc : take_counters(&m, from);
		int counted = wh_tally_end(m.to, !rc, rc ? &ignored : err);
		rc = rc ? rc : counted;
		rc = wh_state_finish(m.to->state, rc, err);
	}
	free(m.rows);
	free(m.facts);
	return rc;
}
