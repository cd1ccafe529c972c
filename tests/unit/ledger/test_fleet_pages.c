/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a fleet's rows are read: pages in order, edges merged, and the spool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "../support/native.h"
#include "ledger/facts.h"

/* An answer of `n` rows in `runs` runs, each in order, as of a table with that many parts; and a page without rows. */
static struct fleet_page *page_of(unsigned n, unsigned runs, struct wh_bytes *answer)
{
	struct fleet_page *out = calloc(1, sizeof *out);
	*answer = (struct wh_bytes){0};
	for (unsigned run = 0; run < runs; run++)
		for (unsigned i = run; i < n; i += runs) {
			const uint8_t key[2] = {(uint8_t)(1 + i / 12 / 256), (uint8_t)(i / 12)};
			fleet_put_plain(answer, &(struct fleet_row){.key = key,
			                                            .key_len = 2,
			                                            .sensor = i / 3 % 4,
			                                            .version = i % 3,
			                                            .value = key,
			                                            .len = 2});
		}
	*out = (struct fleet_page){.from = {.key = {1}, .len = 1}, .to = {.key = {200}, .len = 1}};
	return out;
}

/* Gives the answer in two, as two shards do, if it can be cut into rows of the same length; the second lacks some bytes. */
static int fill(struct fleet_page *p, struct wh_bytes *b, size_t lost, enum fleet_kind kind)
{
	enum { ROW = 1 + 2 + 8 + 8 + 1 + 2 };
	const size_t cut = b->n / ROW / 3 * ROW;
	struct wh_bytes one = native_of(b->p, cut, 700), two = native_of(b->p + cut, b->n - cut, 170);
	const struct fleet_answer answers[] = {{.bytes = one.p, .n = one.n}, {.bytes = two.p, .n = two.n - lost}};
	int rc = fleet_page_fill(p, kind, answers, 2);
	free(b->p);
	free(one.p);
	free(two.p);
	return rc;
}

static void a_page_is_in_order_whatever_the_number_of_its_parts(void **state)
{
	struct wh_bytes b;
	(void)state;
	for (unsigned runs = 1; runs < 20; runs++) {
		struct fleet_page *p = page_of(3000, runs, &b);
		assert_int_equal(fill(p, &b, 0, FLEET_SKETCH), 0);
		assert_int_equal(p->n_rows, 3000);
		for (unsigned i = 0; i < 3000; i++) {
			const struct fleet_row r = fleet_page_row(p, i);
			assert_int_equal((r.key[0] - 1) * 256 + r.key[1], i / 12);
			assert_int_equal(r.sensor, i / 3 % 4);
			assert_int_equal(r.version, i % 3);
		}
		const struct fleet_bound at = {.key = {1, 7}, .len = 2}, behind = {.key = {199}, .len = 1};
		assert_int_equal(fleet_page_find(p, &at), 7 * 12);
		assert_int_equal(fleet_page_find(p, &behind), 3000);
		fleet_page_free(p);
	}
}

static void a_page_with_rows_of_another_range_is_refused(void **state)
{
	struct wh_bytes b;
	(void)state;
	struct fleet_page *p = page_of(30, 1, &b);
	p->to.key[0] = 1;
	assert_int_equal(fill(p, &b, 0, FLEET_SKETCH), -EBADMSG);
	fleet_page_free(p);
	p = page_of(30, 3, &b);
	p->from.key[0] = 2;
	assert_int_equal(fill(p, &b, 0, FLEET_SKETCH), -EBADMSG);
	fleet_page_free(p);
	p = page_of(30, 3, &b);
	assert_int_equal(fill(p, &b, 1, FLEET_SKETCH), -EBADMSG);
	fleet_page_free(p);
	p = page_of(30, 3, &b); /* no edges */
	assert_int_equal(fill(p, &b, 0, FLEET_EDGE), -EBADMSG);
	fleet_page_free(p);
}

