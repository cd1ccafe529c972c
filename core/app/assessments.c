/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts as a document, filtered; and people's decisions about them. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "app/posture.h"
#include "app/shown_name.h"
#include "base/json.h"
#include "base/sha256.h"

static json_t *controls_json(const struct wh_assessment *a)
{
	json_t *list = json_array();
	for (size_t i = 0; i < a->n_controls; i++)
		json_array_append_new(list, json_string(a->controls[i]));
	return list;
}

/* What all verdicts of an assessment have in common, made once. */
struct worded { const struct wh_assessment *of; json_t *name, *policy, *title, *controls, *severity; };

static void forget_words(struct worded *w)
{
	json_decref(w->name);
	json_decref(w->policy);
	json_decref(w->title);
	json_decref(w->controls);
	json_decref(w->severity);
	*w = (struct worded){0};
}

static void word(struct worded *w, const struct wh_assessment *a)
{
	if (w->of == a)
		return;
	forget_words(w);
	*w = (struct worded){a, json_string(a->key), a->policy ? json_string(a->policy) : json_null(), json_string(a->name),
	                     controls_json(a), json_string(wh_severity_words[a->severity])};
}

static json_t *verdict_json(struct worded *w, const struct wh_shown_names *names, const struct wh_posture_verdict *v)
{
	word(w, v->of);
	json_t *o = json_pack("{s:O, s:O, s:O, s:O, s:O, s:s, s:s, s:s?, s:s, s:s?}", "name", w->name, "policyDefinitionId",
	                      w->policy, "displayName", w->title, "controls", w->controls, "severity", w->severity,
	                      "resourceId", v->resource, "resourceName", wh_shown_name(names, v->type, v->resource),
	                      "resourceType", v->type, "status", wh_posture_text(v->status), "cause", v->cause);
	if (v->exempt)
		json_object_set_new(o, "exempt", json_string(v->exempt));
	if (v->of->preview)
		json_object_set_new(o, "preview", json_true());
	return o;
}

static bool in_control(const struct wh_assessment *a, const char *control)
{
	for (size_t i = 0; i < a->n_controls; i++)
		if (!strcasecmp(a->controls[i], control))
			return true;
	return false;
}

static bool wanted(const struct wh_app_assessments *ask, const struct wh_assessment *only, const struct wh_shown_names *names,
                   const struct wh_posture_verdict *v)
{
	return (!only || v->of == only) && v->of->severity >= ask->least &&
	       (ask->all || v->status != WH_POSTURE_NOT_APPLICABLE) &&
	       (!ask->resource || !strcasecmp(v->resource, ask->resource) ||
	        !strcasecmp(wh_posture_name(v->resource), ask->resource) ||
	        !strcasecmp(wh_shown_name(names, v->type, v->resource), ask->resource)) &&
	       (!ask->control || in_control(v->of, ask->control));
}

static int find(const struct wh_app_posture *p, const char *what, const struct wh_assessment **out, struct wh_error *err)
{
	*out = what ? wh_pack_find(&p->pack, what) : NULL;
	return !what || *out ? 0 : wh_fail_input(err, -ENOENT, "'%s' is no assessment: `whittle assess list` lists them", what);
}

static json_t *counts_json(const struct wh_posture_counts *c)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "Healthy", (json_int_t)c->healthy, "Unhealthy", (json_int_t)c->unhealthy,
	                 "NotApplicable", (json_int_t)c->not_applicable, "NoEvidence", (json_int_t)c->no_evidence, "exempt",
	                 (json_int_t)c->exempt);
}

int wh_app_assessments(const struct wh_app_posture *p, const struct wh_app_assessments *ask, json_t **out, struct wh_error *err)
{
	const struct wh_assessment *only;
	struct wh_posture_counts c = {0};
	struct worded w = {0};
	struct wh_shown_names names;
	json_t *list = json_array(), *notes = json_array();
	int rc = find(p, ask->assessment, &only, err);
	wh_shown_names_find(&p->inv, p->mem, &names);
	for (size_t i = 0; !rc && i < p->posture.n; i++) {
		if (!wanted(ask, only, &names, &p->posture.list[i]))
			continue;
		wh_posture_count_verdict(&c, &p->posture.list[i]);
		json_t *verdict = verdict_json(&w, &names, &p->posture.list[i]);
		if (ask->each)
			ask->each(ask->arg, verdict);
		else
			json_array_append_new(list, verdict);
	}
	forget_words(&w);
	wh_shown_names_free(&names);
	for (size_t i = 0; i < p->inv.n_notes; i++)
		json_array_append_new(notes, json_string(p->inv.notes[i]));
	*out = rc ? NULL
	          : json_pack("{s:i, s:O, s:o, s:I, s:O}", "version", 1, "assessments", list, "counts", counts_json(&c),
	                      "resources", (json_int_t)p->assets.n, "notes", notes);
	json_decref(list);
	json_decref(notes);
	return rc ? rc : *out ? 0 : wh_fail(err, -ENOMEM, "out of memory");
}

bool wh_app_assessment_worse(const json_t *v, enum wh_severity least)
{
	int severity = wh_key_choice(wh_severity_words, json_string_value(json_object_get(v, "severity")));
	return severity >= (int)least && !json_object_get(v, "exempt") && !json_object_get(v, "preview") &&
	       !strcmp(json_string_value(json_object_get(v, "status")), "Unhealthy");
}

