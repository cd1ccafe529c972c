/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leb: unsigned LEB128 numbers, in the shortest form alone, and signed ones as zigzag. */
#pragma once
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint8_t *wh_leb_put(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static inline int wh_leb_get_slowly(const uint8_t **p, const uint8_t *end, uint64_t max, uint64_t *v)
{
	uint64_t n = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (*p == end)
			return -EBADMSG;
		uint8_t b = *(*p)++;
		if (shift == 63 && b > 1)
			return -EBADMSG;
		n |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*v = n;
			return n > max || (!b && shift) ? -EBADMSG : 0; /* the shortest form is the only one */
		}
	}
	return -EBADMSG;
}

static inline __attribute__((always_inline)) int wh_leb_get(const uint8_t **p, const uint8_t *end, uint64_t max, uint64_t *v)
{
	uint64_t n;
	if (*p < end && **p < 0x80) { /* most are small, and it is the same ones each time */
		*v = *(*p)++;
		return *v > max ? -EBADMSG : 0;
	}
	if (end - *p >= 8) { /* up to eight bytes at once: the last is the first without its highest bit */
		memcpy(&n, *p, 8);
		n = le64toh(n);
		uint64_t ends = ~n & 0x8080808080808080u;
		if (ends) {
			unsigned last = (unsigned)__builtin_ctzll(ends) / 8;
			*p += last + 1;
			n &= (ends ^ (ends - 1)) & 0x7f7f7f7f7f7f7f7fu;
			/* groups of seven bits close up in pairs, */
			n = (n & 0x007f007f007f007fu) | (n & 0x7f007f007f007f00u) >> 1;
			n = (n & 0x00003fff00003fffu) | (n & 0x3fff00003fff0000u) >> 2; /* in fours */
			n = (n & 0x000000000fffffffu) | (n & 0x0fffffff00000000u) >> 4; /* and all */
			*v = n;
			return n > max || (last && !(n >> 7 * last)) ? -EBADMSG : 0;
		}
	}
	return wh_leb_get_slowly(p, end, max, v);
}

static inline uint64_t wh_zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t wh_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}
