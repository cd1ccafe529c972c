/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view: nf_tables tables of any program, as their messages describe them. The messages may come from a dump, or from an apply of
 * ours that is about to be sent.
 */
#pragma once
#include <libmnl/libmnl.h>
#include "whittle/base.h"

#define WH_NFT_KEY 64 /* bytes of a set's key: 16 fields of 4 */
struct nftnl_rule;
struct wh_nft_element {
	uint8_t key[WH_NFT_KEY], last[WH_NFT_KEY]; /* the same, or the interval's end if the set has it */
	bool end;                                  /* not an element, but the end of the interval before it */
	const uint8_t *data; uint32_t n_data;      /* of a map of anything but verdicts */
	/* of a verdict map: NF_… or NFT_…, and where that leads to a chain, its name */
	bool verdict; uint32_t code; const char *chain;
};
struct wh_nft_view_set {
	uint8_t family;
	const char *table, *name;
	uint32_t flags, key_len;                   /* NFT_SET_…; bytes */
	struct wh_nft_element *e; size_t n, room;  /* in the order of the messages */
	bool odd;                                  /* an element could not be read */
};
struct wh_nft_view_chain {
	uint8_t family;
	const char *table, *name;
	/* hook -1: none. At a device's ingress: before routing, and before all others */
	int hook, priority;
	const char *device;                        /* of such a chain, the one; "": several, or not known. NULL: of no device */
	bool drops;                                /* its policy */
	/* its type is filter or route: its verdicts let packets through or drop them */
	bool filters;
	struct nftnl_rule **rules; size_t n, room;
};
struct wh_nft_dormant { uint8_t family; const char *name; }; /* a table whose chains are not evaluated */
struct wh_nft_view {
	struct wh_arena *mem;                      /* for everything but the rules: wh_nft_view_free() */
	struct wh_nft_view_set *sets; size_t n_sets, room_sets;
	struct wh_nft_view_chain *chains; size_t n_chains, room_chains;
	struct wh_nft_dormant *dormant; size_t n_dormant, room_dormant;
	const char *interface; uint32_t index;     /* the interface of the packets in question; NULL and 0: not known */
	/* The packets in question are forwarded to that interface; NULL and 0: not known. */
	bool forwards; const char *out; uint32_t out_index;
	/* They were translated (DNAT): this is the address and port that the peer asked for. */
	bool translated; struct wh_addr asked; uint16_t asked_port;
	/* the decision of an element that expires counts as unknown */
	bool lasting;
	/* Limits of rates, connections and quotas have not been reached: a rule that asks for one lets a first packet through.
	 * Else what such a rule decides counts as unknown. */
	bool idle;
	bool untracks;                             /* a rule excludes packets from connection tracking */
};
/* One message: of a new chain, rule, set or element, or one that empties a chain; others are skipped. */
void wh_nft_view_take(struct wh_nft_view *v, const struct nlmsghdr *h);
/* Reads all tables but ours that have a chain before routing (NF_INET_PRE_ROUTING) of an IP family; at most 65,536 elements of a
 * set. */
int wh_nft_view_before_routing(struct wh_arena *mem, struct wh_nft_view *out, struct wh_error *err);
/* Reads all IP tables of any program, ours included, and those at devices' ingress; at most 65,536 elements of a set. */
int wh_nft_view_live(struct wh_arena *mem, struct wh_nft_view *out, struct wh_error *err);
/* The same without our own tables, for lasting decisions: a set with elements that expire may match. */
int wh_nft_view_present(struct wh_arena *mem, struct wh_nft_view *out, struct wh_error *err);
/* Reads our table inet whittle alone, for lasting decisions, too. */
int wh_nft_view_ours(struct wh_arena *mem, struct wh_nft_view *out, struct wh_error *err);
void wh_nft_view_free(struct wh_nft_view *v);
/* or NULL */
const struct wh_nft_view_set *wh_nft_view_set_of(const struct wh_nft_view *v, uint8_t family, const char *table,
                                                 const char *name);
const struct wh_nft_view_chain *wh_nft_view_chain_of(const struct wh_nft_view *v, uint8_t family, const char *table,
                                                     const char *name);
