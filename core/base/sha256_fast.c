/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 by the processor's own instructions for it. */
#include "base/sha256_blocks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#define SHA __attribute__((target("sha,sse4.1,ssse3")))

bool wh_sha256_has_fast(void)
{
	unsigned a, b, c, d;
	return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 29 & 1;
}

/* Four rounds; the words of the state are (a, b, e, f) and (c, d, g, h), from the last to the first. */
SHA static inline void four_rounds(__m128i *abef, __m128i *cdgh, __m128i words, int at)
{
	__m128i k = _mm_add_epi32(words, _mm_loadu_si128((const __m128i *)(wh_sha256_constants + at)));
	*cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, k);
	*abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(k, 0x0e));
}

/* The four words after those of w[0..3], which follow each other. */
SHA static inline __m128i next_words(const __m128i w[4])
{
	__m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w[0], w[1]), _mm_alignr_epi8(w[3], w[2], 4));
	return _mm_sha256msg2_epu32(sum, w[3]);
}

SHA void wh_sha256_blocks_fast(uint32_t h[8], const uint8_t *p, size_t n)
{
	const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
	__m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)h), 0xb1);        /* c d a b */
	__m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(h + 4)), 0x1b); /* e f g h */
	__m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
	for (; n; n--, p += WH_SHA256_BLOCK) {
		const __m128i abef_before = abef, cdgh_before = cdgh;
		__m128i w[4];
		for (int i = 0; i < 4; i++) {
			w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p + i), big_endian);
			four_rounds(&abef, &cdgh, w[i], 4 * i);
		}
		for (int i = 4; i < 16; i++) {
			const __m128i more = next_words(w);
			w[0] = w[1], w[1] = w[2], w[2] = w[3], w[3] = more;
			four_rounds(&abef, &cdgh, more, 4 * i);
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	low = _mm_shuffle_epi32(abef, 0x1b);
	high = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)h, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((__m128i *)(h + 4), _mm_alignr_epi8(high, low, 8));
}
#else
bool wh_sha256_has_fast(void)
{
	return false;
}

void wh_sha256_blocks_fast(uint32_t h[8], const uint8_t *p, size_t n)
{
	wh_sha256_blocks(h, p, n);
}
#endif
