/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict on one packet.
 *
 * Rules are evaluated in order. A rule that certainly matches ends the evaluation with its outcome; one that may match adds its
 * outcome to the possible ones, and the evaluation goes on. The packet is decided if every possible outcome is the same.
 *
 *   100 may deny  (group of unknown members)    10.0.0.1 → 22: deny or allow, so undecided, and 100 is the doubt
 *   200 allow     10/8 → 22                     192.0.2.1 → 22: deny or deny, so denied, by 300
 *   300 deny      *
 *
 * The deciding rule is found among the certain rules alone, in an evaluation of its own.
 */
#include "whittle/filter.h"

struct walk {
	const struct wh_filter_packet *p;
	struct wh_addr sport, dport;
	unsigned possible;                  /* bit 1 << WH_DENIED, 1 << WH_ALLOWED */
	const struct wh_filter_rule *by[2]; /* the first rule that brought each outcome */
};

static bool has(const struct wh_ranges *set, const struct wh_addr *a)
{
	return !set || wh_ranges_has(*set, a);
}

static bool matches(const struct wh_filter_rule *r, const struct walk *w)
{
	return r->direction == w->p->direction && (!r->proto || r->proto == w->p->proto) && has(r->dport, &w->dport) &&
	       has(r->sport, &w->sport) && has(r->local, &w->p->local) && has(r->peer, &w->p->peer);
}

static bool decides(const struct wh_filter_rule *r)
{
	return r->action == WH_FILTER_ALLOW || r->action == WH_FILTER_DENY;
}

static enum wh_answer outcome_of(const struct wh_filter_rule *r)
{
	return r->action == WH_FILTER_ALLOW ? WH_ALLOWED : WH_DENIED;
}

/* Collects the possible outcomes. Returns whether the packet may leave this list without one. */
static bool possible(struct walk *w, const struct wh_filter *f, unsigned depth)
{
	bool out = false;
	for (size_t i = 0; i < f->n; i++) {
		const struct wh_filter_rule *r = &f->rules[i];
		bool ends = true;
		if (!matches(r, w))
			continue;
		if (decides(r)) {
			enum wh_answer v = outcome_of(r);
			if (!(w->possible & 1u << v))
				w->by[v] = r;
			w->possible |= 1u << v;
		} else if (r->action == WH_FILTER_RETURN) {
			out = true;
		} else {
			bool through = depth == WH_FILTER_DEPTH || possible(w, r->to, depth + 1);
			if (r->action == WH_FILTER_JUMP)
				ends = !through;
			else
				out |= through;
		}
		if (ends && !r->may)
			return out;
	}
	return true;
}

enum end { GOES_ON, RETURNS, DECIDED };

/* The rule that decides if no uncertain rule matches. */
static enum end certain(const struct walk *w, const struct wh_filter *f, unsigned depth, const struct wh_filter_rule **rule)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct wh_filter_rule *r = &f->rules[i];
		if (r->may || !matches(r, w))
			continue;
		if (decides(r)) {
			*rule = r;
			return DECIDED;
		}
		if (r->action == WH_FILTER_RETURN)
			return RETURNS;
		if (depth < WH_FILTER_DEPTH && certain(w, r->to, depth + 1, rule) == DECIDED)
			return DECIDED;
		if (r->action == WH_FILTER_GOTO)
			return RETURNS;
	}
	return GOES_ON;
}

struct wh_filter_decision wh_filter_decide(const struct wh_filter *f, const struct wh_filter_packet *p)
{
	struct walk w = {.p = p, .sport = wh_port_addr(p->sport), .dport = wh_port_addr(p->dport)};
	struct wh_filter_decision d = {.verdict = f->otherwise};
	if (possible(&w, f, 0)) {
		if (f->otherwise == WH_UNDECIDED)
			w.possible = 3;
		else
			w.possible |= 1u << f->otherwise;
	}
	certain(&w, f, 0, &d.rule);
	if (d.rule)
		d.verdict = outcome_of(d.rule);
	if (w.possible == 3) {
		d.doubt = d.verdict == WH_UNDECIDED ? NULL : w.by[!d.verdict];
		d.verdict = WH_UNDECIDED;
	}
	return d;
}

enum wh_answer wh_filter_decide_all(const struct wh_filter *const *filters, size_t n, const struct wh_filter_packet *p,
                                    struct wh_filter_decision *decisions)
{
	enum wh_answer all = WH_ALLOWED;
	for (size_t i = 0; i < n; i++) {
		struct wh_filter_decision d = wh_filter_decide(filters[i], p);
		if (decisions)
			decisions[i] = d;
		if (d.verdict == WH_DENIED || (d.verdict == WH_UNDECIDED && all == WH_ALLOWED))
			all = d.verdict;
	}
	return all;
}
