/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The present policy of one port of one resource: by the rules of its groups, or by those of the machine itself. */
#include <string.h>
#include "harden/advice.h"

/* The first rule, by priority, that allows any peer to the port of one of the resource's addresses, in each NSG; `narrows` gets
 * the name from the last NSG that has one. Our own rule that leaves everything else open counts as none. */
static void find_opening_rules(const struct wh_resource *r, const struct wh_tag_context *tags, enum wh_direction d, uint8_t proto,
                               uint16_t port, struct wh_arena *mem, struct wh_present *out)
{
	out->explicit_allow = true;
	for (size_t i = 0; i < r->n_nsgs; i++) {
		const struct wh_rule *found = NULL;
		for (size_t k = 0; k < r->n_addrs; k++) {
			const struct wh_rule *one = wh_nsg_opener(r->nsgs[i], tags,
			                                          &(struct wh_nsg_question){d, proto, &r->addrs[k], port}, mem);
			if (one && (!found || one->priority < found->priority))
				found = one;
		}
		out->explicit_allow = out->explicit_allow && found;
		if (found && !wh_rule_is_everything_else(found) && !wh_nsg_is_acl(r->nsgs[i])) {
			out->narrows = wh_arena_printf(mem, "%s: %s", r->nsgs[i]->name, found->name);
			out->note = found->note ? found->note : out->note;
		}
	}
}

static bool is_carve_out(const struct wh_rule *r)
{
	return r->origin == WH_ORIGIN_WHITTLE && !r->allow && r->n_peers && r->peers[0].len &&
	       (r->n_peers > 1 || r->peers[0].len != wh_prefix_all_v4.len);
}

static bool is_ours(const struct wh_rule *r)
{
	return r->origin == WH_ORIGIN_WHITTLE;
}

static const struct wh_nsg **groups_without(const struct wh_resource *r, bool (*gone)(const struct wh_rule *r),
                                            struct wh_arena *mem)
{
	const struct wh_nsg **list = wh_arena_array(mem, r->n_nsgs, sizeof *list);
	for (size_t i = 0; i < r->n_nsgs; i++) {
		struct wh_nsg *less = wh_arena_alloc(mem, sizeof *less);
		*less = wh_nsg_without(r->nsgs[i], gone, mem);
		list[i] = less;
	}
	return list;
}

static bool any_rule(const struct wh_resource *r, bool (*is)(const struct wh_rule *r))
{
	for (size_t i = 0; i < r->n_nsgs; i++)
		for (size_t k = 0; k < r->nsgs[i]->n_rules; k++)
			if (is(&r->nsgs[i]->rules[k]))
				return true;
	return false;
}

/* A port of a resource, with its groups' rules. */
struct port_of {
	const struct wh_resource *r;
	const struct wh_tag_context *tags;
	enum wh_direction d;
	uint8_t proto;
	uint16_t port;
	struct wh_arena *mem;
};

static struct wh_ranges of_family(struct wh_ranges r, bool v4, struct wh_arena *mem)
{
	return wh_ranges_intersect(r, wh_ranges_family(v4, mem), mem);
}

/* The peers that other groups would let in at some address of the resource. */
static struct wh_judged at_any_address(const struct port_of *p, const struct wh_nsg *const *nsgs)
{
	struct wh_judged all = {0}, one;
	for (size_t i = 0; i < p->r->n_addrs; i++) {
		const struct wh_addr *local = &p->r->addrs[i];
		bool v4 = wh_addr_is_v4(local);
		wh_policy_judge(nsgs, p->r->n_nsgs, p->tags, &(struct wh_nsg_question){p->d, p->proto, local, p->port}, p->mem,
		                &one);
		all.allowed = wh_ranges_union(all.allowed, of_family(one.allowed, v4, p->mem), p->mem);
		all.opened = wh_ranges_union(all.opened, of_family(one.opened, v4, p->mem), p->mem);
	}
	return all;
}

/* Rules of an earlier export are no wish of a person. Their carve-outs are made again rather than cut around, and the peers that
 * a person named are read from the person's own rules. So the same traffic gives the same rule again. */
