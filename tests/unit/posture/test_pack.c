/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shipped assessments: they read, and those of services agree with hand-checked resources; what is wrong in such a file is
 * refused with its place. */
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

static void judge_first(const json_t *resources, const char *key, const char *judged, const char *wanted)
{
	struct scene s;
	char *text = json_dumps(resources, 0);
	scene_open(&s, text);
	const char *first = judged ? judged : json_string_value(json_object_get(json_array_get(resources, 0), "id"));
	const struct wh_posture_verdict *v = scene_verdict(&s, key, first);
	if (strcmp(scene_status(&s, key, first), wanted))
		fail_msg("%s on %s: %s instead of %s (%s)", key, first, scene_status(&s, key, first), wanted,
		         v && v->cause ? v->cause : "");
	if (!strcmp(wanted, "Unhealthy") && (!v->cause || strlen(v->cause) < 10))
		fail_msg("%s does not say what is wrong", key);
	free(text);
	scene_close(&s);
}

/* Those that ask the ledger, and are tested by tests/e2e/assess.sh and alerts.sh; of hosts by test_hosts.c, of what stands
 * together by test_segments.c. */
static bool tested_elsewhere(const struct wh_assessment *a)
{
	static const char *const keys[] = {"ns-1-new-paths",
	                                   "ns-1-unused-rules",
	                                   "ns-1-fan-out",
	                                   "ns-1-two-groups",
	                                   "ns-1-shared-networks",
	                                   "ns-2-private-zones",
	                                   "ns-5-floods",
	                                   "ns-5-amplifiers",
	                                   "host-",
	                                   "ns-3-threat-lists",
	                                   "ns-3-listed-peers",
	                                   "ns-3-risky-egress",
	                                   "ns-4-coverage",
	                                   "ns-4-sensor-health",
	                                   "ns-4-signatures",
	                                   "ns-4-triage",
	                                   "ns-2-open-services", /* test_exposure_cases.c */
	                                   "ns-4-noise",
	                                   "ns-4-encrypted",
	                                   "ns-6-direct-requests",
	                                   "ns-2-private-detour",
	                                   "ns-10-leaked-names",
	                                   "ns-2-unused-public-address",
	                                   "f9f0eed0-f143-47bf-b856-671ea2eeed62",
	                                   "ns-7-hardening",
	                                   "ns-7-contradiction",
	                                   "ns-9-public-site",
	                                   "ns-9-ike",
	                                   "ns-8-",
	                                   "ns-10-resolvers-used",
	                                   "ns-10-tunnels",
	                                   "ns-10-failed-names",
	                                   "ns-10-dangling-names"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (!a->definition && !strncmp(a->key, keys[i], strlen(keys[i])))
			return true;
	return a->question != NULL;
}

static void every_other_assessment_passes_one_resource_and_fails_one(void **state)
{
	struct wh_error err = {0};
	struct wh_pack pack;
	json_t *pairs = json_load_file("tests/unit/posture/assessments.json", 0, NULL),
	       *published = json_load_file("tests/unit/assess/definitions.json", 0, NULL), *pair;
	const char *key;
	(void)state;
	assert_non_null(pairs);
	if (wh_pack_load("rules/assessments", mem, &pack, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < pack.n; i++)
		if (!tested_elsewhere(&pack.list[i]) && !json_object_get(pairs, pack.list[i].key) &&
		    !(pack.list[i].policy && json_object_get(published, pack.list[i].policy)))
			fail_msg("%s has no resources to be tested with", pack.list[i].key);
	json_object_foreach(pairs, key, pair) {
		const char *judged = json_string_value(json_object_get(pair, "judged"));
		judge_first(json_object_get(pair, "pass"), key, judged, "Healthy");
		judge_first(json_object_get(pair, "fail"), key, judged, "Unhealthy");
	}
	wh_pack_free(&pack);
	json_decref(pairs);
	json_decref(published);
}

static void every_assessment_has_all_texts_of_a_report(void **state)
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
static void an_error_in_a_file_is_refused_with_its_line(void **state)
{
	(void)state;
	assert_string_equal(refused("assessments:\n  - key: k\n"), "a.yaml:2: an assessment needs a text under 'name'");
	assert_string_equal(refused(HEAD "    check: open-portz\n"),
	                    "a.yaml:8: there is no check 'open-portz'; did you mean open-ports");
	assert_string_equal(refused(HEAD "    check: open-ports\n    with: {portz: [tcp/22]}\n"),
	                    "a.yaml:9: unknown key 'portz'; did you mean 'ports'?");
	assert_string_equal(refused(HEAD), "a.yaml:2: 'k' needs one of unhealthy (or needs), check and question");
	assert_string_equal(refused(HEAD "    question: q\n    check: jit\n"),
	                    "a.yaml:2: 'k' needs one of unhealthy (or needs), check and question");
	assert_string_equal(refused(HEAD "    unhealthy: {field: name, equals: x}\n"),
	                    "a.yaml:2: 'k' has a condition, and no type of resources");
	assert_non_null(strstr(refused(HEAD "    type: A/b\n    unhealthy: {field: name, equalz: x}\n"),
	                       "'equalz' is not a supported condition"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assessments_of_services_pass_and_fail_what_they_should),
		cmocka_unit_test(every_other_assessment_passes_one_resource_and_fails_one),
		cmocka_unit_test(every_assessment_has_all_texts_of_a_report),
		cmocka_unit_test(an_error_in_a_file_is_refused_with_its_line),
	};
	return cmocka_run_group_tests_name("posture_pack", tests, arena_begin, arena_end);
}
