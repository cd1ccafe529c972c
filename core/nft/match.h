/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match: the state that filter_match.c and match_*.c share while they follow the expressions of one rule. */
#pragma once
#include <linux/netfilter/nf_tables.h>
#include "nft/filter.h"

enum { WH_NFT_SLOTS = 16 };
enum wh_nft_held_kind {
	UNKNOWN,
	FIELD,
	FIXED,
	CONSTANT,
	MAPPED,
	CT_STATE,
	CT_STATUS,
	TCP_FLAGS,
	ETHER_TYPE,
	INTERFACE,
	NO_INTERFACE,
	INTERFACE_NAME
};
enum wh_nft_field { FAMILY, PROTO, SADDR, DADDR, SPORT, DPORT, PORTS };
/* The content of a register. FIXED: a field with the same value in every packet in question, `constant`. MAPPED: a map's value
 * for each variant, in its `mapped`. */
struct wh_nft_held {
	enum wh_nft_held_kind kind;
	enum wh_nft_field field;
	bool v6;
	uint32_t len;
	unsigned bits;
	uint8_t constant[16];
	const char *what;
	bool out;                    /* an interface: the outgoing one of forwarded packets */
};

struct wh_nft_following {
	const struct wh_nft_view *v;
	const struct wh_nft_view_chain *chain;
	size_t rule;
	enum wh_direction d;
	struct wh_arena *mem;
	struct wh_nft_matches *out;
	struct wh_nft_held at[WH_NFT_SLOTS]; /* 4 bytes each */
	bool done;
};

static inline unsigned wh_nft_slot(uint32_t reg)
{
	return reg >= NFT_REG32_00                    ? (reg - NFT_REG32_00) % WH_NFT_SLOTS
	       : reg >= NFT_REG_1 && reg <= NFT_REG_4 ? (reg - NFT_REG_1) * 4
	                                              : 0;
}

void wh_nft_hold(struct wh_nft_following *f, uint32_t reg, struct wh_nft_held h);
/* The rule has a condition that can't be evaluated here: it may match. */
void wh_nft_may(struct wh_nft_following *f, const char *what);
void wh_nft_narrow(struct wh_nft_following *f, struct wh_nft_match *m, enum wh_nft_field field, struct wh_ranges to);
void wh_nft_narrow_family(struct wh_nft_match *m, bool v6);
struct wh_addr wh_nft_address(const uint8_t *bytes, bool v6);
/* All values of an address or port; and those from `first` to `last`. */
struct wh_ranges wh_nft_whole(enum wh_nft_field f, bool v6, struct wh_arena *mem);
struct wh_ranges wh_nft_values(struct wh_nft_following *f, const struct wh_nft_held *h, const uint8_t *first,
                               const uint8_t *last);
/* Narrows one variant to the values from `first` to `last`. False: a variant can't express that. */
bool wh_nft_ask(struct wh_nft_following *f, struct wh_nft_match *m, const struct wh_nft_held *h, const uint8_t *first,
                const uint8_t *last);

struct nftnl_expr;
enum { WH_NFT_NO_VERDICT = 0x7fffffff }; /* the kernel's decision is not known */
/* Applies a verdict to one variant, from an element of a verdict map; or to all of them, which ends the rule. */
void wh_nft_decide(struct wh_nft_match *m, const struct wh_nft_element *e);
void wh_nft_verdict(struct wh_nft_following *f, uint32_t code, const char *chain);
/* match_load.c */
void wh_nft_load_meta(struct wh_nft_following *f, struct nftnl_expr *e);
void wh_nft_load_payload(struct wh_nft_following *f, struct nftnl_expr *e);
void wh_nft_load_conntrack(struct wh_nft_following *f, struct nftnl_expr *e);
void wh_nft_load_fib(struct wh_nft_following *f, struct nftnl_expr *e);
/* match_limit.c: a limit, whose condition holds for a first packet if the view is idle. False: it is none, or it is not known. */
bool wh_nft_follow_limit(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
bool wh_nft_follow_xt_limit(struct wh_nft_following *f, const char *name, const void *info, uint32_t len);
/* match_host.c: an interface as a constant that sets can be asked for: its name or its index. Others as they are; in f->mem. */
const struct wh_nft_held *wh_nft_settled(struct wh_nft_following *f, const struct wh_nft_held *h);
/* match_lookup.c */
void wh_nft_lookup(struct wh_nft_following *f, struct nftnl_expr *e);
/* match_host.c: an interface, by its index or name; and a verdict that is not an immediate (reject, queue, iptables' targets);
 * false: it is none of these. */
void wh_nft_compare_interface(struct wh_nft_following *f, const struct wh_nft_held *h, uint32_t op, const uint8_t *data,
                              uint32_t len);
bool wh_nft_follow_target(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
/* match_translate.c: if the expression translates (nat, redir, tproxy, and iptables' DNAT and REDIRECT), `to` of each variant is
 * the new address and port. False: it does not. */
bool wh_nft_follow_translation(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
/* match_xt.c: the condition of an iptables match; it may hold if it can't be evaluated here. False: it is not such a match. */
bool wh_nft_follow_xt(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
