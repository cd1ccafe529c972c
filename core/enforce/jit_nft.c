/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table inet whittle_jit:
 *
 *   map closed          protocol . port : jump ask        timed until confirmed
 *   set open4, open6    address . protocol . port, intervals, each element with its timeout
 *   chain input         hook input, priority filter − 6, policy accept
 *       loopback, established and related, TCP that opens no connection: accept
 *       meta l4proto . th dport vmap @closed
 *   chain ask
 *       ip saddr . meta l4proto . th dport @open4 accept;  ip6 … @open6 accept;  counter log group drop
 */
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "enforce/nft.h"
#include "whittle/flow.h"
#include "whittle/jit.h"

#define TABLE "whittle_jit"
enum { TYPE_V4 = 7, TYPE_V6 = 8, TYPE_PROTO = 12, TYPE_SERVICE = 13, PRIORITY = -6, KEY4 = 12, KEY6 = 24 };

/* ---- messages ---- */

/* A message about one thing of the table: its table attribute is 1 everywhere, its name attribute `name_attr`. */
static struct nlmsghdr *message(struct wh_batch *b, uint16_t type, uint16_t flags, uint16_t name_attr, const char *name)
{
	struct nlmsghdr *h = wh_batch_msg(b, type, flags, 1024, name ? name : TABLE);
	if (h)
		mnl_attr_put_strz(h, NFTA_TABLE_NAME, TABLE);
	if (h && name)
		mnl_attr_put_strz(h, name_attr, name);
	return h;
}

static void put_set(struct wh_batch *b, const char *name, uint32_t id, bool v6)
{
	static const uint32_t fields4[] = {4, 1, 2}, fields6[] = {16, 1, 2};
	struct nlmsghdr *h = message(b, NFT_MSG_NEWSET, NLM_F_CREATE, NFTA_SET_NAME, name);
	if (!h)
		return;
	mnl_attr_put_u32(h, NFTA_SET_FLAGS, htonl(NFT_SET_INTERVAL | NFT_SET_TIMEOUT | NFT_SET_CONCAT));
	mnl_attr_put_u32(h, NFTA_SET_KEY_TYPE, htonl((uint32_t)((v6 ? TYPE_V6 : TYPE_V4) << 12 | TYPE_PROTO << 6 | TYPE_SERVICE)));
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
	struct nlmsghdr *h = message(b, NFT_MSG_NEWSET, NLM_F_CREATE, NFTA_SET_NAME, "closed");
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
	struct nlmsghdr *h = message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFTA_CHAIN_NAME, name);
	if (!h)
		return;
	if (hooked) {
		struct nlattr *n = mnl_attr_nest_start(h, NFTA_CHAIN_HOOK);
		mnl_attr_put_u32(h, NFTA_HOOK_HOOKNUM, htonl(NF_INET_LOCAL_IN));
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
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, TABLE);
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

static void masked(struct nftnl_rule *r, const void *mask, uint32_t len)
{
	static const uint32_t zero;
	struct nftnl_expr *e = expr(r, "bitwise");
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &zero, len);
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

static void put_rule(struct wh_batch *b, struct nftnl_rule *r, int64_t verdict /* <0: none */, const char *what)
{
	if (verdict >= 0) {
		struct nftnl_expr *e = expr(r, "immediate");
		nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
		nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
	}
	struct nlmsghdr *h = wh_batch_msg(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, 4096, what);
	if (h) {
		nftnl_rule_nlmsg_build_payload(h, r);
		wh_batch_done(b, h);
	}
	nftnl_rule_free(r);
}

