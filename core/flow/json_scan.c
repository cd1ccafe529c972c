/* SPDX-License-Identifier: GPL-2.0-or-later */
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include "flow/fields.h"
#include "flow/json_scan.h"

enum { DEPTH = 64 };

/* ---- runs of strings, of which documents mostly are ---- */

#if defined(__SSE2__)
struct block { __m128i a, b, c, d; };

static inline uint64_t match16(__m128i v, __m128i c)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, c));
}

static inline uint64_t match64(const struct block *v, char what)
{
	__m128i c = _mm_set1_epi8(what);
	return match16(v->a, c) | match16(v->b, c) << 16 | match16(v->c, c) << 32 | match16(v->d, c) << 48;
}

/* Bit i: whether an odd number of the bits 0 to i are set. */
static inline uint64_t parity_below(uint64_t x)
{
	x ^= x << 1;
	x ^= x << 2;
	x ^= x << 4;
	x ^= x << 8;
	x ^= x << 16;
	return x ^ x << 32;
}

/* p is in no string. Passes strings without escapes, commas and colons, 64 bytes at a time. Returns a place that is in no string
 * either, at the first other byte, at an escaped string or shortly before the end; perhaps p. */
static const char *skip_strings(const char *p, const char *end)
{
	const char *outside = p;
	uint64_t within = 0; /* all bits: a string continues */
	for (; end - p >= 64; p += 64) {
		const __m128i *v = (const void *)p;
		struct block block = {_mm_loadu_si128(v), _mm_loadu_si128(v + 1), _mm_loadu_si128(v + 2), _mm_loadu_si128(v + 3)};
		/* without their closing quotes */
		uint64_t quotes = match64(&block, '"'), escapes = match64(&block, '\\'), strings = parity_below(quotes) ^ within;
		uint64_t others = ~(strings | quotes | match64(&block, ',') | match64(&block, ':')), closing = quotes & ~strings,
			 stop = escapes | others;
		if (stop) {
			uint64_t before = (stop & -stop) - 1;
			if (!(escapes & -stop & stop))
				return p + __builtin_ctzll(stop);
			return closing & before ? p + 64 - __builtin_clzll(closing & before) : outside;
		}
		if (closing)
			outside = p + 64 - __builtin_clzll(closing);
		within = -(strings >> 63);
	}
	return outside;
}
#else
static const char *skip_strings(const char *p, const char *end)
{
	(void)end;
	return p;
}
#endif

/* The open brackets: how many, and which are braces, the innermost in the lowest bit. */
struct brackets { uint64_t braces; unsigned n; };

static inline bool open_bracket(struct brackets *b, char c)
{
	b->braces = b->braces << 1 | (c == '{');
	return b->n++ < DEPTH;
}

static inline bool close_bracket(struct brackets *b, char c)
{
	if (!b->n || (b->braces & 1) != (c == '}'))
		return false;
	b->braces >>= 1;
	b->n--;
	return true;
}

static const char *stop(const char **wrong, const char *p)
{
	*wrong = p;
	return NULL;
}

const char *js_skip(const char *p, const char *end, const char **wrong)
{
	struct js_text ignored;
	const char *from;
	struct brackets open = {0};
	*wrong = NULL;
	for (;;) {
		if (p == end)
			return NULL;
		switch (*p) {
		case '"':
			from = p;
			if (open.n && (p = skip_strings(p, end)) != from)
				continue;
			if (!(p = js_string(p, end, &ignored)))
				return NULL;
			break;
		case '{':
		case '[':
			if (!open_bracket(&open, *p++))
				return stop(wrong, p - 1);
			continue;
		case '}':
		case ']':
			if (!close_bracket(&open, *p++))
				return stop(wrong, p - 1);
			break;
		case ',':
		case ':':
			if (!open.n)
				return stop(wrong, p);
			__attribute__((fallthrough));
		case ' ':
		case '\n':
		case '\r':
		case '\t':
			p++;
			continue;
		default: /* a number or a word */
			while (p < end && !strchr(",:]}[{\" \n\r\t", *p))
				p++;
			if (p == end && !open.n)
				return p;
			if (p < end && !*p)
				return stop(wrong, p);
		}
		if (!open.n)
			return p;
	}
}

static const char *next(const char *p, const char *end, char open, char close, bool *done)
{
	bool first = p < end && *p == open;
	*done = false;
	p = js_space(p + first, end);
	if (p < end && *p == close) {
		*done = true;
		return p + 1;
	}
	if (first)
		return p < end ? p : NULL;
	return p < end && *p == ',' && (p = js_space(p + 1, end)) < end ? p : NULL;
}

