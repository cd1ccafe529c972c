/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads (meta, payload, ct): the content that each puts into a register. */
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include "nft/match.h"

enum { CT_NEW = 8 };

void wh_nft_load_meta(struct wh_nft_following *f, struct nftnl_expr *e)
{
	uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY), reg;
	bool in = f->d == WH_INBOUND;
	if (!nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG))
		return; /* it sets a mark: later rules that test it may hold */
	reg = nftnl_expr_get_u32(e, NFTNL_EXPR_META_DREG);
	switch (key) {
	case NFT_META_NFPROTO:
		wh_nft_hold(f, reg, (struct wh_nft_held){.kind = FIELD, .field = FAMILY, .len = 1});
		break;
	case NFT_META_PROTOCOL:
		wh_nft_hold(f, reg, (struct wh_nft_held){.kind = ETHER_TYPE, .len = 2, .what = "meta protocol"});
		break;
	case NFT_META_L4PROTO:
		wh_nft_hold(f, reg, (struct wh_nft_held){.kind = FIELD, .field = PROTO, .len = 1});
		break;
	case NFT_META_IIF:
		wh_nft_hold(f, reg,
		            (struct wh_nft_held){.kind = in ? INTERFACE : NO_INTERFACE, .len = 4, .what = "an interface"});
		break;
	case NFT_META_OIF:
		wh_nft_hold(f, reg,
		            (struct wh_nft_held){.kind = in && !f->v->forwards ? NO_INTERFACE : INTERFACE,
		                                 .len = 4,
		                                 .what = "an interface",
		                                 .out = f->v->forwards});
		break;
	case NFT_META_IIFNAME:
		wh_nft_hold(f, reg,
		            (struct wh_nft_held){
				    .kind = in ? INTERFACE_NAME : UNKNOWN, .len = 16, .what = "the name of an interface"});
		break;
	case NFT_META_OIFNAME:
		wh_nft_hold(f, reg,
		            (struct wh_nft_held){
				    .kind = in && !f->v->forwards ? UNKNOWN : INTERFACE_NAME,
				    .len = 16,
				    .what = "the name of an interface",
				    .out = f->v->forwards});
		break;
	default:
		wh_nft_hold(f, reg, (struct wh_nft_held){.kind = UNKNOWN, .what = "meta"});
		break;
	}
}

static bool all_are(const struct wh_nft_following *f, bool v6)
{
	for (size_t i = 0; i < f->out->n; i++)
		if (v6 ? f->out->m[i].v4 : f->out->m[i].v6)
			return false;
	return true;
}

static bool all_tcp(const struct wh_nft_following *f)
{
	for (size_t i = 0; i < f->out->n; i++)
		if (f->out->m[i].proto != WH_PROTO_TCP)
			return false;
	return true;
}

void wh_nft_load_payload(struct wh_nft_following *f, struct nftnl_expr *e)
{
	uint32_t base = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE), at = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET),
		 reg;
	uint32_t len = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN);
	struct wh_nft_held h = {.kind = UNKNOWN, .len = len, .what = "a part of the packet"};
	if (!nftnl_expr_is_set(e, NFTNL_EXPR_PAYLOAD_DREG))
		return;
	reg = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_DREG);
	if (base == NFT_PAYLOAD_NETWORK_HEADER && all_are(f, false) && (at == 12 || at == 16) && len <= 4)
		h = (struct wh_nft_held){.kind = FIELD, .field = at == 12 ? SADDR : DADDR, .len = len, .bits = len * 8};
	else if (base == NFT_PAYLOAD_NETWORK_HEADER && all_are(f, true) && (at == 8 || at == 24) && len <= 16)
		h = (struct wh_nft_held){
			.kind = FIELD, .field = at == 8 ? SADDR : DADDR, .len = len, .bits = len * 8, .v6 = true};
	else if (base == NFT_PAYLOAD_NETWORK_HEADER && all_are(f, false) && at == 9 && len == 1)
		h = (struct wh_nft_held){.kind = FIELD, .field = PROTO, .len = 1};
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER && (at == 0 || at == 2) && len == 2)
		h = (struct wh_nft_held){.kind = FIELD, .field = at ? DPORT : SPORT, .len = 2};
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER && at == 13 && len == 1 && all_tcp(f))
		h = (struct wh_nft_held){.kind = TCP_FLAGS, .len = 1, .what = "tcp flags"};
	wh_nft_hold(f, reg, h);
}

