/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a text file is written in. Programs on Windows save UTF-8 with a mark at the front, and UTF-16; everything here reads
 * UTF-8. */
#pragma once
#include "whittle/base.h"

/*
 * Makes *text (malloc'ed, NUL-terminated, *len bytes) plain UTF-8, in place or anew: takes off UTF-8's mark, and converts UTF-16
 * of either byte order, with its mark or, where the first characters show it, without. Other bytes are left alone: whether they
 * are UTF-8 is for their reader to say. -EINVAL: UTF-32, or UTF-16 with half a character, named with its place. *text stays the
 * caller's in each case.
 */
int wh_text_decode(const char *name, char **text, size_t *len, struct wh_error *err);
/* The length in bytes (1–4) of the UTF-8 character at s, of which n bytes are there, and its code point; 0 where it is none. */
size_t wh_utf8_next(const char *s, size_t n, uint32_t *point);
/* Whether a character does something on a terminal instead of being read: C0, DEL, C1, marks and overrides of the writing's
 * direction, line and paragraph separators. */
bool wh_point_unprintable(uint32_t point);
