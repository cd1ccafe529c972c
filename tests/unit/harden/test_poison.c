/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an attacker that knows the algorithm can and can't do to it. The README states the same in words. */
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
	struct scene s, quiet;
	scene_open(&s, NULL, 0);
	scene_open(&quiet, NULL, 0);
	scene_partner_days(&s, 0, 31);
	scene_partner_days(&quiet, 0, 31);
	for (uint32_t i = 0; i < 200000; i++)
		scene_syn(&s, wh_addr_v4(0x8c141e00u + i % 65536), 22, (int)(i % 31), 0); /* around the partner's own range */
	const struct wh_recommended_rule *r = rule22(&s), *without = rule22(&quiet);
	assert_true(space(r) == 8);
	assert_int_equal(r->n_prefixes, without->n_prefixes);
	for (size_t i = 0; i < r->n_prefixes; i++)
		assert_true(wh_prefix_cmp(&r->prefixes[i], &without->prefixes[i]) == 0);
	assert_int_equal(r->n_except, without->n_except);
	scene_close(&s);
	scene_close(&quiet);
}

/* The attacker's address is allowed, but no neighbour of it and no further line. */
static bool has_a_line_of_its_own(const struct wh_recommended_rule *r, const char *addr)
{
	struct wh_prefix own = scene_prefix(addr);
	for (size_t i = 0; i < r->n_prefixes; i++)
		if (wh_prefix_cmp(&r->prefixes[i], &own) == 0)
			return true;
	return false;
}

/* `guessers` strangers each try `a_day` passwords on every day of the partners' month. Returns the number of those that are
 * allowed, each with a line for its own address. Together they get nothing else. */
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
		assert_int_equal(scene_allows(r, src), has_a_line_of_its_own(r, src));
		in += scene_allows(r, src);
	}
	assert_true(space(r) == 8 + in);
	scene_close(&s);
	return in;
}

static void a_daily_password_guesser_is_not_allowed_however_few_its_tries(void **state)
{
	(void)state;
	static const unsigned a_day[] = {1, 3, 10, 30, 40, 60};
	for (size_t i = 0; i < sizeof a_day / sizeof *a_day; i++) {
		assert_int_equal(let_in_after_a_month(1, a_day[i]), 0);
		assert_int_equal(let_in_after_a_month(5, a_day[i]), 0); /* as many as there are partners */
	}
}

static void explain_gives_the_reason_why_a_guessers_days_do_not_count(void **state)
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
	assert_int_equal(wh_explain(&s.ledger, s.estate, "vm1", "22", &opt, false, &text, &err), 0);
	const char *line = strstr(text, "45.9.9.9 "), *end = line ? strchr(line, '\n') : NULL;
	const char *why = strstr(text, "its sessions look like failed logins, so its days do not count");
	assert_true(line && why > line && why < end);
	assert_null(strstr(end, "look like failed logins"));
	free(text);
	scene_close(&s);
}

/* A known limit: where most daily peers guess, short sessions look like the port's purpose. */
static void twice_as_many_guessers_as_partners_look_usual(void **state)
{
	(void)state;
	assert_int_equal(let_in_after_a_month(10, 3), 10);
	assert_int_equal(let_in_after_a_month(10, 40), 0);
}

/* Next to the partners, which work on 22 daily, one stranger does the same, with large and long sessions. */
static bool let_in_with_sessions_of(unsigned kib, unsigned seconds, const struct wh_prefix *trusted, const char *nsg)
{
	struct scene s;
	scene_open(&s, nsg, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 31; day++)
		scene_session(&s, "45.9.9.9", 22, day, day % 24, kib, seconds);
	const struct wh_recommended_rule *r = scene_rule(scene_recommend_with(&s, trusted, trusted != NULL, NULL, 0), 22);
	assert_non_null(r);
	bool in = scene_allows(r, "45.9.9.9");
	assert_int_equal(in, has_a_line_of_its_own(r, "45.9.9.9"));
	assert_true(space(r) == 8 + in);
	scene_close(&s);
	return in;
}

/* Honest: one that can log in and works like a customer every day is one. */
static void an_attacker_that_works_like_a_customer_gets_its_own_address(void **state)
{
	(void)state;
	assert_true(let_in_with_sessions_of(64, 600, NULL, NULL));
}

