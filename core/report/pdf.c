/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The report as a PDF. It is laid out twice: once without a drawing, so that every page can show the number of pages, then
 * finally. Nothing in the file comes from the clock, so that two runs on one document give the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include "report/pdf.h"

__attribute__((visibility("default"))) int wh_report_draw(const json_t *doc, int64_t made_us, char **out, size_t *len,
                                                          struct wh_error *err);

struct sink { char *data; size_t len, room; bool failed; };

static cairo_status_t take(void *closure, const unsigned char *data, unsigned n)
{
	struct sink *s = closure;
	if (s->len + n > s->room) {
		size_t room = s->room ? s->room : 1 << 16;
		while (room < s->len + n)
			room *= 2;
		char *more = realloc(s->data, room);
		if (!more)
			return CAIRO_STATUS_NO_MEMORY;
		s->data = more;
		s->room = room;
	}
	memcpy(s->data + s->len, data, n);
	s->len += n;
	return CAIRO_STATUS_SUCCESS;
}

static cairo_status_t drop(void *closure, const unsigned char *data, unsigned n)
{
	(void)closure, (void)data, (void)n;
	return CAIRO_STATUS_SUCCESS;
}

static void describe(struct pdf *p, int64_t made_us)
{
	char date[WH_TIME_STRLEN];
	wh_time_text(made_us, date);
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_TITLE, p->title);
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_SUBJECT,
	                               "Network security controls, assessments and resources");
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATOR, "whittle");
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATE_DATE, date);
	cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_MOD_DATE, date);
}

static void begin(struct pdf *p)
{
	static const struct { const char *face; double size;
	} fonts[PDF_FONTS] = {
		[PDF_TITLE] = {"Sans Bold", 22}, [PDF_HEADING] = {"Sans Bold", 14}, [PDF_SUBHEADING] = {"Sans Bold", 10},
		[PDF_BODY] = {"Sans", 9},        [PDF_SMALL] = {"Sans", 7.5},       [PDF_BOLD] = {"Sans Bold", 9},
		[PDF_CELL] = {"Sans", 7.5},      [PDF_OTHER_CELL] = {"Sans", 7.5},
	};
	cairo_font_options_t *exact = cairo_font_options_create();
	PangoAttrList *as_it_is = pango_attr_list_new(); /* a hyphen at a break would read as the name's own */
	pango_attr_list_insert(as_it_is, pango_attr_insert_hyphens_new(FALSE));
	p->cr = cairo_create(p->surface);
	cairo_font_options_set_hint_metrics(exact, CAIRO_HINT_METRICS_OFF); /* a page is not a screen */
	cairo_font_options_set_hint_style(exact, CAIRO_HINT_STYLE_NONE);
	for (int f = 0; f < PDF_FONTS; f++) {
		PangoFontDescription *d = pango_font_description_from_string(fonts[f].face);
		pango_font_description_set_absolute_size(d, fonts[f].size * PANGO_SCALE);
		p->layout[f] = pango_cairo_create_layout(p->cr);
		pango_cairo_context_set_font_options(pango_layout_get_context(p->layout[f]), exact);
		pango_layout_set_font_description(p->layout[f], d);
		pango_layout_set_wrap(p->layout[f], PANGO_WRAP_WORD_CHAR);
		pango_layout_set_attributes(p->layout[f], as_it_is);
		pango_font_description_free(d);
	}
	pango_attr_list_unref(as_it_is);
	cairo_font_options_destroy(exact);
}

static int draw(struct pdf *p, const json_t *doc, int64_t made_us, struct sink *sink, struct wh_error *err)
{
	p->surface = cairo_pdf_surface_create_for_stream(sink ? take : drop, sink, PDF_WIDTH, PDF_HEIGHT);
	p->drawing = sink != NULL;
	p->page = 0;
	p->running = p->title;
	if (sink)
		describe(p, made_us);
	begin(p);
	pdf_new_page(p);
	pdf_summary(p, doc);
	pdf_controls(p, doc);
	cairo_show_page(p->cr);
	cairo_status_t status = cairo_status(p->cr); /* a surface that ended early reports no error */
	for (int f = 0; f < PDF_FONTS; f++)
		g_object_unref(p->layout[f]);
	cairo_destroy(p->cr);
	cairo_surface_finish(p->surface);
	status = status ? status : cairo_surface_status(p->surface);
	cairo_surface_destroy(p->surface);
	p->pages = p->page;
	return status ? wh_fail(err, -EIO, "the report can't be drawn: %s", cairo_status_to_string(status)) : 0;
}

int wh_report_draw(const json_t *doc, int64_t made_us, char **out, size_t *len, struct wh_error *err)
{
	struct sink sink = {0};
	struct pdf p = {.title = json_string_value(json_object_get(json_object_get(doc, "standard"), "name"))};
	*out = NULL;
	p.title = p.title ? p.title : "Compliance";
	int rc = draw(&p, doc, made_us, NULL, err);
	if (!rc && p.unknown > 200)
		rc = wh_fail(err, -ENOENT,
		             "the report can't be drawn: no font has Latin letters; install one (fonts-dejavu-core)");
	rc = rc ? rc : draw(&p, doc, made_us, &sink, err);
	if (rc) {
		free(sink.data);
		return rc;
	}
	*out = sink.data;
	*len = sink.len;
	return 0;
}
