/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The probability that a peer comes again. The beta-geometric/beta-Bernoulli model of buyers who leave without saying so (Fader,
 * Hardie and Shang, "Customer-Base Analysis in a Discrete-Time Noncontractual Setting", Marketing Science 2010), with days for
 * purchases.
 *
 * Each peer visits on a day with a chance p of its own, until a day is its last, with a chance θ a day; p ~ Beta(α, β) and θ ~
 * Beta(γ, δ) over all peers. After the first visit it came on x more days, the last of them t days after the first, and has been
 * quiet for m days. Either it is still there and did not come m times, or it left after i < m of them:
 *
 *     alive   = P(x visits in t + m days)         · P(no last day in t + m)
 *     left(i) = P(x visits in t, none in i more)  · P(the last day is t + i)
 *
 * Divided by the common factor, with a = α + x and b = β + t − x, each factor is the one before it times one ratio:
 *
 *     none(i + 1) = none(i) · (b + i) / (a + b + i)        lives(k + 1) = lives(k) · (δ + k) / (γ + δ + k)
 *
 * and P(alive) = alive / (alive + Σ left(i)). A peer that is alive comes on a share (α + x) / (α + β + t + m) of the days for as
 * long as it lives: summed over the horizon that is the answer.
 *
 * With life 0.5, 1 every third newcomer never comes again, and after three weeks one in forty-five leaves a day: addresses that
 * have lasted last. A peer that came on one day comes on 1.9 more of the next 30 if that was yesterday, on 0.3 if it was five
 * days ago.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include "harden/returning.h"

double wh_expected_days(const struct wh_rhythm *r, unsigned days, unsigned span, unsigned quiet, unsigned horizon)
{
	double a = r->visits[0] + (days - 1), b = r->visits[1] + span - (days - 1), gamma = r->life[0], delta = r->life[1];
	double none = 1, lives = 1, left = 0, stays = 1, sum = 0;

	for (unsigned i = 0; i < quiet; i++) {
		left += none * lives * gamma / (gamma + delta + span + i);
		none *= (b + i) / (a + b + i);
		lives *= (delta + span + i) / (gamma + delta + span + i);
	}
	double alive = none * lives, age = delta + span + quiet;
	for (unsigned i = 0; i < horizon; i++, age++) {
		stays *= age / (gamma + age);
		sum += stays;
	}
	return alive / (alive + left) * a / (a + b + quiet) * sum;
}

/* Filled on demand, a page at a time: most of its 2 MB is never touched. 0: not known yet. Two threads that find the same place
 * empty put the same number there. */
struct wh_expected_table {
	struct wh_rhythm rhythm;
	unsigned horizon;
	_Atomic double expected[64][64][65];
};

struct wh_expected_table *wh_expected_table_new(const struct wh_rhythm *r, unsigned horizon)
{
	struct wh_expected_table *t = calloc(1, sizeof *t);
	if (t) {
		t->rhythm = *r;
		t->horizon = horizon;
	}
	return t;
}

double wh_expected_looked_up(struct wh_expected_table *t, unsigned days, unsigned span, unsigned quiet)
{
	_Atomic double *place = &t->expected[days - 1][span][quiet];
	double v = atomic_load_explicit(place, memory_order_relaxed);
	if (v == 0) {
		v = wh_expected_days(&t->rhythm, days, span, quiet, t->horizon);
		atomic_store_explicit(place, v, memory_order_relaxed);
	}
	return v;
}
