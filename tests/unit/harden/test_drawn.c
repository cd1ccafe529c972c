/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports that are drawn anew, and ports that only few use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"

enum { DAYS = 40 };

static const char *what_is_said(struct scene *s, size_t *rules)
{
	struct wh_harden_options opt = scene_options(s, "all");
	struct wh_recommendation *r = scene_recommend_as(s, &opt);
	*rules = r->resources[0].n_rules;
	return r->resources[0].reason ? r->resources[0].reason : "";
}

/* A server that takes the next free port as it starts, every third day; the same three clients follow it. */
static void a_port_that_a_server_draws_as_it_starts_is_left_alone_with_those_before_it(void **state)
{
	(void)state;
	struct scene s;
	size_t rules;
	scene_open(&s, SCENE_NSG("*", "\"49152-65535\""), 0);
	for (int day = 0; day < DAYS; day++)
		for (int i = 0; i < 3; i++)
			scene_session(&s, scene_partners[i], (uint16_t)(49664 + day / 3 * 7), day, 9 + i, 20, 60);
	const char *said = what_is_said(&s, &rules);
	assert_non_null(strstr(said, "/TCP are left alone: each connection or start of the server uses others"));
	assert_int_equal(rules, 0);
	scene_close(&s);
}

/* A transfer each week, to another port each time, by a peer that comes for its control connection each day. */
static void a_port_of_each_weeks_transfer_is_left_alone(void **state)
{
	(void)state;
	struct scene s;
	size_t rules;
	scene_open(&s, SCENE_NSG("*", "\"2121\", \"50000-50999\""), 0);
	for (int day = 0; day < DAYS; day++) {
		scene_session(&s, scene_partners[0], 2121, day, 9, 4, 60);
		if (day % 4 == 0)
			scene_session(&s, scene_partners[0], (uint16_t)(50000 + day * 617 % 1000), day, 10, 4000, 60);
	}
	const char *said = what_is_said(&s, &rules);
	assert_non_null(strstr(said, "/TCP are left alone: each connection or start of the server uses others"));
	assert_int_equal(rules, 1);
	scene_close(&s);
}

/* Five services that the same peer uses by turns: each of its ports comes back. */
static void ports_that_are_used_by_turns_are_services(void **state)
{
	(void)state;
	struct scene s;
	size_t rules;
	scene_open(&s, SCENE_NSG("*", "\"8080-8084\""), 0);
	for (int day = 0; day < DAYS; day++)
		for (int k = 0; k < 2; k++)
			scene_session(&s, scene_partners[k], (uint16_t)(8080 + (day + k) % 5), day, 9, 20, 60);
	const char *said = what_is_said(&s, &rules);
	assert_null(strstr(said, "uses others"));
	assert_int_equal(rules, 5);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_that_a_server_draws_as_it_starts_is_left_alone_with_those_before_it),
		cmocka_unit_test(a_port_of_each_weeks_transfer_is_left_alone),
		cmocka_unit_test(ports_that_are_used_by_turns_are_services),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
