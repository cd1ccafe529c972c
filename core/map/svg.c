/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture: lines first, then circles, then names. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "map/draw.h"

enum { MOST_FLOWS = 300, MOST_DIAMONDS = 6 };

const char wh_map_style[] =
	".wm-bg{fill:#fff}.wm-t{fill:#242424;font:11px system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}.wm-b{font-size:12px;font-weight:600}.wm-h{font-size:20px;font-weight:600}.wm-q{fill:#616161}"
	".wm-halo{stroke:#fff;stroke-width:3px;paint-order:stroke;stroke-linejoin:round}.wm-in{fill:#fff;font:bold 11px system-ui,'DejaVu Sans',sans-serif;text-anchor:middle;pointer-events:none}"
	".wm-c{fill:#fff;stroke-width:4}.wm-n{fill:#242424;font:bold 11px system-ui,'DejaVu Sans',sans-serif;text-anchor:middle;pointer-events:none}"
	".wm-l{stroke:#c8c8c8;stroke-width:1.2;fill:none}.wm-p{stroke:#7160e8;stroke-width:2;fill:none}.wm-off{stroke-dasharray:5 4}.wm-v{stroke-dasharray:2 3}.wm-net{stroke:#0f6cbd;stroke-width:2.5;fill:none}"
	".wm-i{stroke:#0f6cbd;stroke-width:1.2;stroke-dasharray:2 6;fill:none}.wm-it{fill:#0f6cbd}.wm-f{stroke:#0e7a6f;fill:none;stroke-opacity:.45;stroke-linecap:round}.wm-g{fill:#7160e8}"
	".wm-s0{fill:#107c41;stroke:#107c41}.wm-s1{fill:#767b84;stroke:#767b84}.wm-s2{fill:#a68a00;stroke:#a68a00}.wm-s3{fill:#d4660a;stroke:#d4660a}.wm-s4{fill:#c50f1f;stroke:#c50f1f}"
	".wm-c.wm-s0,.wm-c.wm-s1,.wm-c.wm-s2,.wm-c.wm-s3,.wm-c.wm-s4{fill:#fff}.wm-m{stroke-width:2.5;stroke-opacity:.35}.wm-u{stroke-dasharray:3 2.5}"
	"@media(prefers-color-scheme:dark){.wm-bg{fill:#1b1c1f}.wm-t,.wm-n{fill:#f0f0f0}.wm-q{fill:#a9adb4}.wm-halo{stroke:#1b1c1f}.wm-l{stroke:#50545c}.wm-p{stroke:#a79cf1}.wm-g{fill:#a79cf1}"
	".wm-net,.wm-i{stroke:#62abf5}.wm-it{fill:#62abf5}.wm-f{stroke:#4fd1c5}.wm-s0{fill:#2fa565;stroke:#2fa565}.wm-s1{fill:#8d939d;stroke:#8d939d}.wm-s2{fill:#b89b0a;stroke:#b89b0a}"
	".wm-s3{fill:#e57a1f;stroke:#e57a1f}.wm-s4{fill:#e8404e;stroke:#e8404e}"
	".wm-c.wm-s0,.wm-c.wm-s1,.wm-c.wm-s2,.wm-c.wm-s3,.wm-c.wm-s4{fill:#26282d}}";

/* ---- lines ---- */

static void curve(const struct drawing *d, const char *class, double width, const struct wh_map_mark *a,
                  const struct wh_map_mark *b, double pull)
{
	fprintf(d->f, "<path class=\"%s\"", class);
	if (width > 0)
		fprintf(d->f, " stroke-width=\"%.1f\"", width);
	fprintf(d->f, " d=\"M%.1f %.1fQ%.1f %.1f %.1f %.1f\">", a->x, a->y, (a->x + b->x) / 2 * pull, (a->y + b->y) / 2 * pull,
	        b->x, b->y);
}

static void spoke(const struct drawing *d, const char *class, double width, const struct wh_map_mark *k)
{
	double c = cos(k->angle), s = sin(k->angle), from = k->distance + k->r;
	fprintf(d->f, "<path class=\"%s\" stroke-width=\"%.1f\" d=\"M%.1f %.1fL%.1f %.1f\"", class, width, from * c, from * s,
	        d->l.internet * c, d->l.internet * s);
}

