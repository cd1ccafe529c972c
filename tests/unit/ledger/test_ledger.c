/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ledger/edge.h"

static uint64_t seed = 88172645463325252u;
static uint64_t rnd(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

static struct wh_edge random_edge(void)
{
	struct wh_edge e = {.first_us = (int64_t)(rnd() % 1000000) - 500000,
	                    .day0 = 20000 + (int32_t)(rnd() % 100),
	                    .days = rnd() & rnd() & rnd(),
	                    .flows = rnd() >> (rnd() % 64)};
	e.last_us = e.first_us + (int64_t)(rnd() % 1000000);
	e.days |= 1;
	e.hours = (uint32_t)rnd() & 0xffffff;
	e.bytes_in = rnd() >> (rnd() % 64);
	e.bytes_out = rnd() >> (rnd() % 64);
	for (int i = 0; i < WH_EDGE_BUCKETS; i++)
		e.size_hist[i] = (uint32_t)(rnd() >> (32 + rnd() % 32)), e.time_hist[i] = (uint32_t)(rnd() >> (32 + rnd() % 32));
	return e;
}

static void merging_does_not_depend_on_order_or_grouping(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct wh_edge a = random_edge(), b = random_edge(), c = random_edge(), x, y, z;
		memset(&x, 0, sizeof x), memset(&y, 0, sizeof y), memset(&z, 0, sizeof z);
		wh_edge_merge(&x, &a), wh_edge_merge(&x, &b), wh_edge_merge(&x, &c);
		wh_edge_merge(&y, &c), wh_edge_merge(&y, &b), wh_edge_merge(&y, &a);
		wh_edge_merge(&z, &b), wh_edge_merge(&z, &c), wh_edge_merge(&a, &z);
		uint8_t ex[WH_EDGE_VALUE_MAX], ey[WH_EDGE_VALUE_MAX], ez[WH_EDGE_VALUE_MAX];
		size_t nx = wh_edge_encode(&x, ex);
		assert_int_equal(nx, wh_edge_encode(&y, ey));
		assert_int_equal(nx, wh_edge_encode(&a, ez));
		assert_memory_equal(ex, ey, nx);
		assert_memory_equal(ex, ez, nx);
	}
}

static void an_edge_comes_back_as_it_was_stored_and_damage_is_seen(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct wh_edge e = random_edge(), back;
		uint8_t b[WH_EDGE_VALUE_MAX], again[WH_EDGE_VALUE_MAX];
		size_t n = wh_edge_encode(&e, b);
		memset(&back, 0, sizeof back);
		assert_int_equal(wh_edge_decode(b, n, &back), 0);
		assert_int_equal(wh_edge_encode(&back, again), n);
		assert_memory_equal(b, again, n);
		for (size_t cut = 0; cut < n; cut++)
			assert_int_equal(wh_edge_decode(b, cut, &back), -EBADMSG);
		/* each edge has one encoding only: what else is read must be that of another edge */
		for (size_t at = 1; at < n; at++) {
			uint8_t was = b[at];
			b[at] = (uint8_t)rand();
			if (!wh_edge_decode(b, n, &back)) {
				assert_int_equal(wh_edge_encode(&back, again), n);
				assert_memory_equal(b, again, n);
			}
			b[at] = was;
		}
		b[0] = 9;
		assert_int_equal(wh_edge_decode(b, n, &back), -EBADMSG);
	}
}

static struct wh_flow tcp(uint8_t ts, uint8_t tc, bool app)
{
	return (struct wh_flow){.proto = WH_PROTO_TCP,
	                        .has_tcp_flags = true,
	                        .tcp_flags_toserver = ts,
	                        .tcp_flags_toclient = tc,
	                        .app_proto_known = app,
	                        .pkts_toserver = 5,
	                        .pkts_toclient = 5,
	                        .bytes_toserver = 900,
	                        .bytes_toclient = 900};
}

