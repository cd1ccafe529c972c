/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The traffic that a policy lets through.
 *
 * Problem: for one direction, protocol and local port, the exact set of peers that may pass. Method: each group is translated
 * into a filter for that question (nsg/filter.h), and walked once for all peers (whittle/filter.h). Several groups (the subnet's
 * and the interface's) must all allow: intersect. No group: everything. Rules may distinguish source ports, which a peer chooses
 * anew for each flow. The ports fall into classes that all rules treat alike; each class is evaluated, and a peer passes if it
 * passes from some port. A rule's meaning can be unknown: an application security group, or a service tag without addresses here.
 * Then the result is certainly allowed traffic, and *unknown is set. Source: Azure's documentation of network security groups,
 * "How network security groups filter traffic".
 *
 *   300 allow 10.0.0.0/8 → 22     open = all        result = 10/8            open = all − 10/8
 *   400 deny  *          → 22     takes the rest    result = 10/8            open = ∅
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "nsg/filter.h"

const struct wh_prefix wh_azure_probes = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 168, 63, 129, 16}}, 128};

static struct wh_ranges everything(struct wh_arena *mem)
{
	const struct wh_prefix all[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	return wh_ranges_from_prefixes(all, 2, mem);
}

static struct wh_ranges tag_ranges(const char *tag, const struct wh_tag_context *ctx, struct wh_arena *mem, bool *unknown)
{
	struct wh_ranges vnet = wh_ranges_from_prefixes(ctx ? ctx->vnet : NULL, ctx ? ctx->n_vnet : 0, mem);
	struct wh_ranges host = wh_ranges_from_prefixes(&wh_azure_probes, 1, mem);
	const struct wh_service_tag *service;
	if (!strcasecmp(tag, "VirtualNetwork"))
		return wh_ranges_union(vnet, host, mem);
	if (!strcasecmp(tag, WH_PROBES_TAG))
		return host;
	if (!strcasecmp(tag, "Internet"))
		return wh_ranges_minus(everything(mem), wh_ranges_union(vnet, host, mem), mem);
	if (strchr(tag, ':')) /* an IPv6 prefix that no packet meets */
		return (struct wh_ranges){0};
	if ((service = wh_service_tag_find(ctx ? ctx->service : NULL, tag)))
		return wh_ranges_from_prefixes(service->prefixes, service->n, mem);
	*unknown = true;
	return (struct wh_ranges){0};
}

bool wh_tag_known(const char *tag, const struct wh_tag_context *ctx)
{
	struct wh_arena *mem = wh_arena_new();
	bool unknown = false;
	tag_ranges(tag, ctx, mem, &unknown);
	wh_arena_free(mem);
	return !unknown;
}

/* One side of a rule as ranges. */
static struct wh_ranges side(const struct wh_prefix *p, size_t n, const char **tags, size_t n_tags,
                             const struct wh_tag_context *ctx, struct wh_arena *mem, bool *unknown)
{
	struct wh_ranges r = wh_ranges_from_prefixes(p, n, mem);
	for (size_t i = 0; i < n_tags; i++)
		r = wh_ranges_union(r, tag_ranges(tags[i], ctx, mem, unknown), mem);
	return r;
}

static bool in_ports(const struct wh_port_range *r, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++)
		if (port >= r[i].from && port <= r[i].to)
			return true;
	return false;
}

struct wh_ranges wh_rule_locals(const struct wh_rule *r, const struct wh_tag_context *tags, struct wh_arena *mem, bool *unknown)
{
	return side(r->locals, r->n_locals, r->local_tags, r->n_local_tags, tags, mem, unknown);
}

struct wh_ranges wh_rule_peers(const struct wh_rule *r, const struct wh_tag_context *tags, struct wh_arena *mem, bool *unknown)
{
	*unknown = r->peer_group;
	return side(r->peers, r->n_peers, r->peer_tags, r->n_peer_tags, tags, mem, unknown);
}

enum wh_match wh_rule_match(const struct wh_rule *r, const struct wh_tag_context *tags, enum wh_direction dir, uint8_t proto,
                            const struct wh_addr *local, uint16_t port, struct wh_arena *mem)
{
	bool unknown = false;
	if (r->direction != dir || (r->proto && proto && r->proto != proto) || !in_ports(r->dst_ports, r->n_dst_ports, port))
		return WH_MATCH_NO;
	if (local && r->n_locals + r->n_local_tags &&
	    !wh_ranges_has(side(r->locals, r->n_locals, r->local_tags, r->n_local_tags, tags, mem, &unknown), local))
		return unknown ? WH_MATCH_MAYBE : WH_MATCH_NO;
	return r->unsupported || (r->proto && !proto) ? WH_MATCH_MAYBE : WH_MATCH_YES;
}

