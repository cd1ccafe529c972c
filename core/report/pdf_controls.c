/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control by control: each assessment with its state, and the resources that fail, that are exempt, that have no evidence, and
 * that pass. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report/pdf.h"

enum { MOST_ROWS = 2000, MOST_NAMES = 60 };

/* ---- rows of resources ---- */

static void rows_head(struct pdf *p, void *arg)
{
	const json_t *a = arg;
	char text[256];
	snprintf(text, sizeof text, "%.200s (continued)", pdf_clean(pdf_text_of(a, "displayName")));
	p->y += pdf_text_at(p, PDF_SMALL, PDF_GREY, PDF_MARGIN + 8, p->y, PDF_TEXT - 8, text, true) + 4;
}

static const double NAME = 160;

static void row(struct pdf *p, const json_t *r, const char *why, enum pdf_colour c, bool shade)
{
	double text = PDF_TEXT - NAME - 28,
	       height = pdf_text_at(p, PDF_CELL, PDF_BLACK, 0, 0, NAME, pdf_clean(pdf_text_of(r, "name")), false);
	double other = pdf_text_at(p, PDF_OTHER_CELL, PDF_BLACK, 0, 0, text, pdf_clean(why), false);
	height = other > height ? other : height;
	pdf_need(p, height + 4);
	if (shade)
		pdf_box(p, PDF_LIGHT, PDF_MARGIN + 8, p->y - 1, PDF_TEXT - 8, height + 3);
	pdf_box(p, c, PDF_MARGIN + 8, p->y - 1, 2.5, height + 3);
	pdf_show(p, PDF_CELL, PDF_BLACK, PDF_MARGIN + 15, p->y);
	pdf_show(p, PDF_OTHER_CELL, PDF_GREY, PDF_MARGIN + 20 + NAME, p->y);
	p->y += height + 3;
}

static bool is(const json_t *r, const char *status, bool exempt)
{
	return exempt ? json_object_get(r, "exempt") != NULL
	              : !json_object_get(r, "exempt") && !strcmp(pdf_text_of(r, "status"), status);
}

static void rows(struct pdf *p, json_t *a, const char *status, bool exempt, enum pdf_colour c)
{
	size_t i, n = 0;
	char more[96];
	json_t *r;
	p->again = rows_head;
	p->again_arg = a;
	json_array_foreach(json_object_get(a, "resources"), i, r) {
		if (!is(r, status, exempt))
			continue;
		if (n < MOST_ROWS)
			row(p, r, exempt ? pdf_text_of(r, "exempt") : pdf_text_of(r, "cause"), c, n % 2);
		n++;
	}
	p->again = NULL;
	if (n > MOST_ROWS) {
		snprintf(more, sizeof more, "and %zu more: `whittle compliance --csv` lists all", n - MOST_ROWS);
		pdf_paragraph(p, PDF_SMALL, PDF_GREY, 15, more);
	}
}

/* ---- names of resources that need no row ---- */

static int by_cause(const void *x, const void *y)
{
	const json_t *a = *(json_t *const *)x, *b = *(json_t *const *)y;
	int c = strcmp(pdf_text_of(a, "cause"), pdf_text_of(b, "cause"));
	return c ? c : strcmp(pdf_text_of(a, "id"), pdf_text_of(b, "id"));
}

static void names(struct pdf *p, json_t *const *list, size_t n, const char *head, bool cause)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return;
	fprintf(f, "%zu %s", n, head);
	if (cause)
		fprintf(f, ": %s", pdf_text_of(list[0], "cause"));
	fputs(" — ", f);
	for (size_t i = 0; i < n && i < MOST_NAMES; i++)
		fprintf(f, "%s%s", i ? ", " : "", pdf_text_of(list[i], "name"));
	if (n > MOST_NAMES)
		fprintf(f, " and %zu more", n - MOST_NAMES);
	fclose(f);
	pdf_paragraph(p, PDF_SMALL, PDF_GREY, 8, pdf_clean(text));
	pdf_space(p, 2);
	free(text);
}

/* Those of one status, grouped by cause if causes differ. */
static void named(struct pdf *p, const json_t *a, const char *status, const char *head, bool cause)
{
	const json_t *resources = json_object_get(a, "resources");
	json_t **list = calloc(json_array_size(resources) + 1, sizeof *list), *r;
	size_t i, n = 0;
	json_array_foreach((json_t *)resources, i, r)
		if (list && is(r, status, false))
			list[n++] = r;
	if (n && cause)
		qsort(list, n, sizeof *list, by_cause);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1;
		     to < n && (!cause || !strcmp(pdf_text_of(list[from], "cause"), pdf_text_of(list[to], "cause")));)
			to++;
		names(p, list + from, to - from, head, cause);
	}
	free(list);
}

/* ---- assessments ---- */

/* At the right end of the line. */
static void state_label(struct pdf *p, const char *state, enum pdf_colour colour, double y)
{
	pango_layout_set_alignment(p->layout[PDF_BOLD], PANGO_ALIGN_RIGHT);
	pdf_text_at(p, PDF_BOLD, colour, PDF_WIDTH - PDF_MARGIN - 84, y, 84,
	            !strcmp(state, "Unsupported") ? "Not assessed" : state, true);
	pango_layout_set_alignment(p->layout[PDF_BOLD], PANGO_ALIGN_LEFT);
}

