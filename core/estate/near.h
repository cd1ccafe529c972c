/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the store of an inventory and what is read of it for a question about few machines. */
#pragma once
#include "whittle/topology.h"

/* The service tags with known addresses that rules of groups and security admin rules name, as a document of Azure's: {"changeNumber", "values":[{"name", "addressPrefixes"}…]}. A new reference. */
json_t *wh_used_tags(const struct wh_topology *t, struct wh_arena *mem);
/* Keeps for each machine what decides about it (collection "near"). tags: of wh_used_tags(). Within the transaction of the import. */
int wh_near_store(struct wh_state *s, const struct wh_topology *t, const json_t *tags, struct wh_error *err);
/* Takes a document of the collection "resource", or "nsg" (group), into an inventory. wh_inventory_join() after the last one. */
int wh_inventory_take_stored(struct wh_inventory *inv, const char *key, const char *json, bool group, struct wh_error *err);
