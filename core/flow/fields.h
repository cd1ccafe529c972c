/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fields: numbers and addresses in text, each checked. Functions return whether the text is one, whole. */
#pragma once
#include "whittle/base.h"

/* A number of 1 to 19 digits. */
static inline bool field_number(const char *p, size_t len, uint64_t *out)
{
	uint64_t n = 0;
	if (!len || len > 19)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned d = (unsigned)(unsigned char)p[i] - '0';
		if (d > 9)
			return false;
		n = n * 10 + d;
	}
	*out = n;
	return true;
}

static inline bool field_port(const char *p, size_t len, uint16_t *out)
{
	uint64_t n;
	if (len > 5 || !field_number(p, len, &n) || n > 65535)
		return false;
	*out = (uint16_t)n;
	return true;
}

static inline bool field_addr(const char *p, size_t len, struct wh_addr *out)
{
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
bool field_seconds(const char *p, size_t len, int64_t *us);
/* The place of a text among others that no one else can choose freely; the same in each run. */
uint64_t field_hash(const char *p, size_t len);