static void put_input_rules(struct wh_batch *b)
{
	uint32_t lo = 1, known = 2 | 4, none = 0; /* ct state established, related */
	uint8_t tcp = IPPROTO_TCP, syn = WH_TCP_SYN, flags = WH_TCP_SYN | WH_TCP_ACK;
	struct nftnl_rule *r = new_rule("input");
	meta(r, NFT_META_IIF, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &lo, sizeof lo);
	put_rule(b, r, NF_ACCEPT, "the loopback rule");
	r = new_rule("input");
	struct nftnl_expr *e = expr(r, "ct");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	masked(r, &known, sizeof known);
	compare(r, NFT_CMP_NEQ, &none, sizeof none);
	put_rule(b, r, NF_ACCEPT, "the rule for established connections");
	r = new_rule("input");
	meta(r, NFT_META_L4PROTO, NFT_REG_1);
	compare(r, NFT_CMP_EQ, &tcp, 1);
	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, NFT_REG_1);
	masked(r, &flags, 1);
	compare(r, NFT_CMP_NEQ, &syn, 1);
	put_rule(b, r, NF_ACCEPT, "the rule for TCP that opens nothing");
	r = new_rule("input");
	meta(r, NFT_META_L4PROTO, NFT_REG_1);
	payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, NFT_REG32_01);
	lookup(r, "closed", true);
	put_rule(b, r, -1, "the dispatch rule");
}

static void put_ask_rules(struct wh_batch *b)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint8_t family = v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
		struct nftnl_rule *r = new_rule("ask");
		meta(r, NFT_META_NFPROTO, NFT_REG_1);
		compare(r, NFT_CMP_EQ, &family, 1);
		payload(r, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 8 : 12, v6 ? 16 : 4, NFT_REG_1);
		meta(r, NFT_META_L4PROTO, v6 ? NFT_REG32_04 : NFT_REG32_01);
		payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, v6 ? NFT_REG32_05 : NFT_REG32_02);
		lookup(r, v6 ? "open6" : "open4", false);
		put_rule(b, r, NF_ACCEPT, "the rule for what is open");
	}
	struct nftnl_rule *r = new_rule("ask");
	expr(r, "counter");
	struct nftnl_expr *e = expr(r, "log");
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, WH_NFLOG_GROUP);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, "whittle jit closed ");
	put_rule(b, r, NF_DROP, "the rule for what is closed");
}

static void put_skeleton(struct wh_batch *b)
{
	struct nlmsghdr *h = message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, 0, NULL);
	wh_batch_done(b, h);
	put_set(b, "open4", 1, false);
	put_set(b, "open6", 2, true);
	put_map(b);
	put_chain(b, "ask", false);
	put_ask_rules(b);
	put_chain(b, "input", true);
	put_input_rules(b);
}

/* ---- elements ---- */

static void put_key(struct nlmsghdr *h, uint16_t attr, const void *key, size_t len)
{
	struct nlattr *k = mnl_attr_nest_start(h, attr);
	mnl_attr_put(h, NFTA_DATA_VALUE, len, key);
	mnl_attr_nest_end(h, k);
}

static void closed_element(struct wh_batch *b, uint16_t type, struct wh_jit_port p, int64_t timeout_ms)
{
	uint8_t key[8] = {p.proto, 0, 0, 0, (uint8_t)(p.port >> 8), (uint8_t)p.port};
	struct nlmsghdr *h = message(b, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, NFTA_SET_ELEM_LIST_SET, "closed");
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

static void open_element(struct wh_batch *b, uint16_t type, uint8_t proto, uint16_t port, const struct wh_prefix *from, int64_t timeout_ms)
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
	struct nlmsghdr *h = message(b, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, NFTA_SET_ELEM_LIST_SET, v4 ? "open4" : "open6");
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

/* ---- what the kernel holds ---- */

struct reading {
	struct wh_arena *mem;
	struct wh_jit_live *live;
	size_t room_closed, room_open;
	int which; /* 0 closed, 1 open4, 2 open6 */
};

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;
	if (nest)
		mnl_attr_for_each_nested(a, nest)
			if (mnl_attr_get_type(a) == type)
				return a;
	return NULL;
}

