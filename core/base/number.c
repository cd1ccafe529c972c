/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include "whittle/base.h"

const char *wh_number_text(uint64_t n, char buf[static WH_NUMBER_STRLEN])
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), at = 0;
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = 0;
	return buf;
}

const char *wh_count_text(double n, char buf[static WH_NUMBER_STRLEN])
{
	if (n >= 0 && n < 1e15 && n == floor(n))
		return wh_number_text((uint64_t)n, buf);
	snprintf(buf, WH_NUMBER_STRLEN, n >= 1e15 ? "2^%.3g" : "%.3g", n >= 1e15 ? log2(n) : n);
	return buf;
}
