/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The posture of the estate: assessments, the inventory of its resources, compliance with a standard, the score. */
#pragma once
#include "whittle/app.h"
#include "whittle/posture.h"

struct wh_app_posture;
/* Assesses the ledger's estate with its traffic and alerts; with paths, only the inventory in these documents. */
int wh_app_posture_open(const struct wh_app *a, const char *const *paths, size_t n, struct wh_app_posture **out,
                        struct wh_error *err);
void wh_app_posture_free(struct wh_app_posture *p); /* NULL is fine */
const struct wh_pack *wh_app_posture_pack(const struct wh_app_posture *p);

struct wh_app_assessments {
	const char *assessment;             /* a key, a policy's GUID or a name; NULL: all */
	const char *resource;               /* an id or a name; NULL: all */
	const char *control;                /* "NS-8"; NULL: any */
	enum wh_severity least;             /* and worse */
	bool all;                           /* NotApplicable, too */
	void (*each)(void *arg, json_t *verdict); /* takes each verdict with its reference, which the document then lacks; NULL */
	void *arg;
};
/*
 * {"version":1, "assessments":[{"name":KEY, "policyDefinitionId", "displayName", "controls":["NS-1"], "severity":"High",
 * "resourceId", "resourceType", "status":"Healthy|Unhealthy| NotApplicable|NoEvidence", "cause", "exempt"}…],
 * "counts":{"Healthy", "Unhealthy", "NotApplicable", "NoEvidence", "exempt"}, "resources":N, "notes":[…]}; by assessment, then by
 * resource.
 */
int wh_app_assessments(const struct wh_app_posture *p, const struct wh_app_assessments *ask, json_t **out, struct wh_error *err);
/* The assessments themselves: [{"name", "displayName", "severity", "controls", "description", "remediation", "preview",
 * "question", "state", "healthy", "unhealthy", "notApplicable", "noEvidence", "exempt"}…]. */
json_t *wh_app_assessment_list(const struct wh_app_posture *p);
/* one that is Unhealthy, not exempt and no preview, of that severity or worse */
bool wh_app_assessment_worse(const json_t *verdict, enum wh_severity least);
bool wh_app_assessments_worse(const json_t *doc, enum wh_severity least);

struct wh_app_inventory {
	/* a part of the type; "internet-facing" or "internal"; "high" …; a key; "key=value" or "key"; a part. NULL: any */
	const char *type, *zone, *severity, *assessment, *label, *name;
	const char *sort;                   /* a word of wh_app_inventory_orders; NULL: the first */
};
extern const char *const wh_app_inventory_orders[]; /* "severity", "name", "type", "zone", "alerts"; NULL at the end */
/* {"resources":[{"id", "name", "type", "location", "zone", "labels":{}, "addresses":[…], "recommendations":{"high", "medium",
 * "low", "informational"}, "unhealthy":[KEY…], "alerts":N, "severity"}…], "total":N}. */
int wh_app_inventory(const struct wh_app_posture *p, const struct wh_app_inventory *ask, json_t **out, struct wh_error *err);

/*
 * standard: the file's name below rules/standards ("mcsb-v1", "cis-v8", …); NULL: the benchmark. {"version":1, "standard":{"id",
 * "name", "version", "preview"}, "at", "inputs":[{"name", "what", "at"}…], "state", "passedControls", "failedControls",
 * "skippedControls", "unsupportedControls", "partlyPassedControls" (of those that passed: some of whose assessments could not be
 * judged), "passedAssessments", "failedAssessments", "unsupportedAssessments", "percent",
 * "score":{…}, "controls":[{"id", "name", "state", "question", "of" (a sub-control's control: it does not count),
 * "passedAssessments", …, "assessments":[{"name", "displayName", "severity", "state", "preview", "description", "remediation",
 * "question", "passedResources", "failedResources", "skippedResources", "unsupportedResources", "resources":[{"id", "name",
 * "status", "cause", "exempt"}…]}…]}…]}
 */
int wh_app_compliance(const struct wh_app_posture *p, const char *standard, json_t **out, struct wh_error *err);
/* The standards that there are: [{"id", "name", "version", "preview"}…]. */
int wh_app_standards(const struct wh_app *a, json_t **out, struct wh_error *err);
/* {"percent", "current", "max", "subscriptions":[{"id", "weight", "percent", "current", "max", "controls":[{"id", "name", "max",
 * "current", "potentialIncrease", "healthy", "unhealthy"}…]}…]} */
json_t *wh_app_score(const struct wh_app_posture *p);
/* Keeps today's score and the standard's counts, if the posture is of the ledger; and lists the kept ones. */
int wh_app_posture_keep(const struct wh_app *a, const struct wh_app_posture *p, const json_t *compliance, struct wh_error *err);
int wh_app_score_history(const struct wh_app *a, json_t **out, struct wh_error *err);

/* People's decisions. Each is written to the journal. */
int wh_app_exempt(const struct wh_app *a, const struct wh_exemption *e, struct wh_error *err);
int wh_app_unexempt(const struct wh_app *a, const char *assessment, const char *resource, struct wh_error *err);
int wh_app_exemptions(const struct wh_app *a, json_t **out, struct wh_error *err);
int wh_app_answer(const struct wh_app *a, const struct wh_answer_given *given, const char *evidence_file, struct wh_error *err);
int wh_app_unanswer(const struct wh_app *a, const char *assessment, struct wh_error *err);
int wh_app_answers(const struct wh_app *a, json_t **out, struct wh_error *err);
