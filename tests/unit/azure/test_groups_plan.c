/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan for one group at Azure, and what refuses it: no exchange with a server is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "azure/groups_plan.h"
#include "base/json.h"
#include "render/nsg_plan.h"

#define RULE(name, prio, access, proto, from, to, port, text)                                                                    \
	"{\"name\":\"" name "\",\"priority\":" prio ",\"access\":\"" access "\",\"direction\":\"Inbound\",\"protocol\":\"" proto \
	"\",\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"" from "\",\"destinationAddressPrefix\":\"" to                   \
	"\",\"destinationPortRange\":\"" port "\",\"description\":\"" text "\"}"
#define SSH RULE("ssh", "300", "Allow", "Tcp", "45.0.0.0/24", "*", "22", "")
#define GROUP(rules) "{\"name\":\"web\",\"id\":\"/groups/web\",\"securityRules\":[" rules "]}"

/* What is known of one group. `was` is as it was imported; `live`, NULL: the same. */
struct scene { const char *was, *live, *applied, *ours[4], *chosen; uint8_t proto; uint16_t port; };

/* Plans it for vm1 and vm2, which are both recommended 45.0.0.8/29. *merged, if it is wanted, is the new group's rules. */
static int plan(const struct scene *s, struct wh_azure_group *group, json_t **merged, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nsg *nsg;
	const struct wh_nsg *list[1];
	size_t n;
	if (wh_nsg_parse("web.json", s->was, strlen(s->was), mem, &nsg, &n, err))
		fail_msg("%s\n%s", err->text, s->was);
	list[0] = nsg;
	struct wh_addr own[] = {wh_addr_v4(0x0a000004), wh_addr_v4(0x0a000005)}, peer = wh_addr_v4(0x2d000008),
		       apart = wh_addr_v4(0x0a000006);
	struct wh_prefix prefix = wh_prefix_of(&peer, 125);
	struct wh_resource vms[] = {{.name = "vm1", .addrs = &own[0], .n_addrs = 1, .nsgs = list, .n_nsgs = 1},
	                            {.name = "vm2", .addrs = &own[1], .n_addrs = 1, .nsgs = list, .n_nsgs = 1},
	                            {.name = "vm3", .addrs = &apart, .n_addrs = 1}}; /* 10.0.0.6: the group does not guard it */
	struct wh_estate e = {.resources = vms, .n_resources = 3, .nsgs = nsg, .n_nsgs = 1};
	struct wh_recommended_rule rule = {
		.name = "n", .proto = s->proto, .port = s->port, .prefixes = &prefix, .n_prefixes = 1, .sources = 5, .flows = 9};
	struct wh_resource_result results[] = {{.resource = &vms[0], .status = WH_UNHEALTHY, .rules = &rule, .n_rules = 1},
	                                       {.resource = &vms[1], .status = WH_UNHEALTHY, .rules = &rule, .n_rules = 1}};
	struct wh_recommendation rec = {.resources = results, .n_resources = 2};
	struct wh_azure_work work = {.imported = *nsg, .ours = json_array()};
	struct wh_azure a = {.e = &e, .r = &rec, .mem = mem, .err = err, .groups = group, .work = &work, .n = 1};
	a.opt = (struct wh_azure_options){.resources = &s->chosen, .n_resources = s->chosen != NULL, .force = true};
	json_incref(nsg->source);
	json_t *live = s->live ? json_loads(s->live, 0, NULL) : json_deep_copy(nsg->source);
	json_t *applied = s->applied ? json_loads(s->applied, 0, NULL) : NULL;
	work.has_applied = applied && !wh_nsg_read("web", applied, mem, &work.applied, err);
	for (size_t i = 0; i < 4 && s->ours[i]; i++)
		json_array_append_new(work.ours, json_string(s->ours[i]));
	*group = (struct wh_azure_group){.name = "web", .id = "/groups/web", .notes = ""};
	int rc = wh_azure_plan_group(&a, 0, live);
	if (merged)
		*merged = rc ? json_array() : json_deep_copy(wh_nsg_rules(work.merged.source));
	json_decref(live);
	json_decref(applied);
	wh_azure_free(&a);
	wh_nsgs_free(e.nsgs, 1);
	wh_arena_free(mem);
	return rc;
}

