/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small budget is shared out over ports, and over the resources of a group, as well as it can be: against every way there
 * is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "harden/recommend.h"
#include "tests/unit/support/scene.h"

/* ---- the table, on costs of its own ---- */

struct pair { double open, cost; };

static struct pair better(struct pair a, struct pair b)
{
	return b.open < a.open || (b.open == a.open && b.cost < a.cost) ? b : a;
}

static struct pair try_all(const struct wh_allotment *s, size_t n, size_t i, size_t lines, size_t used, size_t weight,
                           struct wh_room room)
{
	if (i == n)
		return (struct pair){0, 0};
	if (i && s[i].resource != s[i - 1].resource)
		used = 0;
	struct pair rest = try_all(s, n, i + 1, lines, used, weight, room), best = {s[i].left_open + rest.open, rest.cost};
	for (int carved = 0; carved < 2; carved++)
		for (unsigned k = 0; k <= 6; k++) {
			size_t w = wh_allotment_weight(&s[i], k, carved);
			if (isinf(s[i].cost[carved][k]) || (room.lines != SIZE_MAX && used + k > room.lines) ||
			    (room.weight != SIZE_MAX && weight + w > room.weight))
				continue;
			rest = try_all(s, n, i + 1, lines, used + k, weight + w, room);
			best = better(best, (struct pair){rest.open, s[i].cost[carved][k] + rest.cost});
		}
	return best;
}

static void random_allotment(struct wh_allotment *s, size_t resource)
{
	*s = (struct wh_allotment){.resource = resource, .names = (size_t)rand() % 3, .left_open = rand() % 4};
	for (unsigned k = 0; k <= WH_ALLOTMENT_MOST; k++)
		for (int carved = 0; carved < 2; carved++)
			s->cost[carved][k] = k <= 6 && rand() % 3 ? rand() % 64 / 4.0 : INFINITY;
}

static void no_allotment_is_better(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_allotment s[4];
		size_t n = 1 + (size_t)rand() % 4, lines = 0, weight = 0;
		struct wh_room room = {rand() % 3 ? (size_t)rand() % 10 : SIZE_MAX, rand() % 3 ? (size_t)rand() % 20 : SIZE_MAX};
		struct pair got = {0, 0};
		for (size_t i = 0; i < n; i++)
			random_allotment(&s[i], i >= 2);
		assert_int_equal(wh_allot(s, n, room, mem), 0);
		for (size_t i = 0; i < n; i++) {
			lines = i == 2 ? 0 : lines;
			if (s[i].in) {
				lines += s[i].lines;
				weight += wh_allotment_weight(&s[i], s[i].lines, s[i].carved);
				got.cost += s[i].cost[s[i].carved][s[i].lines];
			} else {
				got.open += s[i].left_open;
			}
			assert_true(lines <= room.lines);
		}
		assert_true(weight <= room.weight);
		struct pair want = try_all(s, n, 0, room.lines, 0, 0, room);
		if (got.open != want.open || fabs(got.cost - want.cost) > 1e-9)
			fail_msg("round %d: %g open at %g, best %g at %g", round, got.open, got.cost, want.open, want.cost);
		wh_arena_free(mem);
	}
}

/* ---- from flows to rules ---- */

enum { PORTS = 3, MOST = 12 };
static const uint16_t ports[PORTS] = {22, 443, 3389};

static struct wh_recommendation *recommend(struct scene *s, const char *list, struct wh_harden_options opt)
{
	struct wh_recommendation *r;
	struct wh_port_list *of;
	struct wh_error err;
	if (wh_port_list_load(list, NULL, s->mem, &of, &err))
		fail_msg("%s", err.text);
	opt.ports = of;
	opt.evidence_yaml = "rules/evidence.yaml";
	if (wh_recommend(&(struct wh_harden_ask){.store = s->ledger.store, .estate = s->estate, .opt = &opt}, s->mem, &r, &err))
		fail_msg("%s", err.text);
	return r;
}

static size_t lines_of(const struct wh_recommended_rule *r)
{
	return r->n_prefixes + r->n_except;
}

/* At the prices of rules/evidence.yaml, where nobody came anew. */
static double cost_of(const struct wh_recommended_rule *r)
{
	return (double)r->n_prefixes + 0.03 * r->unseen + 0.25 * (double)r->n_except;
}

