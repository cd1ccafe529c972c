/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The judged days: the window, and the days in it on which visits would have been recorded. */
#include <math.h>
#include <stdlib.h>
#include "harden/analysis.h"

/*
 * The newest day, in order of days. A sensor whose clock ran ahead for an hour must not age everything learned: days ahead of
 * this machine's clock end the window only if they follow on others (then this clock is slow).
 */
static int newest_day(void *arg, int32_t day, uint64_t flows)
{
	enum { GAP = 7 };
	int32_t *last = arg;
	if (flows && day >= wh_day(WH_CLOCK_FIRST_US) &&
	    (*last == INT32_MIN || day <= wh_day(wh_now_us()) + 1 || day <= (int64_t)*last + GAP))
		*last = day;
	return 0;
}

int wh_last_day(struct wh_store *s, int32_t *last, struct wh_error *err)
{
	*last = INT32_MIN;
	return wh_store_days(s, newest_day, last, err);
}

struct finding {
	struct wh_window *w;
	uint64_t flows[64]; /* on the window's days: [i] on last - i */
};

static int sensor_day(void *arg, int32_t day, uint64_t flows)
{
	struct finding *f = arg;
	int64_t i = (int64_t)f->w->last - day;
	if (flows && i >= 0 && i < f->w->days) {
		f->w->sensor |= UINT64_C(1) << i;
		f->flows[i] = flows;
	}
	return 0;
}

static int by_size(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
	return a < b ? -1 : a > b;
}

/*
 * A connection that lasts reaches back to days without logs: on them only such connections are known. Such days come before all
 * others and have few flows. The window begins at a day with at least a tenth of the sensor's traffic on its median day, but
 * reaches back as far as a judgement needs.
 *
 *   flows a day, the newest first:  90 80 85 … 88 90 | 3 3 2 2 1     the window ends at the bar
 */
static void leave_thin_days(struct finding *f, unsigned needed)
{
	enum { THIN = 10 };
	uint64_t sorted[64];
	struct wh_window *w = f->w;
	unsigned n = 0;

	for (unsigned i = 0; i < w->days; i++)
		if (w->sensor >> i & 1)
			sorted[n++] = f->flows[i];
	if (!n)
		return;
	qsort(sorted, n, sizeof *sorted, by_size);
	while (w->days > needed && f->flows[w->days - 1] * THIN < sorted[n / 2])
		w->days--;
}

/* The window ends on the newest day (or on a given today) and reaches back to the first day of the sensor's data (wh_days_reach),
 * limited by the options and the ledger's bitmaps. */
int wh_window_find(struct wh_analysis *a, struct wh_error *err)
{
	struct wh_window *w = &a->window;
	struct finding f = {.w = w};
	unsigned most = a->opt->window_days && a->opt->window_days < 64 ? a->opt->window_days : 64;
	int rc = 0;

	w->last = a->opt->today ? a->opt->today : INT32_MIN;
	if (!a->opt->today)
		rc = wh_last_day(a->store, &w->last, err);
	if (w->last == INT32_MIN)
		w->last = 0;
	w->days = most;
	if (!rc)
		rc = wh_store_days(a->store, sensor_day, &f, err);
	unsigned quiet = w->sensor ? (unsigned)__builtin_ctzll(w->sensor) : 0; /* where the day it ends on was given */
	w->days = w->sensor ? quiet + wh_days_reach(w->sensor) : 1;
	leave_thin_days(&f, quiet + (a->opt->min_days ? a->opt->min_days : 30));
	w->sensor &= w->days < 64 ? (UINT64_C(1) << w->days) - 1 : UINT64_MAX;
	w->sensor_days = wh_bits(w->sensor);
	return rc;
}

/* ---- a resource's ---- */

/*
 * Nothing was seen of a resource for some days, though its own traffic makes that next to impossible: the sensor did not receive
 * it, or received only one direction. With a share h of the sensor's days on which it was seen, n days in a row are silent by
 * chance with (1 - h)^n; below BY_CHANCE the silence is the sensor's. For a resource seen on 27 of 30 days that takes two silent
 * days in a row, on 10 of 30 twelve. Nor does any day count after the last on which anything was seen of it.
 */
#define BY_CHANCE 0.01

uint64_t wh_unheard_days(const struct wh_window *w, uint64_t heard, uint64_t seen)
{
	uint64_t unheard = seen ? (seen & -seen) - 1 : 0, silent = w->sensor & ~heard, run = 0;
	double share = w->sensor_days ? (double)wh_bits(heard & w->sensor) / w->sensor_days : 0;

	for (unsigned i = 0; i <= w->days; i++) { /* one past the window ends the last run */
		uint64_t day = i < w->days ? UINT64_C(1) << i : 0;
		if (silent & day) {
			run |= day;
		} else if (!day || (w->sensor & day)) { /* days without the sensor neither end a run nor lengthen it */
			unheard |= run && pow(1 - share, wh_bits(run)) < BY_CHANCE ? run : 0;
			run = 0;
		}
	}
	return unheard;
}

struct wh_window wh_window_without(const struct wh_window *w, uint64_t days)
{
	struct wh_window left = *w;
	left.sensor &= ~days;
	left.sensor_days = wh_bits(left.sensor);
	return left;
}
