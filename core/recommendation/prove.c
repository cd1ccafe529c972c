/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The proof that a proposal only narrows.
 *
 * A recommended rule defines, for one direction, protocol and port, exactly the peers that may pass; every other port is
 * unchanged. So proposed ⊆ present holds if and only if, for each rule and each address of the resource, the peers that the rule
 * allows are a subset of those that the present policy allows. Both are exact sets of addresses (whittle/policy.h; a group is
 * evaluated as a filter, see nsg/filter.h), so their difference is empty or holds a counter-example; the smallest is the first
 * address of the difference of the first rule, in the order of direction, protocol, port, that has one. A peer is compared only
 * with local addresses of its own family: no packet has two. If a machine's own rules are the present policy, they are evaluated
 * the same way, at the addresses that they were read for.
 */
#include <stdlib.h>
#include <string.h>
#include "whittle/recommendation.h"

static int by_region(const void *a, const void *b)
{
	const struct wh_recommended_rule *x = *(const struct wh_recommended_rule *const *)a,
					 *y = *(const struct wh_recommended_rule *const *)b;
	if (x->direction != y->direction)
		return (int)x->direction - (int)y->direction;
	if (x->proto != y->proto)
		return (int)x->proto - (int)y->proto;
	return (int)x->port - (int)y->port;
}

/* The peers that the rules in force allow at one address. */
static struct wh_ranges present_at(const struct wh_resource *r, const struct wh_tag_context *tags,
                                   const struct wh_nsg_question *q, struct wh_arena *mem)
{
	struct wh_ranges present;
	struct wh_host_judged j;
	if (r->host) {
		wh_host_judge(r->host, q, mem, &j);
		return j.allowed;
	}
	wh_policy_allowed(r->nsgs, r->n_nsgs, tags, q, mem, &present, NULL);
	return present;
}

int wh_prove(const struct wh_estate *e, const struct wh_resource *r, const struct wh_recommended_rule *rules, size_t n,
             struct wh_arena *mem, struct wh_counterexample *ce, struct wh_error *err)
{
	const struct wh_tag_context tags = wh_estate_tags(e);
	(void)err; /* evaluating exact sets can't fail */
	const struct wh_recommended_rule **order = wh_arena_array(mem, n, sizeof *order);
	for (size_t i = 0; i < n; i++)
		order[i] = &rules[i];
	if (n)
		qsort(order, n, sizeof *order, by_region);
	for (size_t i = 0; i < n; i++) {
		const struct wh_recommended_rule *rule = order[i];
		struct wh_ranges proposed = wh_ranges_minus(wh_ranges_from_prefixes(rule->prefixes, rule->n_prefixes, mem),
		                                            wh_ranges_from_prefixes(rule->except, rule->n_except, mem), mem);
		bool found = false;
		struct wh_addr least;
		for (size_t j = 0; j < r->n_addrs && proposed.n; j++) {
			struct wh_ranges present = present_at(
				r, &tags, &(struct wh_nsg_question){rule->direction, rule->proto, &r->addrs[j], rule->port}, mem);
			struct wh_ranges family = wh_ranges_family(wh_addr_is_v4(&r->addrs[j]), mem),
					 over = wh_ranges_minus(wh_ranges_intersect(proposed, family, mem), present, mem);
			if (over.n && (!found || wh_addr_cmp(&over.r[0].from, &least) < 0)) {
				least = over.r[0].from;
				found = true;
			}
		}
		if (found) {
			*ce = (struct wh_counterexample){rule->direction, rule->proto, rule->port, least};
			return 1;
		}
	}
	return 0;
}
