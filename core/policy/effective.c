/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a policy lets through.
 *
 * Problem: for one direction, protocol and local port, the exact set of peers that may pass.
 * Method: in one NSG the first rule in order of priority that matches decides. Walk the rules with `open`, the peers that no rule has
 * decided yet: a rule that matches the direction, protocol, port and local address takes open ∩ peers(rule) out of `open`, and adds it
 * to the result when it allows. Several NSGs (the subnet's and the interface's) must all allow: intersect. No NSG: everything.
 * Each step is linear in the ranges; a rule list of r rules with p prefixes costs O(r · p) at worst.
 * What a rule means can be unknown: an application security group or a service tag whose addresses are not here, a source port. Then
 * the result is what is allowed for certain. An allow rule that may match changes nothing (whoever it does not catch, a later rule
 * decides); a deny rule that may match takes its peers away, all of them when they are not known; and *unknown says that it happened.
 * Source: Azure's documentation of network security groups, "How network security groups filter traffic".
 *
 *   300 allow 10.0.0.0/8 → 22     open = all        result = 10/8            open = all − 10/8
 *   400 deny  *          → 22     takes the rest    result = 10/8            open = ∅
 */
#include <string.h>
#include <strings.h>
#include "whittle/policy.h"

static const struct { const char *tag; const char *prefix; } probes = {"AzureLoadBalancer", "168.63.129.16"};

static struct wh_ranges everything(struct wh_arena *mem)
{
	const struct wh_prefix all[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	return wh_ranges_from_prefixes(all, 2, mem);
}

static struct wh_ranges tag_ranges(const char *tag, const struct wh_tag_context *ctx, struct wh_arena *mem, bool *unknown)
{
	struct wh_prefix p;
	struct wh_ranges vnet = wh_ranges_from_prefixes(ctx ? ctx->vnet : NULL, ctx ? ctx->n_vnet : 0, mem);
	wh_prefix_parse(probes.prefix, strlen(probes.prefix), &p, NULL);
	struct wh_ranges host = wh_ranges_from_prefixes(&p, 1, mem);
	if (!strcasecmp(tag, "VirtualNetwork"))
		return wh_ranges_union(vnet, host, mem);
	if (!strcasecmp(tag, probes.tag))
		return host;
	if (!strcasecmp(tag, "Internet"))
		return wh_ranges_minus(everything(mem), wh_ranges_union(vnet, host, mem), mem);
	*unknown = true;
	return (struct wh_ranges){0};
}

/* One side of a rule as ranges. */
static struct wh_ranges side(const struct wh_prefix *p, size_t n, const char **tags, size_t n_tags, const struct wh_tag_context *ctx,
                             struct wh_arena *mem, bool *unknown)
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

struct wh_ranges wh_rule_peers(const struct wh_rule *r, const struct wh_tag_context *tags, struct wh_arena *mem, bool *unknown)
{
	*unknown = r->n_peers + r->n_peer_tags == 0; /* an application security group */
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

static struct wh_ranges nsg_allowed(const struct wh_nsg *nsg, const struct wh_tag_context *tags, const struct wh_addr *local,
                                    enum wh_direction dir, uint8_t proto, uint16_t port, struct wh_arena *mem, bool *unknown)
{
	struct wh_ranges open = everything(mem), result = {0};
	for (size_t i = 0; i < nsg->n_rules && open.n; i++) {
		const struct wh_rule *r = &nsg->rules[i];
		enum wh_match match = wh_rule_match(r, tags, dir, proto, local, port, mem);
		bool peers_unknown;
		if (match == WH_MATCH_NO)
			continue;
		struct wh_ranges hit = wh_ranges_intersect(open, wh_rule_peers(r, tags, mem, &peers_unknown), mem);
		*unknown |= match == WH_MATCH_MAYBE || peers_unknown;
		if (r->allow && match == WH_MATCH_MAYBE)
			continue;
		if (!r->allow && peers_unknown)
			break;
		if (r->allow)
			result = wh_ranges_union(result, hit, mem);
		open = wh_ranges_minus(open, hit, mem);
	}
	return result;
}

int wh_policy_allowed(const struct wh_nsg *const *nsgs, size_t n, const struct wh_tag_context *tags, const struct wh_addr *local,
                      enum wh_direction dir, uint8_t proto, uint16_t port, struct wh_arena *mem, struct wh_ranges *out, bool *unknown,
                      struct wh_error *err)
{
	bool ignored = false;
	(void)err;
	if (!unknown)
		unknown = &ignored;
	*unknown = false;
	*out = everything(mem);
	for (size_t i = 0; i < n; i++)
		*out = wh_ranges_intersect(*out, nsg_allowed(nsgs[i], tags, local, dir, proto, port, mem, unknown), mem);
	return 0;
}

const struct wh_rule *wh_nsg_decide(const struct wh_nsg *nsg, const struct wh_tag_context *tags, enum wh_direction dir, uint8_t proto,
                                    const struct wh_addr *local, uint16_t port, const struct wh_addr *peer)
{
	struct wh_arena *mem = wh_arena_new();
	const struct wh_rule *decided = NULL;
	bool unknown = false;
	for (size_t i = 0; i < nsg->n_rules && !decided; i++) {
		const struct wh_rule *r = &nsg->rules[i];
		if (wh_rule_match(r, tags, dir, proto, local, port, mem) == WH_MATCH_YES && wh_ranges_has(wh_rule_peers(r, tags, mem, &unknown), peer))
			decided = r;
	}
	wh_arena_free(mem);
	return decided;
}

static int by_first_port(const void *a, const void *b)
{
	return ((const struct wh_port_range *)a)->from - ((const struct wh_port_range *)b)->from;
}

/* The ports that explicit allow rules of one NSG open, as ranges in order that neither touch nor overlap. */
static size_t opened_ports(const struct wh_nsg *nsg, enum wh_direction dir, uint8_t proto, struct wh_arena *mem, struct wh_port_range **out)
{
	size_t n = 0, top = 0;
	for (int fill = 0; fill < 2; fill++) {
		if (fill)
			*out = wh_arena_array(mem, n + 1, sizeof **out);
		n = 0;
		for (size_t j = 0; j < nsg->n_rules; j++) {
			const struct wh_rule *r = &nsg->rules[j];
			if (r->direction != dir || !r->allow || r->is_default || (r->proto && r->proto != proto))
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

/* Ports that some explicit allow rule of every NSG opens; defaults don't count, since they open all ports to the VNet. */
int wh_policy_ports(const struct wh_nsg *const *nsgs, size_t n, enum wh_direction dir, uint8_t proto, struct wh_arena *mem,
                    struct wh_port_range **out, size_t *n_out, struct wh_error *err)
{
	(void)err;
	*out = wh_arena_array(mem, 1, sizeof **out);
	(*out)[0] = (struct wh_port_range){0, 65535};
	*n_out = 1;
	for (size_t i = 0; i < n; i++) {
		struct wh_port_range *mine, *both;
		size_t n_mine = opened_ports(nsgs[i], dir, proto, mem, &mine), n_both = 0;
		both = wh_arena_array(mem, *n_out + n_mine + 1, sizeof *both);
		for (size_t a = 0, b = 0; a < *n_out && b < n_mine;) {
			const struct wh_port_range *x = &(*out)[a], *y = &mine[b];
			struct wh_port_range common = {x->from > y->from ? x->from : y->from, x->to < y->to ? x->to : y->to};
			if (common.from <= common.to)
				both[n_both++] = common;
			if (x->to < y->to)
				a++;
			else
				b++;
		}
		*out = both;
		*n_out = n_both;
	}
	return 0;
}
