/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include "base/siphash.h"
#include "ledger/conversations.h"
#include "twice.h"

enum { BUCKET = 8, LEAST = 4096 };

struct known { uint64_t ends; int64_t start_us; uint32_t source, since; }; /* since: 0: free */
struct wh_twice {
	struct wh_hash_key key;
	int64_t slack_us;
	size_t mask;
	uint32_t clock;
	struct known at[];
};

struct wh_twice *wh_twice_new(size_t bytes, int64_t slack_us)
{
	size_t n = LEAST / sizeof(struct known);
	while (2 * n * sizeof(struct known) <= bytes)
		n *= 2;
	struct wh_twice *t = calloc(1, sizeof *t + n * sizeof *t->at);
	if (t)
		*t = (struct wh_twice){.key = wh_hash_key(), .slack_us = slack_us, .mask = (n - 1) & ~(size_t)(BUCKET - 1)};
	return t;
}

void wh_twice_free(struct wh_twice *t)
{
	free(t);
}

bool wh_twice_met(struct wh_twice *t, const struct wh_flow *f, const struct wh_tags *tags)
{
	uint64_t ends = wh_conversation_ends(t->key, f);
	uint32_t source = (uint32_t)wh_conversation_source(t->key, tags->sensor ? tags->sensor : "", tags->sensor_len,
	                                                   &tags->realm);
	struct known *bucket = &t->at[ends & t->mask], *oldest = bucket;
	for (struct known *k = bucket; k < bucket + BUCKET; k++) {
		int64_t apart = k->start_us - f->start_us;
		if (k->since && k->ends == ends && k->source != source && apart <= t->slack_us && -apart <= t->slack_us)
			return true;
		if (k->since < oldest->since)
			oldest = k;
	}
	if (wh_flow_server(f) == WH_SIDE_DST_SERVES) {
		if (!++t->clock) /* it overflows: some are replaced too early */
			t->clock = 1;
		*oldest = (struct known){ends, f->start_us, source, t->clock};
	}
	return false;
}
