/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Impossible times: the records that they make unreadable, and the messages about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/flow.h"

static const int64_t now = INT64_C(1793494922000000); /* 2026-10-31 */

static int note(void *arg, const struct wh_record *rec)
{
	*(struct wh_record *)arg = *rec;
	return 0;
}

/* Reads one record with these times; what the statistics say of it. */
static struct wh_read_stats read_one(const char *type, const char *logged, const char *start, const char *end,
                                     struct wh_record *rec)
{
	char line[512];
	struct wh_read_stats stats = {.now_us = now};
	void *state = wh_reader_eve.open(&(struct wh_reader_options){0});
	int n = snprintf(
		line, sizeof line,
		"{\"timestamp\":\"%s\",\"event_type\":\"%s\",\"src_ip\":\"192.0.2.1\",\"src_port\":4,\"dest_ip\":\"10.0.0.4\","
		"\"dest_port\":22,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":1%s%s%s%s%s%s}}\n",
		logged, type, start ? ",\"start\":\"" : "", start ? start : "", start ? "\"" : "", end ? ",\"end\":\"" : "",
		end ? end : "", end ? "\"" : "");
	assert_int_equal(wh_reader_eve.feed(state, &(struct wh_stretch){line, (size_t)n, true, 7, 700}, note, rec, &stats), n);
	wh_reader_eve.close(state);
	return stats;
}

#define T(day, clock) "2026-" day "T" clock ".000000+0000"

static void a_record_of_the_future_is_unreadable_with_its_line(void **state)
{
	static const char ok[] = T("10-31", "10:00:00"), late[] = "2036-02-07T06:28:16.000000+0000";
	const struct { const char *type, *logged, *start, *end; bool good;
	} cases
		[] =
			{
				{"flow", ok, ok, ok, true},        {"flow", ok, late, late, false},
				{"flow", ok, ok, late, false},     {"flow", ok, late, ok, false},
				{"flow", late, ok, ok, true}, /* the time of logging does not matter for the flow */
				{"flow", late, NULL, NULL, false}, {"alert", late, ok, NULL, false},
				{"alert", ok, late, NULL, false},  {"alert", ok, ok, NULL, true},
				{"dns", late, NULL, NULL, true}, /* which moves nothing anyway */
			};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wh_record rec;
		struct wh_read_stats s = read_one(cases[i].type, cases[i].logged, cases[i].start, cases[i].end, &rec);
		assert_int_equal(s.malformed, !cases[i].good);
		assert_int_equal(s.records, cases[i].good);
		if (!cases[i].good) {
			assert_ptr_equal(s.bad[0].reason, wh_time_future);
			assert_int_equal(s.bad[0].first_line, 7);
			assert_int_equal(s.bad[0].first_offset, 700);
		}
	}
}

static void a_few_minutes_ahead_are_two_clocks_that_differ(void **state)
{
	struct wh_record rec = {.kind = WH_RECORD_FLOW, .flow = {.start_us = now, .end_us = now + INT64_C(299000000)}};
	(void)state;
	assert_null(wh_record_bad_time(&rec, now));
	rec.flow.end_us = now + INT64_C(301000000);
	assert_ptr_equal(wh_record_bad_time(&rec, now), wh_time_future);
	assert_null(wh_record_bad_time(&rec, 0)); /* where there is no clock to hold it against */
}

static void a_clock_that_was_never_set_is_no_evidence_of_days(void **state)
{
	static const char *const never[] = {"1970-01-01T00:00:41.000000+0000", "1969-12-31T23:00:00.000000+0000",
	                                    "1980-01-01T00:00:00.000000+0000", "2000-01-01T00:10:00.000000+0000"};
	static const char ok[] = T("10-31", "10:00:00");
	struct wh_record rec;
	(void)state;
	for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
		/* it was set while the flow went on */
		assert_ptr_equal(read_one("flow", ok, never[i], ok, &rec).bad[0].reason, wh_time_past);
		assert_ptr_equal(read_one("flow", ok, ok, never[i], &rec).bad[0].reason, wh_time_past);
		assert_int_equal(read_one("flow", never[i], ok, ok, &rec).malformed, 0);
	}
	assert_int_equal(read_one("flow", ok, "2004-05-13T10:17:07.000000+0000", ok, &rec).malformed, 0); /* an old capture */
}

static void a_flow_without_an_end_ends_where_it_starts_whenever_it_was_logged(void **state)
{
	struct wh_record rec;
	(void)state;
	assert_int_equal(read_one("flow", T("10-31", "10:00:00"), T("10-02", "10:00:00"), NULL, &rec).malformed, 0);
	assert_true(rec.flow.end_us == rec.flow.start_us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_of_the_future_is_unreadable_with_its_line),
		cmocka_unit_test(a_few_minutes_ahead_are_two_clocks_that_differ),
		cmocka_unit_test(a_clock_that_was_never_set_is_no_evidence_of_days),
		cmocka_unit_test(a_flow_without_an_end_ends_where_it_starts_whenever_it_was_logged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
