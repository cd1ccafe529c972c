/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The edge table and the edge with hostile input: limits, counters, and the choice of the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../support/edge_records.h"

/* ---- the choice of the server ---- */

static void with_equal_ports_on_both_sides_the_asking_end_is_the_client(void **state)
{
	(void)state;
	static const uint16_t ports[] = {123, 500, 5353, 4500};
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
		struct wh_record in = udp(peer, ports[i], host, ports[i]), out = udp(host, ports[i], peer, ports[i]);
		struct found f = edges_of(&in, 1);
		assert_int_equal(f.n, 1);
		assert_int_equal(f.key[0].direction, WH_INBOUND);
		assert_int_equal(f.key[0].port, ports[i]);
		f = edges_of(&out, 1);
		assert_int_equal(f.n, 1);
		assert_int_equal(f.key[0].direction, WH_OUTBOUND);
		assert_int_equal(f.key[0].port, ports[i]);
	}
	struct wh_record group = udp(peer, 5353, 0xe00000fb, 5353);
	assert_int_equal(edges_of(&group, 1).n, 0); /* a group of receivers is no resource */
}

/* A capture begins in mid-flow: our host asked, and the first packet that is seen is the answer to its ephemeral port. */
static void an_ephemeral_port_of_ours_never_becomes_a_service_because_a_question_was_missed(void **state)
{
	(void)state;
	struct wh_record r[] = {udp(peer, 53, host, 40000),  udp(peer, 123, host, 61234), tcp(peer, 443, host, 40001),
	                        tcp(peer, 443, host, 40002), tcp(peer, 443, host, 40003), tcp(peer, 443, host, 40004)};
	r[2].flow.tcp_flags_toserver = r[2].flow.tcp_flags_toclient = A | P;    /* no handshake was seen */
	/* from the SYN+ACK on: the sensor reports no flags */
	r[3].flow.tcp_flags_toserver = r[3].flow.tcp_flags_toclient = 0;
	r[4].flow.tcp_flags_toserver = r[4].flow.tcp_flags_toclient = A | P | R;
	r[2].flow.bytes_toserver = 1200; /* what the sender of the first packet sent: the server */
	r[5].kind = WH_RECORD_ALERT;                                            /* an alert on such a flow */
	r[5].flow.has_tcp_flags = false;
	r[5].flow.bytes_toclient = 60 * 5;
	struct found f = edges_of(r, 6);
	assert_int_equal(f.n, 1); /* of the two in which both sides' flags show data */
	assert_int_equal(f.key[0].direction, WH_OUTBOUND);
	assert_int_equal(f.key[0].port, 443);
	assert_int_equal(f.edge[0].flows, 2);
	assert_int_equal(f.edge[0].bytes_in, 1200 + 900);
	assert_int_equal(f.edge[0].bytes_out, 900 + 900);
}

/* We asked, and the server's SYN+ACK was missed: the sender of the SYN is the client all the same. */
static void a_missed_answer_to_a_syn_does_not_reverse_the_connection(void **state)
{
	(void)state;
	struct wh_record r[] = {tcp(host, 40000, peer, 443), tcp(peer, 50000, host, 22)};
	r[0].flow.tcp_flags_toclient = r[1].flow.tcp_flags_toclient = A | P;
	struct found f = edges_of(r, 2);
	assert_int_equal(f.n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(f.key[i].direction, f.key[i].port == 443 ? WH_OUTBOUND : WH_INBOUND);
		assert_true(f.key[i].port == 443 || f.key[i].port == 22);
	}
}

static void a_udp_service_on_a_high_port_is_one_when_a_client_asks(void **state)
{
	(void)state;
	struct wh_record r[] = {udp(peer, 51000, host, 51820), udp(peer + 1, 2048, host, 51820), udp(peer + 2, 53, host, 51820)};
	r[2].flow.app_proto_known = true; /* the application protocol shows the client */
	assert_int_equal(edges_of(r, 3).n, 3);
}

static void a_flow_that_the_sensors_own_firewall_denied_is_no_edge(void **state)
{
	(void)state;
	struct wh_record r = tcp(peer, 40000, host, 22);
	r.flow.denied = true;
	assert_int_equal(edges_of(&r, 1).n, 0);
}

