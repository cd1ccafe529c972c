/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reader's counts of the records that it reads, and of those that it can't. */
#pragma once
#include "whittle/flow.h"

static inline void wh_count_good(struct wh_read_stats *s, const struct wh_record *rec)
{
	s->records++;
	s->flows += rec->kind == WH_RECORD_FLOW;
	s->alerts += rec->kind == WH_RECORD_ALERT;
	s->other += rec->kind == WH_RECORD_OTHER;
}
/* reason: static text. The first of each kind keeps its place. */
void wh_count_bad(struct wh_read_stats *s, const char *reason, uint64_t line, uint64_t offset);
