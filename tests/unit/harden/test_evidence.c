/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of single features, and the influence of each. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "harden/evidence.h"
#include "tests/unit/support/scene.h"

static const struct wh_window month = {.last = 20500, .days = 30, .sensor = (UINT64_C(1) << 30) - 1, .sensor_days = 30};

static struct wh_weights weights(void)
{
	struct wh_weights w;
	struct wh_error err;
	if (wh_weights_load("rules/evidence.yaml", &w, &err))
		fail_msg("%s", err.text);
	return w;
}

/* days: bit i is i days before the window's end. Sessions of a size and length that say little. */
static struct wh_evidence_peer peer(const char *addr, uint64_t days, unsigned flows)
{
	static struct wh_edge edges[64]; /* of as many peers as a test has */
	static unsigned n;
	struct wh_edge *e = &edges[n++ % 64];
	struct wh_evidence_peer p = {.days = days, .edge = e};
	*e = (struct wh_edge){.day0 = month.last, .days = days, .flows = flows};
	assert_int_equal(wh_addr_parse(addr, strlen(addr), &p.addr), 0);
	e->size_hist[4] = e->time_hist[4] = flows;
	return p;
}

static struct wh_edge *edge_of(struct wh_evidence_peer *p)
{
	return (struct wh_edge *)(uintptr_t)p->edge;
}

static struct wh_evidence_peer guesser(const char *addr)
{
	struct wh_evidence_peer p = peer(addr, 0xff, 800);
	edge_of(&p)->size_hist[4] = edge_of(&p)->time_hist[4] = 0;
	edge_of(&p)->size_hist[2] = edge_of(&p)->time_hist[2] = 800;
	return p;
}

static void weigh(struct wh_evidence_peer *p, size_t n)
{
	struct wh_weights w = weights();
	struct wh_shapes shapes = {.n_others = 0};
	wh_shapes_finish(&shapes, &w);
	wh_evidence(p, n, &month, &shapes, &w);
	for (size_t i = 0; i < n; i++) { /* the score is the sum of its features */
		double sum = w.prior;
		for (unsigned f = 0; f < WH_N_FEATURES; f++)
			sum += w.weight[f] * p[i].value[f];
		assert_true(fabs(sum - p[i].score) < 1e-9);
	}
}

static void every_feature_of_the_file_weighs_something(void **state)
{
	(void)state;
	struct wh_weights w = weights();
	for (unsigned f = 0; f < WH_N_FEATURES; f++)
		assert_true(w.weight[f] != 0);
}

static void many_flows_on_an_only_day_are_a_burst(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {peer("60.1.0.1", 1, 128), peer("60.2.0.1", 1, 32), peer("60.3.0.1", 3, 256)};
	weigh(p, 3);
	assert_true(p[0].value[WH_F_BURST] == 2);
	assert_true(p[1].value[WH_F_BURST] == 0);
	assert_true(p[2].value[WH_F_BURST] == 0);
}

/* On 15 days in a row, until 10 days ago: by one connection, which another may have followed, and by short ones. */
static void a_peer_whose_connection_may_be_open_has_not_gone(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {peer("60.1.0.1", 0x7fff << 10, 1), peer("60.2.0.1", 0x7fff << 10, 15)};
	edge_of(&p[0])->time_hist[4] = 0;
	edge_of(&p[0])->time_hist[7] = 1;
	edge_of(&p[0])->bytes_in = edge_of(&p[1])->bytes_in = 1 << 20;
	weigh(p, 2);
	assert_true(!p[0].gone && p[0].verdict == WH_PEER_IN);
	assert_true(p[1].gone && p[1].verdict == WH_PEER_OUT);
}

static void days_of_a_connection_without_data_do_not_count(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {peer("60.1.0.1", 0xfffff, 2), peer("60.2.0.1", 0xfffff, 2), peer("60.3.0.1", 0xfffff, 2)};
	edge_of(&p[0])->bytes_in = 840;
	edge_of(&p[1])->bytes_in = 20 << 10;
	weigh(p, 3); /* of the third no bytes are known */
	assert_true(fabs(p[0].value[WH_F_DAYS] - log(2)) < 1e-9);
	assert_true(fabs(p[1].value[WH_F_DAYS] - log(20)) < 1e-9);
	assert_true(fabs(p[2].value[WH_F_DAYS] - log(20)) < 1e-9);
}

