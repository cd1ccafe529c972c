/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rule of the group a block narrows, what must stay ahead of it, and what must pass afterwards. */
#include "render/nsg_build.h"

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

struct place {
	const struct wh_rule *before, *floor; /* NULL: none */
	const struct wh_rule *cut;            /* a just-in-time allow behind `before`, which our deny would cut off */
};

/* Whom a just-in-time allow lets in must not meet our deny before it. */
static void find_cut(const struct wh_nsg_builder *b, const struct wh_nsg_block *block, const struct wh_addr *local, struct wh_ranges open, struct wh_ranges proposed,
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
static void find_place(const struct wh_nsg_builder *b, const struct wh_nsg_block *block, const struct wh_addr *local, struct wh_ranges proposed,
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
static struct wh_ranges let_in_by_jit(const struct wh_nsg_builder *b, const struct wh_recommended_rule *rule, const struct wh_addr *local, struct wh_ranges was,
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
static bool add_region(struct wh_nsg_builder *b, const struct wh_nsg_block *block, const struct wh_addr *local, struct wh_arena *scratch)
{
	const struct wh_nsg *list[] = {b->nsg};
	struct wh_ranges proposed = proposed_by(block, scratch), was;
	wh_policy_allowed(list, b->nsg ? 1 : 0, &b->tags, local, block->rule->direction, block->rule->proto, block->rule->port, scratch, &was, NULL, NULL);
	was = wh_ranges_intersect(was, family(block->v4, scratch), scratch);
	proposed = wh_ranges_union(proposed, let_in_by_jit(b, block->rule, local, was, scratch), scratch);
	WH_NSG_GROW(b->plan->regions, b->plan->n_regions, b->room_regions, b->mem);
	b->plan->regions[b->plan->n_regions++] = (struct wh_nsg_region){block->rule->direction, block->rule->proto, block->rule->port, *local,
	                                                               copy_of(wh_ranges_intersect(was, proposed, scratch), b->mem)};
	return wh_ranges_minus(was, proposed, scratch).n > 0;
}

/* True when the group lets through more than is proposed. What is as it should be must stay so, and has its regions too. */
bool wh_nsg_needed(struct wh_nsg_builder *b, const struct wh_nsg_block *block)
{
	struct wh_arena *scratch = wh_arena_new();
	bool more = false;
	for (size_t i = 0; i < block->resource->n_addrs; i++)
		if (wh_addr_is_v4(&block->resource->addrs[i]) == block->v4)
			more |= add_region(b, block, &block->resource->addrs[i], scratch);
	wh_arena_free(scratch);
	return more;
}

int wh_nsg_place(const struct wh_nsg_builder *b, struct wh_nsg_block *block)
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