static void the_server_is_inferred_from_the_handshake(void **state)
{
	(void)state;
	enum { S = WH_TCP_SYN, A = WH_TCP_ACK, P = WH_TCP_PSH, R = WH_TCP_RST };
	const struct { uint8_t ts, tc; bool app; enum wh_side want; } rows[] = {
		{S | A | P, S | A | P, false, WH_SIDE_DST_SERVES},  /* the whole of it was seen */
		{A | P, S | A | P, false, WH_SIDE_DST_SERVES},      /* the SYN was missed, the SYN+ACK seen */
		{S | A | P, A | P, false, WH_SIDE_DST_SERVES},      /* the SYN+ACK was missed */
		{S | A | P, A, false, WH_SIDE_DST_SERVES},          
		{0, 0, false, WH_SIDE_UNKNOWN},                     /* the first packet seen was the SYN+ACK */
		{A | P, A | P, true, WH_SIDE_DST_SERVES},           /* mid-flow, with an application protocol */
		{A | P, A | P, false, WH_SIDE_UNKNOWN},             /* mid-flow, without one */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_flow f = tcp(rows[i].ts, rows[i].tc, rows[i].app);
		assert_int_equal(wh_flow_server(&f), rows[i].want);
	}
	struct wh_flow refused = tcp(S, R | A, false);
	refused.bytes_toserver = refused.bytes_toclient = 60 * 5;
	assert_int_equal(wh_flow_server(&refused), WH_SIDE_UNANSWERED);
	struct wh_flow scan = tcp(S, 0, false);
	scan.pkts_toclient = 0;
	assert_int_equal(wh_flow_server(&scan), WH_SIDE_UNANSWERED);
}

/* Data went both ways, and nothing of the handshake was seen: 900 bytes in five packets each way. */
static struct wh_flow in_mid_flow(uint8_t flags, uint16_t src_port, uint16_t dst_port)
{
	struct wh_flow f = tcp(flags, flags, false);
	f.src_port = src_port;
	f.dst_port = dst_port;
	return f;
}

static void the_server_of_a_connection_met_in_mid_flow_is_inferred_from_its_ports(void **state)
{
	(void)state;
	const uint8_t data = WH_TCP_ACK | WH_TCP_PSH;
	const struct { uint16_t src, dst; bool src_serves, dst_serves; } rows[] = {
		{50111, 5432, false, true}, {5432, 50111, true, false}, /* an ephemeral port and another */
		{1999, 22, false, true},    {22, 1999, true, false},    /* a system port and another */
		{5432, 2000, false, false}, {50111, 50112, false, false}, {22, 80, false, false}, {0, 50111, false, false}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_flow f = in_mid_flow(data, rows[i].src, rows[i].dst);
		assert_int_equal(wh_flow_server(&f), rows[i].dst_serves ? WH_SIDE_DST_SERVES : WH_SIDE_UNKNOWN);
		assert_int_equal(!rows[i].dst_serves && wh_flow_src_serves(&f), rows[i].src_serves);
	}
	/* without flags, as Suricata writes it by default: what came back may be ICMP errors, one for a packet */
	struct wh_flow f = in_mid_flow(0, 50111, 5432);
	f.state = WH_STATE_NEW;
	assert_int_equal(wh_flow_server(&f), WH_SIDE_UNKNOWN);
	f.bytes_toclient = 5 * 590;
	assert_int_equal(wh_flow_server(&f), WH_SIDE_UNKNOWN);
	f.bytes_toclient = 5 * 700;
	assert_int_equal(wh_flow_server(&f), WH_SIDE_DST_SERVES);
	f.bytes_toclient = 6 * 300, f.pkts_toclient = 6;
	assert_int_equal(wh_flow_server(&f), WH_SIDE_DST_SERVES);
	f.bytes_toclient = 60 * 6; /* resets, without data */
	assert_int_equal(wh_flow_server(&f), WH_SIDE_UNANSWERED);
	f = in_mid_flow(data, 5432, 50111);
	f.state = WH_STATE_UNDIRECTED;
	assert_false(wh_flow_src_serves(&f));
}

