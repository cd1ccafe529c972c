/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger's rows come from a file that any user may have written. For any bytes an edge, a key and a sketch are refused, or
 * are written again as they were read. The values that were read can be merged, in either order with the same result.
 */
#include <stdlib.h>
#include <string.h>
#include "ledger/edge.h"
#include "ledger/facts.h"

static void expect(bool truth)
{
	if (!truth)
		abort();
}

static void edge(const uint8_t *data, size_t size)
{
	uint8_t a[WH_EDGE_VALUE_MAX], b[WH_EDGE_VALUE_MAX];
	struct wh_edge e,
		other = {.first_us = -5, .last_us = 7, .day0 = 20000, .days = 5, .hours = 3, .flows = 9, .alerts = {0, 1}},
		x = {0}, y = {0};
	if (wh_edge_decode(data, size, &e))
		return;
	size_t n = wh_edge_encode(&e, a);
	expect(n == size && !memcmp(a, data, n));
	wh_edge_merge(&x, &e), wh_edge_merge(&x, &other);
	wh_edge_merge(&y, &other), wh_edge_merge(&y, &e);
	n = wh_edge_encode(&x, a);
	if (e.flows || e.days) /* an edge of nothing has no times to take */
		expect(n == wh_edge_encode(&y, b) && !memcmp(a, b, n));
	expect(!wh_edge_decode(a, n, &e) && wh_edge_days(&e) <= 64);
}

static void key(const uint8_t *data, size_t size)
{
	uint8_t out[WH_EDGE_KEY_BYTES];
	struct wh_edge_key k;
	if (wh_edge_key_decode(data, size, &k))
		return;
	wh_edge_key_encode(&k, out);
	expect(size == sizeof out && !memcmp(out, data, size));
}

static void sketch(const uint8_t *data, size_t size)
{
	uint8_t out[WH_SKETCH_BYTES], again[WH_SKETCH_BYTES];
	struct wh_sketch s, same, sum = {0};
	if (wh_sketch_decode(data, size, &s))
		return;
	wh_sketch_encode(&s, out);
	if (size == sizeof out)
		expect(!memcmp(out, data, size));
	else /* of an earlier version: it means the same in the present one */
		expect(size == WH_SKETCH_BYTES_1 && !memcmp(out + 1, data + 1, size - 1));
	expect(!wh_sketch_decode(out, sizeof out, &same));
	wh_sketch_encode(&same, again);
	expect(!memcmp(again, out, sizeof out));
	expect(wh_sketch_distinct(&s) >= 0);
	wh_sketch_merge(&sum, &s);
	wh_sketch_merge(&sum, &s);
}

static void fact(const uint8_t *data, size_t size)
{
	uint8_t out[WH_FACT_KEY_MAX], row[WH_FACT_ROW_BYTES], again[WH_FACT_ROW_BYTES];
	struct wh_fact_key k;
	struct wh_fact_row r, other = {.first_us = 5, .last_us = 7, .count = 3, .failed = 1, .up = 9, .hll = {3}}, x, y;
	if (!wh_fact_key_decode(data, size, &k))
		expect(wh_fact_key_encode(&k, out) == size && !memcmp(out, data, size));
	if (wh_fact_row_decode(data, size, &r))
		return;
	wh_fact_row_encode(&r, row);
	expect(!memcmp(row, data, size));
	for (unsigned kind = 0; kind < WH_FACT_KINDS; kind++) {
		x = r, y = other;
		wh_fact_row_merge((enum wh_fact_kind)kind, &x, &other);
		wh_fact_row_merge((enum wh_fact_kind)kind, &y, &r);
		wh_fact_row_encode(&x, row);
		wh_fact_row_encode(&y, again);
		expect(!memcmp(row, again, sizeof row));
	}
	expect(wh_fact_distinct(&r) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0] % 4) {
	case 0: edge(data + 1, size - 1); break;
	case 1: key(data + 1, size - 1); break;
	case 3: fact(data + 1, size - 1); break;
	default: sketch(data + 1, size - 1);
	}
	return 0;
}
