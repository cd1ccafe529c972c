/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads make it quicker and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "harden/thread_pool.h"
#include "whittle/harden.h"

#define MUST(call) do { struct wh_error err = {.text = ""}; if ((call) < 0) fail_msg("%s: %s", #call, err.text); } while (0)
enum { RESOURCES = 24, PEERS = 30, DAYS = 32, DAY0 = 20727 };

struct ledger { char dir[40], db[64]; struct wh_ledger l; };

static void answered(struct wh_edge_table *t, uint32_t peer, uint32_t local, uint16_t port, int day, unsigned bytes,
                     unsigned seconds)
{
	struct wh_record r = {.kind = WH_RECORD_FLOW, .event_type = "flow"};
	struct wh_flow *f = &r.flow;
	f->src = wh_addr_v4(peer);
	f->dst = wh_addr_v4(local);
	f->src_port = 40000;
	f->dst_port = port;
	f->proto = WH_PROTO_TCP;
	f->has_tcp_flags = true;
	f->tcp_flags_toserver = f->tcp_flags_toclient = WH_TCP_SYN | WH_TCP_ACK | WH_TCP_FIN;
	f->state = WH_STATE_CLOSED;
	f->start_us = (DAY0 + day) * WH_US_PER_DAY + 1000000;
	f->end_us = r.time_us = f->start_us + seconds * INT64_C(1000000);
	f->bytes_toserver = f->bytes_toclient = bytes;
	f->pkts_toserver = f->pkts_toclient = 20;
	assert_int_equal(wh_edge_table_fold(t, &r), 0);
}

/* Partners of each resource, with days and shapes of their own, and guessers that try every resource. */
static void make(struct ledger *l)
{
	struct wh_locals *locals = wh_locals_new();
	struct wh_read_stats delta = {0};
	struct wh_prefix ten;

	strcpy(l->dir, "/tmp/wh-parallel-XXXXXX");
	assert_non_null(mkdtemp(l->dir));
	snprintf(l->db, sizeof l->db, "%s/l.db", l->dir);
	MUST(wh_ledger_open(l->db, WH_STATE_CREATE, &l->l, &err));
	wh_prefix_parse("10.0.0.0/8", 10, &ten, NULL);
	wh_locals_add_prefix(locals, &ten);
	struct wh_edge_table *t = wh_edge_table_new(locals, 64 << 20);
	for (uint32_t r = 0; r < RESOURCES; r++)
		for (uint32_t p = 0; p < PEERS; p++)
			for (int day = 0; day < DAYS; day++) {
				if ((day * 7 + (int)(p * 5 + r)) % 3)
					continue;
				answered(t, 0x8c000000u + r * 4096 + p * (p % 4 + 1), 0x0a000001u + r, p % 3 ? 22 : 443, day,
				         3000u << (p + r) % 7, 20 * (p + 1));
				if (p % 10 == 0)
					answered(t, 0x2d000000u + p, 0x0a000001u + r, 22, day, 1500, 2);
			}
	MUST(wh_store_commit(l->l.store, t, NULL, &delta, &err));
	wh_edge_table_free(t);
	wh_locals_free(locals);
}

static void unmake(struct ledger *l)
{
	char cmd[64];
	wh_ledger_close(&l->l);
	snprintf(cmd, sizeof cmd, "rm -rf %s", l->dir);
	assert_int_equal(system(cmd), 0);
}

static int count_progress(void *arg, size_t done, size_t total)
{
	size_t *last = arg;
	assert_int_equal(total, RESOURCES);
	assert_true(!done || done == *last + 1);
	*last = done;
	return 0;
}

static char *recommended(struct ledger *l, unsigned threads)
{
	size_t last = 0;
	struct wh_harden_options opt = {
		.evidence_yaml = "rules/evidence.yaml", .threads = threads, .progress = count_progress, .progress_arg = &last};
	struct wh_arena *mem = wh_arena_new();
	struct wh_recommendation *rec;
	struct wh_port_list *ports;
	struct wh_estate *estate;

	MUST(wh_port_list_load("all", NULL, mem, &ports, &err));
	opt.ports = ports;
	MUST(wh_estate_load(&l->l, mem, &estate, &err));
	MUST(wh_recommend(&(struct wh_harden_ask){.store = l->l.store, .estate = estate, .opt = &opt}, mem, &rec, &err));
	assert_int_equal(last, RESOURCES);
	char *text = wh_recommendation_json(rec, NULL);
	wh_estate_free(estate);
	wh_arena_free(mem);
	return text;
}

