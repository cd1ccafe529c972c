/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store in SQLite, from the inside: for store_sqlite*.c alone. SQL is in these files and nowhere else.
 *
 *   store_sqlite_file.c       which files SQLite may open
 *   store_sqlite_schema.c     the schema, its versions, and the proof that a file has it
 *   store_sqlite_guard.c      what a hostile file can't do
 *   store_sqlite.c            the statements, opening, transactions
 *   store_sqlite_commit.c     edges and what belongs to them go in
 *   store_sqlite_quota.c      of those that prove nothing only so many
 *   store_sqlite_scan.c       and come out
 *   store_sqlite_contents.c   which lines were counted
 *   store_sqlite_conversations.c  which sensor reported which conversation
 *   store_sqlite_documents.c  documents and the journal
 */
#pragma once
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include "ledger/edge.h"

enum statement {
	ST_EDGE, ST_EDGE_MORE, ST_EDGE_DROP, ST_SKETCH, ST_SOURCE, ST_SOURCE_BOUND, ST_SOURCE_FORGET, ST_DAY, ST_COUNTER, ST_PROGRESS, ST_PUT, ST_GET, ST_DELETE, ST_EACH, ST_LOG, ST_LOG_EACH,
	ST_SCAN, ST_SKETCHES, ST_NEXT_LOCAL, ST_DAYS, ST_COUNTERS, ST_COUNT_EDGES,
	ST_CONTENT_KEY, ST_CONTENT_NEW_KEY, ST_CONTENT_GENERATION, ST_CONTENTS, ST_CONTENT, ST_CONTENT_PUT, ST_CONTENT_SIZE, ST_CONTENT_FORGET,
	ST_CONVERSATIONS, ST_CONVERSATION_PUT, ST_CONVERSATION_AGE, ST_CONVERSATION_SIZE, ST_CONVERSATION_FORGET, ST_N
};
extern const char *const wh_sql[ST_N];

struct wh_store {
	sqlite3 *db;
	char *path;          /* as it was asked for, for messages */
	char *file;          /* without links */
	int patience_ms;
	bool write;
	bool hasty;          /* WH_STORE_JOURNAL */
	bool foreign;        /* while the schema is compared: it has none of our tables */
	uint64_t rows, rows_seen; /* that were handed over: as long as some come, a statement may go on */
	int statement_ms;    /* for which one may go on without a row */
	int64_t deadline_ms; /* of the monotonic clock: when it may not */
	bool in_transaction; /* wh_store_begin() .. wh_store_end() */
	struct scan *scan;   /* that is being stepped through; NULL: none */
	sqlite3_stmt *st[ST_N];
};

/* What the last call said, as an error of ours: "PATH: the ledger can't be DOING: WHY". Returns a negative errno. */
int wh_sql_fail(struct wh_store *s, const char *doing, struct wh_error *err);
int wh_sql_damaged(struct wh_store *s, struct wh_error *err); /* -EBADMSG: a row is not what we wrote */
/* The prepared statement, reset; NULL on error. */
sqlite3_stmt *wh_sql_use(struct wh_store *s, enum statement which, const char *doing, struct wh_error *err);
int wh_sql_run(struct wh_store *s, sqlite3_stmt *st, const char *doing, struct wh_error *err); /* one step, for those that give no rows */
int wh_sql_exec(struct wh_store *s, const char *text, const char *doing, struct wh_error *err);

/* Checks the file at `path` and its companions before SQLite opens it, and makes the file for WH_STORE_CREATE; *real (free() it) is the path
 * without links. Afterwards SQLite opens plain files alone. */
int wh_sql_find_file(const char *path, int flags, char **real, struct wh_error *err);

/* Makes, migrates or proves the schema. Returns 0 or a negative errno. */
int wh_sql_prepare_schema(struct wh_store *s, struct wh_error *err);
int wh_sql_check(struct wh_store *s, struct wh_error *err); /* SQLite's quick_check of all pages */
/* Safety settings, limits, the time limit; then, once the schema is proved, only statements of our kinds. */
int wh_sql_guard(struct wh_store *s, struct wh_error *err);
void wh_sql_close_schema(struct wh_store *s);
void wh_sql_patience(struct wh_store *s); /* a statement begins: its time does, too */
/* Values of a row, of exactly this type (a crafted file has any type in any column): false for another, a text with a NUL, an empty blob. */
bool wh_sql_text(sqlite3_stmt *st, int column, const char **out);
bool wh_sql_blob(sqlite3_stmt *st, int column, const uint8_t **out, size_t *len);
bool wh_sql_number(sqlite3_stmt *st, int column, int64_t *out);

/* The functions that the statements call. */
void wh_sql_define_merge(struct wh_store *s);
void wh_sql_define_scan(struct wh_store *s);

int wh_sql_put_edges(struct wh_store *s, const struct wh_edge_table *t, struct wh_error *err);
int wh_sql_put_sketch(struct wh_store *s, const struct wh_sketch_key *k, const struct wh_sketch *sk, struct wh_error *err);
/* Edges with keys from `from` up to, but not with, `to`, as wh_store_edges(). */
int wh_sql_scan(struct wh_store *s, const void *from, size_t from_len, const void *to, size_t to_len, wh_edge_cb each, void *arg, struct wh_error *err);
