/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoding a text of any bytes gives an error or a text: UTF-16 becomes UTF-8, and text that was made printable is printable. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

static void need(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_error err = {0};
	size_t len = size;
	char *text = malloc(size + 1);
	bool utf16 = size >= 2 && ((data[0] == 0xff && data[1] == 0xfe) || (data[0] == 0xfe && data[1] == 0xff));
	memcpy(text, data, size);
	text[size] = 0;
	if (wh_text_decode("f", &text, &len, &err)) {
		need(err.text[0] != 0 && !wh_text_unprintable(err.text));
	} else {
		need(text[len] == 0);
		uint32_t point;
		for (size_t at = 0, n; utf16 && at < len; at += n)
			need((n = wh_utf8_next(text + at, len - at, &point)) != 0);
		wh_text_make_printable(text);
		need(!wh_text_unprintable(text));
	}
	free(text);
	return 0;
}
