/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include "tests/unit/support/scene.h"

static struct wh_replay *replay(struct scene *s, const struct wh_recommendation *rec)
{
	struct wh_harden_options opt = scene_options(s, "22,443");
	struct wh_replay *r;
	struct wh_error err;
	if (wh_replay(&(struct wh_harden_ask){.store = s->ledger.store, .estate = s->estate, .opt = &opt}, rec, 0, s->mem, &r,
	              &err))
		fail_msg("%s", err.text);
	return r;
}

static struct wh_replay *holdout(struct scene *s, unsigned days)
{
	struct wh_harden_options opt = scene_options(s, "22,443");
	struct wh_replay *r;
	struct wh_error err;
	if (wh_replay_holdout(&(struct wh_harden_ask){.store = s->ledger.store, .estate = s->estate, .opt = &opt}, days, s->mem,
	                      &r, &err))
		fail_msg("%s", err.text);
	return r;
}

static void assert_days_add_up(const struct wh_replay *r)
{
	struct wh_replay_counts sum = {0};
	for (unsigned i = 0; i < r->n_days; i++) {
		sum.kept += r->days[i].kept;
		sum.lost += r->days[i].lost;
		sum.stopped += r->days[i].stopped;
		sum.admitted += r->days[i].admitted;
	}
	assert_memory_equal(&sum, &r->flows, sizeof sum);
}

static double at_most(unsigned k, unsigned n, double p)
{
	double sum = 0;
	for (unsigned i = 0; i <= k; i++)
		sum += exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * log(p) + (n - i) * log1p(-p));
	return sum;
}

static void the_bound_is_the_share_at_which_so_few_have_a_chance_of_five_percent(void **state)
{
	(void)state;
	static const unsigned cases[][2] = {{0, 1},  {0, 30},   {1, 2},      {1, 30},     {3, 10},
	                                    {9, 10}, {7, 1000}, {500, 1000}, {990, 1000}, {40, 41203}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double p = wh_upper_bound(cases[i][0], cases[i][1]);
		double chance = at_most(cases[i][0], cases[i][1], p);
		if (fabs(chance - 0.05) > 1e-6)
			fail_msg("%u of %u: %.9f has a chance of %.9f", cases[i][0], cases[i][1], p, chance);
	}
}

static void none_of_41203_flows_is_at_most_seven_thousandths_of_a_percent(void **state)
{
	(void)state;
	assert_true(fabs(100 * wh_upper_bound(0, 41203) - 0.00727) < 0.00001);
	assert_true(wh_upper_bound(0, 0) == 1);
	assert_true(wh_upper_bound(5, 5) == 1);
	double many = wh_upper_bound(1000000, UINT64_C(1000000000));
	assert_true(many > 0.001 && many < 0.0010020); /* the normal approximation gives 0.00100164 */
}

static void partners_are_kept_and_guessers_stopped_and_days_add_up(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 10; day < 13; day++)
		for (int i = 0; i < 20; i++)
			scene_guess(&s, "45.9.9.9", 22, day, i);
	struct wh_replay *r = replay(&s, scene_recommend(&s));
	assert_int_equal(r->n_days, 31);
	assert_int_equal(r->first_day, wh_day(scene_day0_us));
	assert_int_equal(r->flows.kept, 31 * 5);
	assert_int_equal(r->flows.stopped, 60);
	assert_int_equal(r->flows.lost + r->flows.admitted, 0);
	assert_int_equal(r->peers.kept, 5);
	assert_int_equal(r->peers.stopped, 1);
	assert_int_equal(r->days[11].stopped, 20);
	assert_int_equal(r->days[13].stopped, 0);
	assert_days_add_up(r);
	scene_close(&s);
}