static struct wh_flow without_data(uint8_t ts, uint8_t tc, uint64_t to_server, uint64_t to_client)
{
	struct wh_flow f = tcp(ts, tc, false);
	f.state = WH_STATE_CLOSED;
	f.pkts_toserver = to_server;
	f.pkts_toclient = to_client;
	f.bytes_toserver = 66 * to_server;
	f.bytes_toclient = 66 * to_client;
	return f;
}

static void a_completed_handshake_without_data_is_an_answered_flow_of_its_own_kind(void **state)
{
	(void)state;
	enum { S = WH_TCP_SYN, A = WH_TCP_ACK, R = WH_TCP_RST, F = WH_TCP_FIN, P = WH_TCP_PSH };
	struct wh_flow closed = without_data(S | A | F, S | A | F, 4, 3), aborted = without_data(S | A | R, S | A, 3, 1),
		       idle = without_data(S | A, S | A, 5, 5), one_way = without_data(S | A | P | F, S | A | F, 9, 7),
		       talk = tcp(S | A | P, S | A | P, true);
	one_way.bytes_toserver = 9000;
	const struct wh_flow *const yes[] = {&closed, &aborted, &idle, &one_way};
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		assert_int_equal(wh_flow_server(yes[i]), WH_SIDE_DST_SERVES);
		assert_true(wh_flow_only_connects(yes[i]));
	}
	assert_false(wh_flow_only_connects(&talk));
	/* a scan's SYN and reset, a guessed acknowledgement that the server resets, a handshake that the sensor calls new */
	struct wh_flow scan = without_data(S | R, S | A, 2, 1), guessed = without_data(S | A, S | A | R, 3, 2),
		       half = without_data(S | A | R, S | A, 2, 1), fresh = without_data(S | A, S | A, 3, 5);
	fresh.state = WH_STATE_NEW;
	const struct wh_flow *const no[] = {&scan, &guessed, &half, &fresh};
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		assert_int_equal(wh_flow_server(no[i]), WH_SIDE_UNANSWERED);
}

static void a_one_sided_flow_is_distinguished_from_an_unanswered_one(void **state)
{
	(void)state;
	enum { S = WH_TCP_SYN, A = WH_TCP_ACK, P = WH_TCP_PSH, F = WH_TCP_FIN };
	struct wh_flow in = tcp(S | A | P | F, 0, false), out = tcp(0, S | A | P, false), scan = tcp(S, 0, false),
		       both = tcp(S | A | P, S | A | P, false);
	in.pkts_toclient = out.pkts_toserver = scan.pkts_toclient = 0;
	assert_true(wh_flow_one_sided(&in));
	assert_true(wh_flow_one_sided(&out));
	assert_false(wh_flow_one_sided(&scan));
	assert_false(wh_flow_one_sided(&both));
	assert_int_equal(wh_flow_server(&in), WH_SIDE_UNANSWERED);
	uint16_t port; /* packets of our own side alone: an answer, or those of a client that goes on */
	in.src_port = 22;
	assert_true(wh_flow_other_side_unheard(&in, &port) && port == 22);
	in.src_port = 40000;
	assert_true(wh_flow_other_side_unheard(&in, &port) && port == 0);
	assert_false(wh_flow_other_side_unheard(&out, &port));
	assert_false(wh_flow_other_side_unheard(&scan, &port));
	assert_false(wh_flow_other_side_unheard(&both, &port));
	struct wh_flow reply = {.proto = WH_PROTO_UDP, .src_port = 53, .dst_port = 40000, .pkts_toserver = 1}, question = reply;
	question.src_port = 40000;
	question.dst_port = 53;
	assert_true(wh_flow_other_side_unheard(&reply, &port) && port == 53);
	assert_false(wh_flow_other_side_unheard(&question, &port));
}

