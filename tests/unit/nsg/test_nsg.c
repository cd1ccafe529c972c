/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/nsg.h"

#define RULE(name, prio, access, src, port)                                                                                      \
	"{\"name\":\"" name "\",\"priority\":" prio ",\"access\":\"" access                                                      \
	"\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\","                                           \
	"\"sourceAddressPrefix\":\"" src "\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"" port "\"}"

static struct wh_nsg *parse(const char *text, struct wh_arena *mem)
{
	struct wh_nsg *n;
	size_t count;
	struct wh_error err;
	if (wh_nsg_parse("web.json", text, strlen(text), mem, &n, &count, &err))
		fail_msg("%s", err.text);
	assert_int_equal(count, 1);
	return n;
}

static struct wh_ranges allowed(const struct wh_nsg *n, uint16_t port, struct wh_arena *mem)
{
	struct wh_ranges r;
	bool unknown;
	struct wh_prefix vnet;
	wh_prefix_parse("10.0.0.0/8", 10, &vnet, NULL);
	struct wh_tag_context ctx = {.vnet = &vnet, .n_vnet = 1};
	wh_policy_allowed(&n, 1, &ctx, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, NULL, port}, mem, &r, &unknown);
	return r;
}

static bool lets(const struct wh_nsg *n, const char *peer, uint16_t port, struct wh_arena *mem)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(peer, strlen(peer), &a), 0);
	return wh_ranges_has(allowed(n, port, mem), &a);
}

static void the_first_rule_that_matches_decides(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_nsg *n = parse(
		"{\"name\":\"web\",\"securityRules\":[" RULE("deny-bad", "100", "Deny", "45.0.0.0/8",
	                                                     "*") "," RULE("ssh", "300", "Allow", "*", "22") "]}",
		mem);
	assert_true(lets(n, "1.2.3.4", 22, mem));
	assert_true(lets(n, "2001:db8::1", 22, mem));
	assert_false(lets(n, "45.1.1.1", 22, mem));
	assert_false(lets(n, "1.2.3.4", 23, mem));
	assert_true(lets(n, "10.9.9.9", 23, mem));          /* AllowVnetInBound */
	assert_true(lets(n, "168.63.129.16", 23, mem));     /* AllowAzureLoadBalancerInBound */
	wh_nsgs_free(n, 1);
	wh_arena_free(mem);
}

static void ranges_and_single_packets_agree(void **state)
{
	(void)state;
	srand(3);
	for (int round = 0; round < 200; round++) {
		char text[4096] = "{\"name\":\"web\",\"securityRules\":[";
		struct wh_arena *mem = wh_arena_new();
		int rules = rand() % 6;
		for (int i = 0; i < rules; i++) {
			size_t at = strlen(text);
			snprintf(
				text + at, sizeof text - at,
				"%s{\"name\":\"r%d\",\"priority\":%d,\"access\":\"%s\",\"direction\":\"Inbound\",\"protocol\":\"%s\",\"sourcePortRange\":\"*\","
				"\"sourceAddressPrefix\":\"45.0.0.%d/%d\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"%d-%d\"}",
				i ? "," : "", i, 100 + i * 7, rand() % 2 ? "Allow" : "Deny", rand() % 3 ? "Tcp" : "*",
				rand() % 32, 27 + rand() % 6, 20 + rand() % 3, 23 + rand() % 3);
		}
		strcat(text, "]}");
		struct wh_nsg *n = parse(text, mem);
		for (uint16_t port = 19; port < 27; port++) {
			struct wh_ranges r = allowed(n, port, mem);
			for (uint32_t x = 0; x < 40; x++) {
				struct wh_addr a = wh_addr_v4(0x2d000000 + x);
				const struct wh_rule *d = wh_nsg_decide(n, NULL, WH_INBOUND, WH_PROTO_TCP, NULL, port, &a);
				assert_non_null(d);
				assert_int_equal(d->allow, wh_ranges_has(r, &a));
			}
		}
		wh_nsgs_free(n, 1);
		wh_arena_free(mem);
	}
}

/* Brute force of certainty: for any addresses of an unknown group or tag, traffic that is reported as allowed is allowed. */
static void unknown_traffic_never_counts_as_allowed(void **state)
{
	(void)state;
	static const char *const tail[] = {
		"\"sourceAddressPrefix\":\"AzureCloud\"", "\"sourceApplicationSecurityGroups\":[{\"id\":\"x\"}]",
		"\"sourceAddressPrefix\":\"45.0.0.0/28\",\"destinationApplicationSecurityGroups\":[{\"id\":\"x\"}]"};
	for (size_t t = 0; t < sizeof tail / sizeof *tail; t++)
		for (int deny = 0; deny < 2; deny++) {
			char text[2048];
			snprintf(
				text, sizeof text,
				"{\"name\":\"web\",\"securityRules\":[{\"name\":\"g\",\"priority\":100,\"access\":\"%s\",\"direction\":\"Inbound\",\"protocol\":"
				"\"*\",\"sourcePortRange\":\"*\",\"destinationPortRange\":\"22\",%s%s}," RULE(
					"ssh", "300", "Allow", "45.0.0.0/24", "22") "]}",
				deny ? "Deny" : "Allow", tail[t], t < 2 ? ",\"destinationAddressPrefix\":\"*\"" : "");
			struct wh_arena *mem = wh_arena_new();
			struct wh_nsg *n = parse(text, mem);
			const struct wh_nsg *list[] = {n};
			struct wh_ranges r;
			struct wh_addr in_28 = wh_addr_v4(0x2d000001), in_24 = wh_addr_v4(0x2d000081),
				       outside = wh_addr_v4(0x2e000001);
			bool unknown;
			wh_policy_allowed(list, 1, NULL, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, NULL, 22}, mem, &r,
			                  &unknown);
			assert_true(unknown);
			assert_int_equal(wh_ranges_has(r, &in_28), !deny);
			/* a deny with known peers denies only those */
			assert_int_equal(wh_ranges_has(r, &in_24), !deny || t == 2);
			assert_false(wh_ranges_has(r, &outside));
			wh_policy_allowed(list, 1, NULL, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, NULL, 23}, mem, &r,
			                  &unknown);
			assert_false(unknown);
			wh_nsgs_free(n, 1);
			wh_arena_free(mem);
		}
}