/* The text of the one member of the rule of that name; "" if there is none. */
static const char *member(const json_t *rules, const char *name, const char *key)
{
	size_t i;
	json_t *r;
	json_array_foreach((json_t *)(uintptr_t)rules, i, r)
		if (!strcmp(json_string_value(json_object_get(r, "name")), name))
			return json_string_value(json_object_get(r, key)) ? json_string_value(json_object_get(r, key)) : "";
	return "";
}

static void a_narrowing_is_planned(void **state)
{
	(void)state;
	struct wh_azure_group g;
	struct wh_error err;
	assert_int_equal(plan(&(struct scene){.was = GROUP(SSH), .proto = WH_PROTO_TCP, .port = 22}, &g, NULL, &err), 0);
	assert_int_equal(g.state, WH_AZURE_PLANNED);
	assert_int_equal(plan(&(struct scene){.was = GROUP(RULE("ping", "300", "Allow", "Icmp", "45.0.0.0/24", "*", "*", "")),
	                                      .proto = WH_PROTO_ICMP},
	                      &g, NULL, &err),
	                 0);
	assert_int_equal(g.state, WH_AZURE_PLANNED);
}

/* Rules of ICMP are written for every port. This group has one for some ports only: what is recommended lies within it where the
 * rule is proved, and would be more than it everywhere else. */
static void a_group_that_would_let_in_more_is_refused_though_each_rule_is_proved(void **state)
{
	(void)state;
	struct wh_azure_group g;
	struct wh_error err = {0};
	assert_int_equal(plan(&(struct scene){.was = GROUP(RULE("ping", "300", "Allow", "Icmp", "45.0.0.0/24", "*", "0-7", "")),
	                                      .proto = WH_PROTO_ICMP},
	                      &g, NULL, &err),
	                 -EPERM);
	assert_non_null(strstr(err.text, "the new group would allow"));
}

#define OURS "whittle: written before"
#define DENY(name, prio, to, port, text) RULE(name, prio, "Deny", "Tcp", "*", to, port, text)

/* Rules of whittle are taken out only to be planned again: those of a resource that was not chosen are not. */
static void rules_of_a_resource_that_was_not_chosen_stay(void **state)
{
	(void)state;
	struct wh_azure_group g;
	struct wh_error err;
	json_t *rules;
	static const char group[] =
		GROUP(DENY("d1", "200", "10.0.0.4", "22", OURS) "," DENY("d2", "201", "10.0.0.5", "22", OURS) "," SSH);
	struct scene s = {
		.was = group, .applied = group, .ours = {"d1", "d2"}, .chosen = "vm1", .proto = WH_PROTO_TCP, .port = 22};
	assert_int_equal(plan(&s, &g, &rules, &err), 0);
	assert_string_equal(member(rules, "d1", "access"), "");
	assert_string_equal(member(rules, "d2", "access"), "Deny");
	json_decref(rules);
}

#define DENY_TO(to)                                                                                                                       \
	"{\"name\":\"d1\",\"priority\":200,\"access\":\"Deny\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\"," \
	"\"sourceAddressPrefix\":\"*\",\"destinationPortRange\":\"22\",\"description\":\"" OURS "\"," to "}," SSH

