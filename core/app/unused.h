/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "app/app.h"
#include "app/network.h"

/* Adds to a list of anomalies the allow rules that no connection of the ledger's window needed, and those of which it needed a
 * part; *unjudged, a new reference, has the groups that can't be judged, since machines behind them have no learned traffic. */
int wh_app_unused_rules(struct wh_app_network *net, const struct wh_app *a, json_t *list, json_t **unjudged,
                        struct wh_error *err);
