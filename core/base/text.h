/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encodings of text files. Windows programs save UTF-8 with a byte order mark, and UTF-16; everything here reads
 * UTF-8. */
#pragma once
#include "whittle/base.h"

/*
 * Makes *text (malloc'ed, NUL-terminated, *len bytes) plain UTF-8, in place or in new memory: removes UTF-8's mark, and converts
 * UTF-16 of either byte order, with its mark or, if the first characters show it, without. Other bytes are left alone: their
 * reader decides whether they are UTF-8. -EINVAL: UTF-32, or UTF-16 with half a character, with its place in the error. *text
 * stays the caller's in each case.
 */
int wh_text_decode(const char *name, char **text, size_t *len, struct wh_error *err);
/* Whether a text that begins with these bytes is UTF-16 (or UTF-32 with its mark), for readers that take no other than UTF-8. */
bool wh_text_is_wide(const void *head, size_t n);
/* The length in bytes (1–4) of the UTF-8 character at s, n bytes of which exist, and its code point; 0 where it is none. */
size_t wh_utf8_next(const char *s, size_t n, uint32_t *point);
bool wh_text_is_utf8(const char *s, size_t n);
/* Whether a character controls the terminal instead of being displayed: C0, DEL, C1, marks and overrides of the writing's
 * direction, line and paragraph separators. */
bool wh_point_unprintable(uint32_t point);

#define WH_SHELL_WORD 8192 /* bytes, for every path */
/* A name in a command that a person is to copy into a shell: `s` itself if it is one plain word, else in single quotes in buf.
 * Names may come from a ledger, a file or a service that an attacker writes. What does not fit, and what could be an option,
 * becomes NAME, for the person to replace. */
const char *wh_shell_word(const char *s, char buf[static WH_SHELL_WORD]);
