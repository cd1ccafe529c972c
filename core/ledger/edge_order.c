/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edges of a table in key order. Few of a key's 36 bytes differ: a network's servers and their IPv4 clients have eight with
 * the port. The first eight positions at which any two keys differ are collected into a word, and the words are sorted byte by
 * byte, last byte first, which compares nothing and reads each key once, sequentially. Keys with the same word are sorted again
 * from there on.
 */
#include <stdlib.h>
#include <string.h>
#include "ledger/edge_table.h"

enum { KEY = WH_EDGE_KEY_BYTES, WORD = 8, FEW = 24 };

/* Where the bytes of an encoded key are in the struct. */
#if __BYTE_ORDER == __LITTLE_ENDIAN
#define PORT(i) (offsetof(struct wh_edge_key, port) + 1 - (i))
#else
#define PORT(i) (offsetof(struct wh_edge_key, port) + (i))
#endif
static const uint8_t place[KEY] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, offsetof(struct wh_edge_key, direction),
	offsetof(struct wh_edge_key, proto), PORT(0), PORT(1), 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
};
_Static_assert(sizeof(struct wh_edge_key) == KEY, "no padding, whose bytes would differ");

struct item { uint64_t word; uint32_t cell; };
struct sorting {
	const struct edge_cell *cells;
	struct item *other; /* room for as many */
};

static int compare(const struct edge_cell *x, const struct edge_cell *y)
{
	const struct wh_edge_key *a = &x->key, *b = &y->key;
	int c = memcmp(a->local.b, b->local.b, 16);
	if (c)
		return c;
	c = (a->direction << 24 | a->proto << 16 | a->port) - (b->direction << 24 | b->proto << 16 | b->port);
	return c ? c : memcmp(a->peer.b, b->peer.b, 16);
}

static void sort_few(const struct sorting *s, struct item *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct item moved = v[i];
		size_t at = i;
		for (; at && compare(&s->cells[moved.cell], &s->cells[v[at - 1].cell]) < 0; at--)
			v[at] = v[at - 1];
		v[at] = moved;
	}
}

/* They lie all over the table's memory. By force, as in edge_fold.c. */
enum { AHEAD = 16 };
static inline __attribute__((always_inline)) void fetch(const struct sorting *s, const struct item *v, size_t i, size_t n)
{
	if (i + AHEAD < n)
		__builtin_prefetch(&s->cells[v[i + AHEAD].cell]);
}

/* The positions, from `from` on, at which two keys differ: up to eight, the first ones. */
static unsigned differing(const struct sorting *s, const struct item *v, size_t n, unsigned from, uint8_t at[static WORD])
{
	uint8_t first[KEY], any[KEY] = {0};
	unsigned found = 0;
	memcpy(first, &s->cells[v[0].cell].key, KEY);
	for (size_t i = 1; i < n; i++) {
		fetch(s, v, i, n);
		const uint8_t *k = (const uint8_t *)&s->cells[v[i].cell].key;
		for (int j = 0; j < KEY; j++)
			any[j] |= k[j] ^ first[j];
	}
	for (; from < KEY && found < WORD; from++)
		if (any[place[from]])
			at[found++] = (uint8_t)from;
	return found;
}

static void by_word(const struct sorting *s, struct item *v, size_t n, unsigned bytes)
{
	struct item *from = v, *to = s->other;
	uint32_t counts[WORD][256] = {{0}};
	for (size_t i = 0; i < n; i++)
		for (unsigned byte = 0; byte < bytes; byte++)
			counts[byte][v[i].word >> 8 * byte & 0xff]++;
	for (unsigned byte = 0; byte < bytes; byte++) {
		uint32_t *count = counts[byte], sum = 0;
		for (int i = 0; i < 256; i++) {
			uint32_t here = count[i];
			count[i] = sum;
			sum += here;
		}
		for (size_t i = 0; i < n; i++)
			to[count[from[i].word >> 8 * byte & 0xff]++] = from[i];
		struct item *swap = from;
		from = to;
		to = swap;
	}
	if (from != v)
		memcpy(v, from, n * sizeof *v);
}

/* Keys that are the same before position `from`. */
static void sort(const struct sorting *s, struct item *v, size_t n, unsigned from)
{
	uint8_t at[WORD];
	if (n < FEW) {
		sort_few(s, v, n);
		return;
	}
	unsigned bytes = differing(s, v, n, from, at);
	for (size_t i = 0; i < n; i++) {
		fetch(s, v, i, n);
		const uint8_t *k = (const uint8_t *)&s->cells[v[i].cell].key;
		uint64_t word = 0;
		for (unsigned j = 0; j < bytes; j++)
			word = word << 8 | k[place[at[j]]];
		v[i].word = word;
	}
	by_word(s, v, n, bytes);
	if (bytes < WORD || at[WORD - 1] == KEY - 1)
		return;
	for (size_t i = 0, j; i < n; i = j) {
		uint64_t word = v[i].word; /* sorting equal words overwrites it */
		for (j = i + 1; j < n && v[j].word == word;)
			j++;
		if (j - i > 1)
			sort(s, v + i, j - i, at[WORD - 1] + 1u);
	}
}

int wh_edge_order(const struct edge_cell *cells, size_t n, uint32_t **order)
{
	struct item *v = n ? reallocarray(NULL, n, 2 * sizeof *v) : NULL;
	*order = NULL;
	if (!v)
		return n ? -ENOMEM : 0;
	for (size_t i = 0; i < n; i++)
		v[i].cell = (uint32_t)i;
	sort(&(struct sorting){cells, v + n}, v, n, 0);
	for (size_t i = 0; i < n; i++) /* where they are, as each is written behind where it was read */
		memcpy((uint32_t *)v + i, &v[i].cell, sizeof v[i].cell);
	*order = (uint32_t *)v;
	return 0;
}