/* A known limit: a connection held open looks like work, even with hardly any data. */
static void an_attacker_that_holds_connections_open_every_day_gets_its_own_address(void **state)
{
	(void)state;
	assert_true(let_in_with_sessions_of(1, 600, NULL, NULL));
	assert_true(let_in_with_sessions_of(1, 60, NULL, NULL));
}

/* A known limit: a refusal within a second, as of a key that is tried, is too short for a login, and looks like a health
 * check. */
static void an_attacker_that_is_refused_within_a_second_every_day_gets_its_own_address(void **state)
{
	(void)state;
	assert_true(let_in_with_sessions_of(2, 0, NULL, NULL));
	assert_false(let_in_with_sessions_of(2, 1, NULL, NULL));
}

/* The price: a script alone at its address is left out, unless its sessions are larger, longer or shorter than a failed login. */
static void a_script_of_sessions_like_failed_logins_needs_the_rules_in_force_or_trusted(void **state)
{
	(void)state;
	static const char nsg[] =
		"{\"name\":\"web\",\"securityRules\":[{\"name\":\"a\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\","
		"\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\","
		"\"sourceAddressPrefixes\":[\"140.20.0.0/16\",\"45.9.9.9/32\"]}]}";
	struct wh_prefix trusted = scene_prefix("45.9.9.9");
	assert_false(let_in_with_sessions_of(1, 1, NULL, NULL)); /* 2 KiB both ways together */
	assert_false(let_in_with_sessions_of(7, 29, NULL, NULL));
	assert_true(let_in_with_sessions_of(9, 29, NULL, NULL));
	assert_true(let_in_with_sessions_of(7, 31, NULL, NULL));
	assert_true(let_in_with_sessions_of(7, 0, NULL, NULL));
	assert_true(let_in_with_sessions_of(1, 1, &trusted, NULL));
	assert_true(let_in_with_sessions_of(1, 1, NULL, nsg));
}

/* A port of short calls. Some scripts, each in a place of its own, call daily with sessions like failed logins. Some guessers
 * come as often and have alerts of a sensor; one guesser has none. Returns the number of scripts that are allowed. */
static unsigned scripts_let_in(unsigned scripts, unsigned reported, bool *guesser)
{
	struct scene s;
	char src[32];
	unsigned in = 0;

	scene_open(&s, NULL, 0);
	for (int day = 0; day < 31; day++) {
		for (unsigned i = 0; i < scripts + reported; i++) {
			snprintf(src, sizeof src, "%u.%u.9.9", i < scripts ? 60 : 61, i + 1);
			scene_guess(&s, src, 22, day, (int)i % 24);
			if (i >= scripts && day == 15)
				scene_alert(&s, src, 22, day, 2, true);
		}
		scene_guess(&s, "45.9.9.9", 22, day, 9);
	}
	const struct wh_recommended_rule *r = scene_rule(scene_recommend(&s), 22);
	assert_non_null(r);
	for (unsigned i = 0; i < scripts; i++) {
		snprintf(src, sizeof src, "60.%u.9.9", i + 1);
		in += scene_allows(r, src);
	}
	unsigned held = 0;
	for (unsigned i = scripts; i < scripts + reported; i++) {
		snprintf(src, sizeof src, "61.%u.9.9", i + 1);
		held += scene_allows(r, src);
	}
	*guesser = scene_allows(r, "45.9.9.9");
	assert_int_equal(*guesser, has_a_line_of_its_own(r, "45.9.9.9"));
	assert_true(space(r) == in + *guesser + held);
	assert_true(!held || strstr(r->note, "kept out by an alert"));
	scene_close(&s);
	return in;
}

/* A known limit: the guesser's sessions are the usual ones there. */
static void a_patient_guesser_on_a_service_of_short_calls_gets_its_own_address(void **state)
{
	(void)state;
	bool guesser;
	assert_int_equal(scripts_let_in(5, 0, &guesser), 5);
	assert_true(guesser);
	scripts_let_in(0, 0, &guesser); /* nor does anything distinguish it where no other peer comes */
	assert_true(guesser);
}

