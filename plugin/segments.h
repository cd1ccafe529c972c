/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments: the edge tables that writers fill and the flusher empties. A writer whose table is full puts it with the full ones
 * and takes a free one, which costs it a lock for two pointers: so a burst may fill all memory, however late the flusher's thread
 * runs and however long the ledger delays it.
 *
 *     free ──→ a lane's ──→ full ──→ the flusher's hand ──→ free
 *
 * If none is free a writer waits for the flusher: one that reads a capture up to two minutes, since it has time (a busy machine
 * may need one to commit all); one that watches a network at most a fiftieth of any second, since it would miss the packets that
 * come meanwhile. After one has waited in vain, none waits until a table is free again.
 */
#pragma once
#include <pthread.h>
#include "whittle/ledger.h"

/* Records that are not yet folded: see wh_segments_fold(). */
struct wh_waiting {
	struct wh_record *records;
	unsigned n, room;
};

struct wh_segments {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	struct wh_edge_table **free, **full; /* stacks with room for all */
	unsigned n_free, n_full, n;
	const struct wh_locals *locals; /* by which the free ones will judge; borrowed */
	bool capture;                   /* the records are read from a file: a writer has time */
	bool away;                      /* the ledger accepts nothing at present */
	bool in_vain;                   /* the last writer that waited did so in vain */
	int64_t began_us;               /* when the first writer of the present second had to wait */
};

/* `n` tables of `limit` bytes, all free. -ENOMEM leaves it as it is, to be cleared. */
int wh_segments_init(struct wh_segments *g, const struct wh_locals *locals, unsigned n, size_t limit);
void wh_segments_clear(struct wh_segments *g); /* also one that is all zero */

/* A free table for a full one (NULL: for none). NULL: none is free, and `had` is still the caller's. */
struct wh_edge_table *wh_segments_exchange(struct wh_segments *g, struct wh_edge_table *had);
bool wh_segments_any_full(struct wh_segments *g);
/* One of the full tables; NULL: there is none. */
struct wh_edge_table *wh_segments_full(struct wh_segments *g);
/* Gives an empty table back. */
void wh_segments_give(struct wh_segments *g, struct wh_edge_table *empty);
/* Whether the flusher should empty the full ones early. */
bool wh_segments_press(struct wh_segments *g);
/* Waits until one is free. False: none was free in time. The flusher must have been woken, and no lane's lock be held. */
bool wh_segments_wait(struct wh_segments *g);
/* Whether the ledger is unavailable. While it is, only a reader of a capture waits. */
void wh_segments_away(struct wh_segments *g, bool away);
void wh_segments_locals(struct wh_segments *g, const struct wh_locals *locals);

/*
 * Folds the waiting records into *t, all at once. Between two records Suricata uses more memory than a processor's caches hold:
 * each record by itself would wait for every cache line of its edge, and evict as many of Suricata's. Together their lines are
 * prefetched. A full table is exchanged; so is one that counts unanswered attempts more coarsely, as long as half of all tables
 * are free. False: none was free, and some records still wait.
 */
bool wh_segments_fold(struct wh_segments *g, struct wh_edge_table **t, struct wh_waiting *w);
/* Whether the table has room for all waiting records, so that folding them needs no other. */
bool wh_waiting_fits(const struct wh_waiting *w, const struct wh_edge_table *t);
/* Folds each as far as there is room for it in `t`: an edge that is known needs none. Returns the number of lost records. */
unsigned wh_waiting_squeeze(struct wh_waiting *w, struct wh_edge_table *t);
