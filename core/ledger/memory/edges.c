/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edges go into a copy of the stored ones. Those of a table come in order of ports, each edge once: what is there already is
 * found in the sorted array, what is new is gathered behind it, and both are joined at the end of the table.
 */
#include <stdlib.h>
#include <string.h>
#include "ledger/memory/memory_store.h"
#include "ledger/quota.h"

struct putting {
	struct memory_data *d;
	struct wh_arena *mem;
	struct memory_edges *e;  /* those that are there, none made or moved until the end */
	bool open;
	struct memory_edge *fresh; size_t n, room;
	size_t port;   /* where those of the port that came last begin, sorted by key up to */
	size_t sorted;
};

int wh_memory_by_key(const void *x, const void *y)
{
	uint8_t a[WH_EDGE_KEY_BYTES], b[WH_EDGE_KEY_BYTES];
	wh_edge_key_encode(&((const struct memory_edge *)x)->key, a);
	wh_edge_key_encode(&((const struct memory_edge *)y)->key, b);
	return memcmp(a, b, sizeof a);
}

static struct memory_edge *stored(struct putting *c, const struct wh_edge_key *k)
{
	struct memory_edge key = {.key = *k};
	return c->e->n ? bsearch(&key, c->e->at, c->e->n, sizeof key, wh_memory_by_key) : NULL;
}

static int merge(void *arg, const struct wh_edge_table *t, const struct edge_cell *cell, bool *there, struct wh_error *err)
{
	struct putting *c = arg;
	struct wh_edge room;
	const struct wh_edge_key *k = &cell->key;
	const struct wh_edge *e = edge_of_cell(t, cell, &room);
	struct memory_edge *had = stored(c, k);
	(void)err;
	if (had)
		(c->open ? wh_edge_merge_open : wh_edge_merge)(&had->edge, e);
	if (had)
		had->seen = e->day0;
	if (there)
		*there = had != NULL;
	if (had || there)
		return 0;
	if (c->n && !wh_edge_same_port(&c->fresh[c->n - 1].key, k))
		c->port = c->n;
	c->fresh = wh_arena_grown(c->mem, c->fresh, c->n, &c->room, sizeof *c->fresh);
	c->fresh[c->n++] = (struct memory_edge){.key = *k, .edge = c->open ? wh_edge_presence(e) : *e, .seen = e->day0};
	c->sorted = 0;
	return 0;
}

/* The new ones of a port, sorted; none where the last that came is of another. */
static size_t fresh_of(struct putting *c, const struct wh_edge_key *port)
{
	if (!c->n || !wh_edge_same_port(&c->fresh[c->n - 1].key, port))
		return 0;
	if (!c->sorted)
		qsort(c->fresh + c->port, c->n - c->port, sizeof *c->fresh, wh_memory_by_key);
	c->sorted = c->n;
	return c->n - c->port;
}

static int drop(void *arg, const struct wh_edge_key *k, struct wh_error *err)
{
	struct putting *c = arg;
	struct memory_edge *e = stored(c, k), key = {.key = *k};
	size_t n = e ? 0 : fresh_of(c, k);
	(void)err;
	if (n)
		e = bsearch(&key, c->fresh + c->port, n, sizeof key, wh_memory_by_key);
	if (e)
		e->gone = true;
	return 0;
}

static int port(void *arg, const struct wh_edge_key *of, wh_edge_cb each, void *each_arg, struct wh_error *err)
{
	struct putting *c = arg;
	size_t n = fresh_of(c, of);
	int rc = 0;
	(void)err;
	for (size_t i = wh_memory_edge_from(c->e, &of->local);
	     i < c->e->n && wh_addr_eq(&c->e->at[i].key.local, &of->local) && !rc; i++)
		if (wh_edge_same_port(&c->e->at[i].key, of) && !c->e->at[i].gone)
			rc = each(each_arg, &c->e->at[i].key, &c->e->at[i].edge);
	for (size_t i = 0; i < n && !rc; i++)
		if (!c->fresh[c->port + i].gone)
			rc = each(each_arg, &c->fresh[c->port + i].key, &c->fresh[c->port + i].edge);
	return rc;
}

static void join(struct putting *c)
{
	struct memory_edge *all = wh_arena_unset(c->mem, c->e->n + c->n + 1, sizeof *all);
	size_t n = 0;
	for (size_t i = 0; i < c->e->n; i++)
		if (!c->e->at[i].gone)
			all[n++] = c->e->at[i];
	for (size_t i = 0; i < c->n; i++)
		if (!c->fresh[i].gone)
			all[n++] = c->fresh[i];
	if (n)
		qsort(all, n, sizeof *all, wh_memory_by_key);
	*c->e = (struct memory_edges){all, n};
}

static int put_sketch(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *sk, struct wh_error *err)
{
	struct putting *c = arg;
	(void)err;
	return wh_memory_put_sketch(c->d, k, sk);
}

int wh_memory_put_edges(struct memory_data *d, enum wh_edges_seen by, const struct wh_edge_table *t, struct wh_error *err)
{
	struct putting c = {.d = d, .mem = d->mem, .e = &d->edges[by], .open = by == WH_EDGES_OPEN};
	const struct wh_quota_store quota = {
		.arg = &c, .merge = merge, .drop = drop, .port = port, .sketch = c.open ? NULL : put_sketch};
	int rc = wh_quota_put_edges(&quota, t, err);
	join(&c);
	return rc;
}
