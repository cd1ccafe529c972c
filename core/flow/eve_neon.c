/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walker with two 16-byte vectors of arm64. */
#include "flow/eve.h"
#if defined(__aarch64__)
#include <arm_neon.h>

/* One bit a byte: each lane keeps the bit of its place, and pairs are added up. */
static inline uint32_t join(uint8x16_t a, uint8x16_t b)
{
	static const uint8_t place[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
	uint8x16_t bit = vld1q_u8(place);
	uint8x16_t sum = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
	sum = vpaddq_u8(sum, sum);
	sum = vpaddq_u8(sum, sum);
	return vgetq_lane_u32(vreinterpretq_u32_u8(sum), 0);
}

static inline uint8x16_t load16(const void *p)
{
	return vld1q_u8(p);
}

static inline uint32_t equal32(const void *a, const void *b)
{
	return join(vceqq_u8(load16(a), load16(b)), vceqq_u8(load16((const char *)a + 16), load16((const char *)b + 16)));
}

static inline uint32_t match32(const char *p, char c)
{
	uint8x16_t v = vdupq_n_u8((uint8_t)c);
	return join(vceqq_u8(load16(p), v), vceqq_u8(load16(p + 16), v));
}

static inline uint32_t digits32(const char *p)
{
	uint8x16_t zero = vdupq_n_u8('0'), ten = vdupq_n_u8(10);
	return join(vcltq_u8(vsubq_u8(load16(p), zero), ten), vcltq_u8(vsubq_u8(load16(p + 16), zero), ten));
}

/* As signed bytes, those beyond ASCII are negative: one comparison finds them and the control characters. */
static inline uint8x16_t stops16(uint8x16_t x)
{
	return vorrq_u8(vcltq_s8(vreinterpretq_s8_u8(x), vdupq_n_s8(0x20)), vceqq_u8(x, vdupq_n_u8('\\')));
}

static inline void string32(const char *p, uint32_t *quotes, uint32_t *stops)
{
	uint8x16_t a = load16(p), b = load16(p + 16), quote = vdupq_n_u8('"');
	*quotes = join(vceqq_u8(a, quote), vceqq_u8(b, quote));
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

const struct eve_impl wh_eve_neon = {"neon", walk};
#else
typedef int eve_neon_is_for_arm64;
#endif
