/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual hubs: each stands between the VNets that are connected to it, halfway to the middle of the picture, and has a line to
 * each of them. Where one VNet is drawn alone, its hub is one of its diamonds.
 */
#include <math.h>
#include <string.h>
#include <strings.h>
#include "map/draw.h"

enum { SIDE = 11, NAME_BELOW = 14, APART = 6, HEIGHT = 2 * SIDE + NAME_BELOW + APART };

static bool is_hub(const struct wh_appliance *a)
{
	return !strcmp(a->kind, "virtual hub");
}

bool wh_map_is_hub_of(const struct wh_topology *t, size_t appliance, size_t vnet)
{
	const struct wh_appliance *a = &t->appliances[appliance];
	size_t table = t->vnets[vnet].hub_table, n = strlen(a->id);
	return is_hub(a) && wh_known(table) && !strncasecmp(t->hub_tables[table].id, a->id, n) &&
	       t->hub_tables[table].id[n] == '/';
}

/* The marks of the VNets that are connected to a hub, each once. */
static size_t marks_of(const struct drawing *d, size_t appliance, size_t *out)
{
	const struct wh_topology *t = d->m->t;
	size_t n = 0;
	for (size_t v = 0; v < t->n_vnets; v++) {
		size_t mark = d->l.mark_of[v], i = 0;
		if (mark == WH_NONE || d->l.marks[mark].kind != WH_MAP_VNET || !wh_map_is_hub_of(t, appliance, v))
			continue;
		while (i < n && out[i] != mark)
			i++;
		out[i] = mark;
		n += i == n;
	}
	return n;
}

struct point {
	double x, y, half; /* of the width, with the name */
};

static bool touch(const struct point *a, const struct point *b)
{
	return fabs(a->x - b->x) < a->half + b->half + APART && fabs(a->y - b->y) < HEIGHT;
}

/* Below those hubs before it that its name would touch. */
static struct point between(const struct drawing *d, const char *name, const size_t *marks, size_t n, const struct point *before,
                            size_t n_before)
{
	struct point p = {0, 0, fmax(SIDE, WH_MAP_LETTER * wh_map_letters(name, WH_MAP_NAME) / 2)};
	for (size_t i = 0; i < n; i++) {
		p.x += d->l.marks[marks[i]].x / 2 / (double)n;
		p.y += d->l.marks[marks[i]].y / 2 / (double)n;
	}
	for (size_t i = 0; i < n_before;) {
		if (touch(&p, &before[i])) {
			p.y = before[i].y + HEIGHT + 1;
			i = 0; /* it only ever moves down */
		} else {
			i++;
		}
	}
	return p;
}

static void draw_hub(const struct drawing *d, const struct wh_appliance *a, const size_t *marks, size_t n, struct point p,
                     bool lines)
{
	for (size_t i = 0; i < n && lines; i++) {
		const struct wh_map_mark *k = &d->l.marks[marks[i]];
		fprintf(d->f, "<path class=\"wm-p wm-v\" d=\"M%.1f %.1fL%.1f %.1f\"><title>", p.x, p.y, k->x, k->y);
		wh_map_text(d->f, a->name, 0);
		fputs(" – ", d->f);
		if (k->node)
			wh_map_text(d->f, k->node->name, 0);
		else
			wh_map_number(d->f, k->count, k->kind);
		fputs(": connection of the virtual hub</title></path>", d->f);
	}
	if (lines)
		return;
	fprintf(d->f, "<path class=\"wm-g\" d=\"M%.1f %.1fl%d %dl-%d %dl-%d -%dz\"><title>virtual hub ", p.x, p.y - SIDE, SIDE,
	        SIDE, SIDE, SIDE, SIDE, SIDE);
	wh_map_text(d->f, a->name, 0);
	fprintf(d->f, "</title></path><text class=\"wm-t wm-halo wm-b\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">", p.x,
	        p.y + SIDE + NAME_BELOW);
	wh_map_text(d->f, a->name, WH_MAP_NAME);
	fputs("</text>", d->f);
}

size_t wh_map_draw_hubs(const struct drawing *d, bool lines)
{
	const struct wh_topology *t = d->m->t;
	struct point *at = wh_arena_array(d->l.mem, t->n_appliances + 1, sizeof *at);
	size_t *marks = wh_arena_array(d->l.mem, t->n_vnets + 1, sizeof *marks), drawn = 0;
	for (size_t i = 0; i < t->n_appliances; i++) {
		size_t n = is_hub(&t->appliances[i]) ? marks_of(d, i, marks) : 0;
		if (!n || (n == 1 && d->l.marks[*marks].distance < 1)) /* in the middle: a diamond of it */
			continue;
		at[drawn] = between(d, t->appliances[i].name, marks, n, at, drawn);
		if (d->f)
			draw_hub(d, &t->appliances[i], marks, n, at[drawn], lines);
		drawn++;
	}
	return drawn;
}
