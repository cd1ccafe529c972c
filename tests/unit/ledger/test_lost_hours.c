/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hours in which messages were lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "whittle/ledger.h"

static void hours_are_summed_by_source_and_the_oldest_are_forgotten(void **s)
{
	(void)s;
	char path[] = "/tmp/whittle-lost-XXXXXX", text[64];
	struct wh_arena *mem = wh_arena_new();
	struct wh_state *state;
	struct wh_error err;
	int64_t *hours, least = INT64_MAX;
	char *json;
	size_t n;
	assert_non_null(mkdtemp(path));
	snprintf(text, sizeof text, "%s/l.db", path);
	assert_int_equal(wh_state_open(text, WH_STATE_CREATE, &state, &err), 0);
	assert_int_equal(wh_lost_hours_add(state, "conntrack", 497000, 5, &err), 0);
	assert_int_equal(wh_lost_hours_add(state, "conntrack", 497000, 7, &err), 0);
	assert_int_equal(wh_state_get(state, "lost-hours", "conntrack", &json, &err), 0);
	assert_string_equal(json, "{\"497000\":12}");
	free(json);
	assert_int_equal(wh_lost_hours_add(state, "other", 497001, UINT64_MAX, &err), 0);
	assert_int_equal(wh_lost_hours(state, mem, &hours, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(wh_state_begin(state, &err), 0);
	for (int i = 0; i < 64 * 24 + 10; i++)
		assert_int_equal(wh_lost_hours_add(state, "conntrack", 497000 + i, 1, &err), 0);
	assert_int_equal(wh_state_end(state, true, &err), 0);
	assert_int_equal(wh_lost_hours(state, mem, &hours, &n, &err), 0);
	assert_int_equal(n, 64 * 24 + 1);
	for (size_t i = 0; i < n; i++)
		least = hours[i] != 497001 && hours[i] < least ? hours[i] : least;
	assert_int_equal(least, 497010);
	/* a crafted ledger is no trouble */
	assert_int_equal(wh_state_put(state, "lost-hours", "other", "[1, 2]", &err), 0);
	assert_int_equal(wh_state_put(state, "lost-hours", "conntrack", "{\"x\":{}, \"497003\":-4}", &err), 0);
	assert_int_equal(wh_lost_hours(state, mem, &hours, &n, &err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(wh_lost_hours_add(state, "other", 497005, 1, &err), 0);
	wh_state_close(state);
	unlink(text);
	rmdir(path);
	wh_arena_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hours_are_summed_by_source_and_the_oldest_are_forgotten)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