/* However many raise alerts there, they take nobody down with them: it would be done on purpose. */
static void guessers_with_alerts_do_not_lock_out_the_scripts_of_a_service_of_short_calls(void **state)
{
	(void)state;
	bool guesser;
	assert_int_equal(scripts_let_in(5, 2, &guesser), 5);
	assert_true(guesser);
	assert_int_equal(scripts_let_in(5, 6, &guesser), 5);
	assert_int_equal(scripts_let_in(5, 40, &guesser), 5);
}

static void filling_the_range_next_door_does_not_make_the_prefix_grow(void **state)
{
	(void)state;
	struct scene s;
	char src[32];
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 20; day < 31;
	     day++) /* the attacker owns 140.20.30.128/25 and completes handshakes from all of it, guessing */
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

/* Within the partners' range somebody guesses all of a day, the last time so many days ago. */
static bool carved_out(int days_ago, unsigned severity, bool listed)
{
	struct scene s;
	struct wh_prefix list = scene_prefix("140.20.30.13");
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int k = 0; k < 30; k++)
		scene_guess(&s, "140.20.30.13", 22, 30 - days_ago, k % 24);
	if (severity)
		scene_alert(&s, "140.20.30.13", 22, 30 - days_ago, severity, true);
	const struct wh_recommended_rule *r = scene_rule(scene_recommend_with(&s, NULL, 0, &list, listed), 22);
	assert_non_null(r);
	for (size_t i = 0; i < 5; i++)
		assert_true(scene_allows(r, scene_partners[i]));
	bool out = !scene_allows(r, "140.20.30.13");
	scene_close(&s);
	return out;
}

static void a_guesser_in_an_allowed_range_is_carved_out_until_it_was_quiet_for_five_days(void **state)
{
	(void)state;
	assert_true(carved_out(0, 0, false));
	assert_true(carved_out(4, 0, false));
	assert_false(carved_out(5, 0, false));
}

static void a_guesser_with_a_severe_alert_or_on_a_list_stays_carved_out(void **state)
{
	(void)state;
	assert_true(carved_out(28, 1, false));
	assert_true(carved_out(28, 2, false));
	assert_false(carved_out(28, 3, false));
	assert_true(carved_out(28, 0, true));
}

/* A known limit: the sender of an unanswered packet is unknown. One address comes back, of a peer that belonged for long. Its
 * neighbour does not, nor a peer that was answered once, nor one that never was. */
static void attempts_in_a_former_peers_name_bring_that_one_address_back(void **state)
{
	(void)state;
	struct scene s;
	static const char *const spoofed[] = {"45.9.9.9", "45.9.9.10", "45.7.7.7"};
	struct wh_port_list *ports;
	struct wh_error err;
	char *text;

	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 14; day++)
		scene_session(&s, spoofed[0], 22, day, 9, 64, 600);
	scene_session(&s, spoofed[2], 22, 3, 9, 64, 600);
	const struct wh_recommended_rule *r = rule22(&s);
	assert_true(space(r) == 8); /* one has stopped, the other came once */
	for (int day = 26; day < 31; day++)
		for (size_t i = 0; i < 3; i++)
			for (int k = 0; k < 3; k++) {
				struct wh_addr a;
				assert_int_equal(wh_addr_parse(spoofed[i], strlen(spoofed[i]), &a), 0);
				scene_syn(&s, a, 22, day, 0);
			}
	wh_estate_free(s.estate);
	r = rule22(&s);
	assert_true(has_a_line_of_its_own(r, spoofed[0]));
	assert_true(space(r) == 9);
	assert_int_equal(wh_port_list_load("22", NULL, s.mem, &ports, &err), 0);
	struct wh_harden_options opt = {.ports = ports, .evidence_yaml = "rules/evidence.yaml", .min_days = 30};
	assert_int_equal(wh_explain(&s.ledger, s.estate, "vm1", "22", &opt, false, &text, &err), 0);
	const char *line = strstr(text, "\n    45.9.9.9 "), *end = line ? strchr(line + 1, '\n') : NULL,
		   *why = strstr(text, "was refused 15 times since: comes again");
	assert_true(line && why > line && why < end);
	free(text);
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

/* The other side of it: alerts on conversations that really took place do count, of one that raised them from its first days
 * on. */
static void a_peer_with_alerts_on_answered_flows_from_the_start_is_kept_out(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int day = 0; day < 31; day++) {
		scene_session(&s, "45.9.9.9", 22, day, 9, 64, 600);
		if (day >= 2)
			scene_alert(&s, "45.9.9.9", 22, day, 1, true);
	}
	assert_false(scene_allows(rule22(&s), "45.9.9.9"));
	scene_close(&s);
}

