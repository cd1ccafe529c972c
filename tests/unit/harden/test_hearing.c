/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Silence is no knowledge, and a datagram proves nothing of its source: what is closed, and what makes a rule, was heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"

enum { S = WH_TCP_SYN, A = WH_TCP_ACK, P = WH_TCP_PSH, F = WH_TCP_FIN };

/* Strangers that come once, each on another day. */
static void strangers(struct scene *s, int from, int to)
{
	char src[32];
	for (int day = from; day < to; day++) {
		snprintf(src, sizeof src, "45.%d.9.9", day + 1);
		scene_guess(s, src, 22, day, 9);
	}
}

/* A session of which the sensor sees what comes in, and nothing that goes out. */
static void one_sided(struct scene *s, const char *src, int day)
{
	struct wh_record r = scene_record(src, 22, day, 9, 64, 600);
	r.flow.pkts_toclient = r.flow.bytes_toclient = 0;
	r.flow.tcp_flags_toclient = 0;
	r.flow.state = WH_STATE_NEW;
	scene_fold(s, &r);
}

static const char *reason_of(struct scene *s, bool *rule)
{
	struct wh_recommendation *r = scene_recommend(s);
	*rule = scene_rule(r, 22) != NULL;
	return r->resources[0].reason ? r->resources[0].reason : "";
}

static void a_port_that_strangers_alone_reach_is_closed_where_each_week_was_heard(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	strangers(&s, 0, 35);
	const struct wh_recommended_rule *r = scene_rule(scene_recommend(&s), 22);
	assert_non_null(r);
	assert_true(r->system_generated);
	scene_close(&s);
}

static void a_sensor_that_hears_one_side_closes_nothing(void **state)
{
	(void)state;
	struct scene s;
	bool rule;
	scene_open(&s, NULL, 0);
	for (int day = 0; day < 40; day++)
		one_sided(&s, "140.20.30.9", day);
	assert_non_null(strstr(reason_of(&s, &rule), "never heard both directions of 10.0.0.4"));
	assert_false(rule);
	scene_close(&s);
}

/* It heard both for a while, and one alone since. */
static void a_week_of_one_sided_days_closes_nothing_and_is_named(void **state)
{
	(void)state;
	struct scene s;
	bool rule;
	scene_open(&s, NULL, 0);
	strangers(&s, 0, 24);
	for (int day = 24; day < 35; day++)
		one_sided(&s, "140.20.30.9", day);
	assert_non_null(strstr(reason_of(&s, &rule), "did not hear both directions of 10.0.0.4 from 2026-10-25 to 2026-11-04"));
	assert_false(rule);
	scene_close(&s);
}

/* On whichever day it begins. Six days are no week. */
static void a_week_of_one_sided_days_in_between_closes_nothing(void **state)
{
	(void)state;
	for (int first = 20; first < 28; first++) {
		struct scene s;
		bool rule;
		scene_open(&s, NULL, 0);
		strangers(&s, 0, first);
		for (int day = first; day < first + 7; day++)
			one_sided(&s, "140.20.30.9", day);
		strangers(&s, first + 7, 48);
		assert_non_null(strstr(reason_of(&s, &rule), "did not hear both directions of 10.0.0.4"));
		assert_false(rule);
		scene_close(&s);
	}
	struct scene s;
	scene_open(&s, NULL, 0);
	strangers(&s, 0, 23);
	strangers(&s, 29, 48);
	assert_non_null(scene_rule(scene_recommend(&s), 22));
	scene_close(&s);
}

/* The kernel sees connections that a sensor does not hear. */
static void a_connection_that_stayed_open_is_no_proof_that_the_sensor_heard(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err = {.text = ""};
	bool rule;
	scene_open(&s, NULL, 0);
	strangers(&s, 0, 12);
	strangers(&s, 26, 48);
	struct wh_record r = scene_record("140.20.30.9", 5432, 10, 9, 500, 900);
	assert_true(wh_store_seen_open(s.ledger.store, s.locals, &r.flow, 1,
	                               scene_record("140.20.30.9", 5432, 47, 9, 500, 900).flow.end_us, &err) == 0);
	assert_non_null(strstr(reason_of(&s, &rule), "not closed"));
	assert_false(rule);
	scene_close(&s);
}

static void a_gap_of_two_weeks_closes_nothing(void **state)
{
	(void)state;
	struct scene s;
	bool rule;
	scene_open(&s, NULL, 0);
	strangers(&s, 0, 12);
	strangers(&s, 26, 48);
	assert_non_null(strstr(reason_of(&s, &rule), "not closed"));
	assert_false(rule);
	scene_close(&s);
}

