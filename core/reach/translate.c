/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups and security admin rules as filters.
 *
 * A rule whose addresses are known is one rule of the filter. If only a part of its addresses is known (a service tag without
 * a list, an application security group in no document), the known part stays certain, and a second rule may match any
 * address:
 *
 *   300 allow 10.0.0.0/8 + Storage → 443       may allow any → 443 (the addresses of Storage);  allow 10.0.0.0/8 → 443
 *
 * Both have one action, so their order decides nothing. A side that is known to be empty (a group without members) matches
 * nothing, and the rule is left out.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "nsg/published_tags.h"
#include "reach/policy.h"

static const struct wh_ranges *copy_of(struct wh_ranges x, struct wh_arena *mem)
{
	struct wh_ranges *p = wh_arena_alloc(mem, sizeof *p);
	*p = x;
	return p;
}

static struct wh_ranges prefixes(const struct wh_prefix *p, size_t n, struct wh_arena *mem)
{
	return wh_ranges_from_prefixes(p, n, mem);
}

static struct wh_ranges with(struct wh_ranges a, const struct wh_prefix *p, size_t n, struct wh_arena *mem)
{
	return n ? wh_ranges_union(a, prefixes(p, n, mem), mem) : a;
}

/* ---- contexts ---- */

static struct wh_ranges with_routes(const struct wh_reach *r, struct wh_ranges out, const struct wh_route_table *t,
                                    bool default_routes)
{
	struct wh_prefix *p = wh_arena_array(r->mem, t->n + 1, sizeof *p);
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++)
		if (default_routes || wh_prefix_family_len(&t->routes[i].prefix))
			p[n++] = t->routes[i].prefix;
	return with(out, p, n, r->mem);
}

static struct wh_ranges own_ranges(const struct wh_reach *r, const struct context *c, bool default_routes)
{
	const struct wh_topology *t = r->t;
	struct wh_ranges out = prefixes(&wh_azure_probes, 1, r->mem);
	if (c->vnet != WH_NONE) {
		const struct wh_vnet *v = &t->vnets[c->vnet];
		out = with(out, v->space, v->n_space, r->mem);
		for (size_t i = 0; i < v->n_peerings; i++) {
			const struct wh_peering *p = &v->peerings[i];
			if (!p->connected || !p->access)
				continue;
			out = p->remote != WH_NONE ? with(out, t->vnets[p->remote].space, t->vnets[p->remote].n_space, r->mem)
			                           : with(out, p->space, p->n, r->mem);
		}
		if (v->gateway)
			out = with(out, t->on_premises, t->n_on_premises, r->mem);
	}
	const struct wh_route_table *hub = wh_hub_table(t, c->vnet, c->table);
	if (c->table != WH_NONE)
		out = with_routes(r, out, &t->route_tables[c->table], default_routes);
	return hub ? with_routes(r, out, hub, default_routes && t->vnets[c->vnet].hub_default) : out;
}

static uint32_t context_of(struct wh_reach *r, size_t vnet, size_t table)
{
	bool there;
	uint32_t *at = pair_find(&r->context_at, (uint32_t)vnet, (uint32_t)table, &there);
	if (there)
		return *at;
	r->contexts = wh_arena_grown(r->mem, r->contexts, r->n_contexts, &r->room_contexts, sizeof *r->contexts);
	struct context *c = &r->contexts[r->n_contexts];
	*c = (struct context){.vnet = vnet, .table = table};
	c->own = own_ranges(r, c, true);
	c->internet = wh_ranges_minus(*r->any, own_ranges(r, c, false), r->mem);
	return *at = (uint32_t)r->n_contexts++;
}

uint32_t wh_reach_context(struct wh_reach *r, size_t subnet)
{
	return context_of(r, r->t->subnets[subnet].vnet, r->t->subnets[subnet].route_table);
}

/* ---- sides of a rule ---- */

