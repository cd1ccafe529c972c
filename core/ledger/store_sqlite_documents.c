/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Documents of the other rooms, and the journal of what was done. Both are bounded when they are read, whoever wrote them: a document, all
 * documents of a collection together, and the order of keys and numbers, which a crafted tree can't keep up without end.
 */
#include "ledger/store_sqlite.h"

enum { MAX_KEY = 4096, MAX_COLLECTION = 128 << 20 };

/* ---- documents and the journal ---- */

static int too_large(struct wh_store *s, const char *collection, struct wh_error *err)
{
	return wh_fail(err, -EFBIG, "%s: the ledger can't be read: its documents of the kind '%.40s' are larger than any that whittle writes", s->path, collection);
}

int wh_store_put(struct wh_store *s, const char *collection, const char *key, const char *json, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_PUT, "written", err);
	if (!st)
		return -EIO;
	if (strlen(json) > WH_STORE_MAX_TEXT || strlen(key) > MAX_KEY)
		return wh_fail(err, -EFBIG, "%s: a document of %zu bytes is larger than the ledger takes (%d)", s->path, strlen(json), WH_STORE_MAX_TEXT);
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, json, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, wh_now_us());
	return wh_sql_run(s, st, "written", err);
}

int wh_store_get(struct wh_store *s, const char *collection, const char *key, char **json, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_GET, "read", err);
	*json = NULL;
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
	int step = sqlite3_step(st), rc = 0;
	if (step == SQLITE_ROW) {
		const char *text;
		if (sqlite3_column_bytes(st, 0) > WH_STORE_MAX_TEXT)
			rc = too_large(s, collection, err);
		else if (!wh_sql_text(st, 0, &text))
			rc = wh_sql_damaged(s, err);
		else if (!(*json = strdup(text)))
			rc = wh_fail(err, -ENOMEM, "out of memory");
	} else if (step != SQLITE_DONE) {
		rc = wh_sql_fail(s, "read", err);
	}
	sqlite3_reset(st);
	return rc;
}

int wh_store_delete(struct wh_store *s, const char *collection, const char *key, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_DELETE, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
	return wh_sql_run(s, st, "written", err);
}

int wh_store_each(struct wh_store *s, const char *collection, wh_doc_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st;
	char before[MAX_KEY + 1] = "";
	bool any = false;
	int64_t bytes = 0;
	int step = SQLITE_DONE, rc = 0;
	wh_sql_patience(s);
	if (sqlite3_prepare_v2(s->db, wh_sql[ST_EACH], -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *key, *json;
		bytes += sqlite3_column_bytes(st, 1) + 64;
		s->rows++;
		if (bytes > MAX_COLLECTION || sqlite3_column_bytes(st, 1) > WH_STORE_MAX_TEXT)
			rc = too_large(s, collection, err);
		else if (!wh_sql_text(st, 0, &key) || strlen(key) > MAX_KEY || (any && strcmp(before, key) >= 0) || !wh_sql_text(st, 1, &json))
			rc = wh_sql_damaged(s, err);
		else
			strcpy(before, key), rc = each(arg, key, json);
		any = true;
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s, "read", err);
	sqlite3_finalize(st);
	return rc;
}

int wh_store_log(struct wh_store *s, const char *who, const char *what, const char *json, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_LOG, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, wh_now_us());
	sqlite3_bind_text(st, 2, who, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, what, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, json, -1, SQLITE_STATIC);
	return wh_sql_run(s, st, "written", err);
}

int wh_store_log_each(struct wh_store *s, const char *what, wh_log_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st;
	int64_t before = 0;
	int step = SQLITE_DONE, rc = 0;
	wh_sql_patience(s);
	if (sqlite3_prepare_v2(s->db, wh_sql[ST_LOG_EACH], -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	if (what)
		sqlite3_bind_text(st, 1, what, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *who, *kind, *json;
		int64_t seq, time_us;
		s->rows++;
		if (!wh_sql_number(st, 0, &seq) || seq <= before || !wh_sql_number(st, 1, &time_us) || !wh_sql_text(st, 2, &who) || !wh_sql_text(st, 3, &kind) ||
		    !wh_sql_text(st, 4, &json))
			rc = wh_sql_damaged(s, err);
		else
			rc = each(arg, seq, time_us, who, kind, json);
		before = seq;
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s, "read", err);
	sqlite3_finalize(st);
	return rc;
}
