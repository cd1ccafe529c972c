/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "flow/fields.h"

bool field_seconds(const char *p, size_t len, int64_t *us)
{
	const char *dot = memchr(p, '.', len);
	size_t whole = dot ? (size_t)(dot - p) : len, more = dot ? len - whole - 1 : 0;
	uint64_t s, f = 0;
	if (whole > 13 || !field_number(p, whole, &s) || s > UINT64_C(9000000000000) || (dot && !field_number(dot + 1, more < 6 ? more : 6, &f)))
		return false;
	for (size_t i = more; i < 6; i++)
		f *= 10;
	for (size_t i = 6; i < more; i++)
		if (dot[1 + i] < '0' || dot[1 + i] > '9')
			return false;
	*us = (int64_t)(s * 1000000 + f);
	return true;
}

uint64_t field_hash(const char *p, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)p[i]) * UINT64_C(0x100000001b3);
	return h;
}
