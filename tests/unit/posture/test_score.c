/* SPDX-License-Identifier: GPL-2.0-or-later */
/* States and scores, on verdicts made by hand. */
#include <math.h>
#include "scene.h"

static struct wh_assessment list[] = {
	{.key = "a",
         .name = "A",
         .why = "w",
         .fix = "f",
         .severity = WH_HIGH,
         .controls = (const char *[]){"NS-1"},
         .n_controls = 1,
         .score = "one"},
	{.key = "b",
         .name = "B",
         .why = "w",
         .fix = "f",
         .severity = WH_LOW,
         .controls = (const char *[]){"NS-1", "NS-3"},
         .n_controls = 2,
         .score = "one"},
	{.key = "c",
         .name = "C",
         .why = "w",
         .fix = "f",
         .severity = WH_LOW,
         .controls = (const char *[]){"NS-4"},
         .n_controls = 1,
         .score = "two"},
	{.key = "p",
         .name = "P",
         .why = "w",
         .fix = "f",
         .severity = WH_LOW,
         .controls = (const char *[]){"NS-4"},
         .n_controls = 1,
         .score = "two",
         .preview = true},
};
static const struct wh_pack pack = {list, sizeof list / sizeof *list, NULL};
static struct wh_score_control controls[] = {{"one", "One", 6}, {"two", "Two", 4}};
static const struct wh_score_controls score_controls = {controls, 2};

/* "aH1 bU1": assessment, verdict (H, U, N, - for not applicable, X for exempt and unhealthy), resource; "2" before a resource's
 * number is the second subscription. */
static struct wh_posture posture_of(const char *text)
{
	struct wh_posture p = {.pack = &pack, .mem = mem};
	for (size_t k = 0; k < pack.n; k++)
		for (const char *t = text; *t; t += strcspn(t, " "), t += strspn(t, " ")) {
			if (*t != *pack.list[k].key)
				continue;
			p.list = wh_arena_grown(mem, p.list, p.n, &p.room, sizeof *p.list);
			p.list[p.n++] = (struct wh_posture_verdict){
				.of = &pack.list[k],
				.resource = wh_arena_printf(mem, "/subscriptions/s%c/resourceGroups/g/x/%.*s",
			                                    t[2] == '2' ? '2' : '1', (int)strcspn(t + 2, " "), t + 2),
				.status = t[1] == 'H'                  ? WH_POSTURE_HEALTHY
			                  : t[1] == 'U' || t[1] == 'X' ? WH_POSTURE_UNHEALTHY
			                  : t[1] == 'N'                ? WH_POSTURE_NO_EVIDENCE
			                                               : WH_POSTURE_NOT_APPLICABLE,
				.exempt = t[1] == 'X' ? "because" : NULL};
		}
	return p;
}

static struct wh_score score_of(const char *text)
{
	struct wh_posture p = posture_of(text);
	struct wh_score s;
	wh_score_run(&p, &score_controls, mem, &s);
	return s;
}

static void four_healthy_of_seventy_eight_with_a_maximum_of_six_are_0_31(void **state)
{
	(void)state;
	assert_true(fabs(wh_score_of(6, 4, 74) - 0.31) < 0.005);
	assert_true(wh_score_of(6, 0, 0) == 0);
}

static void a_resource_is_healthy_in_a_control_only_when_healthy_in_all_of_it(void **state)
{
	(void)state;
	struct wh_score s = score_of("aH1 bU1 aH11 bH11");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.list[0].parts[0].healthy, 1);
	assert_int_equal(s.list[0].parts[0].unhealthy, 1);
	assert_true(fabs(s.list[0].current - 3) < 1e-9 && fabs(s.share - 0.5) < 1e-9);
}

static void a_resource_without_evidence_or_exempt_or_in_preview_is_neither_healthy_nor_unhealthy(void **state)
{
	(void)state;
	struct wh_score s = score_of("aH1 bN1 aH11 bH11 aX12 pU13");
	assert_int_equal(s.list[0].parts[0].healthy, 1);
	assert_int_equal(s.list[0].parts[0].unhealthy, 0);
	assert_int_equal(s.list[0].parts[1].healthy + s.list[0].parts[1].unhealthy, 0);
	assert_true(fabs(s.list[0].max - 6) < 1e-9); /* a control without resources counts nowhere */
	assert_true(score_of("").share < 0);
}

static void subscriptions_count_by_their_resources(void **state)
{
	(void)state;
	/* the first: 3 of 3, the second: 0 of 1 */
	struct wh_score s = score_of("aH1 aH11 aH12 aU2");
	assert_int_equal(s.n, 2);
	assert_true(fabs(s.share - 0.75) < 1e-9);
}

