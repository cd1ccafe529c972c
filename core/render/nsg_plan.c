/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Putting narrowed rules into a group without changing any other decision.
 *
 * For one resource, direction, protocol and port let F be the first rule that lets a peer through that is not proposed. Before F
 * come: a deny for the carve-outs, an allow for the proposed prefixes, a deny for everything else, each for the resource's own
 * addresses and that one port only. Any rule before F that decides there denies, or allows only proposed peers; the proposal is a
 * subset of what the group allows; so afterwards exactly (before ∧ proposed) passes on that port, and nothing else changes. The
 * result is verified: wh_nsg_plan_verify() reads it back and compares. A rule whose reach is not known (an application security
 * group, a tag without addresses here) stays where it is, ahead of ours. So does a rule of just-in-time access: it is never
 * narrowed, and its peers pass for as long as it exists. Neither such rules nor those that Terraform made are moved: their makers
 * would put them back (except in Terraform's own format). Azure refuses a rule that mixes address families, so each family has a
 * block of its own. Ports of one resource for which the same prefixes were chosen, and which narrow the same rule, share one (an
 * augmented rule): a group holds 1,000 rules.
 *
 *   300 allow ssh from 140.20.30.0/24, five of 140.20.30.8/29 seen:   298 allow 140.20.30.8/29 → vm1:22,  299 deny * → vm1:22,
 * 300 as it was
 */
#include <stdlib.h>
#include "render/nsg_build.h"

enum { MAX_BLOCKS = 20000 }; /* before blocks that differ only in their ports are merged */

static bool expressible(uint8_t proto)
{
	return proto == WH_PROTO_ANY || proto == WH_PROTO_TCP || proto == WH_PROTO_UDP || proto == WH_PROTO_ICMP || proto == 50 ||
	       proto == 51;
}

static bool has_family(const struct wh_resource *r, bool v4)
{
	for (size_t i = 0; i < r->n_addrs; i++)
		if (wh_addr_is_v4(&r->addrs[i]) == v4)
			return true;
	return false;
}

static struct wh_nsg_narrowing narrowing(const struct wh_nsg_block *k)
{
	const struct wh_recommended_rule *r = k->rule;
	return (struct wh_nsg_narrowing){.direction = r->direction,
	                                 .proto = r->proto,
	                                 .port = r->port,
	                                 .prefixes = r->prefixes,
	                                 .n_prefixes = r->n_prefixes,
	                                 .except = r->except,
	                                 .n_except = r->n_except,
	                                 .locals = k->resource->addrs,
	                                 .n_locals = k->resource->n_addrs,
	                                 .v4 = k->v4};
}

bool wh_nsg_needed(struct wh_nsg_builder *b, struct wh_nsg_block *k)
{
	const struct wh_nsg_narrowing w = narrowing(k);
	wh_nsg_pass(b->nsg, &b->tags, &w, b->mem, &b->plan->regions, &k->pass);
	return k->pass.more;
}

static int place(const struct wh_nsg_builder *b, struct wh_nsg_block *k)
{
	const struct wh_nsg_narrowing w = narrowing(k);
	struct wh_nsg_place at;
	int rc = wh_nsg_find_place(b->nsg, b->gone, &b->tags, &w, b->mem, &at, b->err);
	k->before = at.before;
	k->floor = at.floor;
	return rc;
}

/* The group complies with the rule, but its deny names another day until which the original is kept. */
static bool other_day(const struct wh_nsg_builder *b, const struct wh_nsg_block *k)
{
	const struct wh_rule *deny = b->nsg && b->opt && b->opt->keep_until
	                                     ? wh_rule_named(b->nsg, wh_nsg_deny_name(k, 0, b->mem))
	                                     : NULL;
	struct wh_kept kept;
	return deny && wh_kept_parse(deny->description, b->mem, &kept) && strcmp(kept.until, b->opt->keep_until) != 0;
}

/* A block for each family of each rule that the group does not comply with yet. */
static int add_blocks(struct wh_nsg_builder *b, const struct wh_resource_result *res)
{
	for (size_t i = 0; i < res->n_rules; i++)
		for (int v4 = 1; v4 >= 0; v4--) {
			struct wh_nsg_block block = {.resource = res->resource, .rule = &res->rules[i], .v4 = v4};
			char proto[8];
			if (!has_family(res->resource, v4))
				continue;
			if (!expressible(block.rule->proto))
				return wh_fail(b->err, -ENOTSUP, "%s: an NSG can't match protocol %s", b->plan->name,
				               wh_proto_text(block.rule->proto, proto));
			if (!wh_nsg_needed(b, &block) && !other_day(b, &block))
				continue;
			if (b->n == MAX_BLOCKS)
				return wh_fail(
					b->err, -E2BIG,
					"%s: far more than the 1,000 rules that Azure takes in one group would be needed: split it",
					b->plan->name);
			if (block.pass.differs)
				return wh_fail(
					b->err, -ENOTSUP,
					"%s: rules for port %u match on source ports, and not in the same way for all addresses of %s: narrow it by hand, or "
					"delete the recommended rule",
					b->plan->name, block.rule->port, res->resource->name);
			b->blocks = wh_arena_grown(b->mem, b->blocks, b->n, &b->room, sizeof *b->blocks);
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


static bool holds_ours(const struct wh_nsg *nsg)
{
	for (size_t i = 0; i < nsg->n_rules; i++)
		if (nsg->rules[i].origin == WH_ORIGIN_WHITTLE)
			return true;
	return false;
}

/* The input of planning groups. */
struct planning {
	const struct wh_recommendation *recommendation;
	const struct wh_estate *estate;
	const struct wh_render_options *opt;
	struct wh_arena *mem;
};

static const char *name_of(const struct wh_nsg *nsg, const struct wh_resource *only, struct wh_arena *mem)
{
	if (nsg)
		return nsg->name;
	return only ? wh_arena_printf(mem, "whittle-%s", wh_nsg_clean_name(only->name, 60, mem)) : "whittle";
}

/* Plans one group (nsg), or a new one for the one resource `only`. *made is false if there is nothing to change. */
static int plan_group(const struct planning *p, const struct wh_nsg *nsg, const struct wh_resource *only,
                      struct wh_nsg_plan *plan, bool *made, struct wh_error *err)
{
	const struct wh_recommendation *r = p->recommendation;
	const struct wh_estate *e = p->estate;
	const struct wh_render_options *opt = p->opt;
	struct wh_arena *mem = p->mem;
	struct wh_nsg_builder b = {
		.mem = mem, .err = err, .tags = wh_estate_tags(e), .opt = opt, .plan = plan, .nsg = nsg, .all = r};
	bool over = wh_nsg_overdue(nsg, opt, mem);
	const char *notes = "";
	int rc = 0;
	b.gone = wh_arena_array(mem, nsg ? nsg->n_rules : 0, sizeof *b.gone);
	*plan = (struct wh_nsg_plan){.nsg = nsg,
	                             .name = name_of(nsg, only, mem),
	                             .move_terraform = opt && opt->move_terraform,
	                             .beside = opt && opt->beside};
	for (size_t i = 0; i < r->n_resources && !rc; i++) {
		const struct wh_resource *res = r->resources[i].resource;
		bool in = (nsg ? wh_resource_guarded_by(res, nsg) : !res->n_nsgs) && wh_nsg_resource_asked(res, opt) &&
		          (!only || only == res);
		if (in && nsg)
			rc = wh_nsg_in_scope(nsg, res, opt, &in, err);
		if (in && !rc)
			rc = add_blocks(&b, &r->resources[i]);
	}
	*made = b.n > 0 || (nsg && opt && opt->whole && wh_nsg_asked(nsg, e, opt) && holds_ours(nsg));
	if (rc || (!*made && !over))
		return rc;
	if (nsg)
		wh_nsg_find_gone(&b);
	for (size_t i = 0; nsg && i < b.n && !rc; i++)
		rc = place(&b, &b.blocks[i]);
	if (rc)
		return rc;
	wh_nsg_join_ports(&b);
	for (size_t i = 0; i < b.n; i++)
		wh_nsg_fill(&b, &b.blocks[i]);
	if (plan->beside && nsg)
		wh_nsg_stand_beside(&b);
	if (b.n)
		qsort(b.blocks, b.n, sizeof *b.blocks, by_place);
	rc = wh_nsg_number(plan, b.blocks, b.n, b.gone, mem, err);
	if (!rc && over)
		rc = wh_nsg_remove_overdue(plan, e, opt, mem, &notes, err);
	*made |= *notes != 0;
	plan->notes = rc ? "" : wh_arena_printf(mem, "%s%s", wh_nsg_plan_notes(&b), notes);
	return rc;
}

json_t *wh_nsg_plan_json(const struct wh_nsg_plan *p)
{
	return wh_nsg_json(p->nsg, p->name, p->entries, p->n);
}

json_t *wh_nsg_plan_arm(const struct wh_nsg_plan *p)
{
	return wh_nsg_arm(p->name, wh_nsg_plan_json(p));
}

int wh_nsg_plan_verify(const struct wh_nsg_plan *p, const struct wh_tag_context *tags, struct wh_arena *mem, struct wh_error *err)
{
	json_t *doc = wh_nsg_plan_json(p);
	int rc = wh_nsg_verify(p->name, doc, p->regions.r, p->regions.n, tags, mem, err);
	json_decref(doc);
	return rc;
}

int wh_nsg_plans(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt,
                 struct wh_arena *mem, struct wh_nsg_plan **out, size_t *n, struct wh_error *err)
{
	const struct planning p = {r, e, opt, mem};
	int rc = 0;
	bool made;
	*out = wh_arena_array(mem, e->n_nsgs + r->n_resources, sizeof **out);
	*n = 0;
	for (size_t i = 0; i < e->n_nsgs && !rc; i++) {
		const struct wh_nsg *nsg = &e->nsgs[i];
		if (nsg->aws || !wh_nsg_named(nsg, opt))
			continue;
		rc = plan_group(&p, nsg, NULL, &(*out)[*n], &made, err);
		*n += !rc && made;
	}
	for (size_t i = 0; i < r->n_resources && !rc && !(opt && opt->nsg); i++)
		if (!r->resources[i].resource->n_nsgs) {
			rc = plan_group(&p, NULL, r->resources[i].resource, &(*out)[*n], &made, err);
			*n += !rc && made;
		}
	return rc;
}