/* Partners scattered over some /24s come on every day. A threat list holds parts of some of these ranges. */
static void scatter(struct scene *s, const char *to, uint16_t port, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char from[32];
		/* .0, .2 and .3 of each four may be listed */
		snprintf(from, sizeof from, "140.20.%d.%d", rand() % 3, rand() % 64 * 4 + 1);
		for (int day = 0; day < 31; day++)
			scene_session_to(s, from, to, port, day, 9, 64, 600);
	}
}

static size_t list_some(struct wh_prefix *out)
{
	size_t n = 0;
	for (unsigned i = 0; i < 12; i++) {
		struct wh_addr a = wh_addr_v4(0x8c140000 + (unsigned)rand() % 3 * 256 + (unsigned)rand() % 64 * 4 +
		                              (rand() % 2 ? 2 : 0));
		out[n++] = wh_prefix_of(&a, a.b[15] & 2 ? 127 : 128);
	}
	return wh_prefix_merge(out, n);
}

/* cost[k]: of the port's best rule of at most k lines, found by a budget for that rule alone. */
static void costs_alone(struct scene *s, size_t resource, uint16_t port, struct wh_harden_options opt, double *cost,
                        const struct wh_recommended_rule **rules)
{
	char list[8];
	snprintf(list, sizeof list, "%u", port);
	for (unsigned k = 0; k <= MOST; k++) {
		opt.max_prefixes = k ? k : 1;
		rules[k] = scene_rule(
			&(struct wh_recommendation){.resources = &recommend(s, list, opt)->resources[resource], .n_resources = 1},
			port);
		cost[k] = k && rules[k] && lines_of(rules[k]) <= k ? cost_of(rules[k]) : INFINITY;
	}
}

static void a_resource_within_a_budget_has_the_cheapest_rules_that_there_is_room_for(void **state)
{
	(void)state;
	srand(2);
	for (int round = 0; round < 4; round++) {
		struct scene s;
		struct wh_prefix listed[12];
		const struct wh_recommended_rule *alone[MOST + 1];
		double cost[PORTS][MOST + 1];
		scene_open(&s, NULL, 0);
		for (unsigned p = 0; p < PORTS; p++)
			scatter(&s, "10.0.0.4", ports[p], 3 + (unsigned)rand() % 8);
		scene_recommend(&s);
		struct wh_harden_options opt = {.hostile = listed, .n_hostile = list_some(listed), .no_holdout = true};
		for (unsigned p = 0; p < PORTS; p++)
			costs_alone(&s, 0, ports[p], opt, cost[p], alone);
		for (unsigned budget = 3; budget <= MOST; budget++) {
			double want = INFINITY, got = 0;
			size_t lines = 0;
			for (unsigned i = 1; i < budget; i++)
				for (unsigned k = 1; i + k < budget; k++)
					want = fmin(want, cost[0][i] + cost[1][k] + cost[2][budget - i - k]);
			opt.max_lines = budget;
			const struct wh_recommendation *rec = recommend(&s, "22,443,3389", opt);
			if (isinf(want)) {
				assert_true(rec->resources[0].n_rules < PORTS);
				assert_non_null(
					strstr(rec->resources[0].reason, "is left alone: the budget has no room for a rule"));
				continue;
			}
			assert_int_equal(rec->resources[0].n_rules, PORTS);
			for (unsigned p = 0; p < PORTS; p++) {
				lines += lines_of(&rec->resources[0].rules[p]);
				got += cost_of(&rec->resources[0].rules[p]);
			}
			assert_true(lines <= budget);
			if (fabs(got - want) > 1e-9)
				fail_msg("round %d, %u lines: cost %g, best %g", round, budget, got, want);
		}
		scene_close(&s);
	}
}

/* The entries that a rule adds to its group if its resource has one address. */
static size_t weight_of(const struct wh_recommended_rule *r)
{
	return lines_of(r) + 2 + (r->n_except > 0) + 2; /* the probes' tag, and the address that they reach */
}

