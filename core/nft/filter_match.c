/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The conditions of a rule's expressions, followed from register to register: a load (meta, payload, ct) fills a
 * register, a mask keeps part of it, a comparison or a lookup tests it. A comparison with a register of unknown content
 * may hold.
 */
#include <arpa/inet.h>
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/tcp.h>
#include <string.h>
#include "nft/match.h"

enum { CT_SNAT = 0x10, CT_DNAT = 0x20, CT_NEW = 8, CT_UNTRACKED = 64 };

void wh_nft_hold(struct wh_nft_following *f, uint32_t reg, struct wh_nft_held h)
{
	f->at[wh_nft_slot(reg)] = h;
}

void wh_nft_may(struct wh_nft_following *f, const char *what)
{
	for (size_t i = 0; i < f->out->n; i++)
		if (!f->out->m[i].may)
			f->out->m[i].may = wh_arena_printf(f->mem,
			                                   "rule %zu of %s %s: it matches on what whittle cannot evaluate (%s)",
			                                   f->rule + 1, f->chain->table, f->chain->name, what);
}

/* ---- what is asked of a field ---- */

struct wh_addr wh_nft_address(const uint8_t *b, bool v6)
{
	struct wh_addr a = wh_addr_v4(0);
	memcpy(a.b + (v6 ? 0 : 12), b, v6 ? 16 : 4);
	return a;
}

static struct wh_ranges one_range(struct wh_addr from, struct wh_addr to, struct wh_arena *mem)
{
	struct wh_range *r = wh_arena_alloc(mem, sizeof *r);
	*r = (struct wh_range){from, to};
	return (struct wh_ranges){r, wh_addr_cmp(&from, &to) <= 0};
}

struct wh_ranges wh_nft_whole(enum wh_nft_field f, bool v6, struct wh_arena *mem)
{
	if (f == SPORT || f == DPORT)
		return one_range(wh_port_addr(0), wh_port_addr(65535), mem);
	return wh_ranges_from_prefixes(v6 ? &wh_prefix_all_v6 : &wh_prefix_all_v4, 1, mem);
}

void wh_nft_narrow(struct wh_nft_following *f, struct wh_nft_match *m, enum wh_nft_field field, struct wh_ranges to)
{
	struct wh_ranges *r = field == SADDR ? &m->saddr : field == DADDR ? &m->daddr : field == SPORT ? &m->sport : &m->dport;
	bool *has = field == SADDR   ? &m->has_saddr
	            : field == DADDR ? &m->has_daddr
	            : field == SPORT ? &m->has_sport
	                             : &m->has_dport;
	*r = *has ? wh_ranges_intersect(*r, to, f->mem) : to;
	*has = true;
	m->never |= !r->n;
}

void wh_nft_narrow_family(struct wh_nft_match *m, bool v6)
{
	m->v4 &= !v6;
	m->v6 &= v6;
	m->never |= !m->v4 && !m->v6;
}

static void narrow_proto(struct wh_nft_match *m, uint8_t proto)
{
	m->never |= m->proto >= 0 && m->proto != proto;
	m->proto = proto;
}

