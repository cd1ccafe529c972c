/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Candidates are the longest common prefixes of units: a shorter one holds the same peers and more unseen addresses, and arrivals
 * say nothing about addresses outside. Every price depends on one prefix only, so the best choice within a subtree does not
 * depend on the rest.
 *
 * Excluded addresses are merged into as few prefixes as possible, and a prefix is carved out of another whole or not at all:
 * each candidate holds a unit, so none lies within an excluded prefix. Counted by binary search, in parts that shrink on the way
 * down.
 */
#include <math.h>
#include <string.h>
#include "base/array.h"
#include "select/select.h"
#include "select/trie.h"
#include "whittle/nat64.h"

/* A leaf before the trie is built. */
struct unit {
	struct wh_prefix p;
	bool late;
};

double wh_select_units(const struct wh_prefix *p)
{
	const struct wh_prefix nat64 = wh_nat64();
	if (p->len == 128 && wh_addr_is_v4(&p->addr))
		return 1;
	if (wh_prefix_is_v4(p) || wh_prefix_covers(&nat64, p))
		return ldexp(1, 128 - (int)p->len);
	double units = ldexp(1, 64 - (int)p->len); /* a part of a unit if it is longer */
	return wh_prefix_covers(p, &nat64) ? units + 0x1p32 : units;
}

static size_t first_peer_not_below(const struct wh_select_peer *peers, size_t n, const struct wh_addr *a)
{
	return WH_BISECT(i, 0, n, wh_addr_cmp(&peers[i].addr, a) < 0);
}

/* ---- excluded addresses ---- */

struct span { size_t from, to; }; /* of excluded */

/* The first of a span of excluded that does not begin below a. */
static size_t lower_bound(const struct wh_trie *t, struct span in, const struct wh_addr *a)
{
	return in.from + wh_prefix_lower_bound(t->in->excluded + in.from, in.to - in.from, a);
}

/* The part of `in` that begins from p's first address to its last. */
static struct span part_of(const struct wh_trie *t, struct span in, const struct wh_prefix *p)
{
	struct wh_addr last = wh_prefix_last(p);
	if (in.from == in.to)
		return in;
	struct span s = {lower_bound(t, in, &p->addr), 0};
	s.to = lower_bound(t, (struct span){s.from, in.to}, &last);
	if (s.to < in.to && wh_addr_eq(&t->in->excluded[s.to].addr, &last))
		s.to++;
	return s;
}

/* The IPv4-mapped block stands in the middle of a wide IPv6 prefix, and is no part of it. Returns what of `part` is in there. */
static struct span foreign(const struct wh_trie *t, const struct wh_prefix *p, struct span part)
{
	struct wh_addr last = wh_prefix_last(p);
	if (part.from < part.to && p->len < 96 && wh_addr_cmp(&p->addr, &wh_prefix_all_v4.addr) <= 0 &&
	    wh_addr_cmp(&wh_prefix_all_v4.addr, &last) < 0)
		return part_of(t, part, &wh_prefix_all_v4);
	return (struct span){part.to, part.to};
}

size_t wh_trie_carved(const struct wh_trie *t, const struct wh_prefix *p, struct wh_prefix *out)
{
	struct span part = part_of(t, (struct span){0, t->in->n_out}, p), skip = foreign(t, p, part);
	size_t n = 0;
	for (size_t i = part.from; i < part.to; i++)
		if (i < skip.from || i >= skip.to)
			out[n++] = t->in->excluded[i];
	return n;
}

/* ---- prices ---- */

static double predicted_newcomers(const struct wh_select_costs *c, double late, double unseen)
{
	double come = late > 1 && c->half_days > 0 ? (late - 1) * c->horizon_days / c->half_days : 0;
	return come < unseen ? come : unseen;
}

static void unseen_and_newcomers(const struct wh_trie *t, const struct wh_node *node, double carved, double *unseen,
                                 double *newcomers)
{
	*unseen = *newcomers = 0;
	if (!node->left)
		return;
	double units = wh_select_units(&node->p) - node->seen - carved; /* which are not allowed */
	*unseen = units > 0 ? units : 0;
	*newcomers = predicted_newcomers(&t->in->costs, node->late, *unseen);
}

static double units_in(const struct wh_trie *t, struct span s)
{
	return t->units_out[s.to] - t->units_out[s.from];
}

