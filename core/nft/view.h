/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view: tables of nf_tables, of whatever program, as their messages describe them. It does not matter whether the kernel sends
 * them in a dump, or an apply of ours is about to send them.
 */
#pragma once
#include <libmnl/libmnl.h>
#include "whittle/base.h"

#define WH_NFT_KEY 64 /* bytes of a set's key: 16 fields of 4 */
struct nftnl_rule;
struct wh_nft_element {
	uint8_t key[WH_NFT_KEY], last[WH_NFT_KEY]; /* the same, or where the set says where each interval ends, that */
	bool end;                                  /* no element, but the end of the interval before it */
	const uint8_t *data; uint32_t n_data;      /* of a map of anything but verdicts */
	/* of a verdict map: NF_… or NFT_…, and where that leads to a chain, its name */
	bool verdict; uint32_t code; const char *chain;
};
struct wh_nft_view_set {
	uint8_t family;
	const char *table, *name;
	uint32_t flags, key_len;                   /* NFT_SET_…; bytes */
	struct wh_nft_element *e; size_t n, room;  /* in the order of the messages */
	bool odd;                                  /* an element was not understood */
};
struct wh_nft_view_chain {
	uint8_t family;
	const char *table, *name;
	int hook, priority;                        /* hook -1: none */
	bool drops;                                /* its policy */
	/* its type is filter, or route: its verdicts let packets through or drop them */
	bool filters;
	struct nftnl_rule **rules; size_t n, room;
};
struct wh_nft_dormant { uint8_t family; const char *name; }; /* a table whose chains are not asked */
struct wh_nft_view {
	struct wh_arena *mem;                      /* of everything but the rules: wh_nft_view_free() */
	struct wh_nft_view_set *sets; size_t n_sets, room_sets;
	struct wh_nft_view_chain *chains; size_t n_chains, room_chains;
	struct wh_nft_dormant *dormant; size_t n_dormant, room_dormant;
	const char *interface; uint32_t index;     /* the one that the packets in question come or go by; NULL and 0: not known */
	/* The packets in question are forwarded, to that interface; NULL and 0: to which is not known. */
	bool forwards; const char *out; uint32_t out_index;
	/* They were translated (DNAT): this is the address and port that the peer asked for. */
	bool translated; struct wh_addr asked; uint16_t asked_port;
	/* what an element that expires decides is not taken for known: it goes by itself */
	bool lasting;
};
/* One message: of a new chain, rule, set or element, or one that empties a chain; others are passed over. */
void wh_nft_view_take(struct wh_nft_view *v, const struct nlmsghdr *h);
/* All that the kernel holds of the tables, but ours, that have a chain before routing (NF_INET_PRE_ROUTING) of an IP family; of a
 * set at most 65,536 elements. */
struct wh_nl;
int wh_nft_view_before_routing(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_view *out);
/* All that the kernel holds of tables of IP, of whatever program, ours included: of a set at most 65,536 elements. */
int wh_nft_view_live(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_view *out);
/* The same without our own tables, and for what lasts: a set with elements that expire is one that may match. */
int wh_nft_view_present(struct wh_nl *nl, struct wh_arena *mem, struct wh_nft_view *out);
void wh_nft_view_free(struct wh_nft_view *v);
/* or NULL */
const struct wh_nft_view_set *wh_nft_view_set_of(const struct wh_nft_view *v, uint8_t family, const char *table,
                                                 const char *name);
const struct wh_nft_view_chain *wh_nft_view_chain_of(const struct wh_nft_view *v, uint8_t family, const char *table,
                                                     const char *name);
