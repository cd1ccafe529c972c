/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * key: how a room declares its settings in whittle.yaml. A room has a struct with its options and a table of keys; core/config
 * joins the tables, reads the file into the structs, and prints all possible keys. A key's name, type, range, default and help
 * are only here.
 */
#pragma once
#include "whittle/base.h"

struct wh_yaml;

enum wh_key_type {
	WH_KEY_TEXT,     /* const char *; never empty */
	WH_KEY_PATH,     /* const char *: relative to the directory of the file that names it */
	WH_KEY_WORDS,    /* const char *: a text, or a list of texts, which are joined with commas */
	WH_KEY_INT,      /* int64_t from min to max */
	WH_KEY_DURATION, /* int64_t: seconds from 1 to max (0: any) */
	WH_KEY_SIZE,     /* uint64_t: bytes, at least min */
	WH_KEY_BOOL,     /* bool */
	WH_KEY_CHOICE,   /* an enum: the word's index in `words` */
	WH_KEY_MAP,      /* keys of its own in the same struct */
	WH_KEY_LIST,     /* an array in the arena, and its length */
};

/* The file that a value is read from, and the arena for its data. */
struct wh_key_source { const char *file; struct wh_arena *mem; };

struct wh_key;
struct wh_key_list {
	size_t count_at;             /* offset of the size_t with the number of elements */
	size_t size;                 /* bytes of an element */
	const struct wh_key *keys;   /* of an entry that is a map, offsets within the element; NULL: entries are texts */
	/* An entry that is a text; NULL: every entry is a map. `element` is zeroed. */
	int (*text)(const struct wh_key_source *src, const struct wh_yaml *entry, const char *text, void *element,
	            struct wh_error *err);
	/* for an entry that is a text and becomes an element without pointers: whether bytes are a valid one. NULL: it is a const
	 * char * */
	bool (*sound)(const void *element);
	/* Called after each entry: completes all[n - 1], and refuses missing parts, or duplicates among the n elements. May be
	 * NULL. */
	int (*complete)(const struct wh_key_source *src, const struct wh_yaml *entry, void *all, size_t n, struct wh_error *err);
	bool some;                   /* it has at least one entry */
	const char *of, *entry;      /* the contents of a list that only has maps, and the name of an entry, for refusals */
};

/* One setting. A table of keys ends with a NULL name. */
struct wh_key {
	const char *name;
	enum wh_key_type type;
	size_t at;                       /* offset of the value in the room's options */
	int64_t min, max;
	const char *const *words;        /* CHOICE: NULL at the end; an empty word stands for a value that cannot be written */
	const struct wh_key *keys;       /* MAP */
	const struct wh_key_list *list;  /* LIST */
	const char *preset;              /* the value if nothing is written, in its written form; NULL: none */
	const char *example;             /* NULL: the preset */
	const char *help;                /* one sentence */
};

/* Reads the value `n` of `key` into `options`. */
int wh_key_read(const struct wh_key_source *src, const struct wh_key *key, const struct wh_yaml *n, void *options,
                struct wh_error *err);
/* A map all of whose keys are in `keys`. */
int wh_keys_read(const struct wh_key_source *src, const struct wh_key *keys, const struct wh_yaml *map, void *options,
                 struct wh_error *err);
/* Options as bytes (base/bytes.h) and back, each value checked by its key; t->failed if the table does not allow one. Texts and
 * arrays are in `mem`. */
struct wh_bytes;
struct wh_taking;
void wh_keys_put(struct wh_bytes *b, const struct wh_key *keys, const void *options);
void wh_keys_take(struct wh_taking *t, const struct wh_key *keys, struct wh_arena *mem, void *options);
/* A path in the file's sense: relative to the directory of the file, unless it begins with / or is a URL. In src->mem. */
const char *wh_key_path(const struct wh_key_source *src, const char *path);
/* The index of `text` in `words` (see struct wh_key), or -EINVAL. */
int wh_key_choice(const char *const words[], const char *text);
/* An element's prefix as text: refuses one with host bits set, since a typo would keep more open than was meant. For
 * wh_key_list.text. */
int wh_key_prefix(const struct wh_key_source *src, const struct wh_yaml *entry, const char *text, void *prefix,
                  struct wh_error *err);
bool wh_key_prefix_sound(const void *prefix); /* for wh_key_list.sound */
/* An element that is the text itself (const char *). For wh_key_list.text. */
int wh_key_copy(const struct wh_key_source *src, const struct wh_yaml *entry, const char *text, void *copy, struct wh_error *err);
