/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and descriptions within Azure's rules: names up to 80 characters, [A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_])?, unique in a
 * group ignoring case; descriptions up to 140 characters.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "nsg/edit.h"

enum { MAX_DESCRIPTION = 140 };

uint64_t wh_nsg_name_hash(const char *s) /* FNV-1a */
{
	uint64_t h = 14695981039346656037u;
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

static bool alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A text that had to be changed gets a number of its own, so that "a b" and "a/b" do not become one. */
const char *wh_nsg_clean_name(const char *s, size_t max, struct wh_arena *mem)
{
	char *out = wh_arena_strdup(mem, s);
	size_t n = strlen(out);
	bool changed = n > max || !n;
	for (size_t i = 0; i < n; i++)
		if (!alphanumeric(out[i]) && out[i] != '-' && out[i] != '_' && out[i] != '.') {
			out[i] = '-';
			changed = true;
		}
	while (n && (out[n - 1] == '-' || out[n - 1] == '.'))
		out[--n] = 0;
	if (!changed && n == strlen(s))
		return out;
	return wh_arena_printf(mem, "%.*s%s%08x", (int)(n > max - 9 ? max - 9 : n), out, n ? "-" : "",
	                       (unsigned)wh_nsg_name_hash(s));
}

const char *wh_nsg_variant(const char *name, unsigned nth, struct wh_arena *mem)
{
	return wh_arena_printf(mem, "%s-%u", name, nth);
}

const char *wh_nsg_description(struct wh_arena *mem, const char *text)
{
	char *s = wh_arena_strdup(mem, text);
	size_t characters = 0;
	for (char *p = s; *p; p++)
		if (((unsigned char)*p & 0xc0) != 0x80 && ++characters > MAX_DESCRIPTION) {
			*p = 0;
			break;
		}
	return s;
}

const char *wh_nsg_id_part(const struct wh_nsg *nsg, const char *key, struct wh_arena *mem)
{
	const char *id = nsg ? nsg->id : NULL;
	size_t len = strlen(key);
	for (const char *s = id ? strchr(id, '/') : NULL; s; s = strchr(s + 1, '/'))
		if (!strncasecmp(s + 1, key, len) && s[len + 1] == '/' && s[len + 2])
			return wh_arena_printf(mem, "%.*s", (int)strcspn(s + len + 2, "/"), s + len + 2);
	return NULL;
}