/* A rule that a person narrowed too far: the peer that it forgets is lost, named and counted. */
static void a_rule_that_forgets_a_peer_loses_it_by_name(void **state)
{
	(void)state;
	struct scene s;
	struct wh_prefix half;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_recommendation *rec = scene_recommend(&s);
	struct wh_recommended_rule *rule = (struct wh_recommended_rule *)scene_rule(rec, 22);
	assert_non_null(rule);
	assert_int_equal(wh_prefix_parse("140.20.30.8/30", 14, &half, NULL), 0);
	rule->prefixes = &half;
	rule->n_prefixes = 1;
	rule->n_except = 0;
	struct wh_replay *r = replay(&s, rec);
	assert_int_equal(r->flows.lost, 2 * 31);
	assert_int_equal(r->flows.kept, 3 * 31);
	assert_int_equal(r->rules[0].peers.lost, 2);
	assert_int_equal(r->rules[0].n_worst, 2);
	char text[WH_ADDR_STRLEN];
	assert_string_equal(wh_addr_text(&r->rules[0].worst[0].addr, text), "140.20.30.12");
	assert_true(r->upper > 0.4 && r->upper < 0.5);
	assert_days_add_up(r);
	scene_close(&s);
}

static void a_carve_out_stops_and_a_second_rule_of_the_port_lets_in(void **state)
{
	(void)state;
	struct scene s;
	struct wh_prefix whole, one;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_recommendation *rec = scene_recommend(&s);
	struct wh_recommended_rule two[2];
	two[0] = two[1] = *scene_rule(rec, 22);
	assert_int_equal(wh_prefix_parse("140.20.30.8/29", 14, &whole, NULL), 0);
	assert_int_equal(wh_prefix_parse("140.20.30.9", 11, &one, NULL), 0);
	two[0].prefixes = &whole;
	two[0].except = two[1].prefixes = &one;
	two[0].n_prefixes = two[0].n_except = two[1].n_prefixes = 1;
	two[1].n_except = 0;
	rec->resources[0].rules = two;
	rec->resources[0].n_rules = 1;
	assert_int_equal(replay(&s, rec)->peers.lost, 1);
	rec->resources[0].n_rules = 2;
	struct wh_replay *r = replay(&s, rec);
	assert_int_equal(r->peers.lost, 0);
	assert_int_equal(r->peers.kept, 5); /* once, though the port has two rules */
	scene_close(&s);
}

/* A second partner arrives in the last five days: on all days nothing is lost, because the rules include it; the holdout shows
 * the loss. */
static void the_holdout_loses_peers_that_were_not_there_yet(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 40);
	for (int day = 35; day < 40; day++)
		for (int i = 0; i < 4; i++)
			scene_session(&s, "198.51.100.77", 22, day, 9 + i, 64, 600);
	struct wh_recommendation *rec = scene_recommend(&s);
	assert_true(scene_allows(scene_rule(rec, 22), "198.51.100.77"));
	assert_int_equal(replay(&s, rec)->flows.lost, 0);
	struct wh_replay *r = holdout(&s, 5);
	assert_int_equal(r->holdout_days, 5);
	assert_int_equal(r->n_days, 5);
	assert_int_equal(r->flows.lost, 20);
	assert_int_equal(r->flows.kept, 25);
	assert_int_equal(r->peers.lost, 1);
	assert_days_add_up(r);
	scene_close(&s);
}

static void a_holdout_as_long_as_the_watch_is_refused(void **state)
{
	(void)state;
	struct scene s;
	struct wh_replay *r;
	struct wh_error err = {0};
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	scene_recommend(&s);
	struct wh_harden_options opt = scene_options(&s, "22,443");
	assert_int_equal(wh_replay_holdout(&(struct wh_harden_ask){.store = s.ledger.store, .estate = s.estate, .opt = &opt}, 30,
	                                   s.mem, &r, &err),
	                 -EINVAL);
	assert_true(err.input);
	scene_close(&s);
}

/* Eight flows on three days: three, three and two, the more on the later days; and only the window's share in a shorter
 * window. */
static void flows_that_do_not_divide_by_days_are_all_counted(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int i = 0; i < 8; i++)
		scene_guess(&s, "45.9.9.9", 22, i < 6 ? 4 : i == 6 ? 5 : 20, i);
	struct wh_recommendation *rec = scene_recommend(&s);
	struct wh_replay *r = replay(&s, rec);
	assert_int_equal(r->days[20].stopped, 3);
	assert_int_equal(r->days[5].stopped, 3);
	assert_int_equal(r->days[4].stopped, 2);
	assert_int_equal(r->flows.stopped, 8);
	assert_days_add_up(r);
	struct wh_harden_options opt = scene_options(&s, "22,443");
	opt.window_days = 12; /* of the guesser's three days only the last is in it */
	if (wh_replay(&(struct wh_harden_ask){.store = s.ledger.store, .estate = s.estate, .opt = &opt}, rec, 0, s.mem, &r, &err))
		fail_msg("%s", err.text);
	assert_int_equal(r->n_days, 12);
	assert_int_equal(r->flows.stopped, 2);
	assert_int_equal(r->flows.kept + r->flows.lost, 12 * 5);
	assert_days_add_up(r);
	scene_close(&s);
}

