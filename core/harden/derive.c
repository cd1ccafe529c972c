/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the rules in force and weighed peers to one narrowed rule. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harden/advice.h"

/* ---- the rules in force ---- */

static bool ranges_equal(struct wh_ranges a, struct wh_ranges b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (!wh_addr_eq(&a.r[i].from, &b.r[i].from) || !wh_addr_eq(&a.r[i].to, &b.r[i].to))
			return false;
	return true;
}

static bool opens(const struct wh_rule *r, enum wh_direction d, uint8_t proto, uint16_t port)
{
	if (!r->allow || r->is_default || r->direction != d || (r->proto && r->proto != proto))
		return false;
	for (size_t i = 0; i < r->n_dst_ports; i++)
		if (port >= r->dst_ports[i].from && port <= r->dst_ports[i].to)
			return true;
	return false;
}

/* The first rule, by priority, that opens the port in each NSG; the last NSG that has one gives its name to `narrows`. */
static void find_opening_rules(const struct wh_resource *r, enum wh_direction d, uint8_t proto, uint16_t port, struct wh_arena *mem,
                               struct wh_present *out)
{
	out->explicit_allow = true;
	for (size_t i = 0; i < r->n_nsgs; i++) {
		const struct wh_rule *found = NULL;
		for (size_t k = 0; k < r->nsgs[i]->n_rules && !found; k++)
			if (opens(&r->nsgs[i]->rules[k], d, proto, port))
				found = &r->nsgs[i]->rules[k];
		out->explicit_allow = out->explicit_allow && found;
		if (found) {
			out->narrows = wh_arena_printf(mem, "%s: %s", r->nsgs[i]->name, found->name);
			out->note = found->note ? found->note : out->note;
		}
	}
}

int wh_present(const struct wh_estate *e, const struct wh_resource *r, enum wh_direction d, uint8_t proto, uint16_t port, struct wh_arena *mem,
               struct wh_present *out, struct wh_error *err)
{
	const struct wh_tag_context tags = {e->vnets, e->n_vnets};
	const struct wh_prefix *const families[] = {&wh_prefix_all_v6, &wh_prefix_all_v4};

	*out = (struct wh_present){0};
	find_opening_rules(r, d, proto, port, mem, out);
	for (int v4 = 0; v4 < 2; v4++) {
		struct wh_ranges family = wh_ranges_from_prefixes(families[v4], 1, mem), first = {0};
		bool have = false;
		for (size_t i = 0; i < r->n_addrs; i++) {
			struct wh_ranges one;
			bool unknown = false;
			if (wh_addr_is_v4(&r->addrs[i]) != (bool)v4)
				continue;
			int rc = wh_policy_allowed(r->nsgs, r->n_nsgs, &tags, &r->addrs[i], d, proto, port, mem, &one, &unknown, err);
			if (rc)
				return rc;
			one = wh_ranges_intersect(one, family, mem);
			out->unknown = out->unknown || unknown;
			out->differs = out->differs || (have && !ranges_equal(one, first));
			first = one;
			have = true;
		}
		out->allowed = wh_ranges_union(out->allowed, first, mem);
	}
	wh_ranges_to_prefixes(out->allowed, mem, &out->prefixes, &out->n_prefixes);
	return 0;
}

/* ---- the rule ---- */

/* Many hosts of one /64 that come on most days were folded into its first address: that one is no host. */
static bool stands_for_a_64(const struct wh_addr *a)
{
	static const uint8_t none[8];
	return !wh_addr_is_v4(a) && !memcmp(a->b + 8, none, 8);
}

/* The part of sorted, merged `list` that overlaps p. */
static const struct wh_prefix *part_inside(const struct wh_prefix *list, size_t n, const struct wh_prefix *p, size_t *n_out)
{
	struct wh_addr last = wh_prefix_last(p);
	size_t first = wh_prefix_lower_bound(list, n, &p->addr), end;
	for (end = first; end < n && wh_addr_cmp(&list[end].addr, &last) <= 0; end++)
		;
	if (first > 0 && wh_prefix_covers(&list[first - 1], p))
		first--;
	*n_out = end - first;
	return list + first;
}

