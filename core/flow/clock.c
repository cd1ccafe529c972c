/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The possible times of a record. */
#include "whittle/flow.h"

const char wh_time_future[] = "time in the future, by this machine's clock";
const char wh_time_past[] = "time before 2001, as of a clock that was never set";

const char *wh_bad_time(int64_t us, int64_t now_us)
{
	return !now_us ? NULL : us < WH_CLOCK_FIRST_US ? wh_time_past : us - WH_CLOCK_SLACK_US > now_us ? wh_time_future : NULL;
}

const char *wh_record_bad_time(const struct wh_record *rec, int64_t now_us)
{
	const char *why = NULL;
	if (rec->kind == WH_RECORD_OTHER)
		return NULL;
	if (rec->kind == WH_RECORD_ALERT)
		why = wh_bad_time(rec->time_us, now_us);
	if (!why)
		why = wh_bad_time(rec->flow.start_us, now_us);
	return why ? why : wh_bad_time(rec->flow.end_us, now_us);
}
