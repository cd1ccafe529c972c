/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sensors' conversations (conversations.h): table `conversation`, for each day as many parts as there were
 * commits. */
#include <endian.h>
#include "ledger/sqlite/sqlite_store.h"

enum { ROW = 16, PART = 4096, MOST_DAYS = 64 };
#define MOST_BYTES (INT64_C(256) << 20)

int wh_sqlite_conversations(struct wh_store *store, int32_t day, wh_conversation_cb each, void *arg, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	sqlite3_stmt *st = wh_sql_use(s, ST_CONVERSATIONS, "read", err);
	int step = SQLITE_DONE, rc = st ? sqlite3_bind_int(st, 1, day), 0 : -EIO;
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const uint8_t *rows = sqlite3_column_blob(st, 0);
		size_t n = (size_t)sqlite3_column_bytes(st, 0);
		if (n % ROW)
			rc = wh_sql_damaged(s->state, err);
		for (size_t i = 0; i + ROW <= n && !rc; i += ROW) {
			uint64_t v[2];
			memcpy(v, rows + i, ROW);
			rc = each(arg, &(struct wh_conversation){le64toh(v[0]), le64toh(v[1])});
		}
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s->state, "read", err);
	if (st)
		sqlite3_reset(st);
	return rc;
}

int wh_sql_conversations_put(struct sqlite_store *s, int32_t day, const struct wh_conversation *c, size_t n, struct wh_error *err)
{
	uint64_t rows[2 * PART];
	for (size_t from = 0, m; from < n; from += m) {
		sqlite3_stmt *st = wh_sql_use(s, ST_CONVERSATION_PUT, "written", err);
		if (!st)
			return -EIO;
		for (m = 0; m < PART && from + m < n; m++) {
			rows[2 * m] = htole64(c[from + m].ends);
			rows[2 * m + 1] = htole64(c[from + m].when);
		}
		sqlite3_bind_int(st, 1, day);
		sqlite3_bind_blob(st, 2, rows, (int)(m * ROW), SQLITE_STATIC);
		int rc = wh_sql_run(s->state, st, "written", err);
		if (rc)
			return rc;
	}
	return 0;
}

int wh_sql_conversations_bound(struct sqlite_store *s, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_CONVERSATION_AGE, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int(st, 1, MOST_DAYS);
	int rc = wh_sql_run(s->state, st, "written", err);
	for (bool over = true; !rc && over;) {
		if (!(st = wh_sql_use(s, ST_CONVERSATION_SIZE, "read", err)))
			return -EIO;
		over = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int64(st, 0) > MOST_BYTES &&
		       sqlite3_column_int64(st, 1) > 1;
		sqlite3_reset(st);
		if (over && !(st = wh_sql_use(s, ST_CONVERSATION_FORGET, "written", err)))
			return -EIO;
		rc = over ? wh_sql_run(s->state, st, "written", err) : 0;
	}
	return rc;
}
