/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides all packets that differ in one dimension only together.
 *
 * Problem: given direction, protocol and all but one of (local, peer, destination port), find the exact sets of values that are
 * certainly allowed and of those that are undecided. Method: the walk of filter.c with sets in place of the packet. `open` holds
 * the values that may reach the next rule. A rule takes hit = open ∩ (its set) and adds it to the values that can be allowed or
 * can be denied; if it certainly matches, hit leaves `open`. A jump walks its list with hit, and the values that leave it again
 * are open. At the end the default decides the open values. allowed = can be allowed − can be denied; undecided = both. A value
 * can be both only after a rule that may match, so denied values are collected for those alone. Each step is linear in the
 * ranges, so r rules with p ranges cost O(r · p). Source ports: the filters' own cuts divide them into classes; each class is
 * evaluated once, and the outcomes are joined.
 *
 *   100 may deny 10.1/16, 200 allow 10/8, 300 deny *      can be allowed 10/8, can be denied 10.1/16 and all but 10/8:
 *                                                          allowed 10/8 − 10.1/16, undecided 10.1/16
 */
#include <stdlib.h>
#include <string.h>
#include "whittle/filter.h"

struct sweep {
	const struct wh_filter_packet *p;
	struct wh_addr sport, dport;
	enum wh_filter_free free;
	struct wh_arena *mem;
	struct wh_ranges can[2]; /* by verdict: denied (only those in `doubted`), allowed */
	struct wh_ranges doubted; /* values that met a rule that may match */
	wh_filter_each each; void *arg;
};

static struct wh_ranges everything(enum wh_filter_free free, struct wh_arena *mem)
{
	static const struct wh_port_range all_ports = {0, 65535};
	const struct wh_prefix all[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	return free == WH_FREE_DPORT ? wh_ports(&all_ports, 1, mem) : wh_ranges_from_prefixes(all, 2, mem);
}

static bool fits(const struct wh_ranges *set, const struct wh_addr *a, bool is_free)
{
	return is_free || !set || wh_ranges_has(*set, a);
}

static bool may_match(const struct wh_filter_rule *r, const struct sweep *s)
{
	return r->direction == s->p->direction && (!r->proto || r->proto == s->p->proto) && fits(r->sport, &s->sport, false) &&
	       fits(r->dport, &s->dport, s->free == WH_FREE_DPORT) && fits(r->local, &s->p->local, s->free == WH_FREE_LOCAL) &&
	       fits(r->peer, &s->p->peer, s->free == WH_FREE_PEER);
}

static const struct wh_ranges *free_set(const struct wh_filter_rule *r, enum wh_filter_free free)
{
	return free == WH_FREE_PEER ? r->peer : free == WH_FREE_LOCAL ? r->local : r->dport;
}

static void decide(struct sweep *s, enum wh_answer v, struct wh_ranges hit)
{
	if (v == WH_DENIED)
		hit = s->doubted.n ? wh_ranges_intersect(hit, s->doubted, s->mem) : (struct wh_ranges){0};
	if (hit.n)
		s->can[v] = s->can[v].n ? wh_ranges_union(s->can[v], hit, s->mem) : hit;
}

/* Evaluates a list with the values in `open`; returns those that may leave it undecided. */
static struct wh_ranges walk(struct sweep *s, const struct wh_filter *f, struct wh_ranges open, unsigned depth)
{
	struct wh_ranges out = {0};
	for (size_t i = 0; i < f->n && open.n; i++) {
		const struct wh_filter_rule *r = &f->rules[i];
		if (!may_match(r, s))
			continue;
		const struct wh_ranges *set = free_set(r, s->free);
		struct wh_ranges hit = set ? wh_ranges_intersect(open, *set, s->mem) : open, back = {0};
		if (!hit.n)
			continue;
		if (s->each)
			s->each(s->arg, r, hit);
		if (r->may)
			s->doubted = wh_ranges_union(s->doubted, hit, s->mem);
		if (r->action == WH_FILTER_ALLOW || r->action == WH_FILTER_DENY) {
			decide(s, r->action == WH_FILTER_ALLOW ? WH_ALLOWED : WH_DENIED, hit);
		} else if (r->action == WH_FILTER_RETURN) {
			out = wh_ranges_union(out, hit, s->mem);
		} else {
			struct wh_ranges through = depth == WH_FILTER_DEPTH ? hit : walk(s, r->to, hit, depth + 1);
			if (r->action == WH_FILTER_JUMP)
				back = through;
			else
				out = wh_ranges_union(out, through, s->mem);
		}
		if (!r->may)
			open = wh_ranges_minus(open, hit, s->mem);
		if (!r->may && back.n)
			open = wh_ranges_union(open, back, s->mem);
	}
	return out.n ? wh_ranges_union(out, open, s->mem) : open;
}

static struct wh_outcomes sweep(struct sweep *s, const struct wh_filter *f)
{
	struct wh_ranges rest = walk(s, f, everything(s->free, s->mem), 0);
	if (f->otherwise == WH_UNDECIDED)
		s->doubted = wh_ranges_union(s->doubted, rest, s->mem);
	if (f->otherwise != WH_ALLOWED)
		decide(s, WH_DENIED, rest);
	if (f->otherwise != WH_DENIED)
		decide(s, WH_ALLOWED, rest);
	if (!s->doubted.n)
		return (struct wh_outcomes){s->can[WH_ALLOWED], {0}};
	return (struct wh_outcomes){wh_ranges_minus(s->can[WH_ALLOWED], s->can[WH_DENIED], s->mem),
	                            wh_ranges_intersect(s->can[WH_ALLOWED], s->can[WH_DENIED], s->mem)};
}

struct wh_outcomes wh_filter_walk(const struct wh_filter *f, const struct wh_filter_packet *p, enum wh_filter_free free,
                                  wh_filter_each each, void *arg, struct wh_arena *mem)
{
	struct sweep s = {.p = p,
	                  .sport = wh_port_addr(p->sport),
	                  .dport = wh_port_addr(p->dport),
	                  .free = free,
	                  .mem = mem,
	                  .each = each,
	                  .arg = arg};
	return sweep(&s, f);
}

/* All filters must allow. */
static struct wh_outcomes all_of(const struct wh_filter *const *filters, size_t n, const struct wh_filter_packet *p,
                                 uint16_t sport, enum wh_filter_free free, struct wh_arena *mem)
{
	struct wh_outcomes all = {everything(free, mem), {0}};
	for (size_t i = 0; i < n; i++) {
		struct sweep s = {
			.p = p, .sport = wh_port_addr(sport), .dport = wh_port_addr(p->dport), .free = free, .mem = mem};
		struct wh_outcomes one = sweep(&s, filters[i]);
		struct wh_ranges both = wh_ranges_intersect(wh_ranges_union(all.allowed, all.undecided, mem),
		                                            wh_ranges_union(one.allowed, one.undecided, mem), mem);
		all.allowed = wh_ranges_intersect(all.allowed, one.allowed, mem);
		all.undecided = wh_ranges_minus(both, all.allowed, mem);
	}
	return all;
}

/* ---- port classes ---- */

struct cuts { uint32_t *at; size_t n, room; struct wh_arena *mem; }; /* where a class begins; may be 65,536 */

static void add_cut(struct cuts *c, uint64_t at)
{
	c->at = wh_arena_grown(c->mem, c->at, c->n, &c->room, sizeof *c->at);
	c->at[c->n++] = (uint32_t)at;
}

static void cut(struct cuts *c, const struct wh_filter *f, enum wh_direction d, uint8_t proto, bool source, unsigned depth)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct wh_filter_rule *r = &f->rules[i];
		const struct wh_ranges *set = source ? r->sport : r->dport;
		if (r->direction != d || (r->proto && proto && r->proto != proto))
			continue;
		for (size_t j = 0; set && j < set->n; j++) {
			add_cut(c, wh_addr_low(&set->r[j].from));
			add_cut(c, wh_addr_low(&set->r[j].to) + 1);
		}
		if (r->to && depth < WH_FILTER_DEPTH)
			cut(c, r->to, d, proto, source, depth + 1);
	}
}

