/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema, its versions, and the proof that a file has it.
 *
 * A new ledger is created at once, an older one is migrated by the steps that it lacks; both have the same texts. Every time a
 * ledger is opened, its sqlite_master is compared text by text with that of an empty in-memory database of its version: a
 * trigger, a view, an index, a generated column or a default that whittle did not write is refused before any statement of ours
 * could meet it.
 */
#include <sys/stat.h>
#include "state/sqlite.h"

#define EDGE "CREATE TABLE edge(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
#define SKETCH_TO_COUNTER                                                                                                                                 \
	"CREATE TABLE sketch(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"                                                                   \
	"CREATE TABLE source(identity TEXT PRIMARY KEY, path TEXT, offset INTEGER NOT NULL, line INTEGER NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID;" \
	"CREATE TABLE day(day INTEGER PRIMARY KEY, flows INTEGER NOT NULL);"                                                                              \
	"CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
#define JOURNAL                                                                                                                  \
	"CREATE TABLE journal(seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, json TEXT NOT NULL);"
#define DOCUMENT                                                                                                                 \
	"CREATE TABLE document(id INTEGER PRIMARY KEY, collection TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, time INTEGER NOT NULL, UNIQUE(collection, key));"
#define IMAGE                                                                                                                    \
	"CREATE TABLE image(id INTEGER PRIMARY KEY, name TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE(name, part));"
#define EDGE_BLOCK "CREATE TABLE edge_block(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"

/* steps[i] brings version i to i + 1. Never change a released step; add one, and add its result to `all`. */
static const char *const steps[] = {
	EDGE SKETCH_TO_COUNTER
	"CREATE TABLE document(collection TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY(collection, key)) WITHOUT ROWID;" JOURNAL,
	/* with rowids: without them, a search by key reads whole documents, some of them megabytes long, to compare their
	 * keys */
	"ALTER TABLE document RENAME TO document_before;" DOCUMENT
	"INSERT INTO document(collection, key, json, time) SELECT collection, key, json, time FROM document_before ORDER BY collection, key;"
	"DROP TABLE document_before;" IMAGE,
	/* edges in blocks: the rows of table edge are read until a commit moves them; see core/ledger/sqlite/runs.h */
	EDGE_BLOCK,
};
/* The result of all steps, without what one of them undoes of another: a new ledger, and the model, are created in half the
 * time. */
static const char all[] = EDGE SKETCH_TO_COUNTER JOURNAL DOCUMENT IMAGE EDGE_BLOCK;
enum { SCHEMA = sizeof steps / sizeof *steps, READABLE = 2, MAX_OBJECTS = 64, CHECK_BYTES = 8 << 20, CHECK_MS = 600000 };

/* Tables that are created if missing when a ledger is opened for writing: an older ledger can be read without them. */
static const char later[] =
	"CREATE TABLE IF NOT EXISTS content(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, lines INTEGER NOT NULL, path TEXT, marks BLOB NOT NULL, tail BLOB NOT NULL, checks BLOB NOT NULL);"
	"CREATE TABLE IF NOT EXISTS conversation(day INTEGER NOT NULL, part INTEGER NOT NULL, rows BLOB NOT NULL, PRIMARY KEY(day, part)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS open_edge(key BLOB PRIMARY KEY, value BLOB NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS open_flow(page INTEGER PRIMARY KEY, rows BLOB NOT NULL);"
	"CREATE TABLE IF NOT EXISTS fact(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS chain(seq INTEGER PRIMARY KEY, hash BLOB NOT NULL);"
	"CREATE TABLE IF NOT EXISTS sent(kind INTEGER NOT NULL, key BLOB NOT NULL, hash INTEGER NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS unsent(kind INTEGER NOT NULL, part BLOB NOT NULL, stamp INTEGER NOT NULL, PRIMARY KEY(kind, part)) WITHOUT ROWID;";
/* SQLite's own tables, which ANALYZE creates. */
static const char of_sqlite[] =
	"CREATE TEMP TABLE maybe(type, name, tbl_name, sql); INSERT INTO maybe VALUES('table', 'sqlite_stat1', 'sqlite_stat1', 'CREATE TABLE sqlite_stat1(tbl,idx,stat)'),"
	"('table', 'sqlite_stat4', 'sqlite_stat4', 'CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)')";

