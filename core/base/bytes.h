/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and addresses as bytes of a fixed layout, least significant byte first: for files and for messages between our
 * processes. */
#pragma once
#include "whittle/base.h"

/* Growing; `failed` once there is no more memory. free(p). */
struct wh_bytes { uint8_t *p; size_t n, room; bool failed; };
void wh_put(struct wh_bytes *b, const void *p, size_t n);
void wh_put_number(struct wh_bytes *b, uint64_t v, unsigned bytes);
void wh_put_prefix(struct wh_bytes *b, const struct wh_prefix *p); /* 17 bytes */

/* The bytes left to read; `failed` once a value was missing or malformed: every later read returns 0. */
struct wh_taking { const uint8_t *p; size_t n; bool failed; };
const uint8_t *wh_take(struct wh_taking *t, size_t n); /* NULL if fewer bytes are left */
uint64_t wh_take_number(struct wh_taking *t, unsigned bytes, uint64_t min, uint64_t max);
/* The number of elements of `each` bytes that follow: at most `max`, and no more than the bytes left can hold. */
size_t wh_take_count(struct wh_taking *t, size_t each, size_t max);
struct wh_addr wh_take_addr(struct wh_taking *t);
struct wh_prefix wh_take_prefix(struct wh_taking *t); /* without host bits */
