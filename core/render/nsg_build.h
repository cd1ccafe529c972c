/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state that the steps of planning one group share: see nsg_plan.c, which runs them in order. */
#pragma once
#include <string.h>
#include "render/nsg_plan.h"

struct wh_nsg_builder {
	struct wh_arena *mem;
	struct wh_error *err;
	struct wh_tag_context tags;
	const struct wh_render_options *opt; /* or NULL */
	struct wh_nsg_plan *plan;
	const struct wh_nsg *nsg;
	const struct wh_recommendation *all;
	bool *gone;                       /* rules of ours from an earlier export, which the new ones replace */
	struct wh_nsg_block *blocks; size_t n, room;
};

/* nsg_replace.c: rules of an earlier export that the blocks replace. A replaced rule may bring in blocks, which replace
 * others. */
void wh_nsg_find_gone(struct wh_nsg_builder *b);

/* nsg_plan.c: true if the group lets through more than is proposed. A part that is already correct must stay so, and has its
 * regions too. */
bool wh_nsg_needed(struct wh_nsg_builder *b, struct wh_nsg_block *block);

/* nsg_block.c: ports of one resource with the same prefixes before the same rule become one block; then the entries of a block.
 */
void wh_nsg_join_ports(struct wh_nsg_builder *b);
void wh_nsg_fill(struct wh_nsg_builder *b, struct wh_nsg_block *k);

/* nsg_beside.c: which new rules may take the place of old ones of ours while both are there; the others get names of their own.
 */
void wh_nsg_stand_beside(struct wh_nsg_builder *b);

/* nsg_notes.c: lines for a person about what was planned, in the builder's memory. */
const char *wh_nsg_plan_notes(const struct wh_nsg_builder *b);
