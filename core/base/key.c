/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "base/yaml.h"
#include "whittle/key.h"

static int text_of(const struct wh_key_source *src, const struct wh_yaml *n, const char **out, struct wh_error *err)
{
	if (n->kind != WH_YAML_SCALAR || !*n->scalar)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a text, not %s", src->file, n->line,
		                     n->key ? n->key : "an entry of the list",
		                     n->kind == WH_YAML_LIST  ? "a list"
		                     : n->kind == WH_YAML_MAP ? "a map"
		                                              : "empty");
	*out = n->scalar;
	return 0;
}

const char *wh_key_path(const struct wh_key_source *src, const char *path)
{
	const char *slash = strrchr(src->file, '/');
	if (*path == '/' || !slash || strchr(path, ':'))
		return wh_arena_strdup(src->mem, path);
	return wh_arena_printf(src->mem, "%.*s/%s", (int)(slash - src->file), src->file, path);
}

/* The entries of a list, or a single scalar; NULL for anything else. */
static const struct wh_yaml *first_of(const struct wh_yaml *n)
{
	return n->kind == WH_YAML_LIST ? n->child : n->kind == WH_YAML_SCALAR ? n : NULL;
}

static const struct wh_yaml *next_of(const struct wh_yaml *list, const struct wh_yaml *k)
{
	return list == k ? NULL : k->next;
}

static int read_words(const struct wh_key_source *src, const struct wh_key *key, const struct wh_yaml *n, const char **out,
                      struct wh_error *err)
{
	const char *text = "", *joined = NULL;
	int rc = 0;
	for (const struct wh_yaml *k = first_of(n); k && !rc; k = next_of(n, k))
		if (!(rc = text_of(src, k, &text, err)))
			joined = joined ? wh_arena_printf(src->mem, "%s,%s", joined, text) : wh_arena_strdup(src->mem, text);
	if (!rc && !joined)
		rc = wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a text or a list such as %s, not %s", src->file, n->line,
		                   key->name, key->example, n->kind == WH_YAML_MAP ? "a map" : "an empty list");
	*out = joined;
	return rc;
}

static int read_duration(const struct wh_key_source *src, const struct wh_key *key, const struct wh_yaml *n, int64_t *out,
                         struct wh_error *err)
{
	const char *text = "";
	int rc = text_of(src, n, &text, err);
	if (!rc && (wh_duration_parse(text, out) || *out < 1))
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a time such as 10s, 5m or 2h, not '%.60s'", src->file,
		                     n->line, key->name, text);
	if (!rc && key->max && *out > key->max)
		rc = wh_fail_input(err, -EINVAL, "%s:%d: '%s' may be at most %lld days", src->file, n->line, key->name,
		                   (long long)(key->max / 86400));
	return rc;
}

static int read_size(const struct wh_key_source *src, const struct wh_key *key, const struct wh_yaml *n, uint64_t *out,
                     struct wh_error *err)
{
	const char *text = "";
	int rc = text_of(src, n, &text, err);
	if (!rc && (wh_size_parse(text, out) || *out < (uint64_t)key->min))
		rc = wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a size of at least %lldMiB such as %s, not '%.60s'",
		                   src->file, n->line, key->name, (long long)(key->min >> 20), key->preset, text);
	return rc;
}

int wh_key_choice(const char *const words[], const char *text)
{
	for (int i = 0; words[i]; i++)
		if (*text && !strcmp(words[i], text))
			return i;
	return -EINVAL;
}

static int read_choice(const struct wh_key_source *src, const struct wh_key *key, const struct wh_yaml *n, unsigned *out,
                       struct wh_error *err)
{
	const char *text = "", *all = NULL;
	int rc = text_of(src, n, &text, err), place = rc ? 0 : wh_key_choice(key->words, text);
	if (rc)
		return rc;
	for (int i = 0; place < 0 && key->words[i]; i++)
		if (*key->words[i])
			all = !all ? key->words[i]
			           : wh_arena_printf(src->mem, "%s%s%s", all, key->words[i + 1] ? ", " : " or ", key->words[i]);
	if (place < 0)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be %s, not '%.60s'", src->file, n->line, key->name, all,
		                     text);
	*out = (unsigned)place;
	return 0;
}

static int read_entry(const struct wh_key_source *src, const struct wh_key *key, const struct wh_yaml *k, void *element,
                      struct wh_error *err)
{
	const struct wh_key_list *l = key->list;
	const char *text = "";
	if (l->keys && k->kind == WH_YAML_MAP)
		return wh_keys_read(src, l->keys, k, element, err);
	if (!l->text)
		return wh_fail_input(err, -EINVAL, "%s:%d: %s", src->file, k->line, l->entry);
	int rc = text_of(src, k, &text, err);
	return rc ? rc : l->text(src, k, text, element, err);
}

