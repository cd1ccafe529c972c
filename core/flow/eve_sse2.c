/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walker with two 16-byte vectors, for every x86-64. */
#include "flow/eve.h"
#if defined(__x86_64__)
#include <emmintrin.h>

static inline uint32_t join(__m128i a, __m128i b)
{
	return (uint32_t)_mm_movemask_epi8(a) | (uint32_t)_mm_movemask_epi8(b) << 16;
}

static inline __m128i load16(const void *p)
{
	return _mm_loadu_si128(p);
}

static inline uint32_t equal32(const void *a, const void *b)
{
	return join(_mm_cmpeq_epi8(load16(a), load16(b)),
	            _mm_cmpeq_epi8(load16((const char *)a + 16), load16((const char *)b + 16)));
}

static inline uint32_t match32(const char *p, char c)
{
	__m128i v = _mm_set1_epi8(c);
	return join(_mm_cmpeq_epi8(load16(p), v), _mm_cmpeq_epi8(load16(p + 16), v));
}

static inline __m128i digits16(const char *p)
{
	__m128i t = _mm_sub_epi8(load16(p), _mm_set1_epi8('0'));
	return _mm_cmpeq_epi8(_mm_min_epu8(t, _mm_set1_epi8(9)), t);
}

static inline uint32_t digits32(const char *p)
{
	return join(digits16(p), digits16(p + 16));
}

/* As signed bytes, those beyond ASCII are negative: one comparison finds them and the control characters. */
static inline __m128i stops16(__m128i x)
{
	return _mm_or_si128(_mm_cmpgt_epi8(_mm_set1_epi8(0x20), x), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
}

static inline void string32(const char *p, uint32_t *quotes, uint32_t *stops)
{
	__m128i a = load16(p), b = load16(p + 16), quote = _mm_set1_epi8('"');
	*quotes = join(_mm_cmpeq_epi8(a, quote), _mm_cmpeq_epi8(b, quote));
	*stops = join(stops16(a), stops16(b));
}

static inline void overlay32(uint64_t mask[4], uint64_t data[4], const uint64_t over_mask[4], const uint64_t over_data[4])
{
	for (unsigned i = 0; i < 4; i++) {
		mask[i] |= over_mask[i];
		data[i] = (data[i] & ~over_mask[i]) | over_data[i];
	}
}

#include "flow/eve_walk.h"

const struct eve_impl wh_eve_sse2 = {"sse2", walk};
#else
typedef int eve_sse2_is_for_x86_64;
#endif
