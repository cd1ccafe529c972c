/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "serve/target.h"

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes n bytes of text; NULL if they are malformed. */
static const char *decode(const char *text, size_t n, bool plus, struct wh_arena *mem)
{
	char *out = wh_arena_alloc(mem, n + 1), *p = out;
	for (size_t i = 0; i < n; i++) {
		if (text[i] != '%') {
			*p++ = plus && text[i] == '+' ? ' ' : text[i];
			continue;
		}
		int high = n - i < 3 ? -1 : hex(text[i + 1]), low = high < 0 ? -1 : hex(text[i + 2]);
		if (low < 0 || !(high | low))
			return NULL;
		*p = (char)(high << 4 | low);
		p++;
		i += 2;
	}
	return wh_text_unprintable(out) ? NULL : out;
}

static int refuse(struct wh_error *err, const char *why)
{
	return wh_fail_input(err, -EINVAL, "the path cannot be read: %s", why);
}

static int add_parameter(const char *text, size_t n, struct wh_arena *mem, struct wh_target *out, struct wh_error *err)
{
	const char *equals = memchr(text, '=', n);
	size_t len = equals ? (size_t)(equals - text) : n;
	const char *name = decode(text, len, true, mem), *value = equals ? decode(equals + 1, n - len - 1, true, mem) : "";
	if (!name || !value || !*name)
		return refuse(err, "a parameter has no name, or is no text");
	if (out->n_parameters == WH_PARAMETERS)
		return refuse(err, "too many parameters");
	for (size_t i = 0; i < out->n_parameters; i++)
		if (!strcmp(out->parameters[i].name, name))
			return refuse(err, "a parameter is there twice");
	out->parameters[out->n_parameters].name = name;
	out->parameters[out->n_parameters++].value = value;
	return 0;
}

static int add_segment(const char *text, size_t n, struct wh_arena *mem, struct wh_target *out, struct wh_error *err)
{
	const char *s = decode(text, n, false, mem);
	if (!s || !*s || !strcmp(s, ".") || !strcmp(s, ".."))
		return refuse(err, "a part of it is empty, relative, or no text");
	if (out->n == WH_SEGMENTS)
		return refuse(err, "it has too many parts");
	out->segments[out->n++] = s;
	return 0;
}

int wh_target_parse(const char *text, struct wh_arena *mem, struct wh_target *out, struct wh_error *err)
{
	size_t path = strcspn(text, "?#");
	int rc = *text == '/' && text[path] != '#' && !strchr(text, '#') ? 0
	                                                                 : refuse(err, "it begins with / and has no fragment");
	*out = (struct wh_target){.n = 0};
	/* "/" before a scope that begins with one: Azure's client writes that */
	for (size_t at = 1 + (path > 2 && text[1] == '/'), n; !rc && at < path; at += n + 1) {
		n = strcspn(text + at, "/?");
		rc = add_segment(text + at, n, mem, out, err);
	}
	if (!rc && path > 1 && text[path - 1] == '/')
		rc = refuse(err, "it ends with /");
	for (const char *q = text[path] ? text + path + 1 : ""; !rc && *q;) {
		size_t n = strcspn(q, "&");
		if (n)
			rc = add_parameter(q, n, mem, out, err);
		q += n + (q[n] != 0);
	}
	return rc;
}

const char *wh_target_parameter(const struct wh_target *t, const char *name)
{
	for (size_t i = 0; i < t->n_parameters; i++)
		if (!strcasecmp(t->parameters[i].name, name))
			return t->parameters[i].value;
	return "";
}

static size_t words_of(const char *pattern)
{
	size_t n = 0;
	for (; *pattern; pattern++)
		n += *pattern == '/';
	return n;
}

static const char *join(const char *const *segments, size_t n, struct wh_arena *mem)
{
	const char *all = "";
	for (size_t i = 0; i < n; i++)
		all = wh_arena_printf(mem, "%s/%s", all, segments[i]);
	return all;
}

bool wh_target_matches(const struct wh_target *t, const char *pattern, struct wh_arena *mem,
                       const char *values[static WH_PATTERN_VALUES])
{
	size_t words = words_of(pattern), at = 0, n = 0, many = 0;
	if (!strncmp(pattern, "/{scope*}", 9)) {
		if (t->n < words)
			return false;
		many = t->n - words + 1;
	} else if (t->n != words) {
		return false;
	}
	for (const char *p = pattern + 1; *p || at < t->n;) {
		size_t len = strcspn(p, "/");
		if (many) {
			at = many;
			n++;
		} else if (*p == '{') {
			if (n < WH_PATTERN_VALUES)
				values[n++] = t->segments[at];
			at++;
		} else if (strlen(t->segments[at]) != len || strncasecmp(t->segments[at], p, len)) {
			return false;
		} else {
			at++;
		}
		if (many)
			values[0] = NULL; /* joined below, once all else matches */
		many = 0;
		p += len + (p[len] == '/');
	}
	if (!strncmp(pattern, "/{scope*}", 9))
		values[0] = join(t->segments, t->n - words + 1, mem);
	return true;
}

const char *wh_target_encode(const char *segment, struct wh_arena *mem)
{
	char *out = wh_arena_alloc(mem, 3 * strlen(segment) + 1), *p = out;
	for (; *segment; segment++) {
		unsigned char c = (unsigned char)*segment;
		if (isalnum(c) || strchr("-._~", c))
			*p++ = (char)c;
		else
			p += sprintf(p, "%%%02X", c);
	}
	return out;
}
