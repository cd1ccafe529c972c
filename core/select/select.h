/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/select.h"

struct wh_select_terms {
	size_t peers, out;        /* inside the prefix; carve-outs */
	double unseen, newcomers; /* units */
};
/* The cost of one prefix taken whole: to report the cost of another choice. */
double wh_select_price(const struct wh_select_input *in, const struct wh_prefix *p, struct wh_arena *mem,
                       struct wh_select_terms *terms);
