/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers as a ClickHouse server gives them: rows as Native, and compressed (see native.c and unpack.c). */
#pragma once
#include <stdlib.h>
#include "ledger/clickhouse/fleet.h"

static inline void native_text(struct wh_bytes *b, const char *text)
{
	wh_put_number(b, strlen(text), 1);
	wh_put(b, text, strlen(text));
}

static inline void native_length(struct wh_bytes *b, size_t n)
{
	if (n >= 0x80)
		wh_put_number(b, (n & 0x7f) | 0x80, 1);
	wh_put_number(b, n >= 0x80 ? n >> 7 : n, 1);
}

/* A block of up to 16,383 rows. */
static inline void native_block(struct wh_bytes *b, const struct fleet_row *r, size_t n)
{
	wh_put_number(b, 4, 1);
	native_length(b, n);
	native_text(b, "key");
	native_text(b, "String");
	for (size_t i = 0; i < n; i++) {
		native_length(b, r[i].key_len);
		wh_put(b, r[i].key, r[i].key_len);
	}
	native_text(b, "sensor");
	native_text(b, "UInt64");
	for (size_t i = 0; i < n; i++)
		wh_put_number(b, r[i].sensor, 8);
	native_text(b, "version");
	native_text(b, "UInt64");
	for (size_t i = 0; i < n; i++)
		wh_put_number(b, r[i].version, 8);
	native_text(b, "value");
	native_text(b, "String");
	for (size_t i = 0; i < n; i++) {
		native_length(b, r[i].len);
		wh_put(b, r[i].value, r[i].len);
	}
}

/* Rows of fleet_put_plain() as Native, in blocks of `most`. */
static inline struct wh_bytes native_of(const uint8_t *plain, size_t len, size_t most)
{
	struct wh_taking t = {.p = plain, .n = len};
	struct wh_bytes b = {0};
	struct fleet_row *rows = calloc(most, sizeof *rows);
	size_t n = 0;
	while (rows && fleet_take_row(&t, &rows[n]) > 0)
		if (++n == most) {
			native_block(&b, rows, n);
			n = 0;
		}
	if (n)
		native_block(&b, rows, n);
	free(rows);
	return b;
}

/* One frame, by LZ4's literals alone, or stored. */
static inline void native_frame(struct wh_bytes *b, const uint8_t *p, size_t n, bool lz4)
{
	struct wh_bytes data = {0};
	if (lz4) {
		size_t rest = n >= 15 ? n - 15 : 0;
		wh_put_number(&data, (n >= 15 ? 15 : n) << 4, 1);
		for (; n >= 15 && rest >= 255; rest -= 255)
			wh_put_number(&data, 255, 1);
		if (n >= 15)
			wh_put_number(&data, rest, 1);
	}
	wh_put(&data, p, n);
	static const uint8_t checksum[16];
	wh_put(b, checksum, sizeof checksum);
	wh_put_number(b, lz4 ? 0x82 : 0x02, 1);
	wh_put_number(b, data.n + 9, 4);
	wh_put_number(b, n, 4);
	wh_put(b, data.p, data.n);
	free(data.p);
}

/* ---- edges ---- */

static inline struct wh_edge_key key_of(unsigned i)
{
	return (struct wh_edge_key){.local = wh_addr_v4(0x0a000000u + i / 500), .peer = wh_addr_v4(0xcb000000u + i % 500 * 7),
	                            .direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = 22};
}

static inline struct wh_edge edge_of(unsigned i, uint64_t flows)
{
	struct wh_edge e = {.first_us = (20454 + i % 9) * WH_US_PER_DAY, .flows = flows, .bytes_in = 100 + i, .bytes_out = 7};
	e.last_us = e.first_us + 5;
	e.day0 = wh_day(e.last_us);
	e.days = 1;
	e.hours = 1;
	e.size_hist[1] = e.time_hist[2] = (uint32_t)flows;
	return e;
}

/* flows 0: it is gone */
static inline void put_edge(struct wh_bytes *b, unsigned i, uint64_t sensor, uint64_t version, uint64_t flows)
{
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	const struct wh_edge_key k = key_of(i);
	const struct wh_edge e = edge_of(i, flows);
	wh_edge_key_encode(&k, key);
	const size_t len = flows ? wh_edge_encode(&e, value) : 0;
	fleet_put_plain(
		b, &(struct fleet_row){
			   .key = key, .key_len = sizeof key, .sensor = sensor, .version = version, .value = value, .len = len});
}
