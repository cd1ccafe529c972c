/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The days of an edge, of flows that last, and of the sensor, whatever the clocks say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../support/edge_records.h"

/* ---- days ---- */

static void the_window_of_days_moves_forward_and_older_days_leave_no_bit(void **state)
{
	(void)state;
	int32_t day0 = 0;
	uint64_t days = 0;
	wh_days_merge(&day0, &days, DAY, 1);
	wh_days_merge(&day0, &days, DAY - 63, 1); /* the oldest that there is room for */
	assert_true(days == (UINT64_C(1) << 63 | 1));
	wh_days_merge(&day0, &days, DAY - 64, 1);
	assert_true(days == (UINT64_C(1) << 63 | 1));
	wh_days_merge(&day0, &days, DAY + 1, 1);
	assert_int_equal(day0, DAY + 1);
	assert_true(days == 3);
	wh_days_merge(&day0, &days, DAY - 5000, UINT64_MAX);
	assert_true(days == 3);
	wh_days_merge(&day0, &days, DAY + 9, 0); /* no day at all moves nothing */
	assert_int_equal(day0, DAY + 1);
	wh_days_merge(&day0, &days, DAY + 65, 1);
	assert_true(days == 1);
	wh_days_merge(&day0, &days, INT32_MAX, 1);
	wh_days_merge(&day0, &days, INT32_MIN, UINT64_MAX);
	assert_int_equal(day0, INT32_MAX);
	assert_true(days == 1);
}

/* ---- flows that last ---- */

static struct wh_record lasting(uint32_t src, int from_day, int to_day)
{
	struct wh_record r = tcp(src, 40000, host, 5432);
	r.flow.start_us = (DAY + from_day) * WH_US_PER_DAY + 5 * INT64_C(3600000000);
	r.flow.end_us = (DAY + to_day) * WH_US_PER_DAY + 6 * INT64_C(3600000000);
	return r;
}

static void a_flow_of_thirty_days_counts_on_each_of_them(void **state)
{
	(void)state;
	struct wh_record r[] = {lasting(peer, 0, 29), lasting(peer + 1, 0, 0), udp(peer + 2, 51820, host, 51820)};
	r[2].flow.start_us = r[0].flow.start_us, r[2].flow.end_us = r[0].flow.end_us; /* a tunnel */
	struct found f = edges_of(r, 3);
	assert_int_equal(f.n, 3);
	for (size_t i = 0; i < 3; i++) {
		bool single = wh_addr_eq(&f.key[i].peer, &r[1].flow.src);
		assert_int_equal(wh_edge_days(&f.edge[i]), single ? 1 : 30);
		assert_int_equal(f.edge[i].day0, single ? DAY : DAY + 29);
		assert_int_equal(f.edge[i].flows, 1);
		assert_int_equal(f.edge[i].hours, single ? 0x60 : 0xffffff);
	}
}

static void a_night_has_the_hours_on_both_sides_of_midnight(void **state)
{
	(void)state;
	struct wh_record r = lasting(peer, 0, 1);
	r.flow.start_us = DAY * WH_US_PER_DAY + 22 * INT64_C(3600000000);
	r.flow.end_us = (DAY + 1) * WH_US_PER_DAY + INT64_C(3600000000);
	struct found f = edges_of(&r, 1);
	assert_int_equal(f.edge[0].hours, 0xc00003);
	assert_int_equal(wh_edge_days(&f.edge[0]), 2);
}

static void a_flow_longer_than_the_bitmap_fills_it_up_to_its_last_day(void **state)
{
	(void)state;
	struct wh_record r[] = {lasting(peer, -70, 0), lasting(peer + 1, -64, 0), lasting(peer + 2, -63, 0),
	                        lasting(peer + 3, -62, 0)};
	struct found f = edges_of(r, 4);
	for (size_t i = 0; i < 4; i++) {
		unsigned days = wh_addr_eq(&f.key[i].peer, &r[3].flow.src) ? 63 : 64;
		assert_int_equal(wh_edge_days(&f.edge[i]), days);
		assert_int_equal(f.edge[i].day0, DAY);
	}
}

