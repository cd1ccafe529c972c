/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alerts on worlds that were not used to choose thresholds. Rules are derived from the training days without the last week (as
 * far as edges know of days, see wh_replay_holdout()), and the alerts are those of that week. For each type: the number of
 * sources named by its alerts that are really hostile. For each kind of attacker: the number of those answered in that week
 * that are named. A second look at the same ledger shows what it adds.
 */
#pragma once
#include <jansson.h>
#include "eval.h"

struct engine;
enum { MAX_ALERT_TYPES = 64 };
struct alert_score {
	char type[48];
	uint32_t alerts, medium;      /* all, and those of severity Medium and High */
	uint32_t hostile, legitimate; /* sources that they name; one counts once an alert. An alert names 50 at most */
};
struct alert_scores {
	struct alert_score of[MAX_ALERT_TYPES]; unsigned n; /* every type of rules/alerts.yaml, as ordered there */
	uint32_t again;                                     /* alerts that a second look made */
	/* answered in the week; named by an alert; by one that needs no threat list */
	struct { uint32_t came, named, unlisted; } attackers[N_ATTACKERS];
};
int alerts_score(struct engine *e, const struct world *w, const char *evidence_yaml, struct wh_arena *mem,
                 struct alert_scores *out);
void alerts_add(struct alert_scores *into, const struct alert_scores *s);

/* report_alerts.c */
/* `calm`: of the same worlds without attackers. */
void alerts_print(FILE *f, const struct alert_scores *s, const struct alert_scores *calm, unsigned worlds);
json_t *alerts_json(const struct alert_scores *s);