/* Trusted configuration is kept as far as the rules in force allow it. */
static struct wh_ranges find_trusted(const struct wh_analysis *a, const struct wh_present *present, struct wh_arena *mem, struct wh_select_input *out)
{
	struct wh_ranges trusted = {0};
	struct wh_prefix *p = NULL;

	if (a->opt->n_trusted) {
		trusted = wh_ranges_intersect(wh_ranges_from_prefixes(a->opt->trusted, a->opt->n_trusted, mem), present->allowed, mem);
		wh_ranges_to_prefixes(trusted, mem, &p, &out->n_trusted);
		out->trusted = p;
	}
	return trusted;
}

/* Within this lies every prefix that could be chosen. */
static struct wh_prefix widest(const struct wh_select_input *in)
{
	struct wh_addr first = in->n ? in->peers[0].addr : in->trusted[0].addr, last = in->n ? in->peers[in->n - 1].addr : first;
	if (in->n_trusted) {
		struct wh_addr end = wh_prefix_last(&in->trusted[in->n_trusted - 1]);
		first = wh_addr_cmp(&in->trusted[0].addr, &first) < 0 ? in->trusted[0].addr : first;
		last = wh_addr_cmp(&end, &last) > 0 ? end : last;
	}
	unsigned len = wh_addr_common_bits(&first, &last);
	return wh_prefix_of(&first, wh_addr_is_v4(&first) || len < 64 ? len : 64); /* a /64 is let in whole */
}

/* Peers that must stay out, x, and threat intelligence, whether it was seen or not, but what is trusted. */
static void find_keep_out(const struct wh_analysis *a, struct wh_prefix *x, size_t n, struct wh_ranges trusted, struct wh_arena *mem,
                          struct wh_select_input *out)
{
	size_t n_listed;

	if (!out->n && !out->n_trusted)
		return;
	struct wh_prefix within = widest(out);
	const struct wh_prefix *listed = part_inside(a->opt->hostile, a->opt->n_hostile, &within, &n_listed);
	n = wh_prefix_merge(x, n);
	if (n_listed || trusted.n) {
		struct wh_ranges all = wh_ranges_union(wh_ranges_from_prefixes(x, n, mem), wh_ranges_from_prefixes(listed, n_listed, mem), mem);
		wh_ranges_to_prefixes(wh_ranges_minus(all, trusted, mem), mem, &x, &n);
	}
	out->keep_out = x;
	out->n_out = n;
}

void wh_select_input(const struct wh_analysis *a, const struct wh_port_traffic *t, const struct wh_present *present, struct wh_limits limits,
                     struct wh_arena *mem, struct wh_select_input *out)
{
	struct wh_select_peer *peers = wh_arena_unset(mem, t->n + 1, sizeof *peers);
	struct wh_prefix *x = wh_arena_unset(mem, t->n + 1, sizeof *x);
	size_t n = 0, n_x = 0;

	*out = (struct wh_select_input){.peers = peers, .costs = a->weights.prices};
	for (size_t i = 0; i < t->n; i++) {
		const struct wh_evidence_peer *p = &t->peers[i];
		if (p->verdict == WH_PEER_IN)
			peers[n++] = (struct wh_select_peer){p->addr, p->late, p->n_days * 2 > a->window.sensor_days && !stands_for_a_64(&p->addr)};
		else if (p->verdict != WH_PEER_TRUSTED && p->verdict != WH_PEER_OUTSIDE_POLICY && !(p->verdict == WH_PEER_OUT && p->lapsed))
			x[n_x++] = wh_prefix_of(&p->addr, 128);
	}
	out->n = n;
	find_keep_out(a, x, n_x, find_trusted(a, present, mem, out), mem, out);
	out->costs.line *= limits.line_price;
	out->costs.half_days = a->window.days / 2.0;
	out->costs.max_lines = limits.max_lines ? limits.max_lines : a->opt->max_prefixes;
	out->costs.no_carving = limits.no_carving;
	if (a->opt->permissiveness > 0)
		out->costs.unseen /= a->opt->permissiveness;
}

