/* SPDX-License-Identifier: GPL-2.0-or-later */
/* match: what filter_match.c knows while it follows the expressions of one rule. Shared with match_translate.c alone. */
#pragma once
#include <linux/netfilter/nf_tables.h>
#include "nft/filter.h"

enum { WH_NFT_SLOTS = 16 };
enum wh_nft_held_kind { UNKNOWN, FIELD, CONSTANT, MAPPED, CT_STATUS, TCP_FLAGS, INTERFACE, NO_INTERFACE, INTERFACE_NAME };
enum wh_nft_field { FAMILY, PROTO, SADDR, DADDR, SPORT, DPORT, PORTS };
/* What a register holds. MAPPED: what a map has for each variant, in its `mapped`. */
struct wh_nft_held {
	enum wh_nft_held_kind kind;
	enum wh_nft_field field;
	bool v6;
	uint32_t len;
	unsigned bits;
	uint8_t constant[16];
	const char *what;
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

void wh_nft_may(struct wh_nft_following *f, const char *what);
void wh_nft_narrow(struct wh_nft_following *f, struct wh_nft_match *m, enum wh_nft_field field, struct wh_ranges to);

struct nftnl_expr;
enum { WH_NFT_NO_VERDICT = 0x7fffffff }; /* what the kernel will do is not known */
void wh_nft_verdict(struct wh_nft_following *f, uint32_t code, const char *chain);
/* match_host.c: an interface, by its index or name; and a verdict that is no immediate (reject, queue, iptables' targets; false:
 * it is none). */
void wh_nft_compare_interface(struct wh_nft_following *f, const struct wh_nft_held *h, uint32_t op, const uint8_t *data,
                              uint32_t len);
bool wh_nft_follow_target(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
/* Where the expression translates (nat, redir, tproxy, and iptables' DNAT and REDIRECT), `to` of each variant says to what.
 * False: it does not. */
bool wh_nft_follow_translation(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
/* What iptables' matches tcp, udp and multiport ask. False: it is another. */
bool wh_nft_follow_xt(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind);
