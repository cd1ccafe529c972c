/* SPDX-License-Identifier: GPL-2.0-or-later */
/* assessments and assessmentMetadata of Microsoft.Security, and our own documents of the posture. A verdict without evidence is
 * NotApplicable there, with its cause. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "serve/endpoints.h"
#include "serve/posture.h"

int wh_postures_open(struct wh_call *c, unsigned want, const char *standard, struct wh_postures *out, struct wh_error *err)
{
	*out = (struct wh_postures){.p = NULL};
	int rc = wh_app_posture_open(c->app, NULL, 0, &out->p, err);
	if (!rc && want & WH_WANT_COMPLIANCE)
		rc = wh_app_compliance(out->p, standard, &out->compliance, err);
	if (!rc && want & WH_WANT_SCORE)
		out->score = wh_app_score(out->p);
	if (!rc && want & WH_WANT_LIST)
		out->list = wh_app_assessment_list(out->p);
	if (rc)
		wh_postures_close(out);
	return rc;
}

void wh_postures_close(struct wh_postures *x)
{
	json_decref(x->compliance);
	json_decref(x->score);
	json_decref(x->list);
	wh_app_posture_free(x->p);
	*x = (struct wh_postures){.p = NULL};
}

json_t *wh_posture_resource(struct wh_call *c, const char *scope, const char *kind, const char *name, json_t *properties)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "id",
	                 wh_arena_printf(c->mem, "%s/providers/Microsoft.Security/%s/%s", scope, kind, name), "name", name,
	                 "type", wh_arena_printf(c->mem, "Microsoft.Security/%s", wh_last_part(kind)), "properties",
	                 properties);
}

/* ---- assessments ---- */

static bool within(const char *id, const char *scope)
{
	size_t n = strlen(scope);
	return !strncasecmp(id, scope, n) && (!id[n] || id[n] == '/');
}

static json_t *status_json(const json_t *a)
{
	const char *status = wh_call_member(a, "status"), *cause = wh_call_member(a, "cause"),
		   *exempt = wh_call_member(a, "exempt");
	bool unseen = status && !strcmp(status, "NoEvidence");
	return json_pack("{s:s, s:s*, s:s*}", "code", exempt || unseen ? "NotApplicable" : status, "cause",
	                 exempt   ? "Exempt"
	                 : unseen ? "NoEvidence"
	                          : NULL,
	                 "description", exempt ? exempt : cause);
}

static json_t *assessment_json(struct wh_call *c, const json_t *a)
{
	const char *id = wh_call_id(wh_call_member(a, "resourceId"), wh_call_member(a, "resourceId"), c->mem);
	return wh_posture_resource(c, id, "assessments", wh_call_member(a, "name"),
	                           json_pack("{s:{s:s, s:s}, s:s?, s:o}", "resourceDetails", "source", "Azure", "id", id,
	                                     "displayName", wh_call_member(a, "displayName"), "status", status_json(a)));
}

static json_t *metadata_json(struct wh_call *c, const json_t *a, const char *scope)
{
	const char *severity = wh_call_member(a, "severity");
	return wh_posture_resource(c, scope, "assessmentMetadata", wh_call_member(a, "name"),
	                           json_pack("{s:s?, s:s*, s:s*, s:s, s:[s], s:b, s:s}", "displayName",
	                                     wh_call_member(a, "displayName"), "description", wh_call_member(a, "description"),
	                                     "remediationDescription", wh_call_member(a, "remediation"), "severity",
	                                     severity && strcmp(severity, "Informational") ? severity : "Low", "categories",
	                                     "Networking", "preview", json_is_true(json_object_get(a, "preview")),
	                                     "assessmentType", "BuiltIn"));
}

/* What $expand adds to one verdict: its metadata, or a link to the page that shows it. */
static void expand(struct wh_call *c, json_t *assessment, const json_t *list)
{
	const char *key = wh_call_member(assessment, "name");
	json_t *p = json_object_get(assessment, "properties"), *a;
	size_t i;
	if (!strcasecmp(wh_call_query(c, "$expand"), "links"))
		json_object_set_new(p, "links",
		                    json_pack("{s:s}", "azurePortalUri",
		                              wh_arena_printf(c->mem, "%s/#/recommendations/%s", c->request->base, key)));
	json_array_foreach((json_t *)(uintptr_t)list, i, a)
		if (!strcasecmp(wh_call_member(a, "name"), key)) {
			json_t *m = metadata_json(c, a, "");
			json_object_set(p, "metadata", json_object_get(m, "properties"));
			json_decref(m);
		}
}

/* Those below a scope, or of one resource and key. */
static int assessments(struct wh_call *c, const char *key, json_t **out, struct wh_error *err)
{
	struct wh_postures x;
	json_t *doc = NULL, *a;
	size_t i;
	const char *scope = *c->values[0] == '/' ? c->values[0] : wh_arena_printf(c->mem, "/%s", c->values[0]);
	bool metadata = key && !strcasecmp(wh_call_query(c, "$expand"), "metadata");
	int rc = wh_postures_open(c, metadata ? WH_WANT_LIST : 0, NULL, &x, err);
	rc = rc ? rc : wh_app_assessments(x.p, &(struct wh_app_assessments){.assessment = key, .all = true}, &doc, err);
	*out = json_array();
	json_array_foreach(json_object_get(doc, "assessments"), i, a) {
		const char *id = wh_call_id(wh_call_member(a, "resourceId"), wh_call_member(a, "resourceId"), c->mem);
		if (key ? !strcasecmp(id, scope) : within(id, scope))
			json_array_append_new(*out, assessment_json(c, a));
	}
	if (key && json_array_size(*out))
		expand(c, json_array_get(*out, 0), x.list);
	json_decref(doc);
	wh_postures_close(&x);
	return rc;
}

