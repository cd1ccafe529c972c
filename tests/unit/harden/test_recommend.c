/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From sessions to rules: the rules that are offered, those that are not, and the notes about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include "harden/evidence.h"
#include "tests/unit/support/scene.h"
#include "whittle/recommended.h"

#define NSG(source, port) SCENE_NSG(source, "\"" port "\"")

static void five_of_eight_neighbours_every_day_become_one_29(void **state)
{
	(void)state;
	struct scene s;
	char text[WH_PREFIX_STRLEN];
	scene_open(&s, NSG("140.20.30.10/24", "22"), 0);
	scene_partner_days(&s, 0, 31);
	struct wh_recommendation *rec = scene_recommend(&s);
	const struct wh_recommended_rule *r = scene_rule(rec, 22);
	assert_non_null(r);
	assert_int_equal(rec->resources[0].status, WH_UNHEALTHY);
	assert_int_equal(rec->resources[0].n_rules, 1);
	assert_int_equal(r->n_prefixes, 1);
	assert_string_equal(wh_prefix_text(&r->prefixes[0], text), "140.20.30.8/29");
	assert_int_equal(r->n_except, 0);
	assert_false(r->system_generated);
	assert_int_equal(r->sources, 5);
	assert_int_equal(r->days, 31);
	assert_string_equal(r->narrows, "web: allow-it");
	assert_non_null(r->note); /* it was read as 140.20.30.0/24 */
	assert_non_null(strstr(r->note, "140.20.30.0/24"));
	scene_close(&s);
}

static void rules_that_are_as_narrow_already_are_healthy(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NSG("140.20.30.8/29", "22"), 0);
	scene_partner_days(&s, 0, 31);
	struct wh_recommendation *rec = scene_recommend(&s);
	assert_int_equal(rec->resources[0].status, WH_HEALTHY);
	assert_int_equal(rec->resources[0].n_rules, 0);
	assert_non_null(rec->resources[0].reason);
	scene_close(&s);
}

static void twenty_nine_days_are_not_enough_and_the_reason_says_so(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 29);
	struct wh_recommendation *rec = scene_recommend(&s);
	assert_int_equal(rec->resources[0].status, WH_UNSCANNED);
	assert_int_equal(rec->resources[0].n_rules, 0);
	assert_non_null(strstr(rec->resources[0].reason, "29 of 30 days"));
	scene_close(&s);
}

static void a_sensor_that_was_silent_for_long_is_not_taken_for_silence(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 10);
	scene_partner_days(&s, 25, 35);
	struct wh_recommendation *rec = scene_recommend(&s);
	assert_int_equal(rec->resources[0].status, WH_UNSCANNED);
	assert_non_null(strstr(rec->resources[0].reason, "silent"));
	scene_close(&s);
}

/* A replica that was connected on 25 of 31 days by one connection belongs; so does a tunnel that outlasts the window's bitmap. */
static void one_connection_of_many_days_is_presence_on_all_of_them(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	scene_session(&s, "60.1.1.1", 22, 3, 10, 4096, 25 * 86400);
	scene_session(&s, "60.2.2.2", 22, -41, 10, 4096, 71 * 86400);
	struct wh_recommendation *rec = scene_recommend(&s);
	const struct wh_recommended_rule *r = scene_rule(rec, 22);
	assert_non_null(r);
	assert_true(scene_allows(r, "60.1.1.1"));
	assert_true(scene_allows(r, "60.2.2.2"));
	struct wh_harden_options opt = scene_options(&s, "22");
	struct wh_replay *p;
	struct wh_error err;
	assert_int_equal(wh_replay(&(struct wh_harden_ask){.store = s.ledger.store, .estate = s.estate, .opt = &opt}, rec, 0,
	                           s.mem, &p, &err),
	                 0);
	assert_int_equal(p->flows.lost, 0);
	assert_int_equal(p->days[p->n_days - 25].kept, 5 + 2); /* of both, one was open on that day */
	scene_close(&s);
}

