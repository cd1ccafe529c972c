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
/* The same of what is open already; `name` is for errors. */
int wh_read_descriptor(int fd, const char *name, size_t max, char **text, size_t *len, struct wh_error *err);
/*
 * As json_loadb(), but for whatever RFC 8259 allows: a NUL or half of a surrogate pair in a string is U+FFFD, an integer beyond
 * 64 bits a real number, a number beyond a double 9e307 with its sign; *inexact (may be NULL) says that there was such a thing.
 * Refused are, as by json_loadb(), texts that are not UTF-8, more than 2,047 containers in one another and, with
 * JSON_REJECT_DUPLICATES, one name twice in an object. `error` may be NULL.
 */
json_t *wh_json_load(const char *text, size_t len, size_t flags, bool *inexact, json_error_t *error);
/* 0, or the line in which the values become so many that jansson would need more than 16 times the text's length: wh_json_load()
 * refuses it. */
int wh_json_bounded(const char *text, size_t len);
/* Whether something in this part of an inexact document may have been replaced: it must not be written back. */
bool wh_json_may_be_mended(const json_t *v);
/* Parses a document with wh_json_load(); duplicate keys are refused. `name` is used in error texts. The caller owns *out. */
int wh_json_parse(const char *name, const char *text, size_t len, json_t **out, struct wh_error *err);
/* An object's member, whatever the case of its key (`len` bytes): borrowed, a JSON null as it is; NULL where there is none, or
 * `object` is none. */
json_t *wh_json_member_n(const json_t *object, const char *key, size_t len);
json_t *wh_json_member(const json_t *object, const char *key);
/* The line (from 1) on which the value at `path` starts, where path is like "properties/securityRules/3/priority";
 * 0 when there is no such value. For error messages: jansson keeps no positions. */
int wh_json_line(const char *text, size_t len, const char *path);
/* Refuses what stands at `path` in the document `name`: "NAME:LINE: why". Where there is no such value the line is that of what
 * it would stand in. Returns -EINVAL, as bad input. */
int wh_json_refuse(struct wh_error *err, const char *name, const char *text, size_t len, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
int wh_json_vrefuse(struct wh_error *err, const char *name, const char *text, size_t len, const char *path, const char *fmt,
                    va_list ap) __attribute__((format(printf, 6, 0)));
