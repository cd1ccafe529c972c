/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walker with plain 64-bit arithmetic, for every other machine. */
#include "flow/eve.h"

#define ONES (~UINT64_C(0) / 255)

static inline uint64_t word_at(const void *p, unsigned i)
{
	uint64_t x;
	memcpy(&x, (const char *)p + 8 * i, 8);
	return le64toh(x);
}

/* The high bit of each byte that is zero; exact, as no carry leaves a byte. */
static inline uint64_t zero_bytes(uint64_t x)
{
	return ~(((x & ONES * 0x7f) + ONES * 0x7f) | x) & ONES * 0x80;
}

/* The high bit of each byte that is less than n (n ≤ 128). */
static inline uint64_t less_bytes(uint64_t x, unsigned n)
{
	return ~((x & ONES * 0x7f) + ONES * (128 - n)) & ~x & ONES * 0x80;
}

/* Eight high bits to the low byte. */
static inline uint32_t gather(uint64_t high)
{
	return (uint32_t)((high >> 7) * UINT64_C(0x0102040810204080) >> 56);
}

static inline uint32_t equal32(const void *a, const void *b)
{
	uint32_t m = 0;
	for (unsigned i = 0; i < 4; i++)
		m |= gather(zero_bytes(word_at(a, i) ^ word_at(b, i))) << (8 * i);
	return m;
}

static inline uint32_t match32(const char *p, char c)
{
	uint32_t m = 0;
	for (unsigned i = 0; i < 4; i++)
		m |= gather(zero_bytes(word_at(p, i) ^ ONES * (uint8_t)c)) << (8 * i);
	return m;
}

static inline uint32_t digits32(const char *p)
{
	uint32_t m = 0;
	for (unsigned i = 0; i < 4; i++)
		m |= gather(less_bytes(word_at(p, i), '9' + 1) & ~less_bytes(word_at(p, i), '0')) << (8 * i);
	return m;
}

static inline void string32(const char *p, uint32_t *quotes, uint32_t *stops)
{
	uint32_t s = 0;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t x = word_at(p, i);
		s |= gather(less_bytes(x, 0x20) | (x & ONES * 0x80) | zero_bytes(x ^ ONES * '\\')) << (8 * i);
	}
	*stops = s;
	*quotes = match32(p, '"');
}

static inline void overlay32(uint64_t mask[4], uint64_t data[4], const uint64_t over_mask[4], const uint64_t over_data[4])
{
	for (unsigned i = 0; i < 4; i++) {
		mask[i] |= over_mask[i];
		data[i] = (data[i] & ~over_mask[i]) | over_data[i];
	}
}

#include "flow/eve_walk.h"

const struct eve_impl wh_eve_portable = {"portable", walk};
