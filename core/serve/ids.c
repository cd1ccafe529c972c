/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <strings.h>
#include "serve/call.h"

#define LOCAL                                                                                                                    \
	"/subscriptions/" WH_LOCAL_SUBSCRIPTION "/resourceGroups/" WH_LOCAL_GROUP "/providers/Microsoft.HybridCompute/machines/"

const char *wh_call_id(const char *name, const char *id, struct wh_arena *mem)
{
	return id && *id == '/' ? id : wh_arena_printf(mem, LOCAL "%s", name);
}

/* The part of an id after "/KEY/", up to the next slash; its length in *n, 0 where there is none. */
static const char *part(const char *id, const char *key, size_t *n)
{
	size_t len = strlen(key);
	for (const char *p = id; p && *p; p = strchr(p + 1, '/'))
		if (*p == '/' && !strncasecmp(p + 1, key, len) && p[len + 1] == '/') {
			*n = strcspn(p + len + 2, "/");
			return p + len + 2;
		}
	*n = 0;
	return "";
}

static bool same(const char *id, const char *key, const char *wanted)
{
	size_t n;
	const char *is = part(id, key, &n);
	return n && n == strlen(wanted) && !strncasecmp(is, wanted, n);
}

bool wh_id_within(const char *id, const char *subscription, const char *group)
{
	return same(id, "subscriptions", subscription) && (!group || same(id, "resourceGroups", group));
}

const char *wh_call_resource(const struct wh_call *c, size_t n)
{
	const char *id = "";
	for (size_t i = 0; i < n && i < c->target.n; i++)
		id = wh_arena_printf(c->mem, "%s/%s", id, c->target.segments[i]);
	return strncasecmp(id, LOCAL, sizeof LOCAL - 1) ? id : id + sizeof LOCAL - 1;
}
