/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resources of an inventory, by id or type. */
#include <string.h>
#include <strings.h>
#include "estate/inventory.h"

size_t wh_inventory_place(const void *list, size_t n, size_t size, size_t member, const char *id)
{
	size_t lo = 0, hi = n;
	while (id && lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcasecmp(*(const char *const *)((const char *)list + mid * size + member), id);
		if (!c)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (size_t)-1;
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
