/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The advice on a rule before it is offered: its expected breakage, its confidence, and its stability. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"

static const char *const offices[] = {"185.7.60.8", "185.7.60.9", "185.7.60.10", "185.7.60.12", "185.7.60.15"};

static void office_days(struct scene *s, int from, int to)
{
	for (int day = from; day < to; day++)
		for (size_t i = 0; i < 5; i++)
			scene_session(s, offices[i], 22, day, 9, 64, 600);
}

static struct wh_recommendation *recommend(struct scene *s, unsigned stable_days)
{
	struct wh_harden_options opt = scene_options(s, "22");
	opt.stable_days = stable_days;
	return scene_recommend_as(s, &opt);
}

static void steady_peers_break_nothing_and_the_bound_shows_the_certainty(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	const struct wh_recommended_rule *r = scene_rule(recommend(&s, 0), 22);
	assert_non_null(r);
	assert_int_equal(r->replayed.of, 5 * 31);
	assert_int_equal(r->replayed.flows, 0);
	assert_int_equal(r->expected.days, 7);
	assert_int_equal(r->expected.of, 5 * 7);
	assert_int_equal(r->expected.flows, 0);
	assert_true(r->expected.upper == wh_upper_bound(0, 35));
	scene_close(&s);
}

static void an_office_that_came_this_week_is_the_expected_breakage_of_rules_like_these(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	office_days(&s, 26, 31);
	const struct wh_recommended_rule *r = scene_rule(recommend(&s, 0), 22);
	assert_non_null(r);
	assert_int_equal(r->replayed.flows, 0);
	assert_int_equal(r->expected.of, 5 * 7 + 5 * 5);
	assert_int_equal(r->expected.flows, 5 * 5);
	assert_int_equal(r->expected.peers, 5);
	assert_int_equal(r->expected.of_peers, 10);
	scene_close(&s);
}

static void changed_peers_give_less_confidence_than_stable_ones(void **state)
{
	(void)state;
	struct scene a, b;
	scene_open(&a, NULL, 0);
	scene_partner_days(&a, 0, 31);
	const struct wh_recommended_rule *stayed = scene_rule(recommend(&a, 0), 22);
	scene_open(&b, NULL, 0);
	scene_partner_days(&b, 0, 12);
	office_days(&b, 18, 31);
	const struct wh_recommended_rule *changed = scene_rule(recommend(&b, 0), 22);
	assert_non_null(stayed);
	assert_non_null(changed);
	assert_true(stayed->stability > 0.9);
	assert_true(changed->stability < 0.1);
	assert_true(changed->confidence < stayed->confidence);
	assert_true(stayed->leans >= 0 && stayed->leans < 0.5);
	scene_close(&a);
	scene_close(&b);
}

static void hours_with_lost_messages_lower_the_confidence(void **state)
{
	(void)state;
	struct scene s;
	int64_t lost[31 * 12 + 24];
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_harden_options opt = scene_options(&s, "22");
	double sure = scene_rule(scene_recommend_as(&s, &opt), 22)->confidence;
	for (int i = 0; i < 31 * 12; i++) /* each second hour */
		lost[i] = scene_day0_us / INT64_C(3600000000) + 2 * i;
	for (int i = 0; i < 24; i++) /* and those of a day before all that is known */
		lost[31 * 12 + i] = scene_day0_us / INT64_C(3600000000) - 2400 + i;
	opt.lost_hours = lost;
	opt.n_lost_hours = sizeof lost / sizeof *lost;
	double less = scene_rule(scene_recommend_as(&s, &opt), 22)->confidence;
	assert_true(less > 0.49 * sure && less < 0.51 * sure);
	scene_close(&s);
}

static void a_rule_that_was_not_stable_for_the_requested_days_is_not_offered_with_a_reason(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	office_days(&s, 26, 31);
	assert_non_null(scene_rule(recommend(&s, 3), 22)); /* they came five days ago: known for three */
	struct wh_recommendation *rec = recommend(&s, 10);
	assert_null(scene_rule(rec, 22));
	assert_non_null(strstr(rec->resources[0].reason, "has not been stable for 10 days: 25 of 75 flows"));
	const struct wh_reason *why = wh_reason_of_port(&rec->resources[0], WH_INBOUND, 22, WH_PROTO_TCP);
	assert_true(why && why->code == WH_REASON_UNSTABLE && why->count[0] == 10 && why->count[1] == 25 && why->count[2] == 75);
	scene_close(&s);
}

