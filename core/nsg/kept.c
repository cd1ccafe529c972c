/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that a deny of ours disables, and keeps until a day: the deny's description carries name and day, so that they are known
 * wherever the group goes. */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "whittle/nsg.h"

#define UNTIL " until "

static bool is_day(const char *s)
{
	for (size_t i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? s[i] != '-' : !isdigit((unsigned char)s[i]))
			return false;
	return true;
}

bool wh_kept_parse(const char *description, struct wh_arena *mem, struct wh_kept *out)
{
	if (!description || strncmp(description, WH_NSG_KEEPS, strlen(WH_NSG_KEEPS)) != 0)
		return false;
	const char *name = description + strlen(WH_NSG_KEEPS), *until = strstr(name, UNTIL);
	if (!until || until == name || strlen(until) < strlen(UNTIL) + 10 || !is_day(until + strlen(UNTIL)))
		return false;
	*out = (struct wh_kept){.rule = wh_arena_printf(mem, "%.*s", (int)(until - name), name)};
	memcpy(out->until, until + strlen(UNTIL), 10);
	return true;
}

const char *wh_kept_text(const char *rule, const char *until, struct wh_arena *mem)
{
	return wh_arena_printf(mem, WH_NSG_KEEPS "%s" UNTIL "%s", rule, until);
}

size_t wh_nsg_kept(const struct wh_nsg *nsg, struct wh_arena *mem, struct wh_kept **out)
{
	size_t n = 0;
	*out = wh_arena_array(mem, nsg->n_rules + 1, sizeof **out);
	for (size_t i = 0; i < nsg->n_rules; i++) {
		struct wh_kept k;
		bool had = false;
		if (nsg->rules[i].allow || !wh_kept_parse(nsg->rules[i].description, mem, &k) || !wh_rule_named(nsg, k.rule))
			continue;
		k.nsg = nsg->name;
		for (size_t j = 0; j < n; j++)
			if (!strcasecmp((*out)[j].rule, k.rule)) {
				had = true;
				if (strcmp(k.until, (*out)[j].until) > 0) /* the latest day holds */
					memcpy((*out)[j].until, k.until, sizeof k.until);
			}
		if (!had)
			(*out)[n++] = k;
	}
	return n;
}
