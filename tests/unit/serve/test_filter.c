/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "serve/call.h"

#define ITEMS                                                                                                                    \
	"[{\"name\": \"a\", \"properties\": {\"state\": \"Failed\", \"n\": 3, \"on\": true, \"status\": {\"code\": \"x\"}}},"    \
	" {\"name\": \"it's\", \"properties\": {\"state\": \"Passed\", \"n\": 4}}, {\"name\": \"c\", \"properties\": {\"state\": \"Failed\"}}]"

/* The names that the filter leaves, or the answer's code. */
static void leaves(const char *filter, const char *wanted)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_frame_request request = {.target = wh_arena_printf(mem, "/x?$filter=%s", wh_target_encode(filter, mem))};
	struct wh_call c = {.mem = mem, .request = &request};
	struct wh_error err;
	char got[200] = "";
	json_t *list = json_loads(ITEMS, 0, NULL), *o;
	size_t i;
	assert_int_equal(wh_target_parse(request.target, mem, &c.target, &err), 0);
	if (wh_call_filter(&c, list))
		json_array_foreach(list, i, o)
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", *got ? " " : "", wh_call_member(o, "name"));
	else
		snprintf(got, sizeof got, "%u %s", c.status, wh_call_member(json_object_get(c.doc, "error"), "code"));
	assert_string_equal(got, wanted);
	json_decref(list);
	json_decref(c.doc);
	wh_arena_free(mem);
}

static void items_are_compared(void **state)
{
	(void)state;
	leaves("state eq 'Failed'", "a c");
	leaves("Properties/State EQ 'failed'", "a c");
	leaves("properties.state ne 'Failed'", "it's");
	leaves("name eq 'it''s'", "it's");
	leaves("n eq 3", "a");
	leaves("on eq true", "a");
	leaves("properties/status/code eq 'x'", "a");
	leaves("status/code ne 'x'", "it's c");
	leaves("name eq ''", "");
}

static void terms_are_joined(void **state)
{
	(void)state;
	leaves("state eq 'Failed' and name ne 'a'", "c");
	leaves("name eq 'a' or n eq 4", "a it's");
	leaves(" name  eq 'a'  or name eq 'c' ", "a c");
}

static void what_cant_be_read_is_refused(void **state)
{
	static const char *const wrong[] = {"state",
	                                    "state eq",
	                                    "state eq 'x",
	                                    "state lt 3",
	                                    "eq 'x'",
	                                    "(state eq 'x')",
	                                    "' eq 'x'",
	                                    "name eq 'a' and name eq 'b' or name eq 'c'",
	                                    "name eq 'a' name eq 'b'",
	                                    "name eq 'a' and",
	                                    "stat eq 'Failed'",
	                                    "properties/ eq 'x'",
	                                    "/ eq 'x'",
	                                    "name/x eq 'y'"};
	char many[17 * 20] = "";
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		leaves(wrong[i], "400 InvalidFilterInQueryString");
	for (int i = 0; i < 17; i++)
		strcat(many, i ? " or name eq 'a'" : "name eq 'a'");
	leaves(many, "400 InvalidFilterInQueryString");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(items_are_compared), cmocka_unit_test(terms_are_joined),
	                                   cmocka_unit_test(what_cant_be_read_is_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
