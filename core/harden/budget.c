/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The room in an NSG. */
#include <math.h>
#include "harden/recommend.h"

/* Whether a rule of ours from an earlier export makes way for one that is recommended now. */
static bool makes_way(const struct wh_recommending *r, const struct wh_nsg *nsg, const struct wh_rule *rule)
{
	for (size_t i = 0; i < r->rec->n_resources && rule->origin == WH_ORIGIN_WHITTLE && rule->n_locals; i++) {
		const struct wh_resource_result *res = &r->rec->resources[i];
		bool own = false;
		for (size_t j = 0; j < res->resource->n_addrs; j++)
			own |= wh_addr_eq(&res->resource->addrs[j], &rule->locals[0].addr);
		for (size_t j = 0; j < res->n_rules && own && wh_resource_guarded_by(res->resource, nsg); j++)
			if (res->rules[j].direction == rule->direction && res->rules[j].proto == rule->proto &&
			    res->rules[j].port == rule->dst_ports[0].from)
				return true;
	}
	return false;
}

/* The address prefixes of the group's rules that stay, as Azure counts them: as they are written. */
static size_t own_prefixes(const struct wh_recommending *r, const struct wh_nsg *nsg)
{
	size_t n = 0;
	for (size_t i = 0; i < nsg->n_rules; i++)
		if (!nsg->rules[i].is_default && !makes_way(r, nsg, &nsg->rules[i]))
			n += wh_rule_written(nsg, &nsg->rules[i]);
	return n;
}

/* An allow for the load balancer's probes: its tag, and the resource's addresses that they reach. */
static size_t probes_weight(const struct wh_resource *res, enum wh_direction d)
{
	size_t n = 0;
	for (size_t i = 0; i < res->n_addrs && d == WH_INBOUND; i++)
		n += wh_addr_is_v4(&res->addrs[i]);
	return n ? n + 1 : 0;
}

/* The prefixes that the resource's rules add to it: each is an allow, a deny, maybe a deny of carve-outs and an allow for probes,
 * all of which name its addresses; ports without allowed peers share a deny. */
static size_t added_prefixes(const struct wh_resource_result *res)
{
	enum { KINDS = 16 }; /* of denies: more are counted one by one */
	const struct wh_recommended_rule *denies[KINDS];
	size_t n = 0, n_denies = 0, k;

	for (size_t i = 0; i < res->n_rules; i++) {
		const struct wh_recommended_rule *r = &res->rules[i];
		for (k = 0; k < n_denies && !wh_one_deny(denies[k], r); k++)
			;
		if (k < n_denies)
			continue;
		if (r->system_generated && n_denies < KINDS)
			denies[n_denies++] = r;
		n += r->n_prefixes + r->n_except + (1u + (r->n_prefixes > 0) + (r->n_except > 0)) * res->resource->n_addrs +
		     probes_weight(res->resource, r->direction);
	}
	return n;
}

struct group {
	const struct wh_nsg *nsg;
	size_t own, room;         /* prefixes: of its own rules, and its other contents */
	size_t *which, *had, n;   /* its resources that have rules, and how many these had */
};

/* ---- in room for few ---- */

/* A rule's allotment is no more than the rule that there is. */
static void limit_to(struct wh_allotment *s, const struct wh_recommended_rule *rule)
{
	unsigned lines = (unsigned)(rule->n_prefixes + rule->n_except);
	for (int carved = 0; carved < 2; carved++)
		for (unsigned k = 0; k <= WH_ALLOTMENT_MOST; k++)
			if (k > lines || wh_allotment_weight(s, k, carved) > wh_allotment_weight(s, lines, rule->n_except > 0))
				s->cost[carved][k] = INFINITY;
}

/* `lines` is the budget of each resource. One that was fitted into another group before must not grow there again; nor may any
 * where the table of allotments would be too large to tell lines from prefixes. */
static int price_group(struct wh_recommending *r, const struct group *g, struct wh_analysis *a, size_t *lines,
                       struct wh_allotment *s, struct wh_error *err)
{
	bool as_they_are = *lines < g->room && g->room > WH_ALLOTMENT_MOST;
	int rc = 0;

	if (*lines >= g->room || as_they_are)
		*lines = SIZE_MAX;
	for (size_t i = 0, at = 0; i < g->n && !rc; at += r->rec->resources[g->which[i++]].n_rules) {
		struct wh_resource_result *res = &r->rec->resources[g->which[i]];
		for (size_t k = 0; k < res->n_rules; k++) {
			s[at + k].resource = g->which[i];
			s[at + k].names = res->resource->n_addrs;
			s[at + k].probes = probes_weight(res->resource, res->rules[k].direction);
		}
		rc = wh_price_rules(a, res, r->price[g->which[i]], g->room < WH_ALLOTMENT_MOST ? g->room : WH_ALLOTMENT_MOST,
		                    wh_scratch_of(r, 0), &s[at], err);
		for (size_t k = 0; k < res->n_rules && !rc && (as_they_are || r->fitted[g->which[i]]); k++)
			limit_to(&s[at + k], &res->rules[k]);
	}
	return rc;
}

