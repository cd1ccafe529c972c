/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <string.h>
#include "base/text.h"

const char *wh_text_unprintable(const char *s)
{
	uint32_t point;
	for (size_t n = strlen(s), len; n; s += len, n -= len)
		if (!(len = wh_utf8_next(s, n, &point)) || wh_point_unprintable(point))
			return s;
	return NULL;
}

void wh_text_make_printable(char *s)
{
	char *to = s;
	uint32_t point;
	for (size_t n = strlen(s), len; n; s += len, n -= len) {
		len = wh_utf8_next(s, n, &point);
		if (!len || wh_point_unprintable(point)) {
			*to++ = '?';
			len += !len;
			continue;
		}
		memmove(to, s, len);
		to += len;
	}
	*to = 0;
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
		wh_text_make_printable(err->text); /* quoted text may come from anywhere */
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
