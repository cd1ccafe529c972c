/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network and the sensor of a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/flow.h"

static void a_records_network_is_its_tenant_and_its_vlans(void **state)
{
	static const struct { const char *line, *realm; } cases[] = {
		{"{\"a\":1}", "untagged"},
		{"{\"vlan\":[10],\"src_ip\":\"10.0.0.4\"}", "vlan10"},
		{"{\"x\":{\"y\":[1]},\"vlan\": [ 10 , 20 ]}", "vlan10.20"},
		{"{\"vlan\":10}", "vlan10"}, /* as other programs write it */
		{"{\"tenant_id\":3,\"vlan\":[10,20,30]}", "tenant3/vlan10.20.30"},
		{"{\"vlan\":[7],\"tenant_id\":4294967295}", "tenant4294967295/vlan7"},
		{"{\"vlan\":[]}", "untagged"},
		{"{\"flow\":{\"vlan\":[9],\"tenant_id\":2}}", "untagged"},                  /* another object's */
		{"{\"http\":{\"url\":\"\\\",\\\"vlan\\\":[9]\"}}", "untagged"},   /* a stranger's text */
		{"{\"ua\":\"vlan\",\"vlan\":[5]}", "vlan5"},
		{"{\"vlan\":", "untagged"}, {"{\"vlan\":[", "untagged"}, {"{\"a\":\"\\", "untagged"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].line);
		char text[WH_REALM_STRLEN], *exact = malloc(len);
		memcpy(exact, cases[i].line, len); /* without a byte behind it */
		struct wh_realm r = wh_tags_of(exact, len).realm;
		assert_string_equal(wh_realm_text(&r, text), cases[i].realm);
		free(exact);
	}
}

static void a_records_sensor_is_the_one_that_it_names(void **state)
{
	static const struct { const char *line, *sensor; } cases[] = {
		{"{\"a\":1}", NULL},
		{"{\"host\":\"fw-1\",\"http\":{\"host\":\"x\"}}", "fw-1"},
		{"{\"http\":{\"sensor\":\"x\"}}", NULL},
		{"{\"sensor\" : \"a\",\"host\":\"b\"}", "a"},
		{"{\"host\":\"b\",\"sensor\":\"a\"}", "a"},
		{"{\"ua\":\"\\\",\\\"host\\\":\\\"x\"}", NULL},
		{"{\"host\":7}", NULL}, {"{\"host\":\"", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].line);
		char *exact = malloc(len);
		memcpy(exact, cases[i].line, len);
		struct wh_tags o = wh_tags_of(exact, len);
		assert_int_equal(!o.sensor, !cases[i].sensor);
		if (o.sensor) {
			assert_int_equal(o.sensor_len, strlen(cases[i].sensor));
			assert_memory_equal(o.sensor, cases[i].sensor, o.sensor_len);
		}
		free(exact);
	}
}

static void only_records_with_tags_are_marked(void **state)
{
#define RECORD(fields)                                                                                                           \
	"{\"timestamp\":\"2026-11-01T10:00:00.000000+0000\"," fields                                                             \
	"\"event_type\":\"dns\",\"http\":{\"host\":\"x\",\"vlan\":[1]}}"
	static const struct { const char *line; bool tagged;
	} cases[] = {
		{RECORD(""), false},
		{RECORD("\"vlan\":[10],"), true},
		{RECORD("\"vlan\" : 10,"), true},
		{RECORD("\"tenant_id\":3,"), true},
		{RECORD("\"host\":\"fw-1\","), true},
		{RECORD("\"sensor\":\"fw-1\","), true},
		{RECORD("\"vlans\":[10],\"hosts\":{},"), false},
		{RECORD("\"vlan\":{\"vlan\":[2]},"), true},
		{RECORD("\"host\":null,"), true},
	};
	(void)state;
	for (int again = 0; again < 40; again++) /* as long as it takes until joints are remembered, and shortcuts made */
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			struct wh_record rec;
			assert_int_equal(wh_eve_record(cases[i].line, strlen(cases[i].line), &rec, NULL), 0);
			assert_int_equal(rec.tagged, cases[i].tagged);
		}
}

static void a_realm_that_no_record_could_be_of_is_none(void **state)
{
	static const char *const good[] = {"one",          "untagged", "vlan10",           "vlan10.20",
	                                   "vlan10.20.30", "tenant3",  "tenant3/vlan10.20"},
				 *const bad[] = {"",         "vlan",      "vlan:10",         "vlan10x",
	                                         "vlan010",  "vlan70000", "vlan10.",         "tenant",
	                                         "tenant:1", "tenant3/",  "tenant3vlan10",   "vlan10/tenant3",
	                                         "10",       "vlan-1",    "vlan10.20.30.40", "tenant99999999999"};
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(wh_realm_is(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(wh_realm_is(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_records_network_is_its_tenant_and_its_vlans),
		cmocka_unit_test(a_records_sensor_is_the_one_that_it_names),
		cmocka_unit_test(only_records_with_tags_are_marked),
		cmocka_unit_test(a_realm_that_no_record_could_be_of_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
