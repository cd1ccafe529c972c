/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A batch goes into a copy of the stored data, with everything that belongs to it; and open connections. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "ledger/memory/memory_store.h"

static int order_of(const struct wh_sketch_key *a, const struct wh_sketch_key *b)
{
	int c = wh_addr_cmp(&a->local, &b->local);
	c = c ? c : a->proto - b->proto;
	return c ? c : a->port - b->port;
}

int wh_memory_put_sketch(struct memory_data *d, const struct wh_sketch_key *k, const struct wh_sketch *sk)
{
	size_t lo = WH_BISECT(i, 0, d->n_sketches, order_of(&d->sketches[i].key, k) < 0);
	if (lo < d->n_sketches && !order_of(&d->sketches[lo].key, k)) {
		wh_sketch_merge(&d->sketches[lo].sketch, sk);
		return 0;
	}
	d->sketches = wh_arena_grown(d->mem, d->sketches, d->n_sketches, &d->sketch_room, sizeof *d->sketches);
	memmove(d->sketches + lo + 1, d->sketches + lo, (d->n_sketches - lo) * sizeof *d->sketches);
	d->sketches[lo] = (struct memory_sketch){*k, *sk};
	d->n_sketches++;
	return 0;
}

static int put_sketch(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *sk)
{
	return wh_memory_put_sketch(arg, k, sk);
}

static int put_day(void *arg, int32_t day, uint64_t flows)
{
	struct memory_data *d = arg;
	size_t at = 0;
	while (at < d->n_days && d->days[at].day < day)
		at++;
	if (at < d->n_days && d->days[at].day == day) {
		d->days[at].flows += flows;
		return 0;
	}
	d->days = wh_arena_grown(d->mem, d->days, d->n_days, &d->day_room, sizeof *d->days);
	memmove(d->days + at + 1, d->days + at, (d->n_days - at) * sizeof *d->days);
	d->days[at] = (struct memory_day){day, flows};
	d->n_days++;
	return 0;
}

static void put_counters(struct memory_data *d, const struct wh_read_stats *c)
{
	const uint64_t add[MEMORY_COUNTERS] = {c->records, c->flows, c->alerts, c->other, c->malformed};
	for (size_t i = 0; i < MEMORY_COUNTERS; i++)
		d->counters[i] += add[i];
}

/* ---- a batch ---- */

static bool had_batch(struct memory_data *d, const uint64_t id[2])
{
	for (size_t i = 0; i < d->n_batches && i < MEMORY_BATCHES; i++)
		if (d->batches[i][0] == id[0] && d->batches[i][1] == id[1])
			return true;
	memcpy(d->batches[d->n_batches++ % MEMORY_BATCHES], id, sizeof d->batches[0]);
	return false;
}

static int put_tables(struct memory_data *d, const struct wh_store_batch *b, struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < b->n_tables && !rc; i++) {
		rc = wh_memory_put_edges(d, WH_EDGES_REPORTED, b->tables[i], err);
		rc = rc ? rc : wh_edge_table_sketches(b->tables[i], put_sketch, d);
		rc = rc ? rc : wh_edge_table_days(b->tables[i], put_day, d);
	}
	return rc;
}

int wh_memory_commit(struct wh_store *s, const struct wh_store_batch *b, struct wh_error *err)
{
	const struct wh_store_seen *seen = b->progress ? b->progress->seen : NULL;
	struct memory_data *d = wh_memory_begin(s);
	if (!d)
		return wh_fail(err, -ENOMEM, "out of memory");
	int64_t last_id = d->last_id;
	bool again = (b->id[0] || b->id[1]) && had_batch(d, b->id);
	int rc = !again && seen && seen->n_contents && seen->generation != d->generation ? -EAGAIN : 0;
	if (!rc && !again && seen && seen->n_pages && seen->pages_generation != d->pages_generation)
		rc = wh_fail(err, -ESTALE,
		             "another run has joined flows in this ledger meanwhile; what this run read since is not stored");
	if (!rc && !again)
		rc = put_tables(d, b, err);
	if (!rc && !again && seen)
		rc = wh_memory_put_facts(d, seen, err);
	if (!rc && !again) {
		if (b->counts)
			put_counters(d, b->counts);
		if (seen)
			wh_memory_put_seen(d, seen);
		if (b->progress)
			wh_memory_put_place(d, b->progress);
	}
	d->writes++;
	wh_memory_end(s, d, !rc && !again);
	for (size_t i = 0; seen && !rc && !again && i < seen->n_contents; i++)
		if (!seen->contents[i]->id)
			seen->contents[i]->id = ++last_id;
	return rc;
}

/* ---- open connections ---- */

static int last_first(const void *x, const void *y)
{
	const struct memory_edge *a = x, *b = y;
	return a->seen != b->seen ? (a->seen < b->seen) - (a->seen > b->seen) : wh_memory_by_key(x, y);
}

static void age(struct memory_edges *e, int32_t today)
{
	enum { DAYS = 64 };
	size_t kept = 0;
	for (size_t i = 0; i < e->n; i++)
		if (e->at[i].seen <= today + 1 && (int64_t)e->at[i].seen > (int64_t)today - DAYS)
			e->at[kept++] = e->at[i];
	e->n = kept;
}

static void bound(struct memory_edges *e)
{
	if (e->n <= WH_OPEN_MOST)
		return;
	qsort(e->at, e->n, sizeof *e->at, last_first);
	e->n = WH_OPEN_MOST;
	qsort(e->at, e->n, sizeof *e->at, wh_memory_by_key);
}

int wh_memory_put_open(struct wh_store *s, const struct wh_edge_table *t, int32_t today, struct wh_error *err)
{
	struct memory_data *d = wh_memory_begin(s);
	if (!d)
		return wh_fail(err, -ENOMEM, "out of memory");
	age(&d->edges[WH_EDGES_OPEN], today);
	int rc = wh_memory_put_edges(d, WH_EDGES_OPEN, t, err);
	bound(&d->edges[WH_EDGES_OPEN]);
	d->writes++;
	wh_memory_end(s, d, !rc);
	return rc;
}