WH_ENDPOINT(assessments_list)
{
	json_t *list;
	int rc = assessments(c, NULL, &list, err);
	if (!rc)
		return wh_call_list(c, list);
	json_decref(list);
	return rc;
}

WH_ENDPOINT(assessment_get)
{
	const char *more = wh_call_query(c, "$expand");
	json_t *list;
	if (*more && strcasecmp(more, "links") && strcasecmp(more, "metadata"))
		return wh_call_refuse(c, 400, "InvalidRequestContent", "$expand is links or metadata");
	int rc = assessments(c, c->values[1], &list, err);
	if (!rc)
		rc = json_array_size(list) ? wh_call_json(c, 200, json_incref(json_array_get(list, 0)))
		                           : wh_call_refuse(c, 404, "ResourceNotFound", "this resource has no such assessment");
	json_decref(list);
	return rc;
}

/* ---- their metadata ---- */

/* key NULL: all. */
static int metadata(struct wh_call *c, const char *key, const char *scope, struct wh_error *err)
{
	struct wh_postures x;
	json_t *list = json_array(), *a;
	size_t i;
	int rc = wh_postures_open(c, WH_WANT_LIST, NULL, &x, err);
	json_array_foreach(x.list, i, a)
		if (!key || !strcasecmp(wh_call_member(a, "name"), key))
			json_array_append_new(list, metadata_json(c, a, scope));
	if (!rc)
		wh_postures_close(&x);
	if (!rc && !key)
		return wh_call_list(c, list);
	if (!rc)
		rc = json_array_size(list) ? wh_call_json(c, 200, json_incref(json_array_get(list, 0)))
		                           : wh_call_refuse(c, 404, "ResourceNotFound", "there is no assessment '%.60s'", key);
	json_decref(list);
	return rc;
}

WH_ENDPOINT(metadata_list)
{
	return metadata(c, NULL, c->target.n > 3 ? wh_arena_printf(c->mem, "/subscriptions/%s", c->values[0]) : "", err);
}

WH_ENDPOINT(metadata_get)
{
	bool in = c->target.n > 4;
	return metadata(c, c->values[in], in ? wh_arena_printf(c->mem, "/subscriptions/%s", c->values[0]) : "", err);
}

/* ---- our own ---- */

static int own(struct wh_call *c, unsigned want, struct wh_error *err)
{
	const char *standard = wh_call_query(c, "standard");
	struct wh_postures x;
	int rc = wh_postures_open(c, want, *standard ? standard : NULL, &x, err);
	if (rc)
		return rc;
	wh_call_json(c, 200, json_incref(want == WH_WANT_COMPLIANCE ? x.compliance : want == WH_WANT_SCORE ? x.score : x.list));
	wh_postures_close(&x);
	return 0;
}

WH_ENDPOINT(own_compliance)
{
	return own(c, WH_WANT_COMPLIANCE, err);
}

/* The command draws it: this process has no such library. */
WH_ENDPOINT(own_report)
{
	struct wh_gate_request r = wh_call_gate(c, WH_GATE_REPORT);
	char *pdf;
	size_t n;
	snprintf(r.resource, sizeof r.resource, "%.200s", wh_call_query(c, "standard"));
	int rc = wh_call_output(c, &r, &pdf, &n, err);
	if (!rc) {
		c->file = "network-security.pdf";
		return wh_call_text(c, pdf, n, "application/pdf");
	}
	free(pdf);
	return rc;
}

WH_ENDPOINT(own_score)
{
	return own(c, WH_WANT_SCORE, err);
}

WH_ENDPOINT(own_recommendations)
{
	return own(c, WH_WANT_LIST, err);
}

WH_ENDPOINT(own_verdicts)
{
	const char *key = wh_call_query(c, "assessment");
	struct wh_postures x;
	json_t *doc;
	int rc = wh_postures_open(c, 0, NULL, &x, err);
	if (rc)
		return rc;
	rc = wh_app_assessments(x.p, &(struct wh_app_assessments){.assessment = *key ? key : NULL, .all = true}, &doc, err);
	wh_postures_close(&x);
	return rc ? rc : wh_call_json(c, 200, doc);
}

WH_ENDPOINT(own_inventory)
{
	struct wh_postures x;
	json_t *doc;
	int rc = wh_postures_open(c, 0, NULL, &x, err);
	if (rc)
		return rc;
	rc = wh_app_inventory(x.p, &(struct wh_app_inventory){.type = NULL}, &doc, err);
	wh_postures_close(&x);
	return rc ? rc : wh_call_json(c, 200, doc);
}

WH_ENDPOINT(own_standards)
{
	json_t *doc;
	int rc = wh_app_standards(c->app, &doc, err);
	return rc ? rc : wh_call_json(c, 200, json_pack("{s:o}", "value", doc));
}
