/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares two estates that differ only in some groups' rules, as for the effect of a change.
 *
 * Problem: find the connections that differ, without examining most of the estate. A connection can differ only if one end is
 * behind a changed group (it is "own" here), and if that end's lists decide otherwise about the other end than before. Method:
 * each own endpoint's lists are evaluated for every other endpoint, before and after: two cells of tables that whole subnets
 * share. Only if the cells differ are the other end's lists translated and evaluated. Endpoints that differ alike towards all own
 * ones form one joint, and so do own ones that are alike and differ alike. With k own endpoints of n that takes 4 · k · n
 * look-ups, and only lists that are evaluated are translated. Unchanged lists are shared with the other estate, with everything
 * computed for them.
 *
 *   one rule of web's group changes for 10.0.9.0/24: web's 20 machines are asked about 10,000, 12 of these lie in 10.0.9.0/24,
 *   and 20 · 12 pairs are evaluated
 */
#include <stdlib.h>
#include <string.h>
#include "reach/diff.h"

enum { MOST_PAIRS = 4000000, MOST_OWN = 1000 };

struct few {
	size_t *own; size_t n_own;
	uint32_t *at;               /* by endpoint: its index in `own` + 1 */
	uint32_t *row[2][2];        /* by estate and direction: each endpoint's row in its own side + 1 */
	/* by estate and side: columns of all endpoints, and of the own ones + 1 */
	struct columns { uint32_t *peer, *own; } *columns[2];
	struct print *prints;       /* of each endpoint: how it differs */
	bool *differs;
};

/* ---- cells ---- */

/* The classes of all endpoints as peers in one list, by a walk along addresses and cuts. */
static void walk_peers(struct wh_reach *r, struct stage *s, size_t at, uint32_t (*keys)[3])
{
	size_t cut = 0;
	for (size_t i = 0; i < r->t->n_endpoints; i++) {
		size_t e = r->t->by_addr[i];
		const struct wh_addr *a = &r->t->endpoints[e].addr;
		while (cut < s->peer.n_cuts && wh_addr_cmp(&s->peer.cuts[cut], a) <= 0)
			cut++;
		keys[e][at] = s->peer.of_atom[cut] ? s->peer.of_atom[cut] - 1 : wh_address_class(s, &s->peer, a, r->mem);
	}
}

static uint32_t *peers_of(struct wh_reach *r, struct side *s)
{
	size_t n = r->t->n_endpoints;
	uint32_t *out = wh_arena_unset(r->mem, n + 1, sizeof *out), (*keys)[3] = wh_arena_array(r->mem, n + 1, sizeof *keys);
	for (size_t i = 0; i < s->n; i++)
		walk_peers(r, wh_stage(r, s->stage[i]), i, keys);
	for (size_t i = 0; i < n; i++)
		out[i] = i && !memcmp(keys[i], keys[i - 1], sizeof *keys) ? out[i - 1]
		                                                          : intern_add(&s->columns, keys[i], sizeof *keys);
	return out;
}

static uint32_t column_of(struct comparing *c, int x, uint32_t side, bool own_side, size_t peer)
{
	struct few *f = c->few;
	struct columns *k = &f->columns[x][side];
	struct side *s = c->r[x]->sides[side];
	if (own_side) {
		k->peer = k->peer ? k->peer : peers_of(c->r[x], s);
		return k->peer[peer];
	}
	k->own = k->own ? k->own : wh_arena_array(c->mem, f->n_own, sizeof *k->own);
	uint32_t *at = &k->own[f->at[peer] - 1];
	if (!*at)
		*at = wh_side_place(c->r[x], s, &c->r[x]->t->endpoints[peer].addr, false) + 1;
	return *at - 1;
}

/* The traffic that the lists in front of one endpoint let through, to or from a peer; one of the two is an own one. */
static uint32_t side_cell(struct comparing *c, int x, enum wh_direction d, size_t endpoint, size_t peer)
{
	struct wh_reach *r = c->r[x];
	uint32_t side = r->side_of[d][endpoint], *row = &c->few->row[x][d][endpoint];
	if (!r->context_of[endpoint])
		return WH_CELL_ALL;
	if (!*row)
		*row = wh_side_place(r, r->sides[side], &r->t->endpoints[endpoint].addr, true) + 1;
	return wh_side_cell_at(r, r->sides[side], *row - 1, column_of(c, x, side, c->few->at[endpoint] != 0, peer));
}

