/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of one resource: one for each of its ports, within its budget of lines, and the proof that they only narrow. */
#include <math.h>
#include <string.h>
#include "harden/recommend.h"

/* Why nothing can be said of a resource; NULL when something can. */
static const char *why_unscanned(const struct wh_analysis *a, const struct wh_resource_traffic *t, struct wh_arena *mem)
{
	unsigned min = a->opt->min_days ? a->opt->min_days : 30, silent = a->window.days - a->window.sensor_days;
	int32_t span = t->last_day - t->first_day + 1;

	if (t->first_day > t->last_day)
		return "no traffic was seen";
	if (span < (int32_t)min)
		return wh_arena_printf(mem, "not enough data: %d of %u days", span, min);
	if (silent * 3 > a->window.days)
		return wh_arena_printf(mem, "the sensor was silent on %u of %u days", silent, a->window.days);
	return NULL;
}

void wh_join_reason(struct wh_resource_result *res, struct wh_arena *mem, const char *text)
{
	res->reason = res->reason ? wh_arena_printf(mem, "%s; %s", res->reason, text) : text;
}

static struct wh_prefix *kept(const struct wh_prefix *p, size_t n, struct wh_arena *mem)
{
	struct wh_prefix *copy = wh_arena_unset(mem, n + 1, sizeof *copy);
	if (n)
		memcpy(copy, p, n * sizeof *copy);
	return copy;
}

static const char *kept_text(const char *s, struct wh_arena *mem)
{
	return s ? wh_arena_strdup(mem, s) : NULL;
}

/* Derives one port's rule in memory of its own, and keeps the rule in desk->kept.
 * Returns as wh_derive_rule(); 1 also where the port is no candidate after all. */
static int derive_one(const struct wh_analysis *a, const struct wh_resource_traffic *t, enum wh_direction d, uint8_t proto, uint16_t port,
                      double line_price, struct wh_desk *desk, struct wh_resource_result *res, struct wh_recommended_rule *rule, struct wh_error *err)
{
	struct wh_arena *mem = desk->kept, *scratch = desk->port;
	struct wh_port_traffic traffic = {.direction = d, .proto = proto, .port = port};
	const struct wh_port_traffic *found = wh_traffic_find(t, d, proto, port);
	struct wh_present present;
	const char *why_not;
	char text[8];
	int rc;

	if (found)
		traffic = *found;
	wh_arena_reset(scratch);
	if ((rc = wh_present(a->estate, res->resource, d, proto, port, scratch, &present, err)))
		return rc;
	if (!present.explicit_allow || !present.allowed.n)
		return 1;
	if (present.unknown || present.differs) {
		wh_join_reason(res, mem, wh_arena_printf(mem, "port %u/%s is left alone: %s", port, wh_proto_text(proto, text),
		                                      present.unknown ? "a rule in force names members that are not known"
		                                                      : "the rules in force treat the resource's addresses differently"));
		return 1;
	}
	wh_analysis_weigh(a, &present, &traffic);
	if ((rc = wh_derive_rule(a, res->resource, t, &traffic, &present, line_price, scratch, rule, err)) ||
	    (rc = wh_judge_rule(a, &traffic, &present, line_price, scratch, rule, &why_not, err)))
		return rc;
	if (why_not) {
		wh_join_reason(res, mem, wh_arena_printf(mem, "port %u/%s is not narrowed: %s", port, wh_proto_text(proto, text), why_not));
		return 1;
	}
	rule->prefixes = kept(rule->prefixes, rule->n_prefixes, mem);
	rule->except = kept(rule->except, rule->n_except, mem);
	rule->name = kept_text(rule->name, mem);
	rule->note = kept_text(rule->note, mem);
	rule->narrows = kept_text(rule->narrows, mem);
	return 0;
}

/* One pass over a resource's ports. *lines gets the sum of what the rules need. */
static int derive_all(const struct wh_analysis *a, const struct wh_resource_traffic *t, const struct wh_candidates *ports, double line_price,
                      struct wh_desk *desk, struct wh_resource_result *res, size_t *lines, struct wh_error *err)
{
	struct wh_arena *mem = desk->kept;
	unsigned min = a->opt->min_days ? a->opt->min_days : 30;

