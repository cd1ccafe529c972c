/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of one resource: one for each of its ports, within its budget of lines, and the proof that they only narrow. */
#include <math.h>
#include <string.h>
#include "harden/recommend.h"

/* Why a resource can't be judged; none if it can. */
static struct wh_reason why_unscanned(const struct wh_analysis *a, const struct wh_resource_traffic *t)
{
	unsigned min = a->opt->min_days ? a->opt->min_days : 30, silent = a->window.days - a->window.sensor_days;
	unsigned reach = wh_days_reach(t->days), with_data = wh_bits(t->days);

	if (t->first_day > t->last_day)
		return (struct wh_reason){.code = WH_REASON_NO_TRAFFIC};
	if (reach < min)
		return (struct wh_reason){.code = WH_REASON_FEW_DAYS, .count = {reach, min}};
	if (silent * 3 > a->window.days)
		return (struct wh_reason){.code = WH_REASON_SENSOR_SILENT, .count = {silent, a->window.days}};
	if (with_data * 2 < min)
		return (struct wh_reason){.code = WH_REASON_SEEN_RARELY, .count = {with_data, reach, (min + 1) / 2}};
	return (struct wh_reason){.code = WH_REASON_NONE};
}

static struct wh_prefix *copied(const struct wh_prefix *p, size_t n, struct wh_arena *mem)
{
	struct wh_prefix *copy = wh_arena_unset(mem, n + 1, sizeof *copy);
	if (n)
		memcpy(copy, p, n * sizeof *copy);
	return copy;
}

static const char *copied_text(const char *s, struct wh_arena *mem)
{
	return s ? wh_arena_strdup(mem, s) : NULL;
}

/* A resource during the derivation of its rules. */
struct deriving {
	const struct wh_analysis *a;
	const struct wh_resource_traffic *traffic;
	struct wh_scratch *scratch;
	struct wh_resource_result *res;
};

/* The data of one port: in scratch->port. */
struct opened {
	struct wh_port_traffic traffic;
	struct wh_present present;
	struct wh_judged_port port; /* both */
};

/* A port without a rule. */
static void port_stays(const struct deriving *d, const struct wh_candidate *port, struct wh_reason why)
{
	why.direction = port->direction;
	why.proto = port->proto;
	why.from = why.to = port->port;
	wh_reason_add(d->res, &why, d->scratch->results);
}

/* The traffic to a port and the peers that the rules in force allow, weighed, in scratch->port, which is emptied. Returns 1 where
 * it is no candidate after all. */
static int open_port(const struct deriving *d, const struct wh_candidate *port, struct opened *out, struct wh_error *err)
{
	const struct wh_port_traffic *found = wh_traffic_find(d->traffic, port->direction, port->proto, port->port);
	struct wh_resource_result *res = d->res;
	struct wh_present *present = &out->present;
	int rc;

	out->traffic = found ? *found
	                     : (struct wh_port_traffic){.direction = port->direction, .proto = port->proto, .port = port->port};
	out->port = (struct wh_judged_port){res->resource, d->traffic, &out->traffic, present};
	wh_arena_reset(d->scratch->port);
	if ((rc = wh_present(d->a->estate, res->resource, port->direction, port->proto, port->port, d->scratch->port, present,
	                     err)))
		return rc;
	if (!present->explicit_allow)
		return 1;
	if (present->unknown || present->differs) { /* not judged means not defended */
		port_stays(d, port, present->unknown ? (struct wh_reason){.code = WH_REASON_UNKNOWN, .text = present->unknown}
		                                     : (struct wh_reason){.code = WH_REASON_ADDRESSES_DIFFER});
		res->status = WH_UNHEALTHY;
		return 1;
	}
	if (!present->allowed.n)
		return 1;
	wh_analysis_weigh(d->a, present, &out->traffic);
	return 0;
}

/* Derives one port's rule in memory of its own, and keeps the rule in scratch->results. Returns as wh_derive_rule(); 1 also where
 * it is not offered. */
