/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names by which assessments, controls and the inventory show a resource. */
#pragma once
#include "whittle/inventory.h"

/* twins: names that several resources of one type have, a set of "TYPE/NAME". */
struct wh_shown_names { const struct wh_inventory *inv; json_t *twins; struct wh_arena *mem; };
/* The inventory and the arena must outlive *out. */
void wh_shown_names_find(const struct wh_inventory *inv, struct wh_arena *mem, struct wh_shown_names *out);
/* The last part of the id; a subnet's with its network; "GROUP/NAME" of twins in several resource groups; the tag Name of a
 * resource of AWS's, whose ids say nothing. Part of `id`, or in the arena. */
const char *wh_shown_name(const struct wh_shown_names *n, const char *type, const char *id);
void wh_shown_names_free(struct wh_shown_names *n);