static const uint8_t *key_of(const struct nlattr *elem, uint16_t type, size_t len)
{
	const struct nlattr *v = find(find(elem, type), NFTA_DATA_VALUE);
	return v && mnl_attr_get_payload_len(v) >= len ? mnl_attr_get_payload(v) : NULL;
}

static void *grown(struct wh_arena *mem, void *old, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return old;
	size_t more = *room ? *room * 2 : 16;
	void *fresh = wh_arena_array(mem, more, size);
	if (n)
		memcpy(fresh, old, n * size);
	*room = more;
	return fresh;
}

static void one_element(struct reading *r, const struct nlattr *elem)
{
	struct wh_jit_live *l = r->live;
	size_t width = r->which == 0 ? 0 : r->which == 1 ? 4 : 16;
	const uint8_t *k = key_of(elem, NFTA_SET_ELEM_KEY, width + (width ? 8 : 6)), *end = key_of(elem, NFTA_SET_ELEM_KEY_END, width + 8);
	const struct nlattr *expires = find(elem, NFTA_SET_ELEM_EXPIRATION);
	int64_t ms = expires && mnl_attr_get_payload_len(expires) == 8 ? (int64_t)be64toh(mnl_attr_get_u64(expires)) : 0;
	if (!k)
		return;
	struct wh_jit_port port = {.proto = k[width], .port = (uint16_t)(k[width + 4] << 8 | k[width + 5])};
	if (r->which == 0) {
		l->closed = grown(r->mem, l->closed, l->n_closed, &r->room_closed, sizeof *l->closed);
		l->closed[l->n_closed].port = port;
		l->closed[l->n_closed++].expires_ms = ms;
		return;
	}
	l->open = grown(r->mem, l->open, l->n_open, &r->room_open, sizeof *l->open);
	struct wh_addr first = wh_addr_v4(0), last = first;
	memcpy(first.b + 16 - width, k, width);
	memcpy(last.b + 16 - width, end ? end : k, width);
	l->open[l->n_open].port = port;
	l->open[l->n_open].first = first;
	l->open[l->n_open].last = last;
	l->open[l->n_open++].expires_ms = ms;
}

static int elements(const struct nlmsghdr *h, void *arg)
{
	const struct nlattr *a, *elem;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_ELEMENTS)
			mnl_attr_for_each_nested(elem, a)
				one_element(arg, elem);
	return MNL_CB_OK;
}

static int ignore(const struct nlmsghdr *h, void *arg)
{
	(void)h;
	(void)arg;
	return MNL_CB_OK;
}

static int read_once(struct wh_nl *nl, struct wh_arena *mem, struct wh_jit_live *out)
{
	static const char *const sets[] = {"closed", "open4", "open6"};
	struct reading r = {.mem = mem, .live = out};
	memset(out, 0, sizeof *out);
	int rc = wh_nl_dump(nl, NFT_MSG_GETTABLE, NLM_F_ACK, TABLE, NULL, ignore, NULL);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	out->present = true;
	for (r.which = 0; r.which < 3 && !rc; r.which++)
		rc = wh_nl_dump(nl, NFT_MSG_GETSETELEM, NLM_F_DUMP, TABLE, sets[r.which], elements, &r);
	return rc;
}

static int live(struct wh_nl *nl, struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err)
{
	int rc = -EAGAIN;
	for (int tries = 0; tries < 20 && rc == -EAGAIN; tries++)
		rc = read_once(nl, mem, out);
	return rc ? wh_fail(err, rc, "the table inet %s can't be read: %s%s", TABLE, strerror(-rc),
	                    rc == -ENOENT ? "; it was changed by somebody else: `whittle jit off` takes it away" : "") : 0;
}

int wh_jit_nft_live(struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err)
{
	struct wh_nl *nl;
	int rc = wh_nl_open(&nl, err);
	if (rc)
		return rc;
	rc = live(nl, mem, out, err);
	wh_nl_close(nl);
	return rc;
}

/* ---- changes: each one transaction against what was read ---- */