struct wh_ranges wh_nft_values(struct wh_nft_following *f, const struct wh_nft_held *h, const uint8_t *first, const uint8_t *last)
{
	if (h->field == SPORT || h->field == DPORT)
		return one_range(wh_port_addr((uint16_t)(first[0] << 8 | first[1])),
		                 wh_port_addr((uint16_t)(last[0] << 8 | last[1])), f->mem);
	uint8_t from[16] = {0}, to[16];
	memset(to, 0xff, sizeof to);
	memcpy(from, first, h->len);
	memcpy(to, last, h->len);
	for (unsigned i = h->bits; i < h->len * 8; i++) /* bits behind the mask are any */
		to[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return one_range(wh_nft_address(from, h->v6), wh_nft_address(to, h->v6), f->mem);
}

bool wh_nft_ask(struct wh_nft_following *f, struct wh_nft_match *m, const struct wh_nft_held *h, const uint8_t *first,
                const uint8_t *last)
{
	bool single = !memcmp(first, last, h->len);
	if (h->kind == FIXED) {
		m->never |= memcmp(h->constant, first, h->len) < 0 || memcmp(h->constant, last, h->len) > 0;
		return true;
	}
	switch (h->field) {
	case FAMILY:
		if (single)
			wh_nft_narrow_family(m, *first == NFPROTO_IPV6);
		return single;
	case PROTO:
		if (single)
			narrow_proto(m, *first);
		return single;
	case PORTS:
		return false;
	default:
		wh_nft_narrow(f, m, h->field, wh_nft_values(f, h, first, last));
		return true;
	}
}

/* ---- masks ---- */

/* The number of leading bits that a mask leaves; more than the field has if it is not a prefix's mask. */
static unsigned leading(const uint8_t *mask, uint32_t len)
{
	unsigned n = 0;
	while (n < len * 8 && mask[n / 8] >> (7 - n % 8) & 1)
		n++;
	for (unsigned i = n; i < len * 8; i++)
		if (mask[i / 8] >> (7 - i % 8) & 1)
			return UINT32_MAX;
	return n;
}

static void bitwise(struct wh_nft_following *f, struct nftnl_expr *e)
{
	struct wh_nft_held *h = &f->at[wh_nft_slot(nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_SREG))], out = *h;
	uint32_t len = 0, xor_len = 0, status = 0;
	const uint8_t *mask = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_MASK, &len),
		      *flip = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_XOR, &xor_len);
	static const uint8_t zero[16];
	bool plain = mask && len <= 16 && (!flip || (xor_len == len && !memcmp(flip, zero, len)));
	memcpy(&status, mask ? mask : zero, len < 4 ? len : 4);
	if (plain && (h->kind == CONSTANT || h->kind == FIXED) && len == h->len) {
		out.kind = CONSTANT;
		for (uint32_t i = 0; i < len; i++)
			out.constant[i] &= mask[i];
	} else if (plain && h->kind == TCP_FLAGS && !(*mask & ~(TH_FIN | TH_SYN | TH_RST | TH_ACK))) {
		out = (struct wh_nft_held){.kind = CONSTANT, .len = 1, .constant = {TH_SYN & *mask}};
	} else if (plain && h->kind == CT_STATE && len == 4 && (status & (CT_NEW | CT_UNTRACKED)) != CT_UNTRACKED) {
		out = (struct wh_nft_held){.kind = CONSTANT, .len = 4};
		status &= CT_NEW;
		memcpy(out.constant, &status, sizeof status);
	} else if (plain && h->kind == CT_STATUS && len == 4 && !(status & ~(uint32_t)(CT_SNAT | CT_DNAT))) {
		out = (struct wh_nft_held){.kind = CONSTANT, .len = 4};
		status &= f->v->translated ? CT_DNAT : 0;
		memcpy(out.constant, &status, sizeof status);
	} else if (plain && h->kind == FIELD && (h->field == SADDR || h->field == DADDR) && len == h->len &&
	           leading(mask, len) <= h->bits) {
		out.bits = leading(mask, len);
	} else {
		out = (struct wh_nft_held){.kind = UNKNOWN, .what = h->what ? h->what : "a mask"};
	}
	wh_nft_hold(f, nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_DREG), out);
}

/* ---- comparisons ---- */

static bool holds(uint32_t op, int c)
{
	switch (op) {
	case NFT_CMP_EQ:
		return c == 0;
	case NFT_CMP_NEQ:
		return c != 0;
	case NFT_CMP_LT:
		return c < 0;
	case NFT_CMP_LTE:
		return c <= 0;
	case NFT_CMP_GT:
		return c > 0;
	default:
		return c >= 0;
	}
}