static int derive_one(const struct deriving *d, const struct wh_candidate *port, struct wh_limits limits,
                      struct wh_recommended_rule *rule, struct wh_error *err)
{
	struct wh_arena *mem = d->scratch->results, *port_mem = d->scratch->port;
	struct wh_resource_result *res = d->res;
	struct wh_reason why_not;
	struct opened o;
	int rc;

	if ((rc = open_port(d, port, &o, err)) || (rc = wh_derive_rule(d->a, &o.port, limits, port_mem, rule, err)) ||
	    (rc = wh_judge_rule(d->a, &o.port, limits, port_mem, rule, &why_not, err)))
		return rc;
	if (why_not.code) {
		port_stays(d, port, why_not);
		res->status = WH_UNHEALTHY; /* it is open wider than its peers need, and waits */
		return 1;
	}
	if (rule->system_generated && (wh_why_alerted(&o.traffic, &why_not) || wh_why_forged(&o.traffic, &why_not))) {
		port_stays(d, port, why_not);
		res->status = WH_UNHEALTHY;
		return 1;
	}
	if (wh_why_unheard(d->traffic, &o.traffic, rule->system_generated, &why_not)) {
		port_stays(d, port, why_not);
		res->status = res->status == WH_HEALTHY ? WH_UNSCANNED : res->status; /* not known */
		return 1;
	}
	rule->prefixes = copied(rule->prefixes, rule->n_prefixes, mem);
	rule->except = copied(rule->except, rule->n_except, mem);
	rule->name = copied_text(rule->name, mem);
	rule->note = copied_text(rule->note, mem);
	rule->narrows = copied_text(rule->narrows, mem);
	return 0;
}

/* The range is open to many more than use it. */
static bool wide_open(const struct wh_analysis *a, const struct wh_resource *r, const struct wh_drawn *d, struct wh_arena *mem)
{
	struct wh_present present;
	double addresses = 0;
	if (wh_present(a->estate, r, d->direction, d->proto, d->from, mem, &present, NULL))
		return true;
	for (size_t i = 0; i < present.n_prefixes; i++)
		addresses += ldexp(1, wh_prefix_is_v4(&present.prefixes[i]) ? 128 - present.prefixes[i].len
		                      : present.prefixes[i].len < 64        ? 64 - present.prefixes[i].len
		                                                            : 0);
	return addresses > 256.0 * (double)d->n_peers;
}

/* Ranges that are left alone as a whole, for a reason that is named. */
static void drawn_stay(const struct deriving *d, const struct wh_candidates *ports)
{
	struct wh_arena *mem = d->scratch->results;
	for (size_t i = 0; i < ports->n_drawn; i++) {
		const struct wh_drawn *range = &ports->drawn[i];
		wh_reason_add(d->res,
		              &(struct wh_reason){.code = WH_REASON_DRAWN,
		                                  .direction = range->direction,
		                                  .proto = range->proto,
		                                  .from = range->from,
		                                  .to = range->to,
		                                  .count = {range->n_ports, range->n_peers}},
		              mem);
		if (wide_open(d->a, d->res->resource, range, mem))
			d->res->status = WH_UNHEALTHY;
	}
}

