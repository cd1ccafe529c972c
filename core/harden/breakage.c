/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Estimates what a rule would break, before it is offered.
 *
 * Two figures. `replayed`: the rule against all the days that it was learned from. No flow of an allowed peer may be lost there,
 * and no peer that a hard rule excludes may be allowed; otherwise the rule is not offered. `expected`: the same rule derived as
 * it would have been some days ago (7), against the days since, which it could not know. That is the expectation for the days to
 * come.
 *
 * To go back in time, days are cut off the peers' day bits, peers without days left are dropped, and the rest is weighed and
 * selected again. Sums (flows, histograms, alerts) and the whole ledger's shapes and fan-out stay as they are, since the ledger
 * does not keep them by day; so does the verdict on the peers, which is today's.
 *
 * Flows are shared out evenly over a peer's days, as in replay.c, which is the same count day by day for any rules.
 */
#include <string.h>
#include "harden/advice.h"

#define HOLDOUT_DAYS 7
#define SETTLED 0.01 /* a rule of some days ago that would have lost at most this share of flows since has settled */

static uint64_t last_days(unsigned n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

bool wh_hold_out(const struct wh_analysis *a, const struct wh_port_traffic *t, unsigned days, struct wh_arena *mem,
                 struct wh_held_out *out)
{
	if (!days || a->window.days < 3 * days)
		return false;
	*out = (struct wh_held_out){.then = *a, .traffic = *t, .days = days};
	out->then.window.last -= (int32_t)days;
	out->then.window.days -= days;
	out->then.window.sensor >>= days;
	out->then.window.sensor_days = wh_bits(out->then.window.sensor);
	out->traffic.peers = wh_arena_unset(mem, t->n + 1, sizeof *out->traffic.peers);
	out->traffic.n = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (!(t->peers[i].days >> days))
			continue;
		struct wh_evidence_peer *p = &out->traffic.peers[out->traffic.n++];
		*p = t->peers[i];
		p->days >>= days;
	}
	out->traffic.unheard >>= days;
	struct wh_window heard = wh_window_without(&out->then.window, out->traffic.unheard);
	wh_evidence_again(out->traffic.peers, out->traffic.n, &heard, &a->weights);
	return true;
}

static bool belongs(const struct wh_evidence_peer *p)
{
	return wh_stays(p->verdict);
}

void wh_breakage(const struct wh_analysis *a, const struct wh_port_traffic *t, struct wh_ranges in, unsigned days,
                 struct wh_breakage *out)
{
	uint64_t shown = last_days(days ? days : a->window.days);
	size_t at = 0;

	*out = (struct wh_breakage){.days = days ? days : a->window.days};
	for (size_t i = 0; i < t->n; i++) {
		const struct wh_evidence_peer *p = &t->peers[i];
		unsigned of = wh_bits(p->edge->days), now = wh_bits(p->days & shown);
		if (!now || !belongs(p))
			continue;
		uint64_t flows = (uint64_t)((unsigned __int128)p->edge->flows * now / (of > now ? of : now));
		while (at < in.n && wh_addr_cmp(&in.r[at].to, &p->addr) < 0) /* both are in order */
			at++;
		bool lost = at == in.n || wh_addr_cmp(&in.r[at].from, &p->addr) > 0;
		out->of += flows;
		out->of_peers++;
		out->flows += lost ? flows : 0;
		out->peers += lost;
	}
	out->upper = wh_upper_bound(out->flows, out->of);
}

static bool denied_by_a_hard_rule(const struct wh_evidence_peer *p)
{
	return p->verdict == WH_PEER_HOSTILE_INTEL || p->verdict == WH_PEER_HOSTILE_ALERT;
}

/* The rule as of `days` days ago, against the days since; expected->days is 0 where that is unknown. */
static int expect(const struct wh_analysis *a, const struct wh_judged_port *port, struct wh_limits limits, unsigned days,
                  struct wh_arena *mem, struct wh_breakage *expected, struct wh_error *err)
{
	const struct wh_port_traffic *t = port->traffic;
	struct wh_selection before;
	struct wh_held_out h;

