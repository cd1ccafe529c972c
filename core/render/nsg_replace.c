/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of ours from an earlier export, which the new ones replace. */
#include <strings.h>
#include "render/nsg_build.h"

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

static struct wh_nsg_block *block_of(const struct wh_nsg_builder *b, const struct wh_recommended_rule *rule, bool v4)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->blocks[i].rule == rule && b->blocks[i].v4 == v4)
			return &b->blocks[i];
	return NULL;
}

/* Whether an earlier export made it for this resource: by its name, and if it covers only the resource's own addresses and ports
 * that are still recommended. Somebody may have edited it since. */
static bool made_for(const struct wh_nsg_builder *b, const struct wh_rule *r, const struct wh_resource_result *res, bool v4)
{
	struct wh_nsg_block first = {.resource = res->resource, .v4 = v4};
	if (r->is_default || r->unsupported || !r->n_dst_ports || !only_locals_of(r, res->resource) ||
	    !(first.rule = rule_of(res, r, r->dst_ports[0].from)))
		return false;
	if (!wh_nsg_is_name_of(r->name, &first, b->mem))
		return false;
	for (size_t k = 0; k < r->n_dst_ports; k++)
		for (unsigned p = r->dst_ports[k].from; p <= r->dst_ports[k].to; p++)
			if (!rule_of(res, r, p))
				return false;
	return true;
}

/* The rule goes if one of its ports is planned again; then its others must be planned, too. Returns whether it goes. */
static bool replace(struct wh_nsg_builder *b, const struct wh_rule *r, const struct wh_resource_result *res, bool v4)
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
			b->blocks = wh_arena_grown(b->mem, b->blocks, b->n, &b->room, sizeof *b->blocks);
			b->blocks[b->n] = (struct wh_nsg_block){.resource = res->resource, .rule = rule, .v4 = v4};
			wh_nsg_needed(b, &b->blocks[b->n++]); /* not needed by itself: fills in the traffic to let through */
		}
	return goes;
}

/* Rules of an earlier export that the blocks replace. A replaced rule may bring in blocks, which replace others. */
void wh_nsg_find_gone(struct wh_nsg_builder *b)
{
	for (size_t before = 0; before != b->n;) {
		before = b->n;
		for (size_t i = 0; i < b->nsg->n_rules; i++)
			for (size_t k = 0; k < b->all->n_resources && !b->gone[i]; k++)
				for (int v4 = 0; v4 < 2 && !b->gone[i]; v4++)
					if (made_for(b, &b->nsg->rules[i], &b->all->resources[k], v4) &&
					    replace(b, &b->nsg->rules[i], &b->all->resources[k], v4)) {
						b->gone[i] = true;
						b->plan->n_replaced++;
					}
	}
}