/* Whittle writes a rule for single addresses of the resources that it narrows: any other is not taken out. */
static void a_rule_for_more_than_the_chosen_addresses_stays(void **state)
{
	(void)state;
	static const char *const groups[] = {
		GROUP(DENY_TO("\"destinationAddressPrefix\":\"10.0.0.4/31\"")),
		GROUP(DENY_TO("\"destinationAddressPrefixes\":[\"10.0.0.4\",\"10.0.0.9\"]")),
		GROUP(DENY_TO("\"destinationAddressPrefixes\":[\"10.0.0.4\",\"VirtualNetwork\"]")),
	};
	struct wh_azure_group g;
	struct wh_error err;
	json_t *rules;
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) /* the deny is the group's own, so port 22 is closed */
		assert_int_equal(plan(&(struct scene){.was = groups[i],
		                                      .applied = groups[i],
		                                      .ours = {"d1"},
		                                      .chosen = "vm1",
		                                      .proto = WH_PROTO_TCP,
		                                      .port = 22},
		                      &g, NULL, &err),
		                 -EPERM);
	static const char apart[] = GROUP(DENY_TO("\"destinationAddressPrefix\":\"10.0.0.6\""));
	assert_int_equal(plan(&(struct scene){.was = apart,
	                                      .applied = apart,
	                                      .ours = {"d1"},
	                                      .chosen = "vm3",
	                                      .proto = WH_PROTO_TCP,
	                                      .port = 22},
	                      &g, &rules, &err),
	                 0);
	assert_string_equal(member(rules, "d1", "access"), "Deny");
	json_decref(rules);
}

/* A record may call any rule whittle's: only those that bear its mark are taken out. */
static void a_rule_without_whittles_mark_stays(void **state)
{
	(void)state;
	struct wh_azure_group g;
	struct wh_error err;
	json_t *rules;
	static const char group[] = GROUP(DENY("theirs", "200", "10.0.0.4", "3389", "") "," SSH);
	struct scene s = {.was = group, .applied = group, .ours = {"theirs"}, .proto = WH_PROTO_TCP, .port = 22};
	assert_int_equal(plan(&s, &g, &rules, &err), 0);
	assert_string_equal(member(rules, "theirs", "access"), "Deny");
	json_decref(rules);
}

/* Somebody made one of whittle's denies cover another port, too: then it is the group's, and stays. */
static void a_rule_that_somebody_edited_stays(void **state)
{
	(void)state;
	struct wh_azure_group g;
	struct wh_error err;
	json_t *rules;
	static const char then[] = GROUP(DENY("d1", "200", "10.0.0.4", "22", OURS) "," SSH),
			  now[] = GROUP(DENY("d1", "200", "10.0.0.4", "22-23", OURS) "," RULE("all", "400", "Allow", "Tcp", "*",
	                                                                                      "*", "20-30", ""));
	struct scene s = {.was = then, .live = now, .applied = then, .ours = {"d1"}, .proto = WH_PROTO_TCP, .port = 23};
	assert_int_equal(plan(&s, &g, &rules, &err), -EPERM); /* port 23 of vm1 is closed now */
	json_decref(rules);
	s.port = 25;
	assert_int_equal(plan(&s, &g, &rules, &err), 0);
	assert_string_equal(member(rules, "d1", "destinationPortRange"), "22-23");
	json_decref(rules);
	static const char moved[] = GROUP(DENY("d1", "150", "10.0.0.4", "22", OURS) "," SSH); /* or moved it */
	s = (struct scene){.was = then, .live = moved, .applied = then, .ours = {"d1"}, .proto = WH_PROTO_TCP, .port = 22};
	assert_int_equal(plan(&s, &g, NULL, &err), -EPERM);
}

#define JIT RULE("MicrosoftDefenderForCloud-JITRule_1", "200", "Allow", "Tcp", "45.0.0.0/24", "10.0.0.4", "22", "")

/* An opening of just-in-time access ends by itself: what only it allows is not allowed. */
static void an_opening_that_will_end_proves_nothing(void **state)
{
	(void)state;
	struct wh_azure_group g;
	struct wh_error err = {0};
	assert_int_equal(
		plan(&(struct scene){.was = GROUP(JIT), .chosen = "vm1", .proto = WH_PROTO_TCP, .port = 22}, &g, NULL, &err),
		-EPERM);
	assert_non_null(strstr(err.text, "the rules would allow"));
}

