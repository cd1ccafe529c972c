/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Equal byte strings get one small number, so that sets compare and combine by numbers. */
#pragma once
#include "whittle/base.h"

struct intern { struct intern_entry *list; size_t n, room; uint32_t *slots; size_t n_slots; struct wh_arena *mem; };
/* The number of these bytes, counted from 0 in order of insertion. They are copied. */
uint32_t intern_add(struct intern *i, const void *bytes, size_t len);
void intern_reserve(struct intern *i, size_t more); /* room for so many more, made once */
const void *intern_get(const struct intern *i, uint32_t number, size_t *len);

/* A map from pairs of numbers to numbers. */
struct pair_map { struct pair_slot *slots; size_t n, room; struct wh_arena *mem; };
uint32_t *pair_find(struct pair_map *m, uint32_t a, uint32_t b, bool *there); /* the place of the value; a new value is 0 */
