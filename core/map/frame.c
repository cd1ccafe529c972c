/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame of a picture: as large as the circles and their names need, with the title, the counts and the legend above them. */
#include <math.h>
#include <string.h>
#include "base/text.h"
#include "map/draw.h"

enum {
	MARGIN = 24,
	TITLE_LETTER = 12,
	LEAST_WIDTH = 520,
	HEAD = 74,
	ROW = 22,
	MOST_TITLE = 60,
	MOST_ITEMS = 9
};

/* ---- how large ---- */

static void include(struct wh_map_frame *b, double x, double y)
{
	b->left = fmin(b->left, x);
	b->right = fmax(b->right, x);
	b->top = fmin(b->top, y);
	b->bottom = fmax(b->bottom, y);
}

double wh_map_letters(const char *s, size_t most)
{
	size_t n = strlen(s), count = 0;
	uint32_t point;
	while (n && count < most) {
		size_t len = wh_utf8_next(s, n, &point);
		len += !len;
		s += len;
		n -= len;
		count++;
	}
	return (double)count + (n > 0);
}

static void include_mark(struct wh_map_frame *b, const struct wh_map_layout *l, const struct wh_map_mark *k)
{
	double length = WH_MAP_LETTER * (k->node ? wh_map_letters(k->node->name, WH_MAP_NAME)
	                                         : snprintf(NULL, 0, "%zu %ss", k->count, wh_map_kind_text(k->kind))),
	       end = l->internet + WH_MAP_OUTSIDE + length;
	include(b, k->x - k->r, k->y - k->r);
	include(b, k->x + k->r, k->y + k->r);
	if (k->kind == WH_MAP_HOST) {
		include(b, end * cos(k->angle) - WH_MAP_LETTER, end * sin(k->angle) - WH_MAP_LETTER);
		include(b, end * cos(k->angle) + WH_MAP_LETTER, end * sin(k->angle) + WH_MAP_LETTER);
	} else {
		include(b, k->x - length / 2, k->y + k->r);
		include(b, k->x + length / 2, k->y + k->r + 18);
	}
}

/* ---- the legend ---- */

struct item { const char *symbol; const char *text; }; /* 20 wide, from 0 0 */

/* Whether some gateway is at a VNet. */
static bool has_diamond(const struct wh_topology *t)
{
	for (size_t i = 0; i < t->n_appliances; i++)
		if (wh_known(t->appliances[i].vnet))
			return true;
	return false;
}

static size_t list_items(const struct drawing *d, struct item out[static MOST_ITEMS])
{
	bool reached = false, perhaps = false, loose = false, peerings = false;
	size_t n = 0;
	for (size_t i = 0; i < d->l.n; i++) {
		const struct wh_map_mark *k = &d->l.marks[i];
		reached |= k->reached;
		perhaps |= k->kind == WH_MAP_HOST && k->perhaps && !k->reached;
		loose |= k->kind != WH_MAP_VNET && k->parent == WH_NONE;
	}
	for (size_t i = 0; i < d->m->t->n_vnets; i++)
		for (size_t k = 0; k < d->m->t->vnets[i].n_peerings; k++) {
			size_t remote = d->m->t->vnets[i].peerings[k].remote;
			peerings |= remote != WH_NONE && d->l.mark_of[i] != WH_NONE && d->l.mark_of[remote] != WH_NONE;
		}
	out[n++] = (struct item){"<path class=\"wm-i\" d=\"M0 0h20\"/>", "the Internet"};
	if (reached)
		out[n++] = (struct item){"<path class=\"wm-net\" d=\"M0 0h20\"/>", "reached from the Internet"};
	if (perhaps)
		out[n++] = (struct item){"<path class=\"wm-net wm-off\" d=\"M0 0h20\"/>", "perhaps reached from the Internet"};
	if (peerings)
		out[n++] = (struct item){"<path class=\"wm-p\" d=\"M0 0h20\"/>", "peering (dashed: not connected)"};
	if (wh_map_draw_hubs(&(struct drawing){NULL, d->m, d->l}, true))
		out[n++] = (struct item){"<path class=\"wm-p wm-v\" d=\"M0 0h20\"/>"
		                         "<path class=\"wm-g\" d=\"M10 -6l6 6l-6 6l-6 -6z\"/>",
		                         "virtual hub and its VNets"};
	if (has_diamond(d->m->t))
		out[n++] = (struct item){"<path class=\"wm-g\" d=\"M10 -6l6 6l-6 6l-6 -6z\"/>", "gateway, firewall"};
	if (d->m->n_flows)
		out[n++] = (struct item){"<path class=\"wm-f\" stroke-width=\"4\" d=\"M0 0h20\"/>", "observed traffic"};
	if (loose)
		out[n++] = (struct item){"<circle class=\"wm-l\" cx=\"10\" r=\"6\"/>", "without a line: its VNet is not known"};
	return n;
}

