/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fleet's answers as bytes: Native blocks and compressed frames, whole, cut and spoilt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../support/native.h"

enum { N = 1000 };
static uint8_t keys[N][200], values[N][FLEET_VALUE_MAX];
static struct fleet_row rows[N];

/* Lengths of one and of two bytes, and of none. */
static struct wh_bytes blocks(size_t most)
{
	struct wh_bytes b = {0};
	for (size_t i = 0; i < N; i++) {
		memset(keys[i], (int)(1 + i % 250), sizeof keys[i]);
		memset(values[i], (int)i, sizeof values[i]);
		rows[i] = (struct fleet_row){keys[i],      1 + i % 200, i * 77,
		                             ~(uint64_t)i, values[i],   i * 7 % (FLEET_VALUE_MAX + 1)};
	}
	for (size_t i = 0; i < N; i += most)
		native_block(&b, rows + i, N - i < most ? N - i : most);
	return b;
}

static void each_row_of_each_block_is_read_as_it_was_written(void **state)
{
	(void)state;
	for (size_t most = 1; most <= N; most = 3 * most + 1) {
		struct wh_bytes b = blocks(most);
		struct wh_taking t = {.p = b.p, .n = b.n};
		struct fleet_block block;
		struct fleet_cursor c;
		struct fleet_row r;
		size_t n = 0;
		while (fleet_take_block(&t, &block) > 0)
			for (fleet_cursor_set(&c, &block); fleet_cursor_next(&c, &r); n++) {
				assert_int_equal(r.key_len, rows[n].key_len);
				assert_memory_equal(r.key, rows[n].key, r.key_len);
				assert_int_equal(r.sensor, rows[n].sensor);
				assert_int_equal(r.version, rows[n].version);
				assert_int_equal(r.len, rows[n].len);
				assert_memory_equal(r.value, rows[n].value, r.len);
			}
		assert_int_equal(n, N);
		assert_int_equal(t.n, 0);
		free(b.p);
	}
}

static int take_all(const uint8_t *p, size_t n)
{
	struct wh_taking t = {.p = p, .n = n};
	struct fleet_block block;
	int more;
	while ((more = fleet_take_block(&t, &block)) > 0)
		;
	return more;
}

/* Each length and each text of the head: in memory of its own, so that reading beyond it is seen. */
static void a_block_that_is_cut_or_of_other_columns_is_refused(void **state)
{
	struct wh_bytes b = {0};
	(void)state;
	free(blocks(N).p);
	native_block(&b, rows, 3);
	for (size_t n = 1; n < b.n; n++) {
		uint8_t *cut = malloc(n);
		memcpy(cut, b.p, n);
		assert_int_equal(take_all(cut, n), -EBADMSG);
		free(cut);
	}
	static const char other[] = "key", another[] = "UInt64";
	uint8_t *name = memmem(b.p, b.n, other, 3), *type = memmem(b.p, b.n, another, 6);
	*name = 'K';
	assert_int_equal(take_all(b.p, b.n), -EBADMSG);
	*name = 'k';
	assert_int_equal(take_all(b.p, b.n), 0);
	type[4] = '3';
	assert_int_equal(take_all(b.p, b.n), -EBADMSG);
	type[4] = '6';
	b.p[0] = 5;
	assert_int_equal(take_all(b.p, b.n), -EBADMSG);
	b.p[0] = 4;
	uint8_t *length = name + 3 + 7; /* of the first key */
	assert_int_equal(*length, 1);
	*length = 0x7f;
	assert_int_equal(take_all(b.p, b.n), -EBADMSG);
	free(b.p);
	static const uint8_t many[] = {4, 0xff, 0xff, 0xff, 0xff, 0x7f, 3, 'k', 'e', 'y'};
	assert_int_equal(take_all(many, sizeof many), -EBADMSG);
	static const char error[] = "Code: 241, e.displayText() = DB::Exception: Memory limit exceeded";
	assert_int_equal(take_all((const uint8_t *)error, sizeof error - 1), -EBADMSG);
}

/* ---- frames ---- */

