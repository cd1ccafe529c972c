/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One SQLite file with a write-ahead log: opening, errors, prepared statements, transactions. The file belongs to its owner, who
 * may be hostile: see guard.c. */
#include "state/sqlite.h"

enum { BUSY_MS = 20000, HASTY_MS = 1000 };

const char *const wh_state_sql[ST_STATE_N] = {
	[ST_PUT] =
		"INSERT INTO document(collection, key, json, time) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(collection, key) DO UPDATE SET json = ?3, time = ?4",
	[ST_GET] = "SELECT json FROM document WHERE collection = ?1 AND key = ?2",
	[ST_DELETE] = "DELETE FROM document WHERE collection = ?1 AND key = ?2",
	[ST_EACH] = "SELECT key, json FROM document WHERE collection = ?1 ORDER BY key",
	[ST_PUT_PART] = "INSERT INTO image(name, part, bytes) VALUES(?1, ?2, ?3)",
	[ST_LENGTH] = "SELECT sum(length(bytes)) FROM image WHERE name = ?1",
	[ST_GET_PARTS] = "SELECT part, bytes FROM image WHERE name = ?1 ORDER BY part",
	[ST_DELETE_PARTS] = "DELETE FROM image WHERE name = ?1",
	[ST_LOG] = "INSERT INTO journal(time, who, what, json) VALUES(?1, ?2, ?3, ?4)",
	[ST_CHAIN] = "INSERT INTO chain(seq, hash) VALUES(?1, ?2)",
	/* begins anywhere, so that another ledger in this one's place has another number */
	[ST_REVISED] =
		"INSERT INTO counter VALUES('documents', random() & 0x3fffffffffffffff) ON CONFLICT(name) DO UPDATE SET value = value + 1",
	[ST_REVISION] = "SELECT value FROM counter WHERE name = 'documents'",
	[ST_LOG_EACH] = "SELECT seq, time, who, what, json FROM journal WHERE ?1 IS NULL OR what = ?1 ORDER BY seq",
};

/* ---- errors ---- */

int wh_sql_fail(struct wh_state *s, const char *doing, struct wh_error *err)
{
	int code = sqlite3_errcode(s->db), primary = code & 0xff;
	const char *why = sqlite3_errmsg(s->db);
	int rc = -EIO;
	switch (primary) {
	case SQLITE_BUSY: case SQLITE_LOCKED: rc = -EBUSY; why = "another process has held its lock for too long"; break;
	case SQLITE_FULL: rc = -ENOSPC; why = "the disk is full, or the ledger far beyond ledger-size"; break;
	case SQLITE_READONLY: case SQLITE_PERM: rc = -EROFS; why = "it is read-only"; break;
	case SQLITE_INTERRUPT: rc = -ETIMEDOUT; why = "it takes far too long: it is damaged, or was prepared to take long"; break;
	case SQLITE_TOOBIG: rc = -EFBIG; why = "a row is larger than any that whittle writes"; break;
	case SQLITE_AUTH: rc = -EBADMSG; why = "it asks for what whittle does not"; break;
	case SQLITE_CORRUPT: case SQLITE_NOTADB: rc = -EBADMSG; why = "it is damaged, or no ledger"; break;
	case SQLITE_CANTOPEN: rc = -ENOENT; break;
	case SQLITE_NOMEM: rc = -ENOMEM; break;
	case SQLITE_IOERR:
		if (sqlite3_system_errno(s->db) == ENOSPC) { rc = -ENOSPC; why = "the disk is full"; }
		if (sqlite3_system_errno(s->db) == EFBIG) {
			rc = -EFBIG;
			why = "its file may not become larger (ulimit -f, LimitFSIZE=)";
		}
		break;
	}
	return wh_fail(err, rc, "%s: the ledger can't be %s: %s", s->path, doing, why);
}

sqlite3_stmt *wh_sql_prepared(struct wh_state *s, sqlite3_stmt **st, const char *text, const char *doing, struct wh_error *err)
{
	if (!*st && sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK) {
		wh_sql_fail(s, doing, err);
		return NULL;
	}
	sqlite3_reset(*st);
	wh_sql_patience(s);
	return *st;
}

int wh_sql_run(struct wh_state *s, sqlite3_stmt *st, const char *doing, struct wh_error *err)
{
	int rc = sqlite3_step(st);
	if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
		rc = wh_sql_fail(s, doing, err);
		sqlite3_reset(st);
		return rc;
	}
	sqlite3_reset(st);
	return 0;
}

