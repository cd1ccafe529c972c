/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files that draw the report: pages of A4, text that flows over them, and an outline. Lengths are points. */
#pragma once
#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include "whittle/report.h"

enum { PDF_WIDTH = 595, PDF_HEIGHT = 842, PDF_MARGIN = 48, PDF_BOTTOM = 54, PDF_TEXT = PDF_WIDTH - 2 * PDF_MARGIN };
enum pdf_colour { PDF_BLACK, PDF_GREY, PDF_LIGHT, PDF_RED, PDF_GREEN, PDF_AMBER, PDF_BLUE, PDF_WHITE };
enum pdf_font { PDF_TITLE, PDF_HEADING, PDF_SUBHEADING, PDF_BODY, PDF_SMALL, PDF_BOLD, PDF_CELL, PDF_OTHER_CELL, PDF_FONTS };

struct pdf {
	cairo_surface_t *surface;
	cairo_t *cr;
	PangoLayout *layout[PDF_FONTS];
	double y;                    /* where the next block begins */
	unsigned page, pages;        /* pages: of the whole report; 0 while they are counted */
	const char *title, *running; /* running: the text at the top of a page */
	bool drawing;                /* on the second pass; the first only measures */
	unsigned unknown;            /* ASCII characters that no font has; others are drawn as boxes with their numbers */
	void (*again)(struct pdf *p, void *arg); void *again_arg; /* what a new page begins with, as a table's head; NULL */
};

void pdf_colour(struct pdf *p, enum pdf_colour c);
/* Text in a box of that width at (x, y), wrapped; returns its height. Draws nothing if `draw` is false. */
double pdf_text_at(struct pdf *p, enum pdf_font f, enum pdf_colour c, double x, double y, double width, const char *text,
                   bool draw);
/* Draws the text that was measured last in this font: only for cells of a row, with PDF_CELL and
 * PDF_OTHER_CELL. */
void pdf_show(struct pdf *p, enum pdf_font f, enum pdf_colour c, double x, double y);
/* A paragraph at the left margin + indent, on the next page if it does not fit; paragraphs longer than a page are cut at
 * lines. */
void pdf_paragraph(struct pdf *p, enum pdf_font f, enum pdf_colour c, double indent, const char *text);
void pdf_space(struct pdf *p, double points);
void pdf_need(struct pdf *p, double points); /* a new page if less is left */
void pdf_new_page(struct pdf *p);
void pdf_box(struct pdf *p, enum pdf_colour c, double x, double y, double width, double height);
/* A place in the outline, below `parent` (0: the top), the target of links to that name. Returns its number. */
int pdf_outline(struct pdf *p, int parent, const char *text, const char *name);
/* A document's text without characters that would break a page: control characters, marks of direction. A static buffer that the
 * next call reuses. */
const char *pdf_clean(const char *text);

enum pdf_colour pdf_state_colour(const char *state);
enum pdf_colour pdf_control_colour(const json_t *control); /* green if all of it was assessed, and passed */
const char *pdf_text_of(const json_t *o, const char *key); /* "" if there is none */
long long pdf_number_of(const json_t *o, const char *key);

void pdf_summary(struct pdf *p, const json_t *doc);  /* pdf_summary.c */
void pdf_controls(struct pdf *p, const json_t *doc); /* pdf_controls.c */
