/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A store in memory, from the inside: for tests, and to show that store.h specifies everything that a store must do.
 *
 * Stored data is never changed. A commit copies it, adds to the copy, and replaces it by the copy, or drops the copy if anything
 * fails: so a reader sees all of a batch or nothing, and its data stays valid while it reads. A commit's time depends on the
 * stored data, not on the additions.
 *
 *   store.c    opening, what is read
 *   edges.c    edges go in
 *   commit.c   a batch goes in, and what was seen open
 *   seen.c     contents, conversations, realms and places go in
 *   facts.c    facts go in, and come out
 */
#pragma once
#include "ledger/edge.h"
#include "ledger/store.h"

/* seen: the last day, of one that was seen open */
struct memory_edge { struct wh_edge_key key; struct wh_edge edge; int32_t seen; bool gone; };
struct memory_edges { struct memory_edge *at; size_t n; }; /* by key */
struct memory_sketch { struct wh_sketch_key key; struct wh_sketch sketch; };
struct memory_day { int32_t day; uint64_t flows; };
struct memory_place { const char *identity; uint64_t offset, line; };
struct memory_conversation { int32_t day; struct wh_conversation c; };
enum { MEMORY_COUNTERS = 5, MEMORY_BATCHES = 64 };

struct memory_data {
	unsigned readers;
	struct wh_arena *mem;                      /* of all below */
	struct memory_edges edges[2];              /* by enum wh_edges_seen */
	struct memory_sketch *sketches; size_t n_sketches, sketch_room; /* by key */
	struct memory_day *days; size_t n_days, day_room;               /* by day */
	uint64_t counters[MEMORY_COUNTERS];        /* records, flows, alerts, other, malformed */
	uint64_t writes;
	struct memory_place *places; size_t n_places, place_room;
	uint8_t key[WH_LINE_KEY_BYTES];
	int64_t generation, last_id;
	struct wh_content_row *contents; size_t n_contents, content_room; /* by id */
	struct memory_conversation *conversations; size_t n_conversations, conversation_room; /* as they came */
	struct wh_realm_met *realms; size_t n_realms, realm_room;
	struct wh_open_page *pages; size_t n_pages, page_room;          /* by number */
	int64_t pages_generation;
	struct wh_fact_entry *facts; size_t n_facts, fact_room;         /* by encoded key */
	uint64_t batches[MEMORY_BATCHES][2];       /* the names of the last ones, in a ring */
	size_t n_batches;
};

struct memory_tables; /* of a store and all that again() made of it */
struct memory_store { struct wh_store base; struct memory_tables *tables; };

/* The present data, until it is given back: no commit changes it. */
struct memory_data *wh_memory_hold(struct wh_store *s);
void wh_memory_release(struct wh_store *s, struct memory_data *d);
/* A copy to add to; no other commit begins before it is published, or given up (d NULL). */
struct memory_data *wh_memory_begin(struct wh_store *s);
void wh_memory_end(struct wh_store *s, struct memory_data *d, bool publish);

int wh_memory_commit(struct wh_store *s, const struct wh_store_batch *b, struct wh_error *err);
int wh_memory_put_open(struct wh_store *s, const struct wh_edge_table *t, int32_t today, struct wh_error *err);
int wh_memory_by_key(const void *x, const void *y); /* of struct memory_edge, for qsort and bsearch */
int wh_memory_put_sketch(struct memory_data *d, const struct wh_sketch_key *k, const struct wh_sketch *sk); /* merges; 0 */
/* Puts a table's edges into one of both kinds. */
int wh_memory_put_edges(struct memory_data *d, enum wh_edges_seen by, const struct wh_edge_table *t, struct wh_error *err);
/* The first edge whose local address is not below `a`; n if there is none. */
size_t wh_memory_edge_from(const struct memory_edges *e, const struct wh_addr *a);
int wh_memory_put_facts(struct memory_data *d, const struct wh_store_seen *seen, struct wh_error *err);
int wh_memory_facts(struct wh_store *s, enum wh_fact_kind kind, wh_fact_cb each, void *arg, struct wh_error *err);
void wh_memory_put_seen(struct memory_data *d, const struct wh_store_seen *seen);
void wh_memory_put_place(struct memory_data *d, const struct wh_store_progress *p);
