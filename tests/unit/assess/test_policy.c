/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Azure Policy's language: each operator, function and kind of field, and Microsoft's own definitions where they are at hand. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>
#include "whittle/assess.h"
#include "../support/arena.h"

static json_t *loaded(const char *text)
{
	json_error_t e;
	json_t *v = json_loads(text, 0, &e);
	if (!v)
		fail_msg("%s in %s", e.text, text);
	return v;
}

static struct wh_asset asset(const json_t *body)
{
	return (struct wh_asset){.id = json_string_value(json_object_get(body, "id")),
	                         .type = json_string_value(json_object_get(body, "type")),
	                         .name = json_string_value(json_object_get(body, "name")),
	                         .body = body};
}

static int read_text(const char *text, struct wh_definition *d, json_t **doc, struct wh_error *err)
{
	*doc = loaded(text);
	return wh_definition_read("own.json", *doc, mem, d, err);
}

/* "true" or "false": whether the condition holds for the resource; else the error. */
static const char *verdict(const char *condition, const char *resource)
{
	static char text[512];
	struct wh_error err;
	struct wh_definition d;
	struct wh_assessed_as out;
	json_t *doc, *body = loaded(resource);
	char *whole = wh_arena_printf(
		mem,
		"{\"policyRule\":{\"if\":%s,\"then\":{\"effect\":\"audit\"}},\"parameters\":{\"list\":{\"defaultValue\":[\"a\",\"b\"]},"
		"\"text\":{\"defaultValue\":\"Deny\"}}}",
		condition);
	int rc = read_text(whole, &d, &doc, &err);
	if (!rc) {
		struct wh_asset a = asset(body);
		struct wh_assets all = wh_assets_expand(&a, 1, mem);
		rc = wh_definition_assess(&d, &all, &all.list[0], NULL, mem, &out, &err);
	}
	snprintf(text, sizeof text, "%s",
	         rc                                    ? err.text
	         : out.status == WH_ASSESSED_UNHEALTHY ? "true"
	         : out.status == WH_ASSESSED_HEALTHY   ? "false"
	                                               : "not applicable");
	json_decref(doc);
	json_decref(body);
	return text;
}

#define RESOURCE                                                                                                                                                                                 \
	"{\"id\":\"/subscriptions/s1/resourceGroups/rg1/providers/N.X/things/t1\",\"type\":\"N.X/things\",\"name\":\"t1\",\"kind\":\"app,linux\",\"location\":\"westeurope\","                   \
	"\"tags\":{\"env\":\"Prod\",\"a.b\":\"dotted\"},\"identity\":{\"type\":\"SystemAssigned\"},\"sku\":{\"name\":\"Standard\"},\"properties\":{\"mode\":\"Deny\",\"count\":3,\"flag\":true," \
	"\"none\":null,\"list\":[{\"name\":\"one\",\"properties\":{\"port\":22}},{\"name\":\"two\",\"properties\":{\"port\":80}}],\"words\":[\"x\",\"y\"],\"empty\":[],"                         \
	"\"nested\":[{\"inner\":[{\"v\":1},{\"v\":2}]},{\"inner\":[]}],\"since\":\"2026-01-02T03:04:05Z\",\"tls\":\"1.2\",\"ips\":[{\"value\":\"10.1.0.0/16\"}]}}"
#define F(rest) "{\"field\":\"N.X/things/" rest "}"