/* Records of years ago, by a clock that was wrong, add nothing to the days of data; nor does a lone one of last month. */
static void stray_records_of_long_ago_are_no_days_of_data(void **state)
{
	static const int stray[] = {-2500, -1200, -400, -90, -25};
	(void)state;
	for (size_t i = 0; i <= sizeof stray / sizeof *stray; i++) {
		struct scene s;
		scene_open(&s, NULL, 0);
		scene_partner_days(&s, 0, 20);
		for (size_t k = 0; k < sizeof stray / sizeof *stray; k++)
			if (k == i || i == sizeof stray / sizeof *stray)
				scene_session(&s, "140.20.30.9", 22, stray[k], 10, 64, 600);
		struct wh_recommendation *rec = scene_recommend(&s);
		assert_int_equal(rec->resources[0].status, WH_UNSCANNED);
		assert_non_null(strstr(rec->resources[0].reason, "20 of 30 days"));
		assert_int_equal(rec->resources[0].first_day, wh_day(scene_day0_us));
		scene_close(&s);
	}
}

static void a_pause_is_bridged_to_enough_older_data_and_to_no_stray_day(void **state)
{
	(void)state;
	assert_int_equal(wh_days_reach(0), 0);
	assert_int_equal(wh_days_reach(1), 1);
	assert_int_equal(wh_days_reach(UINT64_MAX), 64);
	assert_int_equal(wh_days_reach(UINT64_C(1) << 63), 1);
	assert_int_equal(wh_days_reach(UINT64_C(1) << 63 | 1), 1);
	assert_int_equal(wh_days_reach(0x10f), 9);                       /* a pause of four days */
	assert_int_equal(wh_days_reach(UINT64_C(1) << 8 | 1), 9);        /* of a week */
	assert_int_equal(wh_days_reach(UINT64_C(1) << 9 | 1), 1);        /* of more, and one day before it */
	assert_int_equal(wh_days_reach(UINT64_C(0xf) << 9 | 1), 13);     /* four */
	assert_int_equal(wh_days_reach(UINT64_C(0x3ff) << 25 | 0x3ff), 35); /* ten days, fifteen without, ten */
}

/* A lone server that came daily and stopped is gone. A person that rests at weekends and is away for two weeks is not. */
static void a_server_that_was_replaced_loses_its_line_and_one_on_holiday_does_not(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 17; day++) {
		scene_session(&s, "60.1.1.1", 22, day, 10, 64, 600);
		if (day % 7 < 5) /* longest pause of three days, then 14 without */
			scene_session(&s, "60.2.2.2", 22, day, 10, 64, 600);
	}
	for (int day = 17; day < 31; day++)
		scene_session(&s, "60.3.3.3", 22, day, 10, 64, 600);
	const struct wh_recommended_rule *r = scene_rule(scene_recommend(&s), 22);
	assert_non_null(r);
	assert_false(scene_allows(r, "60.1.1.1"));
	assert_true(scene_allows(r, "60.3.3.3"));
	assert_true(scene_allows(r, "60.2.2.2"));
	scene_close(&s);
}

/* Nobody was there to see: the days of an outage speak against no peer. */
static void an_outage_of_the_sensor_makes_no_peer_gone(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 22);
	for (int day = 0; day < 22; day++)
		scene_session(&s, "60.1.1.1", 22, day, 10, 64, 600);
	scene_partner_days(&s, 31, 32); /* nine days without the sensor, then one on which the lone one was off */
	const struct wh_recommended_rule *r = scene_rule(scene_recommend(&s), 22);
	assert_non_null(r);
	assert_true(scene_allows(r, "60.1.1.1"));
	scene_close(&s);
}

static void a_guesser_is_carved_out_until_it_has_been_quiet_for_long(void **state)
{
	(void)state;
	struct scene s;
	for (int last = 30; last >= 10; last -= 20) {
		scene_open(&s, NULL, 0);
		scene_partner_days(&s, 0, 31);
		for (int k = 0; k < 30; k++)
			scene_guess(&s, "140.20.30.13", 22, last, k % 24);
		const struct wh_recommended_rule *r = scene_rule(scene_recommend(&s), 22);
		assert_non_null(r);
		assert_true(scene_allows(r, scene_partners[0]));
		assert_int_equal(r->n_except, last == 30);
		assert_int_equal(scene_allows(r, "140.20.30.13"), last != 30);
		scene_close(&s);
	}
}

/* The port is open, the sensor saw the resource daily on another one, and nobody came: closed, and marked as the program's
 * own. */
