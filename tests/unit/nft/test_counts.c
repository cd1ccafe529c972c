/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's counters of each port, from rules and maps as they are read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <stdio.h> /* libnftnl needs it */
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include "nft/table.h"
#include "../support/arena.h"

static struct wh_nft_port ssh = {.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22};
static struct wh_tile tile = {.name = "a_input_tcp_22_v4"};

static struct wh_rules rules_of(const char *chain, bool audit)
{
	struct wh_chain_spec c = {.name = chain, .port = &ssh, .tiles = {{&tile, 1}}, .audit = audit, .nflog_group = 5};
	struct wh_rules r;
	wh_rules_of_port(&c, &r);
	return r;
}

static int set_packets(struct nftnl_expr *e, void *arg)
{
	if (!strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter"))
		nftnl_expr_set_u64(e, NFTNL_EXPR_CTR_PACKETS, *(uint64_t *)arg);
	return 0;
}

/* The chain as it is read once its rules have counted 10 packets, 11, … */
static struct wh_nft_chain counted(const char *name, bool audit)
{
	struct wh_nft_chain c = {.rules = NULL};
	struct wh_rules r = rules_of(name, audit);
	snprintf(c.name, sizeof c.name, "%s", name);
	for (size_t i = 0; i < r.n; i++) {
		uint64_t packets = 10 + i;
		nftnl_expr_foreach(r.r[i], set_packets, &packets);
		wh_nft_count_rule(r.r[i], &c);
	}
	wh_rules_free(&r);
	return c;
}

static struct wh_nft_dispatch element(uint16_t port, uint32_t local, const char *chain, int64_t expires_ms)
{
	struct wh_nft_dispatch d = {
		.key = {.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = port, .local = wh_addr_v4(local)},
		.pending = expires_ms > 0,
		.expires_ms = expires_ms};
	snprintf(d.chain, sizeof d.chain, "%s", chain);
	return d;
}

static void packets_let_through_and_dropped_are_counted_apart(void **state)
{
	(void)state;
	struct wh_nft_chain c = counted("a_input_tcp_22", false);
	assert_int_equal(c.passed, 10);
	assert_int_equal(c.dropped, 11);
	assert_true(c.counts_passed);
	assert_false(c.audit);
	assert_true(counted("a_input_tcp_22", true).audit);
}

static void rules_without_a_counter_in_front_of_accept_are_no_difference(void **state)
{
	(void)state;
	struct wh_rules r = rules_of("a_input_tcp_22", false);
	char *now = wh_rules_text(&r);
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(r.r[0]);
	for (struct nftnl_expr *e; (e = nftnl_expr_iter_next(iter)) != NULL;)
		if (!strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter")) {
			nftnl_rule_del_expr(e);
			nftnl_expr_free(e);
			break;
		}
	nftnl_expr_iter_destroy(iter);
	char *before = wh_rules_text(&r);
	assert_string_equal(now, before);
	assert_non_null(strstr(now, "[counter counter]")); /* that of the drop counts as a difference */
	free(now);
	free(before);
	wh_rules_free(&r);
}

static void each_port_is_listed_once_with_the_rules_that_decide(void **state)
{
	(void)state;
	struct wh_nft_chain chains[] = {counted("a_input_tcp_22", false), counted("b_input_tcp_22", true),
	                                counted("a_input_tcp_22_1", false)};
	struct wh_nft_dispatch d[] = {
		element(23, 0x0a000004, "", 9000),
		element(22, 0x0a000005, "b_input_tcp_22", 5000),
		element(22, 0x0a000004, "b_input_tcp_22", 5000),
		element(22, 0x0a000004, "a_input_tcp_22", 0),
		element(22, 0x0a000007, "a_input_tcp_22_1", 0),
	};
	struct wh_nft_live live = {.present = true, .dispatch = d, .n_dispatch = 5, .chains = chains, .n_chains = 3};
	struct wh_nft_counts c;
	wh_nft_count_ports(&live, mem, &c);
	assert_int_equal(c.n, 3);
	assert_int_equal(c.ports[0].port, 22);
	assert_int_equal(c.ports[0].n_locals, 2);
	assert_true(c.ports[0].pending && c.ports[0].audit && !c.ports[0].reopened);
	assert_int_equal(c.ports[0].expires_in_ms, 5000);
	assert_int_equal(c.ports[0].passed, 20); /* both chains of the port: what is pending leaves some to the confirmed one */
	assert_int_equal(c.ports[0].dropped, 22);
	assert_false(c.ports[1].pending);
	assert_int_equal(c.ports[1].passed, 10); /* another resource's own chain */
	assert_true(c.ports[2].port == 23 && c.ports[2].reopened && c.ports[2].pending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_let_through_and_dropped_are_counted_apart),
		cmocka_unit_test(rules_without_a_counter_in_front_of_accept_are_no_difference),
		cmocka_unit_test_setup_teardown(each_port_is_listed_once_with_the_rules_that_decide, arena_begin, arena_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
