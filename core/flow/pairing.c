/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts to flows. See pairing.h.
 *
 * Finds the end that opened a flow whose lines are one-way:
 *   one side sent a SYN without ACK, or the other one a SYN with ACK       the former
 *   one side began before the other                                        the former: a sensor takes the first sender for the
 *                                                                          opener
 *   one port alone is below 1024                                           the other one's side
 *   one port alone is of those that clients draw (from 32768 on)           that one's side
 *   else                                                                   not known
 */
#include <stdlib.h>
#include <string.h>
#include "flow/pairing_table.h"

/* A part that comes so long after the last one is another flow's. Logs whose first parts are marked hardly need it. */
static const int64_t idle_us = INT64_C(3600000000), idle_begun_us = INT64_C(86400000000);
enum { SYSTEM_PORTS = 1024, EPHEMERAL_PORTS = 32768 };

struct receiver { /* of records */
	const struct wh_tags *tags;
	wh_record_cb each;
	void *arg;
};

struct wh_pairing *wh_pairing_new(const uint8_t key[static WH_PAIRING_KEY_BYTES])
{
	struct wh_pairing *p = calloc(1, sizeof *p);
	if (!p)
		return NULL;
	memcpy(&p->key, key, sizeof p->key);
	if (wh_pairs_resize(p, PAIRS_LEAST))
		return p;
	free(p);
	return NULL;
}

void wh_pairing_free(struct wh_pairing *p)
{
	if (!p)
		return;
	wh_pairs_free(p);
	free(p);
}

size_t wh_pairing_open(const struct wh_pairing *p)
{
	return p->used;
}

/* ---- the opener ---- */

/* The side that opened it; -1: not known. */
static int opener(const struct pair *x)
{
	for (int i = 0; i < 2; i++)
		if ((x->flags[i] & WH_PART_OPENS || x->flags[!i] & WH_PART_ANSWERS) &&
		    !(x->flags[!i] & WH_PART_OPENS || x->flags[i] & WH_PART_ANSWERS))
			return i;
	if (x->start_of[0] != x->start_of[1])
		return x->start_of[1] < x->start_of[0];
	bool system[2] = {x->port[0] < SYSTEM_PORTS, x->port[1] < SYSTEM_PORTS},
	     drawn[2] = {x->port[0] >= EPHEMERAL_PORTS, x->port[1] >= EPHEMERAL_PORTS};
	if (system[0] != system[1])
		return system[0];
	if (drawn[0] != drawn[1])
		return drawn[1];
	return x->port[0] || x->port[1] ? -1 : 0;
}

/* All that is known of it. */
static struct wh_flow flow_of(const struct pair *x)
{
	int src = x->marks & PAIR_ONE_WAY ? opener(x) : 0, s = src > 0;
	return (struct wh_flow){.src = s ? x->b : x->a,
	                        .dst = s ? x->a : x->b,
	                        .src_port = x->port[s],
	                        .dst_port = x->port[!s],
	                        .proto = x->proto,
	                        .tcp_flags_toserver = x->flags[s],
	                        .tcp_flags_toclient = x->flags[!s],
	                        .has_tcp_flags = x->marks & PAIR_FLAGS,
	                        .state = src < 0 ? WH_STATE_UNDIRECTED : WH_STATE_UNKNOWN,
	                        .start_us = x->start_us,
	                        .end_us = x->end_us,
	                        .pkts_toserver = x->pkts[s],
	                        .pkts_toclient = x->pkts[!s],
	                        .bytes_toserver = x->bytes[s],
	                        .bytes_toclient = x->bytes[!s]};
}

/* ---- reporting ---- */

static int report(const struct receiver *t, const struct wh_flow *flow, enum wh_flow_part part,
                  const struct wh_flow_before *before)
{
	struct wh_record rec = {.kind = WH_RECORD_FLOW,
	                        .flow = *flow,
	                        .time_us = flow->end_us,
	                        .event_type = "flow",
	                        .tags = t->tags,
	                        .before = before};
	rec.flow.part = (uint8_t)part;
	return t->each(t->arg, &rec);
}

/* A flow that ended, or gives up its place, and was not reported as answered. One without counted packets is not known. */
static int report_rest(const struct receiver *t, const struct pair *x)
{
	if ((x->marks & PAIR_COUNTED) || !(x->pkts[0] | x->pkts[1]))
		return 0;
	struct wh_flow f = flow_of(x);
	return report(t, &f, WH_FLOW_WHOLE, NULL);
}

/* ---- parts ---- */

static struct pair pair_of(const struct wh_part *part)
{
	const struct wh_flow *f = &part->flow;
	uint8_t marks = (uint8_t)(PAIR_USED | PAIR_TOUCHED | (f->has_tcp_flags ? PAIR_FLAGS : 0) |
	                          (part->one_way ? PAIR_ONE_WAY : 0));
	return (struct pair){.a = f->src,
	                     .b = f->dst,
	                     .source = part->source,
	                     .start_us = f->start_us,
	                     .end_us = f->end_us,
	                     .start_of = {f->start_us, INT64_MAX},
	                     .pkts = {f->pkts_toserver, f->pkts_toclient},
	                     .bytes = {f->bytes_toserver, f->bytes_toclient},
	                     .port = {f->src_port, f->dst_port},
	                     .proto = f->proto,
	                     .flags = {f->tcp_flags_toserver, f->tcp_flags_toclient},
	                     .marks = marks};
}

