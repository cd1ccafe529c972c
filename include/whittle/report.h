/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: documents about the estate's posture, in formats for other programs and auditors. Each takes a document of core/app
 * (whittle/app_posture.h) and nothing else. Texts are free()d by the caller; NULL: out of memory. Texts from inventories are
 * hostile: each format escapes its special characters.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"

/* RFC 4180, but lines end as in other texts. A cell that a spreadsheet would take for a formula begins with an apostrophe. */
char *wh_report_csv_assessments(const json_t *doc);
char *wh_report_csv_inventory(const json_t *doc);
char *wh_report_csv_compliance(const json_t *doc); /* a row a control, assessment and resource */
/* SARIF 2.1.0: a rule an assessment of `list` (wh_app_assessment_list), a result a verdict that is Unhealthy; suppressed where
 * exempt. A new reference. */
json_t *wh_report_sarif(const json_t *doc, const json_t *list);
/* JUnit: a suite an assessment, a case a resource; NoEvidence and exempt are skipped. */
char *wh_report_junit(const json_t *doc);

/*
 * The PDF of a compliance document. `made_us` is written as its date, so that two runs give equal files. Cairo and pango draw it,
 * which are loaded only for this (whittle-report.so); -ELIBACC if they are missing. free(*out).
 */
int wh_report_pdf(const json_t *compliance, int64_t made_us, char **out, size_t *len, struct wh_error *err);
