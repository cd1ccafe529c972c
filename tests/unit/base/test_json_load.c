/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of documents takes what RFC 8259 takes, and gives what an independent reader of it gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "../support/json_rfc.h"
#include "base/json.h"

static json_t *load(const char *text, bool *inexact)
{
	return wh_json_load(text, strlen(text), JSON_DECODE_ANY, inexact, NULL);
}

static void a_document_with_a_nul_or_half_a_surrogate_pair_is_read(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"\"a\\u0000b\"",       "\"a\\ud800b\"", "\"a\\uDFFFb\"", "\"a\\udbff\\u0041\"", "\"\\ud83d\\ud83d\\ude00\"",
		"\"\\\\u0000\\u0000\""};
	static const char *const wanted[] = {"a\xef\xbf\xbd"
	                                     "b",
	                                     "a\xef\xbf\xbd"
	                                     "b",
	                                     "a\xef\xbf\xbd"
	                                     "b",
	                                     "a\xef\xbf\xbd"
	                                     "A",
	                                     "\xef\xbf\xbd\xf0\x9f\x98\x80",
	                                     "\\u0000\xef\xbf\xbd"};
	bool inexact;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		json_t *v = load(texts[i], &inexact);
		assert_string_equal(json_string_value(v), wanted[i]);
		assert_true(inexact && wh_json_may_be_mended(v));
		json_decref(v);
	}
	json_t *v = load("{\"\\u0000\": [{\"k\": \"v\"}], \"b\": \"\\ud83d\\ude00\"}", &inexact);
	assert_true(inexact && wh_json_may_be_mended(v));
	assert_false(wh_json_may_be_mended(json_object_get(v, "b")));
	json_decref(v);
}

static void a_string_with_a_nul_is_never_the_text_before_it(void **state)
{
	(void)state;
	static const char text[] = "{\"name\": \"web\\u0000x\"}";
	json_t *doc;
	struct wh_error err;
	assert_int_equal(wh_json_parse("f", text, sizeof text - 1, &doc, &err), 0);
	assert_string_not_equal(json_string_value(json_object_get(doc, "name")), "web");
	json_decref(doc);
}

static void a_document_with_a_number_of_any_size_is_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double value;
	} t[] = {{"18446744073709551615", 18446744073709551615.},
	         {"-9223372036854775809", -9223372036854775809.},
	         {"9223372036854775808", 9223372036854775808.},
	         {"1e999", 9e307},
	         {"-1e999", -9e307},
	         {"1.5E+400", 9e307},
	         {"123456789012345678901234567890", 123456789012345678901234567890.}};
	bool inexact;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		json_t *v = load(t[i].text, &inexact);
		assert_true(json_is_real(v) && inexact);
		assert_true(fabs(json_real_value(v) - t[i].value) <= fabs(t[i].value) * 1e-15);
		json_decref(v);
	}
	json_t *v = load("[9223372036854775807, -9223372036854775808, 1e-999, \"18446744073709551616\"]", &inexact);
	assert_true(v && !inexact);
	assert_true(json_integer_value(json_array_get(v, 1)) == INT64_MIN);
	json_decref(v);
	char *text = malloc(100001);
	memset(text, '7', 100000);
	text[100000] = 0;
	v = load(text, &inexact);
	assert_true(json_is_real(v));
	json_decref(v);
	free(text);
}

static void invalid_json_is_still_refused_with_its_line(void **state)
{
	(void)state;
	static const char *const texts[] = {"\"\\u0000", "\"\\u000g\"", "01e999",        "1e999x",   "1.e999",
	                                    "1e999-5",   "-",           "\"\\u0000\" 1", "[1e999,]", "\"\xed\xa0\x80\\u0000\""};
	bool inexact;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_null(load(texts[i], &inexact));
	json_t *doc;
	struct wh_error err;
	static const char text[] = "{\"a\": \"\\u0000\",\n \"b\": 1e999,\n \"c\" 2}";
	assert_int_equal(wh_json_parse("f", text, sizeof text - 1, &doc, &err), -EINVAL);
	assert_non_null(strstr(err.text, "f:3: "));
}

/* ---- against the independent reader ---- */

static bool same(const struct rj *r, const json_t *j);

static bool same_text(const char *text, size_t len, const char *other)
{
	for (size_t i = 0; i < len; i++) /* a NUL in the input is U+FFFD here */
		if (text[i] ? text[i] != *other++ : strncmp(other, "\xef\xbf\xbd", 3) || !(other += 3))
			return false;
	return !*other;
}

