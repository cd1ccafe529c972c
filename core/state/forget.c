/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/forget.h"
#include "state/sqlite.h"

enum { OVERWRITE_MS = 1800000 };

int wh_state_all(struct wh_state *s, wh_any_doc_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st;
	int step = SQLITE_DONE, rc = 0;
	int64_t before = INT64_MIN;
	wh_sql_patience(s);
	if (sqlite3_prepare_v2(s->db, "SELECT id, collection, key, json FROM document ORDER BY id", -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *collection, *key, *json;
		int64_t id;
		s->rows++;
		if (!wh_sql_number(st, 0, &id) || id <= before || !wh_sql_text(st, 1, &collection) || !wh_sql_text(st, 2, &key) ||
		    !wh_sql_text(st, 3, &json))
			rc = wh_sql_damaged(s, err);
		else
			rc = each(arg, collection, key, json);
		before = id;
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s, "read", err);
	sqlite3_finalize(st);
	return rc;
}

/* VACUUM attaches a database of its own, which is otherwise forbidden; it runs no statement of the file. */
int wh_state_overwrite(struct wh_state *s, bool *busy, struct wh_error *err)
{
	const int attached = sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 1);
	sqlite3_set_authorizer(s->db, NULL, NULL);
	wh_sql_patience(s);
	s->deadline_ms += OVERWRITE_MS;
	int rc = sqlite3_exec(s->db, "VACUUM", NULL, NULL, NULL) == SQLITE_OK ? 0 : wh_sql_fail(s, "written", err);
	wh_sql_close_schema(s);
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, attached);
	wh_sql_patience(s);
	*busy = !rc && sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK;
	return rc;
}