static json_t *kept(struct wh_state *s, const char *collection, const char *key)
{
	char *text;
	assert_int_equal(wh_state_get(s, collection, key, &text, NULL), 0);
	json_t *doc = json_loads(text, 0, NULL);
	assert_non_null(doc);
	free(text);
	return doc;
}

static void keep(struct wh_state *s, const char *key, json_t *doc)
{
	char *text = json_dumps(doc, JSON_COMPACT);
	assert_int_equal(wh_state_put(s, "recommendation", key, text, NULL), 0);
	free(text);
	json_decref(doc);
}

/* As earlier versions kept it: all resources in one document, their reasons in another one, of the calculation `serial`. */
static void keep_as_before(struct wh_state *s, const char *name, int64_t serial)
{
	json_t *resource = kept(s, "recommended", name), *all = kept(s, "recommendation", "latest");
	json_t *reasons = json_incref(json_object_get(resource, "reasons"));
	json_object_del(resource, "reasons");
	json_object_del(resource, "serial");
	json_object_del(all, "names");
	json_object_set_new(all, "resources", json_pack("[o]", resource));
	keep(s, "latest", all);
	keep(s, "reasons", json_pack("{s:I, s:{s:o}}", "serial", (json_int_t)serial, "resources", name, reasons));
}

static void reasons_are_kept_with_their_calculation(void **state)
{
	enum { OWN, BEFORE, OF_ANOTHER, ROUNDS };
	(void)state;
	struct scene s;
	struct wh_recommendation *back;
	struct wh_error err;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	office_days(&s, 26, 31);
	struct wh_recommendation *rec = recommend(&s, 10);
	for (int round = 0; round < ROUNDS; round++) {
		if (wh_recommendation_save(s.ledger.state, rec, &err))
			fail_msg("%s", err.text);
		if (round != OWN) /* the sentences are all that is known from another calculation */
			keep_as_before(s.ledger.state, rec->resources[0].resource->name, rec->serial + (round == OF_ANOTHER));
		if (wh_recommendation_load(s.ledger.state, s.estate, s.mem, &back, &err))
			fail_msg("%s", err.text);
		const struct wh_reason *why = wh_reason_of_port(&back->resources[0], WH_INBOUND, 22, WH_PROTO_TCP);
		assert_true(round == OF_ANOTHER ? !why : why && why->code == WH_REASON_UNSTABLE && why->count[1] == 25);
		assert_string_equal(back->resources[0].reason, rec->resources[0].reason);
	}
	scene_close(&s);
}

static void a_window_too_short_for_the_days_asked_for_is_reported(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_recommendation *rec = recommend(&s, 20);
	assert_null(scene_rule(rec, 22));
	assert_non_null(strstr(rec->resources[0].reason, "too short to judge"));
	scene_close(&s);
}

static void the_advice_of_a_rule_is_stored_with_it(void **state)
{
	(void)state;
	struct scene s;
	struct wh_recommendation *rec, *back;
	struct wh_error err;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	office_days(&s, 26, 31);
	rec = recommend(&s, 0);
	if (wh_recommendation_save(s.ledger.state, rec, &err) ||
	    wh_recommendation_load(s.ledger.state, s.estate, s.mem, &back, &err))
		fail_msg("%s", err.text);
	const struct wh_recommended_rule *a = scene_rule(rec, 22), *b = scene_rule(back, 22);
	assert_memory_equal(&a->expected, &b->expected, offsetof(struct wh_breakage, days) + sizeof(unsigned));
	assert_memory_equal(&a->replayed, &b->replayed, offsetof(struct wh_breakage, days) + sizeof(unsigned));
	assert_true(a->stability - b->stability < 1e-4 && b->stability - a->stability < 1e-4);
	scene_close(&s);
}

static struct wh_curve *curve_of(struct scene *s)
{
	struct wh_curve *c;
	struct wh_error err;
	scene_recommend(s); /* commits and loads the estate */
	struct wh_harden_options opt = scene_options(s, "22");
	if (wh_curve(&(struct wh_harden_ask){.store = s->ledger.store, .estate = s->estate, .opt = &opt}, s->mem, &c, &err))
		fail_msg("%s", err.text);
	return c;
}

static void along_the_curve_lines_become_fewer_and_addresses_more(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_curve *c = curve_of(&s);
	unsigned defaults = 0;
	assert_true(c->n >= 2);
	for (size_t i = 0; i < c->n; i++) {
		defaults += c->points[i].is_default;
		if (!i)
			continue;
		assert_true(c->points[i].permissiveness > c->points[i - 1].permissiveness);
		assert_true(c->points[i].lines <= c->points[i - 1].lines);
		assert_true(c->points[i].addresses >= c->points[i - 1].addresses);
	}
	assert_int_equal(defaults, 1);
	assert_true(c->points[0].addresses == 5); /* each peer for itself */
	scene_close(&s);
}

