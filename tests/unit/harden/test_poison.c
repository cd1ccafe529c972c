/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody who knows the algorithm can and can't do to it. The README says the same in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"

static const struct wh_recommended_rule *rule22(struct scene *s)
{
	const struct wh_recommended_rule *r = scene_rule(scene_recommend(s), 22);
	assert_non_null(r);
	for (size_t i = 0; i < 5; i++)
		assert_true(scene_allows(r, scene_partners[i]));
	return r;
}

static double space(const struct wh_recommended_rule *r)
{
	double n = 0;
	for (size_t i = 0; i < r->n_prefixes; i++)
		n += __builtin_ldexp(1, 128 - r->prefixes[i].len);
	return n;
}

static void ten_million_spoofed_sources_make_no_edge_and_stay_within_the_limit(void **state)
{
	(void)state;
	struct scene s;
	const size_t limit = 8 << 20;
	uint64_t x = 88172645463325252u;
	scene_open(&s, NULL, limit);
	for (unsigned i = 0; i < 10000000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		scene_syn(&s, wh_addr_v4((uint32_t)x), (uint16_t)(x >> 32), (int)(i / 400000), 0);
	}
	assert_true(wh_edge_table_bytes(s.table) <= limit);
	assert_int_equal(wh_edge_table_count(s.table), 0);
	scene_close(&s);
}

static void a_flood_changes_no_rule(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (uint32_t i = 0; i < 200000; i++)
		scene_syn(&s, wh_addr_v4(0x8c141e00u + i % 65536), 22, (int)(i % 31), 0); /* around the partner's own range */
	assert_true(space(rule22(&s)) <= 8);
	scene_close(&s);
}

/* So many strangers, each of whom tries so many passwords on every day of the partners' month: how many of them are let in. */
static unsigned let_in_after_a_month(unsigned guessers, unsigned a_day)
{
	struct scene s;
	unsigned in = 0;
	char src[32];

	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (unsigned g = 0; g < guessers; g++) {
		snprintf(src, sizeof src, "45.%u.9.9", 9 + g);
		for (int day = 0; day < 31; day++)
			for (unsigned i = 0; i < a_day; i++)
				scene_guess(&s, src, 22, day, (int)(i % 24));
	}
	const struct wh_recommended_rule *r = rule22(&s);
	for (unsigned g = 0; g < guessers; g++) {
		snprintf(src, sizeof src, "45.%u.9.9", 9 + g);
		in += scene_allows(r, src);
	}
	scene_close(&s);
	return in;
}

static void who_guesses_passwords_daily_is_not_let_in_however_few_a_day(void **state)
{
	(void)state;
	static const unsigned a_day[] = {1, 3, 10, 30, 40, 60};
	for (size_t i = 0; i < sizeof a_day / sizeof *a_day; i++) {
		assert_int_equal(let_in_after_a_month(1, a_day[i]), 0);
		assert_int_equal(let_in_after_a_month(5, a_day[i]), 0); /* as many as there are partners */
	}
}

static void explain_says_why_his_days_do_not_count(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	char *text;

	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 31; day++)
		scene_guess(&s, "45.9.9.9", 22, day, day % 24);
	rule22(&s);
	struct wh_harden_options opt = scene_options(&s, "22");
	assert_int_equal(wh_explain(s.store, s.estate, "vm1", "22", &opt, false, &text, &err), 0);
	const char *his = strstr(text, "45.9.9.9 "), *end = his ? strchr(his, '\n') : NULL;
	const char *why = strstr(text, "its sessions are like failed logins: 100 % of what its days say is taken off");
	assert_true(his && why > his && why < end);
	assert_null(strstr(end, "like failed logins"));
	free(text);
	scene_close(&s);
}

/* Honest: where most of those who come daily guess, short sessions look like what the port is for. */
static void guessers_who_are_twice_as_many_as_the_partners_pass_for_what_is_usual(void **state)
{
	(void)state;
	assert_int_equal(let_in_after_a_month(10, 3), 10);
	assert_int_equal(let_in_after_a_month(10, 40), 0);
}

/* Honest: one that can log in and works like a customer every day is one. He gets his own address and nothing beside it. */
static void a_patient_one_who_works_like_a_customer_gets_his_own_address_at_most(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 31; day++)
		scene_session(&s, "45.9.9.9", 22, day, 9, 64, 600);
	const struct wh_recommended_rule *r = rule22(&s);
	assert_true(space(r) <= 9);
	assert_false(scene_allows(r, "45.9.9.8"));
	scene_close(&s);
}

static void filling_the_range_next_door_does_not_make_the_prefix_grow(void **state)
{
	(void)state;
	struct scene s;
	char src[32];
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 20; day < 31; day++) /* he owns 140.20.30.128/25 and answers the handshake from all of it, guessing */
		for (int i = 128; i < 256; i++) {
			snprintf(src, sizeof src, "140.20.30.%d", i);
			for (int k = 0; k < 10; k++)
				scene_guess(&s, src, 22, day, (i + k) % 24);
		}
	const struct wh_recommended_rule *r = rule22(&s);
	assert_false(scene_allows(r, "140.20.30.130"));
	assert_false(scene_allows(r, "140.20.30.200"));
	assert_true(space(r) <= 16);
	scene_close(&s);
}

static void a_spoofer_can_not_make_a_peer_look_hostile(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	struct wh_addr victim;
	assert_int_equal(wh_addr_parse(scene_partners[2], strlen(scene_partners[2]), &victim), 0);
	for (int day = 0; day < 31; day++)
		for (int i = 0; i < 50; i++) {
			scene_syn(&s, victim, 22, day, 1);
			scene_syn(&s, victim, (uint16_t)(1000 + i), day, 1);
			scene_alert(&s, scene_partners[2], 22, day, 1, false);
		}
	rule22(&s); /* asserts that every partner is still allowed */
	scene_close(&s);
}

/* The other side of it: an alert on a conversation that really took place does count. */
static void an_alert_on_an_answered_flow_keeps_its_peer_out(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 31; day++)
		scene_session(&s, "45.9.9.9", 22, day, 9, 64, 600);
	scene_alert(&s, "45.9.9.9", 22, 15, 1, true);
	assert_false(scene_allows(rule22(&s), "45.9.9.9"));
	scene_close(&s);
}

static void a_sensor_whose_clock_ran_ahead_for_an_hour_does_not_age_what_was_learnt(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	scene_session(&s, "45.9.9.9", 22, 40000, 9, 64, 600); /* a century ahead */
	rule22(&s);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_million_spoofed_sources_make_no_edge_and_stay_within_the_limit),
		cmocka_unit_test(a_flood_changes_no_rule),
		cmocka_unit_test(who_guesses_passwords_daily_is_not_let_in_however_few_a_day),
		cmocka_unit_test(explain_says_why_his_days_do_not_count),
		cmocka_unit_test(guessers_who_are_twice_as_many_as_the_partners_pass_for_what_is_usual),
		cmocka_unit_test(a_patient_one_who_works_like_a_customer_gets_his_own_address_at_most),
		cmocka_unit_test(filling_the_range_next_door_does_not_make_the_prefix_grow),
		cmocka_unit_test(a_spoofer_can_not_make_a_peer_look_hostile),
		cmocka_unit_test(an_alert_on_an_answered_flow_keeps_its_peer_out),
		cmocka_unit_test(a_sensor_whose_clock_ran_ahead_for_an_hour_does_not_age_what_was_learnt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
