/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule's expressions ask, followed from register to register: a load (meta, payload, ct) says what a register holds, a
 * mask what of it is left, a comparison or a lookup asks for it. What a register holds that is not known here makes a comparison
 * of it one that may hold.
 */
#include <arpa/inet.h>
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include "nft/match.h"

enum { MOST_VARIANTS = 1 << 17 };
enum { CT_NEW = 8, CT_SNAT = 0x10, CT_DNAT = 0x20 };

static void hold(struct wh_nft_following *f, uint32_t reg, struct wh_nft_held h)
{
	f->at[wh_nft_slot(reg)] = h;
}

void wh_nft_may(struct wh_nft_following *f, const char *what)
{
	for (size_t i = 0; i < f->out->n; i++)
		if (!f->out->m[i].may)
			f->out->m[i].may = wh_arena_printf(f->mem, "rule %zu of %s %s: it asks for what is not known here (%s)",
			                                   f->rule + 1, f->chain->table, f->chain->name, what);
}

/* ---- what is asked of a field ---- */

static struct wh_addr address(const uint8_t *b, bool v6)
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

static struct wh_ranges whole(enum wh_nft_field f, bool v6, struct wh_arena *mem)
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

static void narrow_family(struct wh_nft_match *m, bool v6)
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

/* The values from `first` to `last` of a field, as a set. */
static struct wh_ranges values(struct wh_nft_following *f, const struct wh_nft_held *h, const uint8_t *first, const uint8_t *last)
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
	return one_range(address(from, h->v6), address(to, h->v6), f->mem);
}

/* Of one value, in one variant. False: it can't be said. */
static bool ask(struct wh_nft_following *f, struct wh_nft_match *m, const struct wh_nft_held *h, const uint8_t *first,
                const uint8_t *last)
{
	bool single = !memcmp(first, last, h->len);
	switch (h->field) {
	case FAMILY:
		if (single)
			narrow_family(m, *first == NFPROTO_IPV6);
		return single;
	case PROTO:
		if (single)
			narrow_proto(m, *first);
		return single;
	case PORTS: return false;
	default: wh_nft_narrow(f, m, h->field, values(f, h, first, last)); return true;
	}
}

/* ---- loads ---- */

static void meta(struct wh_nft_following *f, struct nftnl_expr *e)
{
	uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY), reg;
	bool in = f->d == WH_INBOUND;
	if (!nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG))
		return; /* it sets a mark, which later rules may ask for: they may hold then */
	reg = nftnl_expr_get_u32(e, NFTNL_EXPR_META_DREG);
	switch (key) {
	case NFT_META_NFPROTO: hold(f, reg, (struct wh_nft_held){.kind = FIELD, .field = FAMILY, .len = 1}); break;
	case NFT_META_L4PROTO: hold(f, reg, (struct wh_nft_held){.kind = FIELD, .field = PROTO, .len = 1}); break;
	case NFT_META_IIF:
		hold(f, reg, (struct wh_nft_held){.kind = in ? INTERFACE : NO_INTERFACE, .len = 4, .what = "an interface"});
		break;
	case NFT_META_OIF:
		hold(f, reg, (struct wh_nft_held){.kind = in ? NO_INTERFACE : INTERFACE, .len = 4, .what = "an interface"});
		break;
	case NFT_META_IIFNAME:
		hold(f, reg,
		     (struct wh_nft_held){.kind = in ? INTERFACE_NAME : UNKNOWN, .len = 16, .what = "the name of an interface"});
		break;
	case NFT_META_OIFNAME:
		hold(f, reg,
		     (struct wh_nft_held){.kind = in ? UNKNOWN : INTERFACE_NAME, .len = 16, .what = "the name of an interface"});
		break;
	default: hold(f, reg, (struct wh_nft_held){.kind = UNKNOWN, .what = "meta"}); break;
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

static void payload(struct wh_nft_following *f, struct nftnl_expr *e)
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
	hold(f, reg, h);
}