/* ---- source ports ---- */

bool wh_rule_any_source_port(const struct wh_rule *r)
{
	for (size_t i = 0; i < r->n_src_ports; i++)
		if (!r->src_ports[i].from && r->src_ports[i].to == 65535)
			return true;
	return false;
}

static bool speaks_of(const struct wh_rule *r, enum wh_direction dir, uint8_t proto, uint16_t port)
{
	return r->direction == dir && (!r->proto || !proto || r->proto == proto) && in_ports(r->dst_ports, r->n_dst_ports, port);
}

static int by_number(const void *a, const void *b)
{
	return (int)*(const uint32_t *)a - (int)*(const uint32_t *)b;
}

size_t wh_source_ports(const struct wh_nsg *const *nsgs, size_t n, enum wh_direction dir, uint8_t proto, uint16_t port,
                       struct wh_arena *mem, struct wh_port_range **out)
{
	uint32_t *starts = NULL;
	size_t many = 0, classes = 0;
	for (int fill = 0; fill < 2; fill++) {
		many = 0;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < nsgs[i]->n_rules; k++) {
				const struct wh_rule *r = &nsgs[i]->rules[k];
				if (wh_rule_any_source_port(r) || !speaks_of(r, dir, proto, port))
					continue;
				for (size_t j = 0; j < r->n_src_ports; j++) {
					if (fill) {
						starts[many] = r->src_ports[j].from;
						starts[many + 1] = r->src_ports[j].to + 1u;
					}
					many += 2;
				}
			}
		if (!fill)
			starts = wh_arena_array(mem, many + 1, sizeof *starts);
	}
	starts[many++] = 0;
	qsort(starts, many, sizeof *starts, by_number);
	*out = wh_arena_array(mem, many, sizeof **out);
	for (size_t i = 0; i < many && starts[i] <= 65535; i++) {
		if (classes && (*out)[classes - 1].from == starts[i])
			continue;
		if (classes)
			(*out)[classes - 1].to = (uint16_t)(starts[i] - 1);
		(*out)[classes++] = (struct wh_port_range){(uint16_t)starts[i], 65535};
	}
	return classes;
}

struct wh_nsg wh_nsg_from_port(const struct wh_nsg *nsg, uint16_t source, struct wh_arena *mem)
{
	static struct wh_port_range all[] = {{0, 65535}};
	struct wh_nsg seen = *nsg;
	seen.rules = wh_arena_array(mem, nsg->n_rules, sizeof *seen.rules);
	for (size_t i = 0; i < nsg->n_rules; i++) {
		struct wh_rule *r = &seen.rules[i];
		*r = nsg->rules[i];
		if (!in_ports(r->src_ports, r->n_src_ports, source))
			r->n_dst_ports = 0;
		r->src_ports = all;
		r->n_src_ports = 1;
	}
	return seen;
}

struct wh_nsg wh_nsg_without(const struct wh_nsg *nsg, bool (*gone)(const struct wh_rule *r), struct wh_arena *mem)
{
	struct wh_nsg less = *nsg;
	less.rules = wh_arena_array(mem, nsg->n_rules, sizeof *less.rules);
	for (size_t i = 0; i < nsg->n_rules; i++) {
		less.rules[i] = nsg->rules[i];
		if (gone(&nsg->rules[i]))
			less.rules[i].n_dst_ports = 0;
	}
	return less;
}

/* ---- a policy ---- */

/* The results of evaluating a group: the peers that a default rule lets through, and the first rule of unknown reach. */
struct met { struct wh_ranges by_default; const struct wh_rule *unknown; struct wh_arena *mem; };

static void meet(void *arg, const struct wh_filter_rule *f, struct wh_ranges peers)
{
	struct met *m = arg;
	const struct wh_rule *r = f->from;
	if (f->may && !m->unknown)
		m->unknown = r;
	if (r->allow && r->is_default && !f->may)
		m->by_default = wh_ranges_union(m->by_default, peers, m->mem);
}