/* Adds a part's data; `turned`: its sender is x's side 1. */
static void merge(struct pair *x, const struct pair *k, bool turned)
{
	for (int i = 0; i < 2; i++) {
		int to = turned ? !i : i;
		x->pkts[to] = wh_saturating_add(x->pkts[to], k->pkts[i]);
		x->bytes[to] = wh_saturating_add(x->bytes[to], k->bytes[i]);
		x->flags[to] |= k->flags[i];
		x->start_of[to] = k->start_of[i] < x->start_of[to] ? k->start_of[i] : x->start_of[to];
	}
	x->start_us = k->start_us < x->start_us ? k->start_us : x->start_us;
	x->end_us = k->end_us > x->end_us ? k->end_us : x->end_us;
	x->marks |= k->marks;
}

/* Whether the part is of another flow between the same ends: it says so itself, or the other one is long silent, or was closed
 * and this opens one. */
static bool is_another(const struct pair *x, const struct pair *k, const struct wh_part *part)
{
	bool closed = (x->flags[0] | x->flags[1]) & (WH_TCP_FIN | WH_TCP_RST), opens = k->flags[0] & WH_TCP_SYN;
	return (part->begins && k->start_us > x->start_us) ||
	       k->start_us > x->end_us + (part->one_way ? idle_us : idle_begun_us) ||
	       (part->one_way && (x->marks & PAIR_COUNTED) && closed && opens && k->start_us >= x->end_us);
}

/* A flow that was not reported yet, if its parts so far show an answer. */
static int report_answered(const struct receiver *t, struct pair *x, bool one_way)
{
	struct wh_flow f = flow_of(x);
	if (wh_flow_server(&f) != WH_SIDE_DST_SERVES)
		return 0;
	x->marks |= PAIR_COUNTED;
	return report(t, &f, one_way ? WH_FLOW_WHOLE : WH_FLOW_BEGUN, NULL);
}

/* For a flow that is counted: the data that this part adds. */
static int report_more(const struct receiver *t, const struct pair *was, const struct pair *x, const struct pair *k, bool ends)
{
	struct wh_flow_before before = {was->end_us, wh_saturating_add(was->bytes[0], was->bytes[1])};
	struct wh_flow f = flow_of(x);
	bool from_server = !wh_addr_eq(&f.src, &k->a) || f.src_port != k->port[0];
	f.pkts_toserver = k->pkts[from_server];
	f.pkts_toclient = k->pkts[!from_server];
	f.bytes_toserver = k->bytes[from_server];
	f.bytes_toclient = k->bytes[!from_server];
	return report(t, &f, ends ? WH_FLOW_ENDS : WH_FLOW_GOES_ON, &before);
}

/* A flow's first part. One that is its last, too, needs no place. */
static int begin(struct wh_pairing *p, const struct wh_part *part, uint64_t hash, const struct pair *k, const struct receiver *t)
{
	struct pair *out, *x;
	if (part->ends)
		return report_rest(t, k);
	if (wh_pair_full(p, &out)) {
		const struct receiver others = {NULL, t->each, t->arg};
		struct pair gone = *out;
		wh_pair_remove(p, out);
		int rc = report_rest(&others, &gone);
		if (rc < 0)
			return rc;
	}
	x = wh_pair_insert(p, k, hash);
	if (!x)
		return -ENOMEM;
	return report_answered(t, x, part->one_way);
}

int wh_pairing_add(struct wh_pairing *p, const struct wh_part *part, const struct wh_tags *tags, wh_record_cb each, void *arg)
{
	return wh_pairing_add_ahead(p, part, wh_pairing_ahead(p, part), tags, each, arg);
}

int wh_pairing_add_ahead(struct wh_pairing *p, const struct wh_part *part, uint64_t hash, const struct wh_tags *tags,
                         wh_record_cb each, void *arg)
{
	const struct receiver t = {tags, each, arg};
	struct pair k = pair_of(part);
	bool turned;
	struct pair *x = wh_pair_find(p, &k, hash, &turned);
	if (x && is_another(x, &k, part)) {
		struct pair gone = *x;
		wh_pair_remove(p, x);
		x = NULL;
		int rc = report_rest(&t, &gone);
		if (rc < 0)
			return rc;
	}
	if (!x)
		return begin(p, part, hash, &k, &t);
	struct pair was = *x;
	merge(x, &k, turned);
	wh_pair_changed(p, x);
	struct pair now = *x;
	if (part->ends)
		wh_pair_remove(p, x);
	if (was.marks & PAIR_COUNTED)
		return report_more(&t, &was, &now, &k, part->ends);
	if (part->ends)
		return report_rest(&t, &now);
	return report_answered(&t, x, part->one_way);
}