/* One pass over a resource's ports. *lines gets the sum of the lines that the rules need. */
static int derive_all(const struct deriving *d, const struct wh_candidates *ports, double line_price, size_t *lines,
                      struct wh_error *err)
{
	struct wh_resource_result *res = d->res;
	res->rules = wh_arena_array(d->scratch->results, ports->n + 1, sizeof *res->rules);
	res->n_rules = 0;
	res->n_reasons = 0;
	drawn_stay(d, ports);
	*lines = 0;
	for (size_t i = 0; i < ports->n; i++) {
		struct wh_recommended_rule *rule = &res->rules[res->n_rules];
		int rc = derive_one(d, &ports->p[i], (struct wh_limits){.line_price = line_price}, rule, err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			continue; /* as narrow already, or left alone */
		*lines += rule->n_prefixes + rule->n_except;
		res->n_rules++;
	}
	return 0;
}

/* ---- within a budget, by allotment ---- */

static int price_rules(const struct deriving *d, double price, size_t most, struct wh_allotment *out, struct wh_error *err)
{
	const struct wh_resource_result *res = d->res;
	for (size_t i = 0; i < res->n_rules; i++) {
		struct opened o;
		int rc;
		out[i].port = (struct wh_candidate){res->rules[i].direction, res->rules[i].proto, res->rules[i].port};
		if ((rc = open_port(d, &out[i].port, &o, err)) == 0)
			rc = wh_allotment_price(d->a, &o.port, (struct wh_limits){.line_price = price}, most, d->scratch->port,
			                        &out[i], err);
		if (rc)
			return rc;
		for (size_t k = 0; k < i && !out[i].with; k++)
			if (!out[k].with && wh_one_deny(&res->rules[k], &res->rules[i]))
				wh_allot_with(&out[i], &out[k]);
	}
	return 0;
}

static int derive_allotted(const struct deriving *d, struct wh_allotment *s, size_t n, double price, size_t *refused,
                           struct wh_error *err)
{
	struct wh_resource_result *res = d->res;
	res->rules = wh_arena_array(d->scratch->results, n + 1, sizeof *res->rules);
	res->n_rules = 0;
	for (size_t i = 0; i < n; i++) {
		struct wh_limits limits = {
			.line_price = price, .max_lines = s[i].lines, .no_carving = s[i].names && !s[i].carved};
		int rc = s[i].in ? derive_one(d, &s[i].port, limits, &res->rules[res->n_rules], err) : 0;
		if (rc < 0)
			return rc;
		if (rc == 1) {
			s[i].cost[s[i].carved][s[i].lines] = INFINITY;
			s[i].with = NULL;
			++*refused;
		} else if (s[i].in) {
			res->n_rules++;
		} else {
			port_stays(d, &s[i].port, (struct wh_reason){.code = WH_REASON_NO_ROOM});
		}
	}
	return 0;
}

/* Exactly, within a small budget; in a larger one, where even the fewest lines of all ports have no room, as well as an allotment
 * can. */
static int derive_by_allotment(const struct deriving *d, size_t budget, double price, struct wh_error *err)
{
	struct wh_resource_result *res = d->res;
	struct wh_scratch *scratch = d->scratch;
	size_t n = res->n_rules, n_reasons = res->n_reasons, refused = 1;
	struct wh_allotment *s = wh_arena_array(scratch->resource, n + 1, sizeof *s);
	int rc = price_rules(d, price, budget < WH_ALLOTMENT_MOST ? budget : WH_ALLOTMENT_MOST, s, err);

	while (refused && !rc) {
		refused = 0;
		res->n_reasons = n_reasons;
		wh_arena_reset(scratch->port);
		if (wh_allot(s, n, (struct wh_room){budget, SIZE_MAX}, scratch->port)) {
			wh_reason_add(res, &(struct wh_reason){.code = WH_REASON_NO_LINES, .count = {n, budget}},
			              scratch->results);
			break;
		}
		rc = derive_allotted(d, s, n, price, &refused, err);
	}
	res->status = WH_UNHEALTHY; /* also where no rule has room */
	return rc;
}

/* ---- within any budget ---- */

/* If there is no room for so many lines, their price rises until all rules fit together, and then falls as far as they still fit.
 * `price` is the minimum cost of a line: more than 1 if its group has no room. */
static int derive_within(const struct deriving *d, const struct wh_candidates *ports, size_t budget, double price,
                         struct wh_error *err)
{
	double lo = price, hi = price;
	size_t lines;
	int rc = derive_all(d, ports, price, &lines, err);

