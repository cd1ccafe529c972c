/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guidelines of review, each by its name, over a ledger that has learned a service, an unused one, and an open policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/support/scene.h"
#include "whittle/review.h"

static const char nsg[] =
	"{\"name\":\"web\",\"securityRules\":["
	"{\"name\":\"ssh\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\","
	"\"sourceAddressPrefix\":\"140.20.0.0/16\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"},"
	"{\"name\":\"rdp\",\"priority\":310,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\","
	"\"sourceAddressPrefix\":\"185.7.0.0/16\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"3389\"}]}";

struct stage {
	struct scene s;
	struct wh_error err;
	const char *said;
};

static void calculate(struct stage *t)
{
	struct wh_recommendation *r = scene_recommend(&t->s);
	assert_int_equal(wh_recommendation_save(t->s.ledger.state, r, &t->err), 0);
}

static int set_up(void **state)
{
	struct stage *t = calloc(1, sizeof *t);
	char src[32];
	assert_non_null(t);
	scene_open(&t->s, nsg, 0);
	for (int day = 0; day < 31; day++)
		for (int host = 9; host <= 13; host++) {
			snprintf(src, sizeof src, "140.20.30.%d", host);
			scene_session(&t->s, src, 22, day, host, 20, 300);
		}
	calculate(t);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *t = *state;
	scene_close(&t->s);
	free(t);
	return 0;
}

static int change(struct stage *t, struct wh_review_change c, const char *prefix)
{
	struct wh_prefix p;
	if (prefix) {
		assert_int_equal(wh_prefix_parse(prefix, strlen(prefix), &p, NULL), 0);
		c.prefixes = &p;
		c.n_prefixes = 1;
	}
	c.resource = "vm1";
	c.who = "ada";
	t->err.text[0] = 0;
	return wh_review_change(t->s.ledger.state, t->s.estate, &c, t->s.mem, &t->said, &t->err);
}

static struct wh_recommendation *loaded(struct stage *t)
{
	struct wh_recommendation *r;
	assert_int_equal(wh_review_load(t->s.ledger.state, t->s.estate, t->s.mem, &r, &t->err), 0);
	return r;
}

static int undo(struct stage *t)
{
	return wh_review_undo(t->s.ledger.state, t->s.estate, NULL, "ada", t->s.mem, &t->said, &t->err);
}

#define REFUSED(t, guideline, call) do { \
		assert_int_equal(call, -EPERM); \
		assert_true((t)->err.input); \
		assert_non_null(strstr((t)->err.text, "refused (" guideline ")")); \
	} while (0)

static void only_allow_rules_are_added_or_modified(void **state)
{
	struct stage *t = *state;
	REFUSED(t, "allow-only",
	        change(t, (struct wh_review_change){.op = WH_REVIEW_ADD, .proto = 6, .port = 3389, .deny = true}, "185.7.1.1"));
	REFUSED(t, "allow-only", change(t, (struct wh_review_change){.op = WH_REVIEW_ADD, .proto = 6, .port = 443}, NULL));
	REFUSED(t, "allow-only",
	        change(t, (struct wh_review_change){.op = WH_REVIEW_EDIT, .rule = "22", .deny = true}, "140.20.30.9"));
}

static void an_allow_never_becomes_a_deny(void **state)
{
	struct stage *t = *state;
	REFUSED(t, "no-flip",
	        change(t, (struct wh_review_change){.op = WH_REVIEW_EDIT, .rule = "22", .removing = true}, "0.0.0.0/0"));
	assert_true(scene_allows(scene_rule(loaded(t), 22), "140.20.30.9"));
}

static void a_deny_all_can_be_deleted_but_not_modified(void **state)
{
	struct stage *t = *state;
	assert_int_equal(scene_rule(loaded(t), 3389)->n_prefixes, 0);
	REFUSED(t, "deny-all-fixed",
	        change(t, (struct wh_review_change){.op = WH_REVIEW_EDIT, .rule = "3389", .adding = true}, "185.7.1.1"));
	REFUSED(t, "deny-all-fixed", change(t, (struct wh_review_change){.op = WH_REVIEW_EDIT, .rule = "3389/tcp"}, "185.7.1.1"));
	assert_int_equal(change(t, (struct wh_review_change){.op = WH_REVIEW_DELETE, .rule = "3389"}, NULL), 0);
	assert_null(scene_rule(loaded(t), 3389));
}

static void a_deletion_lasts_until_the_next_calculation_and_has_a_note(void **state)
{
	struct stage *t = *state;
	assert_int_equal(change(t, (struct wh_review_change){.op = WH_REVIEW_DELETE, .rule = "22"}, NULL), 0);
	assert_non_null(strstr(t->said, "until the next calculation"));
	assert_non_null(strstr(t->said, "not yet enforced"));
	assert_null(scene_rule(loaded(t), 22));
	wh_estate_free(t->s.estate);
	calculate(t);
	assert_non_null(scene_rule(loaded(t), 22));
}

