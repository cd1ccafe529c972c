/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of a block's rules: the same rule has the same names in every run, so that the next export replaces what this one
 * made. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "render/nsg_plan.h"

enum { MAX_RESOURCE = 44, MOST_DENIES = 8 };

const char *wh_nsg_allow_name(const struct wh_nsg_block *b, const char *suffix, struct wh_arena *mem)
{
	char proto[8];
	const char *p = wh_proto_text(b->rule->proto, proto);
	return wh_arena_printf(mem, "whittle-%s-%s-%s-%u-%s%s", wh_nsg_clean_name(b->resource->name, MAX_RESOURCE, mem),
	                       *p == '*' ? "Any" : p, b->rule->direction == WH_OUTBOUND ? "out" : "in", b->rule->port, suffix,
	                       b->v4 ? "" : "-v6");
}

const char *wh_nsg_deny_name(const struct wh_nsg_block *b, unsigned nth, struct wh_arena *mem)
{
	char proto[8];
	const char *p = wh_proto_text(b->rule->proto, proto), *id = b->resource->id ? b->resource->id : b->resource->name;
	uint64_t h = wh_nsg_name_hash(
		wh_arena_printf(mem, "%s/%d/%u/%u/%d", id, (int)b->rule->direction, b->rule->proto, b->rule->port, b->v4));
	return wh_arena_printf(mem, "%s-%s-DENY-%u", *p == '*' ? "Any" : p, wh_direction_text(b->rule->direction),
	                       (unsigned)((h + nth) % 90000000 + 10000000));
}

/* A name that was already taken gets a number appended. */
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