struct set { struct wh_ranges known; bool any; const char *unknown; };

static int by_id(const void *a, const void *b)
{
	return strcasecmp((*(const struct wh_asg *const *)a)->id, (*(const struct wh_asg *const *)b)->id);
}

void wh_reach_index(struct wh_reach *r)
{
	const struct wh_topology *t = r->t;
	r->asgs = wh_arena_array(r->mem, t->n_asgs + 1, sizeof *r->asgs);
	r->asg_ranges = wh_arena_array(r->mem, t->n_asgs + 1, sizeof *r->asg_ranges);
	r->asg_done = wh_arena_array(r->mem, t->n_asgs + 1, sizeof *r->asg_done);
	for (size_t i = 0; i < t->n_asgs; i++)
		r->asgs[i] = &t->asgs[i];
	if (t->n_asgs)
		qsort(r->asgs, t->n_asgs, sizeof *r->asgs, by_id);
	r->tag_ranges = wh_arena_array(r->mem, t->service.n + 1, sizeof *r->tag_ranges);
	r->tag_done = wh_arena_array(r->mem, t->service.n + 1, sizeof *r->tag_done);
}

static struct wh_ranges asg_members(struct wh_reach *r, size_t at)
{
	const struct wh_asg *g = r->asgs[at];
	if (r->asg_done[at])
		return r->asg_ranges[at];
	struct wh_prefix *p = wh_arena_array(r->mem, g->n + 1, sizeof *p);
	for (size_t i = 0; i < g->n; i++)
		p[i] = wh_prefix_of(&r->t->endpoints[g->endpoints[i]].addr, 128);
	r->asg_done[at] = true;
	return r->asg_ranges[at] = prefixes(p, g->n, r->mem);
}

static void add_asg(struct wh_reach *r, struct set *s, const char *id)
{
	const struct wh_asg wanted = {.id = id}, *key = &wanted;
	const struct wh_asg *const *at = r->t->n_asgs ? bsearch(&key, r->asgs, r->t->n_asgs, sizeof *r->asgs, by_id) : NULL;
	if (at) {
		s->known = wh_ranges_union(s->known, asg_members(r, (size_t)(at - r->asgs)), r->mem);
		return;
	}
	s->unknown = wh_arena_printf(r->mem, "the members of the %ssecurity group %s",
	                             strncmp(id, "sg-", 3) ? "application " : "", wh_last_part(id));
}

static void add_tag(struct wh_reach *r, const struct context *c, struct set *s, const char *tag)
{
	const struct wh_service_tag *service;
	if (wh_tag_is_expression(tag)) {
		s->unknown = wh_arena_printf(r->mem, "the value of %s (a parameter of the template)", tag);
		return;
	}
	if (strchr(tag, ':') && !strchr(tag, ' ')) /* an IPv6 prefix that no packet can match */
		return;
	if (!strcasecmp(tag, "VirtualNetwork") && c->vnet == WH_NONE) {
		s->unknown = "the ranges of the virtual network";
	} else if (!strcasecmp(tag, "VirtualNetwork")) {
		s->known = wh_ranges_union(s->known, c->own, r->mem);
	} else if (!strcasecmp(tag, "Internet")) {
		s->known = wh_ranges_union(s->known, c->internet, r->mem);
	} else if (!strcasecmp(tag, WH_PROBES_TAG)) {
		s->known = with(s->known, &wh_azure_probes, 1, r->mem);
	} else if ((service = wh_service_tag_find(&r->t->service, tag))) {
		size_t at = (size_t)(service - r->t->service.list);
		if (!r->tag_done[at])
			r->tag_ranges[at] = prefixes(service->prefixes, service->n, r->mem);
		r->tag_done[at] = true;
		s->known = wh_ranges_union(s->known, r->tag_ranges[at], r->mem);
	} else if (wh_tag_is_aws(tag)) {
		s->unknown = wh_arena_printf(
			r->mem, "the addresses of the prefix list %s (`aws ec2 get-managed-prefix-list-entries`)", tag);
	} else if (!strncmp(tag, "pl-", 3)) {
		s->unknown = wh_arena_printf(
			r->mem, "the addresses of the prefix list %s (`aws ec2 get-managed-prefix-list-entries`, as %s.json)",
			tag, tag);
	} else {
		s->unknown = strchr(tag, ' ')
		                     ? wh_arena_printf(r->mem, "the members of %s", tag)
		                     : wh_arena_printf(r->mem, "the addresses of the service tag %s (a ServiceTags file)", tag);
	}
}

