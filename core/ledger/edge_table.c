/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bounded edge table: open addressing over indexes into arrays of edges and sketches. Everything is allocated within the byte
 * limit, which is there from birth: half the slots' worth of edges, an eighth of the bytes for sketches. Edges of one flow leave
 * most of theirs unused.
 *
 * If sketches run out (a scan over many addresses and ports), counting continues in one sketch a local address (port 0, protocol
 * 0), and if those run out too, in a last one of its own (local ::).
 */
#include <stdlib.h>
#include <string.h>
#include "base/pages.h"
#include "ledger/edge_table.h"

/* Makes the index larger. Moves its entries to their new places. */
static bool index_size(struct index *x, size_t slots)
{
	struct index fresh = {calloc(slots, sizeof *fresh.slot), slots - 1};
	if (!fresh.slot)
		return false;
	for (size_t i = 0; x->slot && i <= x->mask; i++) {
		uint64_t s = x->slot[i];
		size_t at = slot_of(&fresh, s);
		while (s && fresh.slot[at])
			at = (at + 1) & fresh.mask;
		if (s)
			fresh.slot[at] = s;
	}
	free(x->slot);
	*x = fresh;
	return true;
}

/* Address space for all possible edges or sketches: unused parts take no memory. Many edges are in large pages, if the
 * machine has them: an edge is looked for all over it, and each small page would cost a look into the page tables,
 * too. */
enum { MANY_BYTES = 8 << 20 };
static void *reserve(size_t bytes)
{
	return bytes < MANY_BYTES ? aligned_alloc(64, (bytes + 63) / 64 * 64) : wh_pages_new(bytes);
}

static void release(void *at, size_t bytes)
{
	if (bytes < MANY_BYTES)
		free(at);
	else
		wh_pages_free(at, bytes);
}

struct wh_edge_table *wh_edge_table_new(const struct wh_locals *locals, size_t byte_limit)
{
	struct wh_edge_table *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->locals = locals;
	t->limit = byte_limit < (1 << 20) ? 1 << 20 : byte_limit;
	t->hash_key = wh_hash_key();
	/* a cell, its whole edge and its slots: three times as many at most, as powers of two go; four times of the sketches */
	t->max_edges =
		(t->limit - t->limit / 8) / (sizeof(struct edge_cell) + sizeof(struct wh_edge) + 3 * sizeof(uint64_t));
	t->max_sketches = (t->limit / 8 - sizeof *t) / (sizeof(struct sketch_cell) + 4 * sizeof(uint64_t));
	t->edges = reserve(t->max_edges * sizeof *t->edges);
	t->whole = reserve(t->max_edges * sizeof *t->whole);
	t->sketches = reserve(t->max_sketches * sizeof *t->sketches);
	t->pending = calloc(PENDING, sizeof *t->pending);
	if (!t->edges || !t->whole || !t->sketches || !t->pending || !index_size(&t->by_edge, 1024) ||
	    !index_size(&t->by_sketch, 64)) {
		wh_edge_table_free(t);
		return NULL;
	}
	return t;
}

void wh_edge_table_free(struct wh_edge_table *t)
{
	if (!t)
		return;
	release(t->edges, t->max_edges * sizeof *t->edges);
	release(t->whole, t->max_edges * sizeof *t->whole);
	release(t->sketches, t->max_sketches * sizeof *t->sketches);
	free(t->by_edge.slot);
	free(t->by_sketch.slot);
	free(t->pending);
	free(t);
}

void wh_edge_table_clear(struct wh_edge_table *t)
{
	memset(t->by_edge.slot, 0, (t->by_edge.mask + 1) * sizeof *t->by_edge.slot);
	memset(t->by_sketch.slot, 0, (t->by_sketch.mask + 1) * sizeof *t->by_sketch.slot);
	t->n_edges = t->n_whole = t->n_sketches = t->n_days = 0;
	t->waiting = 0;
}

void wh_edge_table_judge_by(struct wh_edge_table *t, const struct wh_locals *locals)
{
	t->locals = locals;
}

const struct wh_locals *wh_edge_table_locals(const struct wh_edge_table *t)
{
	return t->locals;
}

size_t wh_edge_table_count(const struct wh_edge_table *t)
{
	return t->n_edges;
}

bool wh_edge_table_nearly_full(const struct wh_edge_table *t, size_t input_bytes)
{
	/* The shortest record that makes an edge is longer than 128 bytes, and makes two at most. So does one that still waits,
	 * and two days. */
	size_t waiting = 2 * (size_t)t->waiting;
	return (t->n_edges + waiting && t->n_edges + waiting + input_bytes / 64 + 2 >= t->max_edges) ||
	       t->n_days + waiting >= TABLE_DAYS / 2 - 16;
}

