/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Only a peer's own other ports count for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "harden/analysis.h"

enum { LAST = 20500 };

/* On every second day of the window, in sessions that say little. */
static struct wh_edge regular = {.day0 = LAST, .days = 0x15555555, .flows = 15, .size_hist = {[4] = 15}, .time_hist = {[4] = 15}};
static struct wh_edge once = {.day0 = LAST, .days = 1 << 9, .flows = 1, .size_hist = {[4] = 1}, .time_hist = {[4] = 1}};

static void a_stranger_whose_address_was_chosen_to_share_a_partners_hash_is_not_taken_for_it(void **state)
{
	struct wh_analysis a = {.window = {.last = LAST, .days = 30, .sensor = (1 << 30) - 1, .sensor_days = 30}};
	struct wh_harden_options opt = {0};
	struct wh_error err;
	struct wh_addr partner = wh_addr_v4(0x8c141e09u), twin;
	uint64_t high, low, other;
	(void)state;
	assert_int_equal(wh_weights_load("rules/evidence.yaml", &a.weights, &err), 0);
	a.opt = &opt;
	/* a hash that begins with high ^ low * c has the same value for any other low half and this high one */
	memcpy(&high, partner.b, 8), memcpy(&low, partner.b + 8, 8);
	other = low + 1;
	high ^= low * 0x9e3779b97f4a7c15u ^ other * 0x9e3779b97f4a7c15u;
	memcpy(twin.b, &high, 8), memcpy(twin.b + 8, &other, 8);

	struct wh_evidence_peer web[] = {{.addr = partner, .days = regular.days, .edge = &regular}};
	struct wh_evidence_peer ssh[] = {{.addr = partner, .days = once.days, .edge = &once},
	                                 {.addr = twin, .days = once.days, .edge = &once}};
	struct wh_port_traffic ports[] = {{.direction = WH_INBOUND, .proto = 6, .port = 22, .peers = ssh, .n = 2},
	                                  {.direction = WH_INBOUND, .proto = 6, .port = 443, .peers = web, .n = 1}};
	struct wh_resource_traffic t = {.ports = ports, .n = 2};
	assert_int_equal(wh_mark_other_ports(&a, &t), 0);
	assert_true(web[0].alone);
	assert_true(ssh[0].elsewhere_here);
	assert_false(ssh[1].elsewhere_here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_whose_address_was_chosen_to_share_a_partners_hash_is_not_taken_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
