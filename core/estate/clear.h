/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "whittle/state.h"

/* Deletes the ledger's groups and resources; the caller has begun a transaction and puts the new ones. */
int wh_estate_clear(struct wh_state *s, struct wh_error *err);