int wh_sql_revise(struct wh_state *s, sqlite3_stmt *st, struct wh_error *err)
{
	const bool own = sqlite3_get_autocommit(s->db);
	int rc = own ? wh_state_begin(s, err) : 0;
	if (rc)
		return rc;
	rc = wh_sql_run(s, st, "written", err);
	if (!rc && sqlite3_changes(s->db)) {
		sqlite3_stmt *next = wh_sql_prepared(s, &s->st[ST_REVISED], wh_state_sql[ST_REVISED], "written", err);
		rc = next ? wh_sql_run(s, next, "written", err) : -EIO;
	}
	return own ? wh_state_finish(s, rc, err) : rc;
}

int wh_sql_exec(struct wh_state *s, const char *text, const char *doing, struct wh_error *err)
{
	wh_sql_patience(s);
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : wh_sql_fail(s, doing, err);
}

int wh_sql_damaged(struct wh_state *s, struct wh_error *err)
{
	return wh_fail(err, -EBADMSG, "%s: the ledger can't be read: a row is damaged", s->path);
}

int wh_sql_damaged_row(struct wh_state *s, const char *table, int64_t id, struct wh_error *err)
{
	return wh_fail(err, -EBADMSG, "%s: the ledger can't be read: a row is damaged: table %s, row %lld", s->path, table,
	               (long long)id);
}

/* ---- opening ---- */

int wh_state_open(const char *path, int flags, struct wh_state **out, struct wh_error *err)
{
	struct wh_state *s = calloc(1, sizeof *s);
	int rc;
	*out = NULL;
	if (!s)
		return wh_fail(err, -ENOMEM, "out of memory");
	s->path = strdup(path);
	s->write = flags != WH_STATE_READ;
	if ((rc = wh_sql_find_file(path, flags, &s->file, err))) {
		wh_state_close(s);
		return rc;
	}
	if (sqlite3_open_v2(s->file, &s->db,
	                    (s->write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX |
	                            SQLITE_OPEN_NOFOLLOW,
	                    "unix") != SQLITE_OK) {
		rc = wh_sql_fail(s, "opened", err);
		wh_state_close(s);
		return rc;
	}
	sqlite3_extended_result_codes(s->db, 1);
	s->hasty = flags == WH_STATE_JOURNAL;
	s->patience_ms = s->hasty ? HASTY_MS : BUSY_MS;
	sqlite3_busy_timeout(s->db, s->patience_ms);
	rc = wh_sql_guard(s, err);
	if (!rc) /* a scan, and writes in the order of keys, visit each page once: a small cache is enough */
		rc = wh_sql_exec(s, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2048", "opened", err);
	if (!rc)
		rc = wh_sql_prepare_schema(s, err);
	if (!rc)
		wh_sql_close_schema(s);
	if (rc) {
		wh_state_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

int wh_state_again(const struct wh_state *s, struct wh_state **out, struct wh_error *err)
{
	return wh_state_open(s->path, WH_STATE_READ, out, err);
}

void wh_state_close(struct wh_state *s)
{
	if (!s)
		return;
	for (int i = 0; i < ST_STATE_N; i++)
		sqlite3_finalize(s->st[i]);
	sqlite3_close(s->db);
	free(s->file);
	free(s->path);
	free(s);
}

void wh_state_patience(struct wh_state *s, int milliseconds)
{
	sqlite3_busy_timeout(s->db, milliseconds);
}

void wh_state_checkpoint(struct wh_state *s)
{
	wh_sql_patience(s);
	sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* ---- transactions ---- */

int wh_state_begin(struct wh_state *s, struct wh_error *err)
{
	int rc = s->depth ? 0 : wh_sql_exec(s, "BEGIN IMMEDIATE", "written", err);
	s->depth += !rc;
	return rc;
}

int wh_state_finish(struct wh_state *s, int rc, struct wh_error *err)
{
	int end = wh_state_end(s, !rc, rc ? NULL : err);
	return rc ? rc : end;
}

int wh_state_end(struct wh_state *s, bool commit, struct wh_error *err)
{
	if (--s->depth)
		return 0;
	int rc = wh_sql_exec(s, commit ? "COMMIT" : "ROLLBACK", "written", err);
	if (rc && commit)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}