static int read_list(const struct wh_key_source *src, const struct wh_key *key, const struct wh_yaml *n, void *options,
                     struct wh_error *err)
{
	const struct wh_key_list *l = key->list;
	size_t *count = (size_t *)((char *)options + l->count_at), room = 0;
	int rc = 0;
	if (l->of && n->kind != WH_YAML_LIST)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a list of %s", src->file, n->line, key->name, l->of);
	if (n->kind == WH_YAML_MAP || (l->some && !first_of(n)))
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a list%s", src->file, n->line, key->name,
		                     l->some ? " with at least one entry" : ", not a map");
	for (const struct wh_yaml *k = first_of(n); k; k = next_of(n, k))
		room++;
	char *all = wh_arena_array(src->mem, room + 1, l->size);
	*(void **)((char *)options + key->at) = all;
	for (const struct wh_yaml *k = first_of(n); k && !rc; k = next_of(n, k)) {
		rc = read_entry(src, key, k, all + *count * l->size, err);
		++*count;
		if (!rc && l->complete)
			rc = l->complete(src, k, all, *count, err);
	}
	return rc;
}

static int read_map(const struct wh_key_source *src, const struct wh_key *key, const struct wh_yaml *n, void *options,
                    struct wh_error *err)
{
	if (n->kind != WH_YAML_MAP)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a map", src->file, n->line, key->name);
	return wh_keys_read(src, key->keys, n, options, err);
}

int wh_key_read(const struct wh_key_source *src, const struct wh_key *key, const struct wh_yaml *n, void *options,
                struct wh_error *err)
{
	void *to = (char *)options + key->at;
	const char *text = "";
	int rc;
	switch (key->type) {
	case WH_KEY_TEXT:
	case WH_KEY_PATH:
		if (!(rc = text_of(src, n, &text, err)))
			*(const char **)to = key->type == WH_KEY_PATH ? wh_key_path(src, text) : wh_arena_strdup(src->mem, text);
		return rc;
	case WH_KEY_WORDS:
		return read_words(src, key, n, to, err);
	case WH_KEY_INT:
		return wh_yaml_int(src->file, n, key->min, key->max, to, err);
	case WH_KEY_DURATION:
		return read_duration(src, key, n, to, err);
	case WH_KEY_SIZE:
		return read_size(src, key, n, to, err);
	case WH_KEY_BOOL:
		return wh_yaml_bool(src->file, n, to, err);
	case WH_KEY_CHOICE:
		return read_choice(src, key, n, to, err);
	case WH_KEY_MAP:
		return read_map(src, key, n, options, err);
	case WH_KEY_LIST:
		return read_list(src, key, n, options, err);
	}
	return wh_fail(err, -EINVAL, "%s: the key '%s' has no type", src->file, key->name);
}

int wh_keys_read(const struct wh_key_source *src, const struct wh_key *keys, const struct wh_yaml *map, void *options,
                 struct wh_error *err)
{
	size_t n = 0;
	while (keys[n].name)
		n++;
	const char **known = wh_arena_array(src->mem, n + 1, sizeof *known);
	for (size_t i = 0; i < n; i++)
		known[i] = keys[i].name;
	int rc = wh_yaml_check_keys(src->file, map, known, err);
	for (const struct wh_yaml *k = rc ? NULL : map->child; k && !rc; k = k->next)
		for (size_t i = 0; i < n && !rc; i++)
			if (!strcmp(keys[i].name, k->key))
				rc = wh_key_read(src, &keys[i], k, options, err);
	return rc;
}

int wh_key_prefix(const struct wh_key_source *src, const struct wh_yaml *entry, const char *text, void *prefix,
                  struct wh_error *err)
{
	char buf[WH_PREFIX_STRLEN];
	bool host_bits;
	if (wh_prefix_parse(text, strlen(text), prefix, &host_bits))
		return wh_fail_input(err, -EINVAL, "%s:%d: '%.60s' is neither an address nor a prefix", src->file, entry->line,
		                     text);
	if (host_bits)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%.60s' has host bits set; did you mean '%s'?", src->file, entry->line,
		                     text, wh_prefix_text(prefix, buf));
	return 0;
}

bool wh_key_prefix_sound(const void *prefix)
{
	const struct wh_prefix *p = prefix;
	if (p->len > 128)
		return false;
	struct wh_prefix whole = wh_prefix_of(&p->addr, p->len);
	return wh_addr_eq(&whole.addr, &p->addr);
}

int wh_key_copy(const struct wh_key_source *src, const struct wh_yaml *entry, const char *text, void *copy, struct wh_error *err)
{
	(void)entry;
	(void)err;
	*(const char **)copy = wh_arena_strdup(src->mem, text);
	return 0;
}
