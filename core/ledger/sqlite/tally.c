/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many edges all runs have, and the local addresses with inbound ones: kept by every write, since both are asked for often
 * and would take a walk through all blocks. They are two rows of bytes in the ledger's file, written by statements of our own
 * since they are no documents (whittle/state_revision.h):
 *
 *   "edge tally"   version (1), id of the last block (8), edges (8), number of addresses (4); little endian
 *   "edge locals"  the addresses in order, 16 bytes each; written only when they change
 *
 * A process of an earlier version, such as a plugin that was loaded long ago, writes runs and not these rows. The last block is
 * then another, so nothing of them is believed, and the next commit counts again.
 */
#include <stdlib.h>
#include "base/array.h"
#include "ledger/sqlite/runs.h"

#define TALLY "edge tally"
#define LOCALS "edge locals"
enum { VERSION = 1, TALLY_BYTES = 21, LOCAL_BYTES = sizeof(struct wh_addr), LOCALS_MOST = 1 << 16 };
/* instead of their number: there are more than are kept */
#define TOO_MANY UINT32_MAX

static int last_block(struct sqlite_store *s, int64_t *id, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_BLOCK_LAST, "read", err);
	if (!st)
		return -EIO;
	sqlite3_bind_int64(st, 1, INT64_MAX);
	return wh_sql_one_number(s, st, -1, id, err);
}

/* ---- reading ---- */

/* Whether these are addresses in order. */
static bool take_locals(struct edge_tally *t, uint8_t *bytes, size_t len, uint32_t n)
{
	if (n > LOCALS_MOST || len != (size_t)n * LOCAL_BYTES)
		return false;
	for (size_t i = 1; i < n; i++)
		if (memcmp(bytes + (i - 1) * LOCAL_BYTES, bytes + i * LOCAL_BYTES, LOCAL_BYTES) >= 0)
			return false;
	t->locals = (struct wh_addr *)bytes;
	t->n = t->room = n;
	return true;
}

static int read_locals(struct sqlite_store *s, struct edge_tally *t, uint32_t n, struct wh_error *err)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	t->too_many = n == TOO_MANY;
	int rc = t->too_many ? 0 : wh_state_get_bytes(s->state, LOCALS, &bytes, &len, err);
	if (!rc && !t->too_many && !take_locals(t, bytes, len, n)) {
		t->known = false;
		free(bytes);
	}
	return rc;
}

int wh_tally_read(struct sqlite_store *s, struct edge_tally *t, struct wh_error *err)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int64_t last = 0;
	uint64_t id, edges;
	uint32_t n;
	*t = (struct edge_tally){.known = false};
	int rc = wh_runs_any(s) ? wh_state_get_bytes(s->state, TALLY, &bytes, &len, err) : 0;
	if (!rc && len == TALLY_BYTES && bytes[0] == VERSION) {
		memcpy(&id, bytes + 1, sizeof id);
		memcpy(&edges, bytes + 9, sizeof edges);
		memcpy(&n, bytes + 17, sizeof n);
		rc = last_block(s, &last, err);
		t->known = !rc && last == (int64_t)le64toh(id) && le64toh(edges) <= INT64_MAX;
		t->edges = le64toh(edges);
		rc = t->known ? read_locals(s, t, le32toh(n), err) : rc;
	}
	free(bytes);
	return rc;
}

void wh_tally_free(struct edge_tally *t)
{
	free(t->locals);
	*t = (struct edge_tally){.known = false};
}

/* ---- within a transaction ---- */

int wh_tally_begin(struct sqlite_store *s, struct wh_error *err)
{
	return wh_tally_read(s, &s->tally, err);
}

static size_t place_of(const struct edge_tally *t, const uint8_t *addr)
{
	return WH_BISECT(i, 0, t->n, memcmp(&t->locals[i], addr, LOCAL_BYTES) < 0);
}

static bool has(const struct edge_tally *t, size_t at, const uint8_t *addr)
{
	return at < t->n && !memcmp(&t->locals[at], addr, LOCAL_BYTES);
}

void wh_tally_local(struct sqlite_store *s, const uint8_t key[static KEY_BYTES])
{
	struct edge_tally *t = &s->tally;
	if (!t->known || t->too_many || key[LOCAL_BYTES] != WH_INBOUND)
		return;
	size_t at = place_of(t, key);
	if (has(t, at, key))
		return;
	t->changed = true;
	if (t->n == LOCALS_MOST) {
		t->too_many = true;
		return;
	}
	if (!wh_array_grow(&t->locals, t->n, &t->room, sizeof *t->locals)) {
		t->known = false; /* they are counted again */
		return;
	}
	memmove(&t->locals[at + 1], &t->locals[at], (t->n++ - at) * sizeof *t->locals);
	memcpy(&t->locals[at], key, LOCAL_BYTES);
}

