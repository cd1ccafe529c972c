/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rule of the group a block narrows, what must stay ahead of it, and what must pass afterwards.
 *
 * All is asked for each local address, and for each class of source ports that the group treats alike (one, but for groups whose rules tell
 * source ports apart): the first rule that is to be narrowed for any of them is the one that the block stands before.
 *
 * A rule whose reach is not known may decide anything that is still open where it stands. Ahead of the block it stays ahead. Behind it, it could
 * let in peers whom the block's deny would cut off, and what an allow behind an unknown deny lets in is as little known; so such an edit is
 * refused by the rule's name, as for a just-in-time opening that would be cut off.
 */
#include "render/nsg_build.h"

static struct wh_ranges family(bool v4, struct wh_arena *mem)
{
	return wh_ranges_from_prefixes(v4 ? &wh_prefix_all_v4 : &wh_prefix_all_v6, 1, mem);
}

/* With the load balancer's probes, which pass as before wherever a port is narrowed. */
static struct wh_ranges proposed_by(const struct wh_nsg_block *b, struct wh_arena *mem)
{
	struct wh_ranges p = wh_ranges_from_prefixes(b->rule->prefixes, b->rule->n_prefixes, mem);
	p = wh_ranges_minus(p, wh_ranges_from_prefixes(b->rule->except, b->rule->n_except, mem), mem);
	if (b->rule->direction == WH_INBOUND)
		p = wh_ranges_union(p, wh_ranges_from_prefixes(&wh_azure_probes, 1, mem), mem);
	return wh_ranges_intersect(p, family(b->v4, mem), mem);
}

/* ---- the place ---- */

struct place {
	const struct wh_rule *before, *floor; /* NULL: none */
	const struct wh_rule *cut;            /* an allow behind `before`, whose peers our deny would cut off … */
	const struct wh_rule *blind;          /* an allow behind a floor that denies whom nobody knows: where the block is needed for another address or
	                                       * source port, its deny would cut off peers here that were not judged */
	const struct wh_rule *behind;         /* … because it stands behind this deny of unknown reach; NULL: because of itself */
};

struct walk {
	const struct wh_nsg_builder *b;
	const struct wh_nsg_block *block;
	const struct wh_nsg *seen;            /* the group from one source port; its rules stand where the group's do */
	const struct wh_addr *local;
	struct wh_ranges open, proposed;
	struct wh_arena *mem;
};

static const struct wh_rule *original(const struct walk *w, size_t i)
{
	return &w->b->nsg->rules[i];
}

static enum wh_match match_at(const struct walk *w, size_t i)
{
	const struct wh_recommended_rule *rec = w->block->rule;
	return wh_rule_match(&w->seen->rules[i], &w->b->tags, rec->direction, rec->proto, w->local, rec->port, w->mem);
}

/* What a rule of unknown reach, or of just-in-time access, lets in behind `from` must not meet our deny before it. */
static void find_cut(struct walk *w, size_t from, struct place *at)
{
	struct wh_ranges open = w->open;
	const struct wh_rule *doubt = NULL; /* a deny of unknown reach that was passed */
	for (size_t i = from; i < w->b->nsg->n_rules && open.n && !at->cut; i++) {
		const struct wh_rule *r = &w->seen->rules[i];
		enum wh_match match = w->b->gone[i] ? WH_MATCH_NO : match_at(w, i);
		bool unknown;
		if (match == WH_MATCH_NO)
			continue;
		struct wh_ranges peers = wh_rule_peers(r, &w->b->tags, w->mem, &unknown), hit = wh_ranges_intersect(open, peers, w->mem);
		struct wh_ranges reach = unknown ? open : hit;
		unknown |= match == WH_MATCH_MAYBE;
		if (r->allow && (unknown || doubt || r->origin == WH_ORIGIN_JIT) && wh_ranges_minus(reach, w->proposed, w->mem).n) {
			at->cut = original(w, i);
			at->behind = unknown || r->origin == WH_ORIGIN_JIT ? NULL : doubt;
		}
		if (!r->allow && unknown)
			doubt = original(w, i);
		if (match == WH_MATCH_YES)
			open = wh_ranges_minus(open, hit, w->mem);
	}
}

