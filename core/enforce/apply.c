/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apply, confirm, roll back: each one transaction. The layout is told in enforce/nft.h. */
#include <arpa/inet.h>
#include <endian.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "enforce/nft.h"
#include "whittle/flow.h"

enum { TYPE_PROTO_SERVICE = 12 << 6 | 13, TYPE_IPV4 = 7, TYPE_IPV6 = 8, ELEMENTS_BYTES = 60000, PRIORITY = -5 };
static const char *const hooks[] = {"input", "output"};

static void map_name(char out[static WH_NFT_NAME], enum wh_direction d, bool pending)
{
	snprintf(out, WH_NFT_NAME, "%s_%s", hooks[d], pending ? "pending" : "ports");
}

/* ---- tables, chains and sets ---- */

static void put_table(struct wh_batch *b, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = wh_batch_msg(b, type, flags, 256, "the table");
	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, WH_NFT_TABLE);
	wh_batch_done(b, h);
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

static void delete_named(struct wh_batch *b, uint16_t type, uint16_t table_attr, uint16_t name_attr, const char *name)
{
	struct nlmsghdr *h = wh_batch_msg(b, type, 0, 256, name);
	if (!h)
		return;
	mnl_attr_put_strz(h, table_attr, WH_NFT_TABLE);
	mnl_attr_put_strz(h, name_attr, name);
	wh_batch_done(b, h);
}

static void put_chain(struct wh_batch *b, const char *name, int hook)
{
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, 512, name);
	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, WH_NFT_TABLE);
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, name);
	if (hook >= 0) {
		struct nlattr *n = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl((uint32_t)hook));
		mnl_attr_put_u32(h, NFTA_HOOK_PRIORITY, htonl((uint32_t)PRIORITY));
		mnl_attr_nest_end(h, n);
		mnl_attr_put_u32(h, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
		mnl_attr_put_strz(h, NFTA_CHAIN_TYPE, "filter");
	}
	wh_batch_done(b, h);
}

/* ---- rules ---- */

static struct nftnl_rule *new_rule(const char *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, WH_NFT_TABLE);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	return r;
}

static struct nftnl_expr *expr(struct nftnl_rule *r, const char *kind)
{
	struct nftnl_expr *e = nftnl_expr_alloc(kind);
	nftnl_rule_add_expr(r, e);
	return e;
}

static void meta(struct nftnl_rule *r, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = expr(r, "meta");
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

static void payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
	struct nftnl_expr *e = expr(r, "payload");
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void compare(struct nftnl_rule *r, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(r, "cmp");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void lookup(struct nftnl_rule *r, const char *set, bool verdict)
{
	struct nftnl_expr *e = expr(r, "lookup");
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set);
	if (verdict)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

static void verdict(struct nftnl_rule *r, uint32_t v)
{
	struct nftnl_expr *e = expr(r, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, v);
}

static void put_rule(struct wh_batch *b, struct nftnl_rule *r, const char *what)
{
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, 4096, what);
	if (h) {
		nftnl_rule_nlmsg_build_payload(h, r);
		wh_batch_done(b, h);
	}
	nftnl_rule_free(r);
}

static void put_base_chain(struct wh_batch *b, enum wh_direction d)
{
	char map[WH_NFT_NAME];
	uint32_t lo = 1; /* the loopback interface is index 1 in every network namespace */
	put_chain(b, hooks[d], d == WH_INBOUND ? NF_INET_LOCAL_IN : NF_INET_LOCAL_OUT);
	struct nftnl_rule *r = new_rule(hooks[d]);
	meta(r, d == WH_INBOUND ? NFT_META_IIF : NFT_META_OIF, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &lo, sizeof lo);
	verdict(r, NF_ACCEPT);
	put_rule(b, r, "the loopback rule");

	uint32_t mask = 2 | 4, zero = 0; /* ct state established, related */
	r = new_rule(hooks[d]);
	struct nftnl_expr *e = expr(r, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	e = expr(r, "bitwise");
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, 4);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &mask, 4);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &zero, 4);
	compare(r, NFT_CMP_NEQ, &zero, 4);
	verdict(r, NF_ACCEPT);
	put_rule(b, r, "the rule for established connections");

	/* Connections from before conntrack watched this machine look new to it: of TCP only what opens a connection is judged. */
	uint8_t tcp = IPPROTO_TCP, opens = WH_TCP_SYN, mask8 = WH_TCP_SYN | WH_TCP_ACK, zero8 = 0;
	r = new_rule(hooks[d]);
	meta(r, NFT_META_L4PROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &tcp, 1);
	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	e = expr(r, "bitwise");
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, 1);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &mask8, 1);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &zero8, 1);
	compare(r, NFT_CMP_NEQ, &opens, 1);
	verdict(r, NF_ACCEPT);
	put_rule(b, r, "the rule for TCP that opens nothing");

	for (int pending = 1; pending >= 0; pending--) {
		map_name(map, d, pending);
		r = new_rule(hooks[d]);
		meta(r, NFT_META_L4PROTO, NFT_REG_1);
		payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG32_01);
		lookup(r, map, true);
		put_rule(b, r, "the dispatch rule");
	}
}

