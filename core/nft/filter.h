/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter: nftables rulesets as filters (whittle/filter.h).
 *
 * A packet here is the first one of a connection that comes from or goes to this machine over another interface than loopback and
 * is not translated: no rule judges established connections. So conntrack's state is `new`, its status has no translation, TCP's
 * flags are SYN alone, and the original addresses and ports are the packet's own. (If the view's packets are translated or
 * forwarded, they are here, too.) Each base chain of type filter (or route) at the hooks that the packet passes is one filter;
 * all of them must allow.
 *
 * A rule becomes as many rules of the filter as its maps and sets of concatenations have elements, else one: its expressions'
 * conditions are collected as sets of addresses, ports and protocols. An expression that has no such form (a mark, a rate, an
 * interface) makes it a rule that may match, with the reason. Chains are lists that are jumped to.
 */
#pragma once
#include "nft/view.h"
#include "whittle/filter.h"

/* The filters of the hooks before routing and input (inbound), or output and after routing, by hook and priority, then by table.
 * Returns how many; *out in `mem`. The view must outlive them. */
size_t wh_nft_filters(const struct wh_nft_view *v, enum wh_direction d, struct wh_arena *mem,
                      const struct wh_filter *const **out);
/* The same for other hooks: bits of NF_INET_…; before routing only chains with these priorities. */
struct wh_nft_hooks { enum wh_direction direction; unsigned hooks; int least, most; };
size_t wh_nft_filters_at(const struct wh_nft_view *v, const struct wh_nft_hooks *h, struct wh_arena *mem,
                         const struct wh_filter *const **out);

/* ---- between filter.c, published.c and filter_match.c ---- */
/* The address and port after a translation. */
struct wh_nft_to {
	bool is;
	bool has_addr; struct wh_addr addr;                 /* else this machine's */
	bool has_port; uint16_t first, last;                /* else the packet's own */
	bool unknown;                                       /* the rule names a port, but it is not known here */
};
struct wh_nft_match { /* the conditions of one variant of a rule so far */
	bool v4, v6;                                        /* the families that are left */
	bool never;
	int proto;                                          /* -1: any */
	struct wh_ranges saddr, daddr, sport, dport;        /* if `has` is set */
	bool has_saddr, has_daddr, has_sport, has_dport;
	const char *may;
	bool decided; uint32_t code; const char *chain;     /* by a verdict */
	/* the map's data for it, and the register slot where they begin */
	const uint8_t *mapped; uint32_t n_mapped; unsigned mapped_to;
	struct wh_nft_to to;                                /* in chains of type nat */
};
struct wh_nft_matches { struct wh_nft_match *m; size_t n, room; };
/* The conditions of the rule's expressions, in variants of which at most one matches a packet. */
void wh_nft_match_rule(const struct wh_nft_view *v, const struct wh_nft_view_chain *c, size_t rule, enum wh_direction d,
                       struct wh_arena *mem, struct wh_nft_matches *out);

/* ---- openings.c, of a view ---- */
struct wh_nft_way;
struct wh_nft_openings;
void wh_nft_view_openings(struct wh_nft_view *v, const struct wh_nft_way *ways, size_t n, struct wh_arena *mem,
                          struct wh_nft_openings *out);

/* ---- published.c, of a view ---- */
void wh_nft_unread_legacy(const char *table, char *unread, size_t size);
struct wh_nft_published_list;
/* `sources`, where it is not NULL: of each that is found the peers that the rules up to its translation ask for, in `mem`. */
void wh_nft_view_published(const struct wh_nft_view *v, bool all, struct wh_arena *mem, struct wh_nft_published_list *out,
                           struct wh_ranges **sources);
