/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RFC 8259, small and naive: a whole text to a tree, one function a rule of the grammar. It keeps what other readers lose: a NUL
 * in a string, surrogates without their partner (as U+FFFD), numbers of any size (as their text), the last of duplicate keys.
 * Deeper than 2,047 containers, and what is not UTF-8, is refused. For tests to compare the reader with.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum rj_type { RJ_OBJECT, RJ_ARRAY, RJ_STRING, RJ_NUMBER, RJ_TRUE, RJ_FALSE, RJ_NULL };
struct rj {
	enum rj_type type;
	char *text;       /* a string's bytes, a number's as they stand; both with a NUL behind them */
	size_t len;
	char *key;        /* as a member of an object */
	size_t key_len;
	struct rj *first, *next;
};
/* NULL when it isn't JSON. Everything is in a block that the next call uses anew. */
const struct rj *rj_read(const char *text, size_t len);
const struct rj *rj_get(const struct rj *object, const char *key); /* the last of that name; NULL: none, or no object */
