/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal of whittle's actions. Its numbers must ascend while it is read: a crafted tree can't keep that up without end. */
#include "state/sqlite.h"

static bool logged;

bool wh_state_logged(void)
{
	return logged;
}

/* Call it within a transaction. */
static int insert(struct wh_state *s, struct wh_journal_entry *e, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_prepared(s, &s->st[ST_LOG], wh_state_sql[ST_LOG], "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, e->time_us);
	sqlite3_bind_text(st, 2, e->who, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, e->what, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, e->json, -1, SQLITE_STATIC);
	int rc = wh_sql_revise(s, st, err);
	e->seq = sqlite3_last_insert_rowid(s->db);
	return rc ? rc : wh_sql_chain(s, e, err);
}

int wh_state_log(struct wh_state *s, const char *who, const char *what, const char *json, struct wh_error *err)
{
	struct wh_journal_entry e = {.time_us = wh_now_us(), .who = who, .what = what, .json = json};
	const bool own = sqlite3_get_autocommit(s->db);
	int rc = own ? wh_state_begin(s, err) : 0;
	if (rc)
		return rc;
	rc = insert(s, &e, err);
	logged |= !rc;
	return own ? wh_state_finish(s, rc, err) : rc;
}

int wh_state_log_each(struct wh_state *s, const char *what, wh_log_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st;
	int64_t before = 0;
	int step = SQLITE_DONE, rc = 0;
	wh_sql_patience(s);
	if (sqlite3_prepare_v2(s->db, wh_state_sql[ST_LOG_EACH], -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s, "read", err);
	if (what)
		sqlite3_bind_text(st, 1, what, -1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *who, *kind, *json;
		int64_t seq, time_us;
		s->rows++;
		if (!wh_sql_number(st, 0, &seq) || seq <= before || !wh_sql_number(st, 1, &time_us) ||
		    !wh_sql_text(st, 2, &who) || !wh_sql_text(st, 3, &kind) || !wh_sql_text(st, 4, &json))
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