static void host_bits_are_read_as_the_network_with_a_note(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_nsg *n = parse(
		"{\"name\":\"web\",\"securityRules\":[" RULE("ssh", "300", "Allow", "140.20.30.10/24", "22") "]}", mem);
	assert_string_equal(n->rules[0].note, "140.20.30.10/24 read as 140.20.30.0/24 (host bits were set)");
	assert_true(lets(n, "140.20.30.255", 22, mem));
	wh_nsgs_free(n, 1);
	wh_arena_free(mem);
}

static void bad_input_is_named_with_file_and_line(void **state)
{
	(void)state;
	static const struct { const char *text, *words;
	} rows[] = {
		{"{\"name\":\"web\",\"securityRules\":[\n" RULE("a", "300", "Allow", "*", "22") ",\n" RULE("b", "300", "Deny",
	                                                                                                   "*", "23") "]}",
	         "web.json:3: rules a and b"},
		{"{\"name\":\"web\",\"securityRules\":[\n\n" RULE("a", "300", "Allow", "1.2.3.4.5", "22") "]}",
	         "web.json:3: '1.2.3.4.5' is not an address"},
		{"{\"name\":\"web\",\"securityRules\":[\n" RULE("a", "99", "Allow", "*", "22") "]}",
	         "web.json:2: rule a: the priority"},
		{"{\"name\":\"web\",\"securityRules\":[\n" RULE("a", "100", "Allow", "*", "99999") "]}",
	         "web.json:2: '99999' is not a port"},
		{"{\"name\":\"web\",\"securityRules\":[\n" RULE("a", "100", "Permit", "*", "22") "]}",
	         "web.json:2: access must be"},
		{"{\"name\":\"web\",\"securityRules\":[\n" RULE("a", "100", "Allow", "not a tag", "22") "]}",
	         "web.json:2: 'not a tag' is not an address"},
		{"{\"resources\":[\n{\"type\":\"Microsoft.Network/networkSecurityGroups/securityRules\"}]}",
	         "web.json:2: a rule that stands outside"},
		{"{\"name\":\"web\",\"securityRules\":[\n" RULE("Ssh", "300", "Allow", "*", "22") ",\n" RULE(
			 "b", "310", "Deny", "*", "23") ",\n" RULE("ssh", "320", "Deny", "*", "23") "]}",
	         "web.json:4: two rules of web have the name ssh"},
		{"{\"resources\":[{\"type\":\"Microsoft.Network/networkSecurityGroups\",\n\"name\":\"[parameters('n')]\",\"properties\":{\"securityRules\":[]}}]}",
	         "web.json:2: the name [parameters('n')] is an expression of a template"},
		{"[1,2]", "no network security group"},
		{"{", "web.json"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_nsg *n;
		size_t count;
		struct wh_error err = {.text = ""};
		assert_true(wh_nsg_parse("web.json", rows[i].text, strlen(rows[i].text), mem, &n, &count, &err) < 0);
		if (!strstr(err.text, rows[i].words))
			fail_msg("'%s' lacks '%s'", err.text, rows[i].words);
		assert_true(err.input);
		wh_arena_free(mem);
	}
}

static void the_arm_shape_and_lists_are_read_too(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_nsg *n = parse(
		"{\"value\":[{\"type\":\"Microsoft.Network/networkSecurityGroups\",\"name\":\"web\",\"properties\":{\"securityRules\":[{\"name\":\"r\",\"properties\":{"
		"\"priority\":100,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"*\",\"sourcePortRange\":\"*\",\"sourceAddressPrefixes\":[\"1.1.1.0/24\",\"Internet\"],"
		"\"destinationAddressPrefix\":\"*\",\"destinationPortRanges\":[\"22\",\"80-81\"]}}]}}]}",
		mem);
	assert_true(n->arm_resource);
	assert_true(lets(n, "9.9.9.9", 81, mem));
	assert_false(lets(n, "9.9.9.9", 82, mem));
	wh_nsgs_free(n, 1);
	wh_arena_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_rule_that_matches_decides),
		cmocka_unit_test(ranges_and_single_packets_agree),
		cmocka_unit_test(unknown_traffic_never_counts_as_allowed),
		cmocka_unit_test(host_bits_are_read_as_the_network_with_a_note),
		cmocka_unit_test(bad_input_is_named_with_file_and_line),
		cmocka_unit_test(the_arm_shape_and_lists_are_read_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
