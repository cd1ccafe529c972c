/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting narrowed rules into a group without changing any other decision.
 *
 * For one resource, direction, protocol and port let F be the first rule that lets somebody through who is not proposed. Before F go: a
 * deny for the carve-outs, an allow for the proposed prefixes, a deny for everybody else, each for the resource's own addresses and
 * that one port only. Whatever stands before F and decides there denies, or allows only who is proposed; the proposal is a subset of
 * what the group allows; so afterwards exactly (before ∧ proposed) passes on that port, and nothing else is touched. It is not
 * taken on trust: wh_nsg_plan_verify() reads the result back and compares.
 * A rule whose reach is not known (an application security group, a tag without addresses here) stays where it is, ahead of ours.
 * So does a rule of just-in-time access: it is never narrowed, and whom it lets in passes, for as long as it is there. Neither its rules nor
 * those that Terraform made are moved: their makers would put them back.
 * Azure refuses a rule that mixes address families, so each family has a block of its own. Ports of one resource for which the same
 * prefixes were chosen, and which narrow the same rule, share one (an augmented rule): a group holds 1,000 rules.
 *
 *   300 allow ssh from 140.20.30.0/24, five of 140.20.30.8/29 seen:   298 allow 140.20.30.8/29 → vm1:22,  299 deny * → vm1:22,  300 as it was
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"

enum { MAX_BLOCKS = 20000 }; /* before those that differ in their ports alone become one */

struct builder {
	struct wh_arena *mem;
	struct wh_error *err;
	struct wh_tag_context tags;
	const struct wh_render_options *opt; /* or NULL */
	struct wh_nsg_plan *plan;
	const struct wh_nsg *nsg;
	const struct wh_recommendation *all;
	bool *gone;                       /* rules of ours from an earlier export, which the new ones replace */
	struct wh_nsg_block *blocks; size_t n, room;
	size_t room_regions;
};

#define GROW(array, n, room, mem) do { \
	if ((n) == (room)) { \
		size_t room_ = (room) ? (room) * 2 : 16; \
		void *more_ = wh_arena_array((mem), room_, sizeof *(array)); \
		if (n) memcpy(more_, (array), (n) * sizeof *(array)); \
		(array) = more_; (room) = room_; \
	} } while (0)

static struct wh_ranges family(bool v4, struct wh_arena *mem)
{
	return wh_ranges_from_prefixes(v4 ? &wh_prefix_all_v4 : &wh_prefix_all_v6, 1, mem);
}

static struct wh_ranges proposed_by(const struct wh_nsg_block *b, struct wh_arena *mem)
{
	struct wh_ranges p = wh_ranges_from_prefixes(b->rule->prefixes, b->rule->n_prefixes, mem);
	p = wh_ranges_minus(p, wh_ranges_from_prefixes(b->rule->except, b->rule->n_except, mem), mem);
	return wh_ranges_intersect(p, family(b->v4, mem), mem);
}

/* ---- rules of ours from an earlier export ---- */

static bool only_locals_of(const struct wh_rule *r, const struct wh_resource *res)
{
	for (size_t i = 0; i < r->n_locals; i++) {
		bool own = false;
		for (size_t j = 0; j < res->n_addrs && r->locals[i].len == 128; j++)
			own |= wh_addr_eq(&r->locals[i].addr, &res->addrs[j]);
		if (!own)
			return false;
	}
	return r->n_locals && !r->n_local_tags;
}

static const struct wh_recommended_rule *rule_of(const struct wh_resource_result *res, const struct wh_rule *r, unsigned port)
{
	for (size_t i = 0; i < res->n_rules; i++)
		if (res->rules[i].direction == r->direction && res->rules[i].proto == r->proto && res->rules[i].port == port)
			return &res->rules[i];
	return NULL;
}

static struct wh_nsg_block *block_of(const struct builder *b, const struct wh_recommended_rule *rule, bool v4)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->blocks[i].rule == rule && b->blocks[i].v4 == v4)
			return &b->blocks[i];
	return NULL;
}

