/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The curve of lines against address space.
 *
 * How narrow rules should be has no single answer: fewer lines allow more unseen addresses, and narrower rules break more.
 * Permissiveness x divides the price of an address that was not seen, and each x has its best rules; walking x through the
 * powers of two draws the whole trade. For every port that has a rule, both the present rules and those of a week ago are
 * derived at each x: the first give lines and space, the second the flows of allowed peers that they have stopped since (see
 * breakage.c).
 *
 * Steps with the same rules are one point, represented by the one nearest to x = 1.
 */
#include <math.h>
#include <string.h>
#include "harden/advice.h"

#define STEPS 19       /* x = 2^-9 … 2^9 */
#define HOLDOUT_DAYS 7

static double step(unsigned i)
{
	return ldexp(1, (int)i - STEPS / 2);
}

static double addresses(const struct wh_prefix *p, size_t n, bool v4)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		if (wh_prefix_is_v4(&p[i]) == v4)
			sum += wh_select_units(&p[i]);
	return sum;
}

static void add_rule(struct wh_curve_point *pt, const struct wh_recommended_rule *r)
{
	pt->lines += r->n_prefixes + r->n_except;
	pt->addresses += addresses(r->prefixes, r->n_prefixes, true) - addresses(r->except, r->n_except, true);
	pt->nets6 += addresses(r->prefixes, r->n_prefixes, false) - addresses(r->except, r->n_except, false);
	pt->unseen += r->unseen;
}

static void add_breakage(struct wh_breakage *to, const struct wh_breakage *b)
{
	to->flows += b->flows;
	to->of += b->of;
	to->peers += b->peers;
	to->of_peers += b->of_peers;
	to->days = b->days;
}

/* One port at one permissiveness. */
static int add_port(const struct wh_analysis *a, const struct wh_judged_port *port, const struct wh_held_out *h,
                    struct wh_curve_point *pt, struct wh_error *err)
{
	struct wh_arena *scratch = wh_arena_new();
	struct wh_harden_options opt = *a->opt;
	struct wh_recommended_rule rule;
	struct wh_selection before;
	struct wh_breakage b;
	int rc;

	if (!scratch)
		return wh_fail(err, -ENOMEM, "out of memory");
	opt.permissiveness = pt->permissiveness;
	struct wh_analysis now = *a;
	now.opt = &opt;
	if ((rc = wh_derive_rule(&now, port, WH_NO_LIMITS, scratch, &rule, err)) < 0)
		goto out;
	add_rule(pt, &rule);
	if (h) {
		struct wh_analysis then = h->then;
		then.opt = &opt;
		if ((rc = wh_derive_prefixes(&then, &h->traffic, port->present, WH_NO_LIMITS, scratch, &before, err)))
			goto out;
		wh_breakage(a, port->traffic,
		            wh_let_in(before.prefixes, before.n_prefixes, before.except, before.n_except, scratch), h->days, &b);
		add_breakage(&pt->expected, &b);
	}
out:
	wh_arena_free(scratch);
	return rc < 0 ? rc : 0;
}

static int add_rules(struct wh_analysis *a, const struct wh_resource_result *res, struct wh_curve *c, struct wh_error *err)
{
	struct wh_arena *scratch = wh_arena_new();
	struct wh_resource_traffic all;
	int rc = scratch ? wh_analysis_traffic(a, res->resource, scratch, &all, err) : wh_fail(err, -ENOMEM, "out of memory");

	for (size_t i = 0; i < res->n_rules && !rc; i++) {
		const struct wh_recommended_rule *rule = &res->rules[i];
		const struct wh_port_traffic *found = wh_traffic_find(&all, rule->direction, rule->proto, rule->port);
		struct wh_port_traffic t = {.direction = rule->direction, .proto = rule->proto, .port = rule->port};
		struct wh_present present;
		struct wh_held_out h;
		if (found)
			t = *found;
		if ((rc = wh_present(a->estate, res->resource, rule->direction, rule->proto, rule->port, scratch, &present, err)))
			break;
		wh_analysis_weigh(a, &present, &t);
		bool held = wh_hold_out(a, &t, a->opt->holdout_days ? a->opt->holdout_days : HOLDOUT_DAYS, scratch, &h);
		c->today_addresses += addresses(present.prefixes, present.n_prefixes, true);
		c->today_nets6 += addresses(present.prefixes, present.n_prefixes, false);
		c->n_rules++;
		const struct wh_judged_port port = {res->resource, &all, &t, &present};
		for (unsigned k = 0; k < c->n && !rc; k++)
			rc = add_port(a, &port, held ? &h : NULL, &c->points[k], err);
	}
	wh_arena_free(scratch);
	return rc;
}