static void draw_tree(const struct drawing *d)
{
	for (size_t i = 0; i < d->l.n; i++) {
		const struct wh_map_mark *k = &d->l.marks[i], *p = k->parent == WH_NONE ? NULL : &d->l.marks[k->parent];
		if (p)
			fprintf(d->f, "<path class=\"wm-l\" d=\"M%.1f %.1fL%.1f %.1f\"/>", p->x, p->y, k->x, k->y);
		if ((k->reached || k->perhaps) && k->kind == WH_MAP_HOST) {
			spoke(d, k->reached ? "wm-net" : "wm-net wm-off", 2.5, k);
			fputs("/>", d->f);
		}
	}
}

static void draw_peerings(const struct drawing *d)
{
	const struct wh_topology *t = d->m->t;
	for (size_t v = 0; v < t->n_vnets; v++)
		for (size_t k = 0; k < t->vnets[v].n_peerings; k++) {
			const struct wh_peering *p = &t->vnets[v].peerings[k];
			size_t a = d->l.mark_of[v], b = p->remote == WH_NONE ? WH_NONE : d->l.mark_of[p->remote];
			bool back = false, on = p->connected;
			for (size_t j = 0; p->remote != WH_NONE && j < t->vnets[p->remote].n_peerings; j++)
				if (t->vnets[p->remote].peerings[j].remote == v) {
					back = true;
					on &= t->vnets[p->remote].peerings[j].connected;
				}
			if (a == WH_NONE || b == WH_NONE || a == b || (back && p->remote < v))
				continue;
			curve(d, on && back ? "wm-p" : "wm-p wm-off", 0, &d->l.marks[a], &d->l.marks[b], 0.35);
			fputs("<title>", d->f);
			wh_map_text(d->f, t->vnets[v].name, 0);
			fputs(" – ", d->f);
			wh_map_text(d->f, t->vnets[p->remote].name, 0);
			fputs(on && back ? ": peering, connected</title></path>"
			                 : ": peering, not connected at both ends</title></path>",
			      d->f);
		}
}

/* What a circle stands for, or has below it. */
static void write_machines(const struct drawing *d, const struct wh_map_mark *k)
{
	size_t machines[WH_MAP_MACHINES] = {0};
	const size_t mark = (size_t)(k - d->l.marks);
	for (size_t i = 0; i < d->m->n; i++)
		for (size_t s = 0; s < WH_MAP_MACHINES && d->l.mark_of[i] == mark; s++)
			machines[s] += d->m->nodes[i].machines[s];
	wh_map_machines(d->f, machines);
}

/* At most `most` characters; 0: all. */
static void write_name(const struct drawing *d, const struct wh_map_mark *k, size_t most)
{
	if (k->node)
		wh_map_text(d->f, k->node->name, most);
	else if (k->kind == WH_MAP_HOST)
		write_machines(d, k);
	else
		wh_map_number(d->f, k->count, k->kind);
}

static void write_end(const struct drawing *d, size_t mark)
{
	if (mark == WH_NONE)
		fputs("the Internet", d->f);
	else
		write_name(d, &d->l.marks[mark], 0);
}

struct bundle { size_t from, to; uint64_t flows; };