/* v[0] == v[1]: nothing differs. */
static void between(struct comparing *c, size_t from, size_t to, uint32_t v[2])
{
	bool own_from = c->few->at[from] != 0, own_to = c->few->at[to] != 0;
	v[0] = v[1] = WH_CELL_NONE;
	if (from == to || !wh_reach_can_send(c->r[0], from, to))
		return;
	uint32_t in[2], out[2];
	for (int x = 0; x < 2 && own_to; x++)
		in[x] = side_cell(c, x, WH_INBOUND, to, from);
	for (int x = 0; x < 2 && own_from; x++)
		out[x] = side_cell(c, x, WH_OUTBOUND, from, to);
	if ((!own_to || in[0] == in[1]) && (!own_from || out[0] == out[1]))
		return;
	const struct wh_endpoint *e = c->r[0]->t->endpoints;
	struct wh_path path;
	enum wh_answer way = wh_reach_ways(c->r[0], from, to, &path, NULL, c->r[0]->scratch);
	for (int x = 0; x < 2 && way != WH_DENIED; x++) {
		uint32_t a = own_to ? in[x] : side_cell(c, x, WH_INBOUND, to, from);
		uint32_t b = a == WH_CELL_NONE ? a : own_from ? out[x] : side_cell(c, x, WH_OUTBOUND, from, to);
		a = wh_firewall_cell(c->r[x], &path, &e[from].addr, &e[to].addr, a);
		v[x] = wh_reach_on_the_way(c->r[x], from, to, way, wh_cell_both(c->r[x]->numbering, a, b, c->r[x]->scratch));
	}
}

static void pair(struct comparing *c, const struct joint *from, const struct joint *to, uint32_t v[2])
{
	size_t a = c->places[from->first].e[0], b = c->places[to->first + (from == to)].e[0];
	between(c, a, b, v);
}

/* ---- joints ---- */

static void note(struct few *f, size_t endpoint, const struct wh_hash_key *key, uint64_t what, const uint32_t v[2])
{
	wh_print_mix(&f->prints[endpoint], key, what, (uint64_t)v[0] << 32 | v[1]);
	f->differs[endpoint] = true;
}

static void ask_all(struct comparing *c, const struct wh_hash_key *key)
{
	struct few *f = c->few;
	uint32_t v[2];
	for (size_t k = 0; k < f->n_own; k++)
		for (size_t y = 0; y < c->r[0]->t->n_endpoints; y++)
			for (int d = 0; d < 2 && !f->at[y]; d++) {
				between(c, d ? f->own[k] : y, d ? y : f->own[k], v);
				if (v[0] == v[1])
					continue;
				note(f, y, key, 2 * k + (size_t)d, v);
				note(f, f->own[k], key, 2 * y + (size_t)d, v);
			}
}

/* Whether two own endpoints differ alike towards all other own ones, and towards each other. */
static bool alike(struct comparing *c, size_t a, size_t b)
{
	uint32_t v[2], w[2];
	between(c, a, b, v);
	between(c, b, a, w);
	bool same = !memcmp(v, w, sizeof v);
	for (size_t k = 0; k < c->few->n_own && same; k++)
		for (int d = 0; d < 2; d++) {
			size_t z = c->few->own[k];
			if (z == a || z == b)
				continue;
			between(c, d ? z : a, d ? a : z, v);
			between(c, d ? z : b, d ? b : z, w);
			same &= !memcmp(v, w, sizeof v);
		}
	return same;
}

static void add_joint(struct comparing *c, size_t endpoint, bool affected, bool new)
{
	if (new)
		c->joints[c->n_joints++] = (struct joint){.first = c->n_places, .affected = affected};
	c->joints[c->n_joints - 1].n++;
	c->places[c->n_places++] = (struct place){{endpoint, endpoint}, 0, affected};
}

/* Own endpoints with the same print form one joint as long as each equals the first. */
static void join_own(struct comparing *c, struct print *p, size_t n)
{
	bool *done = wh_arena_array(c->mem, n, sizeof *done);
	for (size_t i = 0; i < n; i++)
		for (size_t k = i; k < n && !done[i]; k++) {
			if (done[k] || (k > i && !alike(c, p[i].endpoint, p[k].endpoint)))
				continue;
			add_joint(c, p[k].endpoint, true, k == i);
			done[k] = k > i;
		}
}

static int by_first(const void *a, const void *b)
{
	const struct joint *x = a, *y = b;
	return (x->first > y->first) - (x->first < y->first);
}

