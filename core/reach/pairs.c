/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traffic that one class may send to another. A side is a table: a row for each class of local addresses in its lists, a
 * column for each class of peers. A pair is a cell of the receiver's table and one of the sender's, and their intersection is
 * looked up by their numbers; so a pair costs a few memory reads.
 */
#include <stdlib.h>
#include <string.h>
#include "reach/policy.h"

enum { SCRATCH_KEPT = 1 << 20 };

uint32_t wh_side_place(struct wh_reach *r, struct side *s, const struct wh_addr *a, bool local)
{
	uint32_t key[3] = {0};
	for (size_t i = 0; i < s->n; i++) {
		struct stage *g = wh_stage(r, s->stage[i]);
		key[i] = wh_address_class(g, local ? &g->local : &g->peer, a, r->mem);
	}
	return intern_add(local ? &s->rows : &s->columns, key, sizeof key);
}

uint32_t wh_side_cell_at(struct wh_reach *r, struct side *s, uint32_t row, uint32_t column)
{
	if (!s->n)
		return WH_CELL_ALL;
	if (row >= s->room_rows) {
		size_t room = s->room_rows ? s->room_rows : 4;
		while (room <= row)
			room *= 2;
		uint32_t **cells = wh_arena_array(r->mem, room, sizeof *cells);
		size_t *rooms = wh_arena_array(r->mem, room, sizeof *rooms);
		if (s->room_rows) {
			memcpy(cells, s->cells, s->room_rows * sizeof *cells);
			memcpy(rooms, s->room_cells, s->room_rows * sizeof *rooms);
		}
		s->cells = cells, s->room_cells = rooms, s->room_rows = room;
	}
	if (column >= s->room_cells[row]) {
		size_t room = s->columns.n < 4 ? 4 : s->columns.n + s->columns.n / 8;
		uint32_t *more = wh_arena_array(r->mem, room, sizeof *more);
		if (s->room_cells[row])
			memcpy(more, s->cells[row], s->room_cells[row] * sizeof *more);
		s->cells[row] = more, s->room_cells[row] = room;
	}
	uint32_t *at = &s->cells[row][column];
	if (!*at) {
		*at = wh_side_cell(r, s, intern_get(&s->rows, row, NULL), intern_get(&s->columns, column, NULL)) + 1;
		wh_arena_reset(r->scratch);
	}
	return *at - 1;
}

static size_t first_of(const struct wh_reach *r, size_t class)
{
	return r->members[r->first_member[class]];
}

static uint32_t row_of(struct wh_reach *r, struct side *s, size_t class, enum wh_direction d)
{
	if (!r->row_of[d][class])
		r->row_of[d][class] = wh_side_place(r, s, &r->t->endpoints[first_of(r, class)].addr, true) + 1;
	return r->row_of[d][class] - 1;
}

static uint32_t column_of(struct wh_reach *r, struct side *s, size_t class)
{
	if (!s->column_of) {
		s->column_of = wh_arena_unset(r->mem, r->n_classes + 1, sizeof *s->column_of);
		for (size_t i = 0; i < r->n_classes; i++)
			s->column_of[i] = wh_side_place(r, s, &r->t->endpoints[first_of(r, i)].addr, false);
	}
	return s->column_of[class];
}

static enum wh_answer gate(struct wh_reach *r, size_t from, size_t to, size_t to_class)
{
	uint8_t *at = r->context_of[from] ? &r->gates[(r->context_of[from] - 1) * r->n_classes + to_class] : NULL;
	if (at && *at)
		return (enum wh_answer)(*at - 1);
	enum wh_answer v = wh_reach_way(r, from, to, &r->t->endpoints[to].addr, NULL, r->scratch);
	if (at)
		*at = (uint8_t)(v + 1);
	return v;
}

bool wh_reach_can_send(const struct wh_reach *r, size_t a, size_t b)
{
	const struct wh_endpoint *x = &r->t->endpoints[a], *y = &r->t->endpoints[b];
	return wh_addr_is_v4(&x->addr) == wh_addr_is_v4(&y->addr) && r->t->hosts[x->host].kind != WH_HOST_PRIVATE_ENDPOINT;
}

