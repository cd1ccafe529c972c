/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The features, each of one edge but for the last step:
 *
 *   days        ln D, D the distinct days of the window on which the peer was answered; of a connection that lasts, the days on
 *               which it said something
 *   presence    how far D is beyond 60 % of the days that the sensor saw, as a share of the rest
 *   shape       mean over the peer's flows of ln(P(bucket | others) / P(bucket | hostile)), for size and for length, where the
 *               distributions are this ledger's own: hostile are the peers that a hard rule keeps out, one vote each; others
 *               vote once a day, so that a swarm of one-day guessers does not become what is usual
 *   both-halves 1 for a peer that came in both halves of the window
 *   guessing    the share of flows that could be a failed login (1–16 KiB, 1–30 s), times log2(1 + flows a day)
 *   burst       log2(flows / 32), above 0, of a peer that came on one day only
 *   fan-out     ln(1 + other resources on which it is answered) · (1 − presence): it is everywhere but stays nowhere
 *   other-ports 1 for a peer that belongs on another port of the resource by what it does there alone: a score above 1, without
 *               neighbours
 *   neighbours  once all have a score, peers of the same /28 (IPv6: /64) above 1 vouch for those beside them: the newest
 *               machine of an office, the script host among a partner's people
 *   infected    the share of the hostile among the others of the same /24 (IPv6: /56) that are plainly hostile (by a hard rule,
 *               or below −1) or plainly not (above 1)
 *
 * An alert of severity 1 or 2 keeps a peer out, unless it belonged before: came on days enough before the first of them, or
 * raised them on few of its flows, and has the score without them. Such a peer is held: one alert may be of a proxy's client, of
 * a forged header, of a signature that errs. It stays allowed, and is named until a person decides. A peer that is
 * unproven (wh_edge_unproven) is no evidence of anything.
 *
 * Shape, guessing, burst, other-ports and fan-out are about incoming connections; where the resource itself opens them (outbound)
 * they are 0.
 *
 * In addition to the score: a peer that came once or twice with hardly a flow to be expected (one-off, by returning.c), and one
 * that came regularly and has been silent for several times its longest pause (gone), get no line, unless a neighbour is allowed.
 * A peer that is allowed on another port is not one-off. The second rule is there because people who come regularly pause for
 * weeks and return, which the model of single days does not know. Neither is carved out of a prefix around it, nor is one without
 * the score that has been quiet for carve-out-days; a peer that is hostile by a hard rule always is.
 *
 * Days and presence count for little where all sessions look like failed logins: see posing.c. If that is not known, guessing and
 * presence counteract on purpose: five sessions a day from a script stay allowed, forty a day do not, however many weeks they
 * continue.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harden/evidence.h"
#include "harden/posing.h"
#include "whittle/nat64.h"

#define MOST_NEIGHBOURS 2.5
#define BELONGED_DAYS 4   /* before the first alert: then it had belonged */
#define FEW_ALERTS 10     /* flows to each alert at least: the same */
#define PRESENCE_FROM 0.6
#define BURST_FROM 32.0  /* flows on its only day */

unsigned wh_days_reach(uint64_t days)
{
	enum { PAUSE = 7 };
	unsigned last, at; /* bits: the newest day, and the day from which on all is bridged */

	if (!days)
		return 0;
	last = at = (unsigned)__builtin_ctzll(days);
	for (;;) {
		uint64_t older = at == 63 ? 0 : days >> (at + 1) << (at + 1);
		if (!older)
			return at - last + 1;
		unsigned next = (unsigned)__builtin_ctzll(older), pause = next - at - 1;
		if (pause > PAUSE && wh_bits(older) * 2 < pause)
			return at - last + 1;
		at = next;
	}
}

uint64_t wh_window_days(const struct wh_window *w, const struct wh_edge *e)
{
	int64_t shift = (int64_t)w->last - e->day0;
	uint64_t mask = w->days >= 64 ? UINT64_MAX : (UINT64_C(1) << w->days) - 1, bits;
	if (shift >= 64 || shift <= -64)
		return 0;
	bits = shift >= 0 ? e->days << shift : e->days >> -shift;
	return bits & mask;
}

/* The window's days of late, which are its lower bits. */
static uint64_t second_half(const struct wh_window *w)
{
	return (UINT64_C(1) << w->days / 2) - 1;
}

static double guessing_of(const struct wh_edge *e, unsigned days)
{
	/* sessions a day over all days of the edge, which may be more than the window holds */
	unsigned all = wh_edge_days(e);
	double rate = (double)e->flows / (all > days ? all : days ? days : 1);
	return wh_failed_logins(e, 0) * log2(1 + rate);
}

