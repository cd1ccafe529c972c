/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of nftables, as `nft list set` prints them and files for `nft -f` define them: elements = { 192.0.2.7 timeout 1d,
 * 198.51.7.0/24 }. In a concatenation (address . port) the address counts; a map's elements have verdicts, and are refused.
 */
#include <string.h>
#include "intel/lines.h"

static const char *next_set(const char *text)
{
	static const char *const openings[] = {"elements", "add element", "define"};
	const char *best = NULL;
	for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
		const char *s = strstr(text, openings[i]);
		const char *open = s ? strchr(s, '{') : NULL;
		const char *line = s ? strchr(s, '\n') : NULL;
		if (open && (!line || open < line || strspn(line, " \t\r\n=") + line == open) && (!best || open < best))
			best = open;
	}
	return best;
}

static int nft_probe(const char *text, size_t len)
{
	(void)len;
	return *text != '{' && *text != '[' && next_set(text) ? 85 : 0;
}

/* The element at s, up to a comma or the closing brace outside of quotes and comments. */
static const char *element_end(const char *s, size_t *lines)
{
	bool quoted = false;
	for (; *s && (quoted || (*s != ',' && *s != '}')); s++) {
		quoted ^= *s == '"';
		*lines += *s == '\n';
		if (*s == '#' && !quoted) {
			s += strcspn(s, "\n");
			s -= !*s;
		}
	}
	return s;
}

static int take(const char *s, const char *end, size_t line, wh_intel_sink each, void *arg, struct wh_intel_parse_stats *st)
{
	while (s < end && (strchr(" \t\r\n", *s) || *s == '#')) {
		line += *s == '\n';
		if (*s == '#')
			s = memchr(s, '\n', (size_t)(end - s)) ? memchr(s, '\n', (size_t)(end - s)) : end;
		else
			s++;
	}
	if (s == end)
		return 0;
	const char *e = s;
	while (e < end && !strchr(" \t\r\n", *e))
		e++;
	for (const char *p = e; p + 2 < end && *p != '"'; p++)
		if (p[0] == ' ' && p[1] == ':' && p[2] == ' ')
			return wh_intel_count(st, line, -EINVAL,
			                      "an element of a map: nothing says whether its address is hostile");
	int rc = wh_intel_token(s, (size_t)(e - s), each, arg);
	const char *kind = rc == -EINVAL ? wh_intel_kind(s, (size_t)(e - s)) : NULL;
	return wh_intel_count(st, line, kind ? 1 : rc, kind ? kind : "neither address, network nor range");
}

static int nft_parse(const struct wh_intel_source *src, const char *text, size_t len, int64_t now_us, wh_intel_sink each,
                     void *arg, struct wh_intel_parse_stats *st, struct wh_error *err)
{
	(void)src, (void)now_us, (void)err, (void)len;
	size_t line = 1;
	const char *at = text;
	int rc = 0;
	for (const char *open; !rc && (open = next_set(at));) {
		for (; at < open; at++)
			line += *at == '\n';
		do {
			size_t began = line;
			const char *s = ++at;
			at = element_end(s, &line);
			rc = take(s, at, began, each, arg, st);
		} while (!rc && *at == ',');
	}
	return rc;
}

const struct wh_intel_format wh_intel_nft = {"nft", "sets of nftables: elements = { … }", nft_probe, nft_parse};
