/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store in SQLite, from the inside. Its tables are in the ledger's file, which core/state opens.
 *
 *   store.c          the statements, opening, the table of operations
 *   commit.c         a batch goes in
 *   runs.h           where the sensors' edges are
 *   scan.c           edges, sketches, days and totals come out
 *   crowd.c          of all edges of a port only so many
 *   age.c            and none that were last seen long ago, nor sketches
 *   full.c           of the whole ledger only so much
 *   open.c           connections that the kernel has open, in a table of their own
 *   open_flows.c     flows that a log has reported in part
 *   contents.c       which lines were counted
 *   conversations.c  which sensor reported which conversation
 *   facts.c          what protocol records showed
 *   forget.c         what a person wants to be gone
 *   realms.c         in which network which address was met
 */
#pragma once
#include "ledger/edge.h"
#include "ledger/store.h"
#include "state/sqlite.h"

enum statement {
	ST_BLOCK_FIRST,
	ST_BLOCK_LAST,
	ST_BLOCK_AT,
	ST_BLOCK_WALK,
	ST_BLOCK_PUT,
	ST_BLOCK_SET,
	ST_BLOCK_DROP,
	ST_BLOCKS_DROP,
	ST_ROWS_ANY,
	ST_ROW_WALK,
	ST_ROWS_DROP,
	ST_SKETCH,
	ST_OLD_DAY,
	ST_COUNTER_OF,
	ST_SOURCE,
	ST_SOURCE_BOUND,
	ST_SOURCE_FORGET,
	ST_DAY,
	ST_COUNTER,
	ST_PROGRESS,
	ST_SKETCHES,
	ST_DAYS,
	ST_COUNTERS,
	ST_CONTENT_KEY,
	ST_CONTENT_NEW_KEY,
	ST_CONTENT_GENERATION,
	ST_CONTENTS,
	ST_CONTENT,
	ST_CONTENT_PUT,
	ST_CONTENT_SIZE,
	ST_CONTENT_FORGET,
	ST_CONVERSATIONS,
	ST_CONVERSATION_PUT,
	ST_CONVERSATION_AGE,
	ST_CONVERSATION_SIZE,
	ST_CONVERSATION_FORGET,
	ST_CONVERSATION_BEFORE,
	ST_OPEN,
	ST_OPEN_MORE,
	ST_OPEN_DROP,
	ST_OPEN_SCAN,
	ST_OPEN_AGE,
	ST_OPEN_FUTURE,
	ST_OPEN_COUNT,
	ST_OPEN_FORGET,
	ST_OPEN_ANY,
	ST_SKETCH_MORE,
	ST_SKETCH_DROP,
	ST_SKETCH_SET,
	ST_PAGES,
	ST_FREE_PAGES,
	ST_PAGE_SIZE,
	ST_FULL_NOTES,
	ST_OPEN_FLOWS,
	ST_OPEN_FLOW_PUT,
	ST_OPEN_FLOW_DROP,
	ST_OPEN_FLOWS_DROP,
	ST_OPEN_FLOW_GENERATION,
	ST_FACT,
	ST_FACT_MORE,
	ST_FACT_SIZE,
	ST_FACT_FORGET,
	ST_FACT_DROP,
	ST_FACTS,
	ST_TALLY_PUT,
	ST_TALLY_DROP,
	ST_N
};
extern const char *const wh_sql[ST_N];

enum { WH_WALKS_KEPT = 16 };
struct edge_tally {
	bool known;
	bool too_many;        /* local addresses: they are not kept */
	bool changed;         /* the addresses did, in this transaction */
	uint64_t edges;       /* of all runs: an edge in two runs counts twice */
	struct wh_addr *locals; size_t n, room; /* with inbound edges, in order */
};
struct sqlite_store {
	struct wh_store base;
	struct wh_state *state;
	bool own_state;      /* another connection, of wh_store_again() */
	bool has_blocks;     /* the table edge_block is there */
	unsigned holds;      /* walks that need the ledger to stay as it is */
	/* for the next ones */
	struct { sqlite3_stmt *blocks[WH_WALKS_KEPT], *rows[WH_WALKS_KEPT]; size_t n_blocks, n_rows; } walks;
	bool has_open;       /* the table open_edge is there and has rows */
	struct wh_store_bounds bounds;
	uint64_t crowded, aged; /* edges that went since it was opened */
	/* of contents, and lines in them, that were written since the last count, if there was one: wh_sql_content_bound() */
	unsigned places_put; /* places in inputs */
	bool contents_counted; int64_t contents_uncounted, lines_uncounted;
	struct {
		bool is;             /* the ledger has reached its quota: nothing new is made */
		uint64_t edges, sketches; /* that were not made since it was opened */
		bool any; struct wh_addr local; int32_t day; /* the note that is not written yet */
	} full;
	struct edge_tally tally; /* within a transaction that changes runs */
	struct scan *scan;   /* that is being stepped through; NULL: none */
	sqlite3_stmt *st[ST_N];
};
static inline struct sqlite_store *wh_sqlite_of(struct wh_store *s)
{
	return (struct sqlite_store *)s;
}

/* The operations, see store.h. */
int wh_sqlite_commit(struct wh_store *store, const struct wh_store_batch *b, struct wh_error *err);
int wh_sqlite_progress(struct wh_store *store, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err);
int wh_sqlite_put_open(struct wh_store *store, const struct wh_edge_table *t, int32_t today, struct wh_error *err);
int wh_sqlite_edges(struct wh_store *store, enum wh_edges_seen by, const struct wh_addr *from, const struct wh_addr *to,
                    wh_edge_cb each, void *arg, struct wh_error *err);
