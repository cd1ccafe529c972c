/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walker with 32-byte vectors (x86-64 with AVX2; used only where the processor has it). */
#include "flow/eve.h"
#if defined(__x86_64__)
#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,lzcnt,popcnt")
#endif

static inline uint32_t equal32(const void *a, const void *b)
{
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256(a), _mm256_loadu_si256(b)));
}

static inline uint32_t match32(const char *p, char c)
{
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_loadu_si256((const void *)p), _mm256_set1_epi8(c)));
}

static inline uint32_t digits32(const char *p)
{
	__m256i t = _mm256_sub_epi8(_mm256_loadu_si256((const void *)p), _mm256_set1_epi8('0'));
	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(t, _mm256_set1_epi8(9)), t));
}

static inline void string32(const char *p, uint32_t *quotes, uint32_t *stops)
{
	__m256i x = _mm256_loadu_si256((const void *)p);
	/* as signed bytes, those beyond ASCII are negative: one comparison finds them and the control characters */
	__m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), x), backslash = _mm256_cmpeq_epi8(x, _mm256_set1_epi8('\\'));
	*quotes = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_set1_epi8('"')));
	*stops = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(low, backslash));
}

static inline void overlay32(uint64_t mask[4], uint64_t data[4], const uint64_t over_mask[4], const uint64_t over_data[4])
{
	__m256i m = _mm256_loadu_si256((const void *)over_mask), d = _mm256_loadu_si256((const void *)data);
	_mm256_storeu_si256((void *)mask, _mm256_or_si256(_mm256_loadu_si256((const void *)mask), m));
	_mm256_storeu_si256((void *)data,
	                    _mm256_or_si256(_mm256_andnot_si256(m, d), _mm256_loadu_si256((const void *)over_data)));
}

#include "flow/quad.h"

#define SHUFFLES
static inline bool quad_octets(const char *p, const unsigned ends[4], uint32_t *octets)
{
	return quad_by_shuffles(_mm_loadu_si128((const void *)p), ends, octets);
}

static inline bool time_of_day(const char *p, int64_t *us)
{
	const __m128i pairs = _mm_setr_epi8(0, 1, 3, 4, 6, 7, -1, -1, 9, 10, 11, 12, 13, 14, -1, -1);
	__m128i x = _mm_sub_epi8(_mm_loadu_si128((const void *)p), _mm_set1_epi8('0'));
	x = _mm_maddubs_epi16(_mm_shuffle_epi8(x, pairs), _mm_set1_epi16(10 | 1 << 8)); /* hh mm ss 0 ff ff ff 0 */
	__m128i wrong = _mm_cmpgt_epi16(x, _mm_setr_epi16(23, 59, 60, 0, 99, 99, 99, 0));
	x = _mm_madd_epi16(x, _mm_setr_epi16(3600, 60, 1, 0, 10000, 100, 1, 0));
	x = _mm_add_epi32(x, _mm_srli_epi64(x, 32)); /* seconds in the first quarter, microseconds in the third */
	*us = (int64_t)_mm_extract_epi32(x, 0) * 1000000 + _mm_extract_epi32(x, 2);
	return !_mm_movemask_epi8(wrong);
}

#include "flow/eve_walk.h"

const struct eve_impl wh_eve_avx2 = {"avx2", walk};

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int eve_avx2_is_for_x86_64;
#endif
