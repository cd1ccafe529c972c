/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The positions of the circles.
 *
 *   1. Each ring, from the inside, shares its places among the parents of the ring before: every parent gets what it needs up to
 * the same number, the largest for which all fit.
 *   2. A parent with more children than places shows the worst by themselves, as far as its places go, and the rest as one circle
 * for each state. With too few places for that all children are one circle, in the state of the worst.
 *   3. Circles without children of their own stand side by side all around, each with as much of the angle as the next; a parent
 * stands in the middle of its children. A ring's radius is large enough for its circles, and at least a step more than that of
 * the ring before.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "whittle/map.h"

enum {
	PLACES_VNETS = 24,
	PLACES_SUBNETS = 64,
	PLACES_HOSTS = 120,
	LEVELS = 3,
	STEP = 118,
	PITCH = 30,
	ENOUGH = 5 /* number of places from which a circle that is not bad may have its own */,
	FIRST = 96,
	FAR = 150,
	FEW_VNETS = 6,
	FEW_SUBNETS = 12
};

/* A mark's nodes, from which its children are made. */
struct group { size_t *nodes; size_t n; };
struct laying {
	const struct wh_map *m;
	struct wh_map_layout *out;
	struct group *groups;      /* by mark */
	size_t room, room_groups;
	struct wh_arena *mem;
};

static size_t add_mark(struct laying *l, size_t parent, const size_t *nodes, size_t n)
{
	const struct wh_map_node *all = l->m->nodes;
	struct wh_map_layout *o = l->out;
	struct wh_map_mark k = {.parent = parent, .count = n, .kind = all[*nodes].kind, .node = n == 1 ? &all[*nodes] : NULL};
	for (size_t i = 0; i < n; i++) {
		const struct wh_map_node *x = &all[nodes[i]];
		k.state = x->state > k.state ? x->state : k.state;
		k.facing |= x->facing;
		k.reached |= x->reached;
		k.perhaps |= x->perhaps;
		for (size_t s = 0; s < WH_MAP_STATES; s++)
			k.machines += x->counts[s];
		o->mark_of[nodes[i]] = o->n;
	}
	o->marks = wh_arena_grown(l->mem, o->marks, o->n, &l->room, sizeof *o->marks);
	l->groups = wh_arena_grown(l->mem, l->groups, o->n, &l->room_groups, sizeof *l->groups);
	o->marks[o->n] = k;
	l->groups[o->n] = (struct group){wh_arena_array(l->mem, n, sizeof *nodes), n};
	memcpy(l->groups[o->n].nodes, nodes, n * sizeof *nodes);
	return o->n++;
}

static size_t states_of(const struct laying *l, const size_t *nodes, size_t from, size_t n)
{
	size_t states = 0;
	for (size_t i = from; i < n; i++)
		states += i == from || l->m->nodes[nodes[i]].state != l->m->nodes[nodes[i - 1]].state;
	return states;
}

/* Puts nodes, the worst first, into so many places. */
static void fill(struct laying *l, size_t parent, const size_t *nodes, size_t n, size_t places)
{
	const struct wh_map_node *all = l->m->nodes;
	size_t alone = n <= places ? n : 0;
	while (alone < n && alone + 1 + states_of(l, nodes, alone + 1, n) <= places &&
	       (places >= ENOUGH || all[nodes[alone]].state >= WH_MAP_MEDIUM))
		alone++;
	for (size_t i = 0; i < alone; i++)
		add_mark(l, parent, &nodes[i], 1);
	bool by_state = states_of(l, nodes, alone, n) <= places;
	for (size_t i = alone, end; i < n; i = end) {
		end = i + 1;
		while (end < n && (!by_state || all[nodes[end]].state == all[nodes[i]].state))
			end++;
		add_mark(l, parent, &nodes[i], end - i);
	}
}

/* The largest number such that every parent may have so many of the places that it needs. */
static size_t share(const size_t *needs, size_t n, size_t places)
{
	size_t each = 1;
	for (;; each++) {
		size_t sum = 0;
		bool more = false;
		for (size_t i = 0; i < n; i++) {
			sum += needs[i] < each + 1 ? needs[i] : each + 1;
			more |= needs[i] > each;
		}
		if (!more || sum > places)
			return each;
	}
}