static void each_point_of_the_curve_is_the_recommendation_of_its_permissiveness(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	office_days(&s, 26, 31);
	struct wh_curve *c = curve_of(&s);
	struct wh_harden_options opt = scene_options(&s, "22");
	for (size_t i = 0; i < c->n; i++) {
		opt.permissiveness = c->points[i].permissiveness;
		const struct wh_recommended_rule *r = scene_rule(scene_recommend_as(&s, &opt), 22);
		assert_int_equal(r->n_prefixes + r->n_except, c->points[i].lines);
		assert_int_equal(r->expected.flows, c->points[i].expected.flows);
		assert_int_equal(r->expected.of, c->points[i].expected.of);
	}
	scene_close(&s);
}

static void a_budget_of_lines_is_held_by_all_rules_of_a_resource_together(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	for (int day = 0; day < 31; day++)
		for (int i = 0; i < 24; i++) {
			char from[32];
			snprintf(from, sizeof from, "140.%d.30.8", 20 + i * 8);
			scene_session(&s, from, i & 1 ? 22 : 443, day, 9, 64, 600);
		}
	struct wh_harden_options opt = scene_options(&s, "22,443");
	for (opt.max_lines = 2; opt.max_lines <= 30; opt.max_lines += 7) {
		struct wh_recommendation *rec = scene_recommend_as(&s, &opt);
		size_t used = 0;
		for (size_t i = 0; i < rec->resources[0].n_rules; i++)
			used += rec->resources[0].rules[i].n_prefixes + rec->resources[0].rules[i].n_except;
		assert_true(used >= 2 && used <= opt.max_lines);
	}
	scene_close(&s);
}

/* Three resources behind one group, with twelve scattered partners each: 36 lines where nothing presses. */
static void a_groups_budget_is_held_by_all_its_resources_together(void **state)
{
	(void)state;
	static const char group[] = SCENE_NSG("140.0.0.0/8", "\"22\"");
	static const char *const estate =
		"resources:\n  - {name: vm1, addresses: [10.0.0.4], nsgs: [web.json]}\n  - {name: vm2, addresses: [10.0.0.5], nsgs: [web.json]}\n"
		"  - {name: vm3, addresses: [10.0.0.6], nsgs: [web.json]}\n";
	struct scene s;
	scene_open(&s, group, 0);
	scene_estate(&s, estate);
	for (int day = 0; day < 31; day++)
		for (int i = 0; i < 36; i++) {
			char from[32], to[32];
			snprintf(from, sizeof from, "140.%d.30.8", 20 + i * 4);
			snprintf(to, sizeof to, "10.0.0.%d", 4 + i % 3);
			scene_session_to(&s, from, to, 22, day, 9, 64, 600);
		}
	struct wh_harden_options opt = scene_options(&s, "22");
	for (unsigned most = 100; most > 15; most -= 17) {
		size_t used = 1, lines[3]; /* the group's own prefix */
		opt.max_prefixes_nsg = most;
		struct wh_recommendation *rec = scene_recommend_as(&s, &opt);
		assert_int_equal(rec->n_resources, 3);
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(rec->resources[i].n_rules, 1);
			const struct wh_recommended_rule *r = &rec->resources[i].rules[0];
			assert_int_equal(r->replayed.peers, 0);
			lines[i] = r->n_prefixes + r->n_except;
			used += lines[i] + 2 + (r->n_except > 0);
		}
		assert_true(used <= most);
		/* as long as there is room, nothing is given up */
		assert_true(most < 45 || lines[0] + lines[1] + lines[2] == 36);
	}
	opt.max_prefixes_nsg = 5;
	assert_non_null(strstr(scene_recommend_as(&s, &opt)->resources[0].reason,
	                       "web has no room for narrower rules: it holds 5 prefixes"));
	scene_close(&s);
}

static void the_drawing_has_a_dot_for_each_point_and_is_well_formed(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_curve *c = curve_of(&s);
	char *svg = wh_curve_svg(c);
	size_t dots = 0, opened = 0, closed = 0;
	assert_non_null(svg);
	for (const char *p = svg; (p = strstr(p, "<circle")); p++)
		dots++;
	for (const char *p = svg; *p; p++) {
		opened += *p == '<';
		closed += *p == '>';
	}
	assert_int_equal(dots, 2 * c->n);
	assert_int_equal(opened, closed);
	assert_null(strstr(svg, "nan"));
	assert_string_equal(svg + strlen(svg) - 7, "</svg>\n");
	free(svg);
	scene_close(&s);
}

