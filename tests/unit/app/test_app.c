/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Use cases as a second caller has them: without a command, its words or its output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"
#include "whittle/app_alerts.h"
#include "whittle/app_firewall.h"
#include "whittle/app_rules.h"

static struct wh_config config;
static char notes[2000];

static void note(void *arg, const char *text)
{
	(void)arg;
	snprintf(notes + strlen(notes), sizeof notes - strlen(notes), "%s\n", text);
}

static const char *const vm1[] = {"vm1"};

/* Five partners for 31 days in a ledger, and the app that a caller makes of it. */
static struct wh_app begin(struct scene *s)
{
	scene_open(s, SCENE_NSG("140.20.30.10/24", "\"22\""), 0);
	scene_partner_days(s, 0, 31);
	scene_recommend(s); /* commits */
	memset(&config, 0, sizeof config);
	config.harden.ports = "22,443,3389";
	*notes = 0;
	return (struct wh_app){
		.store_url = s->db, .config = &config, .who = "alice", .state_dir = s->dir, .beside = "", .note = note};
}

static void recommend_stores_the_result_that_a_second_call_compares_with(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_app_recommended first, second;
	const struct wh_app a = begin(&s);
	const struct wh_app_recommend ask = {.resources = NULL};
	if (wh_app_recommend(&a, &ask, s.mem, &first, &err) || wh_app_recommend(&a, &ask, s.mem, &second, &err))
		fail_msg("%s", err.text);
	assert_null(first.changes);
	assert_true(second.changes && second.changes->n == 0);
	assert_int_equal(second.recommendation->serial, 2);
	char *x = wh_recommendation_json(first.recommendation, NULL), *y = wh_recommendation_json(second.recommendation, NULL);
	assert_string_equal(x, y);
	free(x);
	free(y);
	wh_estate_free(first.estate);
	wh_estate_free(second.estate);
	scene_close(&s);
}

static void a_part_or_a_dry_run_is_not_kept(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_app_recommended r;
	const struct wh_app a = begin(&s);
	if (wh_app_recommend(&a, &(struct wh_app_recommend){.dry = true}, s.mem, &r, &err))
		fail_msg("%s", err.text);
	wh_estate_free(r.estate);
	if (wh_app_recommend(&a, &(struct wh_app_recommend){.resources = vm1, .n_resources = 1}, s.mem, &r, &err))
		fail_msg("%s", err.text);
	wh_estate_free(r.estate);
	struct wh_app_own own;
	assert_int_equal(wh_app_own_rules(&a, vm1, 1, false, s.mem, &own, &err), -ENOENT);
	assert_non_null(strstr(err.text, "there is no recommendation yet"));
	scene_close(&s);
}

static void a_number_out_of_its_range_is_refused_for_every_caller(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_app_recommended r;
	const struct wh_app a = begin(&s);
	struct wh_app_recommend ask = {.dry = true};
	for (size_t i = 0; i < WH_APP_NUMBERS; i++) {
		memset(ask.given, 0, sizeof ask.given);
		ask.given[i] = true;
		ask.number[i] = (unsigned)wh_app_numbers[i].most + 1;
		assert_int_equal(wh_app_recommend(&a, &ask, s.mem, &r, &err), -ERANGE);
		assert_true(err.input);
		assert_non_null(strstr(err.text, wh_app_numbers[i].name));
	}
	scene_close(&s);
}

static void status_is_a_document(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_app_status st;
	const struct wh_app a = begin(&s);
	if (wh_app_status(&a, s.mem, &st, &err))
		fail_msg("%s", err.text);
	json_t *doc = wh_app_status_json(&st);
	assert_int_equal(json_integer_value(json_object_get(doc, "unhealthy")), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(doc, "resources"), 0), "name")),
	                    "vm1");
	json_decref(doc);
	wh_estate_free(st.estate);
	scene_close(&s);
}

static void explain_and_export_return_texts_and_name_unknown_words(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_app_recommended r;
	char *text, *lines;
	const struct wh_app a = begin(&s);
	if (wh_app_recommend(&a, &(struct wh_app_recommend){.resources = NULL}, s.mem, &r, &err))
		fail_msg("%s", err.text);
	wh_estate_free(r.estate);
	if (wh_app_explain(&a, "vm1", "22", true, &text, &err))
		fail_msg("%s", err.text);
	assert_non_null(strstr(text, "140.20.30.8/29"));
	free(text);
	if (wh_app_export(&a, &(struct wh_app_export){.format = "nft"}, &text, &lines, &err))
		fail_msg("%s", err.text);
	assert_non_null(strstr(text, "140.20.30.8/29"));
	free(text);
	free(lines);
	const struct wh_app_export wrong[] = {{.format = "nfd"},
	                                      {.format = NULL},
	                                      {.format = "nsg", .resources = (const char *const[]){"vm2"}, .n_resources = 1},
	                                      {.format = "nsg", .nsg = "elsewhere"},
	                                      {.format = "nft", .nsg = "web"},
	                                      {.format = "nft", .keep_until = "2031-01-01"}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_true(wh_app_export(&a, &wrong[i], &text, &lines, &err) < 0);
		assert_true(err.input && !text && !lines);
	}
	scene_close(&s);
}

