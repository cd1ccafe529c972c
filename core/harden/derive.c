/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the rules in force and weighed peers to one narrowed rule. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "harden/advice.h"
#include "whittle/nat64.h"

/* Many hosts of one /64 that come on most days were joined into its first address: that one is no host. */
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
static struct wh_ranges find_trusted(const struct wh_analysis *a, const struct wh_present *present, struct wh_arena *mem,
                                     struct wh_select_input *out)
{
	struct wh_ranges trusted = {0};
	struct wh_prefix *p = NULL;

	if (a->opt->n_trusted) {
		trusted = wh_ranges_intersect(wh_ranges_from_prefixes(a->opt->trusted, a->opt->n_trusted, mem), present->allowed,
		                              mem);
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

/* Listed IPv4 networks behind NAT64, where peers are, too; each is inside `within` then, as its /64 is. */
static struct wh_prefix *listed_behind_nat64(const struct wh_analysis *a, const struct wh_prefix *within, struct wh_arena *mem,
                                             size_t *n)
{
	const struct wh_prefix nat64 = wh_nat64();
	struct wh_prefix *out = NULL;

	*n = 0;
	if (!wh_prefix_covers(within, &nat64))
		return out;
	size_t n_v4;
	const struct wh_prefix *v4 = part_inside(a->opt->hostile, a->opt->n_hostile, &wh_prefix_all_v4, &n_v4);
	out = wh_arena_array(mem, n_v4, sizeof *out);
	for (size_t i = 0; i < n_v4; i++)
		if (wh_prefix_is_v4(&v4[i]))
			out[(*n)++] = wh_nat64_of(&v4[i]);
	return out;
}

/* Peers that must stay out, x, carve-outs in force, and threat intelligence, seen or not, except trusted
 * addresses. */
static void find_excluded(const struct wh_analysis *a, const struct wh_present *present, struct wh_prefix *x, size_t n,
                          struct wh_ranges trusted, struct wh_arena *mem, struct wh_select_input *out)
{
	size_t n_listed, n_behind;

	if (!out->n && !out->n_trusted)
		return;
	struct wh_prefix within = widest(out), *behind = listed_behind_nat64(a, &within, mem, &n_behind);
	const struct wh_prefix *listed = part_inside(a->opt->hostile, a->opt->n_hostile, &within, &n_listed);
	n = wh_prefix_merge(x, n);
	if (n_listed || n_behind || trusted.n || present->carved.n) {
		struct wh_ranges all = wh_ranges_union(wh_ranges_from_prefixes(x, n, mem),
		                                       wh_ranges_from_prefixes(listed, n_listed, mem), mem);
		all = wh_ranges_union(all, wh_ranges_from_prefixes(behind, n_behind, mem), mem);
		all = wh_ranges_union(all, present->carved, mem);
		wh_ranges_to_prefixes(wh_ranges_minus(all, trusted, mem), mem, &x, &n);
	}
	out->excluded = x;
	out->n_out = n;
}

void wh_select_input(const struct wh_analysis *a, const struct wh_port_traffic *t, const struct wh_present *present,
                     struct wh_limits limits, struct wh_arena *mem, struct wh_select_input *out)
{
	struct wh_select_peer *peers = wh_arena_unset(mem, t->n + 1, sizeof *peers);
	struct wh_prefix *x = wh_arena_unset(mem, t->n + 1, sizeof *x);
	size_t n = 0, n_x = 0;

	*out = (struct wh_select_input){.peers = peers, .costs = a->weights.prices};
	for (size_t i = 0; i < t->n; i++) {
		const struct wh_evidence_peer *p = &t->peers[i];
		if (p->verdict == WH_PEER_IN || p->verdict == WH_PEER_HELD)
			peers[n++] = (struct wh_select_peer){p->addr, p->late,
			                                     p->n_days * 2 > a->window.sensor_days && !stands_for_a_64(&p->addr)};
		else if (p->verdict != WH_PEER_TRUSTED && p->verdict != WH_PEER_OUTSIDE_POLICY &&
		         !(p->verdict == WH_PEER_OUT && p->lapsed))
			x[n_x++] = wh_prefix_of(&p->addr, 128);
	}
	out->n = n;
	find_excluded(a, present, x, n_x, find_trusted(a, present, mem, out), mem, out);
	out->costs.line *= limits.line_price;
	out->costs.half_days = a->window.days / 2.0;
	out->costs.max_lines = limits.max_lines ? limits.max_lines : a->opt->max_prefixes;
	out->costs.no_carving = limits.no_carving;
	if (a->opt->permissiveness > 0)
		out->costs.unseen /= a->opt->permissiveness;
}

/* The share of the window's hours in which a source of flows lost messages. */
static double lost_share(const struct wh_analysis *a)
{
	int64_t to = ((int64_t)a->window.last + 1) * 24, from = to - (int64_t)a->window.days * 24;
	double n = 0;
	for (size_t i = 0; i < a->opt->n_lost_hours; i++)
		n += a->opt->lost_hours[i] >= from && a->opt->lost_hours[i] < to;
	return to > from && n < (double)(to - from) ? n / (double)(to - from) : n > 0;
}

/* Sums over peers: those behind the rule, those that it would stop, and its confidence. */
static void add_figures(const struct wh_analysis *a, const struct wh_port_traffic *t, struct wh_ranges in, double newcomers,
                 unsigned seen, struct wh_recommended_rule *out)
{
	uint64_t recent = (UINT64_C(1) << a->window.days / 2) - 1, days = 0;
	double both = 0, doubted = 0;
	size_t at = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct wh_evidence_peer *p = &t->peers[i];
		while (at < in.n && wh_addr_cmp(&in.r[at].to, &p->addr) < 0) /* both are in order */
			at++;
		if (wh_stays(p->verdict)) {
			out->sources++;
			out->flows += p->edge->flows;
			days |= p->days;
			both += (p->days & recent) && (p->days & ~recent);
		}
		doubted += wh_alert_alone(p);
		if (p->verdict != WH_PEER_OUTSIDE_POLICY && (at == in.n || wh_addr_cmp(&in.r[at].from, &p->addr) > 0)) {
			out->denied_peers++;
			out->denied_flows += p->edge->flows;
		}
	}
	out->days = wh_bits(days);
	wh_confidence(out, both, newcomers, doubted, seen, lost_share(a));
}

/* The ports that a person opened, except for the load balancer's probes, which pass as before wherever a port is narrowed. */
static struct wh_ranges opened_by_hand(const struct wh_present *present, const struct wh_resource *res, struct wh_arena *mem)
{
	return res->n_nsgs ? wh_ranges_minus(present->opened, wh_ranges_from_prefixes(&wh_azure_probes, 1, mem), mem)
	                   : present->opened;
}

int wh_derive_prefixes(const struct wh_analysis *a, const struct wh_port_traffic *t, const struct wh_present *present,
                       struct wh_limits limits, struct wh_arena *mem, struct wh_selection *out, struct wh_error *err)
{
	struct wh_select_input in;