/* The prints are hashes under this process's key: the order of joints must not depend on them. */
static void order_joints(struct comparing *c)
{
	struct place *places = wh_arena_array(c->mem, c->n_places + 1, sizeof *places);
	size_t *place_of = wh_arena_unset(c->mem, c->r[0]->t->n_endpoints + 1, sizeof *place_of), n = 0;
	for (size_t i = 0; i < c->n_places; i++)
		place_of[c->places[i].e[0]] = i;
	for (size_t i = 0; i < c->n_joints; i++) /* by endpoint for now: those of a joint are in order */
		c->joints[i].first = c->places[c->joints[i].first].e[0];
	if (c->n_joints)
		qsort(c->joints, c->n_joints, sizeof *c->joints, by_first);
	for (size_t i = 0; i < c->n_joints; i++) {
		struct joint *j = &c->joints[i];
		memcpy(places + n, c->places + place_of[j->first], j->n * sizeof *places);
		j->first = n;
		n += j->n;
	}
	c->places = places;
}

static void join_all(struct comparing *c)
{
	struct few *f = c->few;
	size_t n = 0, end;
	c->places = wh_arena_array(c->mem, c->r[0]->t->n_endpoints + 1, sizeof *c->places);
	c->joints = wh_arena_array(c->mem, c->r[0]->t->n_endpoints + 1, sizeof *c->joints);
	for (size_t i = 0; i < c->r[0]->t->n_endpoints; i++)
		if (f->differs[i] || f->at[i])
			f->prints[n++] = f->prints[i];
	if (n)
		qsort(f->prints, n, sizeof *f->prints, wh_print_order);
	for (size_t i = 0; i < n; i = end) {
		for (end = i; end < n && !memcmp(f->prints[end].h, f->prints[i].h, sizeof f->prints[i].h); end++)
			;
		if (f->at[f->prints[i].endpoint]) {
			join_own(c, &f->prints[i], end - i);
			continue;
		}
		for (size_t k = i; k < end; k++)
			add_joint(c, f->prints[k].endpoint, false, k == i);
	}
	order_joints(c);
}

/* ---- all ---- */

/* The unchanged parts are shared by both estates, so that they are translated and computed once. Both have numbered lists and
 * sides alike, since the same endpoints have them. */
static bool use_in_common(struct comparing *c)
{
	struct wh_reach *a = c->r[0], *b = c->r[1];
	if (a->n_stages != b->n_stages || a->n_sides != b->n_sides)
		return false;
	for (size_t i = 0; i < a->n_stages; i++)
		if (a->stages[i]->nsg != b->stages[i]->nsg || a->stages[i]->context != b->stages[i]->context ||
		    a->stages[i]->direction != b->stages[i]->direction)
			return false;
	for (size_t i = 0; i < a->n_stages; i++)
		if (!wh_known(a->stages[i]->nsg) || !c->changed[0][a->stages[i]->nsg])
			b->stages[i] = a->stages[i];
	for (size_t i = 0; i < a->n_sides; i++) {
		bool same = true;
		for (size_t k = 0; k < a->sides[i]->n; k++)
			same &= a->stages[a->sides[i]->stage[k]] == b->stages[b->sides[i]->stage[k]];
		if (same)
			b->sides[i] = a->sides[i];
	}
	return true;
}

static struct few *few_of(struct comparing *c)
{
	size_t n = c->r[0]->t->n_endpoints;
	struct few *f = wh_arena_alloc(c->mem, sizeof *f);
	f->own = wh_arena_array(c->mem, n + 1, sizeof *f->own);
	f->at = wh_arena_array(c->mem, n + 1, sizeof *f->at);
	for (size_t i = 0; i < n; i++)
		if (wh_diff_affected(c, 0, i)) {
			f->own[f->n_own++] = i;
			f->at[i] = (uint32_t)f->n_own;
		}
	return f;
}

bool wh_diff_few(struct comparing *c)
{
	struct wh_hash_key key = wh_hash_key();
	size_t n = c->r[0]->t->n_endpoints;
	if (c->everything || c->r[0]->t->endpoints != c->r[1]->t->endpoints)
		return false;
	struct few *f = c->few = few_of(c);
	if (f->n_own > MOST_OWN || f->n_own * n > MOST_PAIRS || !use_in_common(c))
		return false;
	f->prints = wh_arena_array(c->mem, n + 1, sizeof *f->prints);
	f->differs = wh_arena_array(c->mem, n + 1, sizeof *f->differs);
	for (int x = 0; x < 2; x++) {
		f->columns[x] = wh_arena_array(c->mem, c->r[x]->n_sides + 1, sizeof **f->columns);
		for (int d = 0; d < 2; d++)
			f->row[x][d] = wh_arena_array(c->mem, n + 1, sizeof **f->row[x]);
	}
	for (size_t i = 0; i < n; i++)
		f->prints[i].endpoint = i;
	for (size_t k = 0; k < f->n_own; k++)
		for (int x = 0; x < 2; x++)
			wh_print_own(c->r[x], &f->prints[f->own[k]], &key);
	ask_all(c, &key);
	join_all(c);
	c->pair = pair;
	return true;
}
