/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an apply does about a port, by what the kernel holds; and the messages that lay out the empty table. No kernel is
 * asked. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "enforce/apply.h"
#include "net/netlink.h"

static struct wh_prefix office;
static struct wh_nft_port ssh = {.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22, .v4 = &office, .n_v4 = 1};
static struct wh_nft_ruleset rules = {.ports = &ssh, .n_ports = 1};

static struct wh_plan planned(struct wh_nft_dispatch *held, size_t n)
{
	struct wh_error err = {0};
	struct wh_plan plan = {.want = &ssh};
	struct wh_apply j = {.mem = wh_arena_new(),
	                     .rs = &rules,
	                     .live = {.present = n > 0, .dispatch = held, .n_dispatch = n},
	                     .plans = &plan,
	                     .err = &err};
	office = (struct wh_prefix){wh_addr_v4(0x0a000000), 104};
	if (wh_plan_port(&j, &plan))
		fail_msg("%s", err.text);
	assert_int_equal(plan.tiles[0].n > 0, true);
	wh_arena_free(j.mem);
	return plan;
}

static void a_port_that_the_kernel_does_not_have_is_filled_anew(void **state)
{
	(void)state;
	struct wh_plan p = planned(NULL, 0);
	assert_int_equal(p.how, FULL);
	assert_null(p.confirmed);
	assert_string_equal(p.chain, "a_input_tcp_22");
}

static void a_chain_that_packets_reach_is_not_filled(void **state)
{
	(void)state;
	struct wh_nft_dispatch held[] = {
		{.key = {WH_INBOUND, WH_PROTO_TCP, 22, .any = true}, .pending = true, .chain = "a_input_tcp_22"},
		{.key = {WH_INBOUND, WH_PROTO_TCP, 23, .any = true}, .pending = false, .chain = "b_input_tcp_22"}};
	assert_string_equal(planned(held, 2).chain, "c_input_tcp_22");
	assert_string_equal(planned(held, 1).chain, "b_input_tcp_22");
}

static void a_pending_chain_is_not_built_upon(void **state)
{
	(void)state;
	struct wh_nft_dispatch held = {
		.key = {WH_INBOUND, WH_PROTO_TCP, 22, .any = true}, .pending = true, .chain = "a_input_tcp_22"};
	struct wh_plan p = planned(&held, 1);
	assert_null(p.confirmed);
	assert_int_equal(p.how, FULL);
}

static void a_port_that_is_open_to_all_has_no_chain_to_build_upon(void **state)
{
	(void)state;
	struct wh_nft_dispatch held = {.key = {WH_INBOUND, WH_PROTO_TCP, 22, .any = true}}; /* accept */
	assert_null(planned(&held, 1).confirmed);
}

/* Of each message its kind and what it concerns, as the kernel would meet them. */
static void an_empty_table_is_laid_out_the_same_each_time(void **state)
{
	struct wh_batch b[2];
	(void)state;
	for (int i = 0; i < 2; i++) {
		wh_batch_begin(&b[i], 7);
		wh_put_skeleton(&b[i]);
		assert_false(b[i].failed);
	}
	assert_int_equal(b[0].n, b[1].n);
	assert_int_equal(b[0].len, b[1].len);
	assert_true(b[0].n_marks > 4 * WH_NFT_KINDS + WH_NFT_N_FIXED); /* the maps, the chains, and the table before them */
	for (size_t i = 0; i < b[0].n_marks; i++)
		assert_string_equal(b[0].marks[i].what, b[1].marks[i].what);
	wh_batch_free(&b[0]);
	wh_batch_free(&b[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_that_the_kernel_does_not_have_is_filled_anew),
		cmocka_unit_test(a_chain_that_packets_reach_is_not_filled),
		cmocka_unit_test(a_pending_chain_is_not_built_upon),
		cmocka_unit_test(a_port_that_is_open_to_all_has_no_chain_to_build_upon),
		cmocka_unit_test(an_empty_table_is_laid_out_the_same_each_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