static void a_peer_seen_early_and_late_is_present_in_both_halves(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {peer("60.1.0.1", 1 << 14 | 1 << 15, 2), peer("60.2.0.1", 0x7fff, 2),
	                               peer("60.3.0.1", 0x3fff8000, 2)};
	weigh(p, 3);
	assert_true(p[0].value[WH_F_HALVES] == 1);
	assert_true(p[1].value[WH_F_HALVES] == 0);
	assert_true(p[2].value[WH_F_HALVES] == 0);
}

static void guessers_in_the_same_24_count_against_their_neighbours_and_friends_for_them(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {peer("60.1.0.1", 0x3fffffff, 90), guesser("60.1.0.77"), guesser("60.1.0.200"),
	                               peer("60.1.1.1", 0x3fffffff, 90)};
	weigh(p, 4);
	assert_true(p[0].value[WH_F_INFECTED] == 1);
	assert_true(fabs(p[1].value[WH_F_INFECTED] - 0.5) < 1e-9); /* one of each kind next to it */
	assert_true(p[3].value[WH_F_INFECTED] == 0);
	assert_int_equal(p[0].verdict, WH_PEER_IN); /* alone it decides nothing */
	assert_int_equal(p[1].verdict, WH_PEER_OUT);
}

/* Whoever has many addresses side by side can make many peers that belong: they lift one beside them no more than five do. */
static void the_votes_of_many_neighbours_are_capped(void **state)
{
	enum { MANY = 40 };
	struct wh_evidence_peer p[MANY + 1];
	double few = 0;
	char addr[32];
	(void)state;
	for (unsigned n = 5; n <= MANY; n += MANY - 5) {
		for (unsigned i = 0; i <= n; i++) {
			snprintf(addr, sizeof addr, "2001:db8::%x", i + 1);
			p[i] = peer(addr, i < n ? month.sensor : 4, i < n ? 90 : 1);
		}
		weigh(p, n + 1);
		assert_true(p[0].verdict == WH_PEER_IN);
		few = n == 5 ? p[n].value[WH_F_NEIGHBOURS] : few;
		assert_true(few > 2);
		assert_true(p[n].value[WH_F_NEIGHBOURS] == few);
	}
}

static void a_peer_seen_once_long_ago_gets_no_line_and_one_of_yesterday_does(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {peer("60.1.0.1", 1 << 2, 3), peer("60.2.0.1", 1 << 1, 3), peer("60.3.0.1", 1 << 8, 3),
	                               peer("60.4.0.1", 1 << 20, 12)};
	for (int i = 0; i < 4; i++) { /* as large as nobody guesses */
		edge_of(&p[i])->size_hist[6] = p[i].edge->size_hist[4];
		edge_of(&p[i])->size_hist[4] = 0;
	}
	weigh(p, 4);
	assert_true(p[0].score > 0 && p[0].one_off && p[0].verdict == WH_PEER_OUT); /* 1.0 days of three flows are expected */
	assert_true(!p[1].one_off && p[1].verdict == WH_PEER_IN);                   /* 1.9 */
	assert_true(p[2].one_off);
	assert_true(!p[3].one_off); /* did a month's work in a day */
}

/* Twice on 443, some time ago: one that works on 22 daily, and one that nobody knows. */
static void a_peer_that_belongs_on_one_port_is_no_stranger_on_another(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	for (int day = 0; day < 31; day++) {
		scene_session(&s, "60.1.1.1", 22, day, 9, 64, 600);
		scene_session(&s, "60.3.3.3", 443, day, 9, 64, 600);
	}
	for (int day = 10; day < 15; day += 4) {
		scene_session(&s, "60.1.1.1", 443, day, 9, 64, 600);
		scene_session(&s, "60.2.2.2", 443, day, 9, 64, 600);
	}
	const struct wh_recommended_rule *r = scene_rule(scene_recommend(&s), 443);
	assert_non_null(r);
	assert_true(scene_allows(r, "60.1.1.1"));
	assert_false(scene_allows(r, "60.2.2.2"));
	assert_true(scene_allows(r, "60.3.3.3"));
	scene_close(&s);
}

