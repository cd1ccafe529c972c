/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first page: the state, the score with a chart, the controls, and the inputs. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "report/pdf.h"

/* ---- the chart ---- */

static void ring(struct pdf *p, double x, double y, double radius, double from, double to, enum pdf_colour c)
{
	pdf_colour(p, c);
	cairo_set_line_width(p->cr, 13);
	cairo_new_path(p->cr);
	cairo_arc(p->cr, x, y, radius, from * 2 * M_PI - M_PI / 2, to * 2 * M_PI - M_PI / 2);
	cairo_stroke(p->cr);
}

static void centred(struct pdf *p, enum pdf_font f, enum pdf_colour c, double x, double y, double width, const char *text)
{
	pango_layout_set_alignment(p->layout[f], PANGO_ALIGN_CENTER);
	pdf_text_at(p, f, c, x, y, width, text, true);
	pango_layout_set_alignment(p->layout[f], PANGO_ALIGN_LEFT);
}

static void score_ring(struct pdf *p, const json_t *score, double x, double y)
{
	const json_t *percent = json_object_get(score, "percent");
	double share = json_is_real(percent) ? json_real_value(percent) / 100 : -1;
	char text[32];
	ring(p, x, y, 46, 0, 1, PDF_LIGHT);
	if (share > 0)
		ring(p, x, y, 46, 0, share > 0.9999 ? 0.9999 : share,
		     share < 0.5   ? PDF_RED
		     : share < 0.8 ? PDF_AMBER
		                   : PDF_GREEN);
	snprintf(text, sizeof text, share < 0 ? "–" : "%.0f %%", 100 * share);
	centred(p, PDF_HEADING, PDF_BLACK, x - 40, y - 12, 80, text);
	centred(p, PDF_SMALL, PDF_GREY, x - 40, y + 7, 80, "secure score");
}

/* Passed, failed and not assessed as one bar. */
static void bar(struct pdf *p, double x, double y, double width, double height, const long long n[3])
{
	static const enum pdf_colour colours[] = {PDF_GREEN, PDF_RED, PDF_LIGHT};
	double all = (double)(n[0] + n[1] + n[2]);
	for (int i = 0; i < 3 && all > 0; i++) {
		double part = width * (double)n[i] / all;
		pdf_box(p, colours[i], x, y, part, height);
		x += part;
	}
}

static void chart(struct pdf *p, const json_t *doc)
{
	const long long partly = pdf_number_of(doc, "partlyPassedControls"),
			controls[] = {pdf_number_of(doc, "passedControls") - partly, pdf_number_of(doc, "failedControls"),
	                              partly + pdf_number_of(doc, "unsupportedControls") + pdf_number_of(doc, "skippedControls")};
	const long long assessments[] = {pdf_number_of(doc, "passedAssessments"), pdf_number_of(doc, "failedAssessments"),
	                                 pdf_number_of(doc, "unsupportedAssessments") + pdf_number_of(doc, "skippedAssessments")};
	char text[160];
	double top = p->y + 8, left = PDF_MARGIN + 140, width = PDF_TEXT - 140;
	score_ring(p, json_object_get(doc, "score"), PDF_MARGIN + 58, top + 52);
	pdf_text_at(p, PDF_BOLD, PDF_BLACK, left, top + 8, width, "Controls", true);
	bar(p, left, top + 22, width, 12, controls);
	snprintf(text, sizeof text, "%lld passed, %lld passed in part, %lld failed, %lld not assessed", controls[0], partly,
	         controls[1], controls[2] - partly);
	pdf_text_at(p, PDF_SMALL, PDF_GREY, left, top + 37, width, text, true);
	pdf_text_at(p, PDF_BOLD, PDF_BLACK, left, top + 56, width, "Assessments", true);
	bar(p, left, top + 70, width, 12, assessments);
	snprintf(text, sizeof text, "%lld passed, %lld failed, %lld not assessed", assessments[0], assessments[1],
	         assessments[2]);
	pdf_text_at(p, PDF_SMALL, PDF_GREY, left, top + 85, width, text, true);
	p->y = top + 112;
}

/* ---- tables ---- */

