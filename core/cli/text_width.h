/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts by the columns that they take in a terminal, and where they are cut into lines. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Decodes one character; an unprintable one is one column of '?'. Returns the bytes read (0 at the end). */
size_t cli_next_char(const char *s, size_t *width, bool *printable);
/* The number of ASCII characters at the start: one byte and one column each. */
size_t cli_ascii(const char *s);
/* The columns of the longest line. */
size_t cli_longest_line(const char *text);
/* The columns of the longest piece that is never cut. */
size_t cli_longest_piece(const char *text);
/* The bytes of the first line that fit `width` columns, cut where that is best: after a space or a comma, else within a name or
 * path (after "-", "/", "."), else anywhere. */
size_t cli_piece(const char *text, size_t width);
/* The columns of the first `len` bytes. */
size_t cli_width_of(const char *text, size_t len);
