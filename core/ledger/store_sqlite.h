/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store in SQLite, from the inside: for store_sqlite*.c alone. SQL is in these files and nowhere else.
 *
 *   store_sqlite_file.c       which files SQLite may open
 *   store_sqlite.c            the schema, the statements, opening, transactions
 *   store_sqlite_commit.c     edges and what belongs to them go in
 *   store_sqlite_scan.c       and come out
 *   store_sqlite_contents.c   which lines were counted
 *   store_sqlite_documents.c  documents and the journal
 */
#pragma once
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include "ledger/edge.h"

enum statement {
	ST_EDGE, ST_SKETCH, ST_SOURCE, ST_SOURCE_BOUND, ST_SOURCE_FORGET, ST_DAY, ST_COUNTER, ST_PROGRESS, ST_PUT, ST_GET, ST_DELETE, ST_EACH, ST_LOG, ST_LOG_EACH,
	ST_SCAN, ST_SKETCHES, ST_NEXT_LOCAL, ST_DAYS, ST_COUNTERS, ST_COUNT_EDGES,
	ST_CONTENT_KEY, ST_CONTENT_NEW_KEY, ST_CONTENT_GENERATION, ST_CONTENTS, ST_CONTENT, ST_CONTENT_PUT, ST_CONTENT_SIZE, ST_CONTENT_FORGET, ST_N
};
extern const char *const wh_sql[ST_N];
extern const char wh_sql_content_table[];

struct wh_store {
	sqlite3 *db;
	char *path;          /* as it was asked for, for messages */
	char *file;          /* without links */
	int patience_ms;
	bool write;
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

/* The functions that the statements call. */
void wh_sql_define_merge(struct wh_store *s);
void wh_sql_define_scan(struct wh_store *s);
