/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A block of edges comes from a file that any user may have written. A block of any bytes is refused, or its keys ascend, and
 * its edges are the same after writing and reading them again. */
#include <stdlib.h>
#include <string.h>
#include "ledger/edge_block.h"

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void again(const uint8_t *key, const struct wh_edge *e)
{
	static struct wh_block_writer w;
	uint8_t a[WH_EDGE_VALUE_MAX], b[WH_EDGE_VALUE_MAX];
	struct wh_block_reader r;
	struct wh_edge read;
	wh_block_clear(&w);
	expect(wh_block_add(&w, key, e));
	expect(!wh_block_open(&r, w.bytes, w.len) && r.left == 1 && !wh_block_next(&r, &read));
	expect(!memcmp(r.key, key, WH_EDGE_KEY_BYTES));
	size_t n = wh_edge_encode(e, a);
	expect(n == wh_edge_encode(&read, b) && !memcmp(a, b, n));
	expect(!wh_edge_decode(a, n, &read)); /* it would be a row, too */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_block_reader r;
	struct wh_edge e;
	uint8_t before[WH_EDGE_KEY_BYTES];
	const uint8_t *first = wh_block_first(data, size);
	if (wh_block_open(&r, data, size))
		return 0;
	for (unsigned n = 0; r.left; n++) {
		if (wh_block_next(&r, &e))
			return 0;
		expect(n ? memcmp(before, r.key, sizeof before) < 0 : first && !memcmp(first, r.key, sizeof before));
		memcpy(before, r.key, sizeof before);
		again(r.key, &e);
	}
	return 0;
}
