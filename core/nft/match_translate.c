/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The translations of a rule: nftables' own statements, and iptables' targets, which iptables-nft writes with the bytes of
 * iptables. */
#include <arpa/inet.h>
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <string.h>
#include "nft/match.h"

/* `len` bytes of the register, for one variant. */
static bool value(const struct wh_nft_following *f, const struct wh_nft_match *m, uint32_t reg, uint8_t *out, uint32_t len)
{
	unsigned at = wh_nft_slot(reg);
	if (f->at[at].kind == CONSTANT && f->at[at].len >= len) {
		memcpy(out, f->at[at].constant, len);
		return true;
	}
	uint32_t from = at >= m->mapped_to ? (at - m->mapped_to) * 4 : UINT32_MAX;
	if (!m->mapped || f->at[m->mapped_to].kind != MAPPED || from > m->n_mapped || len > m->n_mapped - from)
		return false;
	memcpy(out, m->mapped + from, len);
	return true;
}

static bool take_port(const struct wh_nft_following *f, const struct wh_nft_match *m, const struct nftnl_expr *e, uint16_t attr,
                      uint16_t *out)
{
	uint8_t b[2];
	if (!value(f, m, nftnl_expr_get_u32(e, attr), b, sizeof b))
		return false;
	*out = (uint16_t)(b[0] << 8 | b[1]);
	return true;
}

static void take_ports(const struct wh_nft_following *f, const struct wh_nft_match *m, const struct nftnl_expr *e, uint16_t min,
                       uint16_t max, struct wh_nft_to *to)
{
	to->has_port = nftnl_expr_is_set(e, min);
	if (!to->has_port)
		return;
	to->unknown = !take_port(f, m, e, min, &to->first);
	to->last = to->first;
	if (nftnl_expr_is_set(e, max) && !take_port(f, m, e, max, &to->last))
		to->unknown = true;
}

static struct wh_nft_to by_nat(const struct wh_nft_following *f, const struct wh_nft_match *m, const struct nftnl_expr *e)
{
	struct wh_nft_to to = {.is = nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_DNAT};
	bool v6 = nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_FAMILY) == NFPROTO_IPV6;
	uint8_t b[16];
	if (nftnl_expr_is_set(e, NFTNL_EXPR_NAT_REG_ADDR_MIN) &&
	    value(f, m, nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN), b, v6 ? 16 : 4)) {
		to.has_addr = true;
		to.addr = wh_nft_address(b, v6);
	}
	take_ports(f, m, e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFTNL_EXPR_NAT_REG_PROTO_MAX, &to);
	return to;
}

/* ---- iptables ---- */

/* DNAT and REDIRECT; the first revision of IPv4's has a layout of its own. */
static struct wh_nft_to by_target(const struct wh_nft_following *f, const struct nftnl_expr *e)
{
	struct wh_nft_to to = {.is = true};
	uint32_t len = 0;
	const void *info = nftnl_expr_get(e, NFTNL_EXPR_TG_INFO, &len);
	bool old = f->chain->family == NFPROTO_IPV4 && nftnl_expr_get_u32(e, NFTNL_EXPR_TG_REV) == 0,
	     v6 = f->chain->family == NFPROTO_IPV6;
	struct nf_nat_ipv4_multi_range_compat first;
	struct nf_nat_range r;
	to.unknown = !info || len < (old ? sizeof first : sizeof r);
	if (to.unknown)
		return to;
	memcpy(old ? (void *)&first : (void *)&r, info, old ? sizeof first : sizeof r);
	if (old)
		r = (struct nf_nat_range){.flags = first.range[0].flags,
		                          .min_addr.ip = first.range[0].min_ip,
		                          .min_proto = first.range[0].min,
		                          .max_proto = first.range[0].max};
	to.has_addr = r.flags & NF_NAT_RANGE_MAP_IPS;
	to.addr = wh_addr_v4(ntohl(r.min_addr.ip));
	if (v6)
		memcpy(to.addr.b, &r.min_addr, 16);
	to.has_port = r.flags & NF_NAT_RANGE_PROTO_SPECIFIED;
	to.first = ntohs(r.min_proto.all);
	to.last = ntohs(r.max_proto.all);
	return to;
}

static bool is_target(const struct nftnl_expr *e, const char *kind)
{
	const char *name = !strcmp(kind, "target") ? nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME) : NULL;
	return name && (!strcmp(name, "DNAT") || !strcmp(name, "REDIRECT"));
}

bool wh_nft_follow_translation(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind)
{
	bool nat = !strcmp(kind, "nat"), redir = !strcmp(kind, "redir"), tproxy = !strcmp(kind, "tproxy");
	if (!nat && !redir && !tproxy && !is_target(e, kind))
		return false;
	for (size_t i = 0; i < f->out->n; i++) {
		struct wh_nft_match *m = &f->out->m[i];
		if (nat) {
			m->to = by_nat(f, m, e);
		} else if (redir || tproxy) {
			m->to = (struct wh_nft_to){.is = true};
			take_ports(f, m, e, redir ? NFTNL_EXPR_REDIR_REG_PROTO_MIN : NFTNL_EXPR_TPROXY_REG_PORT,
			           redir ? NFTNL_EXPR_REDIR_REG_PROTO_MAX : NFTNL_EXPR_TPROXY_REG_PORT, &m->to);
		} else {
			m->to = by_target(f, e);
		}
	}
	f->done = !tproxy;
	return true;
}
