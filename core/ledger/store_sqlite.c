/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger in one SQLite file, write-ahead logged. The file is its owner's, who may be hostile: see store_sqlite_guard.c.
 *
 * Edges are rows (key, value) of a WITHOUT ROWID table, so that a scan in key order is a walk along the B-tree's leaves, and are
 * added by one prepared upsert whose conflict clause merges in C (function wh_merge). An edge is decoded with every check: a
 * damaged or hostile file gives an error, never a crash.
 */
#include "base/store_url.h"
#include "ledger/store_sqlite.h"

enum { BUSY_MS = 20000, HASTY_MS = 1000 };

const char *const wh_sql[ST_N] = {
	[ST_EDGE] = "INSERT INTO edge VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = wh_merge(value, excluded.value)",
	[ST_EDGE_MORE] = "UPDATE edge SET value = wh_merge(value, ?2) WHERE key = ?1",
	[ST_EDGE_DROP] = "DELETE FROM edge WHERE key = ?1",
	[ST_SKETCH] = "INSERT INTO sketch VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = wh_merge_sketch(value, excluded.value)",
	[ST_SOURCE] = "INSERT INTO source VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(identity) DO UPDATE SET path = ?2, offset = ?3, line = ?4, time = ?5",
	[ST_SOURCE_BOUND] = "DELETE FROM source WHERE identity LIKE 'c:%' AND time < (SELECT time FROM source WHERE identity LIKE 'c:%' ORDER BY time DESC LIMIT 1 OFFSET 4095)",
	[ST_SOURCE_FORGET] = "DELETE FROM source WHERE identity = ?1",
	[ST_DAY] = "INSERT INTO day VALUES(?1, ?2) ON CONFLICT(day) DO UPDATE SET flows = flows + ?2",
	[ST_COUNTER] = "INSERT INTO counter VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = value + ?2",
	[ST_PROGRESS] = "SELECT offset, line FROM source WHERE identity = ?1",
	[ST_PUT] = "INSERT INTO document VALUES(?1, ?2, ?3, ?4) ON CONFLICT(collection, key) DO UPDATE SET json = ?3, time = ?4",
	[ST_GET] = "SELECT json FROM document WHERE collection = ?1 AND key = ?2",
	[ST_DELETE] = "DELETE FROM document WHERE collection = ?1 AND key = ?2",
	[ST_EACH] = "SELECT key, json FROM document WHERE collection = ?1 ORDER BY key",
	[ST_LOG] = "INSERT INTO journal(time, who, what, json) VALUES(?1, ?2, ?3, ?4)",
	[ST_LOG_EACH] = "SELECT seq, time, who, what, json FROM journal WHERE ?1 IS NULL OR what = ?1 ORDER BY seq",
	[ST_SCAN] = "SELECT 1 FROM edge WHERE key >= ?1 AND wh_scan(key, value) ORDER BY key",
	[ST_SKETCHES] = "SELECT key, value FROM sketch ORDER BY key",
	[ST_NEXT_LOCAL] = "SELECT key FROM edge WHERE key > ?1 ORDER BY key LIMIT 1",
	[ST_DAYS] = "SELECT day, flows FROM day ORDER BY day",
	[ST_COUNTERS] = "SELECT name, value FROM counter ORDER BY name",
	[ST_COUNT_EDGES] = "SELECT count(*) FROM edge WHERE key > x''", /* without a condition SQLite counts pages, and can't be interrupted */
	[ST_CONTENT_KEY] = "SELECT lines, marks FROM content WHERE id = 0",
	[ST_CONTENT_NEW_KEY] = "INSERT OR IGNORE INTO content VALUES(0, 0, 0, NULL, ?1, x'', x'')",
	[ST_CONTENT_GENERATION] = "UPDATE content SET lines = ?1 WHERE id = 0",
	[ST_CONTENTS] = "SELECT id, lines, marks, tail FROM content WHERE id > 0 ORDER BY id",
	[ST_CONTENT] = "SELECT id, lines, marks, tail, checks FROM content WHERE id = ?1 AND id > 0",
	[ST_CONTENT_PUT] = "INSERT OR REPLACE INTO content VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[ST_CONTENT_SIZE] = "SELECT count(*), ifnull(sum(lines), 0) FROM content WHERE id > 0",
	[ST_CONVERSATIONS] = "SELECT rows FROM conversation WHERE day = ?1 ORDER BY part",
	[ST_CONVERSATION_PUT] = "INSERT INTO conversation VALUES(?1, (SELECT ifnull(max(part), 0) + 1 FROM conversation WHERE day = ?1), ?2)",
	[ST_CONVERSATION_AGE] = "DELETE FROM conversation WHERE day <= (SELECT max(day) FROM conversation) - ?1",
	[ST_CONVERSATION_SIZE] = "SELECT ifnull(sum(length(rows)), 0), count(DISTINCT day) FROM conversation",
	[ST_CONVERSATION_FORGET] = "DELETE FROM conversation WHERE day = (SELECT min(day) FROM conversation)",
	[ST_CONTENT_FORGET] = "DELETE FROM content WHERE id IN (SELECT id FROM content WHERE id > 0 ORDER BY time LIMIT ?1)",
};

/* ---- errors ---- */

