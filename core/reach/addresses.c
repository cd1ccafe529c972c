/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classes of addresses in one list of rules: all addresses between two neighbouring ends of its ranges match the same rules. The
 * matching rules are determined once for each such piece, when its first address comes, and pieces with the same rules are one
 * class.
 */
#include <stdlib.h>
#include "reach/policy.h"

static const struct wh_ranges *set_of(const struct wh_filter_rule *f, bool local)
{
	return local ? f->local : f->peer;
}

static void find_cuts(const struct stage *s, struct address_classes *c, struct wh_arena *mem)
{
	size_t n = 0, kept = 0;
	for (size_t i = 0; i < s->filter.n; i++)
		n += set_of(&s->filter.rules[i], c->local) ? 2 * set_of(&s->filter.rules[i], c->local)->n : 0;
	c->cuts = wh_arena_unset(mem, n + 1, sizeof *c->cuts);
	n = 0;
	for (size_t i = 0; i < s->filter.n; i++) {
		const struct wh_ranges *set = set_of(&s->filter.rules[i], c->local);
		for (size_t k = 0; set && k < set->n; k++) {
			struct wh_addr after = set->r[k].to;
			c->cuts[n++] = set->r[k].from;
			if (wh_addr_next(&after))
				c->cuts[n++] = after;
		}
	}
	if (n)
		qsort(c->cuts, n, sizeof *c->cuts, wh_addr_order);
	for (size_t i = 0; i < n; i++)
		if (!kept || !wh_addr_eq(&c->cuts[kept - 1], &c->cuts[i]))
			c->cuts[kept++] = c->cuts[i];
	c->n_cuts = kept;
	c->of_atom = wh_arena_array(mem, kept + 1, sizeof *c->of_atom);
}

void wh_address_prepare(struct stage *s, struct wh_arena *mem)
{
	if (s->local.of_atom)
		return;
	find_cuts(s, &s->local, mem);
	find_cuts(s, &s->peer, mem);
}

uint32_t wh_address_class(struct stage *s, struct address_classes *c, const struct wh_addr *a, struct wh_arena *mem)
{
	size_t lo = 0, hi = c->n_cuts; /* the number of cuts at or below the address */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (wh_addr_cmp(&c->cuts[mid], a) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (c->of_atom[lo])
		return c->of_atom[lo] - 1;
	uint64_t few[16] = {0}, *bits = s->words <= 16 ? few : wh_arena_array(mem, s->words, sizeof *bits);
	for (size_t i = 0; i < s->filter.n; i++) {
		const struct wh_ranges *set = set_of(&s->filter.rules[i], c->local);
		if (!set || wh_ranges_has(*set, a))
			bits[i / 64] |= UINT64_C(1) << i % 64;
	}
	uint32_t class = intern_add(&c->bits, bits, s->words * sizeof *bits);
	c->of_atom[lo] = class + 1;
	return class;
}
