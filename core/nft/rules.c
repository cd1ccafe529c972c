/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of the table's chains. */
#include <arpa/inet.h>
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "nft/expr.h"
#include "nft/table.h"

struct nftnl_rule *wh_rules_add(struct wh_rules *to, const char *table, const char *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	if (!wh_array_grow(&to->r, to->n, &to->room, sizeof *to->r))
		abort(); /* as the arena does */
	return to->r[to->n++] = r;
}

static struct nftnl_rule *new_rule(struct wh_rules *to, const char *chain)
{
	return wh_rules_add(to, WH_NFT_TABLE, chain);
}

/* ---- the chains that packets go through first ---- */

static void loopback(struct wh_rules *out, const char *chain, uint32_t interface)
{
	uint32_t lo = 1; /* the loopback interface is index 1 in every network namespace */
	struct nftnl_rule *r = new_rule(out, chain);
	meta(r, interface, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &lo, sizeof lo);
	verdict(r, NF_ACCEPT);
}

static void connection(struct nftnl_rule *r, uint32_t key, uint32_t bits)
{
	uint32_t zero = 0;
	struct nftnl_expr *e = expr(r, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	mask(r, &bits, 4);
	compare(r, NFT_CMP_NEQ, &zero, 4);
}

static void established(struct wh_rules *out, const char *chain)
{
	struct nftnl_rule *r = new_rule(out, chain);
	connection(r, NFT_CT_STATE, 2 | 4); /* established, related */
	verdict(r, NF_ACCEPT);
}

/* Connections that are older than conntrack look new to it: for TCP, only packets that open a connection are judged. */
static void opens_nothing(struct wh_rules *out, const char *chain)
{
	uint8_t tcp = IPPROTO_TCP, opens = TH_SYN, flags = TH_SYN | TH_ACK;
	struct nftnl_rule *r = new_rule(out, chain);
	meta(r, NFT_META_L4PROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &tcp, 1);
	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	mask(r, &flags, 1);
	compare(r, NFT_CMP_NEQ, &opens, 1);
	verdict(r, NF_ACCEPT);
}

static void translated(struct wh_rules *out, const char *chain, const char *to)
{
	struct nftnl_rule *r = new_rule(out, chain);
	connection(r, NFT_CT_STATUS, 0x20 /* dnat */);
	struct nftnl_expr *e = expr(r, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)NFT_GOTO);
	nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, to);
}

/* The registers after the address in a key: the kernel prints those at a multiple of 16 bytes by their old numbers. */
static const uint32_t second[] = {NFT_REG32_01, NFT_REG_2, NFT_REG_1}, third[] = {NFT_REG32_02, NFT_REG32_05, NFT_REG32_01};

/* By the packet's own header: the maps of one generation. */
static void by_header(struct wh_rules *out, const char *chain, enum wh_direction d, bool pending, enum wh_nft_kind from)
{
	char map[WH_NFT_NAME];
	for (enum wh_nft_kind kind = from; kind < WH_NFT_KINDS; kind++) {
		struct nftnl_rule *r = new_rule(out, chain);
		uint8_t family = kind == WH_NFT_V6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
		uint32_t len = kind == WH_NFT_V6 ? 16 : 4;
		if (kind != WH_NFT_ANY) {
			meta(r, NFT_META_NFPROTO, NFT_REG_1);
			compare(r, NFT_CMP_EQ, &family, 1);
			payload(r, NFT_PAYLOAD_NETWORK_HEADER, (kind == WH_NFT_V6 ? 8 : 12) + (d == WH_INBOUND ? len : 0), len,
			        NFT_REG_1);
		}
		meta(r, NFT_META_L4PROTO, second[kind]);
		payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, third[kind]);
		wh_nft_map_name(map, d, pending, kind);
		lookup(r, map, true);
	}
}

static void original(struct nftnl_rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = expr(r, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, reg);
	nftnl_expr_set_u8(e, NFTNL_EXPR_CT_DIR, 0);
}

/* By the destination before translation. */
static void by_original(struct wh_rules *out, const char *chain, bool pending)
{
	static const uint8_t protos[] = {IPPROTO_TCP, IPPROTO_UDP};
	char map[WH_NFT_NAME];
	for (size_t i = 0; i < sizeof protos; i++)
		for (enum wh_nft_kind kind = WH_NFT_V4; kind <= WH_NFT_V6; kind++) {
			struct nftnl_rule *r = new_rule(out, chain);
			meta(r, NFT_META_L4PROTO, NFT_REG_1);
			compare(r, NFT_CMP_EQ, &protos[i], 1);
			original(r, kind == WH_NFT_V6 ? NFT_CT_DST_IP6 : NFT_CT_DST_IP, NFT_REG_1);
			meta(r, NFT_META_L4PROTO, second[kind]);
			original(r, NFT_CT_PROTO_DST, third[kind]);
			wh_nft_map_name(map, WH_INBOUND, pending, kind);
			lookup(r, map, true);
		}
}

