/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows as ClickHouse's RowBinary has them: a String is its length, as an unsigned LEB128 number, and its bytes; a number is
 * little-endian, of its type's size. Nothing separates columns or rows. A length that is read never reaches beyond its answer.
 */
#include <string.h>
#include "ledger/clickhouse/fleet.h"
#include "ledger/leb.h"

int fleet_key_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	size_t n = a_len < b_len ? a_len : b_len;
	int c = n ? memcmp(a, b, n) : 0;
	return c ? c : (a_len > b_len) - (a_len < b_len);
}

int fleet_damaged(const struct fleet_store *f, enum fleet_kind kind, struct wh_error *err)
{
	return wh_fail(err, -EBADMSG, "%s: table %s holds rows that whittle did not write",
	               f->client.url.origins[f->client.host], fleet_tables[kind]);
}

static void put_string(struct wh_bytes *b, const void *p, size_t n)
{
	uint8_t length[10];
	wh_put(b, length, (size_t)(wh_leb_put(length, n) - length));
	wh_put(b, p, n);
}

/* Columns for people's SQL, next to the value: flows to days. */
static void put_columns(struct wh_bytes *b, const struct fleet_row *r)
{
	struct wh_edge e = {0};
	if (r->len && wh_edge_decode(r->value, r->len, &e))
		e = (struct wh_edge){0};
	wh_put_number(b, e.flows, 8);
	wh_put_number(b, e.bytes_in, 8);
	wh_put_number(b, e.bytes_out, 8);
	wh_put_number(b, (uint64_t)e.first_us, 8);
	wh_put_number(b, (uint64_t)e.last_us, 8);
	wh_put_number(b, (uint32_t)e.day0, 4);
	wh_put_number(b, e.days, 8);
}

void fleet_put_row(struct wh_bytes *b, enum fleet_kind kind, const struct fleet_row *r)
{
	put_string(b, r->key, r->key_len);
	wh_put_number(b, r->sensor, 8);
	wh_put_number(b, r->version, 8);
	wh_put_number(b, !r->len, 1);
	put_string(b, r->value, r->len);
	if (kind == FLEET_EDGE)
		put_columns(b, r);
}

void fleet_put_plain(struct wh_bytes *b, const struct fleet_row *r)
{
	put_string(b, r->key, r->key_len);
	wh_put_number(b, r->sensor, 8);
	wh_put_number(b, r->version, 8);
	put_string(b, r->value, r->len);
}

static const uint8_t *take_string(struct wh_taking *t, size_t most, size_t *len)
{
	const uint8_t *p = t->p;
	uint64_t n = 0;
	*len = 0;
	if (t->failed || !p || wh_leb_get(&p, t->p + t->n, most, &n)) {
		t->failed = true;
		return NULL;
	}
	wh_take(t, (size_t)(p - t->p));
	*len = (size_t)n;
	return wh_take(t, *len);
}

/* NULL: it does not end before `end`. */
static inline const uint8_t *string_at(const uint8_t **p, const uint8_t *end, size_t most, size_t *len)
{
	uint64_t n;
	if (wh_leb_get(p, end, most, &n) || n > (size_t)(end - *p))
		return NULL;
	const uint8_t *at = *p;
	*len = (size_t)n;
	*p += n;
	return at;
}

/* Of every row that is read: without a call for each of its columns. */
int fleet_take_row(struct wh_taking *t, struct fleet_row *out)
{
	enum { NUMBERS = 16 };
	const uint8_t *p = t->p, *end = t->n ? p + t->n : p;
	uint64_t numbers[2];
	if (t->failed || !t->n)
		return t->failed ? -EBADMSG : 0;
	out->key = string_at(&p, end, FLEET_KEY_MAX, &out->key_len);
	t->failed = !out->key || end - p < NUMBERS;
	if (t->failed)
		return -EBADMSG;
	memcpy(numbers, p, NUMBERS);
	p += NUMBERS;
	out->sensor = le64toh(numbers[0]);
	out->version = le64toh(numbers[1]);
	out->value = string_at(&p, end, FLEET_VALUE_MAX, &out->len);
	t->failed = !out->value;
	t->n = (size_t)(end - p);
	t->p = p;
	return t->failed ? -EBADMSG : 1;
}

int fleet_take_group(struct wh_taking *t, struct fleet_group *out)
{
	size_t len;
	if (!t->n && !t->failed)
		return 0;
	const uint8_t *prefix = take_string(t, sizeof out->prefix, &len);
	out->rows = wh_take_number(t, 8, 0, UINT64_MAX);
	out->gone = wh_take_number(t, 8, 0, UINT64_MAX);
	if (t->failed)
		return -EBADMSG;
	out->len = (uint8_t)len;
	if (len)
		memcpy(out->prefix, prefix, len);
	return 1;
}
