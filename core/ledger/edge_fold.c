/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folding records into the edge table: a record's effect, at once or a little later, when its memory has been fetched. */
#include <string.h>
#include "ledger/edge_table.h"

static void sum(uint32_t *n)
{
	if (*n < UINT32_MAX)
		++*n;
}

/* Whether a flow fits into a cell without a whole edge. */
static inline bool is_one(const struct edge_update *d)
{
	return d->what == UPDATE_FLOW && d->part == WH_FLOW_WHOLE && !d->alerted && !d->before &&
	       !((uint64_t)(d->end_us - d->start_us) >> 32 | (d->to_server | d->to_client) >> 32);
}

/* The same as merging an edge of one flow, without building it. `in`: sent by the peer. */
static void add_flow(struct wh_edge *e, const struct edge_update *d, uint64_t in, uint64_t out)
{
	bool had = e->days != 0;
	if (!had || d->start_us < e->first_us)
		e->first_us = d->start_us;
	if (!had || d->end_us > e->last_us)
		e->last_us = d->end_us;
	if (__builtin_expect(e->day0 == d->day && d->last_day == d->day && had, 1))
		e->days |= 1;
	else
		wh_days_merge(&e->day0, &e->days, d->last_day, wh_days_between(d->day, d->last_day));
	e->hours |= wh_edge_hours_between(d->start_us, d->end_us, d->day) & 0xffffff;
	e->flows += d->part <= WH_FLOW_BEGUN;
	if (d->connects)
		sum(&e->connects);
	e->bytes_in = wh_saturating_add(e->bytes_in, in);
	e->bytes_out = wh_saturating_add(e->bytes_out, out);
	if (d->part == WH_FLOW_WHOLE || d->part == WH_FLOW_ENDS) {
		sum(&e->size_hist[wh_edge_size_bucket(wh_saturating_add(d->before, wh_saturating_add(in, out)))]);
		sum(&e->time_hist[wh_edge_time_bucket(d->end_us - d->start_us)]);
	}
	if (d->alerted)
		sum(&e->alerted_flows);
}

/*
 * An alert is not a flow: days and times come from the flow's own record. It is the peer's where the peer's own packet raised it
 * in a completed TCP connection. Alerts on the other side's packets, and on datagrams, whose source anybody can forge, leave a
 * mark.
 */
static void add_alert(struct wh_edge *e, const struct edge_update *d, int side)
{
	if (!side && d->proxied)
		e->marks |= WH_EDGE_PROXY;
	if (!d->own[side]) {
		e->marks |= WH_EDGE_ALERT_OTHER;
		return;
	}
	sum(&e->alerts[d->severity >= 1 && d->severity <= 3 ? d->severity - 1 : 3]);
	if (d->severity < 1 || d->severity > 2 || d->day < 1 || d->day > UINT16_MAX)
		return;
	struct wh_edge one = {.alert_sid = d->sid, .alert_first = (uint16_t)d->day, .alert_last = (uint16_t)d->day};
	wh_edge_merge(e, &one);
}

/* A flow of which the sensor only received our own address's packets: it counts as one-sided, for its port, or for the address if
 * the port may be a client's. Else a mirror of the answers would look like a host without traffic. */
static bool unheard_from_ours(const struct wh_edge_table *t, const struct wh_flow *f, struct wh_edge_key *k)
{
	uint16_t port;
	if (!wh_flow_other_side_unheard(f, &port) || !wh_locals_has(t->locals, &f->src))
		return false;
	*k = (struct wh_edge_key){
		.local = f->src, .peer = f->dst, .port = port, .proto = port ? f->proto : 0, .direction = WH_INBOUND};
	return true;
}

/* Which days the record counts on. A later part of a flow counts on those that no earlier one reached. */
static void work_out_days(const struct wh_record *r, struct edge_update *d)
{
	const struct wh_flow *f = &r->flow;
	d->end_us = f->end_us < f->start_us ? f->start_us : f->end_us;
	d->day = wh_day(f->start_us);
	d->last_day = wh_day(d->end_us);
	d->part = f->part;
	d->before = r->before ? r->before->bytes : 0;
	d->count_day = r->before ? wh_day(r->before->end_us) + 1 : d->day;
	d->counts = r->kind == WH_RECORD_FLOW && d->count_day <= d->last_day;
}