static const struct wh_filter **filters_of(const struct wh_nsg *const *nsgs, size_t n, const struct wh_tag_context *tags,
                                           const struct wh_nsg_question *q, struct wh_arena *mem)
{
	const struct wh_filter **list = wh_arena_array(mem, n + 1, sizeof *list);
	struct wh_filter *filters = wh_arena_array(mem, n + 1, sizeof *filters);
	for (size_t i = 0; i < n; i++) {
		wh_nsg_filter(nsgs[i], tags, q, mem, &filters[i]);
		list[i] = &filters[i];
	}
	return list;
}

void wh_policy_judge(const struct wh_nsg *const *nsgs, size_t n, const struct wh_tag_context *tags,
                     const struct wh_nsg_question *q, struct wh_arena *mem, struct wh_judged *out)
{
	const struct wh_filter **filters = filters_of(nsgs, n, tags, q, mem);
	struct wh_filter_packet p = {.direction = q->direction, .proto = q->proto, .dport = q->port};
	struct wh_port_range *classes;
	size_t n_classes = wh_filter_sport_classes(filters, n, q->direction, q->proto, mem, &classes);
	*out = (struct wh_judged){0};
	for (size_t c = 0; c < n_classes; c++) {
		struct wh_ranges allowed = everything(mem), by_default = allowed;
		p.sport = classes[c].from;
		for (size_t i = 0; i < n; i++) {
			struct met m = {.mem = mem};
			struct wh_outcomes o = wh_filter_walk(filters[i], &p, WH_FREE_PEER, meet, &m, mem);
			allowed = wh_ranges_intersect(allowed, o.allowed, mem);
			by_default = wh_ranges_intersect(by_default, m.by_default, mem);
			if (m.unknown && !out->unknown)
				out->unknown = m.unknown;
		}
		out->allowed = c ? wh_ranges_union(out->allowed, allowed, mem) : allowed;
		struct wh_ranges opened = n ? wh_ranges_minus(allowed, by_default, mem) : allowed;
		out->opened = c ? wh_ranges_union(out->opened, opened, mem) : opened;
	}
}

void wh_policy_allowed(const struct wh_nsg *const *nsgs, size_t n, const struct wh_tag_context *tags,
                       const struct wh_nsg_question *q, struct wh_arena *mem, struct wh_ranges *out, bool *unknown)
{
	struct wh_judged v;
	wh_policy_judge(nsgs, n, tags, q, mem, &v);
	*out = v.allowed;
	if (unknown)
		*unknown = v.unknown != NULL;
}

struct openers { const struct wh_rule *first, *probes; };

static void meet_opener(void *arg, const struct wh_filter_rule *f, struct wh_ranges peers)
{
	struct openers *met = arg;
	const struct wh_rule *r = f->from, **first;
	bool probes = peers.n == 1 && wh_addr_eq(&peers.r[0].from, &wh_azure_probes.addr) &&
	              wh_addr_eq(&peers.r[0].to, &wh_azure_probes.addr);
	first = probes ? &met->probes : &met->first;
	if (r->allow && !r->is_default && (!*first || r < *first))
		*first = r;
}

const struct wh_rule *wh_nsg_opener(const struct wh_nsg *nsg, const struct wh_tag_context *tags, const struct wh_nsg_question *q,
                                    struct wh_arena *mem)
{
	const struct wh_filter **filter = filters_of(&nsg, 1, tags, q, mem);
	struct wh_filter_packet p = {.direction = q->direction, .proto = q->proto, .dport = q->port};
	struct openers met = {0};
	struct wh_port_range *classes;
	size_t n = wh_filter_sport_classes(filter, 1, q->direction, q->proto, mem, &classes);
	for (size_t c = 0; c < n; c++) {
		p.sport = classes[c].from;
		wh_filter_walk(filter[0], &p, WH_FREE_PEER, meet_opener, &met, mem);
	}
	return met.first ? met.first : met.probes;
}

static const char *unknown_tag(const char **tags, size_t n, const struct wh_tag_context *ctx)
{
	for (size_t i = 0; i < n; i++)
		if (!wh_tag_known(tags[i], ctx))
			return tags[i];
	return NULL;
}

