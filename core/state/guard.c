/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger's owner may have written anything into the file. This file enables SQLite's defences against that
 * (sqlite.org/security.html, "Untrusted SQLite database files"), and limits what one connection may use.
 *
 * Time: a statement is interrupted if it neither returns nor yields a row for PATIENCE_MS. Time in a row's callback counts as
 * well, but only the statement's own work is ever interrupted. A crafted tree may make a walk endless: rows of a table must come
 * in strictly ascending order, which a walk over shared or circular pages can't keep up.
 */
#include <time.h>
#include "state/sqlite.h"

enum { OPERATIONS = 4096, PATIENCE_MS = 20000, HASTY_PATIENCE_MS = 2000 };
#define MAX_HEAP ((sqlite3_int64)256 << 20)

static const struct { int id, most;
} limits[] = {
	{SQLITE_LIMIT_LENGTH, WH_STATE_MAX_TEXT + 4096}, /* a row, and each of its values */
	{SQLITE_LIMIT_SQL_LENGTH, 16384},
	{SQLITE_LIMIT_COLUMN, 16},
	{SQLITE_LIMIT_EXPR_DEPTH, 32},
	{SQLITE_LIMIT_COMPOUND_SELECT, 2},
	{SQLITE_LIMIT_VDBE_OP, 4096},
	{SQLITE_LIMIT_FUNCTION_ARG, 8},
	{SQLITE_LIMIT_ATTACHED, 0},
	{SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64},
	{SQLITE_LIMIT_VARIABLE_NUMBER, 16},
	{SQLITE_LIMIT_TRIGGER_DEPTH, 1},
	{SQLITE_LIMIT_WORKER_THREADS, 0},
};
static const struct { int id, on;
} settings[] = {
	{SQLITE_DBCONFIG_DEFENSIVE, 1},       {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
	{SQLITE_DBCONFIG_ENABLE_VIEW, 0},     {SQLITE_DBCONFIG_ENABLE_FKEY, 0},    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	{SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}, {SQLITE_DBCONFIG_DQS_DDL, 0},        {SQLITE_DBCONFIG_DQS_DML, 0},
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void wh_sql_patience(struct wh_state *s)
{
	s->deadline_ms = now_ms() + s->statement_ms;
}

static int on_progress(void *arg)
{
	struct wh_state *s = arg;
	if (s->rows != s->rows_seen) {
		s->rows_seen = s->rows;
		wh_sql_patience(s);
	}
	return now_ms() > s->deadline_ms;
}

/* The file's size and its limit, besides the integrity check. */
static bool allowed_pragma(const char *name, const char *value)
{
	if (!sqlite3_stricmp(name, "page_count") || !sqlite3_stricmp(name, "freelist_count") ||
	    !sqlite3_stricmp(name, "page_size"))
		return !value;
	return !sqlite3_stricmp(name, "quick_check") || !sqlite3_stricmp(name, "max_page_count");
}

/* Once the schema is proved to be ours, only our own kinds of statements are prepared; triggers and views may start none. */
static int authorize(void *arg, int action, const char *a, const char *b, const char *database, const char *trigger)
{
	(void)arg;
	if (trigger)
		return SQLITE_DENY;
	switch (action) {
	case SQLITE_SELECT: case SQLITE_TRANSACTION: case SQLITE_SAVEPOINT: return SQLITE_OK;
	case SQLITE_READ: case SQLITE_INSERT: case SQLITE_UPDATE: case SQLITE_DELETE:
		return a && sqlite3_strnicmp(a, "sqlite_", 7) && (!database || !sqlite3_stricmp(database, "main")) ? SQLITE_OK
		                                                                                                   : SQLITE_DENY;
	case SQLITE_FUNCTION: return b && sqlite3_stricmp(b, "load_extension") ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_PRAGMA: return a && allowed_pragma(a, b) ? SQLITE_OK : SQLITE_DENY;
	default: return SQLITE_DENY;
	}
}

int wh_sql_guard(struct wh_state *s, struct wh_error *err)
{
	s->statement_ms = s->hasty ? HASTY_PATIENCE_MS : PATIENCE_MS;
	sqlite3_hard_heap_limit64(MAX_HEAP); /* of the process: all its connections together */
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		sqlite3_limit(s->db, limits[i].id, limits[i].most);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (sqlite3_db_config(s->db, settings[i].id, settings[i].on, NULL) != SQLITE_OK)
			return wh_fail(err, -ENOTSUP, "%s: this SQLite (%s) lacks a safety setting; whittle needs 3.37 or newer",
			               s->path, sqlite3_libversion());
	wh_sql_patience(s);
	sqlite3_progress_handler(s->db, OPERATIONS, on_progress, s);
	/* never mapped: if a mapped file is cut, the process is killed */
	return wh_sql_exec(s, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF", "opened", err);
}

void wh_sql_close_schema(struct wh_state *s)
{
	sqlite3_set_authorizer(s->db, authorize, s);
}

/* ---- what rows may hold ---- */

bool wh_sql_text(sqlite3_stmt *st, int column, const char **out)
{
	*out = sqlite3_column_type(st, column) == SQLITE_TEXT ? (const char *)sqlite3_column_text(st, column) : NULL;
	return *out && strlen(*out) == (size_t)sqlite3_column_bytes(st, column);
}

bool wh_sql_blob(sqlite3_stmt *st, int column, const uint8_t **out, size_t *len)
{
	*out = sqlite3_column_type(st, column) == SQLITE_BLOB ? sqlite3_column_blob(st, column) : NULL;
	*len = *out ? (size_t)sqlite3_column_bytes(st, column) : 0;
	return *out != NULL;
}

bool wh_sql_number(sqlite3_stmt *st, int column, int64_t *out)
{
	*out = sqlite3_column_int64(st, column);
	return sqlite3_column_type(st, column) == SQLITE_INTEGER;
}
