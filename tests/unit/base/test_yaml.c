/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/yaml.h"

static struct wh_arena *mem;
static struct wh_error err;

static int fresh(void **state)
{
	(void)state;
	mem = wh_arena_new();
	memset(&err, 0, sizeof err);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	wh_arena_free(mem);
	return 0;
}

static int parse(const char *text, struct wh_yaml **root)
{
	return wh_yaml_parse("f.yaml", text, strlen(text), mem, root, &err);
}

static struct wh_yaml *good(const char *text)
{
	struct wh_yaml *root;
	if (parse(text, &root))
		fail_msg("%s", err.text);
	return root;
}

static void refused(const char *text, const char *sentence)
{
	struct wh_yaml *root;
	assert_true(parse(text, &root) < 0);
	assert_null(root);
	assert_true(err.input);
	if (!strstr(err.text, sentence))
		fail_msg("'%s' does not say '%s'", err.text, sentence);
}

static void every_value_has_its_line(void **state)
{
	(void)state;
	struct wh_yaml *root = good("# a comment\na: 1\nb:\n  - x\n  - {c: \"2\"}\nd:\n");
	assert_int_equal(root->kind, WH_YAML_MAP);
	assert_int_equal(wh_yaml_get(root, "a")->line, 2);
	struct wh_yaml *b = wh_yaml_get(root, "b");
	assert_int_equal(b->kind, WH_YAML_LIST);
	assert_int_equal(b->child->line, 4);
	assert_string_equal(b->child->scalar, "x");
	struct wh_yaml *c = wh_yaml_get(b->child->next, "c");
	assert_int_equal(c->line, 5);
	assert_true(c->quoted);
	assert_string_equal(wh_yaml_get(root, "d")->scalar, "");
	assert_int_equal(wh_yaml_get(root, "d")->line, 6);
	assert_null(wh_yaml_get(root, "e"));
}

static void an_empty_document_has_no_root(void **state)
{
	(void)state;
	assert_null(good(""));
	assert_null(good("# only a comment\n"));
	assert_null(good("---\n"));
}

static void surprising_yaml_is_refused(void **state)
{
	(void)state;
	refused("a: &x 1\nb: *x\n", "f.yaml:1: anchors and aliases");
	refused("a: 1\nb: *x\n", "f.yaml:2: anchors and aliases");
	refused("a: !!int 1\n", "f.yaml:1: tags");
	refused("a: 1\n---\nb: 2\n", "f.yaml:2: a second document");
	refused("a: 1\nb: 2\na: 3\n", "f.yaml:3: the key 'a' is in the map twice (first on line 1)");
	refused("? [a]\n: 1\n", "f.yaml:1: a key must be plain text");
	refused("a: \"x\\0y\"\n", "f.yaml:1: a NUL character");
	refused("a: [1,\nb: 2\n",
	        "f.yaml:3: not YAML: did not find expected ',' or ']', while parsing a flow sequence that begins on line 1");
	refused("a: 1\nb: \xff\n", "f.yaml:2: not YAML");
	refused("\ta: 1\n", "f.yaml:1: not YAML");
}

static void depth_is_bounded(void **state)
{
	(void)state;
	char deep[2001];
	memset(deep, '[', 1000);
	memset(deep + 1000, ']', 1000);
	deep[2000] = 0;
	refused(deep, "f.yaml:1: nested deeper than 32 levels");
}

static void a_map_of_many_keys_is_read_in_time(void **state)
{
	(void)state;
	enum { N = 50000 };
	char *text = malloc(N * 16), *at = text;
	for (int i = 0; i < N; i++)
		at += sprintf(at, "k%d: 1\n", i);
	strcpy(at, "k7: 2\n");
	refused(text, "f.yaml:50001: the key 'k7' is in the map twice");
	free(text);
}