static void states_follow_the_verdicts(void **state)
{
	static const struct { const char *verdicts; enum wh_posture_state a, ns1, ns4;
	} rows[] = {
		{"aH1 aH11 bH1", WH_STATE_PASSED, WH_STATE_PASSED, WH_STATE_UNSUPPORTED},
		{"aH1 aU11", WH_STATE_FAILED, WH_STATE_FAILED, WH_STATE_UNSUPPORTED},
		{"aX1", WH_STATE_SKIPPED, WH_STATE_SKIPPED, WH_STATE_UNSUPPORTED},
		{"aX1 aH11", WH_STATE_PASSED, WH_STATE_PASSED, WH_STATE_UNSUPPORTED},
		{"", WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED},
		{"a-1", WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED},
		{"aN1", WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED},
		{"aH1 aN11", WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED},
		{"aN1 bH1", WH_STATE_UNSUPPORTED, WH_STATE_PASSED, WH_STATE_UNSUPPORTED},
		{"aH1 bU1", WH_STATE_PASSED, WH_STATE_FAILED, WH_STATE_UNSUPPORTED},
		{"cH1 pU1", WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED, WH_STATE_PASSED},
		{"pU1", WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED, WH_STATE_UNSUPPORTED},
	};
	const char *one[] = {"NS-1"}, *four[] = {"NS-4"};
	const struct wh_standard_control ns1 = {.id = "NS-1", .benchmark = one, .n_benchmark = 1},
					 ns4 = {.id = "NS-4", .benchmark = four, .n_benchmark = 1};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_posture p = posture_of(rows[i].verdicts);
		struct wh_posture_counts c = wh_posture_count(&p, &pack.list[0]);
		if (wh_posture_state_of(&c) != rows[i].a || wh_standard_state(&p, &ns1) != rows[i].ns1 ||
		    wh_standard_state(&p, &ns4) != rows[i].ns4)
			fail_msg("%s: %s, %s, %s", rows[i].verdicts, wh_posture_state_text(wh_posture_state_of(&c)),
			         wh_posture_state_text(wh_standard_state(&p, &ns1)),
			         wh_posture_state_text(wh_standard_state(&p, &ns4)));
	}
}

static void shipped_standards_are_read_and_name_existing_assessments(void **state)
{
	static const char *const names[] = {"mcsb-v1", "mcsb-v2", "cis-v8", "cis-v7.1", "nist-800-53-r4", "pci-dss-3.2.1"};
	struct wh_error err = {0};
	struct wh_pack shipped;
	struct wh_score_controls score;
	(void)state;
	assert_int_equal(wh_pack_load("rules/assessments", mem, &shipped, &err), 0);
	assert_int_equal(wh_score_controls_load("rules/score.yaml", mem, &score, &err), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct wh_standard s;
		if (wh_standard_load(wh_arena_printf(mem, "rules/standards/%s.yaml", names[i]), mem, &s, &err))
			fail_msg("%s", err.text);
		assert_string_equal(s.id, names[i]);
		for (size_t k = 0; k < s.n; k++) {
			size_t has = 0;
			for (size_t a = 0; a < shipped.n; a++)
				has += wh_standard_has(&s.controls[k], &shipped.list[a]);
			assert_true(has > 0);
			for (size_t o = 0; o < s.controls[k].n_only; o++)
				if (!wh_pack_find(&shipped, s.controls[k].only[o]))
					fail_msg("%s names %s", names[i], s.controls[k].only[o]);
		}
	}
	for (size_t a = 0; a < shipped.n; a++) {
		size_t k = 0;
		while (shipped.list[a].score && k < score.n && strcmp(score.list[k].id, shipped.list[a].score))
			k++;
		if (shipped.list[a].score && k == score.n)
			fail_msg("%s counts in %s, which is no control of the score", shipped.list[a].key, shipped.list[a].score);
	}
	wh_pack_free(&shipped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_healthy_of_seventy_eight_with_a_maximum_of_six_are_0_31),
		cmocka_unit_test(a_resource_is_healthy_in_a_control_only_when_healthy_in_all_of_it),
		cmocka_unit_test(a_resource_without_evidence_or_exempt_or_in_preview_is_neither_healthy_nor_unhealthy),
		cmocka_unit_test(subscriptions_count_by_their_resources),
		cmocka_unit_test(states_follow_the_verdicts),
		cmocka_unit_test(shipped_standards_are_read_and_name_existing_assessments),
	};
	return cmocka_run_group_tests_name("posture_score", tests, arena_begin, arena_end);
}