uint32_t wh_reach_on_the_way(struct wh_reach *r, size_t a, size_t b, enum wh_answer way, uint32_t cell)
{
	const char *why = NULL;
	if (way == WH_UNDECIDED && cell) {
		wh_reach_way(r, a, b, &r->t->endpoints[b].addr, &why, r->scratch);
		cell = wh_cell_unsure(r->numbering, cell, why, r->scratch);
	}
	if (wh_arena_bytes(r->scratch) > SCRATCH_KEPT)
		wh_arena_reset(r->scratch);
	return cell;
}

uint32_t wh_reach_side(struct wh_reach *r, size_t own, size_t peer, enum wh_direction d)
{
	struct side *s = r->sides[r->side_of[d][own]];
	if (!r->context_of[own])
		return WH_CELL_ALL;
	uint32_t row = wh_side_place(r, s, &r->t->endpoints[own].addr, true);
	return wh_side_cell_at(r, s, row, wh_side_place(r, s, &r->t->endpoints[peer].addr, false));
}

uint32_t wh_reach_between(struct wh_reach *r, size_t from, size_t to)
{
	if (!wh_reach_can_send(r, from, to))
		return WH_CELL_NONE;
	enum wh_answer v = wh_reach_way(r, from, to, &r->t->endpoints[to].addr, NULL, r->scratch);
	uint32_t cell = v == WH_DENIED ? WH_CELL_NONE : wh_reach_side(r, to, from, WH_INBOUND);
	if (cell)
		cell = wh_cell_both(r->numbering, cell, wh_reach_side(r, from, to, WH_OUTBOUND), r->scratch);
	return wh_reach_on_the_way(r, from, to, v, cell);
}

uint32_t wh_reach_pair(struct wh_reach *r, size_t from, size_t to)
{
	wh_reach_divide(r);
	size_t a = first_of(r, from), b = first_of(r, to);
	enum wh_answer v = wh_reach_can_send(r, a, b) ? gate(r, a, b, to) : WH_DENIED;
	if (v == WH_DENIED)
		return WH_CELL_NONE;
	uint32_t cell = WH_CELL_ALL;
	if (r->context_of[b]) {
		struct side *in = r->sides[r->side_of[WH_INBOUND][b]];
		cell = wh_side_cell_at(r, in, row_of(r, in, to, WH_INBOUND), column_of(r, in, from));
	}
	if (r->context_of[a] && cell) {
		struct side *out = r->sides[r->side_of[WH_OUTBOUND][a]];
		cell = wh_cell_both(r->numbering, cell,
		                    wh_side_cell_at(r, out, row_of(r, out, from, WH_OUTBOUND), column_of(r, out, to)),
		                    r->scratch);
	}
	return wh_reach_on_the_way(r, a, b, v, cell);
}

/* ---- the outside ---- */

uint32_t wh_reach_outside(struct wh_reach *r, size_t endpoint, const struct wh_addr *peer, enum wh_direction d)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	const char *why = NULL;
	bool exposed = d == WH_INBOUND && wh_reach_is_internet(r, peer);
	if (wh_addr_is_v4(&e->addr) != wh_addr_is_v4(peer) ||
	    (d == WH_OUTBOUND && r->t->hosts[e->host].kind == WH_HOST_PRIVATE_ENDPOINT))
		return WH_CELL_NONE;
	enum wh_answer v = exposed && e->subnet != WH_NONE
	                           ? WH_ALLOWED
	                           : wh_reach_way_outside(r, endpoint, peer, d, WH_PROTO_TCP, 0, NULL, r->scratch);
	if (v == WH_DENIED)
		return WH_CELL_NONE;
	uint32_t cell = WH_CELL_ALL;
	bool guarded = false;
	if (r->context_of[endpoint]) {
		struct side *s = r->sides[r->side_of[d][endpoint]];
		uint32_t row = wh_side_place(r, s, &e->addr, true), column = wh_side_place(r, s, peer, false);
		cell = wh_side_cell_at(r, s, row, column);
		guarded = s->guarded;
	}
	if (exposed && e->subnet != WH_NONE) {
		bool missing = e->public_ip == WH_MISSING && !guarded,
		     open = e->public_ip != WH_NONE && !missing && (guarded || !r->t->public_ips[e->public_ip].standard);
		struct wh_exposure *x = wh_arena_array(r->scratch, e->n_exposures + 1, sizeof *x);
		size_t n = 0;
		for (size_t i = 0; i < e->n_exposures; i++)
			if (guarded || !e->exposures[i].standard)
				x[n++] = e->exposures[i];
		uint32_t all = cell;
		if (!open)
			cell = n ? wh_cell_within(r->numbering, cell, x, n, r->scratch) : WH_CELL_NONE;
		if (missing && all && wh_reach_exposed(r, endpoint, WH_PROTO_ANY, 0, &why, r->scratch) == WH_UNDECIDED)
			cell = wh_reach_union(r, cell, wh_cell_unsure(r->numbering, all, why, r->scratch));
	}
	if (v == WH_UNDECIDED && cell) {
		wh_reach_way_outside(r, endpoint, peer, d, WH_PROTO_TCP, 0, &why, r->scratch);
		cell = wh_cell_unsure(r->numbering, cell, why, r->scratch);
	}
	return cell;
}

