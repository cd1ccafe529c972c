/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The matches of iptables, evaluated for the first packet of a connection; iptables-nft writes them as iptables' own bytes. Such
 * a packet is new to conntrack; inbound its target is an address of this machine, outbound its source; of TCP it has SYN alone.
 */
#include <arpa/inet.h>
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <netinet/tcp.h>
#include <string.h>
#include "nft/match.h"

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

/* If the match never holds, no variant is left. */
static void answer(struct wh_nft_following *f, bool holds)
{
	if (!holds)
		f->out->n = 0;
}

static void by_ports(struct wh_nft_following *f, const char *name, bool is_tcp, const void *info)
{
	struct xt_tcp tcp;
	struct xt_udp udp;
	if (is_tcp) {
		memcpy(&tcp, info, sizeof tcp);
	} else {
		memcpy(&udp, info, sizeof udp);
		tcp = (struct xt_tcp){
			.spts = {udp.spts[0], udp.spts[1]}, .dpts = {udp.dpts[0], udp.dpts[1]}, .invflags = udp.invflags};
	}
	by_tcpudp(f, &tcp);
	if (tcp.flg_mask)
		answer(f, ((TH_SYN & tcp.flg_mask) == tcp.flg_cmp) == !(tcp.invflags & XT_TCP_INV_FLAGS));
	if (tcp.spts[0] != 0 || tcp.spts[1] != 65535 || tcp.option) /* a part that is not evaluated here */
		wh_nft_may(f, name);
}

/* -m addrtype --dst-type LOCAL, which ufw and Docker use: known for this machine's end, unless it names an
 * interface. */
static void by_addrtype(struct wh_nft_following *f, const struct xt_addrtype_info_v1 *a)
{
	bool in = f->d == WH_INBOUND, inverted = a->flags & (in ? XT_ADDRTYPE_INVERT_DEST : XT_ADDRTYPE_INVERT_SOURCE);
	uint16_t ours = in ? a->dest : a->source, other = in ? a->source : a->dest;
	if (ours && !f->v->forwards && !(a->flags & (XT_ADDRTYPE_LIMIT_IFACE_IN | XT_ADDRTYPE_LIMIT_IFACE_OUT)))
		answer(f, !!(ours & XT_ADDRTYPE_LOCAL) != inverted);
	else if (ours)
		wh_nft_may(f, "addrtype");
	if (other)
		wh_nft_may(f, "addrtype");
}

static void by_conntrack(struct wh_nft_following *f, const struct xt_conntrack_mtinfo3 *c)
{
	enum { NEW = 8 }; /* XT_CONNTRACK_STATE_BIT(IP_CT_NEW) */
	if (c->match_flags == XT_CONNTRACK_STATE)
		answer(f, !!(c->state_mask & NEW) != !!(c->invert_flags & XT_CONNTRACK_STATE));
	else
		wh_nft_may(f, "conntrack");
}

bool wh_nft_follow_xt(struct wh_nft_following *f, struct nftnl_expr *e, const char *kind)
{
	const char *name = !strcmp(kind, "match") ? nftnl_expr_get_str(e, NFTNL_EXPR_MT_NAME) : NULL;
	uint32_t len = 0, revision = name ? nftnl_expr_get_u32(e, NFTNL_EXPR_MT_REV) : 0;
	const void *info = name ? nftnl_expr_get(e, NFTNL_EXPR_MT_INFO, &len) : NULL;
	union {
		struct xt_multiport_v1 ports;
		struct xt_addrtype_info_v1 type;
		struct xt_conntrack_mtinfo3 tracked;
	} x;
	if (!info)
		return false;
	if (!strcmp(name, "comment"))
		return true;
	if ((!strcmp(name, "tcp") && len >= sizeof(struct xt_tcp)) || (!strcmp(name, "udp") && len >= sizeof(struct xt_udp))) {
		by_ports(f, name, !strcmp(name, "tcp"), info);
	} else if (!strcmp(name, "multiport") && revision == 1 && len >= sizeof x.ports) {
		by_multiport(f, memcpy(&x.ports, info, sizeof x.ports));
	} else if (!strcmp(name, "addrtype") && revision == 1 && len >= sizeof x.type) {
		by_addrtype(f, memcpy(&x.type, info, sizeof x.type));
	} else if (!strcmp(name, "conntrack") && revision == 3 && len >= sizeof x.tracked) {
		by_conntrack(f, memcpy(&x.tracked, info, sizeof x.tracked));
	} else if (!wh_nft_follow_xt_limit(f, name, info, len)) {
		wh_nft_may(f, wh_arena_strdup(f->mem, name));
	}
	return true;
}