static int worst_first(const void *a, const void *b, void *nodes)
{
	const struct wh_map_node *x = (const struct wh_map_node *)nodes + *(const size_t *)a,
				 *y = (const struct wh_map_node *)nodes + *(const size_t *)b;
	return x->state != y->state ? (x->state < y->state ? 1 : -1)
	                            : (*(const size_t *)a > *(const size_t *)b) - (*(const size_t *)a < *(const size_t *)b);
}

/* The children of a group, each at its drawing parent; those of a single node are sorted already. */
static size_t children_of(struct laying *l, size_t mark, size_t **out)
{
	const struct group *g = &l->groups[mark];
	const struct wh_map_node *all = l->m->nodes;
	size_t n = 0, most = 0;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a mark has its group */
	for (size_t i = 0; i < g->n; i++)
		most += all[g->nodes[i]].n_children;
	*out = wh_arena_array(l->mem, most + 1, sizeof **out);
	for (size_t i = 0; i < g->n; i++)
		for (size_t k = 0; k < all[g->nodes[i]].n_children; k++)
			if (all[all[g->nodes[i]].children[k]].parents[0] == g->nodes[i])
				(*out)[n++] = all[g->nodes[i]].children[k];
	if (n && g->n > 1)
		qsort_r(*out, n, sizeof **out, worst_first, l->m->nodes);
	return n;
}

static void add_ring(struct laying *l, size_t from, size_t to, size_t places)
{
	size_t n = to - from, *needs = wh_arena_array(l->mem, n + 1, sizeof *needs),
	       **lists = wh_arena_array(l->mem, n + 1, sizeof *lists);
	for (size_t i = 0; i < n; i++)
		needs[i] = children_of(l, from + i, &lists[i]);
	size_t each = share(needs, n, places);
	for (size_t i = 0; i < n; i++)
		fill(l, from + i, lists[i], needs[i], each);
}

static double radius_of(const struct wh_map_mark *k)
{
	if (k->kind == WH_MAP_VNET)
		return 24;
	if (k->count > 1)
		return fmin(9.5 + 2 * log10((double)k->count), PITCH / 2.0 - 0.5);
	return k->kind == WH_MAP_SUBNET ? 13 : 8;
}

/* Lists of children, by place + 1: the first of each mark, the next beside each; returns the first without a parent. */
static size_t link_children(const struct wh_map_layout *o, size_t *first, size_t *next)
{
	size_t root = 0;
	for (size_t i = o->n; i-- > 0;) {
		size_t *list = o->marks[i].parent == WH_NONE ? &root : &first[o->marks[i].parent];
		next[i] = *list;
		*list = i + 1;
	}
	return root;
}

/* Angles of the marks, in units of one place; returns how many there are. A mark without children has one, families have a gap
 * between them. */
static double place_angles(struct wh_map_layout *o, struct wh_arena *mem)
{
	size_t *next = wh_arena_array(mem, o->n + 1, sizeof *next), *first = wh_arena_array(mem, o->n + 1, sizeof *first),
	       at = link_children(o, first, next);
	bool *entered = wh_arena_array(mem, o->n + 1, sizeof *entered), *placed = wh_arena_array(mem, o->n + 1, sizeof *placed);
	double *low = wh_arena_array(mem, o->n + 1, sizeof *low), *high = wh_arena_array(mem, o->n + 1, sizeof *high), place = 0;
	while (at) {
		size_t i = at - 1, p = o->marks[i].parent;
		if (first[i] && !entered[i]) {
			entered[i] = true;
			at = first[i];
			continue;
		}
		if (!first[i])
			low[i] = high[i] = place++;
		o->marks[i].angle = (low[i] + high[i]) / 2;
		if (o->marks[i].kind != WH_MAP_HOST)
			place += 0.6;
		if (p != WH_NONE) {
			low[p] = placed[p] ? low[p] : o->marks[i].angle;
			high[p] = o->marks[i].angle;
			placed[p] = true;
		}
		at = next[i] ? next[i] : p == WH_NONE ? 0 : p + 1;
	}
	return place;
}

