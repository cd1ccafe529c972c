/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include "base/yaml.h"
#include "base/trusted_path.h"
#include "config/tables.h"

const struct wh_key_table wh_key_tables[] = {
	{wh_ledger_keys, offsetof(struct wh_config, ledger)},
	{wh_estate_keys, offsetof(struct wh_config, estate)},
	{wh_harden_keys, offsetof(struct wh_config, harden)},
	{wh_intel_keys, offsetof(struct wh_config, intel)},
	{wh_jit_keys, offsetof(struct wh_config, jit)},
	{wh_watch_keys, offsetof(struct wh_config, watch)},
	{wh_azure_keys, offsetof(struct wh_config, azure)},
	{0},
};

static const struct wh_key *find(const char *name, size_t *at)
{
	for (const struct wh_key_table *t = wh_key_tables; t->keys; t++)
		for (const struct wh_key *k = t->keys; k->name; k++)
			if (!strcmp(k->name, name)) {
				*at = t->at;
				return k;
			}
	return NULL;
}

static int fill(struct wh_config *c, const char *file, const struct wh_yaml *root, struct wh_error *err)
{
	const struct wh_key_source src = {file, c->mem};
	size_t n = 0, at = 0;
	for (const struct wh_key_table *t = wh_key_tables; t->keys; t++)
		for (const struct wh_key *k = t->keys; k->name; k++)
			n++;
	const char **known = wh_arena_array(c->mem, n + 1, sizeof *known);
	n = 0;
	for (const struct wh_key_table *t = wh_key_tables; t->keys; t++)
		for (const struct wh_key *k = t->keys; k->name; k++)
			known[n++] = k->name;
	int rc = wh_yaml_check_keys(file, root, known, err);
	for (const struct wh_yaml *v = rc ? NULL : root->child; v && !rc; v = v->next) {
		const struct wh_key *k = find(v->key, &at);
		rc = k ? wh_key_read(&src, k, v, (char *)c + at, err) : 0;
	}
	return rc;
}

int wh_config_load(const char *path, struct wh_config **out, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_config *c;
	struct wh_yaml *root = NULL;
	int rc = 0;

	*out = NULL;
	if (!mem)
		return wh_fail(err, -ENOMEM, "out of memory");
	c = wh_arena_alloc(mem, sizeof *c);
	c->mem = mem;
	if (path || access(WH_DEFAULT_CONFIG, F_OK) == 0) {
		const char *file = path ? path : WH_DEFAULT_CONFIG;
		rc = geteuid() ? 0 : wh_trusted_file(file, err);
		rc = rc ? rc : wh_yaml_parse_file(file, mem, &root, err);
		if (!rc && root)
			rc = fill(c, file, root, err);
	}
	if (rc)
		wh_arena_free(mem);
	else
		*out = c;
	return rc;
}

void wh_config_free(struct wh_config *c)
{
	if (c)
		wh_arena_free(c->mem);
}
