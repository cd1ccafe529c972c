/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edges of the sensors' records and of connections that the kernel had open, in one order. A store has them apart (store.h);
 * a key may be in both, and is handed out once, merged. There are few open connections: the requested ones are collected
 * first.
 */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "ledger/edge.h"
#include "ledger/store.h"

struct open_edge { struct wh_edge_key key; struct wh_edge edge; uint8_t order[WH_EDGE_KEY_BYTES]; };
struct both {
	struct open_edge *open; size_t n, room, at; /* in order; those from `at` on were not handed out */
	int32_t last; /* no day that is later counts */
	wh_edge_cb each;
	void *arg;
};

static int collect(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct both *b = arg;
	if (e->day0 > b->last || !e->days)
		return 0;
	if (!wh_array_grow(&b->open, b->n, &b->room, sizeof *b->open))
		return -ENOMEM;
	struct open_edge *o = &b->open[b->n++];
	*o = (struct open_edge){.key = *k, .edge = wh_edge_presence(e)};
	o->edge.marks = WH_EDGE_OPEN;
	wh_edge_key_encode(k, o->order);
	return 0;
}

/* Passes on what comes before the key, and what has the key, to which the latter is added. */
static int merge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct both *b = arg;
	uint8_t order[WH_EDGE_KEY_BYTES];
	struct wh_edge sum;
	int rc = 0, c = 1;
	wh_edge_key_encode(k, order);
	while (b->at < b->n && !rc && (c = memcmp(b->open[b->at].order, order, sizeof order)) < 0) {
		const struct open_edge *o = &b->open[b->at++];
		rc = b->each(b->arg, &o->key, &o->edge);
	}
	if (rc || b->at == b->n || c)
		return rc ? rc : b->each(b->arg, k, e);
	sum = *e;
	wh_edge_merge_open(&sum, &b->open[b->at++].edge);
	sum.marks |= WH_EDGE_OPEN;
	return b->each(b->arg, k, &sum);
}

int wh_store_edges_between(struct wh_store *s, const struct wh_addr *from, const struct wh_addr *to, wh_edge_cb each, void *arg,
                           struct wh_error *err)
{
	struct both b = {.last = wh_day(wh_now_us()) + 1, .each = each, .arg = arg};
	int rc = s->ops->edges(s, WH_EDGES_OPEN, from, to, collect, &b, err);
	if (rc == -ENOMEM)
		wh_fail(err, rc, "out of memory");
	else if (!rc && !b.n)
		rc = s->ops->edges(s, WH_EDGES_REPORTED, from, to, each, arg, err);
	else if (!rc)
		rc = s->ops->edges(s, WH_EDGES_REPORTED, from, to, merge, &b, err);
	for (; !rc && b.at < b.n; b.at++)
		rc = each(arg, &b.open[b.at].key, &b.open[b.at].edge);
	free(b.open);
	return rc;
}