/* Whether an earlier export made it for this resource: by its name, and because it covers nothing but the resource's own addresses and ports
 * that are recommended still. Somebody may have edited it since. */
static bool made_for(const struct builder *b, const struct wh_rule *r, const struct wh_resource_result *res, bool v4)
{
	struct wh_nsg_block first = {.resource = res->resource, .v4 = v4};
	if (r->is_default || r->unsupported || !r->n_dst_ports || !only_locals_of(r, res->resource) || !(first.rule = rule_of(res, r, r->dst_ports[0].from)))
		return false;
	if (strcasecmp(r->name, wh_nsg_allow_name(&first, "allow", b->mem)) != 0 && strcasecmp(r->name, wh_nsg_allow_name(&first, "except", b->mem)) != 0 &&
	    strcasecmp(r->name, wh_nsg_deny_name(&first, 0, b->mem)) != 0)
		return false;
	for (size_t k = 0; k < r->n_dst_ports; k++)
		for (unsigned p = r->dst_ports[k].from; p <= r->dst_ports[k].to; p++)
			if (!rule_of(res, r, p))
				return false;
	return true;
}

/* The rule goes if one of its ports is planned anew; then its others must be too. Returns whether it goes. */
static bool replace(struct builder *b, const struct wh_rule *r, const struct wh_resource_result *res, bool v4)
{
	bool goes = false;
	for (size_t k = 0; k < r->n_dst_ports && !goes; k++)
		for (unsigned p = r->dst_ports[k].from; p <= r->dst_ports[k].to && !goes; p++)
			goes = block_of(b, rule_of(res, r, p), v4) != NULL;
	for (size_t k = 0; k < r->n_dst_ports && goes; k++)
		for (unsigned p = r->dst_ports[k].from; p <= r->dst_ports[k].to; p++) {
			const struct wh_recommended_rule *rule = rule_of(res, r, p);
			if (block_of(b, rule, v4))
				continue;
			GROW(b->blocks, b->n, b->room, b->mem);
			b->blocks[b->n++] = (struct wh_nsg_block){.resource = res->resource, .rule = rule, .v4 = v4};
		}
	return goes;
}

/* Rules of an earlier export that the blocks replace. One that is replaced may bring in blocks, which replace others. */
static void find_gone(struct builder *b)
{
	for (size_t before = 0; before != b->n;) {
		before = b->n;
		for (size_t i = 0; i < b->nsg->n_rules; i++)
			for (size_t k = 0; k < b->all->n_resources && !b->gone[i]; k++)
				for (int v4 = 0; v4 < 2 && !b->gone[i]; v4++)
					if (made_for(b, &b->nsg->rules[i], &b->all->resources[k], v4) && replace(b, &b->nsg->rules[i], &b->all->resources[k], v4)) {
						b->gone[i] = true;
						b->plan->n_replaced++;
					}
	}
}

/* ---- which rule is narrowed ---- */

struct place {
	const struct wh_rule *before, *floor; /* NULL: none */
	const struct wh_rule *cut;            /* a just-in-time allow behind `before`, which our deny would cut off */
};

/* Whom a just-in-time allow lets in must not meet our deny before it. */
static void find_cut(const struct builder *b, const struct wh_nsg_block *block, const struct wh_addr *local, struct wh_ranges open, struct wh_ranges proposed,
                     struct wh_arena *mem, size_t from, struct place *at)
{
	const struct wh_recommended_rule *rec = block->rule;
	for (size_t i = from; i < b->nsg->n_rules && open.n && !at->cut; i++) {
		const struct wh_rule *r = &b->nsg->rules[i];
		bool unknown;
		if (b->gone[i] || wh_rule_match(r, &b->tags, rec->direction, rec->proto, local, rec->port, mem) != WH_MATCH_YES)
			continue;
		struct wh_ranges hit = wh_ranges_intersect(open, wh_rule_peers(r, &b->tags, mem, &unknown), mem);
		if (r->allow && r->origin == WH_ORIGIN_JIT && wh_ranges_minus(hit, proposed, mem).n)
			at->cut = r;
		open = wh_ranges_minus(open, hit, mem);
	}
}

