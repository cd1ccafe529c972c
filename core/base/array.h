/* SPDX-License-Identifier: GPL-2.0-or-later */
/* array: the one way in which an array on the heap grows. In an arena, wh_arena_grown() does it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Makes room for one element more in an array that has `n` of `size` bytes each and room for *room: where it is full, it becomes
 * twice as long (16 at first). `array` is the address of the pointer to it. False when memory is out: the array is then as it
 * was. */
bool wh_array_grow(void *array, size_t n, size_t *room, size_t size);