/* Answers of some go another way: what they had is not known, though others are heard. */
static void a_port_with_many_one_sided_flows_is_not_narrowed(void **state)
{
	(void)state;
	struct scene s;
	bool rule;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 31; day++)
		for (int i = 0; i < 5; i++)
			one_sided(&s, "51.8.77.3", day);
	assert_non_null(strstr(reason_of(&s, &rule), "one side alone of 155 flows"));
	assert_false(rule);
	scene_close(&s);
}

static void one_address_of_two_that_was_never_heard_keeps_the_port_open(void **state)
{
	(void)state;
	struct scene s;
	bool rule;
	scene_open(&s, NULL, 0);
	scene_estate(&s, "resources:\n  - {name: vm1, addresses: [10.0.0.4, 10.1.0.4], internet-facing: true}\n");
	strangers(&s, 0, 35);
	assert_non_null(strstr(reason_of(&s, &rule), "never heard both directions of 10.1.0.4"));
	assert_false(rule);
	scene_close(&s);
}

static void health_checks_that_only_connect_are_kept_and_named(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	char *text;
	scene_open(&s, NULL, 0);
	for (int day = 0; day < 35; day++)
		for (int hour = 0; hour < 24; hour++) {
			struct wh_record r = scene_record("10.0.9.9", 22, day, hour, 0, 0);
			r.flow.tcp_flags_toserver = r.flow.tcp_flags_toclient = S | A | F;
			r.flow.pkts_toserver = 4, r.flow.pkts_toclient = 3;
			r.flow.bytes_toserver = 264, r.flow.bytes_toclient = 198;
			r.flow.app_proto_known = false;
			scene_fold(&s, &r);
		}
	const struct wh_recommended_rule *r = scene_rule(scene_recommend(&s), 22);
	assert_non_null(r);
	assert_true(scene_allows(r, "10.0.9.9"));
	struct wh_harden_options opt = scene_options(&s, "22");
	assert_int_equal(wh_explain(&s.ledger, s.estate, "vm1", "22", &opt, false, &text, &err), 0);
	assert_non_null(strstr(text, "closed without data from both sides, as a health check does"));
	free(text);
	scene_close(&s);
}

/* ---- datagrams ---- */

static struct wh_record query(const struct wh_addr *src, int day, int hour)
{
	struct wh_record r = scene_record("1.2.3.4", 53, day, hour, 0, 0);
	r.flow.src = *src;
	r.flow.proto = WH_PROTO_UDP;
	r.flow.state = WH_STATE_ESTABLISHED;
	r.flow.has_tcp_flags = false;
	r.flow.tcp_flags_toserver = r.flow.tcp_flags_toclient = 0;
	r.flow.pkts_toserver = r.flow.pkts_toclient = 1;
	r.flow.bytes_toserver = 75, r.flow.bytes_toclient = 450;
	snprintf(r.flow.app_proto, sizeof r.flow.app_proto, "dns");
	return r;
}

static int count_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct wh_addr client;
	(void)e;
	size_t *n = arg;
	n[0]++;
	wh_addr_parse("51.8.77.3", 9, &client);
	n[1] += wh_addr_eq(&k->peer, &client);
	return 0;
}

/* 60,000 an hour, in the names of as many, at the same time as a client of two days; committed in one piece or in many. */
static void a_flood_of_forged_queries_makes_few_edges_and_no_line(void **state)
{
	(void)state;
	for (int commits = 1; commits <= 40; commits += 39) {
		struct scene s;
		uint64_t x = 88172645463325252u;
		size_t n[2] = {0};
		struct wh_error err;
		struct wh_addr client;
		struct wh_read_stats none = {0};
		scene_open(&s, NULL, 0);
		wh_addr_parse("51.8.77.3", 9, &client);
		for (int day = 0; day < 35; day++)
			for (uint32_t i = 0; i < 3; i++)
				for (int hour = 6; hour < 20; hour += 3) {
					struct wh_addr regular = wh_addr_v4(0x8c141e09u + (i << 20));
					struct wh_record r = query(&regular, day, hour);
					scene_fold(&s, &r);
				}
		for (int i = 0; i < 60000; i++) {
			x ^= x << 13, x ^= x >> 7, x ^= x << 17;
			struct wh_addr src = wh_addr_v4((uint32_t)(x | 0x0b000000u));
			struct wh_record r = query(&src, 33, 9);
			scene_fold(&s, &r);
			if (i % (60000 / commits) == 0 && commits > 1) {
				assert_int_equal(wh_store_commit(s.ledger.store, s.table, NULL, &none, &err), 0);
				wh_edge_table_clear(s.table);
			}
		}
		for (int day = 33; day < 35; day++)
			for (int hour = 6; hour < 18; hour++) {
				struct wh_record r = query(&client, day, hour);
				scene_fold(&s, &r);
			}
		struct wh_harden_options opt = scene_options(&s, "22,53/udp");
		const struct wh_recommended_rule *r = scene_rule(scene_recommend_as(&s, &opt), 53);
		assert_int_equal(wh_store_edges(s.ledger.store, NULL, count_edge, n, &err), 0);
		assert_true(n[0] < 1000);
		assert_int_equal(n[1], 1);
		assert_non_null(r);
		assert_int_equal(r->n_prefixes, 4);
		assert_true(scene_allows(r, "51.8.77.3"));
		scene_close(&s);
	}
}

