/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edges in few bytes: what goes in comes out, and what somebody else wrote is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ledger/edge_block.h"

static uint64_t seed = 1;
static uint64_t any(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 20 ^ seed << 44;
}

/* A number of any length. */
static uint64_t some(void)
{
	return any() >> any() % 64;
}

static struct wh_edge any_edge(void)
{
	struct wh_edge e = {.first_us = 20000 * WH_US_PER_DAY + (int64_t)(some() % (uint64_t)(90 * WH_US_PER_DAY))};
	if (any() % 50 == 0)
		e.first_us = any() % 2 ? WH_EDGE_US_MAX - 5 : -WH_EDGE_US_MAX;
	e.last_us = e.first_us + (int64_t)(some() % (uint64_t)WH_US_PER_DAY);
	if (!wh_edge_time_ok(e.last_us))
		e.last_us = WH_EDGE_US_MAX;
	e.bytes_in = some();
	e.bytes_out = some();
	e.day0 = wh_day(e.last_us);
	e.days = wh_days_between(wh_day(e.first_us), e.day0);
	e.hours = wh_edge_hours_between(e.first_us, e.last_us, wh_day(e.first_us)) & 0xffffff;
	e.flows = 1;
	e.size_hist[wh_edge_size_bucket(wh_saturating_add(e.bytes_in, e.bytes_out))] = 1;
	e.time_hist[wh_edge_time_bucket(e.last_us - e.first_us)] = 1;
	e.connects = any() % 2;
	if (any() % 3)
		return e;
	e.flows = some();
	e.days = some();
	e.day0 = (int32_t)(any() % (2 * WH_EDGE_DAY_MAX)) - WH_EDGE_DAY_MAX;
	e.hours = any() & 0xffffff;
	e.connects = (uint32_t)some();
	e.marks = any() & 0xff;
	e.alert_first = (uint16_t)some();
	e.alert_last = (uint16_t)some();
	e.alert_sid = (uint32_t)some();
	e.alerted_flows = (uint32_t)some();
	for (int i = 0; i < 4; i++)
		e.alerts[i] = (uint32_t)some();
	for (int i = 0; i < WH_EDGE_BUCKETS; i++) {
		e.size_hist[i] = (uint32_t)some();
		e.time_hist[i] = (uint32_t)some();
	}
	return e;
}

static void next_key(uint8_t key[WH_EDGE_KEY_BYTES], unsigned bytes)
{
	for (unsigned i = WH_EDGE_KEY_BYTES - bytes; i < WH_EDGE_KEY_BYTES; i++)
		key[i] = (uint8_t)any();
	for (unsigned i = WH_EDGE_KEY_BYTES - bytes; i--;)
		if (i != 16 && ++key[i])
			return;
}

/* A block by the short way holds the same bytes as one by the long way. */
static void an_edge_of_one_flow_is_written_as_the_whole_edge_is(void **state)
{
	uint8_t key[WH_EDGE_KEY_BYTES] = {0};
	struct wh_block_writer a = {.len = 0}, b = {.len = 0};
	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct wh_edge_one one = {20000 * WH_US_PER_DAY + (int64_t)(some() % (uint64_t)(90 * WH_US_PER_DAY)),
		                          (uint32_t)some(), (uint32_t)some(), (uint32_t)some(), 1, any() % 2};
		struct wh_edge e = wh_edge_of_one(&one);
		next_key(key, i % 7);
		bool room = wh_block_add_one(&a, key, &one);
		assert_int_equal(room, wh_block_add(&b, key, &e));
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.bytes, b.bytes, a.len);
		if (!room) {
			wh_block_clear(&a);
			wh_block_clear(&b);
		}
	}
}

enum { MOST = 400 };
static struct wh_edge edges[MOST];
static uint8_t keys[MOST][WH_EDGE_KEY_BYTES];

static unsigned fill(struct wh_block_writer *w, unsigned bytes)
{
	uint8_t key[WH_EDGE_KEY_BYTES] = {0};
	unsigned n = 0;
	wh_block_clear(w);
	for (; n < MOST; n++) {
		next_key(key, bytes);
		edges[n] = any_edge();
		memcpy(keys[n], key, sizeof key);
		if (!wh_block_add(w, key, &edges[n]))
			break;
	}
	return n;
}

