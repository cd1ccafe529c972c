/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shipped assessments: they read, and those of services agree with hand-checked resources; what is wrong in such a file is refused with its place. */
#include <unistd.h>
#include "scene.h"

static void assess_first(const json_t *resources, const char *policy, const char *wanted)
{
	struct scene s;
	char *text = json_dumps(resources, 0);
	scene_open(&s, text);
	const struct wh_assessment *a = wh_pack_find(&s.pack, policy);
	const char *id = json_string_value(json_object_get(json_array_get(resources, 0), "id"));
	if (strcmp(scene_status(&s, a->key, id), wanted))
		fail_msg("%s (%s): %s instead of %s", a->name, policy, scene_status(&s, a->key, id), wanted);
	free(text);
	scene_close(&s);
}

static void assessments_of_services_pass_and_fail_what_they_should(void **state)
{
	struct wh_error err = {0};
	struct wh_pack pack;
	const char *policy;
	json_t *pairs = json_load_file("tests/unit/assess/definitions.json", 0, NULL), *pair;
	size_t n = 0;
	(void)state;
	assert_non_null(pairs);
	if (wh_pack_load("rules/assessments", mem, &pack, &err))
		fail_msg("%s", err.text);
	json_object_foreach(pairs, policy, pair) {
		const struct wh_assessment *a = wh_pack_find(&pack, policy);
		if (!a)
			fail_msg("no assessment asks what the definition %s asks", policy);
		if (!a->definition)
			continue;
		/* ours is about subnets without a look at Defender's own verdict, which that definition asks for */
		if (!strncmp(policy, "e71308d3", 8))
			continue;
		n++;
		assess_first(json_object_get(pair, "pass"), policy, "Healthy");
		assess_first(json_object_get(pair, "fail"), policy, "Unhealthy");
	}
	assert_true(n >= 46);
	wh_pack_free(&pack);
	json_decref(pairs);
}

static void every_assessment_has_what_a_report_needs(void **state)
{
	struct wh_error err = {0};
	struct wh_pack pack;
	(void)state;
	assert_int_equal(wh_pack_load("rules/assessments", mem, &pack, &err), 0);
	for (size_t i = 0; i < pack.n; i++) {
		const struct wh_assessment *a = &pack.list[i];
		assert_true(strlen(a->why) > 20 && strlen(a->fix) > 15);
		for (size_t k = 0; k < a->n_controls; k++)
			assert_true(!strncmp(a->controls[k], "NS-", 3));
		if (a->definition && !a->cause)
			fail_msg("%s does not say what is wrong", a->key);
	}
	wh_pack_free(&pack);
}

static const char *refused(const char *text)
{
	static struct wh_error err;
	struct wh_pack pack;
	char dir[] = "/tmp/whittle-pack-XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/a.yaml", dir);
	FILE *f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	err.text[0] = 0;
	int rc = wh_pack_load(dir, mem, &pack, &err);
	wh_pack_free(&pack);
	unlink(path);
	rmdir(dir);
	return rc ? strstr(err.text, "a.yaml") ? strstr(err.text, "a.yaml") : err.text : "";
}

#define HEAD "assessments:\n  - key: k\n    name: n\n    severity: Low\n    controls: [NS-1]\n    why: w\n    fix: f\n"
static void what_is_wrong_in_a_file_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_string_equal(refused("assessments:\n  - key: k\n"), "a.yaml:2: an assessment needs a text under 'name'");
	assert_string_equal(refused(HEAD "    check: open-portz\n"), "a.yaml:8: there is no check 'open-portz'; did you mean open-ports");
	assert_string_equal(refused(HEAD "    check: open-ports\n    with: {portz: [tcp/22]}\n"), "a.yaml:9: unknown key 'portz'; did you mean 'ports'?");
	assert_string_equal(refused(HEAD), "a.yaml:2: 'k' needs one of unhealthy (or needs), check and question");
	assert_string_equal(refused(HEAD "    question: q\n    check: jit\n"), "a.yaml:2: 'k' needs one of unhealthy (or needs), check and question");
	assert_string_equal(refused(HEAD "    unhealthy: {field: name, equals: x}\n"), "a.yaml:2: 'k' has a condition, and no type of resources");
	assert_non_null(strstr(refused(HEAD "    type: A/b\n    unhealthy: {field: name, equalz: x}\n"), "'equalz' is no condition"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assessments_of_services_pass_and_fail_what_they_should),
		cmocka_unit_test(every_assessment_has_what_a_report_needs),
		cmocka_unit_test(what_is_wrong_in_a_file_is_refused_with_its_line),
	};
	return cmocka_run_group_tests_name("posture_pack", tests, arena_begin, arena_end);
}
