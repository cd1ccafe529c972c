/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A seeded generator of EVE records: realistic ones of every kind and shape, and hostile ones (fake keys in strings,
 * duplicate keys, wrong types, invalid UTF-8, NULs, extreme numbers, deep nesting, long lines, mutated and truncated bytes).
 * The same seed gives the same records.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct eve_gen {
	uint64_t rng;
	uint64_t n;      /* records made so far */
	char *buf;       /* the record last made: `len` bytes, without newline, not NUL-terminated */
	size_t len, cap;
	char base[1024]; /* a record that comes back again and again, as it was or slightly changed */
	size_t base_len;
};
void eve_gen_init(struct eve_gen *g, uint64_t seed);
void eve_gen_next(struct eve_gen *g);
void eve_gen_free(struct eve_gen *g);
uint64_t eve_gen_random(struct eve_gen *g, uint64_t below);