/* The edge of the end that serves: dst, or src of a flow that was met in mid-flow. */
static struct wh_edge_key inbound(const struct wh_flow *f, bool turned)
{
	return (struct wh_edge_key){.local = turned ? f->src : f->dst,
	                            .peer = turned ? f->dst : f->src,
	                            .port = turned ? f->src_port : f->dst_port,
	                            .proto = f->proto,
	                            .direction = WH_INBOUND};
}

static void work_out(const struct wh_edge_table *t, const struct wh_record *r, struct edge_update *d)
{
	const struct wh_flow *f = &r->flow;
	enum wh_side side = r->kind == WH_RECORD_OTHER ? WH_SIDE_UNANSWERED : wh_flow_server(f);
	bool flow = r->kind == WH_RECORD_FLOW, turned = side == WH_SIDE_UNKNOWN && flow && wh_flow_src_serves(f);
	bool answered = side == WH_SIDE_DST_SERVES || turned;
	struct wh_edge_key key = inbound(f, turned);
	d->what = UPDATE_DAY;
	d->cell[0] = d->cell[1] = 0;
	d->local[0] = r->kind != WH_RECORD_OTHER && (answered || flow) && wh_locals_has(t->locals, &key.local);
	d->local[1] = answered && wh_locals_has(t->locals, &key.peer);
	work_out_days(r, d);
	bool ours_alone = flow && !answered && !d->local[0] && unheard_from_ours(t, f, &key);
	if (!d->local[0] && !d->local[1] && !ours_alone)
		return;
	d->what = !answered ? side == WH_SIDE_UNKNOWN ? UPDATE_UNDIRECTED : UPDATE_UNANSWERED : flow ? UPDATE_FLOW : UPDATE_ALERT;
	d->alerted = f->alerted;
	d->connects = d->what == UPDATE_FLOW && wh_flow_only_connects(f);
	d->severity = r->alert_severity;
	d->sid = r->alert_sid;
	if (d->what == UPDATE_ALERT && r->time_us > f->start_us)
		d->day = wh_day(r->time_us);
	d->proxied = r->proxied;
	d->own[0] = f->proto == WH_PROTO_TCP && r->alert_from == WH_SENDER_SRC;
	d->own[1] = f->proto == WH_PROTO_TCP && r->alert_from == WH_SENDER_DST;
	d->how = d->what == UPDATE_UNDIRECTED ? WH_SKETCH_UNDIRECTED : 0;
	if (!answered && f->pkts_toserver && f->pkts_toclient && !f->denied)
		d->how |= WH_SKETCH_HEARD;
	else if (ours_alone || (!answered && wh_flow_one_sided(f)))
		d->how |= WH_SKETCH_ONE_SIDED;
	d->start_us = f->start_us;
	d->to_server = turned ? f->bytes_toclient : f->bytes_toserver;
	d->to_client = turned ? f->bytes_toserver : f->bytes_toclient;
	d->key[0] = key;
	if (!answered)
		d->hash[0] = sketch_hash(t, &(struct wh_sketch_key){.local = key.local, .port = key.port, .proto = key.proto});
	else if (d->local[0])
		d->hash[0] = edge_hash(t, &key);
	if (d->local[1]) {
		d->key[1] = (struct wh_edge_key){
			.local = key.peer, .peer = key.local, .port = key.port, .proto = key.proto, .direction = WH_OUTBOUND};
		d->hash[1] = edge_hash(t, &d->key[1]);
	}
}

/* The cell that was found while the record waited, or else the one to be found or made now. */
static inline struct edge_cell *cell_of_update(struct wh_edge_table *t, const struct edge_update *d, int i)
{
	struct edge_cell *c = d->cell[i] && d->cell[i] <= t->n_edges ? &t->edges[d->cell[i] - 1] : NULL;
	return c && wh_edge_same_key(&c->key, &d->key[i]) ? c : wh_edge_table_cell(t, &d->key[i], d->hash[i], true);
}

