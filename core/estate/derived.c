/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "estate/derived.h"

void wh_derive(struct wh_derived *d, const struct wh_item *from, const char *type, const char *id, const char *name, json_t *body)
{
	struct wh_arena *mem = d->inv->mem;
	d->list = wh_arena_grown(mem, d->list, d->n, &d->room, sizeof *d->list);
	d->list[d->n++] = (struct wh_item){.id = wh_arena_strdup(mem, id),
	                                   .key = wh_lower(id, mem),
	                                   .type = wh_arena_printf(mem, "%s%s", d->prefix, type),
	                                   .name = wh_arena_strdup(mem, name),
	                                   .body = body,
	                                   .file = from->file,
	                                   .path = from->path,
	                                   .document = from->document,
	                                   .derived = true};
}

void wh_derived_join(struct wh_derived *d)
{
	struct wh_inventory *inv = d->inv;
	for (size_t i = 0; i < d->n; i++) {
		inv->items = wh_arena_grown(inv->mem, inv->items, inv->n, &inv->room_items, sizeof *inv->items);
		inv->items[inv->n++] = d->list[i];
	}
	d->n = 0;
}

bool wh_type_is(const char *type, const char *azure)
{
	static const char *const prefixes[] = {"", WH_DERIVED_AWS, WH_DERIVED_MODEL};
	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t n = strlen(prefixes[i]);
		if (!strncmp(type, prefixes[i], n) && !strcmp(type + n, azure))
			return true;
	}
	return false;
}