static void an_unknown_key_names_the_nearest_right_one(void **state)
{
	(void)state;
	static const char *const known[] = {"name", "addresses", "internet-facing", NULL};
	assert_int_equal(wh_yaml_check_keys("f.yaml", good("name: x\naddresses: []\n"), known, &err), 0);
	assert_true(wh_yaml_check_keys("f.yaml", good("name: x\nadresses: []\n"), known, &err) < 0);
	assert_string_equal(err.text, "f.yaml:2: unknown key 'adresses'; did you mean 'addresses'?");
	assert_true(wh_yaml_check_keys("f.yaml", good("internet_facing: x\n"), known, &err) < 0);
	assert_string_equal(err.text, "f.yaml:1: unknown key 'internet_facing'; did you mean 'internet-facing'?");
	assert_true(wh_yaml_check_keys("f.yaml", good("colour: x\n"), known, &err) < 0);
	assert_string_equal(err.text, "f.yaml:1: unknown key 'colour'");
	assert_true(wh_yaml_check_keys("f.yaml", good("- a\n"), known, &err) < 0);
}

static void a_value_of_the_wrong_type_is_reported_with_its_line(void **state)
{
	(void)state;
	int64_t i;
	double d;
	bool b;
	struct wh_yaml *root = good("i: 12\nb: yes\nd: -0.25\nq: \"12\"\nl: [1]\nx: 12k\nn: nan\nh: 0x1p3\n");
	assert_int_equal(wh_yaml_int("f.yaml", wh_yaml_get(root, "i"), 0, 12, &i, &err), 0);
	assert_int_equal(i, 12);
	assert_int_equal(wh_yaml_bool("f.yaml", wh_yaml_get(root, "b"), &b, &err), 0);
	assert_true(b);
	assert_int_equal(wh_yaml_double("f.yaml", wh_yaml_get(root, "d"), &d, &err), 0);
	assert_true(d == -0.25);
	assert_true(wh_yaml_int("f.yaml", wh_yaml_get(root, "i"), 0, 11, &i, &err) < 0);
	assert_string_equal(err.text, "f.yaml:1: 'i' must be a whole number from 0 to 11, not '12'");
	assert_true(wh_yaml_int("f.yaml", wh_yaml_get(root, "q"), 0, 99, &i, &err) < 0);
	assert_string_equal(err.text, "f.yaml:4: 'q' must be a whole number from 0 to 99, not \"12\"");
	assert_true(wh_yaml_int("f.yaml", wh_yaml_get(root, "x"), 0, 99, &i, &err) < 0);
	assert_true(wh_yaml_bool("f.yaml", wh_yaml_get(root, "l"), &b, &err) < 0);
	assert_string_equal(err.text, "f.yaml:5: 'l' must be true or false, not a list");
	assert_true(wh_yaml_double("f.yaml", wh_yaml_get(root, "n"), &d, &err) < 0);
	assert_true(wh_yaml_double("f.yaml", wh_yaml_get(root, "h"), &d, &err) < 0);
}

static void a_suggested_word_is_similar_or_absent(void **state)
{
	(void)state;
	static const char *const words[] = {"ingest", "recommend", "export", "enforce", "confirm", NULL};
	assert_string_equal(wh_nearest("inget", words), "ingest");
	assert_string_equal(wh_nearest("ingset", words), "ingest");
	assert_string_equal(wh_nearest("RECOMEND", words), "recommend");
	assert_string_equal(wh_nearest("recom", words), "recommend");
	assert_null(wh_nearest("zzzzzz", words));
	assert_null(wh_nearest("", words));
	char huge[5000];
	memset(huge, 'a', sizeof huge - 1);
	huge[sizeof huge - 1] = 0;
	assert_null(wh_nearest(huge, words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_value_has_its_line, fresh, drop),
		cmocka_unit_test_setup_teardown(an_empty_document_has_no_root, fresh, drop),
		cmocka_unit_test_setup_teardown(surprising_yaml_is_refused, fresh, drop),
		cmocka_unit_test_setup_teardown(depth_is_bounded, fresh, drop),
		cmocka_unit_test_setup_teardown(a_map_of_many_keys_is_read_in_time, fresh, drop),
		cmocka_unit_test_setup_teardown(an_unknown_key_names_the_nearest_right_one, fresh, drop),
		cmocka_unit_test_setup_teardown(a_value_of_the_wrong_type_is_reported_with_its_line, fresh, drop),
		cmocka_unit_test_setup_teardown(a_suggested_word_is_similar_or_absent, fresh, drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
