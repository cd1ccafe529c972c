/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares edges with the recommended rule of their port.
 *
 *   unrecommended  a peer came after the rules were calculated from outside their ranges
 *   contaminated   a peer that the rule lets in is on a threat list, or had a grave alert since the rule was calculated
 *
 * Rules age: every day brings peers that no rule could know, and most are harmless. A peer that today's judgement allows, and
 * that came on BELONGS_DAYS days, is no incident; the next recommendation includes it. Of the others, a suspect peer always is
 * one, and then all peers from outside the ranges at the port are listed with it. If they are merely new, they are an incident
 * only if they are unusual: if more than twice as many such strangers came to ports of the class in the whole estate as in any
 * window before. Strangers of an earlier window are the peers that came for the first time then, and those outside today's
 * ranges, except suspects. Peers of the ledger's first week are new only to the ledger.
 *
 *     windows back    3  2  1  now
 *     an office pool  9  7  8    8     no incident
 *     a database      0  0  0    1     an incident
 *
 * Likewise a grave alert of an allowed peer is no news if the rule was calculated with one known, as behind a proxy.
 */
#include "alert/detect.h"

enum { UNUSUAL_STRANGERS = 2 /* times the previous maximum */, BELONGS_DAYS = 4 };

/* ---- strangers ---- */

static unsigned class_of(const struct walk *w)
{
	return w->g.key.direction == WH_OUTBOUND ? STRANGER_TARGET : w->g.service >= 0 ? STRANGER_LOGIN : STRANGER_SERVICE;
}

static int32_t window_days(const struct walk *w)
{
	int64_t days = w->l->config->window / 86400;
	return days < 1 ? 1 : (int32_t)days;
}

/* The number of whole windows, counted back from now, that the ledger has without its first week; 0: only today's. */
static int32_t known_windows(const struct walk *w)
{
	int32_t days = w->last_day - w->first_day + 1 - LEARNING_DAYS;
	return days < 0 ? 0 : (days < MAX_DAYS ? days : MAX_DAYS) / window_days(w);
}

/* Counts the peer in the windows in which it was a stranger: in the one of its first day, and if it is `outside`, in those of all
 * its days. */
static void remember(struct walk *w, const struct wh_edge *e, bool outside)
{
	uint32_t *seen = w->strangers.seen[class_of(w)];
	int32_t length = window_days(w), back = w->last_day - e->day0, counted = 0;
	if (!outside) {
		int32_t first = w->last_day - wh_day(e->first_us);
		if (first >= length && first < MAX_DAYS)
			seen[first / length]++;
		return;
	}
	for (int32_t d = back < 0 ? 0 : back; d < MAX_DAYS; d++)
		if (d / length > counted && e->days >> (d - back) & 1) {
			counted = d / length;
			seen[counted]++;
		}
}

static void unrecommended(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct wh_finding f = wh_finding_like(w, "Network_TrafficFromUnrecommendedIP");
	bool outside = !wh_alert_rule_allows(w->g.rule, &k->peer);
	const struct wh_alert_judged *now = outside ? wh_alert_judged_of(w->l, w->g.resource, k) : NULL;
	bool suspect = outside && (!now || now->suspect);
	if (!suspect)
		remember(w, e, outside);
	if (!f.type || !outside || e->last_us < w->from_us || e->last_us <= w->l->rec->calculated_us ||
	    (now && now->stays && wh_edge_days(e) >= BELONGS_DAYS))
		return;
	f.severity = WH_MEDIUM;
	f.stopped = "The rule would have stopped it. The service answered: the rule is not in force there.";
	struct wh_finding_source s = wh_finding_source_of(w, k, e, w->l->rec->calculated_us);
	wh_finding_add(w->all, wh_finding_of(&w->g.strangers, &f), &s);
	w->g.suspect |= suspect;
	w->strangers.seen[class_of(w)][0] += !suspect;
}

/* Adds a finding to others, if there is room. */
static void hand_over(struct wh_findings *to, const struct wh_finding *f)
{
	struct wh_finding like = *f, *at;
	like.sources = NULL;
	like.n_sources = like.room = 0;
	like.more_sources = 0;
	if ((at = wh_finding_of(to, &like)))
		wh_finding_join(to, at, f);
}

static void end_strangers(struct walk *w)
{
	struct wh_findings *to = w->g.suspect ? w->all : &w->strangers.held[class_of(w)];
	for (size_t i = 0; i < w->g.strangers.n; i++)
		hand_over(to, &w->g.strangers.f[i]);
}

void wh_alert_end_rules(struct walk *w)
{
	for (unsigned c = 0; c < STRANGER_CLASSES; c++) {
		const uint32_t *seen = w->strangers.seen[c];
		const struct wh_findings *held = &w->strangers.held[c];
		uint32_t most = 0;
		for (int32_t i = 1; i < known_windows(w); i++)
			most = seen[i] > most ? seen[i] : most;
		w->all->beyond += held->beyond;
		if (seen[0] <= UNUSUAL_STRANGERS * (uint64_t)most)
			continue;
		for (size_t i = 0; i < held->n; i++) {
			held->f[i].note = "They are new, which is unusual on this port; there is no other evidence against them.";
			hand_over(w->all, &held->f[i]);
		}
	}
}

/* ---- contaminated rules ---- */

static void contaminated(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	const struct wh_recommended_rule *r = w->g.rule;
	int32_t calculated = wh_day(w->l->rec->calculated_us);
	bool grave = e->alerts[0] || e->alerts[1], before = grave && e->alert_first && e->alert_first < calculated;
	const char *list = wh_alert_listed(w->l, &k->peer);
	if ((!grave && !list) || !wh_alert_rule_allows(r, &k->peer) || wh_prefix_find(w->l->trusted, w->l->n_trusted, &k->peer))
		return;
	bool stays = w->l->judgement && !list && !wh_alert_judged_of(w->l, w->g.resource, k);
	w->g.alerted_before |= stays && before;
	if (e->last_us < w->from_us || (!list && e->alert_last < calculated) || (stays && before))
		return;
	struct wh_finding f = wh_finding_like(w, "Whittle_LearningContaminated");
	f.note = list ? "It is on a threat list." : "It raised an alert of severity 1 or 2 since the rule was calculated.";
	struct wh_finding_source s = wh_finding_source_of(w, k, e, w->from_us);
	if (f.type)
		wh_finding_add(w->all, wh_finding_of(stays ? &w->g.first_alerts : w->all, &f), &s);
}

static void end_contaminated(struct walk *w)
{
	for (size_t i = 0; i < w->g.first_alerts.n && !w->g.alerted_before; i++)
		hand_over(w->all, &w->g.first_alerts.f[i]);
}

/* ---- a group ---- */

void wh_alert_see_rule(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e)
{
	if (!w->g.rule)
		return;
	w->g.strangers.mem = w->g.first_alerts.mem = w->all->mem;
	for (unsigned c = 0; c < STRANGER_CLASSES; c++)
		w->strangers.held[c].mem = w->all->mem;
	unrecommended(w, k, e);
	contaminated(w, k, e);
}

void wh_alert_end_rule(struct walk *w)
{
	end_strangers(w);
	end_contaminated(w);
}
