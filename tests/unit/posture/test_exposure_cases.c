/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * More cases of ports that are open to the Internet or seem so, of Azure and of AWS: exposures.json. Each has the reason for its
 * verdict, which was worked out by hand from the providers' documentation: the kinds of rules that scanners are known to
 * misjudge.
 */
#include "scene.h"

#define MANAGEMENT "bc303248-3d14-44c2-96a0-55f5c326b5fe"
#define ALL_PORTS "3b20e985-f71f-483b-b078-f30d73936d43"

static const char *member(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

static bool is(const char *status, const char *letter)
{
	return !strcmp(status, *letter == 'H'   ? "Healthy"
	                       : *letter == 'U' ? "Unhealthy"
	                       : *letter == 'N' ? "NoEvidence"
	                                        : letter);
}

/* The resources of Azure are one document, each answer of AWS's is another one. */
static void read_documents(struct scene *s, const json_t *list)
{
	bool azure = json_object_get(json_array_get(list, 0), "id") != NULL;
	size_t n = azure ? 1 : json_array_size(list);
	const char **texts = wh_arena_array(mem, n, sizeof *texts);
	for (size_t i = 0; i < n; i++) {
		char *text = json_dumps(azure ? list : json_array_get(list, i), JSON_COMPACT);
		texts[i] = wh_arena_strdup(mem, text);
		free(text);
	}
	scene_read_all(s, texts, n);
}

static size_t judged(const struct scene *s, const json_t *c, const char *from)
{
	const char *resource = member(c, "resource"), *management = scene_status(s, MANAGEMENT, resource),
		   *all = scene_status(s, ALL_PORTS, resource);
	bool right = is(management, member(c, "management")) && is(all, member(c, "all"));
	if (!right)
		print_error("%s (%s), by the %s: management %s, all %s; want %s, %s\n", member(c, "name"), member(c, "why"), from,
		            management, all, member(c, "management"), member(c, "all"));
	return !right;
}

/* By the documents, and by the model's bytes, as the ledger keeps them. */
static size_t one(const json_t *c)
{
	struct scene s;
	struct wh_inventory none = {.mem = mem};
	struct wh_topology stored;
	uint8_t *bytes;
	size_t len;
	read_documents(&s, json_object_get(c, "documents"));
	scene_run(&s);
	size_t wrong = judged(&s, c, "documents");
	assert_int_equal(wh_topology_write(&s.t, &bytes, &len), 0);
	assert_int_equal(wh_topology_read(bytes, len, &none, mem, &stored), 0);
	wh_reach_free(s.in.reach);
	s.in.topology = &stored;
	s.in.reach = wh_reach_new(&stored, mem);
	scene_run(&s);
	wrong += judged(&s, c, "bytes");
	scene_close(&s);
	wh_topology_free(&stored);
	wh_inventory_free(&none);
	free(bytes);
	return wrong;
}

static void each_case_has_its_verdict(void **state)
{
	json_error_t e;
	json_t *cases = json_load_file("tests/unit/posture/exposures.json", 0, &e), *c;
	size_t i, wrong = 0;
	(void)state;
	if (!cases)
		fail_msg("exposures.json:%d: %s", e.line, e.text);
	assert_true(json_array_size(cases) > 300);
	json_array_foreach(cases, i, c)
		wrong += one(c);
	assert_int_equal(wrong, 0);
	json_decref(cases);
}

/* services.json: services by their own firewalls; the first resource is judged. */
static void each_service_has_its_verdict(void **state)
{
	json_error_t e;
	json_t *cases = json_load_file("tests/unit/posture/services.json", 0, &e), *c;
	size_t i, wrong = 0;
	(void)state;
	if (!cases)
		fail_msg("services.json:%d: %s", e.line, e.text);
	assert_true(json_array_size(cases) > 90);
	json_array_foreach(cases, i, c) {
		struct scene s;
		const json_t *documents = json_object_get(c, "documents");
		read_documents(&s, documents);
		scene_run(&s);
		const char *status = scene_status(&s, "ns-2-open-services", member(json_array_get(documents, 0), "id"));
		bool right = !strcmp(status, member(c, "want"));
		if (!right)
			print_error("%s: %s instead of %s\n", member(c, "name"), status, member(c, "want"));
		wrong += !right;
		scene_close(&s);
	}
	assert_int_equal(wrong, 0);
	json_decref(cases);
}

static bool noted(const struct scene *s, const char *part)
{
	for (size_t i = 0; i < s->inv.n_notes; i++)
		if (strstr(s->inv.notes[i], part))
			return true;
	return false;
}

/* A balancer that is not judged is named, with the reason. */
static void a_balancer_of_aws_that_is_not_judged_is_named(void **state)
{
#define BALANCER(more)                                                                                                           \
	"{\"LoadBalancers\":[{\"LoadBalancerArn\":\"arn:lb\",\"LoadBalancerName\":\"front\",\"Scheme\":\"internet-facing\","     \
	"\"Type\":\"network\"" more "}]}"
#define TARGETS(kind)                                                                                                            \
	"{\"TargetGroups\":[{\"TargetGroupArn\":\"arn:tg\",\"TargetGroupName\":\"web\",\"Protocol\":\"TCP\",\"Port\":22,"        \
	"\"TargetType\":\"" kind "\",\"LoadBalancerArns\":[\"arn:lb\"]}]}"
#define HEALTH(target)                                                                                                           \
	"{\"TargetHealthDescriptions\":[{\"Target\":{\"Id\":\"" target "\",\"Port\":22}}]}"
#define INTERFACE                                                                                                                \
	"{\"NetworkInterfaces\":[{\"NetworkInterfaceId\":\"eni-1\",\"PrivateIpAddress\":\"10.1.1.4\",\"SubnetId\":"  \
	"\"subnet-1\",\"VpcId\":\"vpc-1\",\"Groups\":[],\"Attachment\":{\"InstanceId\":\"i-1\"}}]}"
	static const struct { const char *texts[4], *why;
	} cases[] = {{{BALANCER(",\"SecurityGroups\":[\"sg-1\"]"), TARGETS("instance"), HEALTH("i-1"), INTERFACE},
	              "no document has its listeners"},
	             {{BALANCER(""), TARGETS("ip"), HEALTH("10.1.1.4"), INTERFACE}, "no document has its own addresses"},
	             {{BALANCER(""), TARGETS("lambda")}, "the targets of web are neither instances nor addresses"},
	             {{BALANCER(""), TARGETS("instance")}, "no document has the targets of web"},
	             {{BALANCER(""), NULL}, "no document has its target groups"}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct scene s;
		size_t n = 0;
		while (n < 4 && cases[i].texts[n])
			n++;
		scene_read_all(&s, cases[i].texts, n);
		assert_true(noted(&s, "the load balancer front faces the Internet"));
		assert_true(noted(&s, cases[i].why));
		scene_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_has_its_verdict),
		cmocka_unit_test(each_service_has_its_verdict),
		cmocka_unit_test(a_balancer_of_aws_that_is_not_judged_is_named),
	};
	return cmocka_run_group_tests_name("posture_exposure_cases", tests, arena_begin, arena_end);
}
