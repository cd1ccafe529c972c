/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The algebra of boxes. Two sets of thousands of ranges are compared in place: most pairs of rules have nothing in common, and a
 * copy for each pair would take gigabytes. Results are copied to their length, and a dimension that stays as it is is shared.
 */
#include <string.h>
#include "findings/boxes.h"

enum { MOST_BOXES = 1024 };

/* The cheap dimensions first: most boxes differ in a port or the protocol. */
static const int by_cost[WH_BOX_DIMENSIONS] = {0, 4, 3, 1, 2};

static struct wh_ranges all_numbers(uint16_t from, uint16_t to, struct wh_arena *mem)
{
	const struct wh_port_range r = {from, to};
	return wh_ports(&r, 1, mem);
}

struct wh_box wh_box_of(const struct wh_filter_rule *f, struct wh_arena *mem)
{
	const struct wh_prefix everything[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	struct wh_ranges any = wh_ranges_from_prefixes(everything, 2, mem), ports = all_numbers(0, 65535, mem);
	return (struct wh_box){{f->proto ? all_numbers(f->proto, f->proto, mem) : all_numbers(1, 255, mem),
	                        f->local ? *f->local : any, f->peer ? *f->peer : any, f->sport ? *f->sport : ports,
	                        f->dport ? *f->dport : ports}};
}

static void count(const struct wh_box_work *w, size_t n)
{
	*w->steps -= n < *w->steps ? n : *w->steps;
}

static bool ranges_meet(const struct wh_box_work *w, struct wh_ranges a, struct wh_ranges b)
{
	size_t looked;
	bool meet = wh_ranges_meet(a, b, &looked);
	count(w, looked);
	return meet;
}

/* Ranges of a set are never adjacent, so each range of a part lies within one of the whole. */
static bool ranges_hold(const struct wh_box_work *w, struct wh_ranges outer, struct wh_ranges inner)
{
	bool all = true;
	size_t i = 0;
	for (size_t k = 0; i < inner.n && all; i++) {
		k = wh_ranges_ending_at(outer, k, &inner.r[i].from);
		all = k < outer.n && wh_addr_cmp(&outer.r[k].from, &inner.r[i].from) <= 0 &&
		      wh_addr_cmp(&outer.r[k].to, &inner.r[i].to) >= 0;
	}
	count(w, 8 * i + 1);
	return all;
}

bool wh_boxes_meet(const struct wh_box_work *w, const struct wh_box *a, const struct wh_box *b)
{
	bool meet = true;
	for (int d = 0; d < WH_BOX_DIMENSIONS && meet; d++)
		meet = ranges_meet(w, a->set[by_cost[d]], b->set[by_cost[d]]);
	return meet;
}

bool wh_box_holds(const struct wh_box_work *w, const struct wh_box *outer, const struct wh_box *inner)
{
	bool all = true;
	for (int d = 0; d < WH_BOX_DIMENSIONS && all; d++)
		all = ranges_hold(w, outer->set[by_cost[d]], inner->set[by_cost[d]]);
	return all;
}

/* The result of an operation, at its length. */
static struct wh_ranges kept(const struct wh_box_work *w,
                             struct wh_ranges (*make)(struct wh_ranges, struct wh_ranges, struct wh_arena *), struct wh_ranges a,
                             struct wh_ranges b)
{
	struct wh_ranges x = make(a, b, w->pass), out = {NULL, x.n};
	count(w, a.n + b.n);
	out.r = wh_arena_unset(w->mem, x.n, sizeof *out.r);
	if (x.n)
		memcpy(out.r, x.r, x.n * sizeof *x.r);
	wh_arena_reset(w->pass);
	return out;
}

struct wh_box wh_box_common(const struct wh_box_work *w, const struct wh_box *a, const struct wh_box *b)
{
	struct wh_box out;
	for (int d = 0; d < WH_BOX_DIMENSIONS; d++)
		out.set[d] = kept(w, wh_ranges_intersect, a->set[d], b->set[d]);
	return out;
}

void wh_boxes_add(struct wh_boxes *l, const struct wh_box *b, struct wh_arena *mem)
{
	l->b = wh_arena_grown(mem, l->b, l->n, &l->room, sizeof *l->b);
	l->b[l->n++] = *b;
}

int wh_boxes_take_away(const struct wh_box_work *w, struct wh_boxes *from, const struct wh_box *less)
{
	struct wh_boxes out = {0};
	for (size_t i = 0; i < from->n; i++) {
		struct wh_box rest = from->b[i];
		if (!wh_boxes_meet(w, &rest, less)) {
			wh_boxes_add(&out, &rest, w->mem);
			continue;
		}
		for (int d = 0; d < WH_BOX_DIMENSIONS; d++) {
			struct wh_box piece = rest;
			if (ranges_hold(w, less->set[d], rest.set[d]))
				continue;
			piece.set[d] = kept(w, wh_ranges_minus, rest.set[d], less->set[d]);
			wh_boxes_add(&out, &piece, w->mem);
			rest.set[d] = kept(w, wh_ranges_intersect, rest.set[d], less->set[d]);
		}
		if (out.n > MOST_BOXES || wh_arena_bytes(w->mem) > WH_BOX_MEMORY || !*w->steps)
			return -1;
	}
	*from = out;
	return 0;
}

static size_t first_of_family(struct wh_ranges a, bool v4)
{
	size_t i = 0;
	while (i < a.n && wh_addr_is_v4(&a.r[i].from) != v4)
		i++;
	return i;
}

/* An address of a family in the set: a familiar one where the set has it, else the first. False: there is none of that family. */
static bool shown_address(struct wh_ranges set, bool v4, struct wh_addr familiar, struct wh_addr *out)
{
	size_t at = first_of_family(set, v4);
	if (at == set.n)
		return false;
	bool any = v4 && wh_addr_low(&set.r[at].from) == wh_addr_low(&wh_prefix_all_v4.addr);
	*out = any && wh_ranges_has(set, &familiar) ? familiar : set.r[at].from;
	return true;
}

/* One of the packets, of IPv4 where there are some. */
struct wh_filter_packet wh_box_packet(const struct wh_box *b, enum wh_direction d)
{
	const struct wh_addr inside = wh_addr_v4(0x0a000004u), outside = wh_addr_v4(0xc6336401u); /* 10.0.0.4, 198.51.100.1 */
	struct wh_filter_packet p = {.direction = d,
	                             .proto = (uint8_t)wh_addr_low(&b->set[0].r[0].from),
	                             .local = b->set[1].r[0].from,
	                             .peer = b->set[2].r[0].from,
	                             .sport = (uint16_t)wh_addr_low(&b->set[3].r[0].from),
	                             .dport = (uint16_t)wh_addr_low(&b->set[4].r[0].from)};
	if (wh_ports_have(b->set[0], WH_PROTO_TCP))
		p.proto = WH_PROTO_TCP;
	for (int v4 = 1; v4 >= 0; v4--) { /* no packet has two families */
		struct wh_addr local, peer;
		if (shown_address(b->set[1], v4, inside, &local) && shown_address(b->set[2], v4, outside, &peer)) {
			p.local = local;
			p.peer = peer;
			break;
		}
	}
	return p;
}

bool wh_box_empty(const struct wh_box *b)
{
	for (int d = 0; d < WH_BOX_DIMENSIONS; d++)
		if (!b->set[d].n)
			return true;
	return false;
}

struct wh_box_corner wh_box_corner(const struct wh_box *b, unsigned i)
{
	struct wh_box_corner out;
	for (unsigned d = 0; d < WH_BOX_DIMENSIONS; d++) {
		/* any bits do, the same in each run: those of a multiplication by a large odd number */
		uint64_t bits = ((uint64_t)i * WH_BOX_DIMENSIONS + d) * UINT64_C(0x9e3779b97f4a7c15);
		size_t at = i > 1 ? (size_t)((bits >> 32) % b->set[d].n) : i ? b->set[d].n - 1 : 0;
		bool highest = i > 1 ? bits >> 31 & 1 : i;
		out.at[d] = highest ? b->set[d].r[at].to : b->set[d].r[at].from;
	}
	return out;
}

bool wh_box_has(const struct wh_box_work *w, const struct wh_box *b, const struct wh_box_corner *p)
{
	bool has = true;
	for (int d = 0; d < WH_BOX_DIMENSIONS && has; d++)
		has = wh_ranges_has(b->set[by_cost[d]], &p->at[by_cost[d]]);
	count(w, 8);
	return has;
}
