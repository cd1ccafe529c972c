/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a resource stands by what the kernel holds, when it is ready, and what needs a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "app/status_parts.h"
#include "../support/arena.h"

static struct wh_addr own;
static struct wh_resource vm1 = {.name = "vm1", .addrs = &own, .n_addrs = 1};
static struct wh_recommended_rule rules[2];
static struct wh_reason reason;
static struct wh_resource_result result;
static struct wh_recommendation rec = {.resources = &result, .n_resources = 1};
static struct wh_nft_port_count ports[2];

static struct wh_app_status scene(void)
{
	own = wh_addr_v4(0x0a000004);
	rules[0] = (struct wh_recommended_rule){.proto = WH_PROTO_TCP, .port = 22};
	rules[1] = (struct wh_recommended_rule){.proto = WH_PROTO_TCP, .port = 23};
	result = (struct wh_resource_result){.resource = &vm1, .status = WH_UNHEALTHY, .rules = rules, .n_rules = 2};
	for (int i = 0; i < 2; i++)
		ports[i] = (struct wh_nft_port_count){.proto = WH_PROTO_TCP, .port = rules[i].port, .local = own, .n_locals = 1};
	return (struct wh_app_status){
		.recommendation = &rec, .firewall = {.present = true, .ports = ports, .n = 2}, .watched = true};
}

static struct wh_app_standing stands(struct wh_app_status *s, bool here)
{
	static const char *const names[] = {"vm1"};
	wh_app_standing(s, names, here, 20000, mem);
	return s->standing[0];
}

static void a_resource_is_defended_only_by_rules_that_are_confirmed_and_drop(void **state)
{
	(void)state;
	struct wh_app_status s = scene();
	assert_true(stands(&s, true).defended);
	assert_int_equal(s.standing[0].force, WH_APP_CONFIRMED);
	assert_int_equal(wh_app_attention(&s), 0);
	ports[1].audit = true;
	assert_int_equal(stands(&s, true).force, WH_APP_AUDITED);
	assert_false(s.standing[0].defended);
	ports[1].pending = true;
	assert_int_equal(stands(&s, true).force, WH_APP_PENDING);
	assert_int_equal(wh_app_attention(&s), WH_APP_UNDEFENDED | WH_APP_WAITING);
	s = scene();
	s.firewall.n = 1;
	assert_int_equal(stands(&s, true).force, WH_APP_IN_PART);
	assert_false(s.standing[0].defended);
	ports[0].local = wh_addr_v4(0x0a000063);
	assert_int_equal(stands(&s, true).force, WH_APP_NO_FORCE);
	assert_int_equal(stands(&s, false).force, WH_APP_ELSEWHERE);
	result.status = WH_HEALTHY;
	assert_true(stands(&s, false).defended);
}

static void an_unscanned_resource_is_ready_when_its_missing_days_are_there(void **state)
{
	(void)state;
	struct wh_app_status s = scene();
	reason = (struct wh_reason){.code = WH_REASON_FEW_DAYS, .count = {2, 30}};
	result = (struct wh_resource_result){.resource = &vm1, .reasons = &reason, .n_reasons = 1, .last_day = 19990};
	assert_int_equal(stands(&s, true).days_missing, 28);
	assert_int_equal(s.standing[0].ready_day, 20028);
	reason = (struct wh_reason){.code = WH_REASON_SEEN_RARELY, .count = {3, 40, 8}};
	assert_int_equal(stands(&s, true).ready_day, 20005);
	reason.code = WH_REASON_NO_TRAFFIC;
	assert_int_equal(stands(&s, true).days_missing, 0);
}

static void everything_that_needs_attention_is_named(void **state)
{
	(void)state;
	struct wh_app_list list = {.name = "drop", .updated_us = 1};
	struct wh_app_status s = scene();
	stands(&s, true);
	s.watched = false;
	s.lists = &list;
	s.n_lists = 1;
	assert_int_equal(wh_app_attention(&s), WH_APP_UNWATCHED);
	list.held = true;
	s.sensor = (struct wh_app_sensor){.packets = 1000, .packets_lost = 11};
	s.n_unlearned = 1;
	assert_int_equal(wh_app_attention(&s), WH_APP_UNWATCHED | WH_APP_LIST_FAULT | WH_APP_SENSOR_FAULT | WH_APP_UNLEARNED);
	s.rules = "the table is not there";
	assert_true(wh_app_attention(&s) & WH_APP_NOT_AS_CONFIRMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_resource_is_defended_only_by_rules_that_are_confirmed_and_drop, arena_begin,
	                                        arena_end),
		cmocka_unit_test_setup_teardown(an_unscanned_resource_is_ready_when_its_missing_days_are_there, arena_begin,
	                                        arena_end),
		cmocka_unit_test_setup_teardown(everything_that_needs_attention_is_named, arena_begin, arena_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
