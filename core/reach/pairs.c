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
		struct stage *g = wh_side_stage(r, s, i);
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

/* The classes of endpoints as peers in one list, by a walk along addresses and cuts. */
static void find_peers(struct wh_reach *r, struct stage *s)
{
	struct address_walk w = wh_address_walk(s, r->mem, r->scratch);
	s->peer_of = wh_arena_unset(r->mem, r->n_classes + 1, sizeof *s->peer_of);
	for (size_t i = 0; i < r->n_classes; i++)
		s->peer_of[r->by_address[i]] = wh_address_walk_to(&w, &r->t->endpoints[first_of(r, r->by_address[i])].addr);
}

/* The place of a class's combination among all combinations of the lists' classes of peers; its key. */
static size_t combination(struct stage *const *of, size_t n, size_t class, uint32_t key[3])
{
	size_t at = 0;
	for (size_t k = 0; k < n; k++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the caller has set n of them */
		key[k] = of[k]->peer_of[class];
		at = at * of[k]->peer.bits.n + key[k];
	}
	return at;
}

/* By the lists' classes of peers: a table of their combinations, if it is small, is faster than hashing each. */
static void find_columns(struct wh_reach *r, struct side *s)
{
	enum { MOST_KNOWN = 1 << 16 };
	struct stage *of[3];
	size_t n = 1, distinct = 0;
	for (size_t k = 0; k < s->n; k++) {
		of[k] = wh_stage(r, s->stage[k]);
		if (!of[k]->peer_of)
			find_peers(r, of[k]);
		n = n > MOST_KNOWN ? n : n * of[k]->peer.bits.n;
	}
	uint32_t *known = n > MOST_KNOWN ? NULL : wh_arena_array(r->scratch, n + 1, sizeof *known), key[3] = {0};
	s->column_of = wh_arena_unset(r->mem, r->n_classes + 1, sizeof *s->column_of);
	for (size_t i = 0; i < r->n_classes && known; i++) {
		size_t at = combination(of, s->n, i, key);
		distinct += !known[at];
		known[at] = UINT32_MAX;
	}
	if (known)
		intern_reserve(&s->columns, distinct);
	for (size_t i = 0; i < r->n_classes; i++) {
		size_t at = combination(of, s->n, i, key);
		if (known && known[at] != UINT32_MAX) {
			s->column_of[i] = known[at] - 1;
			continue;
		}
		s->column_of[i] = intern_add(&s->columns, key, sizeof key);
		if (known)
			known[at] = s->column_of[i] + 1;
	}
	wh_arena_reset(r->scratch);
}

static uint32_t column_of(struct wh_reach *r, struct side *s, size_t class)
{
	if (!s->column_of)
		find_columns(r, s);
	return s->column_of[class];
}

/* One way between two classes' first members. */
static struct wh_path one_way(struct wh_reach *r, size_t from, size_t to, size_t to_class)
{
	enum { MOST_KNOWN = 255 };
	const struct wh_endpoint *a = &r->t->endpoints[from], *b = &r->t->endpoints[to];
	struct wh_path path;
	/* by AWS's tables the way depends on both addresses */
	bool vpc = wh_vpc_routed(r, a->subnet) || wh_vpc_routed(r, b->subnet);
	uint8_t *at = r->context_of[from] && !vpc ? &r->gates[(r->context_of[from] - 1) * r->n_classes + to_class] : NULL;
	if (at && *at) {
		memcpy(&path, intern_get(&r->paths, *at - 1u, NULL), sizeof path);
		return path;
	}
	wh_reach_way(r, from, to, &b->addr, &path, NULL, r->scratch);
	uint32_t number = at ? intern_add(&r->paths, &path, sizeof path) : MOST_KNOWN;
	if (number < MOST_KNOWN)
		*at = (uint8_t)(number + 1);
	return path;
}

/* The way between two classes, with that of the answers: as wh_reach_ways(). */
static struct wh_path gate(struct wh_reach *r, size_t from, size_t to, size_t from_class, size_t to_class)
{
	struct wh_path path = one_way(r, from, to, to_class);
	if (path.v == WH_ALLOWED && r->t->n_firewalls) {
		struct wh_path back = one_way(r, to, from, from_class);
		path.v = (uint16_t)wh_firewall_answers(r, &path, wh_reach_back(r, to, &back), NULL, r->scratch);
	}
	return path;
}

/* What the firewalls on the way let through between two classes, as wh_firewall_cell(). */
static uint32_t through(struct wh_reach *r, const struct wh_path *path, size_t from_class, size_t to_class, uint32_t cell)
{
	for (size_t i = 0; i < path->n && cell; i++) {
		struct passing *p = wh_firewall_side(r, path->firewall[i]);
		if (!p->row_of) {
			p->row_of = wh_arena_array(r->mem, r->n_classes + 1, sizeof *p->row_of);
			p->column_of = wh_arena_array(r->mem, r->n_classes + 1, sizeof *p->column_of);
		}
		uint32_t *row = &p->row_of[from_class], *column = &p->column_of[to_class];
		if (!*row)
			*row = wh_side_place(r, &p->side, &r->t->endpoints[first_of(r, from_class)].addr, true) + 1;
		if (!*column)
			*column = wh_side_place(r, &p->side, &r->t->endpoints[first_of(r, to_class)].addr, false) + 1;
		cell = wh_cell_both(r->numbering, cell, wh_side_cell_at(r, &p->side, *row - 1, *column - 1), r->scratch);
	}
	return cell;
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
		wh_reach_ways(r, a, b, NULL, &why, r->scratch);
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
	wh_reach_place(r, from);
	wh_reach_place(r, to);
	if (!wh_reach_can_send(r, from, to))
		return WH_CELL_NONE;
	struct wh_path path;
	enum wh_answer v = wh_reach_ways(r, from, to, &path, NULL, r->scratch);
	uint32_t cell = v == WH_DENIED ? WH_CELL_NONE : wh_reach_side(r, to, from, WH_INBOUND);
	if (cell)
		cell = wh_cell_both(r->numbering, cell, wh_reach_side(r, from, to, WH_OUTBOUND), r->scratch);
	cell = wh_firewall_cell(r, &path, &r->t->endpoints[from].addr, &r->t->endpoints[to].addr, cell);
	return wh_reach_on_the_way(r, from, to, v, cell);
}

uint32_t wh_reach_pair(struct wh_reach *r, size_t from, size_t to)
{
	wh_reach_divide(r);
	size_t a = first_of(r, from), b = first_of(r, to);
	struct wh_path path = {.v = WH_DENIED};
	if (wh_reach_can_send(r, a, b))
		path = gate(r, a, b, from, to);
	if (path.v == WH_DENIED)
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
	if (path.n)
		cell = through(r, &path, from, to, cell);
	return wh_reach_on_the_way(r, a, b, (enum wh_answer)path.v, cell);
}