int wh_tally_dropped(struct sqlite_store *s, uint8_t (*keys)[KEY_BYTES], size_t n, struct wh_error *err)
{
	struct edge_tally *t = &s->tally;
	uint8_t first[KEY_BYTES] = {0};
	struct run_set m;
	if (!t->known || t->too_many || !n)
		return 0;
	int rc = wh_run_set_open(&m, s, NULL, err);
	for (size_t i = 0; i < n && !rc; i++) {
		if (i && !memcmp(keys[i - 1], keys[i], LOCAL_BYTES))
			continue;
		memcpy(first, keys[i], LOCAL_BYTES);
		first[LOCAL_BYTES] = WH_INBOUND;
		rc = wh_run_set_seek(&m, first, err);
		bool left = !rc && m.live && !memcmp(wh_run_set_key(&m), first, LOCAL_BYTES + 1);
		size_t at = place_of(t, first);
		if (rc || left || !has(t, at, first))
			continue;
		memmove(&t->locals[at], &t->locals[at + 1], (--t->n - at) * sizeof *t->locals);
		t->changed = true;
	}
	wh_run_set_close(&m);
	return rc;
}

/* ---- counting again ---- */

static int add_local(void *arg, const struct wh_addr *local)
{
	struct sqlite_store *s = arg;
	uint8_t key[KEY_BYTES] = {0};
	memcpy(key, local, LOCAL_BYTES);
	key[LOCAL_BYTES] = WH_INBOUND;
	wh_tally_local(s, key);
	return s->tally.too_many;
}

static int count_edges(struct sqlite_store *s, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_BLOCK_WALK, "read", err);
	int step = SQLITE_DONE, rc = 0;
	if (!st)
		return -EIO;
	wh_sql_patience(s->state);
	sqlite3_bind_int64(st, 1, 0);
	sqlite3_bind_int64(st, 2, INT64_MAX);
	while (!rc && (step = sqlite3_step(st)) == SQLITE_ROW) {
		struct wh_block_reader r;
		const uint8_t *bytes;
		size_t len;
		if (!wh_sql_blob(st, 1, &bytes, &len) || wh_block_open(&r, bytes, len))
			rc = wh_sql_damaged_block(s, sqlite3_column_int64(st, 0), err);
		else
			s->tally.edges += r.left;
		s->state->rows++;
	}
	if (!rc && step != SQLITE_DONE)
		rc = wh_sql_fail(s->state, "read", err);
	sqlite3_reset(st);
	return rc;
}

static int count_again(struct sqlite_store *s, struct wh_error *err)
{
	wh_tally_free(&s->tally);
	int rc = count_edges(s, err);
	s->tally.known = s->tally.changed = true;
	rc = rc ? rc : wh_sqlite_locals_walked(s, add_local, s, err);
	return rc < 0 ? rc : 0;
}

/* ---- writing ---- */

static int put_row(struct sqlite_store *s, const char *name, const void *bytes, size_t len, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_TALLY_DROP, "written", err);
	if (!st)
		return -EIO;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	int rc = wh_sql_run(s->state, st, "written", err);
	if (rc || !len)
		return rc;
	if (!(st = wh_sql_use(s, ST_TALLY_PUT, "written", err)))
		return -EIO;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, bytes, (int)len, SQLITE_STATIC);
	return wh_sql_run(s->state, st, "written", err);
}

static int write_tally(struct sqlite_store *s, struct wh_error *err)
{
	struct edge_tally *t = &s->tally;
	uint8_t bytes[TALLY_BYTES] = {VERSION};
	int64_t last;
	int rc = last_block(s, &last, err);
	if (rc)
		return rc;
	const uint64_t id = htole64((uint64_t)last), edges = htole64(t->edges);
	const uint32_t n = htole32(t->too_many ? TOO_MANY : (uint32_t)t->n);
	memcpy(bytes + 1, &id, sizeof id);
	memcpy(bytes + 9, &edges, sizeof edges);
	memcpy(bytes + 17, &n, sizeof n);
	rc = put_row(s, TALLY, bytes, sizeof bytes, err);
	if (rc || !t->changed)
		return rc;
	return put_row(s, LOCALS, t->locals, t->too_many ? 0 : t->n * LOCAL_BYTES, err);
}

int wh_tally_end(struct sqlite_store *s, bool commit, struct wh_error *err)
{
	int rc = commit && !s->tally.known ? count_again(s, err) : 0;
	rc = rc || !commit ? rc : write_tally(s, err);
	wh_tally_free(&s->tally);
	return rc;
}