static void put_match_rule(struct wh_batch *b, const char *chain, const struct wh_nft_port *p, bool v6)
{
	char set[WH_NFT_NAME + 4];
	uint8_t family = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	uint32_t source = v6 ? 8 : 12, len = v6 ? 16 : 4;
	struct nftnl_rule *r = new_rule(chain);
	snprintf(set, sizeof set, "%s_v%c", chain, v6 ? '6' : '4');
	meta(r, NFT_META_NFPROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &family, 1);
	payload(r, NFT_PAYLOAD_NETWORK_HEADER, p->direction == WH_INBOUND ? source : source + len, len, NFT_REG_1);
	lookup(r, set, false);
	verdict(r, NF_ACCEPT);
	put_rule(b, r, chain);
}

static void put_port_chain(struct wh_batch *b, const struct wh_nft_ruleset *rs, const struct wh_nft_port *p, char letter)
{
	char chain[WH_NFT_NAME], prefix[64];
	wh_nft_base_name(p, letter, chain);
	put_chain(b, chain, -1);
	put_match_rule(b, chain, p, false);
	put_match_rule(b, chain, p, true);
	struct nftnl_rule *r = new_rule(chain);
	expr(r, "counter");
	struct nftnl_expr *e = expr(r, "log");
	wh_nft_log_prefix(p, rs->audit, prefix);
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, rs->nflog_group);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, prefix);
	verdict(r, rs->audit ? NF_ACCEPT : NF_DROP);
	put_rule(b, r, chain);
}

/* ---- elements: written directly, since there may be hundreds of thousands ---- */



struct elements {
	struct wh_batch *b;
	const char *set;
	struct nlmsghdr *h;
	struct nlattr *nest;
};

static void close_elements(struct elements *x)
{
	if (x->h) {
		mnl_attr_nest_end(x->h, x->nest);
		wh_batch_done(x->b, x->h);
	}
	x->h = NULL;
}

static bool open_elements(struct elements *x, uint16_t type)
{
	if (x->h && x->h->nlmsg_len > ELEMENTS_BYTES)
		close_elements(x);
	if (!x->h) {
		x->h = wh_batch_msg(x->b, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, ELEMENTS_BYTES + 1024, x->set);
		if (!x->h)
			return false;
		mnl_attr_put_strz(x->h, NFTA_SET_ELEM_LIST_TABLE, WH_NFT_TABLE);
		mnl_attr_put_strz(x->h, NFTA_SET_ELEM_LIST_SET, x->set);
		x->nest = mnl_attr_nest_start(x->h, NFTA_SET_ELEM_LIST_ELEMENTS);
	}
	return true;
}

static void put_bound(struct elements *x, const void *addr, size_t width, bool end)
{
	if (!open_elements(x, NFT_MSG_NEWSETELEM))
		return;
	struct nlattr *e = mnl_attr_nest_start(x->h, NFTA_LIST_ELEM);
	if (end)
		mnl_attr_put_u32(x->h, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_INTERVAL_END));
	struct nlattr *k = mnl_attr_nest_start(x->h, NFTA_SET_ELEM_KEY);
	mnl_attr_put(x->h, NFTA_DATA_VALUE, width, addr);
	mnl_attr_nest_end(x->h, k);
	mnl_attr_nest_end(x->h, e);
}

static void put_prefixes(struct wh_batch *b, const char *set, const struct wh_prefix *p, size_t n, size_t width)
{
	struct elements x = {.b = b, .set = set};
	uint8_t end[16];
	for (size_t i = 0; i < n; i++) {
		put_bound(&x, p[i].addr.b + 16 - width, width, false);
		/* neighbours that touch are one interval */
		while (i + 1 < n && wh_nft_next(&p[i], end, width) && !memcmp(end, p[i + 1].addr.b + 16 - width, width))
			i++;
		if (wh_nft_next(&p[i], end, width))
			put_bound(&x, end, width, true);
	}
	close_elements(&x);
}

