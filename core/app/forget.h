/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/app.h"
#include "whittle/ledger.h"

/* Where `keep-days` is set: removes what was last seen before the so many last days, once a day. The last one is the ledger's
 * newest, today at most: neither a clock nor a record that is years ahead removes anything. */
int wh_app_retain(const struct wh_app *a, struct wh_ledger *l, struct wh_error *err);
/* The number of days that are there although `keep-days` has passed for them; negative: *err. */
int wh_app_retain_late(const struct wh_app *a, struct wh_ledger *l, struct wh_error *err);
