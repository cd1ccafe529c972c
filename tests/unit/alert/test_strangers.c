/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers outside the recommended ranges, and grave alerts of those inside, held against today's judgement and what is usual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"
#include "whittle/alert.h"
#include "whittle/app_alerts.h"
#include "whittle/recommendation.h"

#define MUST(call) do { struct wh_error err = {.text = ""}; if ((call) < 0) fail_msg("%s: %s", #call, err.text); } while (0)
enum { DAYS = 31 };

/* Partners use ssh for a month, and the rules are calculated on its last day; `strangers` more peers come once in each week. */
static struct wh_recommendation *month(struct scene *s, unsigned strangers)
{
	char src[32];
	scene_open(s, NULL, 0);
	scene_partner_days(s, 0, DAYS);
	for (int week = 1; week < 4; week++)
		for (unsigned i = 0; i < strangers; i++) {
			snprintf(src, sizeof src, "198.51.%d.%u", 100 + week, 1 + 20 * i);
			scene_session(s, src, 22, 7 * week + 2, 9, 200, 300);
		}
	return scene_recommend(s);
}

/* The findings of a type by a look on day `today`, and the sources of the last of them. */
static unsigned found(struct scene *s, const struct wh_recommendation *rec, int today, const char *type, size_t *sources)
{
	static const struct wh_alert_config config;
	struct wh_alert_judgement judgement;
	struct wh_alert_types types;
	struct wh_alert_found out;
	unsigned n = 0;
	MUST(wh_store_commit(s->ledger.store, s->table, NULL, NULL, &err));
	wh_edge_table_clear(s->table);
	MUST(wh_alert_types_load("rules/alerts.yaml", s->mem, &types, &err));
	struct wh_harden_options opt = scene_options(s, "22,443");
	MUST(wh_app_alert_judgement(&(struct wh_harden_ask){.store = s->ledger.store, .estate = s->estate, .opt = &opt}, rec,
	                            s->mem, &judgement, &err));
	const struct wh_alert_look look = {.ledger = &s->ledger,
	                                   .estate = s->estate,
	                                   .rec = rec,
	                                   .judgement = &judgement,
	                                   .config = &config,
	                                   .types = &types,
	                                   .now_us = scene_day0_us + (today + 1) * WH_US_PER_DAY};
	MUST(wh_alert_detect(&look, s->mem, &out, &err));
	for (size_t i = 0; i < out.n; i++)
		if (!strcmp(out.findings[i].type, type)) {
			*sources = out.findings[i].n_sources;
			n++;
		}
	json_decref(out.seen);
	return n;
}

#define OUTSIDE "Network_TrafficFromUnrecommendedIP"

static void a_stranger_where_none_ever_came_is_an_incident(void **state)
{
	struct scene s;
	size_t sources = 0;
	const struct wh_recommendation *rec = month(&s, 0);
	(void)state;
	scene_session(&s, "203.0.113.7", 22, DAYS + 1, 9, 200, 300);
	assert_int_equal(found(&s, rec, DAYS + 1, OUTSIDE, &sources), 1);
	assert_int_equal(sources, 1);
	scene_close(&s);
}

static void as_many_strangers_as_in_every_week_are_no_incident(void **state)
{
	struct scene s;
	size_t sources;
	char src[32];
	const struct wh_recommendation *rec = month(&s, 4);
	(void)state;
	for (int i = 0; i < 5; i++) {
		snprintf(src, sizeof src, "203.0.%d.7", 113 + i);
		scene_session(&s, src, 22, DAYS + 1, 9, 200, 300);
	}
	assert_int_equal(found(&s, rec, DAYS + 1, OUTSIDE, &sources), 0);
	scene_close(&s);
}

static void several_times_as_many_strangers_are_one_incident(void **state)
{
	struct scene s;
	size_t sources = 0;
	char src[32];
	const struct wh_recommendation *rec = month(&s, 4);
	(void)state;
	for (int i = 0; i < 12; i++) {
		snprintf(src, sizeof src, "203.0.%d.7", 113 + i);
		scene_session(&s, src, 22, DAYS + 1, 9, 200, 300);
	}
	assert_int_equal(found(&s, rec, DAYS + 1, OUTSIDE, &sources), 1);
	assert_int_equal(sources, 12);
	scene_close(&s);
}

static void an_incident_of_a_guesser_names_all_strangers_that_came_with_it(void **state)
{
	struct scene s;
	size_t sources = 0;
	const struct wh_recommendation *rec = month(&s, 4);
	(void)state;
	scene_session(&s, "203.0.113.7", 22, DAYS + 1, 9, 200, 300);
	for (int i = 0; i < 40; i++)
		scene_guess(&s, "203.0.114.7", 22, DAYS + 1, 9);
	assert_int_equal(found(&s, rec, DAYS + 1, OUTSIDE, &sources), 1);
	assert_int_equal(sources, 2);
	scene_close(&s);
}

static void a_peer_that_belongs_by_now_is_no_incident(void **state)
{
	struct scene s;
	size_t sources;
	const struct wh_recommendation *rec = month(&s, 0);
	(void)state;
	for (int day = DAYS; day < DAYS + 20; day++) {
		scene_partner_days(&s, day, day + 1);
		scene_session(&s, "203.0.113.7", 22, day, 9, 200, 300);
	}
	assert_int_equal(found(&s, rec, DAYS + 19, OUTSIDE, &sources), 0);
	scene_close(&s);
}

static void a_peers_first_grave_alert_since_the_rule_is_an_incident(void **state)
{
	struct scene s;
	size_t sources;
	const struct wh_recommendation *rec = month(&s, 0);
	(void)state;
	scene_partner_days(&s, DAYS, DAYS + 2);
	scene_alert(&s, scene_partners[0], 22, DAYS + 1, 1, true);
	assert_int_equal(found(&s, rec, DAYS + 1, "Whittle_LearningContaminated", &sources), 1);
	scene_close(&s);
}

static void an_alert_is_no_incident_if_the_rule_was_made_with_earlier_ones(void **state)
{
	struct scene s;
	size_t sources;
	(void)state;
	scene_open(&s, NULL, 0);
	scene_partner_days(&s, 0, DAYS);
	scene_alert(&s, scene_partners[0], 22, 20, 1, true);
	scene_alert(&s, scene_partners[1], 22, 22, 1, true);
	const struct wh_recommendation *rec = scene_recommend(&s);
	scene_partner_days(&s, DAYS, DAYS + 2);
	scene_alert(&s, scene_partners[0], 22, DAYS + 1, 1, true);
	scene_alert(&s, scene_partners[2], 22, DAYS + 1, 1, true);
	assert_int_equal(found(&s, rec, DAYS + 1, "Whittle_LearningContaminated", &sources), 0);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test(name)
		TEST(a_stranger_where_none_ever_came_is_an_incident),
		TEST(as_many_strangers_as_in_every_week_are_no_incident),
		TEST(several_times_as_many_strangers_are_one_incident),
		TEST(an_incident_of_a_guesser_names_all_strangers_that_came_with_it),
		TEST(a_peer_that_belongs_by_now_is_no_incident),
		TEST(a_peers_first_grave_alert_since_the_rule_is_an_incident),
		TEST(an_alert_is_no_incident_if_the_rule_was_made_with_earlier_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
