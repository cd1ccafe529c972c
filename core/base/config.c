/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/config_parts.h"
#include "base/opener.h"
#include "whittle/config.h"

#ifndef WH_RULES_DIR
#define WH_RULES_DIR "/usr/local/share/whittle/rules"
#endif

/* Paths in whittle.yaml are relative to the file that names them, so that they mean the same from every directory. */
const char *wh_config_beside(const struct wh_config *c, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	if (*path == '/' || !slash || strchr(path, ':'))
		return wh_arena_strdup(c->mem, path);
	return wh_arena_printf(c->mem, "%.*s/%s", (int)(slash - file), file, path);
}

int wh_config_text(const char *file, const struct wh_yaml *n, const char **out, struct wh_error *err)
{
	if (n->kind != WH_YAML_SCALAR || !*n->scalar)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a text, not %s", file, n->line, n->key ? n->key : "an entry of the list",
		                     n->kind == WH_YAML_LIST ? "a list" : n->kind == WH_YAML_MAP ? "a map" : "empty");
	*out = n->scalar;
	return 0;
}

/* Calls `each` for every text in a list; a lone text is a list of one. */
static int list_of(const char *file, const struct wh_yaml *n, struct wh_config *c,
                   int (*each)(struct wh_config *c, const char *file, const struct wh_yaml *item, const char *text, struct wh_error *err),
                   struct wh_error *err)
{
	const char *text;
	int rc = 0;

	if (n->kind == WH_YAML_MAP)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a list, not a map", file, n->line, n->key);
	if (n->kind == WH_YAML_SCALAR)
		return (rc = wh_config_text(file, n, &text, err)) ? rc : each(c, file, n, text, err);
	for (const struct wh_yaml *k = n->child; k && !rc; k = k->next)
		if (!(rc = wh_config_text(file, k, &text, err)))
			rc = each(c, file, k, text, err);
	return rc;
}

static size_t count(const struct wh_yaml *n)
{
	size_t k = n->kind == WH_YAML_SCALAR;
	for (const struct wh_yaml *i = n->child; i; i = i->next)
		k++;
	return k;
}

static int add_trusted(struct wh_config *c, const char *file, const struct wh_yaml *item, const char *text, struct wh_error *err)
{
	bool host_bits;
	char buf[WH_PREFIX_STRLEN];
	struct wh_prefix p;

	if (wh_prefix_parse(text, strlen(text), &p, &host_bits))
		return wh_fail_input(err, -EINVAL, "%s:%d: '%.60s' is neither an address nor a prefix", file, item->line, text);
	/* here a slip would keep more open than was meant, so it is not read generously */
	if (host_bits)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%.60s' has host bits set; did you mean '%s'?", file, item->line, text,
		                     wh_prefix_text(&p, buf));
	c->trusted[c->n_trusted++] = p;
	return 0;
}

/* A list with its settings: {name: …, file: … | command: …, format: …, column: …, min-score: …, max-age: …}. */
static int intel_map(struct wh_config *c, const char *file, const struct wh_yaml *item, struct wh_intel_source *s, struct wh_error *err)
{
	static const char *const known[] = {"name", "file", "command", "format", "column", "min-score", "max-age", NULL};
	const char *text = "";
	int rc = wh_yaml_check_keys(file, item, known, err);

	for (const struct wh_yaml *n = rc ? NULL : item->child; n && !rc; n = n->next) {
		if (!strcmp(n->key, "min-score")) {
			rc = wh_yaml_int(file, n, 0, 1000, &s->min_score, err);
		} else if (!strcmp(n->key, "max-age")) {
			rc = wh_config_duration(file, n, &s->max_age_s, err);
		} else if (!(rc = wh_config_text(file, n, &text, err))) {
			if (!strcmp(n->key, "file"))
				s->file = wh_config_beside(c, file, text);
			else
				*(!strcmp(n->key, "name") ? &s->name : !strcmp(n->key, "command") ? &s->command : !strcmp(n->key, "format") ? &s->format
				                                                                                                     : &s->column) =
					wh_arena_strdup(c->mem, text);
		}
	}
	if (!rc && !s->file == !s->command)
		rc = wh_fail_input(err, -EINVAL, "%s:%d: a threat list takes either a file or a command", file, item->line);
	if (!rc && !s->name && !s->file)
		rc = wh_fail_input(err, -EINVAL, "%s:%d: a threat list from a command needs a name", file, item->line);
	return rc;
}