static int ask(struct wh_state *s, const char *question, int64_t *answer, struct wh_error *err)
{
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(s->db, question, -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	int rc = sqlite3_step(st) == SQLITE_ROW ? 0 : wh_sql_fail(s, "read", err);
	*answer = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc;
}

/* ---- comparing ---- */

/* An in-memory database with the tables of a version (their names are in `must`) and the optional ones. */
static sqlite3 *model_of(int version)
{
	sqlite3 *m = NULL;
	bool good = sqlite3_open_v2(":memory:", &m,
	                            SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_MEMORY,
	                            "unix") == SQLITE_OK;
	if (good && version == SCHEMA)
		good = sqlite3_exec(m, all, NULL, NULL, NULL) == SQLITE_OK;
	for (int i = 0; i < version && version < SCHEMA && good; i++)
		good = sqlite3_exec(m, steps[i], NULL, NULL, NULL) == SQLITE_OK;
	good = good &&
	       sqlite3_exec(m, "CREATE TEMP TABLE must AS SELECT name FROM main.sqlite_master", NULL, NULL, NULL) == SQLITE_OK;
	good = good && (!version || sqlite3_exec(m, later, NULL, NULL, NULL) == SQLITE_OK) &&
	       sqlite3_exec(m, of_sqlite, NULL, NULL, NULL) == SQLITE_OK;
	if (good)
		return m;
	sqlite3_close(m);
	return NULL;
}

static int unknown_object(struct wh_state *s, const char *type, const char *name, struct wh_error *err)
{
	return wh_fail(
		err, -EBADMSG,
		"%s: is not opened: its %.20s '%.60s' is not as whittle makes it; somebody else changed the ledger. A copy from before can be put in its place",
		s->path, type ? type : "object", name ? name : "?");
}

/* Whether the model has this row: 1: a required table, 2: an optional one, 0: not at all. */
static int in_model(sqlite3_stmt *find, sqlite3_stmt *row)
{
	int found = 0;
	sqlite3_reset(find);
	for (int i = 0; i < 4; i++)
		if (sqlite3_column_type(row, i) == SQLITE_TEXT)
			sqlite3_bind_text(find, i + 1, (const char *)sqlite3_column_text(row, i), sqlite3_column_bytes(row, i),
			                  SQLITE_STATIC);
		else if (sqlite3_column_type(row, i) == SQLITE_NULL)
			sqlite3_bind_null(find, i + 1);
		else
			return 0;
	if (sqlite3_step(find) == SQLITE_ROW)
		found = sqlite3_column_int(find, 0);
	sqlite3_reset(find);
	return found;
}

static int compare_rows(struct wh_state *s, sqlite3 *model, sqlite3_stmt *rows, struct wh_error *err)
{
	sqlite3_stmt *find = NULL, *count = NULL;
	int required = 0, wanted = -1, seen = 0, step = SQLITE_DONE, rc = 0;
	if (sqlite3_prepare_v2(
		    model,
		    "SELECT 1 + (name NOT IN (SELECT name FROM must)) FROM main.sqlite_master WHERE type IS ?1 AND name IS ?2 AND tbl_name IS ?3 AND sql IS ?4 UNION ALL "
		    "SELECT 2 FROM maybe WHERE type IS ?1 AND name IS ?2 AND tbl_name IS ?3 AND sql IS ?4 LIMIT 1",
		    -1, &find, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(model, "SELECT count(*) FROM must", -1, &count, NULL) != SQLITE_OK)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc && sqlite3_step(count) == SQLITE_ROW)
		wanted = sqlite3_column_int(count, 0);
	while (!rc && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		int known = ++seen > MAX_OBJECTS ? 0 : in_model(find, rows);
		required += known == 1;
		if (!known && !required && seen == 1 && sqlite3_column_type(rows, 1) == SQLITE_TEXT && s->foreign)
			rc = wh_fail(err, -EBADMSG, "%s: is a database of another program, and no ledger", s->path);
		else if (!known)
			rc = unknown_object(s, (const char *)sqlite3_column_text(rows, 0),
			                    (const char *)sqlite3_column_text(rows, 1), err);
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s, "read", err);
	if (!rc && required != wanted)
		rc = wh_fail(err, -EBADMSG, "%s: is not opened: some of its tables are missing", s->path);
	sqlite3_finalize(find);
	sqlite3_finalize(count);
	return rc;
}

static int compare(struct wh_state *s, int version, struct wh_error *err)
{
	sqlite3 *model = model_of(version);
	sqlite3_stmt *rows = NULL;
	int64_t ours = 0;
	int rc = model ? 0 : wh_fail(err, -ENOMEM, "out of memory");
	rc = rc ? rc
	        : ask(s,
	              "SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND name IN ('edge', 'sketch', 'document', 'journal')",
	              &ours, err);
	s->foreign = ours < 4;
	if (!rc &&
	    sqlite3_prepare_v2(s->db, "SELECT type, name, tbl_name, sql FROM main.sqlite_master", -1, &rows, NULL) != SQLITE_OK)
		rc = wh_sql_fail(s, "read", err);
	rc = rc ? rc : compare_rows(s, model, rows, err);
	sqlite3_finalize(rows);
	sqlite3_close(model);
	return rc;
}

/* ---- opening ---- */

/* SQLite answers this one with "busy" at once, despite any busy timeout, while another process creates the ledger, too. */
static int write_ahead(struct wh_state *s, struct wh_error *err)
{
	int64_t until = wh_now_us() + s->patience_ms * INT64_C(1000);
	while (sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK) {
		if ((sqlite3_errcode(s->db) & 0xff) != SQLITE_BUSY || wh_now_us() > until)
			return wh_sql_fail(s, "set up", err);
		sqlite3_sleep(5);
	}
	return 0;
}

static int migrate(struct wh_state *s, struct wh_error *err)
{
	char set[64];
	struct wh_error ignored;
	int64_t version = 0;
	int rc = wh_sql_exec(s, "BEGIN IMMEDIATE", "set up", err);
	if (rc)
		return rc;
	rc = ask(s, "PRAGMA user_version", &version, err); /* another process may have been first */
	if (!rc && !version)
		rc = wh_sql_exec(s, all, "set up", err);
	for (int64_t i = version; version && i < SCHEMA && !rc; i++)
		rc = wh_sql_exec(s, steps[i], "set up", err);
	rc = rc ? rc : wh_sql_exec(s, later, "set up", err);
	snprintf(set, sizeof set, "PRAGMA user_version = %d", SCHEMA);
	if (!rc && version < SCHEMA)
		rc = wh_sql_exec(s, set, "set up", err);
	int end = wh_sql_exec(s, rc ? "ROLLBACK" : "COMMIT", "set up", rc ? &ignored : err);
	return rc ? rc : end;
}

/*
 * SQLite's own check of all pages, for sizes where it takes unnoticeable time: 8 MiB take some 10 ms. A larger ledger is checked
 * row by row as it is read, and completely by `whittle doctor`.
 */
static int check_small(struct wh_state *s, struct wh_error *err)
{
	struct stat st;
	return lstat(s->file, &st) || st.st_size > CHECK_BYTES ? 0 : wh_state_check(s, err);
}

int wh_state_check(struct wh_state *s, struct wh_error *err)
{
	sqlite3_stmt *st;
	wh_sql_patience(s);
	s->deadline_ms += CHECK_MS;
	if (sqlite3_prepare_v2(s->db, "PRAGMA main.quick_check(1)", -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	int rc = sqlite3_step(st) == SQLITE_ROW ? 0 : wh_sql_fail(s, "read", err);
	const char *said = rc ? "" : (const char *)sqlite3_column_text(st, 0);
	if (!rc && (!said || strcmp(said, "ok")))
		rc = wh_fail(err, -EBADMSG, "%s: the ledger can't be read: it is damaged (%.200s)", s->path, said ? said : "?");
	sqlite3_finalize(st);
	return rc;
}

int wh_sql_prepare_schema(struct wh_state *s, struct wh_error *err)
{
	struct wh_error ignored;
	int64_t version = 0;
	int rc = wh_sql_exec(s, "BEGIN", "read", err); /* one snapshot of it: another process may be creating it now */
	if (rc)
		return rc;
	rc = ask(s, "PRAGMA user_version", &version, err);
	if (!rc && version > SCHEMA)
		rc = wh_fail(err, -EPROTO, "%s: the ledger was written by a newer whittle (schema %lld, this one knows %d)",
		             s->path, (long long)version, SCHEMA);
	if (!rc && version < 0)
		rc = wh_fail(err, -EBADMSG, "%s: is a database of another program, and no ledger", s->path);
	rc = rc ? rc : compare(s, (int)version, err);
	if (!rc && version && s->write && !s->hasty)
		rc = check_small(s, err);
	wh_sql_exec(s, "ROLLBACK", "read", &ignored);
	if (rc || (s->hasty && version && version < SCHEMA)) /* every version has the journal */
		return rc;
	if (version == SCHEMA)
		return s->write ? wh_sql_exec(s, later, "set up", err) : 0;
	if (!s->write && version >= READABLE)
		return 0;
	if (!s->write || s->hasty)
		return version ? wh_fail(err, -ENODATA,
		                         "%s: the ledger is of an older whittle: `whittle ingest` brings it up to date", s->path)
		               : wh_fail(err, -ENODATA, "%s: there is no ledger yet: `whittle ingest` makes one", s->path);
	rc = write_ahead(s, err);
	rc = rc ? rc : migrate(s, err);
	return rc ? rc : compare(s, SCHEMA, err);
}
