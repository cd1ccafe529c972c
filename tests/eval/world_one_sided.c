/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * one-sided: for three to six days the sensor hears only one direction of all traffic, and for another five to ten days only
 * one direction of four in ten resources. The truth about these days counts as always; no method can have learned it.
 */
#include "worlds.h"

enum { ALL = 1000 }; /* the stretch that all have in common */

static enum hearing in_stretch(uint64_t seed, unsigned of, int day, int least, int most)
{
	struct rng r = rng_of(seed, 5000 + of);
	int length = rng_range(&r, least, most), from = rng_range(&r, 0, EVAL_TRAIN_DAYS - length);
	bool chosen = of == ALL || rng_chance(&r, 0.4);
	enum hearing half = rng_chance(&r, 0.5) ? HEARS_PEER : HEARS_HOST;
	return chosen && day >= from && day < from + length ? half : HEARS_BOTH;
}

static enum hearing one_sided_hears(const struct world *w, unsigned service, int day)
{
	enum hearing h = in_stretch(w->seed, ALL, day, 3, 6);
	return h != HEARS_BOTH ? h : in_stretch(w->seed, service_resource(w, service), day, 5, 10);
}

const struct world_kind world_one_sided = {
	.name = "one-sided",
	.what = "heard from one side alone for some days, some resources for more than a week",
	.hears = one_sided_hears,
};
