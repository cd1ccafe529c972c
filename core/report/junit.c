/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JUnit's XML, in the form that CI pipelines show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "whittle/report.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));
	return t ? t : "";
}

/* Characters that XML 1.0 does not allow become '?'. */
static void escaped(FILE *f, const char *t)
{
	for (; *t; t++)
		switch (*t) {
		case '&': fputs("&amp;", f); break;
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '"': fputs("&quot;", f); break;
		default: fputc((unsigned char)*t < 0x20 ? '?' : *t, f);
		}
}

static void attribute(FILE *f, const char *name, const char *value)
{
	fprintf(f, " %s=\"", name);
	escaped(f, value);
	fputc('"', f);
}

static void one_case(FILE *f, const json_t *v)
{
	const char *status = text_of(v, "status"), *exempt = text_of(v, "exempt");
	fputs("    <testcase", f);
	attribute(f, "classname", text_of(v, "name"));
	attribute(f, "name", text_of(v, "resourceId"));
	if (!*exempt && !strcmp(status, "Healthy")) {
		fputs("/>\n", f);
		return;
	}
	bool failed = !*exempt && !strcmp(status, "Unhealthy");
	fprintf(f, ">\n      <%s", failed ? "failure" : "skipped");
	if (failed)
		attribute(f, "type", text_of(v, "severity"));
	attribute(f, "message", *exempt ? exempt : *text_of(v, "cause") ? text_of(v, "cause") : status);
	fputs("/>\n    </testcase>\n", f);
}

/* The verdicts of one assessment are adjacent: returns their number, and how many failed and were skipped. */
static size_t measure(const json_t *list, size_t from, size_t *failed, size_t *skipped)
{
	size_t to = from;
	const char *name = text_of(json_array_get(list, from), "name");
	*failed = *skipped = 0;
	for (; to < json_array_size(list) && !strcmp(text_of(json_array_get(list, to), "name"), name); to++) {
		const json_t *v = json_array_get(list, to);
		bool exempt = *text_of(v, "exempt");
		*failed += !exempt && !strcmp(text_of(v, "status"), "Unhealthy");
		*skipped += exempt || !strncmp(text_of(v, "status"), "No", 2);
	}
	return to;
}

char *wh_report_junit(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "assessments");
	size_t len, failed, skipped;
	char *out = NULL;
	FILE *f = open_memstream(&out, &len);
	if (!f)
		return NULL;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"whittle\">\n", f);
	for (size_t i = 0, to; i < json_array_size(list); i = to) {
		to = measure(list, i, &failed, &skipped);
		fputs("  <testsuite", f);
		attribute(f, "name", text_of(json_array_get(list, i), "displayName"));
		fprintf(f, " tests=\"%zu\" failures=\"%zu\" skipped=\"%zu\">\n", to - i, failed, skipped);
		for (size_t k = i; k < to; k++)
			one_case(f, json_array_get(list, k));
		fputs("  </testsuite>\n", f);
	}
	fputs("</testsuites>\n", f);
	return fclose(f) ? NULL : out;
}
