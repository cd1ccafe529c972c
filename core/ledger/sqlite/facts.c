/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts: table `fact`, a row each. */
#include "ledger/sqlite/sqlite_store.h"

/* ---- in ---- */

static void merge_rows(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct wh_fact_row a, b;
	uint8_t out[WH_FACT_ROW_BYTES];
	const uint8_t *key = sqlite3_value_blob(v[0]);
	(void)n;
	if (!key || !sqlite3_value_bytes(v[0]) || sqlite3_value_type(v[1]) != SQLITE_BLOB ||
	    wh_fact_row_decode(sqlite3_value_blob(v[1]), (size_t)sqlite3_value_bytes(v[1]), &a) ||
	    wh_fact_row_decode(sqlite3_value_blob(v[2]), (size_t)sqlite3_value_bytes(v[2]), &b)) {
		sqlite3_result_error_code(c, SQLITE_CORRUPT);
		return;
	}
	wh_fact_row_merge((enum wh_fact_kind)key[0], &a, &b);
	wh_fact_row_encode(&a, out);
	sqlite3_result_blob(c, out, sizeof out, SQLITE_TRANSIENT);
}

void wh_sql_define_facts(struct sqlite_store *s)
{
	sqlite3_create_function(s->state->db, "wh_merge_fact", 3, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
	                        merge_rows, NULL, NULL);
}

static int put(struct sqlite_store *s, enum statement which, const struct wh_fact_entry *e, struct wh_error *err)
{
	uint8_t key[WH_FACT_KEY_MAX], value[WH_FACT_ROW_BYTES];
	sqlite3_stmt *st = wh_sql_use(s, which, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_blob(st, 1, key, (int)wh_fact_key_encode(&e->key, key), SQLITE_STATIC);
	wh_fact_row_encode(&e->row, value);
	sqlite3_bind_blob(st, 2, value, sizeof value, SQLITE_STATIC);
	return wh_sql_run(s->state, st, "written", err);
}

static int merge(void *arg, const struct wh_fact_entry *e, bool *there, struct wh_error *err)
{
	struct sqlite_store *s = arg;
	int rc = put(s, ST_FACT_MORE, e, err);
	*there = !rc && sqlite3_changes(s->state->db) > 0;
	return rc;
}

static int insert(void *arg, const struct wh_fact_entry *e, struct wh_error *err)
{
	return put(arg, ST_FACT, e, err);
}

/* The bytes behind all that begin with these. */
static void after(const uint8_t *prefix, size_t len, uint8_t out[static WH_FACT_GROUP])
{
	bool carry = true;
	memcpy(out, prefix, len);
	for (size_t i = len; i-- > 0 && carry;)
		carry = !++out[i];
}

static int size(void *arg, const uint8_t *prefix, size_t len, size_t *n, struct wh_error *err)
{
	struct sqlite_store *s = arg;
	uint8_t to[WH_FACT_GROUP];
	sqlite3_stmt *st = wh_sql_use(s, ST_FACT_SIZE, "read", err);
	if (!st)
		return -EIO;
	after(prefix, len, to);
	sqlite3_bind_blob(st, 1, prefix, (int)len, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, to, (int)len, SQLITE_STATIC);
	int rc = sqlite3_step(st) == SQLITE_ROW ? 0 : wh_sql_fail(s->state, "read", err);
	*n = rc ? 0 : (size_t)sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc;
}

static int forget(void *arg, enum wh_fact_kind kind, int32_t before_day, struct wh_error *err)
{
	struct sqlite_store *s = arg;
	struct wh_fact_key end = {.kind = (uint8_t)kind, .day = before_day};
	uint8_t key[WH_FACT_KEY_MAX];
	sqlite3_stmt *st = wh_sql_use(s, ST_FACT_FORGET, "written", err);
	if (!st)
		return -EIO;
	wh_fact_key_encode(&end, key);
	sqlite3_bind_blob(st, 1, key, 1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, key, 5, SQLITE_STATIC);
	return wh_sql_run(s->state, st, "written", err);
}

int wh_sql_facts_put(struct sqlite_store *s, const struct wh_store_seen *seen, struct wh_error *err)
{
	return wh_facts_put(&(struct wh_facts_store){s, merge, insert, size, forget}, seen->facts, seen->n_facts, err);
}

/* ---- out ---- */

static bool has_table(struct sqlite_store *s)
{
	return sqlite3_table_column_metadata(s->state->db, "main", "fact", NULL, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

int wh_sqlite_facts(struct wh_store *store, enum wh_fact_kind kind, wh_fact_cb each, void *arg, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	uint8_t from = kind == WH_FACT_KINDS ? 0 : (uint8_t)kind, to = kind == WH_FACT_KINDS ? UINT8_MAX : (uint8_t)(kind + 1),
		before[WH_FACT_KEY_MAX];
	size_t before_len = 0;
	sqlite3_stmt *st;
	int rc = 0, step = SQLITE_DONE;
	if (!has_table(s)) /* an older ledger, opened for reading */
		return 0;
	if (sqlite3_prepare_v2(s->state->db, wh_sql[ST_FACTS], -1, &st, NULL) != SQLITE_OK)
		return wh_sql_fail(s->state, "read", err);
	wh_sql_patience(s->state);
	sqlite3_bind_blob(st, 1, &from, 1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, &to, 1, SQLITE_STATIC);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const uint8_t *key, *value;
		size_t key_len, len;
		struct wh_fact_key k;
		struct wh_fact_row r;
		bool good = wh_sql_blob(st, 0, &key, &key_len) && !wh_fact_key_decode(key, key_len, &k) &&
		            wh_sql_blob(st, 1, &value, &len) && !wh_fact_row_decode(value, len, &r);
		int c = good && before_len ? memcmp(before, key, before_len < key_len ? before_len : key_len) : -1;
		if (!good || c > 0 || (!c && before_len >= key_len)) {
			rc = wh_sql_damaged(s->state, err);
			break;
		}
		memcpy(before, key, before_len = key_len);
		s->state->rows++;
		rc = each(arg, &k, &r);
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s->state, "read", err);
	sqlite3_finalize(st);
	return rc;
}
