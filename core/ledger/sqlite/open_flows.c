/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows that a log has reported in part (open_flows.h): table `open_flow`, a row a page; row -1 counts in 8 bytes how often they
 * were written. */
#include <endian.h>
#include "ledger/sqlite/sqlite_store.h"

static int generation_of(struct sqlite_store *s, int64_t *out, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_OPEN_FLOW_GENERATION, "read", err);
	const uint8_t *bytes;
	uint64_t n = 0;
	size_t len;
	*out = 0;
	if (!st)
		return -EIO;
	int step = sqlite3_step(st), rc = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : wh_sql_fail(s->state, "read", err);
	if (step == SQLITE_ROW && (!wh_sql_blob(st, 0, &bytes, &len) || len != sizeof n))
		rc = wh_sql_damaged(s->state, err);
	else if (step == SQLITE_ROW)
		memcpy(&n, bytes, sizeof n);
	*out = (int64_t)(le64toh(n) & INT64_MAX);
	sqlite3_reset(st);
	return rc;
}

int wh_sqlite_open_flows(struct wh_store *store, wh_page_cb each, void *arg, int64_t *generation, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	int rc = generation_of(s, generation, err), step = SQLITE_DONE;
	sqlite3_stmt *st = rc ? NULL : wh_sql_use(s, ST_OPEN_FLOWS, "read", err);
	rc = rc ? rc : st ? 0 : -EIO;
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		const uint8_t *bytes;
		size_t len;
		int64_t page;
		if (!wh_sql_number(st, 0, &page) || page < 0 || page > UINT32_MAX || !wh_sql_blob(st, 1, &bytes, &len))
			rc = wh_sql_damaged(s->state, err);
		else
			rc = each(arg, (uint32_t)page, bytes, len);
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s->state, "read", err);
	if (st)
		sqlite3_reset(st);
	return rc;
}

static int put(struct sqlite_store *s, int64_t page, const void *bytes, size_t len, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, len ? ST_OPEN_FLOW_PUT : ST_OPEN_FLOW_DROP, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, page);
	if (len)
		sqlite3_bind_blob(st, 2, bytes, (int)len, SQLITE_STATIC);
	return wh_sql_run(s->state, st, "written", err);
}

int wh_sql_open_flows_put(struct sqlite_store *s, const struct wh_store_seen *seen, struct wh_error *err)
{
	int64_t now;
	uint64_t next = htole64((uint64_t)seen->pages_generation + 1);
	int rc = generation_of(s, &now, err);
	if (!rc && now != seen->pages_generation)
		rc = wh_fail(err, -ESTALE,
		             "another run has joined flows in this ledger meanwhile; what this run read since is not stored");
	for (size_t i = 0; i < seen->n_pages && !rc; i++)
		rc = put(s, seen->pages[i].page, seen->pages[i].bytes, seen->pages[i].len, err);
	return rc ? rc : put(s, -1, &next, sizeof next, err);
}
