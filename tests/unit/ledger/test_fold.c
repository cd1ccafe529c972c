/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Folding against a naive fold that was written separately. Flows with a server that is known by construction are kept in lists
 * and counted by the words of ledger.h. The table must give the same result, in any order and over any number of tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ledger/edge.h"

static uint64_t state_of_rng = 0x243f6a8885a308d3u;
static uint64_t rnd(void)
{
	state_of_rng ^= state_of_rng << 13, state_of_rng ^= state_of_rng >> 7, state_of_rng ^= state_of_rng << 17;
	return state_of_rng * 0x2545f4914f6cdd1du;
}

enum truth { DST, NOBODY, UNTOLD };
struct made { struct wh_record rec; enum truth server; };
enum { FLOWS = 6000 };

static bool ours(const struct wh_addr *a)
{
	return wh_addr_is_v4(a) ? a->b[12] == 10 : a->b[0] == 0xfd;
}

static struct wh_addr random_addr(void)
{
	struct wh_addr a = wh_addr_v4((rnd() % 2 ? 0x0a000000 : 0x2d000000) + (uint32_t)(rnd() % 5));
	if (rnd() % 3 == 0) {
		memset(&a, 0, sizeof a);
		a.b[0] = rnd() % 2 ? 0xfd : 0x2a;
		a.b[15] = (uint8_t)(rnd() % 5);
	}
	return a;
}

static uint64_t random_count(void)
{
	return rnd() >> (rnd() % 64);
}

static struct made random_flow(void)
{
	static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_TCP, WH_PROTO_UDP, WH_PROTO_ICMP};
	enum { S = WH_TCP_SYN, A = WH_TCP_ACK, P = WH_TCP_PSH };
	struct made m = {.rec.kind = WH_RECORD_FLOW, .server = (enum truth)(rnd() % 3)};
	struct wh_flow *f = &m.rec.flow;
	f->proto = protos[rnd() % 4];
	f->src = random_addr();
	f->dst = random_addr();
	if (f->proto != WH_PROTO_ICMP) {
		f->src_port = (uint16_t)(1024 + rnd() % 60000);
		f->dst_port = (uint16_t)(20 + rnd() % 4);
	}
	f->start_us = (int64_t)(19990 + rnd() % 90 + (rnd() % 50 ? 0 : 200)) * WH_US_PER_DAY +
	              (int64_t)(rnd() % (uint64_t)WH_US_PER_DAY);
	if (rnd() % 40 == 0)
		f->start_us = -(int64_t)(rnd() % (200 * (uint64_t)WH_US_PER_DAY)); /* before 1970 */
	f->end_us = f->start_us + (int64_t)(rnd() >> (20 + rnd() % 40)) - (rnd() % 9 == 0 ? 1000 : 0);
	f->pkts_toserver = 1 + rnd() % 50, f->pkts_toclient = 1 + rnd() % 50;
	f->bytes_toserver = random_count(), f->bytes_toclient = random_count();
	f->alerted = rnd() % 5 == 0;
	if (f->proto != WH_PROTO_TCP) { /* a reply is all there is to see */
		m.server = m.server % 2 ? NOBODY : DST;
		f->pkts_toclient = m.server == NOBODY ? 0 : f->pkts_toclient;
		return m;
	}
	f->has_tcp_flags = true;
	if (m.server == UNTOLD) /* without a handshake, and from ports that tell nothing either */
		f->src_port = (uint16_t)(32768 + rnd() % 30000), f->dst_port = (uint16_t)(40000 + rnd() % 4);
	f->tcp_flags_toserver = A | P | (m.server == DST ? S : 0);
	f->tcp_flags_toclient = A | P | (m.server == DST && rnd() % 4 ? S : 0); /* now and then the SYN+ACK is missed */
	if (m.server == NOBODY)
		f->pkts_toclient = 0;
	return m;
}

/* ---- the naive fold ---- */

struct naive {
	struct wh_edge_key key;
	const struct made *flow[FLOWS];
	size_t n;
};
static struct naive *edges;
static size_t n_edges;

