/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fields: a line's fields, and the numbers and addresses in them, each checked. */
#pragma once
#include <endian.h>
#include <string.h>
#include "whittle/base.h"

struct field { const char *p; size_t len; };

/* Splits a text at each `by`. Returns how many fields it has; more than max: max + 1. */
size_t field_split(const char *p, size_t len, char by, struct field *out, size_t max);
/* The places of the columns `names` (NULL-terminated) among a header's fields; -1 for those that it lacks. */
void field_columns(const struct field *f, size_t n, const char *const *names, int16_t *out);
static inline bool field_is(struct field f, const char *text)
{
	return strlen(text) == f.len && !memcmp(f.p, text, f.len);
}

/* ---- values: each function returns whether the whole field is one ---- */

/* The n bytes at p, 1 to 8, with the last one in the highest byte and '0' taken off each; those that are missing are 0. Reads no
 * other byte, and has no loop: how long fields are follows no pattern that a processor could foresee. */
static inline uint64_t field_digits(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	const uint64_t zeros = UINT64_C(0x3030303030303030);
	uint64_t x;
	if (n >= 4) {
		uint32_t first, last;
		memcpy(&first, p, 4);
		memcpy(&last, p + n - 4, 4);
		x = (uint64_t)le32toh(last) << 32 | (uint64_t)le32toh(first) << (64 - 8 * n);
	} else {
		x = (uint64_t)u[n - 1] << 56 | (uint64_t)u[n >> 1] << (64 - 8 * (n - (n >> 1))) | (uint64_t)u[0] << (64 - 8 * n);
	}
	return x ^ zeros >> (64 - 8 * n) << (64 - 8 * n);
}

/* Whether none of eight bytes is over 9. */
static inline bool field_all_digits(uint64_t x)
{
	return !((x | (x + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080));
}

/* Eight digits, the last in the highest byte: pairs, then fours, then all. */
static inline uint64_t field_eight(uint64_t x)
{
	x = x * 10 + (x >> 8);
	return ((x & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
	        (x >> 16 & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001)) >> 32;
}

/* A number of 1 to 19 digits. */
static inline bool field_number(struct field f, uint64_t *out)
{
	uint64_t n = 0;
	if (!f.len || f.len > 19)
		return false;
	for (; f.len > 8; f.p += 8, f.len -= 8) {
		uint64_t x = field_digits(f.p, 8);
		if (!field_all_digits(x))
			return false;
		n = n * 100000000 + field_eight(x);
	}
	static const uint32_t power[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
	uint64_t x = field_digits(f.p, f.len);
	*out = n * power[f.len] + field_eight(x);
	return field_all_digits(x);
}

static inline bool field_port(struct field f, uint16_t *out)
{
	uint64_t n;
	if (f.len > 5 || !field_number(f, &n) || n > 65535)
		return false;
	*out = (uint16_t)n;
	return true;
}

bool field_addr(struct field f, struct wh_addr *out);
/* For tests: the same without shuffles of vectors, which not all processors have. */
bool field_addr_plain(struct field f, struct wh_addr *out);

/* Seconds since 1970 with or without a fraction ("1793692801.200000"), to microseconds. */
bool field_seconds(struct field f, int64_t *us);

/* A hash of the text that is the same in each run. Texts with equal hashes are easy to find. */
uint64_t field_hash(struct field f);