static void compare_field(struct wh_nft_following *f, const struct wh_nft_held *h, uint32_t op, const uint8_t *data)
{
	uint8_t low[16] = {0}, high[16];
	bool addr = h->field == SADDR || h->field == DADDR, port = h->field == SPORT || h->field == DPORT;
	memset(high, 0xff, sizeof high);
	if (op == NFT_CMP_EQ ||
	    ((addr || port) && (op == NFT_CMP_LTE || op == NFT_CMP_GTE) && h->bits == (addr ? h->len * 8 : 0))) {
		for (size_t i = 0; i < f->out->n; i++)
			if (!wh_nft_ask(f, &f->out->m[i], h, op == NFT_CMP_LTE ? low : data, op == NFT_CMP_GTE ? high : data))
				wh_nft_may(f, "ports");
	} else if ((addr || port) && op == NFT_CMP_NEQ) {
		for (size_t i = 0; i < f->out->n; i++)
			wh_nft_narrow(
				f, &f->out->m[i], h->field,
				wh_ranges_minus(wh_nft_whole(h->field, h->v6, f->mem), wh_nft_values(f, h, data, data), f->mem));
	} else if (h->field == FAMILY && op == NFT_CMP_NEQ) {
		for (size_t i = 0; i < f->out->n; i++)
			wh_nft_narrow_family(&f->out->m[i], *data != NFPROTO_IPV6);
	} else {
		wh_nft_may(f, "a comparison");
	}
}

static void compare(struct wh_nft_following *f, struct nftnl_expr *e)
{
	const struct wh_nft_held *h = &f->at[wh_nft_slot(nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_SREG))];
	uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP), len = 0;
	const uint8_t *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);
	if (data && (h->kind == INTERFACE || h->kind == NO_INTERFACE || h->kind == INTERFACE_NAME)) {
		wh_nft_compare_interface(f, h, op, data, len);
	} else if (!data || len > 16 || (h->kind != UNKNOWN && len != h->len)) {
		wh_nft_may(f, h->what ? h->what : "a comparison");
	} else if (h->kind == CONSTANT || h->kind == FIXED || h->kind == TCP_FLAGS) {
		const uint8_t syn = TH_SYN;
		if (!holds(op, memcmp(h->kind == TCP_FLAGS ? &syn : h->constant, data, len)))
			f->out->n = 0; /* it never holds */
	} else if (h->kind == FIELD) {
		compare_field(f, h, op, data);
	} else if (h->kind == ETHER_TYPE && op == NFT_CMP_EQ) {
		static const uint8_t four[] = {0x08, 0x00}, six[] = {0x86, 0xdd};
		for (size_t i = 0; i < f->out->n; i++)
			if (!memcmp(data, four, 2) || !memcmp(data, six, 2))
				wh_nft_narrow_family(&f->out->m[i], *data == *six);
			else
				f->out->m[i].never = true; /* ARP, say */
	} else {
		wh_nft_may(f, h->what ? h->what : "what a register holds");
	}
}

/* Tests whether a value lies between two others, or does not. */
static void range(struct wh_nft_following *f, struct nftnl_expr *e)
{
	const struct wh_nft_held *h = &f->at[wh_nft_slot(nftnl_expr_get_u32(e, NFTNL_EXPR_RANGE_SREG))];
	uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_RANGE_OP), n_from = 0, n_to = 0;
	const uint8_t *from = nftnl_expr_get(e, NFTNL_EXPR_RANGE_FROM_DATA, &n_from),
		      *to = nftnl_expr_get(e, NFTNL_EXPR_RANGE_TO_DATA, &n_to);
	bool addr = h->kind == FIELD && (h->field == SADDR || h->field == DADDR) && h->bits == h->len * 8,
	     port = h->kind == FIELD && (h->field == SPORT || h->field == DPORT);
	if (!from || !to || n_from != h->len || n_to != h->len || (!addr && !port) ||
	    (op != NFT_RANGE_EQ && op != NFT_RANGE_NEQ)) {
		wh_nft_may(f, h->what ? h->what : "a range");
		return;
	}
	struct wh_ranges in = wh_nft_values(f, h, from, to);
	if (op == NFT_RANGE_NEQ)
		in = wh_ranges_minus(wh_nft_whole(h->field, h->v6, f->mem), in, f->mem);
	for (size_t i = 0; i < f->out->n; i++)
		wh_nft_narrow(f, &f->out->m[i], h->field, in);
}