static void without_flags_only_data_both_ways_or_an_application_is_a_conversation(void **state)
{
	(void)state;
	struct wh_record r = tcp(peer, 40000, host, 22);
	r.flow.has_tcp_flags = false;
	r.flow.state = WH_STATE_CLOSED;
	assert_int_equal(edges_of(&r, 1).n, 1);
	r.flow.bytes_toclient = 60 * 5; /* a closed port's RST, five times */
	assert_int_equal(edges_of(&r, 1).n, 0);
	r.flow.app_proto_known = true;
	assert_int_equal(edges_of(&r, 1).n, 1);
	r.flow.state = WH_STATE_NEW;
	assert_int_equal(edges_of(&r, 1).n, 0);
}

/* ---- alerts ---- */

static struct wh_record alert(uint32_t src, uint8_t severity)
{
	struct wh_record r = tcp(src, 40000, host, 22);
	r.kind = WH_RECORD_ALERT;
	r.alert_severity = severity;
	r.alert_sid = 2001219;
	r.alert_from = WH_SENDER_SRC;
	r.time_us = (DAY + 7) * WH_US_PER_DAY;
	r.flow.has_tcp_flags = false;
	r.flow.tcp_flags_toserver = r.flow.tcp_flags_toclient = 0;
	r.flow.app_proto_known = true;
	return r;
}

/* A signature that fires on what the server sent, one over UDP, and one of which the sender is not known prove nothing of the
 * peer. */
static void an_alert_that_is_not_the_peers_own_leaves_a_mark_alone(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct wh_record r = alert(peer, 1);
		r.proxied = i == 0;
		r.alert_from = i == 0 ? WH_SENDER_DST : i == 1 ? WH_SENDER_SRC : WH_SENDER_UNKNOWN;
		r.flow.proto = i == 1 ? WH_PROTO_UDP : WH_PROTO_TCP;
		struct found f = edges_of(&r, 1);
		assert_int_equal(f.n, 1);
		for (int k = 0; k < 4; k++)
			assert_int_equal(f.edge[0].alerts[k], 0);
		assert_int_equal(f.edge[0].alert_last, 0);
		assert_int_equal(f.edge[0].marks, WH_EDGE_ALERT_OTHER | (i == 0 ? WH_EDGE_PROXY : 0));
	}
}

/* Outbound the peer is the server: its own packets are those to the client. */
static void an_outbound_edges_alert_is_about_the_servers_packets(void **state)
{
	(void)state;
	struct wh_record r = alert(host, 1);
	r.flow.dst = wh_addr_v4(peer);
	struct found own = edges_of(&r, 1);
	assert_int_equal(own.n, 1);
	assert_int_equal(own.key[0].direction, WH_OUTBOUND);
	assert_int_equal(own.edge[0].alerts[0], 0);
	r.alert_from = WH_SENDER_DST;
	assert_int_equal(edges_of(&r, 1).edge[0].alerts[0], 1);
}

static void an_alert_adds_its_severity_and_neither_days_nor_flows(void **state)
{
	(void)state;
	struct wh_record r[] = {alert(peer, 1), alert(peer, 3), alert(peer, 0), alert(peer, 200), tcp(peer, 40000, host, 22),
	                        alert(peer, 2)};
	struct found f = edges_of(r, 6), only = edges_of(r, 1);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.edge[0].flows, 1);
	assert_int_equal(wh_edge_days(&f.edge[0]), 1);
	assert_int_equal(f.edge[0].day0, DAY);
	assert_int_equal(f.edge[0].first_us, DAY * WH_US_PER_DAY);
	assert_int_equal(f.edge[0].alerts[0], 1);
	assert_int_equal(f.edge[0].alerts[1], 1);
	assert_int_equal(f.edge[0].alerts[2], 1);
	assert_int_equal(f.edge[0].alerts[3], 2);
	assert_int_equal(f.edge[0].alert_sid, 2001219);
	assert_int_equal(f.edge[0].alert_first, DAY + 7);
	assert_int_equal(f.edge[0].alert_last, DAY + 7);
	assert_int_equal(only.n, 1);
	assert_int_equal(wh_edge_days(&only.edge[0]), 0);
	assert_int_equal(only.edge[0].flows, 0);
}

