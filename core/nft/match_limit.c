/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of rates, of connections and of quotas. What a limit decides about a packet depends on those before it. Who asks whether
 * anybody gets in at all asks about a first packet, for which no limit is reached: "up to" holds, and "over" does not.
 */
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_connlimit.h>
#include <linux/netfilter/xt_recent.h>
#include <string.h>
#include "nft/match.h"

static void answer(struct wh_nft_following *f, bool holds)
{
	if (!holds)
		f->out->n = 0;
}

static bool over(const struct nftnl_expr *e, uint16_t attribute, uint32_t flag)
{
	return nftnl_expr_is_set(e, attribute) && nftnl_expr_get_u32(e, attribute) & flag;
}

static int follow_inner(struct nftnl_expr *e, void *arg)
{
	struct wh_nft_following *f = arg;
	const char *kind = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	if (kind && strcmp(kind, "counter") && f->out->n && !wh_nft_follow_limit(f, e, kind))
		wh_nft_may(f, wh_arena_strdup(f->mem, kind));
	return 0;
}

bool wh_nft_follow_limit(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind)
{
	if (!f->v->idle)
		return false;
	if (!strcmp(kind, "limit"))
		answer(f, !over(e, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV));
	else if (!strcmp(kind, "connlimit"))
		answer(f, !over(e, NFTNL_EXPR_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV));
	else if (!strcmp(kind, "quota"))
		answer(f, !over(e, NFTNL_EXPR_QUOTA_FLAGS, NFT_QUOTA_F_INV));
	else if (!strcmp(kind, "dynset") && nftnl_expr_get_u32(e, NFTNL_EXPR_DYNSET_OP) != NFT_DYNSET_OP_DELETE)
		nftnl_expr_expr_foreach(e, follow_inner, f); /* it adds an element, which may have limits of its own */
	else
		return false;
	return true;
}

/* iptables' own: limit; recent, by whose list a first packet is not yet; connlimit. */
bool wh_nft_follow_xt_limit(struct wh_nft_following *f, const char *name, const void *info, uint32_t len)
{
	struct xt_recent_mtinfo recent;
	struct xt_connlimit_info connections;
	if (!f->v->idle)
		return false;
	if (!strcmp(name, "recent") && len >= sizeof recent) {
		memcpy(&recent, info, sizeof recent);
		answer(f, !!(recent.check_set & XT_RECENT_SET) != !!recent.invert);
	} else if (!strcmp(name, "connlimit") && len >= sizeof connections) {
		memcpy(&connections, info, sizeof connections);
		answer(f, connections.flags & XT_CONNLIMIT_INVERT);
	} else {
		return !strcmp(name, "limit");
	}
	return true;
}