static bool same_number(const char *text, const json_t *j)
{
	double wanted = strtod(text, NULL), got = json_number_value(j);
	if (isinf(wanted))
		return got == (wanted < 0 ? -9e307 : 9e307);
	return fabs(got - wanted) <= fabs(wanted) * 1e-14;
}

static bool same_members(const struct rj *r, const json_t *j)
{
	size_t n = 0;
	for (const struct rj *m = r->first; m; m = m->next, n++) {
		const char *key;
		json_t *v;
		bool found = false;
		json_object_foreach((json_t *)(uintptr_t)j, key, v)
			found |= same_text(m->key, m->key_len, key) && same(m, v);
		if (!found)
			return false;
	}
	return n == json_object_size(j);
}

static bool same(const struct rj *r, const json_t *j)
{
	size_t n = 0;
	switch (r->type) {
	case RJ_OBJECT: return json_is_object(j) && same_members(r, j);
	case RJ_ARRAY:
		for (const struct rj *m = r->first; m; m = m->next)
			if (!same(m, json_array_get(j, n++)))
				return false;
		return json_is_array(j) && n == json_array_size(j);
	case RJ_STRING: return json_is_string(j) && same_text(r->text, r->len, json_string_value(j));
	case RJ_NUMBER: return json_is_number(j) && same_number(r->text, j);
	case RJ_TRUE: return json_is_true(j);
	case RJ_FALSE: return json_is_false(j);
	case RJ_NULL: return json_is_null(j);
	}
	return false;
}

static uint64_t seed = 88172645463325252;
static unsigned any(unsigned n)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return (unsigned)(seed >> 32) % n;
}

static size_t make(char *out, unsigned depth)
{
	static const char *const atoms[] = {"0",
	                                    "-1",
	                                    "1e999",
	                                    "-1.5e-3",
	                                    "18446744073709551616",
	                                    "-123456789012345678901",
	                                    "true",
	                                    "null",
	                                    "\"\"",
	                                    "\"\\u0000\"",
	                                    "\"x\\ud800y\"",
	                                    "\"\\udc00\\ud800\"",
	                                    "\"\\ud83d\\ude00\\n\\\"\"",
	                                    "9223372036854775807",
	                                    "9223372036854775808",
	                                    "2e308",
	                                    "\"\\\\u0000\"",
	                                    "\"\xc3\xa4\""};
	unsigned kind = depth < 5 ? any(4) : 0, n = any(4);
	size_t len = 0;
	if (kind < 2)
		return (size_t)sprintf(out, "%s", atoms[any(sizeof atoms / sizeof *atoms)]);
	out[len++] = kind == 2 ? '[' : '{';
	for (unsigned i = 0; i < n; i++) {
		len += (size_t)sprintf(out + len, "%s", i ? ",\n" : " ");
		if (kind == 3)
			len += (size_t)sprintf(out + len, "\"k%u%s\":", i, any(3) ? "" : "\\u0000");
		len += make(out + len, depth + 1);
	}
	out[len++] = kind == 2 ? ']' : '}';
	out[len] = 0;
	return len;
}

static void every_text_is_read_as_an_independent_reader_reads_it(void **state)
{
	(void)state;
	static char text[1 << 20];
	bool inexact;
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = make(text, 0);
		if (i % 2 && len) /* half of them damaged */
			text[any((unsigned)len)] = "\"\\u0d8,:]}[{eE-+.19 "[any(20)];
		const struct rj *r = rj_read(text, len);
		json_t *j = wh_json_load(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &inexact, NULL);
		if (!j && r && (j = wh_json_load(text, len, JSON_DECODE_ANY, &inexact, NULL))) { /* a name twice */
			json_decref(j);
			continue;
		}
		if (!r != !j || (r && !same(r, j)))
			fail_msg("read otherwise: %s", text);
		json_decref(j);
	}
}

/* ---- the reader of ordinary texts, against jansson ---- */

/* Returns whether the text is read; then jansson reads the same. */
static bool as_jansson(const char *text, size_t len, size_t flags)
{
	char *exact = malloc(len ? len : 1); /* exactly as long as it is, for the sanitizer */
	memcpy(exact, text, len);
	json_t *v = wh_json_plain(exact, len, flags);
	json_t *wanted = json_loadb(exact, len, flags, NULL);
	free(exact);
	if (!v) {
		json_decref(wanted);
		return false;
	}
	char *a = json_dumps(v, JSON_COMPACT), *b = json_dumps(wanted, JSON_COMPACT);
	assert_non_null(wanted);
	assert_string_equal(a, b);
	free(a);
	free(b);
	json_decref(v);
	json_decref(wanted);
	return true;
}