int wh_sql_fail(struct wh_store *s, const char *doing, struct wh_error *err)
{
	int code = sqlite3_errcode(s->db), primary = code & 0xff;
	const char *why = sqlite3_errmsg(s->db);
	int rc = -EIO;
	switch (primary) {
	case SQLITE_BUSY: case SQLITE_LOCKED: rc = -EBUSY; why = "another process has held its lock for too long"; break;
	case SQLITE_FULL: rc = -ENOSPC; why = "the disk is full"; break;
	case SQLITE_READONLY: case SQLITE_PERM: rc = -EROFS; why = "it is read-only"; break;
	case SQLITE_INTERRUPT: rc = -ETIMEDOUT; why = "it takes far too long: it is damaged, or somebody made it so"; break;
	case SQLITE_TOOBIG: rc = -EFBIG; why = "a row is larger than any that whittle writes"; break;
	case SQLITE_AUTH: rc = -EBADMSG; why = "it asks for what whittle does not"; break;
	case SQLITE_CORRUPT: case SQLITE_NOTADB: rc = -EBADMSG; why = "it is damaged, or no ledger"; break;
	case SQLITE_CANTOPEN: rc = -ENOENT; break;
	case SQLITE_NOMEM: rc = -ENOMEM; break;
	case SQLITE_IOERR: if (sqlite3_system_errno(s->db) == ENOSPC) { rc = -ENOSPC; why = "the disk is full"; } break;
	}
	return wh_fail(err, rc, "%s: the ledger can't be %s: %s", s->path, doing, why);
}

sqlite3_stmt *wh_sql_use(struct wh_store *s, enum statement which, const char *doing, struct wh_error *err)
{
	if (!s->st[which] && sqlite3_prepare_v3(s->db, wh_sql[which], -1, SQLITE_PREPARE_PERSISTENT, &s->st[which], NULL) != SQLITE_OK) {
		wh_sql_fail(s, doing, err);
		return NULL;
	}
	sqlite3_reset(s->st[which]);
	wh_sql_patience(s);
	return s->st[which];
}

int wh_sql_run(struct wh_store *s, sqlite3_stmt *st, const char *doing, struct wh_error *err)
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

int wh_sql_exec(struct wh_store *s, const char *text, const char *doing, struct wh_error *err)
{
	wh_sql_patience(s);
	return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : wh_sql_fail(s, doing, err);
}

int wh_sql_damaged(struct wh_store *s, struct wh_error *err)
{
	return wh_fail(err, -EBADMSG, "%s: the ledger can't be read: a row is damaged", s->path);
}

/* ---- opening ---- */

int wh_store_open(const char *url, int flags, struct wh_store **out, struct wh_error *err)
{
	struct wh_store *s = calloc(1, sizeof *s);
	int rc;
	*out = NULL;
	if (!s)
		return wh_fail(err, -ENOMEM, "out of memory");
	if (!wh_store_is_file(url)) {
		free(s);
		return wh_fail_input(err, -EINVAL, "'%s': this build knows only ledgers in a file (PATH or sqlite:PATH)", url);
	}
	url = wh_store_path(url);
	s->path = strdup(url);
	s->write = flags != WH_STORE_READ;
	if ((rc = wh_sql_find_file(url, flags, &s->file, err))) {
		wh_store_close(s);
		return rc;
	}
	if (sqlite3_open_v2(s->file, &s->db, (s->write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, "unix") !=
	    SQLITE_OK) {
		rc = wh_sql_fail(s, "opened", err);
		wh_store_close(s);
		return rc;
	}
	sqlite3_extended_result_codes(s->db, 1);
	s->hasty = flags == WH_STORE_JOURNAL;
	s->patience_ms = s->hasty ? HASTY_MS : BUSY_MS;
	sqlite3_busy_timeout(s->db, s->patience_ms);
	wh_sql_define_merge(s);
	wh_sql_define_scan(s);
	rc = wh_sql_guard(s, err);
	if (!rc) /* a scan comes by each page once: none needs keeping */
		rc = wh_sql_exec(s, s->write ? "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192" : "PRAGMA cache_size = -2048", "opened", err);
	if (!rc)
		rc = wh_sql_prepare_schema(s, err);
	if (!rc)
		wh_sql_close_schema(s);
	if (rc) {
		wh_store_close(s);
		return rc;
	}
	*out = s;
	return 0;
}

int wh_store_again(const struct wh_store *s, struct wh_store **out, struct wh_error *err)
{
	return wh_store_open(s->path, WH_STORE_READ, out, err);
}

void wh_store_close(struct wh_store *s)
{
	if (!s)
		return;
	for (int i = 0; i < ST_N; i++)
		sqlite3_finalize(s->st[i]);
	sqlite3_close(s->db);
	free(s->file);
	free(s->path);
	free(s);
}

void wh_store_patience(struct wh_store *s, int milliseconds)
{
	sqlite3_busy_timeout(s->db, milliseconds);
}

void wh_store_settle(struct wh_store *s)
{
	wh_sql_patience(s);
	sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

/* ---- transactions ---- */

int wh_store_begin(struct wh_store *s, struct wh_error *err)
{
	int rc = wh_sql_exec(s, "BEGIN IMMEDIATE", "written", err);
	s->in_transaction = !rc;
	return rc;
}

int wh_store_end(struct wh_store *s, bool commit, struct wh_error *err)
{
	int rc = wh_sql_exec(s, commit ? "COMMIT" : "ROLLBACK", "written", err);
	if (rc && commit)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->in_transaction = false;
	return rc;
}