static int set_intel(struct wh_config *c, const char *file, const struct wh_yaml *list, struct wh_error *err)
{
	const char *text, *slash;
	int rc = 0;

	if (list->kind == WH_YAML_MAP)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a list, not a map", file, list->line, list->key);
	c->threat_intel = wh_arena_array(c->mem, count(list) + 1, sizeof *c->threat_intel);
	for (const struct wh_yaml *k = list->kind == WH_YAML_LIST ? list->child : list; k && !rc; k = k->next) {
		struct wh_intel_source *s = &c->threat_intel[c->n_threat_intel++];
		if (k->kind == WH_YAML_MAP)
			rc = intel_map(c, file, k, s, err);
		else if (!(rc = wh_config_text(file, k, &text, err)))
			s->file = wh_config_beside(c, file, text);
		if (!rc && !s->name)
			s->name = (slash = strrchr(s->file, '/')) ? slash + 1 : s->file;
		for (size_t i = 0; !rc && i + 1 < c->n_threat_intel; i++)
			if (!strcmp(c->threat_intel[i].name, s->name))
				rc = wh_fail_input(err, -EEXIST, "%s:%d: there are two threat lists named '%s'", file, k->line, s->name);
		if (k == list)
			break;
	}
	return rc;
}

static int set_discover(const char *file, const struct wh_yaml *n, struct wh_config *c, struct wh_error *err)
{
	/* a list is accepted too: [10.0.0.0/8, …] */
	char *joined = NULL;
	const char *text;
	int rc;

	if (n->kind == WH_YAML_SCALAR) {
		if (!(rc = wh_config_text(file, n, &text, err)))
			c->discover = wh_arena_strdup(c->mem, text);
		return rc;
	}
	for (const struct wh_yaml *k = n->kind == WH_YAML_LIST ? n->child : NULL; k; k = k->next) {
		if ((rc = wh_config_text(file, k, &text, err)))
			return rc;
		joined = joined ? wh_arena_printf(c->mem, "%s,%s", joined, text) : wh_arena_strdup(c->mem, text);
	}
	if (!joined)
		return wh_fail_input(err, -EINVAL, "%s:%d: 'discover' must be off, or prefixes", file, n->line);
	c->discover = joined;
	return 0;
}

static int set_ports(const char *file, const struct wh_yaml *n, struct wh_config *c, struct wh_error *err)
{
	char *joined = NULL;
	const char *text;
	int rc;

	if (n->kind == WH_YAML_MAP)
		return wh_fail_input(err, -EINVAL, "%s:%d: 'ports' must be all, or a list like [22, 443/tcp], not a map", file, n->line);
	if (n->kind == WH_YAML_SCALAR) {
		if (!(rc = wh_config_text(file, n, &text, err)))
			c->ports = wh_arena_strdup(c->mem, text);
		return rc;
	}
	for (const struct wh_yaml *k = n->child; k; k = k->next) {
		if ((rc = wh_config_text(file, k, &text, err)))
			return rc;
		joined = joined ? wh_arena_printf(c->mem, "%s,%s", joined, text) : wh_arena_strdup(c->mem, text);
	}
	if (!joined)
		return wh_fail_input(err, -EINVAL, "%s:%d: 'ports' is an empty list", file, n->line);
	c->ports = joined;
	return 0;
}

int wh_config_duration(const char *file, const struct wh_yaml *n, int64_t *out, struct wh_error *err)
{
	const char *text = "";
	int rc = wh_config_text(file, n, &text, err);
	if (!rc && (wh_duration_parse(text, out) || *out < 1))
		rc = wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a time such as 10s, 5m or 2h, not '%.60s'", file, n->line, n->key, text);
	return rc;
}

static int set_size(const char *file, const struct wh_yaml *n, uint64_t *out, struct wh_error *err)
{
	const char *text;
	int rc = wh_config_text(file, n, &text, err);
	if (!rc && (wh_size_parse(text, out) || *out < 1 << 20))
		rc = wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a size of at least 1MiB such as 64MiB, not '%.60s'", file, n->line, n->key, text);
	return rc;
}

int wh_directions_parse(const char *text, enum wh_directions *out)
{
	static const char *const names[] = {"inbound", "outbound", "both"};
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(text, names[i])) {
			*out = (enum wh_directions)i;
			return 0;
		}
	return -EINVAL;
}

