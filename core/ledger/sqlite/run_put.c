/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table's edges become a run. The quota passes a port's edges in two passes, each in key order: they are collected until the
 * port is complete, or is read. Edges that must not be created if the ledger has none are searched in the earlier runs, which are
 * walked in parallel.
 */
#include <stdlib.h>
#include "base/array.h"
#include "ledger/edge_table.h"
#include "ledger/quota.h"
#include "ledger/sqlite/runs.h"

struct putting {
	struct sqlite_store *s;
	const struct wh_edge_table *t;
	struct run_writer w;
	struct run_set before; /* the earlier runs; opened at first use */
	bool looks;
	const struct edge_cell **port; size_t n, room, second; /* one port's edges; from `second` on of the second pass */
	struct wh_edge_key of;
	uint8_t (*drops)[KEY_BYTES]; size_t n_drops, room_drops;
};

/* ---- one port ---- */

static int add(struct putting *p, const struct edge_cell *c, struct wh_error *err)
{
	uint8_t key[KEY_BYTES];
	wh_edge_key_encode(&c->key, key);
	return c->whole ? wh_run_append(&p->w, key, &p->t->whole[c->whole - 1], err)
	                : wh_run_append_one(&p->w, key, &c->one, err);
}

/* They lie all over the table's memory, and it may be long ago that they were met. By force, as in edge_fold.c. */
enum { CELL_AHEAD = 24, WHOLE_AHEAD = 8 };
static inline __attribute__((always_inline)) void fetch(const struct putting *p, size_t i, size_t end)
{
	if (i + CELL_AHEAD < end)
		__builtin_prefetch(p->port[i + CELL_AHEAD]);
	if (i + WHOLE_AHEAD < end)
		fetch_whole(p->t, p->port[i + WHOLE_AHEAD], sizeof *p->t->whole);
}

static int write_port(struct putting *p, struct wh_error *err)
{
	size_t a = 0, b = p->second;
	int rc = 0;
	while ((a < p->second || b < p->n) && !rc) {
		bool second = a == p->second || (b < p->n && wh_addr_cmp(&p->port[b]->key.peer, &p->port[a]->key.peer) < 0);
		fetch(p, second ? b : a, second ? p->n : p->second);
		rc = add(p, p->port[second ? b++ : a++], err);
	}
	p->n = p->second = 0;
	return rc;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, KEY_BYTES);
}

/* Writes the port, so that it can be read, and removes its dropped edges. */
static int settle(struct putting *p, struct wh_error *err)
{
	int rc = write_port(p, err);
	rc = rc ? rc : wh_run_flush(&p->w, err);
	if (rc || !p->n_drops)
		return rc;
	qsort(p->drops, p->n_drops, sizeof *p->drops, by_bytes);
	rc = wh_runs_drop(p->s, p->drops, p->n_drops, err);
	memset(p->w.local, 0xff, sizeof p->w.local); /* its address may have gone with them */
	p->n_drops = 0;
	return rc;
}

static int gather(struct putting *p, const struct edge_cell *c, struct wh_error *err)
{
	bool first = p->second == p->n;
	if (!wh_array_grow(&p->port, p->n, &p->room, sizeof *p->port))
		return wh_fail(err, -ENOMEM, "out of memory");
	if (first && p->n && wh_addr_cmp(&c->key.peer, &p->port[p->n - 1]->key.peer) < 0)
		first = false;
	p->port[p->n++] = c;
	p->second += first;
	return 0;
}

/* ---- for the quota ---- */

/* Whether the earlier runs have the key. Keys come in order, but for each port's second pass. */
static int is_there(struct putting *p, const struct wh_edge_key *k, bool *there, struct wh_error *err)
{
	uint8_t key[KEY_BYTES];
	int rc = 0;
	if (!p->looks) {
		if ((rc = wh_run_set_open(&p->before, p->s, NULL, err)))
			return rc;
		p->looks = true;
	}
	wh_edge_key_encode(k, key);
	rc = wh_run_set_seek(&p->before, key, err);
	*there = !rc && p->before.live && !memcmp(wh_run_set_key(&p->before), key, KEY_BYTES);
	return rc;
}

/* The last day of an edge that is not made. */
static int32_t last_day(const struct putting *p, const struct edge_cell *c)
{
	struct wh_edge room;
	return edge_of_cell(p->t, c, &room)->day0;
}

static int merge(void *arg, const struct wh_edge_table *t, const struct edge_cell *c, bool *there, struct wh_error *err)
{
	struct putting *p = arg;
	const struct wh_edge_key *k = &c->key;
	(void)t;
	bool full = p->s->full.is, had = true;
	int rc = 0;
	if (p->n || p->n_drops)
		rc = wh_edge_same_port(&p->of, k) ? 0 : p->n_drops ? settle(p, err) : write_port(p, err);
	p->of = *k;
	if (!rc && (there || full))
		rc = is_there(p, k, &had, err);
	if (there)
		*there = had;
	if (rc)
		return rc;
	if (had)
		return gather(p, c, err);
	if (there)
		return 0;
	p->s->full.edges++;
	return wh_sql_full_lost(p->s, &k->local, last_day(p, c), err);
}

static int drop(void *arg, const struct wh_edge_key *k, struct wh_error *err)
{
	struct putting *p = arg;
	if (!wh_array_grow(&p->drops, p->n_drops, &p->room_drops, sizeof *p->drops))
		return wh_fail(err, -ENOMEM, "out of memory");
	wh_edge_key_encode(k, p->drops[p->n_drops++]);
	return 0;
}

static int edges_of_port(void *arg, const struct wh_edge_key *port, wh_edge_cb each, void *each_arg, struct wh_error *err)
{
	struct putting *p = arg;
	uint8_t from[KEY_BYTES], to[WH_PORT_KEY];
	int rc = settle(p, err);
	wh_sql_port_range(port, from, to);
	return rc ? rc : wh_runs_scan(p->s, (struct wh_sql_keys){from, WH_PORT_KEY, to, WH_PORT_KEY}, each, each_arg, err);
}

static int drop_crowd(void *arg, const struct wh_edge_key *port, struct wh_sketch *sketch, struct wh_error *err)
{
	struct putting *p = arg;
	int rc = settle(p, err);
	return rc ? rc : wh_sql_drop_crowd(p->s, port, sketch, err);
}

static int put_sketch(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *sk, struct wh_error *err)
{
	return wh_sql_put_sketch(((struct putting *)arg)->s, k, sk, err);
}

int wh_run_put(struct sqlite_store *s, const struct wh_edge_table *t, struct wh_error *err)
{
	struct putting p = {.s = s, .t = t};
	const struct wh_quota_store quota = {&p, merge, drop, edges_of_port, put_sketch, drop_crowd, s->bounds.port_edges};
	int rc = wh_run_writer_begin(&p.w, s, err);
	rc = rc ? rc : wh_quota_put_edges(&quota, t, err);
	rc = rc ? rc : settle(&p, err);
	if (p.looks)
		wh_run_set_close(&p.before);
	free(p.port);
	free(p.drops);
	return rc;
}
