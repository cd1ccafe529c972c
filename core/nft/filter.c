/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include "nft/filter.h"

struct translation {
	const struct wh_nft_view *v;
	enum wh_direction direction;
	struct wh_arena *mem;
	struct wh_filter **lists;  /* of the view's chains, by index; NULL: not yet */
	unsigned depth;
};

struct list { struct translation *t; const char *name; struct wh_filter_rule *r; size_t n, room; };

static const struct wh_ranges *copy_of(bool has, struct wh_ranges r, struct wh_arena *mem)
{
	struct wh_ranges *p = has ? wh_arena_alloc(mem, sizeof *p) : NULL;
	if (p)
		*p = r;
	return p;
}

static bool has_ports(int proto)
{
	return proto == WH_PROTO_TCP || proto == WH_PROTO_UDP || proto == 132 /* SCTP */ || proto == 33 /* DCCP */ ||
	       proto == 136 /* UDP-Lite */;
}

static void add(struct list *l, const struct wh_nft_match *m, enum wh_filter_action action, const struct wh_filter *to,
                const char *may)
{
	struct translation *t = l->t;
	bool in = t->direction == WH_INBOUND;
	struct wh_ranges peers = in ? m->saddr : m->daddr;
	bool has_peers = in ? m->has_saddr : m->has_daddr;
	if (!m->v4 || !m->v6) {
		struct wh_ranges all = wh_ranges_family(m->v4, t->mem);
		peers = has_peers ? wh_ranges_intersect(peers, all, t->mem) : all;
		has_peers = true;
	}
	if ((m->has_sport || m->has_dport) && !has_ports(m->proto) && !may)
		may = wh_arena_printf(t->mem, "%s: it asks for ports of any protocol", l->name);
	l->r = wh_arena_grown(t->mem, l->r, l->n, &l->room, sizeof *l->r);
	l->r[l->n++] = (struct wh_filter_rule){
		.name = l->name,
		.action = action,
		.to = to,
		.direction = t->direction,
		.proto = (uint8_t)(m->proto < 0 ? WH_PROTO_ANY : m->proto),
		.may = may,
		.peer = copy_of(has_peers, peers, t->mem),
		.local = copy_of(in ? m->has_daddr : m->has_saddr, in ? m->daddr : m->saddr, t->mem),
		.sport = copy_of(m->has_sport, m->sport, t->mem),
		.dport = copy_of(m->has_dport, m->dport, t->mem),
	};
}

/* It may pass or not: the rule's outcome is not known. */
static void add_unknown(struct list *l, const struct wh_nft_match *m, const char *why)
{
	add(l, m, WH_FILTER_ALLOW, NULL, why);
	add(l, m, WH_FILTER_DENY, NULL, why);
}

static const struct wh_filter *list_of(struct translation *t, const struct wh_nft_view_chain *c);

static void add_jump(struct list *l, const struct wh_nft_view_chain *from, const struct wh_nft_match *m)
{
	const struct wh_nft_view_chain *c = m->chain ? wh_nft_view_chain_of(l->t->v, from->family, from->table, m->chain) : NULL;
	const struct wh_filter *to = c ? list_of(l->t, c) : NULL;
	if (to)
		add(l, m, m->code == (uint32_t)NFT_GOTO ? WH_FILTER_GOTO : WH_FILTER_JUMP, to, m->may);
	else
		add_unknown(l, m,
		            wh_arena_printf(l->t->mem, "%s: the chain %s that it leads to is not there", l->name,
		                            m->chain ? m->chain : "?"));
}

static void add_match(struct list *l, const struct wh_nft_view_chain *from, const struct wh_nft_match *m)
{
	if (m->never || !m->decided || (!m->v4 && !m->v6))
		return;
	switch (m->code) {
	case NF_ACCEPT: add(l, m, WH_FILTER_ALLOW, NULL, m->may); break;
	case NF_DROP: add(l, m, WH_FILTER_DENY, NULL, m->may); break;
	case (uint32_t)NFT_RETURN: add(l, m, WH_FILTER_RETURN, NULL, m->may); break;
	case (uint32_t)NFT_CONTINUE: break;
	case (uint32_t)NFT_JUMP: case (uint32_t)NFT_GOTO: add_jump(l, from, m); break;
	default: add_unknown(l, m, wh_arena_printf(l->t->mem, "%s: a program decides it", l->name)); /* queue */
	}
}

