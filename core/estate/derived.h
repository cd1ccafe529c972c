/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * derived: items in az's form that are made of others when an inventory is joined. Their types have a prefix before Azure's, so
 * that no condition about Azure's own resources judges them.
 */
#pragma once
#include "estate/inventory.h"

#define WH_DERIVED_AWS "aws."
#define WH_DERIVED_MODEL "model." /* of a scale set's model */

/* Collected apart, since whoever makes them holds pointers to the inventory's items. */
struct wh_derived { struct wh_inventory *inv; const char *prefix; struct wh_item *list; size_t n, room; };
/* Adds an item of Azure's type (in lower case) that has its place in `from`'s document. `body` is taken over; texts are
 * copied. */
void wh_derive(struct wh_derived *d, const struct wh_item *from, const char *type, const char *id, const char *name,
               json_t *body);
/* Moves them into the inventory, unsorted. */
void wh_derived_join(struct wh_derived *d);
/* The type is Azure's, or one of derived items that stands for it. */
bool wh_type_is(const char *type, const char *azure);