/* A known limit: a source that is forged on more than three days looks like a client, and each gets a line of its own. */
static void sources_that_are_forged_on_four_days_get_lines_and_on_three_none(void **state)
{
	enum { SOURCES = 300 };
	(void)state;
	for (int days = 3; days <= 4; days++) {
		struct scene s;
		scene_open(&s, NULL, 0);
		for (int day = 0; day < 35; day++)
			for (uint32_t i = 0; i < 3 + SOURCES; i++) {
				struct wh_addr src = wh_addr_v4(i < 3 ? 0x8c141e09u + (i << 20) : 0x2d000001u + (i << 12));
				struct wh_record r = query(&src, day, 9);
				if (i < 3 || day >= 35 - days)
					scene_fold(&s, &r);
			}
		struct wh_harden_options opt = scene_options(&s, "53/udp");
		const struct wh_recommended_rule *r = scene_rule(scene_recommend_as(&s, &opt), 53);
		assert_non_null(r);
		assert_int_equal(r->n_prefixes, days == 3 ? 3 : 3 + SOURCES);
		scene_close(&s);
	}
}

/* Each source twice on one day and once on the next: no harder to forge. */
static void a_flood_that_forges_its_sources_again_makes_bounded_edges_and_no_line(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	size_t n[2] = {0};
	scene_open(&s, NULL, 0);
	for (int day = 0; day < 35; day++)
		for (uint32_t i = 0; i < 3; i++)
			for (int hour = 6; hour < 20; hour += 3) {
				struct wh_addr regular = wh_addr_v4(0x8c141e09u + (i << 20));
				struct wh_record r = query(&regular, day, hour);
				scene_fold(&s, &r);
			}
	for (uint32_t i = 0; i < 10000; i++) {
		struct wh_addr src = wh_addr_v4(0x0b000000u + i * 2654435u);
		for (int k = 0; k < 3; k++) {
			struct wh_record r = query(&src, 32 + k / 2, 9 + k);
			scene_fold(&s, &r);
		}
	}
	struct wh_harden_options opt = scene_options(&s, "22,53/udp");
	const struct wh_recommended_rule *r = scene_rule(scene_recommend_as(&s, &opt), 53);
	assert_int_equal(wh_store_edges(s.ledger.store, NULL, count_edge, n, &err), 0);
	assert_true(n[0] < 5000);
	assert_non_null(r);
	assert_int_equal(r->n_prefixes, 3);
	char *text;
	assert_int_equal(wh_explain(&s.ledger, s.estate, "vm1", "53/udp", &opt, false, &text, &err), 0);
	assert_non_null(strstr(text, "2 days, 3 flows; one of many that were new at the time, whose sources may be forged"));
	free(text);
	scene_close(&s);
}

/* A public name server: each client asks once. That is neither a rule nor silence. */
static void a_port_of_datagrams_that_answers_strangers_once_each_is_not_closed_and_has_a_reason(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	strangers(&s, 0, 35);
	for (uint32_t i = 0; i < 350; i++) {
		struct wh_addr src = wh_addr_v4(0x2d000000u + i * 2654435u);
		struct wh_record r = query(&src, (int)(i % 35), 9);
		scene_fold(&s, &r);
	}
	struct wh_harden_options opt = scene_options(&s, "53/udp");
	const struct wh_recommendation *rec = scene_recommend_as(&s, &opt);
	assert_null(scene_rule(rec, 53));
	assert_non_null(strstr(rec->resources[0].reason, "350 flows were answered whose sources may be forged"));
	scene_close(&s);
}

