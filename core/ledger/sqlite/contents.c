/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counted lines of logs (contents.h): table `content`, a row a content. Row 0 is the table's own: `marks` is the key of the
 * hashes, `lines` how often contents were written. Numbers in blobs are little-endian.
 */
#include <endian.h>
#include <sys/random.h>
#include "ledger/sqlite/sqlite_store.h"

/* A content ends at 128 Ki lines (contents_add.c); one of more than ROW_LINES is none of ours. */
enum { MARK_BYTES = 12, ROW_LINES = 1 << 20 };
static const int64_t most_rows = 65536, most_lines = INT64_C(128) << 20;
/* They are counted again after so many that were written here, since each count reads all rows. */
enum { ROWS_UNCOUNTED = 512, LINES_UNCOUNTED = 1 << 20 };

static int out_of_memory(struct wh_error *err)
{
	return wh_fail(err, -ENOMEM, "out of memory");
}

int wh_sqlite_content_key(struct wh_store *store, uint8_t key[WH_LINE_KEY_BYTES], int64_t *generation, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *st = wh_sql_use(s, ST_CONTENT_KEY, "read", err);
		if (!st)
			return -EIO;
		int step = sqlite3_step(st), rc = step == SQLITE_DONE ? -ENOENT : 0;
		if (step == SQLITE_ROW) {
			if (sqlite3_column_type(st, 1) == SQLITE_BLOB && sqlite3_column_bytes(st, 1) == WH_LINE_KEY_BYTES)
				memcpy(key, sqlite3_column_blob(st, 1), WH_LINE_KEY_BYTES);
			else
				rc = wh_sql_damaged(s->state, err);
			*generation = sqlite3_column_int64(st, 0);
		} else if (!rc) {
			rc = wh_sql_fail(s->state, "read", err);
		}
		sqlite3_reset(st);
		if (rc != -ENOENT)
			return rc;
		if (getrandom(key, WH_LINE_KEY_BYTES, 0) != WH_LINE_KEY_BYTES)
			return wh_fail(err, -EIO, "the system has no random numbers");
		if (!(st = wh_sql_use(s, ST_CONTENT_NEW_KEY, "written", err)))
			return -EIO;
		sqlite3_bind_blob(st, 1, key, WH_LINE_KEY_BYTES, SQLITE_STATIC);
		if ((rc = wh_sql_run(s->state, st, "written",
		                     err))) /* whichever of two processes was first, its key is read now */
			return rc;
	}
	return wh_sql_damaged(s->state, err);
}

int wh_sql_content_generation(struct sqlite_store *s, int64_t generation, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_CONTENT_GENERATION, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, generation);
	return wh_sql_run(s->state, st, "written", err);
}

/* ---- blobs to arrays and back ---- */

static uint64_t number(const uint8_t *p, unsigned bytes)
{
	uint64_t x = 0;
	for (unsigned i = bytes; i-- > 0;)
		x = x << 8 | p[i];
	return x;
}

static void put_number(uint8_t *p, unsigned bytes, uint64_t x)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(x >> 8 * i);
}

static void free_row(struct wh_content_row *row)
{
	free(row->marks);
	free(row->tail);
	free(row->checks);
	row->marks = NULL;
	row->tail = NULL;
	row->checks = NULL;
}

/* From the columns id, lines, marks, tail and, where the statement has it, checks. */
static int read_row(struct sqlite_store *s, sqlite3_stmt *st, struct wh_content_row *row, struct wh_error *err)
{
	int64_t lines = sqlite3_column_int64(st, 1);
	bool whole = sqlite3_column_count(st) > 4;
	memset(row, 0, sizeof *row);
	row->id = sqlite3_column_int64(st, 0);
	const uint8_t *marks = sqlite3_column_blob(st, 2), *tail = sqlite3_column_blob(st, 3),
		      *checks = whole ? sqlite3_column_blob(st, 4) : NULL;
	size_t marks_len = (size_t)sqlite3_column_bytes(st, 2), tail_len = (size_t)sqlite3_column_bytes(st, 3);
	if (sqlite3_column_type(st, 1) != SQLITE_INTEGER || sqlite3_column_type(st, 2) != SQLITE_BLOB ||
	    sqlite3_column_type(st, 3) != SQLITE_BLOB || (whole && sqlite3_column_type(st, 4) != SQLITE_BLOB) || lines < 0 ||
	    lines > ROW_LINES || marks_len % MARK_BYTES || tail_len % 8 || tail_len / 8 > (uint64_t)lines ||
	    marks_len / MARK_BYTES > (uint64_t)lines || (whole && (uint64_t)sqlite3_column_bytes(st, 4) != 2 * (uint64_t)lines))
		return wh_sql_damaged(s->state, err);
	row->lines = (uint32_t)lines;
	row->n_marks = marks_len / MARK_BYTES;
	row->n_tail = tail_len / 8;
	row->marks = malloc((row->n_marks + 1) * sizeof *row->marks);
	row->tail = malloc((row->n_tail + 1) * sizeof *row->tail);
	row->checks = whole ? malloc(((size_t)lines + 1) * sizeof *row->checks) : NULL;
	if (!row->marks || !row->tail || (whole && !row->checks)) {
		free_row(row);
		return out_of_memory(err);
	}
	for (size_t i = 0; i < row->n_marks; i++) {
		row->marks[i] = (struct wh_content_mark){number(marks + i * MARK_BYTES, 8),
		                                         (uint32_t)number(marks + i * MARK_BYTES + 8, 4)};
		if (row->marks[i].line >= row->lines || (i && row->marks[i].line <= row->marks[i - 1].line)) {
			free_row(row);
			return wh_sql_damaged(s->state, err);
		}
	}
	for (size_t i = 0; i < row->n_tail; i++)
		row->tail[i] = number(tail + 8 * i, 8);
	if (whole && row->lines)
		memcpy(row->checks, checks, 2 * (size_t)row->lines);
	for (size_t i = 0; whole && i < row->lines; i++)
		row->checks[i] = le16toh(row->checks[i]);
	return 0;
}

