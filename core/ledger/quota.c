/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See quota.h. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/siphash.h"
#include "ledger/quota.h"

enum { A_DAY = WH_QUOTA_A_DAY, MOST = WH_QUOTA_MOST, SWEEP = WH_QUOTA_SWEEP };

static const struct wh_hash_key the_same_always = {{0}}; /* results are written, and must not depend on the process */

struct doubted { /* an edge of a source that may be forged */
	struct wh_edge_key key;
	const struct edge_cell *cell; /* the table's; NULL: the ledger's row */
	int64_t time_us;
	uint64_t flows, hash;
	int32_t day;
	unsigned days; /* fresh: how many; else 0 */
	bool surplus, lost; /* unproven, of the table: makes no edge; the ledger had none */
};
struct doubted_list { struct doubted *u; size_t n, cap; };
struct quota {
	const struct wh_quota_store *s;
	const struct wh_edge_table *t;
	struct wh_error *err;
	struct wh_edge_key port;     /* whose edges come just now; `any` came */
	bool any, due;               /* due: the ledger's rows of the port are swept */
	struct doubted_list unproven, fresh; /* of one port; fresh ones of the ledger alone */
	size_t n_fresh;              /* of the table */
	struct wh_sketch sketch;     /* of the port's dropped edges */
	uint64_t chance;
	uint64_t until;              /* so many more edges, and their port is checked for a crowd */
	bool crowd_due;
};

static int add(struct quota *q, struct doubted_list *l, const struct wh_edge_key *k, const struct wh_edge *e,
               const struct edge_cell *in_table, unsigned days)
{
	if (!wh_array_grow(&l->u, l->n, &l->cap, sizeof *l->u))
		return wh_fail(q->err, -ENOMEM, "out of memory");
	l->u[l->n++] = (struct doubted){.key = *k,
	                                .cell = in_table,
	                                .time_us = e->first_us,
	                                .flows = e->flows,
	                                .hash = wh_siphash(the_same_always, k->peer.b, 2, 0),
	                                .day = e->day0,
	                                .days = days};
	return 0;
}