	wh_select_input(a, t, present, limits, mem, &in);
	return wh_select(&in, present->prefixes, present->n_prefixes, mem, out, err);
}

struct wh_ranges wh_let_in(const struct wh_prefix *prefixes, size_t n, const struct wh_prefix *except, size_t n_except,
                           struct wh_arena *mem)
{
	struct wh_ranges in = wh_ranges_from_prefixes(prefixes, n, mem);
	return n_except ? wh_ranges_minus(in, wh_ranges_from_prefixes(except, n_except, mem), mem) : in;
}

int wh_derive_rule(const struct wh_analysis *a, const struct wh_judged_port *port, struct wh_limits limits, struct wh_arena *mem,
                   struct wh_recommended_rule *out, struct wh_error *err)
{
	const struct wh_port_traffic *t = port->traffic;
	const struct wh_present *present = port->present;
	unsigned seen = wh_bits(port->all->days);
	struct wh_selection s;
	char proto[8];
	int rc = wh_derive_prefixes(a, t, present, limits, mem, &s, err);

	if (rc)
		return rc;
	struct wh_ranges proposed = wh_let_in(s.prefixes, s.n_prefixes, s.except, s.n_except, mem);
	*out = (struct wh_recommended_rule){.direction = t->direction,
	                                    .port = t->port,
	                                    .proto = t->proto,
	                                    .prefixes = s.prefixes,
	                                    .n_prefixes = s.n_prefixes,
	                                    .except = s.except,
	                                    .n_except = s.n_except,
	                                    .unseen = s.unseen,
	                                    .narrows = present->narrows,
	                                    .note = present->note};
	out->name = wh_arena_printf(mem, "%s-%s-%u", wh_proto_text(t->proto, proto), wh_direction_text(t->direction), t->port);
	out->system_generated = s.n_prefixes == 0;
	add_figures(a, t, proposed, s.newcomers, seen, out);
	if (out->system_generated) {
		out->days = seen;
		out->note = wh_arena_printf(mem,
		                            "the sensor saw this resource on %u of %u days, and nobody on this port belonged%s%s",
		                            seen, a->window.days, out->note ? "; " : "", out->note ? out->note : "");
	}
	out->note = wh_alert_note(t, out->note, mem);
	struct wh_ranges now = opened_by_hand(present, port->resource, mem);
	return !wh_ranges_minus(now, proposed, mem).n;
}
