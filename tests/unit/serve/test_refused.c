/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "serve/refused.h"

#define S INT64_C(1000000)
static struct wh_refused_line out[WH_REFUSED_SOURCES + 1];

static void a_source_has_one_line_a_minute(void **state)
{
	(void)state;
	struct wh_refused *r = wh_refused_new();
	assert_int_equal(wh_refused_take(r, 1 * S, false, out), 0);
	for (int i = 0; i < 1000; i++)
		wh_refused_add(r, i % 4 ? "203.0.113.7" : "");
	assert_int_equal(wh_refused_take(r, 2 * S, false, out), 0);
	wh_refused_add(r, "203.0.113.7");
	assert_int_equal(wh_refused_take(r, 61 * S, false, out), 0);
	assert_int_equal(wh_refused_take(r, 62 * S, false, out), 2);
	assert_string_equal(out[0].from, "a socket of this machine");
	assert_int_equal(out[0].attempts, 250);
	assert_string_equal(out[1].from, "203.0.113.7");
	assert_int_equal(out[1].attempts, 751);
	assert_int_equal(wh_refused_take(r, 200 * S, false, out), 0);
}

static void addresses_of_one_ipv6_network_are_one_source(void **state)
{
	(void)state;
	struct wh_refused *r = wh_refused_new();
	wh_refused_add(r, "2001:db8::1");
	wh_refused_add(r, "2001:db8::ffff:2");
	wh_refused_add(r, "2001:db8:0:1::1");
	assert_int_equal(wh_refused_take(r, 1 * S, true, out), 2);
	assert_string_equal(out[0].from, "2001:db8::/64");
	assert_int_equal(out[0].attempts, 2);
	assert_string_equal(out[1].from, "2001:db8:0:1::/64");
}

static void nothing_but_an_address_gets_into_the_journal(void **state)
{
	(void)state;
	struct wh_refused *r = wh_refused_new();
	wh_refused_add(r, "root\n2026-01-01 confirmed");
	assert_int_equal(wh_refused_take(r, 1 * S, true, out), 1);
	assert_string_equal(out[0].from, "a socket of this machine");
}

/* A day of guesses from other addresses all the time. */
static void lines_are_bounded_and_no_attempt_is_lost(void **state)
{
	(void)state;
	struct wh_refused *r = wh_refused_new();
	size_t lines = 0, attempts = 0, others = 0;
	unsigned made = 0;
	for (unsigned t = 0; t <= 24 * 3600; t++) {
		char from[32];
		for (unsigned k = 0; k < 5 && t < 24 * 3600; k++, made++) {
			snprintf(from, sizeof from, "198.%u.%u.%u", 18 + made / 65536 % 2, made / 256 % 256, made % 256);
			wh_refused_add(r, from);
		}
		size_t n = wh_refused_take(r, (1 + t) * S, t == 24 * 3600, out);
		assert_in_range(n, 0, WH_REFUSED_SOURCES + 1);
		lines += n;
		for (size_t i = 0; i < n; i++) {
			attempts += out[i].attempts;
			others += !strcmp(out[i].from, "other addresses");
		}
	}
	assert_int_equal(attempts, made);
	assert_in_range(lines, 24 * WH_REFUSED_LINES, 25 * (WH_REFUSED_LINES + 1));
	assert_in_range(others, 23, 25);
}

static void workers_count_in_the_same_place(void **state)
{
	(void)state;
	struct wh_refused *r = wh_refused_new();
	enum { WORKERS = 4, EACH = 5000 };
	pid_t pid[WORKERS];
	for (int i = 0; i < WORKERS; i++)
		if (!(pid[i] = fork())) {
			for (int k = 0; k < EACH; k++)
				wh_refused_add(r, k % 2 ? "203.0.113.7" : "203.0.113.8");
			_exit(0);
		}
	for (int i = 0; i < WORKERS; i++)
		waitpid(pid[i], NULL, 0);
	size_t n = wh_refused_take(r, 1 * S, true, out), sum = 0;
	assert_in_range(n, 2, 3); /* an attempt that found the table in use is another's */
	for (size_t i = 0; i < n; i++)
		sum += out[i].attempts;
	assert_int_equal(sum, WORKERS * EACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_source_has_one_line_a_minute),
		cmocka_unit_test(addresses_of_one_ipv6_network_are_one_source),
		cmocka_unit_test(nothing_but_an_address_gets_into_the_journal),
		cmocka_unit_test(lines_are_bounded_and_no_attempt_is_lost),
		cmocka_unit_test(workers_count_in_the_same_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