/* Of a first packet that is not translated the original direction is the packet's own. */
static bool original(struct wh_nft_following *f, struct nftnl_expr *e, uint32_t reg)
{
	static const struct { uint32_t key; struct wh_nft_held h;
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
			for (size_t k = 0; keys[i].h.bits && k < f->out->n;
			     k++) /* there is no such address in the other family: the rule ends */
				narrow_family(&f->out->m[k], keys[i].h.v6);
			hold(f, reg, keys[i].h);
			return true;
		}
	return false;
}

static void conntrack(struct wh_nft_following *f, struct nftnl_expr *e)
{
	uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY), state = CT_NEW, reg;
	struct wh_nft_held h = {.kind = UNKNOWN, .what = "ct"};
	if (!nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG))
		return;
	reg = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_DREG);
	if (original(f, e, reg))
		return;
	if (key == NFT_CT_STATE) {
		h = (struct wh_nft_held){.kind = CONSTANT, .len = 4};
		memcpy(h.constant, &state, sizeof state);
	} else if (key == NFT_CT_STATUS) {
		h = (struct wh_nft_held){.kind = CT_STATUS, .len = 4, .what = "ct status"};
	}
	hold(f, reg, h);
}

/* ---- masks ---- */

/* How many leading bits a mask leaves; more than there are where it is no prefix's. */
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
	if (plain && h->kind == CONSTANT && len == h->len) {
		for (uint32_t i = 0; i < len; i++)
			out.constant[i] &= mask[i];
	} else if (plain && h->kind == TCP_FLAGS && !(*mask & ~(TH_FIN | TH_SYN | TH_RST | TH_ACK))) {
		out = (struct wh_nft_held){.kind = CONSTANT, .len = 1, .constant = {TH_SYN & *mask}};
	} else if (plain && h->kind == CT_STATUS && len == 4 && !(status & ~(uint32_t)(CT_SNAT | CT_DNAT))) {
		out = (struct wh_nft_held){.kind = CONSTANT, .len = 4};
	} else if (plain && h->kind == FIELD && (h->field == SADDR || h->field == DADDR) && len == h->len &&
	           leading(mask, len) <= h->bits) {
		out.bits = leading(mask, len);
	} else {
		out = (struct wh_nft_held){.kind = UNKNOWN, .what = h->what ? h->what : "a mask"};
	}
	hold(f, nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_DREG), out);
}

/* ---- comparisons ---- */

static bool holds(uint32_t op, int c)
{
	switch (op) {
	case NFT_CMP_EQ: return c == 0;
	case NFT_CMP_NEQ: return c != 0;
	case NFT_CMP_LT: return c < 0;
	case NFT_CMP_LTE: return c <= 0;
	case NFT_CMP_GT: return c > 0;
	default: return c >= 0;
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
			if (!ask(f, &f->out->m[i], h, op == NFT_CMP_LTE ? low : data, op == NFT_CMP_GTE ? high : data))
				wh_nft_may(f, "ports");
	} else if ((addr || port) && op == NFT_CMP_NEQ) {
		for (size_t i = 0; i < f->out->n; i++)
			wh_nft_narrow(f, &f->out->m[i], h->field,
			              wh_ranges_minus(whole(h->field, h->v6, f->mem), values(f, h, data, data), f->mem));
	} else if (h->field == FAMILY && op == NFT_CMP_NEQ) {
		for (size_t i = 0; i < f->out->n; i++)
			narrow_family(&f->out->m[i], *data != NFPROTO_IPV6);
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
	} else if (h->kind == CONSTANT) {
		if (!holds(op, memcmp(h->constant, data, len)))
			f->out->n = 0; /* it never holds */
	} else if (h->kind == FIELD) {
		compare_field(f, h, op, data);
	} else {
		wh_nft_may(f, h->what ? h->what : "what a register holds");
	}
}

/* Whether a value lies between two, or does not. */
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
	struct wh_ranges in = values(f, h, from, to);
	if (op == NFT_RANGE_NEQ)
		in = wh_ranges_minus(whole(h->field, h->v6, f->mem), in, f->mem);
	for (size_t i = 0; i < f->out->n; i++)
		wh_nft_narrow(f, &f->out->m[i], h->field, in);
}

