/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A budget, allotted to ports: exactly where it is of WH_ALLOTMENT_MOST lines or fewer. In a larger one no port's rule gets more
 * than these, which is for budgets too small for all ports at any price.
 *
 * Selection gives the cost of a port's best rule at each number of lines; which of them each port gets is a multiple-choice
 * knapsack problem, solved by its table: from the last port back, the cost of the remaining ports with so many lines left for the
 * resource, and so many prefixes for all. If there is no room for every port, some keep the rules in force: those that leave the
 * least open. So the open part is compared first, and the cost of rules second.
 *
 * One rule closes all ports of a resource without allowed peers, and has the first one's allotment.
 */
#include <math.h>
#include <string.h>
#include "harden/recommend.h"

#define MOST_CELLS (UINT64_C(1) << 27) /* of the table: two bytes each */
#define LEFT_ALONE 0

struct choice {
	unsigned lines;
	bool carved;
	double cost;
	size_t l, w; /* of the room: 0 where there is no such limit */
};

/* The cost of the remaining ports with so much room left. */
struct row { double *open, *cost; };

struct table {
	size_t lines, weight, cells; /* the largest distinguished values, and all pairs of them */
	struct choice choice[2 * (WH_ALLOTMENT_MOST + 1)]; /* of the port at hand */
	unsigned n_choices;
};

size_t wh_allotment_weight(const struct wh_allotment *s, unsigned lines, bool carved)
{
	return lines + (1u + (lines > 0) + carved) * s->names + s->probes;
}

static void list_choices(struct table *t, const struct wh_allotment *s, const struct wh_room *room)
{
	t->n_choices = 0;
	for (int carved = 0; carved < 2; carved++)
		for (unsigned k = 0; k <= WH_ALLOTMENT_MOST; k++)
			if (!isinf(s->cost[carved][k]))
				t->choice[t->n_choices++] = (struct choice){
					k, carved, s->cost[carved][k], room->lines == SIZE_MAX ? 0 : k,
					room->weight == SIZE_MAX ? 0 : wh_allotment_weight(s, k, carved)};
}

/* From the row of the ports after this one to its own; `same`: the next is of its resource. chosen gets 1 + the place of the best
 * choice. */
static void solve(const struct table *t, const struct wh_allotment *s, bool same, struct row next, struct row mine,
                  uint16_t *chosen)
{
	for (size_t l = 0, at = 0; l <= t->lines; l++)
		for (size_t w = 0; w <= t->weight; w++, at++) {
			size_t from = (same ? l : t->lines) * (t->weight + 1) + w;
			mine.open[at] = s->left_open + next.open[from];
			mine.cost[at] = next.cost[from];
			chosen[at] = LEFT_ALONE;
			for (unsigned i = 0; i < t->n_choices; i++) {
				const struct choice *c = &t->choice[i];
				if (c->l > l || c->w > w)
					continue;
				size_t then = from - (same ? c->l * (t->weight + 1) : 0) - c->w;
				double cost = c->cost + next.cost[then];
				if (next.open[then] < mine.open[at] ||
				    (next.open[then] == mine.open[at] && cost < mine.cost[at])) {
					mine.open[at] = next.open[then];
					mine.cost[at] = cost;
					chosen[at] = (uint16_t)(1 + i);
				}
			}
		}
}

static bool same_resource(const struct wh_allotment *s, size_t n, size_t i)
{
	return i + 1 < n && s[i + 1].resource == s[i].resource;
}

/* Walks forwards along the choices. */
static void take(struct table *t, struct wh_allotment *s, size_t n, const uint16_t *chosen, const struct wh_room *room)
{
	size_t lines = t->lines, weight = t->weight;
	for (size_t i = 0; i < n; i++) {
		unsigned which = chosen[i * t->cells + lines * (t->weight + 1) + weight];
		list_choices(t, &s[i], room);
		const struct choice *c = which == LEFT_ALONE ? NULL : &t->choice[which - 1];
		s[i].in = c;
		s[i].lines = c ? c->lines : 0;
		s[i].carved = c && c->carved;
		weight -= c ? c->w : 0;
		lines = same_resource(s, n, i) ? lines - (c ? c->l : 0) : t->lines;
	}
}

