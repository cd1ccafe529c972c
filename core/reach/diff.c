/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The traffic that one estate lets through and another does not. */
#include <stdlib.h>
#include <string.h>
#include "reach/diff.h"

/* ---- which machines ---- */

static void find_changed(struct comparing *c)
{
	const struct wh_inventory *a = c->r[0]->t->inventory, *b = c->r[1]->t->inventory;
	size_t i = 0, k = 0;
	for (int x = 0; x < 2; x++)
		c->changed[x] = wh_arena_array(c->mem, c->r[x]->t->n_nsgs + 1, sizeof **c->changed);
	for (size_t g = 0; c->r[0]->t->endpoints == c->r[1]->t->endpoints && g < c->r[0]->t->n_nsgs;
	     g++) /* see wh_topology_with() */
		c->changed[0][g] = c->changed[1][g] = !wh_topology_shares(c->r[0]->t, c->r[1]->t, g);
	while (i < a->n || k < b->n) {
		int order = i == a->n ? 1 : k == b->n ? -1 : strcmp(a->items[i].key, b->items[k].key);
		const struct wh_item *it = order <= 0 ? &a->items[i] : &b->items[k];
		if (order || (a->items[i].body != b->items[k].body && !json_equal(a->items[i].body, b->items[k].body))) {
			bool known = false;
			for (int x = 0; x < 2; x++) {
				size_t g = wh_topology_nsg(c->r[x]->t, it->id);
				if (g != WH_NONE)
					c->changed[x][g] = known = true;
			}
			c->everything |= !known;
		}
		i += order <= 0;
		k += order >= 0;
	}
	c->everything |= a->service.n != b->service.n;
}

bool wh_diff_affected(const struct comparing *c, int x, size_t endpoint)
{
	const struct wh_topology *t = c->r[x]->t;
	const struct wh_endpoint *e = &t->endpoints[endpoint];
	size_t groups[] = {t->nics[e->nic].nsg, e->subnet == WH_NONE ? WH_NONE : t->subnets[e->subnet].nsg};
	for (size_t i = 0; i < 2; i++)
		if (wh_known(groups[i]) && c->changed[x][groups[i]])
			return true;
	return c->everything;
}

static int by_machine(const void *a, const void *b, void *topology)
{
	const struct wh_topology *t = topology;
	const struct wh_endpoint *x = &t->endpoints[*(const size_t *)a], *y = &t->endpoints[*(const size_t *)b];
	int o = x->host == y->host ? 0 : strcmp(t->hosts[x->host].key, t->hosts[y->host].key);
	return o ? o : wh_addr_cmp(&x->addr, &y->addr);
}

static void find_places(struct comparing *c)
{
	size_t *order[2], at[2] = {0, 0}, n[2];
	for (int x = 0; x < 2; x++) {
		const struct wh_topology *t = c->r[x]->t;
		n[x] = t->n_endpoints;
		order[x] = wh_arena_array(c->mem, n[x] + 1, sizeof **order);
		for (size_t i = 0; i < n[x]; i++)
			order[x][i] = i;
		if (n[x])
			qsort_r(order[x], n[x], sizeof **order, by_machine, (void *)(uintptr_t)t);
		wh_reach_divide(c->r[x]);
	}
	c->places = wh_arena_array(c->mem, n[0] + n[1] + 1, sizeof *c->places);
	while (at[0] < n[0] || at[1] < n[1]) {
		const struct wh_endpoint *e[2];
		int o = at[0] == n[0] ? 1 : at[1] == n[1] ? -1 : 0;
		for (int x = 0; x < 2 && !o; x++)
			e[x] = &c->r[x]->t->endpoints[order[x][at[x]]];
		if (!o) {
			o = strcmp(c->r[0]->t->hosts[e[0]->host].key, c->r[1]->t->hosts[e[1]->host].key);
			o = o ? o : wh_addr_cmp(&e[0]->addr, &e[1]->addr);
		}
		struct place *p = &c->places[c->n_places++];
		*p = (struct place){{o <= 0 ? order[0][at[0]++] : WH_NONE, o >= 0 ? order[1][at[1]++] : WH_NONE}, 0, o != 0};
		for (int x = 0; x < 2; x++)
			if (p->e[x] != WH_NONE) {
				p->class |= (uint64_t)(wh_reach_class(c->r[x], p->e[x]) + 1) << (x ? 0 : 32);
				p->affected |= wh_diff_affected(c, x, p->e[x]);
			}
	}
}

static int by_class(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	for (int i = 0; i < 2; i++)
		if (x->e[i] != y->e[i])
			return x->e[i] < y->e[i] ? -1 : 1;
	return 0;
}

static void join_places(struct comparing *c)
{
	c->joints = wh_arena_array(c->mem, c->n_places + 1, sizeof *c->joints);
	if (c->n_places)
		qsort(c->places, c->n_places, sizeof *c->places, by_class);
	for (size_t i = 0; i < c->n_places; i++) {
		const struct place *p = &c->places[i];
		if (!i || p->class != p[-1].class) {
			struct joint *j = &c->joints[c->n_joints++];
			*j = (struct joint){.first = i};
			for (int x = 0; x < 2; x++)
				j->class[x] = p->e[x] == WH_NONE ? WH_NONE : wh_reach_class(c->r[x], p->e[x]);
		}
		c->joints[c->n_joints - 1].n++;
		c->joints[c->n_joints - 1].affected |= p->affected;
	}
}

/* ---- their connections ---- */

/* The senders of one receiver that have the same verdicts. */
struct bundle { uint32_t v[2]; size_t *from; size_t n, room, to; };

