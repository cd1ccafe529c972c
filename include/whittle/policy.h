/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy: exact sets of addresses and ports. Filters, the rules of any firewall in one form, are in whittle/filter.h.
 */
#pragma once
#include "whittle/base.h"

struct wh_port_range { uint16_t from, to; };

/* A set of addresses: sorted disjoint ranges. */
struct wh_range { struct wh_addr from, to; }; /* inclusive */
struct wh_ranges { struct wh_range *r; size_t n; };
struct wh_ranges wh_ranges_from_prefixes(const struct wh_prefix *p, size_t n, struct wh_arena *mem);
struct wh_ranges wh_ranges_union(struct wh_ranges a, struct wh_ranges b, struct wh_arena *mem);
struct wh_ranges wh_ranges_intersect(struct wh_ranges a, struct wh_ranges b, struct wh_arena *mem);
struct wh_ranges wh_ranges_minus(struct wh_ranges a, struct wh_ranges b, struct wh_arena *mem);
struct wh_ranges wh_ranges_family(bool v4, struct wh_arena *mem); /* all addresses of IPv4, or of IPv6 */
/* Whether they have an address in common. *looked (may be NULL): about as many ranges were looked at. */
bool wh_ranges_meet(struct wh_ranges a, struct wh_ranges b, size_t *looked);
/* The place of the first range that ends at or after x, from place `lo` on; a.n: there is none. */
size_t wh_ranges_ending_at(struct wh_ranges a, size_t lo, const struct wh_addr *x);
bool wh_ranges_eq(struct wh_ranges a, struct wh_ranges b);
bool wh_ranges_has(struct wh_ranges a, const struct wh_addr *x);
double wh_ranges_size(struct wh_ranges a); /* addresses in it */
/* The fewest prefixes that are exactly the ranges. */
void wh_ranges_to_prefixes(struct wh_ranges a, struct wh_arena *mem, struct wh_prefix **out, size_t *n);
