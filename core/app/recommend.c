/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deriving rules and keeping them; the curve of lines against address space; why a rule looks as it does. */
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include "app/app.h"
#include "whittle/app_rules.h"
#include "whittle/intel.h"

const struct wh_app_number wh_app_numbers[WH_APP_NUMBERS] = {
	{"min-days", 1, 64, offsetof(struct wh_harden_options, min_days)},
	{"max-prefixes", 1, 4000, offsetof(struct wh_harden_options, max_prefixes)},
	{"stable-days", 0, 21, offsetof(struct wh_harden_options, stable_days)},
	{"window-days", 7, 64, offsetof(struct wh_harden_options, window_days)},
	{"lines", 1, 1000000, offsetof(struct wh_harden_options, max_lines)},
	{"threads", 1, 64, offsetof(struct wh_harden_options, threads)},
};

/* That this process may use, at most 16: beyond, reading the ledger is what takes the time. */
static unsigned processors(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
	return n < 1 ? 1 : n > 16 ? 16 : (unsigned)n;
}

static int put_options(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_harden_options *opt, struct wh_error *err)
{
	opt->threads = processors();
	for (size_t i = 0; i < WH_APP_NUMBERS; i++) {
		const struct wh_app_number *n = &wh_app_numbers[i];
		if (!ask->given[i])
			continue;
		if ((long)ask->number[i] < n->least || (long)ask->number[i] > n->most)
			return wh_fail_input(err, -ERANGE, "%s is a whole number from %ld to %ld, not %u", n->name, n->least, n->most, ask->number[i]);
		*(unsigned *)((char *)opt + n->field) = ask->number[i];
	}
	if (ask->permissiveness > 0)
		opt->permissiveness = ask->permissiveness;
	if (ask->directed)
		opt->directions = ask->directions;
	opt->progress = a->progress;
	opt->progress_arg = a->arg;
	return 0;
}

/* An old list stays in force; that it is old is said where it has a say. */
static void note_stale_lists(const struct wh_app *a, struct wh_state *s, struct wh_arena *mem)
{
	const struct wh_intel_config *c = &a->config->intel;
	struct wh_intel_list *lists;
	struct wh_error err;
	size_t n = 0;

	if (wh_intel_lists(s, mem, &lists, &n, &err))
		return; /* whoever needs them will say so */
	for (size_t i = 0; i < n; i++) {
		bool named = false;
		for (size_t k = 0; k < c->n_lists && !named; k++)
			named = !strcmp(c->lists[k].name, lists[i].name);
		if (wh_intel_stale(&lists[i], wh_now_us()) && named)
			wh_app_note(a, "threat list '%s' is stale, and still in force: 'whittle intel update' refreshes it", lists[i].name);
		else if (wh_intel_stale(&lists[i], wh_now_us()))
			wh_app_note(a, "threat list '%s' is stale, and still in force, though whittle.yaml names it no more: 'whittle intel forget' ends it", lists[i].name);
	}
	if (wh_intel_held(s, mem, &lists, &n, &err))
		return;
	for (size_t i = 0; i < n; i++)
		wh_app_note(a, "threat list '%s' is held, since it would keep out peers that belong or large blocks: 'whittle intel update %s' names them, 'whittle intel "
		            "confirm %s' puts it in force", lists[i].name, lists[i].name, lists[i].name);
}

/* The ledger, its estate, and the engine's options. */
static int begin(const struct wh_app *a, const struct wh_app_recommend *ask, int flags, struct wh_arena *mem, struct wh_app_ledger *l,
                 struct wh_harden_options *opt, struct wh_error *err)
{
	int rc = wh_app_open(a, flags, mem, l, err);
	rc = rc ? rc : wh_harden_options_load(&a->config->harden, l->is.state, ask->ports, mem, opt, err);
	rc = rc ? rc : put_options(a, ask, opt, err);
	if (!rc)
		note_stale_lists(a, l->is.state, mem);
	return rc;
}

int wh_app_recommend(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_arena *mem, struct wh_app_recommended *out, struct wh_error *err)
{
	struct wh_recommendation *before;
	struct wh_harden_options opt;
	struct wh_app_ledger l;
	struct wh_error unknown;
	int rc = begin(a, ask, ask->dry ? WH_STATE_READ : WH_STATE_WRITE, mem, &l, &opt, err);

	*out = (struct wh_app_recommended){NULL};
	rc = rc ? rc : wh_recommend(l.is.store, l.estate, ask->resources, ask->n_resources, &opt, mem, &out->recommendation, err);
	if (!rc && !wh_recommendation_load(l.is.state, l.estate, mem, &before, &unknown) &&
	    !wh_changes(&l.is, before, out->recommendation, mem, &out->since, &unknown))
		out->changes = &out->since;
	/* a part of the resources is looked at, not kept: it would take the place of the whole */
	if (!rc && !ask->dry && !ask->n_resources)
		rc = wh_recommendation_save(l.is.state, out->recommendation, err);
	wh_app_close(&l, rc ? NULL : &out->estate);
	return rc;
}

char *wh_app_recommended_json(const struct wh_app_recommended *r)
{
	return wh_recommendation_json(r->recommendation, r->changes ? wh_changes_json(r->changes) : NULL);
}

int wh_app_curve(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_arena *mem, struct wh_curve **out, struct wh_error *err)
{
	struct wh_harden_options opt;
	struct wh_app_ledger l;
	int rc = begin(a, ask, WH_STATE_READ, mem, &l, &opt, err);
	rc = rc ? rc : wh_curve(l.is.store, l.estate, ask->resources, ask->n_resources, &opt, mem, out, err);
	wh_app_close(&l, NULL);
	return rc;
}

int wh_app_explain(const struct wh_app *a, const char *resource, const char *rule, bool json, char **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_harden_options opt;
	struct wh_app_ledger l;
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);

	*out = NULL;
	rc = rc ? rc : wh_harden_options_load(&a->config->harden, l.is.state, NULL, mem, &opt, err);
	rc = rc ? rc : wh_explain(&l.is, l.estate, resource, rule, &opt, json, out, err);
	wh_app_close(&l, NULL);
	wh_arena_free(mem);
	return rc;
}
