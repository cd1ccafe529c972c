/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a derivation reads, for comparison with what an earlier one read. */
#pragma once
#include "app/app.h"
#include "whittle/recommended.h"

/* Of the ledger as it is now, with the rules in force that wh_app_present() has set; last_day is left to the caller. `totals` are
 * those from before the derivation: what is written meanwhile is then traffic since. */
int wh_app_derived(const struct wh_app *a, const struct wh_app_ledger *l, const struct wh_store_totals *totals,
                   struct wh_arena *mem, struct wh_derived *out, struct wh_error *err);
/* Whether a derivation from `now` has the outcome of the one from `before`: false on any doubt, as on another day, because days
 * ahead of the clock do not count. A fleet's sums are not its rows, which may come later. */
bool wh_app_derives_the_same(const struct wh_app *a, const struct wh_estate *e, const struct wh_derived *before,
                             const struct wh_derived *now);
