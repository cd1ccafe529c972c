/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include <stdbool.h>
struct wh_store;

/* For an analysis that reads edges more than once: a store behind a network may then answer from what it read before, for all
 * ways to it, until the hold ends. Each `true` needs its `false`. */
void wh_store_hold(struct wh_store *s, bool on);
