/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On which days silence counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "harden/analysis.h"
#include "tests/unit/support/scene.h"

#define DAYS(n) ((UINT64_C(1) << (n)) - 1)
static const struct wh_window month = {.last = 20500, .days = 30, .sensor = DAYS(30), .sensor_days = 30};

static void a_silence_that_its_own_traffic_makes_impossible_is_the_sensors(void **state)
{
	(void)state;
	uint64_t lost = DAYS(3) << 3;
	assert_true(wh_unheard_days(&month, DAYS(30) & ~lost, DAYS(30)) == lost);
	assert_true(wh_unheard_days(&month, DAYS(30) & ~(UINT64_C(1) << 3), DAYS(30)) == 0); /* one day may be chance */
	assert_true(wh_unheard_days(&month, DAYS(20), DAYS(30)) == DAYS(10) << 20);           /* the oldest days too */
}

static void a_resource_that_is_heard_once_a_week_is_silent_in_between(void **state)
{
	(void)state;
	uint64_t weekly = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28;
	assert_true(wh_unheard_days(&month, weekly, weekly) == 0);
	assert_true(wh_unheard_days(&month, 0, DAYS(30)) == 0); /* never heard: nothing to compare with */
}

static void no_day_counts_after_the_last_on_which_anything_was_seen(void **state)
{
	(void)state;
	uint64_t weekly = 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28;
	assert_true(wh_unheard_days(&month, weekly, weekly) == DAYS(7));
}

static void days_without_the_sensor_neither_end_nor_lengthen_a_silence(void **state)
{
	(void)state;
	struct wh_window w = month;
	w.sensor &= ~(UINT64_C(1) << 4);
	w.sensor_days = 29;
	assert_true(wh_unheard_days(&w, DAYS(30) & ~(DAYS(3) << 3), DAYS(30)) == (UINT64_C(1) << 3 | UINT64_C(1) << 5));
	assert_true(wh_unheard_days(&w, DAYS(30) & ~(DAYS(2) << 3), DAYS(30)) == 0);
	assert_int_equal(wh_window_without(&w, UINT64_C(1) << 3 | UINT64_C(1) << 4).sensor_days, 28);
}

static unsigned window_of(struct scene *s)
{
	struct wh_harden_options opt = scene_options(s, "22");
	struct wh_analysis a;
	struct wh_error err;
	assert_non_null(scene_recommend(s));
	assert_int_equal(wh_analysis_open(&a, s->ledger.store, s->estate, &opt, &err), 0);
	unsigned days = a.window.days;
	wh_analysis_close(&a);
	return days;
}

/* Logs of 40 days, and in them a connection that began 20 days before. */
static void a_connection_that_began_before_the_logs_does_not_make_the_window_longer(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	for (int day = 20; day < 60; day++)
		for (int i = 0; i < 4; i++) /* twenty sessions */
			scene_partner_days(&s, day, day + 1);
	struct wh_record r = scene_record("60.1.1.1", 22, 0, 9, 64, 600);
	r.flow.end_us = r.time_us = r.flow.start_us + 45 * WH_US_PER_DAY;
	scene_fold(&s, &r);
	assert_int_equal(window_of(&s), 40);
	scene_close(&s);
}

/* … but where the logs are too few for a judgement, what lasts is all there is. */
static void a_ledger_of_lasting_connections_alone_is_judged_by_them(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	struct wh_record r = scene_record("60.1.1.1", 22, 0, 9, 64, 600);
	r.flow.end_us = r.time_us = r.flow.start_us + 45 * WH_US_PER_DAY;
	scene_fold(&s, &r);
	assert_int_equal(window_of(&s), 46);
	scene_close(&s);
}

/* Two that come daily, until the sensor hears no answers any more. */
static void a_gap_in_hearing_is_no_absence(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	for (int day = 0; day < 24; day++)
		for (int i = 0; i < 2; i++) {
			scene_session(&s, "60.1.1.1", 22, day, 9 + i, 64, 600);
			scene_session(&s, "60.2.2.2", 22, day, 9 + i, 64, 600);
		}
	for (int day = 24; day < 36; day++)
		scene_syn(&s, wh_addr_v4(0x2d000000u + (uint32_t)day), 22, day, 0);
	const struct wh_recommended_rule *r = scene_rule(scene_recommend(&s), 22);
	assert_non_null(r);
	assert_true(scene_allows(r, "60.1.1.1") && scene_allows(r, "60.2.2.2"));
	scene_close(&s);
}

/* A resolver's client on eight days, next to many TCP workers: no work is as short as a query. */
static void sessions_of_datagrams_are_held_against_datagrams(void **state)
{
	(void)state;
	struct scene s;
	char src[32];
	scene_open(&s, NULL, 0);
	for (int day = 0; day < 32; day++)
		for (int i = 0; i < 40; i++) {
			snprintf(src, sizeof src, "60.%d.1.1", i + 1);
			scene_session(&s, src, 22, day, 9, 64, 600);
		}
	for (int day = 0; day < 32; day += 4) {
		struct wh_record r = scene_record("61.1.1.1", 53, day, 9, 0, 0);
		r.flow.proto = WH_PROTO_UDP;
		r.flow.has_tcp_flags = false;
		r.flow.state = WH_STATE_ESTABLISHED;
		r.flow.pkts_toserver = r.flow.pkts_toclient = 1;
		r.flow.bytes_toserver = 70;
		r.flow.bytes_toclient = 150;
		scene_fold(&s, &r);
	}
	struct wh_harden_options opt = scene_options(&s, "22,53");
	struct wh_recommendation *rec = scene_recommend_as(&s, &opt);
	const struct wh_recommended_rule *r = scene_rule(rec, 53);
	assert_non_null(r);
	assert_true(scene_allows(r, "61.1.1.1"));
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silence_that_its_own_traffic_makes_impossible_is_the_sensors),
		cmocka_unit_test(a_resource_that_is_heard_once_a_week_is_silent_in_between),
		cmocka_unit_test(no_day_counts_after_the_last_on_which_anything_was_seen),
		cmocka_unit_test(days_without_the_sensor_neither_end_nor_lengthen_a_silence),
		cmocka_unit_test(a_connection_that_began_before_the_logs_does_not_make_the_window_longer),
		cmocka_unit_test(a_ledger_of_lasting_connections_alone_is_judged_by_them),
		cmocka_unit_test(a_gap_in_hearing_is_no_absence),
		cmocka_unit_test(sessions_of_datagrams_are_held_against_datagrams),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
