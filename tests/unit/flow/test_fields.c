/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of a line, several bytes at once: the same as byte by byte, and no byte beyond. Each text is in memory of its own, so
 * that ASan sees a read beyond it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "flow/fields.h"
#include "flow/json_scan.h"

static uint64_t rng = 88172645463325252u;
static unsigned rnd(unsigned n)
{
	rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
	return (unsigned)((rng >> 33) % n);
}

static struct field copy_of(const char *text, size_t len)
{
	char *p = malloc(len ? len : 1);
	assert_non_null(p);
	memcpy(p, text, len);
	return (struct field){p, len};
}

static bool number_bytewise(struct field f, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < f.len; i++) {
		if (f.p[i] < '0' || f.p[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(f.p[i] - '0');
	}
	return f.len && f.len <= 19;
}

static void numbers_of_every_length_are_read(void **s)
{
	static const char odd[] = "/:-+ .aA\x80\xff";
	(void)s;
	for (unsigned i = 0; i < 20000; i++) {
		char text[24];
		size_t len = rnd(22);
		uint64_t a = 0, b = 0;
		for (size_t j = 0; j < len; j++)
			text[j] = rnd(40) ? (char)('0' + rnd(10)) : odd[rnd(sizeof odd)];
		struct field f = copy_of(text, len);
		bool good = number_bytewise(f, &a);
		assert_int_equal(field_number(f, &b), good);
		assert_true(!good || a == b);
		free((char *)f.p);
	}
}

static void addresses_are_those_of_the_exact_parser(void **s)
{
	static const char *const odd[] = {"1.2.3",          "1.2.3.4.5", "01.2.3.4",        "1.2.3.256",  "1..2.3",
	                                  ".1.2.3.4",       "1.2.3.4.",  "1.2.3.4 ",        "1234.1.1.1", "::1",
	                                  "2001:db8::1",    "",          "255.255.255.255", "0.0.0.0",    "1.1.1.1",
	                                  "::ffff:1.2.3.4", "1.2.3.:4",  "999.999.999.999", "00.0.0.0",   "1.2.3.4567"};
	struct wh_addr a, b;
	(void)s;
	for (unsigned i = 0; i < 20000; i++) {
		char text[24];
		int len = snprintf(text, sizeof text, "%u.%u.%u.%u", rnd(rnd(2) ? 300 : 30), rnd(300), rnd(rnd(2) ? 260 : 12),
		                   rnd(280));
		struct field f = i < sizeof odd / sizeof *odd ? copy_of(odd[i], strlen(odd[i])) : copy_of(text, (size_t)len);
		bool good = !wh_addr_parse(f.p, f.len, &a);
		assert_int_equal(field_addr(f, &b), good);
		assert_true(!good || wh_addr_eq(&a, &b));
		assert_int_equal(field_addr_plain(f, &b), good);
		assert_true(!good || wh_addr_eq(&a, &b));
		free((char *)f.p);
	}
}

static void lines_are_split_at_every_separator(void **s)
{
	(void)s;
	for (unsigned i = 0; i < 5000; i++) {
		char text[200];
		size_t len = rnd(i % 2 ? 40 : 200), separators = 0, at = 0, max = 1 + rnd(30);
		struct field out[31];
		for (size_t j = 0; j < len; j++)
			separators += (text[j] = rnd(6) ? 'x' : ',') == ',';
		struct field f = copy_of(text, len);
		size_t n = field_split(f.p, f.len, ',', out, max);
		assert_int_equal(n, separators < max ? separators + 1 : max + 1);
		for (size_t j = 0; j < n && n <= max; j++) {
			assert_ptr_equal(out[j].p, f.p + at);
			at += out[j].len + 1;
			assert_true(at - 1 == len || f.p[at - 1] == ',');
			assert_null(memchr(out[j].p, ',', out[j].len));
		}
		free((char *)f.p);
	}
}

/* The end of a value, byte by byte. */
static size_t end_bytewise(const char *p, size_t len)
{
	bool string = false;
	int depth = 0;
	for (size_t i = 0; i < len; i++) {
		if (string && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			string = !string;
		else if (!string && (p[i] == '[' || p[i] == '{'))
			depth++;
		else if (!string && (p[i] == ']' || p[i] == '}') && !--depth)
			return i + 1;
	}
	return 0;
}

static void runs_of_strings_end_where_they_end(void **s)
{
	static const char *const parts[] = {"\"\"",
	                                    "\"abc,def\"",
	                                    "\"a long string with ] and } in it, and with [ and {\"",
	                                    "\"x\\\"y\"",
	                                    "\"\\\\\"",
	                                    "12",
	                                    "[\"in\",\"ner\"]",
	                                    "{\"k\":\"v\"}",
	                                    " \"spaced\" ",
	                                    "\"0123456789012345678901234567890123456789012345678901234567890123456789\""};
	(void)s;
	for (unsigned i = 0; i < 5000; i++) {
		char text[2048] = "[";
		const char *wrong;
		for (unsigned j = 0, n = rnd(14); j < n; j++) {
			strcat(text, j ? "," : "");
			strcat(text, parts[rnd(4) ? rnd(3) : rnd(sizeof parts / sizeof *parts)]);
		}
		strcat(text, "]");
		size_t len = strlen(text), cut = rnd(4) ? len : rnd((unsigned)len + 1);
		struct field f = copy_of(text, cut);
		const char *end = js_skip(f.p, f.p + f.len, &wrong);
		size_t want = end_bytewise(f.p, f.len);
		assert_null(wrong);
		assert_true(want ? end == f.p + want : !end);
		free((char *)f.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_every_length_are_read), cmocka_unit_test(addresses_are_those_of_the_exact_parser),
		cmocka_unit_test(lines_are_split_at_every_separator), cmocka_unit_test(runs_of_strings_end_where_they_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
