/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows as ClickHouse's Native has them: blocks of some thousand rows, column after column. Numbers of columns, rows and bytes are
 * unsigned LEB128.
 *
 *   block    columns, rows, then of each column its name, its type, and the rows' values
 *   value    of a String: its length and its bytes; of an UInt64: 8 bytes, little-endian
 *
 * A block is checked as a whole when it comes; then its rows are read without checks.
 */
#include <endian.h>
#include <string.h>
#include "ledger/clickhouse/fleet.h"
#include "ledger/leb.h"

enum { COLUMNS = 4, MOST_ROWS = 1 << 24 };

static bool take_text(struct wh_taking *t, const char *text)
{
	const size_t n = strlen(text);
	const uint8_t *p = wh_take(t, 1 + n);
	return p && p[0] == n && !memcmp(p + 1, text, n);
}

static bool take_header(struct wh_taking *t, const char *name, const char *type)
{
	return take_text(t, name) && take_text(t, type);
}

static const uint8_t *take_strings(struct wh_taking *t, size_t n, size_t most)
{
	const uint8_t *at = t->p, *p = at, *end = p + t->n;
	uint64_t len;
	for (size_t i = 0; i < n; i++) {
		if (wh_leb_get(&p, end, most, &len) || len > (size_t)(end - p))
			return NULL;
		p += len;
	}
	return wh_take(t, (size_t)(p - at)) ? at : NULL;
}

int fleet_take_block(struct wh_taking *t, struct fleet_block *out)
{
	const uint8_t *p = t->p, *end = t->n ? p + t->n : p;
	uint64_t columns, rows;
	if (p == end)
		return 0;
	if (wh_leb_get(&p, end, COLUMNS, &columns) || columns != COLUMNS || wh_leb_get(&p, end, MOST_ROWS, &rows))
		return -EBADMSG;
	wh_take(t, (size_t)(p - t->p));
	out->n = (size_t)rows;
	bool good = take_header(t, "key", "String") && (out->keys = take_strings(t, out->n, FLEET_KEY_MAX)) &&
	            take_header(t, "sensor", "UInt64") && (out->sensors = wh_take(t, 8 * out->n)) &&
	            take_header(t, "version", "UInt64") && (out->versions = wh_take(t, 8 * out->n)) &&
	            take_header(t, "value", "String") && (out->values = take_strings(t, out->n, FLEET_VALUE_MAX));
	return good ? 1 : -EBADMSG;
}

/* ---- reading ---- */

static inline const uint8_t *string_at(const uint8_t **p, size_t *len)
{
	size_t n = *(*p)++;
	if (n & 0x80) /* two bytes are enough for FLEET_VALUE_MAX */
		n = (n & 0x7f) | (size_t)*(*p)++ << 7;
	const uint8_t *at = *p;
	*len = n;
	*p += n;
	return at;
}

static inline uint64_t number_at(const uint8_t *column, size_t row)
{
	uint64_t v;
	memcpy(&v, column + 8 * row, sizeof v);
	return le64toh(v);
}

void fleet_cursor_set(struct fleet_cursor *c, const struct fleet_block *b)
{
	*c = (struct fleet_cursor){.block = b, .key = b->keys, .value = b->values};
}

bool fleet_cursor_next(struct fleet_cursor *c, struct fleet_row *out)
{
	const struct fleet_block *b = c->block;
	if (c->row == b->n)
		return false;
	out->key = string_at(&c->key, &out->key_len);
	out->sensor = number_at(b->sensors, c->row);
	out->version = number_at(b->versions, c->row);
	out->value = string_at(&c->value, &out->len);
	c->row++;
	return true;
}