/* Behind a deny of unknown reach nobody passes for certain, but somebody may. */
static void find_blind(struct walk *w, size_t from, struct place *at)
{
	struct wh_ranges open = w->open;
	for (size_t i = from + 1; i < w->b->nsg->n_rules && open.n && !at->blind; i++) {
		enum wh_match match = w->b->gone[i] ? WH_MATCH_NO : match_at(w, i);
		bool unknown;
		if (match == WH_MATCH_NO)
			continue;
		struct wh_ranges hit = wh_ranges_intersect(open, wh_rule_peers(&w->seen->rules[i], &w->b->tags, w->mem, &unknown), w->mem);
		if (w->seen->rules[i].allow && (hit.n || unknown)) {
			at->blind = original(w, i);
			at->behind = original(w, from);
		}
		if (match == WH_MATCH_YES)
			open = wh_ranges_minus(open, hit, w->mem);
	}
}

/* Where rules of an earlier export decide, the new ones take their place at the latest: somebody may have put a rule behind them since. Rules of
 * just-in-time access are never narrowed, and stay ahead. */
static void find_place(struct walk *w, struct place *at)
{
	bool passed_gone = false;
	*at = (struct place){0};
	for (size_t i = 0; i < w->b->nsg->n_rules && w->open.n; i++) {
		const struct wh_rule *r = &w->seen->rules[i];
		enum wh_match match = match_at(w, i);
		bool unknown;
		if (w->b->gone[i]) {
			passed_gone |= match != WH_MATCH_NO;
			continue;
		}
		bool jit = r->origin == WH_ORIGIN_JIT && match != WH_MATCH_NO;
		struct wh_ranges hit = {0};
		unknown = false;
		if (match != WH_MATCH_NO)
			hit = wh_ranges_intersect(w->open, wh_rule_peers(r, &w->b->tags, w->mem, &unknown), w->mem);
		bool unsure = match == WH_MATCH_MAYBE || unknown;
		if ((passed_gone && r->direction == w->block->rule->direction && !jit) ||
		    (r->allow && match == WH_MATCH_YES && !jit && wh_ranges_minus(hit, w->proposed, w->mem).n)) {
			at->before = original(w, i);
			find_cut(w, i, at);
			return;
		}
		if (unsure || jit)
			at->floor = original(w, i);
		if (!r->allow && unknown) {
			find_blind(w, i, at);
			return;
		}
		if (!r->allow || match == WH_MATCH_YES)
			w->open = wh_ranges_minus(w->open, hit, w->mem);
	}
}

static int refuse_cut(const struct wh_nsg_builder *b, const struct wh_rule *cut, const struct wh_rule *behind, const struct wh_rule *before)
{
	if (cut->origin == WH_ORIGIN_JIT)
		return wh_fail(b->err, -EBUSY, "%s: %s lets somebody in just in time, behind %s which is to be narrowed, and would be cut off: close it first, or wait until it ends",
		               b->plan->name, cut->name, before->name);
	return wh_fail(b->err, -EBUSY, "%s: %s stands behind %s which is to be narrowed, and lets in peers that the deny would cut off: %s; delete the recommended rule "
	               "(`whittle rules delete`), or narrow the group by hand", b->plan->name, cut->name, before->name,
	               behind ? wh_arena_printf(b->mem, "whom %s denies ahead of it is not known here", behind->name) : wh_rule_unknown_text(cut, &b->tags, b->mem));
}

int wh_nsg_place(const struct wh_nsg_builder *b, struct wh_nsg_block *block)
{
	struct wh_arena *scratch = wh_arena_new();
	const struct wh_rule *cut = NULL, *behind = NULL, *blind = NULL, *blinds = NULL;
	struct wh_port_range *classes;
	size_t n = wh_source_ports(&b->nsg, 1, block->rule->direction, block->rule->proto, block->rule->port, scratch, &classes);
	struct wh_ranges proposed = proposed_by(block, scratch);
	for (size_t i = 0; i < block->resource->n_addrs * n; i++) {
		const struct wh_addr *local = &block->resource->addrs[i / n];
		struct place at;
		if (wh_addr_is_v4(local) != block->v4)
			continue;
		struct wh_nsg seen = wh_nsg_from_port(b->nsg, classes[i % n].from, scratch);
		struct walk w = {b, block, &seen, local, family(block->v4, scratch), proposed, scratch};
		find_place(&w, &at);
		if (at.before && (!block->before || at.before->priority < block->before->priority))
			block->before = at.before;
		if (at.floor && (!block->floor || at.floor->priority > block->floor->priority))
			block->floor = at.floor;
		if (at.cut)
			cut = at.cut, behind = at.behind;
		if (at.blind)
			blind = at.blind, blinds = at.behind;
	}
	wh_arena_free(scratch);
	if (block->before && block->floor && block->floor->priority >= block->before->priority) {
		if (!cut && block->floor->allow)
			cut = block->floor;
		block->floor = NULL;
	}
	if (!cut && blind && block->before)
		cut = blind, behind = blinds;
	return cut ? refuse_cut(b, cut, behind, block->before) : 0;
}

