/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files about filters share. */
#pragma once
#include "whittle/filter.h"

/* The source ports cut into classes, as wh_filter_port_classes() cuts destination ports; one class where no rule names source ports. */
size_t wh_filter_sport_classes(const struct wh_filter *const *filters, size_t n, enum wh_direction d, uint8_t proto, struct wh_arena *mem,
                               struct wh_port_range **out);
