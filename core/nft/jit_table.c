/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages that create the table inet whittle_jit: its sets, chains, rules and elements. */
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include "nft/jit_table.h"
#include "nft/expr.h"

enum { TYPE_V4 = 7, TYPE_V6 = 8, TYPE_PROTO = 12, TYPE_SERVICE = 13, KEY4 = 12, KEY6 = 24 };

/* A message about one thing of the table: its table attribute is 1 everywhere, its name attribute `name_attr`. */
struct nlmsghdr *wh_jit_message(struct wh_batch *b, uint16_t type, uint16_t flags, uint16_t name_attr, const char *name)
{
	struct nlmsghdr *h = wh_batch_msg(b, type, flags, 1024, name ? name : WH_JIT_TABLE);
	if (h)
		mnl_attr_put_strz(h, NFTA_TABLE_NAME, WH_JIT_TABLE);
	if (h && name)
		mnl_attr_put_strz(h, name_attr, name);
	return h;
}

static void put_set(struct wh_batch *b, const char *name, uint32_t id, bool v6)
{
	static const uint32_t fields4[] = {4, 1, 2}, fields6[] = {16, 1, 2};
	struct nlmsghdr *h = wh_jit_message(b, NFT_MSG_NEWSET, NLM_F_CREATE, NFTA_SET_NAME, name);
	if (!h)
		return;
	mnl_attr_put_u32(h, NFTA_SET_FLAGS, htonl(NFT_SET_INTERVAL | NFT_SET_TIMEOUT | NFT_SET_CONCAT));
	mnl_attr_put_u32(h, NFTA_SET_KEY_TYPE,
	                 htonl((uint32_t)((v6 ? TYPE_V6 : TYPE_V4) << 12 | TYPE_PROTO << 6 | TYPE_SERVICE)));
	mnl_attr_put_u32(h, NFTA_SET_KEY_LEN, htonl(v6 ? KEY6 : KEY4));
	mnl_attr_put_u32(h, NFTA_SET_ID, htonl(id));
	struct nlattr *desc = mnl_attr_nest_start(h, NFTA_SET_DESC), *concat = mnl_attr_nest_start(h, NFTA_SET_DESC_CONCAT);
	for (int i = 0; i < 3; i++) {
		struct nlattr *field = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
		mnl_attr_put_u32(h, NFTA_SET_FIELD_LEN, htonl(v6 ? fields6[i] : fields4[i]));
		mnl_attr_nest_end(h, field);
	}
	mnl_attr_nest_end(h, concat);
	mnl_attr_nest_end(h, desc);
	wh_batch_done(b, h);
}

static void put_map(struct wh_batch *b)
{
	struct nlmsghdr *h = wh_jit_message(b, NFT_MSG_NEWSET, NLM_F_CREATE, NFTA_SET_NAME, "closed");
	if (!h)
		return;
	mnl_attr_put_u32(h, NFTA_SET_FLAGS, htonl(NFT_SET_MAP | NFT_SET_TIMEOUT));
	mnl_attr_put_u32(h, NFTA_SET_KEY_TYPE, htonl(TYPE_PROTO << 6 | TYPE_SERVICE));
	mnl_attr_put_u32(h, NFTA_SET_KEY_LEN, htonl(8));
	mnl_attr_put_u32(h, NFTA_SET_ID, htonl(3));
	mnl_attr_put_u32(h, NFTA_SET_DATA_TYPE, htonl(NFT_DATA_VERDICT));
	mnl_attr_put_u32(h, NFTA_SET_DATA_LEN, htonl(16));
	wh_batch_done(b, h);
}

static void put_chain(struct wh_batch *b, const char *name, bool hooked)
{
	struct nlmsghdr *h = wh_jit_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_NAME, name);
	if (!h)
		return;
	if (hooked) {
		struct nlattr *n = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl(NF_INET_LOCAL_IN));
		mnl_attr_put_u32(h, NFTA_HOOK_PRIORITY, htonl((uint32_t)WH_JIT_PRIORITY));
		mnl_attr_nest_end(h, n);
		mnl_attr_put_u32(h, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
		mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, "filter");
	}
	wh_batch_done(b, h);
}

/* ---- rules ---- */

static struct nftnl_rule *new_rule(struct wh_rules *to, const char *chain)
{
	return wh_rules_add(to, WH_JIT_TABLE, chain);
}

static void input_rules(struct wh_rules *out)
{
	uint32_t lo = 1, known = 2 | 4, none = 0; /* ct state established, related */
	uint8_t tcp = IPPROTO_TCP, syn = TH_SYN, flags = TH_SYN | TH_ACK;
	struct nftnl_rule *r = new_rule(out, "input");
	meta(r, NFT_META_IIF, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &lo, sizeof lo);
	verdict(r, NF_ACCEPT);
	r = new_rule(out, "input");
	struct nftnl_expr *e = expr(r, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	mask(r, &known, sizeof known);
	compare(r, NFT_CMP_NEQ, &none, sizeof none);
	verdict(r, NF_ACCEPT);
	r = new_rule(out, "input");
	meta(r, NFT_META_L4PROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &tcp, 1);
	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	mask(r, &flags, 1);
	compare(r, NFT_CMP_NEQ, &syn, 1);
	verdict(r, NF_ACCEPT);
	r = new_rule(out, "input");
	meta(r, NFT_META_L4PROTO, NFT_REG_1);
	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG32_01);
	lookup(r, "closed", true);
}