static void naive_add(const struct wh_addr *local, const struct wh_addr *peer, uint16_t port, uint8_t proto, uint8_t direction,
                      const struct made *m)
{
	size_t i;
	for (i = 0; i < n_edges; i++) {
		const struct wh_edge_key *k = &edges[i].key;
		if (!memcmp(&k->local, local, 16) && !memcmp(&k->peer, peer, 16) && k->port == port && k->proto == proto &&
		    k->direction == direction)
			break;
	}
	if (i == n_edges) {
		assert_true(n_edges < 4000);
		edges[n_edges].n = 0;
		edges[n_edges++].key = (struct wh_edge_key){*local, *peer, port, proto, direction};
	}
	edges[i].flow[edges[i].n++] = m;
}

static void naive_fold(const struct made *m)
{
	const struct wh_flow *f = &m->rec.flow;
	if (m->server == DST && ours(&f->dst))
		naive_add(&f->dst, &f->src, f->dst_port, f->proto, WH_INBOUND, m);
	if (m->server == DST && ours(&f->src))
		naive_add(&f->src, &f->dst, f->dst_port, f->proto, WH_OUTBOUND, m);
}

static uint64_t capped(unsigned __int128 n)
{
	return n > UINT64_MAX ? UINT64_MAX : (uint64_t)n;
}

/* The counts that ledger.h defines for a list of flows. */
static struct wh_edge naive_edge(const struct naive *x)
{
	static const uint64_t sizes[] = {256, 1024, 4096, 16384, 65536, 1048576, 16777216};
	static const int64_t lengths[] = {100000, 1000000, 5000000, 30000000, 300000000, 3600000000, 28800000000};
	struct wh_edge e = {.first_us = INT64_MAX, .last_us = INT64_MIN, .day0 = INT32_MIN, .flows = x->n};
	unsigned __int128 in = 0, out = 0;
	for (size_t i = 0; i < x->n; i++) {
		const struct wh_flow *f = &x->flow[i]->rec.flow;
		bool from_src = memcmp(&f->src, &x->key.peer, 16) == 0 && memcmp(&f->dst, &x->key.local, 16) == 0;
		if (!memcmp(&f->src, &f->dst,
		            16)) /* an address that talks to itself: the peer's side is the client's inbound, the server's outbound */
			from_src = (x->flow[i]->server == DST) == (x->key.direction == WH_INBOUND);
		int64_t end = f->end_us < f->start_us ? f->start_us : f->end_us,
			day = f->start_us / WH_US_PER_DAY - (f->start_us % WH_US_PER_DAY < 0);
		unsigned b = 0;
		in += from_src ? f->bytes_toserver : f->bytes_toclient;
		out += from_src ? f->bytes_toclient : f->bytes_toserver;
		e.first_us = f->start_us < e.first_us ? f->start_us : e.first_us;
		e.last_us = end > e.last_us ? end : e.last_us;
		e.day0 = wh_day(end) > e.day0 ? wh_day(end) : e.day0;
		int64_t hour = (f->start_us - day * WH_US_PER_DAY) / INT64_C(3600000000),
			last_hour = (end - day * WH_US_PER_DAY) / INT64_C(3600000000);
		for (int64_t h = hour; h <= last_hour && h < hour + 24; h++)
			e.hours |= 1u << h % 24;
		while (b < 7 && capped((unsigned __int128)f->bytes_toserver + f->bytes_toclient) >= sizes[b])
			b++;
		e.size_hist[b]++;
		for (b = 0; b < 7 && end - f->start_us >= lengths[b];)
			b++;
		e.time_hist[b]++;
		e.alerted_flows += f->alerted;
	}
	for (size_t i = 0; i < x->n; i++) {
		const struct wh_flow *f = &x->flow[i]->rec.flow;
		for (int64_t day = wh_day(f->start_us), last = wh_day(f->end_us < f->start_us ? f->start_us : f->end_us);
		     day <= last; day++)
			if (e.day0 - day < 64)
				e.days |= UINT64_C(1) << (e.day0 - day);
	}
	e.bytes_in = capped(in);
	e.bytes_out = capped(out);
	return e;
}

static int as_the_naive(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	size_t i = 0;
	while (i < n_edges && memcmp(&edges[i].key, k, sizeof *k))
		i++;
	assert_true(i < n_edges);
	struct wh_edge want = naive_edge(&edges[i]);
	uint8_t a[WH_EDGE_VALUE_MAX], b[WH_EDGE_VALUE_MAX];
	size_t n = wh_edge_encode(e, a);
	assert_int_equal(n, wh_edge_encode(&want, b));
	assert_memory_equal(a, b, n);
	++*(size_t *)arg;
	return 0;
}

