/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/harden.h"

struct wh_select_terms {
	size_t peers, out;        /* inside the prefix */
	double unseen, newcomers; /* units */
};
/* What one prefix costs, taken whole: for saying what another choice would have cost. */
double wh_select_price(const struct wh_prefix *p, const struct wh_select_peer *peers, size_t n, const struct wh_addr *keep_out, size_t n_out,
                       const struct wh_select_costs *costs, struct wh_arena *mem, struct wh_select_terms *terms);