const char *js_member(const char *p, const char *end, struct js_text *key, bool *done)
{
	p = next(p, end, '{', '}', done);
	if (!p || *done)
		return p;
	p = *p == '"' ? js_string(p, end, key) : NULL;
	p = p ? js_space(p, end) : NULL;
	return p && p < end && *p == ':' && (p = js_space(p + 1, end)) < end ? p : NULL;
}

const char *js_element(const char *p, const char *end, bool *done)
{
	return next(p, end, '[', ']', done);
}

void js_members(struct js_value object, const char *const *names, struct js_value *out)
{
	const char *p = object.p;
	struct js_value v;
	struct js_text key;
	size_t n = 0;
	bool done;
	for (; names[n]; n++)
		out[n] = (struct js_value){0};
	if (!p || *p != '{')
		return;
	while ((p = js_member(p, object.end, &key, &done)) && !done && (p = js_value(p, object.end, &v)))
		for (size_t i = 0; i < n; i++)
			if (js_equals(key, names[i]))
				out[i] = v;
}

struct js_text js_member_text(struct js_value object, const char *name)
{
	const char *const names[] = {name, NULL};
	struct js_value v[1];
	js_members(object, names, v);
	return v[0].text;
}

uint64_t js_number(struct js_value v)
{
	uint64_t n;
	return v.p && field_number((struct field){v.p, (size_t)(v.end - v.p)}, &n) ? n : 0;
}

bool js_next(const char **p, const char *end, struct js_value *element)
{
	bool done;
	return *p && (*p = js_element(*p, end, &done)) && !done && (*p = js_value(*p, end, element));
}

const char *js_find(const char *p, const char *end, const char *name)
{
	const char *from = p;
	size_t n = strlen(name);
	for (; (p = memmem(p, (size_t)(end - p), name, n)); p++) {
		if (p == from || p[-1] != '"' || p + n == end || p[n] != '"')
			continue;
		const char *colon = js_space(p + n + 1, end);
		if (colon < end && *colon == ':')
			return js_space(colon + 1, end);
	}
	return NULL;
}

bool js_finds(const char *p, const char *end, const char *name, const char *value)
{
	size_t n = strlen(value);
	const char *at = js_find(p, end, name);
	return at && (size_t)(end - at) > n && *at == '"' && !memcmp(at + 1, value, n);
}

/* ---- cutting ---- */

/* The array of a document that begins at p, without its bracket; NULL when it begins otherwise, *more when its begin is not
 * whole. */
static const char *array_of(const char *p, const char *end, bool *more)
{
	struct js_text key;
	p = js_space(p + 1, end);
	*more = p == end;
	if (p == end || *p != '"')
		return NULL;
	*more = !(p = js_string(p, end, &key));
	if (*more || !(js_is(key, "records") || js_is(key, "events")))
		return NULL;
	p = js_space(p, end);
	*more = p == end;
	if (p == end || *p != ':')
		return NULL;
	p = js_space(p + 1, end);
	*more = p == end;
	return p < end && *p == '[' ? p + 1 : NULL;
}

/* A member of the document other than its array, or a stray string. */
static const char *other_member(const char *p, const char *end, const char **wrong)
{
	struct js_text ignored;
	*wrong = NULL;
	p = js_string(p, end, &ignored);
	p = p ? js_space(p, end) : NULL;
	if (!p || p == end)
		return NULL;
	if (*p != ':')
		return p;
	p = js_space(p + 1, end);
	return p < end && *p != '[' ? js_skip(p, end, wrong) : p < end ? p : NULL;
}

size_t js_cut(const char *buf, size_t len, struct wh_cut *out, size_t max)
{
	const char *p = buf, *end = buf + len, *wrong, *q;
	size_t n = 0;
	while (n < max) {
		while (p < end && (unsigned char)*p <= ',' && strchr(" \n\r\t,", *p) && *p)
			p++;
		if (p == end)
			break;
		if (*p == '[' || *p == ']' || *p == '}') {
			p++;
			continue;
		}
		wrong = NULL;
		if (*p == '{') {
			bool more;
			if ((q = array_of(p, end, &more))) {
				p = q;
				continue;
			}
			if (more)
				break;
			q = js_skip(p, end, &wrong);
		} else if (*p == '"') {
			if (!(q = other_member(p, end, &wrong)) && !wrong)
				break;
			if (q) {
				p = q;
				continue;
			}
		} else { /* up to the next possible record */
			for (q = p; q < end && *q != '{' && *q != '\n'; q++)
				;
			q = q < end ? q : NULL;
		}
		q = wrong ? wrong + (wrong == p) : q;
		if (!q)
			break;
		out[n++] = (struct wh_cut){(size_t)(p - buf), (size_t)(q - buf)};
		p = q;
	}
	return n;
}
