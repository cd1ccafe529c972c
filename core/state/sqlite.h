/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to the ledger's file, for core/state and for a store with its tables in the same file (core/ledger/sqlite). The
 * file belongs to its owner, who may be hostile: only the functions here open it.
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
	ST_REVISED,
	ST_REVISION,
	ST_STATE_N
};
extern const char *const wh_state_sql[ST_STATE_N];

struct wh_state {
	sqlite3 *db;
	char *path;          /* as the caller gave it, for messages */
	char *file;          /* without links */
	int patience_ms;
	bool write;
	bool hasty;          /* WH_STATE_JOURNAL */
	unsigned depth;      /* nesting depth of wh_state_begin() */
	bool foreign;        /* set while the schema is compared: the file is not a ledger */
	uint64_t rows, rows_seen; /* rows delivered so far: a statement may go on as long as rows arrive */
	int statement_ms;    /* how long a statement may go on without a row */
	int64_t deadline_ms; /* on the monotonic clock: the statement is interrupted then */
	sqlite3_stmt *st[ST_STATE_N];
};

/* Turns SQLite's last error into one of ours: "PATH: the ledger can't be DOING: WHY". Returns a negative errno. */
int wh_sql_fail(struct wh_state *s, const char *doing, struct wh_error *err);
int wh_sql_damaged(struct wh_state *s, struct wh_error *err); /* -EBADMSG: a row is not what we wrote */
/* likewise, of a table with ids */
int wh_sql_damaged_row(struct wh_state *s, const char *table, int64_t id, struct wh_error *err);
/* The statement of `text`, prepared into *st at the first call, and reset; NULL on error. The owner of *st finalizes it before
 * the connection is closed. */
sqlite3_stmt *wh_sql_prepared(struct wh_state *s, sqlite3_stmt **st, const char *text, const char *doing, struct wh_error *err);
/* one step, for statements that return no rows */
int wh_sql_run(struct wh_state *s, sqlite3_stmt *st, const char *doing, struct wh_error *err);
/* The same for a statement that changes documents: one transaction with the number that wh_state_revision() returns. */
int wh_sql_revise(struct wh_state *s, sqlite3_stmt *st, struct wh_error *err);
int wh_sql_exec(struct wh_state *s, const char *text, const char *doing, struct wh_error *err);
void wh_sql_patience(struct wh_state *s); /* a statement begins: restarts its time limit */
/* Values of a row, of exactly this type (a crafted file has any type in any column): false for another type, a text with a NUL,
 * an empty blob. */
bool wh_sql_text(sqlite3_stmt *st, int column, const char **out);
bool wh_sql_blob(sqlite3_stmt *st, int column, const uint8_t **out, size_t *len);
bool wh_sql_number(sqlite3_stmt *st, int column, int64_t *out);
/* Adds the hash of an entry that was just inserted, in the same transaction. */
int wh_sql_chain(struct wh_state *s, const struct wh_journal_entry *e, struct wh_error *err);

/* ---- for wh_state_open() ---- */
/* Checks the file at `path` and its companions before SQLite opens it, and creates the file for WH_STATE_CREATE; *real (free()
 * it) is the path without links. Afterwards SQLite opens only plain files. */
int wh_sql_find_file(const char *path, int flags, char **real, struct wh_error *err);
/* Sets safety settings, limits and the time limit; then, once the schema is proved, only statements of our kinds. */
int wh_sql_guard(struct wh_state *s, struct wh_error *err);
void wh_sql_close_schema(struct wh_state *s);
/* Creates, migrates or proves the schema. Returns 0 or a negative errno. */
int wh_sql_prepare_schema(struct wh_state *s, struct wh_error *err);