int wh_sqlite_contents(struct wh_store *store, wh_content_cb each, void *arg, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	sqlite3_stmt *st = wh_sql_use(s, ST_CONTENTS, "read", err);
	int64_t before = 0;
	int step = SQLITE_DONE, rc = st ? 0 : -EIO;
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		struct wh_content_row row = {0};
		s->state->rows++;
		rc = sqlite3_column_int64(st, 0) <= before ? wh_sql_damaged(s->state, err) : read_row(s, st, &row, err);
		if (!rc) {
			before = row.id;
			rc = each(arg, &row);
			free_row(&row);
		}
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s->state, "read", err);
	if (st)
		sqlite3_reset(st);
	return rc;
}

int wh_sqlite_content(struct wh_store *store, int64_t id, struct wh_content_row *row, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	sqlite3_stmt *st = wh_sql_use(s, ST_CONTENT, "read", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, id);
	int step = sqlite3_step(st);
	int rc = step == SQLITE_ROW    ? read_row(s, st, row, err)
	         : step == SQLITE_DONE ? -ENOENT
	                               : wh_sql_fail(s->state, "read", err);
	sqlite3_reset(st);
	return rc;
}

int wh_sql_content_put(struct sqlite_store *s, const struct wh_content_row *row, const char *path, int64_t *id,
                       struct wh_error *err)
{
	size_t marks_len = row->n_marks * MARK_BYTES, tail_len = row->n_tail * 8, checks_len = row->lines * (size_t)2;
	bool turn = htole16(1) != 1; /* else the array is the blob */
	uint8_t *blobs = malloc(marks_len + tail_len + (turn ? checks_len : 0) + 1), *tail = blobs + marks_len,
		*checks = turn ? tail + tail_len : (uint8_t *)row->checks;
	sqlite3_stmt *st = blobs ? wh_sql_use(s, ST_CONTENT_PUT, "written", err) : NULL;
	int rc = blobs ? -EIO : out_of_memory(err);
	if (!st)
		goto out;
	for (size_t i = 0; i < row->n_marks; i++) {
		put_number(blobs + i * MARK_BYTES, 8, row->marks[i].hash);
		put_number(blobs + i * MARK_BYTES + 8, 4, row->marks[i].line);
	}
	for (size_t i = 0; i < row->n_tail; i++)
		put_number(tail + 8 * i, 8, row->tail[i]);
	for (size_t i = 0; turn && i < row->lines; i++)
		put_number(checks + 2 * i, 2, row->checks[i]);
	if (row->id)
		sqlite3_bind_int64(st, 1, row->id);
	else
		sqlite3_bind_null(st, 1);
	sqlite3_bind_int64(st, 2, wh_now_us());
	sqlite3_bind_int64(st, 3, row->lines);
	sqlite3_bind_text(st, 4, path, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(st, 5, blobs, marks_len, SQLITE_STATIC);
	sqlite3_bind_blob64(st, 6, tail, tail_len, SQLITE_STATIC);
	sqlite3_bind_blob64(st, 7, checks, checks_len, SQLITE_STATIC);
	rc = wh_sql_run(s->state, st, "written", err);
	s->contents_uncounted++;
	s->lines_uncounted += row->lines;
	*id = row->id ? row->id : sqlite3_last_insert_rowid(s->state->db);
	sqlite3_clear_bindings(st);
out:
	free(blobs);
	return rc;
}

int wh_sql_content_bound(struct sqlite_store *s, struct wh_error *err)
{
	if (s->contents_counted && s->contents_uncounted < ROWS_UNCOUNTED && s->lines_uncounted < LINES_UNCOUNTED)
		return 0;
	s->contents_counted = true;
	s->contents_uncounted = s->lines_uncounted = 0;
	sqlite3_stmt *st = wh_sql_use(s, ST_CONTENT_SIZE, "read", err);
	if (!st)
		return -EIO;
	bool over = sqlite3_step(st) == SQLITE_ROW &&
	            (sqlite3_column_int64(st, 0) > most_rows || sqlite3_column_int64(st, 1) > most_lines);
	int64_t rows = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (!over)
		return 0;
	if (!(st = wh_sql_use(s, ST_CONTENT_FORGET, "written", err)))
		return -EIO;
	sqlite3_bind_int64(st, 1, rows / 8 + 1);
	return wh_sql_run(s->state, st, "written", err);
}