/* The features that do not depend on the window's days: guessing is a rate over all days of the edge, which are no fewer than
 * those in the window. */
static void lasting_features(struct wh_evidence_peer *p, const struct wh_shapes *shapes)
{
	if (!p->measured) {
		p->value[WH_F_SHAPE] = p->chosen ? 0 : wh_shape(shapes, p->edge);
		p->value[WH_F_GUESSING] = p->chosen ? 0 : guessing_of(p->edge, p->n_days);
		wh_measure_sessions(p);
		p->measured = true;
	}
	p->value[WH_F_ALERTS] = p->edge->alerts[2] || p->edge->alerts[3];
	p->value[WH_F_PRIVATE] = p->estate || wh_addr_is_private(&p->addr);
	p->value[WH_F_POLICY] = p->named;
}

#define SMALL 66
struct logs { double natural[SMALL], binary[SMALL]; }; /* of 1 to SMALL - 1: of days, and one more, and of neighbours */

static struct logs make_logs(void)
{
	struct logs logs = {{0}, {0}};
	for (unsigned i = 1; i < SMALL; i++) {
		logs.natural[i] = log(i);
		logs.binary[i] = log2(i);
	}
	return logs;
}

/* Far more on its only day than any peer that comes to work. */
static double burst_of(const struct wh_evidence_peer *p)
{
	return p->n_days == 1 && p->edge->flows > BURST_FROM && !p->chosen ? log2((double)p->edge->flows / BURST_FROM) : 0;
}

/* For a connection that lasts, the days after its first count as far as the peer sent data: SAYS bytes each, more than TCP's
 * keepalives. If the sensor does not count bytes, all days count. */
static unsigned spoken_days(const struct wh_evidence_peer *p)
{
	enum { SAYS = 1024 };
	const struct wh_edge *e = p->edge;
	uint64_t most = e->flows + e->bytes_in / SAYS;
	return p->n_days < most || !(e->bytes_in | e->bytes_out) ? p->n_days : (unsigned)most;
}

/* `posing`: the share of its days, and of its standing on other ports, that does not count. */
static void days_features(struct wh_evidence_peer *p, const struct wh_window *win, const struct logs *logs, double posing)
{
	double from = PRESENCE_FROM * win->sensor_days;
	unsigned days = spoken_days(p);
	double presence = days > from && win->sensor_days ? (days - from) / (win->sensor_days - from) : 0;

	p->value[WH_F_DAYS] = days ? logs->natural[days] * (1 - posing) : 0;
	p->value[WH_F_PRESENCE] = (presence < 1 ? presence : 1) * (1 - posing);
	p->value[WH_F_OTHER_PORTS] = p->elsewhere_here * (1 - posing);
	p->value[WH_F_HALVES] = (p->days & second_half(win)) && (p->days & ~second_half(win));
	p->value[WH_F_BURST] = burst_of(p);
	p->value[WH_F_FAN_OUT] = p->elsewhere ? log(1 + p->elsewhere) * (1 - p->value[WH_F_PRESENCE]) : 0;
}

static void add_up(struct wh_evidence_peer *p, const struct wh_weights *w)
{
	p->score = w->prior;
	for (unsigned i = 0; i < WH_N_FEATURES; i++)
		p->score += w->weight[i] * p->value[i];
}

/* Days that the sensor saw since the peer's last; 64 when it was never there. */
static unsigned quiet_days(const struct wh_evidence_peer *p, const struct wh_window *win)
{
	return p->days ? wh_bits(win->sensor & ((p->days & -p->days) - 1)) : 64;
}

/* The longest stretch between two of the peer's days, in days that the sensor saw: 1 for one that came daily. */
static unsigned longest_gap(const struct wh_evidence_peer *p, const struct wh_window *win)
{
	unsigned longest = 0;
	uint64_t later = p->days & -p->days;
	for (uint64_t rest = p->days & (p->days - 1); rest; rest &= rest - 1) {
		uint64_t earlier = rest & -rest;
		unsigned gap = wh_bits(win->sensor & (earlier - 1) & ~(later - 1));
		longest = gap > longest ? gap : longest;
		later = earlier;
	}
	return longest;
}

/* Most of its connections last for hours, and an open one is only known when it ends: a silence as long as one of them is no
 * evidence. */
static bool may_be_connected(const struct wh_evidence_peer *p, unsigned quiet)
{
	unsigned in_a_row = 0;
	if ((uint64_t)p->edge->time_hist[WH_EDGE_BUCKETS - 1] * 2 < p->edge->flows)
		return false;
	for (uint64_t days = p->days; days; days &= days << 1)
		in_a_row++;
	return quiet <= in_a_row;
}

