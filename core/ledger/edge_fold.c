/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folding records into the edge table: what a record does to it, at once or a little later, when its memory has come. */
#include <string.h>
#include "ledger/edge_table.h"

static void count_unanswered(struct wh_edge_table *t, const struct wh_addr *local, const struct wh_addr *src, uint8_t proto, uint16_t port,
                             int64_t time_us, bool undirected)
{
	struct wh_sketch_key k = {.local = *local, .port = port, .proto = proto};
	struct wh_sketch *s = wh_edge_table_sketch(t, &k);
	if (s)
		wh_sketch_add(s, src, time_us, undirected);
}

/* Without branches: sizes and lengths follow no pattern that a processor could foresee. Sizes part at powers of two. */
static unsigned size_bucket(uint64_t bytes)
{
	static const uint8_t of_length[65] = {
		[9] = 1, [10] = 1, [11] = 2, [12] = 2, [13] = 3, [14] = 3, [15] = 4, [16] = 4, [17] = 5, [18] = 5, [19] = 5, [20] = 5,
		[21] = 6, [22] = 6, [23] = 6, [24] = 6, [25 ... 64] = 7,
	};
	return of_length[64 - __builtin_clzll(bytes | 1)];
}

static unsigned time_bucket(int64_t us)
{
	return (us >= 100000) + (us >= 1000000) + (us >= 5000000) + (us >= 30000000) + (us >= 300000000) + (us >= INT64_C(3600000000)) +
	       (unsigned)(us >= INT64_C(28800000000));
}

static void sum(uint32_t *n)
{
	if (*n < UINT32_MAX)
		++*n;
}

/* The same as merging an edge of one flow, without building it. `in` is what the peer sent. */
static void add_flow(struct wh_edge *e, const struct wh_flow *f, int32_t day, uint64_t in, uint64_t out)
{
	int64_t end = f->end_us < f->start_us ? f->start_us : f->end_us;
	bool had = e->days != 0;
	if (!had || f->start_us < e->first_us)
		e->first_us = f->start_us;
	if (!had || end > e->last_us)
		e->last_us = end;
	if (__builtin_expect(e->day0 == day && had, 1))
		e->days |= 1;
	else
		wh_days_merge(&e->day0, &e->days, day, 1);
	e->hours |= 1u << ((f->start_us - day * WH_US_PER_DAY) / INT64_C(3600000000));
	e->flows++;
	e->bytes_in = e->bytes_in > UINT64_MAX - in ? UINT64_MAX : e->bytes_in + in;
	e->bytes_out = e->bytes_out > UINT64_MAX - out ? UINT64_MAX : e->bytes_out + out;
	sum(&e->size_hist[size_bucket(in > UINT64_MAX - out ? UINT64_MAX : in + out)]);
	sum(&e->time_hist[time_bucket(end - f->start_us)]);
	if (f->alerted)
		sum(&e->alerted_flows);
}

/* An alert is no flow: it says nothing of days and times, which are those of the flow's own record. */
static void add_alert(struct wh_edge *e, const struct wh_record *r)
{
	sum(&e->alerts[r->alert_severity >= 1 && r->alert_severity <= 3 ? r->alert_severity - 1 : 3]);
}

static void make_plan(const struct wh_edge_table *t, const struct wh_record *r, struct plan *p)
{
	const struct wh_flow *f = &r->flow;
	p->side = r->kind == WH_RECORD_OTHER ? WH_SIDE_UNANSWERED : wh_flow_server(f);
	p->local[0] = p->local[1] = false;
	if (p->side != WH_SIDE_DST_SERVES && p->side != WH_SIDE_SRC_SERVES)
		return;
	bool reversed = p->side == WH_SIDE_SRC_SERVES;
	const struct wh_addr *server = reversed ? &f->src : &f->dst, *client = reversed ? &f->dst : &f->src;
	uint16_t port = reversed ? f->src_port : f->dst_port;
	for (int i = 0; i < 2; i++) {
		const struct wh_addr *local = i ? client : server, *peer = i ? server : client;
		p->local[i] = wh_locals_has(t->locals, local);
		if (!p->local[i])
			continue;
		p->key[i] = (struct wh_edge_key){.local = *local, .peer = *peer, .port = port, .proto = f->proto,
		                                 .direction = i ? WH_OUTBOUND : WH_INBOUND};
		p->hash[i] = edge_hash(t, &p->key[i]);
	}
}

