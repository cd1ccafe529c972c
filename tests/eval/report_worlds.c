/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of world next to each other: a row each, with its eight targets. */
#include <string.h>
#include "report.h"

static void print_cell(FILE *f, const struct all_targets *t, unsigned i, int digits)
{
	const struct target *a = &t->t[0][i], *b = &t->t[1][i];
	char text[64];
	snprintf(text, sizeof text, "%.*f (%.*f%s, %.*f%s)", digits, a->got, digits, a->want, a->met ? "" : " missed", digits,
	         b->want, b->met ? "" : " missed");
	fprintf(f, i + 1 < N_TARGETS ? " %-36s" : " %s\n", text);
}

static void print_row(FILE *f, const char *name, const struct group *g, struct services which)
{
	struct all_targets t = all_targets_of(g, which);
	char seeds[32];
	snprintf(seeds, sizeof seeds, "%u to %u", g->first, g->first + g->n - 1);
	fprintf(f, "%-12s %-13s %u of %d ", name, seeds, t.met, 2 * N_TARGETS);
	print_cell(f, &t, 0, 2);
	print_cell(f, &t, 1, 2);
	print_cell(f, &t, 2, 3);
	print_cell(f, &t, 3, 1);
}

void print_worlds(FILE *f, const struct outcome *all, const struct options *o)
{
	fputs("Kinds of world: all have the ordinary services\n", f);
	for (unsigned n = 0; n < o->n_worlds; n++)
		fprintf(f, "  %-11s %s\n", world_kinds[o->worlds[n]]->name, world_kinds[o->worlds[n]]->what);
	fputs("\nTargets met of each kind of world; in parentheses what is wanted against the /24 list of all answered peers, and against that of "
	      "the truth\n",
	      f);
	fprintf(f, "%-12s %-13s %-6s  %-36s %-36s %-36s %s\n", "", "seeds", "met", "flows, % (at least)", "space, bits (at most)",
	        "hostile, % (at most)", "lines (at most)");
	for (unsigned n = 0; n < o->n_worlds; n++)
		for (int confirm = 0; confirm < 1 + (o->confirm > 0); confirm++) {
			struct group g = group_of(all, o, n, confirm);
			print_row(f, confirm ? "" : world_kinds[g.kind]->name, &g, services_all(g.kind));
		}
	fputs("The same of the services alone that a kind of world has besides the ordinary ones\n", f);
	for (unsigned n = 0; n < o->n_worlds; n++)
		for (int confirm = 0; confirm < 1 + (o->confirm > 0); confirm++) {
			struct group g = group_of(all, o, n, confirm);
			if (world_kinds[g.kind]->n_own)
				print_row(f, confirm ? "" : world_kinds[g.kind]->name, &g, services_own(g.kind));
		}
}

/* Services that were left alone because the sensor had not heard all of them. */
static void print_left_alone(FILE *f, const struct group *g)
{
	bool any = false;
	for (unsigned s = 0; s < services_all(g->kind).to; s++) {
		unsigned worlds = 0;
		for (unsigned i = 0; i < g->n; i++)
			worlds += g->of[i].left_alone[s];
		if (!worlds)
			continue;
		const struct kind *k = s < n_kinds ? &kinds[s] : &world_kinds[g->kind]->own[s - n_kinds];
		fprintf(f, "%s%s in %u",
		        any ? ", " : "Left alone where the sensor did not hear both directions, and counted for no row: ",
		        k->name, worlds);
		any = true;
	}
	fprintf(f, any ? " of %u worlds\n" : "", g->n);
}

void print_own(FILE *f, const struct outcome *all, const struct options *o)
{
	for (unsigned n = 0; n < o->n_worlds; n++) {
		struct group g = group_of(all, o, n, false);
		if (!g.kind)
			continue;
		fprintf(f, "\n---- %s: %s, seeds %u to %u ----\n", world_kinds[g.kind]->name, world_kinds[g.kind]->what, g.first,
		        g.first + g.n - 1);
		print_left_alone(f, &g);
		print_targets(f, &g);
		print_attackers(f, &g);
		for (unsigned s = n_kinds; s < services_all(g.kind).to; s++)
			print_service(f, &g, s);
	}
}
