/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys and values of a parsed document, each checked, with the line and the nearest right word in every error. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/yaml.h"

int wh_yaml_check_keys(const char *name, const struct wh_yaml *map, const char *const known[], struct wh_error *err)
{
	if (map->kind != WH_YAML_MAP)
		return wh_fail_input(err, -EINVAL, "%s:%d: %s%s%sa map of keys is wanted here ('%s: …')", name, map->line,
		                     map->key ? "'" : "", map->key ? map->key : "", map->key ? "': " : "",
		                     known[0] ? known[0] : "key");
	for (const struct wh_yaml *n = map->child; n; n = n->next) {
		size_t i = 0;
		while (known[i] && strcmp(known[i], n->key))
			i++;
		if (known[i])
			continue;
		const char *near = wh_nearest(n->key, known);
		return wh_fail_input(err, -EINVAL, "%s:%d: unknown key '%.60s'%s%s%s", name, n->line, n->key,
		                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	return 0;
}

static int wrong_type(const char *name, const struct wh_yaml *node, const char *wanted, struct wh_error *err)
{
	const char *is = node->kind == WH_YAML_LIST ? "a list" : node->kind == WH_YAML_MAP ? "a map" : NULL;
	if (is)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be %s, not %s", name, node->line,
		                     node->key ? node->key : "this", wanted, is);
	return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be %s, not %s%.60s%s", name, node->line,
	                     node->key ? node->key : "this", wanted, node->quoted ? "\"" : "'", node->scalar,
	                     node->quoted ? "\"" : "'");
}

int wh_yaml_bool(const char *name, const struct wh_yaml *node, bool *out, struct wh_error *err)
{
	static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
	if (node->kind == WH_YAML_SCALAR && !node->quoted)
		for (int i = 0; i < 3; i++) {
			if (!strcasecmp(node->scalar, yes[i]))
				return *out = true, 0;
			if (!strcasecmp(node->scalar, no[i]))
				return *out = false, 0;
		}
	return wrong_type(name, node, "true or false", err);
}

int wh_yaml_int(const char *name, const struct wh_yaml *node, int64_t min, int64_t max, int64_t *out, struct wh_error *err)
{
	char wanted[96], *stop;
	snprintf(wanted, sizeof wanted, "a whole number from %" PRId64 " to %" PRId64, min, max);
	if (node->kind != WH_YAML_SCALAR || node->quoted || !*node->scalar || isspace((unsigned char)*node->scalar))
		return wrong_type(name, node, wanted, err);
	errno = 0;
	long long v = strtoll(node->scalar, &stop, 10);
	if (*stop || errno || v < min || v > max)
		return wrong_type(name, node, wanted, err);
	*out = v;
	return 0;
}

int wh_yaml_double(const char *name, const struct wh_yaml *node, double *out, struct wh_error *err)
{
	char *stop;
	if (node->kind != WH_YAML_SCALAR || node->quoted || !*node->scalar ||
	    node->scalar[strspn(node->scalar, "+-0123456789.eE")] != 0) /* neither hexadecimal, nor "nan", nor spaces */
		return wrong_type(name, node, "a number", err);
	double v = strtod(node->scalar, &stop);
	if (*stop || stop == node->scalar || !isfinite(v))
		return wrong_type(name, node, "a number", err);
	*out = v;
	return 0;
}

/* ---- the nearest word ---- */

#define MAX_WORD 40

static char plain(char c)
{
	return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Edit distance with swaps of neighbours (optimal string alignment); differences of case and of _ and - cost nothing. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned d[MAX_WORD + 1][MAX_WORD + 1];
	for (size_t i = 0; i <= n; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			char x = plain(a[i - 1]), y = plain(b[j - 1]);
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (x != y));
			if (i > 1 && j > 1 && x == plain(b[j - 2]) && plain(a[i - 2]) == y && d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	return d[n][m];
}

const char *wh_nearest(const char *word, const char *const words[])
{
	const char *best = NULL;
	size_t n = strlen(word);
	unsigned limit = (unsigned)(n + 2) / 3 + 1; /* the lowest distance that is too far */

	if (n == 0 || n > MAX_WORD)
		return NULL;
	for (size_t i = 0; words[i]; i++) {
		size_t m = strlen(words[i]);
		if (m > MAX_WORD)
			continue;
		unsigned d = distance(word, n, words[i], m);
		/* an unfinished word ("recom") counts as near */
		if (n >= 3 && n < m && d == m - n && !strncasecmp(word, words[i], n))
			d = d < limit - 1 ? d : limit - 1;
		if (d < limit) {
			limit = d;
			best = words[i];
		}
	}
	return best;
}
