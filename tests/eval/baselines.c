/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Baselines without prediction. Greedy merging and the published trie program get as many lines as the list of /24s has, so
 * they differ only in how they use the lines.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "eval.h"

static double space_of(const struct wh_prefix *p)
{
	return wh_prefix_is_v4(p) ? ldexp(1, 128 - p->len) : ldexp(1, 64 - (int)p->len);
}

static unsigned common_bits(const struct wh_addr *a, const struct wh_addr *b)
{
	for (unsigned i = 0; i < 16; i++)
		if (a->b[i] != b->b[i])
			return i * 8 + (unsigned)__builtin_clz((unsigned)(a->b[i] ^ b->b[i])) - 24;
	return 128;
}

static void each_address(const struct wh_addr *peers, size_t n, struct wh_arena *mem, struct allow_list *out)
{
	out->p = wh_arena_array(mem, n, sizeof *out->p);
	for (size_t i = 0; i < n; i++)
		out->p[i] = wh_prefix_of(&peers[i], 128);
	out->n = n;
}

/* Sibling /24s are joined: it is the best that one gets by that habit. In IPv6, the /64. */
static void slash24(const struct wh_addr *peers, size_t n, struct wh_arena *mem, struct allow_list *out)
{
	each_address(peers, n, mem, out);
	for (size_t i = 0; i < n; i++)
		out->p[i] = wh_prefix_of(&peers[i], wh_addr_is_v4(&peers[i]) ? 120 : 64);
	out->n = wh_prefix_merge(out->p, n);
}

/* One for each family. */
static void one_prefix(const struct wh_addr *peers, size_t n, struct wh_arena *mem, struct allow_list *out)
{
	size_t v4 = 0, from = 0;
	out->p = wh_arena_array(mem, 2, sizeof *out->p);
	while (from < n) { /* IPv4 addresses stand together when sorted */
		bool is = wh_addr_is_v4(&peers[from]);
		for (v4 = from; v4 < n && wh_addr_is_v4(&peers[v4]) == is; v4++)
			;
		if (out->n < 2)
			out->p[out->n++] = wh_prefix_of(&peers[from], common_bits(&peers[from], &peers[v4 - 1]));
		from = v4;
	}
}

static size_t budget_of(const struct wh_addr *peers, size_t n, struct wh_arena *mem)
{
	struct allow_list l = {0};
	slash24(peers, n, mem, &l);
	return l.n;
}

/* Joins the two neighbours whose common prefix adds the least space, until the budget holds. */
static void greedy(const struct wh_addr *peers, size_t n, struct wh_arena *mem, struct allow_list *out)
{
	size_t budget = budget_of(peers, n, mem);

	each_address(peers, n, mem, out);
	while (out->n > budget && out->n > 1) {
		double best = INFINITY;
		size_t at = 0, upto = 0;
		struct wh_prefix by = {0};
		for (size_t i = 0; i + 1 < out->n; i++) {
			unsigned len = common_bits(&out->p[i].addr, &out->p[i + 1].addr);
			if (len > out->p[i].len)
				len = out->p[i].len;
			if (wh_prefix_is_v4(&out->p[i]) != wh_prefix_is_v4(&out->p[i + 1]))
				continue;
			struct wh_prefix p = wh_prefix_of(&out->p[i].addr, len);
			double added = space_of(&p);
			size_t j = i;
			while (j < out->n && wh_prefix_covers(&p, &out->p[j]))
				added -= space_of(&out->p[j++]);
			if (i > 0 && wh_prefix_covers(&p, &out->p[i - 1]))
				continue; /* met from the left already */
			if (added < best) {
				best = added;
				at = i;
				upto = j;
				by = p;
			}
		}
		if (isinf(best))
			break;
		out->p[at] = by;
		memmove(out->p + at + 1, out->p + upto, (out->n - upto) * sizeof *out->p);
		out->n -= upto - at - 1;
	}
}

/*
 * The trie program of Soldo, Argyraki and Markopoulou, turned to allowing: cover every peer with at most F prefixes and the
 * least space. On the binary trie of the peers' common prefixes
 *     cost(leaf, k ≥ 1) = space(leaf),   cost(node, 1) = space(node),   cost(node, k) = min over i of cost(left, i) + cost(right,
 *                                        k - i)
 */
struct node {
	struct wh_prefix p;
	struct node *left, *right;
	size_t n;      /* k runs from 1 to n */
	double *cost;  /* [k - 1] */
	uint32_t *give; /* lines for the left child; 0: take the node whole */
};

static struct node *build(const struct wh_addr *peers, size_t n, size_t budget, struct wh_arena *mem)
{
	struct node *t = wh_arena_alloc(mem, sizeof *t);
	unsigned len = common_bits(&peers[0], &peers[n - 1]);

	t->p = wh_prefix_of(&peers[0], len);
	t->n = n < budget ? n : budget;
	t->cost = wh_arena_array(mem, t->n, sizeof *t->cost);
	t->give = wh_arena_array(mem, t->n, sizeof *t->give);
	if (n == 1) {
		t->cost[0] = space_of(&t->p);
		return t;
	}
	size_t split = 1, hi = n - 1;
	while (split < hi) { /* the first peer with the bit after the common ones set */
		size_t mid = (split + hi) / 2;
		if (peers[mid].b[len / 8] & 0x80 >> len % 8)
			hi = mid;
		else
			split = mid + 1;
	}
	t->left = build(peers, split, budget, mem);
	t->right = build(peers + split, n - split, budget, mem);
	bool mixed = !wh_prefix_is_v4(&t->p) && wh_prefix_is_v4(&t->left->p); /* never across families */
	for (size_t k = 0; k < t->n; k++)
		t->cost[k] = mixed ? INFINITY : space_of(&t->p);
	for (size_t i = 1; i <= t->left->n; i++)
		for (size_t j = 1; j <= t->right->n && i + j <= t->n; j++) {
			double c = t->left->cost[i - 1] + t->right->cost[j - 1];
			if (c < t->cost[i + j - 1]) {
				t->cost[i + j - 1] = c;
				t->give[i + j - 1] = (uint32_t)i;
			}
		}
	return t;
}

static void collect(const struct node *t, size_t k, struct allow_list *out)
{
	if (k > t->n)
		k = t->n;
	size_t best = k; /* fewer lines never cost less, but may cost the same */
	while (best > 1 && t->cost[best - 2] <= t->cost[best - 1])
		best--;
	if (!t->left || !t->give[best - 1]) {
		out->p[out->n++] = t->p;
		return;
	}
	collect(t->left, t->give[best - 1], out);
	collect(t->right, best - t->give[best - 1], out);
}

static void trie(const struct wh_addr *peers, size_t n, struct wh_arena *mem, struct allow_list *out)
{
	if (!n)
		return;
	size_t budget = budget_of(peers, n, mem);
	out->p = wh_arena_array(mem, n, sizeof *out->p);
	collect(build(peers, n, budget, mem), budget, out);
}

const struct baseline baselines[] = {
	{"each address", false, each_address},
	{"the /24 of each", false, slash24},
	{"one prefix around all", false, one_prefix},
	{"greedy merging", true, greedy},
	{"trie program", true, trie},
};
const unsigned n_baselines = sizeof baselines / sizeof *baselines;
