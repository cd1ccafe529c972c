/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * advice: the checks of a rule before it is offered. They cover what it would have broken (breakage.c), its confidence
 * (confidence.c), and its form some days ago.
 */
#pragma once
#include <jansson.h>
#include "harden/analysis.h"

/* One port's traffic weighed as it would have been `days` days before the window's end. See breakage.c for the
 * approximations. */
struct wh_held_out {
	struct wh_analysis then;
	struct wh_port_traffic traffic; /* peers of its own, in the caller's arena */
	unsigned days;
};
/* t's peers are weighed. False where the window is too short for it: fewer than twice the days would be left. */
bool wh_hold_out(const struct wh_analysis *a, const struct wh_port_traffic *t, unsigned days, struct wh_arena *mem,
                 struct wh_held_out *out);

/* What a rule that lets `in` in lets through of the flows that the peers of `t` that belong made on the window's last `days` days
 * (0: on all). */
void wh_breakage(const struct wh_analysis *a, const struct wh_port_traffic *t, struct wh_ranges in, unsigned days,
                 struct wh_breakage *out);

/* Replays the rule before it is offered. Fills replayed, expected and what stands behind them; why_not->code is none, or says why
 * it must not be offered: it needs more lines than there are, would lose a peer that belongs, admit one that a hard rule keeps
 * out, or has not settled yet. */
int wh_judge_rule(const struct wh_analysis *a, const struct wh_judged_port *port, struct wh_limits limits, struct wh_arena *mem,
                  struct wh_recommended_rule *rule, struct wh_reason *why_not, struct wh_error *err);

/* Sets stability, leans and confidence; see confidence.c. `both` of rule->sources came in both halves of the window; `doubted`
 * peers are kept out by an alert alone; `lost` is the share of the hours in which messages were lost. */
void wh_confidence(struct wh_recommended_rule *rule, double both, double newcomers, double doubted, unsigned days_seen,
                   double lost);

/* wh_alert_words() of an edge's alerts. */
const char *wh_alert_text(const struct wh_edge *e, char buf[static WH_ALERT_STRLEN]);
/* `note` with the peers that an alert keeps out, or would, and the remedy (in mem); `note` where there are none. */
const char *wh_alert_note(const struct wh_port_traffic *t, const char *note, struct wh_arena *mem);
/* Why a port without allowed peers is not closed: only an alert excludes an answered peer. False when none is. */
bool wh_why_alerted(const struct wh_port_traffic *t, struct wh_reason *out);
/* Why such a port is not closed: it answered flows with possibly forged sources. False where it did not. */
bool wh_why_forged(const struct wh_port_traffic *t, struct wh_reason *out);