static const char ordinary[] =
	"{\"name\": \"a group's name that is longer than a vector\", \"properties\":{\"n\":[1,-20,0,-0,123456789012345678,1234567890123456789,"
	"1.5,-2e3],\r\n\t\"e\":[],\"o\":{},\"t\":true,\"f\":false,\"z\":null,\"\":\"\"},\"s\":[\"\\u00e4\\n\", \"\xc3\xa4\", \"\x7f\","
	"\"0123456789abcde\\\\\", \"0123456789abcdef\\\"\"], \"n\":1}  \n";

static void an_ordinary_text_is_read_as_jansson_reads_it(void **state)
{
	(void)state;
	assert_true(as_jansson(ordinary, strlen(ordinary), 0));
	assert_true(as_jansson(ordinary, strlen(ordinary), JSON_REJECT_DUPLICATES | JSON_DECODE_ANY));
	assert_true(as_jansson(" [{}]", 5, 0));
}

static void what_jansson_refuses_is_never_read(void **state)
{
	(void)state;
	static const char *const texts[] = {"",
	                                    " ",
	                                    "1",
	                                    "\"a\"",
	                                    "{",
	                                    "[",
	                                    "]",
	                                    "[1",
	                                    "[1,]",
	                                    "[,1]",
	                                    "[1 2]",
	                                    "{\"a\"}",
	                                    "{\"a\":}",
	                                    "{\"a\":1,}",
	                                    "{a:1}",
	                                    "[01]",
	                                    "[1.]",
	                                    "[.5]",
	                                    "[-]",
	                                    "[+1]",
	                                    "[1-2]",
	                                    "[tru]",
	                                    "[truex]",
	                                    "[nul",
	                                    "[\"a]",
	                                    "[\"\\x\"]",
	                                    "[\"\n\"]",
	                                    "[\"\xff\"]",
	                                    "[1]x",
	                                    "[1][2]",
	                                    "{\"a\":1]",
	                                    "[1}",
	                                    "[\"\\u0000\"]",
	                                    "[99999999999999999999]",
	                                    "[\"\\",
	                                    "{\"a\" 1}",
	                                    "{\"a\":1 \"b\":2}"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_false(as_jansson(texts[i], strlen(texts[i]), 0));
	assert_false(as_jansson("[1]\0", 4, 0));
	assert_false(as_jansson("{\"a\":1,\"a\":2}", 13, JSON_REJECT_DUPLICATES));
	assert_true(as_jansson("{\"a\":1,\"b\":0,\"a\":2}", 19, 0));
	char deep[200];
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	assert_false(as_jansson(deep, sizeof deep, 0)); /* jansson does */
}

static void a_damaged_text_is_read_as_jansson_reads_it(void **state)
{
	(void)state;
	static const char bytes[] = "{}[]\",:\\u0e.-1 \n\0\xc3nt";
	uint32_t x = 2463534242u;
	size_t len = strlen(ordinary), read = 0;
	for (int round = 0; round < 20000; round++) {
		char text[sizeof ordinary];
		memcpy(text, ordinary, len);
		for (int i = 0; i <= round % 3; i++) {
			x ^= x << 13, x ^= x >> 17, x ^= x << 5;
			text[x % len] = bytes[(x >> 20) % sizeof bytes];
		}
		read += as_jansson(text, len - (x >> 8) % 3, round % 2 ? JSON_REJECT_DUPLICATES : 0);
	}
	assert_in_range(read, 1000, 19000); /* both happen */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_text_is_read_as_jansson_reads_it),
		cmocka_unit_test(what_jansson_refuses_is_never_read),
		cmocka_unit_test(a_damaged_text_is_read_as_jansson_reads_it),

		cmocka_unit_test(a_document_with_a_nul_or_half_a_surrogate_pair_is_read),
		cmocka_unit_test(a_string_with_a_nul_is_never_the_text_before_it),
		cmocka_unit_test(a_document_with_a_number_of_any_size_is_read),
		cmocka_unit_test(invalid_json_is_still_refused_with_its_line),
		cmocka_unit_test(every_text_is_read_as_an_independent_reader_reads_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
