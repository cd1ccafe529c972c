/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * select: which prefixes to allow, given the allowed peers, the excluded addresses and the policy. It knows nothing of flows or
 * resources. See core/select/select.c for the objective and the algorithm.
 */
#pragma once
#include "whittle/base.h"

struct wh_select_peer {
	struct wh_addr addr;
	bool late;  /* first seen in the second half of the window */
	bool fixed; /* IPv6: the same /128 on most days; its whole /64 is allowed unless every peer there is fixed */
};
/* Prices in units of one line; max_lines counts prefixes and carve-outs, 0: no budget. The private ones are those of
 * prefixes inside 10/8, 172.16/12, 192.168/16 or fc00::/7. */
struct wh_select_costs {
	double line, unseen, unseen_private, carve, newcomer, newcomer_private, horizon_days, half_days;
	unsigned max_lines;
	bool no_carving; /* prefixes that would need carve-outs are never chosen */
};
/* All sorted. Peers are distinct; the lists of prefixes are merged, and excluded contains nothing of peers or of trusted. */
struct wh_select_input {
	const struct wh_select_peer *peers; size_t n;
	const struct wh_prefix *trusted; size_t n_trusted;   /* allowed completely, seen or not */
	const struct wh_prefix *excluded; size_t n_out;
	struct wh_select_costs costs;
};
struct wh_selection {
	struct wh_prefix *prefixes; size_t n_prefixes; /* sorted, disjoint, each inside one of `within` */
	struct wh_prefix *except; size_t n_except;     /* the parts of excluded inside them: sorted, merged */
	double cost, unseen, newcomers;                /* of the chosen prefixes, at the given prices */
	bool over_budget;                              /* even the fewest lines that allow every peer are more than max_lines */
};
/* within: sorted merged prefixes that the policy allows. */
int wh_select(const struct wh_select_input *in, const struct wh_prefix *within, size_t n_within, struct wh_arena *mem,
              struct wh_selection *out, struct wh_error *err);
/* The units of which p is made: addresses in IPv4 and behind NAT64, else /64s. */
double wh_select_units(const struct wh_prefix *p);
/* The cost of the best choice of at most k lines, for each k up to `most` (64 at most): cost[k], INFINITY if k lines do not
 * suffice. */
int wh_select_curve(const struct wh_select_input *in, const struct wh_prefix *within, size_t n_within, size_t most,
                    struct wh_arena *mem, double *cost, struct wh_error *err);
