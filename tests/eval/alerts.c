/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "alerts.h"
#include "engine.h"
#include "whittle/alert.h"

static struct alert_score *score_of(struct alert_scores *s, const char *type)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!strcmp(s->of[i].type, type))
			return &s->of[i];
	if (s->n == MAX_ALERT_TYPES)
		return NULL;
	snprintf(s->of[s->n].type, sizeof s->of[s->n].type, "%s", type);
	return &s->of[s->n++];
}

/* What an address is in truth, on any service: 1 hostile, 0 legitimate, -1 unknown to the world (a service's own address, say). */
static int truth(const struct world *w, const struct wh_addr *a)
{
	int is = -1;
	for (size_t i = 0; i < w->cap && is; i++)
		if (w->sources[i].used && wh_addr_eq(&w->sources[i].addr, a) && (w->sources[i].train_hostile || w->sources[i].train_legitimate))
			is = !w->sources[i].train_legitimate;
	return is;
}

struct named { struct wh_addr *at; size_t n; };

static void judge(const struct world *w, const struct wh_alert_found *found, struct alert_scores *out, struct named *named)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct wh_finding *f = &found->findings[i];
		struct alert_score *s = score_of(out, f->type);
		if (!s)
			continue;
		s->alerts++;
		for (size_t k = 0; k < f->n_sources; k++) {
			int is = truth(w, &f->sources[k].addr);
			s->hostile += is == 1;
			s->legitimate += is == 0;
			named->at[named->n++] = f->sources[k].addr;
		}
	}
}

static int by_address(const void *a, const void *b)
{
	return wh_addr_cmp(a, b);
}

static void count_attackers(const struct world *w, const struct named *named, struct alert_scores *out)
{
	for (size_t i = 0; i < w->cap; i++) {
		const struct source *s = &w->sources[i];
		if (!s->used || !s->train_hostile || s->train_legitimate || !s->train_answered)
			continue;
		out->attackers[s->attacker][0]++;
		out->attackers[s->attacker][1] += bsearch(&s->addr, named->at, named->n, sizeof *named->at, by_address) != NULL;
	}
}

int alerts_score(struct engine *e, const struct world *w, const struct wh_estate *estate, const struct wh_recommendation *rec, struct wh_arena *mem, struct alert_scores *out)
{
	static const struct wh_alert_config config;
	const struct wh_intel_list listed = {.name = "list", .prefixes = w->listed, .n_prefixes = w->n_listed};
	struct wh_alert_types types;
	struct wh_alert_domains domains = {0};
	struct wh_alert_found found = {0};
	struct wh_alert_counts first, second;
	struct named named;
	char path[PATH_MAX];
	size_t sources = 0;
	memset(out, 0, sizeof *out);
	int rc = wh_rules_path(NULL, "alerts.yaml", path, sizeof path, &e->err);
	rc = rc ? rc : wh_alert_types_load(path, mem, &types, &e->err);
	const struct wh_alert_look look = {.ledger = &e->ledger, .estate = estate, .rec = rec, .lists = &listed, .n_lists = w->n_listed > 0, .config = &config, .types = &types,
	                                   .domains = &domains, .now_us = (EVAL_FIRST_DAY + EVAL_TRAIN_DAYS) * WH_US_PER_DAY + 3600000000};
	rc = rc ? rc : wh_alert_detect(&look, mem, &found, &e->err);
	for (size_t i = 0; i < found.n; i++)
		sources += found.findings[i].n_sources;
	named = (struct named){wh_arena_array(mem, sources + 1, sizeof *named.at), 0};
	if (!rc) {
		judge(w, &found, out, &named);
		qsort(named.at, named.n, sizeof *named.at, by_address);
		count_attackers(w, &named, out);
		json_decref(found.seen);
	}
	rc = rc ? rc : wh_alerts_update(&look, &first, &e->err);
	rc = rc ? rc : wh_alerts_update(&look, &second, &e->err);
	out->again = rc ? 0 : (uint32_t)(second.made + second.reopened);
	return rc;
}

void alerts_add(struct alert_scores *into, const struct alert_scores *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct alert_score *to = score_of(into, s->of[i].type);
		if (!to)
			continue;
		to->alerts += s->of[i].alerts;
		to->hostile += s->of[i].hostile;
		to->legitimate += s->of[i].legitimate;
	}
	into->again += s->again;
	for (int a = 0; a < N_ATTACKERS; a++)
		for (int k = 0; k < 2; k++)
			into->attackers[a][k] += s->attackers[a][k];
}

void alerts_print(FILE *f, const struct alert_scores *s, unsigned worlds)
{
	fprintf(f, "\nAlerts of the last week of training, and whom they name (a source counts once an alert)\n%-38s %9s %9s %9s %9s\n", "", "a world", "hostile", "legit.", "precision");
	for (unsigned i = 0; i < s->n; i++) {
		const struct alert_score *a = &s->of[i];
		uint32_t of = a->hostile + a->legitimate;
		fprintf(f, "%-38s %9.2f %9u %9u %7.1f %%\n", a->type, (double)a->alerts / worlds, a->hostile, a->legitimate, of ? 100.0 * a->hostile / of : 0);
	}
	fprintf(f, "\nHostile sources that were answered, and those that some alert names\n");
	for (int k = 0; k < N_ATTACKERS; k++)
		if (s->attackers[k][0])
			fprintf(f, "%-38s %9u %9u %7.1f %%\n", attacker_kinds[k], s->attackers[k][0], s->attackers[k][1], 100.0 * s->attackers[k][1] / s->attackers[k][0]);
	fprintf(f, "A second look made %u alerts\n", s->again);
}
