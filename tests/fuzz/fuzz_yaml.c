/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For any bytes the YAML reader gives a tree with its invariants, or an error that names the file. */
#include <stdlib.h>
#include <string.h>
#include "base/yaml.h"

static void check(const struct wh_yaml *n, const struct wh_yaml *parent, int depth)
{
	if (depth > 64 || n->line < 1)
		abort();
	if ((parent && parent->kind == WH_YAML_MAP) != (n->key != NULL))
		abort();
	if ((n->kind == WH_YAML_SCALAR) != (n->scalar != NULL))
		abort();
	if (n->kind == WH_YAML_SCALAR && n->child)
		abort();
	for (const struct wh_yaml *c = n->child; c; c = c->next) {
		check(c, n, depth + 1);
		for (const struct wh_yaml *d = n->kind == WH_YAML_MAP ? c->next : NULL; d; d = d->next)
			if (!strcmp(c->key, d->key))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const known[] = {"name", "addresses", "resources", "id", NULL};
	struct wh_arena *mem = wh_arena_new();
	struct wh_error err = {0};
	struct wh_yaml *root;
	int64_t i;
	double d;
	bool b;

	if (size > 4096) /* the check above is quadratic */
		size = 4096;
	if (wh_yaml_parse("f", (const char *)data, size, mem, &root, &err)) {
		if (root || err.text[0] != 'f')
			abort();
	} else if (root) {
		check(root, NULL, 0);
		wh_yaml_check_keys("f", root, known, &err);
		wh_yaml_int("f", root, -5, 5, &i, &err);
		wh_yaml_double("f", root, &d, &err);
		wh_yaml_bool("f", root, &b, &err);
	}
	wh_arena_free(mem);
	return 0;
}
