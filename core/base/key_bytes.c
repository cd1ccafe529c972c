/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options as bytes, driven by the table of their keys: from a process that reads whittle.yaml to one that trusts it. The receiver
 * checks them against the same table: each number has its range, each choice its words, texts hold no NUL, lists have as many
 * entries as the bytes allow.
 */
#include <string.h>
#include "base/bytes.h"
#include "whittle/key.h"

enum { MAX_TEXT = 1 << 20, MAX_ENTRIES = 1 << 20 };
#define NO_TEXT UINT32_MAX

static void put_text(struct wh_bytes *b, const char *text)
{
	size_t n = text ? strlen(text) : NO_TEXT;
	b->failed |= text && n > MAX_TEXT;
	wh_put_number(b, n, 4);
	if (text)
		wh_put(b, text, n);
}

static const char *take_text(struct wh_taking *t, struct wh_arena *mem)
{
	size_t n = (size_t)wh_take_number(t, 4, 0, NO_TEXT);
	if (t->failed || n == NO_TEXT)
		return NULL;
	const uint8_t *p = n <= MAX_TEXT ? wh_take(t, n) : NULL;
	t->failed |= !p || memchr(p, 0, n);
	return t->failed ? NULL : wh_arena_printf(mem, "%.*s", (int)n, (const char *)p);
}

static void put_list(struct wh_bytes *b, const struct wh_key *key, const void *options)
{
	const struct wh_key_list *l = key->list;
	size_t n;
	const char *all;
	memcpy(&n, (const char *)options + l->count_at, sizeof n);
	memcpy(&all, (const char *)options + key->at, sizeof all);
	b->failed |= n > MAX_ENTRIES;
	wh_put_number(b, n, 4);
	for (size_t i = 0; i < n; i++) {
		const char *element = all + i * l->size;
		if (l->keys)
			wh_keys_put(b, l->keys, element);
		else if (l->sound)
			wh_put(b, element, l->size);
		else
			put_text(b, *(const char *const *)(const void *)element);
	}
}

static void take_list(struct wh_taking *t, const struct wh_key *key, struct wh_arena *mem, void *options)
{
	const struct wh_key_list *l = key->list;
	size_t n = wh_take_count(t, 1, MAX_ENTRIES);
	char *all = n ? wh_arena_array(mem, n + 1, l->size) : NULL;
	for (size_t i = 0; i < n && !t->failed; i++) {
		char *element = all + i * l->size;
		const uint8_t *p;
		if (l->keys) {
			wh_keys_take(t, l->keys, mem, element);
		} else if (l->sound) {
			if ((p = wh_take(t, l->size)))
				memcpy(element, p, l->size);
			t->failed |= !p || !l->sound(element);
		} else {
			*(const char **)(void *)element = take_text(t, mem);
			t->failed |= !*(const char **)(void *)element;
		}
	}
	if (t->failed)
		n = 0;
	memcpy((char *)options + l->count_at, &n, sizeof n);
	memcpy((char *)options + key->at, &all, sizeof all);
}

static void put(struct wh_bytes *b, const struct wh_key *key, const void *options)
{
	const void *at = (const char *)options + key->at;
	switch (key->type) {
	case WH_KEY_TEXT:
	case WH_KEY_PATH:
	case WH_KEY_WORDS: put_text(b, *(const char *const *)at); return;
	case WH_KEY_INT:
	case WH_KEY_DURATION: wh_put_number(b, (uint64_t)*(const int64_t *)at, 8); return;
	case WH_KEY_SIZE: wh_put_number(b, *(const uint64_t *)at, 8); return;
	case WH_KEY_BOOL: wh_put_number(b, *(const bool *)at, 1); return;
	case WH_KEY_CHOICE: wh_put_number(b, *(const unsigned *)at, 4); return;
	case WH_KEY_MAP: wh_keys_put(b, key->keys, options); return;
	case WH_KEY_LIST: put_list(b, key, options); return;
	}
	b->failed = true;
}

/* 0 means that nothing was written. */
static int64_t take_int(struct wh_taking *t, int64_t min, int64_t max)
{
	int64_t v = (int64_t)wh_take_number(t, 8, 0, UINT64_MAX);
	t->failed |= v && (v < min || v > max);
	return t->failed ? 0 : v;
}

static void take(struct wh_taking *t, const struct wh_key *key, struct wh_arena *mem, void *options)
{
	void *at = (char *)options + key->at;
	unsigned words = 0;
	switch (key->type) {
	case WH_KEY_TEXT:
	case WH_KEY_PATH:
	case WH_KEY_WORDS: *(const char **)at = take_text(t, mem); return;
	case WH_KEY_INT: *(int64_t *)at = take_int(t, key->min, key->max); return;
	case WH_KEY_DURATION: *(int64_t *)at = take_int(t, 1, key->max ? key->max : INT64_MAX); return;
	case WH_KEY_SIZE:
		*(uint64_t *)at = wh_take_number(t, 8, 0, UINT64_MAX);
		t->failed |= *(uint64_t *)at && *(uint64_t *)at < (uint64_t)key->min;
		return;
	case WH_KEY_BOOL: *(bool *)at = wh_take_number(t, 1, 0, 1); return;
	case WH_KEY_CHOICE:
		while (key->words[words])
			words++;
		*(unsigned *)at = (unsigned)wh_take_number(t, 4, 0, words - 1);
		return;
	case WH_KEY_MAP: wh_keys_take(t, key->keys, mem, options); return;
	case WH_KEY_LIST: take_list(t, key, mem, options); return;
	}
	t->failed = true;
}

void wh_keys_put(struct wh_bytes *b, const struct wh_key *keys, const void *options)
{
	for (; keys->name; keys++)
		put(b, keys, options);
}

void wh_keys_take(struct wh_taking *t, const struct wh_key *keys, struct wh_arena *mem, void *options)
{
	for (; keys->name; keys++)
		take(t, keys, mem, options);
}
