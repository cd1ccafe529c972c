/* SPDX-License-Identifier: GPL-2.0-or-later */
/* edge_table: inside of the bounded edge table. edge_table.c keeps it, edge_fold.c folds records into it, edge_take.c another
 * table. */
#pragma once
#include "base/siphash.h"
#include "ledger/edge.h"

/* One line of a cache: of the edges of a server on the Internet most have one flow. If `one` can't hold its data, an edge is
 * whole, and stored elsewhere. */
struct edge_cell {
	struct wh_edge_key key;
	uint32_t whole; /* its number + 1; 0: `one` is all of it */
	struct wh_edge_one one;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct edge_cell) == 64, "one line of a cache");
/* The part of a whole edge that each flow changes. */
enum { WHOLE_HOT = offsetof(struct wh_edge, alerts) };
struct sketch_cell { struct wh_sketch_key key; struct wh_sketch sketch; };

/*
 * Slots with the upper half of a key's hash in theirs, and its cell + 1 in the lower; 0 where they are free. That half
 * alone determines the slot, so that the index grows without reading a cell, and another key's cell is hardly ever
 * read.
 */
struct index {
	uint64_t *slot;
	size_t mask; /* below 2^32 */
};

/* Distinct days of flows between two flushes. With not quite the half of them the table counts as nearly full: a piece of a log
 * (see wh_edge_table_nearly_full) then still has room, be every record in it a flow that lasts, of two other days. */
#define TABLE_DAYS 2048
struct day_cell {
	int32_t day;
	int32_t step;   /* how many more of those that last over several days were open on it than on the day before */
	uint64_t flows; /* that were open on this day alone */
};
struct wh_edge_table {
	const struct wh_locals *locals;
	size_t limit;
	struct wh_hash_key hash_key;
	/* both from birth for max_edges; unused parts take no memory */
	struct edge_cell *edges; size_t n_edges, max_edges, used_edges;
	struct wh_edge *whole; size_t n_whole, used_whole;
	struct sketch_cell *sketches; size_t n_sketches, max_sketches, used_sketches; /* likewise */
	struct index by_edge, by_sketch;
	struct day_cell days[TABLE_DAYS]; size_t n_days; /* unordered; expanded on demand */
	struct edge_update *pending; /* wh_edge_table_fold_later(): room for PENDING */
	unsigned waiting;            /* how many there are */
};

/* Records wait until there are so many: see wh_edge_table_fold_later() and ARCHITECTURE.md. */
enum { PENDING = 32 };

/* A record's effect on the table, computed before its memory has been fetched. */
struct edge_update {
	/* DAY: none of its ends is ours */
	enum { UPDATE_DAY, UPDATE_UNANSWERED, UPDATE_UNDIRECTED, UPDATE_FLOW, UPDATE_ALERT } what;
	bool counts;               /* its days count it: those from count_day on, up to last_day */
	uint8_t part;              /* enum wh_flow_part */
	bool local[2];             /* whether the server, the client is ours: its edge is kept */
	bool alerted;
	bool connects;             /* the flow only connects */
	bool own[2];               /* an alert: of a packet of that edge's peer, in a completed TCP connection */
	bool proxied;              /* an alert: the client acts for others */
	uint8_t severity;
	uint8_t how;               /* unanswered: WH_SKETCH_… */
	uint32_t sid;
	int32_t day, last_day;     /* on which it began, and ended */
	int32_t count_day;
	/* the server's edge (inbound), the client's (outbound); unanswered: the first, as if dst served */
	struct wh_edge_key key[2];
	uint64_t hash[2];          /* unanswered: the first, of the sketch's key */
	uint32_t cell[2];          /* the edges' cells + 1, as far as they were found while it waited; else 0 */
	int64_t start_us, end_us;
	uint64_t to_server, to_client;
	uint64_t before;           /* bytes of earlier parts */
};

static inline uint64_t slot_for(uint64_t hash, size_t cell)
{
	return hash >> 32 << 32 | (uint32_t)(cell + 1);
}

static inline bool slot_may_be(uint64_t slot, uint64_t hash)
{
	return !((slot ^ hash) >> 32);
}

/* The first slot to search for a hash, or for a slot's part of it. */
static inline size_t slot_of(const struct index *x, uint64_t hash)
{
	return hash >> 32 & x->mask;
}

static inline size_t cell_of(uint64_t slot)
{
	return (uint32_t)slot - 1;
}

_Static_assert(offsetof(struct wh_edge_key, local) == 0 && offsetof(struct wh_edge_key, peer) == 16,
               "local and peer are hashed and compared as one");

static inline bool wh_edge_same_key(const struct wh_edge_key *a, const struct wh_edge_key *b)
{
	uint64_t x[4], y[4];
	memcpy(x, a, 32);
	memcpy(y, b, 32);
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) && a->port == b->port && a->proto == b->proto &&
	       a->direction == b->direction;
}