/* By the ports' allotments of the group's room, exactly where it is small: see allotment.c. */
static int fit_by_allotment(struct wh_recommending *r, const struct group *g, struct wh_arena *mem, struct wh_error *err)
{
	size_t lines = r->a->opt->max_lines ? r->a->opt->max_lines : SIZE_MAX, n = 0, refused = 1;
	size_t *rules = wh_arena_array(mem, g->n + 1, sizeof *rules);
	size_t *reasons = wh_arena_array(mem, g->n + 1, sizeof *reasons);
	struct wh_scratch *scratch = wh_scratch_of(r, 0);
	struct wh_analysis a = *r->a;

	for (size_t i = 0; i < g->n; i++) {
		reasons[i] = r->rec->resources[g->which[i]].n_reasons;
		n += rules[i] = r->rec->resources[g->which[i]].n_rules;
	}
	struct wh_allotment *s = wh_arena_array(mem, n + 1, sizeof *s);
	int rc = price_group(r, g, &a, &lines, s, err);
	while (refused && !rc) {
		refused = 0;
		wh_arena_reset(scratch->port);
		if (wh_allot(s, n, (struct wh_room){lines, g->room}, scratch->port)) {
			for (size_t i = 0; i < g->n; i++)
				wh_reason_add(&r->rec->resources[g->which[i]],
				              &(struct wh_reason){.code = WH_REASON_GROUP_LINES,
				                                  .text = g->nsg->name,
				                                  .count = {g->n, g->own + g->room}},
				              mem);
			break;
		}
		for (size_t i = 0, at = 0; i < g->n && !rc; at += rules[i++]) {
			r->rec->resources[g->which[i]].n_reasons = reasons[i];
			rc = wh_derive_allotted(&a, &r->rec->resources[g->which[i]], &s[at], rules[i], r->price[g->which[i]],
			                        scratch, &refused, err);
		}
	}
	return rc;
}

/* ---- in room for many ---- */

/* At one price for all: the prefixes of the group's resources together. */
static int derive_at(struct wh_recommending *r, const struct group *g, double price, size_t *sum, struct wh_error *err)
{
	for (size_t i = 0; i < g->n; i++)
		r->price[g->which[i]] = price;
	int rc = wh_thread_pool_run(r->a->pool, g->n, wh_recommend_job, r, err);
	*sum = 0;
	for (size_t i = 0; i < g->n && !rc; i++)
		*sum += added_prefixes(&r->rec->resources[g->which[i]]);
	return rc;
}

/* Lines grow dearer for all of its resources alike, by bisection. */
static int fit_by_price(struct wh_recommending *r, const struct group *g, double least, struct wh_arena *mem,
                        struct wh_error *err)
{
	double lo = least, hi = least * 4;
	size_t sum;
	int rc;

	r->which = g->which;
	if ((rc = derive_at(r, g, WH_DEAREST, &sum, err)))
		return rc;
	if (sum > g->room)
		return (rc = derive_at(r, g, least, &sum, err)) ? rc : fit_by_allotment(r, g, mem, err);
	while (!(rc = derive_at(r, g, hi, &sum, err)) && sum > g->room && hi < WH_DEAREST) {
		lo = hi;
		hi *= 4;
	}
	for (int i = 0; i < 8 && !rc; i++) {
		double mid = sqrt(lo * hi);
		if ((rc = derive_at(r, g, mid, &sum, err)))
			break;
		if (sum > g->room)
			lo = mid;
		else
			hi = mid;
	}
	return rc ? rc : derive_at(r, g, hi, &sum, err);
}

/* Several resources may share a group. */
static size_t find_group(const struct wh_recommending *r, const struct wh_nsg *nsg, struct wh_arena *mem, struct group *g,
                         double *least)
{
	size_t most = r->a->opt->max_prefixes_nsg ? r->a->opt->max_prefixes_nsg : WH_NSG_PREFIXES, sum = 0;

	*g = (struct group){.nsg = nsg,
	                    .own = own_prefixes(r, nsg),
	                    .which = wh_arena_array(mem, r->rec->n_resources + 1, sizeof *g->which),
	                    .had = wh_arena_array(mem, r->rec->n_resources + 1, sizeof *g->had)};
	g->room = most > g->own ? most - g->own : 0;
	*least = 1;
	for (size_t i = 0; i < r->rec->n_resources; i++)
		if (r->rec->resources[i].n_rules && wh_resource_guarded_by(r->rec->resources[i].resource, nsg)) {
			g->had[g->n] = r->rec->resources[i].n_rules;
			g->which[g->n++] = i;
			sum += added_prefixes(&r->rec->resources[i]);
			*least = r->price[i] > *least ? r->price[i] : *least;
		}
	return sum;
}

int wh_fit_group(struct wh_recommending *r, const struct wh_nsg *nsg, bool small, struct wh_arena *mem, struct wh_error *err)
{
	struct group g;
	double least;

	if (find_group(r, nsg, mem, &g, &least) <= g.room || small != (g.room <= WH_ALLOTMENT_MOST))
		return 0;
	r->again = true;
	int rc = small ? fit_by_allotment(r, &g, mem, err) : fit_by_price(r, &g, least, mem, err);
	for (size_t i = 0; i < g.n && !rc; i++) { /* a port without room keeps the rule in force, which is no narrowing */
		struct wh_resource_result *res = &r->rec->resources[g.which[i]];
		r->fitted[g.which[i]] = true;
		if (res->n_rules == g.had[i])
			continue;
		res->status = WH_UNHEALTHY;
		wh_reason_add(res,
		              &(struct wh_reason){.code = WH_REASON_GROUP_FULL, .text = nsg->name, .count = {g.own + g.room}},
		              mem);
	}
	return rc;
}