/* Walks the group for one local address. Where rules of an earlier export decide, the new ones take their place at the latest: somebody
 * may have put a rule behind them since. Rules of just-in-time access are never narrowed, and stay ahead. */
static void find_place(const struct builder *b, const struct wh_nsg_block *block, const struct wh_addr *local, struct wh_ranges proposed,
                       struct wh_arena *mem, struct place *at)
{
	struct wh_ranges open = family(block->v4, mem);
	const struct wh_recommended_rule *rec = block->rule;
	bool passed_gone = false;
	*at = (struct place){0};
	for (size_t i = 0; i < b->nsg->n_rules && open.n; i++) {
		const struct wh_rule *r = &b->nsg->rules[i];
		enum wh_match match = wh_rule_match(r, &b->tags, rec->direction, rec->proto, local, rec->port, mem);
		bool unknown;
		if (b->gone[i]) {
			passed_gone |= match != WH_MATCH_NO;
			continue;
		}
		bool jit = r->origin == WH_ORIGIN_JIT && match != WH_MATCH_NO;
		if (passed_gone && r->direction == rec->direction && !jit) {
			at->before = r;
			find_cut(b, block, local, open, proposed, mem, i, at);
			return;
		}
		if (match == WH_MATCH_NO)
			continue;
		struct wh_ranges hit = wh_ranges_intersect(open, wh_rule_peers(r, &b->tags, mem, &unknown), mem);
		if (r->allow && match == WH_MATCH_YES && !jit && wh_ranges_minus(hit, proposed, mem).n) {
			at->before = r;
			find_cut(b, block, local, open, proposed, mem, i, at);
			return;
		}
		if (match == WH_MATCH_MAYBE || unknown || jit)
			at->floor = r;
		if (!r->allow && unknown)
			return; /* nobody is let through for certain after it */
		if (!r->allow || match == WH_MATCH_YES)
			open = wh_ranges_minus(open, hit, mem);
	}
}

static struct wh_ranges copy_of(struct wh_ranges r, struct wh_arena *mem)
{
	struct wh_ranges out = {wh_arena_array(mem, r.n, sizeof *out.r), r.n};
	if (r.n)
		memcpy(out.r, r.r, r.n * sizeof *r.r);
	return out;
}

/* Who passes because a just-in-time rule says so: whoever would not, were those denies. */
static struct wh_ranges let_in_by_jit(const struct builder *b, const struct wh_recommended_rule *rule, const struct wh_addr *local, struct wh_ranges was,
                                      struct wh_arena *mem)
{
	struct wh_nsg closed = b->nsg ? *b->nsg : (struct wh_nsg){0};
	const struct wh_nsg *list[] = {&closed};
	struct wh_ranges without = was;
	bool any = false;
	closed.rules = wh_arena_array(mem, closed.n_rules, sizeof *closed.rules);
	for (size_t i = 0; i < closed.n_rules; i++) {
		closed.rules[i] = b->nsg->rules[i];
		if (closed.rules[i].origin == WH_ORIGIN_JIT && closed.rules[i].allow) {
			closed.rules[i].allow = false;
			any = true;
		}
	}
	if (any)
		wh_policy_allowed(list, 1, &b->tags, local, rule->direction, rule->proto, rule->port, mem, &without, NULL, NULL);
	return wh_ranges_minus(was, without, mem);
}

