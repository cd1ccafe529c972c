/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port's edges are bounded, those that are evidence too: an attacker with many addresses, a /64 is enough, completes a
 * connection from each. Of more than port_edges those with the most evidence stay:
 *
 *   1. those that were seen on more days. A peer that comes each week outranks any number of addresses that came less often
 *   2. of the same number, those that were seen last: a day's crowd takes no room from the next day's newcomer, which then has
 *   two days 3. of the same day, those that came first: a crowd pushes out no peer that came before it
 *
 * Of the rest, the flows stay in the port's sketch, where they are answers to peers that are not known: they keep the port from
 * being closed.
 */
#include <stdlib.h>
#include "ledger/sqlite/sqlite_store.h"

struct known { /* 40 bytes, as a port may have many */
	struct wh_addr peer;
	int64_t first_us;
	uint64_t flows;
	int32_t last_day;
	uint32_t days;
};
struct crowd {
	struct known *k;
	size_t n, cap;
};

void wh_sql_port_range(const struct wh_edge_key *port, uint8_t from[static WH_EDGE_KEY_BYTES], uint8_t to[static WH_PORT_KEY])
{
	bool carry = true;
	wh_edge_key_encode(port, from);
	memcpy(to, from, WH_PORT_KEY);
	for (int i = WH_PORT_KEY - 1; i >= 0 && carry; i--)
		carry = !++to[i];
}

static int port_size(struct sqlite_store *s, const uint8_t *from, const uint8_t *to, size_t *n, struct wh_error *err)
{
	sqlite3_stmt *st = wh_sql_use(s, ST_PORT_SIZE, "read", err);
	int64_t rows;
	if (!st)
		return -EIO;
	sqlite3_bind_blob(st, 1, from, WH_PORT_KEY, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, to, WH_PORT_KEY, SQLITE_STATIC);
	int rc = wh_sql_one_number(s, st, 0, &rows, err);
	*n = rc ? 0 : (size_t)rows;
	return rc;
}

static int collect(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct crowd *c = arg;
	if (c->n == c->cap)
		return -EAGAIN; /* more rows than were counted: not in one transaction */
	c->k[c->n++] = (struct known){k->peer, e->first_us, e->flows, e->days ? e->day0 : INT32_MIN, wh_edge_days(e)};
	return 0;
}

static int by_evidence(const void *x, const void *y)
{
	const struct known *a = x, *b = y;
	if (a->days != b->days)
		return a->days < b->days ? 1 : -1;
	if (a->last_day != b->last_day)
		return a->last_day < b->last_day ? 1 : -1;
	if (a->first_us != b->first_us)
		return a->first_us < b->first_us ? -1 : 1;
	return wh_addr_cmp(&a->peer, &b->peer);
}

static int drop(struct sqlite_store *s, const struct wh_edge_key *port, const struct known *k, struct wh_sketch *sketch,
                struct wh_error *err)
{
	uint8_t bytes[WH_EDGE_KEY_BYTES];
	struct wh_edge_key key = *port;
	sqlite3_stmt *st = wh_sql_use(s, ST_EDGE_DROP, "written", err);
	if (!st)
		return -EIO;
	key.peer = k->peer;
	wh_edge_key_encode(&key, bytes);
	sqlite3_bind_blob(st, 1, bytes, sizeof bytes, SQLITE_STATIC);
	if (port->direction == WH_INBOUND && k->days)
		wh_sketch_add_unproven(sketch, &k->peer, k->last_day * WH_US_PER_DAY, k->flows);
	return wh_sql_run(s->state, st, "written", err);
}

int wh_sql_drop_crowd(struct sqlite_store *s, const struct wh_edge_key *port, struct wh_sketch *sketch, struct wh_error *err)
{
	uint8_t from[WH_EDGE_KEY_BYTES], to[WH_PORT_KEY];
	struct crowd c = {0};
	size_t most = s->bounds.port_edges;

	wh_sql_port_range(port, from, to);
	int rc = port_size(s, from, to, &c.cap, err);
	if (rc || c.cap <= most)
		return rc;
	if (!(c.k = reallocarray(NULL, c.cap, sizeof *c.k)))
		return wh_fail(err, -ENOMEM, "out of memory");
	rc = wh_sql_scan(s, ST_SCAN, (struct wh_sql_keys){from, WH_PORT_KEY, to, WH_PORT_KEY}, collect, &c, err);
	if (rc == -EAGAIN)
		rc = wh_sql_damaged(s->state, err);
	if (!rc)
		qsort(c.k, c.n, sizeof *c.k, by_evidence);
	for (size_t i = most; i < c.n && !rc; i++)
		rc = drop(s, port, &c.k[i], sketch, err);
	if (!rc && c.n > most) {
		rc = wh_sql_count(s, "crowded", c.n - most, err);
		s->crowded += c.n - most;
	}
	free(c.k);
	return rc;
}
