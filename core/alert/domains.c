/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules/domains.yaml: lists of domains by category. */
#include <stdlib.h>
#include <string.h>
#include "base/yaml.h"
#include "whittle/alert.h"

static const char *const words[] = {"listed", "sinkhole", "phishing", "darkweb", "darkweb-proxy", "mining", "cloud", NULL};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct wh_alert_domain *)a)->name, ((const struct wh_alert_domain *)b)->name);
}

const struct wh_alert_domain *wh_alert_domain_of(const struct wh_alert_domains *d, const char *name)
{
	for (const char *p = name, *dot; d && d->n && p; p = (dot = strchr(p, '.')) ? dot + 1 : NULL) {
		const struct wh_alert_domain like = {.name = p}, *is = bsearch(&like, d->at, d->n, sizeof like, by_name);
		if (is)
			return is;
	}
	return NULL;
}

/* In lower case, without a dot at either end. */
static bool is_domain(const char *name)
{
	size_t n = strlen(name);
	if (!n || n > 253 || *name == '.')
		return false;
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' ||
		      (*c == '.' && c[1] && c[1] != '.')))
			return false;
	return true;
}

static int read_list(const char *path, const struct wh_yaml *list, enum wh_domain_category category, struct wh_alert_domains *out,
                     struct wh_error *err)
{
	if (list->kind != WH_YAML_LIST)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' takes a list of domains", path, list->line, list->key);
	for (const struct wh_yaml *v = list->child; v; v = v->next) {
		if (v->kind != WH_YAML_SCALAR || !is_domain(v->scalar))
			return wh_fail_input(err, -EINVAL, "%s:%d: '%.60s' is not a domain name in lower case", path, v->line,
			                     v->kind == WH_YAML_SCALAR ? v->scalar : "");
		out->at[out->n++] = (struct wh_alert_domain){v->scalar, category};
	}
	return 0;
}

int wh_alert_domains_load(const char *path, struct wh_arena *mem, struct wh_alert_domains *out, struct wh_error *err)
{
	struct wh_yaml *root;
	size_t n = 0;
	memset(out, 0, sizeof *out);
	int rc = wh_yaml_parse_file(path, mem, &root, err);
	if (rc || !root)
		return rc;
	if (root->kind != WH_YAML_MAP)
		return wh_fail_input(err, -EINVAL, "%s: it has no lists of domains", path);
	rc = wh_yaml_check_keys(path, root, words, err);
	for (const struct wh_yaml *list = root->child; list; list = list->next)
		for (const struct wh_yaml *v = list->child; v; v = v->next)
			n++;
	out->at = wh_arena_array(mem, n + 1, sizeof *out->at);
	for (const struct wh_yaml *list = root->child; list && !rc; list = list->next)
		rc = read_list(path, list, (enum wh_domain_category)wh_key_choice(words, list->key), out, err);
	if (out->n)
		qsort(out->at, out->n, sizeof *out->at, by_name);
	return rc;
}
