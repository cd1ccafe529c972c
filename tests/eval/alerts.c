/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "alerts.h"
#include "engine.h"
#include "whittle/alert.h"
#include "whittle/app_alerts.h"

#define BY_LIST "Network_CommunicationWithC2"

static struct alert_score *score_of(struct alert_scores *s, const char *type)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!strcmp(s->of[i].type, type))
			return &s->of[i];
	if (s->n == MAX_ALERT_TYPES)
		abort();
	snprintf(s->of[s->n].type, sizeof s->of[s->n].type, "%s", type);
	return &s->of[s->n++];
}

/* The true kind of an address, on any service: 1 hostile, 0 legitimate, -1 unknown to the world (for example a service's own
 * address). */
static int truth(const struct world *w, const struct wh_addr *a)
{
	int is = -1;
	for (size_t i = 0; i < w->cap && is; i++)
		if (w->sources[i].used && wh_addr_eq(&w->sources[i].addr, a) &&
		    (w->sources[i].train_hostile || w->sources[i].train_legitimate))
			is = !w->sources[i].train_legitimate;
	return is;
}

/* Addresses that alerts name. */
struct named { struct wh_addr *at; size_t n; };

static void name(struct named *to, const struct wh_addr *a)
{
	to->at[to->n++] = *a;
}

static void judge(const struct world *w, const struct wh_alert_found *found, struct alert_scores *out, struct named *any,
                  struct named *unlisted)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct wh_finding *f = &found->findings[i];
		struct alert_score *s = score_of(out, f->type);
		s->alerts++;
		s->medium += f->severity >= WH_MEDIUM;
		for (size_t k = 0; k < f->n_sources; k++) {
			int is = truth(w, &f->sources[k].addr);
			s->hostile += is == 1;
			s->legitimate += is == 0;
			name(any, &f->sources[k].addr);
			if (strcmp(f->type, BY_LIST))
				name(unlisted, &f->sources[k].addr);
		}
	}
}

static int by_address(const void *a, const void *b)
{
	return wh_addr_cmp(a, b);
}

static bool is_named(const struct named *in, const struct wh_addr *a)
{
	return bsearch(a, in->at, in->n, sizeof *in->at, by_address) != NULL;
}

static void count_attackers(const struct world *w, struct named *any, struct named *unlisted, struct alert_scores *out)
{
	qsort(any->at, any->n, sizeof *any->at, by_address);
	qsort(unlisted->at, unlisted->n, sizeof *unlisted->at, by_address);
	for (size_t i = 0; i < w->cap; i++) {
		const struct source *s = &w->sources[i];
		if (!s->used || !s->train_hostile || s->train_legitimate || !s->week_answered)
			continue;
		out->attackers[s->attacker].came++;
		out->attackers[s->attacker].named += is_named(any, &s->addr);
		out->attackers[s->attacker].unlisted += is_named(unlisted, &s->addr);
	}
}

/* The alerts of one look. */
static int look_once(const struct wh_alert_look *look, const struct world *w, struct wh_arena *mem, struct alert_scores *out,
                     struct wh_error *err)
{
	struct wh_alert_found found;
	size_t n = 0;
	int rc = wh_alert_detect(look, mem, &found, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < found.n; i++)
		n += found.findings[i].n_sources;
	struct named any = {wh_arena_array(mem, n + 1, sizeof *any.at), 0},
		     unlisted = {wh_arena_array(mem, n + 1, sizeof *unlisted.at), 0};
	judge(w, &found, out, &any, &unlisted);
	count_attackers(w, &any, &unlisted, out);
	json_decref(found.seen);
	return 0;
}

static int look_twice(const struct wh_alert_look *look, struct alert_scores *out, struct wh_error *err)
{
	struct wh_alert_counts first, second;
	int rc = wh_alerts_update(look, &first, err);
	rc = rc ? rc : wh_alerts_update(look, &second, err);
	out->again = rc ? 0 : (uint32_t)(second.made + second.reopened);
	return rc;
}

int alerts_score(struct engine *e, const struct world *w, const char *evidence_yaml, struct wh_arena *mem,
                 struct alert_scores *out)
{
	static const struct wh_alert_config config;
	static const struct wh_alert_domains domains;
	const struct wh_intel_list listed = {.name = "list", .prefixes = w->listed, .n_prefixes = w->n_listed};
	struct wh_harden_options opt, today;
	struct wh_alert_judgement judgement;
	struct wh_alert_types types;
	struct wh_estate *estate = NULL;
	struct wh_recommendation *rec;
	char path[PATH_MAX];
	memset(out, 0, sizeof *out);
	int rc = wh_rules_path(NULL, "alerts.yaml", path, sizeof path, &e->err);
	rc = rc ? rc : wh_alert_types_load(path, mem, &types, &e->err);
	for (size_t i = 0; !rc && i < types.n; i++)
		score_of(out, types.types[i].id);
	rc = rc ? rc : engine_options(e, w, evidence_yaml, EVAL_ALERT_DAYS, mem, &opt);
	rc = rc ? rc : wh_estate_load(&e->ledger, mem, &estate, &e->err);
	rc = rc ? rc
	        : wh_recommend(&(struct wh_harden_ask){.store = e->ledger.store, .estate = estate, .opt = &opt}, mem, &rec,
	                       &e->err);
	rc = rc ? rc : engine_options(e, w, evidence_yaml, 0, mem, &today);
	rc = rc ? rc
	        : wh_app_alert_judgement(&(struct wh_harden_ask){.store = e->ledger.store, .estate = estate, .opt = &today}, rec,
	                                 mem, &judgement, &e->err);
	if (!rc) {
		const struct wh_alert_look look = {.ledger = &e->ledger,
		                                   .estate = estate,
		                                   .rec = rec,
		                                   .judgement = &judgement,
		                                   .lists = &listed,
		                                   .n_lists = w->n_listed > 0,
		                                   .config = &config,
		                                   .types = &types,
		                                   .domains = &domains,
		                                   .now_us = (EVAL_FIRST_DAY + EVAL_TRAIN_DAYS) * WH_US_PER_DAY};
		rc = look_once(&look, w, mem, out, &e->err);
		rc = rc ? rc : look_twice(&look, out, &e->err);
	}
	wh_estate_free(estate);
	return rc;
}

void alerts_add(struct alert_scores *into, const struct alert_scores *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct alert_score *to = score_of(into, s->of[i].type);
		to->alerts += s->of[i].alerts;
		to->medium += s->of[i].medium;
		to->hostile += s->of[i].hostile;
		to->legitimate += s->of[i].legitimate;
	}
	into->again += s->again;
	for (int a = 0; a < N_ATTACKERS; a++) {
		into->attackers[a].came += s->attackers[a].came;
		into->attackers[a].named += s->attackers[a].named;
		into->attackers[a].unlisted += s->attackers[a].unlisted;
	}
}
