/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages that create and delete tables, chains and sets. */
#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include "nft/table.h"

enum { TYPE_PROTO_SERVICE = 12 << 6 | 13, TYPE_IPV4 = 7, TYPE_IPV6 = 8 };

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
