/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comparisons of interfaces, for packets on a known one or on any but loopback; and the effects of iptables' targets. */
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <string.h>
#include "nft/match.h"

static void answer(struct wh_nft_following *f, bool holds)
{
	if (!holds)
		f->out->n = 0;
}

/* Loopback's index is 1, and 0 means none. A name is exact if the bytes have a NUL, else the beginning of one ("eth*"). */
void wh_nft_compare_interface(struct wh_nft_following *f, const struct wh_nft_held *h, uint32_t op, const uint8_t *data,
                              uint32_t len)
{
	bool equals = op == NFT_CMP_EQ, plain = equals || op == NFT_CMP_NEQ, named = h->kind == INTERFACE_NAME;
	uint32_t index = 0, ours = h->out ? f->v->out_index : f->v->index;
	const char *name = h->out ? f->v->out : f->v->interface;
	if (!named && len == sizeof index)
		memcpy(&index, data, sizeof index);
	if (!plain || len > 16 || (!named && len != sizeof index))
		wh_nft_may(f, h->what);
	else if (h->kind == NO_INTERFACE)
		answer(f, (index == 0) == equals);
	else if (named ? len >= 3 && !memcmp(data, "lo", 3) : index <= 1)
		answer(f, !equals);
	else if (named ? !name : !ours)
		wh_nft_may(f, h->what);
	else if (named)
		answer(f, !strncmp(name, (const char *)data, len) == equals);
	else
		answer(f, (index == ours) == equals);
}

const struct wh_nft_held *wh_nft_settled(struct wh_nft_following *f, const struct wh_nft_held *h)
{
	bool named = h->kind == INTERFACE_NAME;
	uint32_t index = h->out ? f->v->out_index : f->v->index;
	const char *name = h->out ? f->v->out : f->v->interface;
	if (h->kind == CT_STATE || (named ? name && strlen(name) < sizeof h->constant : h->kind == INTERFACE && index)) {
		struct wh_nft_held *out = wh_arena_alloc(f->mem, sizeof *out);
		*out = *h;
		out->kind = FIXED;
		if (named)
			memcpy(out->constant, name, strlen(name));
		else if (h->kind == INTERFACE)
			memcpy(out->constant, &index, sizeof index);
		return out;
	}
	return h;
}

bool wh_nft_follow_target(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind)
{
	static const char *const go_on[] = {"LOG",  "NFLOG", "MARK", "CONNMARK", "TRACE",    "CT",  "TCPMSS", "CLASSIFY",
	                                    "DSCP", "TOS",   "TTL",  "HL",       "CHECKSUM", "SET", NULL};
	const char *name = strcmp(kind, "target") ? NULL : nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME);
	for (size_t i = 0; name && go_on[i]; i++)
		if (!strcmp(name, go_on[i]))
			return true;
	if (!strcmp(kind, "reject") || (name && !strcmp(name, "REJECT")))
		wh_nft_verdict(f, NF_DROP, NULL);
	else if (!strcmp(kind, "queue") || !strcmp(kind, "target"))
		wh_nft_verdict(f, WH_NFT_NO_VERDICT, NULL);
	else
		return false;
	return true;
}
