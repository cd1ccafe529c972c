/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Documents of the other rooms. Reads are bounded, whoever wrote the documents: the size of one document, of all documents of a
 * collection together, and the order of keys, which a crafted tree can't keep up without end.
 */
#include <stdlib.h>
#include "state/sqlite.h"
#include "whittle/state_revision.h"

enum { MAX_KEY = 4096, MAX_COLLECTION = 128 << 20 };

static int too_large(struct wh_state *s, const char *collection, struct wh_error *err)
{
	return wh_fail(err, -EFBIG,
	               "%s: the ledger can't be read: its documents of the kind '%.40s' are larger than any that whittle writes",
	               s->path, collection);
}

int wh_state_put(struct wh_state *s, const char *collection, const char *key, const char *json, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_prepared(s, &s->st[ST_PUT], wh_state_sql[ST_PUT], "written", err);
	if (!st)
		return -EIO;
	if (strlen(json) > WH_STATE_MAX_TEXT || strlen(key) > MAX_KEY)
		return wh_fail(err, -EFBIG, "%s: a document of %zu bytes is larger than the ledger takes (%d)", s->path,
		               strlen(json), WH_STATE_MAX_TEXT);
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, json, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, wh_now_us());
	return wh_sql_revise(s, st, err);
}

int wh_state_put_json(struct wh_state *s, const char *collection, const char *key, json_t *doc, struct wh_error *err)
{
	char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int rc = text ? wh_state_put(s, collection, key, text, err) : wh_fail(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(doc);
	return rc;
}

int wh_state_get(struct wh_state *s, const char *collection, const char *key, char **json, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_prepared(s, &s->st[ST_GET], wh_state_sql[ST_GET], "read", err);
	*json = NULL;
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
	int step = sqlite3_step(st), rc = 0;
	if (step == SQLITE_ROW) {
		const char *text;
		if (sqlite3_column_bytes(st, 0) > WH_STATE_MAX_TEXT)
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

int wh_state_delete(struct wh_state *s, const char *collection, const char *key, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_prepared(s, &s->st[ST_DELETE], wh_state_sql[ST_DELETE], "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, key, -1, SQLITE_STATIC);
	return wh_sql_revise(s, st, err);
}

int wh_state_revision(struct wh_state *s, int64_t *out, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_prepared(s, &s->st[ST_REVISION], wh_state_sql[ST_REVISION], "read", err);
	*out = 0;
	if (!st)
		return -EIO;
	int step = sqlite3_step(st), rc = 0;
	if (step == SQLITE_ROW)
		rc = wh_sql_number(st, 0, out) ? 0 : wh_sql_damaged(s, err);
	else if (step != SQLITE_DONE)
		rc = wh_sql_fail(s, "read", err);
	sqlite3_reset(st);
	return rc;
}

int wh_state_each(struct wh_state *s, const char *collection, wh_doc_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st;
	char before[MAX_KEY + 1] = "";
	bool any = false;
	int64_t bytes = 0;
	int step = SQLITE_DONE, rc = 0;
	wh_sql_patience(s);
	if (sqlite3_prepare_v2(s->db, wh_state_sql[ST_EACH], -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	sqlite3_bind_text(st, 1, collection, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *key, *json;
		bytes += sqlite3_column_bytes(st, 1) + 64;
		s->rows++;
		if (bytes > MAX_COLLECTION || sqlite3_column_bytes(st, 1) > WH_STATE_MAX_TEXT)
			rc = too_large(s, collection, err);
		else if (!wh_sql_text(st, 0, &key) || strlen(key) > MAX_KEY || (any && strcmp(before, key) >= 0) ||
		         !wh_sql_text(st, 1, &json))
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