static void compare(const struct wh_edge_table *t)
{
	size_t seen = 0;
	assert_int_equal(wh_edge_table_each(t, as_the_naive, &seen), 0);
	assert_int_equal(seen, n_edges);
}

static struct wh_locals *locals(void)
{
	struct wh_locals *l = wh_locals_new();
	struct wh_prefix p;
	wh_prefix_parse("10.0.0.0/8", 10, &p, NULL);
	wh_locals_add_prefix(l, &p);
	wh_prefix_parse("fd00::/8", 8, &p, NULL);
	wh_locals_add_prefix(l, &p);
	return l;
}

static void shuffle(struct made *m, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = rnd() % i;
		struct made x = m[i - 1];
		m[i - 1] = m[j];
		m[j] = x;
	}
}

static void folding_equals_a_naive_fold_in_any_order_and_over_any_number_of_tables(void **state)
{
	struct wh_locals *l = locals();
	struct made *flows = calloc(FLOWS, sizeof *flows), *order = calloc(FLOWS, sizeof *order);
	(void)state;
	edges = calloc(4000, sizeof *edges);
	assert_true(flows && order && edges);
	for (int round = 0; round < 3; round++) {
		n_edges = 0;
		for (size_t i = 0; i < FLOWS; i++) {
			flows[i] = random_flow();
			naive_fold(&flows[i]);
		}
		assert_true(n_edges > 300);
		memcpy(order, flows, FLOWS * sizeof *order);
		for (int way = 0; way < 4; way++) {
			struct wh_edge_table *t[5];
			size_t parts = way == 0 ? 1 : 1 + rnd() % 5;
			for (size_t i = 0; i < parts; i++)
				t[i] = wh_edge_table_new(l, 4 << 20);
			for (size_t i = 0; i < FLOWS; i++)
				assert_int_equal(way % 2 ? wh_edge_table_fold_later(t[rnd() % parts], &order[i].rec)
				                         : wh_edge_table_fold(t[rnd() % parts], &order[i].rec),
				                 0);
			for (size_t i = 0; i < parts; i++)
				assert_int_equal(wh_edge_table_carry_out(t[i]), 0);
			for (size_t i = parts; i-- > 1;) { /* merged in another order than they were made */
				size_t into = rnd() % i;
				assert_int_equal(wh_edge_table_take(t[into], t[i]), 0);
				assert_int_equal(wh_edge_table_count(t[i]), 0);
			}
			compare(t[0]);
			for (size_t i = 0; i < parts; i++)
				wh_edge_table_free(t[i]);
			shuffle(order, FLOWS);
		}
	}
	free(edges), free(flows), free(order);
	wh_locals_free(l);
}

struct tally { uint64_t flows, undirected, days; };

static int add_sketch(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *s)
{
	struct tally *t = arg;
	(void)k;
	t->flows += s->flows;
	t->undirected += s->undirected;
	return 0;
}

static int add_day(void *arg, int32_t day, uint64_t flows)
{
	(void)day;
	((struct tally *)arg)->days += flows;
	return 0;
}

static void every_flow_is_an_edges_a_sketchs_or_nobodys_and_its_day_is_counted(void **state)
{
	struct wh_locals *l = locals();
	(void)state;
	for (int more_in_from = 0; more_in_from < 2; more_in_from++) { /* whichever table holds more when they come together */
		struct wh_edge_table *t = wh_edge_table_new(l, 4 << 20), *u = wh_edge_table_new(l, 4 << 20);
		struct tally want = {0}, got = {0}, left = {0};
		for (int i = 0; i < 30000; i++) {
			struct made m = random_flow();
			if ((i % 3 == 0) == more_in_from)
				assert_int_equal(wh_edge_table_fold(t, &m.rec), 0);
			else
				assert_int_equal(wh_edge_table_fold_later(u, &m.rec), 0);
			int64_t first = wh_day(m.rec.flow.start_us), last = wh_day(m.rec.flow.end_us);
			want.days += last < first ? 1 : last - first > 63 ? 64 : (uint64_t)(last - first) + 1;
			want.flows += m.server == NOBODY && ours(&m.rec.flow.dst);
			want.undirected += m.server == UNTOLD && ours(&m.rec.flow.dst);
		}
		assert_int_equal(wh_edge_table_carry_out(u), 0);
		assert_true((wh_edge_table_count(t) < wh_edge_table_count(u)) == more_in_from);
		assert_int_equal(wh_edge_table_take(t, u), 0);
		wh_edge_table_sketches(t, add_sketch, &got);
		wh_edge_table_days(t, add_day, &got);
		assert_memory_equal(&want, &got, sizeof want);
		wh_edge_table_sketches(u, add_sketch, &left);
		wh_edge_table_days(u, add_day, &left);
		assert_int_equal(left.days + left.flows + left.undirected, 0);
		wh_edge_table_free(t), wh_edge_table_free(u);
	}
	wh_locals_free(l);
}

