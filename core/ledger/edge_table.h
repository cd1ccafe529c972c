/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edge_table: inside of the bounded edge table. edge_table.c keeps it, edge_fold.c folds records into it. */
#pragma once
#include "ledger/edge.h"
#include "ledger/hash.h"

struct edge_cell { struct wh_edge_key key; struct wh_edge edge; };
struct sketch_cell { struct wh_sketch_key key; struct wh_sketch sketch; };

struct index {
	uint64_t *slot; /* 0: free, else the hash's upper half and cell + 1: another's cell is hardly ever looked into */
	size_t mask;
};

/* Distinct days of flows between two flushes. Past the half of them the table counts as nearly full: a piece of a log (see
 * wh_edge_table_nearly_full) then still has room, be every record in it of another day. */
#define DAYS 2048
struct wh_edge_table {
	const struct wh_locals *locals;
	size_t limit;
	uint64_t seed;
	struct edge_cell *edges; size_t n_edges, max_edges, room_edges;
	struct sketch_cell *sketches; size_t n_sketches, max_sketches, room_sketches;
	struct index by_edge, by_sketch;
	struct { int32_t day; uint64_t flows; } days[DAYS]; size_t n_days;
	struct pending *pending; /* wh_edge_table_fold_later(): a ring of PENDING */
	unsigned begun, settled; /* how many went in and came out, counted round */
};

/* What a record will do, worked out before the memory that it touches is there. */
struct plan {
	enum wh_side side;
	bool local[2];             /* whether the server, the client is ours: its edge is kept */
	struct wh_edge_key key[2]; /* the server's edge (inbound), the client's (outbound) */
	uint64_t hash[2];
};

/* A record waits for so many others: long enough for its slot, and then its edge, to arrive from memory. */
enum { PENDING = 16, SLOT_AHEAD = 6 };
struct pending {
	struct wh_record rec;
	struct plan plan;
};

static inline uint64_t slot_for(uint64_t hash, size_t cell)
{
	return hash >> 32 << 32 | (uint32_t)(cell + 1);
}

static inline bool slot_may_be(uint64_t slot, uint64_t hash)
{
	return !((slot ^ hash) >> 32);
}

static inline size_t cell_of(uint64_t slot)
{
	return (uint32_t)slot - 1;
}

_Static_assert(offsetof(struct wh_edge_key, local) == 0 && offsetof(struct wh_edge_key, peer) == 16, "local and peer are hashed and compared as one");

static inline uint64_t edge_hash(const struct wh_edge_table *t, const struct wh_edge_key *k)
{
	return wh_hash(k, 32, t->seed ^ ((uint64_t)k->port << 16 | (uint64_t)k->proto << 8 | k->direction));
}

/* Room for at least one edge more. False when memory is out. */
bool wh_edge_table_grow(struct wh_edge_table *t);
/* The edge of a key with hash h; NULL when it isn't there (and `make` is false) or the table is full. */
struct wh_edge *wh_edge_table_edge(struct wh_edge_table *t, const struct wh_edge_key *k, uint64_t h, bool make);
/* Never refuses: where there is no room, the coarser sketch. NULL only when memory is out. */
struct wh_sketch *wh_edge_table_sketch(struct wh_edge_table *t, const struct wh_sketch_key *key);
/* A day's count of flows. NULL where there is no room for one more day. */
uint64_t *wh_edge_table_day(struct wh_edge_table *t, int32_t day);
