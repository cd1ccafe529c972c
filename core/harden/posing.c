/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The failed-login discount: days on which every session of a peer could be a failed login count for less, or for nothing.
 *
 * A password guesser can come on every day. A peer with such sessions is taken for one where most of the other peers' days are
 * evidence that the port is used otherwise. Two kinds are such evidence: peers with longer or larger sessions, and reported peers
 * (by a list or an alert) with the same kind of sessions, because lists and alerts know only a part of the guessers. Peers with
 * the same kind of sessions that are not reported are evidence against it: a port may be used by short scripts. Health checks,
 * shorter than any login, count on neither side. Without other peers there is no discount, unless the peer itself is plainly
 * reported.
 *
 * Allowed neighbours don't prevent the discount, because a guesser may be in the same network; they count by their own weight in
 * the sum above. All reported peers together count at most half as much as all others: else an attacker could lock a script out
 * by guessing from many addresses until alerts fire.
 */
#include "harden/posing.h"

#define POSING_DOUBTS 2.0  /* sessions: fewer are not judged */
#define POSING_FROM 0.6    /* share of sessions like a failed login */
#define POSING_TO 0.9
#define AGAINST_FROM 0.4   /* share in the others' days: around the half */
#define AGAINST_TO 0.6
#define FEW_ALERTS 10      /* flows to an alert, at least */
#define MOST_REPORTED 0.5  /* of the others' share */

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

/* Known by configuration or by its address: the discount is for strangers alone. */
static bool is_known(const struct wh_evidence_peer *p)
{
	return p->named || p->trusted || p->estate || wh_addr_is_private(&p->addr);
}

void wh_measure_sessions(struct wh_evidence_peer *p)
{
	p->like = p->chosen ? 0 : ramp(wh_failed_logins(p->edge, POSING_DOUBTS), POSING_FROM, POSING_TO);
	p->works = works(p->edge);
}

/* The weight of a peer's days: their logarithm, as in the score, so that weekly peers are not outweighed by daily ones. */
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

/* Sums over the peers whose days count: of longer sessions, of sessions like failed logins, and of such sessions of reported
 * strangers. */
struct voices { double work, like, reported; };

/* Leaves in `posing` how much each stranger's sessions are like failed logins. */
static struct voices listen(struct wh_evidence_peer *peers, size_t n, const double *ln)
{
	struct voices s = {0};
	for (size_t i = 0; i < n; i++) {
		struct wh_evidence_peer *p = &peers[i];
		p->posing = p->like > 0 && !is_known(p) ? p->like : 0;
		if (p->score <= WH_VOUCHES || p->chosen)
			continue;
		double voice = voice_of(p, ln);
		if (p->posing > 0 && is_reported(p)) {
			s.reported += voice * p->like;
		} else if (p->alone) {
			s.work += voice * p->works;
			s.like += voice * p->like;
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
		double own = p->alone ? voice_of(p, ln) : 0, against = all.work + all.reported - own * p->works;
		double others = against + all.like - own * p->posing;
		p->posing *= is_plainly_reported(p) ? 1 : others > 1e-9 ? ramp(against / others, AGAINST_FROM, AGAINST_TO) : 0;
		found = found || p->posing > 0;
	}
	return found;
}