int wh_sqlite_sketches(struct wh_store *store, wh_sketch_cb each, void *arg, struct wh_error *err);
int wh_sqlite_locals(struct wh_store *store, wh_local_cb each, void *arg, struct wh_error *err);
int wh_sqlite_days(struct wh_store *store, wh_day_cb each, void *arg, struct wh_error *err);
int wh_sqlite_totals(struct wh_store *store, struct wh_store_totals *out, struct wh_error *err);
int wh_sqlite_content_key(struct wh_store *store, uint8_t key[WH_LINE_KEY_BYTES], int64_t *generation, struct wh_error *err);
int wh_sqlite_contents(struct wh_store *store, wh_content_cb each, void *arg, struct wh_error *err);
int wh_sqlite_content(struct wh_store *store, int64_t id, struct wh_content_row *row, struct wh_error *err);
int wh_sqlite_full(struct wh_store *store, wh_full_cb each, void *arg, struct wh_error *err);
int wh_sqlite_conversations(struct wh_store *store, int32_t day, wh_conversation_cb each, void *arg, struct wh_error *err);
int wh_sqlite_open_flows(struct wh_store *store, wh_page_cb each, void *arg, int64_t *generation, struct wh_error *err);
int wh_sqlite_facts(struct wh_store *store, enum wh_fact_kind kind, wh_fact_cb each, void *arg, struct wh_error *err);
int wh_sqlite_realms(struct wh_store *store, wh_realm_cb each, void *arg, struct wh_error *err);
int wh_sqlite_forget(struct wh_store *store, const struct wh_forget *what, bool dry_run, struct wh_forgotten *out,
                     struct wh_error *err);

/* The prepared statement, reset; NULL on error. */
sqlite3_stmt *wh_sql_use(struct sqlite_store *s, enum statement which, const char *doing, struct wh_error *err);
/* The number that the statement's one row has, or `none` where it has no row. The statement is reset. */
int wh_sql_one_number(struct sqlite_store *s, sqlite3_stmt *st, int64_t none, int64_t *out, struct wh_error *err);
/* The functions that the statements call. */
void wh_sql_define_merge(struct sqlite_store *s);
void wh_sql_define_scan(struct sqlite_store *s);
void wh_sql_define_facts(struct sqlite_store *s);
/* Edges of open connections, with keys from `from` up to, but not with, `to`; NULL: from the first, to the last. */
struct wh_sql_keys { const void *from; size_t from_len; const void *to; size_t to_len; };
int wh_sql_scan(struct sqlite_store *s, enum statement which, struct wh_sql_keys keys, wh_edge_cb each, void *arg,
                struct wh_error *err);
int wh_sql_scan_open(struct sqlite_store *s, struct wh_sql_keys keys, wh_edge_cb each, void *arg, struct wh_error *err);
bool wh_sql_has_open(struct sqlite_store *s);
int wh_sql_count_open(struct sqlite_store *s, uint64_t *n, struct wh_error *err); /* keys that are in the kernel's table alone */

/* ---- within a commit ---- */
int wh_sql_count(struct sqlite_store *s, const char *counter, uint64_t more, struct wh_error *err);
#define WH_PORT_KEY 20 /* the first bytes of a key: local, direction, protocol, port */
/* The keys of a port's edges: from `from` up to, but not with, `to`. */
void wh_sql_port_range(const struct wh_edge_key *port, uint8_t from[static WH_EDGE_KEY_BYTES], uint8_t to[static WH_PORT_KEY]);
/* Removes the port's edges beyond the bound, and adds their flows to the sketch. */
int wh_sql_drop_crowd(struct sqlite_store *s, const struct wh_edge_key *port, struct wh_sketch *sketch, struct wh_error *err);
/* Removes edges that are too old, where it is time to look for them. */
int wh_sql_drop_old(struct sqlite_store *s, struct wh_error *err);
int wh_sql_put_sketch(struct sqlite_store *s, const struct wh_sketch_key *k, const struct wh_sketch *sk, struct wh_error *err);
int wh_sql_content_generation(struct sqlite_store *s, int64_t generation, struct wh_error *err);
/* *id: that it has now */
int wh_sql_content_put(struct sqlite_store *s, const struct wh_content_row *row, const char *path, int64_t *id,
                       struct wh_error *err);
int wh_sql_content_bound(struct sqlite_store *s, struct wh_error *err); /* the oldest go where there are too many */
int wh_sql_conversations_put(struct sqlite_store *s, int32_t day, const struct wh_conversation *c, size_t n,
                             struct wh_error *err);
int wh_sql_conversations_bound(struct sqlite_store *s, struct wh_error *err); /* forgets what is too old, or too much */
int wh_sql_open_flows_put(struct sqlite_store *s, const struct wh_store_seen *seen, struct wh_error *err);
int wh_sql_facts_put(struct sqlite_store *s, const struct wh_store_seen *seen, struct wh_error *err);
int wh_sql_realm_put(struct sqlite_store *s, const struct wh_addr *a, const struct wh_realm *realm, struct wh_error *err);
/* full.c: sets SQLite's limit; checks the ledger's size when a transaction begins; notes an address's losses, and writes the last
 * note. */
void wh_sql_full_limit(struct sqlite_store *s);
int wh_sql_full_look(struct sqlite_store *s, struct wh_error *err);
int wh_sql_full_lost(struct sqlite_store *s, const struct wh_addr *local, int32_t day, struct wh_error *err);
int wh_sql_full_flush(struct sqlite_store *s, struct wh_error *err);