	*expected = (struct wh_breakage){.upper = 1};
	if (!wh_hold_out(a, t, days, mem, &h))
		return 0;
	int rc = wh_derive_prefixes(&h.then, &h.traffic, port->present, limits, mem, &before, err);
	if (rc)
		return rc;
	wh_breakage(a, t, wh_let_in(before.prefixes, before.n_prefixes, before.except, before.n_except, mem), days, expected);
	return 0;
}

/* Whether a prefix is a family's whole space. */
static bool lets_everybody_in(const struct wh_prefix *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].len == 0 || (p[i].len == 96 && wh_addr_is_v4(&p[i].addr)))
			return true;
	return false;
}

/* A rule that lets everybody in only because lines are few, or dear, narrows nothing. */
static int widened_for_lines(const struct wh_analysis *a, const struct wh_judged_port *port,
                             const struct wh_recommended_rule *rule, struct wh_arena *mem, bool *out, struct wh_error *err)
{
	struct wh_harden_options free_of_limits = *a->opt;
	struct wh_analysis b = *a;
	struct wh_selection s;
	*out = false;
	if (!lets_everybody_in(rule->prefixes, rule->n_prefixes))
		return 0;
	free_of_limits.max_prefixes = 0;
	b.opt = &free_of_limits;
	int rc = wh_derive_prefixes(&b, port->traffic, port->present, (struct wh_limits){.line_price = 1}, mem, &s, err);
	*out = !rc && !lets_everybody_in(s.prefixes, s.n_prefixes);
	return rc;
}

int wh_judge_rule(const struct wh_analysis *a, const struct wh_judged_port *port, struct wh_limits limits, struct wh_arena *mem,
                  struct wh_recommended_rule *rule, struct wh_reason *why_not, struct wh_error *err)
{
	const struct wh_port_traffic *t = port->traffic;
	unsigned days = a->opt->holdout_days ? a->opt->holdout_days : HOLDOUT_DAYS,
		 most = limits.max_lines ? limits.max_lines : a->opt->max_prefixes;
	struct wh_ranges in = wh_let_in(rule->prefixes, rule->n_prefixes, rule->except, rule->n_except, mem);
	struct wh_breakage since;
	int rc;

	*why_not = (struct wh_reason){.code = WH_REASON_NONE};
	if (most && rule->n_prefixes + rule->n_except > most) {
		*why_not = (struct wh_reason){.code = WH_REASON_FEWEST_LINES, .count = {rule->n_prefixes + rule->n_except, most}};
		return 0;
	}
	bool widened;
	if ((rc = widened_for_lines(a, port, rule, mem, &widened, err)))
		return rc;
	if (widened) {
		*why_not = (struct wh_reason){.code = WH_REASON_TOO_FEW_LINES, .count = {rule->n_prefixes + rule->n_except}};
		return 0;
	}
	wh_breakage(a, t, in, 0, &rule->replayed);
	if (rule->replayed.peers) {
		*why_not = (struct wh_reason){.code = WH_REASON_WOULD_LOSE, .count = {rule->replayed.peers}};
		return 0;
	}
	for (size_t i = 0; i < t->n; i++)
		if (denied_by_a_hard_rule(&t->peers[i]) && wh_ranges_has(in, &t->peers[i].addr)) {
			*why_not = (struct wh_reason){.code = WH_REASON_WOULD_LET_IN, .peer = t->peers[i].addr};
			return 0;
		}
	if (a->opt->no_holdout)
		return 0;
	if ((rc = expect(a, port, limits, days, mem, &rule->expected, err)) || !a->opt->stable_days)
		return rc;
	rc = a->opt->stable_days == days ? (since = rule->expected, 0)
	                                 : expect(a, port, limits, a->opt->stable_days, mem, &since, err);
	if (rc)
		return rc;
	if (!since.days)
		*why_not = (struct wh_reason){.code = WH_REASON_WINDOW_SHORT, .count = {a->opt->stable_days, a->window.days}};
	else if ((double)since.flows > SETTLED * (double)since.of)
		*why_not = (struct wh_reason){.code = WH_REASON_UNSTABLE, .count = {a->opt->stable_days, since.flows, since.of}};
	return 0;
}