/* A worker and a guesser, each so many times a day, both on two ports. */
static void guessing_lets_in_on_neither_of_two_ports(int a_day)
{
	struct scene s;
	scene_open(&s, NULL, 0);
	for (int day = 0; day < 31; day++) {
		scene_session(&s, "60.3.3.3", 22, day, 9, 64, 600);
		scene_session(&s, "60.3.3.3", 443, day, 9, 64, 600);
		for (int i = 0; i < a_day; i++)
			scene_guess(&s, "60.1.1.1", i % 2 ? 22 : 443, day, i % 24);
	}
	struct wh_recommendation *rec = scene_recommend(&s);
	assert_false(scene_allows(scene_rule(rec, 22), "60.1.1.1"));
	assert_false(scene_allows(scene_rule(rec, 443), "60.1.1.1"));
	scene_close(&s);
}

/* … and one that guesses on both is none on either. */
static void guessing_on_two_ports_helps_on_neither(void **state)
{
	(void)state;
	guessing_lets_in_on_neither_of_two_ports(80);
}

/* ---- peers with sessions like failed logins only ---- */

/* Once on every day of the month, `like` sessions of it like a failed login, and the others as short and small as a health
 * check. */
static struct wh_evidence_peer daily(const char *addr, unsigned like)
{
	struct wh_evidence_peer p = peer(addr, 0x3fffffff, 30);
	struct wh_edge *e = edge_of(&p);
	e->size_hist[4] = e->time_hist[4] = 0;
	e->size_hist[2] = e->time_hist[2] = like;
	e->size_hist[1] = e->time_hist[0] = 30 - like;
	return p;
}

static struct wh_evidence_peer worker(const char *addr)
{
	return peer(addr, 0x3fffffff, 30);
}

static void days_of_failed_logins_do_not_count_where_others_work_long(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {worker("60.1.0.1"), worker("60.2.0.1"), daily("60.3.0.1", 30)};
	weigh(p, 3);
	assert_true(p[2].posing == 1);
	assert_true(p[2].value[WH_F_DAYS] == 0 && p[2].value[WH_F_PRESENCE] == 0);
	assert_int_equal(p[2].verdict, WH_PEER_OUT);
	assert_true(p[0].posing == 0 && p[0].value[WH_F_PRESENCE] == 1);
	assert_int_equal(p[0].verdict, WH_PEER_IN);
}

static void short_sessions_are_no_evidence_where_all_sessions_are_short(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {daily("60.1.0.1", 30), daily("60.2.0.1", 30), daily("60.3.0.1", 0)};
	weigh(p, 3);
	for (int i = 0; i < 3; i++) {
		assert_true(p[i].posing == 0);
		assert_int_equal(p[i].verdict, WH_PEER_IN);
	}
	struct wh_evidence_peer only[] = {daily("60.1.0.1", 30)}; /* nor where there is nobody to compare with */
	weigh(only, 1);
	assert_int_equal(only[0].verdict, WH_PEER_IN);
}

static void health_checks_and_scripts_of_mixed_lengths_next_to_long_work_keep_their_days(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {worker("60.1.0.1"), worker("60.2.0.1"), daily("60.3.0.1", 0), daily("60.4.0.1", 18)};
	weigh(p, 4);
	for (int i = 2; i < 4; i++) {
		assert_true(p[i].posing == 0 && p[i].value[WH_F_PRESENCE] == 1);
		assert_int_equal(p[i].verdict, WH_PEER_IN);
	}
}

/* A known limit: a script with only such sessions looks like a guesser. Its neighbours do not help, because a guesser may be
 * among them. */
static void a_script_of_such_sessions_needs_the_rules_in_force_or_a_private_address(void **state)
{
	(void)state;
	static const struct { const char *addr; bool named; enum wh_verdict verdict; } of[] = {
		{"60.1.0.3", false, WH_PEER_OUT}, /* next to two workers */
		{"60.3.0.1", false, WH_PEER_OUT},
		{"60.3.0.1", true, WH_PEER_IN}, /* the rules in force name it */
		{"192.168.1.1", false, WH_PEER_IN},
	};
	for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
		struct wh_evidence_peer p[] = {worker("60.1.0.1"), worker("60.1.0.2"), daily(of[i].addr, 30)};
		p[2].named = of[i].named;
		weigh(p, 3);
		assert_int_equal(p[2].verdict, of[i].verdict);
	}
}

/* … nor does it help the peer on another port. */
static void a_patient_guesser_on_two_ports_is_let_in_on_neither(void **state)
{
	(void)state;
	guessing_lets_in_on_neither_of_two_ports(6);
}

