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
