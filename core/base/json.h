/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON helpers over jansson for documents that are not on the hot path. Errors name file, line and reason.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"

/* Reads a whole text file (at most `max` bytes; "-" is standard input), and makes it UTF-8 where it is UTF-16 or has a mark: see
 * wh_text_decode(). *text is NUL-terminated, freed by the caller. */
int wh_read_file(const char *path, size_t max, char **text, size_t *len, struct wh_error *err);
/* Parses a document; duplicate keys are refused. `name` is used in error texts. The caller owns *out. */
int wh_json_parse(const char *name, const char *text, size_t len, json_t **out, struct wh_error *err);
/* An object's member, whatever the case of its key (`len` bytes): borrowed, a JSON null as it is; NULL where there is none, or `object` is none. */
json_t *wh_json_member_n(const json_t *object, const char *key, size_t len);
json_t *wh_json_member(const json_t *object, const char *key);
/* The line (from 1) on which the value at `path` starts, where path is like "properties/securityRules/3/priority";
 * 0 when there is no such value. For error messages: jansson keeps no positions. */
int wh_json_line(const char *text, size_t len, const char *path);