static void assessment(struct pdf *p, json_t *a, int parent)
{
	char line[512];
	pdf_need(p, 70);
	pdf_outline(p, parent, pdf_text_of(a, "displayName"), NULL);
	state_label(p, pdf_text_of(a, "state"), pdf_state_colour(pdf_text_of(a, "state")), p->y);
	p->y += pdf_text_at(p, PDF_SUBHEADING, PDF_BLACK, PDF_MARGIN, p->y, PDF_TEXT - 92,
	                    pdf_clean(pdf_text_of(a, "displayName")), true) +
	        2;
	snprintf(line, sizeof line, "%s severity%s · %lld passed, %lld failed, %lld skipped, %lld without evidence · %s",
	         pdf_text_of(a, "severity"), json_is_true(json_object_get(a, "preview")) ? " · preview" : "",
	         pdf_number_of(a, "passedResources"), pdf_number_of(a, "failedResources"), pdf_number_of(a, "skippedResources"),
	         pdf_number_of(a, "unsupportedResources"), pdf_text_of(a, "name"));
	pdf_paragraph(p, PDF_SMALL, PDF_GREY, 0, pdf_clean(line));
	pdf_space(p, 2);
	pdf_paragraph(p, PDF_BODY, PDF_BLACK, 0, pdf_clean(pdf_text_of(a, "description")));
	if (*pdf_text_of(a, "question")) {
		snprintf(line, sizeof line, "Question: %.480s", pdf_text_of(a, "question"));
		pdf_paragraph(p, PDF_BODY, PDF_GREY, 0, pdf_clean(line));
	}
	if (pdf_number_of(a, "failedResources")) {
		snprintf(line, sizeof line, "What to do: %.480s", pdf_text_of(a, "remediation"));
		pdf_paragraph(p, PDF_BODY, PDF_BLACK, 0, pdf_clean(line));
	}
	pdf_space(p, 3);
	rows(p, a, "Unhealthy", false, PDF_RED);
	rows(p, a, "", true, PDF_AMBER);
	pdf_space(p, 2);
	if (!*pdf_text_of(a, "question"))
		named(p, a, "NoEvidence", "without evidence", true);
	else if (pdf_number_of(a, "unsupportedResources"))
		pdf_paragraph(p, PDF_SMALL, PDF_GREY, 8, "Nobody answered it.");
	named(p, a, "Healthy", "passed", *pdf_text_of(a, "question") != 0);
	named(p, a, "NotApplicable", "not applicable", false);
	pdf_space(p, 10);
}

/* A control passes by the assessments that could be judged: the number of the others is below its state. */
static void control_head(struct pdf *p, const json_t *c, const char *title)
{
	char line[128];
	state_label(p, pdf_text_of(c, "state"), pdf_control_colour(c), p->y + 4);
	p->y += pdf_text_at(p, PDF_HEADING, PDF_BLACK, PDF_MARGIN, p->y, PDF_TEXT - 90, pdf_clean(title), true) + 4;
	snprintf(line, sizeof line, "Assessments: %lld passed, %lld failed, %lld not assessed, %lld skipped",
	         pdf_number_of(c, "passedAssessments"), pdf_number_of(c, "failedAssessments"),
	         pdf_number_of(c, "unsupportedAssessments"), pdf_number_of(c, "skippedAssessments"));
	pdf_paragraph(p, PDF_SMALL, PDF_GREY, 0, line);
	if (*pdf_text_of(c, "question"))
		pdf_paragraph(p, PDF_BODY, PDF_GREY, 0, pdf_clean(pdf_text_of(c, "question")));
	pdf_space(p, 8);
}

void pdf_controls(struct pdf *p, const json_t *doc)
{
	char running[256], name[96];
	json_t *c, *a;
	size_t i, k, empty;
	json_array_foreach(json_object_get(doc, "controls"), i, c) {
		const char *id = pdf_text_of(c, "id");
		snprintf(running, sizeof running, "%s %s", id, pdf_text_of(c, "name"));
		p->running = running;
		pdf_new_page(p);
		snprintf(name, sizeof name, "control-%.60s", pdf_clean(id));
		int parent = pdf_outline(p, 0, running, strpbrk(name, "'\\") ? NULL : name);
		control_head(p, c, running);
		empty = 0;
		json_array_foreach(json_object_get(c, "assessments"), k, a)
			if (json_array_size(json_object_get(a, "resources")))
				assessment(p, a, parent);
			else
				empty++;
		if (!empty)
			continue;
		snprintf(name, sizeof name, "%zu assessment%s found no resource of its kind:", empty, empty == 1 ? "" : "s");
		pdf_need(p, 40);
		pdf_paragraph(p, PDF_BOLD, PDF_GREY, 0, name);
		json_array_foreach(json_object_get(c, "assessments"), k, a)
			if (!json_array_size(json_object_get(a, "resources")))
				pdf_paragraph(p, PDF_SMALL, PDF_GREY, 8, pdf_clean(pdf_text_of(a, "displayName")));
	}
}