/* Three sketches merged in two orders. */
static void the_hearing_of_a_sketch_merges_in_any_order(void **state)
{
	(void)state;
	struct wh_sketch a[3] = {{0}}, left = {0}, right = {0};
	struct wh_addr src = wh_addr_v4(0x01020304);
	uint8_t x[WH_SKETCH_BYTES], y[WH_SKETCH_BYTES];
	wh_sketch_add(&a[0], &src, 20000 * WH_US_PER_DAY, 20000 * WH_US_PER_DAY, WH_SKETCH_HEARD);
	wh_sketch_add(&a[1], &src, 20003 * WH_US_PER_DAY, 20003 * WH_US_PER_DAY, WH_SKETCH_ONE_SIDED);
	wh_sketch_add(&a[2], &src, 19990 * WH_US_PER_DAY, 19990 * WH_US_PER_DAY, WH_SKETCH_HEARD);
	for (int i = 0; i < 3; i++) {
		wh_sketch_merge(&left, &a[i]);
		wh_sketch_merge(&right, &a[2 - i]);
	}
	assert_int_equal(left.day0, 20003);
	assert_int_equal(left.heard, 1u << 3 | 1u << 13);
	assert_int_equal(left.one_sided_days, 1);
	assert_int_equal(left.one_sided, 1);
	wh_sketch_encode(&left, x);
	wh_sketch_encode(&right, y);
	assert_memory_equal(x, y, sizeof x);
	struct wh_sketch back;
	assert_int_equal(wh_sketch_decode(x, sizeof x, &back), 0);
	assert_memory_equal(&back.heard, &left.heard, sizeof back.heard);
	x[0] = 1; /* an older ledger's */
	assert_int_equal(wh_sketch_decode(x, WH_SKETCH_BYTES_1, &back), 0);
	assert_int_equal(back.heard, 0);
	assert_int_equal(back.flows, left.flows);
}

static void the_alerts_of_an_edge_merge_in_any_order(void **state)
{
	(void)state;
	struct wh_edge e[3] = {{.alerts = {1}, .alert_first = 20000, .alert_last = 20000, .alert_sid = 7},
	                       {.alerts = {2}, .alert_first = 20004, .alert_last = 20009, .alert_sid = 9, .marks = WH_EDGE_PROXY},
	                       {.connects = 5, .alert_first = 19990, .alert_last = 20009, .alert_sid = 11}};
	struct wh_edge left = {0}, right = {0};
	uint8_t x[WH_EDGE_VALUE_MAX], y[WH_EDGE_VALUE_MAX];
	for (int i = 0; i < 3; i++) {
		wh_edge_merge(&left, &e[i]);
		wh_edge_merge(&right, &e[2 - i]);
	}
	assert_int_equal(left.alert_first, 19990);
	assert_int_equal(left.alert_last, 20009);
	assert_int_equal(left.alert_sid, 11);
	assert_int_equal(left.marks, WH_EDGE_PROXY);
	assert_int_equal(left.connects, 5);
	assert_int_equal(wh_edge_encode(&left, x), wh_edge_encode(&right, y));
	assert_memory_equal(x, y, wh_edge_encode(&left, x));
	assert_int_equal(x[0], 2); /* an edge without any of it stays of version 1, as older ledgers have it */
	struct wh_edge plain = {.flows = 1};
	wh_edge_encode(&plain, y);
	assert_int_equal(y[0], 1);
}

