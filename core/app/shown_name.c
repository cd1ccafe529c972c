/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>
#include "app/shown_name.h"
#include "whittle/posture.h"

static const char *key_of(const struct wh_shown_names *n, const char *type, const char *id)
{
	char *key = wh_arena_printf(n->mem, "%s/%s", type ? type : "", wh_posture_name(id));
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return key;
}

void wh_shown_names_find(const struct wh_inventory *inv, struct wh_arena *mem, struct wh_shown_names *out)
{
	json_t *seen = json_object();
	*out = (struct wh_shown_names){.inv = inv, .twins = json_object(), .mem = mem};
	for (size_t i = 0; i < inv->n; i++) {
		const char *key = inv->items[i].derived ? NULL : key_of(out, inv->items[i].type, inv->items[i].id);
		if (key)
			json_object_set(json_object_get(seen, key) ? out->twins : seen, key, json_true());
	}
	json_decref(seen);
}

const char *wh_shown_name(const struct wh_shown_names *n, const char *type, const char *id)
{
	const char *name = wh_posture_name(id), *group;
	const struct wh_item *aws = *id == '/' ? NULL : wh_inventory_find(n->inv, id);
	if (aws)
		return aws->name;
	if (!json_object_size(n->twins) || !json_object_get(n->twins, key_of(n, type, id)) ||
	    !(group = strcasestr(id, "/resourceGroups/")))
		return name;
	group += strlen("/resourceGroups/");
	return wh_arena_printf(n->mem, "%.*s/%s", (int)strcspn(group, "/"), group, name);
}

void wh_shown_names_free(struct wh_shown_names *n)
{
	json_decref(n->twins);
	*n = (struct wh_shown_names){.inv = NULL};
}
