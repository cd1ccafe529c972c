/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a derivation reads, for comparison with what an earlier one read. */
#pragma once
#include "app/app.h"
#include "whittle/recommended.h"

/* Of the ledger as it is now, with the rules in force that wh_app_present() has set; last_day is left to the caller. `totals` are
 * those from before the derivation: what is written meanwhile is then traffic since. */
int wh_app_derived(const struct wh_app *a, const struct wh_app_ledger *l, const struct wh_store_totals *totals,
                   struct wh_arena *mem, struct wh_derived *out, struct wh_error *err);