/* The proposal changes nothing for peers that the rules in force already deny. */
static void a_peer_that_the_rules_in_force_deny_is_not_counted(void **state)
{
	(void)state;
	struct scene s;
	scene_open(
		&s,
		"{\"name\":\"web\",\"securityRules\":[{\"name\":\"ssh\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\","
		"\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"140.20.30.0/24\",\"destinationAddressPrefix\":\"*\","
		"\"destinationPortRange\":\"22\"}]}",
		0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 31; day++)
		scene_session(&s, "198.51.100.77", 22, day, 9, 64, 600);
	struct wh_replay *r = replay(&s, scene_recommend(&s));
	assert_int_equal(r->peers.kept, 5);
	assert_int_equal(r->flows.kept + r->flows.lost + r->flows.stopped + r->flows.admitted, 31 * 5);
	scene_close(&s);
}

static void the_json_has_the_values_of_the_replay(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_replay *r = replay(&s, scene_recommend(&s));
	char *text = wh_replay_json(r);
	json_t *doc = json_loads(text, 0, NULL), *broken = json_object_get(doc, "breakage");
	assert_non_null(doc);
	assert_int_equal(json_integer_value(json_object_get(broken, "flows")), 0);
	assert_int_equal(json_integer_value(json_object_get(broken, "of")), 155);
	assert_int_equal(json_array_size(json_object_get(doc, "days")), 31);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(doc, "days"), 0), "day")),
	                    "2026-10-01");
	json_decref(doc);
	free(text);
	scene_close(&s);
}

static void shares_and_counts_are_written_without_powers_of_ten(void **state)
{
	(void)state;
	char buf[WH_NUMBER_STRLEN];
	assert_string_equal(wh_percent(1, buf), "100");
	assert_string_equal(wh_percent(wh_upper_bound(2, 2), buf), "100");
	assert_string_equal(wh_percent(0.9999, buf), "100");
	assert_string_equal(wh_percent(0.082, buf), "8.2");
	assert_string_equal(wh_percent(wh_upper_bound(0, 41203), buf), "0.0073");
	assert_string_equal(wh_percent(wh_upper_bound(0, 100000000), buf), "0.0000030");
	assert_string_equal(wh_percent(0, buf), "0");
	assert_string_equal(wh_count_text(16777216, buf), "16,777,216");
	assert_string_equal(wh_count_text(999, buf), "999");
	assert_string_equal(wh_count_text(0, buf), "0");
	assert_string_equal(wh_count_text(0.5, buf), "0.5");
	assert_string_equal(wh_count_text(18446744073709551616.0, buf), "2^64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_and_counts_are_written_without_powers_of_ten),
		cmocka_unit_test(the_bound_is_the_share_at_which_so_few_have_a_chance_of_five_percent),
		cmocka_unit_test(none_of_41203_flows_is_at_most_seven_thousandths_of_a_percent),
		cmocka_unit_test(partners_are_kept_and_guessers_stopped_and_days_add_up),
		cmocka_unit_test(a_rule_that_forgets_a_peer_loses_it_by_name),
		cmocka_unit_test(a_carve_out_stops_and_a_second_rule_of_the_port_lets_in),
		cmocka_unit_test(the_holdout_loses_peers_that_were_not_there_yet),
		cmocka_unit_test(a_holdout_as_long_as_the_watch_is_refused),
		cmocka_unit_test(flows_that_do_not_divide_by_days_are_all_counted),
		cmocka_unit_test(a_peer_that_the_rules_in_force_deny_is_not_counted),
		cmocka_unit_test(the_json_has_the_values_of_the_replay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