static int by_number(const void *a, const void *b)
{
	return (int)*(const uint32_t *)a - (int)*(const uint32_t *)b;
}

static size_t classes(const struct wh_filter *const *filters, size_t n, enum wh_direction d, uint8_t proto, bool source,
                      struct wh_arena *mem, struct wh_port_range **out)
{
	struct cuts c = {.mem = mem};
	size_t k = 0;
	add_cut(&c, 0);
	for (size_t i = 0; i < n; i++)
		cut(&c, filters[i], d, proto, source, 0);
	qsort(c.at, c.n, sizeof *c.at, by_number);
	*out = wh_arena_array(mem, c.n, sizeof **out);
	for (size_t i = 0; i < c.n && c.at[i] <= 65535; i++) {
		if (k && (*out)[k - 1].from == c.at[i])
			continue;
		if (k)
			(*out)[k - 1].to = (uint16_t)(c.at[i] - 1);
		(*out)[k++] = (struct wh_port_range){(uint16_t)c.at[i], 65535};
	}
	return k;
}

size_t wh_filter_port_classes(const struct wh_filter *const *filters, size_t n, enum wh_direction d, uint8_t proto,
                              struct wh_arena *mem, struct wh_port_range **out)
{
	return classes(filters, n, d, proto, false, mem, out);
}

size_t wh_filter_sport_classes(const struct wh_filter *const *filters, size_t n, enum wh_direction d, uint8_t proto,
                               struct wh_arena *mem, struct wh_port_range **out)
{
	return classes(filters, n, d, proto, true, mem, out);
}

struct wh_outcomes wh_filter_outcomes(const struct wh_filter *const *filters, size_t n, const struct wh_filter_packet *p,
                                      enum wh_filter_free free, bool any_sport, struct wh_arena *mem)
{
	struct wh_port_range *class = NULL;
	size_t k = any_sport ? wh_filter_sport_classes(filters, n, p->direction, p->proto, mem, &class) : 1;
	struct wh_outcomes out = {{0}, {0}};
	for (size_t i = 0; i < k; i++) {
		struct wh_outcomes one = all_of(filters, n, p, any_sport ? class[i].from : p->sport, free, mem);
		struct wh_ranges some = wh_ranges_union(wh_ranges_union(out.allowed, out.undecided, mem),
		                                        wh_ranges_union(one.allowed, one.undecided, mem), mem);
		out.allowed = i ? wh_ranges_intersect(out.allowed, one.allowed, mem) : one.allowed;
		out.undecided = wh_ranges_minus(some, out.allowed, mem);
	}
	return out;
}
