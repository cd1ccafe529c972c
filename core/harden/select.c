/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which prefixes to allow.
 *
 * Given S, the peers that belong, X, the addresses that must stay out, and A, the prefixes that the rules in force allow,
 * choose disjoint prefixes P, each inside one of A, that cover S and
 *
 *     minimise  line·|P| + unseen·Σ units of p not seen + carve·|X ∩ P| − newcomer·Σ newcomers(p)
 *
 * A unit is an address in IPv4 and a /64 in IPv6. Newcomers are predicted from arrivals: the peers of p first seen in the
 * second half of the window, less one (one arrival is no stream), scaled from the half to the horizon, at most the unseen
 * units. Subtracting them is the same as charging for each that will come and be blocked, up to a constant.
 *
 * Prefixes that are private as a whole have prices of their own for an unseen address and for a newcomer: most private addresses
 * belong to no machine, so that nobody can come from there, while whoever does come is inside already.
 *
 * Candidates are the longest common prefixes of peers: a shorter one holds the same peers and more that was not seen, and
 * arrivals tell nothing of what lies outside of where they arrived. Every price is of one prefix alone, so the best choice
 * within a subtree does not depend on the rest. Hence, on the path-compressed trie of S within each prefix of A, leaves up:
 *
 *     best(leaf) = line            best(node) = min(price(node), best(left) + best(right))
 *
 * Linear in |S| once sorted; X is counted by binary search. A tie goes to the children: the narrower choice.
 *
 *     peers .8 .9 .11 .12 .14 of 140.20.30.0/24, unseen 0.25:
 *     .8/31 costs 1 against 1 + 1;  {.8/31, .11}: .8/30 costs 1.25 against 2;  {.12, .14}: .12/30 costs 1.5 against 2
 *     .8/29: 1 + 3 · 0.25 = 1.75 against 1.25 + 1.5: one line, 140.20.30.8/29
 *
 * A budget counts lines, of prefixes and carve-outs. Where peers × lines is at most EXACT_WORK it is met exactly, by the same
 * recurrence with the number of lines as a second dimension (Soldo, Argyraki, Markopoulou, "Optimal Source-Based Filtering of
 * Malicious Traffic", IEEE/ACM ToN 2012); above, one price is added to every line and found by bisection, which is the best
 * for the number of lines that it ends with, though some of the budget may be left.
 */
#include <math.h>
#include <string.h>
#include "harden/select.h"

#define EXACT_WORK 30000000
#define BISECTIONS 48

/* A leaf before the trie is built: one address, or an IPv6 /64 with its peers. */
struct unit {
	struct wh_prefix p;
	bool late;
};

struct node {
	struct wh_prefix p;
	struct node *left, *right; /* NULL in leaves */
	double seen, late;         /* units below */
	size_t leaves, out;        /* leaves below; of keep_out inside p */
	double price;              /* taken whole, without what lines cost */
	double best;               /* at the present line price */
	bool whole;
	size_t most;               /* more lines than this are never of use here */
	double *cost;              /* [k ≤ most]: of at most k lines; INFINITY where k does not do */
	uint16_t *give;            /* [k]: lines for the left child; TAKE: whole */
};
#define TAKE UINT16_MAX

struct work {
	const struct wh_addr *keep_out;
	size_t n_out;
	const struct wh_select_costs *costs;
	struct wh_arena *mem;
	struct node **roots;
	size_t n_roots;
	struct node *fresh;        /* the nodes of the trie that is being built: one block, for there are millions */
};

static unsigned common_bits(const struct wh_addr *a, const struct wh_addr *b)
{
	uint64_t x = wh_addr_high(a) ^ wh_addr_high(b);
	if (x)
		return (unsigned)__builtin_clzll(x);
	x = wh_addr_low(a) ^ wh_addr_low(b);
	return x ? 64 + (unsigned)__builtin_clzll(x) : 128;
}

static double units_of(const struct wh_prefix *p)
{
	if (p->len == 128 && wh_addr_is_v4(&p->addr))
		return 1;
	if (wh_prefix_is_v4(p))
		return ldexp(1, 128 - (int)p->len);
	return ldexp(1, 64 - (int)p->len); /* a part of a unit where it is longer */
}

/* ---- what must stay out ---- */

struct span { size_t from, to; }; /* of keep_out */

/* The first of a span of keep_out that is not below a. */
static size_t lower_bound(const struct work *w, struct span in, const struct wh_addr *a)
{
	size_t lo = in.from, hi = in.to;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (wh_addr_cmp(&w->keep_out[mid], a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The part of `in` from p's first address to its last. */
static struct span part_of(const struct work *w, struct span in, const struct wh_prefix *p)
{
	struct wh_addr last = wh_prefix_last(p);
	if (in.from == in.to)
		return in;
	struct span s = {lower_bound(w, in, &p->addr), 0};
	s.to = lower_bound(w, (struct span){s.from, in.to}, &last);
	if (s.to < in.to && wh_addr_eq(&w->keep_out[s.to], &last))
		s.to++;
	return s;
}

/* How much of keep_out is in p, whose part it is. Within a wide IPv6 prefix the IPv4-mapped block stands in the middle: it is no part. */
static size_t count_out(const struct work *w, const struct wh_prefix *p, struct span part)
{
	size_t n = part.to - part.from;
	struct wh_addr last = wh_prefix_last(p);
	if (n && p->len < 96 && wh_addr_cmp(&p->addr, &wh_prefix_all_v4.addr) <= 0 && wh_addr_cmp(&wh_prefix_all_v4.addr, &last) < 0) {
		struct span v4 = part_of(w, part, &wh_prefix_all_v4);
		n -= v4.to - v4.from;
	}
	return n;
}

/* ---- the trie ---- */

static double predicted_newcomers(const struct wh_select_costs *c, double late, double unseen)
{
	double come = late > 1 && c->half_days > 0 ? (late - 1) * c->horizon_days / c->half_days : 0;
	return come < unseen ? come : unseen;
}

static void unseen_and_newcomers(const struct work *w, const struct node *t, double *unseen, double *newcomers)
{
	*unseen = *newcomers = 0;
	if (!t->left)
		return;
	double units = units_of(&t->p) - t->seen;
	if (wh_prefix_is_v4(&t->p)) /* what is carved out is not let in */
		units -= (double)t->out;
	*unseen = units > 0 ? units : 0;
	*newcomers = predicted_newcomers(w->costs, t->late, *unseen);
}

/* Within one private block: 10/8, 172.16/12, 192.168/16, fc00::/7. */
static bool is_private(const struct wh_prefix *p)
{
	struct wh_addr last = wh_prefix_last(p);
	return wh_addr_is_private(&p->addr) && wh_addr_is_private(&last);
}

static void price_node(const struct work *w, struct node *t, struct span part)
{
	double unseen, newcomers;
	t->out = count_out(w, &t->p, part);
	unseen_and_newcomers(w, t, &unseen, &newcomers);
	bool private = unseen > 0 && is_private(&t->p);
	double a_newcomer = private ? w->costs->newcomer_private : w->costs->newcomer, an_unseen = private ? w->costs->unseen_private : w->costs->unseen;
	t->price = an_unseen * unseen + w->costs->carve * (double)t->out - a_newcomer * newcomers;
}

/* units sorted and disjoint, all inside one prefix of A: so is every common prefix of theirs. At most 128 deep.
 * `out` is the part of keep_out in the parent: below a prefix without any nothing is searched. */
static struct node *build(struct work *w, const struct unit *u, size_t n, struct span out)
{
	struct node *t = w->fresh++;

	*t = (struct node){.p = u->p};
	if (n == 1) {
		t->seen = units_of(&t->p);
		t->late = u->late;
		t->leaves = 1;
		price_node(w, t, part_of(w, out, &t->p));
		return t;
	}
	unsigned len = common_bits(&u[0].p.addr, &u[n - 1].p.addr);
	size_t split = 1, hi = n - 1;
	while (split < hi) { /* the first unit that has the bit after the common ones */
		size_t mid = (split + hi) / 2;
		if (u[mid].p.addr.b[len / 8] & 0x80 >> len % 8)
			hi = mid;
		else
			split = mid + 1;
	}
	t->p = wh_prefix_of(&u[0].p.addr, len);
	out = part_of(w, out, &t->p);
	t->left = build(w, u, split, out);
	t->right = build(w, u + split, n - split, out);
	t->seen = t->left->seen + t->right->seen;
	t->late = t->left->late + t->right->late;
	t->leaves = t->left->leaves + t->right->leaves;
	price_node(w, t, out);
	return t;
}

/* IPv6 peers are folded into the /64 that they are in, or into `within` where that is longer; those that keep their /128 on
 * most days stay, unless another one in the /64 does not. */
static size_t fold_units(const struct wh_select_peer *peers, size_t n, const struct wh_prefix *within, struct unit *out)
{
	size_t n_units = 0;

	if (wh_prefix_is_v4(within)) {
		for (size_t i = 0; i < n; i++)
			out[n_units++] = (struct unit){wh_prefix_of(&peers[i].addr, 128), peers[i].late};
		return n_units;
	}
	for (size_t i = 0, j; i < n; i = j) {
		struct wh_prefix p = wh_prefix_of(&peers[i].addr, within->len > 64 ? within->len : 64);
		bool fixed = true, late = true;
		for (j = i; j < n && wh_prefix_has(&p, &peers[j].addr); j++) {
			fixed = fixed && peers[j].fixed;
			late = late && peers[j].late;
		}
		if (!fixed)
			out[n_units++] = (struct unit){p, late};
		for (size_t k = i; fixed && k < j; k++)
			out[n_units++] = (struct unit){wh_prefix_of(&peers[k].addr, 128), peers[k].late};
	}
	return n_units;
}

static size_t first_not_below(const struct wh_select_peer *peers, size_t n, const struct wh_addr *a)
{
	size_t lo = 0;
	while (lo < n) {
		size_t mid = (lo + n) / 2;
		if (wh_addr_cmp(&peers[mid].addr, a) < 0)
			lo = mid + 1;
		else
			n = mid;
	}
	return lo;
}

/* One trie for each prefix of A that has peers. */
static void build_roots(struct work *w, const struct wh_select_peer *peers, size_t n, const struct wh_prefix *within, size_t n_within)
{
	struct wh_select_peer *inside = wh_arena_unset(w->mem, n + 1, sizeof *inside);
	struct unit *units = wh_arena_unset(w->mem, n + 1, sizeof *units);

	w->roots = wh_arena_array(w->mem, n_within + 1, sizeof(struct node *));
	for (size_t i = 0; i < n_within; i++) {
		size_t n_inside = 0;
		struct wh_addr last = wh_prefix_last(&within[i]);
		for (size_t k = first_not_below(peers, n, &within[i].addr); k < n && wh_addr_cmp(&peers[k].addr, &last) <= 0; k++)
			if (wh_prefix_has(&within[i], &peers[k].addr))
				inside[n_inside++] = peers[k];
		size_t n_units = fold_units(inside, n_inside, &within[i], units);
		w->fresh = n_units ? wh_arena_unset(w->mem, 2 * n_units - 1, sizeof *w->fresh) : NULL;
		if (n_units)
			w->roots[w->n_roots++] = build(w, units, n_units, (struct span){0, w->n_out});
	}
}

/* ---- without a budget, or with a price for lines ---- */

/* `extra` is added to the price of every line: prefix or carve-out. */
static double solve(const struct work *w, struct node *t, double extra)
{
	double take = t->price + w->costs->line + extra * (1 + (double)t->out);
	t->whole = true;
	t->best = take;
	if (t->left) {
		double keep = solve(w, t->left, extra) + solve(w, t->right, extra);
		if (keep <= take) {
			t->whole = false;
			t->best = keep;
		}
	}
	return t->best;
}

static size_t count_lines(const struct node *t)
{
	return t->whole ? 1 + t->out : count_lines(t->left) + count_lines(t->right);
}

static size_t solve_all(const struct work *w, double extra)
{
	size_t lines = 0;
	for (size_t i = 0; i < w->n_roots; i++) {
		solve(w, w->roots[i], extra);
		lines += count_lines(w->roots[i]);
	}
	return lines;
}

/* The least extra price at which the budget holds; returns false when no price does. */
static bool solve_by_price(const struct work *w, size_t budget)
{
	double lo = 0, hi = 1;

	while (solve_all(w, hi) > budget) {
		lo = hi;
		hi *= 16;
		if (hi > 1e45) /* more than all of IPv6 unseen can cost */
			return false;
	}
	for (int i = 0; i < BISECTIONS && hi - lo > 1e-9 * hi; i++) {
		double mid = lo + (hi - lo) / 2;
		if (solve_all(w, mid) <= budget)
			hi = mid;
		else
			lo = mid;
	}
	solve_all(w, hi);
	return true;
}

/* ---- with a small budget: exactly ---- */

static size_t at_most(size_t k, size_t most)
{
	return k < most ? k : most;
}

static void solve_exactly(const struct work *w, struct node *t, size_t budget)
{
	t->most = at_most(t->leaves + t->out, budget);
	t->cost = wh_arena_array(w->mem, t->most + 1, sizeof *t->cost);
	t->give = wh_arena_array(w->mem, t->most + 1, sizeof *t->give);
	if (t->left) {
		solve_exactly(w, t->left, budget);
		solve_exactly(w, t->right, budget);
	}
	for (size_t k = 0; k <= t->most; k++) {
		t->cost[k] = INFINITY;
		for (size_t i = 1; t->left && i < k && i <= t->left->most; i++) {
			double c = t->left->cost[i] + t->right->cost[at_most(k - i, t->right->most)];
			if (c < t->cost[k]) {
				t->cost[k] = c;
				t->give[k] = (uint16_t)i;
			}
		}
		if (k >= 1 + t->out && t->price + w->costs->line < t->cost[k]) {
			t->cost[k] = t->price + w->costs->line;
			t->give[k] = TAKE;
		}
	}
}

static void mark(struct node *t, size_t k)
{
	k = at_most(k, t->most);
	t->whole = t->give[k] == TAKE;
	if (t->whole)
		return;
	mark(t->left, t->give[k]);
	mark(t->right, k - t->give[k]);
}

/* Shares the budget out over the roots; returns false when it does not do. */
static bool solve_within(const struct work *w, size_t budget)
{
	size_t stride = budget + 1;
	double *cost = wh_arena_array(w->mem, (w->n_roots + 1) * stride, sizeof *cost);
	uint16_t *give = wh_arena_array(w->mem, (w->n_roots + 1) * stride, sizeof *give);

	if (w->n_roots > budget)
		return false;
	for (size_t r = 0; r < w->n_roots; r++) { /* cost[r][k]: the first r roots with at most k lines */
		solve_exactly(w, w->roots[r], budget);
		for (size_t k = 0; k <= budget; k++) {
			double *to = &cost[(r + 1) * stride + k];
			*to = INFINITY;
			for (size_t i = 1; i <= k; i++) {
				double c = cost[r * stride + k - i] + w->roots[r]->cost[at_most(i, w->roots[r]->most)];
				if (c < *to) {
					*to = c;
					give[(r + 1) * stride + k] = (uint16_t)i;
				}
			}
		}
	}
	if (isinf(cost[w->n_roots * stride + budget]))
		return false;
	for (size_t r = w->n_roots, k = budget; r > 0; r--) {
		mark(w->roots[r - 1], give[r * stride + k]);
		k -= give[r * stride + k];
	}
	return true;
}

/* ---- the outcome ---- */

static void emit(const struct work *w, const struct node *t, struct wh_selection *out)
{
	double unseen, newcomers;

	if (!t->whole) {
		emit(w, t->left, out);
		emit(w, t->right, out);
		return;
	}
	unseen_and_newcomers(w, t, &unseen, &newcomers);
	out->prefixes[out->n_prefixes++] = t->p;
	out->unseen += unseen;
	out->newcomers += newcomers;
	out->cost += t->price + w->costs->line;
	for (size_t i = t->out ? lower_bound(w, (struct span){0, w->n_out}, &t->p.addr) : w->n_out; i < w->n_out; i++) {
		struct wh_addr last = wh_prefix_last(&t->p);
		if (wh_addr_cmp(&w->keep_out[i], &last) > 0)
			break;
		if (wh_prefix_has(&t->p, &w->keep_out[i]))
			out->except[out->n_except++] = wh_prefix_of(&w->keep_out[i], 128);
	}
}

static size_t count_whole(const struct node *t)
{
	return t->whole ? 1 : count_whole(t->left) + count_whole(t->right);
}

double wh_select_price(const struct wh_prefix *p, const struct wh_select_peer *peers, size_t n, const struct wh_addr *keep_out, size_t n_out,
                       const struct wh_select_costs *costs, struct wh_arena *mem, struct wh_select_terms *terms)
{
	struct work w = {.keep_out = keep_out, .n_out = n_out, .costs = costs, .mem = mem};
	struct unit *units = wh_arena_array(mem, n + 1, sizeof *units);
	struct wh_select_peer *inside = wh_arena_array(mem, n + 1, sizeof *inside);
	struct node t = {.p = *p, .left = &t}; /* a node, not a leaf: what is not seen counts */
	size_t n_inside = 0;

	for (size_t i = 0; i < n; i++)
		if (wh_prefix_has(p, &peers[i].addr))
			inside[n_inside++] = peers[i];
	size_t n_units = fold_units(inside, n_inside, p, units);
	for (size_t i = 0; i < n_units; i++) {
		t.seen += units_of(&units[i].p);
		t.late += units[i].late;
	}
	if (n_units == 1 && units[0].p.len == p->len)
		t.left = NULL;
	price_node(&w, &t, part_of(&w, (struct span){0, n_out}, p));
	*terms = (struct wh_select_terms){.peers = n_inside, .out = t.out};
	unseen_and_newcomers(&w, &t, &terms->unseen, &terms->newcomers);
	return t.price + costs->line;
}

int wh_select(const struct wh_select_peer *peers, size_t n, const struct wh_addr *keep_out, size_t n_out,
              const struct wh_prefix *within, size_t n_within, const struct wh_select_costs *costs, struct wh_arena *mem,
              struct wh_selection *out, struct wh_error *err)
{
	struct work w = {.keep_out = keep_out, .n_out = n_out, .costs = costs, .mem = mem};
	size_t lines, chosen = 0;

	*out = (struct wh_selection){0};
	if (costs->line < 0 || costs->unseen < 0 || costs->carve < 0 || costs->newcomer < 0)
		return wh_fail(err, -EINVAL, "prefix selection: a price is negative");
	build_roots(&w, peers, n, within, n_within);
	lines = solve_all(&w, 0);
	if (costs->max_lines && lines > costs->max_lines) {
		bool exact = costs->max_lines < TAKE && n * (double)costs->max_lines <= EXACT_WORK;
		bool fits = exact ? solve_within(&w, costs->max_lines) : solve_by_price(&w, costs->max_lines);
		out->over_budget = !fits;
		if (!fits)
			solve_all(&w, 1e45);
	}
	lines = 0;
	for (size_t i = 0; i < w.n_roots; i++) {
		chosen += count_whole(w.roots[i]);
		lines += count_lines(w.roots[i]);
	}
	out->prefixes = wh_arena_unset(mem, chosen + 1, sizeof *out->prefixes);
	out->except = wh_arena_unset(mem, lines - chosen + 1, sizeof *out->except);
	for (size_t i = 0; i < w.n_roots; i++)
		emit(&w, w.roots[i], out);
	out->n_except = wh_prefix_merge(out->except, out->n_except);
	return 0;
}
