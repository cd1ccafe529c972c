/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match: what filter_match.c and the match_*.c know while they follow the expressions of one rule. */
#pragma once
#include <linux/netfilter/nf_tables.h>
#include "nft/filter.h"

enum { WH_NFT_SLOTS = 16 };
enum wh_nft_held_kind { UNKNOWN, FIELD, FIXED, CONSTANT, MAPPED, CT_STATUS, TCP_FLAGS, INTERFACE, NO_INTERFACE, INTERFACE_NAME };
enum wh_nft_field { FAMILY, PROTO, SADDR, DADDR, SPORT, DPORT, PORTS };
/* The content of a register. FIXED: a field of which every packet in question has the same value, `constant`. MAPPED: a map's
 * value for each variant, in its `mapped`. */
struct wh_nft_held {
	enum wh_nft_held_kind kind;
	enum wh_nft_field field;
	bool v6;
	uint32_t len;
	unsigned bits;
	uint8_t constant[16];
	const char *what;
	bool out;                    /* an interface: the one that forwarded packets go by */
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
/* The rule asks for something that is not known here: it may match. */
void wh_nft_may(struct wh_nft_following *f, const char *what);
void wh_nft_narrow(struct wh_nft_following *f, struct wh_nft_match *m, enum wh_nft_field field, struct wh_ranges to);
void wh_nft_narrow_family(struct wh_nft_match *m, bool v6);
struct wh_addr wh_nft_address(const uint8_t *bytes, bool v6);
/* All values of an address or port; and those from `first` to `last`. */
struct wh_ranges wh_nft_whole(enum wh_nft_field f, bool v6, struct wh_arena *mem);
struct wh_ranges wh_nft_values(struct wh_nft_following *f, const struct wh_nft_held *h, const uint8_t *first,
                               const uint8_t *last);
/* Narrows one variant to the values from `first` to `last`. False: no variant can say that. */
bool wh_nft_ask(struct wh_nft_following *f, struct wh_nft_match *m, const struct wh_nft_held *h, const uint8_t *first,
                const uint8_t *last);

struct nftnl_expr;
enum { WH_NFT_NO_VERDICT = 0x7fffffff }; /* what the kernel will do is not known */
/* The verdict of one variant, as an element of a verdict map has it; and of all of them, which ends the rule. */
void wh_nft_decide(struct wh_nft_match *m, const struct wh_nft_element *e);
void wh_nft_verdict(struct wh_nft_following *f, uint32_t code, const char *chain);
/* match_load.c */
void wh_nft_load_meta(struct wh_nft_following *f, struct nftnl_expr *e);
void wh_nft_load_payload(struct wh_nft_following *f, struct nftnl_expr *e);
void wh_nft_load_conntrack(struct wh_nft_following *f, struct nftnl_expr *e);
void wh_nft_load_fib(struct wh_nft_following *f, struct nftnl_expr *e);
/* match_lookup.c */
void wh_nft_lookup(struct wh_nft_following *f, struct nftnl_expr *e);
/* match_host.c: an interface, by its index or name; and a verdict that is no immediate (reject, queue, iptables' targets; false:
 * it is none). */
void wh_nft_compare_interface(struct wh_nft_following *f, const struct wh_nft_held *h, uint32_t op, const uint8_t *data,
                              uint32_t len);
bool wh_nft_follow_target(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
/* match_translate.c: where the expression translates (nat, redir, tproxy, and iptables' DNAT and REDIRECT), `to` of each variant
 * says to what. False: it does not. */
bool wh_nft_follow_translation(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
/* match_xt.c: what a match of iptables asks; it may hold where it is not known here. False: it is none. */
bool wh_nft_follow_xt(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