/* On many other ports and machines: a forged source could do it to anybody. */
static void datagrams_in_a_partners_name_do_not_make_it_appear_everywhere(void **state)
{
	(void)state;
	struct scene s;
	struct wh_addr partner;
	char yaml[4000] = "resources:\n  - {name: vm1, addresses: [10.0.0.4], internet-facing: true}\n";
	scene_open(&s, NULL, 0);
	for (int i = 0; i < 20; i++)
		snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml),
		         "  - {name: dns%d, addresses: [10.0.1.%d], internet-facing: true}\n", i, i + 1);
	scene_estate(&s, yaml);
	scene_partner_days(&s, 0, 31);
	wh_addr_parse("62.7.7.7", 8, &partner);
	for (int day = 2; day < 31; day += 7)
		for (int i = 0; i < 3; i++)
			scene_session(&s, "62.7.7.7", 22, day, 9 + i, 400, 900);
	for (int i = 0; i < 20; i++)
		for (int hour = 9; hour < 12; hour++) {
			struct wh_record r = query(&partner, 30, hour);
			r.flow.dst = wh_addr_v4(0x0a000101u + (uint32_t)i);
			scene_fold(&s, &r);
		}
	const struct wh_recommendation *rec = scene_recommend(&s);
	const struct wh_recommended_rule *r = NULL;
	for (size_t i = 0; i < rec->n_resources; i++)
		if (!strcmp(rec->resources[i].resource->name, "vm1") && rec->resources[i].n_rules)
			r = &rec->resources[i].rules[0];
	assert_non_null(r);
	assert_true(scene_allows(r, "62.7.7.7"));
	scene_close(&s);
}

/* A full ledger adds no unknown peer: a peer that was left out might belong. */
static void days_on_which_the_ledger_was_full_narrow_and_close_nothing_and_are_named(void **state)
{
	(void)state;
	for (int closing = 0; closing < 2; closing++) {
		struct scene s;
		bool rule;
		scene_open(&s, NULL, 0);
		if (closing)
			strangers(&s, 0, 35);
		else
			scene_partner_days(&s, 0, 35);
		reason_of(&s, &rule);
		assert_true(rule);
		wh_store_bound(s.ledger.store, &(struct wh_store_bounds){.bytes = 1});
		/* on another port: which one it would have been is not kept */
		scene_session(&s, "62.7.7.7", 443, 34, 9, 400, 900);
		const char *why = reason_of(&s, &rule);
		if (!strstr(why,
		            "ledger had reached ledger-size, and did not take peers of 10.0.0.4 that it does not know, last on 2026-11-04"))
			fail_msg("%s", why);
		assert_false(rule);
		wh_store_bound(s.ledger.store, &(struct wh_store_bounds){.bytes = 0});
		scene_partner_days(&s, 35, 110); /* the window has moved on */
		reason_of(&s, &rule);
		assert_true(rule);
		scene_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_that_strangers_alone_reach_is_closed_where_each_week_was_heard),
		cmocka_unit_test(a_sensor_that_hears_one_side_closes_nothing),
		cmocka_unit_test(a_week_of_one_sided_days_closes_nothing_and_is_named),
		cmocka_unit_test(a_week_of_one_sided_days_in_between_closes_nothing),
		cmocka_unit_test(a_connection_that_stayed_open_is_no_proof_that_the_sensor_heard),
		cmocka_unit_test(days_on_which_the_ledger_was_full_narrow_and_close_nothing_and_are_named),
		cmocka_unit_test(a_gap_of_two_weeks_closes_nothing),
		cmocka_unit_test(a_port_with_many_one_sided_flows_is_not_narrowed),
		cmocka_unit_test(one_address_of_two_that_was_never_heard_keeps_the_port_open),
		cmocka_unit_test(health_checks_that_only_connect_are_kept_and_named),
		cmocka_unit_test(a_flood_of_forged_queries_makes_few_edges_and_no_line),
		cmocka_unit_test(sources_that_are_forged_on_four_days_get_lines_and_on_three_none),
		cmocka_unit_test(a_flood_that_forges_its_sources_again_makes_bounded_edges_and_no_line),
		cmocka_unit_test(a_port_of_datagrams_that_answers_strangers_once_each_is_not_closed_and_has_a_reason),
		cmocka_unit_test(datagrams_in_a_partners_name_do_not_make_it_appear_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
