/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two readings of one group, and the maker of a rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/nsg.h"
#include "../support/arena.h"

static struct wh_nsg parse(const char *text)
{
	struct wh_nsg *n;
	size_t count;
	struct wh_error err;
	if (wh_nsg_parse("web.json", text, strlen(text), mem, &n, &count, &err))
		fail_msg("%s", err.text);
	return *n;
}

#define RULE(name, prio, more)                                                                                                   \
	"{\"name\":\"" name "\",\"priority\":" prio ",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\"," \
	"\"destinationAddressPrefix\":\"*\"," more "}"
#define SSH "\"access\":\"Allow\",\"destinationPortRange\":\"22\",\"sourceAddressPrefix\":\"192.0.2.0/24\""
#define GROUP(rules) "{\"name\":\"web\",\"securityRules\":[" rules "]}"
#define ARM(rules) "{\"name\":\"web\",\"etag\":\"x\",\"properties\":{\"securityRules\":[" rules "]}}"

static size_t differences(const char *a, const char *b, struct wh_nsg_change **c)
{
	struct wh_nsg was = parse(a), now = parse(b);
	size_t n = wh_nsg_diff(&was, &now, mem, c);
	wh_nsgs_free(&was, 1);
	wh_nsgs_free(&now, 1);
	return n;
}

static void the_same_group_in_both_shapes_has_no_difference(void **state)
{
	(void)state;
	struct wh_nsg_change *c;
	assert_int_equal(
		differences(
			GROUP(RULE("ssh", "300", SSH)),
			ARM("{\"name\":\"SSH\",\"etag\":\"e\",\"properties\":{\"provisioningState\":\"Succeeded\",\"description\":\"other words\",\"priority\":300,"
	                    "\"direction\":\"inbound\",\"access\":\"ALLOW\",\"protocol\":\"TCP\",\"sourcePortRange\":\"*\",\"destinationAddressPrefix\":\"*\","
	                    "\"sourceAddressPrefixes\":[\"192.0.2.128/25\",\"192.0.2.0/25\"],\"destinationPortRanges\":[\"22\"]}}"),
			&c),
		0);
}

static void each_added_removed_moved_or_altered_rule_is_reported(void **state)
{
	(void)state;
	struct wh_nsg_change *c;
	assert_int_equal(
		differences(
			GROUP(RULE("gone", "300", SSH) "," RULE("moved", "310", SSH) "," RULE("altered", "320", SSH)),
			GROUP(RULE("moved", "311", SSH) "," RULE(
				"altered", "320",
				"\"access\":\"Allow\",\"destinationPortRange\":\"22-23\",\"sourceAddressPrefix\":\"192.0.2.0/24\"") "," RULE("new",
	                                                                                                                                     "330",
	                                                                                                                                     SSH)),
			&c),
		4);
	assert_int_equal(c[0].kind, WH_NSG_REMOVED);
	assert_string_equal(c[0].was->name, "gone");
	assert_int_equal(c[1].kind, WH_NSG_MOVED);
	assert_int_equal(c[2].kind, WH_NSG_ALTERED);
	assert_int_equal(c[3].kind, WH_NSG_ADDED);
	assert_string_equal(wh_rule_sentence(c[3].now, mem), "330 Inbound allow new TCP from 192.0.2.0/24 to any port 22");
	assert_string_equal(wh_rule_sentence(c[2].now, mem), "320 Inbound allow altered TCP from 192.0.2.0/24 to any port 22-23");
}

static void every_field_that_decides_counts(void **state)
{
	(void)state;
	struct wh_nsg_change *c;
	static const char *const other[] = {
		"\"access\":\"Deny\",\"destinationPortRange\":\"22\",\"sourceAddressPrefix\":\"192.0.2.0/24\"",
		"\"access\":\"Allow\",\"destinationPortRange\":\"23\",\"sourceAddressPrefix\":\"192.0.2.0/24\"",
		"\"access\":\"Allow\",\"destinationPortRange\":\"22\",\"sourceAddressPrefix\":\"192.0.2.0/23\"",
		"\"access\":\"Allow\",\"destinationPortRange\":\"22\",\"sourceAddressPrefix\":\"Internet\"",
		"\"access\":\"Allow\",\"destinationPortRange\":\"22\",\"sourceApplicationSecurityGroups\":[{\"id\":\"/a\"}]",
	};
	for (size_t i = 0; i < sizeof other / sizeof *other; i++)
		for (size_t k = 0; k < sizeof other / sizeof *other; k++) {
			char a[1024], b[1024];
			snprintf(a, sizeof a, GROUP(RULE("r", "300", "%s")), other[i]);
			snprintf(b, sizeof b, GROUP(RULE("r", "300", "%s")), other[k]);
			assert_int_equal(differences(a, b, &c), i != k);
		}
}

static enum wh_origin origin(const char *tags, const char *name, const char *description)
{
	json_t *nsg = json_loads(tags, 0, NULL);
	enum wh_origin o = wh_rule_origin(nsg, name, description);
	json_decref(nsg);
	return o;
}

static void rules_of_just_in_time_access_are_known_by_their_names(void **state)
{
	(void)state;
	assert_int_equal(origin("{}", "MicrosoftDefenderForCloud-JITRule_-1234_ABCDEF", NULL), WH_ORIGIN_JIT);
	assert_int_equal(origin("{}", "SecurityCenter-JITRule_-1234_ABCDEF", "ASC JIT Network Access rule"), WH_ORIGIN_JIT);
	assert_int_equal(origin("{}", "whittle-jit-17-vm1-TCP-22", NULL), WH_ORIGIN_JIT);
	assert_int_equal(origin("{}", "my-JITRule", NULL), WH_ORIGIN_PERSON);
}

static void rules_of_terraform_are_recognised_by_their_tags_and_descriptions(void **state)
{
	(void)state;
	assert_int_equal(origin("{}", "ssh", "Managed by Terraform"), WH_ORIGIN_TERRAFORM);
	assert_int_equal(origin("{\"tags\":{\"managed-by\":\"terraform\"}}", "ssh", NULL), WH_ORIGIN_TERRAFORM);
	assert_int_equal(origin("{\"tags\":{\"terraform\":\"true\"}}", "ssh", NULL), WH_ORIGIN_TERRAFORM);
	assert_int_equal(origin("{\"tags\":{\"terraform\":\"false\"}}", "ssh", NULL), WH_ORIGIN_PERSON);
	assert_int_equal(origin("{\"tags\":{\"owner\":\"terraform team\"}}", "ssh", "terraformed"), WH_ORIGIN_PERSON);
	assert_int_equal(
		origin("{\"tags\":{\"managed-by\":\"terraform\"}}", "whittle-vm1-TCP-in-22-allow", "whittle: 5 peers seen"),
		WH_ORIGIN_WHITTLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_group_in_both_shapes_has_no_difference, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(each_added_removed_moved_or_altered_rule_is_reported, arena_begin,
	                                        arena_end),
		cmocka_unit_test_setup_teardown(every_field_that_decides_counts, arena_begin, arena_end),
		cmocka_unit_test(rules_of_just_in_time_access_are_known_by_their_names),
		cmocka_unit_test(rules_of_terraform_are_recognised_by_their_tags_and_descriptions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