/* What must pass afterwards at one local address of a block. True when more passes now. */
static bool add_region(struct builder *b, const struct wh_nsg_block *block, const struct wh_addr *local, struct wh_arena *scratch)
{
	const struct wh_nsg *list[] = {b->nsg};
	struct wh_ranges proposed = proposed_by(block, scratch), was;
	wh_policy_allowed(list, b->nsg ? 1 : 0, &b->tags, local, block->rule->direction, block->rule->proto, block->rule->port, scratch, &was, NULL, NULL);
	was = wh_ranges_intersect(was, family(block->v4, scratch), scratch);
	proposed = wh_ranges_union(proposed, let_in_by_jit(b, block->rule, local, was, scratch), scratch);
	GROW(b->plan->regions, b->plan->n_regions, b->room_regions, b->mem);
	b->plan->regions[b->plan->n_regions++] = (struct wh_nsg_region){block->rule->direction, block->rule->proto, block->rule->port, *local,
	                                                               copy_of(wh_ranges_intersect(was, proposed, scratch), b->mem)};
	return wh_ranges_minus(was, proposed, scratch).n > 0;
}

/* True when the group lets through more than is proposed. What is as it should be must stay so, and has its regions too. */
static bool needed(struct builder *b, const struct wh_nsg_block *block)
{
	struct wh_arena *scratch = wh_arena_new();
	bool more = false;
	for (size_t i = 0; i < block->resource->n_addrs; i++)
		if (wh_addr_is_v4(&block->resource->addrs[i]) == block->v4)
			more |= add_region(b, block, &block->resource->addrs[i], scratch);
	wh_arena_free(scratch);
	return more;
}

static int place_block(const struct builder *b, struct wh_nsg_block *block)
{
	struct wh_arena *scratch = wh_arena_new();
	struct wh_ranges proposed = proposed_by(block, scratch);
	const struct wh_rule *cut = NULL;
	for (size_t i = 0; i < block->resource->n_addrs; i++) {
		struct place at;
		if (wh_addr_is_v4(&block->resource->addrs[i]) != block->v4)
			continue;
		find_place(b, block, &block->resource->addrs[i], proposed, scratch, &at);
		if (at.before && (!block->before || at.before->priority < block->before->priority))
			block->before = at.before;
		if (at.floor && (!block->floor || at.floor->priority > block->floor->priority))
			block->floor = at.floor;
		cut = at.cut ? at.cut : cut;
	}
	wh_arena_free(scratch);
	if (block->before && block->floor && block->floor->priority >= block->before->priority) {
		cut = block->floor->origin == WH_ORIGIN_JIT ? block->floor : cut;
		block->floor = NULL;
	}
	if (!cut)
		return 0;
	return wh_fail(b->err, -EBUSY, "%s: %s lets somebody in just in time, behind %s which is to be narrowed, and would be cut off: close it first, or wait until it ends",
	               b->plan->name, cut->name, block->before->name);
}

/* ---- one block for several ports ---- */

/* Of one family. */
static bool same_prefixes(const struct wh_prefix *a, size_t n, const struct wh_prefix *b, size_t m, bool v4)
{
	size_t i = 0, j = 0;
	for (;;) {
		while (i < n && wh_prefix_is_v4(&a[i]) != v4)
			i++;
		while (j < m && wh_prefix_is_v4(&b[j]) != v4)
			j++;
		if (i == n || j == m)
			return i == n && j == m;
		if (wh_prefix_cmp(&a[i++], &b[j++]))
			return false;
	}
}

static bool without_ports(uint8_t proto)
{
	return proto != WH_PROTO_TCP && proto != WH_PROTO_UDP && proto != WH_PROTO_ANY;
}

static bool joins(const struct wh_nsg_block *a, const struct wh_nsg_block *b)
{
	const struct wh_recommended_rule *x = a->rule, *y = b->rule;
	return a->resource == b->resource && a->v4 == b->v4 && a->before == b->before && a->floor == b->floor && x->direction == y->direction &&
	       x->proto == y->proto && !without_ports(x->proto) && same_prefixes(x->prefixes, x->n_prefixes, y->prefixes, y->n_prefixes, a->v4) &&
	       same_prefixes(x->except, x->n_except, y->except, y->n_except, a->v4);
}