size_t wh_edge_table_bytes(const struct wh_edge_table *t)
{
	return t->used_edges * sizeof *t->edges + t->used_whole * sizeof *t->whole + t->used_sketches * sizeof *t->sketches +
	       (t->by_edge.mask + t->by_sketch.mask + 2) * sizeof *t->by_edge.slot + sizeof *t;
}

bool wh_edge_table_grow(struct wh_edge_table *t)
{
	return index_size(&t->by_edge, 2 * (t->by_edge.mask + 1));
}

struct edge_cell *wh_edge_table_cell(struct wh_edge_table *t, const struct wh_edge_key *k, uint64_t h, bool make)
{
	if (make && !room_for(t, 1))
		return NULL;
	size_t at = slot_of(&t->by_edge, h);
	for (uint64_t s; (s = t->by_edge.slot[at]); at = (at + 1) & t->by_edge.mask)
		if (slot_may_be(s, h) && wh_edge_same_key(&t->edges[cell_of(s)].key, k))
			return &t->edges[cell_of(s)];
	if (!make || t->n_edges == t->max_edges)
		return NULL;
	struct edge_cell *c = &t->edges[t->n_edges];
	memset(c, 0, sizeof *c);
	c->key = *k;
	t->by_edge.slot[at] = slot_for(h, t->n_edges++);
	if (t->used_edges < t->n_edges)
		t->used_edges = t->n_edges;
	return c;
}

struct wh_edge *wh_edge_table_whole(struct wh_edge_table *t, struct edge_cell *c)
{
	if (c->whole)
		return &t->whole[c->whole - 1];
	struct wh_edge *e = &t->whole[t->n_whole++]; /* there are as many as there are cells */
	*e = c->one.flows ? wh_edge_of_one(&c->one) : (struct wh_edge){.flows = 0};
	c->whole = (uint32_t)t->n_whole;
	if (t->used_whole < t->n_whole)
		t->used_whole = t->n_whole;
	return e;
}

static struct wh_sketch *sketch_of(struct wh_edge_table *t, const struct wh_sketch_key *k, uint64_t h, size_t max)
{
	size_t at = slot_of(&t->by_sketch, h);
	for (uint64_t s; (s = t->by_sketch.slot[at]); at = (at + 1) & t->by_sketch.mask) {
		const struct wh_sketch_key *o = &t->sketches[cell_of(s)].key;
		if (slot_may_be(s, h) && o->port == k->port && o->proto == k->proto && wh_addr_eq(&o->local, &k->local))
			return &t->sketches[cell_of(s)].sketch;
	}
	if (t->n_sketches >= max)
		return NULL;
	if (2 * (t->n_sketches + 1) > t->by_sketch.mask + 1) {
		if (!index_size(&t->by_sketch, 2 * (t->by_sketch.mask + 1)))
			return NULL;
		return sketch_of(t, k, h, max);
	}
	struct sketch_cell *c = &t->sketches[t->n_sketches];
	memset(c, 0, sizeof *c);
	c->key = *k;
	t->by_sketch.slot[at] = slot_for(h, t->n_sketches++);
	if (t->used_sketches < t->n_sketches)
		t->used_sketches = t->n_sketches;
	return &c->sketch;
}

/* So many are of a port each; the rest is for those of an address each. */
static size_t fine_sketches(const struct wh_edge_table *t)
{
	return t->max_sketches > 16 ? t->max_sketches * 3 / 4 : t->max_sketches;
}

bool wh_edge_table_coarse(const struct wh_edge_table *t, size_t records)
{
	return t->n_sketches + records >= fine_sketches(t);
}

struct wh_sketch *wh_edge_table_sketch(struct wh_edge_table *t, const struct wh_sketch_key *key, uint64_t h)
{
	struct wh_sketch_key k = *key;
	struct wh_sketch *s = sketch_of(t, &k, h, fine_sketches(t));
	if (!s) {
		k.port = 0;
		k.proto = 0;
		s = sketch_of(t, &k, sketch_hash(t, &k), t->max_sketches - 1);
	}
	if (!s) {
		memset(&k, 0, sizeof k);
		s = sketch_of(t, &k, sketch_hash(t, &k), t->max_sketches);
	}
	return s;
}

/*
 * Days. A flow counts on each day on which it was open. A lasting flow adds a step up on its first day and a step down after its
 * last, so that a year costs no more than a night; the days between are computed on demand:
 *
 *   a flow of days 3–5, one of day 4       step: 3 +1, 6 −1   flows: 4 1       day 3: 1, day 4: 2, day 5: 1
 */

