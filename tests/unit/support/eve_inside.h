/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The common parts of the generator of EVE records; its users include eve_gen.h. */
#pragma once
#include <stdbool.h>
#include "eve_gen.h"

/* ---- chance (eve_gen.c) ---- */

/* splitmix64 */
static inline uint64_t next(struct eve_gen *g)
{
	uint64_t z = g->rng += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline bool one_in(struct eve_gen *g, unsigned n)
{
	return next(g) % n == 0;
}

#define PICK(g, array) ((array)[eve_gen_random(g, sizeof(array) / sizeof *(array))])

/* ---- values (eve_values.c): `out` receives the text, with a NUL, and without quotes but for eve_gen_value ---- */

void eve_gen_address(struct eve_gen *g, char *out, size_t size);
void eve_gen_timestamp(struct eve_gen *g, char *out, size_t size);
void eve_gen_number(struct eve_gen *g, char *out, size_t size, unsigned max_digits);
/* The inside of a string, as it is written. */
void eve_gen_string(struct eve_gen *g, char *out, size_t size);
/* Any value, of whatever type. */
void eve_gen_value(struct eve_gen *g, char *out, size_t size);

/* ---- members (eve_event.c) ---- */

enum { EVE_VALUE = 400, EVE_MEMBERS = 40 };
struct eve_member {
	char key[40]; /* between the quotes, as it is written */
	char value[EVE_VALUE];
};
struct eve_object {
	struct eve_member m[EVE_MEMBERS];
	unsigned n;
};
struct eve_style {
	bool spaces, distorted;
};

/* One to four members that whittle does not read. */
void eve_gen_other_members(struct eve_gen *g, struct eve_object *o);
/* Makes a whole record and adds its text to g's buffer. */
void eve_gen_event(struct eve_gen *g, const struct eve_style *s);

/* ---- text (eve_write.c; eve_gen_add: eve_gen.c) ---- */

/* Adds text to g's buffer, as much as there is room for. */
void eve_gen_add(struct eve_gen *g, const char *s);
/* `inner`: flow, tcp, alert, each left out where it has no members. */
void eve_gen_write(struct eve_gen *g, struct eve_object *top, struct eve_object *const inner[3], const struct eve_style *s);

/* ---- spoiling (eve_spoil.c) ---- */

/* Keys dropped, doubled, respelt, of another type, in another order. */
void eve_gen_distort(struct eve_gen *g, struct eve_object *o);
/* One to three bytes of g's buffer removed, added or changed. */
void eve_gen_mutate(struct eve_gen *g);
