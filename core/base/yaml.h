/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A YAML document as a tree that remembers its lines, so that every error can name one. Aliases and tags are refused.
 */
#pragma once
#include "whittle/base.h"

enum wh_yaml_kind { WH_YAML_SCALAR, WH_YAML_LIST, WH_YAML_MAP };

struct wh_yaml {
	enum wh_yaml_kind kind;
	int line;              /* from 1 */
	const char *key;       /* within a map, else NULL */
	const char *scalar;    /* for scalars; "" for an empty value */
	bool quoted;           /* the scalar was quoted: never a number, bool or null */
	struct wh_yaml *child; /* first child of a list or map */
	struct wh_yaml *next;  /* next sibling */
};

/* Parses one document. All memory is in `mem`; *root is NULL for an empty document. `name` is used in error texts. */
int wh_yaml_parse(const char *name, const char *text, size_t len, struct wh_arena *mem, struct wh_yaml **root,
                  struct wh_error *err);
int wh_yaml_parse_file(const char *path, struct wh_arena *mem, struct wh_yaml **root, struct wh_error *err);
/* The same of a map with a list `key`; *n: the elements of *list. No list is an error. */
int wh_yaml_parse_list_file(const char *path, const char *key, struct wh_arena *mem, struct wh_yaml **root,
                            const struct wh_yaml **list, size_t *n, struct wh_error *err);
struct wh_yaml *wh_yaml_get(const struct wh_yaml *map, const char *key); /* NULL when absent */
/* Refuses keys that are not in `known` (NULL-terminated), naming file, line and the nearest right key. */
int wh_yaml_check_keys(const char *name, const struct wh_yaml *map, const char *const known[], struct wh_error *err);
int wh_yaml_bool(const char *name, const struct wh_yaml *node, bool *out, struct wh_error *err);
int wh_yaml_int(const char *name, const struct wh_yaml *node, int64_t min, int64_t max, int64_t *out, struct wh_error *err);
int wh_yaml_double(const char *name, const struct wh_yaml *node, double *out, struct wh_error *err);
/* The member of `words` (NULL-terminated) nearest to `word` by edit distance, or NULL when none is near. */
const char *wh_nearest(const char *word, const char *const words[]);