static void rules_of_redirected(struct wh_rules *out)
{
	for (int pending = 1; pending >= 0; pending--) {
		by_original(out, "redirected", pending);
		by_header(out, "redirected", WH_INBOUND, pending, WH_NFT_ANY);
	}
}

static void rules_of_published(struct wh_rules *out)
{
	by_original(out, "published", true);
	by_original(out, "published", false);
}

static void begin(struct wh_rules *out, const char *chain, uint32_t interface)
{
	loopback(out, chain, interface);
	established(out, chain);
	opens_nothing(out, chain);
}

/* For addresses whose own rules are being removed: the rules for any address, if the packet is delivered here or comes from
 * here. */
static void rules_of_any(struct wh_rules *out, const char *chain, enum wh_direction d)
{
	uint32_t none = 0;
	struct nftnl_rule *r;
	/* it is forwarded: the input hook has no output interface, which is index 0, or ends the rule on older kernels */
	if (d == WH_INBOUND) {
		r = new_rule(out, chain);
		meta(r, NFT_META_OIF, NFT_REG_1);
		compare(r, NFT_CMP_NEQ, &none, sizeof none);
		verdict(r, NF_ACCEPT);
	}
	by_header(out, chain, d, true, WH_NFT_ANY);
	by_header(out, chain, d, false, WH_NFT_ANY);
	verdict(new_rule(out, chain), NF_ACCEPT);
}

static void rules_of_input_any(struct wh_rules *out)
{
	rules_of_any(out, "input_any", WH_INBOUND);
}

static void rules_of_output_any(struct wh_rules *out)
{
	rules_of_any(out, "output_any", WH_OUTBOUND);
}

static void rules_of_input(struct wh_rules *out)
{
	begin(out, "input", NFT_META_IIF);
	translated(out, "input", "redirected");
	by_header(out, "input", WH_INBOUND, true, WH_NFT_V4);
	by_header(out, "input", WH_INBOUND, false, WH_NFT_V4);
}

static void rules_of_forward(struct wh_rules *out)
{
	begin(out, "forward", NFT_META_IIF);
	translated(out, "forward", "published");
}

static void rules_of_output(struct wh_rules *out)
{
	begin(out, "output", NFT_META_OIF);
	by_header(out, "output", WH_OUTBOUND, true, WH_NFT_V4);
	by_header(out, "output", WH_OUTBOUND, false, WH_NFT_V4);
}

const struct wh_nft_fixed wh_nft_fixed[WH_NFT_N_FIXED] = {
	{"input_any", -1, rules_of_input_any},          {"output_any", -1, rules_of_output_any},
	{"redirected", -1, rules_of_redirected},        {"published", -1, rules_of_published},
	{"input", NF_INET_LOCAL_IN, rules_of_input},    {"forward", NF_INET_FORWARD, rules_of_forward},
	{"output", NF_INET_LOCAL_OUT, rules_of_output},
};

/* ---- the chain of a port ---- */

/* The beginning of a rule that looks the peer's address up in a set, if it lies in `only`. */
static struct nftnl_rule *peer_rule(struct wh_rules *out, const struct wh_chain_spec *c, bool v6, const char *set,
                                    const struct wh_span *only)
{
	uint8_t family = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	uint32_t len = v6 ? 16 : 4, offset = (v6 ? 8u : 12u) + (c->port->direction == WH_INBOUND ? 0 : len);
	struct nftnl_rule *r = new_rule(out, c->name);
	meta(r, NFT_META_NFPROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &family, 1);
	if (only) {
		payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, len, NFT_REG_1);
		compare(r, NFT_CMP_GTE, only->first.b + 16 - len, len);
		compare(r, NFT_CMP_LTE, only->last.b + 16 - len, len);
	}
	payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, len, NFT_REG_1);
	lookup(r, set, false);
	return r;
}

static void pass(struct nftnl_rule *r)
{
	expr(r, "counter");
	verdict(r, NF_ACCEPT);
}

static void count_and_log(struct nftnl_rule *r, const struct wh_chain_spec *c)
{
	char prefix[64];
	expr(r, "counter");
	struct nftnl_expr *e = expr(r, "log");
	wh_nft_log_prefix(c->port, c->audit, prefix);
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, c->nflog_group);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, prefix);
}

