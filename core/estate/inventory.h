/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the readers of an inventory's shapes. */
#pragma once
#include "whittle/inventory.h"

/* Takes one resource over: `body` is a reference that the inventory owns from now on. Type and id may be NULL: they are looked for in the body. */
void wh_inventory_take(struct wh_inventory *inv, size_t document, const char *path, json_t *body, const char *type, const char *id);
/* Both return 1 where the document is none of their kind. */
int wh_inventory_terraform(struct wh_inventory *inv, size_t document, const json_t *doc, struct wh_error *err);
int wh_inventory_template(struct wh_inventory *inv, size_t document, const json_t *doc, struct wh_error *err);
