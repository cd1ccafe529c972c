/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to the ledger's file, for core/state and for a store that keeps its tables in the same file (core/ledger/sqlite).
 * The file is its owner's, who may be hostile: nobody but the functions here opens it.
 *
 *   file.c       which files SQLite may open
 *   schema.c     the schema of the whole file, its versions, and the proof that a file has it
 *   guard.c      what a hostile file can't do
 *   sqlite.c     opening, errors, prepared statements, transactions
 *   documents.c  documents
 *   journal.c    the journal
 *   chain.c      its chain of hashes
 *   sent.c       what another store was given of this file's rows (sent.h)
 */
#pragma once
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include "whittle/state.h"

enum state_statement {
	ST_PUT,
	ST_GET,
	ST_DELETE,
	ST_EACH,
	ST_PUT_PART,
	ST_LENGTH,
	ST_GET_PARTS,
	ST_DELETE_PARTS,
	ST_LOG,
	ST_LOG_EACH,
	ST_CHAIN,
	ST_STATE_N
};
extern const char *const wh_state_sql[ST_STATE_N];

struct wh_state {
	sqlite3 *db;
	char *path;          /* as it was asked for, for messages */
	char *file;          /* without links */
	int patience_ms;
	bool write;
	bool hasty;          /* WH_STATE_JOURNAL */
	unsigned depth;      /* of wh_state_begin() */
	bool foreign;        /* while the schema is compared: it has none of our tables */
	uint64_t rows, rows_seen; /* that were handed over: as long as some come, a statement may go on */
	int statement_ms;    /* for which one may go on without a row */
	int64_t deadline_ms; /* of the monotonic clock: when it may not */
	sqlite3_stmt *st[ST_STATE_N];
};

/* What the last call said, as an error of ours: "PATH: the ledger can't be DOING: WHY". Returns a negative errno. */
int wh_sql_fail(struct wh_state *s, const char *doing, struct wh_error *err);
int wh_sql_damaged(struct wh_state *s, struct wh_error *err); /* -EBADMSG: a row is not what we wrote */
/* likewise, of a table with ids */
int wh_sql_damaged_row(struct wh_state *s, const char *table, int64_t id, struct wh_error *err);
/* The statement of `text`, prepared into *st when it is first asked for, and reset; NULL on error. Whoever has *st finalizes it
 * before the connection is closed. */
sqlite3_stmt *wh_sql_prepared(struct wh_state *s, sqlite3_stmt **st, const char *text, const char *doing, struct wh_error *err);
/* one step, for those that give no rows */
int wh_sql_run(struct wh_state *s, sqlite3_stmt *st, const char *doing, struct wh_error *err);
int wh_sql_exec(struct wh_state *s, const char *text, const char *doing, struct wh_error *err);
void wh_sql_patience(struct wh_state *s); /* a statement begins: its time does, too */
/* Values of a row, of exactly this type (a crafted file has any type in any column): false for another, a text with a NUL, an
 * empty blob. */
bool wh_sql_text(sqlite3_stmt *st, int column, const char **out);
bool wh_sql_blob(sqlite3_stmt *st, int column, const uint8_t **out, size_t *len);
bool wh_sql_number(sqlite3_stmt *st, int column, int64_t *out);
/* Adds the hash of an entry that was just written, in the same transaction. */
int wh_sql_chain(struct wh_state *s, const struct wh_journal_entry *e, struct wh_error *err);

/* ---- for wh_state_open() ---- */
/* Checks the file at `path` and its companions before SQLite opens it, and makes the file for WH_STATE_CREATE; *real (free() it)
 * is the path without links. Afterwards SQLite opens plain files alone. */
int wh_sql_find_file(const char *path, int flags, char **real, struct wh_error *err);
/* Safety settings, limits, the time limit; then, once the schema is proved, only statements of our kinds. */
int wh_sql_guard(struct wh_state *s, struct wh_error *err);
void wh_sql_close_schema(struct wh_state *s);
/* Makes, migrates or proves the schema. Returns 0 or a negative errno. */
int wh_sql_prepare_schema(struct wh_state *s, struct wh_error *err);
