/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Days that say nothing.
 *
 * Whose every session could be a failed login does not come to work, however many days he comes, where most of the others say
 * that this is not what the port is for: those who work longer, and those like him who are reported, for lists and alerts know
 * but a part of who guesses. Against them stand those like him who are not. Health checks, shorter than any login, say nothing of
 * either, and where there is nobody else nothing is said. Who is reported himself needs no others.
 *
 * Neighbours who belong change nothing of it: a guesser may sit beside them. They speak for him by what they weigh themselves.
 * All those who are reported have no more to say than half of what the others do: else guessing until alerts fire would get such
 * a script locked out.
 */
#include "harden/posing.h"

#define POSING_DOUBTS 2.0  /* sessions: of a few nothing is said */
#define POSING_FROM 0.6    /* share of sessions like a failed login */
#define POSING_TO 0.9
#define AGAINST_FROM 0.4   /* share of what the others' days say: around the half */
#define AGAINST_TO 0.6
#define FEW_ALERTS 10      /* flows to an alert, at least */
#define MOST_REPORTED 0.5  /* of what the others say */

double wh_failed_logins(const struct wh_edge *e, double doubts)
{
	double size = wh_hist_sum(e->size_hist) + doubts, time = wh_hist_sum(e->time_hist) + doubts;
	if (size == 0 || time == 0)
		return 0;
	double by_size = ((double)e->size_hist[2] + e->size_hist[3]) / size,
	       by_time = ((double)e->time_hist[2] + e->time_hist[3]) / time;
	return by_size < by_time ? by_size : by_time;
}

static double ramp(double x, double from, double to)
{
	return x <= from ? 0 : x >= to ? 1 : (x - from) / (to - from);
}

/* The share of the sessions that are larger or longer than a failed login: 1 from a half on. */
static double works(const struct wh_edge *e)
{
	double size = wh_hist_sum(e->size_hist), time = wh_hist_sum(e->time_hist), large = 0, lengthy = 0;
	for (unsigned b = 4; b < WH_EDGE_BUCKETS; b++) {
		large += e->size_hist[b];
		lengthy += e->time_hist[b];
	}
	large = size > 0 ? large / size : 0;
	lengthy = time > 0 ? lengthy / time : 0;
	return ramp(large > lengthy ? large : lengthy, 0, 0.5);
}

/* What he is known by is no matter of days. */
static bool is_known(const struct wh_evidence_peer *p)
{
	return p->named || p->trusted || p->estate || wh_addr_is_private(&p->addr);
}

static double like_failed_logins(const struct wh_evidence_peer *p)
{
	return p->chosen ? 0 : ramp(wh_failed_logins(p->edge, POSING_DOUBTS), POSING_FROM, POSING_TO);
}

/* How loudly days speak: as in the score, by their logarithm. Who works once a week is not drowned by who comes daily. */
static double voice_of(const struct wh_evidence_peer *p, const double *ln)
{
	return ln[1 + p->n_days];
}

/* By a threat list, or by alerts on more than a few of its flows: one alone is no verdict. */
static bool is_plainly_reported(const struct wh_evidence_peer *p)
{
	const struct wh_edge *e = p->edge;
	return p->listed || ((uint64_t)e->alerts[0] + e->alerts[1] + e->alerts[2] + e->alerts[3]) * FEW_ALERTS > e->flows;
}

/* By a threat list, or by an alert of any severity on an answered flow. */
static bool is_reported(const struct wh_evidence_peer *p)
{
	return p->listed || p->edge->alerts[0] || p->edge->alerts[1] || p->edge->alerts[2] || p->edge->alerts[3];
}

/* The voices of those whose days speak for them: of work, of sessions like failed logins, and of such sessions of reported
 * strangers. */
struct voices { double work, like, reported; };

/* Leaves in `posing` how much each stranger's sessions are like failed logins. */
static struct voices listen(struct wh_evidence_peer *peers, size_t n, const double *ln)
{
	struct voices s = {0};
	for (size_t i = 0; i < n; i++) {
		struct wh_evidence_peer *p = &peers[i];
		double like = like_failed_logins(p);
		p->posing = is_known(p) ? 0 : like;
		if (p->score <= WH_VOUCHES || p->chosen)
			continue;
		double voice = voice_of(p, ln);
		if (p->posing > 0 && is_reported(p)) {
			s.reported += voice * like;
		} else if (p->alone) {
			s.work += voice * works(p->edge);
			s.like += voice * like;
		}
	}
	return s;
}

bool wh_find_posing(struct wh_evidence_peer *peers, size_t n, const double *ln)
{
	struct voices all = listen(peers, n, ln);
	double most = MOST_REPORTED * (all.work + all.like);
	all.reported = all.reported < most ? all.reported : most;
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		struct wh_evidence_peer *p = &peers[i];
		if (p->posing == 0)
			continue;
		double own = p->alone ? voice_of(p, ln) : 0, against = all.work + all.reported - own * works(p->edge);
		double others = against + all.like - own * p->posing;
		p->posing *= is_plainly_reported(p) ? 1 : others > 1e-9 ? ramp(against / others, AGAINST_FROM, AGAINST_TO) : 0;
		found = found || p->posing > 0;
	}
	return found;
}
