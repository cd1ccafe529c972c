/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/store.h"

const char *const wh_store_counter_names[WH_STORE_COUNTERS] = {"records",   "flows",   "alerts", "other",
                                                               "malformed", "crowded", "aged",   "full", "writes"};

uint64_t *wh_store_counter(struct wh_store_totals *t, size_t i)
{
	uint64_t *const at[WH_STORE_COUNTERS] = {&t->records,   &t->flows,   &t->alerts, &t->other,
	                                         &t->malformed, &t->crowded, &t->aged,   &t->full, &t->writes};
	return at[i];
}

int wh_store_widen(void *totals, int32_t day, uint64_t flows)
{
	struct wh_store_totals *t = totals;
	(void)flows;
	if (!t->last_us)
		t->first_us = day * WH_US_PER_DAY;
	t->last_us = (day + 1) * WH_US_PER_DAY;
	return 0;
}