static void an_alert_that_can_be_forged_in_a_peers_name_does_not_count_against_it(void **state)
{
	(void)state;
	struct wh_record r = alert(peer, 1);
	r.flow.app_proto_known = false;
	r.flow.bytes_toclient = 60 * 5; /* SYN+ACKs that went to the address that was forged */
	assert_int_equal(edges_of(&r, 1).n, 0);
}

static void an_edge_of_alerts_alone_merges_in_any_order(void **state)
{
	(void)state;
	struct wh_edge alerts = {.alerts = {1}}, flow = {.first_us = 500, .last_us = 900, .day0 = 0, .days = 1, .flows = 1},
		       x = {0}, y = {0};
	wh_edge_merge(&x, &alerts), wh_edge_merge(&x, &flow);
	wh_edge_merge(&y, &flow), wh_edge_merge(&y, &alerts);
	assert_int_equal(x.first_us, 500);
	assert_int_equal(y.first_us, 500);
	assert_int_equal(x.last_us, 900);
	assert_int_equal(y.last_us, 900);
}

/* ---- counters ---- */

static void sums_saturate_and_do_not_overflow(void **state)
{
	(void)state;
	struct wh_edge a = {.flows = UINT64_MAX - 1,
	                    .bytes_in = UINT64_MAX,
	                    .bytes_out = UINT64_MAX - 5,
	                    .alerts = {UINT32_MAX, UINT32_MAX - 1},
	                    .alerted_flows = UINT32_MAX},
		       b = {.flows = 5, .bytes_in = 1, .bytes_out = 5, .alerts = {1, 7}, .alerted_flows = 3};
	a.size_hist[2] = b.size_hist[2] = a.time_hist[7] = b.time_hist[7] = UINT32_MAX - 1;
	wh_edge_merge(&a, &b);
	assert_true(a.flows == UINT64_MAX && a.bytes_in == UINT64_MAX && a.bytes_out == UINT64_MAX &&
	            a.alerted_flows == UINT32_MAX);
	assert_true(a.alerts[0] == UINT32_MAX && a.alerts[1] == UINT32_MAX && a.size_hist[2] == UINT32_MAX &&
	            a.time_hist[7] == UINT32_MAX);
	struct wh_record r[] = {tcp(peer, 40000, host, 22), tcp(peer, 40000, host, 22)};
	r[0].flow.bytes_toserver = r[0].flow.bytes_toclient = r[1].flow.bytes_toserver = UINT64_MAX;
	struct found f = edges_of(r, 2);
	assert_true(f.edge[0].bytes_in == UINT64_MAX && f.edge[0].bytes_out == UINT64_MAX && f.edge[0].size_hist[7] == 2);
	struct wh_sketch x = {.flows = UINT64_MAX, .undirected = 1, .days = 1},
			 y = {.flows = 2, .undirected = UINT64_MAX, .days = 1};
	x.top[0].addr = y.top[0].addr = wh_addr_v4(peer);
	x.top[0].count = y.top[0].count = UINT64_MAX - 1;
	wh_sketch_merge(&x, &y);
	assert_true(x.flows == UINT64_MAX && x.undirected == UINT64_MAX && x.top[0].count == UINT64_MAX);
}

static void an_edge_of_one_flow_holds_it_be_it_large_or_long(void **state)
{
	static const uint64_t large[] = {0, UINT32_MAX, UINT32_MAX + UINT64_C(1)};
	(void)state;
	for (int i = 0; i < 27; i++) {
		struct wh_record r = tcp(peer, 40000, host, 22);
		r.flow.bytes_toserver = 900 + large[i % 3];
		r.flow.bytes_toclient = large[i / 3 % 3];
		r.flow.end_us = r.flow.start_us + (int64_t)large[i / 9];
		struct wh_edge e = edges_of(&r, 1).edge[0];
		assert_true(e.first_us == r.flow.start_us && e.last_us == r.flow.end_us && e.flows == 1 && e.day0 == DAY &&
		            e.days == 1);
		assert_true(e.bytes_in == r.flow.bytes_toserver && e.bytes_out == r.flow.bytes_toclient);
		assert_int_equal(e.size_hist[i % 3 || i / 3 % 3 ? 7 : 1], 1);
		assert_int_equal(e.time_hist[i / 9 ? 6 : 0], 1);
		assert_int_equal(e.hours, i / 9 ? 3 : 1);
	}
}

