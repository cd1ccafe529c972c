/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages and text on them. */
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "report/pdf.h"

void pdf_colour(struct pdf *p, enum pdf_colour c)
{
	static const double rgb[][3] = {
		[PDF_BLACK] = {0.12, 0.13, 0.15}, [PDF_GREY] = {0.42, 0.45, 0.49},  [PDF_LIGHT] = {0.92, 0.93, 0.94},
		[PDF_RED] = {0.75, 0.15, 0.13},   [PDF_GREEN] = {0.13, 0.50, 0.25}, [PDF_AMBER] = {0.70, 0.43, 0.02},
		[PDF_BLUE] = {0.10, 0.32, 0.62},  [PDF_WHITE] = {1, 1, 1},
	};
	cairo_set_source_rgb(p->cr, rgb[c][0], rgb[c][1], rgb[c][2]);
}

const char *pdf_clean(const char *text)
{
	enum { ROOM = 8192 };
	static char buf[ROOM];
	size_t n = text ? strlen(text) : 0, at = 0;
	for (size_t i = 0; i < n && at + 8 < ROOM;) {
		uint32_t point;
		size_t step = wh_utf8_next(text + i, n - i, &point);
		if (!step || (wh_point_unprintable(point) && point != '\n')) {
			buf[at++] = '?';
		} else {
			memcpy(buf + at, text + i, step);
			at += step;
		}
		i += step ? step : 1;
	}
	buf[at] = 0;
	return buf;
}

const char *pdf_text_of(const json_t *o, const char *key)
{
	const char *t = json_string_value(json_object_get(o, key));
	return t ? t : "";
}

long long pdf_number_of(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

enum pdf_colour pdf_state_colour(const char *state)
{
	return !strcmp(state, "Passed") || !strcmp(state, "Healthy")     ? PDF_GREEN
	       : !strcmp(state, "Failed") || !strcmp(state, "Unhealthy") ? PDF_RED
	                                                                 : PDF_GREY;
}

enum pdf_colour pdf_control_colour(const json_t *control)
{
	const char *state = pdf_text_of(control, "state");
	return !strcmp(state, "Passed") && pdf_number_of(control, "unsupportedAssessments") ? PDF_BLACK : pdf_state_colour(state);
}

/* ---- text ---- */

double pdf_text_at(struct pdf *p, enum pdf_font f, enum pdf_colour c, double x, double y, double width, const char *text,
                   bool shown)
{
	int height;
	pango_layout_set_width(p->layout[f], (int)(width * PANGO_SCALE));
	pango_layout_set_text(p->layout[f], text, -1);
	pango_layout_get_size(p->layout[f], NULL, &height);
	if (shown)
		pdf_show(p, f, c, x, y);
	return (double)height / PANGO_SCALE;
}

static bool is_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return !*text;
}

void pdf_show(struct pdf *p, enum pdf_font f, enum pdf_colour c, double x, double y)
{
	if (!p->drawing) {
		if (is_ascii(pango_layout_get_text(p->layout[f])))
			p->unknown += (unsigned)pango_layout_get_unknown_glyphs_count(p->layout[f]);
		return;
	}
	pdf_colour(p, c);
	cairo_move_to(p->cr, x, y);
	pango_cairo_show_layout(p->cr, p->layout[f]);
}

void pdf_space(struct pdf *p, double points)
{
	p->y += points;
}

/* Line by line, so that it may go on on the next page. */
static void long_paragraph(struct pdf *p, enum pdf_font f, enum pdf_colour c, double indent)
{
	int lines = pango_layout_get_line_count(p->layout[f]);
	PangoLayoutLine **list = g_new(PangoLayoutLine *, (gsize)lines);
	for (int i = 0; i < lines; i++)
		list[i] = pango_layout_line_ref(pango_layout_get_line_readonly(p->layout[f], i));
	for (int i = 0; i < lines; i++) {
		PangoRectangle r;
		pango_layout_line_get_extents(list[i], NULL, &r);
		double height = (double)r.height / PANGO_SCALE;
		pdf_need(p, height);
		pdf_colour(p, c);
		cairo_move_to(p->cr, PDF_MARGIN + indent, p->y - (double)r.y / PANGO_SCALE);
		if (p->drawing)
			pango_cairo_show_layout_line(p->cr, list[i]);
		p->y += height;
		pango_layout_line_unref(list[i]);
	}
	g_free(list);
}