static void replay_checks_its_arguments_itself(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_app_replayed r;
	const char *const logs[] = {"/nonexistent"};
	const struct wh_app a = begin(&s);
	const struct wh_app_replay wrong[] = {
		{.holdout_days = 7, .rules = "x"}, {.holdout_days = 7, .logs = logs, .n_logs = 1}, {.holdout_days = 64}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(wh_app_replay(&a, &wrong[i], s.mem, &r, &err), -EINVAL);
		assert_true(err.input && !r.estate);
	}
	if (wh_app_replay(&a, &(struct wh_app_replay){.holdout_days = 7}, s.mem, &r, &err))
		fail_msg("%s", err.text);
	assert_int_equal(r.replay->holdout_days, 7);
	wh_estate_free(r.estate);
	scene_close(&s);
}

/* ---- the proof ---- */

static void prove_names_the_denying_rule_for_every_caller(void **state)
{
	(void)state;
	static const char wide[] =
		"{\"resources\":[{\"name\":\"vm1\",\"rules\":[{\"name\":\"r\",\"direction\":\"Inbound\",\"destinationPort\":22,\"protocols\":[\"TCP\"],"
		"\"ipAddresses\":[\"140.20.0.0/16\"]}]}]}";
	static const char *const vm9[] = {"vm9"};
	struct scene s;
	struct wh_error err;
	struct wh_app_recommended kept;
	struct wh_app_proved p;
	char path[64];
	const struct wh_app a = begin(&s);
	snprintf(path, sizeof path, "%s/wide.json", s.dir);
	FILE *f = fopen(path, "w");
	assert_true(f && fputs(wide, f) >= 0 && !fclose(f));
	if (wh_app_prove(&a, &(struct wh_app_prove){.rules = path}, s.mem, &p, &err))
		fail_msg("%s", err.text);
	assert_true(p.n == 1 && p.refuted == 1 && !p.list[0].holds);
	assert_string_equal(p.list[0].denied_by, "web: DenyAllInBound");
	json_t *doc = wh_app_proved_json(&p);
	assert_true(json_is_false(json_object_get(doc, "holds")));
	json_decref(doc);
	wh_estate_free(p.estate);
	if (wh_app_recommend(&a, &(struct wh_app_recommend){.resources = NULL}, s.mem, &kept, &err) ||
	    wh_app_prove(&a, &(struct wh_app_prove){.resources = vm1, .n_resources = 1}, s.mem, &p, &err))
		fail_msg("%s", err.text);
	assert_true(p.n == 1 && p.list[0].holds && !p.refuted);
	wh_estate_free(p.estate);
	wh_estate_free(kept.estate);
	assert_true(wh_app_prove(&a, &(struct wh_app_prove){.resources = vm9, .n_resources = 1}, s.mem, &p, &err) && err.input &&
	            !p.estate);
	unlink(path);
	scene_close(&s);
}

struct seen { bool called, applied; size_t ports; };

static void on_done(void *arg, const struct wh_app_enforced *e)
{
	struct seen *seen = arg;
	*seen = (struct seen){true, e->applied, e->own.rs->n_ports};
}

static void enforce_proves_once_more_for_every_caller(void **state)
{
	(void)state;
	struct scene s;
	struct wh_error err;
	struct wh_app_recommended r;
	struct wh_app_own own;
	struct seen seen = {false, false, 0};
	const struct wh_app a = begin(&s);
	const struct wh_app_enforce ask = {
		.resources = vm1, .n_resources = 1, .dry = true, .confirm_within_s = 60, .done = on_done, .arg = &seen};
	if (wh_app_recommend(&a, &(struct wh_app_recommend){.resources = NULL}, s.mem, &r, &err))
		fail_msg("%s", err.text);
	if (wh_app_enforce(&a, &ask, &err))
		fail_msg("%s", err.text);
	assert_true(seen.called && !seen.applied && seen.ports);
	/* a stored rule that opens what the rules in force deny: by a fault of ours, or by a writer of the ledger */
	struct wh_prefix wide = scene_prefix("0.0.0.0/0");
	for (size_t i = 0; i < r.recommendation->resources[0].n_rules; i++) {
		struct wh_recommended_rule *rule = &r.recommendation->resources[0].rules[i];
		rule->prefixes = &wide;
		rule->n_prefixes = 1;
		rule->n_except = 0;
	}
	if (wh_recommendation_save(s.ledger.state, r.recommendation, &err))
		fail_msg("%s", err.text);
	seen.called = false;
	assert_int_equal(wh_app_enforce(&a, &ask, &err), -EPERM);
	assert_non_null(strstr(err.text, "which the present policy does not"));
	assert_false(seen.called);
	assert_int_equal(wh_app_own_rules(&a, vm1, 1, false, s.mem, &own, &err), -EPERM);
	wh_estate_free(r.estate);
	scene_close(&s);
}

