/* SPDX-License-Identifier: GPL-2.0-or-later */
/* array: the only function that grows an array on the heap. wh_arena_grown() does this in an arena. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Makes room for one more element in an array that has `n` elements of `size` bytes and room for *room: a full array doubles
 * (16 at first). `array` is the address of the pointer to it. Returns false when out of memory: the array is then
 * unchanged. */
bool wh_array_grow(void *array, size_t n, size_t *room, size_t size);
