/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "eval.h"

/* p sorted and disjoint. */
static bool within(const struct wh_prefix *p, size_t n, const struct wh_addr *a)
{
	size_t lo = 0, hi = n;
	while (lo < hi) { /* the first that begins after a */
		size_t mid = (lo + hi) / 2;
		if (wh_addr_cmp(&p[mid].addr, a) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && wh_prefix_has(&p[lo - 1], a);
}

static double space(const struct wh_prefix *p, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += wh_prefix_is_v4(&p[i]) ? ldexp(1, 128 - p[i].len) : ldexp(1, 64 - (int)p[i].len);
	return sum;
}

/* Every method keeps out the peers that the rules in force keep out. */
static size_t policy_of(const struct kind *k, struct wh_prefix out[static 8])
{
	const char *const *ranges;
	size_t n = kind_policy(k, &ranges);
	for (size_t i = 0; i < n && i < 8; i++)
		wh_prefix_parse(ranges[i], strlen(ranges[i]), &out[i], NULL);
	return wh_prefix_merge(out, n);
}

void score_list(const struct world *w, unsigned service, const struct allow_list *l, struct score *out)
{
	*out = (struct score){.lines = l->open ? 0 : l->n + l->n_except};
	out->space = l->open ? ldexp(1, wh_addr_is_v4(&w->services[service].local) ? 32 : 64)
	                     : space(l->p, l->n) - space(l->except, l->n_except);
	struct wh_prefix policy[8];
	size_t n_policy = policy_of(w->services[service].kind, policy);
	for (size_t i = 0; i < w->cap; i++) {
		const struct source *s = &w->sources[i];
		if (!s->used || s->service != service || (!s->test_legitimate && !s->test_hostile))
			continue;
		bool in = l->open || (within(l->p, l->n, &s->addr) && !within(l->except, l->n_except, &s->addr));
		in = in && (!n_policy || within(policy, n_policy, &s->addr));
		out->flows += s->test_legitimate;
		out->flows_covered += in ? s->test_legitimate : 0;
		out->peers += s->test_legitimate > 0;
		out->peers_covered += in && s->test_legitimate;
		out->hostile += s->test_hostile > 0;
		out->hostile_admitted += in && s->test_hostile;
		out->of_attacker[s->attacker].sources += s->test_hostile > 0;
		out->of_attacker[s->attacker].admitted += in && s->test_hostile;
	}
}

void score_add(struct score *into, const struct score *s)
{
	into->flows += s->flows;
	into->flows_covered += s->flows_covered;
	into->peers += s->peers;
	into->peers_covered += s->peers_covered;
	into->hostile += s->hostile;
	into->hostile_admitted += s->hostile_admitted;
	into->space += s->space;
	into->lines += s->lines;
	for (unsigned a = 0; a < N_ATTACKERS; a++) {
		into->of_attacker[a].sources += s->of_attacker[a].sources;
		into->of_attacker[a].admitted += s->of_attacker[a].admitted;
	}
}

static int by_address(const void *a, const void *b)
{
	return wh_addr_cmp(a, b);
}

size_t peers_of(const struct world *w, unsigned service, enum knowledge k, struct wh_addr **out)
{
	size_t n = 0;
	*out = calloc(w->n_sources + 1, sizeof **out);
	if (!*out)
		abort();
	for (size_t i = 0; i < w->cap; i++) {
		const struct source *s = &w->sources[i];
		if (!s->used || s->service != service || !s->train_answered)
			continue;
		if (k == KNOWS_TRUTH ? s->train_legitimate > 0 : !s->listed && !s->severe)
			(*out)[n++] = s->addr;
	}
	qsort(*out, n, sizeof **out, by_address);
	return n;
}
