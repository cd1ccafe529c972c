/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "serve/gate.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
static const struct wh_serve_options o = {.store_url = "/l.db", .config_path = "/c.yaml"};
static struct wh_arena *mem;

static int setup(void **state)
{
	(void)state;
	mem = wh_arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wh_arena_free(mem);
	return 0;
}

/* The words, joined; "refused" where there are none. */
static const char *words(const struct wh_gate_request *r)
{
	const char *argv[WH_GATE_WORDS], *all = "";
	if (wh_gate_words(&o, r, mem, argv))
		return "refused";
	for (size_t i = 0; argv[i]; i++)
		all = wh_arena_printf(mem, "%s%s%s", all, i ? "|" : "", argv[i]);
	return all;
}

static void enforcing_names_the_rules_that_were_reviewed(void **state)
{
	struct wh_gate_request r = {.what = WH_GATE_ENFORCE, .resource = "vm1", .reviewed = DIGEST, .seconds = 60, .audit = 1};
	(void)state;
	assert_string_equal(words(&r), "whittle|--json|--store=/l.db|--config=/c.yaml|enforce|--resource=vm1|--reviewed=" DIGEST
	                               "|--confirm-within=60s|--audit");
	r.seconds = 0;
	assert_string_equal(words(&r), "refused");
	r.seconds = 60;
	strcpy(r.reviewed, "nothing");
	assert_string_equal(words(&r), "refused");
}

static void no_name_becomes_an_option(void **state)
{
	struct wh_gate_request r = {.what = WH_GATE_JIT_OPEN,
	                            .resource = "--force",
	                            .from = "203.0.113.7",
	                            .why = "--to=nsg",
	                            .port = 22,
	                            .proto = WH_PROTO_TCP,
	                            .seconds = 60};
	(void)state;
	assert_string_equal(
		words(&r),
		"whittle|--json|--store=/l.db|--config=/c.yaml|jit|open|--why=--to=nsg|--from=203.0.113.7|--for=60s|--|--force|22/tcp");
	r.what = WH_GATE_ENFORCE;
	strcpy(r.reviewed, DIGEST);
	assert_string_equal(words(&r),
	                    "whittle|--json|--store=/l.db|--config=/c.yaml|enforce|--resource=--force|--reviewed=" DIGEST
	                    "|--confirm-within=60s");
}

static void a_request_has_the_words_of_an_opening_and_is_ended_by_its_id(void **state)
{
	struct wh_gate_request r = {.what = WH_GATE_JIT_REQUEST,
	                            .resource = "vm1",
	                            .from = "203.0.113.7",
	                            .why = "a disk",
	                            .port = 22,
	                            .proto = WH_PROTO_TCP,
	                            .seconds = 60};
	(void)state;
	assert_non_null(strstr(words(&r), "|jit|request|--why=a disk|--from=203.0.113.7|--for=60s|--|vm1|22/tcp"));
	strcpy(r.resource, "17");
	r.what = WH_GATE_JIT_APPROVE;
	assert_non_null(strstr(words(&r), "|jit|approve|--|17"));
	r.what = WH_GATE_JIT_REFUSE;
	assert_non_null(strstr(words(&r), "|jit|refuse|--why=a disk|--|17"));
	assert_true(WH_GATE_JIT_REQUEST < WH_GATE_ENFORCE && WH_GATE_JIT_APPROVE > WH_GATE_ENFORCE &&
	            WH_GATE_JIT_REFUSE > WH_GATE_ENFORCE); /* readers request, operators decide */
}

static void a_policy_is_made_of_ports_sources_and_a_time(void **state)
{
	struct wh_gate_request r = {.what = WH_GATE_JIT_SET,
	                            .resource = "--who=root",
	                            .ports = "22/tcp,53/udp",
	                            .sources = "203.0.113.0/24",
	                            .seconds = 3600};
	(void)state;
	assert_non_null(strstr(
		words(&r), "|jit|policy|set|--ports=22/tcp,53/udp|--from=203.0.113.0/24|--who=*|--longest=3600s|--|--who=root"));
	strcpy(r.sources, "203.0.113.0/24 --who");
	assert_string_equal(words(&r), "refused");
	*r.sources = 0;
	assert_string_not_equal(words(&r), "refused");
	r.seconds = 31 * 86400;
	assert_string_equal(words(&r), "refused");
	r.what = WH_GATE_JIT_DELETE;
	assert_non_null(strstr(words(&r), "|jit|policy|delete|--|--who=root"));
	memset(r.ports, '2', sizeof r.ports); /* without an end */
	assert_string_equal(words(&r), "refused");
}

static void a_request_that_no_command_takes_is_refused(void **state)
{
	struct wh_gate_request r = {.what = WH_GATE_JIT_OPEN,
	                            .resource = "vm1",
	                            .from = "anywhere",
	                            .port = 22,
	                            .proto = WH_PROTO_TCP,
	                            .seconds = 60},
			       good;
	(void)state;
	assert_string_equal(words(&r), "refused");
	strcpy(r.from, "203.0.113.0/24");
	good = r;
	assert_string_not_equal(words(&r), "refused");
	r.port = 65536;
	assert_string_equal(words(&r), "refused");
	r = good;
	r.proto = WH_PROTO_ANY;
	assert_string_equal(words(&r), "refused");
	r = good;
	strcpy(r.resource, "vm\n1");
	assert_string_equal(words(&r), "refused");
	r = good;
	memset(r.why, 'x', sizeof r.why); /* without an end */
	assert_string_equal(words(&r), "refused");
	for (r = good, r.what = WH_GATES; r.what < WH_GATES + 3; r.what++)
		assert_string_equal(words(&r), "refused");
	r.what = WH_GATE_WHO;
	assert_string_equal(words(&r), "refused");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(enforcing_names_the_rules_that_were_reviewed, setup, teardown),
		cmocka_unit_test_setup_teardown(no_name_becomes_an_option, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_has_the_words_of_an_opening_and_is_ended_by_its_id, setup, teardown),
		cmocka_unit_test_setup_teardown(a_policy_is_made_of_ports_sources_and_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_that_no_command_takes_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