static void add_rules(struct list *l, const struct wh_nft_view_chain *c)
{
	struct wh_nft_matches found = {.n = 0};
	for (size_t i = 0; i < c->n; i++) {
		found.n = 0;
		l->name = wh_arena_printf(l->t->mem, "rule %zu of %s %s", i + 1, c->table, c->name);
		wh_nft_match_rule(l->t->v, c, i, l->t->direction, l->t->mem, &found);
		for (size_t k = 0; k < found.n; k++)
			add_match(l, c, &found.m[k]);
	}
}

/* Each chain is translated once. NULL if chains lead to each other in a circle, which the kernel refuses, or too deeply. */
static const struct wh_filter *list_of(struct translation *t, const struct wh_nft_view_chain *c)
{
	struct wh_filter **at = &t->lists[c - t->v->chains];
	struct list l = {.t = t};
	if (*at || t->depth == WH_FILTER_DEPTH)
		return *at;
	t->depth++;
	if (c->hook >= 0 &&
	    (c->family == NFPROTO_IPV4 || c->family == NFPROTO_IPV6)) /* packets of the other family never reach the chain */
		add(&l, &(struct wh_nft_match){.v4 = c->family == NFPROTO_IPV6, .v6 = c->family == NFPROTO_IPV4, .proto = -1},
		    WH_FILTER_ALLOW, NULL, NULL);
	add_rules(&l, c);
	t->depth--;
	*at = wh_arena_alloc(t->mem, sizeof **at);
	**at = (struct wh_filter){.name = wh_arena_printf(t->mem, "%s %s", c->table, c->name),
	                          .rules = l.r,
	                          .n = l.n,
	                          .otherwise = c->drops ? WH_DENIED : WH_ALLOWED};
	return *at;
}

static int by_priority(const void *a, const void *b)
{
	const struct wh_nft_view_chain *x = *(const struct wh_nft_view_chain *const *)a,
				       *y = *(const struct wh_nft_view_chain *const *)b;
	if (x->hook != y->hook)
		return x->hook < y->hook ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->family != y->family ? x->family - y->family : strcmp(x->table, y->table);
}

size_t wh_nft_filters_at(const struct wh_nft_view *v, const struct wh_nft_hooks *h, struct wh_arena *mem,
                         const struct wh_filter *const **out)
{
	struct translation t = {
		.v = v, .direction = h->direction, .mem = mem, .lists = wh_arena_array(mem, v->n_chains + 1, sizeof *t.lists)};
	const struct wh_nft_view_chain **base = wh_arena_array(mem, v->n_chains + 1, sizeof *base);
	const struct wh_filter **list = wh_arena_array(mem, v->n_chains + 1, sizeof *list);
	size_t n = 0;
	for (size_t i = 0; i < v->n_chains; i++) {
		const struct wh_nft_view_chain *c = &v->chains[i];
		bool asked = c->hook >= 0 && h->hooks >> c->hook & 1 &&
		             (c->hook != NF_INET_PRE_ROUTING || (c->priority >= h->least && c->priority <= h->most));
		bool here = !c->device || (v->interface && !strcmp(c->device, v->interface));
		if (c->filters && asked && here && c->family != NFPROTO_ARP && c->family != NFPROTO_BRIDGE)
			base[n++] = c;
	}
	if (n)
		qsort(base, n, sizeof *base, by_priority);
	for (size_t i = 0; i < n; i++)
		list[i] = list_of(&t, base[i]);
	*out = list;
	return n;
}

size_t wh_nft_filters(const struct wh_nft_view *v, enum wh_direction d, struct wh_arena *mem, const struct wh_filter *const **out)
{
	const struct wh_nft_hooks h = {.direction = d,
	                               .hooks = d == WH_INBOUND ? 1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_IN
	                                                        : 1 << NF_INET_LOCAL_OUT | 1 << NF_INET_POST_ROUTING,
	                               .least = INT_MIN,
	                               .most = INT_MAX};
	return wh_nft_filters_at(v, &h, mem, out);
}
