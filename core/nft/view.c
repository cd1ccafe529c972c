/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include "nft/read.h"
#include "nft/view.h"

static uint8_t family_of(const struct nlmsghdr *h)
{
	return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(h))->nfgen_family;
}

const struct wh_nft_view_set *wh_nft_view_set_of(const struct wh_nft_view *v, uint8_t family, const char *table, const char *name)
{
	for (size_t i = 0; i < v->n_sets; i++)
		if (v->sets[i].family == family && !strcmp(v->sets[i].name, name) && !strcmp(v->sets[i].table, table))
			return &v->sets[i];
	return NULL;
}

const struct wh_nft_view_chain *wh_nft_view_chain_of(const struct wh_nft_view *v, uint8_t family, const char *table,
                                                     const char *name)
{
	for (size_t i = 0; i < v->n_chains; i++)
		if (v->chains[i].family == family && !strcmp(v->chains[i].name, name) && !strcmp(v->chains[i].table, table))
			return &v->chains[i];
	return NULL;
}

static void take_table(struct wh_nft_view *v, const struct nlmsghdr *h)
{
	if (!(number(attr(h, NFTA_TABLE_FLAGS)) & NFT_TABLE_F_DORMANT))
		return;
	v->dormant = wh_arena_grown(v->mem, v->dormant, v->n_dormant, &v->room_dormant, sizeof *v->dormant);
	v->dormant[v->n_dormant++] = (struct wh_nft_dormant){family_of(h), wh_arena_strdup(v->mem, text_of(h, NFTA_TABLE_NAME))};
}

static bool is_dormant(const struct wh_nft_view *v, uint8_t family, const char *table)
{
	for (size_t i = 0; i < v->n_dormant; i++)
		if (v->dormant[i].family == family && !strcmp(v->dormant[i].name, table))
			return true;
	return false;
}

static bool at_ingress(uint8_t family, const struct nlattr *hook)
{
	uint32_t number_of = number(nested(hook, NFTA_HOOK_HOOKNUM));
	return hook && ((family == NFPROTO_NETDEV && number_of == NF_NETDEV_INGRESS) ||
	                (family == NFPROTO_INET && number_of == NF_INET_INGRESS));
}

static const char *device_of(struct wh_nft_view *v, const struct nlattr *hook)
{
	const struct nlattr *list = nested(hook, NFTA_HOOK_DEVS), *one = nested(hook, NFTA_HOOK_DEV), *a;
	size_t n = 0;
	if (list)
		mnl_attr_for_each_nested(a, list)
			one = n++ ? NULL : a;
	return wh_arena_strdup(v->mem, one && mnl_attr_validate(one, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(one) : "");
}

static void take_chain(struct wh_nft_view *v, const struct nlmsghdr *h)
{
	const struct nlattr *hook = is_dormant(v, family_of(h), text_of(h, NFTA_CHAIN_TABLE)) ? NULL : attr(h, NFTA_CHAIN_HOOK),
			    *type = attr(h, NFTA_CHAIN_TYPE);
	bool ingress = at_ingress(family_of(h), hook);
	v->chains = wh_arena_grown(v->mem, v->chains, v->n_chains, &v->room_chains, sizeof *v->chains);
	v->chains[v->n_chains++] = (struct wh_nft_view_chain){
		.family = family_of(h),
		.table = wh_arena_strdup(v->mem, text_of(h, NFTA_CHAIN_TABLE)),
		.name = wh_arena_strdup(v->mem, text_of(h, NFTA_CHAIN_NAME)),
		.hook = ingress ? NF_INET_PRE_ROUTING : hook ? (int)number(nested(hook, NFTA_HOOK_HOOKNUM)) : -1,
		.priority = ingress ? INT_MIN : (int)number(nested(hook, NFTA_HOOK_PRIORITY)),
		.device = ingress ? device_of(v, hook) : NULL,
		.drops = hook && attr(h, NFTA_CHAIN_POLICY) && number(attr(h, NFTA_CHAIN_POLICY)) == NF_DROP,
		.filters = !type || !strcmp(text_of(h, NFTA_CHAIN_TYPE), "filter") ||
	                   !strcmp(text_of(h, NFTA_CHAIN_TYPE), "route"),
	};
}

static struct wh_nft_view_chain *chain_of_rule(struct wh_nft_view *v, const struct nlmsghdr *h)
{
	return (struct wh_nft_view_chain *)(uintptr_t)wh_nft_view_chain_of(v, family_of(h), text_of(h, NFTA_RULE_TABLE),
	                                                                   text_of(h, NFTA_RULE_CHAIN));
}

/* nft's statement, or iptables' targets: that of CT has its flags first. */
static int find_notrack(struct nftnl_expr *e, void *arg)
{
	enum { CT_NOTRACK = 1 };
	struct wh_nft_view *v = arg;
	const char *kind = nftnl_expr_get_str(e, NFTNL_EXPR_NAME),
		   *target = kind && !strcmp(kind, "target") ? nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME) : "";
	uint32_t len = 0;
	uint16_t flags = 0;
	const void *info = target && !strcmp(target, "CT") ? nftnl_expr_get(e, NFTNL_EXPR_TG_INFO, &len) : NULL;
	if (info && len >= sizeof flags)
		memcpy(&flags, info, sizeof flags);
	v->untracks |= (kind && !strcmp(kind, "notrack")) || (target && !strcmp(target, "NOTRACK")) || flags & CT_NOTRACK;
	return 0;
}

