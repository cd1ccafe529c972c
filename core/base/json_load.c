/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON as RFC 8259 defines it, over jansson, which refuses three things that the RFC allows: \u0000 in a string, half of a
 * surrogate pair, and a number beyond 64 bits or a double. A text that jansson refuses is copied, these are replaced at equal
 * length (so that lines and columns of errors stay), and it is parsed again. An ordinary document costs nothing.
 *
 *   "a\u0000b"  ->  "a\ufffdb"         never a string that C code would take for "a"
 *   "\ud800"    ->  "\ufffd"
 *   18446744073709551616  ->  184467440737095516e2   a real number: where an integer is needed, it is refused by that reader
 *   -1e999      ->  -9e307, and blanks
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

static int hex4(const char *p, const char *end)
{
	int code = 0;
	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
		            : c >= 'a' && c <= 'f' ? c - 'a' + 10
		            : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                                   : -1;
		if (digit < 0)
			return -1;
		code = code << 4 | digit;
	}
	return code;
}

static int unicode_escape(const char *p, const char *end)
{
	return end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;
}

/* Returns the place after the escape at p. */
static char *mend_escape(char *p, const char *end, bool *mended)
{
	int code = unicode_escape(p, end);
	if (code < 0)
		return p + (end - p > 1 ? 2 : 1);
	if (code >= 0xd800 && code < 0xdc00) {
		int low = unicode_escape(p + 6, end);
		if (low >= 0xdc00 && low < 0xe000)
			return p + 12;
	}
	if (!code || (code >= 0xd800 && code < 0xe000)) {
		memcpy(p + 2, "fffd", 4);
		*mended = true;
	}
	return p + 6;
}

static const char *digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Whether p..end is a number of the grammar; *integer: without fraction and exponent. */
static bool is_number(const char *p, const char *end, bool *integer)
{
	const char *from = p += p < end && *p == '-';
	p = digits(p, end);
	if (p == from || (*from == '0' && p > from + 1))
		return false;
	*integer = p == end;
	if (p < end && *p == '.') {
		from = ++p;
		if ((p = digits(p, end)) == from)
			return false;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		from = p += p < end && (*p == '+' || *p == '-');
		if ((p = digits(p, end)) == from)
			return false;
	}
	return p == end;
}

/* Whether these n digits (the first is not 0) are more than 64 bits hold. */
static bool too_long(const char *p, size_t n, bool negative)
{
	return n > 19 || (n == 19 && memcmp(p, negative ? "9223372036854775808" : "9223372036854775807", 19) > 0);
}

/* Returns the place after the number at p; the text ends with a NUL. */
static char *mend_number(char *p, const char *end, bool *mended)
{
	bool integer, negative = *p == '-';
	size_t n = strspn(p, "-+.eE0123456789");
	n = n > (size_t)(end - p) ? (size_t)(end - p) : n;
	if (!is_number(p, p + n, &integer))
		return p + n;
	if (integer && too_long(p + negative, n - negative, negative)) {
		memcpy(p + n - 2, "e2", 2);
		*mended = true;
	}
	if (isinf(strtod(p, NULL)) && n >= 5 + (size_t)negative) {
		memset(p, ' ', n);
		memcpy(p, negative ? "-9e307" : "9e307", 5 + (size_t)negative);
		*mended = true;
	}
	return p + n;
}

static void mend(char *p, const char *end, bool *mended)
{
	bool inside = false;
	while (p < end) {
		if (*p == '"')
			inside = !inside, p++;
		else if (inside)
			p = *p == '\\' ? mend_escape(p, end, mended) : p + 1;
		else if (*p == '-' || (*p >= '0' && *p <= '9'))
			p = mend_number(p, end, mended);
		else
			p++;
	}
}

json_t *wh_json_load(const char *text, size_t len, size_t flags, bool *inexact, json_error_t *error)
{
	json_error_t first = {0}, *je = error ? error : &first;
	bool mended = false, unwanted = false;
	int line = wh_json_bounded(text, len);
	inexact = inexact ? inexact : &unwanted;
	*inexact = false;
	if (line) {
		*je = (json_error_t){.line = line};
		snprintf(
			je->text, sizeof je->text,
			"too many small values: they would take more than 16 times the memory of the text");
		je->text[sizeof je->text - 1] = (char)json_error_invalid_syntax;
		return NULL;
	}
	json_t *doc = wh_json_plain(text, len, flags);
	doc = doc ? doc : json_loadb(text, len, flags, je);
	if (doc || json_error_code(je) == json_error_out_of_memory)
		return doc;
	char *copy = malloc(len + 1);
	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = 0;
	mend(copy, copy + len, &mended);
	if (mended)
		doc = json_loadb(copy, len, flags, je);
	*inexact = doc != NULL;
	free(copy);
	return doc;
}

static bool text_mended(const char *s)
{
	return strstr(s, "\xef\xbf\xbd") != NULL;
}

bool wh_json_may_be_mended(const json_t *v)
{
	const char *key;
	json_t *x;
	size_t i;
	if (json_is_string(v))
		return text_mended(json_string_value(v));
	if (json_is_real(v)) /* each replaced number is a real */
		return true;
	json_object_foreach((json_t *)(uintptr_t)v, key, x)
		if (text_mended(key) || wh_json_may_be_mended(x))
			return true;
	json_array_foreach(v, i, x)
		if (wh_json_may_be_mended(x))
			return true;
	return false;
}