/* For a translated packet, the original destination is the one that the peer addressed. */
static void fix(const struct wh_nft_view *v, struct wh_nft_held *h)
{
	if (!v->translated || (h->field != DADDR && h->field != DPORT))
		return;
	h->kind = FIXED;
	if (h->field == DPORT) {
		h->constant[0] = (uint8_t)(v->asked_port >> 8);
		h->constant[1] = (uint8_t)v->asked_port;
	} else {
		memcpy(h->constant, v->asked.b + (h->v6 ? 0 : 12), h->v6 ? 16 : 4);
	}
}

/* A first packet that is not translated has the original direction's addresses and ports. */
static bool original(struct wh_nft_following *f, struct nftnl_expr *e, uint32_t reg)
{
	static const struct {
		uint32_t key;
		struct wh_nft_held h;
	} keys[] = {
		{NFT_CT_SRC_IP, {.kind = FIELD, .field = SADDR, .len = 4, .bits = 32}},
		{NFT_CT_DST_IP, {.kind = FIELD, .field = DADDR, .len = 4, .bits = 32}},
		{NFT_CT_SRC_IP6, {.kind = FIELD, .field = SADDR, .len = 16, .bits = 128, .v6 = true}},
		{NFT_CT_DST_IP6, {.kind = FIELD, .field = DADDR, .len = 16, .bits = 128, .v6 = true}},
		{NFT_CT_PROTO_SRC, {.kind = FIELD, .field = SPORT, .len = 2}},
		{NFT_CT_PROTO_DST, {.kind = FIELD, .field = DPORT, .len = 2}},
	};
	uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i].key == key && nftnl_expr_is_set(e, NFTNL_EXPR_CT_DIR) && !nftnl_expr_get_u8(e, NFTNL_EXPR_CT_DIR)) {
			/* the other family has no such address: the rule ends */
			for (size_t k = 0; keys[i].h.bits && k < f->out->n; k++)
				wh_nft_narrow_family(&f->out->m[k], keys[i].h.v6);
			struct wh_nft_held h = keys[i].h;
			fix(f->v, &h);
			wh_nft_hold(f, reg, h);
			return true;
		}
	return false;
}

void wh_nft_load_conntrack(struct wh_nft_following *f, struct nftnl_expr *e)
{
	uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY), state = CT_NEW, reg;
	struct wh_nft_held h = {.kind = UNKNOWN, .what = "ct"};
	if (!nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG))
		return;
	reg = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_DREG);
	if (original(f, e, reg))
		return;
	if (key == NFT_CT_STATE) {
		h = (struct wh_nft_held){.kind = f->v->untracks ? CT_STATE : CONSTANT, .len = 4, .what = "ct state untracked"};
		memcpy(h.constant, &state, sizeof state);
	} else if (key == NFT_CT_STATUS) {
		h = (struct wh_nft_held){.kind = CT_STATUS, .len = 4, .what = "ct status"};
	}
	wh_nft_hold(f, reg, h);
}

/* `fib daddr type` is local for packets to this machine that stay; `fib saddr type` for packets that it sends. */
void wh_nft_load_fib(struct wh_nft_following *f, struct nftnl_expr *e)
{
	const uint32_t local = RTN_LOCAL, ours = f->d == WH_INBOUND ? NFTA_FIB_F_DADDR : NFTA_FIB_F_SADDR;
	struct wh_nft_held h = {.kind = UNKNOWN, .what = "fib"};
	if (!f->v->forwards && nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_RESULT) == NFT_FIB_RESULT_ADDRTYPE &&
	    nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_FLAGS) == ours) {
		h = (struct wh_nft_held){.kind = CONSTANT, .len = sizeof local};
		memcpy(h.constant, &local, sizeof local);
	}
	wh_nft_hold(f, nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_DREG), h);
}
