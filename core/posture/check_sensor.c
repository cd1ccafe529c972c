/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of the sensor and of its use: the machines that it covers, its losses, whether its signatures fire, whether people act
 * on alerts, rules and lists. */
#include <stdio.h>
#include <string.h>
#include "posture/checks.h"

static const char sensor_name[] = "the sensor", estate_name[] = "the estate";

/* ---- the machines that it covers ---- */

struct heard { struct wh_run *run; bool *of; };

static int hear(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	struct heard *h = arg;
	const struct wh_resource *r = wh_estate_by_addr(h->run->in->estate, local);
	(void)proto, (void)port, (void)sk;
	if (r)
		h->of[r - h->run->in->estate->resources] = true;
	return 0;
}

static int hear_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	return e->flows ? hear(arg, &k->local, 0, 0, NULL) : 0;
}

int wh_check_coverage(struct wh_run *run, struct wh_error *err)
{
	const struct wh_estate *e = run->in->estate;
	const struct wh_sensor *s;
	int rc = wh_run_sensor(run, &s, err);
	if (rc || !wh_run_has_traffic(run, s))
		return rc;
	struct heard h = {run, wh_arena_array(run->mem, e->n_resources + 1, sizeof *h.of)};
	rc = wh_store_edges(run->in->ledger->store, NULL, hear_edge, &h, err);
	rc = rc ? rc : wh_store_sketches(run->in->ledger->store, hear, &h, err);
	for (size_t i = 0; !rc && i < e->n_resources; i++)
		wh_run_add(run, wh_resource_label(&e->resources[i]), wh_resource_type(&e->resources[i]),
		           h.of[i] ? WH_POSTURE_HEALTHY : WH_POSTURE_UNHEALTHY,
		           h.of[i] ? NULL : "no flow of it reached a sensor");
	return rc;
}

/* ---- whether it works ---- */

/* Setting `silence`: hours without any flow. */
int wh_check_sensor_health(struct wh_run *run, struct wh_error *err)
{
	const struct wh_sensor *s;
	char at[WH_TIME_STRLEN];
	int rc = wh_run_sensor(run, &s, err);
	int64_t silence = run->in->now_us - (rc ? 0 : s->last_us);
	if (rc)
		return rc;
	if (!s->last_us)
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_NO_EVIDENCE, "%s", s->unfit);
	else if (silence > wh_run_number(run, "silence", 24) * INT64_C(3600000000))
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_UNHEALTHY, "no flow reached the ledger since %s",
		           wh_time_text(s->last_us, at));
	else if (s->loss_known && s->unfit)
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_UNHEALTHY, "%s", s->unfit);
	else if (s->unfit)
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_NO_EVIDENCE, "%s", s->unfit);
	else
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_HEALTHY, "it lost %.2f %% of the packets", 100 * s->loss);
	return 0;
}

/* The latest of what the sensor's statistics tell of its signatures. */
struct loaded { int64_t at_us; struct wh_signatures are; };

static int see_signatures(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct loaded *l = arg, now = {.at_us = r->last_us};
	if (r->last_us >= l->at_us && !wh_signatures_parse(k->value, &now.are))
		*l = now;
	return 0;
}

/* False: they tell nothing. */
static bool judge_loaded(struct wh_run *run, const struct loaded *l)
{
	int64_t days = wh_run_number(run, "days", 7);
	unsigned long long loaded = l->are.loaded, failed = l->are.failed;
	char since[WH_TIME_STRLEN];
	wh_time_text(l->are.since_us, since);
	if (!l->at_us)
		return false;
	if (!loaded)
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_UNHEALTHY, "it has no signature loaded");
	else if (failed > (unsigned long long)wh_run_number(run, "failed", 0))
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_UNHEALTHY,
		           "%llu of its signatures failed to load, %llu are loaded", failed, loaded);
	else if (l->at_us - l->are.since_us > (days + 1) * WH_US_PER_DAY)
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_UNHEALTHY, "its signatures were loaded last on %.10s", since);
	else
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_HEALTHY, "%llu signatures were loaded on %.10s", loaded, since);
	return true;
}

/* Without statistics, only alerts show that signatures are loaded. Settings: `days` after which they are old; how many may have
 * `failed` to load. */
int wh_check_signatures(struct wh_run *run, struct wh_error *err)
{
	struct wh_store_totals totals = {0};
	struct loaded l = {0};
	int rc = run->in->ledger ? wh_store_totals(run->in->ledger->store, &totals, err) : 0;
	rc = rc || !run->in->ledger ? rc
	                            : wh_store_facts(run->in->ledger->store, WH_FACT_SIGNATURES, see_signatures, &l, err);
	if (rc || judge_loaded(run, &l))
		return rc;
	if (totals.alerts)
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_HEALTHY, "its signatures fired %llu times",
		           (unsigned long long)totals.alerts);
	else
		wh_run_add(
			run, sensor_name, "sensor", WH_POSTURE_NO_EVIDENCE,
			"no signature ever fired here: a sensor without rules looks the same. `whittle selftest` sends what one should notice");
	return 0;
}

/* ---- whether people act ---- */

