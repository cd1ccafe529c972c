/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app: what a person can ask for, one function a use case. Each returns a document; the commands print it, and the server answers with it. Nothing
 * here prints, and nothing outside this room decides.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"

/* ---- assess ---- */
struct wh_app_assess {
	const char *const *policies; size_t n_policies;   /* definitions: files, or directories of .json files */
	const char *const *resources; size_t n_resources; /* inventories: the same */
	const char *parameters;                           /* a file with {name: value, …} over the definitions' defaults; NULL: none */
};
/*
 * Every definition on every resource that it is about. *out, a new reference:
 *   {"version":1, "assessments":[{"name", "policyDefinitionId", "displayName", "controls":[], "severity":null, "resourceId", "status", "cause"}…],
 *    "counts":{"Healthy", "Unhealthy", "NotApplicable"}, "resources":N, "definitions":N, "notes":["…"]}
 * by definition, then by resource's id. A definition that is about none of the resources is named in notes, as is each one that data keeps
 * from a verdict. An unreadable file or an unknown keyword is an error: nothing is assessed by half.
 */
int wh_app_assess(const struct wh_app_assess *ask, json_t **out, struct wh_error *err);
