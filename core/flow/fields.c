/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#if defined(__x86_64__)
#include <tmmintrin.h> /* of which only functions for such a processor use anything */
#endif
#include "flow/fields.h"

#if defined(__SSE2__)
/* The positions of c in the 16 bytes at p, from the lowest bit on. */
static inline uint32_t match16(const char *p, char c)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const void *)p), _mm_set1_epi8(c)));
}

/* The positions of c in the n bytes at p, up to 64. No byte behind `end` is read, and none before it - 16, which are there. */
static inline uint64_t match64(const char *p, const char *end, size_t n, char c)
{
	uint64_t mask = 0;
	for (size_t i = 0; i < n; i += 16)
		mask |= (uint64_t)(end - p - (ptrdiff_t)i >= 16 ? match16(p + i, c)
		                                                : match16(end - 16, c) >> (16 - (end - p - (ptrdiff_t)i)))
		        << i;
	return mask;
}

size_t field_split(const char *p, size_t len, char by, struct field *out, size_t max)
{
	const char *end = p + len, *from = p;
	size_t n = 0;
	char few[16] = {0};
	if (len < 16) {
		memcpy(few, p, len);
		uint32_t mask = match16(few, by) & ((UINT32_C(1) << len) - 1);
		for (; mask && n < max; mask &= mask - 1) {
			const char *q = p + __builtin_ctz(mask);
			out[n++] = (struct field){from, (size_t)(q - from)};
			from = q + 1;
		}
	}
	for (; len >= 16 && p < end; p += 64)
		for (uint64_t mask = match64(p, end, end - p < 64 ? (size_t)(end - p) : 64, by); mask; mask &= mask - 1) {
			const char *q = p + __builtin_ctzll(mask);
			if (n == max)
				return max + 1;
			out[n++] = (struct field){from, (size_t)(q - from)};
			from = q + 1;
		}
	if (n == max)
		return max + 1;
	out[n++] = (struct field){from, (size_t)(end - from)};
	return n;
}
#else
size_t field_split(const char *p, size_t len, char by, struct field *out, size_t max)
{
	const char *end = p + len;
	size_t n = 0;
	for (;;) {
		const char *q = p;
		while (q < end && *q != by)
			q++;
		if (n == max)
			return max + 1;
		out[n++] = (struct field){p, (size_t)(q - p)};
		if (q == end)
			return n;
		p = q + 1;
	}
}
#endif

/* ---- addresses ---- */

#if defined(__SSE2__)
/* The 7 to 15 bytes at p, zeros behind them. Reads no other byte. */
static inline unsigned __int128 load_quad(const char *p, size_t len)
{
	uint64_t low, high;
	uint32_t a, b;
	if (len == 7) {
		memcpy(&a, p, 4);
		memcpy(&b, p + 3, 4);
		return a | (uint64_t)b << 24;
	}
	memcpy(&low, p, 8);
	memcpy(&high, p + len - 8, 8);
	return (unsigned __int128)(len == 8 ? 0 : high >> (8 * (16 - len))) << 64 | low;
}

/* The octet of `len` digits from byte `from` on; above 255 when it is none (also one that begins with a zero, as inet_pton has
 * it). */
static inline uint32_t octet_of(unsigned __int128 text, unsigned from, unsigned len)
{
	static const uint16_t least[4] = {0, 0, 10, 100};
	uint32_t x = ((uint32_t)(text >> (8 * from)) ^ 0x30303030u) << (32 - 8 * len);
	uint32_t v = (x >> 24) + (x >> 16 & 0xff) * 10 + (x >> 8 & 0xff) * 100;
	return v < least[len] ? 256 : v;
}

/* The text of an IPv4 address, and where its octets end. False: it is anything else. */
static inline __attribute__((always_inline)) bool quad_ends(const char *p, size_t len, unsigned __int128 *text, unsigned ends[4])
{
	if (len < 7 || len > 15)
		return false;
	*text = load_quad(p, len);
	__m128i v = _mm_set_epi64x((long long)(uint64_t)(*text >> 64), (long long)(uint64_t)*text),
		d = _mm_sub_epi8(v, _mm_set1_epi8('0'));
	uint32_t all = (UINT32_C(1) << len) - 1, dots = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')));
	uint32_t digits = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(9)), d)) & all;
	uint32_t second = dots & (dots - 1), third = second & (second - 1);
	if ((dots | digits) != all || !third || (third & (third - 1)))
		return false;
	ends[0] = (unsigned)__builtin_ctz(dots);
	ends[1] = (unsigned)__builtin_ctz(second);
	ends[2] = (unsigned)__builtin_ctz(third);
	ends[3] = (unsigned)len;
	return !((ends[0] - 1 > 2) | (ends[1] - ends[0] - 2 > 2) | (ends[2] - ends[1] - 2 > 2) | (ends[3] - ends[2] - 2 > 2));
}

