/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents of the other rooms, and the journal of what was done. */
#include "ledger/store_sqlite.h"

/* ---- documents and the journal ---- */

int wh_store_put(struct wh_store *s, const char *collection, const char *key, const char *json, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_PUT, "written", err);
	if (!st)
		return -EIO;
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
		const char *text = (const char *)sqlite3_column_text(st, 0);
		*json = strdup(text ? text : "");
		if (!*json)
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
	int step, rc = 0;
	if (sqlite3_prepare_v2(s->db, wh_sql[ST_EACH], -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(st, 0), *json = (const char *)sqlite3_column_text(st, 1);
		rc = each(arg, key ? key : "", json ? json : "");
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
	int step, rc = 0;
	if (sqlite3_prepare_v2(s->db, wh_sql[ST_LOG_EACH], -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	if (what)
		sqlite3_bind_text(st, 1, what, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW)
		rc = each(arg, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1), (const char *)sqlite3_column_text(st, 2),
		          (const char *)sqlite3_column_text(st, 3), (const char *)sqlite3_column_text(st, 4));
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s, "read", err);
	sqlite3_finalize(st);
	return rc;
}