struct change {
	struct wh_nl *nl;
	struct wh_arena *mem;
	struct wh_jit_live live;
	struct wh_batch b;
};

static int begin(struct change *x, struct wh_error *err)
{
	memset(x, 0, sizeof *x);
	x->mem = wh_arena_new();
	int rc = wh_nl_open(&x->nl, err);
	if (rc)
		return rc;
	struct wh_error own = {0};
	uint32_t gen = wh_nl_generation(x->nl, &own);
	if (!gen) {
		if (err)
			*err = own;
		return own.code;
	}
	rc = live(x->nl, x->mem, &x->live, err);
	if (!rc)
		wh_batch_begin(&x->b, gen);
	return rc;
}

static int end(struct change *x, int rc, struct wh_error *err)
{
	if (!rc && x->b.n)
		rc = wh_nl_commit(x->nl, &x->b, err);
	wh_batch_free(&x->b);
	wh_nl_close(x->nl);
	wh_arena_free(x->mem);
	return rc;
}

/* Somebody else's change between reading and writing, or an element whose time was just up, is no reason to fail: the change is made
 * anew from what is there now. */
#define AGAIN(call) ({ int rc_ = -ERESTART; for (int i_ = 0; i_ < 10 && (rc_ == -ERESTART || rc_ == -ENOENT); i_++) rc_ = (call); rc_; })

static bool same_port(struct wh_jit_port a, struct wh_jit_port b)
{
	return a.proto == b.proto && a.port == b.port;
}

static int on_once(const struct wh_jit_port *ports, size_t n, int64_t confirm_within_s, struct wh_error *err)
{
	struct change x;
	int rc = begin(&x, err);
	if (!rc && !x.live.present)
		put_skeleton(&x.b);
	for (size_t i = 0; !rc && i < x.live.n_closed; i++) {
		bool wanted = false;
		for (size_t k = 0; k < n; k++)
			wanted |= same_port(ports[k], x.live.closed[i].port);
		if (!wanted)
			closed_element(&x.b, NFT_MSG_DELSETELEM, x.live.closed[i].port, 0);
	}
	for (size_t k = 0; !rc && k < n; k++) {
		bool had = false;
		for (size_t i = 0; i < x.live.n_closed; i++)
			if (same_port(ports[k], x.live.closed[i].port)) {
				had = !x.live.closed[i].expires_ms;
				if (x.live.closed[i].expires_ms)
					closed_element(&x.b, NFT_MSG_DELSETELEM, ports[k], 0);
			}
		if (!had)
			closed_element(&x.b, NFT_MSG_NEWSETELEM, ports[k], confirm_within_s * 1000);
	}
	return end(&x, rc, err);
}

int wh_jit_nft_on(const struct wh_jit_port *ports, size_t n, int64_t confirm_within_s, struct wh_error *err)
{
	return AGAIN(on_once(ports, n, confirm_within_s, err));
}

static int confirm_once(struct wh_error *err)
{
	struct change x;
	int rc = begin(&x, err);
	if (!rc && !x.live.n_closed)
		rc = wh_fail(err, -ETIME, "there is nothing to confirm: no port was closed, or the time was up and the kernel has opened them again");
	for (size_t i = 0; !rc && i < x.live.n_closed; i++)
		if (x.live.closed[i].expires_ms) {
			closed_element(&x.b, NFT_MSG_DELSETELEM, x.live.closed[i].port, 0);
			closed_element(&x.b, NFT_MSG_NEWSETELEM, x.live.closed[i].port, 0);
		}
	return end(&x, rc, err);
}

int wh_jit_nft_confirm(struct wh_error *err)
{
	return AGAIN(confirm_once(err));
}

static int off_once(struct wh_error *err)
{
	struct change x;
	memset(&x, 0, sizeof x);
	int rc = wh_nl_open(&x.nl, err);
	x.mem = wh_arena_new();
	if (!rc) { /* also where the table can't be read: this is the way out of that */
		wh_batch_begin(&x.b, 0);
		wh_batch_done(&x.b, message(&x.b, NFT_MSG_DELTABLE, 0, 0, NULL));
	}
	return end(&x, rc, err);
}