void wh_trie_unseen(const struct wh_trie *t, const struct wh_node *node, double *unseen, double *newcomers)
{
	struct span part = node->out ? part_of(t, (struct span){0, t->in->n_out}, &node->p) : (struct span){0, 0};
	unseen_and_newcomers(t, node, units_in(t, part) - units_in(t, foreign(t, &node->p, part)), unseen, newcomers);
}

/* Within one private block: 10/8, 172.16/12, 192.168/16, fc00::/7. */
static bool is_private(const struct wh_prefix *p)
{
	struct wh_addr last = wh_prefix_last(p);
	return wh_addr_is_private(&p->addr) && wh_addr_is_private(&last);
}

static void price_node(const struct wh_trie *t, struct wh_node *node, struct span part)
{
	const struct wh_select_costs *c = &t->in->costs;
	struct span skip = foreign(t, &node->p, part);
	double unseen, newcomers;

	node->out = (part.to - part.from) - (skip.to - skip.from);
	unseen_and_newcomers(t, node, units_in(t, part) - units_in(t, skip), &unseen, &newcomers);
	bool private = unseen > 0 && is_private(&node->p);
	double a_newcomer = private ? c->newcomer_private : c->newcomer, an_unseen = private ? c->unseen_private : c->unseen;
	node->price = an_unseen * unseen + c->carve * (double)node->out - a_newcomer * newcomers;
	if (node->out && c->no_carving)
		node->price = INFINITY;
}

/* ---- the trie ---- */

/* units sorted and disjoint, all inside one prefix of `within`, as are all their common prefixes. At most 128 deep. `out` is the
 * part of excluded in the parent: below a prefix without any no search is needed. */
static struct wh_node *build(struct wh_trie *t, const struct unit *u, size_t n, struct span out)
{
	struct wh_node *node = t->fresh++;

	*node = (struct wh_node){.p = u->p};
	if (n == 1) {
		node->seen = wh_select_units(&node->p);
		node->late = u->late;
		price_node(t, node, part_of(t, out, &node->p));
		return node;
	}
	unsigned len = wh_addr_common_bits(&u[0].p.addr, &u[n - 1].p.addr);
	/* the first unit that has the bit after the common ones set */
	size_t split = WH_BISECT(i, 1, n - 1, !(u[i].p.addr.b[len / 8] & 0x80 >> len % 8));
	node->p = wh_prefix_of(&u[0].p.addr, len);
	out = part_of(t, out, &node->p);
	node->left = build(t, u, split, out);
	node->right = build(t, u + split, n - split, out);
	node->seen = node->left->seen + node->right->seen;
	node->late = node->left->late + node->right->late;
	price_node(t, node, out);
	return node;
}

/* IPv6 peers are joined into their /64, or into `within` if that is longer; those that keep their /128 on most days stay single,
 * unless another one in the /64 does not. IPv4 hosts behind NAT64 are always single. */
static size_t join_peers(const struct wh_select_peer *peers, size_t n, const struct wh_prefix *within, struct unit *out)
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
		if (wh_addr_is_nat64(&peers[i].addr)) {
			out[n_units++] = (struct unit){wh_prefix_of(&peers[i].addr, 128), peers[i].late};
			j = i + 1;
			continue;
		}
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

/* The contents of `within`. */
struct inside {
	struct wh_select_peer *peers; size_t n;      /* except those in a trusted prefix */
	struct wh_prefix *trusted; size_t n_trusted;
	size_t n_peers;                              /* all of them */
};

static struct inside room_inside(const struct wh_select_input *in, struct wh_arena *mem)
{
	struct inside i = {.peers = wh_arena_unset(mem, in->n + 1, sizeof *i.peers),
	                   .trusted = wh_arena_unset(mem, in->n_trusted + 1, sizeof *i.trusted)};
	return i;
}

/* Trusted prefixes in `within`, clipped to it. */
static void find_trusted(const struct wh_select_input *in, const struct wh_prefix *within, struct inside *out)
{
	struct wh_addr last = wh_prefix_last(within);
	size_t k = wh_prefix_lower_bound(in->trusted, in->n_trusted, &within->addr);

	out->n_trusted = 0;
	if (k > 0 && wh_prefix_covers(&in->trusted[k - 1], within))
		out->trusted[out->n_trusted++] = *within;
	for (; k < in->n_trusted && wh_addr_cmp(&in->trusted[k].addr, &last) <= 0; k++)
		if (wh_prefix_covers(within, &in->trusted[k]))
			out->trusted[out->n_trusted++] = in->trusted[k];
		else if (wh_prefix_covers(&in->trusted[k], within))
			out->trusted[out->n_trusted++] = *within;
}

