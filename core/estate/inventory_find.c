/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resources of an inventory, by id or type. */
#include <string.h>
#include <strings.h>
#include "base/array.h"
#include "estate/inventory.h"

size_t wh_inventory_place(const void *list, size_t n, size_t size, size_t member, const char *id)
{
	if (!id || !n)
		return (size_t)-1;
	const char *at = (const char *)list + member;
	size_t k = WH_BISECT(i, 0, n, strcasecmp(*(const char *const *)(at + i * size), id) < 0);
	return k < n && !strcasecmp(*(const char *const *)(at + k * size), id) ? k : (size_t)-1;
}

const struct wh_item *wh_inventory_find(const struct wh_inventory *inv, const char *id)
{
	size_t at = wh_place_of(inv->items, inv->n, key, id);
	return at == (size_t)-1 ? NULL : &inv->items[at];
}

size_t wh_inventory_of_type(const struct wh_inventory *inv, const char *type, const struct wh_item ***out)
{
	size_t n = 0;
	for (size_t i = 0; i < inv->n; i++)
		n += !strcmp(inv->items[i].type, type);
	*out = wh_arena_array(inv->mem, n + 1, sizeof **out);
	n = 0;
	for (size_t i = 0; i < inv->n; i++)
		if (!strcmp(inv->items[i].type, type))
			(*out)[n++] = &inv->items[i];
	return n;
}
