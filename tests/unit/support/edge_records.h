/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows of hosts in 10.0.0.0/8, and the edges that they make. Included by tests, after cmocka.h. */
#pragma once
#include "ledger/edge.h"

enum { S = WH_TCP_SYN, A = WH_TCP_ACK, P = WH_TCP_PSH, R = WH_TCP_RST, DAY = 20000 };

static inline struct wh_locals *ten(void)
{
	struct wh_locals *l = wh_locals_new();
	struct wh_prefix p;
	wh_prefix_parse("10.0.0.0/8", 10, &p, NULL);
	wh_locals_add_prefix(l, &p);
	return l;
}

static inline struct wh_record tcp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
	struct wh_record r = {.kind = WH_RECORD_FLOW};
	r.flow = (struct wh_flow){.proto = WH_PROTO_TCP,
	                          .has_tcp_flags = true,
	                          .tcp_flags_toserver = S | A | P,
	                          .tcp_flags_toclient = S | A | P,
	                          .pkts_toserver = 5,
	                          .pkts_toclient = 5,
	                          .bytes_toserver = 900,
	                          .bytes_toclient = 900,
	                          .src_port = sport,
	                          .dst_port = dport,
	                          .src = wh_addr_v4(src),
	                          .dst = wh_addr_v4(dst),
	                          .start_us = DAY * WH_US_PER_DAY};
	r.flow.end_us = r.flow.start_us + 1000000;
	return r;
}

static inline struct wh_record udp(uint32_t src, uint16_t sport, uint32_t dst, uint16_t dport)
{
	struct wh_record r = tcp(src, sport, dst, dport);
	r.flow.proto = WH_PROTO_UDP;
	r.flow.has_tcp_flags = false;
	r.flow.tcp_flags_toserver = r.flow.tcp_flags_toclient = 0;
	return r;
}

struct found { struct wh_edge_key key[8]; struct wh_edge edge[8]; size_t n; };
static inline int find(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct found *f = arg;
	assert_true(f->n < 8);
	f->key[f->n] = *k;
	f->edge[f->n++] = *e;
	return 0;
}

/* The edges that these records make. */
static inline struct found edges_of(const struct wh_record *r, size_t n)
{
	struct wh_locals *l = ten();
	struct wh_edge_table *t = wh_edge_table_new(l, 1 << 20);
	struct found f = {.n = 0};
	for (size_t i = 0; i < n; i++)
		assert_int_equal(wh_edge_table_fold(t, &r[i]), 0);
	wh_edge_table_each(t, find, &f);
	wh_edge_table_free(t);
	wh_locals_free(l);
	return f;
}

/* For wh_edge_table_days(): the sum of the flows, and the number of days. */
static inline int count_day(void *arg, int32_t day, uint64_t flows)
{
	(void)day;
	((uint64_t *)arg)[0] += flows;
	((uint64_t *)arg)[1]++;
	return 0;
}

static const uint32_t host = 0x0a000005, peer = 0x2d010203;
