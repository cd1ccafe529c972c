/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Refused logins: credentials that the gate did not accept. The workers count them by source, in memory that they share; the
 * program writes one line of the journal for each source and minute. Whoever guesses determines neither its memory nor its disk:
 * sources beyond WH_REFUSED_SOURCES, and lines beyond WH_REFUSED_LINES an hour, are counted as one.
 */
#pragma once
#include "whittle/base.h"

enum {
	WH_REFUSED_SOURCES = 16, /* of a minute */
	WH_REFUSED_LINES = 20,   /* of an hour, besides the last one, of all other sources */
	WH_REFUSED_NAME = 56,
};
struct wh_refused;
/* For this process and those that it forks. NULL: out of memory. */
struct wh_refused *wh_refused_new(void);
/* One more. `client`: an address ("" for a socket of this machine); IPv6 counts by /64, which one client has. Never waits. */
void wh_refused_add(struct wh_refused *r, const char *client);

struct wh_refused_line {
	char from[WH_REFUSED_NAME];
	uint32_t attempts;
};
/*
 * The lines that are due, at most WH_REFUSED_SOURCES + 1: a minute after the first attempt, or those of all attempts with `all`,
 * at the end. Call it every second or so from one process; `now_us` by the monotonic clock.
 */
size_t wh_refused_take(struct wh_refused *r, int64_t now_us, bool all, struct wh_refused_line out[static WH_REFUSED_SOURCES + 1]);
