/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first byte of the input chooses the flags, the rest is a text. What the quick reader makes of it is what jansson makes of
 * it, and it reads nothing that jansson refuses.
 */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size || size > 16384)
		return 0;
	const size_t flags = (data[0] & 1 ? JSON_REJECT_DUPLICATES : 0) | (data[0] & 2 ? JSON_DECODE_ANY : 0), len = size - 1;
	char *text = malloc(len ? len : 1); /* exactly as long as it is, for the sanitizer */
	memcpy(text, data + 1, len);
	json_t *quick = wh_json_plain(text, len, flags);
	if (quick) {
		json_t *full = json_loadb(text, len, flags, NULL);
		if (!full || !json_equal(quick, full))
			abort();
		/* members stand in the same order, too */
		char *a = json_dumps(quick, JSON_COMPACT), *b = json_dumps(full, JSON_COMPACT);
		if (!a || !b || strcmp(a, b) != 0)
			abort();
		free(a);
		free(b);
		json_decref(full);
		json_decref(quick);
	}
	free(text);
	return 0;
}
