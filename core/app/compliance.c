/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A standard's controls with their assessments and resources, and the score. */
#include <stdlib.h>
#include <string.h>
#include "app/posture.h"
#include "app/shown_name.h"
#include "base/directory.h"

/* ---- the score ---- */

static json_t *parts_json(const struct wh_score_subscription *s, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct wh_score_part *p = &s->parts[i];
		if (p->healthy + p->unhealthy)
			json_array_append_new(list, json_pack("{s:s, s:s, s:f, s:f, s:f, s:I, s:I}", "id", p->of->id, "name",
			                                      p->of->name, "max", p->of->max, "current", p->current,
			                                      "potentialIncrease", p->of->max - p->current, "healthy",
			                                      (json_int_t)p->healthy, "unhealthy", (json_int_t)p->unhealthy));
	}
	return list;
}

json_t *wh_app_score(const struct wh_app_posture *p)
{
	struct wh_score score;
	json_t *list = json_array();
	double current = 0, max = 0;
	wh_score_run(&p->posture, &p->score_controls, p->mem, &score);
	for (size_t i = 0; i < score.n; i++) {
		const struct wh_score_subscription *s = &score.list[i];
		if (!s->weight)
			continue;
		current += s->current;
		max += s->max;
		json_array_append_new(list,
		                      json_pack("{s:s, s:I, s:o, s:f, s:f, s:o}", "id", s->id, "weight", (json_int_t)s->weight,
		                                "percent", json_real(100 * s->current / s->max), "current", s->current, "max",
		                                s->max, "controls", parts_json(s, p->score_controls.n)));
	}
	return json_pack("{s:o, s:f, s:f, s:o}", "percent", score.share < 0 ? json_null() : json_real(100 * score.share),
	                 "current", current, "max", max, "subscriptions", list);
}

/* ---- a control ---- */

static json_t *resources_json(const struct wh_posture *p, const struct wh_assessment *a, const struct wh_shown_names *n)
{
	json_t *list = json_array();
	size_t from, to = wh_posture_of(p, a, &from);
	for (size_t i = from; i < to; i++) {
		const struct wh_posture_verdict *v = &p->list[i];
		json_t *o = json_pack("{s:s, s:s, s:s, s:s?}", "id", v->resource, "name", wh_shown_name(n, v->type, v->resource),
		                      "status", wh_posture_text(v->status), "cause", v->cause);
		if (v->exempt)
			json_object_set_new(o, "exempt", json_string(v->exempt));
		json_array_append_new(list, o);
	}
	return list;
}

struct totals { size_t assessments[4]; const struct wh_shown_names *names; };

static json_t *assessment_json(const struct wh_posture *p, const struct wh_assessment *a, struct totals *t)
{
	struct wh_posture_counts c = wh_posture_count(p, a);
	enum wh_posture_state state = wh_posture_state_of(&c);
	t->assessments[state] += !a->preview;
	return json_pack("{s:s, s:s?, s:s, s:s, s:s, s:b, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:o}", "name", a->key,
	                 "policyDefinitionId", a->policy, "displayName", a->name, "severity", wh_severity_words[a->severity],
	                 "state", wh_posture_state_text(state), "preview", a->preview, "description", a->why, "remediation",
	                 a->fix, "question", a->question, "passedResources", (json_int_t)c.healthy, "failedResources",
	                 (json_int_t)c.unhealthy, "skippedResources", (json_int_t)(c.exempt + c.not_applicable),
	                 "unsupportedResources", (json_int_t)c.no_evidence, "resources", resources_json(p, a, t->names));
}

static void put_totals(json_t *o, const struct totals *t)
{
	json_object_set_new(o, "passedAssessments", json_integer((json_int_t)t->assessments[WH_STATE_PASSED]));
	json_object_set_new(o, "failedAssessments", json_integer((json_int_t)t->assessments[WH_STATE_FAILED]));
	json_object_set_new(o, "skippedAssessments", json_integer((json_int_t)t->assessments[WH_STATE_SKIPPED]));
	json_object_set_new(o, "unsupportedAssessments", json_integer((json_int_t)t->assessments[WH_STATE_UNSUPPORTED]));
}

static json_t *control_json(const struct wh_posture *p, const struct wh_standard_control *c, enum wh_posture_state state,
                            const struct wh_shown_names *names)
{
	struct totals t = {.names = names};
	json_t *list = json_array(), *benchmark = json_array();
	for (size_t i = 0; i < p->pack->n; i++)
		if (wh_standard_has(c, &p->pack->list[i]))
			json_array_append_new(list, assessment_json(p, &p->pack->list[i], &t));
	for (size_t i = 0; i < c->n_benchmark; i++)
		json_array_append_new(benchmark, json_string(c->benchmark[i]));
	json_t *o = json_pack("{s:s, s:s, s:s, s:s?, s:o}", "id", c->id, "name", c->name, "state", wh_posture_state_text(state),
	                      "question", c->question, "benchmark", benchmark);
	if (c->of)
		json_object_set_new(o, "of", json_string(c->of));
	put_totals(o, &t);
	json_object_set_new(o, "assessments", list);
	return o;
}

/* ---- a standard ---- */

static const char benchmark[] = "mcsb-v1";