static void a_flow_that_ends_before_it_starts_counts_on_its_first_day(void **state)
{
	(void)state;
	struct wh_record r = lasting(peer, 9, 2);
	struct found f = edges_of(&r, 1);
	assert_int_equal(wh_edge_days(&f.edge[0]), 1);
	assert_int_equal(f.edge[0].day0, DAY + 9);
	assert_true(f.edge[0].first_us == f.edge[0].last_us);
}

static int note_day(void *arg, int32_t day, uint64_t flows)
{
	((uint64_t *)arg)[day - DAY + 70] += flows;
	return 0;
}

static void the_sensor_was_there_on_each_day_of_a_flow_that_lasted(void **state)
{
	struct wh_locals *l = ten();
	struct wh_edge_table *t = wh_edge_table_new(l, 1 << 20), *u = wh_edge_table_new(l, 1 << 20);
	struct wh_record r[] = {lasting(peer, 3, 5), lasting(peer, 4, 4), lasting(peer, 10, 12), lasting(peer, 12, 13),
	                        lasting(peer, -70, 0)};
	uint64_t open[140] = {0};
	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(wh_edge_table_fold(i % 2 ? u : t, &r[i]), 0);
	assert_int_equal(wh_edge_table_take(t, u), 0);
	assert_int_equal(wh_edge_table_days(t, note_day, open), 0);
	for (int day = 0; day < 140; day++) {
		static const uint64_t from_3[] = {1, 2, 1, 0, 0, 0, 0, 1, 1, 2, 1};
		assert_int_equal(open[day], day >= 7 && day <= 70 ? 1 : day >= 73 && day <= 83 ? from_3[day - 73] : 0);
	}
	wh_edge_table_free(t), wh_edge_table_free(u);
	wh_locals_free(l);
}

static void every_day_of_a_year_that_is_read_at_once_is_counted(void **state)
{
	struct wh_locals *l = ten();
	struct wh_edge_table *t = wh_edge_table_new(l, 1 << 20);
	uint64_t got[2] = {0};
	int day;
	(void)state;
	for (day = 0; day < 1000; day++) {
		struct wh_record r = tcp(peer, 40000, host, 22);
		r.flow.start_us = (DAY + day) * WH_US_PER_DAY;
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
	}
	wh_edge_table_days(t, count_day, got);
	assert_int_equal(got[0], 2000);
	assert_int_equal(got[1], 1000);
	/* and a log in which each record is of another day is flushed in time */
	for (; !wh_edge_table_nearly_full(t, 65536); day++) {
		struct wh_record r = tcp(peer, 40000, host, 22);
		r.flow.start_us = (DAY + day) * WH_US_PER_DAY;
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
	}
	for (int i = 0; i < 65536 / 128; i++, day++) {
		struct wh_record r = tcp(peer, 40000, host, 22);
		r.flow.start_us = (DAY + day) * WH_US_PER_DAY;
		assert_int_equal(wh_edge_table_fold(t, &r), 0);
	}
	wh_edge_table_free(t);
	wh_locals_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_of_days_moves_forward_and_older_days_leave_no_bit),
		cmocka_unit_test(every_day_of_a_year_that_is_read_at_once_is_counted),
		cmocka_unit_test(a_flow_of_thirty_days_counts_on_each_of_them),
		cmocka_unit_test(a_night_has_the_hours_on_both_sides_of_midnight),
		cmocka_unit_test(a_flow_longer_than_the_bitmap_fills_it_up_to_its_last_day),
		cmocka_unit_test(a_flow_that_ends_before_it_starts_counts_on_its_first_day),
		cmocka_unit_test(the_sensor_was_there_on_each_day_of_a_flow_that_lasted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
