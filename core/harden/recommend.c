/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recommendation: for every resource that was watched for long enough, a narrowed rule for each port that the rules in force
 * open wider than its peers need. Unknown facts are reported: too few days, a silent sensor, rules of unknown reach. Every
 * resource's rules are proved to lie within the rules in force before any is returned.
 */
#include <stdlib.h>
#include <string.h>
#include "harden/recommend.h"

/* A whole day without any flow is a silence of the sensor, not of peers. */
static void find_outages(const struct wh_window *w, struct wh_arena *mem, struct wh_recommendation *rec)
{
	rec->silent = wh_arena_array(mem, 33, sizeof *rec->silent);
	for (unsigned i = w->sensor ? w->days : 0; i-- > 0;) { /* a ledger without a day knows of no outage */
		int32_t day = w->last - (int32_t)i;
		if (w->sensor >> i & 1)
			continue;
		if (rec->n_silent && rec->silent[rec->n_silent - 1].last == day - 1)
			rec->silent[rec->n_silent - 1].last = day;
		else
			rec->silent[rec->n_silent++] = (struct wh_silence){day, day};
	}
}

struct wh_scratch *wh_scratch_of(struct wh_recommending *r, unsigned thread)
{
	struct wh_scratch *scratch = &r->scratch[thread];
	if (!scratch->results)
		*scratch = (struct wh_scratch){wh_arena_new(), wh_arena_new(), wh_arena_new()};
	return scratch;
}

int wh_recommend_job(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err)
{
	struct wh_recommending *r = arg;
	struct wh_analysis mine = *r->a; /* but for the connection it is only read */
	mine.store = s;
	size_t at = r->which[i];
	int rc = wh_recommend_resource(&mine, &r->rec->resources[at], r->price[at], wh_scratch_of(r, thread), err);
	if (rc || r->again || !mine.opt->progress)
		return rc;
	pthread_mutex_lock(&r->lock);
	rc = mine.opt->progress(mine.opt->progress_arg, ++r->done, r->rec->n_resources);
	pthread_mutex_unlock(&r->lock);
	return rc;
}

struct sized { size_t at, edges; };

static int largest_first(const void *x, const void *y)
{
	const struct sized *a = x, *b = y;
	return a->edges != b->edges ? a->edges < b->edges ? 1 : -1 : a->at < b->at ? -1 : 1;
}

/* The largest resources are begun first, so that no thread is left with one of them when the others are done. */
static const size_t *in_order(const struct wh_analysis *a, const struct wh_recommendation *rec, struct wh_arena *mem)
{
	struct sized *s = wh_arena_array(mem, rec->n_resources + 1, sizeof *s);
	size_t *which = wh_arena_array(mem, rec->n_resources + 1, sizeof *which);
	for (size_t i = 0; i < rec->n_resources; i++)
		s[i] = (struct sized){i, wh_analysis_edges(a, rec->resources[i].resource)};
	qsort(s, rec->n_resources, sizeof *s, largest_first);
	for (size_t i = 0; i < rec->n_resources; i++)
		which[i] = s[i].at;
	return which;
}

static int recommend_all(const struct wh_analysis *a, struct wh_recommendation *rec, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_recommending r = {.a = a, .rec = rec, .which = in_order(a, rec, mem), .lock = PTHREAD_MUTEX_INITIALIZER};
	r.price = wh_arena_array(mem, rec->n_resources + 1, sizeof *r.price);
	r.fitted = wh_arena_array(mem, rec->n_resources + 1, sizeof *r.fitted);
	for (size_t i = 0; i < rec->n_resources; i++)
		r.price[i] = 1;
	int rc = wh_thread_pool_run(a->pool, rec->n_resources, wh_recommend_job, &r, err);
	for (int small = 0; small < 2; small++)
		for (size_t i = 0; i < a->estate->n_nsgs && !rc; i++)
			rc = wh_fit_group(&r, &a->estate->nsgs[i], small, mem, err);
	for (unsigned i = 0; i < WH_MOST_THREADS; i++)
		if (r.scratch[i].results) {
			wh_arena_adopt(mem, r.scratch[i].results);
			wh_arena_free(r.scratch[i].resource);
			wh_arena_free(r.scratch[i].port);
		}
	pthread_mutex_destroy(&r.lock);
	return rc;
}

static void lead_with(struct wh_resource_result *res, struct wh_reason r, struct wh_arena *mem)
{
	wh_reason_add(res, &r, mem);
	memmove(&res->reasons[1], &res->reasons[0], (res->n_reasons - 1) * sizeof *res->reasons);
	res->reasons[0] = r;
}

/* Reports a resource that the sensor no longer sees, while it sees others: its peers' behaviour since is not known. */
static void tell_unseen(const struct wh_window *w, struct wh_recommendation *rec, struct wh_arena *mem)
{
	enum { TOLD_FROM = 3 };

	for (size_t i = 0; i < rec->n_resources; i++) {
		struct wh_resource_result *res = &rec->resources[i];
		int64_t quiet = res->first_day <= res->last_day ? (int64_t)w->last - res->last_day : 0;
		unsigned days = quiet <= 0 ? 0 : quiet < 64 ? wh_bits(w->sensor & ((UINT64_C(1) << quiet) - 1)) : w->sensor_days;
		if (days >= TOLD_FROM)
			lead_with(res, (struct wh_reason){.code = WH_REASON_QUIET_SINCE, .day = {res->last_day}, .count = {days}},
			          mem);
	}
}

void wh_recommendation_head(const struct wh_analysis *a, struct wh_arena *mem, struct wh_recommendation *rec)
{
	const struct wh_harden_options *opt = a->opt;
	rec->to_us = rec->calculated_us = ((int64_t)a->window.last + 1) * WH_US_PER_DAY;
	rec->days = a->window.days;
	rec->directions = opt->directions;
	rec->estate = a->estate;
	rec->ports = opt->ports;
	rec->ports_outbound = opt->ports_outbound;
	rec->asked = (struct wh_asked){opt->permissiveness, opt->max_lines,   opt->max_prefixes,
	                               opt->min_days,       opt->window_days, opt->stable_days};
	find_outages(&a->window, mem, rec);
	rec->from_us = rec->to_us - (int64_t)rec->days * WH_US_PER_DAY;
}

int wh_recommend(const struct wh_harden_ask *ask, struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err)
{
	const struct wh_estate *estate = ask->estate;
	const struct wh_harden_options *opt = ask->opt;
	struct wh_recommendation *rec = wh_arena_alloc(mem, sizeof *rec);
	struct wh_analysis a;
	int rc = wh_estate_require_all(estate, ask->names, ask->n_names, err);

	*out = NULL;
	if (!rc && opt->progress)
		rc = opt->progress(opt->progress_arg, 0, estate->n_resources);
	if (rc || (rc = wh_analysis_open(&a, ask->store, estate, opt, err)))
		return rc;
	wh_recommendation_head(&a, mem, rec);
	rec->resources = wh_arena_array(mem, estate->n_resources + 1, sizeof *rec->resources);
	for (size_t i = 0; i < estate->n_resources; i++)
		if (wh_estate_is_named(estate, &estate->resources[i], ask->names, ask->n_names))
			rec->resources[rec->n_resources++].resource = &estate->resources[i];
	rc = recommend_all(&a, rec, mem, err);
	tell_unseen(&a.window, rec, mem);
	for (size_t i = 0; i < rec->n_resources; i++)
		rec->resources[i].reason = wh_reasons_text(rec->resources[i].reasons, rec->resources[i].n_reasons, mem);
	wh_analysis_close(&a);
	if (!rc)
		*out = rec;
	return rc;
}