static bool same_choice(const struct wh_curve_point *a, const struct wh_curve_point *b)
{
	return a->lines == b->lines && a->addresses == b->addresses && a->nets6 == b->nets6 &&
	       a->expected.flows == b->expected.flows;
}

/* Joins neighbours that chose the same; the default keeps its own x. */
static void join_equal(struct wh_curve *c)
{
	size_t kept = 0;
	for (size_t i = 0; i < c->n; i++) {
		struct wh_curve_point *last = kept ? &c->points[kept - 1] : NULL;
		if (last && same_choice(last, &c->points[i])) {
			if (fabs(log2(c->points[i].permissiveness)) < fabs(log2(last->permissiveness)))
				last->permissiveness = c->points[i].permissiveness;
			last->is_default = last->is_default || c->points[i].is_default;
		} else {
			c->points[kept++] = c->points[i];
		}
	}
	c->n = kept;
}

int wh_curve(const struct wh_harden_ask *ask, struct wh_arena *mem, struct wh_curve **out, struct wh_error *err)
{
	const struct wh_harden_options *opt = ask->opt;
	struct wh_curve *c = wh_arena_alloc(mem, sizeof *c);
	struct wh_harden_options quick = *opt;
	struct wh_harden_ask once = *ask;
	struct wh_recommendation *rec;
	struct wh_analysis a;
	int rc;

	*out = NULL;
	quick.no_holdout = true;
	quick.progress = NULL;
	once.opt = &quick;
	if ((rc = wh_recommend(&once, mem, &rec, err)) || (rc = wh_analysis_open(&a, ask->store, ask->estate, opt, err)))
		return rc;
	c->points = wh_arena_array(mem, STEPS, sizeof *c->points);
	c->n = STEPS;
	for (unsigned i = 0; i < STEPS; i++) {
		c->points[i].permissiveness = step(i);
		c->points[i].is_default = i == STEPS / 2;
	}
	for (size_t i = 0; i < rec->n_resources && !rc; i++) {
		rc = add_rules(&a, &rec->resources[i], c, err);
		c->n_resources += rec->resources[i].n_rules > 0;
		if (!rc && opt->progress)
			rc = opt->progress(opt->progress_arg, i + 1, rec->n_resources);
	}
	wh_analysis_close(&a);
	for (size_t i = 0; i < c->n; i++)
		c->points[i].expected.upper = wh_upper_bound(c->points[i].expected.flows, c->points[i].expected.of);
	join_equal(c);
	if (!rc)
		*out = c;
	return rc;
}

static json_t *point_json(const struct wh_curve_point *p)
{
	return json_pack("{s:f, s:b, s:I, s:f, s:f, s:f, s:o}", "permissiveness", p->permissiveness, "default", p->is_default,
	                 "lines", (json_int_t)p->lines, "addresses", p->addresses, "ipv6Networks64", p->nets6, "unseen",
	                 p->unseen, "expectedBreakage", wh_breakage_json(&p->expected));
}

char *wh_curve_json(const struct wh_curve *c)
{
	json_t *points = json_array();
	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(points, point_json(&c->points[i]));
	json_t *doc = json_pack("{s:i, s:I, s:I, s:{s:f, s:f}, s:o}", "version", 1, "resources", (json_int_t)c->n_resources,
	                        "rules", (json_int_t)c->n_rules, "today", "addresses", c->today_addresses, "ipv6Networks64",
	                        c->today_nets6, "points", points);
	char *text = doc ? json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12)) : NULL;
	json_decref(doc);
	return text;
}
