/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port's edges are bounded, those that are evidence too: an attacker with many addresses, a /64 is enough, completes a
 * connection from each. Of more than port_edges the ones with the most evidence stay:
 *
 *   1. those that were seen on more days. A peer that comes each week outranks any number of addresses that came less often
 *   2. of the same number, those that were seen last: a day's crowd takes no room from the next day's newcomer, which then has
 *   two days 3. of the same day, those that came first: a crowd pushes out no peer that came before it
 *
 * The others' flows stay in the port's sketch, as answers to unknown peers: they keep the port from being
 * closed.
 */
#include <stdlib.h>
#include "base/array.h"
#include "ledger/sqlite/runs.h"

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

static int collect(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct crowd *c = arg;
	if (!wh_array_grow(&c->k, c->n, &c->cap, sizeof *c->k))
		return -ENOMEM;
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

static int by_peer(const void *x, const void *y)
{
	return wh_addr_cmp(&((const struct known *)x)->peer, &((const struct known *)y)->peer);
}

/* Those from `most` on go. */
static int drop(struct sqlite_store *s, const struct wh_edge_key *port, struct crowd *c, size_t most, struct wh_sketch *sketch,
                struct wh_error *err)
{
	struct wh_edge_key key = *port;
	size_t n = c->n - most;
	uint8_t (*keys)[KEY_BYTES] = reallocarray(NULL, n, sizeof *keys);
	if (!keys)
		return wh_fail(err, -ENOMEM, "out of memory");
	for (size_t i = most; i < c->n; i++)
		if (port->direction == WH_INBOUND && c->k[i].days)
			wh_sketch_add_unproven(sketch, &c->k[i].peer, c->k[i].last_day * WH_US_PER_DAY, c->k[i].flows);
	qsort(c->k + most, n, sizeof *c->k, by_peer);
	for (size_t i = 0; i < n; i++) {
		key.peer = c->k[most + i].peer;
		wh_edge_key_encode(&key, keys[i]);
	}
	int rc = wh_runs_drop(s, keys, n, err);
	rc = rc ? rc : wh_sql_count(s, "crowded", n, err);
	s->crowded += n;
	free(keys);
	return rc;
}

int wh_sql_drop_crowd(struct sqlite_store *s, const struct wh_edge_key *port, struct wh_sketch *sketch, struct wh_error *err)
{
	uint8_t from[WH_EDGE_KEY_BYTES], to[WH_PORT_KEY];
	struct crowd c = {0};
	size_t most = s->bounds.port_edges;

	wh_sql_port_range(port, from, to);
	int rc = wh_runs_scan(s, (struct wh_sql_keys){from, WH_PORT_KEY, to, WH_PORT_KEY}, collect, &c, err);
	if (rc == -ENOMEM)
		wh_fail(err, rc, "out of memory");
	if (!rc && c.n > most) {
		qsort(c.k, c.n, sizeof *c.k, by_evidence);
		rc = drop(s, port, &c, most, sketch, err);
	}
	free(c.k);
	return rc;
}