static void see_through_ours(const struct port_of *p, struct wh_present *out)
{
	struct wh_ranges whole = out->allowed, named = {0};
	if (any_rule(p->r, is_carve_out)) {
		whole = wh_ranges_union(whole, at_any_address(p, groups_without(p->r, is_carve_out, p->mem)).allowed, p->mem);
		out->carved = wh_ranges_minus(whole, out->allowed, p->mem);
	}
	wh_ranges_to_prefixes(whole, p->mem, &out->prefixes, &out->n_prefixes);
	if (any_rule(p->r, is_ours))
		named = at_any_address(p, groups_without(p->r, is_ours, p->mem)).opened;
	if (named.n) {
		wh_ranges_to_prefixes(named, p->mem, &out->named, &out->n_named);
	} else {
		out->named = out->prefixes;
		out->n_named = out->n_prefixes;
	}
}

static void by_groups(const struct port_of *p, struct wh_present *out)
{
	const struct wh_resource *r = p->r;
	struct wh_arena *mem = p->mem;
	find_opening_rules(r, p->tags, p->d, p->proto, p->port, mem, out);
	for (int v4 = 0; v4 < 2; v4++) {
		struct wh_ranges first = {0};
		bool have = false;
		for (size_t i = 0; i < r->n_addrs; i++) {
			struct wh_judged now;
			if (wh_addr_is_v4(&r->addrs[i]) != (bool)v4)
				continue;
			wh_policy_judge(r->nsgs, r->n_nsgs, p->tags,
			                &(struct wh_nsg_question){p->d, p->proto, &r->addrs[i], p->port}, mem, &now);
			struct wh_ranges one = of_family(now.allowed, v4, mem);
			if (now.unknown && !out->unknown)
				out->unknown = wh_rule_unknown_text(now.unknown, p->tags, mem);
			out->opened = wh_ranges_union(out->opened, of_family(now.opened, v4, mem), mem);
			out->differs = out->differs || (have && !wh_ranges_eq(one, first));
			first = one;
			have = true;
		}
		out->allowed = wh_ranges_union(out->allowed, first, mem);
	}
	see_through_ours(p, out);
}

/* ---- by the machine's own rules ---- */

/* Small ranges that they keep out are carved out rather than cut around, as those that whittle's rules keep out of a group. */
static void by_host(const struct port_of *p, struct wh_present *out)
{
	struct wh_ranges whole = {0}, first[2] = {{0}};
	bool have[2] = {false};
	out->explicit_allow = true;
	for (size_t i = 0; i < p->r->host->n; i++) {
		const struct wh_addr *local = &p->r->host->at[i].addr;
		bool v4 = wh_addr_is_v4(local);
		struct wh_host_judged j;
		wh_host_judge(p->r->host, &(struct wh_nsg_question){p->d, p->proto, local, p->port}, p->mem, &j);
		out->unknown = out->unknown ? out->unknown : j.unknown;
		out->note = out->note ? out->note
		            : j.note  ? wh_arena_printf(p->mem, "some of it may be dropped: %s", j.note)
		                      : NULL;
		out->narrows = out->narrows ? out->narrows : j.by;
		out->differs |= have[v4] && !wh_ranges_eq(j.allowed, first[v4]);
		first[v4] = j.allowed;
		have[v4] = true;
		out->allowed = wh_ranges_union(out->allowed, j.allowed, p->mem);
		whole = wh_ranges_union(whole, j.whole, p->mem);
	}
	out->opened = out->allowed;
	out->carved = wh_ranges_minus(whole, out->allowed, p->mem);
	wh_ranges_to_prefixes(whole, p->mem, &out->prefixes, &out->n_prefixes);
	out->named = out->prefixes;
	out->n_named = out->n_prefixes;
}

int wh_present(const struct wh_estate *e, const struct wh_resource *r, enum wh_direction d, uint8_t proto, uint16_t port,
               struct wh_arena *mem, struct wh_present *out, struct wh_error *err)
{
	const struct wh_tag_context tags = wh_estate_tags(e);
	const struct port_of p = {r, &tags, d, proto, port, mem};

	*out = (struct wh_present){0};
	(void)err;
	if (r->host)
		by_host(&p, out);
	else
		by_groups(&p, out);
	return 0;
}