static int fill(struct wh_config *c, const char *file, const struct wh_yaml *root, struct wh_error *err)
{
	static const char *const known[] = {"store", "discover", "ports", "rules-dir", "memory-limit", "flush-interval", "min-days",
	                                    "max-prefixes", "max-prefixes-nsg", "stable-days", "window-days", "direction", "trusted", "threat-intel", "jit", "watch", "azure", "nsg-scope", "platform", NULL};
	const char *text;
	int rc = wh_yaml_check_keys(file, root, known, err);

	for (const struct wh_yaml *n = rc ? NULL : root->child; n && !rc; n = n->next) {
		if (!strcmp(n->key, "store")) {
			if (!(rc = wh_config_text(file, n, &text, err)))
				c->store = wh_config_beside(c, file, text);
		} else if (!strcmp(n->key, "rules-dir")) {
			if (!(rc = wh_config_text(file, n, &text, err)))
				c->rules_dir = wh_config_beside(c, file, text);
		} else if (!strcmp(n->key, "discover")) {
			rc = set_discover(file, n, c, err);
		} else if (!strcmp(n->key, "ports")) {
			rc = set_ports(file, n, c, err);
		} else if (!strcmp(n->key, "memory-limit")) {
			rc = set_size(file, n, &c->memory_limit, err);
		} else if (!strcmp(n->key, "flush-interval")) {
			rc = wh_config_duration(file, n, &c->flush_interval, err);
		} else if (!strcmp(n->key, "min-days")) {
			rc = wh_yaml_int(file, n, 1, 64, &c->min_days, err);
		} else if (!strcmp(n->key, "max-prefixes")) {
			rc = wh_yaml_int(file, n, 1, 4000, &c->max_prefixes, err);
		} else if (!strcmp(n->key, "max-prefixes-nsg")) {
			rc = wh_yaml_int(file, n, 1, 4000, &c->max_prefixes_nsg, err);
		} else if (!strcmp(n->key, "stable-days")) {
			rc = wh_yaml_int(file, n, 0, 21, &c->stable_days, err);
		} else if (!strcmp(n->key, "window-days")) {
			rc = wh_yaml_int(file, n, 7, 64, &c->window_days, err);
		} else if (!strcmp(n->key, "direction")) {
			if (!(rc = wh_config_text(file, n, &text, err)) && wh_directions_parse(text, &c->directions))
				rc = wh_fail_input(err, -EINVAL, "%s:%d: 'direction' must be inbound, outbound or both, not '%.60s'", file, n->line, text);
		} else if (!strcmp(n->key, "trusted")) {
			c->trusted = wh_arena_array(c->mem, count(n) + 1, sizeof *c->trusted);
			rc = list_of(file, n, c, add_trusted, err);
		} else if (!strcmp(n->key, "threat-intel")) {
			rc = set_intel(c, file, n, err);
		} else if (!strcmp(n->key, "jit")) {
			rc = wh_config_jit(c, file, n, err);
		} else if (!strcmp(n->key, "watch")) {
			rc = wh_config_watch(c, file, n, err);
		} else if (!strcmp(n->key, "azure")) {
			rc = wh_config_azure(c, file, n, err);
		} else if (!strcmp(n->key, "nsg-scope")) {
			rc = wh_config_nsg_scope(c, file, n, err);
		} else if (!strcmp(n->key, "platform")) {
			if (!(rc = wh_config_text(file, n, &text, err)) && wh_platform_parse(text, &c->platform))
				rc = wh_fail_input(err, -EINVAL, "%s:%d: 'platform' must be azure, other or auto, not '%.60s'", file, n->line, text);
		}
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
		rc = wh_yaml_parse_file(file, mem, &root, err);
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

/* Where rules/ stands relative to the program or plugin at `object`: wh_config_beside it when installed, or above it in the source
 * tree, which is known by include/whittle/base.h. */
static bool rules_near(const char *object, const char *name, char *buf, size_t size)
{
	char dir[PATH_MAX], probe[PATH_MAX + 64];

	if (!realpath(object, dir))
		return false;
	for (int up = 0; up < 5; up++) {
		char *slash = strrchr(dir, '/');
		if (!slash)
			return false;
		*slash = 0;
		if (up == 0)
			continue;
		if (up == 1 && snprintf(buf, size, "%s/share/whittle/rules/%s", dir, name) < (int)size && wh_readable(buf))
			return true;
		snprintf(probe, sizeof probe, "%s/include/whittle/base.h", dir);
		if (access(probe, F_OK) == 0 && snprintf(buf, size, "%s/rules/%s", dir, name) < (int)size && wh_readable(buf))
			return true;
	}
	return false;
}

int wh_config_rules_path(const struct wh_config *c, const char *name, char *buf, size_t size, struct wh_error *err)
{
	const char *dir = c && c->rules_dir ? c->rules_dir : secure_getenv("WHITTLE_RULES");
	Dl_info self;

	if (dir && *dir) {
		if (snprintf(buf, size, "%s/%s", dir, name) >= (int)size)
			return wh_fail_input(err, -ENAMETOOLONG, "%s/%s: the path is too long", dir, name);
		if (wh_readable(buf))
			return 0;
		return wh_fail_input(err, -errno, "%s: cannot be read: %s (%s)", buf, strerror(errno),
		                     c && c->rules_dir ? "rules-dir in whittle.yaml" : "$WHITTLE_RULES");
	}
	if (rules_near("/proc/self/exe", name, buf, size))
		return 0;
	/* within the plugin, the program is Suricata: look wh_config_beside the shared object */
	if (dladdr(&wh_prefix_all_v4, &self) && self.dli_fname && rules_near(self.dli_fname, name, buf, size))
		return 0;
	if (snprintf(buf, size, "%s/%s", WH_RULES_DIR, name) < (int)size && wh_readable(buf))
		return 0;
	return wh_fail_input(err, -ENOENT, "%s: not found in %s; set rules-dir in whittle.yaml, or $WHITTLE_RULES", name, WH_RULES_DIR);
}
