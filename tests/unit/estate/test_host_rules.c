/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine's own rules as its present policy: what is allowed is what each packet gets, rules that may match apart by what they
 * do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/bytes.h"
#include "whittle/estate.h"
#include "whittle/filter.h"
#include "../support/arena.h"

static const struct wh_ranges *peers(const char *text)
{
	struct wh_ranges *r = wh_arena_alloc(mem, sizeof *r);
	struct wh_prefix p;
	assert_int_equal(wh_prefix_parse(text, strlen(text), &p, NULL), 0);
	*r = wh_ranges_from_prefixes(&p, 1, mem);
	return r;
}

static const struct wh_ranges *port(uint16_t from, uint16_t to)
{
	struct wh_ranges *r = wh_arena_alloc(mem, sizeof *r);
	*r = wh_ports(&(struct wh_port_range){from, to}, 1, mem);
	return r;
}

static struct wh_addr own;

/* One filter for both directions; its default drops. */
static struct wh_host_rules *host(const struct wh_filter_rule *rules, size_t n)
{
	struct wh_host_rules *h = wh_arena_alloc(mem, sizeof *h);
	struct wh_filter *f = wh_arena_alloc(mem, sizeof *f);
	const struct wh_filter **list = wh_arena_array(mem, 1, sizeof *list);
	own = wh_addr_v4(0x0a000004);
	*f = (struct wh_filter){.name = "filter input", .rules = rules, .n = n, .otherwise = WH_DENIED};
	list[0] = f;
	h->at = wh_arena_alloc(mem, sizeof *h->at);
	*h->at = (struct wh_host_end){own, {list, list}, {1, 1}};
	h->n = 1;
	wh_host_rules_ready(h, mem);
	return h;
}

static struct wh_host_judged judged(const struct wh_host_rules *h, uint16_t to)
{
	struct wh_host_judged j;
	wh_host_judge(h, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, &own, to}, mem, &j);
	return j;
}

static bool has(struct wh_ranges r, const char *text)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(text, strlen(text), &a), 0);
	return wh_ranges_has(r, &a);
}

static void an_opened_range_is_allowed_and_its_rule_named(void **state)
{
	(void)state;
	const struct wh_filter_rule r[] = {{.name = "rule 2",
	                                    .action = WH_FILTER_ALLOW,
	                                    .proto = WH_PROTO_TCP,
	                                    .peer = peers("140.20.0.0/16"),
	                                    .dport = port(22, 22)}};
	struct wh_host_judged j = judged(host(r, 1), 22);
	assert_true(has(j.allowed, "140.20.30.9"));
	assert_false(has(j.allowed, "203.0.113.9"));
	assert_string_equal(j.by, "rule 2");
	assert_int_equal(judged(host(r, 1), 23).allowed.n, 0);
	assert_null(judged(host(r, 1), 23).unknown);
}

static void a_rule_that_may_drop_leaves_all_allowed_with_a_note(void **state)
{
	(void)state;
	const struct wh_filter_rule r[] = {
		{.name = "rule 1", .action = WH_FILTER_DENY, .dport = port(22, 22), .may = "rule 1: a rate"},
		{.name = "rule 2", .action = WH_FILTER_ALLOW, .dport = port(22, 22)}};
	struct wh_host_judged j = judged(host(r, 2), 22);
	assert_true(has(j.allowed, "203.0.113.9"));
	assert_null(j.unknown);
	assert_string_equal(j.note, "rule 1: a rate");
}

static void a_rule_that_may_accept_is_unknown(void **state)
{
	(void)state;
	const struct wh_filter_rule r[] = {
		{.name = "rule 1", .action = WH_FILTER_ALLOW, .peer = peers("10.0.0.0/8"), .dport = port(22, 22)},
		{.name = "rule 2", .action = WH_FILTER_ALLOW, .dport = port(22, 22), .may = "rule 2: a mark"}};
	struct wh_host_judged j = judged(host(r, 2), 22);
	assert_string_equal(j.unknown, "rule 2: a mark");
	assert_true(has(j.allowed, "10.1.2.3"));
	assert_false(has(j.allowed, "203.0.113.9"));
}

