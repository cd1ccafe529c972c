/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "serve/call.h"
#include "whittle/app_network.h"

/* The location that a path names, or this server's own. */
const char *wh_call_location_of(const struct wh_call *c);
/* The ledger and its network; close both, also after a failure. */
int wh_call_network(const struct wh_call *c, struct wh_state **s, struct wh_app_network **net, struct wh_error *err);