/* Came on many days and has been quiet for several times its longest pause: its address was given up. */
static bool has_gone(const struct wh_evidence_peer *p, const struct wh_window *win, const struct wh_weights *w)
{
	unsigned quiet = quiet_days(p, win);
	if (may_be_connected(p, quiet))
		return false;
	return w->gone_days && p->n_days >= w->gone_days && quiet >= w->gone_quiet &&
	       quiet > w->gone_gaps * longest_gap(p, win) && !p->named && !p->value[WH_F_PRIVATE];
}

/* Came so rarely that a line for it would serve less than so many flows. */
static bool hardly_returns(const struct wh_evidence_peer *p, const struct wh_window *win, const struct wh_weights *w)
{
	unsigned quiet = quiet_days(p, win);
	if (p->score <= 0 && w->lapse_quiet && quiet >= w->lapse_quiet)
		return false; /* out, and not carved out, in any case: spare the sums */
	if (p->n_days > w->one_off_days || p->edge->flows >= w->one_off_flows || quiet < w->one_off_quiet || !p->n_days)
		return false;
	uint64_t last = p->days & -p->days, first = UINT64_C(1) << (63 - __builtin_clzll(p->days));
	unsigned span = wh_bits(win->sensor & (first - 1) & ~(last - 1)), all = wh_edge_days(p->edge);
	double flows = (double)p->edge->flows / (all > p->n_days ? all : p->n_days);
	flows = flows > 1 ? flows : 1; /* of fewer flows than days some lasted: on each of its days one was open */
	if (span < p->n_days - 1) /* the sensor's calendar misses days of the ledger's */
		span = p->n_days - 1;
	return flows * (w->returns ? wh_expected_looked_up(w->returns, p->n_days, span, quiet)
	                           : wh_expected_days(&w->rhythm, p->n_days, span, quiet, WH_RETURN_HORIZON)) <
	       w->one_off_expected;
}

static bool alerted(const struct wh_evidence_peer *p)
{
	return p->edge->alerts[0] || p->edge->alerts[1];
}

/* Was there before its first alert, or raised alerts on few of its flows. */
static bool may_have_belonged(const struct wh_evidence_peer *p)
{
	const struct wh_edge *e = p->edge;
	int64_t since = (int64_t)e->day0 - e->alert_first + 1; /* days from the first alert on */
	uint64_t before = !e->alert_first || since >= 64 ? 0 : since <= 0 ? e->days : e->days >> since;
	return wh_bits(before) >= BELONGED_DAYS || ((uint64_t)e->alerts[0] + e->alerts[1]) * FEW_ALERTS <= e->flows;
}

static void decide(struct wh_evidence_peer *p, const struct wh_window *win, const struct wh_weights *w)
{
	p->one_off = p->value[WH_F_NEIGHBOURS] == 0 && !p->named && !p->elsewhere_here && !p->value[WH_F_PRIVATE] &&
	             hardly_returns(p, win, w);
	p->gone = p->gone && p->value[WH_F_NEIGHBOURS] == 0;
	p->lapsed = p->one_off || p->unproven || p->gone || (w->lapse_quiet && quiet_days(p, win) >= w->lapse_quiet);
	if (p->outside)
		p->verdict = WH_PEER_OUTSIDE_POLICY;
	else if (p->trusted)
		p->verdict = WH_PEER_TRUSTED;
	else if (p->listed)
		p->verdict = WH_PEER_HOSTILE_INTEL;
	else if (alerted(p))
		p->verdict = p->score > 0 && !p->one_off && !p->gone && may_have_belonged(p) ? WH_PEER_HELD
		                                                                             : WH_PEER_HOSTILE_ALERT;
	else if (p->unproven && !p->named)
		p->verdict = WH_PEER_OUT;
	else
		p->verdict = p->score > 0 && !p->one_off && !p->gone ? WH_PEER_IN : WH_PEER_OUT;
}

static bool vouches(const struct wh_evidence_peer *p)
{
	return p->score > WH_VOUCHES && !p->listed && !p->unproven && !alerted(p);
}

static bool is_hostile(const struct wh_evidence_peer *p)
{
	return p->listed || (alerted(p) && !may_have_belonged(p)) || (p->score < -WH_VOUCHES && !p->unproven);
}

static size_t end_of_block(const struct wh_evidence_peer *peers, size_t i, size_t n, unsigned v4_len, unsigned v6_len)
{
	struct wh_prefix block = wh_prefix_of(&peers[i].addr, wh_addr_has_64(&peers[i].addr) ? v6_len : v4_len);
	size_t j = i + 1;
	while (j < n && wh_prefix_has(&block, &peers[j].addr))
		j++;
	return j;
}

