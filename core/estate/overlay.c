/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An estate as it would be: the resources of some documents in the place of those with the same ids. */
#include <string.h>
#include "whittle/inventory.h"

static const char group_type[] = "microsoft.network/networksecuritygroups";

/* Whether a resource goes: another one takes its place, or the group that it is a rule of. */
static bool is_replaced(const struct wh_inventory *over, const struct wh_item *it, struct wh_arena *mem)
{
	const char *rules = strstr(it->key, "/securityrules/");
	if (wh_inventory_find(over, it->key))
		return true;
	return rules && !strncmp(it->type, group_type, sizeof group_type - 1) &&
	       wh_inventory_find(over, wh_arena_printf(mem, "%.*s", (int)(rules - it->key), it->key));
}

static void take(struct wh_inventory *out, const struct wh_item *it, size_t documents_before)
{
	out->items = wh_arena_grown(out->mem, out->items, out->n, &out->room_items, sizeof *out->items);
	out->items[out->n] = *it;
	out->items[out->n].document += documents_before;
	json_incref(out->items[out->n++].body);
}

static void take_documents(struct wh_inventory *out, const struct wh_inventory *from)
{
	for (size_t i = 0; i < from->n_documents; i++) {
		out->documents = wh_arena_grown(out->mem, out->documents, out->n_documents, &out->room_documents,
		                                sizeof *out->documents);
		out->documents[out->n_documents] = from->documents[i];
		out->documents[out->n_documents++].borrowed = true;
	}
}

void wh_inventory_overlay(const struct wh_inventory *base, const struct wh_inventory *over, struct wh_arena *mem,
                          struct wh_inventory *out)
{
	*out = (struct wh_inventory){.mem = mem, .service = over->service.n ? over->service : base->service};
	take_documents(out, base);
	take_documents(out, over);
	for (size_t i = 0; i < base->n; i++)
		if (!is_replaced(over, &base->items[i], mem))
			take(out, &base->items[i], 0);
	for (size_t i = 0; i < over->n; i++)
		take(out, &over->items[i], base->n_documents);
	wh_inventory_join(out);
}