/* ---- limits ---- */

static int add_flows(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)k;
	assert_true(e->flows && e->days);
	*(uint64_t *)arg += e->flows;
	return 0;
}

static uint64_t flows_in(const struct wh_edge_table *t)
{
	uint64_t n = 0;
	wh_edge_table_each(t, add_flows, &n);
	return n;
}

static void peers_that_came_once_take_less_of_the_memory_than_those_that_came_again(void **state)
{
	enum { PEERS = 20000 };
	struct wh_locals *l = ten();
	struct wh_edge_table *t = wh_edge_table_new(l, 16 << 20);
	(void)state;
	for (uint32_t i = 0; i < PEERS; i++) {
		struct wh_record r = tcp(0x2d000000 + i, 40000, host, 22);
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
	}
	size_t once = wh_edge_table_bytes(t);
	assert_true(once < PEERS * 100);
	for (uint32_t i = 0; i < PEERS; i++) {
		struct wh_record r = tcp(0x2d000000 + i, 40000, host, 22);
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
	}
	assert_int_equal(flows_in(t), 2 * PEERS);
	assert_true(wh_edge_table_bytes(t) > once + PEERS * sizeof(struct wh_edge) - 1);
	wh_edge_table_free(t);
	wh_locals_free(l);
}

/* Both ends are ours, so that each record makes two edges, and the table's room is odd or even. */
static void a_record_that_finds_no_room_leaves_nothing_of_itself_behind(void **state)
{
	struct wh_locals *l = ten();
	(void)state;
	for (int odd = 0; odd < 2; odd++) {
		struct wh_edge_table *t = wh_edge_table_new(l, 1 << 20);
		struct wh_record r = tcp(peer, 40000, host, 22);
		uint64_t n = 0;
		if (odd)
			assert_int_equal(wh_edge_table_fold(t, &r), 0);
		for (uint32_t i = 0;; i++) {
			r = tcp(0x0a010000 + i, 40000, host, 22);
			if (wh_edge_table_fold(t, &r))
				break;
			n++;
		}
		assert_int_equal(wh_edge_table_fold(t, &r), -ENOSPC);
		assert_int_equal(wh_edge_table_count(t), 2 * n + (uint64_t)odd);
		assert_int_equal(flows_in(t), 2 * n + (uint64_t)odd);
		r = tcp(0x0a010000, 40000, host, 22); /* existing edges can still grow */
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
		assert_int_equal(flows_in(t), 2 * n + (uint64_t)odd + 2);
		assert_true(wh_edge_table_bytes(t) <= 1 << 20);
		wh_edge_table_free(t);
	}
	wh_locals_free(l);
}

static void a_table_taken_in_part_keeps_the_rest_and_counts_on(void **state)
{
	struct wh_locals *l = ten();
	struct wh_edge_table *into = wh_edge_table_new(l, 1 << 20), *from = wh_edge_table_new(l, 1 << 20);
	uint64_t folded = 0, taken = 0;
	(void)state;
	for (uint32_t i = 0; i < 3000; i++) {
		struct wh_record a = tcp(0x2d000000 + i, 40000, host, 22), b = tcp(0x2e000000 + i, 40000, host, 22);
		assert_int_equal(wh_edge_table_fold(into, &a), 0);
		assert_int_equal(wh_edge_table_fold(from, &b), 0);
		folded += 2;
	}
	struct wh_record scan = tcp(peer, 40000, host, 23);
	scan.flow.pkts_toclient = 0;
	assert_int_equal(wh_edge_table_fold(from, &scan), 0);
	assert_int_equal(wh_edge_table_take(into, from), -ENOSPC);
	assert_int_equal(flows_in(into) + flows_in(from), folded);
	assert_true(wh_edge_table_count(from) < 3000);
	for (uint32_t i = 0; i < 3000; i++) { /* edges that went and edges that stayed: both are found or made, never lost */
		struct wh_record b = tcp(0x2e000000 + i, 40000, host, 22);
		assert_int_equal(wh_edge_table_fold(from, &b), 0);
		folded++;
	}
	assert_int_equal(wh_edge_table_count(from), 3000);
	assert_int_equal(flows_in(into) + flows_in(from), folded);
	taken = flows_in(into);
	wh_edge_table_clear(into);
	assert_int_equal(wh_edge_table_take(into, from), 0);
	assert_int_equal(flows_in(into) + taken, folded);
	struct tally { uint64_t flows, days; } days = {0};
	wh_edge_table_days(into, count_day, &days);
	assert_int_equal(days.flows, 6001); /* from's own, once */
	wh_edge_table_free(into), wh_edge_table_free(from);
	wh_locals_free(l);
}