static void each_operator_has_its_verdict(void **state)
{
	(void)state;
	static const struct { const char *condition, *verdict;
	} rows[] = {
		{F("mode\",\"equals\":\"deny\""), "true"},
		{F("mode\",\"equals\":\"allow\""), "false"},
		{F("gone\",\"equals\":\"x\""), "false"},
		{F("count\",\"equals\":3"), "true"},
		{F("count\",\"equals\":\"3\""), "true"},
		{F("flag\",\"equals\":\"true\""), "true"},
		{F("flag\",\"equals\":false"), "false"},
		{F("mode\",\"notEquals\":\"deny\""), "false"},
		{F("gone\",\"notEquals\":\"x\""), "true"},
		{F("none\",\"notEquals\":\"x\""), "true"},
		{F("mode\",\"like\":\"D*y\""), "true"},
		{F("mode\",\"like\":\"d*\""), "true"},
		{F("mode\",\"like\":\"x*\""), "false"},
		{F("mode\",\"notLike\":\"x*\""), "true"},
		{F("mode\",\"like\":\"Deny*y\""), "false"},
		{F("gone\",\"notLike\":\"*\""), "true"},
		{F("mode\",\"match\":\"D???\""), "true"},
		{F("mode\",\"match\":\"d???\""), "false"},
		{F("mode\",\"matchInsensitively\":\"d?.y\""), "true"},
		{F("tls\",\"match\":\"#.#\""), "true"},
		{F("mode\",\"notMatch\":\"####\""), "true"},
		{F("mode\",\"notMatchInsensitively\":\"d???\""), "false"},
		{F("mode\",\"contains\":\"EN\""), "true"},
		{F("words\",\"contains\":\"x\""), "true"},
		{F("words\",\"notContains\":\"z\""), "true"},
		{F("gone\",\"notContains\":\"z\""), "true"},
		{F("mode\",\"in\":[\"a\",\"DENY\"]"), "true"},
		{F("mode\",\"notIn\":[\"a\"]"), "true"},
		{F("gone\",\"in\":[\"a\"]"), "false"},
		{F("mode\",\"in\":\"[parameters('list')]\""), "false"},
		{"{\"field\":\"tags\",\"containsKey\":\"ENV\"}", "true"},
		{"{\"field\":\"tags\",\"notContainsKey\":\"owner\"}", "true"},
		{F("count\",\"less\":4"), "true"},
		{F("count\",\"less\":3"), "false"},
		{F("count\",\"lessOrEquals\":3"), "true"},
		{F("count\",\"greater\":2"), "true"},
		{F("count\",\"greaterOrEquals\":4"), "false"},
		{F("gone\",\"less\":4"), "false"},
		{F("gone\",\"greaterOrEquals\":0"), "false"},
		{F("tls\",\"greaterOrEquals\":\"1.2\""), "true"},
		{F("tls\",\"less\":\"1.1\""), "false"},
		{F("since\",\"greater\":\"2025-12-31T00:00:00Z\""), "true"},
		{F("mode\",\"exists\":\"true\""), "true"},
		{F("gone\",\"exists\":\"false\""), "true"},
		{F("none\",\"exists\":false"), "true"},
		{F("empty\",\"exists\":true"), "true"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(verdict(rows[i].condition, RESOURCE), rows[i].verdict))
			fail_msg("%s: %s", rows[i].condition, verdict(rows[i].condition, RESOURCE));
}

static void fields_are_found_in_every_shape_of_a_resource(void **state)
{
	(void)state;
	static const char flat[] =
		"{\"id\":\"/s/t1\",\"type\":\"n.x/Things\",\"name\":\"t1\",\"Mode\":\"Deny\",\"list\":[{\"name\":\"one\",\"port\":22}]}";
	assert_string_equal(verdict(F("mode\",\"equals\":\"deny\""), flat), "true");
	assert_string_equal(verdict(F("list[*].port\",\"equals\":22"), flat), "true");
	assert_string_equal(verdict(F("sku.name\",\"equals\":\"standard\""), RESOURCE), "true");
	assert_string_equal(verdict("{\"field\":\"tags['env']\",\"equals\":\"prod\"}", RESOURCE), "true");
	assert_string_equal(verdict("{\"field\":\"tags.env\",\"equals\":\"prod\"}", RESOURCE), "true");
	assert_string_equal(verdict("{\"field\":\"tags['a.b']\",\"equals\":\"dotted\"}", RESOURCE), "true");
	assert_string_equal(verdict("{\"field\":\"identity.type\",\"equals\":\"systemassigned\"}", RESOURCE), "true");
	assert_string_equal(verdict("{\"field\":\"Other.Type/things/mode\",\"exists\":\"true\"}", RESOURCE), "false");
}

static void every_element_must_meet_a_condition_on_a_list(void **state)
{
	(void)state;
	assert_string_equal(verdict(F("list[*].port\",\"equals\":22"), RESOURCE), "false");
	assert_string_equal(verdict(F("list[*].port\",\"greater\":20"), RESOURCE), "true");
	assert_string_equal(verdict(F("empty[*].port\",\"equals\":22"), RESOURCE), "true");
	assert_string_equal(verdict(F("gone[*].port\",\"exists\":false"), RESOURCE), "true");
	assert_string_equal(verdict(F("list[*].gone\",\"exists\":false"), RESOURCE), "true");
}

static void a_count_looks_at_one_element_at_a_time(void **state)
{
	(void)state;
	assert_string_equal(verdict("{\"count\":{\"field\":\"N.X/things/list[*]\"},\"equals\":2}", RESOURCE), "true");
	assert_string_equal(verdict("{\"count\":{\"field\":\"N.X/things/gone[*]\"},\"equals\":0}", RESOURCE), "true");
	assert_string_equal(
		verdict("{\"count\":{\"field\":\"N.X/things/list[*]\",\"where\":{\"field\":\"N.X/things/list[*].port\",\"equals\":22}},\"equals\":1}",
	                RESOURCE),
		"true");
	assert_string_equal(
		verdict("{\"count\":{\"field\":\"N.X/things/nested[*]\",\"where\":{\"count\":{\"field\":\"N.X/things/nested[*].inner[*]\",\"where\":"
	                "{\"field\":\"N.X/things/nested[*].inner[*].v\",\"equals\":2}},\"greater\":0}},\"equals\":1}",
	                RESOURCE),
		"true");
	assert_string_equal(
		verdict("{\"count\":{\"value\":\"[parameters('list')]\",\"name\":\"w\",\"where\":{\"value\":\"[current('w')]\",\"equals\":\"b\"}},\"equals\":1}",
	                RESOURCE),
		"true");
	assert_string_equal(
		verdict("{\"count\":{\"field\":\"N.X/things/ips[*]\",\"where\":{\"value\":\"[ipRangeContains('10.0.0.0/8', current('N.X/things/ips[*].value'))]\",\"equals\":true}},\"equals\":1}",
	                RESOURCE),
		"true");
}

static void expressions_are_evaluated(void **state)
{
	(void)state;
	static const struct { const char *expression, *equals;
	} rows[] = {
		{"concat('a', 'b', string)", NULL},
		{"concat('it''s', '-', field('name'))", "it's-t1"},
		{"first(split('a/b', '/'))", "a"},
		{"last(split('a/b', '/'))", "b"},
		{"if(equals(parameters('text'), 'deny'), 'yes', 'no')", "yes"},
		{"if(empty(field('N.X/things/gone')), 'empty', 'full')", "empty"},
		{"subscription().subscriptionId", "s1"},
		{"resourceGroup().name", "rg1"},
		{"resourcegroup().managedBy", NULL},
		{"split('a,b', ',')[1]", "b"},
		{"toLower('ABC')", "abc"},
		{"toUpper(field('name'))", "T1"},
		{"requestContext().apiVersion", "9999-12-31"},
		{"if(or(false(), and(true(), not(false()))), 'yes', 'no')", "yes"},
		{"if(contains(field('kind'), 'linux'), 'yes', 'no')", "yes"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *text = wh_arena_printf(mem, "{\"value\":\"[%s]\",\"%s\":\"%s\"}", rows[i].expression,
		                                   rows[i].equals ? "equals" : "exists",
		                                   rows[i].equals ? rows[i].equals : "false");
		const char *v = verdict(text, RESOURCE);
		if (strcmp(v, i == 0 ? "own.json: policyRule.if: the function 'string' is not supported" : "true"))
			fail_msg("%s: %s", text, v);
	}
	assert_string_equal(verdict("{\"value\":\"[length(field('N.X/things/list[*]'))]\",\"equals\":2}", RESOURCE), "true");
	assert_string_equal(verdict("{\"value\":\"[[text]\",\"equals\":\"[[text]\"}", RESOURCE), "true");
}

static void unknown_parts_are_refused_by_name_and_place(void **state)
{
	(void)state;
	assert_string_equal(
		verdict("{\"allOf\":[{\"field\":\"type\",\"equals\":\"N.X/things\"},{\"field\":\"name\",\"equalz\":1}]}",
	                RESOURCE),
		"own.json: policyRule.if.allOf[1]: 'equalz' is not a supported condition or operator");
	assert_string_equal(verdict("{\"not\":{\"value\":\"[newGuid()]\",\"equals\":1}}", RESOURCE),
	                    "own.json: policyRule.if.not: the function 'newGuid' is not supported");
	assert_string_equal(verdict("{\"value\":\"[parameters('nope')]\",\"equals\":1}", RESOURCE),
	                    "own.json: policyRule.if: there is no parameter 'nope'");
	assert_string_equal(verdict("{\"field\":\"name\",\"value\":\"x\",\"equals\":1}", RESOURCE),
	                    "own.json: policyRule.if: takes exactly one of field, value and count");
	assert_string_equal(verdict("{\"field\":\"name\"}", RESOURCE), "own.json: policyRule.if: has no operator");
	assert_string_equal(verdict("{\"field\":\"name\",\"equals\":1,\"like\":2}", RESOURCE),
	                    "own.json: policyRule.if: has two operators, 'equals' and 'like'");
	assert_string_equal(verdict("{\"count\":{\"field\":\"N.X/things/list\"},\"equals\":1}", RESOURCE),
	                    "own.json: policyRule.if.count: takes either a field that ends with [*], or a value");
	/* no closing bracket: a text */
	assert_non_null(strstr(verdict("{\"value\":\"[concat('a'\",\"equals\":1}", RESOURCE), "false"));
	assert_non_null(
		strstr(verdict("{\"value\":\"[concat('a']\",\"equals\":1}", RESOURCE), "stands where ',' or ')' is expected"));
	assert_non_null(strstr(verdict("{\"value\":\"[ipRangeContains('10.0.0.0/8', 'x')]\",\"equals\":true}", RESOURCE),
	                       "is no range of addresses"));
}

static void nesting_without_end_is_refused(void **state)
{
	(void)state;
	char *text = wh_arena_strdup(mem, "{\"field\":\"name\",\"equals\":1}");
	for (int i = 0; i < 80; i++)
		text = wh_arena_printf(mem, "{\"not\":%s}", text);
	assert_non_null(strstr(verdict(text, RESOURCE), "is nested too deeply"));
}

static void a_definition_is_not_about_resources_of_another_kind(void **state)
{
	(void)state;
	assert_string_equal(
		verdict("{\"allOf\":[{\"field\":\"type\",\"equals\":\"N.X/others\"},{\"field\":\"N.X/others/mode\",\"notEquals\":\"x\"}]}",
	                RESOURCE),
		"not applicable");
	assert_string_equal(
		verdict("{\"allOf\":[{\"field\":\"type\",\"equals\":\"N.X/things\"},{\"field\":\"kind\",\"contains\":\"functionapp\"},{\"field\":\"N.X/things/mode\",\"equals\":\"Deny\"}]}",
	                RESOURCE),
		"not applicable");
	assert_string_equal(
		verdict("{\"allOf\":[{\"field\":\"type\",\"equals\":\"N.X/things\"},{\"not\":{\"field\":\"N.X/things/mode\",\"equals\":\"Deny\"}}]}",
	                RESOURCE),
		"false");
}

/* ---- Microsoft's own, where they are at hand ---- */

static void assess_first(const struct wh_definition *d, const json_t *resources, enum wh_assessed wanted, const char *name)
{
	size_t n = json_array_size(resources), i;
	struct wh_asset *list = wh_arena_array(mem, n, sizeof *list);
	struct wh_assessed_as out;
	struct wh_error err;
	json_t *v;
	json_array_foreach((json_t *)resources, i, v)
		list[i] = asset(v);
	struct wh_assets all = wh_assets_expand(list, n, mem);
	if (wh_definition_assess(d, &all, &all.list[0], NULL, mem, &out, &err))
		fail_msg("%s: %s", name, err.text);
	if (out.status != wanted)
		fail_msg("%s (%s): %s instead of %s", name, d->display_name, wh_assessed_text(out.status),
		         wh_assessed_text(wanted));
}

static void published_definitions_pass_and_fail_the_resources_that_they_should(void **state)
{
	(void)state;
	struct dirent *f;
	DIR *dir = opendir("../shared/azure-policy");
	json_t *pairs = json_load_file("tests/unit/assess/definitions.json", 0, NULL);
	unsigned n = 0;
	assert_non_null(pairs);
	if (!dir) {
		json_decref(pairs);
		skip();
	}
	while ((f = readdir(dir))) {
		struct wh_definition d;
		struct wh_error err;
		char path[512], name[64];
		if (strlen(f->d_name) != 41) /* a GUID and ".json" */
			continue;
		snprintf(path, sizeof path, "../shared/azure-policy/%s", f->d_name);
		snprintf(name, sizeof name, "%.36s", f->d_name);
		json_t *doc = json_load_file(path, 0, NULL), *pair = json_object_get(pairs, name);
		assert_non_null(doc);
		assert_non_null(pair);
		if (wh_definition_read(path, doc, mem, &d, &err))
			fail_msg("%s", err.text);
		const char **types;
		assert_true(wh_definition_types(&d, mem, &types) > 0);
		assess_first(&d, json_object_get(pair, "pass"), WH_ASSESSED_HEALTHY, name);
		assess_first(&d, json_object_get(pair, "fail"), WH_ASSESSED_UNHEALTHY, name);
		json_decref(doc);
		n++;
	}
	closedir(dir);
	assert_int_equal(n, json_object_size(pairs));
	json_decref(pairs);
}

static void an_inventory_without_the_needed_data_gets_no_verdict(void **state)
{
	(void)state;
	struct wh_error err;
	struct wh_definition d;
	struct wh_assessed_as out;
	json_t *doc, *body = loaded("{\"id\":\"/s/t1\",\"type\":\"N.X/things\",\"name\":\"t1\",\"properties\":{}}");
	struct wh_asset a = asset(body);
	struct wh_assets all = wh_assets_expand(&a, 1, mem);
	assert_int_equal(
		read_text(
			"{\"policyRule\":{\"if\":{\"field\":\"type\",\"equals\":\"N.X/things\"},\"then\":{\"effect\":\"auditIfNotExists\",\"details\":{\"type\":"
			"\"Microsoft.Security/assessments\",\"name\":\"k\"}}}}",
			&d, &doc, &err),
		0);
	assert_int_equal(wh_definition_assess(&d, &all, all.list, NULL, mem, &out, &err), 0);
	assert_int_equal(out.status, WH_ASSESSED_NOT_JUDGED);
	assert_string_equal(out.cause, "not judged: the inventory has no Microsoft.Security/assessments of this resource");
	json_decref(doc);
	assert_int_equal(
		read_text(
			"{\"policyRule\":{\"if\":{\"field\":\"type\",\"equals\":\"N.X/things\"},\"then\":{\"effect\":\"auditIfNotExists\",\"details\":{\"type\":"
			"\"N.X/things/parts\"}}}}",
			&d, &doc, &err),
		0);
	assert_int_equal(wh_definition_assess(&d, &all, all.list, NULL, mem, &out, &err), 0);
	assert_int_equal(out.status, WH_ASSESSED_UNHEALTHY);
	json_decref(doc);
	json_decref(body);
}

static void children_inside_their_parents_become_assets_and_none_counts_twice(void **state)
{
	(void)state;
	json_t *doc = loaded(
		"[{\"id\":\"/g/providers/Microsoft.Network/virtualNetworks/v\",\"type\":\"Microsoft.Network/virtualNetworks\",\"name\":\"v\",\"subnets\":[{\"name\":\"a\"},"
		"{\"name\":\"b\",\"id\":\"/G/providers/Microsoft.Network/virtualNetworks/v/subnets/b\"}]},"
		"{\"id\":\"/g/providers/microsoft.network/virtualnetworks/v/subnets/b\",\"type\":\"microsoft.network/virtualnetworks/subnets\",\"name\":\"b\"}]");
	struct wh_asset list[] = {asset(json_array_get(doc, 0)), asset(json_array_get(doc, 1))};
	struct wh_assets all = wh_assets_expand(list, 2, mem);
	size_t from, to = wh_assets_of_type(&all, "Microsoft.Network/virtualNetworks/subnets", &from);
	assert_int_equal(all.n, 3);
	assert_int_equal(to - from, 2);
	for (size_t i = from; i < to; i++)
		assert_string_equal(all.list[all.by_type[i]].parent->name, "v");
	json_decref(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_operator_has_its_verdict),
		cmocka_unit_test(fields_are_found_in_every_shape_of_a_resource),
		cmocka_unit_test(every_element_must_meet_a_condition_on_a_list),
		cmocka_unit_test(a_count_looks_at_one_element_at_a_time),
		cmocka_unit_test(expressions_are_evaluated),
		cmocka_unit_test(unknown_parts_are_refused_by_name_and_place),
		cmocka_unit_test(nesting_without_end_is_refused),
		cmocka_unit_test(a_definition_is_not_about_resources_of_another_kind),
		cmocka_unit_test(published_definitions_pass_and_fail_the_resources_that_they_should),
		cmocka_unit_test(an_inventory_without_the_needed_data_gets_no_verdict),
		cmocka_unit_test(children_inside_their_parents_become_assets_and_none_counts_twice),
	};
	return cmocka_run_group_tests_name("assess", tests, arena_begin, arena_end);
}
