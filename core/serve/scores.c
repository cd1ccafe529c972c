/* SPDX-License-Identifier: GPL-2.0-or-later */
/* secureScores with their controls, and regulatoryCompliance: standards, controls, assessments. */
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "serve/posture.h"

#define SCORE "ascScore"

static const char *subscription(struct wh_call *c)
{
	return wh_arena_printf(c->mem, "/subscriptions/%s", c->values[0]);
}

static const json_t *named(const json_t *list, const char *member, const char *name)
{
	size_t i;
	json_t *o;
	json_array_foreach((json_t *)(uintptr_t)list, i, o) {
		const char *is = wh_call_member(o, member);
		if (is && !strcasecmp(is, name))
			return o;
	}
	return NULL;
}

static json_t *numbers(const json_t *o)
{
	double max = json_number_value(json_object_get(o, "max")), current = json_number_value(json_object_get(o, "current"));
	return json_pack("{s:f, s:f, s:f}", "max", max, "current", current, "percentage", max > 0 ? current / max : 0.0);
}

/* The subscription's part of the score; NULL where nothing of it is judged. */
static json_t *part(const struct wh_call *c, const json_t *score)
{
	size_t i;
	json_t *s;
	json_array_foreach(json_object_get(score, "subscriptions"), i, s) {
		const char *id = wh_call_member(s, "id");
		if (id && !strcasecmp(wh_last_part(id), c->values[0]))
			return s;
	}
	return NULL;
}

static json_t *score_json(struct wh_call *c, const json_t *s)
{
	return wh_posture_resource(c, subscription(c), "secureScores", SCORE,
	                           json_pack("{s:s, s:O?, s:o}", "displayName", "secure score", "weight",
	                                     json_object_get(s, "weight"), "score", numbers(s)));
}

static json_t *definition_json(struct wh_call *c, const json_t *k, const char *scope)
{
	return wh_posture_resource(c, scope, "secureScoreControlDefinitions", wh_call_member(k, "id"),
	                           json_pack("{s:s?, s:O?, s:{s:s}}", "displayName", wh_call_member(k, "name"), "maxScore",
	                                     json_object_get(k, "max"), "source", "sourceType", "BuiltIn"));
}

static json_t *control_json(struct wh_call *c, const json_t *k)
{
	json_t *healthy = json_object_get(k, "healthy"), *unhealthy = json_object_get(k, "unhealthy");
	json_t *p = json_pack("{s:s?, s:O, s:O, s:i, s:I, s:o}", "displayName", wh_call_member(k, "name"), "healthyResourceCount",
	                  healthy, "unhealthyResourceCount", unhealthy, "notApplicableResourceCount", 0, "weight",
	                  json_integer_value(healthy) + json_integer_value(unhealthy), "score", numbers(k));
	if (!strcasecmp(wh_call_query(c, "$expand"), "definition"))
		json_object_set_new(p, "definition", definition_json(c, k, ""));
	return wh_posture_resource(
		c, wh_arena_printf(c->mem, "%s/providers/Microsoft.Security/secureScores/" SCORE, subscription(c)),
		"secureScoreControls", wh_call_member(k, "id"), p);
}

static int scores(struct wh_call *c, bool controls, bool one, struct wh_error *err)
{
	struct wh_postures x;
	json_t *list = json_array(), *k;
	size_t i;
	int rc = wh_postures_open(c, WH_WANT_SCORE, NULL, &x, err);
	json_t *s = rc ? NULL : part(c, x.score);
	if (s && !controls)
		json_array_append_new(list, score_json(c, s));
	json_array_foreach(s && controls ? json_object_get(s, "controls") : NULL, i, k)
		json_array_append_new(list, control_json(c, k));
	if (!rc)
		wh_postures_close(&x);
	if (!rc && !one)
		return wh_call_list(c, list);
	if (!rc)
		rc = json_array_size(list)
		             ? wh_call_json(c, 200, json_incref(json_array_get(list, 0)))
		             : wh_call_refuse(c, 404, "ResourceNotFound", "nothing of this subscription is judged yet");
	json_decref(list);
	return rc;
}

/* The controls of every subscription's score, each once. */
WH_ENDPOINT(score_definitions)
{
	const char *scope = c->target.n > 3 ? subscription(c) : "";
	struct wh_postures x;
	json_t *list = json_array(), *s, *k;
	size_t i, n;
	int rc = wh_postures_open(c, WH_WANT_SCORE, NULL, &x, err);
	json_array_foreach(rc ? NULL : json_object_get(x.score, "subscriptions"), i, s)
		json_array_foreach(json_object_get(s, "controls"), n, k)
			if (!named(list, "name", wh_call_member(k, "id")))
				json_array_append_new(list, definition_json(c, k, scope));
	if (!rc) {
		wh_postures_close(&x);
		return wh_call_list(c, list);
	}
	json_decref(list);
	return rc;
}

static int bad_expand(struct wh_call *c)
{
	const char *more = wh_call_query(c, "$expand");
	return *more && strcasecmp(more, "definition")
	               ? wh_call_refuse(c, 400, "InvalidRequestContent", "$expand is definition"), 1 : 0;
}

static int unknown_score(struct wh_call *c)
{
	return strcasecmp(c->values[1], SCORE) ? wh_call_refuse(c, 404, "ResourceNotFound", "there is one score, " SCORE), 1 : 0;
}

WH_ENDPOINT(scores_list)
{
	return scores(c, false, false, err);
}

WH_ENDPOINT(score_get)
{
	return unknown_score(c) ? 0 : scores(c, false, true, err);
}

WH_ENDPOINT(score_controls)
{
	return bad_expand(c) ? 0 : scores(c, true, false, err);
}

