/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A budget, shared out over ports: exactly where it is of WH_SHARE_MOST lines or fewer. In a larger one no port's rule gets more than
 * these, which is for budgets too small for all ports at any price.
 *
 * Selection gives what the best rule of a port costs at each number of lines; which of them each port gets is the knapsack problem of
 * several choices a thing, solved by its table: from the last port back, what the ports from here on cost with so many lines left for
 * the resource, and so many prefixes for all. Where there is no room for every port, some stay as the rules in force have them: those
 * that leave the least open. What is left open is therefore compared first, and what rules cost second.
 */
#include <math.h>
#include "harden/recommend.h"

struct entry {
	double open, cost;
	uint8_t lines;
	bool in, carved;
};

struct table {
	size_t lines, weight; /* the largest that are told apart; 0 where there is no such limit */
	struct entry *e;
};

static struct entry *at(const struct table *t, size_t i, size_t lines, size_t weight)
{
	return &t->e[(i * (t->lines + 1) + lines) * (t->weight + 1) + weight];
}

size_t wh_share_weight(const struct wh_share *s, unsigned lines, bool carved)
{
	return lines + (1u + (lines > 0) + carved) * s->names;
}

static void take_better(struct entry *best, struct entry e)
{
	if (e.open < best->open || (e.open == best->open && e.cost < best->cost))
		*best = e;
}

/* The best for s[i] and all after it. */
static struct entry solve(const struct table *t, const struct wh_share *s, size_t n, size_t i, size_t lines, size_t weight, const struct wh_room *room)
{
	bool same = i + 1 < n && s[i + 1].resource == s[i].resource;
	const struct entry *next = at(t, i + 1, same ? lines : t->lines, weight);
	struct entry best = {.open = s[i].left_open + next->open, .cost = next->cost};

	for (int carved = 0; carved < 2; carved++)
		for (unsigned k = 0; k <= WH_SHARE_MOST; k++) {
			size_t w = room->weight == SIZE_MAX ? 0 : wh_share_weight(&s[i], k, carved), l = room->lines == SIZE_MAX ? 0 : k;
			if (isinf(s[i].cost[carved][k]) || l > lines || w > weight)
				continue;
			next = at(t, i + 1, same ? lines - l : t->lines, weight - w);
			take_better(&best, (struct entry){next->open, s[i].cost[carved][k] + next->cost, (uint8_t)k, true, carved});
		}
	return best;
}

void wh_share_out(struct wh_share *s, size_t n, struct wh_room room, struct wh_arena *mem)
{
	struct table t = {room.lines == SIZE_MAX ? 0 : room.lines, room.weight == SIZE_MAX ? 0 : room.weight, NULL};
	size_t lines = t.lines, weight = t.weight;

	t.e = wh_arena_array(mem, (n + 1) * (t.lines + 1) * (t.weight + 1), sizeof *t.e);
	for (size_t i = n; i-- > 0;)
		for (size_t l = 0; l <= t.lines; l++)
			for (size_t w = 0; w <= t.weight; w++)
				*at(&t, i, l, w) = solve(&t, s, n, i, l, w, &room);
	for (size_t i = 0; i < n; i++) {
		const struct entry *e = at(&t, i, lines, weight);
		s[i].in = e->in;
		s[i].lines = e->lines;
		s[i].carved = e->carved;
		if (e->in && room.weight != SIZE_MAX)
			weight -= wh_share_weight(&s[i], e->lines, e->carved);
		if (i + 1 == n || s[i + 1].resource != s[i].resource)
			lines = t.lines;
		else if (e->in && room.lines != SIZE_MAX)
			lines -= e->lines;
	}
}

/* Only where one more line makes it cheaper does the best use that line. */
static void steps_only(const double *curve, size_t most, double *out)
{
	for (size_t k = 0; k <= WH_SHARE_MOST; k++)
		out[k] = k <= most && (!k || curve[k] < curve[k - 1]) ? curve[k] : INFINITY;
}

int wh_share_price(const struct wh_analysis *a, const struct wh_port_traffic *t, const struct wh_present *present, struct wh_limits limits, size_t most,
                   struct wh_arena *mem, struct wh_share *out, struct wh_error *err)
{
	double any[WH_SHARE_MOST + 1], plain[WH_SHARE_MOST + 1];
	struct wh_select_input in;
	int rc;

	wh_select_input(a, t, present, limits, mem, &in);
	if ((rc = wh_select_curve(&in, present->prefixes, present->n_prefixes, most, mem, any, err)))
		return rc;
	if (in.costs.max_lines && in.costs.max_lines < most) /* what a rule may have */
		most = in.costs.max_lines;
	steps_only(any, most, out->cost[1]);
	steps_only(any, most, out->cost[0]);
	if (out->names) { /* a rule that carves nothing out weighs less */
		in.costs.no_carving = true;
		if ((rc = wh_select_curve(&in, present->prefixes, present->n_prefixes, most, mem, plain, err)))
			return rc;
		steps_only(plain, most, out->cost[0]);
	}
	for (size_t k = 0; k <= WH_SHARE_MOST; k++)
		if (!(out->cost[1][k] < out->cost[0][k]))
			out->cost[1][k] = INFINITY;
	out->left_open = 0;
	for (size_t i = 0; i < present->n_prefixes; i++)
		out->left_open += ldexp(1, (wh_prefix_is_v4(&present->prefixes[i]) ? 128 : 64) - (int)present->prefixes[i].len);
	return 0;
}
