/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classes of addresses in one list of rules: all addresses between two neighbouring ends of its ranges match the same rules. The
 * matching rules are determined once for each such piece, when its first address comes, and pieces with the same rules are one
 * class.
 */
#include <stdlib.h>
#include "base/array.h"
#include "reach/policy.h"

static const struct wh_ranges *set_of(const struct wh_filter_rule *f, bool local)
{
	return local ? f->local : f->peer;
}

/* The places where a range of a rule begins, or ended just before, in one of the two forms; how many there are. */
static size_t each_place(const struct stage *s, const struct address_classes *c, struct wh_addr *cuts, struct cut_event *events)
{
	size_t n = 0;
	for (size_t i = 0; i < s->filter.n; i++) {
		const struct wh_ranges *set = set_of(&s->filter.rules[i], c->local);
		for (size_t k = 0; set && k < set->n; k++)
			for (int ends = 0; ends < 2; ends++) {
				struct wh_addr at = ends ? set->r[k].to : set->r[k].from;
				if (ends && !wh_addr_next(&at))
					continue;
				if (cuts)
					cuts[n] = at;
				else
					events[n] = (struct cut_event){at, (uint32_t)i, !ends};
				n++;
			}
	}
	return n;
}

static size_t most_places(const struct stage *s, const struct address_classes *c)
{
	size_t n = 0;
	for (size_t i = 0; i < s->filter.n; i++)
		n += set_of(&s->filter.rules[i], c->local) ? 2 * set_of(&s->filter.rules[i], c->local)->n : 0;
	return n;
}

static void find_cuts(const struct stage *s, struct address_classes *c, struct wh_arena *mem)
{
	size_t n, kept = 0;
	c->cuts = wh_arena_unset(mem, most_places(s, c) + 1, sizeof *c->cuts);
	n = each_place(s, c, c->cuts, NULL);
	if (n)
		qsort(c->cuts, n, sizeof *c->cuts, wh_addr_order);
	for (size_t i = 0; i < n; i++)
		if (!kept || !wh_addr_eq(&c->cuts[kept - 1], &c->cuts[i]))
			c->cuts[kept++] = c->cuts[i];
	c->n_cuts = kept;
	c->of_atom = wh_arena_array(mem, kept + 1, sizeof *c->of_atom);
}

static int by_place(const void *a, const void *b)
{
	const struct cut_event *x = a, *y = b;
	int c = wh_addr_cmp(&x->at, &y->at);
	return c ? c : (int)x->begins - (int)y->begins; /* a range that ends before the next one of its rule begins */
}

static void find_events(const struct stage *s, struct address_classes *c, struct wh_arena *mem)
{
	c->events = wh_arena_unset(mem, most_places(s, c) + 1, sizeof *c->events);
	c->n_events = each_place(s, c, NULL, c->events);
	if (c->n_events)
		qsort(c->events, c->n_events, sizeof *c->events, by_place);
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
	size_t lo = WH_BISECT(i, 0, c->n_cuts, wh_addr_cmp(&c->cuts[i], a) <= 0); /* the number of cuts at or below the address */
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

struct address_walk wh_address_walk(struct stage *s, struct wh_arena *mem, struct wh_arena *scratch)
{
	if (!s->peer.events)
		find_events(s, &s->peer, mem);
	struct address_walk w = {.s = s, .bits = wh_arena_array(scratch, s->words, sizeof *w.bits)};
	for (size_t i = 0; i < s->filter.n; i++)
		if (!s->filter.rules[i].peer)
			w.bits[i / 64] |= UINT64_C(1) << i % 64;
	return w;
}

uint32_t wh_address_walk_to(struct address_walk *w, const struct wh_addr *a)
{
	struct address_classes *c = &w->s->peer;
	while (w->cut < c->n_cuts && wh_addr_cmp(&c->cuts[w->cut], a) <= 0)
		w->cut++;
	if (c->of_atom[w->cut])
		return c->of_atom[w->cut] - 1;
	for (; w->event < c->n_events && wh_addr_cmp(&c->events[w->event].at, a) <= 0; w->event++) {
		const struct cut_event *e = &c->events[w->event];
		uint64_t bit = UINT64_C(1) << e->rule % 64;
		w->bits[e->rule / 64] = e->begins ? w->bits[e->rule / 64] | bit : w->bits[e->rule / 64] & ~bit;
	}
	uint32_t class = intern_add(&c->bits, w->bits, w->s->words * sizeof *w->bits);
	c->of_atom[w->cut] = class + 1;
	return class;
}