/* Peers of one /28 that vouch for their neighbours. */
static void neighbours(struct wh_evidence_peer *peers, size_t n, const struct logs *logs)
{
	for (size_t i = 0, j; i < n; i = j) {
		unsigned good = 0;
		j = end_of_block(peers, i, n, 124, 64);
		for (size_t k = i; k < j; k++)
			good += vouches(&peers[k]);
		for (size_t k = i; k < j; k++) {
			unsigned others = good - vouches(&peers[k]);
			double v = logs->binary[others < SMALL - 1 ? 1 + others : SMALL - 1];
			peers[k].value[WH_F_NEIGHBOURS] = (v < MOST_NEIGHBOURS ? v : MOST_NEIGHBOURS) * (1 - peers[k].posing);
		}
	}
}

/* The share of the hostile among the others of one /24 that are plainly hostile or plainly not. */
static void infected(struct wh_evidence_peer *peers, size_t n)
{
	unsigned good = 0, bad = 0;
	for (size_t k = 0; k < n; k++) {
		good += vouches(&peers[k]);
		bad += is_hostile(&peers[k]);
	}
	for (size_t k = 0; bad && k < n; k++) {
		unsigned others = bad - is_hostile(&peers[k]), friends = good - vouches(&peers[k]);
		peers[k].value[WH_F_INFECTED] = others ? (double)others / (others + friends) : 0;
	}
}

/* Finds neighbours. Most peers have none, and are looked at once. */
static void look_around(struct wh_evidence_peer *peers, size_t n, const struct logs *logs)
{
	for (size_t i = 0, j; i < n; i = j) {
		j = end_of_block(peers, i, n, 120, 56);
		if (j - i < 2)
			continue;
		neighbours(peers + i, j - i, logs);
		infected(peers + i, j - i);
	}
}

static void weigh(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_shapes *shapes,
                  const struct wh_weights *w)
{
	uint64_t recent = second_half(win);
	struct logs logs = make_logs();

	for (size_t i = 0; i < n; i++) {
		struct wh_evidence_peer *p = &peers[i];
		p->n_days = wh_bits(p->days);
		p->late = p->days && !(p->days & ~recent) && wh_day(p->edge->first_us) > win->last - (int32_t)(win->days / 2);
		if (shapes) {
			lasting_features(p, shapes);
			p->posing = 0;
		}
		days_features(p, win, &logs, p->posing);
		p->gone = has_gone(p, win, w);
		p->value[WH_F_NEIGHBOURS] = p->value[WH_F_INFECTED] = 0;
		add_up(p, w);
		p->alone = vouches(p);
	}
	if (shapes && wh_find_posing(peers, n, logs.natural))
		for (size_t i = 0; i < n; i++)
			if (peers[i].posing > 0) {
				days_features(&peers[i], win, &logs, peers[i].posing);
				add_up(&peers[i], w);
			}
	look_around(peers, n, &logs);
	for (size_t i = 0; i < n; i++) {
		if (peers[i].value[WH_F_NEIGHBOURS] > 0 || peers[i].value[WH_F_INFECTED] > 0)
			add_up(&peers[i], w);
		decide(&peers[i], win, w);
	}
}

/* In place: all but shape and guessing is computed again after the peers are weighed. It isn't known yet which are trusted, named
 * or listed. */
size_t wh_evidence_alone(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_shapes *shapes,
                         const struct wh_weights *w)
{
	struct logs logs = make_logs();
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct wh_evidence_peer *p = &peers[i];
		p->n_days = wh_bits(p->days);
		lasting_features(p, shapes);
		if (!p->n_days)
			continue;
		days_features(p, win, &logs, 0);
		add_up(p, w);
		p->alone = vouches(p);
	}
	wh_find_posing(peers, n, logs.natural);
	for (size_t i = 0; i < n; i++) {
		struct wh_evidence_peer *p = &peers[i];
		if (p->alone && p->posing > 0) {
			days_features(p, win, &logs, p->posing);
			add_up(p, w);
			p->alone = vouches(p);
		}
		found += p->alone;
	}
	return found;
}

void wh_evidence(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_shapes *shapes,
                 const struct wh_weights *w)
{
	weigh(peers, n, win, shapes, w);
}

void wh_evidence_again(struct wh_evidence_peer *peers, size_t n, const struct wh_window *win, const struct wh_weights *w)
{
	weigh(peers, n, win, NULL, w);
}
