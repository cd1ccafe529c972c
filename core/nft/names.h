/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names in the table inet whittle, for the code that prints it and the code that applies it. */
#pragma once
#include "whittle/nft.h"

#define WH_NFT_NAME 80

/* "a_input_tcp_22"; for a twin "a_input_tcp_22_1". */
void wh_nft_base_name(const struct wh_nft_port *p, char letter, char out[static WH_NFT_NAME]);

/* The key of a dispatch element: one of our addresses, or any, and the port. A port has as many keys as addresses, at least
 * one. */
struct wh_nft_key { enum wh_direction direction; uint8_t proto; uint16_t port; bool any; struct wh_addr local; };
/* the kind of its map; the order in which the maps are consulted */
enum wh_nft_kind { WH_NFT_V4, WH_NFT_V6, WH_NFT_ANY, WH_NFT_KINDS };
size_t wh_nft_n_keys(const struct wh_nft_port *p);
struct wh_nft_key wh_nft_key(const struct wh_nft_port *p, size_t i);
bool wh_nft_key_eq(const struct wh_nft_key *a, const struct wh_nft_key *b);
enum wh_nft_kind wh_nft_kind_of(const struct wh_nft_key *k);
/* "input_pending_v4", "output_ports", … */
void wh_nft_map_name(char out[static WH_NFT_NAME], enum wh_direction d, bool pending, enum wh_nft_kind kind);
/* The next run of adjacent prefixes, from p[*i] on, as one interval: the kernel keeps no boundary between neighbours. Moves *i
 * behind the run; false at the end. The prefixes are sorted, disjoint and of one family. */
bool wh_nft_interval(const struct wh_prefix *p, size_t n, size_t *i, struct wh_addr *first, struct wh_addr *last);

/*
 * Tiles. The kernel walks an interval set from its beginning for each 32 KiB that it dumps, so reading n elements back takes n² /
 * 1,600 steps: 0.55 s for 100,000 prefixes. A long list is therefore cut into sets of WH_NFT_TILE intervals; each is consulted
 * only for addresses from its start to the next one's, by a comparison in front of the lookup.
 */
enum { WH_NFT_TILE = 2048 };
/* The first address of each tile, in `mem`; at least one, the first being the bottom of the family's space. */
struct wh_addr *wh_nft_tiles(const struct wh_prefix *p, size_t n, bool v6, struct wh_arena *mem, size_t *n_tiles);
/* The last address of tile i. */
struct wh_addr wh_nft_tile_end(const struct wh_addr *starts, size_t n_tiles, size_t i, bool v6);
/* "BASE_v4" for the tile at the bottom, "BASE_v4_0a000000" for another. */
void wh_nft_tile_name(const char *base, const struct wh_addr *start, bool v6, char out[static WH_NFT_NAME]);

/* The intervals of a list, cut where tiles end. */
struct wh_span { struct wh_addr first, last; };
struct wh_nft_cursor { const struct wh_prefix *p; size_t n, i; bool have; struct wh_span rest; };
/* The next one that begins at or before `end`; false when there is none. */
bool wh_nft_next_span(struct wh_nft_cursor *c, const struct wh_addr *end, struct wh_span *out);
void wh_nft_log_prefix(const struct wh_nft_port *p, bool audit, char out[static 64]);
/* Sorts the ports and numbers the twins. Returns the first that judges an address which an earlier one also judges; NULL if there
 * is none. */
const struct wh_nft_port *wh_nft_sort(struct wh_nft_ruleset *rs);
/* Whether every address of a prefix is among the allowed peers of the port; and whether the port is that one. */
bool wh_nft_allows(const struct wh_nft_port *p, const struct wh_prefix *peers);
bool wh_nft_is_for(const struct wh_nft_port *p, enum wh_direction d, uint8_t proto, uint16_t port);