/* A dispatch element: jump to `chain`, or accept where it is NULL; timeout 0 lasts. */
static void put_dispatch(struct wh_batch *b, const char *map, uint8_t proto, uint16_t port, const char *chain, int64_t timeout_ms)
{
	struct elements x = {.b = b, .set = map};
	uint8_t key[8] = {proto, 0, 0, 0, (uint8_t)(port >> 8), (uint8_t)port};
	if (!open_elements(&x, NFT_MSG_NEWSETELEM))
		return;
	struct nlattr *e = mnl_attr_nest_start(x.h, NFTA_LIST_ELEM), *k = mnl_attr_nest_start(x.h, NFTA_SET_ELEM_KEY);
	mnl_attr_put(x.h, NFTA_DATA_VALUE, sizeof key, key);
	mnl_attr_nest_end(x.h, k);
	k = mnl_attr_nest_start(x.h, NFTA_SET_ELEM_DATA);
	struct nlattr *v = mnl_attr_nest_start(x.h, NFTA_DATA_VERDICT);
	mnl_attr_put_u32(x.h, NFTA_VERDICT_CODE, htonl((uint32_t)(chain ? NFT_JUMP : NF_ACCEPT)));
	if (chain)
		mnl_attr_put_strz(x.h, NFTA_VERDICT_CHAIN, chain);
	mnl_attr_nest_end(x.h, v);
	mnl_attr_nest_end(x.h, k);
	if (timeout_ms)
		mnl_attr_put_u64(x.h, NFTA_SET_ELEM_TIMEOUT, htobe64((uint64_t)timeout_ms));
	mnl_attr_nest_end(x.h, e);
	close_elements(&x);
}

static void flush_map(struct wh_batch *b, const char *map)
{
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_DELSETELEM, 0, 256, map);
	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, WH_NFT_TABLE);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, map);
	wh_batch_done(b, h);
}

static void flush_chain(struct wh_batch *b, const char *chain)
{
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_DELRULE, 0, 256, chain);
	if (!h)
		return;
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, WH_NFT_TABLE);
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain);
	wh_batch_done(b, h);
}

/* Everything of one generation's letter; its dispatch elements must have been flushed before. */
static void delete_letter(struct wh_batch *b, const struct wh_nft_live *live, char letter)
{
	for (size_t i = 0; i < live->n_chains; i++)
		if (live->chains[i][0] == letter)
			flush_chain(b, live->chains[i]);
	for (size_t i = 0; i < live->n_chains; i++)
		if (live->chains[i][0] == letter)
			delete_named(b, NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, live->chains[i]);
	for (size_t i = 0; i < live->n_sets; i++)
		if (live->sets[i][0] == letter)
			delete_named(b, NFT_MSG_DELSET, NFTA_SET_TABLE, NFTA_SET_NAME, live->sets[i]);
}

/* ---- apply ---- */

static void build_skeleton(struct wh_batch *b, const struct wh_nft_live *live)
{
	char map[WH_NFT_NAME];
	if (!live->present)
		put_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	for (int d = 0; d < 2; d++) {
		if (!live->present)
			for (int pending = 0; pending < 2; pending++) {
				map_name(map, (enum wh_direction)d, pending);
				put_set(b, map, NFT_SET_MAP | NFT_SET_TIMEOUT, TYPE_PROTO_SERVICE, 8, true);
			}
		if (!live->present)
			put_base_chain(b, (enum wh_direction)d);
	}
}

static void build_sets(struct wh_batch *b, const struct wh_nft_ruleset *rs, char letter)
{
	char base[WH_NFT_NAME], name[WH_NFT_NAME + 4];
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		wh_nft_base_name(p, letter, base);
		snprintf(name, sizeof name, "%s_v4", base);
		put_set(b, name, NFT_SET_INTERVAL, TYPE_IPV4, 4, false);
		put_prefixes(b, name, p->v4, p->n_v4, 4);
		snprintf(name, sizeof name, "%s_v6", base);
		put_set(b, name, NFT_SET_INTERVAL, TYPE_IPV6, 16, false);
		put_prefixes(b, name, p->v6, p->n_v6, 16);
	}
}

static bool narrows(const struct wh_nft_ruleset *rs, const struct wh_nft_dispatch *d)
{
	for (size_t i = 0; i < rs->n_ports; i++)
		if (rs->ports[i].direction == d->direction && rs->ports[i].proto == d->proto && rs->ports[i].port == d->port)
			return true;
	return false;
}

static void build_switch(struct wh_batch *b, const struct wh_nft_ruleset *rs, const struct wh_nft_live *live, char letter, int64_t timeout_ms)
{
	char base[WH_NFT_NAME], map[WH_NFT_NAME];
	for (size_t i = 0; i < rs->n_ports; i++)
		put_port_chain(b, rs, &rs->ports[i], letter);
	for (size_t i = 0; i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		wh_nft_base_name(p, letter, base);
		map_name(map, p->direction, timeout_ms > 0);
		put_dispatch(b, map, p->proto, p->port, base, timeout_ms);
	}
	for (size_t i = 0; i < live->n_dispatch; i++) {
		const struct wh_nft_dispatch *d = &live->dispatch[i];
		if (d->pending || !timeout_ms || narrows(rs, d))
			continue;
		map_name(map, d->direction, true);
		put_dispatch(b, map, d->proto, d->port, NULL, timeout_ms);
	}
}

