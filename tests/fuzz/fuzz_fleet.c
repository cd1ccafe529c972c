/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of a cluster: rows, and counts of prefixes; and URLs. */
#include <stdlib.h>
#include <string.h>
#include "ledger/clickhouse/fleet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_taking rows = {.p = data, .n = size}, counts = rows;
	struct fleet_row r;
	const uint8_t *prefix;
	size_t len;
	uint64_t n;
	struct fleet_url u;
	struct wh_error err;
	volatile uint8_t sum = 0;
	while (fleet_take_row(&rows, &r) > 0) {
		for (size_t i = 0; i < r.key_len; i++)
			sum = (uint8_t)(sum + r.key[i]);
		for (size_t i = 0; i < r.len; i++)
			sum = (uint8_t)(sum + r.value[i]);
		if (r.key_len > FLEET_KEY_MAX || r.len > FLEET_VALUE_MAX)
			abort();
	}
	while (fleet_take_count(&counts, &prefix, &len, &n) > 0)
		for (size_t i = 0; i < len; i++)
			sum = (uint8_t)(sum + prefix[i]);
	char *text = strndup((const char *)data, size);
	if (text && !fleet_url_parse(text, &u, &err) && (!u.n || !*u.database || strpbrk(u.cluster, "'\\ ")))
		abort();
	free(text);
	return 0;
}
