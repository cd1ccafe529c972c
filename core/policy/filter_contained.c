/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether one filter lets through only what another lets through.
 *
 * Problem: allowed(a) ⊆ allowed(b) over the whole space, or the smallest packet that breaks it.
 * Method: the rules of both cut each dimension into classes that neither distinguishes: protocols that they name and one that
 * they don't, destination ports, source ports, local addresses. For one member of each combination the peers are exact sets
 * (filter_region.c), so their difference is empty or begins with the smallest counterexample. The cost is the product of the
 * classes times the rules; `limit` bounds the product. An outcome that `a` leaves undecided counts as allowed, and one that `b`
 * leaves undecided as denied: a proof never rests on a guess.
 */
#include <stdlib.h>
#include <string.h>
#include "whittle/filter.h"

struct protos { bool named[256]; };

static void name_protos(struct protos *p, const struct wh_filter *f, unsigned depth)
{
	for (size_t i = 0; i < f->n; i++) {
		p->named[f->rules[i].proto] = true;
		if (f->rules[i].to && depth < WH_FILTER_DEPTH)
			name_protos(p, f->rules[i].to, depth + 1);
	}
}

/* The protocols that are named, and the lowest other one for the rest. */
static size_t proto_classes(const struct wh_filter *const *both, uint8_t out[static 256])
{
	struct protos p = {{false}};
	size_t n = 0;
	bool rest = false;
	name_protos(&p, both[0], 0);
	name_protos(&p, both[1], 0);
	for (unsigned i = 1; i < 256; i++)
		if (p.named[i] || !rest) {
			rest |= !p.named[i];
			out[n++] = (uint8_t)i;
		}
	return n;
}

struct starts { struct wh_addr *a; size_t n, room; struct wh_arena *mem; };

static void add_start(struct starts *s, const struct wh_addr *a)
{
	s->a = wh_arena_grown(s->mem, s->a, s->n, &s->room, sizeof *s->a);
	s->a[s->n++] = *a;
}

static void add_locals(struct starts *s, const struct wh_filter *f, enum wh_direction d, unsigned depth)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct wh_filter_rule *r = &f->rules[i];
		if (r->direction != d)
			continue;
		for (size_t j = 0; r->local && j < r->local->n; j++) {
			struct wh_addr after = r->local->r[j].to;
			add_start(s, &r->local->r[j].from);
			wh_addr_next(&after);
			add_start(s, &after);
		}
		if (r->to && depth < WH_FILTER_DEPTH)
			add_locals(s, r->to, d, depth + 1);
	}
}

/* The first address of each class of local addresses, in order; the two families are classes of their own. */
static size_t local_classes(const struct wh_filter *const *both, enum wh_direction d, struct wh_arena *mem, struct wh_addr **out)
{
	struct starts s = {.mem = mem};
	struct wh_addr zero = {{0}}, after_v4 = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
	size_t n = 0;
	add_start(&s, &zero);
	add_start(&s, &wh_prefix_all_v4.addr);
	add_start(&s, &after_v4);
	add_locals(&s, both[0], d, 0);
	add_locals(&s, both[1], d, 0);
	qsort(s.a, s.n, sizeof *s.a, wh_addr_order);
	for (size_t i = 0; i < s.n; i++)
		if (!n || !wh_addr_eq(&s.a[n - 1], &s.a[i]))
			s.a[n++] = s.a[i];
	*out = s.a;
	return n;
}

int wh_filter_contained(const struct wh_filter *a, const struct wh_filter *b, size_t limit, struct wh_arena *mem,
                        struct wh_filter_packet *ce, struct wh_error *err)
{
	const struct wh_filter *both[2] = {a, b};
	uint8_t proto[256];
	size_t n_proto = proto_classes(both, proto), done = 0;
	for (int d = WH_INBOUND; d <= WH_OUTBOUND; d++) {
		struct wh_addr *local;
		size_t n_local = local_classes(both, (enum wh_direction)d, mem, &local);
		for (size_t i = 0; i < n_proto; i++) {
			struct wh_port_range *dport, *sport;
			size_t n_dport = wh_filter_port_classes(both, 2, (enum wh_direction)d, proto[i], mem, &dport);
			size_t n_sport = wh_filter_sport_classes(both, 2, (enum wh_direction)d, proto[i], mem, &sport);
			for (size_t j = 0; j < n_dport * n_sport * n_local; j++) {
				struct wh_filter_packet p = {.direction = (enum wh_direction)d,
				                             .proto = proto[i],
				                             .dport = dport[j / (n_sport * n_local)].from,
				                             .sport = sport[j / n_local % n_sport].from,
				                             .local = local[j % n_local]};
				struct wh_arena *scratch = wh_arena_new();
				struct wh_outcomes x = wh_filter_outcomes(&both[0], 1, &p, WH_FREE_PEER, false, scratch);
				struct wh_outcomes y = wh_filter_outcomes(&both[1], 1, &p, WH_FREE_PEER, false, scratch);
				struct wh_ranges family = wh_ranges_family(wh_addr_is_v4(&p.local), scratch);
				struct wh_ranges over = wh_ranges_minus(wh_ranges_union(x.allowed, x.undecided, scratch),
				                                        y.allowed, scratch);
				over = wh_ranges_intersect(over, family, scratch); /* no packet has two families */
				bool found = over.n > 0;
				if (found) {
					*ce = p;
					ce->peer = over.r[0].from;
				}
				wh_arena_free(scratch);
				if (found)
					return 1;
				if (++done > limit)
					return wh_fail(
						err, -E2BIG,
						"'%s' and '%s' distinguish more than %zu combinations of addresses and ports",
						a->name, b->name, limit);
			}
		}
	}
	return 0;
}