/* Tests whether the peer's address lies in the prefix: whole bytes if the length allows, else all bytes under a mask. */
static void within(struct nftnl_rule *r, const struct wh_chain_spec *c, const struct wh_prefix *p)
{
	bool v6 = !wh_prefix_is_v4(p);
	uint32_t bytes = v6 ? 16 : 4, bits = p->len - (v6 ? 0 : 96), n = bits % 8 ? bytes : bits / 8;
	uint32_t offset = (v6 ? 8u : 12u) + (c->port->direction == WH_INBOUND ? 0 : bytes);
	struct wh_addr all = {{0}}, last;
	memset(all.b, 0xff, sizeof all.b);
	struct wh_prefix of_ones = wh_prefix_of(&all, p->len); /* its mask */
	last = of_ones.addr;
	if (!bits)
		return;
	payload(r, NFT_PAYLOAD_NETWORK_HEADER, offset, n, NFT_REG_1);
	if (bits % 8)
		mask(r, last.b + 16 - bytes, n);
	compare(r, NFT_CMP_EQ, p->addr.b + 16 - bytes, n);
}

/* A refused peer in the prefix (and in the set, if there is one) gets an answer. */
static void reject(struct wh_rules *out, const struct wh_chain_spec *c, const struct wh_prefix *p, const char *set)
{
	bool v6 = !wh_prefix_is_v4(p), tcp = c->port->proto == WH_PROTO_TCP;
	uint8_t family = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, proto = IPPROTO_TCP;
	struct nftnl_rule *r = set ? peer_rule(out, c, v6, set, NULL) : new_rule(out, c->name);
	if (!set) {
		meta(r, NFT_META_NFPROTO, NFT_REG_1);
		compare(r, NFT_CMP_EQ, &family, 1);
	}
	within(r, c, p);
	if (tcp) {
		meta(r, NFT_META_L4PROTO, NFT_REG_1);
		compare(r, NFT_CMP_EQ, &proto, 1);
	}
	count_and_log(r, c);
	struct nftnl_expr *e = expr(r, "reject");
	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, tcp ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMPX_UNREACH);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, tcp ? 0 : NFT_REJECT_ICMPX_PORT_UNREACH);
}

/* Drops or answers the packets of a set (NULL: all that come here) of one family. */
static void refuse(struct wh_rules *out, const struct wh_chain_spec *c, const char *set, bool v6)
{
	const struct wh_nft_reject *x = c->reject;
	for (size_t i = 0; !c->audit && x && (!set || !v6) && i < x->n_v4; i++)
		reject(out, c, &x->v4[i], set);
	for (size_t i = 0; !c->audit && x && (!set || v6) && i < x->n_v6; i++)
		reject(out, c, &x->v6[i], set);
	struct nftnl_rule *r = set ? peer_rule(out, c, v6, set, NULL) : new_rule(out, c->name);
	count_and_log(r, c);
	verdict(r, c->audit ? NF_ACCEPT : NF_DROP);
}

struct wh_chain_spec wh_chain_spec_of(const struct wh_nft_ruleset *rs, const struct wh_nft_port *port, const char *name)
{
	return (struct wh_chain_spec){
		.name = name, .port = port, .reject = &rs->reject, .audit = rs->audit, .nflog_group = rs->nflog_group};
}

void wh_rules_of_port(const struct wh_chain_spec *c, struct wh_rules *out)
{
	char set[WH_NFT_NAME];
	memset(out, 0, sizeof *out);
	for (int v6 = 0; v6 < 2; v6++)
		if (c->plus[v6]) {
			snprintf(set, sizeof set, "%.40s_v%c_plus", c->name, v6 ? '6' : '4');
			pass(peer_rule(out, c, v6, set, NULL));
		}
	for (int v6 = 0; v6 < 2; v6++)
		if (c->minus[v6]) {
			snprintf(set, sizeof set, "%.40s_v%c_minus", c->name, v6 ? '6' : '4');
			refuse(out, c, set, v6);
		}
	if (c->then) {
		struct nftnl_expr *e = expr(new_rule(out, c->name), "immediate");
		nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
		nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)NFT_GOTO);
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, c->then);
		return;
	}
	for (int v6 = 0; v6 < 2; v6++)
		for (size_t i = 0; i < c->tiles[v6].n; i++)
			pass(peer_rule(out, c, v6, c->tiles[v6].t[i].name, c->tiles[v6].n > 1 ? &c->tiles[v6].t[i].range : NULL));
	refuse(out, c, NULL, false);
}

void wh_rules_free(struct wh_rules *r)
{
	while (r->n)
		nftnl_rule_free(r->r[--r->n]);
	free(r->r);
	r->r = NULL;
	r->room = 0;
}

void wh_put_rules(struct wh_batch *b, struct wh_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const char *chain = nftnl_rule_get_str(r->r[i], NFTNL_RULE_CHAIN);
		struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, 4096, chain);
		if (h) {
			nftnl_rule_nlmsg_build_payload(h, r->r[i]);
			wh_batch_done(b, h);
		}
	}
	wh_rules_free(r);
}
