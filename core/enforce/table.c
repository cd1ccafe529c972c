/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages that make tables, chains, sets and rules; and rules as text, so that what is there can be held against what should be. */
#include <arpa/inet.h>
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include "enforce/nft.h"
#include "enforce/nft_expr.h"
#include "whittle/flow.h"

enum { TYPE_PROTO_SERVICE = 12 << 6 | 13, TYPE_IPV4 = 7, TYPE_IPV6 = 8 };

/* ---- tables, chains and sets ---- */

void wh_put_table(struct wh_batch *b)
{
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, 256, "the table");
	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, WH_NFT_TABLE);
	mnl_attr_put_u32(h, NFTA_TABLE_FLAGS, 0); /* not dormant */
	wh_batch_done(b, h);
}

static void named(struct wh_batch *b, uint16_t type, uint16_t table_attr, uint16_t name_attr, const char *name)
{
	struct nlmsghdr *h = wh_batch_msg(b, type, 0, 256, name ? name : "the table");
	if (!h)
		return;
	mnl_attr_put_strz(h, table_attr, WH_NFT_TABLE);
	if (name)
		mnl_attr_put_strz(h, name_attr, name);
	wh_batch_done(b, h);
}

void wh_del_table(struct wh_batch *b)
{
	named(b, NFT_MSG_DELTABLE, NFTA_TABLE_NAME, 0, NULL);
}

void wh_del_set(struct wh_batch *b, const char *name)
{
	named(b, NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME, name);
}

void wh_del_chain(struct wh_batch *b, const char *name)
{
	named(b, NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, name);
}

void wh_flush_chain(struct wh_batch *b, const char *name)
{
	named(b, NFT_MSG_DELRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, name);
}

static void put_set(struct wh_batch *b, const char *name, uint32_t flags, uint32_t key_type, uint32_t key_len, bool verdicts)
{
	static uint32_t id;
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_NEWSET, NLM_F_CREATE, 512, name);
	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_SET_TABLE, WH_NFT_TABLE);
	mnl_attr_put_strz(h, NFTA_SET_NAME, name);
	mnl_attr_put_u32(h, NFTA_SET_FLAGS, htonl(flags));
	mnl_attr_put_u32(h, NFTA_SET_KEY_TYPE, htonl(key_type));
	mnl_attr_put_u32(h, NFTA_SET_KEY_LEN, htonl(key_len));
	mnl_attr_put_u32(h, NFTA_SET_ID, htonl(++id));
	if (verdicts) {
		mnl_attr_put_u32(h, NFTA_SET_DATA_TYPE, htonl(NFT_DATA_VERDICT));
		mnl_attr_put_u32(h, NFTA_SET_DATA_LEN, htonl(16));
	}
	wh_batch_done(b, h);
}

void wh_put_map(struct wh_batch *b, const char *name, enum wh_nft_kind kind)
{
	static const uint32_t types[] = {TYPE_IPV4 << 12, TYPE_IPV6 << 12, 0}, widths[] = {4, 16, 0};
	put_set(b, name, NFT_SET_MAP | NFT_SET_TIMEOUT, types[kind] | TYPE_PROTO_SERVICE, widths[kind] + 8, true);
}

void wh_put_interval_set(struct wh_batch *b, const char *name, bool v6)
{
	put_set(b, name, NFT_SET_INTERVAL, v6 ? TYPE_IPV6 : TYPE_IPV4, v6 ? 16 : 4, false);
}

void wh_put_chain(struct wh_batch *b, const char *name, int hook)
{
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, 512, name);
	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, WH_NFT_TABLE);
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, name);
	if (hook >= 0) {
		struct nlattr *n = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl((uint32_t)hook));
		mnl_attr_put_u32(h, NFTA_HOOK_PRIORITY, htonl((uint32_t)WH_NFT_HOOK_PRIORITY));
		mnl_attr_nest_end(h, n);
		mnl_attr_put_u32(h, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
		mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, "filter");
	}
	wh_batch_done(b, h);
}

/* ---- rules ---- */