/* The first one saw more, on other days than the second, which heard the alert: nothing of either is lost or counts twice. */
static void what_two_sensors_saw_of_one_edge_has_both_their_days_and_no_sum(void **state)
{
	(void)state;
	const struct wh_edge more = {
		.first_us = 50, .last_us = 90, .day0 = 20010, .days = 3, .hours = 2, .flows = 9, .connects = 2, .bytes_in = 100,
		.bytes_out = 200, .size_hist = {9}, .time_hist = {[1] = 9}, .alerted_flows = 1, .alerts = {1, 5},
		.alert_first = 20010, .alert_last = 20010, .alert_sid = 7};
	const struct wh_edge less = {
		.first_us = 10, .last_us = 80, .day0 = 20008, .days = 1, .hours = 4, .flows = 8, .connects = 3, .bytes_in = 900,
		.bytes_out = 900, .size_hist = {[2] = 8}, .time_hist = {8}, .marks = WH_EDGE_PROXY, .alerted_flows = 6,
		.alerts = {2, 4}, .alert_first = 20008, .alert_last = 20008, .alert_sid = 9};
	const struct wh_edge want = {
		.first_us = 10, .last_us = 90, .day0 = 20010, .days = 7, .hours = 6, .flows = 9, .connects = 2, .bytes_in = 100,
		.bytes_out = 200, .size_hist = {9}, .time_hist = {[1] = 9}, .marks = WH_EDGE_PROXY, .alerted_flows = 6,
		.alerts = {2, 5}, .alert_first = 20008, .alert_last = 20010, .alert_sid = 7};
	struct wh_edge one = more, other = less, equal = more;
	wh_edge_merge_overlapping(&one, &less);
	wh_edge_merge_overlapping(&other, &more);
	assert_memory_equal(&one, &want, sizeof want);
	assert_memory_equal(&other, &want, sizeof want);
	equal.flows = 8; /* as many as the other, of fewer bytes */
	wh_edge_merge_overlapping(&equal, &less);
	assert_int_equal(equal.bytes_in, 900);
	assert_int_equal(equal.connects, 3);
	assert_int_equal(equal.size_hist[2], 8);
}

static struct wh_record record(uint32_t src, uint32_t dst, uint16_t port, int day)
{
	struct wh_record r = {.kind = WH_RECORD_FLOW};
	r.flow = tcp(WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH, WH_TCP_SYN | WH_TCP_ACK | WH_TCP_PSH, true);
	r.flow.src = wh_addr_v4(src);
	r.flow.dst = wh_addr_v4(dst);
	r.flow.src_port = 40000;
	r.flow.dst_port = port;
	r.flow.start_us = day * WH_US_PER_DAY;
	r.flow.end_us = r.flow.start_us + 1000000;
	return r;
}

static int dump(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	wh_edge_key_encode(k, key);
	fwrite(key, 1, sizeof key, arg);
	fwrite(value, 1, wh_edge_encode(e, value), arg);
	return 0;
}

/* The same flows through a store with this table limit and these flushes. */
static char *ledger_of(size_t limit, unsigned flush_every, size_t *len)
{
	char dir[] = "/tmp/wh-ledger-XXXXXX", path[64], cmd[64], *text = NULL;
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	struct wh_locals *l = wh_locals_new();
	struct wh_prefix p;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/l.db", dir);
	if (wh_ledger_open(path, WH_STATE_CREATE, &ledger, &err))
		fail_msg("%s", err.text);
	wh_prefix_parse("10.0.0.0/8", 10, &p, NULL);
	wh_locals_add_prefix(l, &p);
	struct wh_edge_table *t = wh_edge_table_new(l, limit);
	seed = 42;
	for (unsigned i = 0; i < 30000; i++) {
		struct wh_record r = record(0x2d000000 + (uint32_t)(rnd() % 9000), 0x0a000000 + (uint32_t)(rnd() % 4),
		                            (uint16_t)(22 + rnd() % 2), (int)(20000 + rnd() % 80));
		int rc = wh_edge_table_fold(t, &r);
		if (rc == -ENOSPC || (flush_every && i % flush_every == 0)) {
			if (wh_store_commit(ledger.store, t, NULL, NULL, &err))
				fail_msg("%s", err.text);
			wh_edge_table_clear(t);
			if (rc)
				rc = wh_edge_table_fold(t, &r);
		}
		assert_int_equal(rc, 0);
		assert_true(wh_edge_table_bytes(t) <= limit);
	}
	if (wh_store_commit(ledger.store, t, NULL, NULL, &err))
		fail_msg("%s", err.text);
	FILE *f = open_memstream(&text, len);
	assert_int_equal(wh_store_edges(ledger.store, NULL, dump, f, &err), 0);
	fclose(f);
	wh_edge_table_free(t);
	wh_locals_free(l);
	wh_ledger_close(&ledger);
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	assert_int_equal(system(cmd), 0);
	return text;
}