/* The radius of each ring: enough for its closest neighbours. */
static void place_rings(struct wh_map_layout *o, double places, bool middle)
{
	double ring[LEVELS] = {middle          ? 0
	                       : o->many_vnets ? FAR
	                                       : FIRST,
	                       0, 0},
	       last[LEVELS] = {-1, -1, -1}, first[LEVELS] = {-1, -1, -1}, closest[LEVELS] = {places, places, places};
	size_t counts[LEVELS] = {0};
	for (size_t i = 0; i < o->n; i++) {
		int k = (int)o->marks[i].kind;
		double a = o->marks[i].angle;
		first[k] = counts[k] ? first[k] : a;
		if (counts[k]++ && a - last[k] < closest[k])
			closest[k] = a - last[k];
		last[k] = a;
	}
	for (int k = 0; k < LEVELS; k++) {
		const double pitch[LEVELS] = {o->many_vnets ? 76 : 58, 31, PITCH};
		if (counts[k] > 1 && places - last[k] + first[k] < closest[k])
			closest[k] = places - last[k] + first[k];
		double least = counts[k] > 1 && closest[k] > 0 ? pitch[k] * places / (closest[k] * 2 * M_PI) : 0;
		if (k || !middle)
			ring[k] = least > ring[k] ? least : ring[k];
		if (k && ring[k] < ring[k - 1] + STEP)
			ring[k] = ring[k - 1] + STEP;
	}
	for (size_t i = 0; i < o->n; i++) {
		struct wh_map_mark *m = &o->marks[i];
		m->distance = ring[m->kind];
		m->angle = places > 0 ? m->angle / places * 2 * M_PI - M_PI / 2 : 0;
		m->x = m->distance * cos(m->angle);
		m->y = m->distance * sin(m->angle);
		m->r = radius_of(m);
	}
	o->internet = ring[LEVELS - 1] + 38;
}

/* Machines whose subnet is not known, and subnets whose VNet is not: they have no parent. */
static void add_strays(struct laying *l, bool any)
{
	const struct wh_map *m = l->m;
	size_t *list = wh_arena_array(l->mem, m->n + 1, sizeof *list), n = 0;
	for (size_t i = m->hosts; any && i < m->n; i++)
		if (!m->nodes[i].n_parents)
			list[n++] = i;
	if (n)
		qsort_r(list, n, sizeof *list, worst_first, m->nodes);
	fill(l, WH_NONE, list, n, 8);
}

void wh_map_lay_out(const struct wh_map *m, size_t root, struct wh_arena *mem, struct wh_map_layout *out)
{
	struct laying l = {.m = m, .out = out, .mem = mem};
	*out = (struct wh_map_layout){.mem = mem, .mark_of = wh_arena_array(mem, m->n + 1, sizeof *out->mark_of)};
	for (size_t i = 0; i < m->n; i++)
		out->mark_of[i] = WH_NONE;
	size_t n_vnets = 0, *vnets = wh_arena_array(mem, m->n_roots + 1, sizeof *vnets), n_loose = 0,
	       *loose = wh_arena_array(mem, m->n_roots + 1, sizeof *loose);
	for (size_t i = 0; i < m->n_roots; i++)
		if (root != WH_NONE ? m->roots[i] == root : m->nodes[m->roots[i]].kind == WH_MAP_VNET)
			vnets[n_vnets++] = m->roots[i];
		else if (root == WH_NONE)
			loose[n_loose++] = m->roots[i];
	fill(&l, WH_NONE, vnets, n_vnets, PLACES_VNETS);
	size_t end_vnets = out->n;
	add_ring(&l, 0, end_vnets, PLACES_SUBNETS);
	fill(&l, WH_NONE, loose, n_loose, 8);
	size_t end_subnets = out->n;
	add_ring(&l, end_vnets, end_subnets, PLACES_HOSTS);
	add_strays(&l, root == WH_NONE);
	out->many_vnets = end_vnets > FEW_VNETS;
	out->many_subnets = end_subnets - end_vnets > FEW_SUBNETS;
	place_rings(out, place_angles(out, mem), end_vnets == 1);
}
