/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "serve/target.h"

static struct wh_arena *mem;
static struct wh_error err;
static struct wh_target t;

static int setup(void **state)
{
	(void)state;
	mem = wh_arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wh_arena_free(mem);
	return 0;
}

static int parse(const char *text)
{
	return wh_target_parse(text, mem, &t, &err);
}

static void a_path_is_decoded_segment_by_segment(void **state)
{
	(void)state;
	assert_int_equal(parse("/a/b%2Fc/d%20e?x=1&y=p%26q+r&z"), 0);
	assert_int_equal(t.n, 3);
	assert_string_equal(t.segments[1], "b/c");
	assert_string_equal(t.segments[2], "d e");
	assert_string_equal(wh_target_parameter(&t, "X"), "1");
	assert_string_equal(wh_target_parameter(&t, "y"), "p&q r");
	assert_string_equal(wh_target_parameter(&t, "z"), "");
	assert_string_equal(wh_target_parameter(&t, "none"), "");
	assert_int_equal(parse("//subscriptions/s"), 0);
	assert_string_equal(t.segments[0], "subscriptions");
}

static void a_path_that_means_two_things_is_refused(void **state)
{
	static const char *const bad[] = {"",          "a",    "//",         "///a",  "/a//b",   "/a/",    "/..",
	                                  "/a/%2e%2e", "/.",   "/a%",        "/a%4",  "/a%zz",   "/a%00b", "/a%0ab",
	                                  "/a%ff",     "/a#b", "/a?x=1&x=2", "/a?=1", "/a?x=%00"};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (parse(bad[i]) != -EINVAL || !err.input)
			fail_msg("'%s' was taken", bad[i]);
}

static void a_path_and_a_query_have_limits(void **state)
{
	char path[2 * WH_SEGMENTS + 3] = "", query[6 * WH_PARAMETERS + 16] = "/?";
	(void)state;
	for (int i = 0; i <= WH_SEGMENTS; i++)
		strcat(path, "/a");
	assert_int_equal(parse(path), -EINVAL);
	for (int i = 0; i <= WH_PARAMETERS; i++)
		sprintf(query + strlen(query), "a%d=&", i);
	assert_int_equal(parse(query), -EINVAL);
}

static void a_pattern_gives_its_values_in_order(void **state)
{
	const char *v[WH_PATTERN_VALUES] = {0};
	(void)state;
	assert_int_equal(parse("/SUBSCRIPTIONS/s/providers/microsoft.security/alerts/x"), 0);
	assert_true(wh_target_matches(&t, "/subscriptions/{s}/providers/Microsoft.Security/alerts/{name}", mem, v));
	assert_string_equal(v[0], "s");
	assert_string_equal(v[1], "x");
	assert_false(wh_target_matches(&t, "/subscriptions/{s}/providers/Microsoft.Security/alerts", mem, v));
	assert_false(wh_target_matches(&t, "/subscriptions/{s}/providers/Microsoft.Security/tasks/{name}", mem, v));
}

static void a_scope_takes_as_much_as_is_left_at_the_front(void **state)
{
	const char *v[WH_PATTERN_VALUES] = {0};
	(void)state;
	assert_int_equal(parse("/subscriptions/s/resourceGroups/g/providers/Microsoft.Security/assessments/k"), 0);
	assert_true(wh_target_matches(&t, "/{scope*}/providers/Microsoft.Security/assessments/{name}", mem, v));
	assert_string_equal(v[0], "/subscriptions/s/resourceGroups/g");
	assert_string_equal(v[1], "k");
	assert_int_equal(parse("/providers/Microsoft.Security/assessments/k"), 0);
	assert_false(wh_target_matches(&t, "/{scope*}/providers/Microsoft.Security/assessments/{name}", mem, v));
}

static void encoded_text_is_decoded_unchanged(void **state)
{
	(void)state;
	assert_int_equal(parse(wh_arena_printf(mem, "/%s", wh_target_encode("a/b c?ü", mem))), 0);
	assert_string_equal(t.segments[0], "a/b c?ü");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_path_is_decoded_segment_by_segment, setup, teardown),
		cmocka_unit_test_setup_teardown(a_path_that_means_two_things_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_path_and_a_query_have_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pattern_gives_its_values_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(a_scope_takes_as_much_as_is_left_at_the_front, setup, teardown),
		cmocka_unit_test_setup_teardown(encoded_text_is_decoded_unchanged, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