/* Even many alerts, later, are no verdict on a peer that had belonged: a person decides. */
static void a_peer_that_belonged_and_turns_hostile_is_held(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	for (int i = 0; i < 40; i++) /* on more than a tenth of its flows */
		scene_alert(&s, scene_partners[1], 22, 25 + i % 6, 1, true);
	const struct wh_recommended_rule *r = rule22(&s); /* asserts that every partner is still allowed */
	assert_non_null(strstr(r->note, "140.20.30.9 would be kept out by"));
	scene_close(&s);
}

/* One alert is no verdict on a peer that belonged. */
static void a_peer_that_belonged_and_raises_an_alert_is_held_and_named(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	char *text;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, 31);
	scene_alert(&s, scene_partners[1], 22, 15, 1, true);
	const struct wh_recommended_rule *r = rule22(&s); /* asserts that every partner is still allowed */
	assert_non_null(strstr(r->note, "140.20.30.9 would be kept out by an alert (severity 1"));
	struct wh_harden_options opt = scene_options(&s, "22");
	assert_int_equal(wh_explain(&s.ledger, s.estate, "vm1", "22", &opt, false, &text, &err), 0);
	assert_non_null(strstr(text, "belonged and raised an alert: held"));
	free(text);
	scene_close(&s);
}

/* A guesser in the partner's own /28 is no partner for that. */
static void neighbours_do_not_bring_a_guesser_into_the_rule(void **state)
{
	(void)state;
	static const unsigned a_day[] = {1, 5, 20};
	for (size_t k = 0; k < sizeof a_day / sizeof *a_day; k++) {
		struct scene s;
		scene_open(&s, NULL, 0);
		scene_partner_days(&s, 0, 31);
		for (int day = 0; day < 31; day++)
			for (unsigned i = 0; i < a_day[k]; i++)
				scene_guess(&s, "140.20.30.3", 22, day, (int)(i % 24));
		assert_false(scene_allows(rule22(&s), "140.20.30.3"));
		scene_close(&s);
	}
}

static void a_sensor_clock_ahead_for_an_hour_does_not_age_the_ledger(void **state)
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
		cmocka_unit_test(a_daily_password_guesser_is_not_allowed_however_few_its_tries),
		cmocka_unit_test(explain_gives_the_reason_why_a_guessers_days_do_not_count),
		cmocka_unit_test(twice_as_many_guessers_as_partners_look_usual),
		cmocka_unit_test(an_attacker_that_works_like_a_customer_gets_its_own_address),
		cmocka_unit_test(an_attacker_that_holds_connections_open_every_day_gets_its_own_address),
		cmocka_unit_test(an_attacker_that_is_refused_within_a_second_every_day_gets_its_own_address),
		cmocka_unit_test(a_script_of_sessions_like_failed_logins_needs_the_rules_in_force_or_trusted),
		cmocka_unit_test(a_patient_guesser_on_a_service_of_short_calls_gets_its_own_address),
		cmocka_unit_test(guessers_with_alerts_do_not_lock_out_the_scripts_of_a_service_of_short_calls),
		cmocka_unit_test(a_guesser_in_an_allowed_range_is_carved_out_until_it_was_quiet_for_five_days),
		cmocka_unit_test(a_guesser_with_a_severe_alert_or_on_a_list_stays_carved_out),
		cmocka_unit_test(attempts_in_a_former_peers_name_bring_that_one_address_back),
		cmocka_unit_test(filling_the_range_next_door_does_not_make_the_prefix_grow),
		cmocka_unit_test(a_spoofer_can_not_make_a_peer_look_hostile),
		cmocka_unit_test(a_peer_with_alerts_on_answered_flows_from_the_start_is_kept_out),
		cmocka_unit_test(a_peer_that_belonged_and_turns_hostile_is_held),
		cmocka_unit_test(a_peer_that_belonged_and_raises_an_alert_is_held_and_named),
		cmocka_unit_test(neighbours_do_not_bring_a_guesser_into_the_rule),
		cmocka_unit_test(a_sensor_clock_ahead_for_an_hour_does_not_age_the_ledger),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