static int load(const struct wh_app *a, const char *id, struct wh_arena *mem, struct wh_standard *out, struct wh_error *err)
{
	const char *path, *name = id ? id : benchmark;
	if (strchr(name, '/') || *name == '.')
		return wh_fail_input(err, -EINVAL, "'%s' is no standard: `whittle compliance --list` lists them", name);
	int rc = wh_app_rules_file(a, wh_arena_printf(mem, "standards/%s.yaml", name), mem, &path, err);
	if (rc == -ENOENT)
		return wh_fail_input(err, rc, "'%s' is no standard: `whittle compliance --list` lists them", name);
	return rc ? rc : wh_standard_load(path, mem, out, err);
}

static json_t *standard_json(const struct wh_standard *s)
{
	return json_pack("{s:s, s:s, s:s, s:b}", "id", s->id, "name", s->name, "version", s->version, "preview", s->preview);
}

static json_t *whole(const struct wh_app_posture *p, const struct wh_standard *s)
{
	char at[WH_TIME_STRLEN];
	size_t n[4] = {0};
	struct totals all = {.names = NULL};
	struct wh_shown_names names;
	json_int_t partly = 0;
	json_t *controls = json_array();
	wh_shown_names_find(&p->inv, p->mem, &names);
	for (size_t i = 0; i < s->n; i++) {
		enum wh_posture_state state = wh_standard_state(&p->posture, &s->controls[i]);
		n[state] += !s->controls[i].of;
		json_t *c = control_json(&p->posture, &s->controls[i], state, &names);
		partly += !s->controls[i].of && state == WH_STATE_PASSED &&
		          json_integer_value(json_object_get(c, "unsupportedAssessments")) > 0;
		json_array_append_new(controls, c);
	}
	for (size_t i = 0; i < p->pack.n; i++) { /* each once, however many controls have it */
		struct wh_posture_counts c = wh_posture_count(&p->posture, &p->pack.list[i]);
		all.assessments[wh_posture_state_of(&c)] += !p->pack.list[i].preview;
	}
	size_t judged = n[WH_STATE_PASSED] + n[WH_STATE_FAILED];
	json_t *o = json_pack("{s:i, s:o, s:s?, s:O, s:s, s:I, s:I, s:I, s:I, s:o}", "version", 1, "standard", standard_json(s),
	                      "at", p->at_us ? wh_time_text(p->at_us, at) : NULL, "inputs", p->inputs, "state",
	                      wh_posture_state_text(wh_posture_state_of_parts(n)), "passedControls",
	                      (json_int_t)n[WH_STATE_PASSED], "failedControls", (json_int_t)n[WH_STATE_FAILED], "skippedControls",
	                      (json_int_t)n[WH_STATE_SKIPPED], "unsupportedControls", (json_int_t)n[WH_STATE_UNSUPPORTED],
	                      "percent", judged ? json_real(100.0 * (double)n[WH_STATE_PASSED] / (double)judged) : json_null());
	put_totals(o, &all);
	json_object_set_new(o, "partlyPassedControls", json_integer(partly));
	json_object_set_new(o, "score", wh_app_score(p));
	json_object_set_new(o, "controls", controls);
	wh_shown_names_free(&names);
	return o;
}

int wh_app_compliance(const struct wh_app_posture *p, const char *standard, json_t **out, struct wh_error *err)
{
	struct wh_standard s;
	int rc = load(p->a, standard, p->mem, &s, err);
	*out = rc ? NULL : whole(p, &s);
	return rc ? rc : *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}

int wh_app_standards(const struct wh_app *a, json_t **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_standard s;
	struct dirent **names = NULL;
	const char *path = NULL;
	int rc = wh_app_rules_file(a, "standards", mem, &path, err), n = rc ? 0 : wh_scan_directory(path, wh_is_yaml, &names);
	if (n < 0)
		rc = wh_fail_input(err, n, "%s: %s", path, strerror(-n));
	*out = json_array();
	for (int i = 0; i < n; i++) {
		rc = rc ? rc : wh_standard_load(wh_arena_printf(mem, "%s/%s", path, names[i]->d_name), mem, &s, err);
		if (!rc)
			json_array_append_new(*out, standard_json(&s));
		free(names[i]);
	}
	free(names);
	wh_arena_free(mem);
	return rc;
}

/* ---- history ---- */

int wh_app_posture_keep(const struct wh_app *a, const struct wh_app_posture *p, const json_t *doc, struct wh_error *err)
{
	char now[WH_TIME_STRLEN], day[16];
	struct wh_state *s;
	if (!p->of_ledger)
		return 0;
	wh_time_text(wh_now_us(), now);
	snprintf(day, sizeof day, "%.10s", now);
	json_t *point = json_pack("{s:s, s:O, s:O, s:O, s:O, s:O, s:O}", "day", day, "standard",
	                          json_object_get(json_object_get(doc, "standard"), "id"), "score",
	                          json_object_get(json_object_get(doc, "score"), "percent"), "passedControls",
	                          json_object_get(doc, "passedControls"), "failedControls",
	                          json_object_get(doc, "failedControls"), "passedAssessments",
	                          json_object_get(doc, "passedAssessments"), "failedAssessments",
	                          json_object_get(doc, "failedAssessments"));
	int rc = wh_ledger_state(a->store_url, WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_score_keep(s, day, point, err);
	wh_state_close(s);
	json_decref(point);
	return rc;
}