	res->rules = wh_arena_array(mem, ports->n + 1, sizeof *res->rules);
	res->n_rules = 0;
	res->reason = NULL;
	*lines = 0;
	for (size_t i = 0; i < ports->n; i++) {
		struct wh_recommended_rule *rule = &res->rules[res->n_rules];
		char proto[8];
		int rc = derive_one(a, t, ports->p[i].direction, ports->p[i].proto, ports->p[i].port, line_price, desk, res, rule, err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			continue; /* as narrow already, or left alone */
		if (rule->system_generated && wh_bits(t->days) * 2 < min) {
			wh_join_reason(res, mem, wh_arena_printf(mem, "port %u/%s is not closed: the resource was seen on %d days only", rule->port,
			                                      wh_proto_text(rule->proto, proto), wh_bits(t->days)));
			continue;
		}
		*lines += rule->n_prefixes + rule->n_except;
		res->n_rules++;
	}
	return 0;
}

/* A resource's budget: lines grow dearer until all its rules fit together, and then as much cheaper as they still fit. `price` is what a line
 * costs at the least: more than 1 where its group has no room. */
static int derive_within(const struct wh_analysis *a, const struct wh_resource_traffic *t, const struct wh_candidates *ports, size_t budget, double price,
                         struct wh_desk *desk, struct wh_resource_result *res, struct wh_error *err)
{
	double lo = 0, hi = price;
	size_t lines;
	int rc;

	while (!(rc = derive_all(a, t, ports, hi, desk, res, &lines, err)) && lines > budget && hi < ldexp(1, 60)) {
		lo = hi;
		hi *= 4;
	}
	if (!rc && lines > budget) {
		if ((rc = derive_all(a, t, ports, price, desk, res, &lines, err)) == 0)
			wh_join_reason(res, desk->kept, wh_arena_printf(desk->kept, "even the fewest lines that let every peer in are more than %zu", budget));
		return rc;
	}
	for (int i = 0; i < 10 && !rc && lo > 0; i++) { /* geometrically: prices are ratios */
		double mid = sqrt(lo * hi);
		if ((rc = derive_all(a, t, ports, mid, desk, res, &lines, err)))
			break;
		if (lines > budget)
			lo = mid;
		else
			hi = mid;
	}
	return rc || lo == 0 ? rc : derive_all(a, t, ports, hi, desk, res, &lines, err);
}

int wh_recommend_resource(struct wh_analysis *a, struct wh_resource_result *res, double price, struct wh_desk *desk, struct wh_error *err)
{
	struct wh_arena *mem = desk->kept, *scratch = desk->resource;
	size_t budget = a->opt->max_lines ? a->opt->max_lines : SIZE_MAX;
	struct wh_resource_traffic t;
	struct wh_candidates ports;
	struct wh_counterexample ce;
	char peer[WH_ADDR_STRLEN];
	int rc;

	wh_arena_reset(scratch);
	if ((rc = wh_analysis_traffic(a, res->resource, scratch, &t, err)))
		return rc;
	res->first_day = t.first_day;
	res->last_day = t.last_day;
	res->days_with_data = wh_bits(t.days);
	if ((res->reason = why_unscanned(a, &t, mem)))
		return 0;
	if ((rc = wh_candidate_ports(a, res->resource, &t, scratch, &ports, err)))
		return rc;
	size_t nsg = a->opt->max_prefixes_nsg ? a->opt->max_prefixes_nsg : WH_NSG_PREFIXES;
	if (res->resource->n_nsgs && nsg < budget)
		budget = nsg;
	if ((rc = derive_within(a, &t, &ports, budget, price, desk, res, err)))
		return rc;
	res->status = res->n_rules ? WH_UNHEALTHY : WH_HEALTHY;
	if (!res->n_rules && !res->reason)
		res->reason = ports.n ? "the rules in force are as narrow as the traffic" : "no port that is looked at is open";
	wh_arena_reset(desk->port);
	rc = wh_prove(a->estate, res->resource, res->rules, res->n_rules, desk->port, &ce, err);
	if (rc == 1)
		rc = wh_fail(err, -EPROTO, "%s: the proposal for port %u would let in %s, which the rules in force do not: nothing is offered",
		             res->resource->name, ce.port, wh_addr_text(&ce.peer, peer));
	return rc;
}
