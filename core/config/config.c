/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cap-ng.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/bytes.h"
#include "base/json.h"
#include "base/service_user.h"
#include "base/trusted_path.h"
#include "base/yaml.h"
#include "config/tables.h"

enum { MAX_BYTES = 64 << 20 };

const struct wh_key_table wh_key_tables[] = {
	{wh_ledger_keys, offsetof(struct wh_config, ledger)},
	{wh_estate_keys, offsetof(struct wh_config, estate)},
	{wh_harden_keys, offsetof(struct wh_config, harden)},
	{wh_intel_keys, offsetof(struct wh_config, intel)},
	{wh_enforce_keys, offsetof(struct wh_config, enforce)},
	{wh_jit_keys, offsetof(struct wh_config, jit)},
	{wh_watch_keys, offsetof(struct wh_config, watch)},
	{wh_azure_keys, offsetof(struct wh_config, azure)},
	{wh_alert_keys, offsetof(struct wh_config, alerts)},
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

int wh_config_fill(struct wh_config *c, const char *file, const char *text, size_t len, struct wh_error *err)
{
	struct wh_yaml *root = NULL;
	int rc = wh_yaml_parse(file, text, len, c->mem, &root, err);
	return rc || !root ? rc : fill(c, file, root, err);
}

void wh_config_put(struct wh_bytes *b, const struct wh_config *c)
{
	for (const struct wh_key_table *t = wh_key_tables; t->keys; t++)
		wh_keys_put(b, t->keys, (const char *)c + t->at);
}

int wh_config_take(struct wh_taking *from, struct wh_config *c)
{
	for (const struct wh_key_table *t = wh_key_tables; t->keys; t++)
		wh_keys_take(from, t->keys, c->mem, (char *)c + t->at);
	return from->failed || from->n ? -EBADMSG : 0;
}

/* Whether a parser's flaw would give away more rights than the file's own user has. */
static bool privileged(void)
{
	return geteuid() == 0 || capng_get_caps_process() || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE;
}

static int load_here(struct wh_config *c, const char *file, struct wh_error *err)
{
	char *text;
	size_t len;
	int rc = wh_read_file(file, MAX_BYTES, &text, &len, err);
	rc = rc ? rc : wh_config_fill(c, file, text, len, err);
	free(text);
	return rc;
}

static int load_apart(struct wh_config *c, const char *file, struct wh_error *err)
{
	/* a FIFO without a writer must not hang a command */
	int fd = wh_trusted_open(file, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0)
		return wh_fail_input(err, fd, "%s: cannot be read: %s", file, strerror(-fd));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	int rc = wh_config_fill_apart(c, file, fd, err);
	close(fd);
	return rc;
}

static int load(const char *path, bool apart, struct wh_config **out, struct wh_error *err)
{
	const char *file = path ? path : WH_DEFAULT_CONFIG;
	struct wh_arena *mem = wh_arena_new();
	int rc = 0;
	*out = NULL;
	if (!mem)
		return wh_fail(err, -ENOMEM, "out of memory");
	struct wh_config *c = wh_arena_alloc(mem, sizeof *c);
	c->mem = mem;
	if (path || access(WH_DEFAULT_CONFIG, F_OK) == 0) {
		rc = wh_is_root_or_service(geteuid()) ? wh_trusted_file(file, err) : 0;
		rc = rc ? rc : apart && strcmp(file, "-") && privileged() ? load_apart(c, file, err) : load_here(c, file, err);
	}
	if (rc)
		wh_arena_free(mem);
	else
		*out = c;
	return rc;
}

int wh_config_load(const char *path, struct wh_config **out, struct wh_error *err)
{
	return load(path, false, out, err);
}

int wh_config_load_apart(const char *path, struct wh_config **out, struct wh_error *err)
{
	return load(path, true, out, err);
}

void wh_config_free(struct wh_config *c)
{
	if (c)
		wh_arena_free(c->mem);
}
