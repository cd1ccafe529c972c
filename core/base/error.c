/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>
#include "whittle/base.h"

const char *wh_text_unprintable(const char *s)
{
	for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			return (const char *)p;
		if (*p == 0xe2 && ((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
			return (const char *)p; /* U+202A to U+202E, U+2066 to U+2069 */
	}
	return NULL;
}

__attribute__((format(printf, 4, 0)))
static int fill(struct wh_error *err, int code, bool input, const char *fmt, va_list ap)
{
	if (code >= 0)
		code = -EINVAL;
	if (err) {
		err->code = code;
		err->input = input;
		vsnprintf(err->text, sizeof err->text, fmt, ap);
		for (char *c; (c = (char *)(uintptr_t)wh_text_unprintable(err->text));) /* what is quoted may come from anywhere */
			memset(c, '?', *c == '\xe2' ? 3 : *c == '\xc2' ? 2 : 1);
	}
	return code;
}

int (wh_fail)(struct wh_error *err, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	code = fill(err, code, false, fmt, ap);
	va_end(ap);
	return code;
}

int (wh_fail_input)(struct wh_error *err, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	code = fill(err, code, true, fmt, ap);
	va_end(ap);
	return code;
}