WH_ENDPOINT(score_controls_of)
{
	return unknown_score(c) || bad_expand(c) ? 0 : scores(c, true, false, err);
}

/* ---- compliance ---- */

/* Copies members of a document under the same names; missing ones are left out. */
static void copy(json_t *to, const json_t *from, const char *const *names)
{
	for (size_t i = 0; names[i]; i++)
		if (json_object_get(from, names[i]))
			json_object_set(to, names[i], json_object_get(from, names[i]));
}

static json_t *standard_json(struct wh_call *c, const json_t *doc)
{
	static const char *const names[] = {"state",           "passedControls",      "failedControls",
	                                    "skippedControls", "unsupportedControls", NULL};
	json_t *p = json_object();
	copy(p, doc, names);
	return wh_posture_resource(c, subscription(c), "regulatoryComplianceStandards",
	                           wh_call_member(json_object_get(doc, "standard"), "id"), p);
}

static json_t *compliance_control_json(struct wh_call *c, const json_t *k, const char *scope)
{
	static const char *const names[] = {"state", "passedAssessments", "failedAssessments", "skippedAssessments", NULL};
	json_t *p = json_pack("{s:s?}", "description", wh_call_member(k, "name"));
	copy(p, k, names);
	return wh_posture_resource(c, scope, "regulatoryComplianceControls", wh_call_member(k, "id"), p);
}

static json_t *compliance_assessment_json(struct wh_call *c, const json_t *a, const char *scope)
{
	static const char *const names[] = {
		"state", "passedResources", "failedResources", "skippedResources", "unsupportedResources", NULL};
	const char *key = wh_call_member(a, "name");
	json_t *p = json_pack(
		"{s:s?, s:s, s:s}", "description", wh_call_member(a, "displayName"), "assessmentType", "Assessment",
		"assessmentDetailsLink",
		wh_arena_printf(c->mem, "%s/providers/Microsoft.Security/assessmentMetadata/%s", c->request->base, key));
	copy(p, a, names);
	return wh_posture_resource(c, scope, "regulatoryComplianceAssessments", key, p);
}

/* For all standards, or for one. */
static int standards(struct wh_call *c, const char *only, struct wh_error *err)
{
	json_t *all, *list = json_array(), *s;
	size_t i;
	int rc = wh_app_standards(c->app, &all, err);
	json_array_foreach(all, i, s) {
		struct wh_postures x;
		const char *id = wh_call_member(s, "id");
		if (rc || (only && strcasecmp(id, only)))
			continue;
		rc = wh_postures_open(c, WH_WANT_COMPLIANCE, id, &x, err);
		if (!rc) {
			json_array_append_new(list, standard_json(c, x.compliance));
			wh_postures_close(&x);
		}
	}
	json_decref(all);
	if (!rc && !only)
		return wh_call_list(c, list);
	if (!rc)
		rc = json_array_size(list) ? wh_call_json(c, 200, json_incref(json_array_get(list, 0)))
		                           : wh_call_refuse(c, 404, "ResourceNotFound", "there is no standard '%.60s'", only);
	json_decref(list);
	return rc;
}

WH_ENDPOINT(standards_list)
{
	return standards(c, NULL, err);
}

WH_ENDPOINT(standard_get)
{
	return standards(c, c->values[1], err);
}

/* Below a standard: its controls, one of them, a control's assessments, one of those, by how much of the path is given. */
static int below_standard(struct wh_call *c, const char *control, bool assessments, const char *key, struct wh_error *err)
{
	struct wh_postures x;
	size_t i;
	json_t *list = json_array(), *o;
	int rc = wh_postures_open(c, WH_WANT_COMPLIANCE, c->values[1], &x, err);
	if (rc) {
		json_decref(list);
		return rc;
	}
	const char *scope = wh_arena_printf(c->mem, "%s/providers/Microsoft.Security/regulatoryComplianceStandards/%s",
	                                    subscription(c), wh_call_member(json_object_get(x.compliance, "standard"), "id"));
	const json_t *controls = json_object_get(x.compliance, "controls"), *k = control ? named(controls, "id", control) : NULL;
	const char *inner = k ? wh_arena_printf(c->mem, "%s/providers/Microsoft.Security/regulatoryComplianceControls/%s", scope,
	                                        wh_call_member(k, "id"))
	                      : scope;
	json_array_foreach(json_is_object(k) && assessments ? json_object_get(k, "assessments") : NULL, i, o)
		if (!key || !strcasecmp(wh_call_member(o, "name"), key))
			json_array_append_new(list, compliance_assessment_json(c, o, inner));
	json_array_foreach((json_t *)(uintptr_t)(assessments ? NULL : controls), i, o)
		if (!control || o == k)
			json_array_append_new(list, compliance_control_json(c, o, scope));
	bool one = key || (control && !assessments);
	if ((control && !k) || (one && !json_array_size(list)))
		wh_call_refuse(c, 404, "ResourceNotFound", "this standard has no such control or assessment");
	else if (one)
		wh_call_json(c, 200, json_incref(json_array_get(list, 0)));
	else
		wh_call_list(c, json_incref(list));
	json_decref(list);
	wh_postures_close(&x);
	return 0;
}

WH_ENDPOINT(controls_list)
{
	return below_standard(c, NULL, false, NULL, err);
}

WH_ENDPOINT(control_get)
{
	return below_standard(c, c->values[2], false, NULL, err);
}

WH_ENDPOINT(compliance_assessments_list)
{
	return below_standard(c, c->values[2], true, NULL, err);
}

WH_ENDPOINT(compliance_assessment_get)
{
	return below_standard(c, c->values[2], true, c->values[3], err);
}
