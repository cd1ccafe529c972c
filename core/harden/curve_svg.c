/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The curve as a drawing: above, how many addresses are let in (a logarithmic scale) by how many lines; below, on the same lines,
 * the share of flows that would break, with its 95 % bound as a whisker. Each point carries its numbers as a tooltip.
 */
#include <math.h>
#include <stdlib.h>
#include "whittle/harden.h"

enum { WIDTH = 860, HEIGHT = 620, LEFT = 112, RIGHT = 824, TOP = 106, MIDDLE = 376, LOW_TOP = 440, BOTTOM = 548 };
#define INK "#1f2933"
#define FAINT "#8a96a3"
#define GRID "#e4e9ee"
#define BLUE "#1864ab"
#define RED "#c2410c"

struct scale { double lo, hi, from, to; };

static double at(const struct scale *s, double v)
{
	return s->from + (v - s->lo) / (s->hi - s->lo) * (s->to - s->from);
}

/* IPv4 addresses and IPv6 /64s together: both are where one host may sit. */
static double units(const struct wh_curve_point *p)
{
	double u = p->addresses + p->nets6;
	return u > 1 ? u : 1;
}

/* 1, 2 or 5 times a power of ten, so that about `want` of them cover the span. */
static double round_step(double span, unsigned want)
{
	double raw = span / want, unit = pow(10, floor(log10(raw)));
	return raw <= unit ? unit : raw <= 2 * unit ? 2 * unit : raw <= 5 * unit ? 5 * unit : 10 * unit;
}

/* 65,536, and in words from a million on: 4.29 billion */
static const char *short_number(double v, char buf[static 32])
{
	static const char *const suffix[] = {"million", "billion", "trillion", "quadrillion", "quintillion"};
	unsigned k = 0;

	if (v < 999999.5) {
		unsigned n = (unsigned)(v + 0.5);
		snprintf(buf, 32, n >= 1000 ? "%u,%03u" : "%u", n >= 1000 ? n / 1000 : n, n % 1000);
		return buf;
	}
	for (v /= 1e6; v >= 999.5 && k < 4; k++)
		v /= 1000;
	snprintf(buf, 32, "%.3g %s", v, suffix[k]);
	return buf;
}

static const char *x_text(double x, char buf[static 32])
{
	if (x >= 1)
		snprintf(buf, 32, "%g", x);
	else
		snprintf(buf, 32, "1/%g", 1 / x);
	return buf;
}

static void text(FILE *f, double x, double y, const char *anchor, const char *colour, int size, const char *words)
{
	fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\" font-size=\"%d\">%s</text>\n", x, y, anchor,
	        colour, size, words);
}

static void line(FILE *f, double x1, double y1, double x2, double y2, const char *colour, double width)
{
	fprintf(f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%g\"/>\n", x1, y1, x2, y2,
	        colour, width);
}

static void x_axis(FILE *f, const struct scale *x)
{
	char buf[32];
	double step = round_step(x->hi - x->lo, 8);
	if (step < 1)
		step = 1;
	for (double v = ceil(x->lo / step) * step; v <= x->hi; v += step) {
		line(f, at(x, v), TOP, at(x, v), MIDDLE, GRID, 1);
		line(f, at(x, v), LOW_TOP, at(x, v), BOTTOM, GRID, 1);
		text(f, at(x, v), BOTTOM + 20, "middle", INK, 13, short_number(v, buf));
	}
	text(f, (LEFT + RIGHT) / 2.0, BOTTOM + 46, "middle", INK, 14, "lines (prefixes and carve-outs)");
}

static void space_axis(FILE *f, const struct scale *y)
{
	char buf[32];
	unsigned every = y->hi - y->lo > 12 ? (unsigned)((y->hi - y->lo) / 6) : y->hi - y->lo > 6 ? 2 : 1;
	for (double v = y->lo; v <= y->hi; v += every) {
		line(f, LEFT, at(y, v), RIGHT, at(y, v), GRID, 1);
		text(f, LEFT - 10, at(y, v) + 4, "end", INK, 13, short_number(exp2(v), buf));
	}
	text(f, LEFT - 94, TOP - 28, "start", INK, 14, "addresses let in (IPv6: /64s)");
}

static void breakage_axis(FILE *f, const struct scale *y)
{
	char buf[32];
	double step = round_step(y->hi, 3);
	for (double v = 0; v <= y->hi * 1.0001; v += step) {
		line(f, LEFT, at(y, v), RIGHT, at(y, v), GRID, 1);
		snprintf(buf, sizeof buf, "%g %%", v);
		text(f, LEFT - 10, at(y, v) + 4, "end", INK, 13, buf);
	}
	text(f, LEFT - 94, LOW_TOP - 14, "start", INK, 14, "expected breakage, with its 95 % bound");
}

static double share(const struct wh_breakage *b)
{
	return b->of ? 100.0 * (double)b->flows / (double)b->of : 0;
}

static void tooltip(FILE *f, const struct wh_curve_point *p)
{
	char x[32], n[32], most[WH_PERCENT_STRLEN];
	fprintf(f, "<title>permissiveness %s: %llu lines, %s addresses", x_text(p->permissiveness, x),
	        (unsigned long long)p->lines, short_number(units(p), n));
	if (p->expected.of)
		fprintf(f, "; %llu of %llu flows would break, at most %s %%", (unsigned long long)p->expected.flows,
		        (unsigned long long)p->expected.of, wh_percent(p->expected.upper, most));
	fputs("</title>", f);
}

static void dot(FILE *f, double x, double y, const char *colour, const struct wh_curve_point *p)
{
	fprintf(f, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" fill=\"%s\" stroke=\"white\" stroke-width=\"1.5\">", x, y,
	        p->is_default ? "7" : "4.5", colour);
	tooltip(f, p);
	fputs("</circle>\n", f);
}