/* Fresh ones: those of more days first. Else the latest day first, and of a day those that stay. */
static int by_worth(const void *x, const void *y)
{
	const struct doubted *a = x, *b = y;
	if (a->days != b->days)
		return a->days < b->days ? 1 : -1;
	if (!a->days && a->day != b->day)
		return a->day < b->day ? 1 : -1;
	if (a->flows != b->flows)
		return a->flows < b->flows ? 1 : -1;
	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static void sort(struct doubted_list *l)
{
	if (l->n)
		qsort(l->u, l->n, sizeof *l->u, by_worth);
}

/* Whether any unproven one may be surplus: days that count as one make more of them, never fewer. */
static bool may_exceed(const struct doubted_list *l)
{
	enum { DAYS = 256 };
	uint16_t of_day[DAYS] = {0};
	if (l->n > MOST)
		return true;
	for (size_t i = 0; i < l->n; i++)
		if (++of_day[(uint32_t)l->u[i].day % DAYS] > A_DAY)
			return true;
	return false;
}

/* The place of the next unproven one that is surplus, from `at` on; n when there is none. *of_day and *kept count on. */
static size_t next_surplus(const struct doubted_list *l, size_t at, size_t *of_day, size_t *kept)
{
	for (; at < l->n; at++) {
		*of_day = at && l->u[at - 1].day == l->u[at].day ? *of_day + 1 : 0;
		if (*of_day >= A_DAY || *kept >= MOST)
			return at;
		++*kept;
	}
	return at;
}

static int row(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct quota *q = arg;
	if (wh_edge_unproven(k, e))
		return add(q, &q->unproven, k, e, NULL, 0);
	return wh_edge_fresh(k, e) ? add(q, &q->fresh, k, e, NULL, wh_edge_days(e)) : 0;
}

static int drop(struct quota *q, const struct doubted *d)
{
	wh_sketch_add_unproven(&q->sketch, &d->key.peer, d->time_us, d->flows);
	return q->s->drop(q->s->arg, &d->key, q->err);
}

/* Moves the port's rows that exceed the limits into the sketch. */
static int sweep(struct quota *q)
{
	size_t of_day = 0, kept = 0;

	q->unproven.n = q->fresh.n = 0;
	int rc = q->s->port(q->s->arg, &q->port, row, q, q->err);
	bool exceeds = may_exceed(&q->unproven);
	if (exceeds)
		sort(&q->unproven);
	if (q->fresh.n > MOST)
		sort(&q->fresh);
	for (size_t i = 0; exceeds && !rc && (i = next_surplus(&q->unproven, i, &of_day, &kept)) < q->unproven.n; i++)
		rc = drop(q, &q->unproven.u[i]);
	for (size_t i = MOST; !rc && i < q->fresh.n; i++)
		rc = drop(q, &q->fresh.u[i]);
	return rc;
}

/* A probability that no outsider can predict. */
static void may_be_due(struct quota *q, const struct wh_edge_key *k)
{
	q->chance = wh_siphash(wh_hash_key(), k->peer.b, 2, q->chance);
	q->due = q->due || !(q->chance % SWEEP);
}

/* The same, for a crowd: once in about a quarter of a port's limit, so that counting its rows costs little compared to writing
 * them. */
static void may_be_crowded(struct quota *q)
{
	if (q->until--)
		return;
	q->chance = wh_siphash(wh_hash_key(), &q->chance, 1, q->until);
	q->until = q->chance % (q->s->port_edges / 2 + 1);
	q->crowd_due = true;
}

static int by_peer(const void *x, const void *y)
{
	return wh_addr_cmp(&((const struct doubted *)x)->key.peer, &((const struct doubted *)y)->key.peer);
}

/* One port's unproven edges of the table, in key order, as a store likes them. Dropped edges go into the sketch in the order of
 * worth, on which its heaviest sources depend. */
static int put_unproven(struct quota *q)
{
	struct doubted_list *l = &q->unproven;
	size_t of_day = 0, kept = 0, surplus = 0;
	bool exceeds = may_exceed(l);
	int rc = 0;

	if (exceeds) {
		sort(l);
		for (size_t i = 0; (i = next_surplus(l, i, &of_day, &kept)) < l->n; i++, surplus++)
			l->u[i].surplus = true;
		qsort(l->u, l->n, sizeof *l->u, by_peer);
	}
	for (size_t i = 0; i < l->n && !rc; i++) {
		struct doubted *d = &l->u[i];
		bool there = true;
		may_be_due(q, &d->key);
		rc = q->s->merge(q->s->arg, q->t, d->cell, d->surplus ? &there : NULL, q->err);
		d->lost = !there;
	}
	if (!rc && surplus)
		sort(l);
	for (size_t i = 0; i < l->n && surplus && !rc; i++)
		if (l->u[i].lost)
			wh_sketch_add_unproven(&q->sketch, &l->u[i].key.peer, l->u[i].time_us, l->u[i].flows);
	return rc;
}

static int finish_port(struct quota *q)
{
	if (!q->any)
		return 0;
	memset(&q->sketch, 0, sizeof q->sketch);
	q->due = q->due || q->unproven.n + q->n_fresh >= SWEEP;
	int rc = put_unproven(q);
	if (!rc && q->due)
		rc = sweep(q);
	if (!rc && q->crowd_due)
		rc = q->s->crowd(q->s->arg, &q->port, &q->sketch, q->err);
	q->unproven.n = q->n_fresh = 0;
	q->any = q->due = q->crowd_due = false;
	return rc || !q->sketch.unproven || !q->s->sketch
	               ? rc
	               : q->s->sketch(q->s->arg, &(struct wh_sketch_key){q->port.local, q->port.port, q->port.proto}, &q->sketch,
	                              q->err);
}

/* One flow of TCP in which both sides sent data, and what our own side began, proves its peer: it need not be looked at. */
static bool proves(const struct edge_cell *c)
{
	return c->key.direction != WH_INBOUND || (!c->whole && c->key.proto == WH_PROTO_TCP && !c->one.connects);
}

static int table_edge(void *arg, const struct edge_cell *c)
{
	struct quota *q = arg;
	const struct wh_edge_key *k = &c->key;
	struct wh_edge room;
	int rc = q->any && !wh_edge_same_port(&q->port, k) ? finish_port(q) : 0;
	if (rc)
		return rc;
	q->port = *k;
	q->any = true;
	const struct wh_edge *e = proves(c) ? NULL : edge_of_cell(q->t, c, &room);
	if (e && wh_edge_unproven(k, e))
		return add(q, &q->unproven, k, e, c, 0);
	if (e && wh_edge_fresh(k, e)) {
		q->n_fresh++;
		may_be_due(q, k);
	}
	if (q->s->crowd)
		may_be_crowded(q);
	return q->s->merge(q->s->arg, q->t, c, NULL, q->err);
}

int wh_quota_put_edges(const struct wh_quota_store *s, const struct wh_edge_table *t, struct wh_error *err)
{
	struct quota q = {.s = s, .t = t, .err = err, .chance = (uint64_t)wh_now_us()};
	q.chance = wh_siphash(wh_hash_key(), &q.chance, 1, 0);
	q.until = q.chance % (s->port_edges / 2 + 1);
	int rc = wh_edge_table_cells(t, table_edge, &q);
	if (rc == -ENOMEM && !q.any)
		wh_fail(err, rc, "out of memory");
	if (!rc)
		rc = finish_port(&q);
	free(q.unproven.u);
	free(q.fresh.u);
	return rc;
}
