/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/harden.h"

static void small(struct wh_arena *mem, size_t n, struct wh_prefix **out)
{
	*out = wh_arena_array(mem, n, sizeof **out);
	for (size_t i = 0; i < n; i++) {
		struct wh_addr a = wh_addr_v4(0x2d000000 + (uint32_t)(rand() % 32));
		(*out)[i] = wh_prefix_of(&a, 123 + (unsigned)(rand() % 6));
	}
}

/* Random policies and proposals in a universe of 32 peers and 4 ports: the proof agrees with a look at every point. */
static void the_proof_equals_looking_at_every_point(void **state)
{
	(void)state;
	unsigned held = 0, failed = 0;
	srand(11);
	for (int round = 0; round < 3000; round++) {
		struct wh_arena *mem = wh_arena_new();
		char text[4096] = "{\"name\":\"web\",\"securityRules\":[";
		int n_nsg = rand() % 5;
		for (int i = 0; i < n_nsg; i++) {
			size_t at = strlen(text);
			snprintf(
				text + at, sizeof text - at,
				"%s{\"name\":\"r%d\",\"priority\":%d,\"access\":\"%s\",\"direction\":\"Inbound\",\"protocol\":\"%s\",\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":"
				"\"45.0.0.%d/%d\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"%d-%d\"}",
				i ? "," : "", i, 100 + i, rand() % 4 ? "Allow" : "Deny", rand() % 3 ? "Tcp" : "*", rand() % 32,
				27 + rand() % 6, 20 + rand() % 2, 22 + rand() % 2);
		}
		strcat(text, "]}");
		struct wh_nsg *nsg;
		size_t n, n_rules = (size_t)(rand() % 4);
		struct wh_error err;
		if (wh_nsg_parse("t", text, strlen(text), mem, &nsg, &n, &err))
			fail_msg("%s", err.text);
		struct wh_addr own = wh_addr_v4(0x0a000004);
		const struct wh_nsg *list[] = {nsg};
		struct wh_resource r = {.name = "vm", .addrs = &own, .n_addrs = 1, .nsgs = list, .n_nsgs = 1};
		struct wh_estate e = {.resources = &r, .n_resources = 1};
		struct wh_recommended_rule rules[3] = {0};
		for (size_t i = 0; i < n_rules; i++) {
			rules[i].proto = WH_PROTO_TCP;
			rules[i].port = (uint16_t)(20 + i);
			rules[i].n_prefixes = (size_t)(rand() % 3);
			rules[i].n_except = (size_t)(rand() % 2);
			small(mem, rules[i].n_prefixes, &rules[i].prefixes);
			small(mem, rules[i].n_except, &rules[i].except);
		}
		bool want = true;
		struct wh_counterexample least = {0}, ce;
		for (size_t i = 0; i < n_rules && want; i++)
			for (uint32_t x = 0; x < 32 && want; x++) {
				struct wh_addr a = wh_addr_v4(0x2d000000 + x);
				bool in = false;
				for (size_t j = 0; j < rules[i].n_prefixes; j++)
					in |= wh_prefix_has(&rules[i].prefixes[j], &a);
				for (size_t j = 0; j < rules[i].n_except; j++)
					in &= !wh_prefix_has(&rules[i].except[j], &a);
				if (in && !wh_nsg_decide(nsg, NULL, WH_INBOUND, WH_PROTO_TCP, &own, rules[i].port, &a)->allow) {
					want = false;
					least = (struct wh_counterexample){WH_INBOUND, WH_PROTO_TCP, rules[i].port, a};
				}
			}
		int rc = wh_prove(&e, &r, rules, n_rules, mem, &ce, &err);
		assert_int_equal(rc, want ? 0 : 1);
		if (!want) {
			assert_int_equal(ce.port, least.port);
			assert_true(wh_addr_eq(&ce.peer, &least.peer));
		}
		held += want;
		failed += !want;
		wh_nsgs_free(nsg, n);
		wh_arena_free(mem);
	}
	assert_true(held > 300 && failed > 300); /* both answers were really asked for */
}

static void without_a_policy_everything_is_a_narrowing(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_addr own = wh_addr_v4(1);
	struct wh_resource r = {.name = "vm", .addrs = &own, .n_addrs = 1};
	struct wh_estate e = {.resources = &r, .n_resources = 1};
	struct wh_prefix any[] = {wh_prefix_all_v4, wh_prefix_all_v6};
	struct wh_recommended_rule rule = {.proto = WH_PROTO_TCP, .port = 22, .prefixes = any, .n_prefixes = 2};
	struct wh_counterexample ce;
	assert_int_equal(wh_prove(&e, &r, &rule, 1, mem, &ce, NULL), 0);
	wh_arena_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_proof_equals_looking_at_every_point),
		cmocka_unit_test(without_a_policy_everything_is_a_narrowing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