static bool same(const struct wh_edge *a, const struct wh_edge *b)
{
	uint8_t x[WH_EDGE_VALUE_MAX], y[WH_EDGE_VALUE_MAX];
	size_t n = wh_edge_encode(a, x);
	return n == wh_edge_encode(b, y) && !memcmp(x, y, n);
}

static void written_edges_are_read_back(void **state)
{
	struct wh_block_writer w;
	struct wh_block_reader r;
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct wh_edge e;
		unsigned n = fill(&w, round % 20);
		assert_true(n > 8 && w.len <= WH_BLOCK_BYTES);
		uint8_t *exact = malloc(w.len); /* so that a byte beyond is noticed */
		memcpy(exact, w.bytes, w.len);
		assert_int_equal(wh_block_open(&r, exact, w.len), 0);
		assert_memory_equal(wh_block_first(exact, w.len), keys[0], WH_EDGE_KEY_BYTES);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(wh_block_next(&r, &e), 0);
			assert_memory_equal(r.key, keys[i], WH_EDGE_KEY_BYTES);
			assert_true(same(&e, &edges[i]));
		}
		assert_int_equal(r.left, 0);
		free(exact);
	}
}

/* A reader that only copies does not decode edges of one flow. The copied block has the same bytes. */
static void edges_of_one_flow_are_copied_without_being_made_whole(void **state)
{
	struct wh_block_writer w, copy;
	struct wh_block_reader r;
	unsigned singles = 0, others = 0;
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		unsigned n = fill(&w, round % 20);
		wh_block_clear(&copy);
		wh_block_base(&copy, w.base_us);
		assert_int_equal(wh_block_open(&r, w.bytes, w.len), 0);
		for (unsigned i = 0; i < n; i++) {
			struct wh_edge e, none;
			memset(&none, 0xa5, sizeof none);
			memcpy(&e, &none, sizeof e);
			assert_int_equal(wh_block_step(&r, &e), 0);
			if (r.single) {
				struct wh_edge whole = wh_edge_of_one(&r.one);
				assert_memory_equal(&e, &none, sizeof e);
				assert_true(same(&whole, &edges[i]));
				assert_true(wh_block_add_one(&copy, r.key, &r.one));
			} else {
				assert_true(same(&e, &edges[i]));
				assert_true(wh_block_add(&copy, r.key, &e));
			}
			singles += r.single;
			others += !r.single;
		}
		assert_int_equal(copy.len, w.len);
		assert_memory_equal(copy.bytes, w.bytes, w.len);
	}
	assert_true(singles > 1000 && others > 1000);
}

static void the_peers_of_a_port_that_came_once_take_a_few_bytes_each(void **state)
{
	struct wh_block_writer w;
	uint8_t key[WH_EDGE_KEY_BYTES] = {[17] = WH_PROTO_TCP, [30] = 0xff, [31] = 0xff, [32] = 60};
	unsigned n = 0;
	(void)state;
	wh_block_clear(&w);
	for (bool room = true; room; n += room) {
		struct wh_edge e = {.first_us = 20000 * WH_US_PER_DAY + (int64_t)(any() % (uint64_t)(30 * WH_US_PER_DAY))};
		next_key(key, 1);
		e.last_us = e.first_us + (int64_t)(any() % 4000000);
		e.bytes_in = 200 + any() % 9000;
		e.bytes_out = 200 + any() % 60000;
		e.day0 = wh_day(e.last_us);
		e.days = wh_days_between(wh_day(e.first_us), e.day0);
		e.hours = wh_edge_hours_between(e.first_us, e.last_us, wh_day(e.first_us)) & 0xffffff;
		e.flows = 1;
		e.size_hist[wh_edge_size_bucket(e.bytes_in + e.bytes_out)] = 1;
		e.time_hist[wh_edge_time_bucket(e.last_us - e.first_us)] = 1;
		room = wh_block_add(&w, key, &e);
	}
	assert_true(w.len / n <= 19);
}