/* What a stale or unconfirmed apply has left, and, where the new rules last at once, the confirmed ones too. */
static void build_clearing(struct wh_batch *b, const struct wh_nft_live *live, char letter, bool all)
{
	char map[WH_NFT_NAME];
	for (int d = 0; d < 2 && live->present; d++)
		for (int pending = 0; pending < 2; pending++)
			if (pending || all) {
				map_name(map, (enum wh_direction)d, pending);
				flush_map(b, map);
			}
	delete_letter(b, live, letter);
	if (all)
		delete_letter(b, live, letter == 'a' ? 'b' : 'a');
}

int wh_nft_apply(const struct wh_nft_ruleset *rs, const struct wh_enforce_options *opt, struct wh_enforce_result *out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_live live;
	struct wh_batch b = {0};
	struct wh_nl *nl = NULL;
	struct timespec t0, t1;
	memset(out, 0, sizeof *out);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	int rc = wh_nl_open(&nl, err);
	uint32_t gen = rc ? 0 : wh_nl_generation(nl, err);
	if (!rc && !gen)
		rc = err ? err->code : -EIO;
	if (!rc)
		rc = wh_nft_live(nl, mem, &live, err);
	if (!rc) {
		char letter = live.confirmed_letter == 'a' ? 'b' : 'a';
		wh_batch_begin(&b, gen);
		build_clearing(&b, &live, letter, opt->confirm_within_s == 0);
		build_skeleton(&b, &live);
		build_sets(&b, rs, letter);
		build_switch(&b, rs, &live, letter, opt->confirm_within_s * 1000);
		rc = wh_nl_commit(nl, &b, err);
	}
	wh_batch_free(&b);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	out->apply_seconds = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
	out->ports = rs->n_ports;
	for (size_t i = 0; i < rs->n_ports; i++)
		out->prefixes += rs->ports[i].n_v4 + rs->ports[i].n_v6;
	out->generation = gen;
	wh_nl_close(nl);
	wh_arena_free(mem);
	if (!rc) {
		char *difference;
		rc = wh_nft_compare(rs, &difference, err);
		out->verified = rc == 0;
		if (rc == 1)
			rc = wh_fail(err, -EIO, "what the kernel holds is not what was sent: %s; `whittle rollback` takes it away", difference ? difference : "?");
		free(difference);
	}
	return rc;
}

/* ---- confirm and roll back ---- */

int wh_nft_confirm(struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nft_live live;
	struct wh_batch b = {0};
	struct wh_nl *nl = NULL;
	char map[WH_NFT_NAME];
	int rc = wh_nl_open(&nl, err);
	uint32_t gen = rc ? 0 : wh_nl_generation(nl, err);
	if (!rc && !gen)
		rc = err ? err->code : -EIO;
	if (!rc)
		rc = wh_nft_live(nl, mem, &live, err);
	if (!rc && !live.pending_letter && live.confirmed_letter)
		goto out; /* confirmed already */
	if (!rc && !live.pending_letter)
		rc = wh_fail(err, -ETIME, "there is nothing to confirm: no rules were applied, or their time was up and the kernel has dropped them");
	if (!rc) {
		wh_batch_begin(&b, gen);
		for (int d = 0; d < 2; d++)
			for (int pending = 0; pending < 2; pending++) {
				map_name(map, (enum wh_direction)d, pending);
				flush_map(&b, map);
			}
		for (size_t i = 0; i < live.n_dispatch; i++) {
			const struct wh_nft_dispatch *p = &live.dispatch[i];
			if (!p->pending || !p->chain[0])
				continue;
			map_name(map, p->direction, false);
			put_dispatch(&b, map, p->proto, p->port, p->chain, 0);
		}
		delete_letter(&b, &live, live.pending_letter == 'a' ? 'b' : 'a');
		rc = wh_nl_commit(nl, &b, err);
	}
out:
	wh_batch_free(&b);
	wh_nl_close(nl);
	wh_arena_free(mem);
	return rc;
}

int wh_nft_rollback(struct wh_error *err)
{
	struct wh_batch b = {0};
	struct wh_nl *nl = NULL;
	int rc = wh_nl_open(&nl, err);
	if (rc)
		return rc;
	wh_batch_begin(&b, 0);
	put_table(&b, NFT_MSG_DELTABLE, 0);
	rc = wh_nl_commit(nl, &b, err);
	wh_batch_free(&b);
	wh_nl_close(nl);
	return rc == -ENOENT ? 0 : rc;
}
