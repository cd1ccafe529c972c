/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers from cells (ports.c): the ports of one, and of two together. */
#include <string.h>
#include "reach/verdicts.h"

/* Protocols without ports have only the first class, which contains port 0. */
static size_t sources(const struct numbering *s, size_t proto)
{
	return proto < 2 ? s->n_sport : 1;
}

static struct wh_ranges over_sources(const struct numbering *s, size_t proto, uint32_t number, bool undecided)
{
	const uint32_t *v = verdict(s, number);
	struct wh_ranges out = {0};
	for (size_t i = 0; i < sources(s, proto); i++)
		out = wh_ranges_union(out, wh_ports_get(s, v[2 * i + undecided]), s->mem);
	return out;
}

static struct wh_reach_ports answer(const struct numbering *s, uint32_t number)
{
	const uint32_t *c = cell(s, number);
	struct wh_reach_ports out = {0};
	for (size_t i = 0; i < s->n_proto; i++) {
		struct wh_ranges a = over_sources(s, i, c[i], false),
				 u = wh_ranges_minus(over_sources(s, i, c[i], true), a, s->mem);
		uint32_t why = verdict(s, c[i])[2 * s->n_sport];
		if (u.n && why && !out.missing)
			out.missing = intern_get(&s->reasons, why, NULL);
		if (i == 0)
			out.tcp = a, out.tcp_unknown = u;
		else if (i == 1)
			out.udp = a, out.udp_unknown = u;
		else if (i == 2)
			out.icmp = wh_ports_have(a, 0), out.icmp_unknown = wh_ports_have(u, 0);
		else
			out.other |= wh_ports_have(a, 0), out.other_unknown |= wh_ports_have(u, 0);
	}
	return out;
}

/* Many pairs share a cell: each is worked out once. */
struct wh_reach_ports wh_reach_ports(struct wh_reach *r, uint32_t number)
{
	struct numbering *s = r->numbering;
	if (number >= s->room_answers) {
		struct wh_reach_ports **more = wh_arena_array(s->mem, 2 * s->cells.n, sizeof *more);
		if (s->room_answers)
			memcpy(more, s->answers, s->room_answers * sizeof *more);
		s->answers = more;
		s->room_answers = 2 * s->cells.n;
	}
	if (!s->answers[number]) {
		s->answers[number] = wh_arena_alloc(s->mem, sizeof **s->answers);
		*s->answers[number] = answer(s, number);
	}
	return *s->answers[number];
}

static struct wh_ranges at_zero(struct wh_ranges x, size_t proto, struct wh_arena *mem)
{
	struct wh_range zero = {wh_port_addr(0), wh_port_addr(0)};
	return proto < 2 ? x : wh_ranges_intersect(x, (struct wh_ranges){&zero, 1}, mem);
}

/* For each class of source ports: the ports that either allows, and those that either may. */
uint32_t wh_reach_union(struct wh_reach *r, uint32_t a, uint32_t b)
{
	struct numbering *s = r->numbering;
	bool there;
	if (a == b || b == WH_CELL_NONE || a == WH_CELL_ALL)
		return a;
	if (a == WH_CELL_NONE || b == WH_CELL_ALL)
		return b;
	uint32_t *known = pair_find(&s->unions, a < b ? a : b, a < b ? b : a, &there), c[256];
	if (there)
		return *known;
	struct wh_arena *scratch = wh_arena_new();
	uint32_t *v = wh_arena_array(scratch, words(s), sizeof *v);
	for (size_t i = 0; i < s->n_proto; i++) {
		const uint32_t *x = verdict(s, cell(s, a)[i]), *y = verdict(s, cell(s, b)[i]);
		bool any = false;
		for (size_t k = 0; k < s->n_sport; k++) {
			struct wh_ranges allowed = wh_ranges_union(wh_ports_get(s, x[2 * k]), wh_ports_get(s, y[2 * k]), scratch);
			struct wh_ranges may = wh_ranges_union(wh_ports_get(s, x[2 * k + 1]), wh_ports_get(s, y[2 * k + 1]),
			                                       scratch);
			v[2 * k] = wh_ports_intern(s, allowed);
			v[2 * k + 1] = wh_ports_intern(s, wh_ranges_minus(may, allowed, scratch));
			any |= v[2 * k + 1] != 0;
		}
		v[2 * s->n_sport] = any ? x[2 * s->n_sport] ? x[2 * s->n_sport] : y[2 * s->n_sport] : 0;
		c[i] = verdict_of(s, v);
	}
	wh_arena_free(scratch);
	return *known = intern_add(&s->cells, c, s->n_proto * sizeof *c);
}

bool wh_reach_within(struct wh_reach *r, uint32_t a, uint32_t b)
{
	struct numbering *s = r->numbering;
	if (a == b || a == WH_CELL_NONE || b == WH_CELL_ALL)
		return true;
	struct wh_arena *scratch = wh_arena_new();
	bool in = true;
	for (size_t i = 0; i < s->n_proto && in; i++) {
		const uint32_t *x = verdict(s, cell(s, a)[i]), *y = verdict(s, cell(s, b)[i]);
		for (size_t k = 0; k < sources(s, i) && in; k++) {
			struct wh_ranges may = wh_ranges_union(wh_ports_get(s, x[2 * k]), wh_ports_get(s, x[2 * k + 1]), scratch);
			in = !at_zero(wh_ranges_minus(may, wh_ports_get(s, y[2 * k]), scratch), i, scratch).n;
		}
	}
	wh_arena_free(scratch);
	return in;
}

size_t wh_reach_source_ports(const struct wh_reach *r, const struct wh_port_range **out)
{
	*out = r->numbering->sport;
	return r->numbering->n_sport;
}