static const char **names_of(const struct comparing *c, const size_t *joints, size_t n, size_t *n_names)
{
	size_t most = 0, k = 0;
	for (size_t i = 0; i < n; i++)
		most += c->joints[joints[i]].n;
	const char **out = wh_arena_array(c->mem, most + 1, sizeof *out);
	for (size_t i = 0; i < n; i++)
		for (size_t j = c->joints[joints[i]].first; j < c->joints[joints[i]].first + c->joints[joints[i]].n; j++) {
			const struct place *p = &c->places[j];
			int x = p->e[0] == WH_NONE;
			const char *id = c->r[x]->t->hosts[c->r[x]->t->endpoints[p->e[x]].host].id;
			if (!k || out[k - 1] != id)
				out[k++] = id;
		}
	*n_names = k;
	return out;
}

static struct wh_reach_change *add(struct comparing *c, const uint32_t v[2])
{
	c->out = wh_arena_grown(c->mem, c->out, c->n, &c->room, sizeof *c->out);
	c->out[c->n] = (struct wh_reach_change){.before = wh_reach_ports(c->r[0], v[0]), .after = wh_reach_ports(c->r[1], v[1])};
	return &c->out[c->n++];
}

static int by_senders(const void *a, const void *b)
{
	const struct bundle *x = a, *y = b;
	int o = memcmp(x->v, y->v, sizeof x->v);
	o = o ? o : (x->n > y->n) - (x->n < y->n);
	return o ? o : memcmp(x->from, y->from, x->n * sizeof *x->from);
}

static int by_senders_and_receiver(const void *a, const void *b)
{
	int o = by_senders(a, b);
	return o ? o
	         : (((const struct bundle *)a)->to > ((const struct bundle *)b)->to) -
	                       (((const struct bundle *)a)->to < ((const struct bundle *)b)->to);
}

static void pair_of_classes(struct comparing *c, const struct joint *from, const struct joint *to, uint32_t v[2])
{
	for (int x = 0; x < 2; x++)
		v[x] = to->class[x] != WH_NONE && from->class[x] != WH_NONE
		               ? wh_reach_pair(c->r[x], from->class[x], to -> class[x])
		               : 0;
}

/* The bundles of one receiver. */
static void bundle(struct comparing *c, size_t to, struct bundle **all, size_t *n, size_t *room)
{
	const struct joint *j = &c->joints[to];
	size_t first = *n, at;
	for (size_t from = 0; from < c->n_joints; from++) {
		const struct joint *k = &c->joints[from];
		uint32_t v[2];
		if ((!j->affected && !k->affected) || (from == to && j->n < 2))
			continue;
		c->pair(c, k, j, v);
		if (v[0] == v[1])
			continue;
		for (at = first; at < *n && memcmp((*all)[at].v, v, sizeof v);)
			at++;
		if (at == *n) {
			*all = wh_arena_grown(c->mem, *all, *n, room, sizeof **all);
			(*all)[(*n)++] = (struct bundle){.v = {v[0], v[1]}, .to = to};
		}
		struct bundle *b = &(*all)[at];
		b->from = wh_arena_grown(c->mem, b->from, b->n, &b->room, sizeof *b->from);
		b->from[b->n++] = from;
	}
}

static void compare_pairs(struct comparing *c)
{
	struct bundle *all = NULL;
	size_t n = 0, room = 0, *to = wh_arena_array(c->mem, c->n_joints + 1, sizeof *to), end;
	for (size_t i = 0; i < c->n_joints; i++)
		bundle(c, i, &all, &n, &room);
	if (n)
		qsort(all, n, sizeof *all, by_senders_and_receiver);
	for (size_t i = 0; i < n; i = end) {
		for (end = i; end < n && !by_senders(&all[i], &all[end]); end++)
			to[end - i] = all[end].to;
		struct wh_reach_change *x = add(c, all[i].v);
		x->from = names_of(c, all[i].from, all[i].n, &x->n_from);
		x->to = names_of(c, to, end - i, &x->n_to);
	}
}

/* ---- the Internet ---- */

static void compare_outside(struct comparing *c, size_t joint, enum wh_direction d)
{
	const struct joint *j = &c->joints[joint];
	struct wh_reach_outside *pieces[2], all = {.peers = wh_reach_outside_ranges(c->r[j->class[0] == WH_NONE])};
	size_t n[2];
	for (int x = 0; x < 2; x++) {
		size_t e = c->places[j->first].e[x];
		n[x] = e == WH_NONE ? 1 : wh_reach_internet(c->r[x], e, d, &pieces[x]);
		if (e == WH_NONE)
			pieces[x] = &all;
	}
	for (size_t i = 0; i < n[0]; i++)
		for (size_t k = 0; k < n[1]; k++) {
			uint32_t v[] = {pieces[0][i].verdict, pieces[1][k].verdict};
			if (v[0] == v[1])
				continue;
			struct wh_ranges both = wh_ranges_intersect(pieces[0][i].peers, pieces[1][k].peers, c->mem);
			if (!both.n)
				continue;
			struct wh_reach_change *x = add(c, v);
			x->outside = both;
			if (d == WH_INBOUND)
				x->to = names_of(c, &joint, 1, &x->n_to);
			else
				x->from = names_of(c, &joint, 1, &x->n_from);
		}
}

size_t wh_reach_diff(struct wh_reach *a, struct wh_reach *b, struct wh_arena *mem, struct wh_reach_change **out)
{
	struct comparing c = {.r = {a, b}, .mem = mem, .pair = pair_of_classes};
	find_changed(&c);
	if (!wh_diff_few(&c)) {
		find_places(&c);
		join_places(&c);
	}
	compare_pairs(&c);
	for (size_t i = 0; i < c.n_joints; i++)
		for (int d = 0; d < 2 && c.joints[i].affected; d++)
			compare_outside(&c, i, (enum wh_direction)d);
	*out = c.out;
	return c.n;
}