/* Setting `days`: how long an alert of High may stay open without an assignee. */
int wh_check_triage(struct wh_run *run, struct wh_error *err)
{
	int64_t limit = wh_run_number(run, "days", 7) * WH_US_PER_DAY, us;
	size_t old = 0, i;
	json_t *a;
	(void)err;
	if (!run->in->ledger) {
		wh_run_add(run, estate_name, NULL, WH_POSTURE_NO_EVIDENCE, "there is no ledger of traffic");
		return 0;
	}
	json_array_foreach((json_t *)run->in->alerts, i, a) {
		const char *made = wh_alert_property(a, "timeGeneratedUtc"),
			   *since = *made ? made : wh_alert_property(a, "startTimeUtc");
		old += !strcmp(wh_alert_property(a, "status"), wh_alert_status_words[WH_ALERT_ACTIVE]) &&
		       wh_alert_severity(a) == WH_HIGH && !wh_time_parse(since, strlen(since), &us) &&
		       run->in->now_us - us > limit;
	}
	if (old)
		wh_run_add(run, estate_name, NULL, WH_POSTURE_UNHEALTHY,
		           "%zu alerts of High are active for more than %lld days, and nobody works on them", old,
		           (long long)(limit / WH_US_PER_DAY));
	else if (!json_array_size(run->in->alerts))
		wh_run_add(run, estate_name, NULL, WH_POSTURE_NO_EVIDENCE, "no alert was raised yet: `whittle alerts` looks");
	else
		wh_run_add(run, estate_name, NULL, WH_POSTURE_HEALTHY, NULL);
	return 0;
}

/* Setting `facing`: of machines that the Internet has an address for alone. */
int wh_check_hardening(struct wh_run *run, struct wh_error *err)
{
	const struct wh_recommendation *rec = run->in->rec;
	const char **facing;
	bool only = wh_run_texts(run, "facing", &facing) > 0;
	(void)err;
	if (!rec) {
		wh_run_add(run, estate_name, NULL, WH_POSTURE_NO_EVIDENCE, "no rules were derived yet: `whittle recommend`");
		return 0;
	}
	for (size_t i = 0; i < rec->n_resources; i++) {
		const struct wh_resource_result *r = &rec->resources[i];
		const char *id = wh_resource_label(r->resource);
		if (only && !r->resource->internet_facing)
			continue;
		if (r->status == WH_UNHEALTHY)
			wh_run_add(run, id, wh_resource_type(r->resource), WH_POSTURE_UNHEALTHY,
			           "%zu rule%s can be narrower: `whittle enforce`, or `whittle export`", r->n_rules,
			           r->n_rules == 1 ? "" : "s");
		else if (r->status == WH_HEALTHY)
			wh_run_add(run, id, wh_resource_type(r->resource), WH_POSTURE_HEALTHY, NULL);
		else
			wh_run_add(run, id, wh_resource_type(r->resource), WH_POSTURE_NO_EVIDENCE, "%s",
			           r->reason ? r->reason : "it has too few days of traffic");
	}
	return 0;
}

int wh_check_lists(struct wh_run *run, struct wh_error *err)
{
	char at[WH_TIME_STRLEN];
	(void)err;
	if (!run->in->ledger) {
		wh_run_add(run, estate_name, NULL, WH_POSTURE_NO_EVIDENCE, "there is no ledger");
		return 0;
	}
	if (!run->in->n_lists)
		wh_run_add(run, estate_name, NULL, WH_POSTURE_UNHEALTHY, "no threat list is loaded");
	for (size_t i = 0; i < run->in->n_lists; i++) {
		const struct wh_intel_list *l = &run->in->lists[i];
		bool stale = wh_intel_stale(l, run->in->now_us);
		wh_run_add(run, l->name, "threat list", stale ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
		           stale ? "it was read last at %s" : NULL, wh_time_text(l->updated_us, at));
	}
	return 0;
}

/* Settings: `types` of alerts, raised within `days`. Resources with an unresolved one are unhealthy. */
int wh_check_alerts(struct wh_run *run, struct wh_error *err)
{
	const char **types;
	const struct wh_sensor *sensor;
	size_t n = wh_run_texts(run, "types", &types), i, found = 0;
	int64_t since = run->in->now_us - wh_run_number(run, "days", 30) * WH_US_PER_DAY, us;
	json_t *a;
	int rc = wh_run_sensor(run, &sensor, err);
	if (rc || !wh_run_has_traffic(run, sensor))
		return rc;
	json_array_foreach((json_t *)run->in->alerts, i, a) {
		const char *of = wh_alert_property(a, "compromisedEntity"), *end = wh_alert_property(a, "endTimeUtc"),
			   *status = wh_alert_property(a, "status");
		if (!wh_run_has(types, n, wh_alert_property(a, "alertType")) || wh_time_parse(end, strlen(end), &us) ||
		    us < since || !strcmp(status, wh_alert_status_words[WH_ALERT_RESOLVED]) ||
		    !strcmp(status, wh_alert_status_words[WH_ALERT_DISMISSED]))
			continue;
		found++;
		wh_run_add(run, *of ? of : estate_name, NULL, WH_POSTURE_UNHEALTHY, "%s, until %.16s",
		           wh_alert_property(a, "alertDisplayName"), end);
	}
	if (!found)
		wh_run_add(run, estate_name, NULL, sensor->unfit ? WH_POSTURE_NO_EVIDENCE : WH_POSTURE_HEALTHY,
		           sensor->unfit ? "%s" : NULL, sensor->unfit);
	return 0;
}
