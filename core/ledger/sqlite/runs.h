/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runs: where the edges of the sensors' records are. Table edge_block has blocks of edges (ledger/edge_block.h), a page each,
 * under ids that are run << 32 | number: a run is one commit's edges in key order, and its blocks' ids ascend with their keys. A
 * key is in one run once, and may be in several runs; its edge is the sum of all of them. Since merging knows no order, runs have
 * no age. Runs of like size are merged into one (run_write.c), so that there are few.
 *
 *   run_list.c    which runs there are, and which to merge
 *   run_cursor.c  a walk through one run, from any key on
 *   run_set.c     a walk through all of them in one order
 *   run_write.c   a run is written; runs are merged
 *   run_drop.c    edges are removed
 *   run_put.c     a table's edges go in, within the quota
 *   tally.c       how many edges there are, and the local addresses of inbound ones
 *
 * An older ledger has its edges in table edge, a row each. They are read as one more run; the next commit moves them.
 */
#pragma once
#include "ledger/edge_block.h"
#include "ledger/sqlite/sqlite_store.h"

enum { RUNS_MOST = 64, RUN_SHIFT = 32, KEY_BYTES = WH_EDGE_KEY_BYTES };

struct run {
	uint32_t number, blocks; /* blocks: of which some may be gone */
	int64_t first;           /* id of a block */
	bool rows;               /* it is table edge */
};
struct runs { struct run v[RUNS_MOST]; size_t n; };
static inline int64_t wh_run_begin(uint32_t number)
{
	return (int64_t)number << RUN_SHIFT;
}
/* Those of table edge_block, by number. */
int wh_runs_list(struct sqlite_store *s, struct runs *out, struct wh_error *err);
/* Sorts runs by size, and returns how many of the smallest to merge: as soon as four are of similar size, these and all smaller
 * ones; tight: all but the largest, if they are an eighth of it. */
size_t wh_runs_choose(struct runs *r, bool tight);
bool wh_runs_any(struct sqlite_store *s); /* the table edge_block is there */
int wh_sql_damaged_block(struct sqlite_store *s, int64_t id, struct wh_error *err);

/* ---- one run ---- */

struct run_cursor {
	struct sqlite_store *s;
	sqlite3_stmt *st;             /* at the block */
	struct run run;
	bool on;                      /* there is an edge; its key is r.key */
	bool any;                     /* a block was read: the next one's keys must be behind its last */
	bool copies;                  /* its edges are only written elsewhere: by wh_block_step() */
	bool sought;                  /* there is nothing from `from` up to its key */
	uint8_t from[KEY_BYTES];
	int64_t id;                   /* of the block */
	size_t len;
	struct wh_block_reader r;
	struct wh_edge edge;           /* unless r.single */
	uint8_t bytes[WH_BLOCK_BYTES]; /* of the block */
};
int wh_run_open(struct run_cursor *c, struct sqlite_store *s, struct run run, struct wh_error *err);
void wh_run_close(struct run_cursor *c);
/* To the first edge that has this key or is behind it. Fast where it is near, and ahead. */
int wh_run_seek(struct run_cursor *c, const uint8_t key[static KEY_BYTES], struct wh_error *err);
int wh_run_next(struct run_cursor *c, struct wh_error *err);
/* Its edge, which may be made in `room`. */
static inline const struct wh_edge *wh_run_edge(const struct run_cursor *c, struct wh_edge *room)
{
	if (!c->r.single)
		return &c->edge;
	*room = wh_edge_of_one(&c->r.one);
	return room;
}

/* ---- several ---- */

struct run_set {
	struct sqlite_store *s;
	struct run_cursor *cursors;
	size_t n;
	struct run_cursor *order[RUNS_MOST + 1]; /* those that have an edge, by its key */
	size_t live;
	uint64_t read; /* edges of runs that the walk has left behind */
	bool held;
};
/* Of the ledger's present state, until it is closed. runs NULL: all, those of table edge too; else these, to be written as
 * one. */
int wh_run_set_open(struct run_set *m, struct sqlite_store *s, const struct runs *runs, struct wh_error *err);
void wh_run_set_close(struct run_set *m);
int wh_run_set_seek(struct run_set *m, const uint8_t key[static KEY_BYTES], struct wh_error *err);
/* The next edge, merged. m->live is 0 where there is none. */
static inline const uint8_t *wh_run_set_key(const struct run_set *m)
{
	return m->order[0]->r.key;
}
int wh_run_set_next(struct run_set *m, uint8_t key[static KEY_BYTES], struct wh_edge *e, struct wh_error *err);
/* The next edge, if it is one flow's, and in one run alone; NULL: it is anything else. */
const struct wh_edge_one *wh_run_set_single(const struct run_set *m);
int wh_run_set_skip(struct run_set *m, struct wh_error *err); /* the next one, of the first run alone */
/* Edges with keys from `from` up to, but not with, `to`. */
int wh_runs_scan(struct sqlite_store *s, struct wh_sql_keys keys, wh_edge_cb each, void *arg, struct wh_error *err);
int wh_runs_count(struct sqlite_store *s, uint64_t *n, struct wh_error *err); /* distinct keys */

/* ---- writing, within a transaction ---- */

struct run_writer {
	struct sqlite_store *s;
	int64_t id;
	uint8_t local[sizeof(struct wh_addr) + 1]; /* and direction of the last edge; bytes of no edge: none */
	struct wh_block_writer w;
};
int wh_run_writer_begin(struct run_writer *w, struct sqlite_store *s, struct wh_error *err); /* a run of its own */
int wh_run_append(struct run_writer *w, const uint8_t key[static KEY_BYTES], const struct wh_edge *e, struct wh_error *err);
int wh_run_append_one(struct run_writer *w, const uint8_t key[static KEY_BYTES], const struct wh_edge_one *one,
                      struct wh_error *err);
int wh_run_flush(struct run_writer *w, struct wh_error *err); /* the additions can then be read */
int wh_runs_merge(struct sqlite_store *s, struct wh_error *err);
/* Moves the rows of table edge, if there are any, into a run. */
int wh_runs_take_rows(struct sqlite_store *s, struct wh_error *err);
/* Removes edges. The keys are sorted. */
int wh_runs_drop(struct sqlite_store *s, uint8_t (*keys)[KEY_BYTES], size_t n, struct wh_error *err);
/* Puts a table's edges into a run of their own, within the quota. */
int wh_run_put(struct sqlite_store *s, const struct wh_edge_table *t, struct wh_error *err);

/* ---- the tally, see tally.c ---- */

/* Not known: the rows are missing, or another program wrote runs since. wh_tally_free() it. */
int wh_tally_read(struct sqlite_store *s, struct edge_tally *out, struct wh_error *err);
void wh_tally_free(struct edge_tally *t);
/* Around all that changes runs, in its transaction. A write that fails ends with commit false. */
int wh_tally_begin(struct sqlite_store *s, struct wh_error *err);
int wh_tally_end(struct sqlite_store *s, bool commit, struct wh_error *err);
void wh_tally_local(struct sqlite_store *s, const uint8_t key[static KEY_BYTES]); /* an edge with this key was written */
/* Edges with these sorted keys were removed: some of their local addresses may have none left. */
int wh_tally_dropped(struct sqlite_store *s, uint8_t (*keys)[KEY_BYTES], size_t n, struct wh_error *err);
/* As wh_sqlite_locals(), from the runs themselves. */
int wh_sqlite_locals_walked(struct sqlite_store *s, wh_local_cb each, void *arg, struct wh_error *err);
