/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "flow/fields.h"

size_t field_split(const char *p, size_t len, char by, struct field *out, size_t max)
{
	const char *end = p + len;
	size_t n = 0;
	for (;;) {
		const char *q = p;
		while (q < end && *q != by)
			q++;
		if (n == max)
			return max + 1;
		out[n++] = (struct field){p, (size_t)(q - p)};
		if (q == end)
			return n;
		p = q + 1;
	}
}

bool field_is(struct field f, const char *text)
{
	return strlen(text) == f.len && !memcmp(f.p, text, f.len);
}

void field_columns(const struct field *f, size_t n, const char *const *names, int16_t *out)
{
	for (size_t c = 0; names[c]; c++) {
		out[c] = -1;
		for (size_t i = 0; i < n && out[c] < 0; i++)
			if (field_is(f[i], names[c]))
				out[c] = (int16_t)i;
	}
}

bool field_seconds(struct field f, int64_t *us)
{
	const char *dot = memchr(f.p, '.', f.len);
	size_t whole = dot ? (size_t)(dot - f.p) : f.len, more = dot ? f.len - whole - 1 : 0;
	uint64_t s, part = 0;
	if (whole > 13 || !field_number((struct field){f.p, whole}, &s) || s > UINT64_C(9000000000000) ||
	    (dot && !field_number((struct field){dot + 1, more < 6 ? more : 6}, &part)))
		return false;
	for (size_t i = more; i < 6; i++)
		part *= 10;
	for (size_t i = 6; i < more; i++)
		if (dot[1 + i] < '0' || dot[1 + i] > '9')
			return false;
	*us = (int64_t)(s * 1000000 + part);
	return true;
}

uint64_t field_hash(struct field f)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < f.len; i++)
		h = (h ^ (unsigned char)f.p[i]) * UINT64_C(0x100000001b3);
	return h;
}