/* ---- lookups ---- */

/* The fields of a key, from register to register. Returns how many; 0: not all of it is known. */
static size_t fields_of(const struct wh_nft_following *f, uint32_t reg, uint32_t key_len,
                        const struct wh_nft_held *out[static WH_NFT_SLOTS])
{
	size_t n = 0;
	uint32_t at = 0;
	for (unsigned s = wh_nft_slot(reg); at < key_len && s < WH_NFT_SLOTS; s += (out[n++]->len + 3) / 4) {
		const struct wh_nft_held *h = &f->at[s];
		if (h->kind != FIELD || h->field == PORTS || !h->len || (h->bits && h->bits != h->len * 8))
			return 0;
		out[n] = h;
		at += at || h->len < key_len ? (h->len + 3) / 4 * 4 : h->len;
	}
	return at >= key_len ? n : 0;
}

static bool ask_all(struct wh_nft_following *f, struct wh_nft_match *m, const struct wh_nft_held *const *h, size_t n,
                    const uint8_t *first, const uint8_t *last)
{
	for (size_t i = 0, at = 0; i < n; at += (h[i++]->len + 3) / 4 * 4)
		if (!ask(f, m, h[i], first + at, last + at))
			return false;
	return true;
}

static int by_key(const void *a, const void *b)
{
	const struct wh_nft_element *x = a, *y = b;
	int c = memcmp(x->key, y->key, sizeof x->key);
	return c ? c : (int)y->end - (int)x->end;
}

/* Elements with the last key of each; ends are taken into those that they end. In `mem`. */
static struct wh_nft_element *paired(const struct wh_nft_view_set *s, struct wh_arena *mem, size_t *n)
{
	struct wh_nft_element *e = wh_arena_array(mem, s->n + 1, sizeof *e);
	*n = 0;
	if (s->n)
		memcpy(e, s->e, s->n * sizeof *e);
	if (!(s->flags & NFT_SET_INTERVAL)) {
		*n = s->n;
		return e;
	}
	bool bounds = true; /* one at a time, not with both bounds in each */
	for (size_t i = 0; i < s->n; i++)
		bounds &= !memcmp(e[i].key, e[i].last, sizeof e[i].key);
	if (!bounds) {
		*n = s->n;
		return e;
	}
	qsort(e, s->n, sizeof *e, by_key);
	for (size_t i = 0; i < s->n; i++) {
		if (e[i].end)
			continue;
		struct wh_nft_element one = e[i];
		memset(one.last, 0xff, s->key_len);
		if (i + 1 < s->n) {
			memcpy(one.last, e[i + 1].key, s->key_len);
			for (size_t k = s->key_len; k-- > 0 && one.last[k]-- == 0;)
				;
		}
		e[(*n)++] = one;
	}
	return e;
}

static void decide(struct wh_nft_match *m, const struct wh_nft_element *e)
{
	m->decided = true;
	m->code = e->code;
	m->chain = e->chain;
}

/* Each variant becomes one for each element, with its verdict, or its data in the register `to`. */
enum { VERDICTS = -1, NOTHING = -2 };
static void multiply(struct wh_nft_following *f, const struct wh_nft_held *const *h, size_t n_fields,
                     const struct wh_nft_element *e, size_t n, int to)
{
	struct wh_nft_matches more = {.n = 0};
	if (n * f->out->n > MOST_VARIANTS) {
		wh_nft_may(f, "a set with very many elements");
		return;
	}
	for (size_t i = 0; i < f->out->n; i++)
		for (size_t k = 0; k < n; k++) {
			struct wh_nft_match m = f->out->m[i];
			if (!ask_all(f, &m, h, n_fields, e[k].key, e[k].last))
				m.may = m.may ? m.may
				              : wh_arena_printf(f->mem, "rule %zu of %s %s: an element is a range of protocols",
				                                f->rule + 1, f->chain->table, f->chain->name);
			if (to == VERDICTS)
				decide(&m, &e[k]);
			else if (to != NOTHING)
				m.mapped = e[k].data, m.n_mapped = e[k].n_data, m.mapped_to = (unsigned)to;
			if (m.never)
				continue;
			more.m = wh_arena_grown(f->mem, more.m, more.n, &more.room, sizeof *more.m);
			more.m[more.n++] = m;
		}
	*f->out = more;
}

