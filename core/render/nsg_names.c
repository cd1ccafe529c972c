/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and descriptions within Azure's rules: names up to 80 characters, [A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_])?, unique in a
 * group whatever their case; descriptions up to 140 characters. The same rule has the same names in every run, so that the next
 * export replaces what this one made.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"

enum { MAX_DESCRIPTION = 140, MAX_RESOURCE = 44, MOST_DENIES = 8 };

static uint64_t fnv1a(const char *s)
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
	return wh_arena_printf(mem, "%.*s%s%08x", (int)(n > max - 9 ? max - 9 : n), out, n ? "-" : "", (unsigned)fnv1a(s));
}

const char *wh_nsg_allow_name(const struct wh_nsg_block *b, const char *suffix, struct wh_arena *mem)
{
	char proto[8];
	const char *p = wh_proto_text(b->rule->proto, proto);
	return wh_arena_printf(mem, "whittle-%s-%s-%s-%u-%s%s", wh_nsg_clean_name(b->resource->name, MAX_RESOURCE, mem), *p == '*' ? "Any" : p,
	                       b->rule->direction == WH_OUTBOUND ? "out" : "in", b->rule->port, suffix, b->v4 ? "" : "-v6");
}

const char *wh_nsg_deny_name(const struct wh_nsg_block *b, unsigned nth, struct wh_arena *mem)
{
	char proto[8];
	const char *p = wh_proto_text(b->rule->proto, proto), *id = b->resource->id ? b->resource->id : b->resource->name;
	uint64_t h = fnv1a(wh_arena_printf(mem, "%s/%d/%u/%u/%d", id, (int)b->rule->direction, b->rule->proto, b->rule->port, b->v4));
	return wh_arena_printf(mem, "%s-%s-DENY-%u", *p == '*' ? "Any" : p, wh_direction_text(b->rule->direction), (unsigned)((h + nth) % 90000000 + 10000000));
}

const char *wh_nsg_variant(const char *name, unsigned nth, struct wh_arena *mem)
{
	return wh_arena_printf(mem, "%s-%u", name, nth);
}

/* A name that was taken got a number behind it. */
static bool is_variant(const char *name, const char *of)
{
	size_t n = strlen(of);
	if (strncasecmp(name, of, n) != 0)
		return false;
	return !name[n] || (name[n] == '-' && name[n + 1] && strspn(name + n + 1, "0123456789") == strlen(name + n + 1));
}

bool wh_nsg_is_name_of(const char *name, const struct wh_nsg_block *b, struct wh_arena *mem)
{
	static const char *const suffixes[] = {"allow", "except", "probes"};
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
		if (is_variant(name, wh_nsg_allow_name(b, suffixes[i], mem)))
			return true;
	for (unsigned nth = 0; nth < MOST_DENIES; nth++)
		if (is_variant(name, wh_nsg_deny_name(b, nth, mem)))
			return true;
	return false;
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
