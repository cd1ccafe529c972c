/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JUnit's XML, in the form that CI pipelines show. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "whittle/report.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));
	return t ? t : "";
}

/* U+FFFE and U+FFFF */
static bool is_no_character(const char *t)
{
	return !strncmp(t, "\xef\xbf\xbe", 3) || !strncmp(t, "\xef\xbf\xbf", 3);
}

/* Characters that XML 1.0 does not allow become '?'. */
static void escaped(FILE *f, const char *t)
{
	for (; *t; t += is_no_character(t) ? 3 : 1)
		switch (*t) {
		case '&': fputs("&amp;", f); break;
		case '<': fputs("&lt;", f); break;
		case '>': fputs("&gt;", f); break;
		case '"': fputs("&quot;", f); break;
		default: fputc((unsigned char)*t < 0x20 || is_no_character(t) ? '?' : *t, f);
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
	attribute(f, "time", "0");
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
	size_t len, failed, skipped, all = 0;
	char *out = NULL;
	FILE *f = open_memstream(&out, &len);
	if (!f)
		return NULL;
	for (size_t i = 0; i < json_array_size(list);) {
		i = measure(list, i, &failed, &skipped);
		all += failed;
	}
	fprintf(f,
	        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"whittle\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
	        "time=\"0\">\n",
	        json_array_size(list), all);
	for (size_t i = 0, to; i < json_array_size(list); i = to) {
		to = measure(list, i, &failed, &skipped);
		fputs("  <testsuite", f);
		attribute(f, "name", text_of(json_array_get(list, i), "displayName"));
		fprintf(f, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"0\">\n", to - i, failed, skipped);
		for (size_t k = i; k < to; k++)
			one_case(f, json_array_get(list, k));
		fputs("  </testsuite>\n", f);
	}
	fputs("</testsuites>\n", f);
	return fclose(f) ? NULL : out;
}
