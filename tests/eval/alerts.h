/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alerts on worlds that no threshold was chosen by: of each type, how many of the sources that its alerts name are hostile in truth; of each kind of
 * attacker, how many are named by any; and whether a second look at the same ledger, or one a day over the month, says anything twice.
 */
#pragma once
#include "eval.h"
#include "whittle/recommendation.h"

struct engine;
enum { MAX_ALERT_TYPES = 64 };
struct alert_score { char type[48]; uint32_t alerts, hostile, legitimate; };
struct alert_scores {
	struct alert_score of[MAX_ALERT_TYPES];
	unsigned n;
	uint32_t again;                          /* alerts that a second look made */
	uint32_t attackers[N_ATTACKERS][2];      /* hostile sources that were answered in training; those of them that some alert names */
};
int alerts_score(struct engine *e, const struct world *w, const struct wh_estate *estate, const struct wh_recommendation *rec, struct wh_arena *mem, struct alert_scores *out);
void alerts_add(struct alert_scores *into, const struct alert_scores *s);
void alerts_print(FILE *f, const struct alert_scores *s, unsigned worlds);
