/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON helpers over jansson for documents that are not on the hot path. Errors name file, line and reason.
 */
#pragma once
#include <stdarg.h>
#include <jansson.h>
#include "whittle/base.h"

/* Reads a whole text file (at most `max` bytes; "-" is standard input), and makes it UTF-8 where it is UTF-16 or has a mark: see
 * wh_text_decode(). *text is NUL-terminated, freed by the caller. */
int wh_read_file(const char *path, size_t max, char **text, size_t *len, struct wh_error *err);
/* The same for an open descriptor; `name` is for errors. */
int wh_read_descriptor(int fd, const char *name, size_t max, char **text, size_t *len, struct wh_error *err);
/*
 * Like json_loadb(), but accepts all that RFC 8259 allows: a NUL or half of a surrogate pair in a string becomes U+FFFD, an
 * integer beyond 64 bits a real number, a number beyond a double 9e307 with its sign; *inexact (may be NULL) is set if something
 * was replaced. Like json_loadb() it refuses texts that are not UTF-8, nesting deeper than 2,047 containers and, with
 * JSON_REJECT_DUPLICATES, a name that an object has twice. `error` may be NULL.
 */
json_t *wh_json_load(const char *text, size_t len, size_t flags, bool *inexact, json_error_t *error);
/* The same value as json_loadb() makes, in a third of the time, of an object or a list whose text is ordinary. NULL: something in
 * it is left to json_loadb(), which also says what is wrong. `flags` may be JSON_REJECT_DUPLICATES and JSON_DECODE_ANY. */
json_t *wh_json_plain(const char *text, size_t len, size_t flags);
/* The first byte of a string's text that does not stand for itself alone: a quote, a backslash, a control character, or not
 * ASCII; `end` if there is none. */
const char *wh_json_odd(const char *p, const char *end);
/* json_loads() of a document that whittle itself wrote. NULL: it is none. */
json_t *wh_json_own(const char *text);
/* 0, or the line at which jansson would need more than 16 times the text's length for the values so far: wh_json_load() refuses
 * such a text. */
int wh_json_bounded(const char *text, size_t len);
/* Whether a value in this part of an inexact document may have been replaced: it must not be written back. */
bool wh_json_may_be_mended(const json_t *v);
/* Parses a document with wh_json_load(); duplicate keys are refused. `name` is used in error texts. The caller owns *out. */
int wh_json_parse(const char *name, const char *text, size_t len, json_t **out, struct wh_error *err);
/* The text of an object with null in place of these members (ignoring case; the list ends with NULL), in it and in its
 * `properties`: for large parts that nobody reads. What is left out need not be well-formed. free(); NULL: out of memory. */
char *wh_json_cut(const char *text, size_t len, const char *const *members);
/* An object's member, regardless of the case of its key (`len` bytes): borrowed, a JSON null as such; NULL if there is none, or
 * `object` is not an object. */
json_t *wh_json_member_n(const json_t *object, const char *key, size_t len);
json_t *wh_json_member(const json_t *object, const char *key);
/* A row of a table as an object: its values under the names of `columns`, a list of {"name": …}. A new reference; NULL without
 * memory. */
json_t *wh_json_row(const json_t *columns, const json_t *row);
/* The line (from 1) on which the value at `path` (like "properties/securityRules/3/priority") starts; 0 when there is no such
 * value. For error messages: jansson keeps no positions. */
int wh_json_line(const char *text, size_t len, const char *path);
/* Refuses the value at `path` in the document `name`: "NAME:LINE: why". If there is no such value, the line is that of its
 * nearest container. Returns -EINVAL, as bad input. */
int wh_json_refuse(struct wh_error *err, const char *name, const char *text, size_t len, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
int wh_json_vrefuse(struct wh_error *err, const char *name, const char *text, size_t len, const char *path, const char *fmt,
                    va_list ap) __attribute__((format(printf, 6, 0)));
