/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fields: a line's fields, and the numbers and addresses in them, each checked. */
#pragma once
#include "whittle/base.h"

struct field { const char *p; size_t len; };

/* Splits a text at each `by`. Returns how many fields it has; more than max: max + 1. */
size_t field_split(const char *p, size_t len, char by, struct field *out, size_t max);
/* The places of the columns `names` (NULL-terminated) among a header's fields; -1 for those that it lacks. */
void field_columns(const struct field *f, size_t n, const char *const *names, int16_t *out);
bool field_is(struct field f, const char *text);

/* ---- values: each function returns whether the whole field is one ---- */

/* A number of 1 to 19 digits. */
static inline bool field_number(struct field f, uint64_t *out)
{
	uint64_t n = 0;
	if (!f.len || f.len > 19)
		return false;
	for (size_t i = 0; i < f.len; i++) {
		unsigned d = (unsigned)(unsigned char)f.p[i] - '0';
		if (d > 9)
			return false;
		n = n * 10 + d;
	}
	*out = n;
	return true;
}

static inline bool field_port(struct field f, uint16_t *out)
{
	uint64_t n;
	if (f.len > 5 || !field_number(f, &n) || n > 65535)
		return false;
	*out = (uint16_t)n;
	return true;
}

static inline bool field_addr(struct field f, struct wh_addr *out)
{
	const char *p = f.p;
	size_t len = f.len;
	uint32_t v4 = 0, part = 0, dots = 0, digits = 0;
	for (size_t i = 0; i < len && len < 16; i++) {
		unsigned d = (unsigned)(unsigned char)p[i] - '0';
		if (d <= 9 && ++digits <= 3) {
			part = part * 10 + d;
		} else if (p[i] == '.' && digits && part < 256 && ++dots < 4) {
			v4 = v4 << 8 | part;
			part = digits = 0;
		} else {
			return !wh_addr_parse(p, len, out);
		}
	}
	if (dots == 3 && digits && part < 256) {
		*out = wh_addr_of_halves(0, UINT64_C(0xffff) << 32 | (v4 << 8 | part));
		return true;
	}
	return !wh_addr_parse(p, len, out);
}

/* Seconds since 1970 with or without a fraction ("1793692801.200000"), to microseconds. */
bool field_seconds(struct field f, int64_t *us);

/* A hash of the text that is the same in each run. Texts with equal hashes are easy to find. */
uint64_t field_hash(struct field f);