static void resources_in_a_group_with_little_room_share_it_as_well_as_can_be(void **state)
{
	(void)state;
	static const char group[] = SCENE_NSG("140.0.0.0/8", "\"22\"");
	struct scene s;
	double cost[2][MOST + 1];
	const struct wh_recommended_rule *alone[2][MOST + 1];

	srand(5);
	scene_open(&s, group, 0);
	scene_estate(
		&s,
		"resources:\n  - {name: vm1, addresses: [10.0.0.4], nsgs: [web.json]}\n  - {name: vm2, addresses: [10.0.0.5], nsgs: [web.json]}\n");
	scatter(&s, "10.0.0.4", 22, 9);
	scatter(&s, "10.0.0.5", 22, 7);
	scene_recommend(&s);
	struct wh_harden_options opt = {.no_holdout = true};
	for (size_t i = 0; i < 2; i++)
		costs_alone(&s, i, 22, opt, cost[i], alone[i]);
	/* one is the group's own, 140.0.0.0/8; less than ten are too few for two rules */
	for (unsigned most = 11; most <= 28; most++) {
		double want = INFINITY;
		for (unsigned i = 1; i <= MOST; i++)
			for (unsigned k = 1; k <= MOST; k++)
				if (!isinf(cost[0][i]) && !isinf(cost[1][k]) &&
				    1 + weight_of(alone[0][i]) + weight_of(alone[1][k]) <= most)
					want = fmin(want, cost[0][i] + cost[1][k]);
		opt.max_prefixes_nsg = most;
		const struct wh_recommendation *rec = recommend(&s, "22", opt);
		assert_int_equal(rec->resources[0].n_rules, 1);
		assert_int_equal(rec->resources[1].n_rules, 1);
		const struct wh_recommended_rule *a = &rec->resources[0].rules[0], *b = &rec->resources[1].rules[0];
		assert_true(1 + weight_of(a) + weight_of(b) <= most);
		if (fabs(cost_of(a) + cost_of(b) - want) > 1e-9)
			fail_msg("%u prefixes: cost %g, best %g", most, cost_of(a) + cost_of(b), want);
	}
	opt.max_prefixes_nsg = 7;
	const struct wh_recommendation *rec = recommend(&s, "22", opt);
	assert_int_equal(rec->resources[0].n_rules + rec->resources[1].n_rules, 1);
	assert_non_null(strstr(rec->resources[rec->resources[0].n_rules].reason,
	                       "web has no room for narrower rules: it holds 7 prefixes"));
	scene_close(&s);
}

static void a_share_that_narrows_nothing_is_given_to_another_port(void **state)
{
	(void)state;
	static const char group[] = SCENE_NSG("140.0.0.0/8", "\"22\", \"443\"");
	struct scene s;
	scene_open(&s, group, 0);
	for (int day = 0; day < 31; day++)
		for (int p = 0; p < 2; p++) {
			scene_session(&s, "140.20.30.8", ports[p], day, 9, 64, 600);
			scene_session(&s, "140.200.30.8", ports[p], day, 9, 64, 600);
		}
	scene_recommend(&s);
	/* one line each would be the rule in force: one port gets both */
	const struct wh_recommendation *rec = recommend(&s, "22,443", (struct wh_harden_options){.max_lines = 2});
	assert_int_equal(rec->resources[0].n_rules, 1);
	assert_int_equal(lines_of(&rec->resources[0].rules[0]), 2);
	assert_non_null(strstr(rec->resources[0].reason, "is left alone: the budget has no room for a rule"));
	rec = recommend(&s, "22,443", (struct wh_harden_options){.max_lines = 1});
	assert_int_equal(rec->resources[0].n_rules, 0);
	assert_int_equal(rec->resources[0].status, WH_UNHEALTHY);
	scene_close(&s);
}

static void few_lines_never_let_everybody_in(void **state)
{
	(void)state;
	static const char *const far[] = {"20.1.1.1", "90.200.3.7", "140.20.30.8", "200.7.7.7", "220.9.9.9"};
	struct scene s;
	scene_open(&s, SCENE_NSG("0.0.0.0/0", "\"22\""), 0);
	for (int day = 0; day < 31; day++)
		for (unsigned i = 0; i < sizeof far / sizeof *far; i++)
			scene_session(&s, far[i], 22, day, 9 + (int)i, 64, 600);
	scene_recommend(&s);
	for (unsigned most = 1; most <= 5; most++) {
		const struct wh_recommendation *rec = recommend(&s, "22", (struct wh_harden_options){.max_lines = most});
		for (size_t i = 0; i < rec->resources[0].n_rules; i++)
			for (size_t k = 0; k < rec->resources[0].rules[i].n_prefixes; k++)
				assert_true(rec->resources[0].rules[i].prefixes[k].len > 96);
		assert_true(rec->resources[0].n_rules == 1 || rec->resources[0].reason != NULL);
	}
	const struct wh_recommendation *rec = recommend(&s, "22", (struct wh_harden_options){.max_prefixes = 1});
	assert_int_equal(rec->resources[0].n_rules, 0);
	assert_int_equal(recommend(&s, "22", (struct wh_harden_options){0})->resources[0].n_rules, 1);
	scene_close(&s);
}

