/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that the kernel has open are presence; the same connection is one flow, for any number of reports from any
 * source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ledger/edge.h"

#define DAY(n) ((20000 + (n)) * WH_US_PER_DAY)
#define HOUR INT64_C(3600000000)

struct ledger { char dir[64], path[96]; struct wh_ledger both; struct wh_store *s; struct wh_locals *locals; };

static struct wh_addr addr(const char *text)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(text, strlen(text), &a), 0);
	return a;
}

static void begin(struct ledger *l)
{
	struct wh_error err;
	struct wh_addr own = addr("10.0.0.4");
	strcpy(l->dir, "/tmp/whittle-open-XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	snprintf(l->path, sizeof l->path, "%s/l.db", l->dir);
	assert_int_equal(wh_ledger_open(l->path, WH_STATE_CREATE, &l->both, &err), 0);
	l->s = l->both.store;
	l->locals = wh_locals_new();
	assert_int_equal(wh_locals_add_addr(l->locals, &own), 0);
}

static void end(struct ledger *l)
{
	char text[160];
	wh_locals_free(l->locals);
	wh_ledger_close(&l->both);
	snprintf(text, sizeof text, "rm -rf %s", l->dir);
	assert_int_equal(system(text), 0);
}

static struct wh_flow pool(const char *peer, uint16_t client_port, int64_t start_us)
{
	return (struct wh_flow){.src = addr(peer),
	                        .dst = addr("10.0.0.4"),
	                        .src_port = client_port,
	                        .dst_port = 5432,
	                        .proto = WH_PROTO_TCP,
	                        .start_us = start_us,
	                        .state = WH_STATE_ESTABLISHED,
	                        .app_proto_known = true,
	                        .pkts_toserver = 1,
	                        .pkts_toclient = 1};
}

static struct wh_flow datagrams(uint32_t peer, int64_t start_us)
{
	struct wh_flow f = pool("10.0.9.9", 40000, start_us);
	f.src = wh_addr_v4(peer);
	f.proto = WH_PROTO_UDP;
	f.dst_port = 1194;
	f.app_proto_known = false;
	return f;
}

static void seen(struct ledger *l, const struct wh_flow *f, size_t n, int64_t now_us)
{
	struct wh_error err = {.text = ""};
	if (wh_store_seen_open(l->s, l->locals, f, n, now_us, &err))
		fail_msg("%s", err.text);
}

/* A sensor's report after its end. */
static void reported(struct ledger *l, const struct wh_flow *open, int64_t start_us, int64_t end_us)
{
	struct wh_edge_table *t = wh_edge_table_new(l->locals, 8 << 20);
	struct wh_record r = {.kind = WH_RECORD_FLOW, .flow = *open};
	struct wh_read_stats none = {0};
	struct wh_error err;
	r.flow.start_us = start_us, r.flow.end_us = end_us;
	r.flow.pkts_toserver = r.flow.pkts_toclient = 100;
	r.flow.bytes_toserver = 30000, r.flow.bytes_toclient = 50000;
	assert_int_equal(wh_edge_table_fold(t, &r), 0);
	assert_int_equal(wh_store_commit(l->s, t, NULL, &none, &err), 0);
	wh_edge_table_free(t);
}

struct all { size_t n; struct wh_edge_key key[8]; struct wh_edge edge[8]; };
static int take(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct all *a = arg;
	if (a->n < 8) {
		a->key[a->n] = *k;
		a->edge[a->n] = *e;
	}
	a->n++;
	return 0;
}

static struct all edges(struct ledger *l)
{
	struct all a = {0};
	struct wh_error err;
	assert_int_equal(wh_store_edges(l->s, NULL, take, &a, &err), 0);
	return a;
}

static void a_connection_that_no_sensor_reported_becomes_an_edge_from_its_begin_to_now(void **state)
{
	(void)state;
	struct ledger l;
	struct wh_flow f = pool("140.20.30.9", 40000, DAY(1) + 23 * HOUR);
	begin(&l);
	seen(&l, &f, 1, DAY(5) + HOUR);
	struct all a = edges(&l);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.key[0].direction, WH_INBOUND);
	assert_int_equal(a.key[0].port, 5432);
	assert_int_equal(a.edge[0].flows, 1);
	assert_int_equal(wh_edge_days(&a.edge[0]), 5);
	assert_int_equal(a.edge[0].day0, 20005);
	assert_true(a.edge[0].first_us == DAY(1) + 23 * HOUR && a.edge[0].last_us == DAY(5) + HOUR);
	end(&l);
}