/* Sums over peers: who stands behind the rule, whom it would stop, and how sure it is. */
static void tell(const struct wh_analysis *a, const struct wh_port_traffic *t, struct wh_ranges in, double newcomers, unsigned seen,
                 struct wh_recommended_rule *out)
{
	uint64_t recent = (UINT64_C(1) << a->window.days / 2) - 1, days = 0;
	double both = 0;
	size_t at = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct wh_evidence_peer *p = &t->peers[i];
		while (at < in.n && wh_addr_cmp(&in.r[at].to, &p->addr) < 0) /* both are in order */
			at++;
		if (p->verdict == WH_PEER_IN || p->verdict == WH_PEER_TRUSTED) {
			out->sources++;
			out->flows += p->edge->flows;
			days |= p->days;
			both += (p->days & recent) && (p->days & ~recent);
		}
		if (p->verdict != WH_PEER_OUTSIDE_POLICY && (at == in.n || wh_addr_cmp(&in.r[at].from, &p->addr) > 0)) {
			out->denied_peers++;
			out->denied_flows += p->edge->flows;
		}
	}
	out->days = wh_bits(days);
	wh_confidence(out, both, newcomers, seen);
}

/* The rules in force without what the default rules open to the VNet and the load balancer: what a person opened. */
static struct wh_ranges opened_by_hand(const struct wh_analysis *a, struct wh_ranges r, const struct wh_resource *res, struct wh_arena *mem)
{
	struct wh_prefix probes;
	if (!res->n_nsgs)
		return r;
	wh_prefix_parse("168.63.129.16", 13, &probes, NULL);
	r = wh_ranges_minus(r, wh_ranges_from_prefixes(a->estate->vnets, a->estate->n_vnets, mem), mem);
	return wh_ranges_minus(r, wh_ranges_from_prefixes(&probes, 1, mem), mem);
}

int wh_derive_prefixes(const struct wh_analysis *a, const struct wh_port_traffic *t, const struct wh_present *present, struct wh_limits limits,
                       struct wh_arena *mem, struct wh_selection *out, struct wh_error *err)
{
	struct wh_select_input in;

	wh_select_input(a, t, present, limits, mem, &in);
	return wh_select(&in, present->prefixes, present->n_prefixes, mem, out, err);
}

struct wh_ranges wh_let_in(const struct wh_prefix *prefixes, size_t n, const struct wh_prefix *except, size_t n_except, struct wh_arena *mem)
{
	struct wh_ranges in = wh_ranges_from_prefixes(prefixes, n, mem);
	return n_except ? wh_ranges_minus(in, wh_ranges_from_prefixes(except, n_except, mem), mem) : in;
}

int wh_derive_rule(const struct wh_analysis *a, const struct wh_resource *r, const struct wh_resource_traffic *all, const struct wh_port_traffic *t,
                   const struct wh_present *present, struct wh_limits limits, struct wh_arena *mem, struct wh_recommended_rule *out, struct wh_error *err)
{
	unsigned seen = wh_bits(all->days);
	struct wh_selection s;
	char proto[8];
	int rc = wh_derive_prefixes(a, t, present, limits, mem, &s, err);

	if (rc)
		return rc;
	struct wh_ranges proposed = wh_let_in(s.prefixes, s.n_prefixes, s.except, s.n_except, mem);
	*out = (struct wh_recommended_rule){.direction = t->direction, .port = t->port, .proto = t->proto, .prefixes = s.prefixes,
	                                    .n_prefixes = s.n_prefixes, .except = s.except, .n_except = s.n_except, .unseen = s.unseen,
	                                    .narrows = present->narrows, .note = present->note};
	out->name = wh_arena_printf(mem, "%s-%s-%u", wh_proto_text(t->proto, proto), wh_direction_text(t->direction), t->port);
	out->system_generated = s.n_prefixes == 0;
	tell(a, t, proposed, s.newcomers, seen, out);
	if (out->system_generated) {
		out->days = seen;
		out->note = wh_arena_printf(mem, "the sensor saw this resource on %u of %u days, and nobody on this port belonged%s%s", seen,
		                            a->window.days, out->note ? "; " : "", out->note ? out->note : "");
	}
	struct wh_ranges now = opened_by_hand(a, present->allowed, r, mem);
	return !wh_ranges_minus(now, proposed, mem).n;
}
