/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scale_sets: sets of which the inventory has the model alone, as one machine each. */
#pragma once
#include "estate/inventory.h"

/* Adds derived items, unsorted. */
void wh_scale_sets_derive(struct wh_inventory *inv);
/* The first interface of the machine that stands for the instances of a set; NULL: it is no set, or none stands for it. */
const struct wh_item *wh_scale_set_stands(const struct wh_inventory *inv, const struct wh_item *it);
