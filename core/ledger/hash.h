/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fast hash of short keys by 128-bit multiplication (after wyhash's mixing step). The seed is drawn once a table, so that nobody
 * can choose addresses that collide. */
#pragma once
#include <stdint.h>
#include <string.h>

static inline uint64_t wh_mix(uint64_t a, uint64_t b)
{
	__uint128_t r = (__uint128_t)a * b;
	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static inline uint64_t wh_hash(const void *key, size_t len, uint64_t seed)
{
	const unsigned char *p = key;
	uint64_t h = seed ^ 0xa0761d6478bd642fu, a, b;
	for (; len >= 16; len -= 16, p += 16) {
		memcpy(&a, p, 8);
		memcpy(&b, p + 8, 8);
		h = wh_mix(a ^ 0xe7037ed1a0b428dbu, b ^ h);
	}
	a = b = 0;
	if (len >= 8) {
		memcpy(&a, p, 8);
		memcpy(&b, p + len - 8, 8);
	} else if (len) {
		memcpy(&a, p, len);
	}
	return wh_mix(a ^ 0x8ebc6af09c88c6e3u, wh_mix(b ^ 0x589965cc75374cc3u, h ^ len));
}
