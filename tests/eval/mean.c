/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Means over worlds, and the targets that they are held against. */
#include <math.h>
#include "report.h"

static void mean_add(struct mean *m, const struct score *s)
{
	m->n++;
	if (s->flows) {
		m->flows += (double)s->flows_covered / (double)s->flows;
		m->peers += (double)s->peers_covered / (double)s->peers;
		m->n_flows++;
	}
	if (s->hostile) {
		m->hostile += (double)s->hostile_admitted / (double)s->hostile;
		m->n_hostile++;
	}
	m->log_space += s->space > 0 ? log2(s->space > 1e-3 ? s->space : 1e-3) : 0;
	m->lines += (double)s->lines;
	for (unsigned a = 0; a < N_ATTACKERS; a++) {
		m->of_attacker[a][0] += s->of_attacker[a].sources;
		m->of_attacker[a][1] += s->of_attacker[a].admitted;
	}
}

struct mean mean_of(const struct group *g, unsigned method, struct services which)
{
	struct mean m = {0};
	for (unsigned i = 0; i < g->n; i++) {
		struct score s = {0};
		for (unsigned k = which.from; k < which.to; k++) {
			m.left_alone += g->of[i].left_alone[k];
			if (!g->of[i].left_alone[k])
				score_add(&s, &g->of[i].by_kind[method][k]);
		}
		mean_add(&m, &s);
	}
	m.flows /= m.n_flows ? m.n_flows : 1;
	m.peers /= m.n_flows ? m.n_flows : 1;
	m.hostile /= m.n_hostile ? m.n_hostile : 1;
	m.log_space /= m.n;
	m.lines /= m.n;
	m.left_alone /= m.n;
	for (unsigned a = 0; a < N_ATTACKERS; a++)
		for (int k = 0; k < 2; k++)
			m.of_attacker[a][k] /= m.n;
	return m;
}

struct services services_all(unsigned kind)
{
	return (struct services){0, n_kinds + world_kinds[kind]->n_own};
}

struct services services_own(unsigned kind)
{
	return (struct services){n_kinds, n_kinds + world_kinds[kind]->n_own};
}

struct group group_of(const struct outcome *all, const struct options *o, unsigned n, bool confirm)
{
	unsigned total = o->seeds + o->confirm;
	return confirm ? (struct group){all + n * total + o->seeds, o->confirm, o->first + o->seeds, o->worlds[n]} :
	                 (struct group){all + n * total, o->seeds, o->first, o->worlds[n]};
}

/* ---- targets ---- */

static struct target target(const char *what, const char *word, double got, double want, bool at_least)
{
	return (struct target){what, word, got, want, at_least, at_least ? got >= want : got <= want};
}

void targets_of(const struct mean *w, const struct mean *b, struct target out[static N_TARGETS])
{
	double want = 0.95 < b->flows - 0.02 ? 0.95 : b->flows - 0.02;
	out[0] = target("future legitimate flows covered, % (95, or the /24 list less two points)", "flows", 100 * w->flows,
	                100 * want, true);
	out[1] = target("address space, bits (the /24 list's less 3: an eighth)", "space", w->log_space, b->log_space - 3, false);
	out[2] = target("hostile sources admitted, % (half of the /24 list's)", "hostile", 100 * w->hostile, 50 * b->hostile,
	                false);
	out[3] = target("lines (the /24 list's)", "lines", w->lines, b->lines, false);
}

struct all_targets all_targets_of(const struct group *g, struct services which)
{
	struct mean w = mean_of(g, methods.whittle, which);
	struct all_targets all = {0};
	for (int oracle = 0; oracle < 2; oracle++) {
		struct mean b = mean_of(g, oracle ? methods.oracle24 : methods.slash24, which);
		targets_of(&w, &b, all.t[oracle]);
		for (unsigned i = 0; i < N_TARGETS; i++)
			all.met += all.t[oracle][i].met;
	}
	return all;
}