/* Flows come nearly in order of time: the last day is looked at first. */
static struct day_cell *day_cell(struct wh_edge_table *t, int32_t day)
{
	for (size_t i = t->n_days; i-- > 0;)
		if (t->days[i].day == day)
			return &t->days[i];
	t->days[t->n_days] = (struct day_cell){.day = day};
	return &t->days[t->n_days++];
}

bool wh_edge_table_days_fit(const struct wh_edge_table *t)
{
	return t->n_days + 2 <= TABLE_DAYS;
}

void wh_edge_table_count_days(struct wh_edge_table *t, int32_t first, int32_t last)
{
	if (first == last) {
		day_cell(t, first)->flows++;
		return;
	}
	if ((int64_t)last - first > 63)
		first = last - 63;
	day_cell(t, first)->step++;
	day_cell(t, last + 1)->step--;
}

bool wh_edge_table_all_days_fit(const struct wh_edge_table *into, const struct wh_edge_table *from)
{
	return into->n_days + from->n_days <= TABLE_DAYS;
}

void wh_edge_table_add_days(struct wh_edge_table *into, const struct wh_edge_table *from)
{
	for (size_t i = 0; i < from->n_days; i++) {
		struct day_cell *c = day_cell(into, from->days[i].day);
		c->flows += from->days[i].flows;
		c->step += from->days[i].step;
	}
}

/* In key order they lie all over the memory: each is asked for while those before it are written. By force, as in edge_fold.c. */
enum { CELL_AHEAD = 24, WHOLE_AHEAD = 8 };

int wh_edge_table_cells(const struct wh_edge_table *t, int (*each)(void *arg, const struct edge_cell *c), void *arg)
{
	uint32_t *order;
	int rc = wh_edge_order(t->edges, t->n_edges, &order);
	for (size_t i = 0; i < t->n_edges && !rc; i++) {
		if (i + CELL_AHEAD < t->n_edges)
			__builtin_prefetch(&t->edges[order[i + CELL_AHEAD]]);
		if (i + WHOLE_AHEAD < t->n_edges)
			fetch_whole(t, &t->edges[order[i + WHOLE_AHEAD]], sizeof *t->whole);
		rc = each(arg, &t->edges[order[i]]);
	}
	free(order);
	return rc;
}

struct reading {
	const struct wh_edge_table *t;
	int (*each)(void *arg, const struct wh_edge_key *k, const struct wh_edge *e);
	void *arg;
};

static int read_cell(void *arg, const struct edge_cell *c)
{
	const struct reading *r = arg;
	struct wh_edge room;
	return r->each(r->arg, &c->key, edge_of_cell(r->t, c, &room));
}

int wh_edge_table_each(const struct wh_edge_table *t,
                       int (*each)(void *arg, const struct wh_edge_key *k, const struct wh_edge *e), void *arg)
{
	return wh_edge_table_cells(t, read_cell, &(struct reading){t, each, arg});
}

int wh_edge_table_sketches(const struct wh_edge_table *t,
                           int (*each)(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *s), void *arg)
{
	int rc = 0;
	for (size_t i = 0; i < t->n_sketches && !rc; i++)
		rc = each(arg, &t->sketches[i].key, &t->sketches[i].sketch);
	return rc;
}

static int by_day(const void *a, const void *b)
{
	const struct day_cell *x = a, *y = b;
	return (x->day > y->day) - (x->day < y->day);
}

int wh_edge_table_days(const struct wh_edge_table *t, int (*each)(void *arg, int32_t day, uint64_t flows), void *arg)
{
	struct day_cell *c = t->n_days ? reallocarray(NULL, t->n_days, sizeof *c) : NULL;
	int64_t open = 0; /* of those that last */
	int rc = 0;
	if (!t->n_days)
		return 0;
	if (!c)
		return -ENOMEM;
	memcpy(c, t->days, t->n_days * sizeof *c);
	qsort(c, t->n_days, sizeof *c, by_day);
	for (size_t i = 0; i < t->n_days && !rc; i++) {
		open += c[i].step;
		if (open > 0 || c[i].flows)
			rc = each(arg, c[i].day, (uint64_t)open + c[i].flows);
		for (int64_t day = (int64_t)c[i].day + 1; open > 0 && i + 1 < t->n_days && day < c[i + 1].day && !rc; day++)
			rc = each(arg, (int32_t)day, (uint64_t)open);
	}
	free(c);
	return rc;
}