/* ---- a plan that does not do what it was made for ---- */

static bool spoilt;
int __real_wh_nsg_plan_verify(const struct wh_nsg_plan *p, const struct wh_tag_context *tags, struct wh_arena *mem,
                              struct wh_error *err);
int __wrap_wh_nsg_plan_verify(const struct wh_nsg_plan *p, const struct wh_tag_context *tags, struct wh_arena *mem,
                              struct wh_error *err);

/* Stands before the check of a plan (the Makefile's --wrap): no input makes a plan that is wrong. */
int __wrap_wh_nsg_plan_verify(const struct wh_nsg_plan *p, const struct wh_tag_context *tags, struct wh_arena *mem,
                              struct wh_error *err)
{
	return spoilt ? wh_fail(err, -EPROTO, "not as planned") : __real_wh_nsg_plan_verify(p, tags, mem, err);
}

static void a_plan_that_fails_its_own_check_is_not_used(void **state)
{
	(void)state;
	struct wh_azure_group g;
	struct wh_error err = {0};
	spoilt = true;
	int rc = plan(&(struct scene){.was = GROUP(SSH), .proto = WH_PROTO_TCP, .port = 22}, &g, NULL, &err);
	spoilt = false;
	assert_int_equal(rc, -EPROTO);
	assert_string_equal(err.text, "not as planned");
}

/* The groups of an estate are chosen before any of them is asked for: an exchange is not needed to refuse these. */
static int choose(const char *first, const char *second, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nsg nsgs[2] = {{.name = "web", .id = first, .file = "a.json"}, {.name = "web", .id = second, .file = "b.json"}};
	const struct wh_nsg *lists[2] = {&nsgs[0], &nsgs[1]};
	struct wh_addr own[] = {wh_addr_v4(0x0a000004), wh_addr_v4(0x0a000005)};
	struct wh_resource vms[] = {{.name = "vm1", .addrs = &own[0], .n_addrs = 1, .nsgs = &lists[0], .n_nsgs = 1},
	                            {.name = "vm2", .addrs = &own[1], .n_addrs = 1, .nsgs = &lists[1], .n_nsgs = 1}};
	struct wh_estate e = {.resources = vms, .n_resources = 2, .nsgs = nsgs, .n_nsgs = 2};
	const struct wh_recommendation rec = {.n_resources = 0};
	const struct wh_azure_options opt = {.force = true};
	struct wh_azure *a;
	int rc = wh_azure_plan(NULL, "", &e, &rec, &opt, mem, &a, err);
	wh_azure_free(a);
	wh_arena_free(mem);
	return rc;
}

static void a_group_is_changed_by_one_file_of_the_estate(void **state)
{
	(void)state;
	struct wh_error err = {0};
	assert_int_equal(choose("/groups/web", "/Groups/Web", &err), -EEXIST);
	assert_non_null(strstr(err.text, "two files of the estate have the group"));
	assert_int_equal(choose(NULL, "/groups/web", &err), -EINVAL);
	assert_non_null(strstr(err.text, "a.json: the network security group web has no ARM id"));
	assert_int_equal(choose("web", "/groups/web", &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_narrowing_is_planned),
		cmocka_unit_test(a_group_that_would_let_in_more_is_refused_though_each_rule_is_proved),
		cmocka_unit_test(rules_of_a_resource_that_was_not_chosen_stay),
		cmocka_unit_test(a_rule_for_more_than_the_chosen_addresses_stays),
		cmocka_unit_test(a_rule_without_whittles_mark_stays),
		cmocka_unit_test(a_rule_that_somebody_edited_stays),
		cmocka_unit_test(a_plan_that_fails_its_own_check_is_not_used),
		cmocka_unit_test(an_opening_that_will_end_proves_nothing),
		cmocka_unit_test(a_group_is_changed_by_one_file_of_the_estate),
	};
	return cmocka_run_group_tests_name("groups_plan", tests, NULL, NULL);
}
