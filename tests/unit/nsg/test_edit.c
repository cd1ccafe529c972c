/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The choice of a rule's priority, and writing a group from its entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "nsg/edit.h"

static const struct wh_rule own[] = {{.name = "a", .origin = WH_ORIGIN_PERSON},
                                     {.name = "jit", .origin = WH_ORIGIN_JIT},
                                     {.name = "tf", .origin = WH_ORIGIN_TERRAFORM}};

static void fill(struct wh_nsg_line *l, struct wh_nsg_entry *e, unsigned from, unsigned to)
{
	for (unsigned p = from; p <= to; p++)
		l->at[p] = e;
}

static void the_highest_free_priority_before_a_rule_is_taken_and_nothing_moves(void **state)
{
	(void)state;
	struct wh_nsg_line *l = calloc(1, sizeof *l);
	struct wh_nsg_entry ssh = {.existing = &own[0]}, fresh = {.name = "n"};
	l->at[300] = l->at[299] = &ssh;
	assert_int_equal(wh_nsg_take(l, &fresh, NULL, 300), 298);
	assert_ptr_equal(l->at[300], &ssh);
	free(l);
}

static void without_a_free_priority_later_rules_move_up_and_at_the_end_earlier_ones_move_down(void **state)
{
	(void)state;
	struct wh_nsg_line *l = calloc(1, sizeof *l);
	struct wh_nsg_entry a = {.existing = &own[0]}, last = {.existing = &own[0]}, fresh = {.name = "n"};
	fill(l, &a, 100, 105);
	assert_int_equal(wh_nsg_take(l, &fresh, NULL, 103), 103);
	assert_ptr_equal(l->at[106], &a);
	memset(l, 0, sizeof *l);
	fill(l, &last, 101, 4096);
	assert_int_equal(wh_nsg_take(l, &fresh, &own[0], 4096), 4095);
	assert_ptr_equal(l->at[100], &last);
	free(l);
}

static void rules_of_just_in_time_access_and_of_terraform_do_not_move(void **state)
{
	(void)state;
	struct wh_nsg_line *l = calloc(1, sizeof *l);
	struct wh_nsg_entry a = {.existing = &own[0]}, jit = {.existing = &own[1]}, tf = {.existing = &own[2]},
			    fresh = {.name = "n"};
	fill(l, &a, 100, 110);
	l->at[105] = &tf;
	l->at[100] = &jit;
	assert_int_equal(wh_nsg_take(l, &fresh, NULL, 103), 0);
	l->move_terraform = true;
	assert_int_equal(wh_nsg_take(l, &fresh, NULL, 103), 103);
	assert_ptr_equal(l->at[106], &tf);
	free(l);
}

static void the_first_free_priority_is_below_the_limit_or_there_is_none(void **state)
{
	(void)state;
	struct wh_nsg_line *l = calloc(1, sizeof *l);
	struct wh_nsg_entry a = {.existing = &own[0]}, fresh = {.name = "n"};
	fill(l, &a, 100, 102);
	assert_int_equal(wh_nsg_take_first(l, &fresh, 100, 104), 103);
	assert_int_equal(wh_nsg_take_first(l, &fresh, 100, 104), 0);
	assert_int_equal(wh_nsg_take_first(l, &fresh, 4097, 5000), 0);
	free(l);
}

/* Each shape: fields in "properties", and next to the name. */
static void a_group_is_written_in_the_shape_that_it_came_in(void **state)
{
	(void)state;
	static const char *const shapes[] = {
		"{\"name\":\"web\",\"etag\":\"x\",\"securityRules\":[{\"name\":\"b\",\"priority\":200,%s},{\"name\":\"a\",\"priority\":100,%s}]}",
		"{\"name\":\"web\",\"etag\":\"x\",\"properties\":{\"securityRules\":[{\"name\":\"b\",\"properties\":{\"priority\":200,%s}},{\"name\":\"a\",\"properties\":{\"priority\":100,%s}}]}}"};
	static const char fields[] =
		"\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"*\","
		"\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"";
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_error err = {.text = ""};
		struct wh_nsg *nsg, after;
		size_t n;
		char text[1000];
		snprintf(text, sizeof text, i ? shapes[1] : shapes[0], fields, fields);
		assert_int_equal(wh_nsg_parse("web.json", text, strlen(text), mem, &nsg, &n, &err), 0);
		const struct wh_rule *a = wh_rule_named(nsg, "a"), *b = wh_rule_named(nsg, "b");
		struct wh_addr mine = wh_addr_v4(0x0a000004);
		struct wh_nsg_entry list[] = {{.existing = a, .priority = 100},
		                              {.name = "new",
		                               .description = "d",
		                               .direction = WH_INBOUND,
		                               .proto = WH_PROTO_TCP,
		                               .ports = (uint16_t[]){22, 23, 80},
		                               .n_ports = 3,
		                               .everyone = true,
		                               .priority = 150},
		                              {.existing = b, .priority = 210, .renumbered = true}};
		list[1].n_locals = wh_nsg_locals(&mine, 1, true, mem, &list[1].locals);
		json_t *doc = wh_nsg_json(nsg, "web", list, 3);
		assert_string_equal(json_string_value(json_object_get(doc, "etag")), "x");
		assert_int_equal(json_array_size(wh_nsg_rules(doc)), 3);
		assert_string_equal(json_string_value(json_object_get(json_array_get(wh_nsg_rules(doc), 0), "name")), "b");
		assert_int_equal(wh_nsg_read("out", doc, mem, &after, &err), 0);
		assert_int_equal(after.arm_resource, i);
		assert_int_equal(wh_rule_named(&after, "b")->priority, 210);
		const struct wh_rule *new = wh_rule_named(&after, "new");
		assert_int_equal(new->n_dst_ports, 2);
		assert_int_equal(new->dst_ports[0].to, 23);
		assert_true(new->n_locals == 1 && wh_addr_eq(&new->locals[0].addr, &mine));
		json_decref(doc);
		wh_nsgs_free(&after, 1);
		wh_nsgs_free(nsg, n);
		wh_arena_free(mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_free_priority_before_a_rule_is_taken_and_nothing_moves),
		cmocka_unit_test(without_a_free_priority_later_rules_move_up_and_at_the_end_earlier_ones_move_down),
		cmocka_unit_test(rules_of_just_in_time_access_and_of_terraform_do_not_move),
		cmocka_unit_test(the_first_free_priority_is_below_the_limit_or_there_is_none),
		cmocka_unit_test(a_group_is_written_in_the_shape_that_it_came_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
