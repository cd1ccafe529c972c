/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shapes of sessions, as histograms of their size and length: those of the whole ledger, of hostile peers and of others, and
 * how much the shape of one edge is like the one or the other (the feature `shape` of evidence.c).
 */
#include <math.h>
#include "harden/evidence.h"

#define LOWEST_RATIO (-2.0)
#define HIGHEST_RATIO 3.0
/* times `votes`: the common weight of all hostile peers, however many an attacker makes */
#define HOSTILE_VOTES 5.0

/* Adds shares in whole millionths (2^-20), so that sums of up to 2^33 votes are exact, in any order. */
static void add_shares(double to[static WH_EDGE_BUCKETS], const uint32_t hist[static WH_EDGE_BUCKETS], double all, double vote)
{
	double scale = 0x1p20 / all;
	vote *= 0x1p-20;
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++)
		to[b] += vote * (int32_t)(hist[b] * scale + 0.5);
}

void wh_shapes_add(struct wh_shapes *s, const struct wh_edge *e, bool hostile, unsigned days)
{
	double size = wh_hist_sum(e->size_hist), time = wh_hist_sum(e->time_hist), vote = hostile ? 1 : days;
	struct wh_shares *to = hostile ? &s->hostile : &s->others;

	if (size == 0 || time == 0 || vote == 0)
		return;
	add_shares(to->size, e->size_hist, size, vote);
	add_shares(to->time, e->time_hist, time, vote);
	*(hostile ? &s->n_hostile : &s->n_others) += vote;
}

void wh_shapes_join(struct wh_shapes *into, const struct wh_shapes *more)
{
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++) {
		into->hostile.size[b] += more->hostile.size[b];
		into->hostile.time[b] += more->hostile.time[b];
		into->others.size[b] += more->others.size[b];
		into->others.time[b] += more->others.time[b];
	}
	into->n_hostile += more->n_hostile;
	into->n_others += more->n_others;
}

static double ratio(const struct wh_weights *w, double others, double n_others, double work, double hostile, double n_hostile,
                    double known)
{
	double a = (1 - w->floor) * (others + w->votes * work) / (n_others + w->votes) + w->floor * work;
	double h = (1 - w->floor) * (hostile + w->votes * known) / (n_hostile + w->votes) + w->floor * known;
	double r = log(a / h);
	return r < LOWEST_RATIO ? LOWEST_RATIO : r > HIGHEST_RATIO ? HIGHEST_RATIO : r;
}

void wh_shapes_finish(struct wh_shapes *s, const struct wh_weights *w)
{
	double most = HOSTILE_VOTES * w->votes;
	if (s->n_hostile > most) {
		for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++) {
			s->hostile.size[b] *= most / s->n_hostile;
			s->hostile.time[b] *= most / s->n_hostile;
		}
		s->n_hostile = most;
	}
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++) {
		s->ratio.size[b] = ratio(w, s->others.size[b], s->n_others, w->work.size[b], s->hostile.size[b], s->n_hostile,
		                         w->hostile.size[b]);
		s->ratio.time[b] = ratio(w, s->others.time[b], s->n_others, w->work.time[b], s->hostile.time[b], s->n_hostile,
		                         w->hostile.time[b]);
	}
}

double wh_shape(const struct wh_shapes *s, const struct wh_edge *e)
{
	double size = wh_hist_sum(e->size_hist), time = wh_hist_sum(e->time_hist), by_size = 0, by_time = 0;
	for (unsigned b = 0; b < WH_EDGE_BUCKETS; b++) {
		by_size += s->ratio.size[b] * e->size_hist[b];
		by_time += s->ratio.time[b] * e->time_hist[b];
	}
	return (size > 0 ? by_size / size : 0) + (time > 0 ? by_time / time : 0);
}