static int fold_edges(struct wh_edge_table *t, const struct wh_record *r, const struct plan *p, int32_t day)
{
	const struct wh_flow *f = &r->flow;
	bool reversed = p->side == WH_SIDE_SRC_SERVES;
	uint64_t to_server = reversed ? f->bytes_toclient : f->bytes_toserver, to_client = reversed ? f->bytes_toserver : f->bytes_toclient;
	struct wh_edge *e[2] = {NULL, NULL};
	/* room for both at once, so that the first is not moved by the second */
	while (t->n_edges + 2 > t->room_edges && t->room_edges < t->max_edges)
		if (!wh_edge_table_grow(t))
			return -ENOSPC;
	/* all or nothing: a record that has no room leaves no edge behind that nobody was seen on */
	if (__builtin_expect(t->n_edges + 2 > t->max_edges, 0)) {
		size_t fresh = 0;
		for (int i = 0; i < 2; i++)
			fresh += p->local[i] && !wh_edge_table_edge(t, &p->key[i], p->hash[i], false);
		if (t->n_edges + fresh > t->max_edges)
			return -ENOSPC;
	}
	for (int i = 0; i < 2; i++)
		if (p->local[i] && !(e[i] = wh_edge_table_edge(t, &p->key[i], p->hash[i], true)))
			return -ENOSPC;
	for (int i = 0; i < 2; i++)
		if (e[i] && r->kind == WH_RECORD_FLOW)
			add_flow(e[i], f, day, i ? to_client : to_server, i ? to_server : to_client);
		else if (e[i])
			add_alert(e[i], r);
	return 0;
}

static int carry_out(struct wh_edge_table *t, const struct wh_record *r, const struct plan *p)
{
	const struct wh_flow *f = &r->flow;
	int32_t today = wh_day(f->start_us);
	uint64_t *day = NULL;
	int rc = 0;
	if (r->kind == WH_RECORD_OTHER)
		return 0;
	if (r->kind == WH_RECORD_FLOW && !(day = wh_edge_table_day(t, today)))
		return -ENOSPC;
	if (p->side == WH_SIDE_DST_SERVES || p->side == WH_SIDE_SRC_SERVES)
		rc = fold_edges(t, r, p, today);
	else if (r->kind == WH_RECORD_FLOW && wh_locals_has(t->locals, &f->dst))
		count_unanswered(t, &f->dst, &f->src, f->proto, f->dst_port, f->start_us, p->side == WH_SIDE_UNKNOWN);
	if (!rc && day)
		++*day;
	return rc;
}

int wh_edge_table_fold(struct wh_edge_table *t, const struct wh_record *r)
{
	struct plan p;
	make_plan(t, r, &p);
	return carry_out(t, r, &p);
}

/* Inlined by force: gcc 12 takes a function that only prefetches for one without effect, and drops its calls. */
static inline __attribute__((always_inline)) void fetch_slots(const struct wh_edge_table *t, const struct plan *p)
{
	for (int i = 0; i < 2; i++)
		if (p->local[i])
			__builtin_prefetch(&t->by_edge.slot[p->hash[i] & t->by_edge.mask]);
}

static inline __attribute__((always_inline)) void fetch_edges(const struct wh_edge_table *t, const struct plan *p)
{
	for (int i = 0; i < 2; i++) {
		if (!p->local[i])
			continue;
		size_t at = p->hash[i] & t->by_edge.mask;
		uint64_t s;
		while ((s = t->by_edge.slot[at]) && !slot_may_be(s, p->hash[i]))
			at = (at + 1) & t->by_edge.mask;
		if (!s)
			continue;
		for (size_t line = 0; line < sizeof *t->edges; line += 64)
			__builtin_prefetch((const char *)&t->edges[cell_of(s)] + line, 1);
	}
}

int wh_edge_table_fold_later(struct wh_edge_table *t, const struct wh_record *r)
{
	struct pending *p = &t->pending[t->begun % PENDING];
	int rc = 0;
	if (t->begun - t->settled == PENDING) {
		rc = carry_out(t, &p->rec, &p->plan);
		t->settled++;
	}
	make_plan(t, r, &p->plan);
	fetch_slots(t, &p->plan);
	p->rec = *r; /* last: its bytes were written one by one just now, and are read faster in blocks a little later */
	if (t->begun - t->settled >= SLOT_AHEAD)
		fetch_edges(t, &t->pending[(t->begun - SLOT_AHEAD) % PENDING].plan);
	t->begun++;
	return rc;
}

int wh_edge_table_settle(struct wh_edge_table *t)
{
	int rc = 0;
	for (; t->settled != t->begun; t->settled++) {
		const struct pending *p = &t->pending[t->settled % PENDING];
		int one = carry_out(t, &p->rec, &p->plan);
		rc = rc ? rc : one;
	}
	return rc;
}

