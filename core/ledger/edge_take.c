/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One edge table into another. The places in it are in no order, and its memory may have been written long ago: so the slot of
 * each edge and sketch is asked for first, then its cell, then its whole edge, while others are merged.
 */
#include <string.h>
#include "ledger/edge_table.h"

enum { CELL_AHEAD = 16, WHOLE_AHEAD = 8, HASHES = 32 /* a power of two: so far ahead are the slots */ };

/* Puts the first n_edges cells, and no others, into the index. */
static void index_again(struct wh_edge_table *t)
{
	memset(t->by_edge.slot, 0, (t->by_edge.mask + 1) * sizeof *t->by_edge.slot);
	for (size_t i = 0; i < t->n_edges; i++) {
		uint64_t h = edge_hash(t, &t->edges[i].key);
		size_t at = slot_of(&t->by_edge, h);
		while (t->by_edge.slot[at])
			at = (at + 1) & t->by_edge.mask;
		t->by_edge.slot[at] = slot_for(h, i);
	}
}

/* Adds `from`'s value of the cell. False: there is no room for it. */
static bool take_cell(struct wh_edge_table *into, const struct wh_edge_table *from, const struct edge_cell *c, uint64_t hash)
{
	struct wh_edge room;
	struct edge_cell *to = wh_edge_table_cell(into, &c->key, hash, true);
	if (!to)
		return false;
	if (!to->whole && !to->one.flows && !c->whole)
		to->one = c->one;
	else
		wh_edge_merge(wh_edge_table_whole(into, to), edge_of_cell(from, c, &room));
	return true;
}

/* By force, as in edge_fold.c. */
static inline __attribute__((always_inline)) void fetch_slot(const struct index *x, uint64_t hash)
{
	__builtin_prefetch(&x->slot[slot_of(x, hash)], 1);
}

/* From the last one on, so that those that find no room stay where they are. Returns whether any was moved. */
static bool take_edges(struct wh_edge_table *into, struct wh_edge_table *from)
{
	uint64_t hash[HASHES];
	uint32_t cell[HASHES]; /* of those that are there, + 1 */
	size_t had = from->n_edges, known = had; /* from `known` on the hashes are there */
	for (size_t i; from->n_edges; from->n_edges--) {
		i = from->n_edges - 1;
		for (; known && i - (known - 1) < HASHES; known--) {
			size_t at = (known - 1) % HASHES;
			hash[at] = edge_hash(into, &from->edges[known - 1].key);
			cell[at] = 0;
			fetch_slot(&into->by_edge, hash[at]);
		}
		size_t near = (i - CELL_AHEAD) % HASHES, nearer = (i - WHOLE_AHEAD) % HASHES;
		if (i >= CELL_AHEAD && (cell[near] = cell_with(&into->by_edge, hash[near])))
			__builtin_prefetch(&into->edges[cell[near] - 1], 1);
		if (i >= WHOLE_AHEAD && cell[nearer])
			fetch_whole(into, &into->edges[cell[nearer] - 1], sizeof *into->whole);
		if (!take_cell(into, from, &from->edges[i], hash[i % HASHES]))
			break;
	}
	return from->n_edges != had;
}

static void take_sketches(struct wh_edge_table *into, const struct wh_edge_table *from)
{
	uint64_t hash[HASHES];
	for (size_t i = 0, known = 0; i < from->n_sketches; i++) {
		for (; known < from->n_sketches && known - i < HASHES; known++) {
			hash[known % HASHES] = sketch_hash(into, &from->sketches[known].key);
			fetch_slot(&into->by_sketch, hash[known % HASHES]);
		}
		if (i + CELL_AHEAD < known)
			fetch_sketch(into, hash[(i + CELL_AHEAD) % HASHES]);
		struct wh_sketch *s = wh_edge_table_sketch(into, &from->sketches[i].key, hash[i % HASHES]);
		if (s)
			wh_sketch_merge(s, &from->sketches[i].sketch);
	}
}

int wh_edge_table_take(struct wh_edge_table *into, struct wh_edge_table *from)
{
	bool moved = take_edges(into, from);
	/* sketches and days go last, and at once: they must not be taken twice */
	if (from->n_edges || !wh_edge_table_all_days_fit(into, from)) {
		if (moved)
			index_again(from);
		return -ENOSPC;
	}
	take_sketches(into, from);
	wh_edge_table_add_days(into, from);
	wh_edge_table_clear(from);
	return 0;
}
