/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/json.h"

static int parse(const char *text, json_t **out, struct wh_error *err)
{
	return wh_json_parse("f.json", text, strlen(text), out, err);
}

static void a_broken_document_is_reported_with_its_line(void **state)
{
	(void)state;
	json_t *doc;
	struct wh_error err;
	assert_true(parse("{\"a\": 1,\n \"b\" 2}", &doc, &err) < 0);
	assert_null(doc);
	assert_true(err.input);
	assert_non_null(strstr(err.text, "f.json:2: "));
	assert_true(parse("", &doc, &err) < 0);
	assert_string_equal(err.text, "f.json:1: the file is empty");
	assert_true(parse("{\"a\": 1,\n \"a\": 2}", &doc, &err) < 0);
	assert_non_null(strstr(err.text, "f.json:2: duplicate"));
	assert_true(parse("{} x", &doc, &err) < 0);
}

static void what_holds_no_text_is_refused_by_its_kind(void **state)
{
	static const struct { const char *path, *says; } refused[] = {
		{"/tmp", "/tmp: cannot be read: it is a directory"},
		{"/dev/zero", "/dev/zero: cannot be read: it is a device"},
		{"pipe", "pipe: cannot be read: it is a FIFO without a writer"},
	};
	char dir[] = "/tmp/wh-kinds-XXXXXX", *text;
	size_t len;
	struct wh_error err;
	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkfifo("pipe", 0600), 0);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_true(wh_read_file(refused[i].path, 1000, &text, &len, &err) < 0);
		assert_null(text);
		assert_true(err.input);
		assert_string_equal(err.text, refused[i].says);
	}
	assert_int_equal(wh_read_file("/dev/null", 1000, &text, &len, &err), 0);
	assert_int_equal(len, 0);
	free(text);
	int ends[2]; /* a pipe as a shell makes it for <(…) is read to its end */
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "a: 1", 4), 4);
	close(ends[1]);
	assert_int_equal(wh_read_descriptor(ends[0], "f", 1000, &text, &len, &err), 0);
	assert_string_equal(text, "a: 1");
	free(text);
	close(ends[0]);
	unlink("pipe");
	rmdir(dir);
}

static void a_value_is_found_with_its_line(void **state)
{
	(void)state;
	static const char text[] =
		"{\n \"skip\": {\"properties\": [\"}\", \"\\\"\"]},\n \"properties\": {\n  \"rules\": [\n   {\"p\": 1},\n   "
		"{\"p\": [[]],\n    \"q\": \"x\"}\n  ]\n }\n}\n";
	assert_int_equal(wh_json_line(text, sizeof text - 1, ""), 1);
	assert_int_equal(wh_json_line(text, sizeof text - 1, "properties"), 3);
	assert_int_equal(wh_json_line(text, sizeof text - 1, "properties/rules/0"), 5);
	assert_int_equal(wh_json_line(text, sizeof text - 1, "properties/rules/0/p"), 5);
	assert_int_equal(wh_json_line(text, sizeof text - 1, "properties/rules/1/p"), 6);
	assert_int_equal(wh_json_line(text, sizeof text - 1, "properties/rules/1/q"), 7);
	assert_int_equal(wh_json_line(text, sizeof text - 1, "properties/rules/2"), 0);
	assert_int_equal(wh_json_line(text, sizeof text - 1, "properties/none"), 0);
	assert_int_equal(wh_json_line(text, sizeof text - 1, "properties/rules/x"), 0);
	for (size_t n = 0; n < sizeof text; n++) /* a text that ends anywhere is not read past */
		for (int i = 0; i < 2; i++) {
			char *cut = malloc(n ? n : 1);
			memcpy(cut, text, n);
			wh_json_line(cut, n, i ? "properties/rules/1/q" : "properties/rules/9");
			free(cut);
		}
}

/* `n` times `unit`, as an array; a newline after each thousand. */
static char *many(const char *unit, size_t n, size_t *len)
{
	size_t each = strlen(unit);
	char *text = malloc(n * (each + 1) + n / 1000 + 8), *p = text;
	*p++ = '[';
	for (size_t i = 0; i < n; i++) {
		p = mempcpy(p, unit, each);
		*p++ = i + 1 < n ? ',' : ']';
		if (i % 1000 == 999 && i + 1 < n)
			*p++ = '\n';
	}
	*p = 0;
	*len = (size_t)(p - text);
	return text;
}