static void a_connection_that_is_seen_repeatedly_is_one_flow_on_each_of_its_days(void **state)
{
	(void)state;
	struct ledger l;
	struct wh_flow f = pool("140.20.30.9", 40000, 0);
	begin(&l);
	for (int64_t at = DAY(1) + 20 * HOUR; at <= DAY(3) + 2 * HOUR; at += HOUR / 6)
		seen(&l, &f, 1, at);
	struct all a = edges(&l);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.edge[0].flows, 1);
	assert_int_equal(wh_edge_days(&a.edge[0]), 3);
	assert_true(a.edge[0].first_us == DAY(1) + 20 * HOUR);
	end(&l);
}

static void a_sensors_report_of_it_before_or_later_makes_no_second_flow(void **state)
{
	(void)state;
	for (int later = 0; later < 2; later++) {
		struct ledger l;
		struct wh_flow f = pool("140.20.30.9", 40000, DAY(1));
		begin(&l);
		if (!later)
			reported(&l, &f, DAY(1), DAY(2));
		seen(&l, &f, 1, DAY(4));
		if (later)
			reported(&l, &f, DAY(1), DAY(6));
		struct all a = edges(&l);
		assert_int_equal(a.n, 1);
		assert_int_equal(a.edge[0].flows, 1);
		assert_int_equal(a.edge[0].bytes_in, 30000);
		assert_int_equal(wh_edge_days(&a.edge[0]), later ? 6 : 4);
		end(&l);
	}
}

static void connections_of_one_peer_that_are_open_at_once_are_as_many_flows(void **state)
{
	(void)state;
	struct ledger l;
	struct wh_flow f[] = {pool("140.20.30.9", 40000, 0), pool("140.20.30.9", 40001, 0), pool("140.20.30.9", 40002, 0),
	                      pool("140.20.30.10", 40000, 0)};
	begin(&l);
	seen(&l, f, 4, DAY(1));
	seen(&l, f, 2, DAY(2));
	struct all a = edges(&l);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.edge[0].flows, 3);
	assert_int_equal(a.edge[1].flows, 1);
	end(&l);
}

static int count_days(void *arg, int32_t day, uint64_t flows)
{
	(void)day, (void)flows;
	++*(size_t *)arg;
	return 0;
}

static void open_connections_are_no_evidence_of_a_sensor(void **state)
{
	(void)state;
	struct ledger l;
	struct wh_flow f = pool("140.20.30.9", 40000, DAY(1)), other = pool("140.20.30.10", 40000, 0);
	struct wh_addr own = addr("10.0.0.4");
	struct all a = {0};
	struct wh_error err;
	size_t days = 0;
	begin(&l);
	seen(&l, &f, 1, DAY(9));
	assert_int_equal(wh_store_days(l.s, count_days, &days, &err), 0);
	assert_int_equal(days, 0);
	assert_int_equal(wh_store_sensor_edges(l.s, &own, take, &a, &err), 0);
	assert_int_equal(a.n, 0);
	reported(&l, &f, DAY(1), DAY(2));
	reported(&l, &other, DAY(1), DAY(2));
	assert_int_equal(wh_store_sensor_edges(l.s, &own, take, &a, &err), 0);
	assert_int_equal(a.n, 2);
	assert_int_equal(wh_edge_days(&a.edge[0]), 2);
	a = edges(&l);
	assert_int_equal(a.n, 2);
	assert_int_equal(a.edge[0].marks, WH_EDGE_OPEN);
	assert_int_equal(a.edge[1].marks, 0);
	end(&l);
}

static void foreign_connections_and_possible_answers_are_left_out(void **state)
{
	(void)state;
	struct ledger l;
	struct wh_flow f[] = {pool("140.20.30.9", 40000, 0), datagrams(0x8c141e09, 0)};
	begin(&l);
	f[0].dst = addr("192.0.2.1");
	f[1].src_port = 53, f[1].dst_port = 40000;
	seen(&l, f, 2, DAY(1));
	assert_int_equal(edges(&l).n, 0);
	end(&l);
}

