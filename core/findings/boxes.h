/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of packets as lists of boxes. A box is one set in each dimension: protocol, local address, peer, source port, destination
 * port. A box without another one is at most five boxes: for each dimension, the part outside of the other in it and inside in
 * those before it.
 *
 * Every function counts the ranges that it looks at down in *steps, to 0 at least.
 */
#pragma once
#include "whittle/filter.h"

enum { WH_BOX_DIMENSIONS = 5 };
struct wh_box {
	struct wh_ranges set[WH_BOX_DIMENSIONS];
};
struct wh_boxes {
	struct wh_box *b;
	size_t n, room;
};
struct wh_box_work {
	struct wh_arena *mem;  /* the results; one list of boxes takes at most WH_BOX_MEMORY of it */
	struct wh_arena *pass; /* empty between two calls */
	size_t *steps;
};
#define WH_BOX_MEMORY ((size_t)32 << 20)

struct wh_box wh_box_of(const struct wh_filter_rule *f, struct wh_arena *mem);
bool wh_box_empty(const struct wh_box *b); /* it has no packet, and no corner */
/* Whether the two have a packet in common. Takes no memory. */
bool wh_boxes_meet(const struct wh_box_work *w, const struct wh_box *a, const struct wh_box *b);
/* Whether all packets of `inner` are in `outer`. Takes no memory. */
bool wh_box_holds(const struct wh_box_work *w, const struct wh_box *outer, const struct wh_box *inner);
/* The common packets of two boxes that meet, in w->mem. */
struct wh_box wh_box_common(const struct wh_box_work *w, const struct wh_box *a, const struct wh_box *b);
void wh_boxes_add(struct wh_boxes *l, const struct wh_box *b, struct wh_arena *mem);
/* Reduces `from` to its rest without `less`, in w->mem. 0; -1: too many boxes, too much memory, or no steps left. */
int wh_boxes_take_away(const struct wh_box_work *w, struct wh_boxes *from, const struct wh_box *less);

/* A packet of the box, of one family if it has such a one, and TCP if it has that. */
struct wh_filter_packet wh_box_packet(const struct wh_box *b, enum wh_direction d);
/* The corner number `i` of the box: the same number is the same corner, the first two are the lowest and the highest. */
struct wh_box_corner {
	struct wh_addr at[WH_BOX_DIMENSIONS];
};
struct wh_box_corner wh_box_corner(const struct wh_box *b, unsigned i);
bool wh_box_has(const struct wh_box_work *w, const struct wh_box *b, const struct wh_box_corner *p);