static void control_row(struct pdf *p, const json_t *c)
{
	const long long n[] = {pdf_number_of(c, "passedAssessments"), pdf_number_of(c, "failedAssessments"),
	                       pdf_number_of(c, "unsupportedAssessments") + pdf_number_of(c, "skippedAssessments")};
	const char *id = pdf_text_of(c, "id"), *state = pdf_text_of(c, "state");
	bool partly = pdf_number_of(c, "unsupportedAssessments") > 0;
	char link[96], text[64];
	double name = 190, height = pdf_text_at(p, PDF_BODY, PDF_BLACK, 0, 0, name, pdf_clean(pdf_text_of(c, "name")), false);
	height = height < 14 ? 14 : height;
	pdf_need(p, height + 5);
	snprintf(link, sizeof link, "dest='control-%.60s'", pdf_clean(id));
	bool linked = p->drawing && !strpbrk(id, "'\\"); /* either would break the page */
	if (linked)
		cairo_tag_begin(p->cr, CAIRO_TAG_LINK, link);
	pdf_text_at(p, PDF_BOLD, PDF_BLUE, PDF_MARGIN, p->y, 46, pdf_clean(id), true);
	if (linked)
		cairo_tag_end(p->cr, CAIRO_TAG_LINK);
	pdf_text_at(p, PDF_BODY, PDF_BLACK, PDF_MARGIN + 48, p->y, name, pdf_clean(pdf_text_of(c, "name")), true);
	pdf_text_at(p, PDF_BOLD, pdf_control_colour(c), PDF_MARGIN + 246, p->y, 72,
	            !strcmp(state, "Unsupported")           ? "Not assessed"
	            : !strcmp(state, "Passed") && partly ? "Passed in part"
	                                                 : state,
	            true);
	bar(p, PDF_MARGIN + 322, p->y + 3, 90, 7, n);
	snprintf(text, sizeof text, "%lld / %lld / %lld", n[0], n[1], n[2]);
	pdf_text_at(p, PDF_SMALL, PDF_GREY, PDF_MARGIN + 420, p->y + 1, 80, text, true);
	p->y += height + 4;
	pdf_box(p, PDF_LIGHT, PDF_MARGIN, p->y - 2, PDF_TEXT, 0.5);
}

static void controls_head(struct pdf *p, void *arg)
{
	static const struct {
		double x, width;
		const char *text;
	} heads[] = {{0, 46, "Control"}, {246, 72, "State"}, {322, 178, "Assessments: passed / failed / not assessed"}};
	(void)arg;
	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		pdf_text_at(p, PDF_SMALL, PDF_GREY, PDF_MARGIN + heads[i].x, p->y, heads[i].width, heads[i].text, true);
	p->y += 14;
}

static void inputs(struct pdf *p, const json_t *doc)
{
	json_t *v;
	size_t i;
	pdf_need(p, 60);
	pdf_space(p, 12);
	pdf_outline(p, 0, "What was read", NULL);
	pdf_paragraph(p, PDF_SUBHEADING, PDF_BLACK, 0, "What was read, and from when it is");
	pdf_space(p, 3);
	json_array_foreach(json_object_get(doc, "inputs"), i, v) {
		double height = pdf_text_at(p, PDF_BODY, PDF_BLACK, 0, 0, 270, pdf_clean(pdf_text_of(v, "what")), false);
		pdf_need(p, height + 2);
		pdf_text_at(p, PDF_BODY, PDF_BLACK, PDF_MARGIN, p->y, 100, pdf_clean(pdf_text_of(v, "name")), true);
		pdf_text_at(p, PDF_BODY, PDF_BLACK, PDF_MARGIN + 104, p->y, 270, pdf_clean(pdf_text_of(v, "what")), true);
		pdf_text_at(p, PDF_BODY, PDF_GREY, PDF_MARGIN + 380, p->y, 120,
		            *pdf_text_of(v, "at") ? pdf_clean(pdf_text_of(v, "at")) : "date not known", true);
		p->y += height + 2;
	}
}

void pdf_summary(struct pdf *p, const json_t *doc)
{
	const json_t *standard = json_object_get(doc, "standard");
	char text[256];
	json_t *c;
	size_t i;
	pdf_outline(p, 0, "Summary", "summary");
	pdf_paragraph(p, PDF_TITLE, PDF_BLACK, 0, pdf_clean(pdf_text_of(standard, "name")));
	snprintf(text, sizeof text, "Version %s%s · as of %s", pdf_text_of(standard, "version"),
	         json_is_true(json_object_get(standard, "preview")) ? " (preview)" : "",
	         *pdf_text_of(doc, "at") ? pdf_text_of(doc, "at") : "an unknown date");
	pdf_paragraph(p, PDF_BODY, PDF_GREY, 0, pdf_clean(text));
	pdf_space(p, 8);
	chart(p, doc);
	controls_head(p, NULL);
	p->again = controls_head;
	json_array_foreach(json_object_get(doc, "controls"), i, c)
		control_row(p, c);
	p->again = NULL;
	inputs(p, doc);
	pdf_space(p, 10);
	pdf_paragraph(
		p, PDF_SMALL, PDF_GREY, 0,
		"A control passes where all of its assessments pass, passes in part where some of them could not be judged, and fails where one fails. Not assessed means that the data does not tell: a question that nobody answered, a kind of resource that "
		"is not there, or traffic that was not seen by a sensor without loss. It is neither passed nor failed. Previews are shown and don't count. The secure score is, for each of its controls, the points of the control "
		"times the share of resources that are healthy in all of its assessments.");
}