int wh_allot(struct wh_allotment *s, size_t n, struct wh_room room, struct wh_arena *mem)
{
	struct table t = {room.lines == SIZE_MAX ? 0 : room.lines, room.weight == SIZE_MAX ? 0 : room.weight, 0, {{0}}, 0};
	struct row rows[2];

	t.cells = (t.lines + 1) * (t.weight + 1);
	if (t.cells > MOST_CELLS / (n + 1))
		return -E2BIG;
	uint16_t *chosen = wh_arena_unset(mem, n * t.cells, sizeof *chosen);
	for (int i = 0; i < 2; i++)
		rows[i] = (struct row){wh_arena_array(mem, t.cells, sizeof(double)),
		                       wh_arena_array(mem, t.cells, sizeof(double))};
	for (size_t i = n; i-- > 0;) {
		list_choices(&t, &s[i], &room);
		solve(&t, &s[i], same_resource(s, n, i), rows[(i + 1) % 2], rows[i % 2], &chosen[i * t.cells]);
	}
	take(&t, s, n, chosen, &room);
	for (size_t i = 0; i < n; i++)
		if (s[i].with)
			s[i].in = s[i].with->in;
	return 0;
}

bool wh_one_deny(const struct wh_recommended_rule *a, const struct wh_recommended_rule *b)
{
	return a->system_generated && b->system_generated && a->direction == b->direction && a->proto == b->proto &&
	       (a->narrows && b->narrows ? !strcmp(a->narrows, b->narrows) : a->narrows == b->narrows);
}

void wh_allot_with(struct wh_allotment *s, struct wh_allotment *first)
{
	s->with = first;
	first->left_open += s->left_open;
	s->left_open = 0;
	for (size_t k = 0; k <= WH_ALLOTMENT_MOST; k++)
		s->cost[0][k] = s->cost[1][k] = INFINITY;
}

/* Only where one more line makes it cheaper does the best use that line. */
static void steps_only(const double *curve, size_t most, double *out)
{
	for (size_t k = 0; k <= WH_ALLOTMENT_MOST; k++)
		out[k] = k <= most && (!k || curve[k] < curve[k - 1]) ? curve[k] : INFINITY;
}

int wh_allotment_price(const struct wh_analysis *a, const struct wh_judged_port *port, struct wh_limits limits, size_t most,
                       struct wh_arena *mem, struct wh_allotment *out, struct wh_error *err)
{
	const struct wh_present *present = port->present;
	double any[WH_ALLOTMENT_MOST + 1], plain[WH_ALLOTMENT_MOST + 1];
	struct wh_select_input in;
	int rc;

	wh_select_input(a, port->traffic, present, limits, mem, &in);
	if ((rc = wh_select_curve(&in, present->prefixes, present->n_prefixes, most, mem, any, err)))
		return rc;
	if (in.costs.max_lines && in.costs.max_lines < most) /* the limit of a rule */
		most = in.costs.max_lines;
	steps_only(any, most, out->cost[1]);
	steps_only(any, most, out->cost[0]);
	if (out->names) { /* a rule that carves nothing out weighs less */
		in.costs.no_carving = true;
		if ((rc = wh_select_curve(&in, present->prefixes, present->n_prefixes, most, mem, plain, err)))
			return rc;
		steps_only(plain, most, out->cost[0]);
	}
	for (size_t k = 0; k <= WH_ALLOTMENT_MOST; k++)
		if (!(out->cost[1][k] < out->cost[0][k]))
			out->cost[1][k] = INFINITY;
	out->left_open = 0;
	for (size_t i = 0; i < present->n_prefixes; i++)
		out->left_open += ldexp(1, (wh_prefix_is_v4(&present->prefixes[i]) ? 128 : 64) - (int)present->prefixes[i].len);
	return 0;
}
