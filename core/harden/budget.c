/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an NSG has room for. */
#include <math.h>
#include "harden/recommend.h"

static bool guarded_by(const struct wh_resource *r, const struct wh_nsg *nsg)
{
	for (size_t i = 0; i < r->n_nsgs; i++)
		if (r->nsgs[i] == nsg)
			return true;
	return false;
}

/* The address prefixes of a group's own rules, as Azure counts them. */
static size_t own_prefixes(const struct wh_nsg *nsg)
{
	size_t n = 0;
	for (size_t i = 0; i < nsg->n_rules; i++)
		if (!nsg->rules[i].is_default && nsg->rules[i].origin != WH_ORIGIN_WHITTLE)
			n += nsg->rules[i].n_peers + nsg->rules[i].n_locals;
	return n;
}

/* What the resource's rules add to it: each is an allow, a deny, and maybe a deny of carve-outs, all of which name its addresses. */
static size_t added_prefixes(const struct wh_resource_result *res)
{
	size_t n = 0;
	for (size_t i = 0; i < res->n_rules; i++) {
		const struct wh_recommended_rule *r = &res->rules[i];
		n += r->n_prefixes + r->n_except + (1u + (r->n_prefixes > 0) + (r->n_except > 0)) * res->resource->n_addrs;
	}
	return n;
}

/* At one price for all: the prefixes of the resources `which` together. */
static int derive_at(struct wh_recommending *r, size_t n, double price, size_t *sum, struct wh_error *err)
{
	for (size_t i = 0; i < n; i++)
		r->price[r->which[i]] = price;
	int rc = wh_crew_run(r->a->crew, n, wh_recommend_job, r, err);
	*sum = 0;
	for (size_t i = 0; i < n && !rc; i++)
		*sum += added_prefixes(&r->rec->resources[r->which[i]]);
	return rc;
}

/* Several resources may share a group: where their rules do not fit into it together, lines grow dearer for all of them alike, by bisection. */
int wh_fit_group(struct wh_recommending *r, const struct wh_nsg *nsg, struct wh_arena *mem, struct wh_error *err)
{
	size_t most = r->a->opt->max_prefixes_nsg ? r->a->opt->max_prefixes_nsg : WH_NSG_PREFIXES, own = own_prefixes(nsg), n = 0, sum = 0;
	size_t *which = wh_arena_array(mem, r->rec->n_resources + 1, sizeof *which), *had = wh_arena_array(mem, r->rec->n_resources + 1, sizeof *had);
	double least = 1, lo, hi;
	int rc;

	for (size_t i = 0; i < r->rec->n_resources; i++)
		if (r->rec->resources[i].n_rules && guarded_by(r->rec->resources[i].resource, nsg)) {
			had[n] = r->rec->resources[i].n_rules;
			which[n++] = i;
			sum += added_prefixes(&r->rec->resources[i]);
			least = r->price[i] > least ? r->price[i] : least;
		}
	if (own + sum <= most || !n)
		return 0;
	r->which = which;
	r->again = true;
	lo = least;
	hi = least * 4;
	while (!(rc = derive_at(r, n, hi, &sum, err)) && own + sum > most && hi < ldexp(1, 60)) {
		lo = hi;
		hi *= 4;
	}
	if (!rc && own + sum > most) {
		size_t fewest = own + sum;
		rc = derive_at(r, n, least, &sum, err);
		for (size_t i = 0; i < n && !rc; i++)
			wh_join_reason(&r->rec->resources[which[i]], mem, wh_arena_printf(mem, "%s: even the fewest lines that let every peer in make %zu prefixes, and the "
			                                                               "group holds %zu: split it", nsg->name, fewest, most));
		return rc;
	}
	for (int i = 0; i < 8 && !rc; i++) {
		double mid = sqrt(lo * hi);
		if ((rc = derive_at(r, n, mid, &sum, err)))
			break;
		if (own + sum > most)
			lo = mid;
		else
			hi = mid;
	}
	if (!rc)
		rc = derive_at(r, n, hi, &sum, err);
	for (size_t i = 0; i < n && !rc; i++) { /* dear lines end as the rule in force, which is no narrowing */
		struct wh_resource_result *res = &r->rec->resources[which[i]];
		if (res->n_rules == had[i])
			continue;
		res->status = WH_UNHEALTHY;
		wh_join_reason(res, mem, wh_arena_printf(mem, "%s has no room for narrower rules: it holds %zu prefixes; split it", nsg->name, most));
	}
	return rc;
}
