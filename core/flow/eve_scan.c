/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scalars of JSON, byte by byte and exactly as RFC 8259 has them: \u0000, lone surrogates and numbers of any size are valid. */
#include "flow/eve.h"

const char wh_eve_not_json[] = "not valid JSON";
const char wh_eve_cut_short[] = "record cut short";
const char wh_eve_not_utf8[] = "not valid UTF-8";
const char wh_eve_deep[] = "nested deeper than 2048";

static const char *fail(struct eve_walker *w, const char *reason)
{
	w->reason = reason;
	return NULL;
}

/* The record ended within a token, or a byte that can't be there. */
static const char *fail_at(struct eve_walker *w, const char *p, const char *end)
{
	return fail(w, p >= end || (w->lines && *p == '\n') ? wh_eve_cut_short : wh_eve_not_json);
}

static bool continues(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length of the UTF-8 sequence at p (its first byte has the high bit): 0 when it is invalid, -1 when it is cut off. */
static int utf8_length(const unsigned char *p, size_t have)
{
	unsigned c = p[0];
	int n = c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
	if (!n)
		return 0;
	for (int i = 1; i < n; i++) {
		if ((size_t)i >= have)
			return -1;
		if (!continues(p[i]))
			return 0;
	}
	/* overlong forms, surrogates, and beyond U+10FFFF */
	if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

struct sink {
	char *out;
	size_t cap, len;
};

static void put(struct sink *s, const char *p, size_t n)
{
	if (s->out && s->len < s->cap)
		memcpy(s->out + s->len, p, n < s->cap - s->len ? n : s->cap - s->len);
	s->len += n;
}

static void put_code_point(struct sink *s, uint32_t c)
{
	char b[4];
	size_t n;
	if (c < 0x80) {
		b[0] = (char)c;
		n = 1;
	} else if (c < 0x800) {
		b[0] = (char)(0xc0 | c >> 6);
		b[1] = (char)(0x80 | (c & 0x3f));
		n = 2;
	} else if (c < 0x10000) {
		b[0] = (char)(0xe0 | c >> 12);
		b[1] = (char)(0x80 | (c >> 6 & 0x3f));
		b[2] = (char)(0x80 | (c & 0x3f));
		n = 3;
	} else {
		b[0] = (char)(0xf0 | c >> 18);
		b[1] = (char)(0x80 | (c >> 12 & 0x3f));
		b[2] = (char)(0x80 | (c >> 6 & 0x3f));
		b[3] = (char)(0x80 | (c & 0x3f));
		n = 4;
	}
	put(s, b, n);
}

static int hex_value(unsigned char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Four hex digits. Returns the place after them, or NULL. */
static const char *hex4(struct eve_walker *w, const char *p, const char *end, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < 4; i++, p++) {
		int d = p < end ? hex_value((unsigned char)*p) : -1;
		if (d < 0)
			return fail_at(w, p, end);
		*value = *value << 4 | (uint32_t)d;
	}
	return p;
}

/* An escape, from after its backslash. A surrogate without its partner means U+FFFD. */
static const char *escape(struct eve_walker *w, const char *p, const char *end, struct sink *s)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (p == end || *p == 0)
		return fail_at(w, p, end);
	const char *at = strchr(from, *p);
	if (at) {
		put(s, &to[at - from], 1);
		return p + 1;
	}
	if (*p != 'u')
		return fail_at(w, p, end);
	uint32_t c, low;
	p = hex4(w, p + 1, end, &c);
	if (!p)
		return NULL;
	if (c >= 0xd800 && c < 0xdc00 && end - p >= 2 && p[0] == '\\' && p[1] == 'u') {
		const char *after = hex4(w, p + 2, end, &low);
		if (!after)
			return NULL;
		if (low >= 0xdc00 && low <= 0xdfff) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			p = after;
		}
	}
	if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd;
	put_code_point(s, c);
	return p;
}

/* Skips eight bytes at a time while none is a quote, a backslash, a control character or beyond ASCII. */
static const char *skip_plain(const char *p, const char *end)
{
	const uint64_t ones = ~UINT64_C(0) / 255, high = ones << 7;
	for (; end - p >= 8; p += 8) {
		uint64_t x;
		memcpy(&x, p, 8);
		uint64_t q = x ^ ones * '"', b = x ^ ones * '\\';
		if (((x - ones * 0x20) | (q - ones) | (b - ones) | x) & high)
			break; /* may be a false alarm (a borrow); the bytes are looked at one by one then */
	}
	return p;
}

const char *wh_eve_string(struct eve_walker *w, const char *p, const char *end, char *out, size_t cap, size_t *len)
{
	struct sink s = {.out = out, .cap = cap};
	while (p < end) {
		const char *from = p;
		p = skip_plain(p, end);
		for (unsigned i = 0; p < end && i < 8; p++, i++) {
			unsigned char c = (unsigned char)*p;
			if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80)
				break;
		}
		put(&s, from, (size_t)(p - from));
		if (p == end)
			break;
		unsigned char c = (unsigned char)*p;
		if (c == '"') {
			if (len)
				*len = s.len;
			return p;
		}
		if (c == '\\') {
			p = escape(w, p + 1, end, &s);
			if (!p)
				return NULL;
		} else if (c >= 0x80) {
			int n = utf8_length((const unsigned char *)p, (size_t)(end - p));
			if (n <= 0)
				return fail(w, n ? wh_eve_cut_short : wh_eve_not_utf8);
			put(&s, p, (size_t)n);
			p += n;
		} else if (c < 0x20) {
			return fail_at(w, p, end);
		}
	}
	return fail(w, wh_eve_cut_short);
}

static bool is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

const char *wh_eve_number(struct eve_walker *w, const char *p, const char *end, bool *integer, int64_t *value)
{
	bool negative = p < end && *p == '-', overflow = false;
	uint64_t v = 0;
	*integer = true;
	if (negative)
		p++;
	if (!is_digit(p, end))
		return fail_at(w, p, end);
	if (*p == '0' && is_digit(p + 1, end))
		return fail(w, wh_eve_not_json);
	for (; is_digit(p, end); p++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			overflow = true;
	if (p < end && *p == '.') {
		*integer = false;
		if (!is_digit(++p, end))
			return fail_at(w, p, end);
		while (is_digit(p, end))
			p++;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		*integer = false;
		p++;
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		if (!is_digit(p, end))
			return fail_at(w, p, end);
		while (is_digit(p, end))
			p++;
	}
	*value = !*integer ? 0 : overflow || v > (uint64_t)INT64_MAX ? EVE_TOO_LARGE : negative ? -(int64_t)v : (int64_t)v;
	return p;
}

const char *wh_eve_word(struct eve_walker *w, const char *p, const char *end, enum eve_word *word)
{
	static const char words[][6] = {"null", "false", "true"};
	*word = p < end && *p == 't' ? EVE_TRUE : p < end && *p == 'f' ? EVE_FALSE : EVE_NULL;
	for (const char *t = words[*word]; *t; t++, p++)
		if (p == end || *p != *t)
			return fail_at(w, p, end);
	return p;
}
