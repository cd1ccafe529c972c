/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Assets: found by type and id, each with its parent, and the children inside their parents' objects. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "assess/policy_parts.h"
#include "base/array.h"

static int by_text(const char *x, const char *y)
{
	return x && y ? strcasecmp(x, y) : (x != NULL) - (y != NULL);
}

static int by_type_then_id(const void *a, const void *b, void *list)
{
	const struct wh_asset *x = (const struct wh_asset *)list + *(const size_t *)a,
			      *y = (const struct wh_asset *)list + *(const size_t *)b;
	int c = by_text(x->type, y->type);
	return c ? c : by_text(x->id, y->id);
}

static int by_id(const void *a, const void *b, void *list)
{
	return by_text(((const struct wh_asset *)list)[*(const size_t *)a].id,
	               ((const struct wh_asset *)list)[*(const size_t *)b].id);
}

static int order(const struct wh_asset *x, const char *id, size_t len)
{
	int c = x->id ? strncasecmp(x->id, id, len) : -1;
	return c ? c : x->id[len] != 0;
}

static const struct wh_asset *asset_of_id(const struct wh_assets *a, const char *id, size_t len)
{
	size_t at = WH_BISECT(i, 0, a->n, order(&a->list[a->by_id[i]], id, len) < 0);
	const struct wh_asset *x = at < a->n ? &a->list[a->by_id[at]] : NULL;
	return x && !order(x, id, len) ? x : NULL;
}

/* An id without its last type and name. */
static size_t parent_length(const char *id)
{
	const char *slash = strrchr(id, '/'), *before = slash;
	while (before > id && before[-1] != '/')
		before--;
	return before > id ? (size_t)(before - id) - 1 : 0;
}

void wh_assets_index(struct wh_assets *a, struct wh_arena *mem)
{
	a->by_type = wh_arena_array(mem, a->n, sizeof *a->by_type);
	a->by_id = wh_arena_array(mem, a->n, sizeof *a->by_id);
	for (size_t i = 0; i < a->n; i++)
		a->by_type[i] = a->by_id[i] = i;
	qsort_r(a->by_type, a->n, sizeof *a->by_type, by_type_then_id, a->list);
	qsort_r(a->by_id, a->n, sizeof *a->by_id, by_id, a->list);
	for (size_t i = 0; i < a->n; i++) {
		size_t len = a->list[i].id && !a->list[i].parent ? parent_length(a->list[i].id) : 0;
		if (len)
			a->list[i].parent = asset_of_id(a, a->list[i].id, len);
	}
}

size_t wh_assets_of_type(const struct wh_assets *a, const char *type, size_t *from)
{
	size_t lo = WH_BISECT(i, 0, a->n, by_text(a->list[a->by_type[i]].type, type) < 0);
	*from = lo;
	while (lo < a->n && !by_text(a->list[a->by_type[lo]].type, type))
		lo++;
	return lo;
}

/* ---- children inside their parents ---- */

/* Lists whose elements are resources with ids and names of their own; and single settings that have a name at Azure. */
static const struct { const char *parent, *member, *child, *name; } inside[] = {
	{NULL, "privateEndpointConnections", "privateEndpointConnections", NULL},
	{"Microsoft.Network/virtualNetworks", "subnets", "subnets", NULL},
	{"Microsoft.Web/sites", "siteConfig", "config", "web"},
};

static struct wh_asset child_of(const struct wh_asset *parent, const json_t *body, const char *child, const char *name,
                                struct wh_arena *mem)
{
	const json_t *id = wh_policy_member(body, "id", 2), *own = wh_policy_member(body, "name", 4);
	name = name ? name : json_is_string(own) ? json_string_value(own) : "";
	return (struct wh_asset){
		.id = json_is_string(id) ? json_string_value(id)
	                                 : wh_arena_printf(mem, "%s/%s/%s", parent->id ? parent->id : "", child, name),
		.type = wh_arena_printf(mem, "%s/%s", parent->type, child),
		.name = name,
		.body = body,
		.parent = NULL,
	};
}

/* If two have one id, the first in the list stays: a child that was exported by itself has more data than its parent's copy. */
static void drop_twins(struct wh_assets *a, struct wh_arena *mem)
{
	size_t *order = wh_arena_array(mem, a->n, sizeof *order), kept = 0;
	bool *twin = wh_arena_array(mem, a->n, sizeof *twin);
	for (size_t i = 0; i < a->n; i++)
		order[i] = i;
	qsort_r(order, a->n, sizeof *order, by_id, a->list);
	for (size_t i = 1, first = 0; i < a->n; i++) {
		const struct wh_asset *x = &a->list[order[first]], *y = &a->list[order[i]];
		bool same = x->id && y->id && !strcasecmp(x->id, y->id) && !by_text(x->type, y->type);
		size_t later = same && order[i] < order[first] ? order[first] : order[i];
		if (same)
			twin[later] = true;
		if (!same || order[i] < order[first])
			first = i;
	}
	for (size_t i = 0; i < a->n; i++)
		if (!twin[i])
			a->list[kept++] = a->list[i];
	a->n = kept;
}

/* Lists of sites contain their configuration with null everywhere. */
static bool says_something(const json_t *object)
{
	const char *key;
	json_t *v;
	json_object_foreach((json_t *)object, key, v)
		if (!json_is_null(v))
			return true;
	return false;
}

struct wh_assets wh_assets_expand(const struct wh_asset *list, size_t n, struct wh_arena *mem)
{
	struct wh_assets out = {0};
	for (int fill = 0; fill < 2; fill++) {
		if (fill)
			out.list = wh_arena_array(mem, out.n, sizeof *out.list);
		out.n = 0;
		for (size_t i = 0; i < n; i++, out.n++)
			if (fill)
				out.list[out.n] = list[i];
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < sizeof inside / sizeof *inside; k++) {
				const json_t *held = inside[k].parent && strcasecmp(inside[k].parent, list[i].type)
				                             ? NULL
				                             : wh_policy_member(list[i].body, inside[k].member,
				                                                strlen(inside[k].member));
				json_t *element;
				size_t j;
				if (inside[k].name && says_something(held)) {
					if (fill)
						out.list[out.n] = child_of(&list[i], held, inside[k].child, inside[k].name, mem);
					out.n++;
				}
				json_array_foreach((json_t *)(inside[k].name ? NULL : held), j, element) {
					if (fill)
						out.list[out.n] = child_of(&list[i], element, inside[k].child, NULL, mem);
					out.n++;
				}
			}
	}
	drop_twins(&out, mem);
	wh_assets_index(&out, mem);
	return out;
}