static int count_refused(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *s)
{
	(void)k;
	*(uint64_t *)arg += s->flows;
	return 0;
}

static void a_scan_of_every_port_of_a_network_stays_within_the_limit_and_every_flow_is_counted(void **state)
{
	struct wh_locals *l = ten();
	struct wh_edge_table *t = wh_edge_table_new(l, 1 << 20);
	uint64_t n = 0;
	(void)state;
	for (uint32_t i = 0; i < 300000; i++) {
		struct wh_record r = tcp(peer + i % 7, 40000, 0x0a000000 + i % 5000, (uint16_t)(i * 7919));
		r.flow.pkts_toclient = 0;
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
	}
	wh_edge_table_sketches(t, count_refused, &n);
	assert_int_equal(n, 300000);
	assert_int_equal(wh_edge_table_count(t), 0);
	assert_true(wh_edge_table_bytes(t) <= 1 << 20);
	wh_edge_table_free(t);
	wh_locals_free(l);
}

static void a_datagram_to_which_only_an_icmp_error_came_back_is_not_answered(void **state)
{
	(void)state;
	/* the sensor counts the error with the flow, which stays new */
	struct wh_record r = udp(0xcb007109, 40000, 0x0a000004, 161);
	r.flow.pkts_toserver = r.flow.pkts_toclient = 1;
	r.flow.bytes_toserver = 59;
	r.flow.bytes_toclient = 87;
	r.flow.state = WH_STATE_NEW;
	assert_int_equal(wh_flow_server(&r.flow), WH_SIDE_UNANSWERED);
	r.flow.state = WH_STATE_ESTABLISHED;
	assert_int_equal(wh_flow_server(&r.flow), WH_SIDE_DST_SERVES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_to_which_only_an_icmp_error_came_back_is_not_answered),
		cmocka_unit_test(with_equal_ports_on_both_sides_the_asking_end_is_the_client),
		cmocka_unit_test(a_missed_answer_to_a_syn_does_not_reverse_the_connection),
		cmocka_unit_test(an_ephemeral_port_of_ours_never_becomes_a_service_because_a_question_was_missed),
		cmocka_unit_test(a_udp_service_on_a_high_port_is_one_when_a_client_asks),
		cmocka_unit_test(a_flow_that_the_sensors_own_firewall_denied_is_no_edge),
		cmocka_unit_test(without_flags_only_data_both_ways_or_an_application_is_a_conversation),
		cmocka_unit_test(an_alert_that_is_not_the_peers_own_leaves_a_mark_alone),
		cmocka_unit_test(an_outbound_edges_alert_is_about_the_servers_packets),
		cmocka_unit_test(an_alert_adds_its_severity_and_neither_days_nor_flows),
		cmocka_unit_test(an_alert_that_can_be_forged_in_a_peers_name_does_not_count_against_it),
		cmocka_unit_test(an_edge_of_alerts_alone_merges_in_any_order),
		cmocka_unit_test(sums_saturate_and_do_not_overflow),
		cmocka_unit_test(an_edge_of_one_flow_holds_it_be_it_large_or_long),
		cmocka_unit_test(peers_that_came_once_take_less_of_the_memory_than_those_that_came_again),
		cmocka_unit_test(a_record_that_finds_no_room_leaves_nothing_of_itself_behind),
		cmocka_unit_test(a_table_taken_in_part_keeps_the_rest_and_counts_on),
		cmocka_unit_test(a_scan_of_every_port_of_a_network_stays_within_the_limit_and_every_flow_is_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