static void ask_rules(struct wh_rules *out)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint8_t family = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
		struct nftnl_rule *r = new_rule(out, "ask");
		meta(r, NFT_META_NFPROTO, NFT_REG_1);
		compare(r, NFT_CMP_EQ, &family, 1);
		payload(r, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 8 : 12, v6 ? 16 : 4, NFT_REG_1);
		meta(r, NFT_META_L4PROTO, v6 ? NFT_REG_2 /* the kernel reports NFT_REG32_04 as this */ : NFT_REG32_01);
		payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, v6 ? NFT_REG32_05 : NFT_REG32_02);
		lookup(r, v6 ? "open6" : "open4", false);
		verdict(r, NF_ACCEPT);
	}
	struct nftnl_rule *r = new_rule(out, "ask");
	expr(r, "counter");
	struct nftnl_expr *e = expr(r, "log");
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, WH_NFLOG_GROUP);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, "whittle jit closed ");
	verdict(r, NF_DROP);
}

void wh_jit_rules(struct wh_rules *input, struct wh_rules *ask)
{
	memset(input, 0, sizeof *input);
	memset(ask, 0, sizeof *ask);
	input_rules(input);
	ask_rules(ask);
}

void wh_jit_put_table(struct wh_batch *b)
{
	struct nlmsghdr *h = wh_jit_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, 0, NULL);
	struct wh_rules input, ask;
	wh_batch_done(b, h);
	put_set(b, "open4", 1, false);
	put_set(b, "open6", 2, true);
	put_map(b);
	wh_jit_rules(&input, &ask);
	put_chain(b, "ask", false);
	wh_put_rules(b, &ask);
	put_chain(b, "input", true);
	wh_put_rules(b, &input);
}

/* ---- elements ---- */

static void put_key(struct nlmsghdr *h, uint16_t attr, const void *key, size_t len)
{
	struct nlattr *k = mnl_attr_nest_start(h, attr);
	mnl_attr_put(h, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(h, k);
}

void wh_jit_put_closed(struct wh_batch *b, uint16_t type, struct wh_jit_port p, int64_t timeout_ms)
{
	uint8_t key[8] = {p.proto, 0, 0, 0, (uint8_t)(p.port >> 8), (uint8_t)p.port};
	struct nlmsghdr *h = wh_jit_message(b, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, NFTA_SET_ELEM_LIST_SET,
	                                    "closed");
	if (!h)
		return;
	struct nlattr *list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS), *e = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	put_key(h, NFTA_SET_ELEM_KEY, key, sizeof key);
	if (type == NFT_MSG_NEWSETELEM) {
		struct nlattr *d = mnl_attr_nest_start(h, NFTA_SET_ELEM_DATA), *v = mnl_attr_nest_start(h, NFTA_DATA_VERDICT);
		mnl_attr_put_u32(h, NFTA_VERDICT_CODE, htonl((uint32_t)NFT_JUMP));
		mnl_attr_put_strz(h, NFTA_VERDICT_CHAIN, "ask");
		mnl_attr_nest_end(h, v);
		mnl_attr_nest_end(h, d);
		if (timeout_ms)
			mnl_attr_put_u64(h, NFTA_SET_ELEM_TIMEOUT, htobe64((uint64_t)timeout_ms));
	}
	mnl_attr_nest_end(h, e);
	mnl_attr_nest_end(h, list);
	wh_batch_done(b, h);
}

void wh_jit_put_open(struct wh_batch *b, uint16_t type, uint8_t proto, uint16_t port, const struct wh_prefix *from,
                     int64_t timeout_ms)
{
	bool v4 = wh_prefix_is_v4(from);
	size_t width = v4 ? 4 : 16;
	struct wh_addr last = wh_prefix_last(from);
	uint8_t key[KEY6] = {0}, end[KEY6] = {0};
	memcpy(key, from->addr.b + 16 - width, width);
	memcpy(end, last.b + 16 - width, width);
	key[width] = end[width] = proto;
	key[width + 4] = end[width + 4] = (uint8_t)(port >> 8);
	key[width + 5] = end[width + 5] = (uint8_t)port;
	struct nlmsghdr *h = wh_jit_message(b, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, NFTA_SET_ELEM_LIST_SET,
	                                    v4 ? "open4" : "open6");
	if (!h)
		return;
	struct nlattr *list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS), *e = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	put_key(h, NFTA_SET_ELEM_KEY, key, width + 8);
	put_key(h, NFTA_SET_ELEM_KEY_END, end, width + 8);
	if (type == NFT_MSG_NEWSETELEM)
		mnl_attr_put_u64(h, NFTA_SET_ELEM_TIMEOUT, htobe64((uint64_t)timeout_ms));
	mnl_attr_nest_end(h, e);
	mnl_attr_nest_end(h, list);
	wh_batch_done(b, h);
}