/* Writes the items into rows of a width, from x y on; f NULL: counts the rows alone. */
static size_t write_items(FILE *f, const struct item *items, size_t n, double x, double y, double width)
{
	double at = 0;
	size_t rows = 1;
	for (size_t i = 0; i < n; i++) {
		double length = 26 + WH_MAP_LETTER * (double)strlen(items[i].text) + 14;
		if (at > 0 && at + length > width) {
			at = 0;
			rows++;
		}
		if (f)
			fprintf(f, "<g transform=\"translate(%.0f %.0f)\">%s<text class=\"wm-t\" x=\"26\" y=\"4\">%s</text></g>",
			        x + at, y + ROW * (double)(rows - 1), items[i].symbol, items[i].text);
		at += length;
	}
	return rows;
}

struct wh_map_frame wh_map_frame(const struct drawing *d, const char *title)
{
	double circle = d->l.internet + WH_MAP_OUTSIDE;
	struct wh_map_frame b = {-circle, -circle, circle, circle};
	struct item items[MOST_ITEMS];
	size_t n = list_items(d, items);
	for (size_t i = 0; i < d->l.n; i++)
		include_mark(&b, &d->l, &d->l.marks[i]);
	double more = (fmax(LEAST_WIDTH, TITLE_LETTER * wh_map_letters(title, MOST_TITLE)) - (b.right - b.left)) / 2;
	b.left -= MARGIN + fmax(more, 0);
	b.right += MARGIN + fmax(more, 0);
	b.bottom += MARGIN;
	b.top -= HEAD + ROW * (double)write_items(NULL, items, n, 0, 0, b.right - b.left - 2 * MARGIN) + MARGIN;
	return b;
}

/* ---- the head ---- */

static void write_states(const struct drawing *d, const size_t counts[static WH_MAP_STATES], double x, double y)
{
	for (size_t s = WH_MAP_STATES; s-- > 0;) {
		const char *text = wh_map_state_text((enum wh_map_state)s);
		fprintf(d->f, "<circle class=\"wm-s%zu\" cx=\"%.0f\" cy=\"%.0f\" r=\"7\"/>", s, x + 7, y - 4);
		if (s == WH_MAP_HIGH || s == WH_MAP_UNKNOWN)
			fprintf(d->f, "<text class=\"wm-in\" x=\"%.0f\" y=\"%.0f\">%s</text>", x + 7, y,
			        s == WH_MAP_HIGH ? "!" : "?");
		fprintf(d->f, "<text class=\"wm-t\" x=\"%.0f\" y=\"%.0f\">%s %zu</text>", x + 20, y, text, counts[s]);
		x += 56 + WH_MAP_LETTER * (double)strlen(text);
	}
}

void wh_map_draw_head(const struct drawing *d, const struct wh_map_frame *frame, const char *title, size_t hidden)
{
	double x = frame->left + MARGIN, y = frame->top + 34;
	size_t counts[WH_MAP_STATES] = {0}, machines[WH_MAP_MACHINES] = {0};
	struct item items[MOST_ITEMS];
	for (size_t i = d->m->hosts; i < d->m->n; i++)
		if (d->l.mark_of[i] != WH_NONE) {
			counts[d->m->nodes[i].state]++;
			for (size_t k = 0; k < WH_MAP_MACHINES; k++)
				machines[k] += d->m->nodes[i].machines[k];
		}
	fprintf(d->f, "<text class=\"wm-t wm-h\" x=\"%.0f\" y=\"%.0f\">", x, y);
	wh_map_text(d->f, title, MOST_TITLE);
	fprintf(d->f, "</text><text class=\"wm-t wm-q\" x=\"%.0f\" y=\"%.0f\">", x, y + 20);
	wh_map_machines(d->f, machines);
	if (hidden)
		fprintf(d->f, "; not drawn: %zu line%s of the least traffic", hidden, hidden == 1 ? "" : "s");
	fputs("</text>", d->f);
	write_states(d, counts, x, y + 44);
	write_items(d->f, items, list_items(d, items), x, y + 62, frame->right - frame->left - 2 * MARGIN);
}