static void an_edit_outlives_the_next_calculation(void **state)
{
	struct stage *t = *state;
	assert_int_equal(change(t, (struct wh_review_change){.op = WH_REVIEW_EDIT, .rule = "22", .adding = true, .why = "backup"},
	                        "140.20.40.7"),
	                 0);
	wh_estate_free(t->s.estate);
	calculate(t);
	assert_true(scene_allows(scene_rule(loaded(t), 22), "140.20.40.7"));
	assert_string_equal(wh_review_mark(scene_rule(loaded(t), 22)), "edited");
}

static void nothing_is_allowed_that_the_present_policy_does_not_allow(void **state)
{
	struct stage *t = *state;
	REFUSED(t, "narrow-only",
	        change(t, (struct wh_review_change){.op = WH_REVIEW_EDIT, .rule = "22", .adding = true}, "140.21.0.0/32"));
	assert_non_null(strstr(t->err.text, "140.21.0.0"));
	REFUSED(t, "narrow-only", change(t, (struct wh_review_change){.op = WH_REVIEW_EDIT, .rule = "22"}, "140.20.0.0/15"));
	assert_non_null(strstr(t->err.text, "140.21.0.0"));
	REFUSED(t, "narrow-only",
	        change(t, (struct wh_review_change){.op = WH_REVIEW_ADD, .proto = 17, .port = 22}, "140.20.30.9"));
	assert_false(scene_allows(scene_rule(loaded(t), 22), "140.21.0.0"));
	assert_int_equal(undo(t), -ENOENT); /* the refused change was not stored */
}

static void an_addition_takes_the_place_of_a_deny_all(void **state)
{
	struct stage *t = *state;
	assert_int_equal(change(t, (struct wh_review_change){.op = WH_REVIEW_ADD, .proto = 6, .port = 3389}, "185.7.1.1"), 0);
	const struct wh_recommended_rule *r = scene_rule(loaded(t), 3389);
	assert_true(scene_allows(r, "185.7.1.1"));
	assert_false(scene_allows(r, "185.7.1.2"));
	assert_string_equal(wh_review_mark(r), "added");
	assert_int_equal(change(t, (struct wh_review_change){.op = WH_REVIEW_ADD, .proto = 6, .port = 3389}, "185.7.1.9"),
	                 -EEXIST);
}

static void undo_takes_back_each_step_and_a_reset_whole(void **state)
{
	struct stage *t = *state;
	size_t n;
	assert_int_equal(change(t, (struct wh_review_change){.op = WH_REVIEW_EDIT, .rule = "22", .adding = true}, "140.20.40.7"),
	                 0);
	assert_int_equal(
		change(t, (struct wh_review_change){.op = WH_REVIEW_EDIT, .rule = "22", .removing = true}, "140.20.30.9"), 0);
	assert_int_equal(wh_review_reset(t->s.ledger.state, t->s.estate, "vm1", "bob", &n, &t->err), 0);
	assert_int_equal(n, 2);
	assert_true(scene_allows(scene_rule(loaded(t), 22), "140.20.30.9"));
	assert_int_equal(undo(t), 0);
	assert_false(scene_allows(scene_rule(loaded(t), 22), "140.20.30.9"));
	assert_int_equal(undo(t), 0);
	assert_true(scene_allows(scene_rule(loaded(t), 22), "140.20.30.9"));
	assert_true(scene_allows(scene_rule(loaded(t), 22), "140.20.40.7"));
	assert_int_equal(undo(t), 0);
	assert_false(scene_allows(scene_rule(loaded(t), 22), "140.20.40.7"));
	assert_int_equal(undo(t), -ENOENT);
}

struct seen { unsigned n; bool who, why, when; };
static int entry(void *arg, int64_t time_us, const char *who, const char *what, const char *resource, const char *rule,
                 const char *why, const char *detail)
{
	struct seen *s = arg;
	assert_string_equal(resource, "vm1");
	assert_non_null(rule);
	(void)detail;
	if (!strcmp(what, "edit")) {
		s->who = !strcmp(who, "ada");
		s->why = why && !strcmp(why, "the new backup host");
		s->when = time_us > 0;
	}
	s->n++;
	return 0;
}

static void history_keeps_user_time_and_reason(void **state)
{
	struct stage *t = *state;
	struct seen seen = {0};
	assert_int_equal(change(t,
	                        (struct wh_review_change){
					.op = WH_REVIEW_EDIT, .rule = "22", .adding = true, .why = "the new backup host"},
	                        "140.20.40.7"),
	                 0);
	assert_int_equal(undo(t), 0);
	assert_int_equal(wh_review_history(t->s.ledger.state, "vm1", entry, &seen, &t->err), 0);
	assert_int_equal(seen.n, 2); /* the undo too */
	assert_true(seen.who && seen.why && seen.when);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(only_allow_rules_are_added_or_modified),
		T(an_allow_never_becomes_a_deny),
		T(a_deny_all_can_be_deleted_but_not_modified),
		T(a_deletion_lasts_until_the_next_calculation_and_has_a_note),
		T(an_edit_outlives_the_next_calculation),
		T(nothing_is_allowed_that_the_present_policy_does_not_allow),
		T(an_addition_takes_the_place_of_a_deny_all),
		T(undo_takes_back_each_step_and_a_reset_whole),
		T(history_keeps_user_time_and_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