/* An address of IPv4 without a branch on how many digits its octets have. */
static bool quad_plain(const char *p, size_t len, struct wh_addr *out)
{
	unsigned __int128 text;
	unsigned e[4];
	if (!quad_ends(p, len, &text, e))
		return false;
	uint32_t w = octet_of(text, 0, e[0]), x = octet_of(text, e[0] + 1, e[1] - e[0] - 1),
		 y = octet_of(text, e[1] + 1, e[2] - e[1] - 1), z = octet_of(text, e[2] + 1, e[3] - e[2] - 1);
	if ((w | x | y | z) > 255)
		return false;
	*out = wh_addr_of_halves(0, UINT64_C(0xffff) << 32 | (w << 24 | x << 16 | y << 8 | z));
	return true;
}
#else
static bool quad_plain(const char *p, size_t len, struct wh_addr *out)
{
	(void)p, (void)len, (void)out;
	return false;
}
#endif

#if defined(__x86_64__)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("ssse3"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("ssse3")
#endif
#include "flow/quad.h"

static bool quad_shuffled(const char *p, size_t len, struct wh_addr *out)
{
	unsigned __int128 text;
	unsigned ends[4];
	uint32_t octets;
	if (!quad_ends(p, len, &text, ends) ||
	    !quad_by_shuffles(_mm_set_epi64x((long long)(uint64_t)(text >> 64), (long long)(uint64_t)text), ends, &octets))
		return false;
	*out = wh_addr_of_halves(0, UINT64_C(0xffff) << 32 | be32toh(octets));
	return true;
}

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

static bool dotted_quad(const char *p, size_t len, struct wh_addr *out)
{
	return __builtin_cpu_supports("ssse3") ? quad_shuffled(p, len, out) : quad_plain(p, len, out);
}
#else
static bool dotted_quad(const char *p, size_t len, struct wh_addr *out)
{
	return quad_plain(p, len, out);
}
#endif

bool field_addr(struct field f, struct wh_addr *out)
{
	return dotted_quad(f.p, f.len, out) || !wh_addr_parse(f.p, f.len, out);
}

bool field_addr_plain(struct field f, struct wh_addr *out)
{
	return quad_plain(f.p, f.len, out) || !wh_addr_parse(f.p, f.len, out);
}

void field_columns(const struct field *f, size_t n, const char *const *names, int16_t *out)
{
	for (size_t c = 0; names[c]; c++) {
		out[c] = -1;
		for (size_t i = 0; i < n && out[c] < 0; i++)
			if (field_is(f[i], names[c]))
				out[c] = (int16_t)i;
	}
}

/* The search for the dot starts at its usual place: six digits before the end. */
static const char *find_dot(struct field f)
{
	return f.len > 7 && f.p[f.len - 7] == '.' ? f.p + f.len - 7 : memchr(f.p, '.', f.len);
}

bool field_seconds(struct field f, int64_t *us)
{
	const char *dot = find_dot(f);
	size_t whole = dot ? (size_t)(dot - f.p) : f.len, more = dot ? f.len - whole - 1 : 0;
	uint64_t s, part = 0;
	if (whole > 13 || !field_number((struct field){f.p, whole}, &s) || s > UINT64_C(9000000000000) ||
	    (dot && !field_number((struct field){dot + 1, more < 6 ? more : 6}, &part)))
		return false;
	for (size_t i = more; i < 6; i++)
		part *= 10;
	for (size_t i = 6; i < more; i++)
		if (dot[1 + i] < '0' || dot[1 + i] > '9')
			return false;
	*us = (int64_t)(s * 1000000 + part);
	return true;
}

uint64_t field_hash(struct field f)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < f.len; i++)
		h = (h ^ (unsigned char)f.p[i]) * UINT64_C(0x100000001b3);
	return h;
}