static void values_that_would_take_many_times_their_text_are_refused_with_their_line(void **state)
{
	static const char *const crafted[] = {"[]", "{}", "{\"\":0}", "\"\"", "[{}]"};
	static const char *const usual[] = {"\"1.1.1.1\"", "{\"name\":\"allow-ssh\",\"priority\":100,\"ports\":[22,443]}", "null",
	                                    "2166136261", "\"\\\"[[[[[[[[{{{{{{{{\""};
	json_t *doc;
	struct wh_error err;
	size_t len;
	(void)state;
	for (size_t i = 0; i < sizeof crafted / sizeof *crafted; i++) {
		char *text = many(crafted[i], 1000000, &len);
		int line = wh_json_bounded(text, len);
		assert_true(line > 1 && line < 1000);
		assert_int_equal(wh_json_parse("f.json", text, len, &doc, &err), -EINVAL);
		assert_true(err.input && !strncmp(err.text, "f.json:", 7) && atoi(err.text + 7) == line);
		assert_null(doc);
		assert_int_equal(wh_json_bounded(text, 3000), 0); /* a few of them are welcome */
		free(text);
	}
	for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
		char *text = many(usual[i], 400000, &len);
		assert_int_equal(wh_json_bounded(text, len), 0);
		free(text);
	}
	for (size_t n = 0; n < 4; n++) { /* not read past its end */
		char *cut = malloc(n ? n : 1);
		memcpy(cut, "[\"\\", n);
		wh_json_bounded(cut, n);
		free(cut);
	}
}

static void large_members_are_left_out_before_a_document_is_parsed(void **state)
{
	static const char *const members[] = {"rules", "defaults", NULL};
	static const struct { const char *text, *rest; } cases[] = {
		{"{\"a\": 1, \"rules\": [{\"b\": \"]}\\\"\"}], \"z\": [1]}", "{\"a\": 1, \"rules\": null, \"z\": [1]}"},
		{"{\"Rules\":[1,2],\"defaults\":{\"c\":[]}}", "{\"Rules\":null,\"defaults\":null}"},
		{"{\"properties\": {\"rules\": \"long text\", \"x\": {\"rules\": [1, 2]}}, \"rules\": [1,2,3]}",
	         "{\"properties\": {\"rules\": null, \"x\": {\"rules\": [1, 2]}}, \"rules\": null}"},
		{"{\"rules\": [], \"y\": 2}", "{\"rules\": [], \"y\": 2}"}, /* shorter than null */
		{"[{\"rules\": [1, 2, 3]}]", "[{\"rules\": [1, 2, 3]}]"},
		{"{\"rules\": [1, 2, 3", "{\"rules\": null"}, /* not well-formed: refused by whoever parses the rest */
		{"{\"a\" [1, 2, 3]", "{\"a\" [1, 2, 3]"},
		{"{\"properties\":{\"a\":\"", "{\"properties\":{\"a\":\""},
		{"", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t len = strlen(cases[i].text);
		char *text = malloc(len ? len : 1); /* without a zero byte: not read past its end */
		memcpy(text, cases[i].text, len);
		char *rest = wh_json_cut(text, len, members);
		assert_string_equal(rest, cases[i].rest);
		free(rest);
		free(text);
	}
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	(void)state;
	struct wh_error err;
	char *text, path[] = "/tmp/wh-json-XXXXXX";
	size_t len;
	assert_true(wh_read_file("/nonexistent/x.json", 100, &text, &len, &err) < 0);
	assert_string_equal(err.text, "/nonexistent/x.json: cannot be read: No such file or directory");
	assert_true(err.input);
	assert_true(wh_read_file("/tmp", 100, &text, &len, &err) < 0);
	assert_string_equal(err.text, "/tmp: cannot be read: it is a directory");
	int fd = mkstemp(path);
	assert_int_equal(write(fd, "0123456789", 10), 10);
	close(fd);
	assert_int_equal(wh_read_file(path, 10, &text, &len, &err), 0);
	assert_int_equal(len, 10);
	assert_string_equal(text, "0123456789");
	free(text);
	assert_int_equal(wh_read_file(path, 9, &text, &len, &err), -EFBIG);
	assert_null(text);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_document_is_reported_with_its_line),
		cmocka_unit_test(what_holds_no_text_is_refused_by_its_kind),
		cmocka_unit_test(a_value_is_found_with_its_line),
		cmocka_unit_test(values_that_would_take_many_times_their_text_are_refused_with_their_line),
		cmocka_unit_test(large_members_are_left_out_before_a_document_is_parsed),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