bool wh_app_assessments_worse(const json_t *doc, enum wh_severity least)
{
	json_t *v;
	size_t i;
	json_array_foreach(json_object_get(doc, "assessments"), i, v)
		if (wh_app_assessment_worse(v, least))
			return true;
	return false;
}

json_t *wh_app_assessment_list(const struct wh_app_posture *p)
{
	json_t *list = json_array();
	for (size_t i = 0; i < p->pack.n; i++) {
		const struct wh_assessment *a = &p->pack.list[i];
		struct wh_posture_counts c = wh_posture_count(&p->posture, a);
		json_t *o = json_pack("{s:s, s:s?, s:s, s:s, s:o, s:s, s:s, s:b, s:s?, s:s, s:o}", "name", a->key,
		                      "policyDefinitionId", a->policy, "displayName", a->name, "severity",
		                      wh_severity_words[a->severity], "controls", controls_json(a), "description", a->why,
		                      "remediation", a->fix, "preview", a->preview, "question", a->question, "state",
		                      wh_posture_state_text(wh_posture_state_of(&c)), "counts", counts_json(&c));
		json_array_append_new(list, o);
	}
	return list;
}

/* ---- people's decisions ---- */

/* The key of a named assessment; with `manual`, of one that asks a person. In mem. */
static int key_of(const struct wh_app *a, const char *what, bool manual, struct wh_arena *mem, const char **out,
                  struct wh_error *err)
{
	struct wh_pack pack = {0};
	const char *path;
	int rc = wh_app_rules_file(a, "assessments", mem, &path, err);
	rc = rc ? rc : wh_pack_load(path, mem, &pack, err);
	const struct wh_assessment *of = rc ? NULL : wh_pack_find(&pack, what);
	if (!rc && !of)
		rc = wh_fail_input(err, -ENOENT, "'%s' is no assessment: `whittle assess list` lists them", what);
	if (!rc && manual && !of->question)
		rc = wh_fail_input(err, -EINVAL,
		                   "%s is computed and takes no answer. `whittle assess exempt` leaves a resource out of it",
		                   of->key);
	*out = rc ? NULL : of->key;
	wh_pack_free(&pack);
	return rc;
}

int wh_app_exempt(const struct wh_app *a, const struct wh_exemption *e, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_exemption named = *e;
	struct wh_state *s = NULL;
	int rc = key_of(a, e->assessment, false, mem, &named.assessment, err);
	rc = rc ? rc : wh_ledger_state(a->store_url, WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_exemption_put(s, &named, a->who, err);
	wh_state_close(s);
	wh_arena_free(mem);
	return rc;
}

int wh_app_unexempt(const struct wh_app *a, const char *assessment, const char *resource, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_state *s = NULL;
	int rc = key_of(a, assessment, false, mem, &assessment, err);
	rc = rc ? rc : wh_ledger_state(a->store_url, WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_exemption_delete(s, assessment, resource, a->who, err);
	wh_state_close(s);
	wh_arena_free(mem);
	return rc;
}

static int listed(const struct wh_app *a, int (*list)(struct wh_state *, json_t **, struct wh_error *), json_t **out,
                  struct wh_error *err)
{
	struct wh_state *s;
	*out = NULL;
	int rc = wh_ledger_state(a->store_url, WH_STATE_READ, &s, err);
	rc = rc ? rc : list(s, out, err);
	wh_state_close(s);
	return rc;
}

int wh_app_exemptions(const struct wh_app *a, json_t **out, struct wh_error *err)
{
	return listed(a, wh_exemptions_list, out, err);
}

int wh_app_answers(const struct wh_app *a, json_t **out, struct wh_error *err)
{
	return listed(a, wh_answers_list, out, err);
}

int wh_app_score_history(const struct wh_app *a, json_t **out, struct wh_error *err)
{
	return listed(a, wh_score_history, out, err);
}

/* The file itself is not kept: its hash shows later whether it is the one that was meant. */
static int hash_file(const char *path, struct wh_arena *mem, const char **out, struct wh_error *err)
{
	enum { MOST = 64 << 20 };
	uint8_t sum[WH_SHA256_BYTES];
	char *text, hex[2 * WH_SHA256_BYTES + 1];
	size_t len;
	int rc = wh_read_file(path, MOST, &text, &len, err);
	if (rc)
		return rc;
	wh_sha256(text, len, sum);
	free(text);
	for (size_t i = 0; i < WH_SHA256_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	*out = wh_arena_strdup(mem, hex);
	return 0;
}

int wh_app_answer(const struct wh_app *a, const struct wh_answer_given *given, const char *evidence_file, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_answer_given named = *given;
	struct wh_state *s = NULL;
	int rc = key_of(a, given->assessment, true, mem, &named.assessment, err);
	if (!rc && evidence_file) {
		named.evidence = named.evidence ? named.evidence : evidence_file;
		rc = hash_file(evidence_file, mem, &named.sha256, err);
	}
	rc = rc ? rc : wh_ledger_state(a->store_url, WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_answer_put(s, &named, a->who, err);
	wh_state_close(s);
	wh_arena_free(mem);
	return rc;
}

int wh_app_unanswer(const struct wh_app *a, const char *assessment, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_state *s = NULL;
	int rc = key_of(a, assessment, true, mem, &assessment, err);
	rc = rc ? rc : wh_ledger_state(a->store_url, WH_STATE_WRITE, &s, err);
	rc = rc ? rc : wh_answer_delete(s, assessment, a->who, err);
	wh_state_close(s);
	wh_arena_free(mem);
	return rc;
}