/* What was read while the store was held is read from the spool, by any way to it; not what was read before or after. */
static void a_held_book_keeps_its_pages_in_a_file_without_a_name(void **state)
{
	char dir[] = "/tmp/whittle-spool-XXXXXX", file[64];
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof file, "%s/l.db", dir);
	struct fleet_book *b = fleet_book_new(file), *again = fleet_book_again(b);
	struct wh_bytes answer;
	struct fleet_page *p = page_of(3000, 5, &answer);
	assert_int_equal(fill(p, &answer, 0, FLEET_SKETCH), 0);
	fleet_spool_put(b, FLEET_EDGE, p); /* nobody holds it */
	struct fleet_page *back = calloc(1, sizeof *back);
	back->from = p->from;
	back->to = p->to;
	assert_int_not_equal(fleet_spool_get(b, FLEET_EDGE, back), 0);
	fleet_book_hold(b, true);
	fleet_spool_put(b, FLEET_EDGE, p);
	assert_int_not_equal(fleet_spool_get(again, FLEET_OPEN, back), 0);
	assert_int_equal(fleet_spool_get(again, FLEET_EDGE, back), 0);
	assert_int_equal(back->n, p->n);
	assert_int_equal(back->n_rows, 3000);
	assert_memory_equal(back->bytes, p->bytes, p->n);
	assert_memory_equal(back->rows, p->rows, 3000 * sizeof *p->rows);
	assert_int_equal(rmdir(dir), 0); /* there is no file in it */
	fleet_page_free(back);
	fleet_book_hold(b, false);
	back = calloc(1, sizeof *back);
	back->from = p->from;
	back->to = p->to;
	assert_int_not_equal(fleet_spool_get(b, FLEET_EDGE, back), 0);
	fleet_page_free(back);
	fleet_page_free(p);
	fleet_book_close(again);
	fleet_book_close(b);
}

/* ---- edges ---- */

static void fill_edges(struct fleet_page *p, const struct wh_bytes *plain)
{
	struct wh_bytes b = native_of(plain->p, plain->n, 999);
	const struct fleet_answer answer = {.bytes = b.p, .n = b.n};
	assert_int_equal(fleet_page_fill(p, FLEET_EDGE, &answer, 1), 0);
	free(b.p);
}

struct expected { unsigned n, next, step; };

static int expect(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct expected *s = arg;
	const struct wh_edge_key key = key_of(s->next);
	struct wh_edge want = edge_of(s->next, 4), more = edge_of(s->next, 5);
	if (s->next % 2) /* two sensors' */
		wh_edge_merge(&want, &more);
	assert_memory_equal(k, &key, sizeof key);
	assert_memory_equal(e, &want, sizeof want);
	s->next += s->next % 5 == 3 ? 2 : 1; /* every fifth is gone */
	s->n++;
	return 0;
}

/* Of a key and sensor the last version counts, wherever it stands; sensors are merged; what is gone is not there. */
static void a_page_of_edges_has_each_key_once_with_its_sensors_merged(void **state)
{
	enum { N = 2000 };
	struct wh_bytes b = {0};
	struct fleet_page *p = calloc(1, sizeof *p);
	struct wh_error err;
	(void)state;
	for (unsigned run = 0; run < 3; run++)
		for (unsigned i = 0; i < N; i++) {
			if (run == 0)
				put_edge(&b, i, 1, 9, i % 5 == 4 ? 0 : 4);
			else if (run == 1)
				put_edge(&b, i, 1, 3, 77);
			else if (i % 2)
				put_edge(&b, i, 2, 1, i % 5 == 4 ? 0 : 5);
		}
	p->to.end = true;
	fill_edges(p, &b);
	assert_true(p->n < b.n / 5); /* packed */
	assert_true(p->n_rows > 3);
	struct fleet_bound from = {.len = 0}, to = {.end = true};
	struct expected seen = {.n = 0};
	struct fleet_walk w = {.kind = FLEET_EDGE, .from = &from, .to = &to, .each = expect, .arg = &seen, .err = &err};
	assert_int_equal(fleet_page_edges(p, &w), 0);
	assert_int_equal(seen.n, N / 5 * 4);
	from = (struct fleet_bound){.key = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}, .len = 16};
	to = (struct fleet_bound){.key = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 3}, .len = 16};
	seen = (struct expected){.next = 500};
	assert_int_equal(fleet_page_edges(p, &w), 0);
	assert_int_equal(seen.n, 800);
	assert_int_equal(seen.next, 1500);
	free(b.p);
	fleet_page_free(p);
}

static int take_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	(void)k;
	*(struct wh_edge *)arg = *e;
	return 0;
}

