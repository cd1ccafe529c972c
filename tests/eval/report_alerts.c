/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alerts.h"

static void print_types(FILE *f, const struct alert_scores *s, const struct alert_scores *calm, unsigned worlds)
{
	fprintf(f,
	        "\nAlerts of the last week of training, under rules from before it: a world's alerts, those of severity Medium or High, and what the sources that\n"
	        "all worlds' alerts name are in truth (a source counts once an alert); then the same of these worlds without attackers\n"
	        "%-38s %8s %8s %9s %9s %10s   %8s %8s\n",
	        "", "alerts", "medium+", "hostile", "legit.", "precision", "alerts", "medium+");
	for (unsigned i = 0; i < s->n; i++) {
		const struct alert_score *a = &s->of[i], *c = &calm->of[i];
		uint32_t of = a->hostile + a->legitimate;
		char precision[24] = "-";
		if (!a->alerts && !c->alerts)
			continue;
		if (of)
			snprintf(precision, sizeof precision, "%.1f %%", 100.0 * a->hostile / of);
		fprintf(f, "%-38s %8.2f %8.2f %9u %9u %10s   %8.2f %8.2f\n", a->type, (double)a->alerts / worlds,
		        (double)a->medium / worlds, a->hostile, a->legitimate, precision, (double)c->alerts / worlds,
		        (double)c->medium / worlds);
	}
}

static void print_silent(FILE *f, const struct alert_scores *s, const struct alert_scores *calm)
{
	unsigned n = 0;
	for (unsigned i = 0; i < s->n; i++)
		n += !s->of[i].alerts && !calm->of[i].alerts;
	fprintf(f,
	        "%u other types were never raised: these worlds have no DNS, no protocol records and no outbound traffic, and no thresholds of theirs were judged\n",
	        n);
}

void alerts_print(FILE *f, const struct alert_scores *s, const struct alert_scores *calm, unsigned worlds)
{
	print_types(f, s, calm, worlds);
	print_silent(f, s, calm);
	fprintf(f,
	        "\nHostile sources that were answered in that week, those that some alert names, and those that one names which needs no threat list\n"
	        "(an alert names 50 sources at most)\n%-70s %9s %9s %9s\n",
	        "", "sources", "any", "no list");
	for (int k = 0; k < N_ATTACKERS; k++) {
		uint32_t came = s->attackers[k].came;
		if (came)
			fprintf(f, "%-70s %9u %7.1f %% %7.1f %%\n", attacker_kinds[k], came, 100.0 * s->attackers[k].named / came,
			        100.0 * s->attackers[k].unlisted / came);
	}
	fprintf(f, "A second look made %u alerts\n", s->again + calm->again);
}

json_t *alerts_json(const struct alert_scores *s)
{
	json_t *types = json_array(), *attackers = json_array();
	for (unsigned i = 0; i < s->n; i++) {
		const struct alert_score *a = &s->of[i];
		json_array_append_new(types, json_pack("{s:s, s:i, s:i, s:i, s:i}", "type", a->type, "alerts", (int)a->alerts,
		                                       "mediumOrHigh", (int)a->medium, "hostile", (int)a->hostile, "legitimate",
		                                       (int)a->legitimate));
	}
	for (int k = 0; k < N_ATTACKERS; k++)
		json_array_append_new(attackers, json_pack("{s:s, s:i, s:i, s:i}", "kind", attacker_kinds[k], "answered",
		                                           (int)s->attackers[k].came, "named", (int)s->attackers[k].named,
		                                           "namedWithoutList", (int)s->attackers[k].unlisted));
	return json_pack("{s:o, s:o, s:i}", "types", types, "attackers", attackers, "secondLook", (int)s->again);
}