static void an_unused_port_is_closed_with_the_number_of_days_on_which_the_resource_was_seen(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NSG("*", "22-23"), 0);
	for (int day = 0; day < 31; day++) {
		struct wh_addr scanner = wh_addr_v4(0x2d090900u + (uint32_t)day);
		for (size_t i = 0; i < 5; i++)
			scene_session(&s, scene_partners[i], 443, day, 9, 64, 600);
		scene_syn(&s, scanner, 22, day, 0);
	}
	struct wh_recommendation *rec = scene_recommend(&s);
	const struct wh_recommended_rule *r = scene_rule(rec, 22);
	assert_non_null(r);
	assert_int_equal(r->n_prefixes, 0);
	assert_true(r->system_generated);
	assert_int_equal(r->days, 31);
	assert_non_null(strstr(r->note, "31 of 31 days"));
	scene_close(&s);
}

static void without_rules_in_force_a_port_that_nothing_reached_gets_no_rule(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_recommendation *rec = scene_recommend(&s);
	assert_int_equal(rec->resources[0].n_rules, 1);
	assert_null(scene_rule(rec, 3389));
	scene_close(&s);
}

static void a_peer_that_the_rules_in_force_deny_is_not_allowed(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NSG("140.20.30.0/24", "22"), 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 31; day++)
		scene_session(&s, "198.51.100.77", 22, day, 9, 64, 600);
	const struct wh_recommended_rule *r = scene_rule(scene_recommend(&s), 22);
	assert_non_null(r);
	assert_false(scene_allows(r, "198.51.100.77"));
	assert_true(scene_allows(r, "140.20.30.12"));
	scene_close(&s);
}

static void trusted_addresses_are_kept_though_nobody_saw_them(void **state)
{
	(void)state;
	struct scene s;
	struct wh_prefix trusted = scene_prefix("203.0.113.0/28");
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_harden_options opt = scene_options(&s, "22");
	opt.trusted = &trusted;
	opt.n_trusted = 1;
	const struct wh_recommended_rule *r = scene_rule(scene_recommend_as(&s, &opt), 22);
	assert_non_null(r);
	assert_true(scene_allows(r, "203.0.113.15"));
	assert_false(scene_allows(r, "203.0.113.16"));
	assert_true(scene_allows(r, "140.20.30.8"));
	scene_close(&s);
}

static void a_listed_peer_is_never_allowed_however_regular_it_is(void **state)
{
	(void)state;
	struct scene s;
	struct wh_prefix listed = scene_prefix("140.20.30.12");
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_harden_options opt = scene_options(&s, "22");
	opt.hostile = &listed;
	opt.n_hostile = 1;
	const struct wh_recommended_rule *r = scene_rule(scene_recommend_as(&s, &opt), 22);
	assert_non_null(r);
	assert_false(scene_allows(r, "140.20.30.12"));
	assert_true(scene_allows(r, "140.20.30.8"));
	assert_true(scene_allows(r, "140.20.30.15"));
	scene_close(&s);
}

/* A listed range inside an allowed prefix is carved out, though no address of it was seen. */
static void a_listed_address_that_was_never_seen_is_carved_out(void **state)
{
	(void)state;
	struct scene s;
	struct wh_prefix listed = scene_prefix("140.20.30.11");
	scene_open(&s, NSG("140.20.30.0/24", "22"), 0);
	scene_partner_days(&s, 0, 31);
	struct wh_harden_options opt = scene_options(&s, "22");
	opt.hostile = &listed;
	opt.n_hostile = 1;
	const struct wh_recommended_rule *r = scene_rule(scene_recommend_as(&s, &opt), 22);
	assert_non_null(r);
	assert_false(scene_allows(r, "140.20.30.11"));
	for (size_t i = 0; i < 5; i++)
		assert_true(scene_allows(r, scene_partners[i]));
	scene_close(&s);
}

static void the_same_ledger_gives_the_same_bytes(void **state)
{
	(void)state;
	char *text[2];
	for (int order = 0; order < 2; order++) { /* folded in two orders, by two ledgers */
		struct scene s;
		scene_open(&s, NULL, 0);
		for (int i = 0; i < 31; i++) {
			int day = order ? 30 - i : i;
			for (size_t k = 0; k < 5; k++)
				scene_session(&s, scene_partners[order ? 4 - k : k], 22, day, 9, 64, 600);
			scene_guess(&s, "45.9.9.9", 22, day, 3);
		}
		text[order] = wh_recommendation_json(scene_recommend(&s), NULL);
		assert_non_null(text[order]);
		scene_close(&s);
	}
	assert_string_equal(text[0], text[1]);
	free(text[0]);
	free(text[1]);
}

