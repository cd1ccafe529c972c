/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edges in the order of their encoded keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ledger/edge_table.h"

static uint64_t seed = 3;
static uint8_t any(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint8_t)(seed >> 40);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, WH_EDGE_KEY_BYTES);
}

/* Keys that differ in the bytes of which `differs` has a bit, and have few values there. */
static void keys_in_order(size_t n, uint64_t differs, unsigned values)
{
	struct edge_cell *cells = aligned_alloc(64, (n + 1) * sizeof *cells);
	uint8_t (*keys)[WH_EDGE_KEY_BYTES] = calloc(n + 1, sizeof *keys), got[WH_EDGE_KEY_BYTES];
	uint32_t *order;
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		for (int j = 0; j < WH_EDGE_KEY_BYTES; j++)
			if (differs >> j & 1)
				keys[i][j] = j == 16 ? any() & 1 : (uint8_t)(any() % values * 41);
	qsort(keys, n, sizeof *keys, by_bytes);
	for (size_t i = 0; i < n; i++)
		if (!i || memcmp(keys[i], keys[kept - 1], sizeof *keys) != 0)
			memcpy(keys[kept++], keys[i], sizeof *keys);
	memset(cells, 0, (n + 1) * sizeof *cells);
	size_t step = 7919; /* prime: every key has its turn */
	for (size_t i = 0, at = 0; i < kept; i++, at = (at + step) % kept)
		assert_int_equal(wh_edge_key_decode(keys[at], WH_EDGE_KEY_BYTES, &cells[i].key), 0);
	assert_int_equal(wh_edge_order(cells, kept, &order), 0);
	for (size_t i = 0; i < kept; i++) {
		wh_edge_key_encode(&cells[order[i]].key, got);
		assert_memory_equal(got, keys[i], sizeof got);
	}
	free(order);
	free(cells);
	free(keys);
}

static void edges_come_in_the_order_of_their_keys_whichever_bytes_differ(void **state)
{
	(void)state;
	keys_in_order(0, 0, 1);
	keys_in_order(1, 0, 1);
	keys_in_order(10, ~UINT64_C(0), 255);
	keys_in_order(3000, UINT64_C(0xf) << 32 | UINT64_C(3) << 18, 256);    /* a server's IPv4 peers */
	keys_in_order(3000, ~UINT64_C(0), 2);
	keys_in_order(3000, ~UINT64_C(0), 256);
	keys_in_order(5000, UINT64_C(0xfff), 2); /* the same eight bytes, again and again */
	keys_in_order(5000, UINT64_C(0xfff) << 24, 2);
	keys_in_order(500, UINT64_C(1) << 35, 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_come_in_the_order_of_their_keys_whichever_bytes_differ),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