/* The permissiveness next to each point, if there is room: the default first, the others as far as they do not overlap earlier
 * ones. The line falls to the right, so that above on the right and below on the left there are no dots. */
static void labels(FILE *f, const struct wh_curve *c, const struct scale *x, const struct scale *y)
{
	enum { MOST = 32 };
	double px[MOST], py[MOST];
	char num[32], words[64];
	unsigned placed = 0;

	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < c->n && placed < MOST; i++) {
			const struct wh_curve_point *p = &c->points[i];
			double lx = at(x, (double)p->lines), ly = at(y, log2(units(p)));
			bool clear = true;
			if (p->is_default != (pass == 0))
				continue;
			for (unsigned k = 0; k < placed; k++)
				clear = clear && (fabs(px[k] - lx) > (k ? 46 : 100) || fabs(py[k] - ly) > 20);
			if (!clear)
				continue;
			px[placed] = lx;
			py[placed++] = ly;
			snprintf(words, sizeof words, p->is_default ? "%s, the default" : "%s", x_text(p->permissiveness, num));
			bool end = lx > RIGHT - (p->is_default ? 110 : 14);
			text(f, end ? lx - 11 : lx + 11, end ? ly + 19 : ly - 8, end ? "end" : "start",
			     p->is_default ? INK : FAINT, p->is_default ? 14 : 12, words);
		}
}

static void upper_panel(FILE *f, const struct wh_curve *c, const struct scale *x)
{
	double lo = 128, hi = 0;
	for (size_t i = 0; i < c->n; i++) {
		lo = fmin(lo, floor(log2(units(&c->points[i]))));
		hi = fmax(hi, ceil(log2(units(&c->points[i]))));
	}
	struct scale y = {lo, hi > lo ? hi : lo + 1, MIDDLE, TOP};
	space_axis(f, &y);
	fputs("<polyline fill=\"none\" stroke=\"" BLUE "\" stroke-width=\"2\" points=\"", f);
	for (size_t i = 0; i < c->n; i++)
		fprintf(f, "%.1f,%.1f ", at(x, (double)c->points[i].lines), at(&y, log2(units(&c->points[i]))));
	fputs("\"/>\n", f);
	for (int pass = 0; pass < 2; pass++) /* the default lies above the others */
		for (size_t i = 0; i < c->n; i++)
			if (c->points[i].is_default == (pass == 1))
				dot(f, at(x, (double)c->points[i].lines), at(&y, log2(units(&c->points[i]))), BLUE,
				    &c->points[i]);
	labels(f, c, x, &y);
}

static void lower_panel(FILE *f, const struct wh_curve *c, const struct scale *x)
{
	double most = 0;
	for (size_t i = 0; i < c->n; i++)
		most = c->points[i].expected.of ? fmax(most, 100 * c->points[i].expected.upper) : most;
	if (most <= 0) {
		text(f, (LEFT + RIGHT) / 2.0, (LOW_TOP + BOTTOM) / 2.0, "middle", FAINT, 14,
		     "not known yet: too few days, or no flow of a peer that belongs");
		return;
	}
	double step = round_step(most, 3);
	struct scale y = {0, ceil(most / step) * step, BOTTOM, LOW_TOP};
	breakage_axis(f, &y);
	for (size_t k = 0; k < 2 * c->n; k++) { /* the default lies above the others */
		const struct wh_curve_point *p = &c->points[k % c->n];
		if (p->is_default != (k >= c->n))
			continue;
		double px = at(x, (double)p->lines), up = at(&y, 100 * p->expected.upper);
		line(f, px, at(&y, share(&p->expected)), px, up, RED, 1.5);
		line(f, px - 4, up, px + 4, up, RED, 1.5);
		dot(f, px, at(&y, share(&p->expected)), RED, p);
	}
}

static void draw(FILE *f, const struct wh_curve *c)
{
	char today[32], words[160];
	double lo = c->n ? (double)c->points[0].lines : 0, hi = lo;

	for (size_t i = 0; i < c->n; i++) {
		lo = fmin(lo, (double)c->points[i].lines);
		hi = fmax(hi, (double)c->points[i].lines);
	}
	double room = fmax(1, (hi - lo) * 0.04);
	struct scale x = {fmax(0, lo - room), hi + room, LEFT, RIGHT};
	fprintf(f,
	        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
	        "font-family=\"'DejaVu Sans', Verdana, sans-serif\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
	        WIDTH, HEIGHT, WIDTH, HEIGHT);
	text(f, LEFT - 94, 34, "start", INK, 20, "Lines against address space");
	snprintf(
		words, sizeof words,
		"%zu rule%s of %zu resource%s; today's rules let in %s addresses on the same ports. Numbers at the points: --permissiveness.",
		c->n_rules, c->n_rules == 1 ? "" : "s", c->n_resources, c->n_resources == 1 ? "" : "s",
		short_number(c->today_addresses + (c->today_nets6 < 1e15 ? c->today_nets6 : 0), today));
	text(f, LEFT - 94, 56, "start", FAINT, 12, words);
	x_axis(f, &x);
	upper_panel(f, c, &x);
	lower_panel(f, c, &x);
	if (c->n == 1)
		text(f, (LEFT + RIGHT) / 2.0, (TOP + MIDDLE) / 2.0 - 30, "middle", FAINT, 14,
		     "one point only: every permissiveness gives these rules");
	fputs("</svg>\n", f);
}

char *wh_curve_svg(const struct wh_curve *c)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		return NULL;
	draw(f, c);
	if (fclose(f)) {
		free(out);
		return NULL;
	}
	return out;
}
