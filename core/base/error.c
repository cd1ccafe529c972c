/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include "whittle/base.h"

__attribute__((format(printf, 4, 0)))
static int fill(struct wh_error *err, int code, bool input, const char *fmt, va_list ap)
{
	if (code >= 0)
		code = -EINVAL;
	if (err) {
		err->code = code;
		err->input = input;
		vsnprintf(err->text, sizeof err->text, fmt, ap);
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