static void a_table_that_takes_a_larger_one_keeps_its_own_limit(void **state)
{
	struct wh_locals *l = locals();
	struct wh_edge_table *small = wh_edge_table_new(l, 1 << 20), *large = wh_edge_table_new(l, 8 << 20);
	size_t before = 0;
	(void)state;
	for (int i = 0; i < 30000; i++) {
		struct made m = random_flow();
		assert_int_equal(wh_edge_table_fold(large, &m.rec), 0);
		if (i == 100) { /* so little fits: it goes over whole, whichever memory it then is in */
			before = wh_edge_table_count(large);
			assert_int_equal(wh_edge_table_take(small, large), 0);
			assert_int_equal(wh_edge_table_count(small), before);
			assert_int_equal(wh_edge_table_count(large), 0);
		}
	}
	int rc = wh_edge_table_take(small, large);
	assert_true(rc == 0 || rc == -ENOSPC);
	assert_true(wh_edge_table_bytes(small) <= 1 << 20);
	assert_true(wh_edge_table_bytes(large) <= 8 << 20);
	wh_edge_table_clear(small);
	for (int i = 0; i < 30000; i++) {
		struct made m = random_flow();
		rc = wh_edge_table_fold(small, &m.rec);
		assert_true(rc == 0 || rc == -ENOSPC);
		assert_true(wh_edge_table_bytes(small) <= 1 << 20);
	}
	wh_edge_table_free(small), wh_edge_table_free(large);
	wh_locals_free(l);
}

static void an_address_is_ours_just_when_a_prefix_or_an_address_of_ours_holds_it(void **state)
{
	static const char *const texts[] = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8", "2001:db8::/33",
	                                    "0.0.0.0/0",  "::/0",          "100.64.0.0/10",  "45.1.2.3", "2a00::1",
	                                    "8.0.0.0/5",  "224.0.0.0/4",   "::ffff:0:0/97"};
	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct wh_locals *l = wh_locals_new();
		struct wh_prefix p[4];
		struct wh_addr own = random_addr();
		size_t n = 1 + rnd() % 4;
		for (size_t i = 0; i < n; i++) {
			const char *t = texts[rnd() % (sizeof texts / sizeof *texts)];
			assert_int_equal(wh_prefix_parse(t, strlen(t), &p[i], NULL), 0);
			assert_int_equal(wh_locals_add_prefix(l, &p[i]), 0);
		}
		assert_int_equal(wh_locals_add_addr(l, &own), 0);
		for (int i = 0; i < 40; i++) {
			struct wh_addr a = rnd() % 2 ? wh_addr_v4((uint32_t)rnd()) : random_addr();
			if (rnd() % 3 == 0)
				a = rnd() % 2 ? p[rnd() % n].addr : wh_prefix_last(&p[rnd() % n]);
			if (rnd() % 8 == 0)
				a.b[rnd() % 16] ^= (uint8_t)(1 << rnd() % 8);
			bool four = wh_addr_is_v4(&a),
			     group = four ? a.b[12] >= 224 || !(a.b[12] | a.b[13] | a.b[14] | a.b[15]) : a.b[0] == 0xff;
			bool want = false;
			for (size_t j = 0; j < n; j++)
				want |= !group && wh_prefix_has(&p[j], &a);
			want |= wh_addr_eq(&a, &own);
			assert_int_equal(wh_locals_has(l, &a), want);
		}
		wh_locals_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folding_equals_a_naive_fold_in_any_order_and_over_any_number_of_tables),
		cmocka_unit_test(an_address_is_ours_just_when_a_prefix_or_an_address_of_ours_holds_it),
		cmocka_unit_test(every_flow_is_an_edges_a_sketchs_or_nobodys_and_its_day_is_counted),
		cmocka_unit_test(a_table_that_takes_a_larger_one_keeps_its_own_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