static struct set set_of(struct wh_reach *r, const struct context *c, const struct wh_prefix *p, size_t n,
                         const char *const *tags, size_t n_tags, const char *const *asgs, size_t n_asgs)
{
	struct set s = {0};
	bool v4 = false, v6 = false;
	for (size_t i = 0; i < n; i++) {
		v4 |= p[i].len == 96 && wh_addr_is_v4(&p[i].addr);
		v6 |= !p[i].len;
	}
	s.any = v4 && v6;
	if (s.any)
		return s;
	s.known = prefixes(p, n, r->mem);
	for (size_t i = 0; i < n_tags; i++)
		add_tag(r, c, &s, tags[i]);
	for (size_t i = 0; i < n_asgs; i++)
		add_asg(r, &s, asgs[i]);
	return s;
}

static const struct wh_ranges *ports(const struct wh_port_range *p, size_t n, struct wh_arena *mem)
{
	for (size_t i = 0; i < n; i++)
		if (!p[i].from && p[i].to == 65535)
			return NULL;
	return copy_of(wh_ports(p, n, mem), mem);
}

/* ---- lists ---- */

struct list { struct wh_filter_rule *rules; size_t n, room; };

static void add(struct list *l, const struct wh_filter_rule *f, struct wh_arena *mem)
{
	l->rules = wh_arena_grown(mem, l->rules, l->n, &l->room, sizeof *l->rules);
	l->rules[l->n++] = *f;
}

/* The expression in a rule's ports: it may mean any. */
static const char *doubted_ports(struct wh_reach *r, const struct wh_rule *rule)
{
	for (size_t i = 0; rule->unsupported && i < rule->n_peer_tags; i++)
		if (wh_tag_is_expression(rule->peer_tags[i]))
			return wh_arena_printf(r->mem, "the value of %s (a parameter of the template)", rule->peer_tags[i]);
	return NULL;
}

static void translate(struct wh_reach *r, const struct context *c, struct list *l, const struct wh_rule *rule,
                      enum wh_filter_action action, const char *unsure)
{
	struct set peer = set_of(r, c, rule->peers, rule->n_peers, rule->peer_tags, rule->n_peer_tags, rule->peer_asgs,
	                         rule->n_peer_asgs);
	struct set local = set_of(r, c, rule->locals, rule->n_locals, rule->local_tags, rule->n_local_tags, rule->local_asgs,
	                          rule->n_local_asgs);
	struct wh_filter_rule f = {.name = rule->name,
	                           .from = rule,
	                           .action = action,
	                           .direction = rule->direction,
	                           .proto = rule->proto,
	                           .sport = ports(rule->src_ports, rule->n_src_ports, r->mem),
	                           .dport = ports(rule->dst_ports, rule->n_dst_ports, r->mem)};
	if (peer.unknown || local.unknown) {
		f.may = peer.unknown ? peer.unknown : local.unknown;
		f.peer = peer.any || peer.unknown ? NULL : copy_of(peer.known, r->mem);
		f.local = local.any || local.unknown ? NULL : copy_of(local.known, r->mem);
		add(l, &f, r->mem);
	}
	if ((!peer.any && !peer.known.n) || (!local.any && !local.known.n))
		return;
	f.may = unsure ? unsure : rule->may ? rule->may : doubted_ports(r, rule);
	f.peer = peer.any ? NULL : copy_of(peer.known, r->mem);
	f.local = local.any ? NULL : copy_of(local.known, r->mem);
	add(l, &f, r->mem);
}

