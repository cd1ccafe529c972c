/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include "whittle/base.h"

static struct wh_prefix prefix(const char *s)
{
	struct wh_prefix p;
	assert_int_equal(wh_prefix_parse(s, strlen(s), &p, NULL), 0);
	return p;
}

static void mapped_address_is_the_ipv4_address(void **state)
{
	(void)state;
	struct wh_addr a, b;
	assert_int_equal(wh_addr_parse("::ffff:10.0.0.1", 15, &a), 0);
	assert_int_equal(wh_addr_parse("10.0.0.1", 8, &b), 0);
	assert_true(wh_addr_eq(&a, &b));
}

static void text_that_is_no_address_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"",       "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ",
	                                  "::1%lo", "[::1]", "01.2.3.4x", ":::",       "g::"};
	struct wh_addr a;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(wh_addr_parse(bad[i], strlen(bad[i]), &a), -EINVAL);
	assert_int_equal(wh_addr_parse("1.2.3.4\0", 8, &a), -EINVAL);
}

static void ipv4_is_written_as_inet_ntop_writes_it(void **state)
{
	(void)state;
	uint32_t v = 0;
	for (unsigned i = 0; i < 100000; i++, v = v * 1664525u + 1013904223u) {
		char got[WH_ADDR_STRLEN], want[WH_ADDR_STRLEN];
		struct wh_addr a = wh_addr_v4(v);
		inet_ntop(AF_INET, a.b + 12, want, sizeof want);
		assert_string_equal(wh_addr_text(&a, got), want);
	}
}

static void host_bits_are_cleared_and_reported(void **state)
{
	(void)state;
	struct wh_prefix p;
	bool host;
	char buf[WH_PREFIX_STRLEN];
	assert_int_equal(wh_prefix_parse("140.20.30.10/24", 15, &p, &host), 0);
	assert_true(host);
	assert_string_equal(wh_prefix_text(&p, buf), "140.20.30.0/24");
	assert_int_equal(wh_prefix_parse("10.0.0.0/33", 11, &p, &host), -EINVAL);
	assert_int_equal(wh_prefix_parse("10.0.0.0/", 9, &p, &host), -EINVAL);
	assert_int_equal(wh_prefix_parse("10.0.0.0/08", 11, &p, &host), -EINVAL);
}

static void merging_keeps_the_set_of_addresses(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 500; round++) {
		struct wh_prefix in[24], out[24];
		size_t n = (size_t)(rand() % 24) + 1;
		for (size_t i = 0; i < n; i++) {
			struct wh_addr a = wh_addr_v4(0x0a000000u + (uint32_t)(rand() % 64));
			in[i] = out[i] = wh_prefix_of(&a, 122 + (unsigned)(rand() % 7));
		}
		size_t m = wh_prefix_merge(out, n);
		for (uint32_t x = 0; x < 64; x++) {
			struct wh_addr a = wh_addr_v4(0x0a000000u + x);
			unsigned was = 0, is = 0;
			for (size_t i = 0; i < n; i++)
				was += wh_prefix_has(&in[i], &a);
			for (size_t i = 0; i < m; i++)
				is += wh_prefix_has(&out[i], &a);
			assert_int_equal(was > 0, is);
		}
		for (size_t i = 1; i < m; i++) { /* nothing is left to join */
			struct wh_prefix a = wh_prefix_of(&out[i - 1].addr, out[i].len - 1u),
					 b = wh_prefix_of(&out[i].addr, out[i].len - 1u);
			assert_true(out[i - 1].len != out[i].len || !wh_addr_eq(&a.addr, &b.addr));
		}
	}
}

static void merging_never_swallows_ipv4_into_ipv6(void **state)
{
	(void)state;
	struct wh_prefix p[] = {wh_prefix_all_v6, wh_prefix_all_v4, prefix("10.0.0.0/8")};
	struct wh_addr v4 = wh_addr_v4(1);
	assert_int_equal(wh_prefix_merge(p, 3), 2);
	assert_false(wh_prefix_has(&wh_prefix_all_v6, &v4));
	assert_false(wh_prefix_covers(&wh_prefix_all_v6, &wh_prefix_all_v4));
}

static void times_are_parsed_to_the_microsecond(void **state)
{
	(void)state;
	int64_t us;
	char buf[WH_TIME_STRLEN];
	assert_int_equal(wh_time_parse("2026-11-01T01:02:03.000004+0100", 31, &us), 0);
	assert_string_equal(wh_time_text(us, buf), "2026-11-01T00:02:03Z");
	assert_int_equal(us % 1000000, 4);
	assert_int_equal(wh_time_parse("1970-01-01T00:00:00Z", 20, &us), 0);
	assert_int_equal(us, 0);
	assert_int_equal(wh_time_parse("2026-13-01T00:00:00Z", 20, &us), -EINVAL);
	assert_int_equal(wh_time_parse("2026-11-01T00:00:00Zx", 21, &us), -EINVAL);
	assert_int_equal(wh_day(-1), -1);
}

static void times_are_written_as_strftime_does(void **state)
{
	static const int64_t odd[] = {-62167219200 - 1, -62167219200, -62162121600 - 1, -62162121600, -1,           0,
	                              951782400,        951868799,    4107542400,       253402300799, 253402300800,
	                              INT64_MAX / 1000000};
	char buf[WH_TIME_STRLEN], want[64], rest[20];
	uint64_t random = 88172645463325252u;
	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		int64_t s = i < sizeof odd / sizeof *odd ? odd[i] : (int64_t)(random >> 28) - 4000000000;
		time_t t = (time_t)s;
		struct tm tm;
		assert_non_null(gmtime_r(&t, &tm));
		strftime(rest, sizeof rest, "-%m-%dT%H:%M:%SZ", &tm);
		snprintf(want, sizeof want, "%04lld%s", (long long)tm.tm_year + 1900, rest);
		assert_string_equal(wh_time_text(s * 1000000 + (s < INT64_MAX / 1000000 ? 999999 : 0), buf), want);
	}
}

static void neighbours_carry_over_every_byte_and_end_at_both_ends(void **state)
{
	static const char *const pairs[][2] = {
		{"10.0.0.255", "10.0.1.0"}, {"9.255.255.255", "10.0.0.0"}, {"2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::"}};
	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct wh_addr low, high, at;
		assert_int_equal(wh_addr_parse(pairs[i][0], strlen(pairs[i][0]), &low), 0);
		assert_int_equal(wh_addr_parse(pairs[i][1], strlen(pairs[i][1]), &high), 0);
		at = low;
		assert_true(wh_addr_next(&at) && wh_addr_eq(&at, &high));
		assert_true(wh_addr_previous(&at) && wh_addr_eq(&at, &low));
	}
	struct wh_addr first = {{0}}, last = wh_prefix_last(&wh_prefix_all_v6), at = last;
	assert_true(!wh_addr_next(&at) && wh_addr_eq(&at, &first));
	assert_true(!wh_addr_previous(&at) && wh_addr_eq(&at, &last));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapped_address_is_the_ipv4_address),
		cmocka_unit_test(text_that_is_no_address_is_refused),
		cmocka_unit_test(ipv4_is_written_as_inet_ntop_writes_it),
		cmocka_unit_test(host_bits_are_cleared_and_reported),
		cmocka_unit_test(merging_keeps_the_set_of_addresses),
		cmocka_unit_test(merging_never_swallows_ipv4_into_ipv6),
		cmocka_unit_test(neighbours_carry_over_every_byte_and_end_at_both_ends),
		cmocka_unit_test(times_are_parsed_to_the_microsecond),
		cmocka_unit_test(times_are_written_as_strftime_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
