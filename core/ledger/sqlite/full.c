/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger as a whole has a quota (ledger-size): whatever an attacker scans, ports or addresses, its file does not grow without
 * limit. Looked at when a commit begins:
 *
 *   full   its file uses as much as the quota or more. Edges and sketches that are there are merged as ever; of those that are
 *          not, none is made, and each local address that lost one is noted with the last day of what it lost. Which edge would
 *          have been a partner's is not known, and silence is not knowledge: no rule of that address is made from a window that
 *          has such a day (harden/hearing.c)
 *   stop   at a quarter more and 64 MiB, SQLite makes no page (max_page_count, set when the store is opened): the write fails, by
 *          name, and what was read is read again another time. This holds for rows of all kinds, documents and the journal, too
 *
 * Edges and sketches are removed with age (age.c); their space is used again. There are at most MOST notes; one without an
 * address covers all.
 */
#include <jansson.h>
#include <stdlib.h>
#include "ledger/sqlite/sqlite_store.h"

enum { MOST = 1 << 16 };
#define MORE (INT64_C(64) << 20)
#define ALL "all" /* the note of every address */

static const char collection[] = "full";

static int number(struct sqlite_store *s, enum statement which, int64_t *out, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, which, "read", err);
	if (!st)
		return -EIO;
	int rc = sqlite3_step(st) == SQLITE_ROW ? 0 : wh_sql_fail(s->state, "read", err);
	*out = rc ? 0 : sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return rc;
}

void wh_sql_full_limit(struct sqlite_store *s)
{
	int64_t size;
	char text[64];
	struct wh_error ignored;
	if (!s->state->write || number(s, ST_PAGE_SIZE, &size, &ignored) || size <= 0)
		return;
	snprintf(text, sizeof text, "PRAGMA max_page_count = %lld",
	         (long long)(((int64_t)s->bounds.bytes / 4 * 5 + MORE) / size));
	wh_sql_exec(s->state, text, "set up", &ignored);
}

int wh_sql_full_look(struct sqlite_store *s, struct wh_error *err)
{
	int64_t pages, unused, size;
	s->full.any = false; /* of one that failed */
	int rc = number(s, ST_PAGES, &pages, err);
	rc = rc ? rc : number(s, ST_FREE_PAGES, &unused, err);
	rc = rc ? rc : number(s, ST_PAGE_SIZE, &size, err);
	s->full.is = !rc && (pages - unused) * size >= (int64_t)s->bounds.bytes;
	return rc;
}

static int note(struct sqlite_store *s, const char *key, int32_t day, struct wh_error *err)
{
	char *before = NULL, json[32];
	json_error_t ignored;
	int64_t n = 0;
	int rc = wh_state_get(s->state, collection, key, &before, err);
	json_t *doc = rc || !before ? NULL : json_loads(before, 0, &ignored);
	int32_t had = doc ? (int32_t)json_integer_value(json_object_get(doc, "day")) : INT32_MIN;
	json_decref(doc);
	if (!rc && !before && strcmp(key, ALL) != 0)
		rc = number(s, ST_FULL_NOTES, &n, err);
	free(before);
	if (rc || had >= day)
		return rc;
	if (n >= MOST)
		return note(s, ALL, day, err);
	snprintf(json, sizeof json, "{\"day\":%d}", (int)day);
	return wh_state_put(s->state, collection, key, json, err);
}

int wh_sql_full_flush(struct sqlite_store *s, struct wh_error *err)
{
	char key[WH_ADDR_STRLEN];
	bool any = s->full.any;
	s->full.any = false;
	return any ? note(s, wh_addr_text(&s->full.local, key), s->full.day, err) : 0;
}

/* Edges come by local address, so that a note is written once for each. */
int wh_sql_full_lost(struct sqlite_store *s, const struct wh_addr *local, int32_t day, struct wh_error *err)
{
	int rc = s->full.any && !wh_addr_eq(&s->full.local, local) ? wh_sql_full_flush(s, err) : 0;
	if (!s->full.any || s->full.day < day)
		s->full.day = day;
	s->full.local = *local;
	s->full.any = true;
	return rc;
}

struct reading { wh_full_cb each; void *arg; };

/* An unreadable note holds back everything, as it might be about any address. */
static int read_one(void *arg, const char *key, const char *json)
{
	const struct reading *r = arg;
	struct wh_addr a;
	json_error_t ignored;
	json_t *doc = json_loads(json, 0, &ignored), *day = json_object_get(doc, "day");
	bool known = json_is_integer(day) && llabs(json_integer_value(day)) <= WH_EDGE_DAY_MAX;
	int32_t d = known ? (int32_t)json_integer_value(day) : WH_EDGE_DAY_MAX;
	json_decref(doc);
	return r->each(r->arg, known && !wh_addr_parse(key, strlen(key), &a) ? &a : NULL, d);
}

int wh_sqlite_full(struct wh_store *store, wh_full_cb each, void *arg, struct wh_error *err)
{
	struct reading r = {each, arg};
	return wh_state_each(wh_sqlite_of(store)->state, collection, read_one, &r, err);
}