static void find_inside(const struct wh_select_input *in, const struct wh_prefix *within, struct inside *out)
{
	struct wh_addr last = wh_prefix_last(within), end;
	size_t at = 0;

	find_trusted(in, within, out);
	out->n = out->n_peers = 0;
	for (size_t k = first_peer_not_below(in->peers, in->n, &within->addr);
	     k < in->n && wh_addr_cmp(&in->peers[k].addr, &last) <= 0; k++) {
		if (!wh_prefix_has(within, &in->peers[k].addr))
			continue;
		out->n_peers++;
		while (at < out->n_trusted &&
		       (end = wh_prefix_last(&out->trusted[at]), wh_addr_cmp(&end, &in->peers[k].addr) < 0))
			at++;
		if (at == out->n_trusted || !wh_prefix_has(&out->trusted[at], &in->peers[k].addr))
			out->peers[out->n++] = in->peers[k];
	}
}

/* The units of `within`, in order: those of its peers, and the trusted prefixes that no such unit contains. */
static size_t join_units(const struct inside *inside, const struct wh_prefix *within, struct unit *of_peers, struct unit *out)
{
	size_t n_peers = join_peers(inside->peers, inside->n, within, inside->n_trusted ? of_peers : out), n = 0, i = 0;

	if (!inside->n_trusted)
		return n_peers;
	for (size_t k = 0; k < inside->n_trusted; k++) {
		while (i < n_peers && wh_addr_cmp(&of_peers[i].p.addr, &inside->trusted[k].addr) <= 0)
			out[n++] = of_peers[i++];
		if (!n || !wh_prefix_covers(&out[n - 1].p, &inside->trusted[k]))
			out[n++] = (struct unit){inside->trusted[k], false};
	}
	while (i < n_peers)
		out[n++] = of_peers[i++];
	return n;
}

static void count_units_out(struct wh_trie *t)
{
	t->units_out = wh_arena_unset(t->mem, t->in->n_out + 1, sizeof *t->units_out);
	t->units_out[0] = 0;
	for (size_t i = 0; i < t->in->n_out; i++)
		t->units_out[i + 1] = t->units_out[i] + wh_select_units(&t->in->excluded[i]);
}

void wh_trie_build(struct wh_trie *t, const struct wh_select_input *in, const struct wh_prefix *within, size_t n_within,
                   struct wh_arena *mem)
{
	struct inside inside = room_inside(in, mem);
	struct unit *units = wh_arena_unset(mem, in->n + in->n_trusted + 1, sizeof *units);
	struct unit *of_peers = in->n_trusted ? wh_arena_unset(mem, in->n + 1, sizeof *of_peers) : NULL;

	*t = (struct wh_trie){.in = in, .mem = mem, .roots = wh_arena_array(mem, n_within + 1, sizeof(struct wh_node *))};
	count_units_out(t);
	for (size_t i = 0; i < n_within; i++) {
		find_inside(in, &within[i], &inside);
		size_t n = join_units(&inside, &within[i], of_peers, units);
		t->fresh = n ? wh_arena_unset(mem, 2 * n - 1, sizeof *t->fresh) : NULL;
		if (n)
			t->roots[t->n_roots++] = build(t, units, n, (struct span){0, in->n_out});
	}
}

double wh_select_price(const struct wh_select_input *in, const struct wh_prefix *p, struct wh_arena *mem,
                       struct wh_select_terms *terms)
{
	struct wh_trie t = {.in = in, .mem = mem};
	struct inside inside = room_inside(in, mem);
	struct unit *units = wh_arena_unset(mem, in->n + in->n_trusted + 1, sizeof *units),
		    *of_peers = wh_arena_unset(mem, in->n + 1, sizeof *of_peers);
	struct wh_node node = {.p = *p, .left = &node}; /* not a leaf: unseen addresses count */

	count_units_out(&t);
	find_inside(in, p, &inside);
	size_t n = join_units(&inside, p, of_peers, units);
	for (size_t i = 0; i < n; i++) {
		node.seen += wh_select_units(&units[i].p);
		node.late += units[i].late;
	}
	if (n == 1 && units[0].p.len == p->len)
		node.left = NULL;
	price_node(&t, &node, part_of(&t, (struct span){0, in->n_out}, p));
	*terms = (struct wh_select_terms){.peers = inside.n_peers, .out = node.out};
	wh_trie_unseen(&t, &node, &terms->unseen, &terms->newcomers);
	return node.price + in->costs.line;
}