static int fold_edges(struct wh_edge_table *t, const struct edge_update *d)
{
	/* all or nothing: a record without room must not leave an edge without a flow */
	if (!room_for(t, 2))
		return -ENOSPC;
	if (__builtin_expect(t->n_edges + 2 > t->max_edges, 0)) {
		size_t fresh = 0;
		for (int i = 0; i < 2; i++)
			fresh += d->local[i] && !wh_edge_table_cell(t, &d->key[i], d->hash[i], false);
		if (t->n_edges + fresh > t->max_edges)
			return -ENOSPC;
	}
	bool one = is_one(d);
	for (int i = 0; i < 2; i++) {
		struct edge_cell *c = d->local[i] ? cell_of_update(t, d, i) : NULL;
		uint64_t in = i ? d->to_client : d->to_server, out = i ? d->to_server : d->to_client;
		if (!c)
			continue;
		if (one && !c->whole && !c->one.flows)
			c->one = (struct wh_edge_one){d->start_us, (uint32_t)(d->end_us - d->start_us), (uint32_t)in,
			                              (uint32_t)out, 1, d->connects};
		else if (d->what == UPDATE_FLOW)
			add_flow(wh_edge_table_whole(t, c), d, in, out);
		else
			add_alert(wh_edge_table_whole(t, c), d, i);
	}
	return 0;
}

static void count_unanswered(struct wh_edge_table *t, const struct edge_update *d)
{
	const struct wh_edge_key *k = &d->key[0];
	struct wh_sketch *s = wh_edge_table_sketch(
		t, &(struct wh_sketch_key){.local = k->local, .port = k->port, .proto = k->proto}, d->hash[0]);
	if (s)
		wh_sketch_add(s, &k->peer, d->start_us, d->end_us, d->how);
}

static inline bool of_edges(const struct edge_update *d)
{
	return d->what == UPDATE_FLOW || d->what == UPDATE_ALERT;
}

static int carry_out(struct wh_edge_table *t, const struct edge_update *d)
{
	int rc = 0;
	if (d->counts && !wh_edge_table_days_fit(t))
		return -ENOSPC;
	if (of_edges(d))
		rc = fold_edges(t, d);
	else if (d->what != UPDATE_DAY)
		count_unanswered(t, d);
	if (!rc && d->counts)
		wh_edge_table_count_days(t, d->count_day, d->last_day);
	return rc;
}

int wh_edge_table_fold(struct wh_edge_table *t, const struct wh_record *r)
{
	struct edge_update d;
	work_out(t, r, &d);
	return carry_out(t, &d);
}

/* Inlined by force: gcc 12 takes a function that only prefetches for one without effect, and drops its calls. */
static inline __attribute__((always_inline)) void fetch_slots(const struct wh_edge_table *t, const struct edge_update *d)
{
	if (!of_edges(d) && d->what != UPDATE_DAY)
		__builtin_prefetch(&t->by_sketch.slot[slot_of(&t->by_sketch, d->hash[0])]);
	for (int i = 0; i < 2; i++)
		if (of_edges(d) && d->local[i])
			__builtin_prefetch(&t->by_edge.slot[slot_of(&t->by_edge, d->hash[i])]);
}

static inline __attribute__((always_inline)) void fetch_cells(const struct wh_edge_table *t, struct edge_update *d)
{
	if (!of_edges(d) && d->what != UPDATE_DAY)
		fetch_sketch(t, d->hash[0]);
	for (int i = 0; i < 2; i++)
		if (of_edges(d) && d->local[i] && (d->cell[i] = cell_with(&t->by_edge, d->hash[i])))
			__builtin_prefetch(t->edges + d->cell[i] - 1, 1);
}

static inline __attribute__((always_inline)) void fetch_wholes(const struct wh_edge_table *t, const struct edge_update *d)
{
	for (int i = 0; i < 2; i++)
		if (d->cell[i])
			fetch_whole(t, &t->edges[d->cell[i] - 1], WHOLE_HOT);
}

/* Asks for the memory of all that wait, in three rounds, as each needs what the one before has fetched; then carries them out.
 * The requests of a round are so near each other in the program that the processor waits for all of them together. */
static int carry_out_all(struct wh_edge_table *t)
{
	struct edge_update *first = t->pending, *end = first + t->waiting;
	int rc = 0;
	for (struct edge_update *d = first; d < end; d++)
		fetch_slots(t, d);
	for (struct edge_update *d = first; d < end; d++)
		fetch_cells(t, d);
	for (struct edge_update *d = first; d < end; d++)
		fetch_wholes(t, d);
	for (struct edge_update *d = first; d < end; d++) {
		int one = carry_out(t, d);
		rc = rc ? rc : one;
	}
	t->waiting = 0;
	return rc;
}

int wh_edge_table_fold_later(struct wh_edge_table *t, const struct wh_record *r)
{
	work_out(t, r, &t->pending[t->waiting]);
	return ++t->waiting == PENDING ? carry_out_all(t) : 0;
}

int wh_edge_table_carry_out(struct wh_edge_table *t)
{
	return carry_out_all(t);
}
