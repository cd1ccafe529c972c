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
	struct wh_edge e = {.first_us = (int64_t)(rnd() % 1000000) - 500000, .day0 = 20000 + (int32_t)(rnd() % 100), .days = rnd() & rnd() & rnd(), .flows = rnd() >> (rnd() % 64)};
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
		for (size_t at = 1; at < n; at++) { /* each edge has one encoding only: what else is read must be that of another edge */
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
	return (struct wh_flow){.proto = WH_PROTO_TCP, .has_tcp_flags = true, .tcp_flags_toserver = ts, .tcp_flags_toclient = tc, .app_proto_known = app,
	                        .pkts_toserver = 5, .pkts_toclient = 5, .bytes_toserver = 900, .bytes_toclient = 900};
}

static void the_server_is_told_from_the_handshake(void **state)
{
	(void)state;
	enum { S = WH_TCP_SYN, A = WH_TCP_ACK, P = WH_TCP_PSH, R = WH_TCP_RST };
	const struct { uint8_t ts, tc; bool app; enum wh_side want; } rows[] = {
		{S | A | P, S | A | P, false, WH_SIDE_DST_SERVES},  /* the whole of it was seen */
		{A | P, S | A | P, false, WH_SIDE_DST_SERVES},      /* the SYN was missed, the SYN+ACK seen */
		{S | A | P, A | P, false, WH_SIDE_DST_SERVES},      /* the SYN+ACK was missed */
		{S | A | P, A, false, WH_SIDE_DST_SERVES},          
		{0, 0, false, WH_SIDE_UNKNOWN},                     /* the first packet seen was the SYN+ACK */
		{A | P, A | P, true, WH_SIDE_DST_SERVES},           /* mid-flow, the application told */
		{A | P, A | P, false, WH_SIDE_UNKNOWN},             /* mid-flow, nothing told */
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
	struct wh_flow connect_only = tcp(S | A, S | A, false); /* a full connect without a word is no conversation */
	connect_only.bytes_toserver = connect_only.bytes_toclient = 66 * 5;
	assert_int_equal(wh_flow_server(&connect_only), WH_SIDE_UNANSWERED);
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
	struct wh_store *s;
	struct wh_error err;
	struct wh_locals *l = wh_locals_new();
	struct wh_prefix p;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/l.db", dir);
	if (wh_store_open(path, WH_STORE_CREATE, &s, &err))
		fail_msg("%s", err.text);
	wh_prefix_parse("10.0.0.0/8", 10, &p, NULL);
	wh_locals_add_prefix(l, &p);
	struct wh_edge_table *t = wh_edge_table_new(l, limit);
	seed = 42;
	for (unsigned i = 0; i < 30000; i++) {
		struct wh_record r = record(0x2d000000 + (uint32_t)(rnd() % 9000), 0x0a000000 + (uint32_t)(rnd() % 4), (uint16_t)(22 + rnd() % 2), (int)(20000 + rnd() % 80));
		int rc = wh_edge_table_fold(t, &r);
		if (rc == -ENOSPC || (flush_every && i % flush_every == 0)) {
			if (wh_store_commit(s, t, NULL, NULL, &err))
				fail_msg("%s", err.text);
			wh_edge_table_clear(t);
			if (rc)
				rc = wh_edge_table_fold(t, &r);
		}
		assert_int_equal(rc, 0);
		assert_true(wh_edge_table_bytes(t) <= limit);
	}
	if (wh_store_commit(s, t, NULL, NULL, &err))
		fail_msg("%s", err.text);
	FILE *f = open_memstream(&text, len);
	assert_int_equal(wh_store_edges(s, NULL, dump, f, &err), 0);
	fclose(f);
	wh_edge_table_free(t);
	wh_locals_free(l);
	wh_store_close(s);
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	assert_int_equal(system(cmd), 0);
	return text;
}

static void however_the_flows_are_split_over_flushes_the_ledger_is_the_same(void **state)
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
	struct wh_store *s;
	struct wh_error err;
	char junk[8192];
	memset(junk, 'x', sizeof junk);
	assert_int_equal(write(fd, junk, sizeof junk), (int)sizeof junk);
	close(fd);
	assert_int_equal(wh_store_open(path, WH_STORE_WRITE, &s, &err), -EBADMSG);
	assert_non_null(strstr(err.text, path));
	unlink(path);
	assert_int_equal(wh_store_open("/nonexistent/l.db", WH_STORE_READ, &s, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merging_does_not_depend_on_order_or_grouping),
		cmocka_unit_test(an_edge_comes_back_as_it_was_stored_and_damage_is_seen),
		cmocka_unit_test(the_server_is_told_from_the_handshake),
		cmocka_unit_test(however_the_flows_are_split_over_flushes_the_ledger_is_the_same),
		cmocka_unit_test(distinct_sources_are_counted_within_the_sketchs_error),
		cmocka_unit_test(a_file_that_is_no_ledger_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
