/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/policy.h"

static struct wh_ranges random_set(struct wh_arena *mem, uint64_t *bits)
{
	struct wh_prefix p[6];
	size_t n = (size_t)(rand() % 6);
	*bits = 0;
	for (size_t i = 0; i < n; i++) {
		struct wh_addr a = wh_addr_v4(0xffffffc0u + (uint32_t)(rand() % 64)); /* the top of the space, where ends wrap */
		p[i] = wh_prefix_of(&a, 122 + (unsigned)(rand() % 7));
		for (unsigned x = 0; x < 64; x++) {
			struct wh_addr y = wh_addr_v4(0xffffffc0u + x);
			if (wh_prefix_has(&p[i], &y))
				*bits |= UINT64_C(1) << x;
		}
	}
	return wh_ranges_from_prefixes(p, n, mem);
}

static void is(struct wh_ranges r, uint64_t bits, struct wh_arena *mem)
{
	struct wh_prefix *p;
	size_t n;
	wh_ranges_to_prefixes(r, mem, &p, &n);
	for (unsigned x = 0; x < 64; x++) {
		struct wh_addr y = wh_addr_v4(0xffffffc0u + x);
		bool want = bits >> x & 1, by_prefix = false;
		assert_int_equal(wh_ranges_has(r, &y), want);
		for (size_t i = 0; i < n; i++)
			by_prefix |= wh_prefix_has(&p[i], &y);
		assert_int_equal(by_prefix, want);
	}
}

static void set_algebra_equals_bitmaps(void **state)
{
	(void)state;
	srand(7);
	for (int i = 0; i < 3000; i++) {
		struct wh_arena *mem = wh_arena_new();
		uint64_t x, y;
		struct wh_ranges a = random_set(mem, &x), b = random_set(mem, &y);
		is(wh_ranges_union(a, b, mem), x | y, mem);
		is(wh_ranges_intersect(a, b, mem), x & y, mem);
		is(wh_ranges_minus(a, b, mem), x & ~y, mem);
		assert_int_equal(wh_ranges_meet(a, b, NULL), (x & y) != 0);
		for (unsigned k = 0; k < 64; k++) { /* one in many is searched */
			struct wh_addr one = wh_addr_v4(0xffffffc0u + k);
			struct wh_prefix p = wh_prefix_of(&one, 128);
			assert_int_equal(wh_ranges_meet(wh_ranges_from_prefixes(&p, 1, mem), a, NULL), x >> k & 1);
		}
		wh_arena_free(mem);
	}
}

static void all_of_ipv6_holds_no_ipv4(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_ranges r = wh_ranges_from_prefixes(&wh_prefix_all_v6, 1, mem);
	struct wh_addr v4 = wh_addr_v4(0x01020304), v6 = {{0x20, 1}}, top;
	memset(&top, 0xff, sizeof top);
	assert_false(wh_ranges_has(r, &v4));
	assert_true(wh_ranges_has(r, &v6));
	assert_true(wh_ranges_has(r, &top));
	const struct wh_prefix both[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	r = wh_ranges_from_prefixes(both, 2, mem);
	assert_true(wh_ranges_has(r, &v4));
	struct wh_prefix one;
	wh_prefix_parse("10.0.0.0/8", 10, &one, NULL);
	r = wh_ranges_minus(r, wh_ranges_from_prefixes(&one, 1, mem), mem);
	struct wh_prefix *p;
	size_t n;
	wh_ranges_to_prefixes(r, mem, &p, &n);
	for (size_t i = 0; i < n; i++)
		assert_false(wh_prefix_covers(&p[i], &one));
	v4 = wh_addr_v4(0x0a000001);
	assert_false(wh_ranges_has(r, &v4));
	wh_arena_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_algebra_equals_bitmaps),
		cmocka_unit_test(all_of_ipv6_holds_no_ipv4),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