static int by_port(const void *a, const void *b)
{
	return ((const struct wh_nsg_block *)a)->rule->port - ((const struct wh_nsg_block *)b)->rule->port;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void join_ports(struct builder *b)
{
	size_t kept = 0;
	if (b->n)
		qsort(b->blocks, b->n, sizeof *b->blocks, by_port);
	for (size_t i = 0; i < b->n; i++) {
		struct wh_nsg_block *k = &b->blocks[i];
		const struct wh_recommended_rule *r = k->rule;
		size_t at = 0;
		while (at < kept && !joins(&b->blocks[at], k))
			at++;
		if (at == kept) {
			struct wh_nsg_block fresh = *k;
			fresh.n_ports = 0;
			b->blocks[kept++] = fresh;
		}
		struct wh_nsg_block *into = &b->blocks[at];
		uint16_t *ports = wh_arena_array(b->mem, into->n_ports + 1, sizeof *ports);
		if (into->n_ports)
			memcpy(ports, into->ports, into->n_ports * sizeof *ports);
		ports[into->n_ports++] = r->port;
		into->ports = ports;
		into->sources = most(into->sources, r->sources);
		into->days = (unsigned)most(into->days, r->days);
		into->flows += r->flows;
		into->denied_peers = most(into->denied_peers, r->denied_peers);
		into->denied_flows += r->denied_flows;
	}
	b->n = kept;
}

/* "22", "22, 80 and 443", "22, 80 and 7 more" */
static const char *ports_text(const struct wh_nsg_block *k, struct wh_arena *mem)
{
	const uint16_t *p = k->ports;
	switch (k->n_ports) {
	case 1: return wh_arena_printf(mem, "%u", p[0]);
	case 2: return wh_arena_printf(mem, "%u and %u", p[0], p[1]);
	case 3: return wh_arena_printf(mem, "%u, %u and %u", p[0], p[1], p[2]);
	default: return wh_arena_printf(mem, "%u, %u and %zu more", p[0], p[1], k->n_ports - 2);
	}
}

/* ---- the entries of a block ---- */

static size_t of_family(const struct wh_prefix *p, size_t n, bool v4, struct wh_arena *mem, const struct wh_prefix **out)
{
	struct wh_prefix *q = wh_arena_array(mem, n, sizeof *q);
	size_t m = 0;
	for (size_t i = 0; i < n; i++)
		if (wh_prefix_is_v4(&p[i]) == v4)
			q[m++] = p[i];
	*out = q;
	return m;
}

static const char *narrowed_text(const struct wh_nsg_block *k, struct wh_arena *mem)
{
	if (!k->before || !k->before->allow)
		return "";
	/* "a read as b (host bits were set)" without its reason, which the notes give */
	const char *note = k->before->note ? k->before->note : "", *paren = strstr(note, " (host bits");
	return wh_arena_printf(mem, "; narrows %s%s%s%.*s", k->before->is_default ? "the default " : "", k->before->name, *note ? ", " : "",
	                       (int)(paren ? paren - note : (int)strlen(note)), note);
}

static const char *allow_text(const struct wh_nsg_block *k, struct wh_arena *mem)
{
	return wh_nsg_description(mem, wh_arena_printf(mem, "whittle: %llu peers seen on %u days in %llu flows, %.0f unseen%s", (unsigned long long)k->sources, k->days,
	                                               (unsigned long long)k->flows, k->rule->unseen, narrowed_text(k, mem)));
}

static const char *deny_text(const struct builder *b, const struct wh_nsg_block *k, struct wh_arena *mem)
{
	const struct wh_recommended_rule *r = k->rule;
	const char *day = b->nsg ? wh_nsg_keep_day(b->nsg, b->opt, k->before, mem) : NULL;
	const char *begins = day ? wh_kept_text(k->before->name, day, mem) : "System Generated by whittle";
	char proto[8];
	if (!r->n_prefixes)
		return wh_nsg_description(mem, wh_arena_printf(mem, "%s: nobody belongs on %s %s%s", begins, wh_proto_text(r->proto, proto),
		                                               ports_text(k, mem), narrowed_text(k, mem)));
	const char *ends = k->denied_peers ? wh_arena_printf(mem, "; %llu peers with %llu flows end here", (unsigned long long)k->denied_peers,
	                                                     (unsigned long long)k->denied_flows) : "";
	return wh_nsg_description(mem, wh_arena_printf(mem, "%s: the rest of %s %s%s%s", begins, wh_proto_text(r->proto, proto), ports_text(k, mem), ends,
	                                               narrowed_text(k, mem)));
}

static bool name_taken(const struct builder *b, const char *name)
{
	for (size_t i = 0; b->nsg && i < b->nsg->n_rules; i++)
		if (!b->gone[i] && !strcasecmp(b->nsg->rules[i].name, name))
			return true;
	for (size_t i = 0; i < b->n; i++)
		for (size_t j = 0; j < b->blocks[i].n; j++)
			if (!strcasecmp(b->blocks[i].entries[j].name, name))
				return true;
	return false;
}

static const char *free_name(const struct builder *b, const struct wh_nsg_block *k, const char *suffix)
{
	const char *name = wh_nsg_allow_name(k, suffix, b->mem), *tried = name;
	for (unsigned i = 2; name_taken(b, tried); i++)
		tried = wh_arena_printf(b->mem, "%s-%u", name, i);
	return tried;
}

static void fill_block(struct builder *b, struct wh_nsg_block *k)
{
	const struct wh_recommended_rule *r = k->rule;
	struct wh_prefix *locals = wh_arena_array(b->mem, k->resource->n_addrs, sizeof *locals);
	struct wh_nsg_entry e = {.direction = r->direction, .proto = r->proto, .ports = k->ports, .n_ports = k->n_ports, .locals = locals,
	                         .any_port = without_ports(r->proto)}, c = e, a = e;
	for (size_t i = 0; i < k->resource->n_addrs; i++)
		if (wh_addr_is_v4(&k->resource->addrs[i]) == k->v4)
			locals[e.n_locals++] = wh_prefix_of(&k->resource->addrs[i], 128);
	a.n_locals = c.n_locals = e.n_locals;
	a.n_peers = of_family(r->prefixes, r->n_prefixes, k->v4, b->mem, &a.peers);
	c.n_peers = of_family(r->except, r->n_except, k->v4, b->mem, &c.peers);
	if (a.n_peers && c.n_peers) {
		c.name = free_name(b, k, "except");
		c.description = wh_nsg_description(b->mem, wh_arena_printf(b->mem, "whittle: kept out of the ranges that %s allows", wh_nsg_allow_name(k, "allow", b->mem)));
		k->entries[k->n++] = c;
	}
	if (a.n_peers) {
		a.allow = true;
		a.name = free_name(b, k, "allow");
		a.description = allow_text(k, b->mem);
		k->entries[k->n++] = a;
	}
	e.everyone = e.system_generated = true;
	unsigned nth = 0;
	do
		e.name = wh_nsg_deny_name(k, nth++, b->mem);
	while (name_taken(b, e.name));
	e.description = deny_text(b, k, b->mem);
	k->entries[k->n++] = e;
}

/* ---- a group ---- */

static bool expressible(uint8_t proto)
{
	return proto == WH_PROTO_ANY || proto == WH_PROTO_TCP || proto == WH_PROTO_UDP || proto == WH_PROTO_ICMP || proto == 50 || proto == 51;
}

static bool has_family(const struct wh_resource *r, bool v4)
{
	for (size_t i = 0; i < r->n_addrs; i++)
		if (wh_addr_is_v4(&r->addrs[i]) == v4)
			return true;
	return false;
}

/* The group keeps to the rule, but its deny names another day until which the original is kept. */
static bool other_day(const struct builder *b, const struct wh_nsg_block *k)
{
	const struct wh_rule *deny = b->nsg && b->opt && b->opt->keep_until ? wh_rule_named(b->nsg, wh_nsg_deny_name(k, 0, b->mem)) : NULL;
	struct wh_kept kept;
	return deny && wh_kept_parse(deny->description, b->mem, &kept) && strcmp(kept.until, b->opt->keep_until) != 0;
}

/* A block for each family of each rule that the group does not keep to yet. */
static int add_blocks(struct builder *b, const struct wh_resource_result *res)
{
	for (size_t i = 0; i < res->n_rules; i++)
		for (int v4 = 1; v4 >= 0; v4--) {
			struct wh_nsg_block block = {.resource = res->resource, .rule = &res->rules[i], .v4 = v4};
			char proto[8];
			if (!has_family(res->resource, v4))
				continue;
			if (!expressible(block.rule->proto))
				return wh_fail(b->err, -ENOTSUP, "%s: an NSG has no word for protocol %s", b->plan->name, wh_proto_text(block.rule->proto, proto));
			if (!needed(b, &block) && !other_day(b, &block))
				continue;
			if (b->n == MAX_BLOCKS)
				return wh_fail(b->err, -E2BIG, "%s: far more than the 1,000 rules that Azure takes in one group would be needed: split it", b->plan->name);
			GROW(b->blocks, b->n, b->room, b->mem);
			b->blocks[b->n++] = block;
		}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct wh_nsg_block *x = a, *y = b;
	unsigned p = x->before ? x->before->priority : 0, q = y->before ? y->before->priority : 0;
	if (x->rule->direction != y->rule->direction)
		return (int)x->rule->direction - (int)y->rule->direction;
	if (p != q)
		return p < q ? -1 : 1;
	if (x->resource != y->resource)
		return strcmp(x->resource->name, y->resource->name);
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return (int)y->v4 - (int)x->v4;
}

const char *wh_nsg_left_alone(const struct wh_nsg *nsg, struct wh_arena *mem)
{
	const char *s = "";
	size_t terraform = 0;
	for (size_t i = 0; i < nsg->n_rules; i++) {
		if (nsg->rules[i].origin == WH_ORIGIN_JIT)
			s = wh_arena_printf(mem, "%s%s: %s belongs to just-in-time access, and is left alone\n", s, nsg->name, nsg->rules[i].name);
		terraform += nsg->rules[i].origin == WH_ORIGIN_TERRAFORM;
	}
	if (terraform)
		s = wh_arena_printf(mem, "%s%s: %zu rule%s Terraform's, and left alone; carry the new rules into its configuration (export --format terraform), or its "
		                    "next apply may take them away\n", s, nsg->name, terraform, terraform == 1 ? " is" : "s are");
	return s;
}

static const char *notes_of(const struct builder *b)
{
	const struct wh_nsg_plan *p = b->plan;
	const char *s = !p->n_new ? "" : wh_arena_printf(b->mem, "%s: %zu rules added%s\n", p->name, p->n_new,
	                          p->nsg ? "" : " in a new group; every other port stays as open as it was, by whittle-everything-else");
	for (size_t i = 0; i < b->n; i++) {
		const char *day = b->nsg ? wh_nsg_keep_day(b->nsg, b->opt, b->blocks[i].before, b->mem) : NULL;
		if (b->opt && b->opt->keep_until && b->blocks[i].before && b->blocks[i].before->origin == WH_ORIGIN_TERRAFORM)
			s = wh_arena_printf(b->mem, "%s%s: %s is Terraform's, which alone can remove it: it is kept without a day\n", s, p->name, b->blocks[i].before->name);
		if (day && (!i || b->blocks[i - 1].before != b->blocks[i].before))
			s = wh_arena_printf(b->mem, "%s%s: %s is kept below, disabled, until %s\n", s, p->name, b->blocks[i].before->name, day);
	}
	if (p->n_replaced)
		s = wh_arena_printf(b->mem, "%s%s: %zu rules of an earlier export replaced\n", s, p->name, p->n_replaced);
	for (size_t i = 0; i < p->n; i++)
		if (p->entries[i].renumbered)
			s = wh_arena_printf(b->mem, "%s%s: %s moves from priority %u to %u to make room\n", s, p->name, p->entries[i].name, p->entries[i].existing->priority,
			                    p->entries[i].priority);
	for (size_t i = 0; i < b->n; i++) {
		const struct wh_rule *r = b->blocks[i].before, *f = b->blocks[i].floor;
		bool said = false;
		for (size_t j = 0; j < i; j++)
			said |= b->blocks[j].before == r && b->blocks[j].floor == f;
		if (r && r->note && !said)
			s = wh_arena_printf(b->mem, "%s%s: %s: %s\n", s, p->name, r->name, r->note);
		if (f && !said && f->origin != WH_ORIGIN_JIT)
			s = wh_arena_printf(b->mem, "%s%s: whom %s catches is not known here: it stays ahead of the new rules\n", s, p->name, f->name);
	}
	return b->nsg ? wh_arena_printf(b->mem, "%s%s", s, wh_nsg_left_alone(b->nsg, b->mem)) : s;
}

/* Plans one group (nsg), or a new one for the one resource `only`. *made is false when there is nothing to change. */
static int plan_group(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, const struct wh_nsg *nsg,
                      const struct wh_resource *only, struct wh_arena *mem, struct wh_nsg_plan *plan, bool *made, struct wh_error *err)
{
	struct builder b = {.mem = mem, .err = err, .tags = {e->vnets, e->n_vnets}, .opt = opt, .plan = plan, .nsg = nsg, .all = r};
	bool over = wh_nsg_overdue(nsg, opt, mem);
	const char *notes = "";
	int rc = 0;
	b.gone = wh_arena_array(mem, nsg ? nsg->n_rules : 0, sizeof *b.gone);
	*plan = (struct wh_nsg_plan){.nsg = nsg, .name = nsg ? nsg->name : only ? wh_arena_printf(mem, "whittle-%s", wh_nsg_clean_name(only->name, 60, mem)) : "whittle"};
	for (size_t i = 0; i < r->n_resources && !rc; i++) {
		const struct wh_resource *res = r->resources[i].resource;
		bool in = wh_nsg_guards(nsg, res) && wh_nsg_resource_asked(res, opt) && (!only || only == res);
		if (in && nsg)
			rc = wh_nsg_in_scope(nsg, res, opt, &in, err);
		if (in && !rc)
			rc = add_blocks(&b, &r->resources[i]);
	}
	*made = b.n > 0;
	if (rc || (!b.n && !over))
		return rc;
	if (nsg)
		find_gone(&b);
	for (size_t i = 0; nsg && i < b.n && !rc; i++)
		rc = place_block(&b, &b.blocks[i]);
	if (rc)
		return rc;
	join_ports(&b);
	for (size_t i = 0; i < b.n; i++)
		fill_block(&b, &b.blocks[i]);
	if (b.n)
		qsort(b.blocks, b.n, sizeof *b.blocks, by_place);
	rc = wh_nsg_number(plan, b.blocks, b.n, b.gone, mem, err);
	if (!rc && over)
		rc = wh_nsg_remove_overdue(plan, e, opt, mem, &notes, err);
	*made |= *notes != 0;
	plan->notes = rc ? "" : wh_arena_printf(mem, "%s%s", notes_of(&b), notes);
	return rc;
}

int wh_nsg_plans(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt, struct wh_arena *mem,
                 struct wh_nsg_plan **out, size_t *n, struct wh_error *err)
{
	int rc = 0;
	bool made;
	*out = wh_arena_array(mem, e->n_nsgs + r->n_resources, sizeof **out);
	*n = 0;
	for (size_t i = 0; i < e->n_nsgs && !rc; i++) {
		const struct wh_nsg *nsg = &e->nsgs[i];
		if (!wh_nsg_named(nsg, opt))
			continue;
		rc = plan_group(r, e, opt, nsg, NULL, mem, &(*out)[*n], &made, err);
		*n += !rc && made;
	}
	for (size_t i = 0; i < r->n_resources && !rc && !(opt && opt->nsg); i++)
		if (!r->resources[i].resource->n_nsgs) {
			rc = plan_group(r, e, opt, NULL, r->resources[i].resource, mem, &(*out)[*n], &made, err);
			*n += !rc && made;
		}
	return rc;
}
