/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The replayed rules that need a person's consent before they are applied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "app/foresee.h"
#include "../support/arena.h"

static struct wh_resource vm1 = {.name = "vm1"};
static struct wh_recommended_rule rule;
static struct wh_replay_rule replayed;
static struct wh_replay replay = {.rules = &replayed, .n_rules = 1};

static void scene(void)
{
	rule = (struct wh_recommended_rule){.name = "ssh", .proto = WH_PROTO_TCP, .port = 22, .confidence = 0.9};
	replayed = (struct wh_replay_rule){.resource = &vm1,
	                                   .rule = &rule,
	                                   .flows = {.kept = 1000, .lost = 5},
	                                   .peers = {.kept = 20, .lost = 1},
	                                   .n_worst = 1};
	replayed.worst[0] = (struct wh_replay_peer){wh_addr_v4(0x8c141e0a), 5, INT64_C(1793404800000000)};
}

static void a_confident_rule_that_breaks_little_needs_no_force(void **state)
{
	(void)state;
	scene();
	assert_null(wh_app_doubtful(&replay, mem));
}

static void much_breakage_or_little_confidence_needs_force(void **state)
{
	(void)state;
	scene();
	replayed.flows.lost = 50;
	assert_non_null(strstr(wh_app_doubtful(&replay, mem), "port 22/TCP would have lost 50 of 1050 flows"));
	scene();
	rule.confidence = 0.4;
	assert_non_null(strstr(wh_app_doubtful(&replay, mem), "is only 40 % sure"));
	scene();
	rule.expected = (struct wh_breakage){.flows = 2, .of = 100, .days = 7};
	assert_non_null(strstr(wh_app_doubtful(&replay, mem), "the rule of 7 days ago would have lost 2 of 100 flows"));
	rule.review = "edited"; /* a person decided that already */
	assert_null(wh_app_doubtful(&replay, mem));
}

static void a_peer_that_is_cut_off_is_listed_with_its_last_day(void **state)
{
	(void)state;
	scene();
	json_t *list = wh_app_cut_off_json(&replay),
	       *peer = json_array_get(json_object_get(json_array_get(list, 0), "cutOff"), 0);
	assert_string_equal(json_string_value(json_object_get(peer, "peer")), "140.20.30.10");
	assert_string_equal(json_string_value(json_object_get(peer, "lastSeen")), "2026-10-31T00:00:00Z");
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_confident_rule_that_breaks_little_needs_no_force, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(much_breakage_or_little_confidence_needs_force, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(a_peer_that_is_cut_off_is_listed_with_its_last_day, arena_begin, arena_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
