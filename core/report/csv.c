/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comma-separated values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "whittle/report.h"

/* One cell, and the text after it. */
static void cell(FILE *f, const char *text, const char *after)
{
	const char *t = text ? text : "";
	bool formula = *t && strchr("=+-@\t\r\n", *t);
	if (!formula && !strpbrk(t, ",\"\n\r")) {
		fprintf(f, "%s%s", t, after);
		return;
	}
	fputc('"', f);
	if (formula)
		fputc('\'', f);
	for (; *t; t++) {
		if (*t == '"')
			fputc('"', f);
		fputc(*t, f);
	}
	fprintf(f, "\"%s", after);
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void number(FILE *f, const json_t *o, const char *key, const char *after)
{
	fprintf(f, "%lld%s", (long long)json_integer_value(json_object_get(o, key)), after);
}

/* Texts of a list, with spaces between. */
static void list_cell(FILE *f, const json_t *list, const char *after)
{
	char *joined = NULL;
	size_t len, i;
	json_t *v;
	FILE *j = open_memstream(&joined, &len);
	if (!j)
		return;
	json_array_foreach((json_t *)list, i, v)
		fprintf(j, "%s%s", i ? " " : "", json_string_value(v));
	fclose(j);
	cell(f, joined, after);
	free(joined);
}

char *wh_report_csv_assessments(const json_t *doc)
{
	static const char *const keys[] = {"name",       "displayName",  "severity", "status",
	                                   "resourceId", "resourceType", "cause",    "exempt"};
	char *out = NULL;
	size_t len, i;
	json_t *a;
	FILE *f = open_memstream(&out, &len);
	if (!f)
		return NULL;
	fputs("assessment,displayName,severity,status,resourceId,resourceType,cause,exempt,controls\n", f);
	json_array_foreach(json_object_get(doc, "assessments"), i, a) {
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			cell(f, text_of(a, keys[k]), ",");
		list_cell(f, json_object_get(a, "controls"), "\n");
	}
	return fclose(f) ? NULL : out;
}

char *wh_report_csv_inventory(const json_t *doc)
{
	static const char *const keys[] = {"id", "name", "type", "location", "zone", "severity"}, *const severities[] = {
													  "high", "medium", "low",
													  "informational"};
	char *out = NULL;
	size_t len, i;
	json_t *r;
	FILE *f = open_memstream(&out, &len);
	if (!f)
		return NULL;
	fputs("id,name,type,location,zone,severity,high,medium,low,informational,alerts,addresses,unhealthy\n", f);
	json_array_foreach(json_object_get(doc, "resources"), i, r) {
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			cell(f, text_of(r, keys[k]), ",");
		for (size_t k = 0; k < sizeof severities / sizeof *severities; k++)
			number(f, json_object_get(r, "recommendations"), severities[k], ",");
		number(f, r, "alerts", ",");
		list_cell(f, json_object_get(r, "addresses"), ",");
		list_cell(f, json_object_get(r, "unhealthy"), "\n");
	}
	return fclose(f) ? NULL : out;
}

static void assessment_rows(FILE *f, const json_t *control, const json_t *a)
{
	static const char *const keys[] = {"name", "displayName", "severity", "state"};
	json_t *resources = json_object_get(a, "resources"), *r;
	size_t i, n = json_array_size(resources);
	for (i = 0; i < (n ? n : 1); i++) {
		r = json_array_get(resources, i);
		cell(f, text_of(control, "id"), ",");
		cell(f, text_of(control, "name"), ",");
		cell(f, text_of(control, "state"), ",");
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			cell(f, text_of(a, keys[k]), ",");
		cell(f, text_of(r, "id"), ",");
		cell(f, text_of(r, "status"), ",");
		cell(f, text_of(r, "cause"), ",");
		cell(f, text_of(r, "exempt"), "\n");
	}
}

char *wh_report_csv_compliance(const json_t *doc)
{
	char *out = NULL;
	size_t len, i, k;
	json_t *c, *a;
	FILE *f = open_memstream(&out, &len);
	if (!f)
		return NULL;
	fputs("control,controlName,controlState,assessment,displayName,severity,assessmentState,resourceId,status,cause,exempt\n",
	      f);
	json_array_foreach(json_object_get(doc, "controls"), i, c)
		json_array_foreach(json_object_get(c, "assessments"), k, a)
			assessment_rows(f, c, a);
	return fclose(f) ? NULL : out;
}