static void take_rule(struct wh_nft_view *v, const struct nlmsghdr *h)
{
	struct wh_nft_view_chain *c = chain_of_rule(v, h);
	struct nftnl_rule *r = c ? nftnl_rule_alloc() : NULL;
	if (!r)
		return;
	/* libnftnl parses an unknown expression to one without attributes; if it can't read the rule at all, its decision is
	 * unknown */
	struct nftnl_expr *unread = nftnl_rule_nlmsg_parse(h, r) < 0 ? nftnl_expr_alloc("queue") : NULL;
	if (unread)
		nftnl_rule_add_expr(r, unread);
	nftnl_expr_foreach(r, find_notrack, v);
	c->rules = wh_arena_grown(v->mem, c->rules, c->n, &c->room, sizeof *c->rules);
	c->rules[c->n++] = r;
}

static void empty(struct wh_nft_view_chain *c)
{
	while (c->n)
		nftnl_rule_free(c->rules[--c->n]);
}

static void take_set(struct wh_nft_view *v, const struct nlmsghdr *h)
{
	v->sets = wh_arena_grown(v->mem, v->sets, v->n_sets, &v->room_sets, sizeof *v->sets);
	v->sets[v->n_sets++] = (struct wh_nft_view_set){
		.family = family_of(h),
		.table = wh_arena_strdup(v->mem, text_of(h, NFTA_SET_TABLE)),
		.name = wh_arena_strdup(v->mem, text_of(h, NFTA_SET_NAME)),
		/* packets fill it */
		.flags = number(attr(h, NFTA_SET_FLAGS)),
		.key_len = number(attr(h, NFTA_SET_KEY_LEN)),
		.odd = number(attr(h, NFTA_SET_FLAGS)) & NFT_SET_EVAL,
	};
}

/* ---- elements ---- */

struct filling { struct wh_nft_view *v; struct wh_nft_view_set *set; };

static bool take_key(const struct wh_nft_view_set *s, const struct nlattr *nest, uint8_t out[static WH_NFT_KEY])
{
	const struct nlattr *value = nested(nest, NFTA_DATA_VALUE);
	if (!value || s->key_len > WH_NFT_KEY || mnl_attr_get_payload_len(value) != s->key_len)
		return false;
	memcpy(out, mnl_attr_get_payload(value), s->key_len);
	return true;
}