/* A set of one field is a set of the filter. */
static void narrow_to(struct wh_nft_following *f, const struct wh_nft_held *h, const struct wh_nft_element *e, size_t n,
                      bool inverted)
{
	struct wh_ranges r = {.r = wh_arena_array(f->mem, n + 1, sizeof *r.r)};
	for (size_t i = 0; i < n; i++)
		r.r[r.n++] = values(f, h, e[i].key, e[i].last).r[0];
	r = wh_ranges_union(r, (struct wh_ranges){.n = 0}, f->mem);
	if (inverted)
		r = wh_ranges_minus(whole(h->field, h->v6, f->mem), r, f->mem);
	for (size_t i = 0; i < f->out->n; i++)
		wh_nft_narrow(f, &f->out->m[i], h->field, r);
}

static int by_element(const void *a, const void *b)
{
	return memcmp(((const struct wh_nft_element *)a)->key, ((const struct wh_nft_element *)b)->key, WH_NFT_KEY);
}

static void lookup(struct wh_nft_following *f, struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET);
	const struct wh_nft_view_set *s = name ? wh_nft_view_set_of(f->v, f->chain->family, f->chain->table, name) : NULL;
	bool inverted = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_FLAGS) &&
	                nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV;
	bool verdicts = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG) &&
	                nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_DREG) == NFT_REG_VERDICT;
	const struct wh_nft_held *h[WH_NFT_SLOTS];
	size_t n, n_fields = s && !s->odd ? fields_of(f, nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_SREG), s->key_len, h) : 0;
	bool maps = nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG) && !verdicts;
	uint32_t to = maps ? nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_DREG) : 0;
	f->done |= verdicts;
	if (!n_fields) {
		wh_nft_may(f, wh_arena_printf(f->mem, "the set %s", name ? name : "?"));
		for (size_t i = 0; verdicts && i < f->out->n; i++) /* which verdict is not known */
			decide(&f->out->m[i], &(struct wh_nft_element){.code = UINT32_MAX - 100});
		if (maps)
			hold(f, to, (struct wh_nft_held){.kind = UNKNOWN, .what = "a map"});
		return;
	}
	struct wh_nft_element *elements = paired(s, f->mem, &n);
	if (n && !(s->flags & NFT_SET_INTERVAL))
		qsort(elements, n, sizeof *elements, by_element);
	bool a_set = n_fields == 1 && !verdicts && !maps && h[0]->field != PROTO && h[0]->field != FAMILY;
	if (a_set)
		narrow_to(f, h[0], elements, n, inverted);
	else if (inverted)
		wh_nft_may(f, wh_arena_printf(f->mem, "what is not in the set %s", s->name));
	else
		multiply(f, h, n_fields, elements, n, verdicts ? VERDICTS : maps ? (int)wh_nft_slot(to) : NOTHING);
	if (maps) /* now: it may be the register that was asked for */
		hold(f, to, (struct wh_nft_held){.kind = MAPPED, .what = "a map"});
}

/* ---- a rule ---- */

void wh_nft_verdict(struct wh_nft_following *f, uint32_t code, const char *chain)
{
	for (size_t i = 0; i < f->out->n; i++)
		decide(&f->out->m[i], &(struct wh_nft_element){.code = code, .chain = chain});
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
	hold(f, reg, h);
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
	static const struct { const char *kind; void (*does)(struct wh_nft_following *f, struct nftnl_expr *e);
	} kinds[] = {
		{"meta", meta},   {"payload", payload}, {"ct", conntrack},  {"bitwise", bitwise},
		{"cmp", compare}, {"range", range},     {"lookup", lookup}, {"immediate", immediate},
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
	if (kind && (wh_nft_follow_translation(f, e, kind) || wh_nft_follow_xt(f, e, kind) || wh_nft_follow_target(f, e, kind)))
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