static void health_checks_do_not_make_sessions_like_failed_logins_usual(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {worker("60.1.0.1"), worker("60.2.0.1"), daily("60.3.0.1", 30), daily("61.1.0.1", 0),
	                               daily("61.2.0.1", 0), daily("61.3.0.1", 0), daily("61.4.0.1", 0)};
	weigh(p, 7);
	assert_true(p[2].posing == 1);
	assert_int_equal(p[2].verdict, WH_PEER_OUT);
	for (int i = 3; i < 7; i++)
		assert_int_equal(p[i].verdict, WH_PEER_IN);
}

/* Three weekly workers, next to two guessers that try a password every day. */
static void a_weekly_worker_is_not_outweighed_by_daily_guessers(void **state)
{
	(void)state;
	const uint64_t weekly = UINT64_C(1) << 2 | 1 << 9 | 1 << 16 | 1 << 23;
	struct wh_evidence_peer p[] = {peer("60.1.0.1", weekly, 16), peer("60.2.0.1", weekly, 16), peer("60.3.0.1", weekly, 16),
	                               daily("61.1.0.1", 30), daily("61.2.0.1", 30)};
	for (int i = 0; i < 3; i++) { /* as large as nobody guesses */
		edge_of(&p[i])->size_hist[6] = 16;
		edge_of(&p[i])->size_hist[4] = 0;
	}
	weigh(p, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(p[i].verdict, i < 3 ? WH_PEER_IN : WH_PEER_OUT);
}

/* Peers come daily with sessions like failed logins, where nobody works, and some of them are listed. Returns the number of
 * the others that are allowed. */
static unsigned let_in_beside_listed(unsigned listed, unsigned others)
{
	struct wh_evidence_peer p[16];
	unsigned in = 0;
	char addr[32];
	for (unsigned i = 0; i < listed + others; i++) {
		snprintf(addr, sizeof addr, "60.%u.0.1", i);
		p[i] = daily(addr, 30);
		p[i].listed = i < listed;
	}
	weigh(p, listed + others);
	for (unsigned i = 0; i < listed + others; i++)
		in += p[i].verdict == WH_PEER_IN;
	return in;
}

static void peers_like_as_many_listed_guessers_count_as_guessers(void **state)
{
	(void)state;
	assert_int_equal(let_in_beside_listed(0, 2), 2);
	assert_int_equal(let_in_beside_listed(1, 1), 0);
	assert_int_equal(let_in_beside_listed(2, 2), 0);
	assert_int_equal(let_in_beside_listed(1, 6), 6); /* a service of short calls, of which one client is on a list */
	assert_int_equal(let_in_beside_listed(2, 6), 6);
}

static void alerts_on_a_tenth_of_the_flows_mark_a_guesser_and_no_worker(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {daily("60.1.0.1", 30), daily("60.2.0.1", 30), worker("60.3.0.1"),
	                               daily("60.4.0.1", 30), daily("60.5.0.1", 30), daily("60.6.0.1", 30)};
	edge_of(&p[0])->alerts[3] = (uint32_t)edge_of(&p[0])->flows / 5;
	edge_of(&p[2])->alerts[3] = 1;
	weigh(p, 6);
	assert_true(p[0].posing == 1);
	assert_int_equal(p[0].verdict, WH_PEER_OUT);
	for (int i = 1; i < 6; i++)
		assert_int_equal(p[i].verdict, WH_PEER_IN); /* peers like it, twice as many as the guesser and the worker */
}

/* Twice on one day some time ago: once like a failed login, and once for less than a second. */
static void a_peer_that_belongs_on_one_port_may_visit_another_briefly(void **state)
{
	(void)state;
	struct wh_evidence_peer p[] = {peer("60.1.0.1", 1 << 18, 2), peer("60.2.0.1", 1 << 18, 2)};
	for (int i = 0; i < 2; i++) {
		struct wh_edge *e = edge_of(&p[i]);
		e->size_hist[4] = e->time_hist[4] = 0;
		e->size_hist[3] = 2;
		e->time_hist[1] = e->time_hist[2] = 1;
	}
	p[0].elsewhere_here = true;
	weigh(p, 2);
	assert_int_equal(p[0].verdict, WH_PEER_IN);
	assert_int_equal(p[1].verdict, WH_PEER_OUT);
}

/* … but a password a day is guessing, whatever the peer does elsewhere. */
static void a_peer_that_works_on_one_port_and_guesses_on_another_is_allowed_on_the_first_alone(void **state)
{
	(void)state;
	struct scene s;
	scene_open(&s, NULL, 0);
	for (int day = 0; day < 31; day++) {
		scene_session(&s, "60.1.1.1", 443, day, 9, 64, 600);
		scene_guess(&s, "60.1.1.1", 22, day, 9);
		scene_session(&s, "60.2.2.2", 22, day, 9, 64, 600);
		scene_session(&s, "60.3.3.3", 22, day, 9, 64, 600);
	}
	struct wh_recommendation *rec = scene_recommend(&s);
	assert_true(scene_allows(scene_rule(rec, 443), "60.1.1.1"));
	assert_false(scene_allows(scene_rule(rec, 22), "60.1.1.1"));
	struct wh_harden_options opt = scene_options(&s, "22,443");
	struct wh_error err;
	char *text = NULL;
	assert_int_equal(wh_explain(&s.ledger, s.estate, "vm1", "22", &opt, false, &text, &err), 0);
	assert_non_null(
		strstr(text, "its sessions look like failed logins, so its days and other ports do not count"));
	free(text);
	scene_close(&s);
}

/* On 22 only guessers come, and one of them is listed; the other also visits 443. */
static void a_guesser_that_is_listed_on_one_port_gets_no_support_on_another(void **state)
{
	(void)state;
	for (int listed = 0; listed < 2; listed++) {
		struct scene s;
		struct wh_prefix list = scene_prefix("61.9.9.9");
		scene_open(&s, NULL, 0);
		for (int day = 0; day < 31; day++) {
			scene_session(&s, "60.3.3.3", 443, day, 9, 64, 600);
			scene_guess(&s, "60.1.1.1", 22, day, 9);
			scene_guess(&s, "61.9.9.9", 22, day, 9);
		}
		scene_guess(&s, "60.1.1.1", 443, 20, 9);
		scene_guess(&s, "60.1.1.1", 443, 21, 9);
		const struct wh_recommended_rule *r = scene_rule(scene_recommend_with(&s, NULL, 0, &list, (size_t)listed), 443);
		assert_int_equal(scene_allows(r, "60.1.1.1"), !listed);
		scene_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_feature_of_the_file_weighs_something),
		cmocka_unit_test(many_flows_on_an_only_day_are_a_burst),
		cmocka_unit_test(a_peer_whose_connection_may_be_open_has_not_gone),
		cmocka_unit_test(days_of_a_connection_without_data_do_not_count),
		cmocka_unit_test(a_peer_seen_early_and_late_is_present_in_both_halves),
		cmocka_unit_test(guessers_in_the_same_24_count_against_their_neighbours_and_friends_for_them),
		cmocka_unit_test(the_votes_of_many_neighbours_are_capped),
		cmocka_unit_test(a_peer_seen_once_long_ago_gets_no_line_and_one_of_yesterday_does),
		cmocka_unit_test(a_peer_that_belongs_on_one_port_is_no_stranger_on_another),
		cmocka_unit_test(guessing_on_two_ports_helps_on_neither),
		cmocka_unit_test(days_of_failed_logins_do_not_count_where_others_work_long),
		cmocka_unit_test(short_sessions_are_no_evidence_where_all_sessions_are_short),
		cmocka_unit_test(health_checks_and_scripts_of_mixed_lengths_next_to_long_work_keep_their_days),
		cmocka_unit_test(a_script_of_such_sessions_needs_the_rules_in_force_or_a_private_address),
		cmocka_unit_test(a_patient_guesser_on_two_ports_is_let_in_on_neither),
		cmocka_unit_test(health_checks_do_not_make_sessions_like_failed_logins_usual),
		cmocka_unit_test(a_weekly_worker_is_not_outweighed_by_daily_guessers),
		cmocka_unit_test(peers_like_as_many_listed_guessers_count_as_guessers),
		cmocka_unit_test(alerts_on_a_tenth_of_the_flows_mark_a_guesser_and_no_worker),
		cmocka_unit_test(a_peer_that_belongs_on_one_port_may_visit_another_briefly),
		cmocka_unit_test(a_peer_that_works_on_one_port_and_guesses_on_another_is_allowed_on_the_first_alone),
		cmocka_unit_test(a_guesser_that_is_listed_on_one_port_gets_no_support_on_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