static void one_two_four_and_sixty_four_threads_recommend_the_same_to_the_byte(void **state)
{
	(void)state;
	struct ledger l;
	make(&l);
	char *one = recommended(&l, 1);
	assert_non_null(strstr(one, "140."));
	for (unsigned threads = 2; threads <= 64; threads = threads == 4 ? 64 : threads * 2) {
		char *more = recommended(&l, threads);
		assert_string_equal(one, more);
		free(more);
	}
	free(one);
	unmake(&l);
}

struct jobs { atomic_uint done[100]; size_t fail_from; };

static int job(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err)
{
	struct jobs *j = arg;
	assert_non_null(s);
	assert_true(thread < 4);
	atomic_fetch_add(&j->done[i], 1);
	return i >= j->fail_from ? wh_fail(err, -EPROTO, "job %zu", i) : 0;
}

static void each_job_is_done_once_and_the_error_of_the_first_that_failed_is_returned(void **state)
{
	(void)state;
	struct wh_error err = {0};
	struct jobs all = {.fail_from = 100}, some = {.fail_from = 37};
	struct ledger l;
	make(&l);
	struct wh_thread_pool *pool = wh_thread_pool_new(l.l.store, 4);
	assert_int_equal(wh_thread_pool_run(pool, 100, job, &all, &err), 0);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(all.done[i], 1);
	assert_int_equal(wh_thread_pool_run(pool, 100, job, &some, &err), -EPROTO);
	assert_string_equal(err.text, "job 37");
	for (size_t i = 0; i <= 37; i++)
		assert_int_equal(some.done[i], 1);
	wh_thread_pool_free(pool);
	unmake(&l);
}

static void memory_that_an_arena_adopts_stays_where_it_is(void **state)
{
	(void)state;
	for (int empty = 0; empty < 4; empty++) {
		struct wh_arena *a = wh_arena_new(), *b = wh_arena_new();
		char *x = empty & 1 ? NULL : wh_arena_strdup(a, "one"), *y = empty & 2 ? NULL : wh_arena_strdup(b, "two");
		for (int i = 0; i < 2000 && y; i++)
			wh_arena_alloc(b, 100);
		size_t bytes = wh_arena_bytes(a) + wh_arena_bytes(b);
		wh_arena_adopt(a, b);
		assert_int_equal(wh_arena_bytes(a), bytes);
		char *z = wh_arena_strdup(a, "three");
		assert_true(!x || !strcmp(x, "one"));
		assert_true(!y || !strcmp(y, "two"));
		assert_string_equal(z, "three");
		wh_arena_free(a);
	}
}

/* Empties and zeroes: what comes after a reset must not see what was there before, in whatever pieces it is asked for. */
static void an_arena_that_was_reset_gives_zeroed_memory_again(void **state)
{
	(void)state;
	struct wh_arena *a = wh_arena_new();
	static const unsigned char none[5000];
	for (size_t round = 0; round < 40; round++) {
		for (size_t i = 0, n; i < round * 7; i++) {
			n = (i * 977 + round * 131) % sizeof none + 1;
			unsigned char *p = wh_arena_alloc(a, n);
			assert_memory_equal(p, none, n);
			memset(p, 0xa5, n);
		}
		wh_arena_reset(a);
	}
	size_t bytes = wh_arena_bytes(a);
	wh_arena_alloc(a, bytes / 2);
	assert_int_equal(wh_arena_bytes(a), bytes);
	wh_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_two_four_and_sixty_four_threads_recommend_the_same_to_the_byte),
		cmocka_unit_test(each_job_is_done_once_and_the_error_of_the_first_that_failed_is_returned),
		cmocka_unit_test(an_arena_that_was_reset_gives_zeroed_memory_again),
		cmocka_unit_test(memory_that_an_arena_adopts_stays_where_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
