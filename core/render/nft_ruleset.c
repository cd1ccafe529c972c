/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wanted contents of the table, made from a recommendation. */
#include <stdlib.h>
#include <string.h>
#include "nft/names.h"
#include "whittle/render.h"

static void fill(struct wh_nft_port *p, const struct wh_recommended_rule *r, bool azure, struct wh_arena *mem)
{
	struct wh_prefix probe = wh_prefix_of(&wh_azure_probe, 128);
	struct wh_ranges in = wh_ranges_minus(wh_ranges_from_prefixes(r->prefixes, r->n_prefixes, mem),
	                                      wh_ranges_from_prefixes(r->except, r->n_except, mem), mem);
	if (azure && r->direction == WH_INBOUND && r->proto == WH_PROTO_TCP)
		in = wh_ranges_union(in, wh_ranges_from_prefixes(&probe, 1, mem), mem);
	struct wh_ranges v4 = wh_ranges_intersect(in, wh_ranges_from_prefixes(&wh_prefix_all_v4, 1, mem), mem);
	struct wh_ranges v6 = wh_ranges_intersect(in, wh_ranges_from_prefixes(&wh_prefix_all_v6, 1, mem), mem);
	*p = (struct wh_nft_port){.direction = r->direction, .proto = r->proto, .port = r->port};
	wh_ranges_to_prefixes(v4, mem, &p->v4, &p->n_v4);
	wh_ranges_to_prefixes(v6, mem, &p->v6, &p->n_v6);
}

static bool wanted(const struct wh_resource *r, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], r->name) || (r->id && !strcmp(names[i], r->id)))
			return true;
	return !n;
}

static bool heard(const struct wh_heard *h, const struct wh_addr *a)
{
	for (size_t lo = 0, hi = h->n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		int c = wh_addr_cmp(&h->addrs[mid], a);
		if (!c)
			return true;
		*(c < 0 ? &lo : &hi) = c < 0 ? mid + 1 : mid;
	}
	return false;
}

/* The addresses of a resource that its rules judge, sorted, each once. */
static struct wh_addr *judged(const struct wh_resource *r, const struct wh_heard *h, struct wh_arena *mem, size_t *n)
{
	struct wh_addr *out = wh_arena_array(mem, r->n_addrs + 1, sizeof *out);
	bool some = false;
	size_t kept = 0;
	for (size_t i = 0; i < r->n_addrs && h; i++)
		some |= heard(h, &r->addrs[i]);
	*n = 0;
	for (size_t i = 0; i < r->n_addrs; i++)
		if (!wh_nft_loopback(&r->addrs[i]) && (!some || heard(h, &r->addrs[i])))
			out[(*n)++] = r->addrs[i];
	if (*n)
		qsort(out, *n, sizeof *out, wh_addr_order);
	for (size_t i = 0; i < *n; i++)
		if (!i || !wh_addr_eq(&out[i], &out[i - 1]))
			out[kept++] = out[i];
	*n = kept;
	return out;
}

static int add_rules(struct wh_nft_ruleset *rs, const struct wh_resource_result *result, const struct wh_estate *e,
                     const struct wh_nft_options *opt, struct wh_arena *mem, struct wh_error *err)
{
	const struct wh_resource *res = result->resource;
	bool azure = wh_resource_on_azure(e, res);
	char proto[8];
	size_t n_locals;
	const struct wh_addr *locals = judged(res, opt->heard, mem, &n_locals);
	rs->azure |= azure;
	for (size_t j = 0; n_locals && j < result->n_rules; j++) {
		const struct wh_recommended_rule *rule = &result->rules[j];
		struct wh_nft_port *p = &rs->ports[rs->n_ports];
		if (rule->proto != WH_PROTO_TCP && rule->proto != WH_PROTO_UDP)
			return wh_fail_input(
				err, -ENOTSUP,
				"%s: the rule for %s port %u can't be enforced: only ports of TCP and UDP are judged (`whittle rules delete`)",
				res->name, wh_proto_text(rule->proto, proto), rule->port);
		fill(p, rule, azure, mem);
		p->locals = opt->all_addresses ? NULL : locals;
		p->n_locals = opt->all_addresses ? 0 : n_locals;
		rs->n_ports++;
	}
	return 0;
}

int wh_nft_ruleset_from(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_nft_options *opt,
                        struct wh_arena *mem, struct wh_nft_ruleset **out, struct wh_error *err)
{
	struct wh_nft_ruleset *rs = wh_arena_alloc(mem, sizeof *rs);
	size_t total = 0;
	char proto[8], addr[WH_ADDR_STRLEN];
	int rc = 0;
	for (size_t i = 0; i < r->n_resources; i++)
		total += wanted(r->resources[i].resource, opt->resources, opt->n_resources) ? r->resources[i].n_rules : 0;
	rs->ports = wh_arena_array(mem, total + 1, sizeof *rs->ports);
	rs->nflog_group = WH_NFLOG_GROUP;
	if (opt->reject)
		rs->reject = *opt->reject;
	for (size_t i = 0; i < r->n_resources && !rc; i++)
		if (wanted(r->resources[i].resource, opt->resources, opt->n_resources))
			rc = add_rules(rs, &r->resources[i], e, opt, mem, err);
	if (rc)
		return rc;
	const struct wh_nft_port *twice = wh_nft_sort(rs);
	if (twice && opt->all_addresses)
		return wh_fail_input(
			err, -EEXIST,
			"several of the resources have a rule for %s port %u, and each would judge all addresses: name one with --resource",
			wh_proto_text(twice->proto, proto), twice->port);
	if (twice)
		return wh_fail_input(
			err, -EEXIST,
			"two of the resources have the address %s and a rule for %s port %u: name one with --resource",
			wh_addr_text(&twice->locals[0], addr), wh_proto_text(twice->proto, proto), twice->port);
	*out = rs;
	return 0;
}