/* ---- a rule ---- */

void wh_nft_decide(struct wh_nft_match *m, const struct wh_nft_element *e)
{
	m->decided = true;
	m->code = e->code;
	m->chain = e->chain;
}

void wh_nft_verdict(struct wh_nft_following *f, uint32_t code, const char *chain)
{
	for (size_t i = 0; i < f->out->n; i++)
		wh_nft_decide(&f->out->m[i], &(struct wh_nft_element){.code = code, .chain = chain});
	f->done = true;
}

static void immediate(struct wh_nft_following *f, struct nftnl_expr *e)
{
	uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_DREG);
	struct wh_nft_held h = {.kind = CONSTANT, .what = "a constant"};
	const void *data = nftnl_expr_get(e, NFTNL_EXPR_IMM_DATA, &h.len);
	if (reg == NFT_REG_VERDICT) {
		wh_nft_verdict(f, nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT),
		               nftnl_expr_is_set(e, NFTNL_EXPR_IMM_CHAIN)
		                       ? wh_arena_strdup(f->mem, nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN))
		                       : NULL);
		return;
	}
	if (data && h.len <= sizeof h.constant)
		memcpy(h.constant, data, h.len);
	else
		h.kind = UNKNOWN;
	wh_nft_hold(f, reg, h);
}

static bool passes_all(const char *kind) /* it asks nothing */
{
	static const char *const kinds[] = {"counter", "log", "notrack", "objref", "last", NULL};
	for (size_t i = 0; kinds[i]; i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

static int follow(struct nftnl_expr *e, void *arg)
{
	static const struct {
		const char *kind;
		void (*does)(struct wh_nft_following *f, struct nftnl_expr *e);
	} kinds[] = {
		{"meta", wh_nft_load_meta},
		{"payload", wh_nft_load_payload},
		{"ct", wh_nft_load_conntrack},
		{"fib", wh_nft_load_fib},
		{"lookup", wh_nft_lookup},
		{"bitwise", bitwise},
		{"cmp", compare},
		{"range", range},
		{"immediate", immediate},
	};
	struct wh_nft_following *f = arg;
	const char *kind = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	if (f->done || !f->out->n)
		return 0;
	for (size_t i = 0; kind && i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kind, kinds[i].kind)) {
			kinds[i].does(f, e);
			return 0;
		}
	if (kind && (wh_nft_follow_limit(f, e, kind) || wh_nft_follow_translation(f, e, kind) || wh_nft_follow_xt(f, e, kind) ||
	             wh_nft_follow_target(f, e, kind)))
		return 0;
	if (!kind || !passes_all(kind))
		wh_nft_may(f, kind ? wh_arena_strdup(f->mem, kind) : "an expression");
	for (size_t i = 0; kind && !passes_all(kind) && i < WH_NFT_SLOTS; i++) /* it may have loaded any register */
		f->at[i] = (struct wh_nft_held){.kind = UNKNOWN, .what = "what a register holds"};
	return 0;
}

void wh_nft_match_rule(const struct wh_nft_view *v, const struct wh_nft_view_chain *c, size_t rule, enum wh_direction d,
                       struct wh_arena *mem, struct wh_nft_matches *out)
{
	struct wh_nft_following f = {.v = v, .chain = c, .rule = rule, .d = d, .mem = mem, .out = out};
	out->m = wh_arena_grown(mem, out->m, 0, &out->room, sizeof *out->m);
	out->m[0] = (struct wh_nft_match){.v4 = c->family != NFPROTO_IPV6, .v6 = c->family != NFPROTO_IPV4, .proto = -1};
	out->n = 1;
	nftnl_expr_foreach(c->rules[rule], follow, &f);
}