/* ---- what must pass ---- */

static struct wh_ranges copy_of(struct wh_ranges r, struct wh_arena *mem)
{
	struct wh_ranges out = {wh_arena_array(mem, r.n, sizeof *out.r), r.n};
	if (r.n)
		memcpy(out.r, r.r, r.n * sizeof *r.r);
	return out;
}

static struct wh_ranges passes_now(const struct wh_nsg_builder *b, const struct wh_nsg *seen, const struct wh_recommended_rule *rule, const struct wh_addr *local,
                                   struct wh_arena *mem)
{
	struct wh_ranges was;
	wh_policy_allowed(&seen, seen ? 1 : 0, &b->tags, local, rule->direction, rule->proto, rule->port, mem, &was, NULL, NULL);
	return wh_ranges_intersect(was, family(wh_addr_is_v4(local), mem), mem);
}

/* Who passes because a just-in-time rule says so: whoever would not, were those denies. */
static struct wh_ranges let_in_by_jit(const struct wh_nsg_builder *b, const struct wh_nsg *seen, const struct wh_recommended_rule *rule,
                                      const struct wh_addr *local, struct wh_ranges was, struct wh_arena *mem)
{
	struct wh_nsg closed = seen ? *seen : (struct wh_nsg){0};
	bool any = false;
	closed.rules = wh_arena_array(mem, closed.n_rules, sizeof *closed.rules);
	for (size_t i = 0; i < closed.n_rules; i++) {
		closed.rules[i] = seen->rules[i];
		if (closed.rules[i].origin == WH_ORIGIN_JIT && closed.rules[i].allow) {
			closed.rules[i].allow = false;
			any = true;
		}
	}
	return any ? wh_ranges_minus(was, passes_now(b, &closed, rule, local, mem), mem) : (struct wh_ranges){0};
}

static bool equal(struct wh_ranges a, struct wh_ranges b, struct wh_arena *mem)
{
	return !wh_ranges_minus(a, b, mem).n && !wh_ranges_minus(b, a, mem).n;
}

/* The local addresses of a block are to be treated alike by what it allows from each class of source ports. */
struct ends { struct wh_ranges *of_class; bool *known; bool split, differs; };

/* What must pass afterwards at one local address of a block from one class of source ports. True when more passes now. */
static bool add_region(struct wh_nsg_builder *b, struct wh_nsg_block *block, const struct wh_addr *local, struct wh_port_range class, size_t at,
                       struct ends *ends, struct wh_arena *scratch)
{
	const struct wh_recommended_rule *rule = block->rule;
	struct wh_nsg view = b->nsg ? wh_nsg_from_port(b->nsg, class.from, scratch) : (struct wh_nsg){0}, *seen = b->nsg ? &view : NULL;
	struct wh_ranges proposed = proposed_by(block, scratch), was = passes_now(b, seen, rule, local, scratch);
	struct wh_ranges jit = let_in_by_jit(b, seen, rule, local, was, scratch), pass = wh_ranges_intersect(was, proposed, scratch);
	struct wh_ranges plain = wh_ranges_minus(proposed, wh_ranges_from_prefixes(&wh_azure_probes, 1, scratch), scratch);
	ends->split |= wh_ranges_minus(plain, was, scratch).n > 0;
	ends->differs |= ends->known[at] && !equal(ends->of_class[at], pass, scratch);
	ends->of_class[at] = pass;
	ends->known[at] = true;
	b->plan->regions = wh_arena_grown(b->mem, b->plan->regions, b->plan->n_regions, &b->room_regions, sizeof *b->plan->regions);
	b->plan->regions[b->plan->n_regions++] = (struct wh_nsg_region){rule->direction, rule->proto, rule->port, class.from, *local,
	                                                               copy_of(wh_ranges_union(pass, wh_ranges_intersect(was, jit, scratch), scratch), b->mem)};
	return wh_ranges_minus(was, wh_ranges_union(proposed, jit, scratch), scratch).n > 0;
}