/* ---- responses ---- */

struct receiver { unsigned refuses, took, told, given_up; char body[64]; };

static int receive(void *arg, const char *body, size_t len, struct wh_error *err)
{
	struct receiver *r = arg;
	assert_int_equal(strlen(body), len);
	snprintf(r->body, sizeof r->body, "%s", body);
	if (r->refuses) {
		r->refuses--;
		return wh_fail(err, -EIO, "no");
	}
	r->took++;
	return 0;
}

static void hear(void *arg, const char *alert, const char *why, bool given_up)
{
	struct receiver *r = arg;
	assert_non_null(alert);
	assert_string_equal(why, "webhook: no");
	r->told++;
	r->given_up += given_up;
}

static struct wh_app_responded respond(const struct wh_app *a, struct receiver *r, int64_t now_us)
{
	struct wh_app_responded n;
	struct wh_error err;
	const struct wh_app_respond how = {.webhook = receive, .told = hear, .arg = r, .least = WH_MEDIUM, .now_us = now_us};
	if (wh_app_alerts_respond(a, &how, &n, &err))
		fail_msg("%s", err.text);
	return n;
}

/* The alert is that of a sensor that has been silent. */
static void an_alert_that_is_not_taken_is_offered_again_at_growing_intervals(void **state)
{
	(void)state;
	struct scene s;
	struct receiver r = {.refuses = 2};
	const struct wh_app a = begin(&s);
	const int64_t second = 1000000;
	int64_t now = scene_day0_us + 35 * WH_US_PER_DAY;
	struct wh_app_responded n = respond(&a, &r, now);
	assert_int_equal(n.queued, 1);
	assert_int_equal(n.waiting, 1);
	assert_int_equal(respond(&a, &r, now + 29 * second).delivered, 0);
	assert_int_equal(r.refuses, 1); /* it was not asked again yet */
	respond(&a, &r, now + 30 * second);
	assert_int_equal(respond(&a, &r, now + 80 * second).delivered, 0);
	assert_int_equal(respond(&a, &r, now + 90 * second).delivered, 1);
	assert_non_null(strstr(r.body, "\"version\":1,\"event\":\"alert\",\"sentAt\":\"2026-11-05"));
	n = respond(&a, &r, now + 500 * second);
	assert_int_equal(n.queued + n.delivered + n.waiting + n.failed, 0);
	assert_int_equal(r.took, 1);
	scene_close(&s);
}

static void an_alert_that_is_never_taken_is_given_up_until_it_opens_again(void **state)
{
	(void)state;
	struct scene s;
	struct receiver r = {.refuses = 10};
	struct wh_error err;
	const struct wh_app a = begin(&s);
	int64_t now = scene_day0_us + 35 * WH_US_PER_DAY;
	json_t *list;
	for (int i = 0; i < 12; i++)
		respond(&a, &r, now + i * INT64_C(3600000000));
	assert_int_equal(r.given_up, 1);
	assert_int_equal(r.told, 10);
	assert_int_equal(r.took, 0);
	assert_int_equal(wh_app_alerts(&a, &(struct wh_app_alerts){0}, &list, &err), 0);
	const char *name = json_string_value(json_object_get(json_array_get(list, 0), "name"));
	assert_int_equal(wh_app_alert_set(&a, name, WH_ALERT_RESOLVED, NULL, &err), 0);
	/* it came back: the sensor is still silent */
	assert_int_equal(respond(&a, &r, now + INT64_C(13) * 3600000000).delivered, 1);
	assert_int_equal(r.took, 1);
	json_decref(list);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recommend_stores_the_result_that_a_second_call_compares_with),
		cmocka_unit_test(a_part_or_a_dry_run_is_not_kept),
		cmocka_unit_test(a_number_out_of_its_range_is_refused_for_every_caller),
		cmocka_unit_test(status_is_a_document),
		cmocka_unit_test(explain_and_export_return_texts_and_name_unknown_words),
		cmocka_unit_test(replay_checks_its_arguments_itself),
		cmocka_unit_test(prove_names_the_denying_rule_for_every_caller),
		cmocka_unit_test(enforce_proves_once_more_for_every_caller),
		cmocka_unit_test(an_alert_that_is_not_taken_is_offered_again_at_growing_intervals),
		cmocka_unit_test(an_alert_that_is_never_taken_is_given_up_until_it_opens_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