int wh_jit_nft_off(struct wh_error *err)
{
	int rc = off_once(err);
	return rc == -ENOENT ? 0 : rc;
}

static bool is_live(const struct wh_jit_live *l, size_t i, uint8_t proto, uint16_t port, const struct wh_prefix *from)
{
	struct wh_addr last = wh_prefix_last(from);
	return l->open[i].port.proto == proto && l->open[i].port.port == port && wh_addr_eq(&l->open[i].first, &from->addr) && wh_addr_eq(&l->open[i].last, &last);
}

static int open_once(uint8_t proto, uint16_t port, const struct wh_prefix *from, int64_t timeout_ms, struct wh_error *err)
{
	struct change x;
	char first[WH_ADDR_STRLEN], last[WH_ADDR_STRLEN];
	int rc = begin(&x, err);
	if (!rc && !x.live.present)
		put_skeleton(&x.b);
	for (size_t i = 0; !rc && i < x.live.n_open; i++) {
		struct wh_addr own_last = wh_prefix_last(from);
		if (is_live(&x.live, i, proto, port, from))
			open_element(&x.b, NFT_MSG_DELSETELEM, proto, port, from, 0);
		else if (x.live.open[i].port.proto == proto && x.live.open[i].port.port == port && wh_addr_cmp(&x.live.open[i].first, &from->addr) <= 0 &&
		         wh_addr_cmp(&x.live.open[i].last, &own_last) >= 0)
			rc = wh_fail_input(err, -EEXIST, "it is open already, for %s to %s: close that first", wh_addr_text(&x.live.open[i].first, first),
			                   wh_addr_text(&x.live.open[i].last, last));
	}
	if (!rc)
		open_element(&x.b, NFT_MSG_NEWSETELEM, proto, port, from, timeout_ms);
	return end(&x, rc, err);
}

int wh_jit_nft_open(uint8_t proto, uint16_t port, const struct wh_prefix *from, int64_t timeout_ms, struct wh_error *err)
{
	return AGAIN(open_once(proto, port, from, timeout_ms, err));
}

static int close_once(uint8_t proto, uint16_t port, const struct wh_prefix *from, struct wh_error *err)
{
	struct change x;
	bool found = false;
	int rc = begin(&x, err);
	for (size_t i = 0; !rc && i < x.live.n_open; i++)
		found |= is_live(&x.live, i, proto, port, from);
	if (!rc && found)
		open_element(&x.b, NFT_MSG_DELSETELEM, proto, port, from, 0);
	return end(&x, rc, err);
}

int wh_jit_nft_close(uint8_t proto, uint16_t port, const struct wh_prefix *from, struct wh_error *err)
{
	return AGAIN(close_once(proto, port, from, err));
}

int wh_jit_leave_out(struct wh_nft_ruleset *rs, struct wh_arena *mem, const char **left, struct wh_error *err)
{
	struct wh_jit_live now;
	size_t kept = 0;
	*left = NULL;
	int rc = wh_jit_nft_live(mem, &now, err);
	for (size_t i = 0; !rc && i < rs->n_ports; i++) {
		const struct wh_nft_port *p = &rs->ports[i];
		bool held = false;
		for (size_t k = 0; k < now.n_closed && p->direction == WH_INBOUND; k++)
			held |= !now.closed[k].expires_ms && now.closed[k].port.proto == p->proto && now.closed[k].port.port == p->port;
		if (held)
			*left = wh_arena_printf(mem, "%s%s%u/%s", *left ? *left : "", *left ? ", " : "", p->port, p->proto == WH_PROTO_UDP ? "udp" : "tcp");
		else
			rs->ports[kept++] = *p;
	}
	if (!rc)
		rs->n_ports = kept;
	return rc;
}
