/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/select.h"

struct wh_select_terms {
	size_t peers, out;        /* inside the prefix; carve-outs */
	double unseen, newcomers; /* units */
};
/* What one prefix costs, taken whole: for saying what another choice would have cost. */
double wh_select_price(const struct wh_select_input *in, const struct wh_prefix *p, struct wh_arena *mem,
                       struct wh_select_terms *terms);
