/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes by name, in parts of a few megabytes: a row is bounded, and has its place as a number. */
#include <stdlib.h>
#include <string.h>
#include "state/sqlite.h"

enum { PART = 4 << 20 };

static int remove_parts(struct wh_state *s, const char *name, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_prepared(s, &s->st[ST_DELETE_PARTS], wh_state_sql[ST_DELETE_PARTS], "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	return wh_sql_revise(s, st, err);
}

int wh_state_put_bytes(struct wh_state *s, const char *name, const uint8_t *bytes, size_t len, struct wh_error *err)
{
	int rc = remove_parts(s, name, err);
	if (!rc && len > WH_STATE_MAX_BYTES)
		return wh_fail(err, -EFBIG, "%s: %zu bytes are more than the ledger takes at once (%zu)", s->path, len,
		               WH_STATE_MAX_BYTES);
	for (size_t at = 0; bytes && at < len && !rc; at += PART) {
		sqlite3_stmt *st = wh_sql_prepared(s, &s->st[ST_PUT_PART], wh_state_sql[ST_PUT_PART], "written", err);
		if (!st)
			return -EIO;
		sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 2, (int64_t)(at / PART));
		sqlite3_bind_blob(st, 3, bytes + at, (int)(len - at < PART ? len - at : PART), SQLITE_STATIC);
		rc = wh_sql_revise(s, st, err);
	}
	return rc;
}

/* Allocates memory for all parts; none if there are no parts. */
static int make_room(struct wh_state *s, const char *name, uint8_t **bytes, size_t *room, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_prepared(s, &s->st[ST_LENGTH], wh_state_sql[ST_LENGTH], "read", err);
	int rc = 0;
	*room = 0;
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	int64_t length = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
	sqlite3_reset(st);
	if (length < 0 || length > (int64_t)WH_STATE_MAX_BYTES)
		rc = wh_sql_damaged(s, err);
	else if (length && !(*bytes = malloc((size_t)length)))
		rc = wh_fail(err, -ENOMEM, "out of memory");
	*room = rc ? 0 : (size_t)length;
	return rc;
}

/* Appends one part to those that were read. */
static int add_part(struct wh_state *s, sqlite3_stmt *st, int64_t number, uint8_t *bytes, size_t room, size_t *len,
                    struct wh_error *err)
{
	const uint8_t *part;
	int64_t at;
	size_t n;
	if (!wh_sql_number(st, 0, &at) || at != number || !wh_sql_blob(st, 1, &part, &n) || !n || n > PART ||
	    *len != (size_t)number * PART || n > room - *len)
		return wh_sql_damaged(s, err);
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): n is 0 where there is no room */
	memcpy(bytes + *len, part, n);
	*len += n;
	return 0;
}

int wh_state_get_bytes(struct wh_state *s, const char *name, uint8_t **bytes, size_t *len, struct wh_error *err)
{
	size_t room;
	int step = SQLITE_DONE;
	*bytes = NULL;
	*len = 0;
	int rc = make_room(s, name, bytes, &room, err);
	sqlite3_stmt *st = rc ? NULL : wh_sql_prepared(s, &s->st[ST_GET_PARTS], wh_state_sql[ST_GET_PARTS], "read", err);
	if (!st)
		return rc ? rc : -EIO;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	for (int64_t number = 0; !rc && (step = sqlite3_step(st)) == SQLITE_ROW; number++) {
		s->rows++;
		rc = add_part(s, st, number, *bytes, room, len, err);
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s, "read", err);
	sqlite3_reset(st);
	if (!rc && *len != room)
		rc = wh_sql_damaged(s, err);
	if (rc) {
		free(*bytes);
		*bytes = NULL;
	}
	return rc;
}
