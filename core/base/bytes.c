/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"

void wh_put(struct wh_bytes *b, const void *p, size_t n)
{
	if (b->failed)
		return;
	if (n > b->room - b->n) {
		size_t room = b->room ? b->room : 256;
		while (room - b->n < n)
			room *= 2;
		uint8_t *more = realloc(b->p, room);
		if (!more) {
			b->failed = true;
			return;
		}
		b->p = more;
		b->room = room;
	}
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

void wh_put_number(struct wh_bytes *b, uint64_t v, unsigned bytes)
{
	uint8_t x[8];
	for (unsigned i = 0; i < bytes; i++)
		x[i] = (uint8_t)(v >> 8 * i);
	wh_put(b, x, bytes);
}

void wh_put_prefix(struct wh_bytes *b, const struct wh_prefix *p)
{
	wh_put(b, p->addr.b, 16);
	wh_put_number(b, p->len, 1);
}

const uint8_t *wh_take(struct wh_taking *t, size_t n)
{
	const uint8_t *p = t->p;
	if (t->failed || n > t->n) {
		t->failed = true;
		return NULL;
	}
	t->p += n;
	t->n -= n;
	return p;
}

uint64_t wh_take_number(struct wh_taking *t, unsigned bytes, uint64_t min, uint64_t max)
{
	const uint8_t *p = wh_take(t, bytes);
	uint64_t little = 0, v;
	if (p)
		memcpy(&little, p, bytes);
	v = le64toh(little);
	if (!p || v < min || v > max) {
		t->failed = true;
		return 0;
	}
	return v;
}

size_t wh_take_count(struct wh_taking *t, size_t each, size_t max)
{
	size_t n = (size_t)wh_take_number(t, 4, 0, max);
	if (n > t->n / each) {
		t->failed = true;
		return 0;
	}
	return n;
}

struct wh_addr wh_take_addr(struct wh_taking *t)
{
	struct wh_addr a = {{0}};
	const uint8_t *p = wh_take(t, 16);
	if (p)
		memcpy(a.b, p, 16);
	return a;
}

struct wh_prefix wh_take_prefix(struct wh_taking *t)
{
	struct wh_prefix p = {.addr = wh_take_addr(t)};
	p.len = (uint8_t)wh_take_number(t, 1, 0, 128);
	struct wh_prefix whole = wh_prefix_of(&p.addr, p.len);
	if (!wh_addr_eq(&whole.addr, &p.addr))
		t->failed = true;
	return p;
}
