/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "app/selected.h"

static size_t select_from(const char *only, const struct wh_nft_counts *now, uint16_t left[static 4])
{
	struct wh_nft_port ports[] = {{.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22},
	                              {.direction = WH_INBOUND, .proto = WH_PROTO_UDP, .port = 53},
	                              {.direction = WH_OUTBOUND, .proto = WH_PROTO_TCP, .port = 443},
	                              {.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 443}};
	struct wh_nft_ruleset rs = {.ports = ports, .n_ports = 4};
	struct wh_arena *mem = wh_arena_new();
	struct wh_error err;
	int rc = wh_app_select_ports(&rs, only, now, mem, &err);
	for (size_t i = 0; i < rs.n_ports; i++)
		left[i] = rs.ports[i].port;
	wh_arena_free(mem);
	return rc ? 0 : rs.n_ports;
}

static void chosen_rules_alone_are_applied(void **state)
{
	const struct wh_nft_counts none = {.n = 0};
	uint16_t left[4];
	(void)state;
	assert_int_equal(select_from("22/tcp", &none, left), 1);
	assert_int_equal(left[0], 22);
	assert_int_equal(select_from("out:443/tcp,53/udp", &none, left), 2);
	assert_int_equal(left[0], 53);
	assert_int_equal(left[1], 443);
}

static void rules_in_force_stay(void **state)
{
	struct wh_nft_port_count in_force[] = {{.direction = WH_INBOUND, .proto = WH_PROTO_UDP, .port = 53},
	                                       {.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 443, .reopened = true}};
	const struct wh_nft_counts now = {.ports = in_force, .n = 2};
	uint16_t left[4];
	(void)state;
	assert_int_equal(select_from("22/tcp", &now, left), 2);
	assert_int_equal(left[1], 53);
}

static void a_port_without_a_rule_is_refused(void **state)
{
	const struct wh_nft_counts none = {.n = 0};
	uint16_t left[4];
	(void)state;
	for (const char *const *only =
	             (const char *const[]){"22/udp", "out:22/tcp", "23/tcp", "22", "22/tcp,x", "", "0/tcp", "-1/tcp", NULL};
	     *only; only++)
		assert_int_equal(select_from(*only, &none, left), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chosen_rules_alone_are_applied),
		cmocka_unit_test(rules_in_force_stay),
		cmocka_unit_test(a_port_without_a_rule_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