const char *wh_rule_unknown_text(const struct wh_rule *r, const struct wh_tag_context *tags, struct wh_arena *mem)
{
	const char *tag = unknown_tag(r->peer_tags, r->n_peer_tags, tags);
	tag = tag ? tag : unknown_tag(r->local_tags, r->n_local_tags, tags);
	if (r->may)
		return wh_arena_printf(mem, "rule %s cannot be evaluated: %s", r->name, r->may);
	if (r->n_peer_asgs && !strncmp(r->peer_asgs[0], "sg-", 3))
		return wh_arena_printf(mem, "rule %s names the security group %s, which stays as its source", r->name,
		                       r->peer_asgs[0]);
	if (tag && !strncmp(tag, "pl-", 3))
		return wh_arena_printf(
			mem,
			"rule %s names the prefix list %s, whose addresses are not known here (`aws ec2 get-managed-prefix-list-entries`)",
			r->name, tag);
	if (r->unsupported)
		return wh_arena_printf(mem, "rule %s names an application security group, whose members are not known here",
		                       r->name);
	return tag ? wh_arena_printf(
			     mem,
			     "rule %s names the service tag %s, whose addresses are not known here (service-tags in the estate)",
			     r->name, tag)
	           : wh_arena_printf(mem, "the addresses that rule %s matches cannot be resolved", r->name);
}

const struct wh_rule *wh_nsg_decide(const struct wh_nsg *nsg, const struct wh_tag_context *tags, enum wh_direction dir,
                                    uint8_t proto, const struct wh_addr *local, uint16_t port, const struct wh_addr *peer)
{
	struct wh_arena *mem = wh_arena_new();
	const struct wh_nsg_question q = {dir, proto, local, port};
	const struct wh_filter_packet p = {.direction = dir, .proto = proto, .peer = *peer, .dport = port};
	struct wh_filter f, plain;
	wh_nsg_filter(nsg, tags, &q, mem, &f);
	struct wh_filter_rule *rules = wh_arena_array(mem, f.n + 1, sizeof *rules);
	plain = (struct wh_filter){.rules = rules, .otherwise = f.otherwise};
	for (size_t i = 0; i < f.n; i++)
		if (!f.rules[i].sport)
			rules[plain.n++] = f.rules[i];
	const struct wh_filter_rule *rule = wh_filter_decide(&plain, &p).rule;
	const struct wh_rule *decided = rule ? rule->from : NULL;
	wh_arena_free(mem);
	return decided;
}

static int by_first_port(const void *a, const void *b)
{
	return ((const struct wh_port_range *)a)->from - ((const struct wh_port_range *)b)->from;
}

/* The ports that explicit allow rules of one NSG open, as ranges in order that neither touch nor overlap. */
static size_t opened_ports(const struct wh_nsg *nsg, struct wh_ports_question q, struct wh_arena *mem, struct wh_port_range **out)
{
	size_t n = 0, top = 0;
	for (int fill = 0; fill < 2; fill++) {
		if (fill)
			*out = wh_arena_array(mem, n + 1, sizeof **out);
		n = 0;
		for (size_t j = 0; j < nsg->n_rules; j++) {
			const struct wh_rule *r = &nsg->rules[j];
			if (r->direction != q.direction || !r->allow || r->is_default || (r->proto && r->proto != q.proto) ||
			    (q.by_hand && wh_rule_is_everything_else(r)))
				continue;
			for (size_t k = 0; fill && k < r->n_dst_ports; k++)
				(*out)[n + k] = r->dst_ports[k];
			n += r->n_dst_ports;
		}
	}
	struct wh_port_range *p = *out;
	qsort(p, n, sizeof *p, by_first_port);
	for (size_t i = 0; i < n; i++) {
		if (top && p[i].from <= (unsigned)p[top - 1].to + 1)
			p[top - 1].to = p[i].to > p[top - 1].to ? p[i].to : p[top - 1].to;
		else
			p[top++] = p[i];
	}
	return top;
}

size_t wh_policy_ports(const struct wh_nsg *const *nsgs, size_t n, struct wh_ports_question q, struct wh_arena *mem,
                       struct wh_port_range **out)
{
	struct wh_port_range *open = wh_arena_array(mem, 1, sizeof *open);
	size_t n_open = 1;
	open[0] = (struct wh_port_range){0, 65535};
	for (size_t i = 0; i < n; i++) {
		struct wh_port_range *mine = NULL, *both;
		size_t n_mine = opened_ports(nsgs[i], q, mem, &mine), n_both = 0;
		both = wh_arena_array(mem, n_open + n_mine + 1, sizeof *both);
		for (size_t a = 0, b = 0; a < n_open && b < n_mine;) {
			const struct wh_port_range *x = &open[a], *y = &mine[b];
			struct wh_port_range common = {x->from > y->from ? x->from : y->from, x->to < y->to ? x->to : y->to};
			if (common.from <= common.to)
				both[n_both++] = common;
			if (x->to < y->to)
				a++;
			else
				b++;
		}
		open = both;
		n_open = n_both;
	}
	*out = open;
	return n_open;
}
