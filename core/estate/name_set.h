/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that occurred before, each with its owner, so that an estate of any size is checked in n log n. */
#pragma once
#include "whittle/base.h"

struct wh_name_set { struct wh_name *root; struct wh_arena *mem; bool any_case; };
/* The value under the name; else puts `value` there and returns NULL. No name (NULL) is put nowhere. The name is not
 * copied; all memory is in s->mem. */
const void *wh_name_set_add(struct wh_name_set *s, const char *name, const void *value);
/* NULL when it is not there, and for no name (NULL) */
const void *wh_name_set_find(const struct wh_name_set *s, const char *name);