static void frames_are_unpacked_into_memory_that_is_used_again(void **state)
{
	struct wh_bytes data = blocks(100);
	struct fleet_answer a = {.n = 0};
	(void)state;
	assert_true(fleet_can_unpack());
	for (size_t most = 300; most < 2 * data.n; most *= 5) {
		struct wh_bytes b = {0};
		for (size_t i = 0, k = 0; i < data.n; i += most, k++)
			native_frame(&b, data.p + i, data.n - i < most ? data.n - i : most, k % 3);
		assert_int_equal(fleet_unpack(b.p, b.n, &a), 0);
		assert_int_equal(a.n, data.n);
		assert_memory_equal(a.bytes, data.p, data.n);
		assert_int_equal(a.bytes[a.n], 0);
		free(b.p);
	}
	const uint8_t *before = a.bytes;
	struct wh_bytes b = {0};
	native_frame(&b, (const uint8_t *)"short", 5, true);
	assert_int_equal(fleet_unpack(b.p, b.n, &a), 0);
	assert_string_equal((const char *)a.bytes, "short");
	assert_ptr_equal(a.bytes, before);
	assert_int_equal(fleet_unpack(NULL, 0, &a), 0);
	assert_int_equal(a.n, 0);
	free(b.p);
	free(data.p);
	fleet_answer_free(&a);
}

static int unpack(const struct wh_bytes *b)
{
	struct fleet_answer a = {.n = 0};
	uint8_t *p = malloc(b->n);
	memcpy(p, b->p, b->n);
	int rc = fleet_unpack(p, b->n, &a);
	free(p);
	fleet_answer_free(&a);
	return rc;
}

/* Only the last frame is not full; a server that loses it is not believed. */
static void an_answer_that_was_cut_between_frames_is_refused(void **state)
{
	static uint8_t data[1000];
	struct wh_bytes b = {0};
	(void)state;
	native_frame(&b, data, 1000, true);
	const size_t one = b.n;
	assert_int_equal(unpack(&b), 0); /* it may have been all */
	native_frame(&b, data, 1000, true);
	assert_int_equal(unpack(&b), -EBADMSG);
	const size_t two = b.n;
	native_frame(&b, data, 999, true);
	assert_int_equal(unpack(&b), 0);
	for (size_t n = one + 1; n < b.n; n++)
		if (n != two) {
			const struct wh_bytes cut = {.p = b.p, .n = n};
			assert_int_equal(unpack(&cut), -EBADMSG);
		}
	free(b.p);
}

static void damaged_frames_are_refused(void **state)
{
	static uint8_t data[1000];
	struct wh_bytes b = {0};
	(void)state;
	native_frame(&b, data, 1000, true);
	static const struct { size_t at; uint8_t is; } spoilt[] = {
		{16, 0x90}, {16, 0x02}, {17, 8}, {17, 0xff}, {20, 0xff}, {21, 1}, {24, 0x7f}, {24, 0xff}, {25, 0x10}, {26, 9}};
	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		const uint8_t was = b.p[spoilt[i].at];
		b.p[spoilt[i].at] = spoilt[i].is;
		assert_int_equal(unpack(&b), -EBADMSG);
		b.p[spoilt[i].at] = was;
	}
	assert_int_equal(unpack(&b), 0);
	free(b.p);
	struct wh_bytes huge = {0}; /* in all, more than an answer may have */
	for (int i = 0; i < 3; i++) {
		native_frame(&huge, data, 10, true);
		memcpy(huge.p + huge.n - 9 - 10, &(uint32_t){htole32((30u << 20) - (unsigned)i)}, 4);
	}
	assert_int_equal(unpack(&huge), -EBADMSG);
	free(huge.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_each_block_is_read_as_it_was_written),
		cmocka_unit_test(a_block_that_is_cut_or_of_other_columns_is_refused),
		cmocka_unit_test(frames_are_unpacked_into_memory_that_is_used_again),
		cmocka_unit_test(an_answer_that_was_cut_between_frames_is_refused),
		cmocka_unit_test(damaged_frames_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