static void take_verdict(struct filling *f, const struct nlattr *verdict, struct wh_nft_element *e)
{
	const struct nlattr *chain = nested(verdict, NFTA_VERDICT_CHAIN);
	e->verdict = true;
	e->code = number(nested(verdict, NFTA_VERDICT_CODE));
	if (chain && mnl_attr_validate(chain, MNL_TYPE_NUL_STRING) >= 0)
		e->chain = wh_arena_strdup(f->v->mem, mnl_attr_get_str(chain));
}

/* Whether an element has expressions of its own that may not match a packet: anything but a counter. */
static bool has_limits(const struct nlattr *elem)
{
	static const uint16_t kinds[] = {NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_EXPRESSIONS};
	for (size_t i = 0; i < 2; i++) {
		const struct nlattr *x = nested(elem, kinds[i]),
				    *name = i && x ? nested(nested(x, NFTA_LIST_ELEM), NFTA_EXPR_NAME)
		                                   : nested(x, NFTA_EXPR_NAME);
		if (x && (!name || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0 || strcmp(mnl_attr_get_str(name), "counter")))
			return true;
	}
	return false;
}

static void take_element(void *arg, const struct nlattr *elem)
{
	struct filling *f = arg;
	struct wh_nft_view_set *s = f->set;
	struct wh_nft_element e = {.end = false};
	const struct nlattr *last = nested(elem, NFTA_SET_ELEM_KEY_END),
			    *verdict = nested(nested(elem, NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT), *data;
	if (!take_key(s, nested(elem, NFTA_SET_ELEM_KEY), e.key) || (last && !take_key(s, last, e.last))) {
		s->odd = true; /* a catch-all, say */
		return;
	}
	if (has_limits(elem) || (f->v->lasting && nested(elem, NFTA_SET_ELEM_EXPIRATION)))
		s->odd = true; /* it matches only some packets, or only for a time */
	if (!last)
		memcpy(e.last, e.key, sizeof e.last);
	e.end = number(nested(elem, NFTA_SET_ELEM_FLAGS)) & NFT_SET_ELEM_INTERVAL_END;
	if (verdict)
		take_verdict(f, verdict, &e);
	else if ((data = nested(nested(elem, NFTA_SET_ELEM_DATA), NFTA_DATA_VALUE))) {
		e.n_data = mnl_attr_get_payload_len(data);
		e.data = memcpy(wh_arena_array(f->v->mem, e.n_data + 1, 1), mnl_attr_get_payload(data), e.n_data);
	}
	s->e = wh_arena_grown(f->v->mem, s->e, s->n, &s->room, sizeof *s->e);
	s->e[s->n++] = e;
}

static void take_elements(struct wh_nft_view *v, const struct nlmsghdr *h)
{
	struct filling f = {v, (struct wh_nft_view_set *)(uintptr_t)wh_nft_view_set_of(v, family_of(h),
	                                                                               text_of(h, NFTA_SET_ELEM_LIST_TABLE),
	                                                                               text_of(h, NFTA_SET_ELEM_LIST_SET))};
	if (f.set)
		each_element(h, take_element, &f);
}

void wh_nft_view_take(struct wh_nft_view *v, const struct nlmsghdr *h)
{
	struct wh_nft_view_chain *c;
	if (h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return;
	switch (h->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE: take_table(v, h); break;
	case NFT_MSG_NEWCHAIN: take_chain(v, h); break;
	case NFT_MSG_NEWRULE: take_rule(v, h); break;
	case NFT_MSG_NEWSET: take_set(v, h); break;
	case NFT_MSG_NEWSETELEM: take_elements(v, h); break;
	case NFT_MSG_DELRULE:
		if (!attr(h, NFTA_RULE_HANDLE) && (c = chain_of_rule(v, h)))
			empty(c);
		break;
	default: break;
	}
}

void wh_nft_view_free(struct wh_nft_view *v)
{
	for (size_t i = 0; i < v->n_chains; i++)
		empty(&v->chains[i]);
	v->n_chains = v->n_sets = 0;
}