/* The rows of three sensors of one edge: the one with more flows stands first, in the middle or last. */
static struct wh_edge three_sensors(unsigned first, bool overlap)
{
	struct wh_bytes b = {0};
	struct fleet_page *p = calloc(1, sizeof *p);
	struct wh_edge out = {0};
	struct wh_error err;
	for (unsigned i = 0; i < 3; i++)
		put_edge(&b, 0, 1 + i, 1, (first + i) % 3 ? 4 + (first + i) % 3 : 40);
	p->to.end = true;
	p->overlap = overlap;
	fill_edges(p, &b);
	const struct fleet_bound from = {.len = 0}, to = {.end = true};
	struct fleet_walk w = {.kind = FLEET_EDGE, .from = &from, .to = &to, .each = take_edge, .arg = &out, .err = &err};
	assert_int_equal(fleet_page_edges(p, &w), 0);
	free(b.p);
	fleet_page_free(p);
	return out;
}

static void sensors_that_overlap_count_as_the_one_that_saw_more(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 3; first++) {
		const struct wh_edge sum = three_sensors(first, false), most = three_sensors(first, true), want = edge_of(0, 40);
		assert_int_equal(sum.flows, 40 + 5 + 6);
		assert_int_equal(sum.size_hist[1], 40 + 5 + 6);
		assert_memory_equal(&most, &want, sizeof want);
	}
}

static void of_unanswered_traffic_the_larger_count_counts(void **state)
{
	struct wh_addr a = wh_addr_v4(0xcb000001), b = wh_addr_v4(0xcb000002);
	struct wh_sketch less = {.flows = 0}, more = {.flows = 0}, sum, x, y;
	(void)state;
	for (int i = 0; i < 5; i++)
		wh_sketch_add(&more, i % 2 ? &b : &a, 20454 * WH_US_PER_DAY, 20454 * WH_US_PER_DAY + 1, 0);
	for (int i = 0; i < 3; i++)
		wh_sketch_add(&less, &a, 20456 * WH_US_PER_DAY, 20456 * WH_US_PER_DAY + 1, WH_SKETCH_ONE_SIDED);
	sum = x = less;
	y = more;
	wh_sketch_merge(&sum, &more);
	wh_sketch_merge_overlapping(&x, &more);
	wh_sketch_merge_overlapping(&y, &less);
	assert_memory_equal(&x, &y, sizeof x);
	assert_int_equal(sum.flows, 8);
	assert_int_equal(x.flows, 5);
	assert_int_equal(x.one_sided, 0);
	assert_memory_equal(x.top, more.top, sizeof x.top);
	assert_int_equal(x.days, sum.days); /* what either saw */
	assert_int_equal(x.one_sided_days, sum.one_sided_days);
	assert_memory_equal(x.hll, sum.hll, sizeof x.hll);
}

static void of_protocol_evidence_the_larger_count_counts(void **state)
{
	const struct wh_fact_row less = {.first_us = 5, .last_us = 6, .count = 3, .failed = 3, .up = 9, .hll = {1, 7}},
				 more = {.first_us = 7, .last_us = 8, .count = 4, .failed = 1, .up = 8, .down = 2, .hll = {2, 3}};
	struct wh_fact_row x = less, y = more, z = less;
	(void)state;
	wh_fact_row_merge_overlapping(WH_FACT_IKE, &x, &more);
	wh_fact_row_merge_overlapping(WH_FACT_IKE, &y, &less);
	const struct wh_fact_row want = {.first_us = 5, .last_us = 8, .count = 4, .failed = 1, .up = 8, .down = 2, .hll = {2, 7}};
	assert_memory_equal(&x, &want, sizeof x);
	assert_memory_equal(&y, &want, sizeof y);
	wh_fact_row_merge_overlapping(WH_FACT_ATTEMPTS, &z, &more);
	assert_int_equal(z.count, 4);
	assert_int_equal(z.failed, 3); /* a part of the target that was drawn */
	x = y = less;
	wh_fact_row_merge(WH_FACT_CAPTURE, &x, &more);
	wh_fact_row_merge_overlapping(WH_FACT_CAPTURE, &y, &more);
	assert_memory_equal(&x, &y, sizeof x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_in_order_whatever_the_number_of_its_parts),
		cmocka_unit_test(a_page_with_rows_of_another_range_is_refused),
		cmocka_unit_test(a_page_of_edges_has_each_key_once_with_its_sensors_merged),
		cmocka_unit_test(sensors_that_overlap_count_as_the_one_that_saw_more),
		cmocka_unit_test(of_unanswered_traffic_the_larger_count_counts),
		cmocka_unit_test(of_protocol_evidence_the_larger_count_counts),
		cmocka_unit_test(a_held_book_keeps_its_pages_in_a_file_without_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
