/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state/sent.h"
#include "state/sqlite.h"

enum { MARK, MARKS, UNMARK, PUT, DROP, WALK, STATEMENTS };
static const char *const texts[STATEMENTS] = {
	[MARK] = "INSERT OR REPLACE INTO unsent VALUES(?1, ?2, random())",
	[MARKS] = "SELECT kind, part, stamp FROM unsent ORDER BY kind, part",
	[UNMARK] = "DELETE FROM unsent WHERE kind = ?1 AND part = ?2 AND stamp = ?3",
	[PUT] = "INSERT OR REPLACE INTO sent VALUES(?1, ?2, ?3)",
	[DROP] = "DELETE FROM sent WHERE kind = ?1 AND key = ?2",
	[WALK] = "SELECT key, hash FROM sent WHERE kind = ?1 AND key >= ?2 ORDER BY key",
};

struct wh_sent {
	struct wh_state *s;
	sqlite3_stmt *st[STATEMENTS];
	uint8_t prefix[WH_SENT_KEY_MAX]; size_t prefix_len;  /* of the iteration */
};

int wh_sent_open(struct wh_state *s, struct wh_sent **out, struct wh_error *err)
{
	if (!(*out = calloc(1, sizeof **out)))
		return wh_fail(err, -ENOMEM, "out of memory");
	(*out)->s = s;
	return 0;
}

void wh_sent_close(struct wh_sent *t)
{
	for (int i = 0; t && i < STATEMENTS; i++)
		sqlite3_finalize(t->st[i]);
	free(t);
}

/* The statement with its first two parameters bound. */
static sqlite3_stmt *use(struct wh_sent *t, int which, unsigned kind, const void *bytes, size_t len, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_prepared(t->s, &t->st[which], texts[which], which == WALK ? "read" : "written", err);
	if (!st)
		return NULL;
	sqlite3_bind_int(st, 1, (int)kind);
	sqlite3_bind_blob(st, 2, len ? bytes : "", (int)len, SQLITE_TRANSIENT);
	return st;
}

int wh_sent_mark(struct wh_sent *t, unsigned kind, const void *part, size_t len, struct wh_error *err)
{
	sqlite3_stmt *st = use(t, MARK, kind, part, len, err);
	return st ? wh_sql_run(t->s, st, "written", err) : -EIO;
}

int wh_sent_unmark(struct wh_sent *t, unsigned kind, const void *part, size_t len, int64_t stamp, struct wh_error *err)
{
	sqlite3_stmt *st = use(t, UNMARK, kind, part, len, err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 3, stamp);
	return wh_sql_run(t->s, st, "written", err);
}

/* A column's bytes; it may have none. */
static bool bytes_of(sqlite3_stmt *st, int column, const uint8_t **p, size_t *len)
{
	*p = sqlite3_column_blob(st, column);
	*len = (size_t)sqlite3_column_bytes(st, column);
	return sqlite3_column_type(st, column) == SQLITE_BLOB && *len <= WH_SENT_KEY_MAX;
}

int wh_sent_marks(struct wh_sent *t, wh_unsent_cb each, void *arg, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_prepared(t->s, &t->st[MARKS], texts[MARKS], "read", err);
	int step = SQLITE_DONE, rc = st ? 0 : -EIO;
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const uint8_t *part;
		size_t len;
		int64_t kind, stamp;
		t->s->rows++;
		if (!wh_sql_number(st, 0, &kind) || kind < 0 || kind > 255 || !bytes_of(st, 1, &part, &len) ||
		    !wh_sql_number(st, 2, &stamp))
			rc = wh_sql_damaged(t->s, err);
		else
			rc = each(arg, (unsigned)kind, part, len, stamp);
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(t->s, "read", err);
	if (st)
		sqlite3_reset(st);
	return rc;
}

int wh_sent_put(struct wh_sent *t, unsigned kind, const void *key, size_t len, uint64_t hash, struct wh_error *err)
{
	sqlite3_stmt *st = use(t, PUT, kind, key, len, err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 3, (sqlite3_int64)hash);
	return wh_sql_run(t->s, st, "written", err);
}

int wh_sent_drop(struct wh_sent *t, unsigned kind, const void *key, size_t len, struct wh_error *err)
{
	sqlite3_stmt *st = use(t, DROP, kind, key, len, err);
	return st ? wh_sql_run(t->s, st, "written", err) : -EIO;
}

int wh_sent_walk(struct wh_sent *t, unsigned kind, const void *prefix, size_t len, struct wh_error *err)
{
	if (len)
		memcpy(t->prefix, prefix, len);
	t->prefix_len = len;
	return use(t, WALK, kind, prefix, len, err) ? 0 : -EIO;
}

int wh_sent_next(struct wh_sent *t, struct wh_sent_row *row, struct wh_error *err)
{
	const uint8_t *key;
	int64_t hash;
	int step = sqlite3_step(t->st[WALK]);
	if (step != SQLITE_ROW) {
		sqlite3_reset(t->st[WALK]);
		return step == SQLITE_DONE ? 0 : wh_sql_fail(t->s, "read", err);
	}
	t->s->rows++;
	if (!bytes_of(t->st[WALK], 0, &key, &row->len) || !wh_sql_number(t->st[WALK], 1, &hash)) {
		sqlite3_reset(t->st[WALK]);
		return wh_sql_damaged(t->s, err);
	}
	if (row->len < t->prefix_len || (t->prefix_len && memcmp(key, t->prefix, t->prefix_len))) {
		sqlite3_reset(t->st[WALK]);
		return 0;
	}
	if (row->len)
		memcpy(row->key, key, row->len);
	row->hash = (uint64_t)hash;
	return 1;
}
