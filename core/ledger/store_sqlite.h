/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store in SQLite, from the inside: for store_sqlite*.c alone.
 *
 *   store_sqlite.c            the statements, opening
 *   store_sqlite_commit.c     edges and what belongs to them go in
 *   store_sqlite_quota.c      of those that prove nothing only so many
 *   store_sqlite_crowd.c      and of all of a port
 *   store_sqlite_age.c        and none that were last seen long ago
 *   store_sqlite_scan.c       and come out
 *   store_sqlite_open.c       connections that the kernel has open, beside them
 *   store_sqlite_contents.c   which lines were counted
 *   store_sqlite_conversations.c  which sensor reported which conversation
 *   store_sqlite_realms.c     in which network which address was met
 */
#pragma once
#include "ledger/edge.h"
#include "state/sqlite.h"

enum statement {
	ST_EDGE, ST_EDGE_MORE, ST_EDGE_DROP, ST_SKETCH, ST_PORT_SIZE, ST_OLD_DAY, ST_COUNTER_OF, ST_SOURCE, ST_SOURCE_BOUND, ST_SOURCE_FORGET, ST_DAY, ST_COUNTER, ST_PROGRESS,
	ST_SCAN, ST_SKETCHES, ST_NEXT_LOCAL, ST_DAYS, ST_COUNTERS, ST_COUNT_EDGES,
	ST_CONTENT_KEY, ST_CONTENT_NEW_KEY, ST_CONTENT_GENERATION, ST_CONTENTS, ST_CONTENT, ST_CONTENT_PUT, ST_CONTENT_SIZE, ST_CONTENT_FORGET,
	ST_CONVERSATIONS, ST_CONVERSATION_PUT, ST_CONVERSATION_AGE, ST_CONVERSATION_SIZE, ST_CONVERSATION_FORGET,
	ST_OPEN, ST_OPEN_MORE, ST_OPEN_DROP, ST_OPEN_SCAN, ST_OPEN_AGE, ST_OPEN_FUTURE, ST_OPEN_COUNT, ST_OPEN_FORGET, ST_OPEN_ANY, ST_OPEN_ONLY, ST_N
};
extern const char *const wh_sql[ST_N];

struct wh_store {
	struct wh_state *state;
	bool own_state;      /* another connection, of wh_store_again() */
	bool has_open;       /* the table open_edge is there and has rows */
	struct wh_store_bounds bounds;
	uint64_t crowded, aged; /* edges that went since it was opened */
	struct scan *scan;   /* that is being stepped through; NULL: none */
	sqlite3_stmt *st[ST_N];
};

/* The prepared statement, reset; NULL on error. */
sqlite3_stmt *wh_sql_use(struct wh_store *s, enum statement which, const char *doing, struct wh_error *err);

/* The functions that the statements call. */
void wh_sql_define_merge(struct wh_store *s);
void wh_sql_define_scan(struct wh_store *s);

/* Edges are in two tables: of the sensors' records, and of connections that the kernel has open. */
struct wh_edges_of { enum statement put, more, drop, scan; bool open; };
extern const struct wh_edges_of wh_edges_of_sensors, wh_edges_of_kernel;
int wh_sql_put_edges(struct wh_store *s, const struct wh_edges_of *of, const struct wh_edge_table *t, struct wh_error *err);
int wh_sql_count(struct wh_store *s, const char *counter, uint64_t more, struct wh_error *err);
#define WH_PORT_KEY 20 /* the first bytes of a key: local, direction, protocol, port */
/* The keys of a port's edges: from `from` up to, but not with, `to`. */
void wh_sql_port_range(const struct wh_edge_key *port, uint8_t from[static WH_EDGE_KEY_BYTES], uint8_t to[static WH_PORT_KEY]);
/* Within a transaction: removes the port's edges beyond the bound, and adds their flows to the sketch. */
int wh_sql_drop_crowd(struct wh_store *s, const struct wh_edge_key *port, struct wh_sketch *sketch, struct wh_error *err);
/* Within a transaction: removes edges that are too old, where it is time to look for them. */
int wh_sql_drop_old(struct wh_store *s, struct wh_error *err);
int wh_sql_put_sketch(struct wh_store *s, const struct wh_sketch_key *k, const struct wh_sketch *sk, struct wh_error *err);
/* Edges of one table, with keys from `from` up to, but not with, `to`, as wh_store_edges(). */
int wh_sql_scan(struct wh_store *s, enum statement which, const void *from, size_t from_len, const void *to, size_t to_len, wh_edge_cb each, void *arg, struct wh_error *err);
bool wh_sql_has_open(struct wh_store *s);
int wh_sql_count_open(struct wh_store *s, uint64_t *n, struct wh_error *err); /* keys that are in the kernel's table alone */
/* The same of both tables, each key once: store_sqlite_open.c. */
int wh_sql_scan_both(struct wh_store *s, const void *from, size_t from_len, const void *to, size_t to_len, wh_edge_cb each, void *arg, struct wh_error *err);
