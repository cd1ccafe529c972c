/* SPDX-License-Identifier: GPL-2.0-or-later */
/* array: the only function that grows an array on the heap (wh_arena_grown() does this in an arena), and the only binary
 * search. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Makes room for one more element in an array that has `n` elements of `size` bytes and room for *room: a full array doubles
 * (16 at first). `array` is the address of the pointer to it. Returns false when out of memory: the array is then
 * unchanged. */
bool wh_array_grow(void *array, size_t n, size_t *room, size_t size);

/* The first `i` from `from` on for which `before` does not hold; `to` if it holds for all. `before` is an expression of i that
 * holds for the first ones alone: WH_BISECT(i, 0, n, list[i].key < key) is where the key is, or would be put. */
#define WH_BISECT(i, from, to, before)                                                                                           \
	({                                                                                                                       \
		size_t wh_lo = (from), wh_hi = (to);                                                                             \
		while (wh_lo < wh_hi) {                                                                                          \
			size_t i = wh_lo + (wh_hi - wh_lo) / 2;                                                                  \
			if (before)                                                                                              \
				wh_lo = i + 1;                                                                                   \
			else                                                                                                     \
				wh_hi = i;                                                                                       \
		}                                                                                                                \
		wh_lo;                                                                                                           \
	})