static void any_split_of_the_flows_over_flushes_gives_the_same_ledger(void **state)
{
	(void)state;
	size_t a, b, c;
	char *x = ledger_of(64 << 20, 0, &a), *y = ledger_of(1 << 20, 0, &b), *z = ledger_of(64 << 20, 777, &c);
	assert_true(a > 100000);
	assert_int_equal(a, b);
	assert_int_equal(a, c);
	assert_memory_equal(x, y, a);
	assert_memory_equal(x, z, a);
	free(x), free(y), free(z);
}

static int count_top(void *arg, const struct wh_sketch_key *k, const struct wh_sketch *s)
{
	(void)k;
	*(double *)arg += wh_sketch_distinct(s);
	return 0;
}

static void distinct_sources_are_counted_within_the_sketchs_error(void **state)
{
	(void)state;
	struct wh_locals *l = wh_locals_new();
	struct wh_addr host = wh_addr_v4(0x0a000001);
	double n = 0;
	wh_locals_add_addr(l, &host);
	struct wh_edge_table *t = wh_edge_table_new(l, 1 << 20);
	for (uint32_t i = 0; i < 50000; i++) {
		struct wh_record r = record(0x2d000000 + i % 20000, 0x0a000001, 22, 20000);
		r.flow.pkts_toclient = 0;
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
	}
	assert_int_equal(wh_edge_table_count(t), 0);
	wh_edge_table_sketches(t, count_top, &n);
	assert_true(n > 20000 * 0.6 && n < 20000 * 1.4);
	wh_edge_table_free(t);
	wh_locals_free(l);
}

static void a_file_that_is_no_ledger_is_refused_by_name(void **state)
{
	(void)state;
	char path[] = "/tmp/wh-bad-XXXXXX";
	int fd = mkstemp(path);
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	char junk[8192];
	memset(junk, 'x', sizeof junk);
	assert_int_equal(write(fd, junk, sizeof junk), (int)sizeof junk);
	close(fd);
	assert_int_equal(wh_ledger_open(path, WH_STATE_WRITE, &ledger, &err), -EBADMSG);
	assert_non_null(strstr(err.text, path));
	unlink(path);
	assert_int_equal(wh_ledger_open("/nonexistent/l.db", WH_STATE_READ, &ledger, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merging_does_not_depend_on_order_or_grouping),
		cmocka_unit_test(an_edge_comes_back_as_it_was_stored_and_damage_is_seen),
		cmocka_unit_test(the_server_is_inferred_from_the_handshake),
		cmocka_unit_test(the_server_of_a_connection_met_in_mid_flow_is_inferred_from_its_ports),
		cmocka_unit_test(a_completed_handshake_without_data_is_an_answered_flow_of_its_own_kind),
		cmocka_unit_test(a_one_sided_flow_is_distinguished_from_an_unanswered_one),
		cmocka_unit_test(the_hearing_of_a_sketch_merges_in_any_order),
		cmocka_unit_test(the_alerts_of_an_edge_merge_in_any_order),
		cmocka_unit_test(what_two_sensors_saw_of_one_edge_has_both_their_days_and_no_sum),
		cmocka_unit_test(any_split_of_the_flows_over_flushes_gives_the_same_ledger),
		cmocka_unit_test(distinct_sources_are_counted_within_the_sketchs_error),
		cmocka_unit_test(a_file_that_is_no_ledger_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
