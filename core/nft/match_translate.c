/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To what a rule translates a packet: nftables' own statements, and iptables' targets, which iptables-nft writes with the bytes
 * of iptables. */
#include <arpa/inet.h>
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <string.h>
#include "nft/match.h"

/* `len` bytes of the register, of one variant. */
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

static struct wh_ranges from_to(struct wh_nft_following *f, uint16_t first, uint16_t last)
{
	return wh_ports(&(struct wh_port_range){first, last}, first <= last, f->mem);
}

static void by_tcpudp(struct wh_nft_following *f, const struct xt_tcp *t)
{
	struct wh_ranges d = from_to(f, t->dpts[0], t->dpts[1]);
	if (t->invflags & XT_TCP_INV_DSTPT)
		d = wh_ranges_minus(wh_nft_whole(DPORT, false, f->mem), d, f->mem);
	for (size_t i = 0; i < f->out->n; i++)
		wh_nft_narrow(f, &f->out->m[i], DPORT, d);
}

static void by_multiport(struct wh_nft_following *f, const struct xt_multiport_v1 *p)
{
	struct wh_ranges d = {.n = 0};
	for (unsigned i = 0; i < p->count && i < XT_MULTI_PORTS; i++) {
		bool range = p->pflags[i] && i + 1 < XT_MULTI_PORTS;
		d = wh_ranges_union(d, from_to(f, p->ports[i], p->ports[range ? i + 1 : i]), f->mem);
		i += range;
	}
	if (p->invert)
		d = wh_ranges_minus(wh_nft_whole(DPORT, false, f->mem), d, f->mem);
	for (size_t i = 0; p->flags == XT_MULTIPORT_DESTINATION && i < f->out->n; i++)
		wh_nft_narrow(f, &f->out->m[i], DPORT, d);
	if (p->flags != XT_MULTIPORT_DESTINATION)
		wh_nft_may(f, "multiport");
}

bool wh_nft_follow_xt(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind)
{
	const char *name = !strcmp(kind, "match") ? nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME) : NULL;
	uint32_t len = 0;
	const void *info = name ? nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &len) : NULL;
	struct xt_tcp tcp = {.option = 0};
	struct xt_multiport_v1 ports;
	bool is_tcp = info && !strcmp(name, "tcp") && len >= sizeof tcp,
	     is_udp = info && !strcmp(name, "udp") && len >= sizeof(struct xt_udp);
	if (is_tcp || is_udp) {
		struct xt_udp udp;
		memcpy(is_tcp ? (void *)&tcp : (void *)&udp, info, is_tcp ? sizeof tcp : sizeof udp);
		if (is_udp)
			tcp = (struct xt_tcp){
				.spts = {udp.spts[0], udp.spts[1]}, .dpts = {udp.dpts[0], udp.dpts[1]}, .invflags = udp.invflags};
		by_tcpudp(f, &tcp);
		if (tcp.spts[0] != 0 || tcp.spts[1] != 65535 || tcp.option ||
		    tcp.flg_mask) /* a part that is not looked at here */
			wh_nft_may(f, name);
		return true;
	}
	if (!info || strcmp(name, "multiport") || nftnl_expr_get_u32(e, NFTNL_EXPR_MT_REV) != 1 || len < sizeof ports)
		return false;
	memcpy(&ports, info, sizeof ports);
	by_multiport(f, &ports);
	return true;
}
