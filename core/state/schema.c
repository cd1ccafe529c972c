/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema, its versions, and the proof that a file has it.
 *
 * A new ledger is created at once, an older one is migrated by the steps that it lacks; both have the same texts. Every time a
 * ledger is opened, its sqlite_master is compared text by text with the objects that its version has: a trigger, a view, an
 * index, a generated column or a default that whittle did not write is refused before any statement of ours could meet it.
 */
#include <sys/stat.h>
#include "state/sqlite.h"

#define EDGE    "CREATE TABLE edge(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
#define SKETCH  "CREATE TABLE sketch(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
#define SOURCE                                                                                                                   \
	"CREATE TABLE source(identity TEXT PRIMARY KEY, path TEXT, offset INTEGER NOT NULL, line INTEGER NOT NULL, time INTEGER NOT NULL) WITHOUT ROWID"
#define DAY     "CREATE TABLE day(day INTEGER PRIMARY KEY, flows INTEGER NOT NULL)"
#define COUNTER "CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID"
#define JOURNAL                                                                                                                  \
	"CREATE TABLE journal(seq INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, json TEXT NOT NULL)"
#define DOCUMENT_1                                                                                                               \
	"CREATE TABLE document(collection TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY(collection, key)) WITHOUT ROWID"
#define DOCUMENT                                                                                                                 \
	"CREATE TABLE document(id INTEGER PRIMARY KEY, collection TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, time INTEGER NOT NULL, UNIQUE(collection, key))"
#define IMAGE                                                                                                                    \
	"CREATE TABLE image(id INTEGER PRIMARY KEY, name TEXT NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE(name, part))"
#define EDGE_BLOCK "CREATE TABLE edge_block(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)"

/* steps[i] brings version i to i + 1. Never change a released step; add one, and add its result to `all` and `objects`. */
static const char *const steps[] = {
	EDGE ";" SKETCH ";" SOURCE ";" DAY ";" COUNTER ";" DOCUMENT_1 ";" JOURNAL,
	/* with rowids: without them, a search by key reads whole documents, some of them megabytes long, to compare their
	 * keys */
	"ALTER TABLE document RENAME TO document_before;" DOCUMENT
	";INSERT INTO document(collection, key, json, time) SELECT collection, key, json, time FROM document_before ORDER BY collection, key;"
	"DROP TABLE document_before;" IMAGE,
	/* edges in blocks: the rows of table edge are read until a commit moves them; see core/ledger/sqlite/runs.h */
	EDGE_BLOCK,
};
/* The result of all steps, without what one of them undoes of another. */
static const char all[] = EDGE ";" SKETCH ";" SOURCE ";" DAY ";" COUNTER ";" JOURNAL ";" DOCUMENT ";" IMAGE ";" EDGE_BLOCK;
enum { SCHEMA = sizeof steps / sizeof *steps, READABLE = 2, CHECK_BYTES = 8 << 20, CHECK_MS = 600000 };

/* Tables that are created if missing when a ledger is opened for writing: an older ledger can be read without them. */
#define LATER(T)                                                                                                                                               \
	T("content",                                                                                                                                           \
	  "(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, lines INTEGER NOT NULL, path TEXT, marks BLOB NOT NULL, tail BLOB NOT NULL, checks BLOB NOT NULL)") \
	T("conversation",                                                                                                                                      \
	  "(day INTEGER NOT NULL, part INTEGER NOT NULL, rows BLOB NOT NULL, PRIMARY KEY(day, part)) WITHOUT ROWID")                                           \
	T("open_edge", "(key BLOB PRIMARY KEY, value BLOB NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID")                                                      \
	T("open_flow", "(page INTEGER PRIMARY KEY, rows BLOB NOT NULL)")                                                                                       \
	T("fact", "(key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")                                                                                 \
	T("chain", "(seq INTEGER PRIMARY KEY, hash BLOB NOT NULL)")                                                                                            \
	T("sent", "(kind INTEGER NOT NULL, key BLOB NOT NULL, hash INTEGER NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID")                                   \
	T("unsent", "(kind INTEGER NOT NULL, part BLOB NOT NULL, stamp INTEGER NOT NULL, PRIMARY KEY(kind, part)) WITHOUT ROWID")
#define CREATE_LATER(name, columns) "CREATE TABLE IF NOT EXISTS " name columns ";"
static const char later[] = LATER(CREATE_LATER);

/* What sqlite_master holds in the versions `since` to `until`: SQLite keeps the text of CREATE TABLE as it was given, without IF
 * NOT EXISTS. The index of a UNIQUE has no text. */