static void a_connection_of_ours_to_a_server_is_an_outbound_edge(void **state)
{
	(void)state;
	struct ledger l;
	struct wh_flow f = pool("10.0.0.4", 40000, 0);
	begin(&l);
	f.dst = addr("51.8.77.3");
	seen(&l, &f, 1, DAY(1));
	struct all a = edges(&l);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.key[0].direction, WH_OUTBOUND);
	end(&l);
}

/* The same number as for any other datagrams. */
static void the_number_of_datagram_edges_is_limited(void **state)
{
	(void)state;
	struct ledger l;
	static struct wh_flow f[4000];
	begin(&l);
	for (int look = 0; look < 3; look++) {
		for (uint32_t i = 0; i < 4000; i++)
			f[i] = datagrams(0x0b000000u + i + 4000u * (uint32_t)look, 0);
		seen(&l, f, 4000, DAY(1) + look * HOUR);
	}
	assert_true(edges(&l).n <= 256);
	end(&l);
}

static void edges_of_a_clock_that_ran_ahead_are_not_read_and_are_removed(void **state)
{
	(void)state;
	struct ledger l;
	struct wh_flow f = pool("140.20.30.9", 40000, 0);
	int64_t now = wh_now_us();
	begin(&l);
	seen(&l, &f, 1, now - WH_US_PER_DAY);
	seen(&l, &f, 1, now + 4000 * WH_US_PER_DAY);
	assert_int_equal(edges(&l).n, 0);
	seen(&l, &f, 1, now);
	struct all a = edges(&l);
	assert_int_equal(a.n, 1);
	assert_int_equal(wh_edge_days(&a.edge[0]), 1);
	end(&l);
}

static void an_impossible_start_counts_as_now(void **state)
{
	(void)state;
	struct ledger l;
	const int64_t starts[] = {-1, HOUR, INT64_MAX, INT64_MIN, DAY(3)};
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
		struct wh_flow f = pool("140.20.30.9", 40000, starts[i]);
		begin(&l);
		seen(&l, &f, 1, DAY(2));
		struct all a = edges(&l);
		assert_int_equal(a.n, 1);
		assert_int_equal(wh_edge_days(&a.edge[0]), 1);
		assert_true(a.edge[0].first_us == DAY(2));
		end(&l);
	}
}

static void both_kinds_of_edges_come_in_one_order_each_key_once(void **state)
{
	(void)state;
	struct ledger l;
	uint8_t before[WH_EDGE_KEY_BYTES] = {0}, key[WH_EDGE_KEY_BYTES];
	begin(&l);
	for (int i = 1; i <= 7; i++) {
		char peer[32];
		snprintf(peer, sizeof peer, "140.20.30.%d", i);
		struct wh_flow f = pool(peer, 40000, DAY(1));
		if (i % 2 || i == 4)
			seen(&l, &f, 1, DAY(1));
		if (!(i % 2))
			reported(&l, &f, DAY(1), DAY(1));
	}
	struct all a = edges(&l);
	assert_int_equal(a.n, 7);
	for (size_t i = 0; i < 7; i++) {
		wh_edge_key_encode(&a.key[i], key);
		assert_true(memcmp(before, key, sizeof key) < 0);
		memcpy(before, key, sizeof key);
		assert_int_equal(a.edge[i].flows, 1);
	}
	struct wh_store_totals t;
	struct wh_error err;
	assert_int_equal(wh_store_totals(l.s, &t, &err), 0);
	assert_int_equal(t.edges, 7);
	end(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_that_no_sensor_reported_becomes_an_edge_from_its_begin_to_now),
		cmocka_unit_test(a_connection_that_is_seen_repeatedly_is_one_flow_on_each_of_its_days),
		cmocka_unit_test(a_sensors_report_of_it_before_or_later_makes_no_second_flow),
		cmocka_unit_test(connections_of_one_peer_that_are_open_at_once_are_as_many_flows),
		cmocka_unit_test(open_connections_are_no_evidence_of_a_sensor),
		cmocka_unit_test(foreign_connections_and_possible_answers_are_left_out),
		cmocka_unit_test(a_connection_of_ours_to_a_server_is_an_outbound_edge),
		cmocka_unit_test(the_number_of_datagram_edges_is_limited),
		cmocka_unit_test(edges_of_a_clock_that_ran_ahead_are_not_read_and_are_removed),
		cmocka_unit_test(an_impossible_start_counts_as_now),
		cmocka_unit_test(both_kinds_of_edges_come_in_one_order_each_key_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