static int by_ends(const void *a, const void *b)
{
	const struct bundle *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static int by_flows(const void *a, const void *b)
{
	const struct bundle *x = a, *y = b;
	return x->flows != y->flows ? (x->flows < y->flows ? 1 : -1) : by_ends(a, b);
}

/* The traffic between marks. Returns the number of lines without room. */
static size_t draw_flows(const struct drawing *d)
{
	struct bundle *all = wh_arena_array(d->l.mem, d->m->n_flows + 1, sizeof *all);
	size_t n = 0, last = 0;
	for (size_t i = 0; i < d->m->n_flows; i++) {
		const struct wh_map_flow *x = &d->m->flows[i];
		size_t from = x->from == WH_NONE ? WH_NONE : d->l.mark_of[x->from],
		       to = x->to == WH_NONE ? WH_NONE : d->l.mark_of[x->to];
		if (from == to || (x->from != WH_NONE && from == WH_NONE) || (x->to != WH_NONE && to == WH_NONE))
			continue;
		all[n++] = (struct bundle){from, to, x->flows};
	}
	if (!n)
		return 0;
	qsort(all, n, sizeof *all, by_ends);
	for (size_t i = 1; i < n; i++)
		if (!by_ends(&all[last], &all[i]))
			all[last].flows += all[i].flows;
		else
			all[++last] = all[i];
	n = last + 1;
	qsort(all, n, sizeof *all, by_flows);
	for (size_t i = 0; i < n && i < MOST_FLOWS; i++) {
		double width = 1 + 1.1 * log10((double)all[i].flows + 1);
		if (all[i].from == WH_NONE || all[i].to == WH_NONE) {
			spoke(d, "wm-f", width + 2, &d->l.marks[all[i].from == WH_NONE ? all[i].to : all[i].from]);
			fputc('>', d->f);
		} else {
			curve(d, "wm-f", width, &d->l.marks[all[i].from], &d->l.marks[all[i].to], 0.45);
		}
		fputs("<title>", d->f);
		write_end(d, all[i].from);
		fputs(" → ", d->f);
		write_end(d, all[i].to);
		fprintf(d->f, ": %llu flow%s observed</title></path>", (unsigned long long)all[i].flows,
		        all[i].flows == 1 ? "" : "s");
	}
	return n > MOST_FLOWS ? n - MOST_FLOWS : 0;
}

/* ---- circles ---- */

static void write_details(const struct drawing *d, const struct wh_map_mark *k)
{
	const struct wh_map_node *n = k->node;
	fputs("<title>", d->f);
	if (n) {
		wh_map_text(d->f, n->name, 0);
		fprintf(d->f, " (%s%s", wh_map_node_text(n), *n->location ? ", " : "");
		wh_map_text(d->f, n->location, 0);
		fputs(")\n", d->f);
		wh_map_text(d->f, n->about, 0);
		fprintf(d->f, "%s%s, %s", *n->about ? "\n" : "", n->unscanned ? "Unscanned" : wh_map_state_text(n->state),
		        n->reached   ? "the Internet reaches it"
		        : n->perhaps ? "the Internet may reach it"
		        : n->facing  ? "it faces the Internet, and its rules let nothing in"
		                     : "internal");
		if (n->kind == WH_MAP_HOST && !n->n_parents)
			fputs("\nits VNet and subnet are not known", d->f);
		for (const struct wh_map_reason *r = n->reasons; r; r = r->next) {
			fputs("\n• ", d->f);
			wh_map_text(d->f, r->text, 0);
		}
	} else {
		write_name(d, k, 0);
		fprintf(d->f, ", the worst is %s", wh_map_state_text(k->state));
	}
	if (k->kind != WH_MAP_HOST || !n) {
		size_t counts[WH_MAP_STATES] = {0};
		const size_t mark = (size_t)(k - d->l.marks);
		for (size_t i = 0; i < d->m->n; i++)
			for (size_t s = 0; s < WH_MAP_STATES && d->l.mark_of[i] == mark; s++)
				counts[s] += d->m->nodes[i].counts[s];
		fputc('\n', d->f);
		write_machines(d, k);
		fputs(k->machines ? ": " : "", d->f);
		wh_map_counts(d->f, counts);
	}
	fputs("</title>", d->f);
}

static void draw_circle(const struct drawing *d, const struct wh_map_mark *k)
{
	bool several = k->count > 1, open = k->kind != WH_MAP_HOST;
	fputs("<g>", d->f);
	fprintf(d->f, "<circle class=\"%swm-s%d%s%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\">", open ? "wm-c " : "", k->state,
	        several && !open ? " wm-m" : "", k->node && k->node->unscanned ? " wm-u" : "", k->x, k->y, k->r);
	write_details(d, k);
	fputs("</circle>", d->f);
	if (several)
		fprintf(d->f, "<circle class=\"wm-l\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", k->x, k->y, k->r + 2.5);
	size_t number = open ? k->machines : several ? k->count : 0;
	if (number || open)
		fprintf(d->f, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"%s>%zu</text>", open ? "wm-n" : "wm-in", k->x, k->y + 4,
		        number > 999 ? " font-size=\"9\"" : "", number);
	else if (k->state == WH_MAP_HIGH || k->state == WH_MAP_UNKNOWN)
		fprintf(d->f, "<text class=\"wm-in\" x=\"%.1f\" y=\"%.1f\">%s</text>", k->x, k->y + 4,
		        k->state == WH_MAP_HIGH ? "!" : "?");
	fputs("</g>", d->f);
}

/* Diamonds at a VNet: gateways, firewalls, bastions and so on. */
static void draw_appliances(const struct drawing *d)
{
	const struct wh_topology *t = d->m->t;
	for (size_t i = 0; i < d->l.n; i++) {
		const struct wh_map_mark *k = &d->l.marks[i];
		size_t n = 0;
		if (k->kind != WH_MAP_VNET || !k->node)
			continue;
		size_t v = (size_t)(k->node - d->m->nodes);
		for (size_t j = 0; j < t->n_appliances && n < MOST_DIAMONDS; j++) {
			const struct wh_appliance *a = &t->appliances[j];
			if (a->vnet != v && !(k->distance < 1 && wh_map_is_hub_of(t, j, v)))
				continue;
			double x = k->x + 24 + 15 * (double)n++, y = k->y - 24;
			fprintf(d->f, "<path class=\"wm-g\" d=\"M%.1f %.1fl7 7l-7 7l-7 -7z\"><title>", x, y - 7);
			wh_map_text(d->f, a->kind, 0);
			fputc(' ', d->f);
			wh_map_text(d->f, a->name, 0);
			fputs(a->internet ? "\nit has a public address</title></path>" : "</title></path>", d->f);
		}
	}
}

/* ---- names ---- */

static void level_name(const struct drawing *d, const struct wh_map_mark *k, size_t most, const char *more)
{
	fprintf(d->f, "<text class=\"wm-t wm-halo%s\" text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">", more, k->x,
	        k->y + k->r + 14);
	write_name(d, k, most);
	fputs("</text>", d->f);
}

/* Along the radius: outwards from a distance, or, if `inwards`, up to it. */
static void radial_name(const struct drawing *d, const struct wh_map_mark *k, double distance, bool inwards, size_t most)
{
	double degrees = k->angle * 180 / M_PI;
	bool left = cos(k->angle) < -1e-9;
	fprintf(d->f, "<text class=\"wm-t wm-halo\" text-anchor=\"%s\" transform=\"rotate(%.2f) translate(%.1f 4)\">",
	        left != inwards ? "end" : "start", left ? degrees + 180 : degrees, left ? -distance : distance);
	write_name(d, k, most);
	fputs("</text>", d->f);
}

static void draw_names(const struct drawing *d)
{
	for (size_t i = 0; i < d->l.n; i++) {
		const struct wh_map_mark *k = &d->l.marks[i];
		if (k->kind == WH_MAP_HOST)
			radial_name(d, k, d->l.internet + WH_MAP_OUTSIDE, false, WH_MAP_NAME);
		else if (k->kind == WH_MAP_SUBNET && d->l.many_subnets)
			radial_name(d, k, k->distance - k->r - 6, true, 13);
		else
			level_name(d, k, k->kind == WH_MAP_VNET && d->l.many_vnets ? 14 : WH_MAP_NAME,
			           k->kind == WH_MAP_VNET ? " wm-b" : "");
	}
}

void wh_map_draw(FILE *f, const struct wh_map *m, size_t root, const char *title, bool alone)
{
	struct wh_arena *mem = wh_arena_new();
	struct drawing d = {.f = f, .m = m};
	wh_map_lay_out(m, root, mem, &d.l);
	const struct wh_map_frame at = wh_map_frame(&d, title);
	double width = at.right - at.left, height = at.bottom - at.top;
	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"%.0f %.0f %.0f %.0f\"%s>", at.left, at.top, width, height,
	        alone ? "" : " role=\"img\"");
	if (alone)
		fprintf(f, "<style>%s</style>", wh_map_style);
	fprintf(f, "<rect class=\"wm-bg\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\"/>", at.left, at.top, width,
	        height);
	fprintf(f, "<circle class=\"wm-i\" r=\"%.1f\"/>", d.l.internet);
	draw_tree(&d);
	draw_peerings(&d);
	wh_map_draw_hubs(&d, true);
	size_t hidden = draw_flows(&d);
	for (size_t i = 0; i < d.l.n; i++)
		draw_circle(&d, &d.l.marks[i]);
	draw_appliances(&d);
	wh_map_draw_hubs(&d, false);
	draw_names(&d);
	wh_map_draw_head(&d, &at, title, hidden);
	fputs("</svg>\n", f);
	wh_arena_free(mem);
}

char *wh_map_svg(const struct wh_map *m)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", f);
	wh_map_draw(f, m, WH_NONE, "Network", true);
	return fclose(f) ? NULL : text;
}