static void a_ban_is_a_hole_and_a_network_that_is_kept_out_is_not(void **state)
{
	(void)state;
	const struct wh_filter_rule r[] = {{.action = WH_FILTER_DENY, .peer = peers("203.0.113.9/32")},
	                                   {.action = WH_FILTER_DENY, .peer = peers("0.0.0.0/1")},
	                                   {.action = WH_FILTER_ALLOW, .dport = port(22, 22)}};
	struct wh_host_judged j = judged(host(r, 3), 22);
	assert_false(has(j.allowed, "203.0.113.9"));
	assert_true(has(j.whole, "203.0.113.9"));
	assert_false(has(j.whole, "10.1.2.3"));
}

static void a_translated_port_meets_other_rules(void **state)
{
	(void)state;
	struct wh_host_rules *h = host(NULL, 0);
	struct wh_host_published p = {WH_PROTO_TCP, {8080, 8081}, {wh_addr_v4(0), wh_addr_v4(UINT32_MAX)}};
	assert_int_equal(judged(h, 8080).allowed.n, 0);
	h->published = &p;
	h->n_published = 1;
	assert_true(judged(h, 8080).translated);
	assert_int_equal(judged(h, 8080).allowed.n, 1);
	assert_int_equal(judged(h, 8082).allowed.n, 0);
}

static void open_ports_are_those_that_somebody_may_reach(void **state)
{
	(void)state;
	/* the other family meets other rules */
	const struct wh_filter_rule r[] = {{.action = WH_FILTER_ALLOW, .peer = peers("::/0")},
	                                   {.action = WH_FILTER_ALLOW, .proto = WH_PROTO_TCP, .dport = port(22, 22)},
	                                   {.action = WH_FILTER_ALLOW, .proto = WH_PROTO_UDP, .dport = port(53, 53)},
	                                   {.action = WH_FILTER_ALLOW, .dport = port(8000, 8003), .may = "a mark"}};
	struct wh_port_range *open;
	assert_int_equal(wh_host_ports(host(r, 4), WH_INBOUND, WH_PROTO_TCP, mem, &open), 2);
	assert_int_equal(open[0].from, 22);
	assert_int_equal(open[1].to, 8003);
}

/* ---- random rules ---- */

static const struct wh_ranges *random_peers(void)
{
	char text[32];
	snprintf(text, sizeof text, "10.1.0.%d/%d", rand() % 16, 28 + rand() % 5);
	return peers(text);
}

static void each_packet_gets_the_verdict_of_the_sets(void **state)
{
	(void)state;
	unsigned unknown = 0, allowed = 0;
	srand(5);
	for (int round = 0; round < 2000; round++) {
		struct wh_filter_rule r[6];
		size_t n = 1 + (size_t)rand() % 6;
		for (size_t i = 0; i < n; i++)
			r[i] = (struct wh_filter_rule){.action = rand() % 2 ? WH_FILTER_ALLOW : WH_FILTER_DENY,
			                               .peer = rand() % 3 ? random_peers() : NULL,
			                               .dport = rand() % 2 ? port(22, 22) : NULL,
			                               .may = rand() % 3 ? NULL : "may"};
		const struct wh_host_rules *h = host(r, n);
		struct wh_host_judged j = judged(h, 22);
		bool unsure = false;
		for (uint32_t x = 0; x < 16; x++) {
			struct wh_filter_packet p = {.proto = WH_PROTO_TCP,
			                             .local = own,
			                             .peer = wh_addr_v4(0x0a010000 + x),
			                             .sport = 50000,
			                             .dport = 22};
			enum wh_answer v = wh_filter_decide(h->at->filters[0][0], &p).verdict,
				       usual = wh_filter_decide(h->variants[0].usual[0][0], &p).verdict;
			bool in = wh_ranges_has(j.allowed, &p.peer);
			assert_int_equal(in, v == WH_ALLOWED || (v == WH_UNDECIDED && usual == WH_ALLOWED));
			unsure |= v == WH_UNDECIDED && usual != WH_ALLOWED;
			assert_true(!in || wh_ranges_has(j.whole, &p.peer));
			allowed += in;
		}
		assert_true(!unsure || j.unknown);
		unknown += j.unknown != NULL;
	}
	assert_in_range(unknown, 100, 1900);
	assert_true(allowed > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_opened_range_is_allowed_and_its_rule_named, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(a_rule_that_may_drop_leaves_all_allowed_with_a_note, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(a_rule_that_may_accept_is_unknown, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(a_ban_is_a_hole_and_a_network_that_is_kept_out_is_not, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(a_translated_port_meets_other_rules, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(open_ports_are_those_that_somebody_may_reach, arena_begin, arena_end),
		cmocka_unit_test_setup_teardown(each_packet_gets_the_verdict_of_the_sets, arena_begin, arena_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
