/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recommendation that was saved, in the place of the same derivation. The caller has compared what both are derived from; here
 * is what no comparison covers:
 *
 *   the window   ends by this machine's clock where the ledger has days ahead of it
 *   a forgery    whoever can write the ledger can write this recommendation, too. It must not do more than forged traffic could:
 *                its rules lie within the rules in force, let trusted peers in, and are of examined ports and within the limits
 */
#include "harden/recommend.h"

static bool same_window(const struct wh_recommendation *a, const struct wh_recommendation *b)
{
	return a->calculated_us == b->calculated_us && a->from_us == b->from_us && a->to_us == b->to_us && a->days == b->days;
}

/* Trusted peers pass as far as the rules in force let them. Negative on error, else whether it is so. */
static int lets_trusted_in(const struct wh_harden_ask *ask, const struct wh_resource *r, const struct wh_recommended_rule *rule,
                           struct wh_arena *mem, struct wh_error *err)
{
	struct wh_present present;
	if (!ask->opt->n_trusted)
		return true;
	int rc = wh_present(ask->estate, r, rule->direction, rule->proto, rule->port, mem, &present, err);
	if (rc)
		return rc;
	struct wh_ranges trusted = wh_ranges_from_prefixes(ask->opt->trusted, ask->opt->n_trusted, mem);
	trusted = wh_ranges_intersect(trusted, present.allowed, mem);
	return !wh_ranges_minus(trusted, wh_let_in(rule->prefixes, rule->n_prefixes, rule->except, rule->n_except, mem), mem).n;
}

/* Negative on error, else whether it could have been derived. */
static int is_possible(const struct wh_harden_ask *ask, const struct wh_recommendation *rec, const struct wh_resource_result *res,
                       struct wh_arena *mem, struct wh_error *err)
{
	const unsigned most = ask->opt->max_prefixes, most_lines = ask->opt->max_lines;
	struct wh_counterexample ce;
	size_t lines = 0;

	for (size_t i = 0; i < res->n_reasons; i++)
		if (res->reasons[i].code == WH_REASON_TEXT) /* it could not be read, or an earlier version kept it */
			return false;
	for (size_t i = 0; i < res->n_rules; i++) {
		const struct wh_recommended_rule *rule = &res->rules[i];
		lines += rule->n_prefixes + rule->n_except;
		if (rule->review || !wh_looked_at(rec, rule->direction, rule->proto, rule->port) ||
		    (most && rule->n_prefixes + rule->n_except > most))
			return false;
		int rc = lets_trusted_in(ask, res->resource, rule, mem, err);
		if (rc <= 0)
			return rc;
	}
	if (most_lines && lines > most_lines)
		return false;
	int rc = wh_prove(ask->estate, res->resource, res->rules, res->n_rules, mem, &ce, err);
	return rc < 0 ? rc : rc == 0;
}

static int all_possible(const struct wh_harden_ask *ask, const struct wh_recommendation *rec, struct wh_error *err)
{
	struct wh_arena *one = wh_arena_new();
	int rc = true;
	for (size_t i = 0; i < rec->n_resources && rc == true; i++) {
		rc = rec->resources[i].resource == &ask->estate->resources[i];
		wh_arena_reset(one);
		if (rc)
			rc = is_possible(ask, rec, &rec->resources[i], one, err);
	}
	wh_arena_free(one);
	return rc;
}

int wh_recommend_again(const struct wh_harden_ask *ask, const struct wh_recommendation *saved, struct wh_arena *mem,
                       struct wh_recommendation **out, struct wh_error *err)
{
	struct wh_recommendation *rec = wh_arena_alloc(mem, sizeof *rec);
	struct wh_analysis a = {.store = ask->store, .estate = ask->estate, .opt = ask->opt};
	*out = NULL;
	if (ask->n_names || saved->n_resources != ask->estate->n_resources)
		return 1;
	int rc = wh_window_find(&a, err);
	if (rc)
		return rc;
	wh_recommendation_head(&a, mem, rec);
	if (!same_window(rec, saved))
		return 1;
	rec->serial = saved->serial;
	rec->resources = saved->resources;
	rec->n_resources = saved->n_resources;
	rc = all_possible(ask, rec, err);
	if (rc == true)
		*out = rec;
	return rc < 0 ? rc : !rc;
}