static const struct object { const char *type, *name, *table, *sql; int since, until; bool required; } objects[] = {
#define TABLE(name, sql, since, until) {"table", name, name, sql, since, until, true}
#define INDEX_OF(table, since)         {"index", "sqlite_autoindex_" table "_1", table, NULL, since, SCHEMA, true}
#define OPTIONAL(name, columns)        {"table", name, name, "CREATE TABLE " name columns, 1, SCHEMA, false},
	TABLE("edge", EDGE, 1, SCHEMA),
	TABLE("sketch", SKETCH, 1, SCHEMA),
	TABLE("source", SOURCE, 1, SCHEMA),
	TABLE("day", DAY, 1, SCHEMA),
	TABLE("counter", COUNTER, 1, SCHEMA),
	TABLE("journal", JOURNAL, 1, SCHEMA),
	TABLE("sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)", 1, SCHEMA), /* of AUTOINCREMENT */
	TABLE("document", DOCUMENT_1, 1, 1),
	TABLE("document", DOCUMENT, 2, SCHEMA),
	INDEX_OF("document", 2),
	TABLE("image", IMAGE, 2, SCHEMA),
	INDEX_OF("image", 2),
	TABLE("edge_block", EDGE_BLOCK, 3, SCHEMA),
	LATER(OPTIONAL)
	/* ANALYZE creates these */
	{"table", "sqlite_stat1", "sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)", 0, SCHEMA, false},
	{"table", "sqlite_stat4", "sqlite_stat4", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)", 0, SCHEMA, false},
};
enum { OBJECTS = sizeof objects / sizeof *objects };

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

static int unknown_object(struct wh_state *s, const char *type, const char *name, struct wh_error *err)
{
	return wh_fail(
		err, -EBADMSG,
		"%s: is not opened: its %.20s '%.60s' is not as whittle makes it, because another program changed the ledger. `whittle restore-backup FILE` puts an earlier copy in its place",
		s->path, type ? type : "object", name ? name : "?");
}

static bool is_text(sqlite3_stmt *row, int column, const char *text_or_null)
{
	if (!text_or_null)
		return sqlite3_column_type(row, column) == SQLITE_NULL;
	size_t len = strlen(text_or_null);
	return sqlite3_column_type(row, column) == SQLITE_TEXT && (size_t)sqlite3_column_bytes(row, column) == len &&
	       !memcmp(sqlite3_column_text(row, column), text_or_null, len);
}

/* The object of this version that the row of sqlite_master describes; OBJECTS: none. */
static size_t object_of(sqlite3_stmt *row, int version)
{
	size_t i = 0;
	for (; i < OBJECTS; i++) {
		const struct object *o = &objects[i];
		if (o->since <= version && version <= o->until && is_text(row, 0, o->type) && is_text(row, 1, o->name) &&
		    is_text(row, 2, o->table) && is_text(row, 3, o->sql))
			break;
	}
	return i;
}

static int compare_rows(struct wh_state *s, sqlite3_stmt *rows, int version, struct wh_error *err)
{
	bool has[OBJECTS + 1] = {false};
	int step, n_seen = 0;
	while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
		size_t at = object_of(rows, version);
		n_seen++;
		if (at < OBJECTS && !has[at]) {
			has[at] = true;
			continue;
		}
		if (n_seen == 1 && sqlite3_column_type(rows, 1) == SQLITE_TEXT && s->foreign)
			return wh_fail(err, -EBADMSG, "%s: is a database of another program, not a ledger", s->path);
		return unknown_object(s, (const char *)sqlite3_column_text(rows, 0), (const char *)sqlite3_column_text(rows, 1),
		                      err);
	}
	if (step != SQLITE_DONE)
		return wh_sql_fail(s, "read", err);
	for (size_t i = 0; i < OBJECTS; i++)
		if (objects[i].required && objects[i].since <= version && version <= objects[i].until && !has[i])
			return wh_fail(
				err, -EBADMSG,
				"%s: is not opened: some of its tables are missing; `whittle restore-backup FILE` puts an earlier copy in its place",
				s->path);
	return 0;
}

static int compare(struct wh_state *s, int version, struct wh_error *err)
{
	sqlite3_stmt *rows = NULL;
	int64_t ours = 0;
	int rc = ask(
		s,
		"SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND name IN ('edge', 'sketch', 'document', 'journal')",
		&ours, err);
	s->foreign = ours < 4;
	if (!rc &&
	    sqlite3_prepare_v2(s->db, "SELECT type, name, tbl_name, sql FROM main.sqlite_master", -1, &rows, NULL) != SQLITE_OK)
		rc = wh_sql_fail(s, "read", err);
	rc = rc ? rc : compare_rows(s, rows, version, err);
	sqlite3_finalize(rows);
	return rc;
}

/* ---- opening ---- */

/* SQLite answers this one with "busy" at once, despite any busy timeout, while another process creates the ledger, too. */
static int write_ahead(struct wh_state *s, struct wh_error *err)
{
	int64_t until = wh_monotonic_us() + s->patience_ms * INT64_C(1000);
	while (sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK) {
		if ((sqlite3_errcode(s->db) & 0xff) != SQLITE_BUSY || wh_monotonic_us() > until)
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
		rc = wh_fail(err, -EBADMSG, "%s: is a database of another program, not a ledger", s->path);
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
		                         "%s: the ledger is of an older whittle: the next `whittle ingest` or `whittle recommend` brings it up to date",
		                         s->path)
		               : wh_fail(err, -ENODATA, "%s: there is no ledger yet: `whittle ingest` makes one", s->path);
	rc = write_ahead(s, err);
	rc = rc ? rc : migrate(s, err);
	return rc ? rc : compare(s, SCHEMA, err);
}