static void a_change_since_the_last_calculation_is_reported_with_its_reason(void **state)
{
	(void)state;
	struct scene s;
	struct wh_changes c;
	struct wh_error err;
	char text[WH_PREFIX_STRLEN];
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_recommendation *before = recommend(&s, 0);
	if (wh_changes(&s.ledger, before, recommend(&s, 0), s.mem, &c, &err))
		fail_msg("%s", err.text);
	assert_int_equal(c.n, 0);
	office_days(&s, 31, 45);
	for (int i = 0; i < 9; i++)
		scene_syn(&s, wh_addr_v4(0xb9073c09), 22, 45, 0); /* 185.7.60.9, refused by then */
	struct wh_recommendation *now = recommend(&s, 0);
	if (wh_changes(&s.ledger, before, now, s.mem, &c, &err))
		fail_msg("%s", err.text);
	assert_int_equal(c.n, 1);
	assert_false(c.list[0].is_new);
	assert_int_equal(c.list[0].n_gained, 1);
	assert_string_equal(wh_prefix_text(&c.list[0].gained[0], text), "185.7.60.8/29");
	assert_int_equal(c.list[0].n_lost, 0);
	assert_int_equal(c.list[0].refused, 9);
	assert_non_null(strstr(c.list[0].why, "5 peers were seen in the added prefixes, the first on 2026-11-01"));
	assert_non_null(strstr(c.list[0].why, "9 attempts from there were refused"));
	scene_close(&s);
}

static void days_without_any_flow_are_an_outage_and_are_named(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 12);
	scene_partner_days(&s, 15, 33);
	struct wh_recommendation *rec = recommend(&s, 0);
	assert_int_equal(rec->n_silent, 1);
	assert_int_equal(rec->silent[0].first, wh_day(scene_day0_us) + 12);
	assert_int_equal(rec->silent[0].last, wh_day(scene_day0_us) + 14);
	assert_non_null(scene_rule(rec, 22)); /* and they count neither for nor against anybody */
	scene_close(&s);
}

static void an_unused_peer_leaves_a_rolling_window(void **state)
{
	(void)state;
	struct scene s;
	struct wh_changes c;
	struct wh_error err;
	scene_open(&s, NULL, 0);
	office_days(&s, 0, 20);
	scene_partner_days(&s, 0, 60);
	struct wh_recommendation *before = recommend(&s, 0);
	assert_true(scene_allows(scene_rule(before, 22), "185.7.60.9"));
	struct wh_harden_options opt = scene_options(&s, "22");
	opt.window_days = 35;
	struct wh_recommendation *now = scene_recommend_as(&s, &opt);
	if (wh_changes(&s.ledger, before, now, s.mem, &c, &err))
		fail_msg("%s", err.text);
	assert_false(scene_allows(scene_rule(now, 22), "185.7.60.9"));
	assert_int_equal(c.n, 1);
	assert_non_null(strstr(c.list[0].why, "5 peers were seen in the removed prefixes, the last on 2026-10-20"));
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steady_peers_break_nothing_and_the_bound_shows_the_certainty),
		cmocka_unit_test(an_office_that_came_this_week_is_the_expected_breakage_of_rules_like_these),
		cmocka_unit_test(changed_peers_give_less_confidence_than_stable_ones),
		cmocka_unit_test(hours_with_lost_messages_lower_the_confidence),
		cmocka_unit_test(a_rule_that_was_not_stable_for_the_requested_days_is_not_offered_with_a_reason),
		cmocka_unit_test(reasons_are_kept_with_their_calculation),
		cmocka_unit_test(a_window_too_short_for_the_days_asked_for_is_reported),
		cmocka_unit_test(the_advice_of_a_rule_is_stored_with_it),
		cmocka_unit_test(along_the_curve_lines_become_fewer_and_addresses_more),
		cmocka_unit_test(each_point_of_the_curve_is_the_recommendation_of_its_permissiveness),
		cmocka_unit_test(a_budget_of_lines_is_held_by_all_rules_of_a_resource_together),
		cmocka_unit_test(a_groups_budget_is_held_by_all_its_resources_together),
		cmocka_unit_test(a_change_since_the_last_calculation_is_reported_with_its_reason),
		cmocka_unit_test(days_without_any_flow_are_an_outage_and_are_named),
		cmocka_unit_test(an_unused_peer_leaves_a_rolling_window),
		cmocka_unit_test(the_drawing_has_a_dot_for_each_point_and_is_well_formed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