/* The addresses of a block that the load balancer's probes reach, and would not reach any more by the proposed prefixes alone. */
static void find_probed(struct wh_nsg_builder *b, struct wh_nsg_block *block, struct wh_arena *scratch)
{
	const struct wh_recommended_rule *r = block->rule;
	struct wh_ranges plain = wh_ranges_minus(wh_ranges_from_prefixes(r->prefixes, r->n_prefixes, scratch),
	                                         wh_ranges_from_prefixes(r->except, r->n_except, scratch), scratch);
	block->probed = wh_arena_array(b->mem, block->resource->n_addrs, sizeof *block->probed);
	block->n_probed = 0;
	for (size_t i = 0; i < block->resource->n_addrs && r->direction == WH_INBOUND && block->v4; i++) {
		const struct wh_addr *local = &block->resource->addrs[i];
		if (!wh_addr_is_v4(local) || wh_ranges_has(plain, &wh_azure_probes.addr))
			continue;
		if (wh_ranges_has(passes_now(b, b->nsg, r, local, scratch), &wh_azure_probes.addr))
			block->probed[block->n_probed++] = wh_prefix_of(local, 128);
	}
}

/* One allow for each set of peers, with the source ports that they pass from. */
static void split(struct wh_nsg_builder *b, struct wh_nsg_block *block, const struct wh_port_range *classes, size_t n, const struct ends *ends,
                  struct wh_arena *scratch)
{
	block->sources_split = wh_arena_array(b->mem, n, sizeof *block->sources_split);
	for (size_t c = 0; c < n; c++) {
		struct wh_nsg_source *s = block->sources_split;
		size_t k = 0, same = c;
		for (size_t j = 0; j < c && same == c; j++)
			same = equal(ends->of_class[j], ends->of_class[c], scratch) ? j : c;
		if (!ends->of_class[c].n || same < c)
			continue;
		s += block->n_split++;
		s->src = wh_arena_array(b->mem, n, sizeof *s->src);
		for (size_t j = c; j < n; j++)
			if (equal(ends->of_class[j], ends->of_class[c], scratch)) {
				if (s->n_src && s->src[s->n_src - 1].to + 1 == classes[j].from)
					s->src[s->n_src - 1].to = classes[j].to;
				else
					s->src[s->n_src++] = classes[j];
			}
		if (s->n_src == 1 && !s->src[0].from && s->src[0].to == 65535)
			s->n_src = 0;
		wh_ranges_to_prefixes(ends->of_class[c], b->mem, &s->peers, &k);
		s->n_peers = k;
	}
}

/* True when the group lets through more than is proposed. What is as it should be must stay so, and has its regions too. */
bool wh_nsg_needed(struct wh_nsg_builder *b, struct wh_nsg_block *block)
{
	struct wh_arena *scratch = wh_arena_new();
	struct wh_port_range *classes;
	size_t n = wh_source_ports(&b->nsg, b->nsg ? 1 : 0, block->rule->direction, block->rule->proto, block->rule->port, scratch, &classes);
	struct ends ends = {wh_arena_array(scratch, n, sizeof *ends.of_class), wh_arena_array(scratch, n, sizeof *ends.known), false, false};
	bool more = false;
	for (size_t i = 0; i < block->resource->n_addrs; i++)
		for (size_t c = 0; c < n && wh_addr_is_v4(&block->resource->addrs[i]) == block->v4; c++)
			more |= add_region(b, block, &block->resource->addrs[i], classes[c], c, &ends, scratch);
	block->n_split = 0;
	for (size_t c = 1; c < n; c++)
		ends.split |= !equal(ends.of_class[c], ends.of_class[0], scratch);
	if (ends.split && n > 1) {
		block->differs = ends.differs;
		split(b, block, classes, n, &ends, scratch);
	}
	find_probed(b, block, scratch);
	wh_arena_free(scratch);
	return more;
}
