/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The octets of a dotted quad, all at once, by the shuffles of SSSE3. Whoever includes this compiles it for such a processor, and
 * uses it on one alone. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <tmmintrin.h>

/* How to move the bytes of a dotted quad with octets of a, b, c and d digits to hundreds, tens, units and nothing, four times;
 * and the lowest value of an octet with so many digits. */
struct quad_shape {
	uint8_t from[16];
	int32_t least[4];
};
#define OCTET(end, len) (len) == 3 ? (end) - 3 : 0x80, (len) >= 2 ? (end) - 2 : 0x80, (end) - 1, 0x80
#define LEAST(len) (len) == 3 ? 100 : (len) == 2 ? 10 : 0
#define QUAD(a, b, c, d) {{OCTET(a, a), OCTET(a + b + 1, b), OCTET(a + b + c + 2, c), OCTET(a + b + c + d + 3, d)}, \
	                  {LEAST(a), LEAST(b), LEAST(c), LEAST(d)}}
#define QUADS_D(a, b, c) QUAD(a, b, c, 1), QUAD(a, b, c, 2), QUAD(a, b, c, 3)
#define QUADS_C(a, b) QUADS_D(a, b, 1), QUADS_D(a, b, 2), QUADS_D(a, b, 3)
#define QUADS_B(a) QUADS_C(a, 1), QUADS_C(a, 2), QUADS_C(a, 3)
static const struct quad_shape quad_shapes[81] = {QUADS_B(1), QUADS_B(2), QUADS_B(3)};

/* From text, which begins with the quad, and the places where its octets end. The octets are in the order of memory. Returns
 * false when one is over 255 or has a leading zero (inet_pton's rule). */
static inline bool quad_by_shuffles(__m128i text, const unsigned ends[4], uint32_t *octets)
{
	unsigned a = ends[0] - 1, b = ends[1] - ends[0] - 2, c = ends[2] - ends[1] - 2, d = ends[3] - ends[2] - 2;
	const struct quad_shape *shape = &quad_shapes[a * 27 + b * 9 + c * 3 + d];
	__m128i x = _mm_sub_epi8(text, _mm_set1_epi8('0'));
	x = _mm_shuffle_epi8(x, _mm_loadu_si128((const void *)shape->from));
	x = _mm_madd_epi16(_mm_maddubs_epi16(x, _mm_set1_epi32(100 | 10 << 8 | 1 << 16)), _mm_set1_epi16(1));
	__m128i wrong = _mm_or_si128(_mm_cmpgt_epi32(x, _mm_set1_epi32(255)),
	                             _mm_cmpgt_epi32(_mm_loadu_si128((const void *)shape->least), x));
	x = _mm_shuffle_epi8(x, _mm_cvtsi32_si128(0 | 4 << 8 | 8 << 16 | 12 << 24));
	*octets = (uint32_t)_mm_cvtsi128_si32(x);
	return !_mm_movemask_epi8(wrong);
}
