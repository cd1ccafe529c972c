/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of a cluster: frames, blocks of rows, rows, and counts of prefixes; and URLs. */
#include <stdlib.h>
#include <string.h>
#include "ledger/clickhouse/fleet.h"

static volatile uint8_t sum;

static void add(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (uint8_t)(sum + p[i]);
}

static void read_blocks(const uint8_t *data, size_t size)
{
	struct wh_taking t = {.p = data, .n = size};
	struct fleet_block b;
	struct fleet_cursor c;
	struct fleet_row r;
	while (fleet_take_block(&t, &b) > 0)
		for (fleet_cursor_set(&c, &b); fleet_cursor_next(&c, &r);) {
			add(r.key, r.key_len);
			add(r.value, r.len);
			if (r.key_len > FLEET_KEY_MAX || r.len > FLEET_VALUE_MAX)
				abort();
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_taking rows = {.p = data, .n = size}, counts = rows;
	struct fleet_row r;
	struct fleet_group g;
	struct fleet_url u;
	struct wh_error err;
	struct fleet_answer a = {.n = 0};
	read_blocks(data, size);
	if (!fleet_unpack(data, size, &a))
		read_blocks(a.bytes, a.n);
	fleet_answer_free(&a);
	while (fleet_take_row(&rows, &r) > 0) {
		add(r.key, r.key_len);
		add(r.value, r.len);
		if (r.key_len > FLEET_KEY_MAX || r.len > FLEET_VALUE_MAX)
			abort();
	}
	while (fleet_take_group(&counts, &g) > 0)
		add(g.prefix, g.len);
	char *text = strndup((const char *)data, size);
	if (text && !fleet_url_parse(text, &u, &err) && (!u.n || !*u.database || strpbrk(u.cluster, "'\\ ")))
		abort();
	free(text);
	return 0;
}