struct nftnl_rule *wh_rules_add(struct wh_rules *to, const char *table, const char *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	if (to->n == to->room) {
		to->room = to->room ? to->room * 2 : 16;
		to->r = reallocarray(to->r, to->room, sizeof *to->r);
		if (!to->r)
			abort(); /* as an arena does */
	}
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

/* Connections from before conntrack watched this machine look new to it: of TCP only what opens a connection is judged. */
static void opens_nothing(struct wh_rules *out, const char *chain)
{
	uint8_t tcp = IPPROTO_TCP, opens = WH_TCP_SYN, flags = WH_TCP_SYN | WH_TCP_ACK;
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

/* The registers behind the address in a key: the kernel prints those at a multiple of 16 bytes by their old numbers. */
static const uint32_t second[] = {NFT_REG32_01, NFT_REG_2, NFT_REG_1}, third[] = {NFT_REG32_02, NFT_REG32_05, NFT_REG32_01};

/* By what the packet says itself: the maps of one generation. */
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
			payload(r, NFT_PAYLOAD_NETWORK_HEADER, (kind == WH_NFT_V6 ? 8 : 12) + (d == WH_INBOUND ? len : 0), len, NFT_REG_1);
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

/* By where it was going before it was translated. */
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

/* For addresses whose own rules are on their way out: the rules for any address, if the packet is delivered here or comes from here. */
static void rules_of_any(struct wh_rules *out, const char *chain, enum wh_direction d)
{
	uint32_t none = 0;
	struct nftnl_rule *r;
	if (d == WH_INBOUND) { /* it is forwarded: at the input hook there is none, which is index 0, or ends the rule on older kernels */
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
	{"input_any", -1, rules_of_input_any}, {"output_any", -1, rules_of_output_any},
	{"redirected", -1, rules_of_redirected}, {"published", -1, rules_of_published}, {"input", NF_INET_LOCAL_IN, rules_of_input},
	{"forward", NF_INET_FORWARD, rules_of_forward}, {"output", NF_INET_LOCAL_OUT, rules_of_output},
};

/* ---- the chain of a port ---- */

/* The beginning of a rule that asks a set for the peer's address, if that lies in `only`. */
static struct nftnl_rule *peer_rule(struct wh_rules *out, const struct wh_chain_spec *c, bool v6, const char *set, const struct wh_span *only)
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

static void drop(struct nftnl_rule *r, const struct wh_chain_spec *c)
{
	char prefix[64];
	expr(r, "counter");
	struct nftnl_expr *e = expr(r, "log");
	wh_nft_log_prefix(c->port, c->audit, prefix);
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, c->nflog_group);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, prefix);
	verdict(r, c->audit ? NF_ACCEPT : NF_DROP);
}

void wh_rules_of_port(const struct wh_chain_spec *c, struct wh_rules *out)
{
	char set[WH_NFT_NAME];
	memset(out, 0, sizeof *out);
	for (int v6 = 0; v6 < 2; v6++)
		if (c->plus[v6]) {
			snprintf(set, sizeof set, "%.40s_v%c_plus", c->name, v6 ? '6' : '4');
			verdict(peer_rule(out, c, v6, set, NULL), NF_ACCEPT);
		}
	for (int v6 = 0; v6 < 2; v6++)
		if (c->minus[v6]) {
			snprintf(set, sizeof set, "%.40s_v%c_minus", c->name, v6 ? '6' : '4');
			drop(peer_rule(out, c, v6, set, NULL), c);
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
			verdict(peer_rule(out, c, v6, c->tiles[v6].t[i].name, c->tiles[v6].n > 1 ? &c->tiles[v6].t[i].range : NULL), NF_ACCEPT);
	drop(new_rule(out, c->name), c);
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

/* ---- rules as text ---- */

static int expr_text(struct nftnl_expr *e, void *arg)
{
	char text[512];
	const char *kind = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	if (kind && !strcmp(kind, "counter")) /* what it has counted is no difference */
		snprintf(text, sizeof text, "counter");
	else
		nftnl_expr_snprintf(text, sizeof text, e, NFTNL_OUTPUT_DEFAULT, 0);
	fprintf(arg, "[%s %s]", kind ? kind : "?", text);
	return 0;
}

static void print_rule(FILE *f, const struct nftnl_rule *r)
{
	nftnl_expr_foreach((struct nftnl_rule *)(uintptr_t)r, expr_text, f);
	fputc('\n', f);
}

char *wh_rule_text(const struct nftnl_rule *r)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	print_rule(f, r);
	fclose(f);
	return text;
}

char *wh_rules_text(const struct wh_rules *r)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	for (size_t i = 0; i < r->n; i++)
		print_rule(f, r->r[i]);
	fclose(f);
	return text;
}
