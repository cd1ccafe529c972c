/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Microsoft's published service tags, and rules that name them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/estate.h"
#include "whittle/nsg.h"

static const char list[] =
	"\xef\xbb\xbf{\r\n \"changeNumber\": 356, \"values\": [\r\n"
	"{\"name\": \"Storage\", \"properties\": {\"addressPrefixes\": [\"198.51.100.128/26\", \"2001:db8:100::/40\", \"::ffff:10.0.0.0/120\"], \"networkFeatures\": null}},\r\n"
	"{\"name\": \"Storage.WestEurope\", \"properties\": {\"addressPrefixes\": [\"198.51.100.128/27\"]}},\r\n"
	"{\"name\": \"Empty\", \"properties\": {\"addressPrefixes\": null}}]}\r\n";
#define RULE(src)                                                                                                                                                              \
	"{\"name\":\"web\",\"securityRules\":[{\"name\":\"r\",\"priority\":100,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\"," \
	"\"sourceAddressPrefix\":\"" src "\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}]}"

static bool passes(const char *group, const struct wh_service_tags *tags, const char *peer, bool *unknown)
{
	struct wh_arena *mem = wh_arena_new();
	const struct wh_tag_context ctx = {NULL, 0, tags};
	struct wh_nsg *nsg;
	struct wh_ranges r;
	struct wh_error err;
	struct wh_addr a;
	size_t n;
	if (wh_nsg_parse("web.json", group, strlen(group), mem, &nsg, &n, &err) || wh_addr_parse(peer, strlen(peer), &a))
		fail_msg("%s", err.text);
	const struct wh_nsg *one[] = {nsg};
	wh_policy_allowed(one, 1, &ctx, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, NULL, 22}, mem, &r, unknown);
	bool in = wh_ranges_has(r, &a);
	wh_nsgs_free(nsg, n);
	wh_arena_free(mem);
	return in;
}

static void a_tag_of_the_list_is_known_in_any_case_and_another_is_not(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_service_tags tags;
	struct wh_error err;
	bool unknown;
	if (wh_service_tags_parse("tags.json", list, strlen(list), mem, &tags, &err))
		fail_msg("%s", err.text);
	assert_int_equal(tags.n, 3);
	assert_string_equal(tags.change, "356");
	assert_true(passes(RULE("storage"), &tags, "198.51.100.190", &unknown) && !unknown);
	assert_true(passes(RULE("Storage"), &tags, "2001:db8:100::9", &unknown) && !unknown);
	assert_false(passes(RULE("Storage"), &tags, "10.0.0.9", &unknown)); /* IPv6 stays IPv6 */
	assert_false(passes(RULE("Storage.WESTEUROPE"), &tags, "198.51.100.190", &unknown) || unknown);
	assert_false(passes(RULE("Empty"), &tags, "198.51.100.190", &unknown) || unknown);
	assert_false(passes(RULE("Sql"), &tags, "198.51.100.190", &unknown));
	assert_true(unknown);
	assert_false(passes(RULE("Storage"), NULL, "198.51.100.190", &unknown));
	assert_true(unknown);
	wh_arena_free(mem);
}

static void a_mapped_prefix_in_a_group_opens_nothing_of_ipv4(void **state)
{
	(void)state;
	bool unknown;
	assert_false(passes(RULE("::ffff:45.0.0.0/120"), NULL, "45.0.0.9", &unknown) || unknown);
	assert_true(passes(RULE("45.0.0.0/24"), NULL, "45.0.0.9", &unknown));
}

static void a_document_that_is_no_list_is_refused_with_its_line(void **state)
{
	(void)state;
	static const struct { const char *text, *says;
	} bad[] = {
		{"{\n\"value\": []}", "tags.json:1: there is no list 'values'"},
		{"{\"values\": [\n{\"name\": \"A\", \"properties\": {\"addressPrefixes\": [\n\"10.0.0.0/33\"]}}]}",
	         "tags.json:3: '10.0.0.0/33' of the service tag A is not a prefix"},
		{"{\"values\": [{\"name\": \"A\"},\n{\"name\": \"a\"}]}", "is in it twice"},
		{"{\"values\": [{\"name\": 7}]}", "has no name"},
		{"", "tags.json"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_service_tags tags;
		struct wh_error err;
		assert_int_not_equal(wh_service_tags_parse("tags.json", bad[i].text, strlen(bad[i].text), mem, &tags, &err), 0);
		if (!strstr(err.text, bad[i].says))
			fail_msg("%s", err.text);
		wh_arena_free(mem);
	}
}

static void an_azure_vm_is_known_by_its_chassis_and_nothing_else_is(void **state)
{
	(void)state;
	static const struct { const char *text; enum wh_platform is;
	} all[] = {
		{"7783-7084-3265-9085-8269-3286-77\n", WH_PLATFORM_AZURE},
		{"7783-7084-3265-9085-8269-3286-7\n", WH_PLATFORM_UNSET},
		{"", WH_PLATFORM_UNSET},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char name[] = "/tmp/whittle-tag-XXXXXX";
		int fd = mkstemp(name);
		FILE *f = fdopen(fd, "w");
		assert_non_null(f);
		fputs(all[i].text, f);
		fclose(f);
		assert_int_equal(wh_platform_found(name), all[i].is);
		remove(name);
	}
	assert_int_equal(wh_platform_found("/nonexistent"), WH_PLATFORM_UNSET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tag_of_the_list_is_known_in_any_case_and_another_is_not),
		cmocka_unit_test(a_mapped_prefix_in_a_group_opens_nothing_of_ipv4),
		cmocka_unit_test(a_document_that_is_no_list_is_refused_with_its_line),
		cmocka_unit_test(an_azure_vm_is_known_by_its_chassis_and_nothing_else_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