static void a_budget_that_even_single_lines_overrun_is_kept_by_leaving_ports_as_they_are(void **state)
{
	(void)state;
	enum { RESOURCES = 40, OPEN = 80 };
	static const char group[] = SCENE_NSG("140.0.0.0/8", "\"22\"");
	char yaml[4096], *at = yaml + sprintf(yaml, "resources:\n"), to[32];
	struct scene s;
	size_t rules = 0;

	for (int i = 0; i < RESOURCES; i++)
		at += sprintf(at, "  - {name: vm%d, addresses: [10.0.0.%d], nsgs: [web.json]}\n", i, i + 4);
	scene_open(&s, group, 0);
	scene_estate(&s, yaml);
	for (int day = 0; day < 31; day++)
		for (int i = 0; i < RESOURCES; i++) {
			sprintf(to, "10.0.0.%d", i + 4);
			scene_session_to(&s, "140.20.30.8", to, 22, day, 9, 64, 600);
		}
	scene_recommend(&s);
	struct wh_recommendation *rec = recommend(&s, "22",
	                                          (struct wh_harden_options){.max_prefixes_nsg = 100, .no_holdout = true});
	for (size_t i = 0; i < RESOURCES; i++)
		rules += rec->resources[i].n_rules;
	/* each a prefix, its resource's address in an allow, a deny and the allow for probes, and the probes' tag */
	assert_int_equal(rules, 99 / 5);
	scene_close(&s);

	scene_open(&s, NULL, 0);
	for (int day = 0; day < 31; day++)
		for (uint16_t port = 0; port < OPEN; port++)
			scene_session(&s, "140.20.30.8", (uint16_t)(8000 + port), day, 9, 64, 600);
	scene_recommend(&s);
	rec = recommend(&s, "all", (struct wh_harden_options){.max_lines = 70, .no_holdout = true});
	assert_int_equal(rec->resources[0].n_rules, 70);
	scene_close(&s);
}

static void ports_without_peers_weigh_as_the_one_rule_that_closes_them(void **state)
{
	(void)state;
	static const char group[] = SCENE_NSG("*", "\"22\", \"8000-8019\"");
	struct scene s;
	scene_open(&s, group, 0);
	scene_estate(
		&s,
		"resources:\n  - {name: vm1, addresses: [10.0.0.4], nsgs: [web.json]}\n  - {name: vm2, addresses: [10.0.0.5], nsgs: [web.json]}\n");
	for (int day = 0; day < 31; day++) {
		scene_session_to(&s, "140.20.30.8", "10.0.0.4", 22, day, 9, 64, 600);
		scene_session_to(&s, "140.20.30.9", "10.0.0.5", 22, day, 9, 64, 600);
	}
	scene_recommend(&s);
	/* each a peer with its allow, deny and probes, and a deny for all others with its probes */
	for (unsigned most = 15; most <= 16; most++) {
		const struct wh_recommendation *rec = recommend(&s, "22,8000-8019",
		                                                (struct wh_harden_options){.max_prefixes_nsg = most});
		assert_int_equal(rec->resources[0].n_rules + rec->resources[1].n_rules, most == 16 ? 42 : 41);
	}
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_allotment_is_better),
		cmocka_unit_test(a_resource_within_a_budget_has_the_cheapest_rules_that_there_is_room_for),
		cmocka_unit_test(a_share_that_narrows_nothing_is_given_to_another_port),
		cmocka_unit_test(few_lines_never_let_everybody_in),
		cmocka_unit_test(a_budget_that_even_single_lines_overrun_is_kept_by_leaving_ports_as_they_are),
		cmocka_unit_test(ports_without_peers_weigh_as_the_one_rule_that_closes_them),
		cmocka_unit_test(resources_in_a_group_with_little_room_share_it_as_well_as_can_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
