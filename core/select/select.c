/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Selects the prefixes to allow.
 *
 * Given S, the allowed peers and the trusted prefixes, X, the excluded addresses in as few prefixes as possible, and A, the
 * prefixes that the rules in force allow, choose disjoint prefixes P, each inside one of A, that cover S and
 *
 *     minimise  line·|P| + unseen·Σ units of p not seen + carve·|X ∩ P| − newcomer·Σ newcomers(p)
 *
 * |X ∩ P| counts prefixes, each of which is also a line. A unit is an address in IPv4 and a /64 in IPv6. Newcomers are predicted
 * from arrivals: the peers of p first seen in the second half of the window, minus one (one arrival is no trend), scaled from the
 * half to the horizon, at most the unseen units. Subtracting them equals, up to a constant, charging for each newcomer that will
 * be blocked.
 *
 * Entirely private prefixes have their own prices for an unseen address and for a newcomer: most private addresses belong to no
 * machine, so that no peer can come from them, while a peer that does come is already inside.
 *
 * Candidates are the longest common prefixes of peers (trie.c), on whose trie within each prefix of A, leaves up:
 *
 *     best(leaf) = line            best(node) = min(price(node), best(left) + best(right))
 *
 * Linear in |S| once sorted; X is counted by binary search. A tie goes to the children, the narrower choice.
 *
 *     peers .8 .9 .11 .12 .14 of 140.20.30.0/24, unseen 0.25:
 *     .8/31 costs 1 against 1 + 1;  {.8/31, .11}: .8/30 costs 1.25 against 2;  {.12, .14}: .12/30 costs 1.5 against 2
 *     .8/29: 1 + 3 · 0.25 = 1.75 against 1.25 + 1.5: one line, 140.20.30.8/29
 *
 * A budget counts lines: prefixes and carve-outs. One of EXACT_LINES or fewer is met exactly, as is one where peers × lines is at
 * most EXACT_WORK, by the same recurrence with the number of lines as a second dimension (Soldo, Argyraki, Markopoulou, "Optimal
 * Source-Based Filtering of Malicious Traffic", IEEE/ACM ToN 2012). A subtree never needs more lines than its best without a
 * budget has, which keeps most of them at one. Larger budgets are met by adding one price to every line, found by bisection: the
 * result is the best for its number of lines, though some of the budget may be left.
 */
#include <math.h>
#include "select/trie.h"

#define EXACT_LINES 64
#define EXACT_WORK 30000000
#define BISECTIONS 48

/* ---- without a budget, or with a price for lines ---- */

/* `extra` is added to the price of every line: prefix or carve-out. */
static double solve(const struct wh_trie *t, struct wh_node *node, double extra)
{
	node->lines = 1 + node->out;
	node->best = node->price + t->in->costs.line + extra * (double)node->lines;
	node->whole = true;
	if (node->left) {
		double keep = solve(t, node->left, extra) + solve(t, node->right, extra);
		if (keep <= node->best) {
			node->whole = false;
			node->best = keep;
			node->lines = node->left->lines + node->right->lines;
		}
	}
	return node->best;
}

static size_t solve_all(const struct wh_trie *t, double extra)
{
	size_t lines = 0;
	for (size_t i = 0; i < t->n_roots; i++) {
		solve(t, t->roots[i], extra);
		lines += t->roots[i]->lines;
	}
	return lines;
}

/* The lowest extra price at which the budget holds; returns false if there is none. */
static bool solve_by_price(const struct wh_trie *t, size_t budget)
{
	double lo = 0, hi = 1;

	while (solve_all(t, hi) > budget) {
		lo = hi;
		hi *= 16;
		if (hi > 1e45) /* more than all of IPv6 unseen can cost */
			return false;
	}
	for (int i = 0; i < BISECTIONS && hi - lo > 1e-9 * hi; i++) {
		double mid = lo + (hi - lo) / 2;
		if (solve_all(t, mid) <= budget)
			hi = mid;
		else
			lo = mid;
	}
	solve_all(t, hi);
	return true;
}

/* ---- with a budget, exactly: the trie was solved without one before ---- */

static size_t at_most(size_t k, size_t most)
{
	return k < most ? k : most;
}

static void solve_exactly(const struct wh_trie *t, struct wh_node *node, size_t budget)
{
	const struct wh_node *left = node->left, *right = node->right;
	node->most = at_most(node->lines, budget);
	node->cost = wh_arena_unset(t->mem, node->most + 1, sizeof *node->cost);
	node->give = wh_arena_unset(t->mem, node->most + 1, sizeof *node->give);
	if (left) {
		solve_exactly(t, node->left, budget);
		solve_exactly(t, node->right, budget);
	}
	for (size_t k = 0; k <= node->most; k++) {
		node->cost[k] = INFINITY;
		node->give[k] = WH_TAKE;
		for (size_t i = 1; left && i < k && i <= left->most; i++) {
			double c = left->cost[i] + right->cost[at_most(k - i, right->most)];
			if (c < node->cost[k]) {
				node->cost[k] = c;
				node->give[k] = (uint16_t)i;
			}
		}
		if (k >= 1 + node->out && node->price + t->in->costs.line < node->cost[k]) {
			node->cost[k] = node->price + t->in->costs.line;
			node->give[k] = WH_TAKE;
		}
	}
}

static void mark(struct wh_node *node, size_t k)
{
	k = at_most(k, node->most);
	node->whole = node->give[k] == WH_TAKE;
	node->lines = 1 + node->out;
	if (node->whole)
		return;
	mark(node->left, node->give[k]);
	mark(node->right, k - node->give[k]);
	node->lines = node->left->lines + node->right->lines;
}

/* A budget divided among the roots. */
struct division {
	size_t stride;
	double *cost;   /* [roots * stride + k]: of the first roots with at most k lines */
	uint16_t *give; /* of them, the lines of the last one */
};

static bool distribute(const struct wh_trie *t, size_t budget, struct division *s)
{
	s->stride = budget + 1;
	if (t->n_roots > budget)
		return false;
	s->cost = wh_arena_array(t->mem, (t->n_roots + 1) * s->stride, sizeof *s->cost);
	s->give = wh_arena_array(t->mem, (t->n_roots + 1) * s->stride, sizeof *s->give);
	for (size_t r = 0; r < t->n_roots; r++) {
		const struct wh_node *root = t->roots[r];
		solve_exactly(t, t->roots[r], budget);
		for (size_t k = 0; k <= budget; k++) {
			double *to = &s->cost[(r + 1) * s->stride + k];
			*to = INFINITY;
			for (size_t i = 1; i <= k && i <= root->most; i++) {
				double c = s->cost[r * s->stride + k - i] + root->cost[i];
				if (c < *to) {
					*to = c;
					s->give[(r + 1) * s->stride + k] = (uint16_t)i;
				}
			}
		}
	}
	return true;
}

/* Returns false if the budget does not suffice. */
static bool solve_within(const struct wh_trie *t, size_t budget)
{
	struct division s;
	if (!distribute(t, budget, &s) || isinf(s.cost[t->n_roots * s.stride + budget]))
		return false;
	for (size_t r = t->n_roots, k = budget; r > 0; r--) {
		mark(t->roots[r - 1], s.give[r * s.stride + k]);
		k -= s.give[r * s.stride + k];
	}
	return true;
}

/* ---- the outcome ---- */

static size_t count_whole(const struct wh_node *node)
{
	return node->whole ? 1 : count_whole(node->left) + count_whole(node->right);
}

static void emit(const struct wh_trie *t, const struct wh_node *node, struct wh_selection *out)
{
	double unseen, newcomers;

	if (!node->whole) {
		emit(t, node->left, out);
		emit(t, node->right, out);
		return;
	}
	wh_trie_unseen(t, node, &unseen, &newcomers);
	out->prefixes[out->n_prefixes++] = node->p;
	out->unseen += unseen;
	out->newcomers += newcomers;
	out->cost += node->price + t->in->costs.line;
	if (node->out)
		out->n_except += wh_trie_carved(t, &node->p, out->except + out->n_except);
}

static int check_prices(const struct wh_select_costs *c, struct wh_error *err)
{
	if (c->line < 0 || c->unseen < 0 || c->carve < 0 || c->newcomer < 0)
		return wh_fail(err, -EINVAL, "prefix selection: a price is negative");
	return 0;
}

int wh_select(const struct wh_select_input *in, const struct wh_prefix *within, size_t n_within, struct wh_arena *mem,
              struct wh_selection *out, struct wh_error *err)
{
	size_t lines, chosen = 0, budget = in->costs.max_lines;
	struct wh_trie t;

	*out = (struct wh_selection){0};
	if (check_prices(&in->costs, err))
		return -EINVAL;
	wh_trie_build(&t, in, within, n_within, mem);
	lines = solve_all(&t, 0);
	if (budget && lines > budget) {
		bool exact = budget <= EXACT_LINES || (budget < WH_TAKE && (double)in->n * (double)budget <= EXACT_WORK);
		out->over_budget = !(exact ? solve_within(&t, budget) : solve_by_price(&t, budget));
		if (out->over_budget)
			solve_all(&t, 1e45);
	}
	lines = 0;
	for (size_t i = 0; i < t.n_roots; i++) {
		chosen += count_whole(t.roots[i]);
		lines += t.roots[i]->lines;
	}
	out->prefixes = wh_arena_unset(mem, chosen + 1, sizeof *out->prefixes);
	out->except = wh_arena_unset(mem, lines - chosen + 1, sizeof *out->except);
	for (size_t i = 0; i < t.n_roots; i++)
		emit(&t, t.roots[i], out);
	return 0;
}

int wh_select_curve(const struct wh_select_input *in, const struct wh_prefix *within, size_t n_within, size_t most,
                    struct wh_arena *mem, double *cost, struct wh_error *err)
{
	struct wh_trie t;
	struct division s;

	if (check_prices(&in->costs, err))
		return -EINVAL;
	wh_trie_build(&t, in, within, n_within, mem);
	solve_all(&t, 0);
	bool some = distribute(&t, most, &s);
	for (size_t k = 0; k <= most; k++)
		cost[k] = some ? s.cost[t.n_roots * s.stride + k] : INFINITY;
	return 0;
}