static void a_saved_recommendation_is_loaded_unchanged(void **state)
{
	(void)state;
	struct scene s;
	struct wh_recommendation *again;
	struct wh_error err;
	scene_open(&s, NSG("140.20.30.10/24", "22"), 0);
	scene_partner_days(&s, 0, 31);
	struct wh_recommendation *rec = scene_recommend(&s);
	if (wh_recommendation_save(s.ledger.state, rec, &err) ||
	    wh_recommendation_load(s.ledger.state, s.estate, s.mem, &again, &err))
		fail_msg("%s", err.text);
	char *a = wh_recommendation_json(rec, NULL), *b = wh_recommendation_json(again, NULL);
	assert_string_equal(a, b);
	assert_int_equal(again->serial, 1);
	free(a);
	free(b);
	scene_close(&s);
}

/* Lists of prefixes are put into the text and taken out of it by hand: it is what jansson writes, and what jansson writes is
 * read. */
static void lists_of_prefixes_are_written_and_read_as_any_json(void **state)
{
	(void)state;
	static const size_t layouts[] = {JSON_COMPACT, JSON_INDENT(2), JSON_INDENT(3) | JSON_ENSURE_ASCII, 0};
	struct scene s;
	struct wh_recommendation *again;
	struct wh_error err;
	char *saved = NULL;
	scene_open(&s, NSG("140.20.30.10/24", "22"), 0);
	scene_partner_days(&s, 0, 31);
	scene_guess(&s, "45.9.9.9", 3389, 30, 3);
	struct wh_recommendation *rec = scene_recommend(&s);
	struct wh_recommended_rule *r = &rec->resources[0].rules[0];
	struct wh_prefix two[] = {scene_prefix("2001:db8::/32"), scene_prefix("203.0.113.7")};
	assert_true(rec->n_resources == 1 && rec->resources[0].n_rules);
	r->name = "\"ipAddresses\":[\"1.2.3.4\"]"; /* nor does a name with all that is looked for lead astray */
	r->except = two;
	r->n_except = 2;
	char *a = wh_recommendation_json(rec, NULL);
	json_t *doc = json_loads(a, 0, NULL);
	char *b = json_dumps(doc, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
	assert_non_null(doc);
	assert_string_equal(a, b);
	if (wh_recommendation_save(s.ledger.state, rec, &err) ||
	    wh_state_get(s.ledger.state, "recommended", s.estate->resources[0].name, &saved, &err))
		fail_msg("%s", err.text);
	json_t *resource = json_deep_copy(json_array_get(json_object_get(doc, "resources"), 0));
	json_object_set_new(resource, "serial", json_integer(rec->serial));
	char *whole = json_dumps(resource, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
	assert_string_equal(whole, saved);
	if (wh_recommendation_load(s.ledger.state, s.estate, s.mem, &again, &err))
		fail_msg("%s", err.text);
	char *kept = wh_recommendation_json(again, NULL);
	assert_string_equal(a, kept);
	/* an earlier version's document, which has all resources in one */
	for (size_t i = 0; i < 4; i++) {
		char *text = json_dumps(doc, layouts[i] | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(12));
		if (wh_state_put(s.ledger.state, "recommendation", "latest", text, &err) ||
		    wh_recommendation_load(s.ledger.state, s.estate, s.mem, &again, &err))
			fail_msg("%s", err.text);
		char *c = wh_recommendation_json(again, NULL);
		assert_string_equal(a, c);
		free(c);
		free(text);
	}
	json_decref(resource);
	json_decref(doc);
	free(saved);
	free(whole);
	free(kept);
	free(b);
	free(a);
	scene_close(&s);
}

/* Of a large estate one resource is read, and nothing of a calculation that another has replaced. */
static void one_resource_is_read_alone_and_of_the_last_calculation(void **state)
{
	(void)state;
	struct scene s;
	struct wh_recommendation *again;
	struct wh_error err;
	char *text = NULL;
	scene_open(&s, NSG("140.20.30.10/24", "22"), 0);
	scene_partner_days(&s, 0, 31);
	struct wh_recommendation *rec = scene_recommend(&s);
	const struct wh_resource *r = &s.estate->resources[0];
	if (wh_recommendation_save(s.ledger.state, rec, &err) ||
	    wh_recommendation_load_of(s.ledger.state, s.estate, &r, 1, s.mem, &again, &err))
		fail_msg("%s", err.text);
	assert_int_equal(again->n_resources, 1);
	assert_int_equal(again->resources[0].n_rules, rec->resources[0].n_rules);
	if (wh_recommendation_load_of(s.ledger.state, s.estate, &r, 0, s.mem, &again, &err))
		fail_msg("%s", err.text);
	assert_int_equal(again->n_resources, 0);
	/* another calculation has no resource: the document of the one before goes */
	struct wh_recommendation none = *rec;
	none.n_resources = 0;
	if (wh_recommendation_save(s.ledger.state, &none, &err) ||
	    wh_state_get(s.ledger.state, "recommended", r->name, &text, &err))
		fail_msg("%s", err.text);
	assert_null(text);
	/* a document of another calculation is not taken for this one's */
	if (wh_recommendation_save(s.ledger.state, rec, &err) ||
	    wh_state_put(s.ledger.state, "recommendation", "serial", "77", &err))
		fail_msg("%s", err.text);
	assert_int_equal(wh_recommendation_load_of(s.ledger.state, s.estate, &r, 1, s.mem, &again, &err), -EBADMSG);
	scene_close(&s);
}

static void a_malformed_stored_list_is_refused(void **state)
{
	(void)state;
	static const char *const lists[] = {"7",           "-1",  "[\"1.2.3.4\",]", "[\"1.2.3.4\" \"1.2.3.5\"]",
	                                    "[\"1.2.3\"]", "[7]", "[\"1.2.3.4\""};
	struct scene s;
	struct wh_recommendation *again;
	struct wh_error err;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	scene_recommend(&s); /* commits and loads the estate */
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		const char *name = s.estate->resources[0].name;
		char *text = wh_arena_printf(
			s.mem,
			"{\"version\":1,\"calculatedAt\":\"2026-01-31T00:00:00Z\",\"window\":{\"from\":\"2026-01-01T00:00:00Z\","
			"\"to\":\"2026-01-31T00:00:00Z\",\"days\":30},\"resources\":[{\"name\":\"%s\",\"rules\":[{\"name\":\"r\","
			"\"direction\":\"Inbound\",\"destinationPort\":22,\"protocols\":[\"TCP\"],\"ipAddresses\":%s,\"except\":[]}]}]}",
			name, lists[i]);
		if (wh_state_put(s.ledger.state, "recommendation", "latest", text, &err))
			fail_msg("%s", err.text);
		if (wh_recommendation_load(s.ledger.state, s.estate, s.mem, &again, &err) != -EBADMSG)
			fail_msg("taken: %s", lists[i]);
	}
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_of_eight_neighbours_every_day_become_one_29),
		cmocka_unit_test(rules_that_are_as_narrow_already_are_healthy),
		cmocka_unit_test(twenty_nine_days_are_not_enough_and_the_reason_says_so),
		cmocka_unit_test(a_sensor_that_was_silent_for_long_is_not_taken_for_silence),
		cmocka_unit_test(one_connection_of_many_days_is_presence_on_all_of_them),
		cmocka_unit_test(stray_records_of_long_ago_are_no_days_of_data),
		cmocka_unit_test(a_pause_is_bridged_to_enough_older_data_and_to_no_stray_day),
		cmocka_unit_test(a_server_that_was_replaced_loses_its_line_and_one_on_holiday_does_not),
		cmocka_unit_test(an_outage_of_the_sensor_makes_no_peer_gone),
		cmocka_unit_test(a_guesser_is_carved_out_until_it_has_been_quiet_for_long),
		cmocka_unit_test(an_unused_port_is_closed_with_the_number_of_days_on_which_the_resource_was_seen),
		cmocka_unit_test(without_rules_in_force_a_port_that_nothing_reached_gets_no_rule),
		cmocka_unit_test(a_peer_that_the_rules_in_force_deny_is_not_allowed),
		cmocka_unit_test(trusted_addresses_are_kept_though_nobody_saw_them),
		cmocka_unit_test(a_listed_peer_is_never_allowed_however_regular_it_is),
		cmocka_unit_test(a_listed_address_that_was_never_seen_is_carved_out),
		cmocka_unit_test(the_same_ledger_gives_the_same_bytes),
		cmocka_unit_test(a_saved_recommendation_is_loaded_unchanged),
		cmocka_unit_test(lists_of_prefixes_are_written_and_read_as_any_json),
		cmocka_unit_test(one_resource_is_read_alone_and_of_the_last_calculation),
		cmocka_unit_test(a_malformed_stored_list_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