static void without_some_of_its_edges_a_block_is_never_longer(void **state)
{
	struct wh_block_writer w, less;
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		unsigned n = fill(&w, round % 20);
		wh_block_clear(&less);
		wh_block_base(&less, w.base_us);
		for (unsigned i = 0; i < n; i++)
			if (any() % 4)
				assert_true(wh_block_add(&less, keys[i], &edges[i]));
		assert_true(less.len <= w.len);
	}
}

/* Reads all of it; every key must be behind the one before. */
static int read_all(const uint8_t *b, size_t len)
{
	struct wh_block_reader r;
	struct wh_edge e;
	uint8_t before[WH_EDGE_KEY_BYTES], *exact = malloc(len ? len : 1);
	if (len)
		memcpy(exact, b, len);
	int rc = wh_block_open(&r, exact, len);
	for (bool first = true; !rc && r.left; first = false) {
		rc = wh_block_next(&r, &e);
		assert_true(rc || first || memcmp(before, r.key, sizeof before) < 0);
		assert_true(rc || (e.last_us >= e.first_us && wh_edge_time_ok(e.last_us) && r.key[16] <= WH_OUTBOUND));
		memcpy(before, r.key, sizeof before);
	}
	free(exact);
	return rc;
}

static void a_block_that_is_cut_longer_or_of_none_is_refused(void **state)
{
	struct wh_block_writer w;
	(void)state;
	unsigned n = fill(&w, 4);
	assert_true(n && !read_all(w.bytes, w.len));
	for (size_t len = 0; len < w.len; len++)
		assert_int_equal(read_all(w.bytes, len), -EBADMSG);
	w.bytes[w.len] = 0;
	assert_int_equal(read_all(w.bytes, w.len + 1), -EBADMSG);
	w.bytes[1] = w.bytes[2] = 0;
	assert_int_equal(read_all(w.bytes, w.len), -EBADMSG);
	w.bytes[1] = w.bytes[2] = 0xff; /* more than there are */
	assert_int_equal(read_all(w.bytes, w.len), -EBADMSG);
	w.bytes[0] = 2;
	assert_int_equal(read_all(w.bytes, w.len), -EBADMSG);
}

static void reading_a_block_with_any_byte_changed_ends_with_keys_in_order(void **state)
{
	struct wh_block_writer w;
	unsigned refused = 0;
	(void)state;
	fill(&w, 6);
	for (unsigned i = 0; i < 20000; i++) {
		size_t at = any() % w.len;
		uint8_t was = w.bytes[at];
		w.bytes[at] = (uint8_t)any();
		refused += read_all(w.bytes, w.len) != 0;
		w.bytes[at] = was;
	}
	assert_true(refused > 1000);
}

static void a_key_that_is_not_behind_the_last_one_is_refused(void **state)
{
	struct wh_block_writer w;
	uint8_t low[WH_EDGE_KEY_BYTES] = {[35] = 5}, high[WH_EDGE_KEY_BYTES] = {[0] = 1};
	struct wh_edge e = {.flows = 1};
	(void)state;
	wh_block_clear(&w);
	wh_block_add(&w, low, &e);
	size_t second = w.len;
	wh_block_add(&w, high, &e);
	assert_int_equal(read_all(w.bytes, w.len), 0);
	w.bytes[second + 2] = 0; /* behind the flags and the number of bytes that are the same */
	assert_int_equal(read_all(w.bytes, w.len), -EBADMSG);
	w.bytes[second + 2] = 1;
	w.bytes[second + 1] = WH_EDGE_KEY_BYTES;
	assert_int_equal(read_all(w.bytes, w.len), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_edges_are_read_back),
		cmocka_unit_test(an_edge_of_one_flow_is_written_as_the_whole_edge_is),
		cmocka_unit_test(edges_of_one_flow_are_copied_without_being_made_whole),
		cmocka_unit_test(the_peers_of_a_port_that_came_once_take_a_few_bytes_each),
		cmocka_unit_test(without_some_of_its_edges_a_block_is_never_longer),
		cmocka_unit_test(a_block_that_is_cut_longer_or_of_none_is_refused),
		cmocka_unit_test(reading_a_block_with_any_byte_changed_ends_with_keys_in_order),
		cmocka_unit_test(a_key_that_is_not_behind_the_last_one_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
