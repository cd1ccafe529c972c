/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the readers of documents, and by the builder of the topology. */
#pragma once
#include <stddef.h>
#include "whittle/inventory.h"

/* The index of an id, ignoring case, in a list that is sorted by the member `member` of its elements, an id; (size_t)-1: not
 * there, or id is NULL. */
#define wh_place_of(list, n, member, id) wh_inventory_place(list, n, sizeof *(list), offsetof(__typeof__(*(list)), member), id)
size_t wh_inventory_place(const void *list, size_t n, size_t size, size_t member, const char *id);

/* Takes one resource over: `body` is a reference that the inventory owns from now on. Type and id may be NULL: they are looked
 * for in the body. */
void wh_inventory_take(struct wh_inventory *inv, size_t document, const char *path, json_t *body, const char *type,
                       const char *id);
/* inventory_effective.c */
void wh_inventory_take_effective(struct wh_inventory *inv, const char *file, const char *path, const json_t *body);
struct wh_state;
int wh_inventory_put_effective(struct wh_state *s, const struct wh_inventory *inv, struct wh_error *err);
/* Both return 1 where the document is none of their kind. */
int wh_inventory_terraform(struct wh_inventory *inv, size_t document, const json_t *doc, struct wh_error *err);
/* inventory_plan.c: a plan (`terraform show -json PLAN`) as the state that it leads to; a new reference. Adds notes. */
json_t *wh_plan_as_state(struct wh_inventory *inv, size_t document, const json_t *doc);
/* inventory_free.c: the first free address of a subnet, in `buf`; false: there is none. */
struct wh_free {
	json_t *used; /* addresses of interfaces */
	json_t *next; /* by a subnet's id: the number of the first address in it that was not looked at */
};
bool wh_free_address(struct wh_free *f, const char *subnet, const char *range, char buf[WH_ADDR_STRLEN]);
/* Gives the interfaces among the items from `first` on, which have no address yet, one of their subnet; returns how many. */
size_t wh_choose_addresses(struct wh_inventory *inv, size_t first);
const char *wh_terraform_type(const char *type); /* Azure's type; NULL: none that is read as one */
int wh_inventory_template(struct wh_inventory *inv, size_t document, const json_t *doc, struct wh_error *err);
