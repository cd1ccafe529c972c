/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The confidence of a rule, from 0 to 1: stability × (1 − leans) × (1 − lost).
 *
 * stability  How stable the set of its peers was: the share of those that belong that came in both halves of the window, shrunk
 *            towards a half by one peer, (both + ½) / (peers + 1). Five hosts that came all along: 0.92; a hundred: 0.995; a new
 *            office of the last week: near 0. A peer that is kept out by an alert alone counts as one that did not stay. A pool
 *            whose members come and go has a low share, for its peers are not the point.
 * leans      How much of it is prediction: of those who will use it, the share that was not seen yet but is expected,
 *            newcomers / (peers + newcomers). 0 for a rule of single hosts.
 *
 * lost       The share of the window's hours in which a source of flows lost messages: somebody may have come in them of whom
 *            nothing is known.
 *
 * A deny-all has no peers. Its basis is that the sensor watched and no peer came: of n days, stability is n / (n + 1), one minus
 * the probability of a peer on the next day by Laplace's rule of succession.
 */
#include "harden/advice.h"

void wh_confidence(struct wh_recommended_rule *rule, double both, double newcomers, double doubted, unsigned days_seen,
                   double lost)
{
	double peers = (double)rule->sources;

	rule->leans = newcomers > 0 ? newcomers / (peers + newcomers) : 0;
	rule->stability = rule->system_generated ? days_seen / (1.0 + days_seen) : (both + 0.5) / (peers + doubted + 1);
	rule->confidence = rule->stability * (1 - rule->leans) * (1 - lost);
}