static bool in_force(const struct wh_admin_rule *a, size_t vnet)
{
	for (size_t i = 0; i < a->n_vnets; i++)
		if (a->vnets[i] == vnet)
			return true;
	return false;
}

/* A firewall's rules: no tag of theirs depends on the network. */
static void translate_firewall(struct wh_reach *r, struct stage *s)
{
	static const struct context nowhere = {.vnet = WH_NONE, .table = WH_NONE};
	const struct wh_firewall *f = s->firewall;
	struct list l = {0};
	for (size_t i = 0; i < f->n_rules && !f->unsure; i++)
		translate(r, &nowhere, &l, &f->rules[i], f->rules[i].allow ? WH_FILTER_ALLOW : WH_FILTER_DENY, NULL);
	s->filter = (struct wh_filter){.name = f->name,
	                               .rules = l.rules,
	                               .n = l.n,
	                               .otherwise = f->unsure ? WH_UNDECIDED : WH_DENIED,
	                               .why = f->unsure};
}

void wh_stage_translate(struct wh_reach *r, struct stage *s)
{
	if (s->firewall) {
		translate_firewall(r, s);
		return;
	}
	static const enum wh_filter_action actions[] = {
		[WH_ADMIN_ALLOW] = WH_FILTER_RETURN, [WH_ADMIN_ALWAYS_ALLOW] = WH_FILTER_ALLOW, [WH_ADMIN_DENY] = WH_FILTER_DENY};
	const struct context *c = &r->contexts[s->context];
	struct list l = {0};
	s->filter = (struct wh_filter){.name = "security admin rules", .otherwise = WH_DENIED};
	for (size_t i = 0; s->admin && i < r->t->n_admin; i++) {
		const struct wh_admin_rule *a = &r->t->admin[i];
		bool sure = in_force(a, c->vnet);
		if (a->rule.direction == s->direction && (sure || a->unsure))
			translate(r, c, &l, &a->rule, actions[a->access], sure ? NULL : a->unsure);
	}
	if (!s->admin && !wh_known(s->nsg)) {
		s->filter.otherwise = WH_UNDECIDED;
		s->filter.why = wh_arena_printf(r->mem, "the rules of the network security group %s",
		                                wh_last_part(r->t->missing[WH_MISSING - s->nsg]));
	} else if (!s->admin) {
		const struct wh_nsg *g = wh_topology_group(r->t, s->nsg);
		s->filter.name = g->name;
		for (size_t i = 0; i < g->n_rules; i++)
			l.room += g->rules[i].direction == s->direction;
		l.rules = wh_arena_unset(r->mem, l.room + 1, sizeof *l.rules);
		for (size_t i = 0; i < g->n_rules; i++)
			if (g->rules[i].direction == s->direction)
				translate(r, c, &l, &g->rules[i], g->rules[i].allow ? WH_FILTER_ALLOW : WH_FILTER_DENY, NULL);
	}
	s->filter.rules = l.rules;
	s->filter.n = l.n;
}

const struct wh_filter *wh_reach_lone_list(struct wh_reach *r, size_t nsg, enum wh_direction d)
{
	struct stage *s = wh_arena_alloc(r->mem, sizeof *s);
	*s = (struct stage){.nsg = nsg, .context = context_of(r, WH_NONE, WH_NONE), .direction = d};
	wh_stage_translate(r, s);
	return &s->filter;
}

struct wh_filter wh_reach_written(const struct wh_filter *group)
{
	struct wh_filter written = *group;
	while (written.n && ((const struct wh_rule *)written.rules[written.n - 1].from)->is_default)
		written.n--;
	return written;
}