	if (rc || lines <= budget)
		return rc;
	if (budget > WH_ALLOTMENT_MOST && (rc = derive_all(d, ports, WH_DEAREST, &lines, err)))
		return rc;
	if (budget > WH_ALLOTMENT_MOST && lines > budget && (rc = derive_all(d, ports, price, &lines, err)))
		return rc;
	if (lines > budget)
		return derive_by_allotment(d, budget, price, err);
	do {
		lo = hi;
		hi *= 4;
	} while (!(rc = derive_all(d, ports, hi, &lines, err)) && lines > budget && hi < WH_DEAREST);
	for (int i = 0; i < 10 && !rc; i++) { /* geometrically: prices are ratios */
		double mid = sqrt(lo * hi);
		if ((rc = derive_all(d, ports, mid, &lines, err)))
			break;
		if (lines > budget)
			lo = mid;
		else
			hi = mid;
	}
	return rc ? rc : derive_all(d, ports, hi, &lines, err);
}

/* ---- a resource ---- */

static int conclude(const struct wh_analysis *a, struct wh_resource_result *res, struct wh_scratch *scratch, struct wh_error *err)
{
	struct wh_counterexample ce;
	char peer[WH_ADDR_STRLEN];

	if (res->n_rules)
		res->status = WH_UNHEALTHY;
	wh_arena_reset(scratch->port);
	int rc = wh_prove(a->estate, res->resource, res->rules, res->n_rules, scratch->port, &ce, err);
	if (rc == 1)
		rc = wh_fail(err, -EPROTO,
		             "%s: the proposal for port %u would let in %s, which the rules in force do not: nothing is offered",
		             res->resource->name, ce.port, wh_addr_text(&ce.peer, peer));
	return rc;
}

int wh_recommend_resource(struct wh_analysis *a, struct wh_resource_result *res, double price, struct wh_scratch *scratch,
                          struct wh_error *err)
{
	size_t budget = a->opt->max_lines ? a->opt->max_lines : SIZE_MAX,
	       nsg = a->opt->max_prefixes_nsg ? a->opt->max_prefixes_nsg : WH_NSG_PREFIXES;
	struct wh_resource_traffic t;
	struct wh_candidates ports;
	int rc;

	wh_arena_reset(scratch->resource);
	if ((rc = wh_analysis_traffic(a, res->resource, scratch->resource, &t, err)))
		return rc;
	res->first_day = t.first_day;
	res->last_day = t.last_day;
	res->days_with_data = wh_bits(t.days);
	struct wh_reason unscanned = why_unscanned(a, &t);
	res->n_reasons = 0;
	if (unscanned.code) {
		wh_reason_add(res, &unscanned, scratch->results);
		return 0;
	}
	wh_candidate_ports(a, res->resource, &t, scratch->resource, &ports);
	if (res->resource->n_nsgs && nsg < budget &&
	    nsg > WH_ALLOTMENT_MOST) /* a small one is divided with the group's other resources, exactly */
		budget = nsg;
	res->status = WH_HEALTHY;
	if ((rc = derive_within(&(struct deriving){a, &t, scratch, res}, &ports, budget, price, err)))
		return rc;
	if (!res->n_rules && !res->n_reasons)
		wh_reason_add(res, &(struct wh_reason){.code = ports.n ? WH_REASON_AS_NARROW : WH_REASON_NONE_OPEN},
		              scratch->results);
	return conclude(a, res, scratch, err);
}

int wh_price_rules(struct wh_analysis *a, struct wh_resource_result *res, double price, size_t most, struct wh_scratch *scratch,
                   struct wh_allotment *out, struct wh_error *err)
{
	struct wh_resource_traffic t;
	int rc;

	wh_arena_reset(scratch->resource);
	if ((rc = wh_analysis_traffic(a, res->resource, scratch->resource, &t, err)))
		return rc;
	return price_rules(&(struct deriving){a, &t, scratch, res}, price, most, out, err);
}

int wh_derive_allotted(struct wh_analysis *a, struct wh_resource_result *res, struct wh_allotment *s, size_t n, double price,
                       struct wh_scratch *scratch, size_t *refused, struct wh_error *err)
{
	struct wh_resource_traffic t;
	int rc;

	wh_arena_reset(scratch->resource);
	if ((rc = wh_analysis_traffic(a, res->resource, scratch->resource, &t, err)) ||
	    (rc = derive_allotted(&(struct deriving){a, &t, scratch, res}, s, n, price, refused, err)))
		return rc;
	return conclude(a, res, scratch, err);
}