void pdf_paragraph(struct pdf *p, enum pdf_font f, enum pdf_colour c, double indent, const char *text)
{
	double width = PDF_TEXT - indent, height = pdf_text_at(p, f, c, 0, 0, width, text, false);
	if (height > 120 && p->y + height > PDF_HEIGHT - PDF_BOTTOM) {
		PangoLayout *own = pango_layout_copy(p->layout[f]), *shared = p->layout[f];
		p->layout[f] = own; /* a new page's head uses the shared one */
		long_paragraph(p, f, c, indent);
		p->layout[f] = shared;
		g_object_unref(own);
		return;
	}
	pdf_need(p, height);
	p->y += pdf_text_at(p, f, c, PDF_MARGIN + indent, p->y, width, text, true);
}

void pdf_box(struct pdf *p, enum pdf_colour c, double x, double y, double width, double height)
{
	if (!p->drawing)
		return;
	pdf_colour(p, c);
	cairo_rectangle(p->cr, x, y, width, height);
	cairo_fill(p->cr);
}

/* ---- pages ---- */

static void frame(struct pdf *p)
{
	char number[64];
	snprintf(number, sizeof number, p->pages ? "%u / %u" : "%u", p->page, p->pages);
	if (p->page > 1) {
		pdf_text_at(p, PDF_SMALL, PDF_GREY, PDF_MARGIN, 26, PDF_TEXT, pdf_clean(p->running), true);
		pdf_box(p, PDF_LIGHT, PDF_MARGIN, 40, PDF_TEXT, 0.7);
	}
	pdf_box(p, PDF_LIGHT, PDF_MARGIN, PDF_HEIGHT - 40, PDF_TEXT, 0.7);
	pdf_text_at(p, PDF_SMALL, PDF_GREY, PDF_MARGIN, PDF_HEIGHT - 34, PDF_TEXT - 80, pdf_clean(p->title), true);
	pango_layout_set_alignment(p->layout[PDF_SMALL], PANGO_ALIGN_RIGHT);
	pdf_text_at(p, PDF_SMALL, PDF_GREY, PDF_WIDTH - PDF_MARGIN - 80, PDF_HEIGHT - 34, 80, number, true);
	pango_layout_set_alignment(p->layout[PDF_SMALL], PANGO_ALIGN_LEFT);
}

void pdf_new_page(struct pdf *p)
{
	if (p->page++ && p->drawing)
		cairo_show_page(p->cr);
	frame(p);
	p->y = 52;
	if (p->again)
		p->again(p, p->again_arg);
}

void pdf_need(struct pdf *p, double points)
{
	if (p->y + points > PDF_HEIGHT - PDF_BOTTOM)
		pdf_new_page(p);
}

int pdf_outline(struct pdf *p, int parent, const char *text, const char *name)
{
	char attributes[256];
	if (name && p->drawing) {
		snprintf(attributes, sizeof attributes, "name='%s'", name);
		cairo_tag_begin(p->cr, CAIRO_TAG_DEST, attributes);
		cairo_move_to(p->cr, PDF_MARGIN, p->y);
		cairo_tag_end(p->cr, CAIRO_TAG_DEST);
	}
	snprintf(attributes, sizeof attributes, "page=%u pos=[%d %.1f]", p->page, PDF_MARGIN, p->y);
	return p->drawing ? cairo_pdf_surface_add_outline(p->surface, parent, pdf_clean(text), attributes,
	                                                  parent ? 0 : CAIRO_PDF_OUTLINE_FLAG_OPEN)
	                  : 0;
}