/* Two IPv4 addresses are one word. The number of words is hashed, too: such a key is no other's. */
static inline uint64_t edge_hash(const struct wh_edge_table *t, const struct wh_edge_key *k)
{
	uint64_t w[4], more = (uint64_t)k->port << 16 | (uint64_t)k->proto << 8 | k->direction;
	memcpy(w, k, sizeof w);
	uint64_t local = le64toh(w[1]), peer = le64toh(w[3]);
	if (w[0] | w[2] | (uint32_t)(local ^ 0xffff0000u) | (uint32_t)(peer ^ 0xffff0000u))
		return wh_siphash(t->hash_key, w, 4, more);
	w[0] = htole64(local >> 32 << 32 | peer >> 32);
	return wh_siphash(t->hash_key, w, 1, more);
}

/* Which cells come in the order of the encoded keys (edge.h), each of which is there once; free() it. -ENOMEM */
int wh_edge_order(const struct edge_cell *cells, size_t n, uint32_t **order);
/* Makes the index larger. False when memory is out. */
bool wh_edge_table_grow(struct wh_edge_table *t);
/* Whether the index has room for so many more edges, created now if needed: two thirds of it are used at most. */
static inline bool room_for(struct wh_edge_table *t, size_t more)
{
	return __builtin_expect((t->n_edges + more) * 3 <= (t->by_edge.mask + 1) * 2, 1) || wh_edge_table_grow(t);
}
/* The cell of a key with hash h; NULL when it isn't there (and `make` is false) or the table is full. It stays where it is. One
 * that was made has no flow yet. */
struct edge_cell *wh_edge_table_cell(struct wh_edge_table *t, const struct wh_edge_key *k, uint64_t h, bool make);
/* The cell's edge, made whole. */
struct wh_edge *wh_edge_table_whole(struct wh_edge_table *t, struct edge_cell *c);
/* The same to be read: it is in the table, or made in `room`. */
static inline const struct wh_edge *edge_of_cell(const struct wh_edge_table *t, const struct edge_cell *c, struct wh_edge *room)
{
	if (c->whole)
		return &t->whole[c->whole - 1];
	*room = wh_edge_of_one(&c->one);
	return room;
}
/* The cell + 1 of the first slot with this hash; 0: there is none. */
static inline uint32_t cell_with(const struct index *x, uint64_t hash)
{
	size_t at = slot_of(x, hash);
	uint64_t s;
	while ((s = x->slot[at]) && !slot_may_be(s, hash))
		at = (at + 1) & x->mask;
	return (uint32_t)s;
}

/* Asks for a sketch's memory. By force, as in edge_fold.c. */
static inline __attribute__((always_inline)) void fetch_sketch(const struct wh_edge_table *t, uint64_t hash)
{
	uint32_t cell = cell_with(&t->by_sketch, hash);
	for (size_t line = 0; cell && line < sizeof *t->sketches; line += 64)
		__builtin_prefetch((const char *)(t->sketches + cell - 1) + line, 1);
}

/* Asks for a whole edge's memory: what a flow changes, or all of it. By force, as in edge_fold.c. */
static inline __attribute__((always_inline)) void fetch_whole(const struct wh_edge_table *t, const struct edge_cell *c,
                                                              size_t bytes)
{
	const char *e = (const char *)(t->whole + c->whole - 1);
	if (!c->whole)
		return;
	for (size_t line = 0; line < bytes; line += 64)
		__builtin_prefetch(e + line, 1);
	__builtin_prefetch(e + bytes - 1, 1);
}
/* Each cell, in the order of its key; they stay where they are. */
int wh_edge_table_cells(const struct wh_edge_table *t, int (*each)(void *arg, const struct edge_cell *c), void *arg);
static inline uint64_t sketch_hash(const struct wh_edge_table *t, const struct wh_sketch_key *k)
{
	return wh_siphash(t->hash_key, k->local.b, 2, (uint64_t)k->port << 8 | k->proto);
}
/* The sketch of a key with hash h. Never refuses: where there is no room, the coarser one. NULL only when memory is out. */
struct wh_sketch *wh_edge_table_sketch(struct wh_edge_table *t, const struct wh_sketch_key *key, uint64_t h);
/* Whether there is room for two days more. */
bool wh_edge_table_days_fit(const struct wh_edge_table *t);
/* Counts a flow on each day from `first` to `last`, of which the last 64 count. Only where days fit. */
void wh_edge_table_count_days(struct wh_edge_table *t, int32_t first, int32_t last);
/* Whether there is room for all days of `from`; and adds them. */
bool wh_edge_table_all_days_fit(const struct wh_edge_table *into, const struct wh_edge_table *from);
void wh_edge_table_add_days(struct wh_edge_table *into, const struct wh_edge_table *from);