struct cuts { struct wh_addr *a; size_t n, room; struct wh_arena *mem; };

static void add_cuts(struct cuts *c, struct wh_ranges set)
{
	for (size_t i = 0; i < set.n; i++) {
		struct wh_addr after = set.r[i].to;
		c->a = wh_arena_grown(c->mem, c->a, c->n, &c->room, sizeof *c->a);
		c->a[c->n++] = set.r[i].from;
		wh_addr_next(&after);
		c->a = wh_arena_grown(c->mem, c->a, c->n, &c->room, sizeof *c->a);
		c->a[c->n++] = after;
	}
}

static struct wh_addr before(struct wh_addr a)
{
	wh_addr_previous(&a);
	return a;
}

size_t wh_reach_cut(struct wh_reach *r, size_t endpoint, enum wh_direction d, struct wh_ranges base,
                    struct wh_reach_outside **out)
{
	const struct wh_endpoint *e = &r->t->endpoints[endpoint];
	struct wh_arena *mem = wh_arena_new();
	struct cuts c = {.mem = mem};
	struct wh_ranges family = wh_ranges_family(wh_addr_is_v4(&e->addr), mem);
	size_t n = 0, room = 0;
	for (size_t i = 0; r->context_of[endpoint] && i < r->sides[r->side_of[d][endpoint]]->n; i++) {
		const struct stage *s = wh_stage(r, r->sides[r->side_of[d][endpoint]]->stage[i]);
		for (size_t k = 0; k < s->peer.n_cuts; k++)
			add_cuts(&c, (struct wh_ranges){&(struct wh_range){s->peer.cuts[k], s->peer.cuts[k]}, 1});
	}
	size_t table = e->subnet == WH_NONE ? WH_NONE : r->t->subnets[e->subnet].route_table;
	for (size_t i = 0; table != WH_NONE && i < r->t->route_tables[table].n; i++)
		add_cuts(&c, wh_ranges_from_prefixes(&r->t->route_tables[table].routes[i].prefix, 1, mem));
	for (size_t i = 0; i < r->t->n_vnets; i++)
		add_cuts(&c, wh_ranges_from_prefixes(r->t->vnets[i].space, r->t->vnets[i].n_space, mem));
	add_cuts(&c, wh_ranges_from_prefixes(r->t->on_premises, r->t->n_on_premises, mem));
	add_cuts(&c, wh_reach_outside_ranges(r));
	if (c.n)
		qsort(c.a, c.n, sizeof *c.a, wh_addr_order);
	family = wh_ranges_intersect(base, family, mem);
	*out = NULL;
	for (size_t i = 0, k = 0; i < family.n; i++)
		for (struct wh_addr at = family.r[i].from;;) {
			while (k < c.n && wh_addr_cmp(&c.a[k], &at) <= 0)
				k++;
			bool last = k == c.n || wh_addr_cmp(&c.a[k], &family.r[i].to) > 0;
			struct wh_range piece = {at, last ? family.r[i].to : before(c.a[k])};
			uint32_t v = wh_reach_outside(r, endpoint, &at, d);
			size_t j = 0;
			while (j < n && (*out)[j].verdict != v)
				j++;
			if (j == n) {
				*out = wh_arena_grown(r->mem, *out, n, &room, sizeof **out);
				(*out)[n++] = (struct wh_reach_outside){{0}, v};
			}
			(*out)[j].peers = wh_ranges_union((*out)[j].peers, (struct wh_ranges){&piece, 1}, r->mem);
			if (last)
				break;
			at = c.a[k];
		}
	wh_arena_free(mem);
	return n;
}

size_t wh_reach_internet(struct wh_reach *r, size_t endpoint, enum wh_direction d, struct wh_reach_outside **out)
{
	return wh_reach_cut(r, endpoint, d, wh_reach_outside_ranges(r), out);
}
